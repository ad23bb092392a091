/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paths of the source open-iscsi, with a kernel at the other end (fake_kernel): which there
 * are, and what has become of them. The recording `multipath` has these, in this order; the second
 * network is cut:
 *
 *	0 t1 10.10.1.2   session 2    1 t1 10.10.2.2  session 1 failed
 *	2 t2 10.10.1.2   session 3    3 t2 10.10.2.2  session 4 failed    4 t2 fd00:1::2  missing
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND	NS_PER_S
#define RECORDS "/etc/iscsi/nodes"
#define T1	"iqn.2026-11.lab.example:t1"
#define T2	"iqn.2026-11.lab.example:t2"

enum { CONNECTED = 1, DISCONNECTED, RECONNECTING };
enum { GOOD, CUT, OTHER, OTHER_CUT, MISSING, PATHS };

/* __wrap_root_netlink_open and __wrap_clock_now_ns: kernel_wraps.h */

static int begin(void **state)
{
	(void)state;
	kernel_lab_begin("multipath", 0);
	return 0;
}

static void poll_after(uint64_t ns)
{
	now_ns += ns;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static void poll(void)
{
	poll_after(5 * SECOND);
}

static void log_in(uint32_t sid)
{
	struct frame frame =
		frame_login_response(sid, &(struct login_response){ .flags = 0x87, .tsih = 7 });

	fake_kernel_say(&frame);
	lab_event();
}

static void lose(uint32_t sid)
{
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, sid, 1022);
	lab_event();
}

/* What sysfs shows of session 2, which has path GOOD. */
static void show(const char *session, const char *connection)
{
	lab_file(LAB_SESSION(2) "/state", session);
	lab_file(LAB_CONNECTION(2) "/state", connection);
}

static void assert_counts(uint32_t at, uint64_t failures, uint64_t reconnects)
{
	assert_true(lab_path(at)->failures.known && lab_path(at)->reconnects.known);
	assert_int_equal(lab_path(at)->failures.value, failures);
	assert_int_equal(lab_path(at)->reconnects.value, reconnects);
}

/* ---- which there are ---- */

static void the_paths_of_the_recording(void **state)
{
	static const struct {
		const char *target, *portal, *netdev;
		uint32_t status;
	} wanted[PATHS] = {
		{ T1, "10.10.1.2", "ini1", CONNECTED },
		{ T1, "10.10.2.2", "ini2", RECONNECTING },
		{ T2, "10.10.1.2", "ini1", CONNECTED },
		{ T2, "10.10.2.2", "ini2", RECONNECTING },
		{ T2, "fd00:1::2", "-", DISCONNECTED },
	};

	(void)state;
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS);
	for (uint32_t i = 0; i < PATHS; i++) {
		const struct path *path = lab_path(i);

		assert_string_equal(lab_text(&path->target_name), wanted[i].target);
		assert_string_equal(lab_address(&path->portal_address), wanted[i].portal);
		assert_int_equal(path->portal_port.value, 3260);
		assert_string_equal(lab_text(&path->netdev), wanted[i].netdev);
		assert_int_equal(path->status.value, wanted[i].status);
		assert_string_equal(lab_text(&path->iface), "default");
		assert_string_equal(
			lab_text(&path->initiator_name), "iqn.2026-11.lab.example:init1");
		assert_true(path->expected.known && path->expected.value);
		assert_int_equal(path->session == LINK_NONE, i == MISSING);
		assert_int_equal(path->connection == LINK_NONE, i == MISSING);
		assert_int_equal(path->link_speed.value, i == MISSING ? 0 : 10000);
		assert_int_equal(path->nop_interval.known, i != MISSING);
		assert_false(path->status_time.known);
	}
}

/* Each of the three that make it the same path, and what cannot be read. */
static void a_session_whose_identity_is_not_known_is_no_path(void **state)
{
	static const char *const files[] = { LAB_SESSION(2) "/ifacename",
		LAB_CONNECTION(2) "/persistent_address", LAB_CONNECTION(2) "/persistent_port",
		LAB_SESSION(2) "/initiatorname" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		kernel_lab_end(state);
		begin(state);
		lab_error(files[i], -EIO);
		poll();
		assert_int_equal(lab_count(OBJECT_SESSION), 4);
		/* By its record the path is there; what it is like is not known. */
		assert_int_equal(lab_count(OBJECT_PATH), PATHS);
		assert_int_equal(lab_path(GOOD)->session, LINK_NONE);
		assert_false(lab_path(GOOD)->status.known);
		/* Another target's is certain. */
		assert_int_equal(lab_path(MISSING)->status.value, DISCONNECTED);
	}
}

static void a_session_of_an_unknown_target_may_be_any(void **state)
{
	(void)state;
	lab_error(LAB_SESSION(2) "/targetname", -EIO);
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS);
	assert_false(lab_path(GOOD)->status.known);
	assert_false(lab_path(MISSING)->status.known);
	assert_int_equal(lab_path(CUT)->status.value, RECONNECTING);
}

/* iscsid names a session when it is there: until then its path is as missing as before. Which path
 * one is that has logged in, and cannot be read, nobody knows. */
static void a_session_that_begins_is_not_a_stranger(void **state)
{
	(void)state;
	poll();
	lab_list("/sys/class/iscsi_session", "session1\nsession2\nsession3\nsession4\nsession9\n");
	lab_file(LAB_SESSION(9) "/state", "FREE\n");
	poll();
	assert_int_equal(lab_path(MISSING)->status.value, DISCONNECTED);
	lab_list("/sys/class/iscsi_connection", "connection2:0\nconnection9:0\n");
	poll();
	assert_int_equal(lab_path(MISSING)->status.value, DISCONNECTED);
	lab_file(LAB_SESSION(9) "/state", "LOGGED_IN\n");
	poll();
	assert_false(lab_path(MISSING)->status.known);
	assert_int_equal(lab_path(MISSING)->status_of_time.value, DISCONNECTED);
}

/* What was last known goes with it, so that the change is told when it is known again. */
static void a_status_that_is_not_known_for_a_while(void **state)
{
	(void)state;
	poll();
	lab_error(LAB_SESSION(2) "/state", -EIO);
	poll();
	assert_false(lab_path(GOOD)->status.known);
	assert_int_equal(lab_path(GOOD)->status_of_time.value, CONNECTED);
	assert_false(lab_path(GOOD)->status_time.known);
	show("FAILED\n", "down\n");
	poll();
	assert_int_equal(lab_path(GOOD)->status.value, RECONNECTING);
	assert_int_equal(lab_path(GOOD)->status_time.ns, now_ns);
}

static void a_session_without_an_interface_record_is_one(void **state)
{
	(void)state;
	lab_error(LAB_SESSION(2) "/ifacename", -ENOENT);
	poll();
	/* The record is of interface "default": another path, and that one is missing. */
	assert_int_equal(lab_count(OBJECT_PATH), PATHS + 1);
	assert_string_equal(lab_text(&lab_path(GOOD)->iface), "default");
	assert_int_equal(lab_path(GOOD)->status.value, DISCONNECTED);
	assert_string_equal(lab_text(&lab_path(PATHS)->iface), "");
	assert_int_equal(lab_path(PATHS)->status.value, CONNECTED);
	assert_false(lab_path(PATHS)->expected.value);
}

static void a_record_that_is_not_started_expects_nothing(void **state)
{
	(void)state;
	lab_file(RECORDS "/" T2 "/fd00:1::2,3260,1/default",
		"node.name = " T2 "\nnode.startup = manual\niface.iscsi_ifacename = default\n");
	lab_file(RECORDS "/" T2 "/10.10.1.2,3260,1/default",
		"node.name = " T2 "\nnode.conn[0].address = 10.10.1.2\nnode.conn[0].port = 3260\n"
		"iface.iscsi_ifacename = default\n"); /* without startup: manual */
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS - 1);
	for (uint32_t i = 0; i < PATHS - 1; i++) {
		assert_true(lab_path(i)->expected.known);
		assert_int_equal(lab_path(i)->expected.value, i != OTHER);
	}
}

/* Records that cannot be listed: nobody can say what is missing. */
static void without_the_records_nothing_is_missing(void **state)
{
	(void)state;
	lab_list_error(RECORDS, -EIO);
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS - 1);
	for (uint32_t i = 0; i < PATHS - 1; i++)
		assert_false(lab_path(i)->expected.known);
}

/* Two sessions on one path (iscsiadm -o new): each has a row, and keeps it. */
static void two_sessions_on_one_path(void **state)
{
	char key[300];

	(void)state;
	for (int i = 0; i < 2; i++) {
		lab_file(LAB_CONNECTION(3) "/persistent_address", "10.10.1.2\n");
		lab_file(LAB_SESSION(3) "/targetname", T1 "\n");
	}
	poll();
	assert_int_equal(lab_count(OBJECT_PATH), PATHS + 1); /* t2 10.10.1.2 is missing now */
	assert_string_not_equal(lab_text(&lab_path(0)->key), lab_text(&lab_path(1)->key));
	assert_int_equal(lab_session(lab_path(0)->session)->kernel_number.value, 2);
	snprintf(key, sizeof(key), "%s", lab_text(&lab_path(1)->key));
	/* The first one ends: the second does not become the first. */
	lab_list("/sys/class/iscsi_session", "session1\nsession3\nsession4\n");
	lab_list("/sys/class/iscsi_connection", "connection1:0\nconnection3:0\nconnection4:0\n");
	poll();
	assert_string_equal(lab_text(&lab_path(0)->key), key);
	assert_int_equal(lab_session(lab_path(0)->session)->kernel_number.value, 3);
}

/* ---- outages ---- */

static void outages_by_events(void **state)
{
	(void)state;
	poll();
	for (uint32_t i = 0; i < PATHS; i++)
		assert_counts(i, 0, 0);
	lose(2);
	show("FAILED\n", "down\n");
	poll();
	assert_counts(GOOD, 1, 0);
	assert_int_equal(lab_path(GOOD)->status.value, RECONNECTING);
	assert_int_equal(lab_path(GOOD)->last_error.value, 1022);
	assert_int_equal(lab_path(GOOD)->last_error_time.ns, now_ns - 5 * SECOND);
	assert_false(lab_path(GOOD)->outage_end.known);
	now_ns += 2 * SECOND;
	log_in(2);
	show("LOGGED_IN\n", "up\n");
	poll();
	assert_counts(GOOD, 1, 1);
	assert_int_equal(lab_path(GOOD)->status.value, CONNECTED);
	assert_int_equal(lab_path(GOOD)->outage_end.ns, now_ns - 5 * SECOND);
	assert_int_equal(lab_path(GOOD)->outage_ms.value, 7000);
	assert_counts(OTHER, 0, 0);
}

/* It was cut before the reader began: nobody counts that, nor knows for how long. */
static void an_outage_that_began_before(void **state)
{
	(void)state;
	poll();
	assert_counts(CUT, 0, 0);
	log_in(1);
	lab_file(LAB_SESSION(1) "/state", "LOGGED_IN\n");
	lab_file(LAB_CONNECTION(1) "/state", "up\n");
	poll();
	assert_counts(CUT, 0, 1);
	assert_int_equal(lab_path(CUT)->outage_end.ns, now_ns - 5 * SECOND);
	assert_false(lab_path(CUT)->outage_ms.known);
}

/* The path goes on when its session has ended: with its record, and with another session. */
static void a_path_outlives_its_session(void **state)
{
	(void)state;
	poll();
	lose(2);
	show("FAILED\n", "down\n");
	poll();
	lab_list("/sys/class/iscsi_session", "session1\nsession3\nsession4\n");
	lab_list("/sys/class/iscsi_connection", "connection1:0\nconnection3:0\nconnection4:0\n");
	fake_kernel_event(OISCSI_EVENT_DESTROYED, 2, 0);
	lab_event();
	poll();
	assert_int_equal(lab_path(GOOD)->status.value, DISCONNECTED);
	assert_counts(GOOD, 1, 0);
	show("LOGGED_IN\n", "up\n");
	lab_list("/sys/class/iscsi_session", "session1\nsession2\nsession3\nsession4\n");
	lab_list("/sys/class/iscsi_connection",
		"connection1:0\nconnection2:0\nconnection3:0\nconnection4:0\n");
	fake_kernel_event(OISCSI_EVENT_CREATED, 2, 0);
	log_in(2);
	poll();
	assert_int_equal(lab_path(GOOD)->status.value, CONNECTED);
	assert_counts(GOOD, 1, 1);
	assert_int_equal(lab_path(GOOD)->outage_ms.value, 10000);
}

/* An outage that no event tells (iscsid logs in again) is seen by the polls, and is the last one.
 */
static void the_last_outage_is_the_later_one(void **state)
{
	(void)state;
	poll();
	lose(2);
	now_ns += SECOND;
	log_in(2);
	poll();
	assert_int_equal(lab_path(GOOD)->outage_ms.value, 1000);
	show("FAILED\n", "down\n");
	poll_after(60 * SECOND);
	show("LOGGED_IN\n", "up\n");
	poll_after(3 * SECOND);
	assert_int_equal(lab_path(GOOD)->outage_ms.value, 3000);
	assert_int_equal(lab_path(GOOD)->outage_end.ns, now_ns);
	assert_counts(GOOD, 1, 1);
}

static void without_the_kernel_polls_tell_of_outages_and_count_none(void **state)
{
	(void)state;
	fake_kernel.open_error = -EPERM;
	lab_listen(true, false);
	poll();
	show("FAILED\n", "down\n");
	poll();
	show("LOGGED_IN\n", "up\n");
	poll();
	assert_false(lab_path(GOOD)->failures.known);
	assert_false(lab_path(GOOD)->reconnects.known);
	assert_false(lab_path(MISSING)->failures.known);
	assert_int_equal(lab_path(GOOD)->outage_ms.value, 5000);
	assert_int_equal(lab_path(GOOD)->outage_end.ns, now_ns);
	assert_int_equal(lab_path(GOOD)->status_time.ns, now_ns);
	assert_false(lab_instance()->event_epoch.known);
}

/* After a loss of messages all counts begin anew, under another epoch. */
static void after_a_loss_of_messages(void **state)
{
	char epoch[256];

	(void)state;
	poll();
	lose(2);
	poll();
	assert_counts(GOOD, 1, 0);
	snprintf(epoch, sizeof(epoch), "%s", lab_text(&lab_instance()->event_epoch));
	fake_kernel.room = 0;
	lose(3);
	fake_kernel.room = FAKE_QUEUE_MAX;
	lab_event();
	poll();
	assert_string_not_equal(lab_text(&lab_instance()->event_epoch), epoch);
	assert_counts(GOOD, 0, 0);
	assert_counts(OTHER, 0, 0);
}

/* The session of a path that is lost: the answer to its last attempt, and when it came. */
static void a_login_that_is_refused(void **state)
{
	struct frame refused = frame_login_response(
		2, &(struct login_response){ .status_class = 2, .status_detail = 3 });
	const struct session *session;

	(void)state;
	poll();
	log_in(2);
	now_ns += SECOND;
	lose(2);
	now_ns += SECOND;
	fake_kernel_say(&refused);
	lab_event();
	poll();
	session = lab_session(lab_path(GOOD)->session);
	assert_int_equal(session->login_class.value, 2);
	assert_int_equal(session->login_detail.value, 3);
	assert_int_equal(session->login_time.ns, now_ns - 5 * SECOND);
}

/* A session that is there for a moment only, on the path that is missing. */
static void try_in_vain(uint32_t sid, uint8_t detail)
{
	struct frame refused = frame_login_response(
		sid, &(struct login_response){ .status_class = 2, .status_detail = detail });

	lab_file(LAB_SESSION(9) "/targetname", T2 "\n");
	lab_file(LAB_SESSION(9) "/initiatorname", "iqn.2026-11.lab.example:init1\n");
	lab_file(LAB_SESSION(9) "/ifacename", "default\n");
	lab_file(LAB_CONNECTION(9) "/persistent_address", "fd00:1::2\n");
	lab_file(LAB_CONNECTION(9) "/persistent_port", "3260\n");
	fake_kernel_event(OISCSI_EVENT_CREATED, sid, 0);
	lab_event();
	fake_kernel_say(&refused);
	fake_kernel_event(OISCSI_EVENT_UNBOUND, sid, 0);
	fake_kernel_event(OISCSI_EVENT_DESTROYED, sid, 0);
	lab_event();
}

static void why_a_path_is_missing(void **state)
{
	(void)state;
	poll();
	assert_false(lab_path(MISSING)->login_class.known);
	try_in_vain(9, 1);
	poll();
	assert_int_equal(lab_path(MISSING)->status.value, DISCONNECTED);
	assert_int_equal(lab_path(MISSING)->login_class.value, 2);
	assert_int_equal(lab_path(MISSING)->login_detail.value, 1);
	assert_int_equal(lab_path(MISSING)->login_time.ns, now_ns - 5 * SECOND);
	assert_counts(MISSING, 0, 0);
	for (uint32_t i = 0; i < MISSING; i++) /* theirs is that of their session */
		assert_false(lab_path(i)->login_class.known);
}

/* An adapter that logs in by itself does not tell how it lost a connection. */
static void adapters_that_log_in_by_themselves(void **state)
{
	(void)state;
	lab_file("/sys/class/scsi_host/host1/proc_name", "qla4xxx\n");
	lab_file("/sys/class/iscsi_transport/qla4xxx/handle", "4711\n");
	poll();
	lose(2);
	poll();
	assert_string_equal(lab_text(&lab_path(GOOD)->transport), "qla4xxx");
	assert_false(lab_path(GOOD)->failures.known);
	assert_false(lab_path(GOOD)->reconnects.known);
	assert_false(lab_path(GOOD)->last_error.known);
	assert_counts(OTHER, 0, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(the_paths_of_the_recording),
		TEST(a_session_whose_identity_is_not_known_is_no_path),
		TEST(a_session_of_an_unknown_target_may_be_any),
		TEST(a_session_that_begins_is_not_a_stranger),
		TEST(a_status_that_is_not_known_for_a_while),
		TEST(a_session_without_an_interface_record_is_one),
		TEST(a_record_that_is_not_started_expects_nothing),
		TEST(without_the_records_nothing_is_missing),
		TEST(two_sessions_on_one_path),
		TEST(outages_by_events),
		TEST(an_outage_that_began_before),
		TEST(a_path_outlives_its_session),
		TEST(the_last_outage_is_the_later_one),
		TEST(without_the_kernel_polls_tell_of_outages_and_count_none),
		TEST(after_a_loss_of_messages),
		TEST(a_login_that_is_refused),
		TEST(why_a_path_is_missing),
		TEST(adapters_that_log_in_by_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
