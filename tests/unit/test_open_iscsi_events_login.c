/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Logins, from events to counters, one rule after the other: answers (RFC 7143 11.13.5), logins
 * that we give up, lost connections, redirections.
 */
#include "tests/support/events_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- answers: class and detail, counter ---- */

static void each_status_has_its_counter(void **state)
{
	static const struct {
		uint8_t status_class, first, last;
		enum oiscsi_login_count column;
	} rows[] = {
		{ 1, 1, 2, OISCSI_COUNT_REDIRECTS },
		{ 2, 0, 0, OISCSI_COUNT_OTHER },
		{ 2, 1, 1, OISCSI_COUNT_AUTH_FAILS },
		{ 2, 2, 2, OISCSI_COUNT_AUTHORIZE },
		{ 2, 3, 11, OISCSI_COUNT_OTHER },
		{ 3, 0, 2, OISCSI_COUNT_OTHER },
		{ 9, 0, 255, OISCSI_COUNT_OTHER },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned int detail = rows[i].first; detail <= rows[i].last; detail++) {
			struct oiscsi_watch *watch;

			events_begin(state);
			watch = created(1);
			now_ns += 5 * MS;
			assert_int_equal(answer(1, rows[i].status_class, (uint8_t)detail, NULL), 1);
			assert_one_failed_login(rows[i].column);
			assert_int_equal(node()->failure_ns, now_ns);
			assert_string_equal(node()->failure_target, EVENTS_TARGET);
			assert_int_equal(node()->failure_portal.port.value, 3260);
			assert_int_equal(watch->login_class.value, rows[i].status_class);
			assert_int_equal(watch->login_detail.value, detail);
			/* How it ends: the connection is closed, twice; iscsid drops the session.
			 */
			now_ns += 1 * MS;
			lost(1, 1020);
			now_ns += 4 * MS;
			lost(1, 1020);
			now_ns += 5 * MS;
			happens(OISCSI_EVENT_UNBOUND, 1, 0);
			happens(OISCSI_EVENT_DESTROYED, 1, 0);
			assert_one_failed_login(rows[i].column);
			assert_null(oiscsi_watch_find(&events, 1));
			events_end(state);
		}
	}
	events_begin(state);
}

static void a_login_of_several_answers_counts_once(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = { [OISCSI_COUNT_ACCEPTS] = 1 };
	struct oiscsi_watch *watch = created(1);

	(void)state;
	now_ns += 5 * MS;
	assert_int_equal(goes_on(1, OISCSI_SECURITY), 0); /* nothing to show */
	assert_int_equal(goes_on(1, OISCSI_SECURITY), 0);
	assert_int_equal(goes_on(1, OISCSI_OPERATIONAL), 0);
	assert_int_equal(
		accepted(1, 0x1234, "TargetAlias=x|DefaultTime2Wait=2|DefaultTime2Retain=20|"), 1);
	assert_login_counts(wanted);
	assert_int_equal(watch->logins, 1);
	assert_int_equal(watch->answered_ns, now_ns);
	assert_true(watch->learned.known);
	assert_int_equal(watch->learned.tsih, 0x1234);
	assert_memory_equal(watch->learned.isid.octets, "\x00\x02\x3d\x00\x00\x01", 6);
	assert_string_equal(watch->learned.target_alias, "x");
	assert_true(watch->learned.alias_known);
	assert_int_equal(watch->learned.time2retain.value, 20);
	assert_false(watch->learned.max_connections.known);
	assert_int_equal(watch->login_class.value, 0);
	assert_int_equal(node()->failure_ns, 0);
}

static void keys_of_a_login_that_failed_are_not_of_the_next_one(void **state)
{
	struct oiscsi_watch *watch = created(1);

	(void)state;
	assert_int_equal(answer(1, 3, 1, "TargetAlias=wrong|DefaultTime2Wait=9|"), 1);
	now_ns += 2 * NS_PER_S;
	accepted(1, 1, "TargetPortalGroupTag=1|DefaultTime2Retain=1|");
	assert_true(watch->learned.alias_known);
	assert_string_equal(watch->learned.target_alias, "");
	assert_false(watch->learned.time2wait.known);
}

/* The first answer has the portal group tag, and the alias if there is one. */
static void only_a_login_that_was_heard_whole_has_no_alias(void **state)
{
	static const struct {
		const char *first, *last;
		bool known;
	} rows[] = {
		{ NULL, "DefaultTime2Wait=2|", false },
		{ "TargetPortalGroupTag=1|", "DefaultTime2Wait=2|", true },
		{ "TargetPortalGroupTag=1|TargetAlias=x|", "DefaultTime2Wait=2|", true },
		{ NULL, "TargetAlias=x|", true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oiscsi_watch *watch;

		events_end(state);
		events_begin(state);
		if (rows[i].first) {
			struct frame frame = frame_login_response(
				1, &(struct login_response){
					   .stat_sn = ++stat_sn, .text = rows[i].first });

			assert_int_equal(take(&frame), 0);
		}
		accepted(1, 7, rows[i].last);
		watch = oiscsi_watch_find(&events, 1);
		assert_int_equal(watch->learned.tsih, 7);
		assert_int_equal(watch->learned.alias_known, rows[i].known);
	}
}

/* ---- aborts: we give up ---- */

static void given_up_in_a_stage(
	uint8_t stage, uint64_t after_ns, uint32_t by, enum oiscsi_login_count column)
{
	created(1);
	now_ns += 5 * MS;
	goes_on(1, OISCSI_SECURITY);
	goes_on(1, stage);
	now_ns += after_ns;
	assert_int_equal(happens(by, 1, 0), 1);
	assert_one_failed_login(column);
	if (by == OISCSI_EVENT_UNBOUND)
		happens(OISCSI_EVENT_DESTROYED, 1, 0);
	assert_one_failed_login(column);
}

static void given_up_while_authenticating(void **state)
{
	(void)state;
	given_up_in_a_stage(
		OISCSI_SECURITY, 5 * MS, OISCSI_EVENT_UNBOUND, OISCSI_COUNT_AUTHENTICATE);
}

static void given_up_while_negotiating(void **state)
{
	(void)state;
	given_up_in_a_stage(
		OISCSI_OPERATIONAL, 5 * MS, OISCSI_EVENT_UNBOUND, OISCSI_COUNT_NEGOTIATE);
}

static void given_up_without_a_logout(void **state)
{
	(void)state;
	given_up_in_a_stage(
		OISCSI_SECURITY, 5 * MS, OISCSI_EVENT_DESTROYED, OISCSI_COUNT_AUTHENTICATE);
}

static void a_timeout_is_no_abort(void **state)
{
	(void)state;
	given_up_in_a_stage(
		OISCSI_SECURITY, 15 * NS_PER_S, OISCSI_EVENT_UNBOUND, OISCSI_COUNT_FAILURES);
}

static void no_answer_at_all(void **state)
{
	(void)state;
	created(1);
	now_ns += 15 * NS_PER_S;
	happens(OISCSI_EVENT_UNBOUND, 1, 0);
	assert_one_failed_login(OISCSI_COUNT_FAILURES);
}

static void the_connection_is_lost_in_a_login(void **state)
{
	(void)state;
	created(1);
	goes_on(1, OISCSI_SECURITY);
	now_ns += 1 * MS;
	lost(1, 1020);
	now_ns += 5 * MS;
	lost(1, 1020);
	now_ns += 5 * MS;
	/* Not by us. */
	happens(OISCSI_EVENT_UNBOUND, 1, 0);
	happens(OISCSI_EVENT_DESTROYED, 1, 0);
	assert_one_failed_login(OISCSI_COUNT_FAILURES);
}

static void each_attempt_counts(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = {
		[OISCSI_COUNT_FAILURES] = 6, [OISCSI_COUNT_OTHER] = 3, [OISCSI_COUNT_ACCEPTS] = 1
	};
	struct oiscsi_watch *watch = created(1);

	(void)state;
	for (int i = 0; i < 3; i++) {
		answer(1, 3, 1, NULL); /* with an answer … */
		now_ns += 1 * MS;
		lost(1, 1020);
		now_ns += 2 * NS_PER_S;
		lost(1, 1020); /* … and without */
		now_ns += 1 * MS;
		lost(1, 1019);
		now_ns += 2 * NS_PER_S;
	}
	accepted(1, 1, NULL);
	assert_login_counts(wanted);
	assert_int_equal(watch->failures, 0);
	assert_int_equal(events.failures, 0);
}

/* A first answer with other numbers, long after the last one: nobody said how that login ended. */
static void an_attempt_that_is_never_heard_of_again(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = {
		[OISCSI_COUNT_FAILURES] = 1, [OISCSI_COUNT_ACCEPTS] = 2
	};

	(void)state;
	logged_in(1);
	lost(1, 1022);
	now_ns += 2 * NS_PER_S;
	goes_on(1, OISCSI_SECURITY);
	now_ns += 17 * NS_PER_S;
	stat_sn += 1000;
	goes_on(1, OISCSI_SECURITY);
	accepted(1, 8, NULL);
	assert_login_counts(wanted);
	assert_int_equal(node()->failure_type, 0);
}

static void a_slow_answer_is_of_the_same_attempt(void **state)
{
	const uint64_t wanted[OISCSI_COUNTS] = { [OISCSI_COUNT_ACCEPTS] = 1 };

	(void)state;
	created(1);
	goes_on(1, OISCSI_SECURITY);
	now_ns += 10 * NS_PER_S;
	accepted(1, 8, NULL);
	assert_login_counts(wanted);
}

/* Refusals do not count on: LIO sends 0. Some targets think for seconds before they refuse. */
static void a_slow_refusal_is_of_the_same_attempt(void **state)
{
	(void)state;
	created(1);
	goes_on(1, OISCSI_SECURITY);
	now_ns += 3 * NS_PER_S;
	answer(1, 2, 1, NULL);
	assert_one_failed_login(OISCSI_COUNT_AUTH_FAILS);
}

/* ---- redirections ---- */

static void after_a_redirection(
	const char *address, uint8_t detail, const char *wanted, uint32_t port)
{
	struct oiscsi_watch *watch = created(1);
	char text[64];

	answer(1, 1, detail, address);
	assert_string_equal(text_from_address(text, &node()->failure_portal.address), "10.0.0.1");
	now_ns += 1 * MS;
	lost(1, 1020); /* of the connection that was redirected */
	now_ns += 2 * NS_PER_S;
	answer(1, 3, 1, NULL);
	assert_string_equal(text_from_address(text, &node()->failure_portal.address), wanted);
	assert_int_equal(node()->failure_portal.port.known, port != 0);
	assert_int_equal(node()->failure_portal.port.value, port);
	now_ns += 2 * NS_PER_S;
	answer(1, 3, 1, NULL);
	assert_string_equal(text_from_address(text, &node()->failure_portal.address), "10.0.0.1");
	assert_int_equal(watch->logins, 0);
}

static void a_temporary_redirection_is_for_one_attempt(void **state)
{
	(void)state;
	after_a_redirection("TargetAddress=10.0.0.2:3261,1|", 1, "10.0.0.2", 3261);
}

/* All failures after it were shown at its address; iscsid goes back to the portal. */
static void a_permanent_one_is_for_one_attempt_too(void **state)
{
	(void)state;
	after_a_redirection("TargetAddress=[2001:db8::2]:860|", 2, "2001:db8::2", 860);
}

static void a_redirection_without_port(void **state)
{
	(void)state;
	after_a_redirection("TargetAddress=10.0.0.2|", 1, "10.0.0.2", 3260);
}

static void a_redirection_to_a_name_is_an_unknown_address(void **state)
{
	(void)state;
	after_a_redirection("TargetAddress=storage.example.org:3260|", 1, "", 0);
}

static void a_redirection_with_a_zone_is_not_looked_up(void **state)
{
	(void)state;
	after_a_redirection("TargetAddress=[fe80::1%lo]:3260|", 1, "", 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, events_begin, events_end)
	const struct CMUnitTest tests[] = {
		TEST(each_status_has_its_counter),
		TEST(a_login_of_several_answers_counts_once),
		TEST(keys_of_a_login_that_failed_are_not_of_the_next_one),
		TEST(only_a_login_that_was_heard_whole_has_no_alias),
		TEST(given_up_while_authenticating),
		TEST(given_up_while_negotiating),
		TEST(given_up_without_a_logout),
		TEST(a_timeout_is_no_abort),
		TEST(no_answer_at_all),
		TEST(the_connection_is_lost_in_a_login),
		TEST(each_attempt_counts),
		TEST(an_attempt_that_is_never_heard_of_again),
		TEST(a_slow_answer_is_of_the_same_attempt),
		TEST(a_slow_refusal_is_of_the_same_attempt),
		TEST(a_temporary_redirection_is_for_one_attempt),
		TEST(a_permanent_one_is_for_one_attempt_too),
		TEST(a_redirection_without_port),
		TEST(a_redirection_to_a_name_is_an_unknown_address),
		TEST(a_redirection_with_a_zone_is_not_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
