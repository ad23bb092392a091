/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of the initiator. Called by open_iscsi_model_session.c in the reader process. */
#include "source/open_iscsi_devices.h"

static int add_device(struct builder *b, const struct oiscsi_device *from, uint32_t instance_at,
	uint32_t session_at)
{
	struct device *device = builder_device(b, NULL);
	const struct oiscsi_hctl *h = &from->hctl;

	if (!device)
		return builder_error(b);
	device->instance = instance_at;
	device->session = session_at;
	builder_printf(b, &device->key, "%u:%u:%u:%llu", h->host, h->channel, h->target,
		(unsigned long long)h->lun);
	device->hctl = device->key;
	if (h->lun <= UINT32_MAX)
		OPT_SET(device->lun, (uint32_t)h->lun);
	if (from->name[0])
		builder_text(b, &device->name, from->name);
	if (from->vendor[0])
		builder_text(b, &device->vendor, from->vendor);
	if (from->model[0])
		builder_text(b, &device->model, from->model);
	device->size = from->size;
	device->state = from->state;
	device->access_state = from->access;
	device->preferred = from->preferred;
	if (from->map_known) {
		builder_text(b, &device->map_name, from->map_name);
		builder_text(b, &device->map_wwid, from->map_wwid);
	}
	device->requests = from->requests;
	device->completions = from->completions;
	device->errors = from->errors;
	device->timeouts = from->timeouts;
	return builder_error(b);
}

/* Where the devices of the session begin. */
static size_t first_of(const struct oiscsi_devices *devices, uint32_t sid)
{
	size_t low = 0, high = devices->of_sessions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (devices->by_session[middle]->sid < sid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int oiscsi_model_devices(struct builder *b, const struct oiscsi_devices *devices, uint32_t sid,
	uint32_t instance_at, uint32_t session_at)
{
	uint32_t count = 0, faults = 0;
	bool all_told = true; /* by their states */
	struct session *session;
	int rc = 0;

	if (!devices->known)
		return 0;
	for (size_t i = first_of(devices, sid); i < devices->of_sessions && rc == 0; i++) {
		const struct oiscsi_device *device = devices->by_session[i];

		if (device->sid != sid)
			break;
		count++;
		all_told &= device->state.known;
		faults += device->state.known && !oiscsi_device_is_fit(device->state.value);
		rc = add_device(b, device, instance_at, session_at);
	}
	if (!devices->whole)
		return rc;
	session = builder_session_at(b, session_at);
	OPT_SET(session->device_count, count);
	if (all_told || faults)
		OPT_SET(session->device_fault_count, faults);
	return rc;
}
