/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The mode errors: what is told from one check to the next, while rows, sources and the agent go. A
 * minute is between two checks. Wrapped:
 *	__wrap_time
 */
#include "tests/support/plugin_host.h"

#include "plugin/sample.h"
#include "tests/support/scratch.h"

#include <time.h>

static enum status status;
static time_t now;

time_t __wrap_time(time_t *ret);
time_t __wrap_time(time_t *ret)
{
	assert_null(ret);
	return now += 60;
}

static int set_up(void **state)
{
	host_begin(state);
	now = 1700000000;
	scratch_begin();
	scratch_dir("/kept");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

static const char *check(void)
{
	options.state = scratch_path("/kept");
	return checked(mode_errors, &status);
}

static void expect(enum status wanted, const char *start)
{
	const char *text = check();

	if (strncmp(text, start, strlen(start)) != 0)
		fail_msg("wanted: %s\ngot: %s", start, text);
	if (status != wanted)
		fail_msg("status %d of: %s", (int)status, text);
}

/* The host shows this from now on. */
static void show(uint64_t overall, uint64_t failing)
{
	host_clear();
	show_sources(overall, failing);
}

static void the_name_of_a_host_leads_to_no_other_directory(void **state)
{
	(void)state;
	options.host = "../up/or/down";
	expect(STATUS_OK, "first look: what fails is counted from now on");
	assert_int_equal(access(scratch_path("/kept/check_iscsi_snmp-.._up_or_down-161"), F_OK), 0);
	add_failures(1, 2);
	expect(STATUS_WARNING, "2 errors, 2 outages of paths in ");
}

static void without_the_agent_the_file_stays(void **state)
{
	struct result result = RESULT_INIT;
	char *before, *after;
	size_t length;

	(void)state;
	add_failures(1, 500);
	expect(STATUS_OK, "first look");
	expect(STATUS_OK, "0 errors in ");
	before = scratch_read("/kept/check_iscsi_snmp-h-161", &length);
	host_clear();
	options.state = scratch_path("/kept");
	assert_int_equal(mode_errors(NULL, &options, &result), -ENOENT);
	after = scratch_read("/kept/check_iscsi_snmp-h-161", &length);
	assert_string_equal(before, after);
	free(before);
	free(after);
	result_free(&result);
	/* It is back. The clock of this machine may have been set, too. */
	show(1, 0);
	add_failures(1, 501);
	now = 1600000000;
	expect(STATUS_WARNING, "1 errors, 1 outages of paths in 0 s");
}

static void a_source_that_was_away_brings_no_news_of_old(void **state)
{
	(void)state;
	add_failures(1, 500);
	add_failures(2, 30);
	expect(STATUS_OK, "first look");
	show(SUMMARY_UNKNOWN, 1);
	expect(STATUS_UNKNOWN, "0 errors in 60 s, a source cannot be read");
	expect(STATUS_UNKNOWN, "0 errors in 60 s, a source cannot be read");
	show(1, 0);
	add_failures(1, 500);
	add_failures(2, 32);
	/* Nobody can tell whether its failures are of now. */
	add_failures(3, 400);
	expect(STATUS_WARNING, "2 errors, 2 outages of paths in ");
	/* A row of which a whole sample has nothing was not there. */
	add_failures(4, 1);
	expect(STATUS_WARNING, "1 errors, 1 outages of paths in ");
	expect(STATUS_OK, "0 errors in ");
}

static void a_row_that_comes_and_goes_is_remembered(void **state)
{
	(void)state;
	add_failures(1, 500);
	add_failures(2, 1);
	expect(STATUS_OK, "first look");
	show(1, 0);
	add_failures(2, 1);
	expect(STATUS_OK, "0 errors in ");
	add_failures(1, 500);
	expect(STATUS_OK, "0 errors in ");
}

static void a_first_look_that_cannot_see_all_says_so(void **state)
{
	(void)state;
	show(1, 2);
	expect(STATUS_UNKNOWN,
		"first look: what fails is counted from now on, 2 sources cannot be read");
	show(1, 0);
	add_failures(1, 500);
	expect(STATUS_OK, "0 errors in ");
	/* So it is of an agent that has just started; nothing fails then. */
	options.host = "other";
	show(3, 0);
	add(NAME(PATH_OBJECTS, 6, 1, 4, 1))->number = 7;
	expect(STATUS_UNKNOWN,
		"first look: what fails is counted from now on, a source has not been read yet");
	show(1, 0);
	add_failures(1, 500);
	expect(STATUS_OK, "0 errors in ");
}

static void errors_are_told_though_a_source_fails(void **state)
{
	(void)state;
	add_failures(1, 5);
	expect(STATUS_OK, "first look");
	show(1, 1);
	add_failures(1, 7);
	expect(STATUS_WARNING, "2 errors, 2 outages of paths in 60 s, a source cannot be read");
	/* What ranges let pass is not called well either. */
	show(1, 1);
	add_failures(1, 8);
	assert_int_equal(range_parse("5", &options.warning), 0);
	expect(STATUS_UNKNOWN, "1 errors, 1 outages of paths in 60 s, a source cannot be read");
}

/* Each source is read, and tells of a path whose status it does not know. */
static void a_status_that_is_unknown_is_not_called_well(void **state)
{
	static const char why[] = ", the agent does not know the status of this host";
	char wanted[200];

	(void)state;
	show(SUMMARY_UNKNOWN, 0);
	add_failures(1, 5);
	snprintf(wanted, sizeof(wanted), "first look: what fails is counted from now on%s", why);
	expect(STATUS_UNKNOWN, wanted);
	snprintf(wanted, sizeof(wanted), "0 errors in 60 s%s", why);
	expect(STATUS_UNKNOWN, wanted);
	options.state = scratch_path("/kept");
	assert_non_null(strstr(printed(mode_errors), " | errors=0;0;;0 path_failures=5c;;;0\n"));
	/* Errors are worse than that. */
	show(SUMMARY_UNKNOWN, 0);
	add_failures(1, 7);
	snprintf(wanted, sizeof(wanted), "2 errors, 2 outages of paths in 60 s%s", why);
	expect(STATUS_WARNING, wanted);
	show(1, 0);
	add_failures(1, 7);
	expect(STATUS_OK, "0 errors in ");
}

static void a_counter_without_a_cell_is_no_value(void **state)
{
	(void)state;
	options.state = scratch_path("/kept");
	add_failures(1, 5);
	add_failures(2, 6);
	add(NAME(PATH_COLUMN(31), 3))->known = false;
	add(NAME(PATH_OBJECTS, 5, 1, 14, 1, 2, 3, 4))->number = 0;
	assert_string_equal(printed(mode_errors),
		"ISCSI OK - first look: what fails is counted from now on | path_failures=11c;;;0 "
		"device_errors=0c;;;0\n");
	/* Rows that are only remembered are not in the sum. */
	show(1, 0);
	add_failures(2, 6);
	options.state = scratch_path("/kept");
	assert_string_equal(printed(mode_errors),
		"ISCSI OK - 0 errors in 60 s | errors=0;0;;0 path_failures=6c;;;0\n");
	show(SUMMARY_UNKNOWN, 1);
	options.state = scratch_path("/kept");
	assert_string_equal(printed(mode_errors),
		"ISCSI UNKNOWN - 0 errors in 60 s, a source cannot be read\n");
}

static void add_device(oid session, uint64_t errors)
{
	add(NAME(PATH_OBJECTS, 5, 1, 14, 1, 2, session, 0))->number = errors;
}

/* Each login makes devices, and the discovery of a healthy one ends with errors. */
static void a_login_is_no_error_of_its_devices(void **state)
{
	(void)state;
	add_failures(1, 5);
	add_device(3, 2);
	expect(STATUS_OK, "first look");
	show(1, 0);
	add_failures(1, 5);
	add_device(4, 1);
	expect(STATUS_OK, "0 errors in ");
	show(1, 0);
	add_failures(1, 5);
	add_device(4, 2);
	expect(STATUS_WARNING, "1 errors, 1 errors of devices in ");
	/* Found again under the same number. */
	show(1, 0);
	add_failures(1, 5);
	add_device(4, 1);
	expect(STATUS_OK, "0 errors in ");
	show(1, 0);
	add_failures(1, 5);
	add_failures(2, 1);
	add_device(4, 4);
	expect(STATUS_WARNING, "4 errors, 1 outages of paths, 3 errors of devices in ");
}

/* The numbers of sessions begin anew, and the login of one is not always the first. */
static void a_boot_gives_the_rows_of_devices_to_others(void **state)
{
	(void)state;
	add(NAME(HOST_UPTIME))->number = 30000;
	add_failures(1, 5);
	add_device(1, 1);
	expect(STATUS_OK, "first look");
	show(1, 0);
	add(NAME(HOST_UPTIME))->number = 6000;
	/* A path keeps its row, and what it has counted is of this boot. */
	add_failures(1, 7);
	add_device(1, 4);
	expect(STATUS_WARNING, "7 errors, 7 outages of paths in ");
	show(1, 0);
	add(NAME(HOST_UPTIME))->number = 12000;
	add_failures(1, 7);
	add_device(1, 5);
	expect(STATUS_WARNING, "1 errors, 1 errors of devices in ");
	/* A host that does not show it may have been booted, or not. */
	show(1, 0);
	add_device(1, 6);
	expect(STATUS_WARNING, "1 errors, 1 errors of devices in ");
	add(NAME(HOST_UPTIME))->known = false;
	expect(STATUS_OK, "0 errors in ");
}

static void a_foreign_file_is_a_first_look(void **state)
{
	static const char *const texts[] = { "", "nonsense\n",
		"check_iscsi_snmp 1 1700000000 0 0 0 0 0 0 0 0\n",
		"check_iscsi_snmp 2 1700000000 1 1\n" };

	(void)state;
	add_failures(1, 500);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		scratch_text("/kept/check_iscsi_snmp-h-161", texts[i]);
		expect(STATUS_OK, "first look");
		expect(STATUS_OK, "0 errors in ");
	}
}

static void what_cannot_be_kept_is_said(void **state)
{
	(void)state;
	options.state = scratch_path("/absent");
	assert_non_null(strstr(checked(mode_errors, &status), "cannot be written: No such file"));
	assert_int_equal(status, STATUS_UNKNOWN);
	options.state = "";
	assert_string_equal(
		checked(mode_errors, &status), "errors needs --state DIR, or MP_STATE_PATH");
	assert_int_equal(status, STATUS_UNKNOWN);
}

/* The agent stops between the first table and the last. */
static void an_agent_that_stops_in_between_has_not_answered(void **state)
{
	struct result result = RESULT_INIT;

	(void)state;
	add_failures(1, 500);
	walks_left = 4;
	options.state = scratch_path("/kept");
	assert_int_equal(mode_errors(NULL, &options, &result), -ENOENT);
	assert_int_equal(access(scratch_path("/kept/check_iscsi_snmp-h-161"), F_OK), -1);
	result_free(&result);
}

static void a_host_cannot_fill_the_monitor(void **state)
{
	(void)state;
	add_failures(1, 1);
	repeated = SAMPLE_ROWS + 1;
	expect(STATUS_UNKNOWN, "more rows than 1000000 of one counter");
	assert_int_equal(access(scratch_path("/kept/check_iscsi_snmp-h-161"), F_OK), -1);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_name_of_a_host_leads_to_no_other_directory),
		TEST(without_the_agent_the_file_stays),
		TEST(a_source_that_was_away_brings_no_news_of_old),
		TEST(a_row_that_comes_and_goes_is_remembered),
		TEST(a_first_look_that_cannot_see_all_says_so),
		TEST(errors_are_told_though_a_source_fails),
		TEST(a_status_that_is_unknown_is_not_called_well),
		TEST(a_counter_without_a_cell_is_no_value),
		TEST(a_login_is_no_error_of_its_devices),
		TEST(a_boot_gives_the_rows_of_devices_to_others),
		TEST(a_foreign_file_is_a_first_look),
		TEST(what_cannot_be_kept_is_said),
		TEST(an_agent_that_stops_in_between_has_not_answered),
		TEST(a_host_cannot_fill_the_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
