/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of multipathd, taken apart (multipath_wire.h has the questions).
 *
 * Who wrote what is in them? multipathd prints texts as they are. A line of `raw format` has, as
 * asked for here, nothing that a target could have chosen but the WWID, and a name made of it. The
 * JSON has more: vendor and product of the disk, and the target's name, without a single escape; a
 * hostile target can end a string there and write objects of its own. So of the JSON only one thing
 * is used, which the lines do not have: the group of a device. It is used when it says that of
 * exactly one group; an unescaped quote that makes it no JSON costs all groups, and no more. (A
 * string cannot swallow what follows it, since JSON has no newline inside strings.)
 *
 * Pure functions over octets that may be anything; texts point into what was parsed, no NUL.
 */
#ifndef SOURCE_MULTIPATH_PARSE_H
#define SOURCE_MULTIPATH_PARSE_H

#include "model/opt.h"

struct multipath_text {
	const char *at;
	size_t length; /* octets */
};

/* The numbers are those of the model: MAP.dm_state, MAP_PATH.dm_state, group_state. */
enum multipath_map_state { MULTIPATH_MAP_ACTIVE = 1, MULTIPATH_MAP_SUSPENDED };
enum multipath_dm_state { MULTIPATH_DM_ACTIVE = 1, MULTIPATH_DM_FAILED };
enum multipath_group_state {
	MULTIPATH_GROUP_ACTIVE = 1,
	MULTIPATH_GROUP_ENABLED,
	MULTIPATH_GROUP_DISABLED
};

/*
 * Takes the next line off `rest`, without its newline. Lines of what multipathd does not manage
 * itself (the kernel's NVMe multipath) are passed over, with their pieces when a value of theirs
 * has a newline. False when there is none.
 */
bool multipath_next_line(struct multipath_text *rest, struct multipath_text *ret);

struct multipath_map {
	struct multipath_text device; /* "dm-0" */
	struct multipath_text wwid, name;
	struct multipath_text queueing; /* "off", "on", "3 chk", "12 sec", "-" */
	struct opt_u32 state;		/* enum multipath_map_state */
};

/*
 * A line of MULTIPATH_ASK_MAPS. Returns 1; 0 for a map that the kernel does not have (yet, or any
 * more); -EBADMSG for anything else.
 */
int multipath_parse_map(struct multipath_text line, struct multipath_map *ret);

struct multipath_path {
	struct multipath_text device; /* "sda" */
	struct multipath_text hctl;   /* "0:0:0:1"; length 0: unknown */
	struct multipath_text map;    /* the name of its map */
	struct opt_u32 dm_state;      /* enum multipath_dm_state */
	struct opt_u32 checker_state; /* enum checker_state of model/path_join.h */
	struct opt_u32 priority;
	bool is_iscsi; /* multipathd says that it is; versions before 0.7.8 do not say */
};

/* A line of MULTIPATH_ASK_PATHS. Returns 1; 0 for a path that is in no map; -EBADMSG. */
int multipath_parse_path(struct multipath_text line, struct multipath_path *ret);

/* The group that a device is in. */
struct multipath_member {
	struct multipath_text device;
	uint32_t number;      /* of the group in its map, from 1; 0 unknown */
	struct opt_u32 state; /* enum multipath_group_state */
};

/*
 * The answer to MULTIPATH_ASK_GROUPS: its devices, sorted by name, without those that are in it
 * more than once. *ret is freed by the caller. Returns their number, -EBADMSG or -ENOMEM.
 */
ssize_t multipath_parse_groups(const char *text, size_t length, struct multipath_member **ret);

/* The member of a device; NULL when there is none. */
const struct multipath_member *multipath_find_member(
	const struct multipath_member *members, size_t count, struct multipath_text device);

/* As strcmp, for texts with their lengths. */
int multipath_compare(struct multipath_text a, struct multipath_text b);

#endif
