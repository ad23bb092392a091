/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/state.h: what has changed is handed to the saver soon, or later when it is less urgent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/saver.h"
#include "agent/state.h"
#include "base/clock.h"
#include "base/fdpass.h"
#include "model/kept.h"
#include "tests/support/scratch.h"

#include <sys/socket.h>

uint64_t __wrap_clock_now_ns(void);

static uint64_t now_ns;

uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

static struct registry *registry;
static struct registry_entry *entry;
static struct state *state_;
static int saver; /* its end */

/* One turn of the loop; returns the bits of the files that were handed over: 1 state, 2 run. */
static int turn(uint64_t after_ns)
{
	struct saver_request request;
	int fd = -1, files = 0;

	now_ns += after_ns;
	state_dispatch(state_, NULL, 0);
	while (fdpass_receive(saver, &request, sizeof(request), &fd) > 0) {
		const struct saver_reply reply = { .serial = request.serial,
			.persistent = request.persistent };
		struct pollfd readable = { .revents = POLLIN };

		close(fd);
		files |= request.persistent ? 1 : 2;
		assert_int_equal(send(saver, &reply, sizeof(reply), 0), sizeof(reply));
		state_dispatch(state_, &readable, 1);
	}
	return files;
}

static int set_up(void **state)
{
	struct config config;
	int ends[2];

	(void)state;
	scratch_begin();
	config_defaults(&config);
	snprintf(config.state_dir, sizeof(config.state_dir), "%s", scratch_path("/s"));
	snprintf(config.run_dir, sizeof(config.run_dir), "%s", scratch_path("/r"));
	now_ns = 1000 * NS_PER_S;
	registry = registry_new();
	state_ = state_open(&config, registry);
	if (!registry || !state_ || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends))
		return -1;
	state_attach_saver(state_, ends[0]);
	saver = ends[1];
	assert_int_equal(registry_number(registry, INDEX_NODE, 1, "n", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(2 * NS_PER_S), 3);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	close(saver);
	state_close(state_, 0);
	registry_free(registry);
	scratch_end();
	return 0;
}

static void keep(uint64_t counted)
{
	const struct kept_count count = { .last = counted };
	struct kept_record record = { .length = 0 };

	kept_put(&record, KEPT_SESSION_failures, &count, sizeof(count));
	assert_int_equal(registry_keep(registry, entry, record.octets, record.length), 0);
}

static void what_is_kept_is_saved_later_than_numbers(void **state)
{
	(void)state;
	keep(1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(9 * NS_PER_S), 0);
	keep(2); /* does not put it off */
	assert_int_equal(turn(1 * NS_PER_S), 2);
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

static void a_new_number_does_not_wait_for_what_is_kept(void **state)
{
	(void)state;
	keep(1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(registry_number(registry, INDEX_SESSION, 1, "s", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(1 * NS_PER_S), 0);
	assert_int_equal(turn(2 * NS_PER_S), 2);
	assert_int_equal(turn(60 * NS_PER_S), 0);
}

static void changed_times_are_as_urgent_as_numbers(void **state)
{
	(void)state;
	entry->epoch = 5;
	registry_sweep(registry, 1);
	assert_int_equal(turn(0), 0);
	assert_int_equal(turn(2 * NS_PER_S), 2);
}

/* The disk is full, say: a new number is no reason to try again sooner. */
static void after_a_failure_there_is_a_pause(void **state)
{
	struct pollfd readable = { .revents = POLLIN };
	struct saver_request request;
	struct saver_reply reply;
	int fd = -1;

	(void)state;
	keep(1);
	state_dispatch(state_, NULL, 0);
	now_ns += 10 * NS_PER_S;
	state_dispatch(state_, NULL, 0);
	assert_true(fdpass_receive(saver, &request, sizeof(request), &fd) > 0);
	close(fd);
	reply = (struct saver_reply){ .serial = request.serial, .error = -ENOSPC };
	assert_int_equal(send(saver, &reply, sizeof(reply), 0), sizeof(reply));
	state_dispatch(state_, &readable, 1);
	assert_int_equal(registry_number(registry, INDEX_SESSION, 1, "s", 1, 1, &entry, NULL), 0);
	assert_int_equal(turn(2 * NS_PER_S), 0);
	assert_int_equal(turn(57 * NS_PER_S), 0);
	assert_int_equal(turn(1 * NS_PER_S), 2);
}

static void at_the_end_nothing_waits(void **state)
{
	struct saver_request request;
	int fd = -1;

	(void)state;
	keep(1);
	assert_int_equal(turn(0), 0);
	state_close(state_, 1);
	state_ = NULL;
	assert_true(fdpass_receive(saver, &request, sizeof(request), &fd) > 0);
	assert_int_equal(request.persistent, 0);
	close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_saved_later_than_numbers),
		TEST(a_new_number_does_not_wait_for_what_is_kept),
		TEST(changed_times_are_as_urgent_as_numbers),
		TEST(after_a_failure_there_is_a_pause),
		TEST(at_the_end_nothing_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
