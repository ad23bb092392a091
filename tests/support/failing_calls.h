/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls and allocations that fail once, for the one file of a test that includes this. The
 * file must name what is wrapped, for the linker's list (Makefile):
 *	__wrap_read __wrap_pread __wrap_write __wrap_poll __wrap_send __wrap_recv __wrap_sendto
 *	__wrap_sendmsg __wrap_recvmsg __wrap_recvmmsg __wrap_syscall __wrap_open __wrap_openat
 *	__wrap_fstat __wrap_fstatat __wrap_fcntl __wrap_mmap __wrap_memfd_create __wrap_socket
 *	__wrap_bind __wrap_getsockname __wrap_getsockopt __wrap_setsockopt __wrap_fsync
 *	__wrap_renameat __wrap_unlinkat __wrap_mkdir __wrap_dup __wrap_fchmod __wrap_fchown
 *	__wrap_fchownat __wrap_prctl __wrap_setgroups __wrap_setresgid __wrap_setresuid
 *	__wrap_pipe2 __wrap_fork __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 * What the compiler has replaced by a checked variant (_FORTIFY_SOURCE) is left alone.
 */
#ifndef TESTS_SUPPORT_FAILING_CALLS_H
#define TESTS_SUPPORT_FAILING_CALLS_H

#include "base/base.h"

#include <dirent.h>
#include <grp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <cmocka.h>

/* One that a signal may interrupt; any other call; an allocation. */
enum call_kind { CALL_INTERRUPTIBLE, CALL_OTHER, CALL_ALLOCATION };

struct failing_calls {
	unsigned int made, fail_at; /* the one that fails, from 1; 0 none */
	int error;		    /* with this; EINTR: only interruptible ones count */
	bool armed;		    /* they count */
};
/* Shared with children that the test makes: theirs count, too. */
static struct failing_calls *failing_calls;

static bool call_fails(enum call_kind kind)
{
	struct failing_calls *f = failing_calls;

	if (!f || !f->armed || (f->error == EINTR && kind != CALL_INTERRUPTIBLE) ||
		++f->made != f->fail_at)
		return false;
	errno = kind == CALL_ALLOCATION ? ENOMEM : f->error;
	return true;
}

#define FAILING_CALL(type, name, parameters, arguments, kind, failure)       \
	type __real_##name parameters;                                       \
	type __wrap_##name parameters;                                       \
	type __wrap_##name parameters                                        \
	{                                                                    \
		return call_fails(kind) ? failure : __real_##name arguments; \
	}
#define FAILING_WAIT(type, name, parameters, arguments) \
	FAILING_CALL(type, name, parameters, arguments, CALL_INTERRUPTIBLE, -1)
#define FAILING_OTHER(name, parameters, arguments) \
	FAILING_CALL(int, name, parameters, arguments, CALL_OTHER, -1)
#define FAILING_MEMORY(name, parameters, arguments) \
	FAILING_CALL(void *, name, parameters, arguments, CALL_ALLOCATION, NULL)

FAILING_WAIT(ssize_t, read, (int fd, void *to, size_t length), (fd, to, length))
FAILING_WAIT(ssize_t, pread, (int fd, void *to, size_t length, off_t at), (fd, to, length, at))
FAILING_WAIT(ssize_t, write, (int fd, const void *from, size_t length), (fd, from, length))
FAILING_WAIT(int, poll, (struct pollfd * fds, nfds_t count, int ms), (fds, count, ms))
FAILING_WAIT(ssize_t, send, (int fd, const void *at, size_t n, int flags), (fd, at, n, flags))
FAILING_WAIT(ssize_t, recv, (int fd, void *at, size_t n, int flags), (fd, at, n, flags))
FAILING_WAIT(ssize_t, sendto,
	(int fd, const void *at, size_t n, int flags, const struct sockaddr *to, socklen_t length),
	(fd, at, n, flags, to, length))
FAILING_WAIT(ssize_t, sendmsg, (int fd, const struct msghdr *m, int flags), (fd, m, flags))
FAILING_WAIT(ssize_t, recvmsg, (int fd, struct msghdr *m, int flags), (fd, m, flags))
FAILING_WAIT(int, recvmmsg,
	(int fd, struct mmsghdr *m, unsigned int n, int flags, struct timespec *timeout),
	(fd, m, n, flags, timeout))
/* The variadic ones as their callers use them. */
FAILING_WAIT(long, syscall, (long number, long a, long b, long c, long d), (number, a, b, c, d))
FAILING_OTHER(open, (const char *path, int flags, mode_t mode), (path, flags, mode))
FAILING_OTHER(openat, (int at, const char *path, int flags, mode_t mode), (at, path, flags, mode))

FAILING_OTHER(fstat, (int fd, struct stat *st), (fd, st))
FAILING_OTHER(
	fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags))
FAILING_OTHER(fcntl, (int fd, int command, long argument), (fd, command, argument))
FAILING_CALL(void *, mmap, (void *at, size_t n, int access, int flags, int fd, off_t from),
	(at, n, access, flags, fd, from), CALL_OTHER, MAP_FAILED)
FAILING_OTHER(memfd_create, (const char *name, unsigned int flags), (name, flags))
FAILING_OTHER(socket, (int family, int type, int protocol), (family, type, protocol))
FAILING_OTHER(bind, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length))
FAILING_OTHER(getsockname, (int fd, struct sockaddr *ret, socklen_t *length), (fd, ret, length))
FAILING_OTHER(getsockopt, (int fd, int level, int name, void *ret, socklen_t *length),
	(fd, level, name, ret, length))
FAILING_OTHER(setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
	(fd, level, name, value, length))
FAILING_OTHER(fsync, (int fd), (fd))
FAILING_OTHER(
	renameat, (int at, const char *from, int to_at, const char *to), (at, from, to_at, to))
FAILING_OTHER(unlinkat, (int at, const char *path, int flags), (at, path, flags))
FAILING_OTHER(mkdir, (const char *path, mode_t mode), (path, mode))
FAILING_OTHER(dup, (int fd), (fd))
FAILING_OTHER(fchmod, (int fd, mode_t mode), (fd, mode))
FAILING_OTHER(fchown, (int fd, uid_t user, gid_t group), (fd, user, group))
FAILING_OTHER(fchownat, (int at, const char *path, uid_t user, gid_t group, int flags),
	(at, path, user, group, flags))
FAILING_OTHER(prctl,
	(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d),
	(option, a, b, c, d))
FAILING_OTHER(setgroups, (size_t count, const gid_t *groups), (count, groups))
FAILING_OTHER(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved))
FAILING_OTHER(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved))
FAILING_OTHER(pipe2, (int ends[2], int flags), (ends, flags))
FAILING_OTHER(fork, (void), ())

FAILING_MEMORY(malloc, (size_t size), (size))
FAILING_MEMORY(calloc, (size_t count, size_t size), (count, size))
FAILING_MEMORY(realloc, (void *old, size_t size), (old, size))
FAILING_MEMORY(reallocarray, (void *old, size_t count, size_t size), (old, count, size))

static int open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	while (dir && readdir(dir))
		count++;
	if (dir)
		closedir(dir);
	return count;
}

/*
 * Runs `function`, which arms failing_calls around what it tests, with its first, second, … call
 * failing with `error`, until it makes no more. A call that was interrupted is made again: 0 is
 * returned. Of another error 0 or a negative errno, and no descriptor stays open. Returns how many
 * calls have failed.
 */
static unsigned int fail_each_call(int (*function)(void), int error)
{
	unsigned int n = 0;
	bool has_failed;

	if (!failing_calls)
		failing_calls = mmap(NULL, sizeof(*failing_calls), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(failing_calls != MAP_FAILED);
	do {
		int descriptors = open_descriptors(), rc;

		*failing_calls = (struct failing_calls){ .fail_at = ++n, .error = error };
		rc = function();
		has_failed = failing_calls->made >= n;
		failing_calls->armed = false;
		if (error == EINTR || !has_failed)
			assert_int_equal(rc, 0);
		assert_in_range(-rc, 0, 4095);
		assert_int_equal(open_descriptors(), descriptors);
	} while (has_failed);
	return n - 1;
}

#endif
