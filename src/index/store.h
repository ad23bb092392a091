/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry on disk. Two files of one text format (head of store.c):
 *   <state dir>/index        instance, portal, node, auth, path: kept over reboots
 *   <run dir>/index          session, connection, and all times: valid for one boot (boot_id)
 * Written to a temporary file in the same directory, fsync, rename, fsync of the directory, so
 * that a reader finds the old or the new content, never a torn one. Format version, boot_id and a
 * checksum are in the file. Runs in the agent process, as its unprivileged user.
 *
 * No file stops the agent: a damaged, foreign or newer one is renamed to <name>.bad (an older
 * .bad is replaced), logged with line and reason, and the registry starts without it.
 */
#ifndef INDEX_STORE_H
#define INDEX_STORE_H

#include "index/registry.h"

#define STORE_FILE_MAX (256u * 1024 * 1024) /* octets */

/* What the agent keeps in the run-time file beside the registry. */
struct store_run {
	uint64_t uptime_zero_ns; /* CLOCK_MONOTONIC when the master's sysUpTime was 0; 0 unknown */
};

/*
 * Loads one file into the registry. `directory` as configured; `boot_id` 36 characters of
 * /proc/sys/kernel/random/boot_id (the caller has it from the parent). The run-time file of another
 * boot is ignored without a message. `run` may be NULL.
 * Returns 0 (loaded, or there is none: *ret_loaded tells), -EBADMSG (set aside), or the errno of
 * the file system. Symbolic links are not followed; a file that another user may write or that
 * is not a regular file is refused with -EPERM and left alone.
 */
int store_load(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded);

/* As store_load, from memory: the parser alone (fuzzed). `reason` says line and fault. */
int store_parse(struct registry *r, const char *text, size_t length, bool persistent,
	const char *boot_id, struct store_run *run, bool *ret_loaded, char reason[128]);

/*
 * Saves one file. Returns 0 or a negative errno (ENOSPC, EROFS, EACCES …); on failure the old file
 * is intact and the temporary one is gone.
 */
int store_save(const struct registry *r, const char *directory, bool persistent,
	const char *boot_id, const struct store_run *run);

#endif
