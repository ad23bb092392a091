/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify_encode.h"

#include "agent/agentx_write.h"
#include "agent/mib_rows.h"

bool notify_find(const char *name, struct notify_place *ret)
{
	for (size_t i = 0; mib_modules[i]; i++) {
		for (uint16_t k = 0; k < mib_modules[i]->notification_count; k++) {
			const struct mib_notification *n = &mib_modules[i]->notifications[k];

			if (strcmp(n->name, name) != 0)
				continue;
			*ret = (struct notify_place){ .module = i, .notification = n };
			return true;
		}
	}
	return false;
}

/* The notification's own name: the module's root, 0, its number. */
static struct mib_name name_of(const struct notify_place *place)
{
	const struct mib_module *module = mib_modules[place->module];
	struct mib_name name = { .length = module->root_length };

	memcpy(name.ids, module->root, module->root_length * sizeof(name.ids[0]));
	name.ids[name.length++] = 0;
	name.ids[name.length++] = place->notification->sub_id;
	return name;
}

int notify_encode(struct mib_view *const views[], const struct notify_place *place,
	const uint32_t key[MIB_KEY_MAX], uint32_t event, uint8_t **ret, size_t *ret_length)
{
	const struct mib_notification *n = place->notification;
	const struct mib_name trap = name_of(place);
	const uint32_t event_key[MIB_KEY_MAX] = { event };
	uint8_t octets[NOTIFY_PDU_MAX], *copy;
	struct agentx_writer w;

	agentx_write_notify(&w, octets, sizeof(octets), trap.ids, trap.length);
	for (uint8_t i = 0; i < n->column_count; i++) {
		struct mib_value value;
		struct mib_name name;
		int rc = mib_notification_value(views[place->module], n, i,
			n->rows == &rows_event ? event_key : key, event_key, &name, &value);

		if (rc < 0)
			return rc;
		agentx_write_binding(&w, name.ids, name.length, &value);
	}
	if (w.full)
		return -ENOMEM;
	copy = malloc(w.length);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, octets, w.length);
	*ret = copy;
	*ret_length = w.length;
	return 0;
}
