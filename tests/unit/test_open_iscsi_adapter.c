/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source open-iscsi with an adapter that logs in by itself, as qla4xxx does: whose logins they
 * are. The recording two-targets has the session 4 at the position 2; its host is made an adapter.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define INITIATOR "iqn.2026-11.lab.example:init1"
#define TARGET	  "iqn.2026-11.lab.example:t2" /* of session 4 */
#define FOURTH	  2u			       /* its position */

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static int begin(void **state)
{
	(void)state;
	kernel_lab_begin("two-targets", 4711);
	return 0;
}

static void poll(void)
{
	now_ns += 5 * NS_PER_S;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

/* One login that is accepted, and one that is not. */
static void log_in_and_fail(void)
{
	poll();
	fake_kernel_event(OISCSI_EVENT_LOGIN_STATE, 4, OISCSI_LOGIN_DONE);
	fake_kernel_event(OISCSI_EVENT_LOGIN_STATE, 4, OISCSI_LOGIN_BEGUN);
	fake_kernel_event(OISCSI_EVENT_LOGIN_STATE, 4, OISCSI_LOGIN_FREE);
	poll();
}

static void an_adapter_that_logs_in_by_itself(void **state)
{
	const struct node *node;

	(void)state;
	lab_file("/sys/class/scsi_host/host3/proc_name", "qla4xxx\n");
	poll();
	fake_kernel_event(OISCSI_EVENT_LOGIN_STATE, 4, OISCSI_LOGIN_DONE);
	poll();
	node = lab_node(INITIATOR);
	assert_int_equal(node->initiator_login_accepts.value, 1);
	assert_true(node->initiator_login_failures.known);
	/* Why a login failed, and what became of a logout, is not told. */
	assert_false(node->initiator_login_auth_fails.known);
	assert_false(node->initiator_logout_normals.known);
	assert_false(lab_session(FOURTH)->failures.known);
	assert_true(lab_session(0)->failures.known);
}

/* qla4xxx gives its sessions no name: that of the adapter is theirs, and none of the records'. */
static void an_adapter_has_its_own_logins(void **state)
{
	const struct node *node;

	(void)state;
	lab_file("/sys/class/scsi_host/host3/proc_name", "qla4xxx\n");
	lab_file("/sys/class/iscsi_host/host3/initiatorname", "iqn.adapter\n");
	lab_error("/sys/class/iscsi_session/session4/initiatorname", -ENOENT);
	log_in_and_fail();
	node = lab_node("iqn.adapter");
	assert_non_null(node);
	assert_int_equal(node->initiator_login_accepts.value, 1);
	assert_int_equal(node->initiator_login_failures.value, 1);
	assert_string_equal(lab_text(&node->initiator_last_failure_name), TARGET);
	node = lab_node(INITIATOR);
	assert_int_equal(node->initiator_login_accepts.value, 0);
	assert_int_equal(node->initiator_login_failures.value, 0);
	assert_true(node->initiator_login_auth_fails.known);
}

/* Then it is not the software's either, and nobody counts it. */
static void an_adapter_without_a_name(void **state)
{
	const struct node *node;

	(void)state;
	lab_file("/sys/class/scsi_host/host3/proc_name", "qla4xxx\n");
	lab_error("/sys/class/iscsi_host/host3/initiatorname", -EIO);
	lab_error("/sys/class/iscsi_session/session4/initiatorname", -ENOENT);
	log_in_and_fail();
	assert_int_equal(lab_node(INITIATOR)->initiator_login_accepts.value, 0);
	assert_int_equal(lab_node(INITIATOR)->initiator_login_failures.value, 0);
	node = fragment_array(lab_result.fragment, OBJECT_NODE);
	node += lab_session(FOURTH)->node;
	assert_string_equal(lab_text(&node->name), "-");
	assert_false(node->initiator_login_accepts.known);
	assert_false(node->initiator_login_failures.known);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(an_adapter_that_logs_in_by_itself),
		TEST(an_adapter_has_its_own_logins),
		TEST(an_adapter_without_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
