/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process of ours that is taken over reaches no other one: the kernel lets whoever has root's
 * user id, also without any capability, signal each process of root, and there are more ways than
 * kill(2).
 */
#include "base/sandbox.h"
#include "source/source.h"
#include "tests/support/filter.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REFUSED FILTER_REFUSED
#define ALLOWED SECCOMP_RET_ALLOW

/* What of fcntl(2) the program and its libraries use. */
static void descriptors_are_looked_at(void **state)
{
	static const int commands[] = { F_GETFD, F_SETFD, F_GETFL, F_DUPFD, F_DUPFD_CLOEXEC,
		F_ADD_SEALS, F_GET_SEALS };

	(void)state;
	for (unsigned int needs = 1; needs <= SANDBOX_ALL; needs <<= 1) {
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			assert_int_equal(
				filter_verdict(needs, SYS_fcntl, 3, (uint64_t)commands[i], 0),
				ALLOWED);
		assert_int_equal(
			filter_verdict(needs, SYS_fcntl, 3, F_SETFL, O_RDWR | O_NONBLOCK), ALLOWED);
	}
}

/* F_SETSIG, F_SETOWN and O_ASYNC: the kernel sends any signal to any process when data come. */
static void descriptors_signal_nobody(void **state)
{
	static const int commands[] = { F_SETOWN, F_SETOWN_EX, F_SETSIG, F_SETLEASE, F_NOTIFY,
		F_SETLK, F_SETLKW, F_OFD_SETLK, F_SETPIPE_SZ };
	static const unsigned long requests[] = { FIOASYNC, FIOSETOWN, SIOCSPGRP, TIOCSTI };

	(void)state;
	for (unsigned int needs = 1; needs <= SANDBOX_ALL; needs <<= 1) {
		for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
			assert_int_equal(
				filter_verdict(needs, SYS_fcntl, 3, (uint64_t)commands[i], 1),
				REFUSED);
		assert_int_equal(
			filter_verdict(needs, SYS_fcntl, 3, F_SETFL, O_RDWR | O_ASYNC), REFUSED);
		for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
			assert_int_equal(
				filter_verdict(needs, SYS_ioctl, 3, requests[i], 0), REFUSED);
	}
}

/* abort(3) is the only signal that a process sends, and setrlimit(2) can kill, too. */
static void only_itself_is_aborted(void **state)
{
	uint64_t self = (uint64_t)getpid();

	(void)state;
	for (unsigned int needs = 1; needs <= SANDBOX_ALL; needs <<= 1) {
		assert_int_equal(filter_verdict(needs, SYS_tgkill, self, 7, SIGABRT), ALLOWED);
		assert_int_equal(filter_verdict(needs, SYS_tgkill, self, 7, SIGKILL), REFUSED);
		assert_int_equal(filter_verdict(needs, SYS_tgkill, 1, 1, SIGABRT), REFUSED);
		assert_int_equal(filter_verdict(needs, SYS_tgkill, self + 1, 7, SIGABRT), REFUSED);
		assert_int_equal(filter_plain(needs, SYS_tkill), REFUSED);
		assert_int_equal(filter_verdict(needs, SYS_prlimit64, 1, 0, 1), REFUSED);
	}
	assert_int_equal(filter_verdict(SANDBOX_FORK, SYS_prlimit64, 0, 0, 1), ALLOWED);
}

/* ---- the kernel ---- */

static pid_t victim;
static int ends[2];

/* In the filter: has the kernel send SIGKILL to `victim` when an octet comes. */
static long kill_by_owner(void)
{
	bool done = fcntl(ends[0], F_SETSIG, SIGKILL) == 0;

	done = fcntl(ends[0], F_SETOWN, victim) == 0 && done;
	done = fcntl(ends[0], F_SETFL, O_ASYNC | O_RDWR) == 0 && done;
	return write(ends[1], "x", 1) == 1 && done ? 0 : -1;
}

static long kill_by_abort(void)
{
	return syscall(SYS_tgkill, victim, victim, SIGABRT);
}

/* What an action in the filter of the reader of tgt gives, with a victim of the same user. */
static int try_on_victim(long (*action)(void), bool *ret_alive)
{
	int rc;

	victim = fork();
	assert_true(victim >= 0);
	if (victim == 0) {
		poll(NULL, 0, -1);
		_exit(0);
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	rc = filter_try(SANDBOX_LOG | SANDBOX_READ | source_find("tgt")->sandbox, action);
	*ret_alive = waitpid(victim, NULL, WNOHANG) == 0;
	close(ends[0]);
	close(ends[1]);
	kill(victim, SIGKILL);
	if (*ret_alive)
		waitpid(victim, NULL, 0);
	return rc;
}

static void the_kernel_kills_nobody(void **state)
{
	bool alive = false;

	(void)state;
	assert_int_equal(try_on_victim(kill_by_owner, &alive), EPERM);
	assert_true(alive);
	assert_int_equal(try_on_victim(kill_by_abort, &alive), EPERM);
	assert_true(alive);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(descriptors_are_looked_at),
		cmocka_unit_test(descriptors_signal_nobody),
		cmocka_unit_test(only_itself_is_aborted),
		cmocka_unit_test(the_kernel_kills_nobody),
	};

	if (filter_is_missing())
		return EXIT_SUCCESS;
#ifdef __SANITIZE_ADDRESS__ /* has no filter: the last one is not for it */
	return _cmocka_run_group_tests("tests", tests, ARRAY_SIZE(tests) - 1, NULL, NULL);
#else
	return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
