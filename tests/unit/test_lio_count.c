/* SPDX-License-Identifier: BSD-2-Clause */
/* What the source lio makes of the kernel's counters, poll after poll. */
#include "source/lio_count.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { OTHER = 2, REDIRECT, AUTHORIZE, AUTHENTICATE, NEGOTIATE }; /* columns */

static struct lio_memory memory;
static uint64_t now;

static int set_up(void **state)
{
	(void)state;
	memset(&memory, 0, sizeof(memory));
	now = 1000;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lio_memory_clear(&memory);
	return 0;
}

/* The target of a poll, all of whose counters are 0 but those set later. */
static struct lio_target *target(const char *name)
{
	struct lio_target *t = lio_memory_target(&memory, name);

	assert_non_null(t);
	for (int i = 0; i < LIO_COUNTERS; i++)
		t->counters[i] = (struct opt_counter){ .known = 1 };
	return t;
}

static struct lio_target *login_counts(
	uint64_t negotiate, uint64_t authorize, uint64_t authenticate)
{
	struct lio_target *t;

	lio_memory_begin(&memory);
	t = target("t");
	t->counters[LIO_NEGOTIATE].value = negotiate;
	t->counters[LIO_AUTHORIZE].value = authorize;
	t->counters[LIO_AUTHENTICATE].value = authenticate;
	return t;
}

static void end_poll(void)
{
	lio_count(&memory, ++now);
	lio_memory_sweep(&memory);
}

static struct lio_target *poll_logins(uint64_t negotiate, uint64_t authorize, uint64_t authenticate)
{
	login_counts(negotiate, authorize, authenticate);
	end_poll();
	return &memory.targets[0];
}

static struct lio_target *poll_sessions(
	const char *name, uint64_t failed, uint32_t type, const char *remote)
{
	struct lio_target *t = target(name);

	t->counters[LIO_SESSIONS_FAILED].value = failed;
	t->counters[LIO_FAILED_TIMEOUT].value = failed;
	OPT_SET(t->session_failure_type, type);
	snprintf(t->session_failure_name, sizeof(t->session_failure_name), "%s", remote);
	return t;
}

/* ---- logins ---- */

static void test_second_count_of_a_failure_is_none(void **state)
{
	struct lio_target *t;

	(void)state;
	t = poll_logins(1, 0, 1);
	assert_int_equal(t->failures.authenticate.value, 1);
	assert_true(t->failures.negotiate.known);
	assert_int_equal(t->failures.negotiate.value, 0);
	assert_int_equal(t->login_failures.value, 1);
}

static void test_lost_connection_is_a_negotiation_failure(void **state)
{
	struct lio_target *t;

	(void)state;
	t = poll_logins(3, 1, 1);
	assert_int_equal(t->failures.negotiate.value, 1);
	assert_int_equal(t->login_failures.value, 3);
}

/* It is counted by its status, which is that of no other cause, and then as every failed login. A
 * lost connection counts once, and nothing tells which it was: what is shown is an upper bound. */
static void test_refused_negotiation_counts_twice(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(0, 0, 0);
	t = poll_logins(2, 0, 0);
	assert_int_equal(t->failures.negotiate.value, 2);
	assert_int_equal(t->login_failures.value, 2);
	assert_int_equal(t->last_failure_type.value, NEGOTIATE);
}

static void test_failure_seen_half_moves_no_other_counter(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(5, 0, 0);
	/* The cause is counted, its second count not yet: the difference is one less. */
	t = poll_logins(5, 0, 1);
	assert_int_equal(t->failures.negotiate.value, 5);
	assert_int_equal(t->login_failures.value, 6);
	assert_int_equal(t->last_failure_type.value, AUTHENTICATE);
	assert_int_equal(t->last_failure_time.ns, now);
	t = poll_logins(6, 0, 1);
	assert_int_equal(t->failures.negotiate.value, 5);
	assert_int_equal(t->login_failures.value, 6);
	assert_int_equal(t->last_failure_time.ns, now - 1);
}

static void test_negotiation_failures_never_go_back(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(5, 0, 0);
	/* Refused connections of a session that exists are counted once. */
	for (uint64_t i = 1; i < 10; i++) {
		t = poll_logins(5, i, 0);
		assert_int_equal(t->failures.negotiate.value, 5);
		assert_int_equal(t->login_failures.value, 5 + i);
		assert_int_equal(t->discontinuity_ns, 0);
	}
}

static void test_time_and_type_are_of_what_moved(void **state)
{
	struct lio_target *t;

	(void)state;
	t = poll_logins(0, 0, 0);
	assert_true(t->last_failure_time.known);
	assert_int_equal(t->last_failure_time.ns, 0);
	assert_false(t->last_failure_type.known);
	t = poll_logins(1, 0, 1);
	assert_int_equal(t->last_failure_type.value, AUTHENTICATE);
	assert_int_equal(t->last_failure_time.ns, now);
	t = poll_logins(2, 1, 1);
	assert_int_equal(t->last_failure_type.value, AUTHORIZE);
	t = poll_logins(3, 1, 1);
	assert_int_equal(t->last_failure_type.value, NEGOTIATE);
	assert_int_equal(t->last_failure_time.ns, now);
	t = poll_logins(3, 1, 1);
	assert_int_equal(t->last_failure_time.ns, now - 1);
	t = login_counts(4, 1, 1);
	t->counters[LIO_OTHER].value = 1;
	end_poll();
	assert_int_equal(t->last_failure_type.value, OTHER);
	t = login_counts(4, 1, 1);
	t->counters[LIO_OTHER].value = 1;
	t->counters[LIO_REDIRECT].value = 2;
	end_poll();
	assert_int_equal(t->last_failure_type.value, REDIRECT);
	assert_int_equal(t->login_failures.value, 6);
}

static void test_several_moved(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(0, 0, 0);
	t = poll_logins(9, 2, 3);
	assert_int_equal(t->last_failure_type.value, AUTHENTICATE);
	assert_int_equal(t->failures.negotiate.value, 4);
}

static void test_before_the_first_poll_one_cause_is_certain(void **state)
{
	struct lio_target *t;

	(void)state;
	t = poll_logins(2, 2, 0);
	assert_int_equal(t->last_failure_type.value, AUTHORIZE);
	assert_false(t->last_failure_time.known);
	/* It was not seen: it does not move when nothing happens. */
	t = poll_logins(2, 2, 0);
	assert_false(t->last_failure_time.known);
}

static void test_before_the_first_poll_two_causes_are_not(void **state)
{
	(void)state;
	assert_false(poll_logins(3, 2, 0)->last_failure_type.known);
}

static void test_unknown_counter_is_a_hole_and_no_movement(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(2, 1, 0);
	t = login_counts(2, 0, 0);
	t->counters[LIO_AUTHORIZE].known = 0;
	end_poll();
	assert_false(t->failures.authorize.known);
	assert_false(t->failures.negotiate.known);
	assert_false(t->login_failures.known);
	assert_int_equal(t->discontinuity_ns, 0);
	t = poll_logins(2, 1, 0);
	assert_int_equal(t->failures.negotiate.value, 1);
	assert_int_equal(t->login_failures.value, 2);
	assert_int_equal(t->discontinuity_ns, 0);
	assert_false(t->last_failure_time.known);
}

static void test_failure_during_a_hole_is_seen_after_it(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(0, 0, 0);
	t = login_counts(1, 0, 0);
	t->counters[LIO_AUTHORIZE].known = 0;
	end_poll();
	assert_int_equal(t->last_failure_time.ns, 0);
	t = poll_logins(1, 1, 0);
	assert_int_equal(t->last_failure_type.value, AUTHORIZE);
	assert_int_equal(t->last_failure_time.ns, now);
}

/* ---- targets made anew ---- */

static void test_counter_that_goes_back_is_a_discontinuity(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(9, 0, 2);
	assert_int_equal(memory.targets[0].life, 0);
	t = poll_logins(1, 0, 1);
	assert_int_equal(t->discontinuity_ns, now);
	assert_int_equal(t->life, 1);
	assert_int_equal(t->failures.negotiate.value, 0);
	assert_int_equal(t->login_failures.value, 1);
	/* It counted from 0, and has failed since. */
	assert_int_equal(t->last_failure_type.value, AUTHENTICATE);
	assert_int_equal(t->last_failure_time.ns, now);
}

static void test_each_counter_can_tell_of_it(void **state)
{
	struct lio_target *t;

	(void)state;
	for (int i = 0; i < LIO_COUNTERS; i++) {
		t = login_counts(10, 1, 1);
		t->counters[i].value = 7 + (uint64_t)i;
		end_poll();
		t->discontinuity_ns = 0;
		t = login_counts(10, 1, 1);
		t->counters[i].value = 0;
		end_poll();
		assert_int_equal(t->discontinuity_ns, now);
	}
}

static void test_target_that_comes_back_is_another(void **state)
{
	struct lio_target *t;

	(void)state;
	poll_logins(2, 1, 0);
	lio_memory_begin(&memory);
	end_poll();
	assert_false(memory.targets[0].exists);
	lio_memory_begin(&memory);
	end_poll();
	assert_int_equal(memory.targets[0].life, 1);
	t = poll_logins(1, 0, 1);
	assert_int_equal(t->life, 1);
	assert_int_equal(t->discontinuity_ns, now);
	assert_int_equal(t->last_failure_type.value, AUTHENTICATE);
	assert_int_equal(t->last_failure_time.ns, now);
}

static void test_new_target_counts_from_nothing(void **state)
{
	struct lio_target *t;

	(void)state;
	lio_memory_begin(&memory);
	end_poll();
	t = poll_logins(1, 1, 0);
	assert_int_equal(t->discontinuity_ns, 0);
	assert_int_equal(t->last_failure_type.value, AUTHORIZE);
	assert_int_equal(t->last_failure_time.ns, now);
}

/* ---- failed sessions ---- */

static void test_failed_session_is_of_the_target_that_moved(void **state)
{
	(void)state;
	lio_memory_begin(&memory);
	poll_sessions("a", 1, 1, "iqn.a");
	poll_sessions("b", 2, 2, "iqn.b");
	end_poll();
	/* Which came last is not known. */
	assert_false(memory.last_failure_type.known);
	assert_string_equal(memory.last_failure_name, "");
	lio_memory_begin(&memory);
	poll_sessions("a", 2, 3, "iqn.c");
	poll_sessions("b", 2, 2, "iqn.b");
	end_poll();
	assert_int_equal(memory.last_failure_type.value, 3);
	assert_string_equal(memory.last_failure_name, "iqn.c");
	assert_int_equal(memory.discontinuity_ns, 0);
}

static void test_failed_sessions_before_the_first_poll_that_agree(void **state)
{
	(void)state;
	lio_memory_begin(&memory);
	poll_sessions("a", 1, 2, "iqn.a");
	poll_sessions("b", 0, 0, "");
	poll_sessions("c", 2, 2, "iqn.c");
	end_poll();
	assert_int_equal(memory.last_failure_type.value, 2);
	assert_string_equal(memory.last_failure_name, "");
}

static void test_no_failed_session(void **state)
{
	(void)state;
	lio_memory_begin(&memory);
	poll_sessions("a", 0, 0, "");
	end_poll();
	assert_false(memory.last_failure_type.known);
	assert_string_equal(memory.last_failure_name, "");
}

static void test_target_with_failed_sessions_that_goes(void **state)
{
	(void)state;
	lio_memory_begin(&memory);
	poll_sessions("a", 1, 2, "iqn.a");
	poll_sessions("b", 0, 0, "");
	end_poll();
	lio_memory_begin(&memory);
	poll_sessions("a", 1, 2, "iqn.a");
	end_poll();
	assert_int_equal(memory.discontinuity_ns, 0); /* b had none */
	lio_memory_begin(&memory);
	end_poll();
	assert_int_equal(memory.discontinuity_ns, now);
	/* Once. */
	lio_memory_begin(&memory);
	end_poll();
	assert_int_equal(memory.discontinuity_ns, now - 1);
}

static void test_target_with_failed_sessions_that_begins_anew(void **state)
{
	(void)state;
	lio_memory_begin(&memory);
	poll_sessions("a", 3, 2, "iqn.a");
	end_poll();
	lio_memory_begin(&memory);
	poll_sessions("a", 1, 1, "iqn.b");
	end_poll();
	assert_int_equal(memory.discontinuity_ns, now);
	assert_int_equal(memory.last_failure_type.value, 1);
	assert_string_equal(memory.last_failure_name, "iqn.b");
}

#define COUNT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		COUNT_TEST(test_second_count_of_a_failure_is_none),
		COUNT_TEST(test_lost_connection_is_a_negotiation_failure),
		COUNT_TEST(test_refused_negotiation_counts_twice),
		COUNT_TEST(test_failure_seen_half_moves_no_other_counter),
		COUNT_TEST(test_negotiation_failures_never_go_back),
		COUNT_TEST(test_time_and_type_are_of_what_moved),
		COUNT_TEST(test_several_moved),
		COUNT_TEST(test_before_the_first_poll_one_cause_is_certain),
		COUNT_TEST(test_before_the_first_poll_two_causes_are_not),
		COUNT_TEST(test_unknown_counter_is_a_hole_and_no_movement),
		COUNT_TEST(test_failure_during_a_hole_is_seen_after_it),
		COUNT_TEST(test_counter_that_goes_back_is_a_discontinuity),
		COUNT_TEST(test_each_counter_can_tell_of_it),
		COUNT_TEST(test_target_that_comes_back_is_another),
		COUNT_TEST(test_new_target_counts_from_nothing),
		COUNT_TEST(test_failed_session_is_of_the_target_that_moved),
		COUNT_TEST(test_failed_sessions_before_the_first_poll_that_agree),
		COUNT_TEST(test_no_failed_session),
		COUNT_TEST(test_target_with_failed_sessions_that_goes),
		COUNT_TEST(test_target_with_failed_sessions_that_begins_anew),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
