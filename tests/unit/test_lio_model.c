/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source lio: what it makes of configurations and states that no recording has.
 *
 * Wrapped: __wrap_root_read __wrap_root_list __wrap_root_directory_object
 * __wrap_root_tcp_sockets
 */
#include "tests/support/lio_wraps.h"

#include "model/session_state.h"

#define ORG	"iqn.2026-11.org.example:"
#define LAB	"iqn.2026-11.lab.example:"
#define CRC	ORG "crc"
#define CHELSIO ORG "chelsio"
#define HOST	ORG "host1"
#define ACL	"crc/tpgt_1/acls/" HOST
#define NP	"chelsio/tpgt_7/np"

/* ---- connections ---- */

static void put_info(const char *session_state, const char *connections)
{
	char text[1024];

	snprintf(text, sizeof(text),
		"InitiatorName: " HOST "\nInitiatorAlias: a\n"
		"LIO Session ID: 1   ISID: 0x80 12 34 56 00 07  TSIH: 1  SessionType: Normal\n"
		"Session State: TARG_SESS_STATE_%s\n"
		"---------------------[iSCSI Session Values]-----------------------\n"
		"  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT\n"
		" 0x00000040   0x00000040   0x0000005e   0x0000009d   0x0000005f   0x00000058\n"
		"----------------------[iSCSI Connections]-------------------------\n%s",
		session_state, connections);
	lio_put(ACL "/info", text);
}

static const char *connection_in(const char *state)
{
	static char text[128];

	snprintf(text, sizeof(text),
		"CID: 1  Connection State: %s\n   Address 10.0.0.9 TCP  StatSN: 0xb0d23112\n",
		state);
	return text;
}

/* The states of the kernel, as those of iscsiCxnState: login(1), full(2) and logout(3). One that is
 * free is none. */
static void test_state_of_a_connection(void **state)
{
	static const struct {
		const char *word;
		uint32_t state; /* 0 unknown */
	} cases[] = {
		{ "TARG_CONN_STATE_XPT_UP", 1 },
		{ "TARG_CONN_STATE_IN_LOGIN", 1 },
		{ "TARG_CONN_STATE_LOGGED_IN", 2 },
		{ "TARG_CONN_STATE_IN_LOGOUT", 3 },
		{ "TARG_CONN_STATE_LOGOUT_REQUESTED", 3 },
		{ "TARG_CONN_STATE_CLEANUP_WAIT", 3 },
		{ "ERROR: Unknown Connection State!", 0 },
	};

	(void)state;
	lio_load("digests");
	for (size_t i = 0; i <= ARRAY_SIZE(cases); i++) {
		bool is_free = i == ARRAY_SIZE(cases);
		const struct session *session;
		const struct connection *connection;

		put_info("LOGGED_IN",
			connection_in(is_free ? "TARG_CONN_STATE_FREE" : cases[i].word));
		lio_run_good();
		session = lio_session(CRC, HOST);
		assert_non_null(session);
		assert_int_equal(session->connection_count.known, !is_free);
		if (is_free)
			break;
		connection = lio_connection(session, 0);
		assert_int_equal(connection->state.known, cases[i].state != 0);
		if (cases[i].state)
			assert_int_equal(connection->state.value, cases[i].state);
	}
}

/* A session that waits for its initiator says so itself; one with a connection has that of it. */
static void test_lost_session(void **state)
{
	(void)state;
	lio_load("digests");
	put_info("FAILED", "");
	lio_run_good();
	assert_true(lio_session(CRC, HOST)->condition.known);
	assert_int_equal(lio_session(CRC, HOST)->condition.value, SESSION_LOST);
	put_info("LOGGED_IN", "");
	lio_run_good();
	assert_false(lio_session(CRC, HOST)->condition.known);
	put_info("FAILED", connection_in("TARG_CONN_STATE_IN_LOGIN"));
	lio_run_good();
	assert_int_equal(lio_session(CRC, HOST)->condition.value, SESSION_STARTING);
	put_info("LOGGED_IN", connection_in("TARG_CONN_STATE_LOGGED_IN"));
	lio_run_good();
	assert_int_equal(lio_session(CRC, HOST)->condition.value, SESSION_UP);
}

/* Of a portal that was taken away nothing is read: it says nothing of the connections. */
static void test_portal_that_is_gone_is_not_asked(void **state)
{
	const struct connection *connection;

	(void)state;
	lio_load("digests");
	lio_run_good();
	connection = lio_connection(lio_session(CHELSIO, ORG "HOST1"), 0);
	assert_int_equal(connection->protocol.value, 6);
	lio_put(NP, "10.0.0.3:3260\n");
	lio_put(NP "/10.0.0.3:3260/cxgbit", "1\n");
	lio_put(NP "/10.0.0.3:3260/iser", "0\n");
	lio_put_error(NP "/10.0.0.2:3260/cxgbit", -EIO);
	lio_put_error(NP "/10.0.0.2:3260/iser", -EIO);
	lio_run_good();
	connection = lio_connection(lio_session(CHELSIO, ORG "HOST1"), 0);
	assert_true(connection->protocol.known);
	assert_int_equal(connection->protocol.value, 6);
	/* While it is there, what cannot be read of it may be anything. */
	lio_put(NP, "10.0.0.2:3260\n10.0.0.3:3260\n");
	lio_run_good();
	connection = lio_connection(lio_session(CHELSIO, ORG "HOST1"), 0);
	assert_false(connection->protocol.known);
}

/* ---- who may log in ---- */

static unsigned int identities(const char *target, const char *name)
{
	const struct auth *auths = LIO_ARRAY(AUTH, auth);
	const struct node *nodes = LIO_ARRAY(NODE, node);
	unsigned int count = 0;

	for (uint32_t i = 0; i < lio_count_of(OBJECT_AUTH); i++)
		count += strcmp(lio_text_of(&nodes[auths[i].node].name), target) == 0 &&
			 strcmp(lio_text_of(&auths[i].identity), name) == 0;
	return count;
}

/* The target is one node: an initiator that two of its groups let in is one identity. */
static void test_initiator_of_two_groups_is_one_identity(void **state)
{
	(void)state;
	lio_load("disabled");
	lio_put("t1/tpgt_1/acls", ORG "a\n" ORG "b\n");
	lio_put("t1/tpgt_2/acls", ORG "b\n" ORG "c\n");
	lio_run_good();
	assert_int_equal(identities(LAB "t1", ORG "a"), 1);
	assert_int_equal(identities(LAB "t1", ORG "b"), 1);
	assert_int_equal(identities(LAB "t1", ORG "c"), 1);
	/* Which group it is of makes no difference. */
	lio_put("t1/tpgt_1/acls", ORG "a\n");
	lio_run_good();
	assert_int_equal(identities(LAB "t1", ORG "b"), 1);
	lio_put("t1/tpgt_2/acls", ORG "c\n");
	lio_run_good();
	assert_int_equal(identities(LAB "t1", ORG "b"), 0);
	assert_int_equal(identities(LAB "t1", ORG "a"), 1);
}

/* ---- counters ---- */

#define STATS ACL "/fabric_statistics/iscsi_sess_stats/"

/* A kernel of 32 bits begins to count anew at 2^32; the session is the same. */
static void test_counters_of_32_bits_go_on(void **state)
{
	const struct session *session;
	char key[256];

	(void)state;
	lio_load("digests");
	lio_fake.object = 7;
	lio_put(STATS "txdata_octs", "4294967000\n");
	lio_put(STATS "cmd_pdus", "1000\n");
	lio_run_good();
	session = lio_session(CRC, HOST);
	assert_int_equal(session->tx_octets.value, 4294967000);
	snprintf(key, sizeof(key), "%s", lio_text_of(&session->key));
	lio_put_error(STATS "txdata_octs", -EIO); /* once */
	lio_run_good();
	assert_false(lio_session(CRC, HOST)->tx_octets.known);
	lio_put(STATS "txdata_octs", "500\n");
	lio_put(STATS "cmd_pdus", "1001\n");
	for (int i = 0; i < 2; i++) {
		lio_run_good();
		session = lio_session(CRC, HOST);
		assert_string_equal(lio_text_of(&session->key), key);
		assert_int_equal(session->tx_octets.value, 4294967796);
		assert_int_equal(session->command_pdus.value, 1001);
	}
	lio_put(STATS "txdata_octs", "499\n"); /* all of 2^32 but one */
	lio_run_good();
	assert_int_equal(lio_session(CRC, HOST)->tx_octets.value, 8589935091);
	lio_put(ACL "/info",
		lio_info_text(HOST, 3, "x")); /* of another session nothing is carried */
	lio_run_good();
	assert_int_equal(lio_session(CRC, HOST)->tx_octets.value, 499);
	/* One of 64 bits does not. */
	lio_put(STATS "txdata_octs", "4294967296\n");
	lio_run_good();
	lio_put(STATS "txdata_octs", "7\n");
	lio_run_good();
	assert_int_equal(lio_session(CRC, HOST)->tx_octets.value, 7);
}

/* ---- parameters ---- */

/* What LIO offers is the attribute; the parameter of that name is overwritten in each login. */
static void test_error_recovery_level_that_is_offered(void **state)
{
	(void)state;
	lio_load("digests");
	lio_put("crc/tpgt_1/param/ErrorRecoveryLevel", "2\n");
	lio_put("crc/tpgt_1/attrib/default_erl", "1\n");
	lio_run_good();
	assert_int_equal(lio_node(CRC)->error_recovery_level.value, 1);
	lio_put_error("crc/tpgt_1/attrib/default_erl", -ENOENT); /* an old kernel */
	lio_run_good();
	assert_false(lio_node(CRC)->error_recovery_level.known);
}

/* What a session has negotiated, and which group it came to: of it the kernel tells all. */
static void test_outcome_of_a_login(void **state)
{
	const struct session *session;

	(void)state;
	lio_load("digests");
	lio_put(ACL "/param/MaxConnections", "3\n");
	lio_put(ACL "/param/DefaultTime2Wait", "0\n");
	lio_put(ACL "/param/DefaultTime2Retain", "15\n");
	lio_run_good();
	session = lio_session(CRC, HOST);
	assert_int_equal(session->target_portal_tag.value, 1);
	assert_int_equal(session->negotiated_max_connections.value, 3);
	assert_true(session->negotiated_time2wait.known);
	assert_int_equal(session->negotiated_time2wait.value, 0);
	assert_int_equal(session->negotiated_time2retain.value, 15);
	assert_int_equal(lio_session(CHELSIO, ORG "HOST1")->target_portal_tag.value, 7);
	lio_load("disabled");
	lio_run_good();
	session = lio_session(LAB "t1", LAB "init1"); /* without an ACL */
	assert_int_equal(session->target_portal_tag.value, 2);
	assert_false(session->negotiated_max_connections.known);
	assert_false(session->negotiated_time2wait.known);
	assert_false(session->negotiated_time2retain.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_state_of_a_connection),
		TEST(test_lost_session),
		TEST(test_portal_that_is_gone_is_not_asked),
		TEST(test_initiator_of_two_groups_is_one_identity),
		TEST(test_counters_of_32_bits_go_on),
		TEST(test_error_recovery_level_that_is_offered),
		TEST(test_outcome_of_a_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
