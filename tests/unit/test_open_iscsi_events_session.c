/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions, from events to counters: connection errors by number, logouts, targets that went away;
 * what sysfs adds; whose counters they are.
 */
#include "tests/support/events_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- failed sessions ---- */

static void each_error_has_its_class(void **state)
{
	for (uint32_t error = 1000; error <= 1030; error++) {
		bool digest = error == 1014 || error == 1015;
		bool timeout = error == 1021 || error == 1022;
		bool format = (error >= 1001 && error <= 1010) || error == 1012 || error == 1017;
		struct oiscsi_watch *watch;

		events_begin(state);
		watch = logged_in(1);
		assert_int_equal(lost(1, error), 1);
		assert_int_equal(events.failures, 1);
		assert_int_equal(events.digest_errors, digest);
		assert_int_equal(events.timeouts, timeout);
		assert_int_equal(events.format_errors, format);
		assert_int_equal(events.failure_type, digest	? OISCSI_FAILURE_DIGEST
						      : timeout ? OISCSI_FAILURE_TIMEOUT
						      : format	? OISCSI_FAILURE_FORMAT
								: OISCSI_FAILURE_OTHER);
		assert_string_equal(events.failure_target, EVENTS_TARGET);
		assert_int_equal(events.failure_ns, now_ns);
		assert_int_equal(watch->failures, 1);
		assert_int_equal(watch->digest_errors, digest);
		assert_int_equal(watch->timeouts, timeout);
		assert_int_equal(watch->last_error.value, error);
		assert_int_equal(watch->last_error_ns, now_ns);
		assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 0);
		events_end(state);
	}
	events_begin(state);
}

static void a_loss_counts_once_until_the_next_login(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = {
		[OISCSI_COUNT_FAILURES] = 1, [OISCSI_COUNT_ACCEPTS] = 2
	};
	struct oiscsi_watch *watch = logged_in(1);

	(void)state;
	lost(1, 1022);
	now_ns += 3 * MS;
	lost(1, 1020);
	assert_int_equal(watch->last_error.value, 1020);
	now_ns += 2 * NS_PER_S;
	lost(1, 1020); /* a login that came to nothing, no failure of the session */
	now_ns += 2 * NS_PER_S;
	accepted(1, 8, NULL);
	assert_int_equal(events.failures, 1);
	assert_login_counts(wanted);
	assert_int_equal(watch->learned.tsih, 8);
	now_ns += NS_PER_S;
	lost(1, 1011);
	assert_int_equal(events.failures, 2);
	assert_int_equal(events.failure_type, OISCSI_FAILURE_OTHER);
	assert_int_equal(watch->failures, 2);
}

static void what_follows_a_logout_is_no_failure(void **state)
{
	struct oiscsi_watch *watch = logged_in(1);
	struct frame frame = frame_logout_response(1);

	(void)state;
	happens(OISCSI_EVENT_UNBOUND, 1, 0);
	assert_true(oiscsi_events_are_ending(&events, now_ns));
	lost(1, 1020);
	assert_int_equal(take(&frame), 1);
	lost(1, 1020);
	assert_int_equal(watch->failures, 0);
	assert_int_equal(node()->logouts, 1);
	happens(OISCSI_EVENT_DESTROYED, 1, 0);
	assert_int_equal(events.failures, 0);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 0);
	assert_false(oiscsi_events_are_ending(&events, now_ns));
}

/* The target asked for it (an asynchronous message): the session stays, and logs in again. */
static void a_logout_without_an_end(void **state)
{
	struct oiscsi_watch *watch = logged_in(1);
	struct frame frame = frame_logout_response(1);

	(void)state;
	take(&frame);
	assert_int_equal(watch->phase, OISCSI_PHASE_LOST);
	oiscsi_events_seen(&events, 1, OISCSI_LOGGED_IN, now_ns); /* until iscsid has stopped it */
	assert_int_equal(watch->phase, OISCSI_PHASE_LOST);
	lost(1, 1020);
	now_ns += 2 * NS_PER_S;
	accepted(1, 9, NULL);
	assert_int_equal(watch->phase, OISCSI_PHASE_FULL);
	assert_int_equal(watch->failures, 0);
	assert_int_equal(node()->login[OISCSI_COUNT_ACCEPTS], 2);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 0);
	lost(1, 1020);
	assert_int_equal(watch->failures, 1);
}

/* … or tries to: the portal closes each connection without an answer. */
static void a_logout_without_an_end_or_a_login(void **state)
{
	struct oiscsi_watch *watch = logged_in(1);
	struct frame frame = frame_logout_response(1);

	(void)state;
	take(&frame);
	lost(1, 1020);
	for (int i = 0; i < 3; i++) {
		now_ns += 2 * NS_PER_S;
		lost(1, 1020);
	}
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 3);
	assert_int_equal(watch->failures, 0);
	assert_false(oiscsi_events_are_ending(&events, now_ns));
}

/* iscsid was started anew and logs in to all sessions: nothing has failed. */
static void a_login_without_a_loss(void **state)
{
	struct oiscsi_watch *watch = logged_in(1);

	(void)state;
	goes_on(1, OISCSI_SECURITY);
	assert_int_equal(watch->phase, OISCSI_PHASE_LOST);
	accepted(1, 8, NULL);
	assert_int_equal(events.failures, 0);
	assert_int_equal(watch->logins, 2);
}

static void a_target_that_went_away(void **state)
{
	struct oiscsi_watch *watch = logged_in(1);

	(void)state;
	lost(1, 1020);
	now_ns += 2 * NS_PER_S;
	answer(1, 2, 3, NULL);
	assert_int_equal(events.unmapped, 1);
	assert_int_equal(events.failure_type, OISCSI_FAILURE_UNMAPPED);
	assert_int_equal(events.failures, 1);
	now_ns += 2 * NS_PER_S;
	answer(1, 2, 4, NULL); /* it still is */
	assert_int_equal(events.unmapped, 1);
	now_ns += 2 * NS_PER_S;
	accepted(1, 8, NULL);
	lost(1, 1020);
	now_ns += 2 * NS_PER_S;
	answer(1, 2, 4, NULL);
	assert_int_equal(events.unmapped, 2);
	assert_int_equal(watch->failures, 2);
	assert_int_equal(node()->login[OISCSI_COUNT_OTHER], 3);
}

static void a_target_that_was_never_there(void **state)
{
	(void)state;
	created(1);
	answer(1, 2, 3, NULL);
	assert_int_equal(events.unmapped, 0);
}

static void the_type_of_a_later_failure_stays(void **state)
{
	(void)state;
	logged_in(1);
	logged_in(2);
	lost(1, 1020);
	now_ns += NS_PER_S;
	lost(2, 1022);
	now_ns += 2 * NS_PER_S;
	answer(1, 2, 3, NULL);
	assert_int_equal(events.unmapped, 1);
	assert_int_equal(events.failure_type, OISCSI_FAILURE_TIMEOUT);
}

/* ---- sessions that were there before anybody listened ---- */

static void an_error_of_an_unknown_session_is_not_counted(void **state)
{
	(void)state;
	lost(5, 1022);
	assert_int_equal(events.failures, 0);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 0);
	happens(OISCSI_EVENT_UNBOUND, 5, 0);
	happens(OISCSI_EVENT_DESTROYED, 5, 0);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 0);
	assert_int_equal(events.watch_count, 0);
}

static void sysfs_tells_what_it_is(void **state)
{
	(void)state;
	assert_int_equal(oiscsi_events_seen(&events, 5, OISCSI_LOGGED_IN, now_ns), 0);
	lost(5, 1022);
	assert_int_equal(events.failures, 1);
	assert_int_equal(oiscsi_events_seen(&events, 6, OISCSI_FAILED, now_ns), 0);
	now_ns += 2 * NS_PER_S;
	lost(6, 1020);
	assert_int_equal(events.failures, 1);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 1);
	assert_int_equal(oiscsi_events_seen(&events, 7, OISCSI_STATE_UNKNOWN, now_ns), 0);
	lost(7, 1022);
	assert_int_equal(events.failures, 1);
}

/* sysfs says LOGGED_IN until iscsid has stopped the connection. */
static void sysfs_that_lags_is_not_believed(void **state)
{
	struct oiscsi_watch *watch = logged_in(1);

	(void)state;
	lost(1, 1022);
	oiscsi_events_seen(&events, 1, OISCSI_LOGGED_IN, now_ns);
	assert_int_equal(watch->phase, OISCSI_PHASE_LOST);
	lost(1, 1020);
	assert_int_equal(events.failures, 1);
	oiscsi_events_seen(&events, 1, OISCSI_FAILED, now_ns);
	/* A login that nobody saw: what is known of logins is of another one. */
	assert_true(watch->learned.known);
	oiscsi_events_seen(&events, 1, OISCSI_LOGGED_IN, now_ns);
	assert_int_equal(watch->phase, OISCSI_PHASE_FULL);
	assert_false(watch->learned.known);
	oiscsi_events_seen(&events, 1, OISCSI_FAILED, now_ns);
	assert_int_equal(watch->phase, OISCSI_PHASE_FULL); /* the event is still to come */
	lost(1, 1022);
	assert_int_equal(events.failures, 2);
}

static void a_sid_that_comes_again_is_another_session(void **state)
{
	(void)state;
	logged_in(1);
	lost(1, 1022);
	created(1);
	lost(1, 1020);
	assert_int_equal(events.failures, 1);
	assert_int_equal(oiscsi_watch_find(&events, 1)->failures, 0);
	assert_int_equal(events.watch_count, 1);
}

/* ---- adapters that log in by themselves ---- */

static void an_adapter_tells_accept_or_not(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = {
		[OISCSI_COUNT_FAILURES] = 1, [OISCSI_COUNT_ACCEPTS] = 1
	};

	(void)state;
	oiscsi_events_seen(&events, 1, OISCSI_FREE, now_ns);
	oiscsi_watch_find(&events, 1)->initiator_name = strdup(EVENTS_NAME);
	happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_BEGUN);
	happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_BEGUN);
	assert_int_equal(happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_FREE), 1);
	happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_FREE);
	happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_BEGUN);
	assert_int_equal(happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_DONE), 1);
	happens(OISCSI_EVENT_LOGIN_STATE, 1, 5);
	happens(OISCSI_EVENT_LOGIN_STATE, 1, OISCSI_LOGIN_FREE);
	assert_login_counts(wanted);
	assert_int_equal(oiscsi_watch_find(&events, 1)->phase, OISCSI_PHASE_FULL);
}

/* ---- names ---- */

static void a_session_counts_for_its_own_initiator(void **state)
{
	static char by_iface[] = "iqn.by-iface";
	struct oiscsi_iface iface = { .name = "other", .initiator_name = by_iface };
	struct oiscsi_watch *watch;

	(void)state;
	records.ifaces = &iface;
	records.iface_count = 1;
	created(1);
	answer(1, 3, 0, NULL);
	watch = created(2);
	watch->iface_name = strdup("other");
	answer(2, 3, 0, NULL);
	watch = created(3);
	watch->initiator_name = strdup("iqn.its-own");
	answer(3, 3, 0, NULL);
	answer(3, 3, 0, NULL);
	watch = created(4);
	watch->iface_name = strdup("default");
	answer(4, 3, 0, NULL);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 2);
	assert_int_equal(oiscsi_node_events_find(&events, "iqn.by-iface")->login[0], 1);
	assert_int_equal(oiscsi_node_events_find(&events, "iqn.its-own")->login[0], 2);
	assert_int_equal(events.node_count, 3);
}

static void the_default_name_may_be_known_later(void **state)
{
	(void)state;
	free(records.initiator_name);
	records.initiator_name = NULL;
	created(1);
	answer(1, 3, 0, NULL);
	assert_int_equal(oiscsi_node_events_find(&events, NULL)->login[0], 1);
	records.initiator_name = strdup(EVENTS_NAME);
	now_ns += NS_PER_S;
	answer(1, 2, 1, NULL);
	assert_int_equal(oiscsi_events_name_default(&events, EVENTS_NAME), 0);
	assert_null(oiscsi_node_events_find(&events, NULL));
	assert_int_equal(events.node_count, 1);
	assert_int_equal(node()->login[OISCSI_COUNT_FAILURES], 2);
	assert_int_equal(node()->login[OISCSI_COUNT_OTHER], 1);
	/* The newer one is the last one, whatever node it was counted for. */
	assert_int_equal(node()->failure_type, OISCSI_COUNT_AUTH_FAILS);
	assert_int_equal(oiscsi_events_name_default(&events, EVENTS_NAME), 0);
}

static void what_is_of_no_use_is_passed_over(void **state)
{
	struct frame frame = frame_event(OISCSI_EVENT_PDU, 1, 0, 0);

	(void)state;
	assert_int_equal(take(&frame), 0); /* a PDU without a header */
	frame = frame_login_response(1, &(struct login_response){ .text = "A=b|" });
	frame.data[OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS + 5] = 1; /* 64 KiB of data */
	assert_int_equal(take(&frame), 0);
	frame = frame_login_response(1, &(struct login_response){ .text = NULL });
	frame.data[OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS] = 0x20; /* NOP-In */
	assert_int_equal(take(&frame), 0);
	assert_int_equal(happens(110, 1, 2), 0);
	assert_int_equal(events.node_count, 0);
}

static bool is_seven(const void *context, uint32_t sid)
{
	(void)context;
	return sid == 7;
}

static void sessions_that_nobody_knows_are_forgotten(void **state)
{
	(void)state;
	created(5);
	now_ns += NS_PER_S;
	created(6);
	oiscsi_events_seen(&events, 7, OISCSI_LOGGED_IN, now_ns);
	oiscsi_events_sweep(&events, now_ns, is_seven, NULL);
	assert_int_equal(events.watch_count, 2);
	assert_null(oiscsi_watch_find(&events, 5));
	assert_non_null(oiscsi_watch_find(&events, 6));
	assert_non_null(oiscsi_watch_find(&events, 7));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, events_begin, events_end)
	const struct CMUnitTest tests[] = {
		TEST(each_error_has_its_class),
		TEST(a_loss_counts_once_until_the_next_login),
		TEST(what_follows_a_logout_is_no_failure),
		TEST(a_logout_without_an_end),
		TEST(a_logout_without_an_end_or_a_login),
		TEST(a_login_without_a_loss),
		TEST(a_target_that_went_away),
		TEST(a_target_that_was_never_there),
		TEST(the_type_of_a_later_failure_stays),
		TEST(an_error_of_an_unknown_session_is_not_counted),
		TEST(sysfs_tells_what_it_is),
		TEST(sysfs_that_lags_is_not_believed),
		TEST(a_sid_that_comes_again_is_another_session),
		TEST(an_adapter_tells_accept_or_not),
		TEST(a_session_counts_for_its_own_initiator),
		TEST(the_default_name_may_be_known_later),
		TEST(what_is_of_no_use_is_passed_over),
		TEST(sessions_that_nobody_knows_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
