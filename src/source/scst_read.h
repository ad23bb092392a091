/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One poll of SCST under way: reading its sysfs tree, and what ends the poll. In the reader
 * process of the source only.
 *
 * What may fail how. A single attribute that cannot be read is a hole in one row. A directory that
 * is gone or is none is no object. One that may not be listed (a peer that calls itself "password"
 * makes such a one: root_path_is_secret) is an object without children. Any other failure of a
 * listing ends the poll, since rows would be lost without a sign of it; so do the deadline, want of
 * memory, and a failure that leaves open whether there is a daemon (scst_daemon.c).
 */
#ifndef SOURCE_SCST_READ_H
#define SOURCE_SCST_READ_H

#include "base/root.h"
#include "source/scst_parse.h"

#define SCST_TREE "/sys/kernel/scst_tgt/targets/iscsi"

#define SCST_PATH_MAX 1280u /* the tree, four names of at most 255 octets, and an attribute */
#define SCST_TEXT_MAX 8192u /* octets of an attribute; the kernel gives at most a page */

struct scst_reader {
	struct root *root;
	uint64_t deadline_ns;
	int error;		     /* what ended the poll, 0 so far */
	bool refused;		     /* the sessions of a target may not be listed */
	bool stranger;		     /* what the daemon's pid file names does not run as root */
	char why[2 * SCST_PATH_MAX]; /* what was tried on which object */
	char path[SCST_PATH_MAX];    /* of the last read or listing */
	char text[SCST_TEXT_MAX];    /* of the last read, "" after a failure */
	size_t length;		     /* octets of it */
};

/* Ends the poll, unless it has ended already. Returns the error. */
int scst_reader_fail(struct scst_reader *r, int error, const char *what);

/* Ends it when the deadline has passed. Returns 0 or the error that ended the poll. */
int scst_reader_check(struct scst_reader *r);

/* Reads an attribute into r->text. Returns 0 or a negative errno, which does not end the poll. */
int scst_read(struct scst_reader *r, const char *format, ...) PRINTF_LIKE(2, 3);

/* True for the errors of a file or directory that went away or is not what was expected. */
bool scst_is_gone(int error);

/*
 * Lists a directory. Returns the number of names; -ENOENT when it is gone or none, -EACCES when it
 * may not be listed; any other error has ended the poll.
 */
int scst_list(struct scst_reader *r, struct buf *names, const char *format, ...) PRINTF_LIKE(3, 4);

/* for (const char *name = names->data; count > 0; count--, name = scst_next_name(name)) */
const char *scst_next_name(const char *name);

/* An attribute as a value, unknown when it cannot be read or is none. */
#define SCST_U32(r, low, high, ...) \
	(scst_read(r, __VA_ARGS__), scst_parse_u32((r)->text, (r)->length, low, high))
#define SCST_COUNTER(r, ...) (scst_read(r, __VA_ARGS__), scst_parse_counter((r)->text, (r)->length))
#define SCST_BOOL(r, ...)    (scst_read(r, __VA_ARGS__), scst_parse_bool((r)->text, (r)->length))
#define SCST_DIGEST(r, ...)  (scst_read(r, __VA_ARGS__), scst_parse_digest((r)->text, (r)->length))

#endif
