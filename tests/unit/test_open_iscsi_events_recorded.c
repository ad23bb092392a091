/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole recordings of Linux 6.1, whose counters were counted by hand. In two of them the status of
 * answers was not recorded: a refusal is an answer there after which nothing follows, and counts as
 * a failed login all the same.
 */
#include "tests/support/events_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- recordings ---- */

static void replay(const char *name)
{
	struct frames frames;
	struct frame frame;

	frames_open(&frames, name);
	while (frames_next(&frames, &frame)) {
		now_ns = frame.time_ns;
		assert_true(take(&frame) >= 0);
	}
	frames_close(&frames);
}

static void recorded_failures(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = { [OISCSI_COUNT_FAILURES] = 8,
		[OISCSI_COUNT_ACCEPTS] = 4,
		[OISCSI_COUNT_OTHER] = 2,
		[OISCSI_COUNT_REDIRECTS] = 1,
		[OISCSI_COUNT_AUTH_FAILS] = 1,
		[OISCSI_COUNT_AUTHENTICATE] = 1,
		[OISCSI_COUNT_AUTHORIZE] = 1 };

	(void)state;
	replay("failures");
	assert_login_counts(wanted);
	assert_int_equal(node()->logouts, 1);
	assert_int_equal(node()->failure_type, OISCSI_COUNT_REDIRECTS);
	assert_int_equal(events.failures, 3);
	assert_int_equal(events.timeouts, 1);
	assert_int_equal(events.digest_errors + events.format_errors + events.unmapped, 0);
	assert_int_equal(events.watch_count, 0);
}

static void recorded_losses(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = {
		[OISCSI_COUNT_FAILURES] = 5, [OISCSI_COUNT_ACCEPTS] = 14
	};

	(void)state;
	replay("losses");
	assert_login_counts(wanted);
	assert_int_equal(events.failures, 8);
	assert_int_equal(events.timeouts, 7);
	assert_int_equal(oiscsi_watch_find(&events, 1)->failures, 4);
	assert_int_equal(oiscsi_watch_find(&events, 2)->failures, 1);
	assert_int_equal(oiscsi_watch_find(&events, 2)->timeouts, 0);
	assert_int_equal(oiscsi_watch_find(&events, 3)->failures, 0);
	assert_int_equal(oiscsi_watch_find(&events, 4)->failures, 3);
	assert_int_equal(oiscsi_watch_find(&events, 1)->last_error.value, 1021);
}

/* Each cable that was cut was mended: the last outage of each session by the times of the frames.
 */
static void recorded_outages(void **state)
{
	static const struct {
		uint64_t failures;
		uint32_t last_ms; /* 0 none */
	} wanted[] = { [1] = { 4, 2043 }, [2] = { 1, 12034 }, [3] = { 0, 0 }, [4] = { 3, 48524 } };

	(void)state;
	replay("losses");
	for (uint32_t sid = 1; sid < ARRAY_SIZE(wanted); sid++) {
		const struct oiscsi_outages *outages = &oiscsi_watch_find(&events, sid)->outages;

		assert_int_equal(outages->failures, wanted[sid].failures);
		assert_int_equal(outages->reconnects, wanted[sid].failures);
		assert_false(outages->lost);
		assert_int_equal(outages->ms.known, wanted[sid].last_ms != 0);
		assert_in_range(outages->ms.value, wanted[sid].last_ms, wanted[sid].last_ms + 1);
	}
}

static void recorded_sessions(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = {
		[OISCSI_COUNT_FAILURES] = 1, [OISCSI_COUNT_ACCEPTS] = 10
	};

	(void)state;
	replay("many");
	assert_login_counts(wanted);
	assert_int_equal(node()->logouts, 10);
	assert_int_equal(events.failures, 0);
	assert_int_equal(events.watch_count, 0);
}

static void recorded_logins(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = { [OISCSI_COUNT_FAILURES] = 5,
		[OISCSI_COUNT_ACCEPTS] = 1,
		[OISCSI_COUNT_OTHER] = 3,
		[OISCSI_COUNT_AUTH_FAILS] = 1,
		[OISCSI_COUNT_AUTHORIZE] = 1 };

	(void)state;
	replay("logins");
	assert_login_counts(wanted);
	assert_int_equal(node()->logouts, 1);
	assert_int_equal(events.failures, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, events_begin, events_end)
	const struct CMUnitTest tests[] = {
		TEST(recorded_failures),
		TEST(recorded_losses),
		TEST(recorded_outages),
		TEST(recorded_sessions),
		TEST(recorded_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
