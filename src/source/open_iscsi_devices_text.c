/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts and the orders of open_iscsi_devices.h: pure functions over octets of any origin. */
#include "source/open_iscsi_devices.h"

#include <inttypes.h>

bool oiscsi_hctl_parse(const char *text, struct oiscsi_hctl *ret)
{
	struct oiscsi_hctl hctl;
	char again[64];

	/* What does not fit is found below. NOLINTNEXTLINE(cert-err34-c) */
	if (sscanf(text, "%" SCNu32 ":%" SCNu32 ":%" SCNu32 ":%" SCNu64, &hctl.host, &hctl.channel,
		    &hctl.target, &hctl.lun) != 4)
		return false;
	/* Only what the kernel would print: no signs, blanks, or numbers that are too large. */
	snprintf(again, sizeof(again), "%" PRIu32 ":%" PRIu32 ":%" PRIu32 ":%" PRIu64, hctl.host,
		hctl.channel, hctl.target, hctl.lun);
	if (strcmp(again, text) != 0)
		return false;
	*ret = hctl;
	return true;
}

uint32_t oiscsi_sid_of_link(const char *target)
{
	uint32_t sid = UINT32_MAX;

	while ((target = strchr(target, '/'))) {
		char component[32];
		size_t length = strcspn(++target, "/");

		if (length >= sizeof(component))
			continue;
		snprintf(component, sizeof(component), "%.*s", (int)length, target);
		if (oiscsi_number_after(component, "session", &sid))
			return sid;
	}
	return UINT32_MAX;
}

static uint32_t find_word(const char *value, const char *const words[], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(words[i], value) == 0)
			return (uint32_t)i + 1;
	}
	return 0;
}

uint32_t oiscsi_device_state_parse(const char *value)
{
	static const char *const words[] = { "created", "running", "cancel", "deleted", "quiesce",
		"offline", "transport-offline", "blocked", "created-blocked" };

	return find_word(value, words, ARRAY_SIZE(words));
}

uint32_t oiscsi_access_state_parse(const char *value)
{
	static const char *const words[] = { "active/optimized", "active/non-optimized", "standby",
		"unavailable", "lba-dependent", "offline", "transitioning" };

	return find_word(value, words, ARRAY_SIZE(words));
}

bool oiscsi_device_is_fit(uint32_t state)
{
	enum { CREATED = 1, RUNNING = 2, QUIESCE = 5 };

	return state == CREATED || state == RUNNING || state == QUIESCE;
}

/* ---- orders ---- */

int oiscsi_hctl_compare(const struct oiscsi_hctl *x, const struct oiscsi_hctl *y)
{
	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	if (x->channel != y->channel)
		return x->channel < y->channel ? -1 : 1;
	if (x->target != y->target)
		return x->target < y->target ? -1 : 1;
	return x->lun < y->lun ? -1 : x->lun > y->lun;
}

static int compare_sessions(const void *a, const void *b)
{
	const struct oiscsi_device *x = *(const struct oiscsi_device *const *)a;
	const struct oiscsi_device *y = *(const struct oiscsi_device *const *)b;

	if (x->sid != y->sid)
		return x->sid < y->sid ? -1 : 1;
	return oiscsi_hctl_compare(&x->hctl, &y->hctl);
}

int oiscsi_devices_order(struct oiscsi_devices *devices)
{
	const struct oiscsi_device **list =
		calloc(devices->count + 1, sizeof(const struct oiscsi_device *));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < devices->count; i++) {
		if (devices->list[i].sid != UINT32_MAX)
			list[count++] = &devices->list[i];
	}
	if (count)
		qsort(list, count, sizeof(const struct oiscsi_device *), compare_sessions);
	free(devices->by_session);
	devices->by_session = list;
	devices->of_sessions = count;
	return 0;
}
