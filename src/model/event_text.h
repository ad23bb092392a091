/* SPDX-License-Identifier: BSD-2-Clause */
/* Events in words, for people: what is in the event table and in the notifications. Pure. */
#ifndef MODEL_EVENT_TEXT_H
#define MODEL_EVENT_TEXT_H

#include "model/event.h"

/*
 * Fills subject and text of a record from the object of the snapshot that an event of this type is
 * about: a node for the logins and the limit of sessions (`limit`, else not looked at), an instance
 * for its sessions, a path, a map, a session, a source. `before` is that object in the snapshot
 * before, NULL where it is not known; only a path that is connected again is compared with it. Of a
 * type without an object the texts are empty.
 */
void event_describe(const struct snapshot *s, uint32_t type, const void *before, const void *object,
	uint32_t limit, struct event_record *ret);

/* For EVENT_FLAPPING: its text; the subject is that of what flaps. */
void event_describe_flapping(uint32_t changes, uint64_t window_ns, struct event_record *ret);

/* Makes a text safe and short enough for a record: SnmpAdminString. */
void event_set_text(char ret[EVENT_TEXT_MAX + 1], const char *format, ...) PRINTF_LIKE(2, 3);

#endif
