/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/notify.h: what waits for the window, or until its row is quiet, while the row changes: what
 * goes out late is still true then, and what is still true goes out.
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

enum { PATH_DOWN_ID = 1, PATH_UP_ID = 2, PATH_MISSING_ID = 3, FLAPPING_ID = 12 };

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

static void want(const char *notifications)
{
	snprintf(bench_config.notifications, sizeof(bench_config.notifications), "%s",
		notifications);
	bench_configure();
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
static void change(uint32_t status, bool missing)
{
	host.status[9] = status;
	host.missing[9] = missing;
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
		change(i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED, false);
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

/* Even when it is true: of one that flaps nothing is told before it is quiet. */
static void what_begins_to_flap_is_told_once(void **state)
{
	(void)state;
	host.status[9] = PATH_RECONNECTING;
	fill_window();
	for (int i = 0; i < 4; i++)
		change(i % 2 ? PATH_DISCONNECTED : PATH_CONNECTED, false);
	change(PATH_DISCONNECTED, true);
	assert_int_equal(told_of_path(20 * NS_PER_S), 0);
	assert_int_equal(bench_sent[3].notification, FLAPPING_ID);
	assert_int_equal(told_of_path(60 * NS_PER_S), PATH_MISSING_ID);
}

/* A path that is down and then logged out is missing, and down as before. */
static void an_alarm_that_is_still_true_is_told(void **state)
{
	(void)state;
	want("pathDown pathUp");
	fill_window();
	change(PATH_DISCONNECTED, false);
	change(PATH_DISCONNECTED, true);
	assert_int_equal(counts().held, 1);
	assert_int_equal(counts().suppressed, 0);
	assert_int_equal(told_of_path(20 * NS_PER_S), PATH_DOWN_ID);
}

/* To whom hears of missing ones that says it all. */
static void the_last_state_replaces_one_that_is_still_true(void **state)
{
	(void)state;
	fill_window();
	change(PATH_DISCONNECTED, false);
	change(PATH_DISCONNECTED, true);
	assert_int_equal(counts().held, 1);
	assert_int_equal(counts().suppressed, 1);
	assert_int_equal(told_of_path(20 * NS_PER_S), PATH_MISSING_ID);
}

/* That it is up is not true of one that is missing, nor that it is missing of one that is found. */
static void what_contradicts_is_not_told(void **state)
{
	(void)state;
	want("pathDown pathUp");
	host.status[9] = PATH_RECONNECTING;
	fill_window();
	change(PATH_CONNECTED, false);
	change(PATH_DISCONNECTED, true);
	assert_int_equal(counts().held, 0);
	assert_int_equal(told_of_path(20 * NS_PER_S), 0);
	want("pathDown pathMissing");
	change(PATH_CONNECTED, false);
	for (uint32_t i = 0; i < 3; i++)
		host.status[i] = PATH_CONNECTED;
	bench_poll(NS_PER_S);
	bench_wait(100 * NS_PER_S);
	fill_window();
	change(PATH_DISCONNECTED, true);
	change(PATH_RECONNECTING, false);
	assert_int_equal(counts().held, 0);
	assert_int_equal(told_of_path(20 * NS_PER_S), 0);
}

/* It has a session again: whether it is down still is another question. */
static void one_that_is_found_may_be_down_or_not(void **state)
{
	(void)state;
	want("pathDown");
	fill_window();
	change(PATH_DISCONNECTED, false);
	change(PATH_DISCONNECTED, true);
	change(PATH_RECONNECTING, false);
	assert_int_equal(counts().held, 1);
	assert_int_equal(told_of_path(20 * NS_PER_S), PATH_DOWN_ID);
	change(PATH_CONNECTED, false);
	bench_wait(100 * NS_PER_S);
	host.status[0] = host.status[1] = host.status[2] = PATH_CONNECTED;
	bench_poll(NS_PER_S);
	fill_window();
	change(PATH_DISCONNECTED, false);
	change(PATH_DISCONNECTED, true);
	change(PATH_CONNECTED, false);
	assert_int_equal(counts().held, 0);
	assert_int_equal(told_of_path(20 * NS_PER_S), 0);
}

/* Nor does it swallow the last state of a row that flaps. */
static void the_last_state_of_what_flaps_is_told_while_it_is_true(void **state)
{
	(void)state;
	want("pathDown");
	bench_config.notify_limit = bench_config.notify_limit_all = 0;
	bench_configure();
	bench_poll(0);
	for (int i = 0; i < 7; i++) {
		host.status[9] = i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED;
		bench_poll(NS_PER_S);
	}
	change(PATH_DISCONNECTED, true);
	assert_int_equal(told_of_path(100 * NS_PER_S), PATH_DOWN_ID);
	assert_int_equal(counts().suppressed, 1);
	/* Begun with what is not told: the one that the window holds is. */
	bench_config.notify_limit = bench_config.notify_limit_all = 3;
	bench_configure();
	change(PATH_CONNECTED, false);
	bench_wait(100 * NS_PER_S);
	fill_window();
	for (int i = 0; i < 3; i++)
		change(i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED, false);
	change(PATH_DISCONNECTED, true);
	assert_int_equal(counts().held, 1);
	change(PATH_DISCONNECTED, false);
	change(PATH_DISCONNECTED, true);
	assert_int_equal(told_of_path(30 * NS_PER_S), PATH_DOWN_ID);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(what_is_held_and_not_true_any_more_is_not_told),
		TEST(what_cannot_be_told_makes_the_one_before_it_no_truer),
		TEST(what_begins_to_flap_is_not_told_as_it_was),
		TEST(what_begins_to_flap_is_told_once),
		TEST(an_alarm_that_is_still_true_is_told),
		TEST(the_last_state_replaces_one_that_is_still_true),
		TEST(what_contradicts_is_not_told),
		TEST(one_that_is_found_may_be_down_or_not),
		TEST(the_last_state_of_what_flaps_is_told_while_it_is_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
