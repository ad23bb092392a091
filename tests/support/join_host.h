/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host in a few words: devices of sessions, what multipathd says of them, paths; and the snapshot
 * of it, for tests of the join (model/path_join.h). What cannot be made ends the test.
 */
#ifndef TESTS_SUPPORT_JOIN_HOST_H
#define TESTS_SUPPORT_JOIN_HOST_H

#include "model/path_join.h"

enum { ACTIVE = 1, ENABLED = 2, FAILED = 2, NO = -1 };
enum { OPTIMIZED = 1, NON_OPTIMIZED, STANDBY, UNAVAILABLE, LBA_DEPENDENT, OFFLINE, TRANSITIONING };

/*
 * A device as the initiator sees it, and what multipathd says of it. 0 is unknown, or no map; a
 * priority of NO is unknown.
 */
struct disk {
	const char *name, *hctl; /* hctl of multipathd; NULL the device's own, "" unknown */
	uint32_t session;
	uint32_t access;
	bool preferred;
	uint32_t map; /* 1, 2, …: in this map of multipathd */
	int priority;
	uint32_t dm, group_state, checker;
	const char *sysfs_wwid; /* a map that sysfs tells of; NULL: it tells that there is none */
	bool maps_unread;	/* it could not be asked */
	bool says_no_protocol;
};

/* A path: its session from 1, or 0 for a record without one; or it is not known whether it has one.
 */
struct way {
	const char *target, *portal;
	uint32_t session;
	bool inbound;
	bool untold;
};

#define SESSIONS 3
struct host {
	struct disk disks[6];
	struct way ways[4];
	uint32_t conditions[SESSIONS + 1]; /* of session 1, 2, 3; 0: SESSION_UP */
	uint32_t maps;
	bool devices_unread;
	enum source_state maps_state; /* 0: SOURCE_OK */
};

/* A path to the portal 10.0.0.1:3260 with the first session. */
#define WAY                                        \
	{                                          \
		"iqn.a", "10.0.0.1:3260", 1, false \
	}

extern struct path_rules join_rules; /* what look_at applies */
extern struct snapshot *joined;	     /* what it has made */

/* For cmocka: no rules, an empty registry, no snapshot. */
int join_set_up(void **state);
int join_tear_down(void **state);

/* Makes the snapshot of a host; numbers stay those of before. */
void look_at(const struct host *h);

/* The text of a field of the snapshot, "?" while it is unknown. */
const char *join_text_of(const struct opt_str *field);

#endif
