/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One agent process at a time for a directory with index numbers: two would write their files over
 * each other, and rows of both would change their numbers. Agent process.
 */
#ifndef INDEX_STORE_LOCK_H
#define INDEX_STORE_LOCK_H

#include "base/base.h"

/*
 * Takes a directory for this process: until it closes *ret_fd, or ends, however it ends. What
 * another process holds is waited for, `wait_ns` at most. Nothing in the directory is changed.
 * Returns 0, -EBUSY (another process has it), or the errno of a directory that cannot be opened.
 */
int store_lock(const char *directory, uint64_t wait_ns, int *ret_fd);

#endif
