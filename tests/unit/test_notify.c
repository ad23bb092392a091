/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/notify.h: from what has changed to what is sent and what the event table says of it.
 * Wrapped, by notify_bench.c: __wrap_clock_now_ns __wrap_clock_wall_zero_ns __wrap_clock_ms_until
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "model/session_state.h"
#include "tests/support/handmade.h"
#include "tests/support/notify_bench.h"

enum { PATH_DOWN_ID = 1, PATH_UP_ID = 2, HEALTH_ID = 8, STALE_ID = 10, FLAPPING_ID = 12 };
enum { INSTANCE_FAILURE_ID = 3 };

#define POLL (5 * NS_PER_S)

static uint32_t told(uint32_t event)
{
	const struct event *e = bench_event(event);

	assert_non_null(e);
	return e->told.value;
}

static struct notifier_counts counts(void)
{
	struct notifier_counts c;

	notifier_counts(bench_notifier, &c);
	return c;
}

static void nothing_of_before_the_start(void **state)
{
	(void)state;
	host.status[3] = PATH_DISCONNECTED;
	host.session_failures = 100;
	assert_int_equal(bench_poll(0), 0);
	assert_int_equal(bench_last_event(), 1);
	assert_int_equal(bench_event(1)->type.value, EVENT_AGENT_STARTED);
	assert_int_equal(told(1), TOLD_OFF);
	assert_int_equal(bench_poll(POLL), 0);
	assert_int_equal(bench_last_event(), 1);
}

static void a_change_is_an_event_and_a_notification(void **state)
{
	const struct event *e;

	(void)state;
	bench_poll(0);
	host.status[3] = PATH_RECONNECTING;
	assert_int_equal(bench_poll(POLL), 1);
	assert_int_equal(bench_sent[0].module, 1);
	assert_int_equal(bench_sent[0].notification, PATH_DOWN_ID);
	assert_int_equal(bench_sent[0].row, 4);
	assert_int_equal(bench_sent[0].number, PATH_RECONNECTING);
	assert_int_equal(bench_sent[0].event_ns, bench_now_ns);
	e = bench_event(2);
	assert_non_null(e);
	assert_int_equal(e->type.value, EVENT_PATH_DOWN);
	assert_int_equal(e->row_type.value, EVENT_PATH_DOWN);
	assert_int_equal(e->row_0.value, 4);
	assert_int_equal(e->told.value, TOLD_SENT);
	assert_int_equal(e->time.ns, bench_now_ns);
	assert_int_equal(e->wall_ns.value, UINT64_C(1700000000) * NS_PER_S + bench_now_ns);
	assert_int_equal(bench_poll(POLL), 0);
	assert_int_equal(bench_last_event(), 2);
}

static void counters_tell_too(void **state)
{
	(void)state;
	bench_poll(0);
	host.session_failures = 7;
	assert_int_equal(bench_poll(POLL), 1);
	assert_int_equal(bench_sent[0].module, 0);
	assert_int_equal(bench_sent[0].notification, INSTANCE_FAILURE_ID);
	assert_int_equal(bench_sent[0].number, 7);
	assert_int_equal(bench_event(2)->type.value, EVENT_SESSION_FAILURE);
}

/* Three in any ten seconds; afterwards the last state of each row. */
static void the_rest_follows_when_the_window_opens(void **state)
{
	uint64_t first_ns;

	(void)state;
	bench_poll(0);
	for (uint32_t i = 0; i < 8; i++)
		host.status[i] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 3);
	first_ns = bench_now_ns;
	for (uint32_t event = 2; event <= 9; event++)
		assert_int_equal(told(event), event <= 4 ? TOLD_SENT : TOLD_HELD);
	assert_int_equal(counts().held, 5);
	/* Meanwhile one of the held is up again: down is not worth telling any more. */
	host.status[3] = PATH_CONNECTED;
	assert_int_equal(bench_poll(NS_PER_S), 0);
	assert_int_equal(counts().suppressed, 1);
	assert_int_equal(bench_wait(20 * NS_PER_S), 5);
	assert_in_range(bench_sent[3].at_ns, first_ns + 10 * NS_PER_S, first_ns + 11 * NS_PER_S);
	assert_int_equal(bench_sent[3].notification, PATH_UP_ID);
	assert_int_equal(bench_sent[3].row, 4);
	for (size_t i = 4; i < 8; i++) {
		assert_int_equal(bench_sent[i].notification, PATH_DOWN_ID);
		assert_int_equal(bench_sent[i].row, i + 1);
		assert_int_equal(bench_sent[i].event_ns, first_ns);
	}
	assert_true(bench_sent[6].at_ns - bench_sent[3].at_ns > 10 * NS_PER_S);
	assert_int_equal(counts().held, 0);
	assert_int_equal(counts().dropped, 0);
}

/* A counter goes on while it waits: what is sent then is the newest. */
static void a_held_counter_is_sent_as_it_is_then(void **state)
{
	(void)state;
	bench_poll(0);
	for (uint32_t i = 1; i <= 10; i++) {
		host.session_failures = i;
		bench_poll(NS_PER_S);
	}
	assert_int_equal(bench_sent_count, 3);
	assert_int_equal(bench_sent[2].number, 3);
	assert_int_equal(bench_wait(20 * NS_PER_S), 1);
	assert_int_equal(bench_sent[3].number, 10);
	assert_int_equal(counts().suppressed, 6);
	assert_int_equal(bench_last_event(), 11);
}

/* Also when it goes on without an event. */
static void a_held_counter_follows_its_row(void **state)
{
	(void)state;
	bench_poll(0);
	for (uint32_t i = 1; i <= 4; i++) {
		host.session_failures = i;
		bench_poll(NS_PER_S);
	}
	host.discontinuity_ns = 77;
	host.session_failures = 50;
	bench_poll(NS_PER_S);
	assert_int_equal(bench_last_event(), 5);
	assert_int_equal(bench_wait(20 * NS_PER_S), 1);
	assert_int_equal(bench_sent[3].number, 50);
}

static void what_is_switched_off_is_only_an_event(void **state)
{
	(void)state;
	bench_poll(0);
	host.condition = SESSION_LOST; /* sessionHealth is off by default */
	assert_int_equal(bench_poll(POLL), 0);
	assert_int_equal(bench_event(2)->type.value, EVENT_SESSION_HEALTH);
	assert_int_equal(told(2), TOLD_OFF);
	snprintf(bench_config.notifications, sizeof(bench_config.notifications), "sessionHealth");
	bench_configure();
	host.condition = SESSION_UP;
	host.status[0] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 1);
	assert_int_equal(bench_sent[0].notification, HEALTH_ID);
	assert_int_equal(bench_event(3)->type.value, EVENT_PATH_DOWN);
	assert_int_equal(told(3), TOLD_OFF);
	assert_int_equal(told(4), TOLD_SENT);
}

static void what_flaps_is_told_once_and_at_last(void **state)
{
	uint64_t last_change_ns = 0;
	uint32_t flapping = 0;

	(void)state;
	bench_config.notify_limit = bench_config.notify_limit_all = 0;
	bench_configure();
	bench_poll(0);
	for (int i = 0; i < 31; i++) {
		host.status[5] = i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED;
		bench_poll(NS_PER_S);
		last_change_ns = bench_now_ns;
	}
	/* 4 changes, then that it flaps; nothing of the other 27. */
	assert_int_equal(bench_sent_count, 5);
	assert_int_equal(bench_sent[4].notification, FLAPPING_ID);
	assert_int_equal(bench_last_event(), 1 + 31 + 1);
	for (uint32_t event = 2; event <= bench_last_event(); event++) {
		const struct event *e = bench_event(event);

		if (e->type.value == EVENT_FLAPPING) {
			assert_int_equal(e->row_type.value, EVENT_PATH_DOWN);
			assert_int_equal(e->row_0.value, 6);
			assert_int_equal(bench_sent[4].row, event);
			flapping++;
		}
		assert_int_equal(e->told.value,
			event <= 5 || e->type.value == EVENT_FLAPPING ? TOLD_SENT : TOLD_FLAPPING);
	}
	assert_int_equal(flapping, 1);
	/* The last one is held, and told at last: it was counted among the 26 for ever. */
	assert_int_equal(counts().held, 1);
	assert_int_equal(counts().suppressed, 26);
	assert_int_equal(bench_wait(70 * NS_PER_S), 1);
	assert_int_equal(counts().suppressed, 26);
	assert_int_equal(bench_sent[5].notification, PATH_DOWN_ID);
	assert_true(bench_sent[5].at_ns > last_change_ns + 60 * NS_PER_S);
	/* It is an ordinary row again. */
	host.status[5] = PATH_CONNECTED;
	assert_int_equal(bench_poll(NS_PER_S), 1);
}

/* That its health flaps is no news when its health is none. */
static void what_is_switched_off_does_not_flap_either(void **state)
{
	(void)state;
	bench_poll(0);
	for (int i = 0; i < 20; i++) {
		host.condition = i % 2 ? SESSION_UP : SESSION_LOST;
		assert_int_equal(bench_poll(NS_PER_S), 0);
	}
	assert_int_equal(bench_event(7)->type.value, EVENT_FLAPPING);
	assert_int_equal(told(7), TOLD_OFF);
	assert_int_equal(bench_wait(200 * NS_PER_S), 0);
	/* One of the two ways that it changes is enough. */
	snprintf(bench_config.notifications, sizeof(bench_config.notifications), "pathUp,flapping");
	bench_configure();
	for (int i = 0; i < 8; i++) {
		host.status[0] = i % 2 ? PATH_CONNECTED : PATH_DISCONNECTED;
		bench_poll(NS_PER_S);
	}
	assert_int_equal(bench_sent_count, 3);
	assert_int_equal(bench_sent[0].notification, PATH_UP_ID);
	assert_int_equal(bench_sent[1].notification, PATH_UP_ID);
	assert_int_equal(bench_sent[2].notification, FLAPPING_ID);
	/* It ends in the state that nobody wants to hear of: the one before it is not its last. */
	host.status[0] = PATH_DISCONNECTED;
	bench_poll(NS_PER_S);
	assert_int_equal(counts().held, 1);
	assert_int_equal(bench_wait(200 * NS_PER_S), 0);
	assert_int_equal(counts().held, 0);
}

/* While a master is away windows stand still: they begin when it has taken what waited. */
static void windows_begin_when_the_master_has_read(void **state)
{
	uint64_t back_ns;

	(void)state;
	bench_poll(0);
	for (uint32_t i = 0; i < 4; i++)
		host.status[i] = PATH_DISCONNECTED;
	bench_unread = 3;
	assert_int_equal(bench_poll(POLL), 3);
	bench_wait(8 * NS_PER_S);
	bench_unread = 0;
	back_ns = bench_now_ns;
	bench_wait(NS_PER_S);
	assert_int_equal(bench_sent_count, 3);
	assert_int_equal(bench_wait(20 * NS_PER_S), 1);
	assert_true(bench_sent[3].at_ns >= back_ns + 10 * NS_PER_S);
}

static void a_disaster_is_bounded(void **state)
{
	struct notifier_counts c;

	(void)state;
	host.more_paths = 12000;
	bench_poll(0);
	host.many_status = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 3);
	c = counts();
	assert_int_equal(bench_last_event(), 10001);
	/* 2,000 events are not recorded, and of those that wait 1,000 are kept. */
	assert_int_equal(c.held, 1000);
	assert_int_equal(c.dropped, 2000 + 10000 - 3 - 1000);
	assert_int_equal(event_log_count(bench_log), 10001);
	bench_poll(POLL);
	assert_int_equal(event_log_count(bench_log), bench_config.event_table_size);
}

/* The snapshot is not served: its events are in the log, and no notification has their values. */
static void without_views_it_goes_on(void **state)
{
	(void)state;
	bench_poll(0);
	host.status[0] = PATH_DISCONNECTED;
	bench_poll_in_vain(POLL);
	assert_int_equal(bench_sent_count, 0);
	assert_int_equal(bench_last_event(), 2);
	host.status[1] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 2); /* of both: compared with what is served */
	assert_int_equal(bench_wait(20 * NS_PER_S), 0);
}

/* What an event says of itself stays, even if its row of the table is gone by then. */
static void a_held_event_outlives_the_table(void **state)
{
	(void)state;
	bench_config.event_table_size = 2;
	bench_configure();
	bench_poll(0);
	for (uint32_t i = 0; i < 6; i++)
		host.status[i] = PATH_DISCONNECTED;
	assert_int_equal(bench_poll(POLL), 3);
	bench_poll(NS_PER_S);
	assert_int_equal(event_log_count(bench_log), 2);
	assert_int_equal(bench_wait(15 * NS_PER_S), 3);
	assert_int_equal(bench_sent[5].row, 6);
}

/* Random changes of everything: the rule holds, and in the end everybody knows how it is. */
static void random_histories_end_with_the_truth(void **state)
{
	uint64_t seed = 1;

	(void)state;
	bench_config.notify_flap_changes = 0;
	bench_configure();
	bench_poll(0);
	for (int step = 0; step < 3000; step++) {
		uint32_t path = (uint32_t)handmade_chance(&seed, BENCH_PATHS);

		if (handmade_chance(&seed, 3) == 0)
			host.status[path] = 1 + (uint32_t)handmade_chance(&seed, 2);
		if (handmade_chance(&seed, 20) == 0)
			host.session_failures += handmade_chance(&seed, 5);
		if (handmade_chance(&seed, 50) == 0)
			host.source_state = 1 + (uint32_t)handmade_chance(&seed, 2);
		bench_poll(NS_PER_S / 10 + handmade_chance(&seed, NS_PER_S));
	}
	bench_wait(1000 * NS_PER_S);
	assert_int_equal(counts().held, 0);
	assert_int_equal(counts().dropped, 0);
	assert_int_equal(counts().suppressed + bench_sent_count + 1, bench_last_event());
	for (size_t i = 3; i < bench_sent_count; i++)
		assert_true(bench_sent[i].at_ns - bench_sent[i - 3].at_ns > 10 * NS_PER_S);
	for (uint32_t path = 0; path < BENCH_PATHS; path++) {
		uint32_t last = PATH_UP_ID;

		for (size_t i = 0; i < bench_sent_count; i++) {
			if (bench_sent[i].module && bench_sent[i].notification <= PATH_UP_ID &&
				bench_sent[i].row == path + 1)
				last = bench_sent[i].notification;
		}
		assert_int_equal(
			last, host.status[path] == PATH_CONNECTED ? PATH_UP_ID : PATH_DOWN_ID);
	}
	print_message("%u events, %zu notifications\n", bench_last_event(), bench_sent_count);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_set_up, bench_tear_down)
	const struct CMUnitTest tests[] = {
		TEST(nothing_of_before_the_start),
		TEST(a_change_is_an_event_and_a_notification),
		TEST(counters_tell_too),
		TEST(the_rest_follows_when_the_window_opens),
		TEST(a_held_counter_is_sent_as_it_is_then),
		TEST(a_held_counter_follows_its_row),
		TEST(what_is_switched_off_is_only_an_event),
		TEST(what_flaps_is_told_once_and_at_last),
		TEST(what_is_switched_off_does_not_flap_either),
		TEST(windows_begin_when_the_master_has_read),
		TEST(a_disaster_is_bounded),
		TEST(without_views_it_goes_on),
		TEST(a_held_event_outlives_the_table),
		TEST(random_histories_end_with_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
