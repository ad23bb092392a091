/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The system calls that a process may make from here on: a filter of its own for each kind of
 * process (seccomp, a classic BPF program made from the table in sandbox_calls.c), beside what the
 * unit takes away from the whole service. Called once by each process that the parent has forked,
 * when it has everything that it needs to start. Nothing here can be undone.
 *
 * What is not in the table fails with EPERM and is written to the kernel's log ("audit: type=1326",
 * with the name of the process and the number of the call), but for the tries of the source probe,
 * whose libraries look for more than they need. It does not kill: the list must hold
 * for C libraries that do not exist yet, a call too few shall cost one function and not the
 * service, and for who has taken the process over a call that fails is as useless as one that
 * kills. Calls that are newer than the list (Linux 5.1 and later) fail with ENOSYS, as on a kernel
 * that lacks them, since the C library then takes the older one. A call by another architecture's
 * numbers, which nothing of ours can make, kills.
 */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include "base/base.h"

#include <linux/filter.h>
#include <sys/types.h>

/*
 * What a process may do beside serving the descriptors that it has and using memory, none of it
 * executable, which all may.
 */
#define SANDBOX_LOG	     (1u << 0) /* connects to syslog again; what it is refused is logged */
#define SANDBOX_READ	     (1u << 1) /* opens files and lists directories, for reading only */
#define SANDBOX_SAVE	     (1u << 2) /* writes files, renames and removes them */
#define SANDBOX_UNIX	     (1u << 3) /* connects to daemons of this machine */
#define SANDBOX_SOCK_DIAG    (1u << 4) /* asks the kernel for its TCP connections */
#define SANDBOX_ISCSI	     (1u << 5) /* the kernel's initiator: its netlink socket */
#define SANDBOX_CAPABILITIES (1u << 6) /* raises those that it has kept, and waits with timers */
#define SANDBOX_FORK	     (1u << 7) /* loads libiscsi, and forks processes that use it */
#define SANDBOX_TCP	     (1u << 8) /* connects to other machines */
#define SANDBOX_BELOW	     (1u << 9) /* openat2, for --root; its flags cannot be looked at */

#define SANDBOX_LISTEN (1u << 10) /* takes connections to the sockets that it has */

#define SANDBOX_ALL ((1u << 11) - 1)

/* Instructions of the longest program. */
#define SANDBOX_PROGRAM_MAX 512u

/*
 * Makes the program for the process `self`, getpid(2), that may do `needs`. Pure. Returns its
 * length, or -ENOTSUP: the table does not know this architecture.
 */
int sandbox_program(
	unsigned int needs, pid_t self, struct sock_filter program[SANDBOX_PROGRAM_MAX]);

/*
 * From here on this process may do `needs` and no more; its children too. Also forbids new
 * privileges by exec. Returns 0 or a negative errno, and nothing is changed then: -ENOTSUP (this
 * build has no filter: another architecture, or made with a sanitizer, which needs calls of its
 * own), -EINVAL or -ENOSYS (a kernel without).
 */
int sandbox_enter(unsigned int needs);

#endif
