/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole source with a kernel at the other end (fake_kernel): which events and statistics become
 * which fields, and when they are unknown. The recording two-targets has the sessions 1, 2, 4 and 5
 * (at positions 0 to 3), all over TCP.
 */
#include "tests/support/kernel_wraps.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND	  NS_PER_S
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
	now_ns += 5 * SECOND;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static void accept_login(uint32_t sid, uint16_t tsih, const char *text)
{
	struct frame frame = frame_login_response(
		sid, &(struct login_response){ .flags = 0x87, .tsih = tsih, .text = text });

	fake_kernel_say(&frame);
}

static void refuse_login(uint32_t sid, uint8_t status_class, uint8_t detail)
{
	struct frame frame = frame_login_response(sid,
		&(struct login_response){ .status_class = status_class, .status_detail = detail });

	fake_kernel_say(&frame);
}

/* ---- events ---- */

static void nothing_has_happened_yet(void **state)
{
	const struct instance *instance;
	const struct session *session;
	const struct node *node;

	(void)state;
	poll();
	assert_string_equal(lab_result.message, "");
	instance = lab_instance();
	node = lab_node(INITIATOR);
	session = lab_session(FOURTH);
	assert_true(instance->event_epoch.known);
	assert_true(instance->session_failures.known && instance->session_failures.value == 0);
	assert_true(instance->target_unmapped.known && instance->format_errors.known);
	assert_false(instance->last_failure_type.known);
	assert_true(node->initiator_login_accepts.known);
	assert_true(node->initiator_logout_others.known);
	assert_true(node->initiator_last_failure_time.known);
	assert_int_equal(node->initiator_last_failure_time.ns, 0);
	assert_false(node->target_login_accepts.known);
	assert_true(session->failures.known && session->failures.value == 0);
	assert_true(session->connection_timeouts.known);
	assert_false(session->tsih.known || session->last_error.known || session->login_time.known);
	assert_false(session->login_class.known);
	assert_int_equal(session->negotiated_max_connections.value, 1);
}

static void a_lost_session(void **state)
{
	const struct instance *instance;
	const struct session *session;

	(void)state;
	poll();
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 4, 1022);
	poll();
	instance = lab_instance();
	session = lab_session(FOURTH);
	assert_int_equal(instance->session_failures.value, 1);
	assert_int_equal(instance->connection_timeouts.value, 1);
	assert_int_equal(instance->digest_errors.value, 0);
	assert_int_equal(instance->last_failure_type.value, 2);
	assert_string_equal(lab_text(&instance->last_failure_remote_name), TARGET);
	assert_int_equal(session->failures.value, 1);
	assert_int_equal(session->connection_timeouts.value, 1);
	assert_int_equal(session->connection_digest_errors.value, 0);
	assert_int_equal(session->last_error.value, 1022);
	assert_int_equal(session->last_error_time.ns, now_ns);
	assert_int_equal(lab_session(0)->failures.value, 0);
}

static void a_new_login(void **state)
{
	const struct session *session;

	(void)state;
	poll();
	accept_login(4, 0x0102,
		"TargetAlias=Disk array|DefaultTime2Wait=3|DefaultTime2Retain=20|MaxConnections=1|");
	poll();
	session = lab_session(FOURTH);
	assert_int_equal(session->tsih.value, 0x0102);
	assert_memory_equal(session->isid.octets, "\x00\x02\x3d\x00\x00\x04", 6);
	assert_string_equal(lab_text(&session->target_alias), "Disk array");
	assert_int_equal(session->negotiated_time2wait.value, 3);
	assert_int_equal(session->negotiated_time2retain.value, 20);
	assert_int_equal(session->logins.value, 1);
	assert_int_equal(session->login_time.ns, now_ns);
	assert_true(session->login_class.known && session->login_class.value == 0);
	assert_int_equal(lab_node(INITIATOR)->initiator_login_accepts.value, 1);
	assert_false(lab_session(0)->tsih.known);
	/* Of the first session's login the end alone is heard: it may have an alias. */
	accept_login(1, 0x0103, "DefaultTime2Wait=3|");
	poll();
	assert_int_equal(lab_session(0)->tsih.value, 0x0103);
	assert_string_equal(lab_text(&lab_session(0)->target_alias), "-");
	session = lab_session(FOURTH);
	/* A session's login is told by its port, and is another one with another port. */
	assert_string_equal(lab_text(&session->login), "port 43988");
}

static void failed_logins_and_logouts(void **state)
{
	struct frame logout = frame_logout_response(1);
	const struct node *node;

	(void)state;
	poll();
	refuse_login(4, 2, 1);
	refuse_login(5, 3, 1);
	fake_kernel_say(&logout);
	poll();
	node = lab_node(INITIATOR);
	assert_int_equal(node->initiator_login_failures.value, 2);
	assert_int_equal(node->initiator_login_auth_fails.value, 1);
	assert_int_equal(node->initiator_login_other_fails.value, 1);
	assert_int_equal(node->initiator_login_redirects.value, 0);
	assert_int_equal(node->initiator_logout_normals.value, 1);
	assert_int_equal(node->initiator_last_failure_time.ns, now_ns);
	assert_int_equal(node->initiator_last_failure_type.value, 2);
	assert_int_equal(lab_session(FOURTH)->login_class.value, 2);
	assert_int_equal(lab_session(FOURTH)->login_detail.value, 1);
}

/* It came and went between two polls, under a name that no record has. */
static void an_initiator_that_nobody_else_knows(void **state)
{
	const struct node *node;

	(void)state;
	poll();
	lab_file("/sys/class/iscsi_session/session77/targetname", "iqn.gone\n");
	lab_file("/sys/class/iscsi_session/session77/initiatorname", "iqn.stranger\n");
	lab_file("/sys/class/iscsi_connection/connection77:0/persistent_address", "10.9.9.9\n");
	lab_file("/sys/class/iscsi_connection/connection77:0/persistent_port", "3266\n");
	fake_kernel_event(OISCSI_EVENT_CREATED, 77, 0);
	lab_event();
	refuse_login(77, 2, 2);
	fake_kernel_event(OISCSI_EVENT_UNBOUND, 77, 0);
	fake_kernel_event(OISCSI_EVENT_DESTROYED, 77, 0);
	lab_event();
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	node = lab_node("iqn.stranger");
	assert_non_null(node);
	assert_int_equal(node->initiator_login_failures.value, 1);
	assert_int_equal(node->initiator_login_authorize_fails.value, 1);
	assert_int_equal(node->initiator_last_failure_type.value, 7);
	assert_string_equal(lab_text(&node->initiator_last_failure_name), "iqn.gone");
	assert_string_equal(lab_address(&node->initiator_last_failure_address), "10.9.9.9");
	assert_int_equal(node->initiator_last_failure_port.value, 3266);
	assert_int_equal(lab_node(INITIATOR)->initiator_login_failures.value, 0);
}

static void after_a_loss_of_messages(void **state)
{
	char epoch[256];

	(void)state;
	poll();
	snprintf(epoch, sizeof(epoch), "%s", lab_text(&lab_instance()->event_epoch));
	accept_login(4, 5, NULL);
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 4, 1022);
	poll();
	assert_string_equal(lab_text(&lab_instance()->event_epoch), epoch);
	assert_int_equal(lab_session(FOURTH)->tsih.value, 5);
	fake_kernel.room = 0;
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 5, 1022);
	fake_kernel.room = FAKE_QUEUE_MAX;
	poll();
	assert_string_not_equal(lab_text(&lab_instance()->event_epoch), epoch);
	assert_int_equal(lab_instance()->session_failures.value, 0);
	/* There may have been another login. */
	assert_false(lab_session(FOURTH)->tsih.known);
	poll();
	fake_kernel_event(OISCSI_EVENT_CONNECTION_ERROR, 5, 1022);
	poll();
	assert_int_equal(lab_instance()->session_failures.value, 1);
}

static unsigned int login_at_request;

static void log_in_again(unsigned int requests)
{
	if (requests == login_at_request)
		accept_login(4, 99, NULL);
}

/* The ports of a poll were read before a login that it came to know of. */
static void a_login_in_the_middle_of_a_poll(void **state)
{
	(void)state;
	for (uint32_t sid = 1; sid <= 5; sid++)
		fake_kernel_connection(sid);
	poll();
	accept_login(4, 98, NULL);
	poll();
	assert_string_equal(lab_text(&lab_session(FOURTH)->login), "port 43988");
	assert_int_equal(lab_session(FOURTH)->tsih.value, 98);
	fake_kernel.asked = log_in_again;
	login_at_request = fake_kernel.requests + 1;
	poll();
	assert_int_equal(lab_session(FOURTH)->tsih.value, 99);
	assert_string_equal(lab_text(&lab_session(FOURTH)->login), "-");
	assert_string_not_equal(lab_text(&lab_session(0)->login), "-");
	fake_kernel.asked = NULL;
	poll();
	assert_string_equal(lab_text(&lab_session(FOURTH)->login), "port 43988");
}

/* ---- statistics ---- */

static void statistics_become_counters(void **state)
{
	const struct session *session;

	(void)state;
	fake_kernel_connection(4)->statistics = (struct oiscsi_statistics){
		.tx_octets = UINT64_C(1) << 40,
		.rx_octets = 2,
		.command_pdus = 3,
		.response_pdus = 4,
	};
	poll();
	session = lab_session(FOURTH);
	assert_int_equal(session->tx_octets.value, UINT64_C(1) << 40);
	assert_int_equal(session->rx_octets.value, 2);
	assert_int_equal(session->command_pdus.value, 3);
	assert_int_equal(session->response_pdus.value, 4);
	/* libiscsi does not count them. */
	assert_false(session->nop_sent_pdus.known || session->nop_received_pdus.known);
	assert_false(lab_session(0)->tx_octets.known);
}

static void what_a_driver_does_not_count_is_unknown(void **state)
{
	static const struct {
		const char *driver;
		bool pdus, octets, nops;
	} rows[] = {
		{ "iscsi_iser", true, false, false },
		{ "cxgb4i", true, true, false },
		{ "bnx2i", true, true, false },
		{ "qedi", true, false, false },
		{ "be2iscsi", true, false, false },
		{ "qla4xxx", true, true, true },
		{ "somebody", false, false, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct session *session;
		char path[80];

		kernel_lab_end(state);
		begin(state);
		lab_file("/sys/class/scsi_host/host3/proc_name", rows[i].driver);
		snprintf(path, sizeof(path), "/sys/class/iscsi_transport/%s/handle",
			i == 0 ? "iser" : rows[i].driver);
		lab_file(path, "4711\n");
		fake_kernel_connection(4);
		poll();
		poll();
		session = lab_session(FOURTH);
		assert_int_equal(session->command_pdus.known, rows[i].pdus);
		assert_int_equal(session->response_pdus.known, rows[i].pdus);
		assert_int_equal(session->tx_octets.known, rows[i].octets);
		assert_int_equal(session->rx_octets.known, rows[i].octets);
		assert_int_equal(session->nop_sent_pdus.known, rows[i].nops);
		assert_int_equal(session->nop_received_pdus.known, rows[i].nops);
	}
}

static void old_statistics_are_unknown(void **state)
{
	(void)state;
	fake_kernel_connection(4)->statistics.command_pdus = 3;
	poll();
	fake_kernel.loses_answers = true;
	for (int i = 0; i < 12; i++) {
		poll();
		assert_int_equal(lab_session(FOURTH)->command_pdus.value, 3);
	}
	poll();
	assert_false(lab_session(FOURTH)->command_pdus.known);
	fake_kernel.loses_answers = false;
	poll();
	assert_true(lab_session(FOURTH)->command_pdus.known);
}

static void they_can_be_turned_off(void **state)
{
	(void)state;
	fake_kernel_connection(4);
	lab_listen(true, false);
	poll();
	poll();
	assert_int_equal(fake_kernel.requests, 0);
	assert_false(lab_session(FOURTH)->command_pdus.known);
	assert_true(lab_instance()->session_failures.known);
	assert_string_equal(lab_result.message, "");
}

/* ---- when there is no kernel to listen to ---- */

static void one_poll_alone_counts_no_events(void **state)
{
	(void)state;
	fake_kernel_connection(4)->statistics.command_pdus = 3;
	lab_listen(false, true);
	poll();
	assert_int_equal(lab_session(FOURTH)->command_pdus.value, 3);
	assert_false(lab_instance()->event_epoch.known);
	assert_false(lab_instance()->session_failures.known);
	assert_false(lab_node(INITIATOR)->initiator_login_accepts.known);
	assert_false(lab_session(FOURTH)->failures.known);
	assert_string_equal(lab_result.message, "");
	lab_listen(false, false);
	fake_kernel.opens = 0;
	poll();
	assert_int_equal(fake_kernel.opens, 0);
}

static void without_the_right_to_listen(void **state)
{
	(void)state;
	fake_kernel.open_error = -EPERM;
	poll();
	assert_non_null(strstr(lab_result.message, "CAP_NET_ADMIN"));
	assert_false(lab_instance()->event_epoch.known);
	assert_false(lab_instance()->session_failures.known);
	assert_false(lab_node(INITIATOR)->initiator_login_accepts.known);
	assert_false(lab_node(INITIATOR)->initiator_last_failure_time.known);
	assert_false(lab_session(FOURTH)->failures.known);
	assert_false(lab_session(FOURTH)->command_pdus.known);
	/* The rest goes on. */
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_true(lab_session(FOURTH)->first_burst_length.known);
	assert_string_equal(lab_text(&lab_session(FOURTH)->login), "port 43988");
	fake_kernel.open_error = 0;
	poll();
	assert_string_equal(lab_result.message, "");
	assert_true(lab_instance()->event_epoch.known);
}

static void without_the_right_to_ask(void **state)
{
	(void)state;
	fake_kernel.no_sys_admin = true;
	fake_kernel_connection(4);
	poll();
	assert_non_null(strstr(lab_result.message, "CAP_SYS_ADMIN"));
	assert_true(lab_instance()->session_failures.known);
}

static void a_recording_lacks_nothing(void **state)
{
	(void)state;
	fake_kernel.open_error = -ENOENT;
	poll();
	assert_string_equal(lab_result.message, "");
	assert_false(lab_instance()->event_epoch.known);
}

/* The socket would keep the kernel's module. */
static void without_a_driver_nobody_listens(void **state)
{
	(void)state;
	poll();
	assert_int_equal(fake_kernel.opens, 1);
	lab_list("/sys/class/iscsi_transport", "");
	poll();
	assert_int_equal(fake_kernel.closes, 1);
	assert_false(lab_instance()->event_epoch.known);
	assert_string_equal(lab_result.message, "");
	lab_list("/sys/class/iscsi_transport", "tcp\n");
	poll();
	assert_int_equal(fake_kernel.opens, 2);
	assert_true(lab_instance()->event_epoch.known);
	lab_list_error("/sys/class/iscsi_transport", -ENOENT);
	now_ns += 5 * SECOND;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.units, 0);
	assert_int_equal(fake_kernel.closes, 2);
}

/* Addresses of an old kernel are read seldom: a port may be that of an earlier login. */
static void an_old_kernel_does_not_name_logins(void **state)
{
	(void)state;
	lab_file("/proc/sys/kernel/osrelease", "5.10.0-1-amd64\n");
	lab_listen(true, true);
	poll();
	accept_login(4, 5, NULL);
	poll();
	assert_int_equal(lab_session(FOURTH)->tsih.value, 5);
	assert_string_equal(lab_text(&lab_session(FOURTH)->login), "-");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, kernel_lab_end)
	const struct CMUnitTest tests[] = {
		TEST(nothing_has_happened_yet),
		TEST(a_lost_session),
		TEST(a_new_login),
		TEST(failed_logins_and_logouts),
		TEST(an_initiator_that_nobody_else_knows),
		TEST(after_a_loss_of_messages),
		TEST(a_login_in_the_middle_of_a_poll),
		TEST(statistics_become_counters),
		TEST(what_a_driver_does_not_count_is_unknown),
		TEST(old_statistics_are_unknown),
		TEST(they_can_be_turned_off),
		TEST(one_poll_alone_counts_no_events),
		TEST(without_the_right_to_listen),
		TEST(without_the_right_to_ask),
		TEST(a_recording_lacks_nothing),
		TEST(without_a_driver_nobody_listens),
		TEST(an_old_kernel_does_not_name_logins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
