/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * InitiatorAlias of sessions, which is what iscsid read when it began. In the recording two-targets
 * the process 259 is iscsid and has made all sessions.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define FILE_OF_NAMES "/etc/iscsi/initiatorname.iscsi"
#define TABLE	      "/proc/net/netlink"
#define HEAD	      "sk               Eth Pid        Groups\n"

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static int begin(void **state)
{
	(void)state;
	kernel_lab_begin("two-targets", 4711);
	return 0;
}

/* Enough for the records to be read again. */
static void poll(void)
{
	now_ns += 30 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static const char *alias(void)
{
	return lab_text(&lab_session(0)->initiator_alias);
}

static void configure(const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "InitiatorName=iqn.2026-11.lab.example:init1\n%s%s\n",
		name ? "InitiatorAlias=" : "", name ? name : "");
	lab_file(FILE_OF_NAMES, text);
}

static void an_iscsid_says_what_it_read(void **state)
{
	(void)state;
	poll();
	assert_string_equal(alias(), "lab-initiator");
	assert_string_equal(lab_text(&lab_instance()->login_process), "iscsid 259");
	configure("other");
	poll();
	assert_string_equal(alias(), "lab-initiator");
	configure(NULL);
	lab_file("/proc/sys/kernel/hostname", "renamed\n");
	poll();
	assert_string_equal(alias(), "lab-initiator");
	/* It is gone: the logins are still its own. */
	lab_error("/proc/259/comm", -ENOENT);
	poll();
	assert_string_equal(alias(), "lab-initiator");
	/* The next one logs in to all sessions again. */
	lab_file(TABLE, HEAD "0 8 400 00000001\n");
	lab_file("/proc/400/comm", "iscsid\n");
	poll();
	assert_string_equal(alias(), "renamed");
	assert_string_equal(lab_text(&lab_instance()->login_process), "iscsid 400");
	lab_file("/proc/sys/kernel/hostname", "again\n");
	lab_error(TABLE, -EIO);
	poll();
	assert_string_equal(alias(), "renamed");
}

static void what_no_iscsid_was_seen_with_is_unknown(void **state)
{
	(void)state;
	lab_file("/proc/259/comm", "iscsistart\n");
	poll();
	assert_string_equal(alias(), "-");
	/* Nobody waits for the records to be read again. */
	lab_file("/proc/259/comm", "iscsid\n");
	now_ns += NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_string_equal(alias(), "lab-initiator");
}

/* A file that cannot be read for once is not another process. */
static void the_same_process_says_the_same(void **state)
{
	(void)state;
	lab_file(TABLE, HEAD "0 8 259 00000001\n");
	poll();
	configure("other");
	lab_error("/proc/259/comm", -EIO);
	poll();
	lab_file("/proc/259/comm", "iscsid\n");
	poll();
	assert_string_equal(alias(), "lab-initiator");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(an_iscsid_says_what_it_read),
		TEST(what_no_iscsid_was_seen_with_is_unknown),
		TEST(the_same_process_says_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
