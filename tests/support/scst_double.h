/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source scst over the recording tests/fixtures/scst/two-targets.tree, for unit tests: polls
 * at a time of the test's own, with changes to what is read. scst_wraps.h puts it in the place of
 * base/root.h. What cannot be set up, and a poll that should be good and is not, abort the program.
 */
#ifndef TESTS_SUPPORT_SCST_DOUBLE_H
#define TESTS_SUPPORT_SCST_DOUBLE_H

#include "base/clock.h"
#include "reader/collection.h"
#include "source/source.h"

#define TREE	"/sys/kernel/scst_tgt/targets/iscsi"
#define DISKS	TREE "/iqn.2006-10.net.vlnb:disks"
#define SESSION DISKS "/sessions/iqn.2005-03.org.open-iscsi:cacdcd2520"

/* What is read or listed otherwise than the recording has it; the first one that fits counts. */
struct scst_change {
	const char *pattern; /* of the path, fnmatch(3); NULL: none */
	const char *text;    /* NULL: error; without that either: as recorded */
	int error;
	uint64_t takes_ns;
	int skip; /* so many reads before are as recorded */
};

struct scst_double {
	struct scst_change changes[4], list_changes[4];
	uint64_t now_ns;
	struct source_env env;
	struct source *source;
	struct collection *collection;
	char asked[1 << 16]; /* the paths that were read in the last poll, a line for each */
	/* The last poll, and the last good fragment. */
	int units, error;
	char message[UNIT_MESSAGE_MAX];
	struct fragment *fragment;
};

extern struct scst_double scst;

/* For cmocka. */
int scst_set_up(void **state);
int scst_tear_down(void **state);

/* One poll of three seconds; returns what collect returned. */
int scst_poll(void);

/* One poll whose unit must be good. */
void scst_poll_good(void);

/* The objects of the last good poll. */
#define SCST_ARRAY(KIND, type) ((const struct type *)fragment_array(scst.fragment, OBJECT_##KIND))
uint32_t scst_rows(enum object_kind kind);

/* The session of SESSION, and its key. */
const struct session *scst_session(void);
const char *scst_session_key(void);

/* NULL when nothing fits; what it takes has been added to the time. */
const struct scst_change *scst_find_change(struct scst_change changes[4], const char *path);

#endif
