/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin/mode.h: what follows from what a host shows, where no real host shows it in a test. */
#include "plugin/client.h"
#include "plugin/mode.h"
#include "plugin/objects.h"
#include "plugin/result.h"
#include "plugin/summary.h"

#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- the host: plugin/client.h for the modes ---- */

#define CELLS 64

static struct cell {
	oid name[MAX_OID_LEN];
	size_t length;
	struct value value;
} cells[CELLS];
static size_t cell_count;
static int walk_error;

int client_walk(struct client *client, const oid *column, size_t length, client_cell_fn *cell,
	void *context)
{
	(void)client;
	for (size_t i = 0; i < cell_count; i++) {
		const struct cell *c = &cells[i];
		int rc;

		if (c->length < length || memcmp(c->name, column, length * sizeof(oid)) != 0)
			continue;
		rc = cell(context, c->name + length, c->length - length, &c->value);
		if (rc < 0)
			return rc;
	}
	return walk_error;
}

static struct value *add(const oid *name, size_t length)
{
	struct cell *c = &cells[cell_count++];

	assert_true(cell_count <= CELLS);
	memset(c, 0, sizeof(*c));
	memcpy(c->name, name, length * sizeof(oid));
	c->length = length;
	c->value.known = true;
	return &c->value;
}

static void set_text(struct value *value, const char *text)
{
	value->length = strlen(text);
	memcpy(value->text, text, value->length + 1);
}

enum { NONE, CONNECTED, DISCONNECTED, RECONNECTING };
enum { TO_INITIATOR = 1, TO_TARGET };

/* A row of iscsiPathTable; with NONE its status has no instance. */
static void add_path(oid index, uint64_t direction, uint64_t status, const char *target)
{
	add(NAME(PATH_COLUMN(4), index))->number = direction;
	if (status)
		add(NAME(PATH_COLUMN(2), index))->number = status;
	set_text(add(NAME(PATH_COLUMN(6), index)), target);
}

static int set_up(void **state)
{
	(void)state;
	cell_count = 0;
	walk_error = 0;
	add(NAME(SUMMARY(SUM_STATUS)))->number = 1;
	return 0;
}

/* ---- a check ---- */

static struct options options;

/* The first line, and its status. Valid until the next one. */
static const char *checked(mode_fn *mode, enum status *ret_status)
{
	static char line[2048];
	struct result result = RESULT_INIT;

	assert_int_equal(mode(NULL, &options, &result), 0);
	snprintf(line, sizeof(line), "%s", result.text.data);
	*ret_status = result.status;
	result_free(&result);
	return line;
}

static void three_lost_targets_are_named_and_the_rest_counted(void **state)
{
	const char *line;
	enum status status;

	(void)state;
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

static void the_name_of_a_host_leads_to_no_other_directory(void **state)
{
	enum status status;

	(void)state;
	scratch_begin();
	scratch_dir("/kept");
	options.host = "../up/or/down";
	options.port = 161;
	options.state = scratch_path("/kept");
	assert_non_null(strstr(checked(mode_errors, &status), "first look"));
	assert_int_equal(status, STATUS_OK);
	assert_int_equal(access(scratch_path("/kept/check_iscsi_snmp-.._up_or_down-161"), F_OK), 0);
	add(NAME(PATH_COLUMN(31), 1))->number = 2;
	assert_non_null(strstr(checked(mode_errors, &status), "2 errors, 2 outages of paths in "));
	assert_int_equal(status, STATUS_WARNING);
	options.state = NULL;
	scratch_end();
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
		cmocka_unit_test_setup(three_lost_targets_are_named_and_the_rest_counted, set_up),
		cmocka_unit_test_setup(a_path_of_unknown_status_is_neither_up_nor_down, set_up),
		cmocka_unit_test_setup(what_is_no_value_of_a_path_makes_none, set_up),
		cmocka_unit_test_setup(only_a_node_in_the_role_of_a_target_is_one, set_up),
		cmocka_unit_test_setup(the_name_of_a_host_leads_to_no_other_directory, set_up),
		cmocka_unit_test_setup(what_ends_a_walk_ends_the_check, set_up),
		cmocka_unit_test_setup(an_option_that_a_mode_has_not_is_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
