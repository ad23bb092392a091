/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of polls, failures and restarts: they go on over all that becomes of a unit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/support/units_lab.h"

/* __wrap_clock_now_ns: units_lab.h */

/* The counts of the one row. */
static void assert_counts(struct units *u, uint64_t polls, uint64_t failures, uint32_t restarts,
	int error, const char *message)
{
	const struct source_status *status = input(u, 1).status;

	assert_int_equal(status->polls, polls);
	assert_int_equal(status->failures, failures);
	assert_int_equal(status->restarts, restarts);
	assert_int_equal(status->last_error, error);
	assert_string_equal(status->message, message);
}

/* A source and its unit without a name are one row. */
static void counts_go_on_with_and_without_the_unit(void **state)
{
	struct units *u = *state;

	units_done(u, 0, 1, false, 0, "");
	units_restarted(u, 0);
	units_done(u, 0, 2, true, -EPIPE, "it has ended");
	assert_counts(u, 2, 1, 1, -EPIPE, "it has ended");
	assert_int_equal(units_good(u, 0, "", 3, fragment(), "", 1, 2), 0);
	units_done(u, 0, 3, true, 0, "");
	assert_counts(u, 3, 1, 1, -EPIPE, "it has ended");
	units_restarted(u, 0);
	assert_int_equal(units_failed(u, 0, "", 4, -ETIMEDOUT, "no answer"), 0);
	units_done(u, 0, 4, true, 0, "");
	assert_counts(u, 4, 2, 2, -ETIMEDOUT, "no answer");
	units_done(u, 0, 5, false, 0, "");
	assert_int_equal(input(u, 1).status->state, SOURCE_ABSENT);
	assert_counts(u, 5, 2, 2, -ETIMEDOUT, "no answer");
	assert_int_equal(units_good(u, 0, "", 6, fragment(), "", 1, 2), 0);
	units_done(u, 0, 6, true, 0, "");
	assert_counts(u, 6, 2, 2, -ETIMEDOUT, "no answer");
}

/* What the source counted for itself while it had the unit does not get lost either. */
static void counts_of_a_source_do_not_go_back_without_its_unit(void **state)
{
	struct units *u = *state;

	assert_int_equal(units_good(u, 0, "", 1, fragment(), "", 1, 2), 0);
	units_done(u, 0, 1, true, -EPIPE, "it has ended");
	units_done(u, 0, 2, false, 0, "");
	assert_counts(u, 2, 1, 0, -EPIPE, "it has ended");
}

static void counts_of_a_named_unit_go_on_when_it_comes_back(void **state)
{
	struct units *u = *state;

	good(u, 1);
	bad(u, 2);
	units_restarted(u, 0);
	units_done(u, 0, 3, true, 0, "");
	assert_string_equal(input(u, 1).status->unit, "");
	good(u, 4);
	assert_counts(u, 3, 1, 1, -ETIMEDOUT, "no answer");
	/* It begins with nothing else: it was not read before. */
	units_done(u, 0, 5, true, 0, "");
	bad(u, 6);
	assert_counts(u, 4, 2, 1, -ETIMEDOUT, "no answer");
	assert_int_equal(input(u, 1).status->last_good_ns, 0);
	assert_null(input(u, 1).fragment);
}

/* Units under ever new names are not remembered without end: those that went first are forgotten.
 */
static void units_that_are_gone_are_remembered_with_a_bound(void **state)
{
	struct units *u = *state;
	uint64_t serial = 1;
	char name[16];

	good(u, serial++);
	for (unsigned i = 0; i < UNITS_MAX; i++, serial++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(units_good(u, 0, name, serial, fragment(), "", 1, 2), 0);
		units_done(u, 0, serial, true, 0, "");
	}
	/* "a" and all but the last of them are gone: as many as are remembered. */
	good(u, serial++);
	assert_int_equal(input(u, 1).status->polls, 2);
	assert_int_equal(units_good(u, 0, "0", serial, fragment(), "", 1, 2), 0);
	units_done(u, 0, serial++, true, 0, "");
	assert_int_equal(input(u, 1).status->polls, 2);
	for (unsigned i = 0; i < UNITS_MAX + 2; i++, serial++) {
		snprintf(name, sizeof(name), "new %u", i);
		assert_int_equal(units_good(u, 0, name, serial, fragment(), "", 1, 2), 0);
		units_done(u, 0, serial, true, 0, "");
	}
	good(u, serial);
	assert_int_equal(input(u, 1).status->polls, 1);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(counts_go_on_with_and_without_the_unit),
		TEST(counts_of_a_source_do_not_go_back_without_its_unit),
		TEST(counts_of_a_named_unit_go_on_when_it_comes_back),
		TEST(units_that_are_gone_are_remembered_with_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
