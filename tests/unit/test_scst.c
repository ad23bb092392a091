/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source scst, poll after poll: what is kept, what is left out, and what ends a poll. (What is
 * shown of each recording: tests/golden/scst; each read and allocation that fails:
 * test_source_faults.c.)
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_clock_now_ns
 */
#include "tests/support/scst_wraps.h"

#include <fnmatch.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int sockets_error; /* of root_tcp_sockets, 0 none */

ssize_t __real_root_tcp_sockets(struct root *r, uint64_t deadline_ns, struct root_tcp_socket **ret);
ssize_t __wrap_root_tcp_sockets(struct root *r, uint64_t deadline_ns, struct root_tcp_socket **ret);

ssize_t __wrap_root_tcp_sockets(struct root *r, uint64_t deadline_ns, struct root_tcp_socket **ret)
{
	return sockets_error ? sockets_error : __real_root_tcp_sockets(r, deadline_ns, ret);
}

static void poll_fails(int expected, const char *words)
{
	assert_int_equal(scst_poll(), 0);
	assert_int_equal(scst.units, 1);
	assert_int_equal(scst.error, expected);
	if (!strstr(scst.message, words))
		fail_msg("not of %s: %s", words, scst.message);
}

static void no_secret_and_nothing_to_write_is_read(void **state)
{
	static const char *const never[] = { "*/IncomingUser*", "*/OutgoingUser*", "*/mgmt",
		"*/force_close", "*/latency*", "*/trace_level", "*/iSNSServer", "*/redirect" };
	char *rest = scst.asked, *path;

	(void)state;
	scst_poll_good();
	assert_true(strstr(scst.asked, "/initiator_name\n"));
	while ((path = strsep(&rest, "\n")))
		for (size_t i = 0; i < ARRAY_SIZE(never); i++)
			if (fnmatch(never[i], path, 0) == 0)
				fail_msg("%s was read", path);
}

static void a_counter_that_goes_back_is_a_discontinuity(void **state)
{
	static const char *const attributes[] = { "*:cacdcd2520/write_cmd_count",
		"*:cacdcd2520/read_io_count_kb", "*:cacdcd2520/write_io_count_kb" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		uint64_t reset_ns;

		scst.changes[0] = (struct scst_change){ .pattern = NULL };
		scst_poll_good();
		scst.now_ns += NS_PER_S;
		scst.changes[0] = (struct scst_change){ .pattern = attributes[i], .text = "0\n" };
		scst_poll_good();
		reset_ns = scst.now_ns;
		assert_true(scst_session()->discontinuity.known);
		assert_true(scst_session()->discontinuity.ns == reset_ns);
		/* It was then, also when all goes up again. */
		scst.now_ns += NS_PER_S;
		scst.changes[0].text = "9999999\n";
		scst_poll_good();
		assert_true(scst_session()->discontinuity.ns == reset_ns);
	}
	/* The others were not touched. */
	assert_false(SCST_ARRAY(SESSION, session)[0].discontinuity.known);
}

static void a_target_that_does_not_tell_its_receive_length_could_have_the_smallest(void **state)
{
	(void)state;
	scst.changes[0] = (struct scst_change){ .pattern = DISKS "/MaxRecvDataSegmentLength",
		.error = -EAGAIN };
	scst_poll_good();
	assert_true(scst_rows(OBJECT_PORTAL) > 0);
	assert_false(SCST_ARRAY(PORTAL, portal)[0].max_recv_data_segment_length.known);
	scst.changes[0] = (struct scst_change){ .pattern = NULL };
	scst.now_ns += 60 * NS_PER_S;
	scst_poll_good();
	assert_true(SCST_ARRAY(PORTAL, portal)[0].max_recv_data_segment_length.known);
}

static void a_counter_that_cannot_be_read_for_once_has_not_gone_back(void **state)
{
	(void)state;
	scst_poll_good();
	scst.changes[0] = (struct scst_change){ .pattern = "*:cacdcd2520/read_io_count_kb",
		.error = -EAGAIN };
	scst_poll_good();
	assert_false(scst_session()->tx_octets.known);
	assert_false(scst_session()->discontinuity.known);
	scst.changes[0] =
		(struct scst_change){ .pattern = "*:cacdcd2520/read_io_count_kb", .text = "5\n" };
	scst_poll_good();
	assert_true(scst_session()->tx_octets.value == 5120);
	assert_true(scst_session()->discontinuity.known);
}

/* iscsi-scstd offers one connection, and every login is told the portal group 1. */
static void what_no_login_can_change_is_known(void **state)
{
	(void)state;
	scst_poll_good();
	assert_int_equal(scst_session()->negotiated_max_connections.value, 1);
	assert_int_equal(scst_session()->target_portal_tag.value, 1);
	assert_false(scst_session()->negotiated_time2wait.known);
	assert_false(scst_session()->negotiated_time2retain.known);
}

static void another_session_of_the_same_name_begins_anew(void **state)
{
	char key[256];

	(void)state;
	scst_poll_good();
	snprintf(key, sizeof(key), "%s", scst_session_key());
	scst.changes[0] =
		(struct scst_change){ .pattern = SESSION "/sid", .text = "2000100003d0200\n" };
	scst.changes[1] = (struct scst_change){ .pattern = SESSION "/*_count*", .text = "0\n" };
	scst_poll_good();
	assert_string_not_equal(scst_session_key(), key);
	assert_false(scst_session()->discontinuity.known);
}

static void the_deadline_ends_a_poll(void **state)
{
	(void)state;
	scst_poll_good();
	scst.changes[0] =
		(struct scst_change){ .pattern = SESSION "/sid", .takes_ns = 3 * NS_PER_S };
	poll_fails(-ETIMEDOUT, "reading after " TREE);
	/* Already before the next session. */
	scst.changes[0].pattern = "*win1/sid";
	poll_fails(-ETIMEDOUT, "reading after " TREE);
	assert_null(strstr(scst.asked, SESSION));
	scst.changes[0].pattern = NULL;
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 3);
}

static void a_listing_that_fails_ends_a_poll(void **state)
{
	static const char *const lists[] = { DISKS, DISKS "/sessions", SESSION,
		DISKS "/ini_groups" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		scst.list_changes[0] = (struct scst_change){ .pattern = lists[i], .error = -EIO };
		poll_fails(-EIO, "listing " TREE);
	}
	scst.list_changes[0] = (struct scst_change){ .pattern = TREE, .error = -EIO };
	assert_int_equal(scst_poll(), -EIO);
	assert_int_equal(scst.units, 0);
	assert_int_equal(source_find("scst")->detect(&scst.env), -EIO);
}

static void what_went_away_is_no_row(void **state)
{
	(void)state;
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_CONNECTION), 3);
	scst.list_changes[0] = (struct scst_change){ .pattern = SESSION, .error = -ENOENT };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 2);
	scst.list_changes[0] =
		(struct scst_change){ .pattern = DISKS "/sessions", .error = -ENODEV };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 1);
	scst.list_changes[0] = (struct scst_change){ .pattern = DISKS, .error = -ENOENT };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_NODE), 1);
	scst.list_changes[0].pattern = NULL;
	scst.changes[0] =
		(struct scst_change){ .pattern = SESSION "/10.0.0.1/state", .error = -ENODEV };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_CONNECTION), 2);
	scst.list_changes[0] = (struct scst_change){ .pattern = TREE, .error = -ENOENT };
	assert_int_equal(scst_poll(), 0);
	assert_int_equal(scst.units, 0);
	assert_int_equal(source_find("scst")->detect(&scst.env), 0);
}

static void what_may_not_be_listed_has_no_children(void **state)
{
	(void)state;
	scst.list_changes[0] = (struct scst_change){ .pattern = SESSION, .error = -EACCES };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 3);
	assert_int_equal(scst_rows(OBJECT_CONNECTION), 2);
	assert_false(scst_session()->connection_count.known);
	assert_true(scst_session()->command_pdus.known);
}

static void a_session_that_changes_under_the_reading_is_left_out(void **state)
{
	(void)state;
	/* The SID is read first and last. */
	scst.changes[0] = (struct scst_change){
		.pattern = SESSION "/sid", .text = "2000100003d0200\n", .skip = 1
	};
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 2);
	assert_int_equal(scst_rows(OBJECT_CONNECTION), 2);
	scst.changes[0] =
		(struct scst_change){ .pattern = SESSION "/sid", .error = -ENODEV, .skip = 1 };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 2);
	scst.changes[0] =
		(struct scst_change){ .pattern = SESSION "/sid", .error = -EAGAIN, .skip = 1 };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 2);
	scst.changes[0] = (struct scst_change){ .pattern = SESSION "/sid", .error = -EAGAIN };
	scst_poll_good();
	assert_int_equal(scst_rows(OBJECT_SESSION), 3);
}

static void ports_are_unknown_without_the_table_of_sockets(void **state)
{
	(void)state;
	sockets_error = -ETIMEDOUT;
	scst_poll_good();
	assert_false(SCST_ARRAY(CONNECTION, connection)[0].remote_port.known);
	assert_false(SCST_ARRAY(CONNECTION, connection)[0].local_port.known);
	assert_true(SCST_ARRAY(CONNECTION, connection)[0].remote_address.known);
	sockets_error = 0;
	scst_poll_good();
	assert_int_equal(SCST_ARRAY(CONNECTION, connection)[0].remote_port.value, 49152);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_secret_and_nothing_to_write_is_read),
		TEST(a_target_that_does_not_tell_its_receive_length_could_have_the_smallest),
		TEST(a_counter_that_goes_back_is_a_discontinuity),
		TEST(a_counter_that_cannot_be_read_for_once_has_not_gone_back),
		TEST(what_no_login_can_change_is_known),
		TEST(another_session_of_the_same_name_begins_anew),
		TEST(the_deadline_ends_a_poll),
		TEST(a_listing_that_fails_ends_a_poll),
		TEST(what_went_away_is_no_row),
		TEST(what_may_not_be_listed_has_no_children),
		TEST(a_session_that_changes_under_the_reading_is_left_out),
		TEST(ports_are_unknown_without_the_table_of_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
