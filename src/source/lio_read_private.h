/* SPDX-License-Identifier: BSD-2-Clause */
/* What lio_read.c, lio_read_files.c and lio_read_session.c share. */
#ifndef SOURCE_LIO_READ_PRIVATE_H
#define SOURCE_LIO_READ_PRIVATE_H

#include "source/lio_read.h"

/* One poll under way. */
struct lio_reader {
	struct root *root;
	uint64_t deadline_ns;
	struct lio_failure *why;
	int error;	      /* ends the poll */
	bool missed;	      /* of this target: what may have sessions in it */
	bool doubted;	      /* a file of a session was not what LIO prints */
	bool refused;	      /* what may have sessions in it is there and is not readable */
	bool withheld;	      /* what may have sessions in it is too much to ask of this kernel */
	bool list_may_be_cut; /* of guests */
	bool long_is_error;
	char text[ROOT_FILE_MAX + 1]; /* of the last file, "" after a failure */
	char path[1024];
};

/* Ends the poll; returns the error. `what` was tried on r->path. */
int lio_reader_fail(struct lio_reader *r, int error, const char *what);

/* Reads a file into r->text. Returns its length or a negative errno. */
ssize_t lio_reader_file(struct lio_reader *r, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Lists a directory. Returns the number of names, 0 for a directory that went away, is none or may
 * not be listed, or a negative errno, which ends the poll.
 */
int lio_reader_list(struct lio_reader *r, struct buf *names, const char *format, ...)
	PRINTF_LIKE(3, 4);

/*
 * Which object a directory is, see root_directory_object. Returns 0; *object is left alone where it
 * cannot be told. Or a negative errno: it is gone, or r->error ends the poll.
 */
int lio_reader_object(struct lio_reader *r, uint64_t *object, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Whether an error tells that it went away, or that another one took its place while it was read,
 * or that it is no such thing. */
bool lio_reader_is_gone(ssize_t rc);

/* Notes what reading something gave that may have sessions in it. */
void lio_reader_miss(struct lio_reader *r, ssize_t rc);

/* r->text, of which `length` is what lio_reader_file returned: unknown after a failure. */
struct opt_u32 lio_reader_u32(const struct lio_reader *r, ssize_t length, uint32_t high);
struct opt_counter lio_reader_counter(const struct lio_reader *r, ssize_t length, uint64_t high);
struct opt_bool lio_reader_bool(const struct lio_reader *r, ssize_t length);

/* Likewise as a name, without its final newline; "" when it is none. */
void lio_reader_name(const struct lio_reader *r, ssize_t length, char out[LIO_NAME_MAX + 1]);

/* The session of an ACL with all that belongs to it; the ACL has none if it cannot be had. */
void lio_read_session(
	struct lio_reader *r, const char *target, struct lio_group *group, struct lio_acl *acl);

#endif
