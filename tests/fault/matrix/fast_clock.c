/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LD_PRELOAD: CLOCK_MONOTONIC runs FAST_CLOCK times as fast for the program, and what it waits for
 * is as much shorter. So hours of a dead master are minutes of a test; nothing else is changed.
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size);

static int64_t real_ns(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int factor(void)
{
	static int known;

	if (!known) {
		const char *text = getenv("FAST_CLOCK");

		known = text ? (int)strtol(text, NULL, 10) : 1;
		if (known < 1)
			known = 1;
	}
	return known;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	static int64_t start_ns;
	int64_t now;

	if (clock != CLOCK_MONOTONIC)
		return (int)syscall(SYS_clock_gettime, clock, ret);
	now = real_ns();
	if (!start_ns)
		start_ns = now;
	now = start_ns + (now - start_ns) * factor();
	ret->tv_sec = now / 1000000000;
	ret->tv_nsec = now % 1000000000;
	return 0;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int64_t ns = (int64_t)timeout_ms * 1000000 / factor();
	struct timespec t = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	return (int)syscall(SYS_ppoll, fds, count, timeout_ms < 0 ? NULL : &t, NULL, 0);
}

/* What poll is called with -D_FORTIFY_SOURCE. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t size)
{
	if (size / sizeof(*fds) < count)
		abort();
	return poll(fds, count, timeout_ms);
}

int select(int limit, fd_set *reading, fd_set *writing, fd_set *exceptions, struct timeval *timeout)
{
	int64_t us =
		timeout ? ((int64_t)timeout->tv_sec * 1000000 + timeout->tv_usec) / factor() : 0;
	struct timespec t = { .tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000 };

	return (int)syscall(
		SYS_pselect6, limit, reading, writing, exceptions, timeout ? &t : NULL, NULL);
}
