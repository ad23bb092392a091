/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Written by what each process was seen to do (tests/fault/test_sandbox.py looks on), what the C
 * library does instead of it in other versions, and what ends a process. A call that an
 * architecture does not have (aarch64 has no poll, only ppoll) is left out there.
 *
 * Before a line is added: what could a process do with it that an attacker owns?
 */
#include "base/sandbox_calls.h"

#include <asm/ioctls.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifdef SANDBOX_ARCHITECTURE

#ifndef NETLINK_ISCSI
#define NETLINK_ISCSI 8
#endif

#define CALL(who, name) { .needs = (who), .call = __NR_##name },
#define CALL_IF(who, name, ...) \
	{ .needs = (who), .call = __NR_##name, .conditions = { __VA_ARGS__ } },
#define IS(at, wanted)                                           \
	{                                                        \
		.mask = ~0u, .value = (wanted), .argument = (at) \
	}
#define NONE_OF(at, bits)                                    \
	{                                                    \
		.mask = (bits), .value = 0, .argument = (at) \
	}
#define ALL_OF(at, bits)                                          \
	{                                                         \
		.mask = (bits), .value = (bits), .argument = (at) \
	}
#define IS_SELF(at)                                            \
	{                                                      \
		.mask = ~0u, .argument = (at), .is_self = true \
	}
/* The second argument of socket(2), without SOCK_CLOEXEC and SOCK_NONBLOCK. */
#define TYPE_IS(wanted)                                       \
	{                                                     \
		.mask = 0xf, .value = (wanted), .argument = 1 \
	}

#define ALL	  0u
#define WAITS_FOR SANDBOX_CAPABILITIES
#define OPENS	  (SANDBOX_READ | SANDBOX_SAVE)
#define CONNECTS  (SANDBOX_LOG | SANDBOX_UNIX | SANDBOX_TCP)
#define READ_ONLY NONE_OF(2, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
/* Of clone(2): a process, no thread, and no namespace. */
#define NO_NAMESPACE                                                                           \
	(CLONE_VM | CLONE_THREAD | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | \
		CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP)

/* clang-format off */
const struct sandbox_rule sandbox_rules[] = {
	/* what it has open */
	CALL(ALL, recvfrom)
	CALL(ALL, sendto)
#ifdef __NR_poll
	CALL(ALL, poll)
#endif
	CALL(ALL, ppoll)
	CALL(ALL, recvmsg)
	CALL(ALL, sendmsg)
	CALL(ALL, read)
	CALL(ALL, write)
	CALL(ALL, writev)
	CALL(ALL, close)
	CALL(ALL, lseek)
	/* no owner, no signal of its choice, no lease: root's user id alone may signal all of root's */
	CALL_IF(ALL, fcntl, IS(1, F_GETFL))
	CALL_IF(ALL, fcntl, IS(1, F_SETFL), NONE_OF(2, O_ASYNC))
	CALL_IF(ALL, fcntl, IS(1, F_GETFD))
	CALL_IF(ALL, fcntl, IS(1, F_SETFD))
	CALL_IF(ALL, fcntl, IS(1, F_DUPFD))
	CALL_IF(ALL, fcntl, IS(1, F_DUPFD_CLOEXEC))
	CALL_IF(ALL, fcntl, IS(1, F_ADD_SEALS))
	CALL_IF(ALL, fcntl, IS(1, F_GET_SEALS))
	CALL(ALL, fstat)
	CALL(OPENS, newfstatat)
	CALL_IF(ALL, newfstatat, ALL_OF(3, AT_EMPTY_PATH))
	CALL_IF(ALL, ioctl, IS(1, TCGETS)) /* the C library: is it a terminal? */
#ifdef __NR_select
	CALL(ALL, select)
#endif
	CALL(ALL, pselect6)
	CALL(ALL, getsockopt)
	CALL(ALL, setsockopt)
	CALL(ALL, shutdown)

	/* memory; none of it can be executed */
	CALL(ALL, brk)
	CALL_IF(ALL, mmap, NONE_OF(2, PROT_EXEC))
	CALL_IF(SANDBOX_FORK, mmap, ALL_OF(2, PROT_EXEC), NONE_OF(2, PROT_WRITE))
	CALL_IF(ALL, mprotect, NONE_OF(2, PROT_EXEC))
	CALL(ALL, munmap)
	CALL(ALL, mremap)
	CALL(ALL, madvise)
	CALL(ALL, memfd_create)
	CALL(ALL, pread64) /* of a memfd; and of files that are open */
	CALL(ALL, ftruncate)
	CALL(ALL, futex)
	CALL(ALL, sysinfo) /* qsort(3): how much memory the machine has */

	/* time, where the vDSO cannot tell it; random numbers */
	CALL(ALL, clock_gettime)
	CALL(ALL, gettimeofday)
#ifdef __NR_time
	CALL(ALL, time)
#endif
	CALL(ALL, nanosleep)
	CALL(ALL, clock_nanosleep)
	CALL(ALL, restart_syscall)
	CALL(ALL, getrandom)

	/* itself; its end, also by abort(3) */
	CALL(ALL, getpid)
	CALL(ALL, gettid)
	CALL(ALL, getppid)
	CALL(ALL, getuid)
	CALL(ALL, geteuid)
	CALL(ALL, rt_sigaction)
	CALL(ALL, rt_sigprocmask)
	CALL(ALL, rt_sigreturn)
	CALL_IF(ALL, tgkill, IS_SELF(0), IS(2, SIGABRT)) /* a try ends otherwise, by abort(3) as well */
	CALL(ALL, exit)
	CALL(ALL, exit_group)

	/* sockets of its own */
	CALL(CONNECTS, connect)
	CALL_IF(SANDBOX_LOG, socket, IS(0, AF_UNIX), TYPE_IS(SOCK_DGRAM))
	CALL_IF(SANDBOX_UNIX, socket, IS(0, AF_UNIX), TYPE_IS(SOCK_STREAM))
	CALL_IF(SANDBOX_SOCK_DIAG, socket, IS(0, AF_NETLINK), IS(2, NETLINK_SOCK_DIAG))
	CALL(SANDBOX_SOCK_DIAG, recvmmsg)
	CALL_IF(SANDBOX_ISCSI, socket, IS(0, AF_NETLINK), IS(2, NETLINK_ISCSI))
	CALL(SANDBOX_ISCSI | SANDBOX_SOCK_DIAG | SANDBOX_TCP, bind)
	CALL(SANDBOX_ISCSI | SANDBOX_SOCK_DIAG | SANDBOX_TCP | SANDBOX_LISTEN, getsockname)
#ifdef __NR_accept
	CALL(SANDBOX_LISTEN, accept)
#endif
	CALL(SANDBOX_LISTEN, accept4)
	CALL(SANDBOX_LISTEN, getpeername)
	/* net-snmp's get_myaddr, for the agent-addr of a trap of SNMPv1 */
	CALL_IF(SANDBOX_LISTEN, socket, IS(0, AF_INET), TYPE_IS(SOCK_DGRAM))
	CALL_IF(SANDBOX_LISTEN, ioctl, IS(1, SIOCGIFCONF))
	CALL_IF(SANDBOX_LISTEN, ioctl, IS(1, SIOCGIFFLAGS))
	CALL_IF(SANDBOX_LISTEN, ioctl, IS(1, SIOCGIFADDR))
	CALL_IF(SANDBOX_TCP, socket, IS(0, AF_INET), TYPE_IS(SOCK_STREAM))
	CALL_IF(SANDBOX_TCP, socket, IS(0, AF_INET6), TYPE_IS(SOCK_STREAM))
	/* getaddrinfo(3): which families this machine has */
	CALL_IF(SANDBOX_TCP, socket, IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE))
	CALL_IF(SANDBOX_TCP, ioctl, IS(1, FIONREAD))
	CALL_IF(SANDBOX_TCP, ioctl, IS(1, FIONBIO))
	CALL(SANDBOX_TCP, readv)

	/* files */
	CALL_IF(SANDBOX_READ, openat, READ_ONLY)
#ifdef __NR_open
	CALL_IF(SANDBOX_READ, open, NONE_OF(1, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND))
#endif
#ifdef __NR_openat2
	CALL(SANDBOX_BELOW, openat2)
#endif
	CALL(SANDBOX_READ, getdents64)
	CALL(SANDBOX_READ, readlinkat)
#ifdef __NR_readlink
	CALL(SANDBOX_READ, readlink)
#endif
#ifdef __NR_stat
	CALL(OPENS, stat)
	CALL(OPENS, lstat)
#endif
#ifdef __NR_access
	CALL(SANDBOX_READ, access)
#endif
	CALL(SANDBOX_READ, faccessat)
	CALL(SANDBOX_READ, fstatfs)
	CALL(SANDBOX_READ, dup)
	/* its own limit of files that it may keep open, to look at */
	CALL_IF(SANDBOX_READ, prlimit64, IS(0, 0), IS(2, 0))
	CALL(SANDBOX_SAVE, openat)
	CALL(SANDBOX_SAVE, fsync)
	CALL(SANDBOX_SAVE, unlinkat)
#ifdef __NR_renameat
	CALL(SANDBOX_SAVE, renameat)
#endif
	CALL(SANDBOX_SAVE, renameat2)

	/* capabilities for single calls, and what happens between polls */
	CALL(SANDBOX_CAPABILITIES, capget)
	CALL(SANDBOX_CAPABILITIES, capset)
	CALL(WAITS_FOR, timerfd_create)
	CALL(WAITS_FOR, timerfd_settime)
	CALL(WAITS_FOR, epoll_create1)
	CALL(WAITS_FOR, epoll_ctl)

	/* tries of the source probe: started, made powerless, ended */
	CALL_IF(SANDBOX_FORK, clone, NONE_OF(0, NO_NAMESPACE))
#ifdef __NR_fork
	CALL(SANDBOX_FORK, fork)
#endif
	CALL(SANDBOX_FORK, set_robust_list)
	CALL(SANDBOX_FORK, pipe2)
#ifdef __NR_dup2
	CALL(SANDBOX_FORK, dup2)
#endif
	CALL(SANDBOX_FORK, dup3)
#ifdef __NR_close_range
	CALL(SANDBOX_FORK, close_range)
#endif
	CALL(SANDBOX_FORK, wait4)
	CALL(SANDBOX_FORK, kill)
	CALL(SANDBOX_FORK, setgroups)
	CALL(SANDBOX_FORK, setresgid)
	CALL(SANDBOX_FORK, setresuid)
	CALL_IF(SANDBOX_FORK, prlimit64, IS(0, 0)) /* no other process's */
	CALL_IF(SANDBOX_FORK, prctl, NONE_OF(0, ~127u)) /* of one
	architecture, and
	memory's names */
	CALL(SANDBOX_FORK, seccomp)
#ifdef __NR_alarm
	CALL(SANDBOX_FORK, alarm)
#endif
	CALL(SANDBOX_FORK, setitimer)
	CALL_IF(SANDBOX_FORK, ioctl, IS(1, SIOCGIFINDEX)) /* zones of IPv6 addresses */
};
/* clang-format on */

const size_t sandbox_rule_count = ARRAY_SIZE(sandbox_rules);

#else

const struct sandbox_rule sandbox_rules[1];
const size_t sandbox_rule_count = 0;

#endif
