/* SPDX-License-Identifier: BSD-2-Clause */
/* A notification as an AgentX PDU, its varbinds by the encoders that answer a GET. Pure. */
#ifndef AGENT_NOTIFY_ENCODE_H
#define AGENT_NOTIFY_ENCODE_H

#include "agent/mib.h"

/* Octets of the longest one: 8 objects, the texts among them at most 255 octets. */
#define NOTIFY_PDU_MAX 8192u

/* Where a notification is. */
struct notify_place {
	size_t module; /* in mib_modules */
	const struct mib_notification *notification;
};

/* Finds a notification of any module by its name; false when there is none. */
bool notify_find(const char *name, struct notify_place *ret);

/*
 * Writes the notification about the row `key` of the event with that number, as agentx_notify takes
 * it; `views` in the order of mib_modules. Returns 0 and a copy on the heap, -ENOENT when the row
 * or the event is not in the views (any more), or -ENOMEM.
 */
int notify_encode(struct mib_view *const views[], const struct notify_place *place,
	const uint32_t key[MIB_KEY_MAX], uint32_t event, uint8_t **ret, size_t *ret_length);

#endif
