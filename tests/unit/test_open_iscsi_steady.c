/* SPDX-License-Identifier: BSD-2-Clause */
/* What a poll reads of sessions and disks that go on as they are, and how soon a change shows. */
#include "base/clock.h"
#include "tests/support/open_iscsi_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SESSIONS 2
#define DISK	 "/sys/class/scsi_device/1:0:0:1/device"

static uint64_t now_ns;
static unsigned int plain_reads, kept_reads;

uint64_t __wrap_clock_now_ns(void);
ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __real_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity);

uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

/* Of sources alone: what root_file_read does inside is not wrapped. */
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	plain_reads++;
	return __real_root_read(root, path, out, capacity);
}

ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity)
{
	kept_reads++;
	return __real_root_file_read(file, out, capacity);
}

static int begin(void **state)
{
	(void)state;
	now_ns = 1000 * NS_PER_S;
	lab_begin("disks");
	lab_look_at_devices(100);
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void poll_after(uint64_t seconds)
{
	now_ns += seconds * NS_PER_S;
	plain_reads = kept_reads = 0;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static const struct device *disk(void)
{
	assert_int_equal(lab_count(OBJECT_DEVICE), SESSIONS);
	return fragment_array(lab_result.fragment, OBJECT_DEVICE);
}

static uint32_t recovery_timeout(void)
{
	const struct path *path = fragment_array(lab_result.fragment, OBJECT_PATH);

	assert_int_equal(lab_count(OBJECT_PATH), SESSIONS);
	assert_true(path->recovery_timeout.known);
	return path->recovery_timeout.value;
}

/* What is new is read again soon (test_open_iscsi_devices_refresh.c). */
static void grow_old(void)
{
	poll_after(0);
	poll_after(30);
}

static void a_steady_poll_reads_eleven_open_files_for_a_session(void **state)
{
	(void)state;
	grow_old();
	poll_after(5);
	/*
	 * S/state, target_state, C/state, exp_statsn, local_port; of the disk state, access_state
	 * and four counts. In a recording all of them are plain reads inside; beside them there is
	 * only the module's version.
	 */
	assert_int_equal(kept_reads, 11 * SESSIONS);
	assert_int_equal(plain_reads, 11 * SESSIONS + 1);
}

static void counts_and_states_of_a_disk_follow_at_once(void **state)
{
	(void)state;
	poll_after(0);
	assert_int_equal(disk()->requests.value, 31);
	assert_int_equal(disk()->access_state.value, 1);
	lab_file(DISK "/iorequest_cnt", "0x40\n");
	lab_file(DISK "/ioerr_cnt", "0x3\n");
	lab_file(DISK "/access_state", "standby\n");
	lab_file(DISK "/state", "offline\n");
	poll_after(5);
	assert_int_equal(disk()->requests.value, 64);
	assert_int_equal(disk()->errors.value, 3);
	assert_int_equal(disk()->access_state.value, 3);
	assert_int_equal(disk()->state.value, 6);
}

static void counts_that_cannot_be_read_are_not_known(void **state)
{
	(void)state;
	poll_after(0);
	lab_error(DISK "/iorequest_cnt", -EIO);
	lab_error(DISK "/access_state", -ENODEV);
	poll_after(5);
	assert_false(disk()->requests.known);
	assert_true(disk()->completions.known);
	assert_false(disk()->access_state.known);
	lab_file(DISK "/iorequest_cnt", "0x41\n");
	lab_file(DISK "/access_state", "active/optimized\n");
	poll_after(5);
	assert_int_equal(disk()->requests.value, 65);
	assert_int_equal(disk()->access_state.value, 1);
}

static void the_preferred_path_is_looked_at_twice_a_minute(void **state)
{
	(void)state;
	grow_old();
	assert_int_equal(disk()->preferred.value, 0);
	lab_file(DISK "/preferred_path", "1\n");
	poll_after(5);
	assert_true(disk()->preferred.known);
	assert_int_equal(disk()->preferred.value, 0);
	poll_after(25);
	assert_int_equal(disk()->preferred.value, 1);
}

static void the_recovery_timeout_is_looked_at_twice_a_minute(void **state)
{
	(void)state;
	poll_after(0);
	assert_int_equal(recovery_timeout(), 120);
	lab_file(LAB_SESSION(1) "/recovery_tmo", "5\n");
	poll_after(5);
	assert_int_equal(recovery_timeout(), 120);
	poll_after(25);
	assert_int_equal(recovery_timeout(), 5);
}

static void in_an_outage_the_recovery_timeout_follows_at_once(void **state)
{
	(void)state;
	poll_after(0);
	lab_file(LAB_SESSION(1) "/recovery_tmo", "5\n");
	lab_file(LAB_SESSION(1) "/state", "FAILED\n");
	lab_file(LAB_CONNECTION(1) "/state", "failed\n");
	poll_after(5);
	assert_int_equal(recovery_timeout(), 5);
	lab_file(LAB_SESSION(1) "/recovery_tmo", "off\n");
	poll_after(5);
	assert_int_equal(recovery_timeout(), UINT32_MAX);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(a_steady_poll_reads_eleven_open_files_for_a_session),
		TEST(counts_and_states_of_a_disk_follow_at_once),
		TEST(counts_that_cannot_be_read_are_not_known),
		TEST(the_preferred_path_is_looked_at_twice_a_minute),
		TEST(the_recovery_timeout_is_looked_at_twice_a_minute),
		TEST(in_an_outage_the_recovery_timeout_follows_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
