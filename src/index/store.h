/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry on disk. Two files of one text format (index/store_text.h):
 *   <state dir>/index     numbers of the kinds that persist: kept over reboots
 *   <run dir>/index.run   numbers of all kinds, and all times: valid for one boot (boot_id)
 * Written to a temporary file in the same directory, fsync, rename, fsync of the directory, so
 * that a reader finds the old or the new content, never a torn one. Format version, boot_id and a
 * checksum are in the file. Loaded and formatted in the agent process; written in the saver process
 * (agent/saver.h), since fsync may block as long as the disk does.
 *
 * No file stops the agent: a damaged, foreign or newer one is renamed to <name>.bad (an older
 * one is replaced), logged with line and reason, and the registry starts without it. When
 * only one of the two files is lost, the other one still keeps the numbers within a boot: load
 * both. Where they contradict each other, the one loaded first is right.
 */
#ifndef INDEX_STORE_H
#define INDEX_STORE_H

#include "index/registry.h"

#define STORE_FILE_MAX (256u * 1024 * 1024) /* octets */
#define STORE_BOOT_ID  36u		    /* characters of /proc/sys/kernel/random/boot_id */
#define STORE_REASON   128u		    /* octets with NUL */

/* What the agent keeps in the run-time file beside the registry. */
struct store_run {
	uint64_t uptime_zero_ns; /* CLOCK_MONOTONIC when the master's sysUpTime was 0; 0 unknown */
	/*
	 * For the writer of the run-time file: so many numbers of sessions, and of other rows but
	 * connections below each parent that has some already, are kept free for those that are
	 * not saved yet, and are not given again if nothing more is saved. Loading leaves 0.
	 */
	uint32_t sessions_reserved, rows_reserved;
};

/*
 * Loads one file into the registry, all of it or nothing. `directory` as configured; `boot_id` as
 * the caller has it from the parent. The run-time file of another boot is ignored without a
 * message, and so is a missing directory. `run` may be NULL. A temporary file that a killed
 * process left behind is removed.
 *
 * Returns 0 (loaded, or there is none: *ret_loaded tells), -EBADMSG (set aside and logged here),
 * -EINVAL (no valid boot_id), -ENOMEM, or the errno of the file system. A symbolic link, anything
 * else than a regular file, a file that belongs to another user than this process's or root, and
 * one that others may write are refused with -EPERM and left alone; a directory of that sort too,
 * and one that group or others have any right to.
 */
int store_load(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded);

/*
 * As store_load, for a command that only looks: nothing on the disk is changed and nothing logged
 * (-EBADMSG: the file is damaged and ignored). Run by root, it also takes a file and a directory
 * of any one user.
 */
int store_peek(struct registry *r, const char *directory, bool persistent, const char *boot_id,
	struct store_run *run, bool *ret_loaded);

/*
 * As store_load, from memory: the parser alone (fuzzed). Returns 0, -EBADMSG with `reason` (line
 * and fault), -EINVAL or -ENOMEM; on failure `r` and `run` are as before. When entries had to be
 * left out, `reason` tells their number; it is "" when all is well.
 */
int store_parse(struct registry *r, const char *text, size_t length, bool persistent,
	const char *boot_id, struct store_run *run, bool *ret_loaded, char reason[STORE_REASON]);

/* Takes the next octets of a file; returns 0 or a negative errno, which ends the writing. */
typedef int store_sink_fn(void *context, const char *data, size_t length);

/* The content of a file, in pieces. Returns 0, -EINVAL (no valid boot_id), -ENOMEM, -EFBIG (above
 * STORE_FILE_MAX), or the sink's error. */
int store_format(const struct registry *r, bool persistent, const char *boot_id,
	const struct store_run *run, store_sink_fn *sink, void *context);

/*
 * Saves one file, mode 0600. `run` may be NULL. Returns 0, -EPERM (the directory, as above), or a
 * negative errno (ENOSPC, EROFS, EACCES, ENOENT …). On failure the temporary file is gone and the
 * old file is intact; only when the last step failed, the fsync of the directory, the new file is
 * already in its place.
 */
int store_save(const struct registry *r, const char *directory, bool persistent,
	const char *boot_id, const struct store_run *run);

/*
 * The files that are saved: by store_save the first two; the others are those of event_store.h and
 * engine_store.h.
 */
enum store_file { STORE_STATE, STORE_RUN, STORE_EVENTS, STORE_ENGINE, STORE_FILES };

/*
 * True of the name of a file that this program makes in stateDir and runDir, also while it is
 * written and when it has been set aside.
 */
bool store_is_own_name(const char *name);

/*
 * Saves the text that store_format, event_store_format or engine_store_format has made: for a
 * process without a registry. As store_save, or -EINVAL for a number that is no file.
 */
int store_replace(const char *directory, enum store_file file, const char *text, size_t length);

#endif
