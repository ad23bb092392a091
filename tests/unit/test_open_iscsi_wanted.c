/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many sessions a node record wants: several (node.session.nr_sessions), or none when another
 * one leads to the target (node.leading_login). The recording `multipath`: see
 * test_open_iscsi_paths.c.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define T1 "iqn.2026-11.lab.example:t1"
#define T2 "iqn.2026-11.lab.example:t2"

enum { CONNECTED = 1, DISCONNECTED };
enum { GOOD, CUT, OTHER, OTHER_CUT, MISSING, PATHS };

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static int begin(void **state)
{
	(void)state;
	kernel_lab_begin("multipath", 0);
	return 0;
}

/* Enough for the records to be read again. */
static void poll(void)
{
	now_ns += 30 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

/* A record that is started at boot. `more`: lines. */
static void record(const char *target, const char *address, const char *more)
{
	char path[256], text[512];

	snprintf(path, sizeof(path), "/etc/iscsi/nodes/%s/%s,3260,1/default", target, address);
	snprintf(text, sizeof(text),
		"node.name = %s\nnode.startup = automatic\niface.iscsi_ifacename = default\n"
		"node.conn[0].address = %s\nnode.conn[0].port = 3260\n%s",
		target, address, more);
	lab_file(path, text);
}

/* The sessions that there are, of the numbers 1 to 9. */
static void sessions(const char *numbers)
{
	char list[256] = "", connections[256] = "";

	for (; *numbers; numbers++) {
		size_t length = strlen(list), more = strlen(connections);

		snprintf(list + length, sizeof(list) - length, "session%c\n", *numbers);
		snprintf(connections + more, sizeof(connections) - more, "connection%c:0\n",
			*numbers);
	}
	lab_list("/sys/class/iscsi_session", list);
	lab_list("/sys/class/iscsi_connection", connections);
}

static void assert_path(uint32_t at, const char *address, uint32_t status)
{
	assert_string_equal(lab_address(&lab_path(at)->portal_address), address);
	assert_int_equal(lab_path(at)->status.value, status);
	assert_true(lab_path(at)->expected.known && lab_path(at)->expected.value);
}

/* ---- node.leading_login ---- */

static void lead(const char *last)
{
	record(T2, "10.10.1.2", "node.leading_login = Yes\n");
	record(T2, "10.10.2.2", "node.leading_login = Yes\n");
	record(T2, "fd00:1::2", last);
}

/*
 * The record of a portal that open-iscsi does not log in to while another session leads to the
 * target was missing for ever.
 */
static void what_another_session_leads_to_is_not_missing(void **state)
{
	(void)state;
	lead("node.leading_login = Yes\n");
	sessions("1234");
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS - 1);
	assert_path(OTHER, "10.10.1.2", CONNECTED);
	/* As it was without that line. */
	lead("node.leading_login = No\n");
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS);
	assert_path(MISSING, "fd00:1::2", DISCONNECTED);
}

/* A session that may be on any of these paths: one row, and it is not known to be missing. */
static void a_session_without_a_path_may_lead_there(void **state)
{
	(void)state;
	lead("node.leading_login = Yes\n");
	sessions("123");
	lab_error(LAB_SESSION(3) "/ifacename", -EIO);
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), 3);
	assert_false(lab_path(2)->status.known);
	assert_int_equal(lab_path(2)->session, LINK_NONE);
}

/* Of several that lead there in turn one session is wanted: where the last one was. */
static void one_of_those_that_lead_there_is_missing(void **state)
{
	(void)state;
	lead("node.leading_login = Yes\n");
	sessions("124");
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), 3);
	sessions("12");
	for (int i = 0; i < 2; i++) {
		poll();
		assert_int_equal(lab_count(OBJECT_PATH), 3);
		assert_path(2, "10.10.2.2", DISCONNECTED);
	}
	/* Nobody remembers one: the first. */
	lab_restart_reader();
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), 3);
	assert_path(2, "10.10.1.2", DISCONNECTED);
}

/* One that is logged in for itself will lead there. */
static void none_is_missing_beside_another_record(void **state)
{
	(void)state;
	lead("");
	sessions("12");
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), 3);
	assert_path(2, "fd00:1::2", DISCONNECTED);
}

/* ---- node.session.nr_sessions ---- */

/* The second of two sessions went without a word: its row was gone, and the first one's was all. */
static void each_of_several_sessions_is_missing(void **state)
{
	char key[300];

	(void)state;
	record(T1, "10.10.1.2", "node.session.nr_sessions = 2\n");
	lab_file(LAB_CONNECTION(3) "/persistent_address", "10.10.1.2\n");
	lab_file(LAB_SESSION(3) "/targetname", T1 "\n");
	sessions("123");
	poll();
	assert_path(0, "10.10.1.2", CONNECTED);
	assert_path(1, "10.10.1.2", CONNECTED);
	snprintf(key, sizeof(key), "%s", lab_text(&lab_path(1)->key));
	sessions("12");
	poll();
	assert_path(0, "10.10.1.2", CONNECTED);
	assert_path(1, "10.10.1.2", DISCONNECTED);
	assert_string_equal(lab_text(&lab_path(1)->key), key);
	assert_int_equal(lab_path(1)->session, LINK_NONE);
	assert_int_equal(lab_path(1)->status_time.ns, now_ns);
	/* The next one has that row; then the first one goes. */
	sessions("123");
	poll();
	assert_path(1, "10.10.1.2", CONNECTED);
	sessions("13");
	poll();
	assert_path(0, "10.10.1.2", DISCONNECTED);
	assert_path(1, "10.10.1.2", CONNECTED);
	assert_string_equal(lab_text(&lab_path(1)->key), key);
	/* Both. */
	sessions("1");
	poll();
	assert_path(0, "10.10.1.2", DISCONNECTED);
	assert_path(1, "10.10.1.2", DISCONNECTED);
}

static void numbers_that_are_none_are_one(void **state)
{
	static const struct {
		const char *line;
		int more, without; /* rows than before: with a session of the record, and without */
	} cases[] = {
		{ "", 0, 0 },
		{ "node.session.nr_sessions = 0\n", 0, 0 },
		{ "node.session.nr_sessions = -3\n", 0, 0 },
		{ "node.session.nr_sessions = 1\n", 0, 0 },
		{ "node.session.nr_sessions = 3\n", 2, 2 },
		/* The other record of the target leads there. */
		{ "node.session.nr_sessions = 3\nnode.leading_login = Yes\n", 0, -1 },
		{ "node.session.nr_sessions = 1000\n", 63, 63 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		record(T1, "10.10.1.2", cases[i].line);
		sessions("1234");
		poll();
		assert_int_equal(lab_count(OBJECT_PATH), PATHS + cases[i].more);
		sessions("34");
		poll();
		assert_int_equal(lab_count(OBJECT_PATH), PATHS + cases[i].without);
	}
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(what_another_session_leads_to_is_not_missing),
		TEST(a_session_without_a_path_may_lead_there),
		TEST(one_of_those_that_lead_there_is_missing),
		TEST(none_is_missing_beside_another_record),
		TEST(each_of_several_sessions_is_missing),
		TEST(numbers_that_are_none_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
