/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What two successive snapshots tell beside counters: states of paths, sessions and sources that
 * have changed. Only of rows that both have: one that is new begins with whatever it is, one that
 * has gone says nothing more. Unknown is no state. How a map is depends on two sources: when the
 * one of the initiator begins or ceases to be heard, what changes is our knowledge and not the map.
 * Pure; the agent process.
 */
#ifndef MODEL_EVENT_FIND_H
#define MODEL_EVENT_FIND_H

#include "model/event.h"

/*
 * An event of `type` about `object` of the newer snapshot, which was `before` in the older one, and
 * whose row has the index `key`;
 * `when_ns`, CLOCK_MONOTONIC: what the object itself says, if that lies between the snapshots, else
 * when the newer one was made.
 */
typedef void event_found_fn(void *context, uint32_t type, const void *before, const void *object,
	const uint32_t key[EVENT_KEY_MAX], uint64_t when_ns);

/*
 * Finds all, in the order of kinds and rows. `session_limit`: a target that has come to so many
 * sessions is one; 0: none is. Returns 0 or -ENOMEM (then nothing was found).
 */
int event_find(const struct snapshot *before, const struct snapshot *now, uint32_t session_limit,
	event_found_fn *found, void *context);

/*
 * True when what an earlier event of `type` said of a row is so still, now that a newer event of
 * its subject is found with the object `now` of that row (path, map, session, node, source): a path
 * that is missing is down as before, but not up. False for a type that is of no such object.
 */
bool event_is_still_true(uint32_t type, const void *now);

#endif
