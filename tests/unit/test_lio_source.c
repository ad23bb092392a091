/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio over recordings, poll after poll. What one poll shows of each recording is in
 * tests/golden/lio.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#include <poll.h>

#define ORG  "iqn.2026-11.org.example:"
#define LAB  "iqn.2026-11.lab.example:"
#define CRC  ORG "crc"
#define HOST ORG "host1"
#define ACL  "crc/tpgt_1/acls/" HOST

static const char *copy_of(const struct opt_str *field)
{
	static char out[1024];

	snprintf(out, sizeof(out), "%s", lio_text_of(field));
	return out;
}

/* ---- whether it is there ---- */

static void test_detect(void **state)
{
	(void)state;
	lio_load("none");
	assert_int_equal(source_find("lio")->detect(&lio_poll.env), 0);
	lio_load("no-targets");
	assert_int_equal(source_find("lio")->detect(&lio_poll.env), 1);
	lio_put_error("/iscsi", -EIO);
	assert_int_equal(source_find("lio")->detect(&lio_poll.env), -EIO);
}

static void test_without_lio_there_is_no_unit(void **state)
{
	(void)state;
	lio_load("none");
	assert_int_equal(lio_run(), 0);
	assert_int_equal(lio_poll.units, 0);
}

static void test_unloaded_and_loaded_again(void **state)
{
	char key[256];

	(void)state;
	lio_load("digests");
	lio_run_good();
	snprintf(key, sizeof(key), "%s", lio_text_of(&lio_session(CRC, HOST)->key));
	lio_put_error("/target/iscsi", -ENOENT);
	assert_int_equal(lio_run(), 0);
	assert_int_equal(lio_poll.units, 0);
	lio_put_back();
	lio_run_good();
	assert_string_not_equal(copy_of(&lio_session(CRC, HOST)->key), key);
	assert_true(lio_node(CRC)->discontinuity.ns > 0);
}

static void be_slow_once(const char *path)
{
	(void)path;
	lio_fake.before_read = NULL;
	poll(NULL, 0, 20);
}

/* What a poll takes was counted from where all of configfs had been read. */
static void test_reading_is_in_the_time_of_a_poll(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	lio_fake.before_read = be_slow_once;
	lio_run_good();
	assert_null(lio_fake.before_read);
	assert_true(lio_poll.wall_ns >= 20 * NS_PER_MS);
}

static void test_node_has_the_preferences_of_the_lowest_enabled_group(void **state)
{
	(void)state;
	lio_load("disabled");
	lio_put("t1/tpgt_1/param/MaxBurstLength", "1024\n");
	lio_run_good();
	assert_int_equal(lio_node(LAB "t1")->max_burst_length.value, 262144); /* of 2 */
	lio_put("t1/tpgt_1/enable", "1\n");
	lio_run_good();
	assert_int_equal(lio_node(LAB "t1")->max_burst_length.value, 1024);
	lio_put("t1/tpgt_1/enable", "0\n");
	lio_put("t1/tpgt_2/enable", "0\n");
	lio_run_good();
	assert_int_equal(lio_node(LAB "t1")->max_burst_length.value, 1024);
	lio_put_error("t1/tpgt_1/enable", -EIO);
	lio_run_good();
	assert_false(lio_node(LAB "t1")->max_burst_length.known);
}

/* ---- sessions ---- */

static unsigned info_reads;

/* Another session takes the place of the first while its files are read. */
static void replace_session(const char *path)
{
	if (strstr(path, ACL "/info") && ++info_reads == 2) {
		lio_put(ACL "/info", lio_info_text(HOST, 9, "second"));
		lio_put(ACL "/fabric_statistics/iscsi_sess_stats/cmd_pdus", "5\n");
		lio_put(ACL "/param/MaxBurstLength", "1024\n");
	}
}

static void test_session_replaced_while_it_is_read(void **state)
{
	const struct session *session;

	(void)state;
	lio_load("digests");
	info_reads = 0;
	lio_fake.before_read = replace_session;
	lio_run_good();
	session = lio_session(CRC, HOST);
	assert_string_equal(copy_of(&session->initiator_alias), "second");
	assert_int_equal(session->command_pdus.value, 5);
	assert_int_equal(session->max_burst_length.value, 1024);
	assert_int_equal(session->tsih.value, 9);
}

static void replace_always(const char *path)
{
	if (strstr(path, ACL "/info")) {
		lio_put_back();
		lio_put(ACL "/info", lio_info_text(HOST, ++info_reads, "x"));
	}
}

static void test_session_that_never_holds_is_left_out(void **state)
{
	(void)state;
	lio_load("digests");
	info_reads = 0;
	lio_fake.before_read = replace_always;
	lio_run_good();
	assert_null(lio_session(CRC, HOST));
	assert_int_equal(info_reads, 6);
	assert_int_equal(lio_count_of(OBJECT_SESSION), 3);
}

static void end_session(const char *path)
{
	if (strstr(path, ACL "/info") && ++info_reads == 2)
		lio_put(ACL "/info", "No active iSCSI Session for Initiator Endpoint: " HOST "\n");
}

static void test_session_that_ends_while_it_is_read(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	info_reads = 0;
	lio_fake.before_read = end_session;
	lio_run_good();
	assert_null(lio_session(CRC, HOST));
}

static unsigned parameter_reads;

static void count_parameter_reads(const char *path)
{
	parameter_reads += strstr(path, ACL "/param/") != NULL;
}

static void test_negotiated_values_are_read_once(void **state)
{
	(void)state;
	lio_load("digests");
	parameter_reads = 0;
	lio_fake.before_read = count_parameter_reads;
	lio_put_error(ACL "/param/MaxBurstLength", -EIO);
	lio_run_good();
	assert_int_equal(parameter_reads, 11);
	assert_false(lio_session(CRC, HOST)->max_burst_length.known);
	lio_put_back();
	lio_run_good(); /* again: not all could be read */
	assert_int_equal(parameter_reads, 22);
	assert_int_equal(lio_session(CRC, HOST)->max_burst_length.value, 16384);
	lio_run_good();
	assert_int_equal(parameter_reads, 22);
	assert_int_equal(lio_session(CRC, HOST)->max_burst_length.value, 16384);
	lio_put(ACL "/info", lio_info_text(HOST, 77, "x")); /* another session */
	lio_run_good();
	assert_int_equal(parameter_reads, 33);
}

static void test_older_session_is_back_with_its_key(void **state)
{
	char key[256];

	(void)state;
	lio_load("digests");
	lio_run_good();
	snprintf(key, sizeof(key), "%s", lio_text_of(&lio_session(CRC, HOST)->key));
	lio_put(ACL "/info", lio_info_text(HOST, 3, "x"));
	lio_put(ACL "/fabric_statistics/iscsi_sess_stats/cmd_pdus", "0\n");
	lio_run_good();
	assert_string_not_equal(copy_of(&lio_session(CRC, HOST)->key), key);
	assert_int_equal(lio_session(CRC, HOST)->command_pdus.value, 0);
	lio_put_back();
	lio_run_good();
	assert_string_equal(copy_of(&lio_session(CRC, HOST)->key), key);
}

static void test_same_numbers_with_fewer_commands_is_another_session(void **state)
{
	char key[256], other[256];

	(void)state;
	lio_load("digests");
	lio_run_good();
	snprintf(key, sizeof(key), "%s", lio_text_of(&lio_session(CRC, HOST)->key));
	snprintf(other, sizeof(other), "%s", lio_text_of(&lio_session(CRC, ORG "waiting")->key));
	lio_put(ACL "/fabric_statistics/iscsi_sess_stats/txdata_octs", "4\n");
	lio_put(ACL "/param/MaxBurstLength", "2048\n");
	lio_run_good();
	assert_string_not_equal(copy_of(&lio_session(CRC, HOST)->key), key);
	/* What was negotiated may be that of the one before. */
	assert_false(lio_session(CRC, HOST)->max_burst_length.known);
	lio_run_good();
	assert_int_equal(lio_session(CRC, HOST)->max_burst_length.value, 2048);
}

static void test_group_that_comes_back_is_another(void **state)
{
	char key[256];

	(void)state;
	lio_load("digests");
	lio_run_good();
	snprintf(key, sizeof(key), "%s", lio_text_of(&lio_session(CRC, HOST)->key));
	lio_put("/" CRC, "fabric_statistics\n");
	lio_run_good();
	assert_null(lio_session(CRC, HOST));
	assert_false(lio_node(CRC)->initial_r2t.known);
	lio_put_back();
	lio_run_good();
	assert_string_not_equal(copy_of(&lio_session(CRC, HOST)->key), key);
}

/* ---- what the kernel says of the last failures ---- */

static void test_words_for_no_name_and_no_address(void **state)
{
	static const struct {
		const char *text, *shown;
	} names[] = { { "None\n", "-" }, { "Unknown\n", "-" }, { "\n", "-" }, { "", "-" },
		{ "iqn.a\n", "iqn.a" }, { "None of them\n", "None of them" } },
	  addresses[] = { { "(einval)\n", "-" }, { "(invalid address)\n", "-" }, { "None\n", "-" },
		  { "\n", "-" }, { "10.0.0.8\n", "10.0.0.8" }, { "fd00::1\n", "fd00::1" },
		  { "10.0.0.8:3260\n", "-" } };

	(void)state;
	lio_load("digests");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		lio_put_back();
		lio_put("crc/fabric_statistics/iscsi_tgt_attr/fail_intr_name", names[i].text);
		lio_run_good();
		assert_string_equal(
			lio_text_of(&lio_node(CRC)->target_last_failure_name), names[i].shown);
	}
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		const struct opt_addr *field;
		struct text_address address;
		char text[64] = "-";

		lio_put_back();
		lio_put("crc/fabric_statistics/iscsi_tgt_attr/fail_intr_addr", addresses[i].text);
		lio_run_good();
		field = &lio_node(CRC)->target_last_failure_address;
		address.type = field->type;
		address.length = field->length;
		memcpy(address.octets, field->octets, sizeof(address.octets));
		if (field->known)
			text_from_address(text, &address);
		assert_string_equal(text, addresses[i].shown);
	}
}

/* A time that overflows, a type and a sum that count each failure twice. */
static void assert_of_use(const char *path)
{
	assert_null(strstr(path, "last_fail_time"));
	assert_null(strstr(path, "last_fail_type"));
	assert_null(strstr(path, "login_fails"));
	assert_null(strstr(path, "disc_time"));
}

static void test_files_of_no_use_are_not_read(void **state)
{
	(void)state;
	lio_fake.before_read = assert_of_use;
	lio_load("login-failures");
	lio_run_good();
	lio_run_good();
}

/* ---- sessions that are not shown ---- */

#define COUNT "crc/fabric_statistics/iscsi_instance/sessions"

static void assert_sessions(const char *reported, const char *hidden)
{
	const struct instance *instance = LIO_ARRAY(INSTANCE, instance);
	char text[2][16] = { "-", "-" };

	if (instance->sessions_reported.known)
		snprintf(text[0], sizeof(text[0]), "%u", instance->sessions_reported.value);
	if (instance->sessions_hidden.known)
		snprintf(text[1], sizeof(text[1]), "%u", instance->sessions_hidden.value);
	assert_string_equal(text[0], reported);
	assert_string_equal(text[1], hidden);
	assert_int_equal(*lio_poll.note != 0, atoi(hidden) > 0);
}

static void test_sessions_without_a_row_are_counted(void **state)
{
	(void)state;
	lio_load("digests"); /* with four sessions in all, two of them of this target */
	lio_run_good();
	assert_sessions("4", "0");
	lio_put(COUNT, "5\n");
	lio_run_good();
	assert_sessions("7", "3");
	assert_non_null(strstr(lio_poll.note, "sessions without a row"));
	/* More rows than sessions: one logged out before it was counted. */
	lio_put(COUNT, "1\n");
	lio_run_good();
	assert_sessions("3", "0");
	/* Targets do not make up for each other. */
	lio_put("rdma/fabric_statistics/iscsi_instance/sessions", "2\n");
	lio_run_good();
	assert_sessions("4", "1");
}

static void log_in_meanwhile(const char *path)
{
	if (strstr(path, "crc/tpgt_1/dynamic_sessions"))
		lio_put(COUNT, "3\n");
}

static void test_number_of_sessions_that_moves_meanwhile(void **state)
{
	(void)state;
	lio_load("digests");
	lio_fake.before_read = log_in_meanwhile;
	lio_run_good();
	assert_sessions("-", "-");
	lio_fake.before_read = NULL;
	lio_run_good();
	assert_sessions("5", "1");
}

static void test_session_that_cannot_be_read_is_not_hidden_by_lio(void **state)
{
	static const char *const files[] = { ACL "/info", "crc/tpgt_1/dynamic_sessions",
		"crc/tpgt_1/acls" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		lio_load("digests");
		lio_put(COUNT, "3\n");
		lio_run_good();
		assert_sessions("5", "1");
		lio_put_error(files[i], -EACCES);
		lio_run_good();
		assert_int_equal(LIO_ARRAY(INSTANCE, instance)->sessions_reported.value, 5);
		assert_false(LIO_ARRAY(INSTANCE, instance)->sessions_hidden.known);
		assert_non_null(strstr(lio_poll.note, "may have no row"));
		lio_put_back();
		lio_put_error(files[i], -ENODEV); /* it is just going */
		lio_run_good();
		assert_non_null(strstr(lio_poll.note, "without a row")); /* as before */
		lio_put_back();
	}
	lio_load("digests");
	lio_put_error(COUNT, -EIO);
	lio_run_good();
	assert_sessions("-", "-");
}

/* ---- sockets ---- */

static void test_socket_table_that_is_missing_once(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	lio_fake.sockets_error = -ETIMEDOUT;
	lio_run_good();
	assert_int_equal(lio_connection(lio_session(CRC, HOST), 0)->remote_port.value, 40001);
	/* A new connection has no port yet. */
	lio_put(ACL "/info", lio_info_text(HOST, 12, "x"));
	lio_run_good();
	assert_false(lio_connection(lio_session(CRC, HOST), 0)->remote_port.known);
}

static void test_no_socket_table(void **state)
{
	const struct connection *connection;

	(void)state;
	lio_load("digests");
	lio_fake.sockets_error = -ENOENT;
	lio_run_good();
	connection = lio_connection(lio_session(CRC, HOST), 0);
	assert_false(connection->remote_port.known);
	/* It has one portal. */
	assert_int_equal(connection->local_port.value, 3260);
	assert_true(connection->local_address.known);
}

static void test_transport_of_which_a_file_cannot_be_read(void **state)
{
	(void)state;
	lio_load("digests");
	lio_put_error("chelsio/tpgt_7/np/10.0.0.2:3260/iser", -EIO);
	lio_run_good();
	assert_false(lio_connection(lio_session(ORG "chelsio", ORG "HOST1"), 0)->protocol.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_detect),
		TEST(test_without_lio_there_is_no_unit),
		TEST(test_unloaded_and_loaded_again),
		TEST(test_reading_is_in_the_time_of_a_poll),
		TEST(test_node_has_the_preferences_of_the_lowest_enabled_group),
		TEST(test_session_replaced_while_it_is_read),
		TEST(test_session_that_never_holds_is_left_out),
		TEST(test_session_that_ends_while_it_is_read),
		TEST(test_negotiated_values_are_read_once),
		TEST(test_older_session_is_back_with_its_key),
		TEST(test_same_numbers_with_fewer_commands_is_another_session),
		TEST(test_group_that_comes_back_is_another),
		TEST(test_words_for_no_name_and_no_address),
		TEST(test_files_of_no_use_are_not_read),
		TEST(test_sessions_without_a_row_are_counted),
		TEST(test_number_of_sessions_that_moves_meanwhile),
		TEST(test_session_that_cannot_be_read_is_not_hidden_by_lio),
		TEST(test_socket_table_that_is_missing_once),
		TEST(test_no_socket_table),
		TEST(test_transport_of_which_a_file_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
