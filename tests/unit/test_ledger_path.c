/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/ledger.h, the history of a path: it outlives the sessions on it, the reader, and the agent
 * process. What the agent cannot know any more is unknown.
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

static void set_time(struct opt_time *field, uint64_t ns)
{
	*field = (struct opt_time){ .ns = ns, .known = 1 };
}

/* A poll begins with the path; its reader has counted this. */
static struct path *say_path(const char *epoch, uint64_t failures, uint64_t reconnects)
{
	struct path *path;

	ledger_lab_begin(&lab, epoch);
	path = ledger_lab_path(&lab, "p");
	if (epoch) {
		OPT_SET(path->failures, failures);
		OPT_SET(path->reconnects, reconnects);
	}
	return path;
}

static const struct path *shown(void)
{
	return ledger_lab_shown_path(&lab, "p");
}

static void assert_counts(uint64_t failures, uint64_t reconnects)
{
	assert_true(shown()->failures.known && shown()->reconnects.known);
	assert_int_equal(shown()->failures.value, failures);
	assert_int_equal(shown()->reconnects.value, reconnects);
}

/* ---- counts ---- */

static void outages_are_counted_on(void **state)
{
	(void)state;
	say_path("a", 3, 2);
	ledger_lab_end(&lab);
	assert_counts(3, 2);
	say_path("b", 0, 1); /* the outage that began before ends */
	ledger_lab_end(&lab);
	assert_counts(3, 3);
	assert_int_equal(shown()->discontinuity.ns, lab.now_ns);
	ledger_lab_restart(&lab, true, false);
	say_path("c", 1, 0);
	ledger_lab_end(&lab);
	assert_counts(4, 3);
	assert_int_equal(shown()->discontinuity.ns, lab.now_ns);
}

static void a_path_without_a_row_for_a_while_counts_on(void **state)
{
	uint64_t told;

	(void)state;
	say_path("a", 3, 3);
	ledger_lab_end(&lab);
	told = shown()->discontinuity.ns;
	for (int i = 0; i < 10; i++) { /* longer than a session is remembered */
		ledger_lab_begin(&lab, "a");
		ledger_lab_end(&lab);
	}
	say_path("a", 4, 3);
	ledger_lab_end(&lab);
	assert_counts(4, 3);
	assert_int_equal(shown()->discontinuity.ns, told);
}

static void while_nobody_listens_the_counts_are_unknown(void **state)
{
	(void)state;
	say_path("a", 3, 3);
	ledger_lab_end(&lab);
	say_path(NULL, 0, 0);
	ledger_lab_end(&lab);
	assert_false(shown()->failures.known);
	assert_false(shown()->reconnects.known);
	say_path("b", 1, 0);
	ledger_lab_end(&lab);
	assert_counts(4, 3);
	assert_int_equal(shown()->discontinuity.ns, lab.now_ns);
}

static void another_boot_begins_anew_under_the_same_number(void **state)
{
	uint32_t number;

	(void)state;
	say_path("a", 3, 3);
	ledger_lab_end(&lab);
	number = shown()->object.index;
	ledger_lab_restart(&lab, true, true);
	say_path("b", 0, 0);
	ledger_lab_end(&lab);
	assert_counts(0, 0);
	assert_int_equal(shown()->object.index, number);
}

/* ---- events ---- */

static void the_last_outage_is_remembered_with_its_length(void **state)
{
	struct path *path = say_path("a", 1, 1);

	(void)state;
	set_time(&path->outage_end, 1050);
	OPT_SET(path->outage_ms, 700);
	ledger_lab_end(&lab);
	for (int i = 0; i < 2; i++) {
		ledger_lab_restart(&lab, true, false);
		say_path("b", 0, 0);
		ledger_lab_end(&lab);
		assert_int_equal(shown()->outage_end.ns, 1050);
		assert_true(shown()->outage_ms.known);
		assert_int_equal(shown()->outage_ms.value, 700);
	}
	/* Another one ends, of which it is not known when it began: not for as long as the first.
	 */
	set_time(&say_path("b", 0, 1)->outage_end, lab.now_ns);
	ledger_lab_end(&lab);
	assert_int_equal(shown()->outage_end.ns, lab.now_ns - 100);
	assert_false(shown()->outage_ms.known);
}

static void the_last_error_outlives_the_session(void **state)
{
	struct path *path = say_path("a", 1, 0);

	(void)state;
	set_time(&path->last_error_time, 1050);
	OPT_SET(path->last_error, 1020);
	ledger_lab_end(&lab);
	/* Another session; none of its own errors. */
	OPT_SET(say_path("a", 1, 1)->last_error, 0);
	ledger_lab_end(&lab);
	assert_int_equal(shown()->last_error.value, 1020);
	assert_int_equal(shown()->last_error_time.ns, 1050);
	/* And none at all. */
	say_path("b", 0, 0);
	ledger_lab_end(&lab);
	assert_int_equal(shown()->last_error.value, 1020);
	path = say_path("b", 1, 0);
	set_time(&path->last_error_time, lab.now_ns);
	OPT_SET(path->last_error, 1022);
	ledger_lab_end(&lab);
	assert_int_equal(shown()->last_error.value, 1022);
}

static void no_error_ever_is_told_as_the_source_does(void **state)
{
	(void)state;
	OPT_SET(say_path("a", 0, 0)->last_error, 0);
	ledger_lab_end(&lab);
	assert_true(shown()->last_error.known);
	assert_int_equal(shown()->last_error.value, 0);
	assert_false(shown()->last_error_time.known);
	say_path("b", 0, 0); /* a reader that came later cannot say so */
	ledger_lab_end(&lab);
	assert_false(shown()->last_error.known);
}

/* While nobody looked the path may have had another status. */
static void since_when_it_has_its_status_is_not_remembered(void **state)
{
	struct path *path = say_path("a", 0, 0);

	(void)state;
	OPT_SET(path->status, 1);
	OPT_SET(path->status_of_time, 1);
	set_time(&path->status_time, 1050);
	ledger_lab_end(&lab);
	assert_true(shown()->status_time.known);
	OPT_SET(say_path("b", 0, 0)->status, 1);
	ledger_lab_end(&lab);
	assert_false(shown()->status_time.known);
}

/* ---- logins ---- */

/* A poll with a session on the path; `port` names its login; `class` below 0: the reader heard
 * none. */
static const struct path *poll_login(const char *epoch, const char *port, int class)
{
	struct session *session;
	struct path *path;

	ledger_lab_begin(&lab, epoch);
	session = ledger_lab_session(&lab, "s");
	builder_text(lab.builder, &session->login, port);
	if (class >= 0) {
		OPT_SET(session->login_class, (uint32_t) class);
		OPT_SET(session->login_detail, 1);
		set_time(&session->login_time, 1050);
	}
	path = ledger_lab_path(&lab, "p");
	path->session = 0;
	ledger_lab_end(&lab);
	return shown();
}

static void a_path_shows_the_last_login_of_its_session(void **state)
{
	const struct path *path = poll_login("a", "port 1", 2);

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(path->login_class.known);
		assert_int_equal(path->login_class.value, 2);
		assert_int_equal(path->login_detail.value, 1);
		assert_int_equal(path->login_time.ns, 1050);
		path = poll_login("b", "port 1", -1); /* what the reader before it heard */
	}
	path = poll_login("b", "port 2", -1); /* another login, which nobody heard */
	assert_false(path->login_class.known);
	assert_false(path->login_detail.known);
	assert_false(path->login_time.known);
}

static void a_path_without_a_session_has_what_its_source_says(void **state)
{
	(void)state;
	poll_login("a", "port 1", 0);
	say_path("a", 0, 0);
	ledger_lab_end(&lab);
	assert_false(shown()->login_class.known);
	assert_false(shown()->login_time.known);
	/* But what its source says of it: why it is missing. */
	OPT_SET(say_path("a", 0, 0)->login_class, 2);
	ledger_lab_end(&lab);
	assert_int_equal(shown()->login_class.value, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(outages_are_counted_on),
		TEST(a_path_without_a_row_for_a_while_counts_on),
		TEST(while_nobody_listens_the_counts_are_unknown),
		TEST(another_boot_begins_anew_under_the_same_number),
		TEST(the_last_outage_is_remembered_with_its_length),
		TEST(the_last_error_outlives_the_session),
		TEST(no_error_ever_is_told_as_the_source_does),
		TEST(since_when_it_has_its_status_is_not_remembered),
		TEST(a_path_shows_the_last_login_of_its_session),
		TEST(a_path_without_a_session_has_what_its_source_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
