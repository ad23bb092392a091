/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The join of what the initiator knows of its paths with what multipathd knows of them. Two
 * sources, two processes, two moments: they meet in the snapshot while it is made (snapshot.c), in
 * the agent process. A device of a session and a path of a map are the same when block device and
 * H:C:T:L are.
 *
 * Pure: no I/O, no state between snapshots.
 */
#ifndef MODEL_PATH_JOIN_H
#define MODEL_PATH_JOIN_H

#include "model/path_rules.h"
#include "model/snapshot.h"

/* IscsiCheckerState of ISCSI-PATH-MIB: the words of multipathd's checkers. */
enum checker_state {
	CHECKER_READY = 1,
	CHECKER_GHOST, /* a standby path, as well as it can be */
	CHECKER_FAULTY,
	CHECKER_SHAKY,
	CHECKER_PENDING,
	CHECKER_TIMEOUT,
	CHECKER_DELAYED,
	CHECKER_UNCHECKED,
	CHECKER_DISCONNECTED,
};

/* How bad a state is: 0 ready, 1 ghost, … Of several the highest is the one to show. */
uint32_t checker_rank(uint32_t state);

/* True unless the checker says that the path cannot do I/O. */
bool checker_is_well(uint32_t state);

/* How a map is; IscsiMapStatus of ISCSI-PATH-MIB. */
enum map_status {
	MAP_OK = 1,
	MAP_DEGRADED, /* a path of it takes no I/O, or one that should be in it is missing */
	MAP_FAILED,   /* no path of it takes I/O */
};

/* Octets of text that path_join adds to the arena. */
size_t path_join_text_room(void);

/*
 * Fills, of each outbound path: weight, primary, checker_state, map_name, map_wwid, in this order:
 *   1. the rules (NULL: none), also for inbound paths and for those that have no session;
 *   2. multipathd: priority, path group and state of the session's devices in maps;
 *   3. ALUA access states of the session's devices: the values of multipathd's own prioritizer
 *      (without exclusive_pref_bit: preferred adds nothing to optimized);
 * which path is primary only where no map is on them, since a map takes one of those that are as
 * good;
 *   4. weight 1, primary, for a session whose devices are known and in no map.
 * What none of them says stays unknown; a device in a map that nobody tells of says nothing.
 * Of each map: iscsi_count, missing_count (unknown while it is not known of a path whether it is
 * missing), status (by those that are known to be); active_count without the devices of sessions
 * that are not connected. Of each device: what its map path
 * says, and name and WWID of the map where sysfs has not told of it.
 *
 * `text_at`: where in the arena the room begins. Returns 0 or -ENOMEM.
 */
int path_join(struct snapshot *s, const struct path_rules *rules, size_t text_at);

/* A map of iSCSI, or one that has lost all its paths: others are none of our rows. */
bool map_is_row(const struct map *map);

#endif
