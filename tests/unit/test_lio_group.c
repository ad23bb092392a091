/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio: which of the portal group's parameters hold for a session. The kernel tells what
 * they are now, and not what they were when the session logged in.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#define ORG	"iqn.2026-11.org.example:"
#define CRC	ORG "crc"
#define HOST	ORG "host1"
#define ACL	"crc/tpgt_1/acls/" HOST
#define PARAM	"crc/tpgt_1/param/"
#define DIGESTS PARAM "HeaderDigest"

enum { HOLE, NO_DIGEST = 3, CRC32C };

/* The header digest of the session's n-th connection in the last poll, from 0. */
static uint32_t header_digest(uint32_t n)
{
	const struct session *session = lio_session(CRC, HOST);
	const struct opt_u32 *digest;

	assert_non_null(session);
	digest = &lio_connection(session, n)->header_digest;
	return digest->known ? digest->value : HOLE;
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
	assert_string_equal(lio_text_of(&session->target_alias), "checked");
	assert_int_equal(lio_connection(session, 0)->header_digest.value, 4);
	assert_string_equal(lio_text_of(&lio_node(CRC)->alias), "other");
	/* One that logged in between the two polls met the old or the new ones. */
	lio_put("crc/tpgt_1/param/TargetAlias", "third\n");
	lio_put(ACL "/info", lio_info_text(HOST, 12, "x"));
	lio_run_good();
	session = lio_session(CRC, HOST);
	assert_false(session->target_alias.known);
	assert_int_equal(lio_connection(session, 0)->header_digest.value, 3);
}

/* The group lets in with CRC32C only; then nobody has it. */
static void test_older_session_that_is_back(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	assert_int_equal(header_digest(0), CRC32C);
	lio_put(ACL "/info", lio_info_text(HOST, 3, "x"));
	lio_run_good();
	assert_int_equal(header_digest(0), CRC32C);
	lio_put(DIGESTS, "None\n");
	lio_run_good();
	assert_int_equal(header_digest(0), CRC32C);
	lio_put(ACL "/info", lio_info_text(HOST, 2, "host1")); /* the newer one ends */
	lio_run_good();
	assert_int_equal(header_digest(0), HOLE);
	assert_int_equal(
		lio_connection(lio_session(CRC, HOST), 0)->max_recv_data_segment_length.known, 1);
	lio_run_good();
	assert_int_equal(header_digest(0), HOLE);
	lio_put(ACL "/info", lio_info_text(HOST, 4, "x"));
	lio_run_good();
	assert_int_equal(header_digest(0), NO_DIGEST); /* nothing else was offered meanwhile */
}

/* What cannot be read in one poll is not new in the next one. */
static void test_session_that_could_not_be_read_once(void **state)
{
	static const int errors[] = { -EIO, -ENOENT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		lio_put_back();
		lio_load("digests");
		lio_run_good();
		lio_put_error(ACL "/info", errors[i]);
		lio_put(DIGESTS, "None\n");
		lio_run_good();
		assert_null(lio_session(CRC, HOST));
		lio_put(ACL "/info", lio_info_text(HOST, 2, "host1"));
		lio_run_good();
		assert_int_equal(header_digest(0), HOLE);
		/* Not even when its number is a new one. */
		lio_put_error(ACL "/info", errors[i]);
		lio_run_good();
		lio_put(ACL "/info", lio_info_text(HOST, 9, "host1"));
		lio_run_good();
		assert_int_equal(header_digest(0), HOLE);
	}
}

/* An initiator that was let in without an ACL gets one: its session is seen, and is not new. */
static void test_acl_that_is_made_for_a_session(void **state)
{
	(void)state;
	lio_load("digests");
	lio_put("crc/tpgt_1/acls", ORG "waiting\n");
	lio_run_good();
	lio_put(DIGESTS, "None\n");
	lio_run_good();
	lio_run_good();
	lio_put("crc/tpgt_1/acls", HOST "\n" ORG "waiting\n");
	lio_put(ACL "/info", lio_info_text(HOST, 12, "x"));
	lio_run_good();
	assert_int_equal(header_digest(0), HOLE);
}

static const char *with_connection(const char *line)
{
	static char text[2048];

	snprintf(text, sizeof(text), "%s%s", lio_info_text(HOST, 2, "host1"), line);
	return text;
}

#define SECOND                                                  \
	"CID: 2  Connection State: TARG_CONN_STATE_LOGGED_IN\n" \
	"   Address 10.0.0.9 TCP  StatSN: 0xb0d23113\n"

/* A connection that joins has what is offered then; which of the session's it is, nobody knows. */
static void test_connection_that_joins(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	lio_put(ACL "/info", with_connection(SECOND));
	lio_run_good();
	assert_int_equal(header_digest(1), CRC32C);
	lio_put(DIGESTS, "None\n"); /* after it joined */
	lio_run_good();
	lio_run_good();
	assert_int_equal(header_digest(0), CRC32C);
	assert_int_equal(header_digest(1), CRC32C);
	lio_put_back();
	lio_put(DIGESTS, "None\n");
	lio_run_good(); /* it leaves */
	assert_int_equal(header_digest(0), CRC32C);
	lio_put(ACL "/info", with_connection(SECOND)); /* another one joins */
	lio_run_good();
	assert_int_equal(header_digest(0), HOLE);
	assert_int_equal(header_digest(1), HOLE);
}

/* Within Time2Retain the session has none, and then a new one. */
static void test_connection_that_takes_the_session_over(void **state)
{
	char text[1024], *end;

	(void)state;
	lio_load("digests");
	lio_run_good();
	snprintf(text, sizeof(text), "%s", lio_info_text(HOST, 2, "host1"));
	end = strstr(text, "CID: 1");
	assert_non_null(end);
	*end = 0;
	lio_put(ACL "/info", text);
	lio_put(DIGESTS, "None\n");
	lio_run_good();
	lio_put(ACL "/info", lio_info_text(HOST, 2, "host1"));
	lio_run_good();
	assert_int_equal(header_digest(0), HOLE);
	/* From another address it is another one, too. */
	lio_put_back();
	lio_load("digests");
	lio_run_good();
	snprintf(text, sizeof(text), "%s", lio_info_text(HOST, 2, "host1"));
	end = strstr(text, "10.0.0.9");
	assert_non_null(end);
	memcpy(end, "10.0.0.8", 8);
	lio_put(DIGESTS, "None\n");
	lio_run_good();
	lio_put(ACL "/info", text);
	lio_run_good();
	assert_int_equal(header_digest(0), HOLE);
}

/* A parameter that could not be read in one poll was not another one. */
static void test_parameter_that_could_not_be_read_once(void **state)
{
	(void)state;
	lio_load("digests");
	lio_run_good();
	lio_put_error(PARAM "DataDigest", -EIO);
	lio_put(ACL "/info", lio_info_text(HOST, 3, "x"));
	lio_run_good();
	lio_put_back(); /* the older one is back, and the parameter */
	lio_run_good();
	assert_int_equal(header_digest(0), CRC32C);
	assert_true(lio_connection(lio_session(CRC, HOST), 0)->data_digest.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_group_parameters_hold_for_sessions_that_were_there),
		TEST(test_older_session_that_is_back),
		TEST(test_session_that_could_not_be_read_once),
		TEST(test_acl_that_is_made_for_a_session),
		TEST(test_connection_that_joins),
		TEST(test_connection_that_takes_the_session_over),
		TEST(test_parameter_that_could_not_be_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
