/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/agentx_retry.h: when a lost master is looked for again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/agentx_retry.h"
#include "base/clock.h"

#define INTERVAL_NS NS_PER_S
#define BEGIN_NS    (1000 * NS_PER_S)

static int setup(void **state)
{
	static struct retry r;

	retry_begin(&r, INTERVAL_NS, BEGIN_NS);
	*state = &r;
	return 0;
}

static void the_first_try_is_soon(void **state)
{
	struct retry *r = *state;

	assert_int_equal(retry_due_ns(r), BEGIN_NS + RETRY_FIRST_NS);
	retry_opened(r, BEGIN_NS + 1);
	retry_lost(r, true, BEGIN_NS + 5 * NS_PER_S);
	assert_int_equal(retry_due_ns(r), BEGIN_NS + 5 * NS_PER_S + RETRY_FIRST_NS);
}

/* Whenever the master comes back, it has been waited for a quarter longer, or an interval. */
static void the_wait_is_a_quarter_of_the_outage(void **state)
{
	struct retry *r = *state;
	uint64_t last = BEGIN_NS;
	unsigned int tries = 0;

	while (last < BEGIN_NS + 60 * NS_PER_S) {
		uint64_t due = retry_due_ns(r), outage = last - BEGIN_NS;

		assert_true(due >= last + RETRY_FIRST_NS && due <= last + INTERVAL_NS);
		assert_true(due - last <= outage / 4 || due - last == RETRY_FIRST_NS);
		assert_true(outage < 4 * NS_PER_S || due - last == INTERVAL_NS);
		retry_tried(r, tries++ % 2 ? -ECONNREFUSED : -ENOENT, due);
		last = due;
	}
	assert_in_range(tries, 60, 75);
}

static void a_master_that_listens_is_not_hurried(void **state)
{
	static const int results[] = { 0, -EAGAIN, -ETIMEDOUT, -EACCES };
	struct retry *r = *state;

	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		retry_tried(r, results[i], BEGIN_NS + NS_PER_S);
		assert_int_equal(retry_due_ns(r), UINT64_MAX);
	}
	retry_tried(r, -ENOENT, BEGIN_NS + NS_PER_S); /* it has ended */
	assert_int_equal(retry_due_ns(r), BEGIN_NS + NS_PER_S + NS_PER_S / 4);
}

static void nor_one_that_ends_its_sessions_at_once(void **state)
{
	struct retry *r = *state;

	retry_opened(r, BEGIN_NS + NS_PER_S);
	retry_lost(r, true, BEGIN_NS + NS_PER_S + INTERVAL_NS - 1);
	assert_int_equal(retry_due_ns(r), UINT64_MAX);
	retry_opened(r, BEGIN_NS + 3 * NS_PER_S);
	retry_lost(r, true, BEGIN_NS + 3 * NS_PER_S + INTERVAL_NS);
	assert_int_equal(retry_due_ns(r), BEGIN_NS + 4 * NS_PER_S + RETRY_FIRST_NS);
}

static void nor_one_that_we_have_left(void **state)
{
	struct retry *r = *state;

	retry_opened(r, BEGIN_NS);
	retry_lost(r, false, BEGIN_NS + 60 * NS_PER_S);
	assert_int_equal(retry_due_ns(r), UINT64_MAX);
	retry_tried(r, -ENOENT, BEGIN_NS + 61 * NS_PER_S); /* it was about to end */
	assert_int_equal(retry_due_ns(r), BEGIN_NS + 61 * NS_PER_S + NS_PER_S / 4);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_try_is_soon),
		TEST(the_wait_is_a_quarter_of_the_outage),
		TEST(a_master_that_listens_is_not_hurried),
		TEST(nor_one_that_ends_its_sessions_at_once),
		TEST(nor_one_that_we_have_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
