/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source open-iscsi, poll after poll: what is read when, what stays while a connection is
 * lost, and which session is the same one. The recording two-targets has the sessions 1, 2, 4 and
 * 5 (at positions 0 to 3); 4 has digests.
 */
#include "base/clock.h"
#include "tests/support/open_iscsi_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define FOURTH 2u /* position of session 4 */

extern const struct source_ops open_iscsi_source;

static uint64_t now_ns;
static unsigned int plain_reads, kept_reads, filtered_reads;
static const char *hook_path; /* when this file was read … */
static void (*hook)(void);    /* … this happens, once */
static unsigned int secrets_asked;

uint64_t __wrap_clock_now_ns(void);
ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __real_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __real_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);
ssize_t __wrap_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);

uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	ssize_t rc = __real_root_read(root, path, out, capacity);

	plain_reads++;
	if (root_path_is_secret(path) || strstr(path, "username"))
		secrets_asked++;
	if (hook_path && strcmp(path, hook_path) == 0) {
		hook_path = NULL;
		hook();
	}
	return rc;
}

ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity)
{
	kept_reads++;
	return __real_root_file_read(file, out, capacity);
}

ssize_t __wrap_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out)
{
	filtered_reads++;
	return __real_root_read_filtered(root, path, keys, out);
}

static int begin(void **state)
{
	(void)state;
	now_ns = 1000 * SECOND;
	hook_path = NULL;
	secrets_asked = 0;
	lab_begin("two-targets");
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void poll(void)
{
	now_ns += 5 * SECOND;
	plain_reads = kept_reads = filtered_reads = 0;
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
}

static const char *key_of(uint32_t at)
{
	return lab_text(&lab_session(at)->key);
}

/* What the kernel shows of session 4 once its connection is lost. */
static void lose_session_4(void)
{
	lab_file(LAB_SESSION(4) "/state", "FAILED\n");
	lab_file(LAB_CONNECTION(4) "/state", "failed\n");
	lab_error(LAB_CONNECTION(4) "/address", -ENOTCONN);
	lab_error(LAB_CONNECTION(4) "/port", -ENOTCONN);
	lab_error(LAB_CONNECTION(4) "/local_port", -ENOTCONN);
	lab_error(LAB_HOST(3) "/ipaddress", -ENOTCONN);
	lab_file(LAB_CONNECTION(4) "/header_digest", "0\n");
	lab_file(LAB_CONNECTION(4) "/data_digest", "0\n");
}

static void restore_session_4(const char *local_port)
{
	lab_file(LAB_SESSION(4) "/state", "LOGGED_IN\n");
	lab_file(LAB_CONNECTION(4) "/state", "up\n");
	lab_file(LAB_CONNECTION(4) "/address", "10.10.2.2\n");
	lab_file(LAB_CONNECTION(4) "/port", "3260\n");
	lab_file(LAB_CONNECTION(4) "/local_port", local_port);
	lab_file(LAB_HOST(3) "/ipaddress", "10.10.2.1\n");
}

static void assert_ends_of_session_4(uint32_t local_port)
{
	const struct connection *c = lab_connection(FOURTH);

	assert_string_equal(lab_address(&c->remote_address), "10.10.2.2");
	assert_int_equal(c->remote_port.value, 3260);
	assert_string_equal(lab_address(&c->local_address), "10.10.2.1");
	assert_int_equal(c->local_port.value, local_port);
	assert_true(c->remote_port.known && c->local_port.known);
}

static void a_session_as_it_is(void **state)
{
	const struct session *s;
	const struct connection *c;

	(void)state;
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_int_equal(lab_count(OBJECT_CONNECTION), 4);
	s = lab_session(FOURTH);
	c = lab_connection(FOURTH);
	assert_string_equal(lab_text(&s->key), "sid 4 creator 259");
	assert_string_equal(lab_text(&s->target_name), "iqn.2026-11.lab.example:t2");
	assert_int_equal(s->direction.value, 2);
	assert_memory_equal(s->isid.octets, "\x00\x02\x3d\x00\x00\x04", 6);
	assert_true(s->initial_r2t.value && s->immediate_data.value);
	assert_int_equal(s->first_burst_length.value, 65536);
	assert_int_equal(s->max_burst_length.value, 262144);
	assert_false(s->tsih.known || s->command_pdus.known || s->tx_octets.known);
	assert_int_equal(c->session, FOURTH);
	assert_int_equal(c->state.value, 2);
	assert_int_equal(c->header_digest.value, 4);
	assert_int_equal(c->data_digest.value, 4);
	assert_ends_of_session_4(43988);
	assert_int_equal(secrets_asked, 0);
}

static void a_lost_connection_keeps_what_it_had(void **state)
{
	static const char *const states[] = { "FAILED\n", "FREE\n" };

	(void)state;
	poll();
	lose_session_4();
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		lab_file(LAB_SESSION(4) "/state", states[i]);
		poll();
		assert_int_equal(lab_count(OBJECT_SESSION), 4);
		assert_string_equal(key_of(FOURTH), "sid 4 creator 259");
		assert_int_equal(lab_connection(FOURTH)->state.value, 1);
		assert_int_equal(lab_connection(FOURTH)->header_digest.value, 4);
		assert_int_equal(lab_connection(FOURTH)->data_digest.value, 4);
		assert_int_equal(lab_session(FOURTH)->max_burst_length.value, 262144);
		assert_int_equal(lab_session(FOURTH)->connection_count.value, 1);
		assert_ends_of_session_4(43988);
		assert_int_equal(lab_count(OBJECT_PORTAL), 2);
	}
}

static void a_new_login_is_the_same_session_with_new_values(void **state)
{
	(void)state;
	poll();
	lose_session_4();
	poll();
	restore_session_4("50001\n");
	lab_file(LAB_SESSION(4) "/first_burst_len", "8192\n");
	poll();
	assert_string_equal(key_of(FOURTH), "sid 4 creator 259");
	assert_int_equal(lab_connection(FOURTH)->state.value, 2);
	assert_int_equal(lab_connection(FOURTH)->header_digest.value, 3);
	assert_int_equal(lab_session(FOURTH)->first_burst_length.value, 8192);
	assert_ends_of_session_4(50001);
}

/* Seen from one state to the same one: only port or status number tell. */
static void a_login_between_two_polls_is_noticed_by_its_port(void **state)
{
	(void)state;
	poll();
	restore_session_4("50002\n");
	lab_file(LAB_CONNECTION(4) "/header_digest", "0\n");
	poll();
	assert_int_equal(lab_connection(FOURTH)->header_digest.value, 3);
	assert_ends_of_session_4(50002);
}

static void a_login_between_two_polls_is_noticed_by_its_status_number(void **state)
{
	(void)state;
	lab_file(LAB_CONNECTION(4) "/exp_statsn", "4294967290\n");
	poll();
	lab_file(LAB_CONNECTION(4) "/header_digest", "0\n");
	lab_file(LAB_CONNECTION(4) "/exp_statsn", "20\n"); /* it wraps: goes on */
	poll();
	assert_int_equal(lab_connection(FOURTH)->header_digest.value, 4);
	lab_file(LAB_CONNECTION(4) "/exp_statsn", "19\n");
	poll();
	assert_int_equal(lab_connection(FOURTH)->header_digest.value, 3);
}

static void within_a_login_only_states_are_read(void **state)
{
	(void)state;
	poll();
	assert_true(plain_reads > 4 * 12);
	lab_file(LAB_SESSION(4) "/first_burst_len", "8192\n");
	poll();
	assert_int_equal(lab_session(FOURTH)->first_burst_length.value, 65536);
	/*
	 * The module's version, the speed of two interfaces; S/state, target_state, C/state,
	 * exp_statsn, local_port of each.
	 */
	assert_int_equal(plain_reads, 1 + 2 + 5 * 4);
	assert_int_equal(kept_reads, 5 * 4);
	assert_int_equal(filtered_reads, 0);
}

/* Before Linux 6.1 to ask for an address may crash the kernel: seldom, but the rest always. */
static void old_kernels_are_not_asked_for_addresses(void **state)
{
	(void)state;
	lab_file("/proc/sys/kernel/osrelease", "5.14.0-503.el9.x86_64\n");
	lab_restart_reader();
	poll();
	assert_ends_of_session_4(43988);
	restore_session_4("50003\n");
	lab_file(LAB_CONNECTION(4) "/header_digest", "0\n");
	poll();
	assert_int_equal(lab_connection(FOURTH)->header_digest.value, 3);
	assert_ends_of_session_4(43988);
	now_ns += 60 * SECOND;
	poll();
	assert_ends_of_session_4(50003);
	restore_session_4("50004\n");
	lab_file(LAB_CONNECTION(4) "/exp_statsn", "1\n");
	poll();
	assert_ends_of_session_4(50004);
}

/* The digests would read as "off" once the kernel has forgotten them. */
static void a_loss_while_it_is_read_spoils_nothing(void **state)
{
	(void)state;
	lab_file(LAB_CONNECTION(4) "/persistent_address", "10.10.2.2\n");
	hook_path = LAB_CONNECTION(4) "/max_xmit_dlength";
	hook = lose_session_4;
	poll();
	assert_null(hook_path);
	assert_false(lab_connection(FOURTH)->header_digest.known);
	assert_false(lab_session(FOURTH)->max_burst_length.known);
	assert_int_equal(lab_connection(0)->header_digest.value, 3);
	poll();
	assert_int_equal(lab_connection(FOURTH)->state.value, 1);
	assert_false(lab_connection(FOURTH)->header_digest.known);
	/* What the kernel keeps of the last login is taken while it is down. */
	assert_int_equal(lab_session(FOURTH)->max_burst_length.value, 262144);
	assert_string_equal(lab_address(&lab_connection(FOURTH)->remote_address), "10.10.2.2");
	assert_false(lab_connection(FOURTH)->local_port.known);
	restore_session_4("50005\n");
	poll();
	assert_ends_of_session_4(50005);
}

static void a_session_without_a_name_has_no_row_yet(void **state)
{
	(void)state;
	lab_file(LAB_SESSION(4) "/targetname", "(null)\n");
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 3);
	assert_int_equal(lab_count(OBJECT_CONNECTION), 3);
	lab_file(LAB_SESSION(4) "/targetname", "iqn.2026-11.lab.example:late\n");
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_string_equal(
		lab_text(&lab_session(FOURTH)->target_name), "iqn.2026-11.lab.example:late");
	assert_ends_of_session_4(43988);
}

static void a_session_that_vanishes_while_it_is_read_is_left_out(void **state)
{
	(void)state;
	poll();
	lab_error(LAB_SESSION(4) "/state", -ENODEV);
	lab_link_error(LAB_SESSION(4), -ENOENT);
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 3);
	/* With its state alone missing it is still a session. */
	lab_end();
	lab_begin("two-targets");
	lab_error(LAB_SESSION(4) "/state", -ENODEV);
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
}

static void a_sid_that_comes_again_is_another_session(void **state)
{
	(void)state;
	poll();
	lab_list("/sys/class/iscsi_session", "session1\nsession2\nsession5\n");
	lab_list("/sys/class/iscsi_connection", "connection1:0\nconnection2:0\nconnection5:0\n");
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 3);
	lab_list("/sys/class/iscsi_session", "session1\nsession2\nsession4\nsession5\n");
	lab_list("/sys/class/iscsi_connection",
		"connection1:0\nconnection2:0\nconnection4:0\nconnection5:0\n");
	poll();
	assert_string_equal(key_of(FOURTH), "sid 4 creator 259 epoch 1");
	assert_string_equal(key_of(FOURTH + 1), "sid 5 creator 259");
	assert_ends_of_session_4(43988);
	poll();
	assert_string_equal(key_of(FOURTH), "sid 4 creator 259 epoch 1");
}

static void keys_outlive_the_reader(void **state)
{
	(void)state;
	poll();
	lab_restart_reader();
	poll();
	assert_string_equal(key_of(0), "sid 1 creator 259");
	assert_string_equal(key_of(FOURTH), "sid 4 creator 259");
}

static void connections_come_and_go(void **state)
{
	(void)state;
	poll();
	lab_list("/sys/class/iscsi_connection", "connection1:0\nconnection2:0\nconnection5:0\n");
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_int_equal(lab_count(OBJECT_CONNECTION), 3);
	assert_false(lab_session(FOURTH)->connection_count.known);
	lab_list("/sys/class/iscsi_connection",
		"connection1:0\nconnection2:0\nconnection4:0\nconnection4:1\nconnection5:0\n");
	poll();
	assert_int_equal(lab_session(FOURTH)->connection_count.value, 2);
	assert_int_equal(lab_connection(FOURTH + 1)->cid.value, 1);
	assert_ends_of_session_4(43988);
	/* They are in the order of their numbers, whichever came first. */
	lab_list("/sys/class/iscsi_connection", "connection4:1\n");
	poll();
	lab_list("/sys/class/iscsi_connection", "connection4:1\nconnection4:0\n");
	poll();
	assert_int_equal(lab_count(OBJECT_CONNECTION), 2);
	assert_int_equal(lab_connection(0)->cid.value, 0);
	assert_int_equal(lab_connection(1)->cid.value, 1);
}

static void records_are_read_twice_a_minute(void **state)
{
	(void)state;
	poll();
	assert_true(filtered_reads > 0);
	assert_string_equal(
		lab_text(&((const struct node *)fragment_array(lab_result.fragment, OBJECT_NODE))
				  ->alias),
		"lab-initiator");
	lab_file("/etc/iscsi/initiatorname.iscsi",
		"InitiatorName=iqn.2026-11.lab.example:init1\nInitiatorAlias=other\n");
	poll();
	assert_int_equal(filtered_reads, 0);
	now_ns += 30 * SECOND;
	poll();
	assert_true(filtered_reads > 0);
	assert_string_equal(
		lab_text(&((const struct node *)fragment_array(lab_result.fragment, OBJECT_NODE))
				  ->alias),
		"other");
}

static void a_poll_without_time_fails_and_the_next_is_good(void **state)
{
	(void)state;
	assert_int_equal(lab_poll_within(0), 0);
	assert_int_equal(lab_result.units, 1);
	assert_int_equal(lab_result.error, -ETIMEDOUT);
	assert_string_equal(
		lab_result.message, "reading sessions: 0 of 4 before the time was over");
	poll();
	assert_int_equal(lab_count(OBJECT_SESSION), 4);
	assert_string_equal(key_of(FOURTH), "sid 4 creator 259");
}

static void a_list_that_fails_keeps_all(void **state)
{
	static const char *const lists[] = { "/sys/class/iscsi_session",
		"/sys/class/iscsi_connection", "/sys/class/iscsi_transport" };

	(void)state;
	poll();
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		lab_list_error(lists[i], -EIO);
		assert_int_equal(lab_poll(), 0);
		assert_int_equal(lab_result.units, 1);
		assert_int_equal(lab_result.error, -EIO);
		assert_non_null(strstr(lab_result.message, lists[i]));
		lab_end();
		lab_begin("two-targets");
	}
}

static void without_the_class_there_is_no_unit(void **state)
{
	(void)state;
	poll();
	lab_list_error("/sys/class/iscsi_transport", -ENOENT);
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.units, 0);
	/* The module is being unloaded: an instance without sessions. */
	lab_list("/sys/class/iscsi_transport", "tcp\n");
	lab_list_error("/sys/class/iscsi_session", -ENOENT);
	lab_list_error("/sys/class/iscsi_connection", -ENOENT);
	poll();
	assert_int_equal(lab_count(OBJECT_INSTANCE), 1);
	assert_int_equal(lab_count(OBJECT_SESSION), 0);
}

#define TCP_HEAD "  sl  local_address rem_address   st\n"
#define TCP_ROW(port) \
	" 0: 010200C0:" port " 0B0200C0:0CBC 01 00000000:00000000 00:00000000 00000000 0 0 1 1\n"

static void a_local_port_of_the_socket_table_follows_it(void **state)
{
	(void)state;
	lab_end();
	lab_begin("old-kernel");
	lab_file("/proc/net/tcp", TCP_HEAD TCP_ROW("9C41"));
	poll();
	assert_int_equal(lab_connection(0)->local_port.value, 40001);
	/* Another session to the same portal, by whomever: now it cannot be told. */
	lab_file("/proc/net/tcp", TCP_HEAD TCP_ROW("9C41") TCP_ROW("9C42"));
	poll();
	assert_false(lab_connection(0)->local_port.known);
	assert_string_equal(lab_address(&lab_connection(0)->local_address), "192.0.2.1");
	lab_file("/proc/net/tcp", TCP_HEAD TCP_ROW("9C42"));
	poll();
	assert_int_equal(lab_connection(0)->local_port.value, 40002);
	lab_file("/proc/net/tcp", TCP_HEAD);
	poll();
	assert_false(lab_connection(0)->local_port.known);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_as_it_is),
		TEST(a_lost_connection_keeps_what_it_had),
		TEST(a_new_login_is_the_same_session_with_new_values),
		TEST(a_login_between_two_polls_is_noticed_by_its_port),
		TEST(a_login_between_two_polls_is_noticed_by_its_status_number),
		TEST(within_a_login_only_states_are_read),
		TEST(old_kernels_are_not_asked_for_addresses),
		TEST(a_loss_while_it_is_read_spoils_nothing),
		TEST(a_session_without_a_name_has_no_row_yet),
		TEST(a_session_that_vanishes_while_it_is_read_is_left_out),
		TEST(a_sid_that_comes_again_is_another_session),
		TEST(keys_outlive_the_reader),
		TEST(connections_come_and_go),
		TEST(records_are_read_twice_a_minute),
		TEST(a_poll_without_time_fails_and_the_next_is_good),
		TEST(a_list_that_fails_keeps_all),
		TEST(without_the_class_there_is_no_unit),
		TEST(a_local_port_of_the_socket_table_follows_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
