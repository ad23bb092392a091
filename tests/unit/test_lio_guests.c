/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio: when the list of sessions without an ACL (dynamic_sessions) is read. A kernel may
 * stop itself when it shows one that is too long.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#define LAB	 "iqn.2026-11.lab.example:"
#define T1	 LAB "t1"
#define GUEST	 LAB "init1"
#define GUESTS	 "t1/tpgt_1/dynamic_sessions"
#define ACLS	 "t1/tpgt_1/acls"
#define SESSIONS "t1/fabric_statistics/iscsi_instance/sessions"
#define ACCEPTS	 "t1/fabric_statistics/iscsi_login_stats/accepts"
#define RELEASE	 "/proc/sys/kernel/osrelease"
#define UNREAD	 "are not read"

static unsigned guest_reads;

static void count_guest_reads(const char *path)
{
	guest_reads += strstr(path, GUESTS) != NULL;
}

/* A poll; returns how often the list was read in it. */
static unsigned poll(void)
{
	guest_reads = 0;
	lio_run_good();
	return guest_reads;
}

static void test_list_that_may_be_too_long_for_the_kernel(void **state)
{
	static const struct {
		const char *release, *panic_on_warn, *sessions;
		bool is_read;
	} cases[] = { { "5.3.18\n", "0\n", "16\n", true }, { "5.3.18\n", "0\n", "17\n", false },
		{ "4.18.0-553.el8\n", "0\n", "?\n", false }, { "\n", "0\n", "17\n", false },
		{ "5.4.0\n", "0\n", "17\n", true }, { "5.4.0\n", "0\n", "?\n", true },
		{ "5.4.0\n", "1\n", "16\n", true }, { "5.4.0\n", "1\n", "17\n", false },
		{ "5.4.0\n", "1\n", "?\n", false }, { "5.4.0\n", "", "17\n", false },
		{ "5.4.0\n", NULL, "17\n", true } };

	(void)state;
	lio_fake.before_read = count_guest_reads;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		lio_put_back();
		lio_load("sessions");
		lio_put(RELEASE, cases[i].release);
		if (cases[i].panic_on_warn) /* else it is not recorded */
			lio_put("/proc/sys/kernel/panic_on_warn", cases[i].panic_on_warn);
		lio_put(SESSIONS, cases[i].sessions);
		assert_int_equal(poll(), cases[i].is_read);
		assert_int_equal(lio_session(T1, GUEST) != NULL, cases[i].is_read);
		assert_int_equal(strstr(lio_poll.note, UNREAD) != NULL, !cases[i].is_read);
	}
}

/* The kernel leaves out what finds no room in its page, and does not say so. */
static void test_list_that_may_be_cut(void **state)
{
	char text[4096 - 224 + 2];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	lio_load("sessions");
	lio_put(SESSIONS, "40\n");
	lio_put(GUESTS, text);
	lio_run_good();
	assert_non_null(strstr(lio_poll.note, "sessions without a row"));
	assert_non_null(strstr(lio_poll.note, "may be cut"));
	text[sizeof(text) - 2] = 0; /* here the longest name had room */
	lio_put(GUESTS, text);
	lio_run_good();
	assert_non_null(strstr(lio_poll.note, "sessions without a row"));
	assert_null(strstr(lio_poll.note, "may be cut"));
}

/* One target with one group, with 17 sessions and so many ACLs that show one each. */
static void put_acls(int count)
{
	char names[1024] = "", name[64], path[128];
	size_t length = 0;

	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), LAB "host%d", i);
		snprintf(path, sizeof(path), ACLS "/%s/info", name);
		lio_put(path, lio_info_text(name, (unsigned)i + 1, "x"));
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s\n", name);
	}
	lio_put(ACLS, names);
	lio_put(RELEASE, "4.18.0-553.el8\n");
	lio_put("/target/iscsi", T1 "\n");
	lio_put("/" T1, "fabric_statistics\ntpgt_1\n");
	lio_put(SESSIONS, "17\n");
	lio_put(GUESTS, "");
}

static void test_list_is_short_where_acls_show_who_is_not_in_it(void **state)
{
	const struct opt_u32 *hidden;

	(void)state;
	lio_fake.before_read = count_guest_reads;
	lio_load("sessions");
	put_acls(17);
	assert_int_equal(poll(), 1);
	assert_int_equal(lio_count_of(OBJECT_SESSION), 17);
	hidden = &LIO_ARRAY(INSTANCE, instance)->sessions_hidden;
	assert_true(hidden->known);
	assert_int_equal(hidden->value, 0);
	assert_string_equal(lio_poll.note, "");
	lio_put(SESSIONS, "33\n");
	assert_int_equal(poll(), 1);
	lio_put(SESSIONS, "34\n");
	assert_int_equal(poll(), 0);
	assert_false(LIO_ARRAY(INSTANCE, instance)->sessions_hidden.known);
	assert_non_null(strstr(lio_poll.note, UNREAD));
	lio_put(SESSIONS, "5\n"); /* most have logged out meanwhile */
	assert_int_equal(poll(), 1);
}

static const char *accepts;

/* The initiators with an ACL log in after the sessions of the target were counted. */
static void log_in(const char *path)
{
	count_guest_reads(path);
	if (strstr(path, ACLS) && accepts)
		lio_put(ACCEPTS, accepts);
	if (strstr(path, ACLS))
		accepts = NULL;
}

static void test_acls_that_show_later_sessions_tell_nothing(void **state)
{
	static const char *const after[] = { "8\n", "?\n" };

	(void)state;
	lio_fake.before_read = log_in;
	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		lio_put_back();
		lio_load("sessions");
		put_acls(17);
		lio_put(ACCEPTS, "7\n");
		accepts = after[i];
		assert_int_equal(poll(), 0);
		lio_put(ACCEPTS, "8\n");
		assert_int_equal(poll(), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list_that_may_be_too_long_for_the_kernel),
		TEST(test_list_that_may_be_cut),
		TEST(test_list_is_short_where_acls_show_who_is_not_in_it),
		TEST(test_acls_that_show_later_sessions_tell_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
