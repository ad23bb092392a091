/* SPDX-License-Identifier: BSD-2-Clause */
/* Last-good rows, their age, and what is logged of it: once per change, never per poll. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/memfd.h"
#include "tests/support/units_lab.h"

/* __wrap_clock_now_ns: units_lab.h */

/*
 * A host with no stack at all looked like an agent that stands still: no poll made a snapshot, and
 * the age of the first one grew for ever.
 */
static void source_without_units_has_a_row_and_is_seen_to_be_polled(void **state)
{
	assert_int_equal(input(*state, 1).status->state, SOURCE_STARTING);
	assert_null(input(*state, 1).fragment);
	units_done(*state, 0, 1, false, 0, "");
	assert_int_equal(input(*state, 1).status->state, SOURCE_ABSENT);
	assert_true(units_take_changed(*state, true));
	units_done(*state, 0, 2, false, 0, "");
	assert_int_equal(input(*state, 1).status->polls, 2);
	assert_false(units_take_changed(*state, false));
	assert_true(units_take_changed(*state, true));
	assert_false(units_take_changed(*state, true));
}

/*
 * While a stack is read, the polls of those that are not there make no snapshots of their own:
 * with 10,000 sessions that is a second round of work, for one count.
 */
static void what_is_read_shows_the_polls_of_the_absent(void **state)
{
	struct units *u = *state;

	assert_int_equal(units_add_source(u, "scst"), 1);
	good(u, 1);
	assert_true(units_take_changed(u, true));
	units_done(u, 1, 1, false, 0, "");
	assert_true(units_take_changed(u, true)); /* it was not known to be absent */
	units_done(u, 1, 2, false, 0, "");
	assert_false(units_take_changed(u, true));
	bad(u, 2);
	assert_true(units_take_changed(u, true));
	units_done(u, 1, 3, false, 0, "");
	assert_true(units_take_changed(u, true));
	bad(u, 3);
	assert_true(units_take_changed(u, true));
}

/*
 * A reader that was killed on a host without that stack made the whole host "unknown": what a
 * source does not know any more was counted, and an absent stack has nothing to know.
 */
static void absent_source_that_fails_stays_absent_until_stale_max(void **state)
{
	units_done(*state, 0, 1, false, 0, "");
	logs = 0;
	for (int i = 0; i < 2; i++) {
		units_done(*state, 0, 2, false, -EPIPE, "its reader has ended");
		assert_int_equal(input(*state, 1).status->state, SOURCE_ABSENT);
		assert_int_equal(logs, 1);
	}
	assert_int_equal(input(*state, 1).status->failures, 2);
	assert_int_equal(input(*state, 1).status->last_error, -EPIPE);
	assert_true(units_take_changed(*state, true));
	fake_now_ns += 60 * NS_PER_S;
	units_done(*state, 0, 4, false, -EPIPE, "its reader has ended");
	assert_int_equal(input(*state, 1).status->state, SOURCE_FAILING);
	units_done(*state, 0, 5, false, 0, "");
	assert_int_equal(input(*state, 1).status->state, SOURCE_ABSENT);
	assert_int_equal(logs, 1);
}

static void good_unit_is_served(void **state)
{
	good(*state, 1);
	assert_non_null(input(*state, 1).fragment);
	assert_int_equal(input(*state, 1).status->state, SOURCE_OK);
	assert_true(units_take_changed(*state, true));
	assert_false(units_take_changed(*state, true));
}

static void same(struct units *u, uint64_t serial, const char *note)
{
	assert_int_equal(units_same(u, 0, "a", serial, note, 3, 4), 0);
	units_done(u, 0, serial, true, 0, "");
}

/* What was read again and is the same waits for a poll that is in flight, but for one round only.
 */
static void unit_that_is_the_same_waits_for_others(void **state)
{
	good(*state, 1);
	assert_true(units_take_changed(*state, true));
	same(*state, 2, "");
	assert_int_equal(input(*state, 1).status->polls, 2);
	assert_int_equal(input(*state, 1).status->cpu_ns, 4);
	assert_non_null(input(*state, 1).fragment);
	assert_false(units_take_changed(*state, false));
	assert_true(units_take_changed(*state, true));
	assert_false(units_take_changed(*state, true));
	same(*state, 3, "");
	assert_false(units_take_changed(*state, false));
	same(*state, 4, "");
	assert_true(units_take_changed(*state, false));
	assert_false(units_take_changed(*state, true));
	same(*state, 5, "");
	good(*state, 6); /* shows both */
	assert_true(units_take_changed(*state, false));
	assert_false(units_take_changed(*state, true));
	same(*state, 7, "of interest");
	assert_true(units_take_changed(*state, false));
	assert_int_equal(units_same(*state, 0, "b", 8, "", 0, 0), -ENOENT);
}

static struct unit_fragment sealed(const struct fragment *f)
{
	struct fragment *head = malloc(sizeof(*head));

	*head = *f;
	return (struct unit_fragment){
		.data = head, .is_sealed = true, .memfd = memfd_seal("test", f, sizeof(*f))
	};
}

/* One octet, the length, or a failure in between: then it is another one. */
static void same_means_the_same_octets_after_a_good_poll(void **state)
{
	struct fragment f = { .magic = 1, .length = sizeof(f) }, other = { .magic = 1 };

	assert_false(units_is_same(*state, 0, "a", &f, sizeof(f)));
	units_good(*state, 0, "a", 1, sealed(&f), "", 1, 2);
	assert_true(units_is_same(*state, 0, "a", &f, sizeof(f)));
	assert_false(units_is_same(*state, 0, "b", &f, sizeof(f)));
	assert_false(units_is_same(*state, 0, "a", &f, sizeof(f) - 1));
	assert_false(units_is_same(*state, 0, "a", &other, sizeof(other)));
	bad(*state, 2);
	assert_false(units_is_same(*state, 0, "a", &f, sizeof(f)));
	good(*state, 3); /* of the one-shot commands: in memory */
	assert_false(units_is_same(*state, 0, "a", &f, sizeof(f)));
}

static void only_the_first_poll_finds_rows_of_unknown_age(void **state)
{
	good(*state, 1);
	assert_true(input(*state, 1).first);
	good(*state, 2);
	assert_false(input(*state, 1).first);
}

/* What is there could not be seen at first: it has not begun since. */
static void a_unit_that_fails_first_has_rows_of_unknown_age(void **state)
{
	bad(*state, 1);
	units_done(*state, 0, 1, true, 0, "");
	good(*state, 2);
	assert_true(input(*state, 1).first);
	units_done(*state, 0, 2, true, 0, "");
	good(*state, 3);
	assert_false(input(*state, 1).first);
}

static void unit_found_by_a_later_poll_is_new(void **state)
{
	units_done(*state, 0, 1, true, 0, "");
	good(*state, 2);
	assert_false(input(*state, 1).first);
}

static void failing_unit_keeps_its_rows_until_stale_max(void **state)
{
	good(*state, 1);
	bad(*state, 2);
	assert_int_equal(input(*state, 1).status->state, SOURCE_FAILING);
	assert_non_null(input(*state, 1).fragment);
	assert_int_equal(units_next_expiry(*state), fake_now_ns + 60 * NS_PER_S);
	fake_now_ns += 60 * NS_PER_S - 1;
	assert_false(units_expire(*state));
	fake_now_ns++;
	assert_true(units_expire(*state));
	assert_null(input(*state, 1).fragment);
	assert_int_equal(input(*state, 1).status->state, SOURCE_STALE);
	assert_int_equal(units_next_expiry(*state), UINT64_MAX);
}

static void stale_unit_comes_back(void **state)
{
	failing_unit_keeps_its_rows_until_stale_max(state);
	good(*state, 3);
	assert_non_null(input(*state, 1).fragment);
	assert_int_equal(input(*state, 1).status->state, SOURCE_OK);
	assert_non_null(strstr(last_log, "source tgt a: read again"));
}

/*
 * What could not be read and is not there any more has a row for one poll longer, without others:
 * whoever was told that it is stale hears the end of it.
 */
static void stale_unit_that_is_gone_is_absent_first(void **state)
{
	failing_unit_keeps_its_rows_until_stale_max(state);
	assert_true(units_take_changed(*state, true));
	units_done(*state, 0, 3, true, 0, "");
	assert_string_equal(input(*state, 1).status->unit, "a");
	assert_int_equal(input(*state, 1).status->state, SOURCE_ABSENT);
	assert_int_equal(input(*state, 1).status->polls, 3);
	assert_null(input(*state, 1).fragment);
	assert_true(units_take_changed(*state, true));
	assert_non_null(strstr(last_log, "source tgt a: gone"));
	logs = 0;
	units_done(*state, 0, 4, true, 0, "");
	assert_string_equal(input(*state, 1).status->unit, "");
	assert_true(units_take_changed(*state, true));
	assert_int_equal(logs, 0);
}

static void what_is_absent_goes_or_comes_back(void **state)
{
	stale_unit_that_is_gone_is_absent_first(state);
	good(*state, 5);
	assert_int_equal(input(*state, 1).status->state, SOURCE_OK);

	failing_unit_keeps_its_rows_until_stale_max(state);
	units_done(*state, 0, 3, true, 0, "");
	good(*state, 4);
	assert_int_equal(input(*state, 1).status->state, SOURCE_OK);

	failing_unit_keeps_its_rows_until_stale_max(state);
	units_done(*state, 0, 3, true, 0, "");
	bad(*state, 4);
	assert_int_equal(input(*state, 1).status->state, SOURCE_FAILING);
	assert_null(input(*state, 1).fragment);

	/* Also when the poll after it fails. */
	failing_unit_keeps_its_rows_until_stale_max(state);
	units_done(*state, 0, 3, true, 0, "");
	units_done(*state, 0, 4, true, -EPIPE, "its reader process has ended");
	assert_string_equal(input(*state, 1).status->unit, "");
}

static void one_log_line_for_each_change(void **state)
{
	good(*state, 1);
	assert_int_equal(logs, 1);
	good(*state, 2);
	assert_int_equal(logs, 1);
	for (uint64_t serial = 3; serial < 10; serial++)
		bad(*state, serial);
	assert_int_equal(logs, 2);
	assert_string_equal(last_log,
		"source tgt a: no answer (Connection timed out); its rows stay as they were for 60 s");
}

static void noted(struct units *u, uint64_t serial, const char *note)
{
	assert_int_equal(units_good(u, 0, "a", serial, fragment(), note, 1, 2), 0);
	units_done(u, 0, serial, true, 0, "");
}

static void note_is_logged_when_it_begins_and_ends(void **state)
{
	noted(*state, 1, "");
	assert_int_equal(logs, 1);
	noted(*state, 2, "there is more");
	noted(*state, 3, "there is more");
	assert_int_equal(logs, 2);
	assert_string_equal(last_log, "source tgt a: there is more");
	assert_string_equal(input(*state, 1).status->note, "there is more");
	/* A poll that fails says nothing of the rows that stay. */
	bad(*state, 4);
	assert_string_equal(input(*state, 1).status->note, "there is more");
	noted(*state, 5, "");
	assert_int_equal(logs, 5);
	assert_string_equal(last_log, "source tgt a: no longer so: there is more");
	assert_string_equal(input(*state, 1).status->note, "");
}

static void unit_that_is_not_named_is_gone(void **state)
{
	good(*state, 1);
	units_done(*state, 0, 2, true, 0, "");
	assert_null(input(*state, 1).fragment);
	assert_int_equal(input(*state, 1).status->state, SOURCE_OK);
	assert_non_null(strstr(last_log, "source tgt a: gone"));
}

static void failed_poll_keeps_what_it_did_not_name(void **state)
{
	good(*state, 1);
	units_done(*state, 0, 2, true, -EPIPE, "its reader process has ended");
	assert_non_null(input(*state, 1).fragment);
	assert_int_equal(input(*state, 1).status->state, SOURCE_FAILING);
}

static void one_failing_unit_costs_the_other_nothing(void **state)
{
	struct snapshot_input *inputs;

	for (uint64_t serial = 1; serial < 3; serial++) {
		if (serial == 1)
			units_good(*state, 0, "a", serial, fragment(), "", 1, 2);
		else
			units_failed(*state, 0, "a", serial, -EBADMSG, "garbage");
		units_good(*state, 0, "b", serial, fragment(), "", 1, 2);
		units_done(*state, 0, serial, true, 0, "");
	}
	assert_int_equal(units_inputs(*state, false, &inputs), 2);
	assert_int_equal(inputs[0].status->state, SOURCE_FAILING);
	assert_int_equal(inputs[1].status->state, SOURCE_OK);
	assert_non_null(inputs[0].fragment);
	free(inputs);
}

static void number_of_units_is_bounded(void **state)
{
	char name[16];

	for (unsigned i = 0; i < UNITS_MAX; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(units_good(*state, 0, name, 1, fragment(), "", 1, 2), 0);
	}
	assert_int_equal(units_good(*state, 0, "one more", 1, fragment(), "", 1, 2), -ENOSPC);
	assert_int_equal(units_failed(*state, 0, "another", 1, -EIO, "x"), -ENOSPC);
	assert_non_null(strstr(last_log, "more than 64 units"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(source_without_units_has_a_row_and_is_seen_to_be_polled),
		TEST(what_is_read_shows_the_polls_of_the_absent),
		TEST(absent_source_that_fails_stays_absent_until_stale_max),
		TEST(good_unit_is_served),
		TEST(unit_that_is_the_same_waits_for_others),
		TEST(same_means_the_same_octets_after_a_good_poll),
		TEST(only_the_first_poll_finds_rows_of_unknown_age),
		TEST(a_unit_that_fails_first_has_rows_of_unknown_age),
		TEST(unit_found_by_a_later_poll_is_new),
		TEST(failing_unit_keeps_its_rows_until_stale_max),
		TEST(stale_unit_comes_back),
		TEST(stale_unit_that_is_gone_is_absent_first),
		TEST(what_is_absent_goes_or_comes_back),
		TEST(one_log_line_for_each_change),
		TEST(note_is_logged_when_it_begins_and_ends),
		TEST(unit_that_is_not_named_is_gone),
		TEST(failed_poll_keeps_what_it_did_not_name),
		TEST(one_failing_unit_costs_the_other_nothing),
		TEST(number_of_units_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
