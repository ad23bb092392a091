/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio on a recording of tests/fixtures/lio, poll after poll: a test can put another
 * text, or an error, in the place of each file, add and take away names of directories, and let
 * the k-th of them fail. With ways to look into the fragment of the last good poll. A path below
 * auth/ is a failure of the test.
 *
 * A test that includes this has __wrap_root_read, __wrap_root_list, __wrap_root_directory_object
 * and
 * __wrap_root_tcp_sockets in the place of base/root.h (lio_wraps.h; the names must be in the test's
 * own text for the linker's list).
 */
#ifndef TESTS_SUPPORT_LIO_DOUBLE_H
#define TESTS_SUPPORT_LIO_DOUBLE_H

#include "base/clock.h"
#include "reader/collection.h"
#include "source/source.h"
#include "tests/support/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Another content of the file, or another list of the directory, whose path ends with `end`. */
struct lio_override {
	char end[160];
	char *text; /* of a file; names of a directory, each with a newline; NULL: */
	int error;
};

extern struct lio_double {
	const char *gone; /* paths with this in them are -ENOENT */
	struct lio_override overrides[32];
	size_t override_count;
	unsigned reads, lists, objects;	       /* in this poll */
	unsigned fail_read;		       /* the one that fails, from 1; 0 none */
	unsigned fail_list, fail_object;       /* likewise */
	int fail_error;			       /* with this */
	void (*before_read)(const char *path); /* called before each, NULL none */
	int sockets_error;		       /* 0: those of the recording */
	uint64_t object;		       /* that each directory is, 0 unknown */
} lio_fake;

extern struct lio_poll {
	struct source_settings settings;
	struct source_env env;
	struct source *source;
	struct collection *collection;
	int units, good, error;
	char message[UNIT_MESSAGE_MAX]; /* of the last poll that failed */
	char note[UNIT_MESSAGE_MAX];	/* of the last good one */
	struct fragment *fragment;	/* of the last good poll */
	size_t length;
	uint64_t wall_ns; /* that it took, as the source says */
} lio_poll;

/* For cmocka: no recording yet; and the end of all. */
int lio_set_up(void **state);
int lio_tear_down(void **state);

/* Opens a recording: the source begins anew. */
void lio_load(const char *name);

/* One poll. Returns what collect returned. */
int lio_run(void);

/* One poll that must be good. */
void lio_run_good(void);

/* From now on the file is this; `text` NULL: the error. The last of one path holds. */
void lio_put(const char *end, const char *text);
void lio_put_error(const char *end, int error);

/* The file info of a session, with one connection (CID 1, from 10.0.0.9); a static buffer. */
const char *lio_info_text(const char *name, unsigned sid, const char *alias);

/* All is again as recorded. */
void lio_put_back(void);

/* The objects of the last good poll. */
uint32_t lio_count_of(enum object_kind kind);
const char *lio_text_of(const struct opt_str *field); /* "-" unknown */
#define LIO_ARRAY(KIND, type) \
	((const struct type *)fragment_array(lio_poll.fragment, OBJECT_##KIND))

/* By name; a failure of the test when there is none. */
const struct node *lio_node(const char *name);
/* The session of the initiator on the target's node; NULL none. */
const struct session *lio_session(const char *target, const char *initiator);
/* The n-th connection of a session, from 0. */
const struct connection *lio_connection(const struct session *session, uint32_t n);

/* What the wrapped functions do; `real` is that of base/root.h. */
typedef ssize_t lio_read_fn(struct root *root, const char *path, char *out, size_t capacity);
typedef int lio_list_fn(struct root *root, const char *path, struct buf *names);
ssize_t lio_double_read(
	struct root *root, const char *path, char *out, size_t capacity, lio_read_fn *real);
int lio_double_list(struct root *root, const char *path, struct buf *names, lio_list_fn *real);

#endif
