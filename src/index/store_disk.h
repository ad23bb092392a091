/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Small files that are replaced as a whole: finding, checking, reading, replacing, setting aside.
 * Loaded in the agent process, replaced in the saver process, both as the same unprivileged user;
 * what is in them is the business of store.c and event_store.c.
 *
 * The directories are the administrator's choice, so nothing in them is trusted before its owner
 * and mode have been looked at, no symbolic link in them is followed, and nothing but the three
 * names of a file is touched.
 */
#ifndef INDEX_STORE_DISK_H
#define INDEX_STORE_DISK_H

#include "base/buf.h"
#include "index/store.h"

/* A file. Names differ from file to file, so that all may be in one directory. */
struct store_names {
	const char *file, *temporary, *bad;
	const char *loss; /* what it means that the file cannot be used */
	size_t max;	  /* octets */
};

/*
 * Takes the content of a file. Returns 0, -EBADMSG with `reason`, or another negative errno. With 0
 * and a reason something was left out; `reason` is "" before.
 */
typedef int store_take_fn(
	void *context, const char *text, size_t length, char reason[STORE_REASON]);

/*
 * Reads a file and hands its content to `take`. Returns what that does, or -ENOENT (no file, or no
 * directory), -EPERM as store_load, or the errno of the file system. After -EBADMSG the file has
 * been set aside and that logged. With `peek` nothing on the disk is changed and nothing logged.
 */
int store_disk_load(const struct store_names *names, const char *directory, bool peek,
	store_take_fn *take, void *context);

/* Writes the new content to an open file; returns 0 or a negative errno. */
typedef int store_write_fn(void *context, int fd);

/* Replaces a file; what is returned and left: as store_save. */
int store_disk_replace(const struct store_names *names, const char *directory,
	store_write_fn *write, void *context);

/* A store_sink_fn: writes to the descriptor `context` points to. */
int store_disk_write(void *context, const char *data, size_t length);

#endif
