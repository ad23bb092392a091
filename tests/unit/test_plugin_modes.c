/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin/mode.h: what follows from what a host shows, where no real host shows it in a test. */
#include "tests/support/plugin_host.h"

static void three_lost_targets_are_named_and_the_rest_counted(void **state)
{
	const char *line;
	enum status status;

	(void)state;
	show_sources(SUMMARY_CRITICAL, 0);
	for (oid i = 0; i < 5; i++) {
		char name[] = "iqn.a";

		name[4] = (char)('a' + i);
		add_path(10 - i, TO_TARGET, i % 2 ? DISCONNECTED : RECONNECTING, name);
	}
	line = checked(mode_paths, &status);
	assert_int_equal(status, STATUS_CRITICAL);
	if (!strstr(line,
		    "0 of 5 paths connected, no path to iqn.a, iqn.b, iqn.c and 2 other targets, "
		    "iqn.a "))
		fail_msg("%s", line);
	if (!strstr(line, " and 2 more"))
		fail_msg("%s", line);
}

/* An array with a target for each port, and multipath over them. */
static void a_target_that_multipath_makes_up_for_is_not_critical(void **state)
{
	static const char lost[] = "1 of 2 paths connected, no path to iqn.a.port1",
			  but[] = ", but multipath makes up for it, iqn.a.port1 ";
	const char *line;
	enum status status;

	(void)state;
	host_clear();
	show_sources(SUMMARY_DEGRADED, 0);
	add_path(1, TO_TARGET, RECONNECTING, "iqn.a.port1");
	add_path(2, TO_TARGET, CONNECTED, "iqn.a.port2");
	options.targets = "iqn.a.port2,iqn.a.*";
	for (int i = 0; i < 2; i++) {
		line = checked(mode_paths, &status);
		assert_int_equal(status, STATUS_WARNING);
		if (strncmp(line, lost, strlen(lost)) != 0 || !strstr(line, but))
			fail_msg("%s", line);
		options.targets = NULL;
	}
	/* It is a path that is down, for the ranges as well. */
	assert_int_equal(range_parse("1", &options.critical), 0);
	checked(mode_paths, &status);
	assert_int_equal(status, STATUS_OK);
	/* Who names it wants to reach it. */
	options.targets = "iqn.a.port2,IQN.A.PORT1";
	line = checked(mode_paths, &status);
	assert_int_equal(status, STATUS_CRITICAL);
	assert_null(strstr(line, "multipath"));
	options.targets = NULL;
	/* Nothing makes up for it, or nobody knows. */
	for (uint64_t overall = SUMMARY_CRITICAL; overall <= SUMMARY_UNKNOWN; overall++) {
		cells[0].value.number = overall;
		line = checked(mode_paths, &status);
		assert_int_equal(status, STATUS_CRITICAL);
		assert_null(strstr(line, "multipath"));
	}
}

/* The summary was asked first, and the target lost in between. */
static void the_status_that_counts_is_not_older_than_the_paths(void **state)
{
	struct result result = RESULT_INIT;
	enum status status;

	(void)state;
	add_path(1, TO_TARGET, DISCONNECTED, "iqn.a");
	checked(mode_paths, &status);
	assert_int_equal(status, STATUS_WARNING);
	/* What a GET of it shows, and a walk does not. */
	walked = cell_count;
	show_sources(SUMMARY_CRITICAL, 0);
	checked(mode_paths, &status);
	assert_int_equal(status, STATUS_CRITICAL);
	/* It has no status any more: the one of before. */
	cells[walked].value.known = false;
	cells[0].value.number = SUMMARY_CRITICAL;
	checked(mode_paths, &status);
	assert_int_equal(status, STATUS_CRITICAL);
	get_error = -ETIMEDOUT;
	assert_int_equal(mode_paths(NULL, &options, &result), -ETIMEDOUT);
	result_free(&result);
}

static void a_path_of_unknown_status_is_neither_up_nor_down(void **state)
{
	enum status status;

	(void)state;
	add_path(1, TO_TARGET, CONNECTED, "iqn.a");
	add_path(2, TO_TARGET, NONE, "iqn.b");
	assert_string_equal(
		checked(mode_paths, &status), "1 of 2 paths connected, 1 of unknown status");
	assert_int_equal(status, STATUS_UNKNOWN);
	/* What is known to be wrong goes first. */
	add_path(3, TO_TARGET, DISCONNECTED, "iqn.b");
	assert_string_equal(checked(mode_paths, &status),
		"1 of 3 paths connected, iqn.b  () disconnected, 1 of unknown status");
	assert_int_equal(status, STATUS_WARNING);
	/* Among the details it is named as what it is. */
	options.verbose = 1;
	struct result result = RESULT_INIT;
	assert_int_equal(mode_paths(NULL, &options, &result), 0);
	options.verbose = 0;
	assert_non_null(strstr(result.details.data, "\niqn.b  () of unknown status\n"));
	result_free(&result);
}

static void what_is_no_value_of_a_path_makes_none(void **state)
{
	enum status status;

	(void)state;
	add_path(1, TO_TARGET, CONNECTED, "iqn.a");
	add_path(2, TO_INITIATOR, DISCONNECTED, "iqn.here");
	add(NAME(PATH_COLUMN(4), 3))->known = false;
	add(NAME(PATH_COLUMN(4), 4, 5))->number = TO_TARGET;
	assert_string_equal(checked(mode_paths, &status), "1 of 1 paths connected");
	assert_int_equal(status, STATUS_OK);
}

static void add_node(oid instance, oid number, const char *roles, const char *name)
{
	set_text(add(NAME(ISCSI_OBJECTS, 5, 1, 1, 2, instance, number)), name);
	set_text(add(NAME(ISCSI_OBJECTS, 5, 1, 1, 4, instance, number)), roles);
}

static void only_a_node_in_the_role_of_a_target_is_one(void **state)
{
	enum status status;

	(void)state;
	add_node(1, 1, "\x80", "iqn.target");
	add_node(1, 2, "\x40", "iqn.initiator");
	add_node(2, 1, "\xc0", "iqn.both");
	add_node(2, 2, "", "iqn.neither");
	set_text(add(NAME(ISCSI_OBJECTS, 5, 1, 1, 4, 3)), "\x80");
	set_text(add(NAME(ISCSI_OBJECTS, 5, 1, 1, 2, 3)), "iqn.half an index");
	assert_string_equal(checked(mode_targets, &status), "2 targets");
	assert_int_equal(status, STATUS_OK);
	options.targets = "iqn.neither,iqn.both";
	assert_string_equal(checked(mode_targets, &status), "1 targets: missing iqn.neither");
	assert_int_equal(status, STATUS_CRITICAL);
	options.targets = NULL;
}

static void what_ends_a_walk_ends_the_check(void **state)
{
	static mode_fn *const modes[] = { mode_health, mode_sessions, mode_targets, mode_paths,
		mode_expected, mode_errors };

	(void)state;
	options.state = "/nonexistent";
	options.host = "h";
	walk_error = -ETIMEDOUT;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		struct result result = RESULT_INIT;

		assert_int_equal(modes[i](NULL, &options, &result), -ETIMEDOUT);
		assert_int_equal(result.text.length, 0);
		result_free(&result);
	}
	options.state = NULL;
}

static void an_option_that_a_mode_has_not_is_refused(void **state)
{
	static const struct options with[] = { { .warning.given = true },
		{ .critical.given = true }, { .targets = "x" }, { .inbound = true },
		{ .state = "/x" } };
	static const char *const names[] = { "-w", "-c", "-T", "--inbound", "--state" };
	static const struct {
		const char *mode;
		bool takes[ARRAY_SIZE(with)];
	} modes[] = {
		{ "health", { false, false, false, false, false } },
		{ "sessions", { true, true, false, true, false } },
		{ "paths", { true, true, true, false, false } },
		{ "expected", { true, true, true, false, false } },
		{ "targets", { true, true, true, false, false } },
		{ "errors", { true, true, false, false, true } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct mode *mode = mode_find(modes[i].mode);

		assert_non_null(mode);
		assert_null(mode_refuses(mode, &options));
		for (size_t o = 0; o < ARRAY_SIZE(with); o++) {
			const char *refused = mode_refuses(mode, &with[o]);

			if (modes[i].takes[o] ? refused != NULL
					      : !refused || strcmp(refused, names[o]) != 0)
				fail_msg("%s of %s", names[o], modes[i].mode);
		}
	}
	assert_null(mode_find("nix"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			three_lost_targets_are_named_and_the_rest_counted, host_begin),
		cmocka_unit_test_setup(
			a_target_that_multipath_makes_up_for_is_not_critical, host_begin),
		cmocka_unit_test_setup(
			the_status_that_counts_is_not_older_than_the_paths, host_begin),
		cmocka_unit_test_setup(a_path_of_unknown_status_is_neither_up_nor_down, host_begin),
		cmocka_unit_test_setup(what_is_no_value_of_a_path_makes_none, host_begin),
		cmocka_unit_test_setup(only_a_node_in_the_role_of_a_target_is_one, host_begin),
		cmocka_unit_test_setup(what_ends_a_walk_ends_the_check, host_begin),
		cmocka_unit_test_setup(an_option_that_a_mode_has_not_is_refused, host_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
