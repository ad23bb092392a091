/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects that no source makes: what the agent says of itself, of its sources, and of the whole
 * host. Made for each snapshot while it is built (snapshot.c). Agent process and one-shot commands;
 * no I/O.
 */
#ifndef MODEL_OWN_H
#define MODEL_OWN_H

#include "model/snapshot.h"

/* IscsiSourceHealth of ISCSI-PATH-MIB: the state of a source_info. */
enum source_health {
	HEALTH_OK = 1,
	HEALTH_STALE,
	HEALTH_ERROR,
	HEALTH_ABSENT,
	HEALTH_NO_PERMISSION,
	HEALTH_DISABLED,
	HEALTH_STARTING
};

/* How many objects of a kind there will be, and the octets of text in all of them. */
uint32_t own_count(enum object_kind kind, uint32_t units);
size_t own_text_room(uint32_t units);

/*
 * Fills them; everything else in the snapshot is there already. `text_at`: where in the arena the
 * room begins. Returns 0, or -ENOMEM.
 */
int own_fill(struct snapshot *s, size_t text_at, struct registry *registry);

#endif
