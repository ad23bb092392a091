/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin/mode.h: what a mode says while the agent does not know, or is not asked for what is there.
 * That nothing is seen is never called well, what is found wrong is never hidden by it, and what is
 * not known is no value.
 */
#include "tests/support/plugin_host.h"

static mode_fn *const asking[] = { mode_health, mode_sessions, mode_targets, mode_paths,
	mode_expected, mode_errors };

static void add_expected(oid index, uint64_t status, uint64_t expected, const char *target)
{
	add_path(index, TO_TARGET, status, target);
	if (expected)
		add(NAME(PATH_COLUMN(3), index))->number = expected;
}

static void without_the_agent_no_mode_has_an_answer(void **state)
{
	(void)state;
	host_clear();
	options.state = "/nonexistent";
	/* Neither has one whose tables are shown, and the summary is not. */
	for (int shown = 0; shown < 2; shown++) {
		for (size_t i = 0; i < ARRAY_SIZE(asking); i++) {
			struct result result = RESULT_INIT;

			assert_int_equal(asking[i](NULL, &options, &result), -ENOENT);
			assert_int_equal(result.text.length, 0);
			result_free(&result);
		}
		add_target(1, "iqn.a");
		add_path(1, TO_TARGET, CONNECTED, "iqn.a");
	}
}

/* After staleMax the rows of a reader that hangs are gone, and the counts of the summary are 0. */
static void rows_of_a_stale_source_are_not_known(void **state)
{
	(void)state;
	host_clear();
	show_sources(SUMMARY_UNKNOWN, 1);
	show_counts(0, 0, 0, 0);
	show_state(1, 2);
	expect_all(mode_paths, "ISCSI UNKNOWN - 0 of 0 paths connected" UNREAD);
	expect_all(mode_expected, "ISCSI UNKNOWN - 0 of 0 expected paths missing" UNREAD);
	expect_all(mode_sessions, "ISCSI UNKNOWN - 0 of 0 sessions connected, 0 failed" UNREAD);
	expect_all(mode_targets, "ISCSI UNKNOWN - 0 targets" UNREAD);
	options.inbound = true;
	expect_all(mode_sessions, "ISCSI UNKNOWN - 0 sessions at the targets of this host" UNREAD);
	/* A range says nothing of a value that is not known. */
	options.inbound = false;
	assert_int_equal(range_parse("1:", &options.critical), 0);
	expect_all(mode_sessions, "ISCSI UNKNOWN - 0 of 0 sessions connected, 0 failed" UNREAD);
	expect_all(mode_targets, "ISCSI UNKNOWN - 0 targets" UNREAD);
}

static void a_failing_source_may_have_the_rows_that_are_not_there(void **state)
{
	(void)state;
	host_clear();
	show_sources(1, 2);
	show_counts(0, 0, 0, 0);
	expect_all(mode_paths, "ISCSI UNKNOWN - 0 of 0 paths connected, 2 sources cannot be read");
	expect_all(mode_sessions,
		"ISCSI UNKNOWN - 0 of 0 sessions connected, 0 failed, 2 sources cannot be read");
	/* With rows of the question it is another source's matter. */
	add_expected(1, CONNECTED, 1, "iqn.a");
	add_target(1, "iqn.b");
	expect_start(mode_paths, "ISCSI OK - 1 of 1 paths connected | paths_down=0;");
	expect_start(mode_expected, "ISCSI OK - 0 of 1 expected paths missing | paths_missing=0;");
	expect_start(mode_targets, "ISCSI OK - 1 targets | targets=1;");
}

static void a_source_that_was_not_read_yet_is_not_known_either(void **state)
{
	(void)state;
	/* Critical, by what another source tells; nothing fails. */
	host_clear();
	show_sources(3, 0);
	show_counts(0, 0, 0, 0);
	show_state(1, 1);
	show_state(2, 7);
	expect_all(mode_paths,
		"ISCSI UNKNOWN - 0 of 0 paths connected, a source has not been read yet");
	expect_all(mode_targets, "ISCSI UNKNOWN - 0 targets, a source has not been read yet");
}

static void sources_that_are_not_there_are_no_doubt(void **state)
{
	(void)state;
	show_counts(0, 0, 0, 0);
	for (oid i = 1; i <= 6; i++)
		show_state(i, i == 2 ? 1 : i);
	/* Those that failed the last time show the rows of before. */
	for (oid i = 1; i <= 6; i++)
		show_rows(i, i == 3 || i == 5 ? 9 : 0);
	add(NAME(PATH_OBJECTS, 6, 1, 4, 1, 1))->number = 2;
	add(NAME(PATH_OBJECTS, 6, 1, 4, 9))->known = false;
	expect_start(mode_paths, "ISCSI OK - 0 of 0 paths connected | paths_down=0;");
	expect_start(mode_expected, "ISCSI OK - 0 of 0 expected paths missing | paths_missing=0;");
	expect_start(mode_sessions, "ISCSI OK - 0 of 0 sessions connected, 0 failed | sessions_");
	expect_start(mode_targets, "ISCSI OK - 0 targets | targets=0;");
}

static void a_status_that_is_unknown_is_not_called_well(void **state)
{
	static const char why[] = ", the agent does not know the status of this host | ";
	char wanted[200];

	(void)state;
	host_clear();
	show_sources(SUMMARY_UNKNOWN, 0);
	show_counts(1, 1, 0, 1);
	add_expected(1, CONNECTED, 1, "iqn.a");
	add_target(1, "iqn.b");
	snprintf(wanted, sizeof(wanted), "ISCSI UNKNOWN - 1 of 1 paths connected%s", why);
	expect_start(mode_paths, wanted);
	snprintf(wanted, sizeof(wanted), "ISCSI UNKNOWN - 1 of 1 sessions connected, 0 failed%s",
		why);
	expect_start(mode_sessions, wanted);
	snprintf(wanted, sizeof(wanted), "ISCSI UNKNOWN - 1 targets%s", why);
	expect_start(mode_targets, wanted);
}

static void what_is_wrong_is_not_hidden(void **state)
{
	(void)state;
	host_clear();
	show_sources(SUMMARY_UNKNOWN, 1);
	show_counts(2, 0, 2, 0);
	add_expected(1, DISCONNECTED, 1, "iqn.a");
	expect_start(mode_paths, "ISCSI CRITICAL - 0 of 1 paths connected, no path to iqn.a, ");
	expect_start(mode_expected, "ISCSI CRITICAL - 1 of 1 expected paths missing, iqn.a ");
	expect_start(mode_sessions, "ISCSI CRITICAL - 0 of 2 sessions connected, 2 failed, a ");
	options.targets = "iqn.a,iqn.b";
	expect_start(mode_paths, "ISCSI CRITICAL - ");
	options.targets = NULL;
	add_expected(2, CONNECTED, 1, "iqn.a");
	expect_start(mode_paths, "ISCSI WARNING - 1 of 2 paths connected, iqn.a ");
	assert_int_equal(range_parse("0", &options.critical), 0);
	expect_start(mode_paths, "ISCSI CRITICAL - 1 of 2 paths connected, iqn.a ");
}

static void a_name_that_no_path_fits_is_told(void **state)
{
	(void)state;
	add_expected(1, CONNECTED, 1, "iqn.a");
	add_expected(2, CONNECTED, 1, "iqn.b");
	add_path(3, TO_INITIATOR, CONNECTED, "iqn.here");
	options.targets = "iqn.not.there";
	expect_all(
		mode_paths, "ISCSI UNKNOWN - 0 of 0 paths connected, no path fits iqn.not.there");
	expect_all(mode_expected,
		"ISCSI UNKNOWN - 0 of 0 expected paths missing, no path fits iqn.not.there");
	options.targets = "iqn.here,IQN.A,eui.*,iqn.?";
	expect_start(mode_paths,
		"ISCSI UNKNOWN - 2 of 2 paths connected, no path fits iqn.here, eui.* | paths_down=");
	options.targets = "*";
	expect_start(mode_paths, "ISCSI OK - 2 of 2 paths connected | ");
}

static void a_target_that_cannot_be_seen_is_not_missing(void **state)
{
	(void)state;
	options.targets = "iqn.a,iqn.b";
	add_target(1, "iqn.b");
	expect_start(mode_targets, "ISCSI CRITICAL - 1 targets: missing iqn.a | targets=1;");
	/* The last poll failed, and the rows of the one before it are there. */
	cells[1].value.number = 1;
	show_state(1, 3);
	show_rows(1, 2);
	expect_start(mode_targets, "ISCSI CRITICAL - 1 targets: missing iqn.a | ");
	/* They are gone. */
	cells[cell_count - 2].value.number = 2;
	cells[cell_count - 1].value.number = 0;
	expect_all(mode_targets, "ISCSI UNKNOWN - 1 targets: not seen iqn.a" UNREAD);
}

/* One that fails since the agent runs is never stale: it has no rows that could be too old. */
static void a_source_that_was_never_read_may_have_the_target(void **state)
{
	static const uint64_t errors[] = { 3, 5 };

	(void)state;
	options.targets = "iqn.a,iqn.b";
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		host_clear();
		show_sources(2, 1);
		add_target(1, "iqn.b");
		show_state(1, 1);
		show_state(2, errors[i]);
		show_state(4, 3);
		/* Also where its rows are not told. */
		expect_all(mode_targets, "ISCSI UNKNOWN - 1 targets: not seen iqn.a" UNREAD);
		show_rows(1, 0);
		show_rows(2, 0);
		show_rows(3, 5);
		show_rows(4, 5);
		expect_all(mode_targets, "ISCSI UNKNOWN - 1 targets: not seen iqn.a" UNREAD);
		cells[cell_count - 3].value.number = 1;
		expect_start(mode_targets, "ISCSI CRITICAL - 1 targets: missing iqn.a | ");
		cells[cell_count - 1].value.known = false;
		expect_all(mode_targets, "ISCSI UNKNOWN - 1 targets: not seen iqn.a" UNREAD);
	}
}

static void whether_a_path_is_missing_may_not_be_known(void **state)
{
	enum { HOLE, WANTED, UNWANTED };

	(void)state;
	add_expected(1, CONNECTED, WANTED, "iqn.a");
	add_expected(2, CONNECTED, HOLE, "iqn.a");
	add_expected(3, RECONNECTING, HOLE, "iqn.a");
	add_expected(4, NONE, UNWANTED, "iqn.a");
	expect_start(mode_expected, "ISCSI OK - 0 of 1 expected paths missing | ");
	add_expected(5, NONE, WANTED, "iqn.a");
	expect_start(mode_expected,
		"ISCSI UNKNOWN - 0 of 2 expected paths missing, 1 of unknown status | ");
	add_expected(6, DISCONNECTED, HOLE, "iqn.a");
	expect_start(mode_expected,
		"ISCSI UNKNOWN - 0 of 2 expected paths missing, 2 of unknown status | ");
	add_expected(7, DISCONNECTED, WANTED, "iqn.a");
	expect_start(mode_expected, "ISCSI CRITICAL - 1 of 3 expected paths missing, iqn.a ");
}

static void sums_that_are_not_known_are_no_values(void **state)
{
	(void)state;
	host_clear();
	show_sources(SUMMARY_UNKNOWN, 1);
	set_text(add(NAME(SUMMARY(SUM_TEXT))), "UNKNOWN: no path is expected");
	show_counts(0, 0, 0, 3);
	add(NAME(SUMMARY(SUM_PATHS_EXPECTED)))->number = 0;
	add(NAME(SUMMARY(SUM_PATHS_MISSING)))->number = 0;
	add(NAME(SUMMARY(SUM_MAPS)))->number = 2;
	add(NAME(SUMMARY(SUM_MAPS_SHORT)))->number = 0;
	expect_all(mode_health, "ISCSI UNKNOWN - no path is expected | sessions_inbound=3;;;0 "
				"maps=2;;;0 maps_short=0;;;0 sources_failing=1;;;0");
	cells[0].value.number = 1;
	cells[1].value.number = 0;
	expect_start(
		mode_health, "ISCSI OK - no path is expected | sessions=0;;;0 sessions_failed=0");
}

/* An agent that has just started: another source is read already, and tells of a failed map. */
static void sums_of_a_source_that_was_not_read_yet_are_no_values(void **state)
{
	(void)state;
	host_clear();
	show_sources(3, 0);
	set_text(add(NAME(SUMMARY(SUM_TEXT))), "CRITICAL: 1 map has no path");
	show_counts(0, 0, 0, 0);
	add(NAME(SUMMARY(SUM_PATHS_EXPECTED)))->number = 0;
	add(NAME(SUMMARY(SUM_MAPS)))->number = 1;
	add(NAME(SUMMARY(SUM_DEVICES)))->number = 0;
	show_state(1, 7);
	show_state(2, 1);
	expect_all(mode_health,
		"ISCSI CRITICAL - 1 map has no path | maps=1;;;0 sources_failing=0;;;0");
	cells[cell_count - 2].value.number = 1;
	expect_start(mode_health,
		"ISCSI CRITICAL - 1 map has no path | sessions=0;;;0 sessions_failed=0;;;0 ");
}

static void a_summary_without_sessions_tells_none(void **state)
{
	(void)state;
	expect_all(mode_sessions,
		"ISCSI UNKNOWN - the agent does not tell how many sessions there are");
	add(NAME(SUMMARY(SUM_SESSIONS_INBOUND)))->number = 0;
	expect_all(mode_sessions,
		"ISCSI UNKNOWN - the agent does not tell how many sessions there are");
	options.inbound = true;
	expect_start(mode_sessions, "ISCSI OK - 0 sessions at the targets of this host | ");
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup(function, host_begin)
	const struct CMUnitTest tests[] = {
		TEST(without_the_agent_no_mode_has_an_answer),
		TEST(rows_of_a_stale_source_are_not_known),
		TEST(a_failing_source_may_have_the_rows_that_are_not_there),
		TEST(a_source_that_was_not_read_yet_is_not_known_either),
		TEST(sources_that_are_not_there_are_no_doubt),
		TEST(a_status_that_is_unknown_is_not_called_well),
		TEST(what_is_wrong_is_not_hidden),
		TEST(a_name_that_no_path_fits_is_told),
		TEST(a_target_that_cannot_be_seen_is_not_missing),
		TEST(a_source_that_was_never_read_may_have_the_target),
		TEST(whether_a_path_is_missing_may_not_be_known),
		TEST(sums_that_are_not_known_are_no_values),
		TEST(sums_of_a_source_that_was_not_read_yet_are_no_values),
		TEST(a_summary_without_sessions_tells_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
