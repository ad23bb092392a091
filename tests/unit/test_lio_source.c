/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio over recordings, poll after poll. What one poll shows of each recording is in
 * tests/golden/lio.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#define ORG  "iqn.2026-11.org.example:"
#define LAB  "iqn.2026-11.lab.example:"
#define CRC  ORG "crc"
#define HOST ORG "host1"
#define ACL  "crc/tpgt_1/acls/" HOST

static const char *const recordings[] = { "none", "no-targets", "idle", "sessions",
	"login-failures", "session-failures", "disabled", "digests", "ipv6", "errors", "hostile" };

static const char *copy_of(const struct opt_str *field)
{
	static char out[1024];

	snprintf(out, sizeof(out), "%s", lio_text_of(field));
	return out;
}

/* The file info of a session, with one connection. */
static char *info_text(const char *name, unsigned sid, const char *alias)
{
	static char text[1024];

	snprintf(text, sizeof(text),
		"InitiatorName: %s\nInitiatorAlias: %s\n"
		"LIO Session ID: %u   ISID: 0x80 12 34 56 00 07  TSIH: %u  SessionType: Normal\n"
		"Session State: TARG_SESS_STATE_LOGGED_IN\n"
		"---------------------[iSCSI Session Values]-----------------------\n"
		"  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT\n"
		" 0x00000040   0x00000040   0x0000005e   0x0000009d   0x0000005f   0x00000058\n"
		"----------------------[iSCSI Connections]-------------------------\n"
		"CID: 1  Connection State: TARG_CONN_STATE_LOGGED_IN\n"
		"   Address 10.0.0.9 TCP  StatSN: 0xb0d23112\n",
		name, alias, sid, sid);
	return text;
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

/* ---- errors ---- */

/* True when the field is unknown in `a`, or the same in both fragments. */
static bool holds(const struct field_info *field, const struct fragment *fa, const void *a,
	const struct fragment *fb, const void *b)
{
	const char *x = (const char *)a + field->offset, *y = (const char *)b + field->offset;
	const struct opt_str *s = (const void *)x, *t = (const void *)y;
	static const size_t sizes[] = {
		[FIELD_u32] = sizeof(struct opt_u32),
		[FIELD_counter] = sizeof(struct opt_counter),
		[FIELD_bool] = sizeof(struct opt_bool),
		[FIELD_bits] = sizeof(struct opt_bits),
		[FIELD_addr] = sizeof(struct opt_addr),
		[FIELD_isid] = sizeof(struct opt_isid),
	};

	switch (field->type) {
	case FIELD_str:
		return !s->known ||
		       (t->known && s->length == t->length &&
			       !memcmp((const char *)fa + fa->arena_at + s->offset,
				       (const char *)fb + fb->arena_at + t->offset, s->length));
	case FIELD_link: /* positions differ when rows are missing */
	case FIELD_time: /* of this machine */
		return true;
	case FIELD_bool:
		return !((const struct opt_bool *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	case FIELD_bits:
		return !((const struct opt_bits *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	case FIELD_u32:
		return !((const struct opt_u32 *)(const void *)x)->known ||
		       ((const struct opt_u32 *)(const void *)x)->value ==
			       ((const struct opt_u32 *)(const void *)y)->value;
	case FIELD_counter:
		return !((const struct opt_counter *)(const void *)x)->known ||
		       ((const struct opt_counter *)(const void *)x)->value ==
			       ((const struct opt_counter *)(const void *)y)->value;
	case FIELD_addr:
		return !((const struct opt_addr *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	case FIELD_isid:
		return !((const struct opt_isid *)(const void *)x)->known ||
		       !memcmp(x, y, sizes[field->type]);
	}
	return false;
}

static const char *key_of(const struct fragment *f, enum object_kind kind, uint32_t at)
{
	const struct object_info *type = object_info(kind);
	const char *object = (const char *)fragment_array(f, kind) + (size_t)at * type->size;
	const struct opt_str *key = (const void *)(object + type->key_offset);

	return (const char *)f + f->arena_at + key->offset;
}

/* Connections are told apart by the key of their session too. */
static const char *parent_key(const struct fragment *f, enum object_kind kind, uint32_t at)
{
	const struct connection *connections = fragment_array(f, OBJECT_CONNECTION);

	return kind == OBJECT_CONNECTION ? key_of(f, OBJECT_SESSION, connections[at].session) : "";
}

static void assert_in(const struct fragment *part, const struct fragment *whole,
	enum object_kind kind, uint32_t at)
{
	const struct object_info *type = object_info(kind);
	const char *object = (const char *)fragment_array(part, kind) + (size_t)at * type->size;

	for (uint32_t k = 0; k < whole->arrays[kind].count; k++) {
		const char *other =
			(const char *)fragment_array(whole, kind) + (size_t)k * type->size;

		if (strcmp(key_of(part, kind, at), key_of(whole, kind, k)) != 0 ||
			strcmp(parent_key(part, kind, at), parent_key(whole, kind, k)) != 0)
			continue;
		for (uint32_t i = 0; i < type->field_count; i++)
			if (!holds(&type->fields[i], part, object, whole, other))
				fail_msg("read %u: %s %s: %s is not as it is", lio_fake.fail_read,
					type->name, key_of(part, kind, at), type->fields[i].name);
		return;
	}
	fail_msg("read %u: %s %s is not there", lio_fake.fail_read, type->name,
		key_of(part, kind, at));
}

/* All that `part` says, `whole` says too; only sessions (and "any", their identity) may lack. */
static void assert_only_holes(const struct fragment *part, const struct fragment *whole)
{
	assert_int_equal(part->arrays[OBJECT_INSTANCE].count, 1);
	assert_int_equal(part->arrays[OBJECT_NODE].count, whole->arrays[OBJECT_NODE].count);
	assert_int_equal(part->arrays[OBJECT_PORTAL].count, whole->arrays[OBJECT_PORTAL].count);
	for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++)
		for (uint32_t i = 0; i < part->arrays[kind].count; i++)
			assert_in(part, whole, kind, i);
}

/* Takes the fragment of the last good poll. */
static struct fragment *take_fragment(void)
{
	struct fragment *f = lio_poll.fragment;

	lio_poll.fragment = NULL;
	return f;
}

static void check_each_read(const char *recording, int error)
{
	struct fragment *whole;
	unsigned reads;

	lio_fake.fail_error = error;
	lio_load(recording);
	lio_run_good();
	reads = lio_fake.reads;
	whole = take_fragment();
	assert_true(reads > 20);
	for (unsigned k = 1; k <= reads; k++) {
		lio_load(recording);
		lio_fake.fail_read = k;
		lio_run_good();
		assert_only_holes(lio_poll.fragment, whole);
		/* And in the poll after it all is there again. */
		lio_fake.fail_read = 0;
		lio_run_good();
		assert_only_holes(lio_poll.fragment, whole);
		assert_only_holes(whole, lio_poll.fragment);
		assert_int_equal(LIO_ARRAY(INSTANCE, instance)->discontinuity.ns, 0);
	}
	free(whole);
}

static void test_each_read_that_fails_is_a_hole(void **state)
{
	(void)state;
	check_each_read("digests", -ENODEV);
	check_each_read("ipv6", -EIO);
	check_each_read("session-failures", -EACCES);
	check_each_read("login-failures", -E2BIG);
}

static void test_each_read_that_fails_later_is_a_hole(void **state)
{
	struct fragment *whole;

	(void)state;
	lio_load("digests");
	lio_fake.fail_error = -EIO;
	lio_run_good();
	lio_run_good(); /* reads less: what was negotiated is known */
	whole = take_fragment();
	for (unsigned k = 1, reads = lio_fake.reads; k <= reads; k++) {
		lio_fake.fail_read = k;
		lio_run_good();
		assert_only_holes(lio_poll.fragment, whole);
		lio_fake.fail_read = 0;
		lio_run_good();
		assert_only_holes(whole, lio_poll.fragment);
	}
	free(whole);
}

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
		assert_non_null(strstr(copy_of(&lio_session(CRC, HOST)->key), "life 0.0"));
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

/* ---- sessions ---- */

static unsigned info_reads;

/* Another session takes the place of the first while its files are read. */
static void replace_session(const char *path)
{
	if (strstr(path, ACL "/info") && ++info_reads == 2) {
		lio_put(ACL "/info", info_text(HOST, 9, "second"));
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
		lio_put(ACL "/info", info_text(HOST, ++info_reads, "x"));
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
	lio_put(ACL "/info", info_text(HOST, 77, "x")); /* another session */
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
	lio_put(ACL "/info", info_text(HOST, 3, "x"));
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

static void test_group_parameters_hold_for_sessions_that_were_there(void **state)
{
	const struct session *session;

	(void)state;
	lio_load("digests");
	lio_run_good();
	lio_put("crc/tpgt_1/param/TargetAlias", "other\n");
	lio_put("crc/tpgt_1/param/HeaderDigest", "None\n");
	lio_run_good();
	session = lio_session(CRC, HOST);
	assert_string_equal(copy_of(&session->target_alias), "checked");
	assert_int_equal(lio_connection(session, 0)->header_digest.value, 4);
	assert_string_equal(copy_of(&lio_node(CRC)->alias), "other");
	/* One that logged in between the two polls met the old or the new ones. */
	lio_put("crc/tpgt_1/param/TargetAlias", "third\n");
	lio_put(ACL "/info", info_text(HOST, 12, "x"));
	lio_run_good();
	session = lio_session(CRC, HOST);
	assert_false(session->target_alias.known);
	assert_int_equal(lio_connection(session, 0)->header_digest.value, 3);
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
	lio_put(ACL "/info", info_text(HOST, 12, "x"));
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
		TEST(test_each_read_that_fails_is_a_hole),
		TEST(test_each_read_that_fails_later_is_a_hole),
		TEST(test_list_that_fails_fails_the_poll),
		TEST(test_want_of_memory_or_descriptors_fails_the_poll),
		TEST(test_deadline_is_kept),
		TEST(test_objects_that_vanish_meanwhile_are_left_out),
		TEST(test_target_that_goes_after_it_was_listed),
		TEST(test_file_that_is_too_long),
		TEST(test_no_recording_is_read_below_auth),
		TEST(test_session_replaced_while_it_is_read),
		TEST(test_session_that_never_holds_is_left_out),
		TEST(test_session_that_ends_while_it_is_read),
		TEST(test_negotiated_values_are_read_once),
		TEST(test_older_session_is_back_with_its_key),
		TEST(test_same_numbers_with_fewer_commands_is_another_session),
		TEST(test_group_that_comes_back_is_another),
		TEST(test_group_parameters_hold_for_sessions_that_were_there),
		TEST(test_socket_table_that_is_missing_once),
		TEST(test_no_socket_table),
		TEST(test_transport_of_which_a_file_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
