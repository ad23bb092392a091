/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only root can prepare: the root parent does it for the processes that it starts. (--check
 * uses setup_connect too.)
 */
#ifndef AGENT_SETUP_H
#define AGENT_SETUP_H

#include "agent/config.h"
#include "base/privilege.h"

#include <sys/types.h>

/*
 * A connected non-blocking stream socket to the master agent's UNIX socket, or a negative errno:
 * -ENOENT, -ECONNREFUSED (no master listens), -EACCES, -EAGAIN (its backlog is full).
 */
int setup_connect(const char *path);

/*
 * The user and group of the agent process: those of `name`, or of nobody if there is no such user,
 * or this process's own when it is not root. What is chosen is logged where it is not `name`.
 * Returns 0 or a negative errno (logged).
 */
int setup_user(const char *name, uid_t *ret_user, gid_t *ret_group);

/*
 * stateDir or runDir, and what is known of it: the directories by default are ours, and those that
 * the service manager has made for this service ($STATE_DIRECTORY, $RUNTIME_DIRECTORY), which
 * systemd gives to root again each time it runs a command of it. `path` is kept.
 */
struct privilege_directory setup_directory(const char *path);

/*
 * Makes stateDir and runDir and gives them to the user, also if they belong to the former one; what
 * cannot be done is logged.
 */
void setup_directories(const struct config *config, uid_t user, gid_t group, uid_t former);

/*
 * In a child process that has what it needs to start: from here on it may do `needs` (SANDBOX_…,
 * base/sandbox.h) and no more, unless the configuration says `sandbox no`. A kernel or a build
 * without such filters is logged and keeps nobody from serving: what the process was before is
 * all that it then has given up. `what` names the process in that message.
 */
void setup_sandbox(const struct config *config, const char *what, unsigned int needs);

/*
 * Agent process, before its first snapshot. Each snapshot is a few large blocks that live until the
 * next one. glibc learns from the first that it frees to take such blocks from the heap, which then
 * stays as large as it ever was: 95 MB instead of 70 with 10,000 sessions, and 78 instead of 52
 * between polls. From here on it does not.
 */
void setup_memory(void);

#endif
