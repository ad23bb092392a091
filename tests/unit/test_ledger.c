/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/ledger.h, the counters: what is shown when the reader, the agent, the stack or the host is
 * started anew, and what a manager is told of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/support/ledger_lab.h"

static struct ledger_lab lab;

static int setup(void **state)
{
	(void)state;
	ledger_lab_open(&lab);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_lab_close(&lab);
	return 0;
}

/* A poll in which everything that can count has counted `count`. */
static void poll_counts(const char *epoch, uint64_t count)
{
	struct instance *instance = ledger_lab_begin(&lab, epoch);

	OPT_SET(instance->session_failures, count);
	OPT_SET(ledger_lab_node(&lab, "n")->initiator_login_failures, count);
	OPT_SET(ledger_lab_session(&lab, "s")->failures, count);
	ledger_lab_end(&lab);
}

static void assert_all_are(uint64_t total)
{
	const struct opt_counter *shown[] = { &ledger_lab_shown(&lab)->session_failures,
		&ledger_lab_shown_node(&lab, "n")->initiator_login_failures,
		&ledger_lab_shown_session(&lab, "s")->failures };

	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		assert_true(shown[i]->known);
		assert_int_equal(shown[i]->value, total);
	}
}

#define BEGINNING 1100 /* of the session that the first poll shows */

static void assert_discontinuities(uint64_t ns)
{
	assert_true(ledger_lab_shown(&lab)->discontinuity.known);
	assert_int_equal(ledger_lab_shown(&lab)->discontinuity.ns, ns);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, ns);
	assert_int_equal(
		ledger_lab_shown_session(&lab, "s")->discontinuity.ns, ns ? ns : BEGINNING);
}

static void the_first_start_shows_what_the_source_says(void **state)
{
	(void)state;
	poll_counts("a", 3);
	assert_all_are(3);
	assert_discontinuities(0); /* the session's is its beginning */
	poll_counts("a", 5);
	assert_all_are(5);
	assert_discontinuities(0);
}

static void a_new_reader_counts_on_and_managers_are_told(void **state)
{
	uint64_t told;

	(void)state;
	poll_counts("a", 5);
	poll_counts("b", 0);
	told = lab.now_ns;
	assert_all_are(5);
	assert_discontinuities(told);
	poll_counts("b", 2);
	assert_all_are(7);
	assert_discontinuities(told);
	poll_counts("c", 1);
	assert_all_are(8);
	assert_discontinuities(lab.now_ns);
}

static void rows_that_count_nothing_are_not_told(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct instance *instance = ledger_lab_begin(&lab, i ? "b" : "a");

		OPT_SET(instance->session_failures, 1);
		ledger_lab_node(&lab, "idle");
		ledger_lab_end(&lab);
	}
	assert_int_equal(ledger_lab_shown(&lab)->discontinuity.ns, lab.now_ns);
	assert_int_equal(ledger_lab_shown_node(&lab, "idle")->discontinuity.ns, 0);
	assert_false(ledger_lab_shown_node(&lab, "idle")->initiator_login_failures.known);
}

static void counts_of_zero_are_told_as_well(void **state)
{
	(void)state;
	poll_counts("a", 0);
	assert_null(ledger_lab_entry(&lab, INDEX_SESSION, "s")->kept);
	poll_counts("b", 0);
	assert_all_are(0);
	assert_discontinuities(lab.now_ns);
}

static void a_new_agent_counts_on_from_its_file(void **state)
{
	uint64_t told;

	(void)state;
	poll_counts("a", 5);
	ledger_lab_restart(&lab, true, false);
	poll_counts("b", 2);
	told = lab.now_ns;
	assert_all_are(7);
	assert_discontinuities(told);
	ledger_lab_restart(&lab, true, false);
	poll_counts("b", 3); /* the reader was not started anew this time */
	assert_all_are(8);
	assert_discontinuities(told);
}

/* A counter that began again at 0 must not look as if it had gone on. */
static void an_agent_that_lost_its_memory_says_so(void **state)
{
	(void)state;
	poll_counts("a", 5);
	ledger_lab_restart(&lab, false, false);
	poll_counts("b", 2);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->initiator_login_failures.value, 2);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, lab.now_ns);
	assert_int_equal(ledger_lab_shown(&lab)->discontinuity.ns, lab.now_ns);
}

static void nothing_is_remembered_over_a_reboot(void **state)
{
	(void)state;
	poll_counts("a", 5);
	ledger_lab_restart(&lab, true, true);
	poll_counts("b", 2);
	assert_all_are(2);
	assert_int_equal(ledger_lab_shown(&lab)->discontinuity.ns, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->object.index, 1); /* its number is */
}

static void a_value_that_goes_back_is_added(void **state)
{
	(void)state;
	poll_counts("a", 5);
	poll_counts("a", 3);
	assert_all_are(8);
	assert_discontinuities(lab.now_ns);
	poll_counts("a", 4);
	assert_all_are(9);
	assert_discontinuities(lab.now_ns - 100);
	poll_counts("b", 1);
	assert_all_are(10);
}

static void what_nobody_counts_is_a_hole(void **state)
{
	(void)state;
	poll_counts("a", 5);
	poll_counts(NULL, 9); /* a source that says so must not set them; they are not believed */
	assert_false(ledger_lab_shown(&lab)->session_failures.known);
	assert_false(ledger_lab_shown_node(&lab, "n")->initiator_login_failures.known);
	assert_false(ledger_lab_shown_session(&lab, "s")->failures.known);
	assert_discontinuities(0);
	poll_counts("a", 6);
	assert_all_are(6);
	assert_discontinuities(0);
	poll_counts(NULL, 0);
	ledger_lab_restart(&lab, true, false);
	poll_counts(NULL, 0);
	assert_false(ledger_lab_shown(&lab)->session_failures.known);
	poll_counts("b", 1);
	assert_all_are(7);
	assert_discontinuities(lab.now_ns);
}

/* The epoch ends while one counter cannot be told: what it had is not lost. */
static void a_count_that_is_unknown_for_a_while_goes_on(void **state)
{
	struct node *node;

	(void)state;
	for (int i = 0; i < 3; i++) {
		ledger_lab_begin(&lab, i == 0 ? "a" : "b");
		node = ledger_lab_node(&lab, "n");
		OPT_SET(node->initiator_login_failures, 4);
		if (i != 1)
			OPT_SET(node->initiator_login_accepts, 6);
		ledger_lab_end(&lab);
		assert_int_equal(
			ledger_lab_shown_node(&lab, "n")->initiator_login_accepts.known, i != 1);
	}
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->initiator_login_accepts.value, 12);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->initiator_login_failures.value, 8);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, lab.now_ns - 100);
}

static void a_row_that_was_away_goes_on(void **state)
{
	(void)state;
	poll_counts("a", 5);
	ledger_lab_begin(&lab, "b");
	ledger_lab_end(&lab);
	poll_counts("c", 2);
	assert_all_are(7);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, lab.now_ns);
	assert_int_equal(ledger_lab_shown_session(&lab, "s")->discontinuity.ns, lab.now_ns);
}

static void a_row_that_was_forgotten_begins_anew(void **state)
{
	(void)state;
	poll_counts("a", 5);
	for (int i = 0; i < 4; i++) {
		ledger_lab_begin(&lab, "a");
		ledger_lab_end(&lab);
	}
	assert_null(ledger_lab_entry(&lab, INDEX_SESSION, "s"));
	poll_counts("a", 2);
	assert_int_equal(ledger_lab_shown_session(&lab, "s")->object.index, 2);
	assert_int_equal(ledger_lab_shown_session(&lab, "s")->failures.value, 2);
	assert_int_equal(ledger_lab_shown_session(&lab, "s")->discontinuity.ns, lab.now_ns);
	/* The node keeps its row: its source began anew without a word. */
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->initiator_login_failures.value, 7);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, lab.now_ns);
}

static void events_that_the_source_lost_are_told_to_rows_that_count(void **state)
{
	uint64_t lost;

	(void)state;
	poll_counts("a", 5);
	for (int i = 0; i < 2; i++) {
		struct instance *instance = ledger_lab_begin(&lab, "a");

		lost = lab.now_ns + 50;
		if (i == 0)
			instance->discontinuity = (struct opt_time){ lost, 1 };
		OPT_SET(instance->session_failures, 5);
		OPT_SET(ledger_lab_node(&lab, "n")->initiator_login_failures, 6);
		ledger_lab_node(&lab, "idle");
		OPT_SET(ledger_lab_session(&lab, "s")->failures, 5);
		ledger_lab_end(&lab);
	}
	lost -= 100; /* the second poll did not tell of it any more */
	assert_discontinuities(lost);
	assert_int_equal(ledger_lab_shown_node(&lab, "idle")->discontinuity.ns, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->initiator_login_failures.value, 6);
}

static void a_discontinuity_that_lies_ahead_is_none(void **state)
{
	(void)state;
	poll_counts("a", 5);
	ledger_lab_begin(&lab, "a")->discontinuity = (struct opt_time){ UINT64_MAX, 1 };
	OPT_SET(ledger_lab_node(&lab, "n")->initiator_login_failures, 5);
	ledger_lab_end(&lab);
	assert_int_equal(ledger_lab_shown(&lab)->discontinuity.ns, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "n")->discontinuity.ns, 0);
}

static void sums_wrap_as_counter64_does(void **state)
{
	(void)state;
	poll_counts("a", UINT64_MAX);
	poll_counts("b", 0);
	assert_all_are(UINT64_MAX);
	poll_counts("b", 3);
	assert_all_are(2);
	poll_counts("c", UINT64_MAX);
	assert_all_are(1);
	poll_counts("c", UINT64_MAX);
	assert_all_are(1);
}

/* ---- stacks that count themselves ---- */

static void poll_absolute(uint64_t count, uint64_t told_ns)
{
	struct node *node;

	ledger_lab_begin(&lab, NULL);
	node = ledger_lab_node(&lab, "t");
	OPT_SET(node->target_login_accepts, count);
	if (told_ns)
		node->discontinuity = (struct opt_time){ told_ns, 1 };
	ledger_lab_end(&lab);
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->target_login_accepts.value, count);
}

static void an_absolute_count_is_shown_as_it_is(void **state)
{
	uint64_t told;

	(void)state;
	poll_absolute(7, 0);
	ledger_lab_restart(&lab, true, false);
	poll_absolute(8, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->discontinuity.ns, 0);
	/* The target was made anew while no reader looked. */
	poll_absolute(1, 0);
	told = lab.now_ns;
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->discontinuity.ns, told);
	poll_absolute(2, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->discontinuity.ns, told);
	/* The source saw it itself. */
	poll_absolute(0, lab.now_ns + 70);
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->discontinuity.ns, lab.now_ns - 30);
	/* And a new reader of it, or a new agent, does not know of that any more. */
	told = lab.now_ns - 30;
	ledger_lab_restart(&lab, true, false);
	poll_absolute(0, 0);
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->discontinuity.ns, told);
}

/* Before its source received events the count was another one. */
static void an_absolute_count_is_no_base(void **state)
{
	(void)state;
	poll_counts(NULL, 7);
	assert_all_are(7);
	poll_counts("a", 2);
	assert_all_are(2);
	assert_discontinuities(lab.now_ns);
}

/* ---- and all of them ---- */

static void objects_of_one_key_are_counted_once(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		ledger_lab_begin(&lab, "a");
		OPT_SET(ledger_lab_session(&lab, "s")->failures, 5);
		OPT_SET(ledger_lab_session(&lab, "s")->failures, 3);
		ledger_lab_end(&lab);
		assert_int_equal(ledger_lab_shown_session(&lab, "s")->failures.value, 5);
		assert_int_equal(ledger_lab_shown_session(&lab, "s")->discontinuity.ns, BEGINNING);
	}
}

static void quiet_rows_cost_no_memory_and_polls_no_saving(void **state)
{
	uint64_t changes;

	(void)state;
	poll_counts("a", 0);
	assert_null(ledger_lab_entry(&lab, INDEX_SESSION, "s")->kept);
	assert_null(ledger_lab_entry(&lab, INDEX_NODE, "n")->kept);
	assert_int_equal(registry_kept_changes(lab.registry), 0);
	poll_counts("a", 1);
	assert_non_null(ledger_lab_entry(&lab, INDEX_SESSION, "s")->kept);
	changes = registry_kept_changes(lab.registry);
	assert_int_equal(changes, 3);
	for (int i = 0; i < 3; i++)
		poll_counts("a", 1);
	assert_int_equal(registry_kept_changes(lab.registry), changes);
}

/* ---- no memory ---- */

static int allocations_left = -1; /* -1 all succeed */
static bool may_allocate(void)
{
	if (allocations_left > 0)
		allocations_left--;
	return allocations_left != 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

void *__wrap_malloc(size_t size)
{
	return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
	return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
	return may_allocate() ? __real_realloc(old, size) : NULL;
}

static struct fragment *fragment_of(const char *epoch, uint64_t count, bool learned)
{
	ledger_lab_begin(&lab, epoch);
	for (int i = 0; i < 3; i++) {
		char key[] = { 's', (char)('0' + i), 0 };
		struct session *session = ledger_lab_session(&lab, key);

		OPT_SET(session->failures, count + (uint64_t)i);
		builder_text(lab.builder, &session->login, "port 1");
		if (learned)
			builder_text(lab.builder, &session->target_alias, "the alias");
	}
	return ledger_lab_seal(&lab);
}

static void every_failed_allocation_leaves_it_right(void **state)
{
	(void)state;
	for (int k = 1, rc = -ENOMEM; rc < 0; k++) {
		struct fragment *before, *after;

		assert_true(k < 100);
		teardown(NULL);
		setup(NULL);
		before = fragment_of("a", 5, true);
		assert_int_equal(ledger_lab_try(&lab, before), 0);
		after = fragment_of("b", 2, false);
		allocations_left = k;
		rc = ledger_lab_try(&lab, after);
		allocations_left = -1;
		assert_true(rc == 0 || rc == -ENOMEM);
		if (rc < 0)
			assert_int_equal(ledger_lab_try(&lab, after), 0);
		assert_int_equal(ledger_lab_shown_session(&lab, "s0")->failures.value, 7);
		assert_int_equal(ledger_lab_shown_session(&lab, "s2")->failures.value, 11);
		assert_true(ledger_lab_shown_session(&lab, "s2")->discontinuity.ns > BEGINNING);
		assert_string_equal(
			ledger_lab_text(&lab, &ledger_lab_shown_session(&lab, "s1")->target_alias),
			"the alias");
		free(before);
		free(after);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_start_shows_what_the_source_says),
		TEST(a_new_reader_counts_on_and_managers_are_told),
		TEST(rows_that_count_nothing_are_not_told),
		TEST(counts_of_zero_are_told_as_well),
		TEST(a_new_agent_counts_on_from_its_file),
		TEST(an_agent_that_lost_its_memory_says_so),
		TEST(nothing_is_remembered_over_a_reboot),
		TEST(a_value_that_goes_back_is_added),
		TEST(what_nobody_counts_is_a_hole),
		TEST(a_count_that_is_unknown_for_a_while_goes_on),
		TEST(a_row_that_was_away_goes_on),
		TEST(a_row_that_was_forgotten_begins_anew),
		TEST(events_that_the_source_lost_are_told_to_rows_that_count),
		TEST(a_discontinuity_that_lies_ahead_is_none),
		TEST(sums_wrap_as_counter64_does),
		TEST(an_absolute_count_is_shown_as_it_is),
		TEST(an_absolute_count_is_no_base),
		TEST(objects_of_one_key_are_counted_once),
		TEST(quiet_rows_cost_no_memory_and_polls_no_saving),
		TEST(every_failed_allocation_leaves_it_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
