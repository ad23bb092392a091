/* SPDX-License-Identifier: BSD-2-Clause */
/* acls/NAME/info in all its variants, and what an initiator may make of it. */
#include "source/lio_parse.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ACL "iqn.2026-11.org.example:host1"

#define NAMES "InitiatorName: " ACL "\nInitiatorAlias: host one\n"
#define SESSION_LINE                                                            \
	"LIO Session ID: 3   ISID: 0x00 02 3d 00 00 05  TSIH: 7  SessionType: " \
	"Normal\n"
#define STATE "Session State: TARG_SESS_STATE_LOGGED_IN\n"
#define VALUES                                                                  \
	"---------------------[iSCSI Session Values]-----------------------\n"  \
	"  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :    " \
	" TTT\n"                                                                \
	" 0x00000040   0x00000040   0x0000005e   0x0000009d   0x0000005f   "    \
	"0x00000058\n"                                                          \
	"----------------------[iSCSI Connections]-------------------------\n"
#define CXN(cid, state, address, transport)                                                        \
	"CID: " cid "  Connection State: " state "\n   Address " address " " transport "  StatSN:" \
	" 0xb0d23112\n"
#define LOGGED_IN CXN("0", "TARG_CONN_STATE_LOGGED_IN", "10.0.0.9", "TCP")
#define WHOLE	  NAMES SESSION_LINE STATE VALUES LOGGED_IN

static struct lio_info info;

static int parse_for(const char *acl, const char *text)
{
	lio_info_free(&info);
	memset(&info, 0, sizeof(info));
	return lio_info_parse(text, strlen(text), acl, &info);
}

static int parse(const char *text)
{
	return parse_for(ACL, text);
}

static int tear_down(void **state)
{
	(void)state;
	lio_info_free(&info);
	return 0;
}

static void test_session(void **state)
{
	static const uint8_t isid[6] = { 0x00, 0x02, 0x3d, 0x00, 0x00, 0x05 };
	char text[64];

	(void)state;
	assert_int_equal(parse(WHOLE), 1);
	assert_string_equal(info.name, ACL);
	assert_string_equal(info.alias, "host one");
	assert_int_equal(info.sid, 3);
	assert_int_equal(info.tsih, 7);
	assert_memory_equal(info.isid, isid, 6);
	assert_false(info.is_discovery);
	assert_false(info.is_cut);
	assert_int_equal(info.connection_count, 1);
	assert_int_equal(info.connections[0].cid, 0);
	assert_int_equal(info.connections[0].state, LIO_CONNECTION_FULL);
	assert_true(info.connections[0].is_tcp);
	assert_true(info.connections[0].address_known);
	assert_string_equal(text_from_address(text, &info.connections[0].address), "10.0.0.9");
}

static void test_no_session(void **state)
{
	(void)state;
	assert_int_equal(parse("No active iSCSI Session for Initiator Endpoint: " ACL "\n"), 0);
}

static void test_empty_file_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(parse(""), -EBADMSG);
}

static void test_empty_alias(void **state)
{
	(void)state;
	assert_int_equal(parse("InitiatorName: " ACL
			       "\nInitiatorAlias: \n" SESSION_LINE STATE VALUES LOGGED_IN),
		1);
	assert_string_equal(info.alias, "");
}

static void test_discovery_session(void **state)
{
	(void)state;
	assert_int_equal(
		parse(NAMES "LIO Session ID: 4294967295   ISID: 0x80 ff 34 56 00 07  TSIH: 65535"
			    "  SessionType: Discovery\n" STATE VALUES LOGGED_IN),
		1);
	assert_true(info.is_discovery);
	assert_int_equal(info.sid, UINT32_MAX);
	assert_int_equal(info.tsih, 65535);
	assert_int_equal(info.isid[1], 0xff);
}

static void test_each_session_state(void **state)
{
	static const char *const states[] = { "TARG_SESS_FREE", "TARG_SESS_STATE_ACTIVE",
		"TARG_SESS_STATE_LOGGED_IN", "TARG_SESS_STATE_FAILED",
		"TARG_SESS_STATE_IN_CONTINUE", "ERROR: Unknown Session State!" };
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		snprintf(text, sizeof(text), NAMES SESSION_LINE "Session State: %s\n%s", states[i],
			VALUES);
		assert_int_equal(parse(text), 1);
		assert_int_equal(info.connection_count, 0);
		assert_int_equal(info.is_failed, i == 3);
	}
	assert_int_equal(parse(NAMES SESSION_LINE "Session State: NONE\n" VALUES), -EBADMSG);
}

static void test_each_connection_state(void **state)
{
	static const struct {
		const char *text;
		enum lio_connection_state state;
	} states[] = {
		{ "TARG_CONN_STATE_FREE", LIO_CONNECTION_FREE },
		{ "TARG_CONN_STATE_XPT_UP", LIO_CONNECTION_LOGIN },
		{ "TARG_CONN_STATE_IN_LOGIN", LIO_CONNECTION_LOGIN },
		{ "TARG_CONN_STATE_LOGGED_IN", LIO_CONNECTION_FULL },
		{ "TARG_CONN_STATE_IN_LOGOUT", LIO_CONNECTION_LOGOUT },
		{ "TARG_CONN_STATE_LOGOUT_REQUESTED", LIO_CONNECTION_LOGOUT },
		{ "TARG_CONN_STATE_CLEANUP_WAIT", LIO_CONNECTION_LOGOUT },
		{ "ERROR: Unknown Connection State!", LIO_CONNECTION_UNKNOWN },
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		snprintf(text, sizeof(text),
			NAMES SESSION_LINE STATE VALUES
			"CID: 1  Connection State: %s\n"
			"   Address 10.0.0.9 TCP  StatSN: 0x00000000\n",
			states[i].text);
		assert_int_equal(parse(text), 1);
		assert_int_equal(info.connections[0].state, states[i].state);
	}
}

static void test_several_connections(void **state)
{
	char text[64];

	(void)state;
	assert_int_equal(parse(NAMES SESSION_LINE STATE VALUES LOGGED_IN CXN(
				 "1", "TARG_CONN_STATE_IN_LOGIN", "fd00:1::1", "TCP") CXN("65535",
				 "TARG_CONN_STATE_LOGGED_IN", "[fe80::1]", "SCTP")),
		1);
	assert_int_equal(info.connection_count, 3);
	assert_string_equal(text_from_address(text, &info.connections[1].address), "fd00:1::1");
	assert_true(info.connections[1].is_tcp);
	/* Kernels before 3.19 print IPv6 in brackets. */
	assert_string_equal(text_from_address(text, &info.connections[2].address), "fe80::1");
	assert_false(info.connections[2].is_tcp);
	assert_int_equal(info.connections[2].cid, 65535);
}

static void test_address_that_is_none(void **state)
{
	(void)state;
	assert_int_equal(parse(NAMES SESSION_LINE STATE VALUES CXN(
				 "0", "TARG_CONN_STATE_LOGGED_IN", "(einval)", "TCP")),
		1);
	assert_false(info.connections[0].address_known);
	/* A zone would be looked up on this machine: the kernel prints none. */
	assert_int_equal(parse(NAMES SESSION_LINE STATE VALUES CXN(
				 "0", "TARG_CONN_STATE_LOGGED_IN", "fe80::1%lo", "TCP")),
		1);
	assert_false(info.connections[0].address_known);
}

static void test_name_in_capitals_is_of_the_acl(void **state)
{
	(void)state;
	assert_int_equal(
		parse_for("iqn.x",
			"InitiatorName: IQN.X\nInitiatorAlias: \n" SESSION_LINE STATE VALUES),
		1);
	assert_string_equal(info.name, "IQN.X");
}

static void test_name_of_another_acl_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(parse_for("iqn.2026-11.org.example:host", WHOLE), -EBADMSG);
	assert_int_equal(parse_for("iqn.2026-11.org.example:host2", WHOLE), -EBADMSG);
	assert_int_equal(parse_for("iqn.2026-11.org.example:host11", WHOLE), -EBADMSG);
}

static void test_name_longer_than_the_kernel_keeps(void **state)
{
	char acl[LIO_NAME_MAX + 1], text[1024];

	(void)state;
	memset(acl, 'n', LIO_NAME_MAX);
	acl[LIO_NAME_MAX] = 0;
	snprintf(text, sizeof(text), "InitiatorName: %.223s\nInitiatorAlias: \n" SESSION_LINE "%s",
		acl, STATE VALUES);
	assert_int_equal(parse_for(acl, text), 1);
	assert_int_equal(strlen(info.name), 223);
}

/* ---- forgers ---- */

#define FORGED_LINE \
	"LIO Session ID: 9   ISID: 0xff ff ff ff ff ff  TSIH: 9  SessionType: Discovery\n"

static void test_forged_session_line_stays_alias(void **state)
{
	(void)state;
	assert_int_equal(
		parse("InitiatorName: " ACL
		      "\nInitiatorAlias: x\n" FORGED_LINE SESSION_LINE STATE VALUES LOGGED_IN),
		1);
	assert_int_equal(info.sid, 3);
	assert_int_equal(info.tsih, 7);
	assert_false(info.is_discovery);
	assert_string_equal(info.alias,
		"x\nLIO Session ID: 9   ISID: 0xff ff ff ff ff ff  TSIH: 9  SessionType: "
		"Discovery");
}

static void test_forged_session_line_at_the_end_of_the_alias(void **state)
{
	(void)state;
	/* The kernel's newline ends the forged line: an empty alias was forged before it. */
	assert_int_equal(parse("InitiatorName: " ACL "\nInitiatorAlias: \n" FORGED_LINE
			       "Session State: TARG_SESS_STATE_FAILED\n" SESSION_LINE STATE VALUES
					 LOGGED_IN),
		1);
	assert_int_equal(info.sid, 3);
	assert_int_equal(info.connection_count, 1);
}

static void test_forged_names_stay_alias(void **state)
{
	(void)state;
	assert_int_equal(parse("InitiatorName: " ACL
			       "\nInitiatorAlias: InitiatorName: iqn.victim\nInitiatorAlias: y\n"
			       "CID: 9  Connection State: TARG_CONN_STATE_FREE\n" SESSION_LINE STATE
					 VALUES LOGGED_IN),
		1);
	assert_string_equal(info.name, ACL);
	assert_int_equal(info.connection_count, 1);
	assert_int_equal(info.connections[0].cid, 0);
}

static void test_forged_idle_text_stays_alias(void **state)
{
	(void)state;
	assert_int_equal(parse("InitiatorName: " ACL
			       "\nInitiatorAlias: \nNo active iSCSI Session for Initiator "
			       "Endpoint: " ACL "\n" SESSION_LINE STATE VALUES),
		1);
	assert_int_equal(info.sid, 3);
}

static void test_alias_as_long_as_can_be(void **state)
{
	char alias[LIO_ALIAS_MAX + 2], text[2048];

	(void)state;
	memset(alias, 'a', sizeof(alias));
	alias[LIO_ALIAS_MAX] = 0;
	snprintf(text, sizeof(text),
		"InitiatorName: " ACL "\nInitiatorAlias: %s\n" SESSION_LINE "%s", alias,
		STATE VALUES LOGGED_IN);
	assert_int_equal(parse(text), 1);
	assert_string_equal(info.alias, alias);
	/* One octet more is no alias: with a whole false session in it, it could be believed. */
	alias[LIO_ALIAS_MAX] = 'a';
	alias[LIO_ALIAS_MAX + 1] = 0;
	snprintf(text, sizeof(text),
		"InitiatorName: " ACL "\nInitiatorAlias: %s\n" SESSION_LINE "%s", alias,
		STATE VALUES LOGGED_IN);
	assert_int_equal(parse(text), -EBADMSG);
}

static void test_what_follows_the_connections_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(parse(WHOLE "\n"), -EBADMSG);
	assert_int_equal(parse(WHOLE "InitiatorName: x\n"), -EBADMSG);
	assert_int_equal(parse(WHOLE FORGED_LINE), -EBADMSG);
}

static void test_each_cut_is_seen(void **state)
{
	size_t length = strlen(WHOLE);
	char text[sizeof(WHOLE)];

	(void)state;
	for (size_t i = 0; i < length; i++) {
		memcpy(text, WHOLE, i);
		text[i] = 0;
		/* It ends where it may: there is no connection yet. */
		if (i == length - strlen(LOGGED_IN))
			continue;
		assert_int_equal(parse(text), -EBADMSG);
	}
}

static void test_each_other_octet_is_seen(void **state)
{
	size_t begin = strlen(NAMES), end = strlen(WHOLE);
	char text[sizeof(WHOLE)];

	(void)state;
	for (size_t i = begin; i < end; i++) {
		memcpy(text, WHOLE, sizeof(WHOLE));
		text[i] = '\v';
		if (parse(text) == -EBADMSG)
			continue;
		/* An address is any word. */
		assert_int_equal(info.connection_count, 1);
		assert_false(info.connections[0].address_known);
	}
}

static void test_numbers_out_of_range(void **state)
{
	(void)state;
	assert_int_equal(
		parse(NAMES "LIO Session ID: 4294967296   ISID: 0x00 02 3d 00 00 05  TSIH: 7"
			    "  SessionType: Normal\n" STATE VALUES),
		-EBADMSG);
	assert_int_equal(parse(NAMES "LIO Session ID: 3   ISID: 0x00 02 3d 00 00 05  TSIH: 65536"
				     "  SessionType: Normal\n" STATE VALUES),
		-EBADMSG);
	assert_int_equal(parse(NAMES "LIO Session ID: -3   ISID: 0x00 02 3d 00 00 05  TSIH: 1"
				     "  SessionType: Normal\n" STATE VALUES),
		-EBADMSG);
	assert_int_equal(parse(NAMES SESSION_LINE STATE VALUES CXN(
				 "65536", "TARG_CONN_STATE_LOGGED_IN", "10.0.0.9", "TCP")),
		-EBADMSG);
}

static void test_nul_is_not_believed(void **state)
{
	char text[sizeof(WHOLE)];

	(void)state;
	memcpy(text, WHOLE, sizeof(WHOLE));
	text[strlen("InitiatorName: " ACL "\nInitiatorAlias: ")] = 0;
	assert_int_equal(lio_info_parse(text, strlen(WHOLE), ACL, &info), -EBADMSG);
}

/* The kernel's page of 4096 octets ends inside of a connection. */
static void test_page_that_is_full(void **state)
{
	char *text = malloc(8192);
	size_t length;

	(void)state;
	assert_non_null(text);
	length = (size_t)snprintf(text, 8192, NAMES SESSION_LINE STATE VALUES);
	for (int i = 0; length < 4096; i++)
		length += (size_t)snprintf(text + length, 8192 - length,
			CXN("%d", "TARG_CONN_STATE_LOGGED_IN", "10.0.0.9", "TCP"), i);
	text[4095] = 0;
	assert_int_equal(parse(text), 1);
	assert_true(info.is_cut);
	assert_true(info.connection_count > 30);
	assert_int_equal(
		info.connections[info.connection_count - 1].cid, info.connection_count - 1);
	text[4094] = 0;
	assert_int_equal(parse(text), -EBADMSG);
	free(text);
}

static void test_same_session(void **state)
{
	struct lio_info a = { .sid = 1, .tsih = 2, .isid = { 1 }, .name = "n", .alias = "a" },
			b = a;

	(void)state;
	assert_true(lio_info_same(&a, &b));
	b.sid = 2;
	assert_false(lio_info_same(&a, &b));
	b = a;
	b.tsih = 3;
	assert_false(lio_info_same(&a, &b));
	b = a;
	b.isid[5] = 1;
	assert_false(lio_info_same(&a, &b));
	b = a;
	b.name[0] = 'N';
	assert_false(lio_info_same(&a, &b));
	b = a;
	b.alias[0] = 0;
	assert_false(lio_info_same(&a, &b));
	b = a;
	b.is_discovery = true;
	assert_false(lio_info_same(&a, &b));
}

#define INFO_TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		INFO_TEST(test_session),
		INFO_TEST(test_no_session),
		INFO_TEST(test_empty_file_is_not_believed),
		INFO_TEST(test_empty_alias),
		INFO_TEST(test_discovery_session),
		INFO_TEST(test_each_session_state),
		INFO_TEST(test_each_connection_state),
		INFO_TEST(test_several_connections),
		INFO_TEST(test_address_that_is_none),
		INFO_TEST(test_name_in_capitals_is_of_the_acl),
		INFO_TEST(test_name_of_another_acl_is_not_believed),
		INFO_TEST(test_name_longer_than_the_kernel_keeps),
		INFO_TEST(test_forged_session_line_stays_alias),
		INFO_TEST(test_forged_session_line_at_the_end_of_the_alias),
		INFO_TEST(test_forged_names_stay_alias),
		INFO_TEST(test_forged_idle_text_stays_alias),
		INFO_TEST(test_alias_as_long_as_can_be),
		INFO_TEST(test_what_follows_the_connections_is_not_believed),
		INFO_TEST(test_each_cut_is_seen),
		INFO_TEST(test_each_other_octet_is_seen),
		INFO_TEST(test_numbers_out_of_range),
		INFO_TEST(test_nul_is_not_believed),
		INFO_TEST(test_page_that_is_full),
		cmocka_unit_test(test_same_session),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
