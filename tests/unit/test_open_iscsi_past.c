/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A first login that iscsid tries again, poll after poll: its session fails, and has never been
 * logged in. What tells, what does not, and what it costs. The recording `multipath` (see
 * test_open_iscsi_paths.c) has a session 2 that is up.
 */
#include "base/clock.h"
#include "tests/support/open_iscsi_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "model/session_state.h"

#define SID   2
#define STATE LAB_SESSION(2) "/state"
#define LINK  LAB_CONNECTION(2) "/state"
#define BURST LAB_SESSION(2) "/max_burst_len"
#define OSREL "/proc/sys/kernel/osrelease"

enum { NOT_KNOWN = 0 };

static unsigned int burst_reads;
static void (*hook)(void); /* this happens when BURST was read, once */

ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);

ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	ssize_t rc = __real_root_read(root, path, out, capacity);
	void (*happens)(void) = hook;

	if (strcmp(path, BURST) != 0)
		return rc;
	burst_reads++;
	hook = NULL;
	if (happens)
		happens();
	return rc;
}

/* The values of a login, and of none. */
static void negotiated(bool yes)
{
	lab_file(LAB_SESSION(2) "/first_burst_len", yes ? "65536\n" : "0\n");
	lab_file(BURST, yes ? "262144\n" : "0\n");
}

static void set(const char *session, const char *connection)
{
	lab_file(STATE, session);
	lab_file(LINK, connection);
}

/* iscsid runs, and has just made session 2. */
static int begin(void **state)
{
	(void)state;
	lab_begin("multipath");
	lab_file("/proc/net/netlink", "sk Eth Pid Groups\n0 8 259 00000001\n");
	lab_file("/proc/259/comm", "iscsid\n");
	negotiated(false);
	set("FREE\n", "bound\n");
	hook = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

/* Condition of session 2 after another poll, NOT_KNOWN if it has none. */
static uint32_t poll(void)
{
	burst_reads = 0;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
	for (uint32_t i = 0; i < lab_count(OBJECT_SESSION); i++) {
		const struct session *session = lab_session(i);

		if (session->kernel_number.value == SID)
			return session->condition.known ? session->condition.value : NOT_KNOWN;
	}
	fail_msg("session %d has gone", SID);
	return NOT_KNOWN;
}

static const struct session *session_2(void)
{
	for (uint32_t i = 0; i < lab_count(OBJECT_SESSION); i++) {
		if (lab_session(i)->kernel_number.value == SID)
			return lab_session(i);
	}
	fail_msg("no session %d", SID);
	return NULL;
}

static uint32_t path_status(void)
{
	for (uint32_t i = 0; i < lab_count(OBJECT_PATH); i++) {
		const struct path *path = lab_path(i);

		if (path->session != LINK_NONE && lab_session(path->session) == session_2())
			return path->status.known ? path->status.value : NOT_KNOWN;
	}
	fail_msg("no path of session %d", SID);
	return NOT_KNOWN;
}

static void assert_first_login(void)
{
	assert_int_equal(poll(), SESSION_STARTING);
	assert_int_equal(path_status(), PATH_DISCONNECTED);
	assert_false(session_2()->max_burst_length.known);
}

static void it_is_starting_until_it_is_through(void **state)
{
	(void)state;
	assert_first_login();
	set("FAILED\n", "failed\n"); /* the first refusal, and each later one */
	assert_first_login();
	assert_first_login();
	set("FAILED\n", "bound\n"); /* each further attempt */
	assert_first_login();
	set("FREE\n", "failed\n"); /* recovery_tmo is over */
	assert_first_login();
	set("FREE\n", "bound\n");
	assert_first_login();
	set("FREE\n", "down\n"); /* kernels that say so of a connection that was stopped */
	assert_first_login();
	set("LOGGED_IN\n", "up\n");
	negotiated(true);
	assert_int_equal(poll(), SESSION_UP);
	assert_int_equal(path_status(), PATH_CONNECTED);
	set("FAILED\n", "failed\n");
	assert_int_equal(poll(), SESSION_LOST);
	assert_int_equal(path_status(), PATH_RECONNECTING);
	set("FREE\n", "failed\n");
	assert_int_equal(poll(), SESSION_EXPIRED);
}

/* The agent was started, or its reader anew, in the middle of it. */
static void whoever_looks_first(void **state)
{
	static const char *const states[] = { "FAILED\n", "FREE\n" };
	static const uint32_t lost[] = { SESSION_LOST, SESSION_EXPIRED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		set(states[i], "failed\n");
		negotiated(false);
		lab_restart_reader();
		assert_first_login();
		/* The same states after a login. */
		negotiated(true);
		lab_restart_reader();
		assert_int_equal(poll(), lost[i]);
		assert_int_equal(path_status(), PATH_RECONNECTING);
		assert_int_equal(session_2()->max_burst_length.value, 262144);
	}
}

/* It has logged in, and been lost again, between two polls. */
static void a_login_that_nobody_saw(void **state)
{
	(void)state;
	set("FAILED\n", "failed\n");
	assert_first_login();
	negotiated(true);
	assert_int_equal(poll(), SESSION_LOST);
}

static void goes_through(void)
{
	set("LOGGED_IN\n", "up\n");
	negotiated(true);
}

static void is_bound(void)
{
	lab_file(LINK, "bound\n");
}

/* Its states were read before it was through, its values after that: no loss is told. */
static void through_while_it_is_read(void **state)
{
	static const char *const states[] = { "FAILED\n", "FREE\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		lab_restart_reader();
		set(states[i], "failed\n");
		negotiated(false);
		assert_first_login();
		negotiated(true);
		hook = goes_through;
		assert_int_equal(poll(), NOT_KNOWN);
		assert_null(hook);
		assert_int_equal(poll(), SESSION_UP);
	}
	/* So far only the connection shows it. */
	lab_restart_reader();
	set("FAILED\n", "failed\n");
	negotiated(false);
	assert_first_login();
	negotiated(true);
	hook = is_bound;
	assert_int_equal(poll(), NOT_KNOWN);
	assert_int_equal(poll(), SESSION_STARTING);
}

static void what_cannot_be_read_is_not_known(void **state)
{
	static const char *const states[] = { "FAILED\n", "FREE\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		set(states[i], "failed\n");
		lab_error(BURST, -EIO);
		assert_int_equal(poll(), NOT_KNOWN);
		assert_int_equal(path_status(), NOT_KNOWN);
		lab_file(BURST, "\n");
		assert_int_equal(poll(), NOT_KNOWN);
		lab_file(BURST, "0\n");
		assert_int_equal(poll(), SESSION_STARTING);
	}
	/* Nor is a driver that could not be read: what its files mean is its affair. */
	lab_error("/sys/class/scsi_host/host1/proc_name", -EIO);
	lab_restart_reader();
	set("FAILED\n", "failed\n");
	assert_int_equal(poll(), NOT_KNOWN);
	lab_file("/sys/class/scsi_host/host1/proc_name", "iscsi_tcp\n");
	assert_int_equal(poll(), SESSION_STARTING);
}

/* Adapters that log in by themselves, and kernels without the file: the states are all there is. */
static void where_nothing_tells(void **state)
{
	(void)state;
	set("FAILED\n", "failed\n");
	lab_error(BURST, -ENOENT);
	assert_int_equal(poll(), SESSION_LOST);
	negotiated(false);
	lab_file("/sys/class/scsi_host/host1/proc_name", "qla4xxx\n");
	lab_restart_reader();
	assert_int_equal(poll(), SESSION_LOST);
	lab_file("/sys/class/scsi_host/host1/proc_name", "a driver of later\n");
	lab_restart_reader();
	assert_int_equal(poll(), SESSION_LOST);
	/* iscsid logs in for these. */
	lab_file("/sys/class/scsi_host/host1/proc_name", "bnx2i\n");
	lab_restart_reader();
	assert_int_equal(poll(), SESSION_STARTING);
}

/* Before Linux 5.7 there is no state of a connection. */
static void old_kernels_tell_it_too(void **state)
{
	(void)state;
	lab_file(OSREL, "5.4.0\n");
	lab_error(LINK, -ENOENT);
	lab_file(STATE, "FREE\n");
	lab_restart_reader();
	assert_int_equal(poll(), SESSION_STARTING);
	lab_file(STATE, "FAILED\n");
	assert_int_equal(poll(), SESSION_STARTING);
	lab_file(STATE, "FREE\n");
	assert_int_equal(poll(), SESSION_STARTING);
	negotiated(true);
	lab_file(STATE, "FAILED\n");
	assert_int_equal(poll(), SESSION_LOST);
}

static void one_file_while_it_lasts_and_none_after_that(void **state)
{
	(void)state;
	set("FAILED\n", "failed\n");
	for (int i = 0; i < 3; i++) {
		assert_first_login();
		assert_int_equal(burst_reads, 1);
	}
	set("LOGGED_IN\n", "up\n");
	negotiated(true);
	assert_int_equal(poll(), SESSION_UP);
	assert_int_equal(poll(), SESSION_UP);
	assert_int_equal(burst_reads, 0);
	set("FAILED\n", "failed\n");
	assert_int_equal(poll(), SESSION_LOST);
	assert_int_equal(burst_reads, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(it_is_starting_until_it_is_through),
		TEST(whoever_looks_first),
		TEST(a_login_that_nobody_saw),
		TEST(through_while_it_is_read),
		TEST(what_cannot_be_read_is_not_known),
		TEST(where_nothing_tells),
		TEST(old_kernels_tell_it_too),
		TEST(one_file_while_it_lasts_and_none_after_that),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
