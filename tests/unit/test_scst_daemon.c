/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When the source scst asks iscsi-scstd, and when it must not.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_clock_now_ns
 */
#include "tests/support/scst_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void the_daemon_is_asked_every_five_minutes(void **state)
{
	(void)state;
	scst_poll_good();
	assert_true(strstr(scst.asked, DISKS "/MaxBurstLength\n"));
	assert_true(strstr(scst.asked, TREE "/enabled\n"));
	scst.changes[0] =
		(struct scst_change){ .pattern = DISKS "/MaxBurstLength", .text = "262144\n" };
	scst.now_ns += 299 * NS_PER_S;
	scst_poll_good();
	assert_null(strstr(scst.asked, DISKS "/MaxBurstLength\n"));
	assert_null(strstr(scst.asked, DISKS "/alias\n"));
	assert_null(strstr(scst.asked, TREE "/enabled\n"));
	assert_int_equal(SCST_ARRAY(NODE, node)[0].max_burst_length.value, 1048576);
	scst.now_ns += NS_PER_S;
	scst_poll_good();
	assert_int_equal(SCST_ARRAY(NODE, node)[0].max_burst_length.value, 262144);
}

static void what_failed_is_asked_again_in_half_a_minute(void **state)
{
	(void)state;
	scst.changes[0] =
		(struct scst_change){ .pattern = DISKS "/MaxBurstLength", .error = -EAGAIN };
	scst_poll_good();
	assert_false(SCST_ARRAY(NODE, node)[0].max_burst_length.known);
	assert_true(SCST_ARRAY(NODE, node)[0].first_burst_length.known);
	scst.changes[0].pattern = NULL;
	scst.now_ns += 29 * NS_PER_S;
	scst_poll_good();
	assert_null(strstr(scst.asked, DISKS "/MaxBurstLength\n"));
	scst.now_ns += NS_PER_S;
	scst_poll_good();
	assert_int_equal(SCST_ARRAY(NODE, node)[0].max_burst_length.value, 1048576);
	/* The other target had nothing that failed. */
	assert_null(strstr(scst.asked, ":tapes/MaxBurstLength\n"));
}

/* Of any other user's process it may be only what its name says: but that it is lost is told. */
static void a_daemon_that_is_not_roots_is_told_of(void **state)
{
	(void)state;
	scst_poll_good();
	assert_string_equal(scst.message, "");
	scst.changes[0] = (struct scst_change){ .pattern = "/proc/731/status",
		.text = "Name:\ta\nUid:\t1000\t1000\t1000\t1000\n" };
	scst_poll_good();
	assert_string_equal(
		scst.message, "no portals, no parameters of targets: iscsi-scstd is not root's");
	assert_int_equal(scst_rows(OBJECT_PORTAL), 0);
}

/*
 * The torture tests refused the first open of one of these files (no descriptor was left): the row
 * of the source said that iscsi-scstd was not root's, and sessions, whose keys begin with the
 * daemon, got other numbers for one poll.
 */
static void a_daemon_that_cannot_be_looked_at_is_not_taken_for_none(void **state)
{
	static const char *const files[] = { "/run/iscsi-scstd.pid", "/proc/731/stat",
		"/proc/731/status" };
	static const int passing[] = { -EMFILE, -ENFILE, -ENOMEM, -EIO, -EINTR };
	char before[256], why[128];

	(void)state;
	scst_poll_good();
	snprintf(before, sizeof(before), "%s", scst_session_key());
	for (size_t i = 0; i < ARRAY_SIZE(files) * ARRAY_SIZE(passing); i++) {
		const char *file = files[i / ARRAY_SIZE(passing)];
		int error = passing[i % ARRAY_SIZE(passing)];

		scst_tear_down(NULL);
		scst_set_up(NULL);
		scst.changes[0] = (struct scst_change){ .pattern = file, .error = error };
		scst_poll();
		assert_int_equal(scst.error, error);
		snprintf(why, sizeof(why), "reading %s: %s", file, strerror(-error));
		assert_string_equal(scst.message, why);
		/* The first good poll has the keys that every later one has. */
		scst.changes[0].pattern = NULL;
		scst_poll_good();
		assert_string_equal(scst_session_key(), before);
		assert_true(scst_rows(OBJECT_PORTAL) > 0);
	}
}

static void another_daemon_is_asked_at_once(void **state)
{
	(void)state;
	scst_poll_good();
	scst.changes[0] = (struct scst_change){
		.pattern = "/proc/731/stat",
		.text = "731 (iscsi-scstd) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4712 9\n"
	};
	scst_poll_good();
	assert_true(strstr(scst.asked, DISKS "/MaxBurstLength\n"));
	assert_non_null(strstr(scst_session_key(), "731:4712 target "));
}

static void a_daemon_that_cannot_answer_is_not_asked(void **state)
{
	static const struct scst_change cases[] = {
		{ .pattern = "/proc/731/stat",
			.text = "731 (iscsi-scstd) T 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 9\n" },
		{ .pattern = "/proc/731/stat",
			.text = "731 (iscsi-scstd) D 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 9\n" },
		{ .pattern = "/proc/731/stat",
			.text = "731 (editor) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 9\n" },
		{ .pattern = "/proc/731/stat", .error = -ENOENT },
		{ .pattern = "/proc/731/status", .text = "Name:\ta\nUid:\t1000\t0\t0\t0\n" },
		{ .pattern = "/run/iscsi-scstd.pid", .error = -ENOENT },
		{ .pattern = TREE "/open_state", .text = "closed\n" },
		{ .pattern = TREE "/open_state", .error = -EACCES },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		scst_tear_down(NULL);
		scst_set_up(NULL);
		scst.changes[0] = cases[i];
		scst_poll_good();
		if (strstr(scst.asked, DISKS "/MaxBurstLength\n") ||
			strstr(scst.asked, TREE "/enabled\n"))
			fail_msg("it was asked in case %zu", i);
		assert_int_equal(scst_rows(OBJECT_SESSION), 3);
		/* What it said while it could is kept. */
		scst.changes[0].pattern = NULL;
		scst_poll_good();
		scst.changes[0] = cases[i];
		scst.now_ns += 300 * NS_PER_S;
		scst_poll_good();
		assert_null(strstr(scst.asked, DISKS "/MaxBurstLength\n"));
		assert_int_equal(SCST_ARRAY(NODE, node)[0].max_burst_length.value, 1048576);
	}
}

static void a_slow_daemon_is_left_alone(void **state)
{
	(void)state;
	scst.changes[0] = (struct scst_change){ .pattern = DISKS "/FirstBurstLength",
		.takes_ns = 500 * NS_PER_MS };
	scst_poll_good();
	assert_null(strstr(scst.asked, DISKS "/MaxBurstLength\n"));
	assert_null(strstr(scst.asked, ":tapes/InitialR2T\n"));
	/* It was slow, not wrong. */
	assert_int_equal(SCST_ARRAY(NODE, node)[0].first_burst_length.value, 65536);
	assert_int_equal(scst_rows(OBJECT_SESSION), 3);
	scst.changes[0].pattern = NULL;
	scst.now_ns += 299 * NS_PER_S;
	scst_poll_good();
	assert_null(strstr(scst.asked, DISKS "/InitialR2T\n"));
	scst.now_ns += NS_PER_S;
	scst_poll_good();
	assert_int_equal(SCST_ARRAY(NODE, node)[0].max_burst_length.value, 1048576);
	assert_true(SCST_ARRAY(NODE, node)[1].max_burst_length.known);
}

static void many_targets_leave_half_of_the_time_to_the_kernel(void **state)
{
	(void)state;
	scst.changes[0] =
		(struct scst_change){ .pattern = DISKS "/[A-Za]*", .takes_ns = 200 * NS_PER_MS };
	scst_poll_good();
	assert_null(strstr(scst.asked, DISKS "/alias\n"));
	assert_null(strstr(scst.asked, ":tapes/InitialR2T\n"));
	assert_int_equal(scst_rows(OBJECT_SESSION), 3);
	/* The rest in the next poll. */
	scst.changes[0].pattern = NULL;
	scst_poll_good();
	assert_true(strstr(scst.asked, DISKS "/alias\n"));
	assert_true(SCST_ARRAY(NODE, node)[1].max_burst_length.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_daemon_is_asked_every_five_minutes),
		TEST(what_failed_is_asked_again_in_half_a_minute),
		TEST(a_daemon_that_is_not_roots_is_told_of),
		TEST(a_daemon_that_cannot_be_looked_at_is_not_taken_for_none),
		TEST(another_daemon_is_asked_at_once),
		TEST(a_daemon_that_cannot_answer_is_not_asked),
		TEST(a_slow_daemon_is_left_alone),
		TEST(many_targets_leave_half_of_the_time_to_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
