/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages of the kernel are lost in the middle of a poll: what it shows is all of one epoch. In
 * the recording `multipath` session 2 has the first path.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PLENTY 1000u

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static const char *overflow_at; /* when this is listed messages are lost, once; NULL never */

int __real_root_list(struct root *root, const char *path, struct buf *out);
int __wrap_root_list(struct root *root, const char *path, struct buf *out);

int __wrap_root_list(struct root *root, const char *path, struct buf *out)
{
	if (overflow_at && strcmp(path, overflow_at) == 0) {
		overflow_at = NULL;
		fake_kernel.room = 0;
		fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 3, 1022);
		fake_kernel.room = FAKE_QUEUE_MAX;
		now_ns += NS_PER_MS; /* for the next look at the socket */
	}
	return __real_root_list(root, path, out);
}

static int begin(void **state)
{
	(void)state;
	overflow_at = NULL;
	kernel_lab_begin("multipath", 0);
	lab_look_at_devices(PLENTY);
	return 0;
}

static void poll(void)
{
	now_ns += 5 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static void while_the_devices_are_read(void **state)
{
	const struct path *path;
	char epoch[256];

	(void)state;
	poll();
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 2, 1022);
	poll();
	snprintf(epoch, sizeof(epoch), "%s", lab_text(&lab_instance()->event_epoch));
	assert_int_equal(lab_instance()->session_failures.value, 1);
	assert_int_equal(lab_path(0)->failures.value, 1);

	overflow_at = "/sys/class/scsi_device";
	poll();
	assert_null(overflow_at);
	assert_string_not_equal(lab_text(&lab_instance()->event_epoch), epoch);
	assert_int_equal(lab_instance()->session_failures.value, 0);
	path = lab_path(0);
	assert_true(path->failures.known && path->reconnects.known);
	assert_int_equal(path->failures.value, 0);
	assert_false(path->last_error.known && path->last_error.value);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(while_the_devices_are_read, begin, kernel_lab_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
