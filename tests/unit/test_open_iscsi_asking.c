/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long a poll of the source asks the kernel for statistics, with a kernel at the other end
 * (fake_kernel) that takes its time. The recording two-targets has four sessions.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static void take_30_ms(unsigned int requests)
{
	(void)requests;
	now_ns += 30 * NS_PER_MS;
}

static int begin(void **state)
{
	(void)state;
	kernel_lab_begin("two-targets", 4711);
	for (uint32_t sid = 1; sid <= 5; sid++)
		fake_kernel_connection(sid)->statistics.tx_octets = 1;
	fake_kernel.asked = take_30_ms;
	return 0;
}

/* How many were asked for in a poll that had this much time, and was good. */
static unsigned int ask_within(uint64_t ns)
{
	unsigned int before = fake_kernel.requests;

	now_ns += 30 * NS_PER_S;
	assert_int_equal(lab_poll_within(ns), 0);
	assert_int_equal(lab_result.error, 0);
	return fake_kernel.requests - before;
}

/* The other half is for putting it together: what is not asked for has its turn in the next. */
static void half_of_a_short_time(void **state)
{
	(void)state;
	assert_int_equal(ask_within(100 * NS_PER_MS), 2);
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_true(lab_session(0)->tx_octets.known);
	assert_false(lab_session(3)->tx_octets.known);
	assert_int_equal(ask_within(100 * NS_PER_MS), 2);
	assert_true(lab_session(3)->tx_octets.known);
}

static void of_a_long_one_what_all_need(void **state)
{
	(void)state;
	assert_int_equal(ask_within(10 * NS_PER_S), 4);
	assert_true(lab_session(3)->tx_octets.known);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(half_of_a_short_time),
		TEST(of_a_long_one_what_all_need),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
