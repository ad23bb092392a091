/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Node records of open-iscsi that say one thing twice: a row for each thing, not for each record.
 * The recording multipath has five paths and no session for the one to fd00:1::2.
 */
#include "tests/support/open_iscsi_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RECORDS "/etc/iscsi/nodes"
#define T1	"iqn.2026-11.lab.example:t1"
#define T2	"iqn.2026-11.lab.example:t2"
#define INIT	"iqn.2026-11.lab.example:init1"
#define MISSING 4u
#define PATHS	5u
#define OF(a, s) \
	"node.startup = " s "\nnode.conn[0].address = " a "\niface.iscsi_ifacename = default\n"

static int begin(void **state)
{
	(void)state;
	lab_begin("multipath");
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void poll(void)
{
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

/* Of a target that is found in two portal groups (iscsiadm asks, and keeps both): of records that
 * tell of one path the first holds. */
static void two_records_of_one_path(void **state)
{
	lab_list(RECORDS "/" T2,
		"10.10.1.2,3260,1\n10.10.2.2,3260,1\nfd00:1::2,3260,1\nfd00:1::2,3260,2\n");
	lab_list(RECORDS "/" T2 "/fd00:1::2,3260,2", "default\n");
	lab_file(RECORDS "/" T2 "/fd00:1::2,3260,2/default", OF("fd00:1::2", "manual"));
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS);
	assert_string_equal(lab_address(&lab_path(MISSING)->portal_address), "fd00:1::2");
	assert_true(lab_path(MISSING)->expected.value);
	/* The other way round nothing is missing. */
	end(state);
	begin(state);
	lab_list(RECORDS "/" T2,
		"10.10.1.2,3260,1\n10.10.2.2,3260,1\nfd00:1::2,3260,1\nfd00:1::2,3260,2\n");
	lab_list(RECORDS "/" T2 "/fd00:1::2,3260,2", "default\n");
	lab_file(RECORDS "/" T2 "/fd00:1::2,3260,1/default", OF("fd00:1::2", "manual"));
	lab_file(RECORDS "/" T2 "/fd00:1::2,3260,2/default", OF("fd00:1::2", "automatic"));
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS - 1);
}

/* A target names its portals as it likes. Names that look alike when they are put together have
 * one row: two of one key would be refused, and with them all paths. */
static void names_that_make_one_key(void **state)
{
	const char *name;

	(void)state;
	lab_list(RECORDS, T1 "\n" T2 "\na\na at b\n");
	lab_list(RECORDS "/a", "x,3260,1\n");
	lab_list(RECORDS "/a/x,3260,1", "default\n");
	lab_file(RECORDS "/a/x,3260,1/default", OF("b at c", "automatic"));
	lab_list(RECORDS "/a at b", "x,3260,1\n");
	lab_list(RECORDS "/a at b/x,3260,1", "default\n");
	lab_file(RECORDS "/a at b/x,3260,1/default", OF("c", "automatic"));
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS + 1);
	name = lab_text(&lab_path(0)->target_name);
	assert_true(strcmp(name, "a") == 0 || strcmp(name, "a at b") == 0);
	assert_string_equal(lab_text(&lab_path(1)->target_name), T1);
	assert_string_equal(lab_text(&lab_path(PATHS)->target_name), T2);
}

static uint32_t identities(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < lab_count(OBJECT_AUTH); i++) {
		const struct auth *auth = fragment_array(lab_result.fragment, OBJECT_AUTH);

		count += strcmp(lab_text(&auth[i].identity), T1) == 0;
	}
	return count;
}

/* With one that names the default initiator, where others leave it out, and with another's. */
static void the_default_initiator_by_its_name(void **state)
{
	(void)state;
	lab_file(RECORDS "/" T1 "/10.10.2.2,3260,2/default",
		OF("10.10.2.2", "automatic") "iface.initiatorname = " INIT "\n");
	poll();
	assert_int_equal(identities(), 1);
	end(state);
	begin(state);
	lab_file(RECORDS "/" T1 "/10.10.2.2,3260,2/default",
		OF("10.10.2.2", "automatic") "iface.initiatorname = " INIT ".other\n");
	poll();
	assert_int_equal(identities(), 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(two_records_of_one_path),
		TEST(names_that_make_one_key),
		TEST(the_default_initiator_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
