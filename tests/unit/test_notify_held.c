/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/notify.h: what waits for the window, or until its row is quiet, while the row changes: what
 * goes out late is true then.
 * Wrapped, by notify_bench.c: __wrap_clock_now_ns __wrap_clock_wall_zero_ns __wrap_clock_ms_until
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/notify_encode.h"
#include "base/clock.h"
#include "model/session_state.h"
#include "tests/support/notify_bench.h"

enum { PATH_DOWN_ID = 1, PATH_UP_ID = 2, FLAPPING_ID = 12 };

#define POLL (5 * NS_PER_S)

static bool no_memory; /* for what is to be sent */

int __real_notify_encode(struct mib_view *const views[], const struct notify_place *place,
	const uint32_t key[MIB_KEY_MAX], uint32_t event, uint8_t **ret, size_t *ret_length);
int __wrap_notify_encode(struct mib_view *const views[], const struct notify_place *place,
	const uint32_t key[MIB_KEY_MAX], uint32_t event, uint8_t **ret, size_t *ret_length);

int __wrap_notify_encode(struct mib_view *const views[], const struct notify_place *place,
	const uint32_t key[MIB_KEY_MAX], uint32_t event, uint8_t **ret, size_t *ret_length)
{
	if (no_memory)
		return -ENOMEM;
	return __real_notify_encode(views, place, key, event, ret, ret_length);
}

static struct notifier_counts counts(void)
{
	struct notifier_counts c;

	notifier_counts(bench_notifier, &c);
	return c;
}

/* Three others go down: nothing more goes out for ten seconds. */
static void fill_window(void)
{
	bench_poll(0);
	for (uint32_t i = 0; i < 3; i++)
		host.status[i] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 3);
}

/* Row 10 of the path table; nothing goes out meanwhile. */
static void change(uint32_t status)
{
	host.status[9] = status;
	assert_int_equal(bench_poll(NS_PER_S), 0);
}

/* The notifications of the path's row that go out within the time: the last one; 0 none did. */
static uint32_t told_of_path(uint64_t within_ns)
{
	size_t before = bench_sent_count;
	uint32_t last = 0;

	bench_wait(within_ns);
	for (size_t i = before; i < bench_sent_count; i++) {
		/* That it flaps is about a row of events. */
		if (bench_sent[i].row != 10 || bench_sent[i].notification == FLAPPING_ID)
			continue;
		assert_int_equal(last, 0);
		last = bench_sent[i].notification;
	}
	return last;
}

/* That it is up again is not told to whom only asks for down: but that it is down no more, either.
 */
static void what_is_held_and_not_true_any_more_is_not_told(void **state)
{
	(void)state;
	snprintf(bench_config.notifications, sizeof(bench_config.notifications), "pathDown");
	bench_configure();
	bench_poll(0);
	for (uint32_t i = 0; i < 8; i++)
		host.status[i] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 3);
	assert_int_equal(counts().held, 5);
	host.status[3] = PATH_CONNECTED;
	assert_int_equal(bench_poll(NS_PER_S), 0);
	assert_int_equal(counts().held, 4);
	assert_int_equal(counts().suppressed, 1);
	assert_int_equal(bench_wait(20 * NS_PER_S), 4);
	for (size_t i = 3; i < 7; i++) {
		assert_int_equal(bench_sent[i].notification, PATH_DOWN_ID);
		assert_int_equal(bench_sent[i].row, i + 2);
	}
	/* Down again is news again. */
	host.status[3] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 1);
	assert_int_equal(bench_sent[7].row, 4);
	assert_int_equal(counts().dropped, 0);
}

/* Nor is it when there is no memory to say how it is now: one is lost, none is wrong. */
static void what_cannot_be_told_makes_the_one_before_it_no_truer(void **state)
{
	(void)state;
	bench_poll(0);
	for (uint32_t i = 0; i < 5; i++)
		host.status[i] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 3);
	host.status[3] = PATH_CONNECTED;
	no_memory = true;
	assert_int_equal(bench_poll(NS_PER_S), 0);
	no_memory = false;
	assert_int_equal(counts().held, 1);
	assert_int_equal(counts().suppressed, 1);
	assert_int_equal(counts().dropped, 1);
	assert_int_equal(bench_wait(20 * NS_PER_S), 1);
	assert_int_equal(bench_sent[3].row, 5);
	/* The same of a row that flaps: 4 changes, that it flaps, and one that is kept. */
	bench_config.notify_limit = bench_config.notify_limit_all = 0;
	bench_configure();
	for (int i = 0; i < 7; i++) {
		host.status[9] = i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED;
		no_memory = i == 6;
		bench_poll(NS_PER_S);
	}
	no_memory = false;
	assert_int_equal(bench_sent_count, 4 + 5);
	assert_int_equal(counts().dropped, 2);
	assert_int_equal(bench_wait(200 * NS_PER_S), 0);
	assert_int_equal(counts().held, 0);
}

/* It begins to flap while its last state is held: that one is not the last any more. */
static void what_begins_to_flap_is_not_told_as_it_was(void **state)
{
	(void)state;
	fill_window();
	for (int i = 0; i < 5; i++)
		change(i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED);
	/* That it flaps, and its last state, which waits until it is quiet. */
	assert_int_equal(counts().held, 2);
	assert_int_equal(counts().suppressed, 4);
	assert_int_equal(told_of_path(20 * NS_PER_S), 0);
	assert_int_equal(bench_sent_count, 4);
	assert_int_equal(bench_sent[3].notification, FLAPPING_ID);
	assert_int_equal(told_of_path(60 * NS_PER_S), PATH_DOWN_ID);
	assert_int_equal(counts().held, 0);
	assert_int_equal(counts().suppressed, 4);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_held_and_not_true_any_more_is_not_told),
		TEST(what_cannot_be_told_makes_the_one_before_it_no_truer),
		TEST(what_begins_to_flap_is_not_told_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
