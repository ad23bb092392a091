/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio when files and directories cannot be read: what fails a poll, and what is left out
 * of it. That a read that fails makes holes: test_source_faults.c.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#define ORG  "iqn.2026-11.org.example:"
#define CRC  ORG "crc"
#define HOST ORG "host1"
#define ACL  "crc/tpgt_1/acls/" HOST

static const char *const recordings[] = { "none", "no-targets", "idle", "sessions",
	"login-failures", "session-failures", "disabled", "digests", "ipv6", "errors", "hostile" };

static void test_list_that_fails_fails_the_poll(void **state)
{
	unsigned lists;

	(void)state;
	lio_load("digests");
	lio_run_good();
	lists = lio_fake.lists;
	lio_fake.fail_error = -EIO;
	for (unsigned k = 1; k <= lists; k++) {
		lio_fake.fail_list = k;
		assert_int_equal(lio_run(), 0);
		assert_int_equal(lio_poll.error, -EIO);
		assert_int_equal(lio_poll.good, 0);
		assert_non_null(
			strstr(lio_poll.message, "listing /sys/kernel/config/target/iscsi"));
		lio_fake.fail_list = 0;
		lio_run_good();
		assert_int_equal(lio_count_of(OBJECT_SESSION), 4);
		assert_non_null(strstr(lio_text_of(&lio_session(CRC, HOST)->key), "life 0.0"));
	}
}

static void test_want_of_memory_or_descriptors_fails_the_poll(void **state)
{
	static const int errors[] = { -ENOMEM, -EMFILE, -ENFILE };

	(void)state;
	lio_load("digests");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		lio_fake.fail_read = 60;
		lio_fake.fail_error = errors[i];
		assert_int_equal(lio_run(), 0);
		assert_int_equal(lio_poll.error, errors[i]);
	}
}

static void test_deadline_is_kept(void **state)
{
	(void)state;
	lio_load("digests");
	lio_fake.reads = 0;
	assert_int_equal(source_find("lio")->collect(
				 lio_poll.source, clock_now_ns() - 1, lio_poll.collection),
		0);
	assert_int_equal(lio_poll.error, -ETIMEDOUT);
	assert_int_equal(lio_fake.reads, 0);
}

static void test_objects_that_vanish_meanwhile_are_left_out(void **state)
{
	(void)state;
	lio_load("digests");
	lio_put_error("/" ORG "rdma", -ENOENT);
	lio_put_error(ACL "/info", -ENODEV);
	lio_put_error("chelsio/tpgt_7/np", -ENOENT);
	lio_run_good();
	assert_int_equal(lio_count_of(OBJECT_NODE), 2);
	assert_null(lio_session(CRC, HOST));
	assert_non_null(lio_session(CRC, ORG "waiting"));
	assert_int_equal(lio_count_of(OBJECT_PORTAL), 1);
}

/* The session is seen anew in a poll that follows one in which its group could not be read. */
static void test_what_could_not_be_read_for_one_poll_is_back(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	assert_true(lio_session(CRC, HOST)->target_alias.known);
	lio_put_error("crc/tpgt_1/param/TargetAlias", -EIO);
	lio_put_error("crc/tpgt_1/param/MaxXmitDataSegmentLength", -EIO);
	lio_put_error(ACL "/info", -EIO);
	lio_run_good();
	assert_null(lio_session(CRC, HOST));
	lio_put_back();
	lio_run_good();
	lio_run_good();
	assert_true(lio_session(CRC, HOST)->target_alias.known);
	assert_true(lio_connection(lio_session(CRC, HOST), 0)->max_recv_data_segment_length.known);
}

static void remove_target(const char *path)
{
	if (strstr(path, ORG "rdma/fabric_statistics/"))
		lio_fake.gone = ORG "rdma";
}

static void test_target_that_goes_after_it_was_listed(void **state)
{
	(void)state;
	lio_load("digests");
	lio_fake.before_read = remove_target;
	lio_run_good();
	assert_int_equal(lio_count_of(OBJECT_NODE), 2);
	assert_int_equal(lio_count_of(OBJECT_SESSION), 3);
}

static void test_file_that_is_too_long(void **state)
{
	char *text = malloc(70001);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 70000);
	text[70000] = 0;
	lio_load("digests");
	lio_put(ACL "/info", text);
	lio_put("crc/tpgt_1/param/TargetAlias", text);
	lio_put("iscsi_tgt_attr/fail_intr_name", text);
	free(text);
	lio_run_good();
	assert_null(lio_session(CRC, HOST));
	assert_false(lio_node(CRC)->alias.known);
	assert_false(lio_node(CRC)->target_last_failure_name.known);
}

static void test_no_recording_is_read_below_auth(void **state)
{
	(void)state; /* lio_double.c asserts it */
	for (size_t i = 0; i < ARRAY_SIZE(recordings); i++) {
		lio_load(recordings[i]);
		assert_int_equal(lio_run(), 0);
		assert_int_equal(lio_poll.error, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_list_that_fails_fails_the_poll),
		TEST(test_want_of_memory_or_descriptors_fails_the_poll),
		TEST(test_deadline_is_kept),
		TEST(test_objects_that_vanish_meanwhile_are_left_out),
		TEST(test_what_could_not_be_read_for_one_poll_is_back),
		TEST(test_target_that_goes_after_it_was_listed),
		TEST(test_file_that_is_too_long),
		TEST(test_no_recording_is_read_below_auth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
