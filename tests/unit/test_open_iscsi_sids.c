/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which session is the same one, by its number: the kernel begins to count anew when its module is
 * loaded anew, which a socket of ours does not allow. The recording two-targets has the sessions 1,
 * 2, 4 and 5.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static uint64_t object; /* of open files; 0: not known, as with all files of a recording */

uint64_t __wrap_root_file_object(const struct root_file *file);

uint64_t __wrap_root_file_object(const struct root_file *file)
{
	(void)file;
	return object;
}

static int begin(void **state)
{
	(void)state;
	object = 0;
	kernel_lab_begin("two-targets", 0);
	return 0;
}

/* Polls while these sessions are listed. */
static void poll_with(const char *sessions, const char *connections)
{
	lab_list("/sys/class/iscsi_session", sessions);
	lab_list("/sys/class/iscsi_connection", connections);
	now_ns += 5 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static void poll_without_4(void)
{
	poll_with(
		"session1\nsession2\nsession5\n", "connection1:0\nconnection2:0\nconnection5:0\n");
	assert_int_equal(lab_count(OBJECT_SESSION), 3);
}

static void poll_with_4(const char *wanted)
{
	poll_with("session1\nsession2\nsession4\nsession5\n",
		"connection1:0\nconnection2:0\nconnection4:0\nconnection5:0\n");
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_string_equal(lab_text(&lab_session(2)->key), wanted);
}

/* While others begin, a list may have a later one and not an earlier one. */
static void one_that_a_list_has_missed_is_no_other_one(void **state)
{
	(void)state;
	poll_with("session1\n", "connection1:0\n");
	poll_without_4();
	poll_with_4("sid 4 creator 259");
	poll_without_4(); /* … and while others end */
	poll_with_4("sid 4 creator 259");
	lab_restart_reader();
	poll_with_4("sid 4 creator 259");
}

static void break_the_socket(void)
{
	fake_kernel.receive_error = -ENOTCONN;
	lab_event();
	assert_int_equal(fake_kernel.receive_error, 0);
}

/* Or it was open all the time but for a moment. */
static void without_a_socket_it_may_be_another_one(void **state)
{
	(void)state;
	poll_without_4();
	break_the_socket();
	now_ns += NS_PER_S;
	poll_with_4("sid 4 creator 259 epoch 1");
	assert_int_equal(fake_kernel.opens, 2);
	poll_without_4();
	fake_kernel.open_error = -EPERM;
	break_the_socket();
	poll_with_4("sid 4 creator 259 epoch 2");
	poll_without_4();
	poll_with_4("sid 4 creator 259 epoch 3");
	/* The module may have gone while there was none. */
	poll_without_4();
	fake_kernel.open_error = 0;
	now_ns += 60 * NS_PER_S;
	poll_with_4("sid 4 creator 259 epoch 4");
}

static void name_target_of_4(const char *name)
{
	lab_file(LAB_SESSION(4) "/targetname", name);
	lab_file(LAB_SESSION(4) "/creator", "999\n");
}

/* No list has shown that there was none of this number. */
static void another_object_is_another_session(void **state)
{
	(void)state;
	fake_kernel.open_error = -EPERM;
	poll_with_4("sid 4 creator 259");
	object = 7; /* its file is kept open from now on */
	poll_with_4("sid 4 creator 259");
	name_target_of_4("iqn.another\n");
	object = 0; /* that file has failed: the session has gone, and may not be shown … */
	now_ns += 5 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_count(OBJECT_SESSION), 0);
	object = 8;
	poll_with_4("sid 4 creator 999 epoch 3"); /* … and there is another one */
	assert_string_equal(lab_text(&lab_session(2)->target_name), "iqn.another");
	poll_with_4("sid 4 creator 999 epoch 3");
}

/*
 * The list that sees the object gone may be the one after which there is a socket again: the next
 * one is of the same module, and yet the session is another one.
 */
static void another_object_is_another_session_with_a_socket_too(void **state)
{
	(void)state;
	fake_kernel.open_error = -EPERM;
	poll_with_4("sid 4 creator 259");
	object = 7;
	poll_with_4("sid 4 creator 259");
	name_target_of_4("iqn.another\n");
	object = 0;
	fake_kernel.open_error = 0;
	now_ns += 60 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_count(OBJECT_SESSION), 0);
	object = 8;
	poll_with_4("sid 4 creator 999 epoch 3");
	poll_with_4("sid 4 creator 999 epoch 3");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(one_that_a_list_has_missed_is_no_other_one),
		TEST(without_a_socket_it_may_be_another_one),
		TEST(another_object_is_another_session),
		TEST(another_object_is_another_session_with_a_socket_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
