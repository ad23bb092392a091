/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what a pid file names can be the daemon that root started. Reader processes. */
#ifndef SOURCE_PROCESS_OWNER_H
#define SOURCE_PROCESS_OWNER_H

#include "base/root.h"

/*
 * 0 when the process `pid` runs as anybody else than root or this process's own user, with any
 * of its four user ids: after a daemon was killed its pid file stays, and the number, a name and a
 * command line of his choice can be had by any user, with a link to a set-user-ID program also as
 * root in effect. 1 when it does not, and when nothing tells (a recording without it, a process
 * that has just gone); a negative errno when it could not be read.
 */
int process_owner_is_trusted(struct root *root, uint32_t pid);

#endif
