/* SPDX-License-Identifier: BSD-2-Clause */
/* index/store_lock.h: one process at a time has a directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/clock.h"
#include "index/store_lock.h"
#include "tests/support/scratch.h"

#include <signal.h>
#include <sys/wait.h>

static int setup(void **state)
{
	(void)state;
	scratch_begin();
	scratch_dir("/state");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

/* A process that has the directory until it is killed. */
static pid_t start_holder(const char *directory)
{
	int told[2], fd = -1;
	char octet;
	pid_t pid;

	assert_int_equal(pipe(told), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (store_lock(directory, 0, &fd) == 0 && write(told[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	close(told[1]);
	assert_int_equal(read(told[0], &octet, 1), 1);
	close(told[0]);
	return pid;
}

static void what_another_process_has_is_busy(void **state)
{
	const char *directory = scratch_path("/state");
	pid_t holder = start_holder(directory);
	uint64_t start_ns = clock_now_ns();
	int fd = -7;

	(void)state;
	assert_int_equal(store_lock(directory, 100 * NS_PER_MS, &fd), -EBUSY);
	assert_int_equal(fd, -7);
	assert_true(clock_now_ns() - start_ns >= 100 * NS_PER_MS);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
	assert_int_equal(store_lock(directory, 0, &fd), 0);
	close(fd);
}

/* An agent that is started when the one before it has just been killed. */
static void it_waits_for_a_process_that_ends(void **state)
{
	const char *directory = scratch_path("/state");
	pid_t holder = start_holder(directory), killer = fork();
	int fd = -1;

	(void)state;
	assert_true(killer >= 0);
	if (killer == 0) {
		usleep(100 * 1000);
		kill(holder, SIGKILL);
		_exit(0);
	}
	assert_int_equal(store_lock(directory, 60 * NS_PER_S, &fd), 0);
	close(fd);
	waitpid(killer, NULL, 0);
	waitpid(holder, NULL, 0);
}

static void another_directory_is_free(void **state)
{
	pid_t holder = start_holder(scratch_path("/state"));
	int fd = -1;

	(void)state;
	scratch_dir("/other");
	assert_int_equal(store_lock(scratch_path("/other"), 0, &fd), 0);
	close(fd);
	kill(holder, SIGKILL);
	waitpid(holder, NULL, 0);
}

static void no_directory_is_an_error(void **state)
{
	int fd = -7;

	(void)state;
	assert_int_equal(store_lock(scratch_path("/none"), 0, &fd), -ENOENT);
	scratch_text("/file", "x");
	assert_int_equal(store_lock(scratch_path("/file"), 0, &fd), -ENOTDIR);
	assert_int_equal(fd, -7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_another_process_has_is_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(it_waits_for_a_process_that_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(another_directory_is_free, setup, teardown),
		cmocka_unit_test_setup_teardown(no_directory_is_an_error, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
