/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of the open-iscsi initiator: attributes, names in sysfs, lines of its files. */
#include "source/open_iscsi_nodes.h"
#include "source/open_iscsi_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *value_of_octets(const char *content, ssize_t octets)
{
	static char text[128];
	bool is_one;

	memset(text, 'x', sizeof(text));
	if (octets > 0)
		memcpy(text, content, (size_t)octets);
	text[octets > 0 ? octets : 0] = '\0';
	is_one = oiscsi_value(text, octets);
	assert_int_equal(is_one, text[0] != '\0');
	return text;
}

static const char *value_of(const char *content)
{
	return value_of_octets(content, (ssize_t)strlen(content));
}

static void a_value_is_one_line(void **state)
{
	(void)state;
	assert_string_equal(value_of("LOGGED_IN\n"), "LOGGED_IN");
	assert_string_equal(value_of("  a b\t\n"), "a b");
	assert_string_equal(value_of("a"), "a");
	assert_string_equal(value_of("x(null)\n"), "x(null)");
	assert_string_equal(value_of_octets("", -EIO), "");
}

static void more_lines_are_not_the_first_of_them(void **state)
{
	(void)state;
	assert_string_equal(value_of("iqn.a\niqn.b\n"), "iqn.a\niqn.b");
	assert_string_equal(value_of("up\n\n"), "up\n");
	assert_int_equal(oiscsi_state_parse(value_of("LOGGED_IN\nFAILED\n")), OISCSI_STATE_UNKNOWN);
	assert_string_equal(value_of_octets("1\0002\n", 4), "");
	assert_string_equal(value_of_octets("iqn.a\n\0", 7), "");
}

static void words_for_null_are_no_value(void **state)
{
	(void)state;
	assert_string_equal(value_of("(null)\n"), "");
	assert_string_equal(value_of("(null)"), "");
	assert_string_equal(value_of("<NULL>\n"), "");
	assert_string_equal(value_of("\n"), "");
	assert_string_equal(value_of(""), "");
	assert_string_equal(value_of(" \t\n"), "");
}

static void states_are_compared_in_full(void **state)
{
	(void)state;
	assert_int_equal(oiscsi_state_parse("LOGGED_IN"), OISCSI_LOGGED_IN);
	assert_int_equal(oiscsi_state_parse("FAILED"), OISCSI_FAILED);
	assert_int_equal(oiscsi_state_parse("FREE"), OISCSI_FREE);
	assert_int_equal(oiscsi_state_parse("LOGGED_IN2"), OISCSI_STATE_UNKNOWN);
	assert_int_equal(oiscsi_state_parse("free"), OISCSI_STATE_UNKNOWN);
	assert_int_equal(oiscsi_state_parse(""), OISCSI_STATE_UNKNOWN);
	assert_int_equal(oiscsi_link_parse("up"), OISCSI_UP);
	assert_int_equal(oiscsi_link_parse("down"), OISCSI_DOWN);
	assert_int_equal(oiscsi_link_parse("failed"), OISCSI_LINK_FAILED);
	assert_int_equal(oiscsi_link_parse("bound"), OISCSI_BOUND);
	assert_int_equal(oiscsi_link_parse("unknown"), OISCSI_LINK_UNKNOWN);
}

static void connection_states(void **state)
{
	static const struct {
		enum oiscsi_state session;
		enum oiscsi_link link;
		bool unbinding, no_class_link;
		uint32_t expected;
	} cases[] = {
		{ OISCSI_FREE, OISCSI_BOUND, false, false, 1 },
		{ OISCSI_FREE, OISCSI_DOWN, false, false, 1 },
		{ OISCSI_LOGGED_IN, OISCSI_UP, false, false, 2 },
		{ OISCSI_LOGGED_IN, OISCSI_UP, true, false, 3 },
		{ OISCSI_FREE, OISCSI_UP, true, false, 3 },
		/* The logout is through, and the connection shut down. */
		{ OISCSI_LOGGED_IN, OISCSI_DOWN, true, false, 3 },
		{ OISCSI_FAILED, OISCSI_LINK_FAILED, false, false, 1 },
		{ OISCSI_FAILED, OISCSI_DOWN, false, false, 1 },
		{ OISCSI_FAILED, OISCSI_BOUND, false, false, 1 },
		{ OISCSI_FREE, OISCSI_LINK_FAILED, false, false, 1 },
		/* No C/state before Linux 5.7. */
		{ OISCSI_LOGGED_IN, OISCSI_LINK_UNKNOWN, false, false, 2 },
		{ OISCSI_FAILED, OISCSI_LINK_UNKNOWN, false, false, 1 },
		{ OISCSI_FREE, OISCSI_LINK_UNKNOWN, false, false, 1 },
		/* Lost, and the session does not know yet; made anew, and the link does not. */
		{ OISCSI_LOGGED_IN, OISCSI_LINK_FAILED, false, false, 1 },
		{ OISCSI_LOGGED_IN, OISCSI_BOUND, false, false, 2 },
		/* A lost session cannot log out: there is nothing to send it over. */
		{ OISCSI_FAILED, OISCSI_UP, true, false, 1 },
		{ OISCSI_FREE, OISCSI_LINK_FAILED, true, false, 1 },
		/* The class does not know the connections of adapters that log in. */
		{ OISCSI_LOGGED_IN, OISCSI_DOWN, false, true, 2 },
		{ OISCSI_FAILED, OISCSI_UP, false, true, 1 },
		{ OISCSI_STATE_UNKNOWN, OISCSI_UP, false, true, 0 },
		/* A connection may be up before its session has logged in, and after that. */
		{ OISCSI_STATE_UNKNOWN, OISCSI_UP, false, false, 0 },
		{ OISCSI_STATE_UNKNOWN, OISCSI_BOUND, false, false, 0 },
		{ OISCSI_STATE_UNKNOWN, OISCSI_DOWN, false, false, 1 },
		{ OISCSI_STATE_UNKNOWN, OISCSI_LINK_UNKNOWN, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t got = oiscsi_connection_state(cases[i].session, cases[i].link,
			cases[i].unbinding, !cases[i].no_class_link);

		if (got != cases[i].expected)
			fail_msg("case %zu: %u", i, got);
	}
}

static void numbers_in_names(void **state)
{
	static const char *const bad[] = { "session", "session-1", "session01", "session1 ",
		"session2147483648", "session99999999999", "sessionx", "Session1", "host1", "" };
	uint32_t number = 77, cid = 78;

	(void)state;
	assert_true(oiscsi_number_after("session0", "session", &number));
	assert_int_equal(number, 0);
	assert_true(oiscsi_number_after("session2147483647", "session", &number));
	assert_int_equal(number, INT32_MAX);
	number = 77;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(oiscsi_number_after(bad[i], "session", &number));
	assert_false(oiscsi_connection_name("connection1", &number, &cid));
	assert_false(oiscsi_connection_name("connection1:", &number, &cid));
	assert_false(oiscsi_connection_name("connection:1", &number, &cid));
	assert_false(oiscsi_connection_name("connection1:65536", &number, &cid));
	assert_false(oiscsi_connection_name("connection1:0:0", &number, &cid));
	assert_int_equal(number, 77);
	assert_int_equal(cid, 78);
	assert_true(oiscsi_connection_name("connection12:65535", &number, &cid));
	assert_int_equal(number, 12);
	assert_int_equal(cid, 65535);
}

static void the_host_is_above_the_session(void **state)
{
	uint32_t host = 77;

	(void)state;
	assert_true(oiscsi_host_of_link(
		"../../devices/platform/host3/session7/iscsi_session/session7", 7, &host));
	assert_int_equal(host, 3);
	assert_true(oiscsi_host_of_link("../../../devices/host1/x/host20/session7", 7, &host));
	assert_int_equal(host, 20);
	host = 77;
	/* Not of this session, without a host, relative to what is not known. */
	assert_false(oiscsi_host_of_link("../../host3/session8", 7, &host));
	assert_false(oiscsi_host_of_link("../../../session7", 7, &host));
	assert_false(oiscsi_host_of_link("../session7/host3", 7, &host));
	assert_false(oiscsi_host_of_link("../host3/session77", 7, &host));
	assert_false(oiscsi_host_of_link("", 7, &host));
	assert_int_equal(host, 77);
}

static void isid_has_twelve_digits(void **state)
{
	uint8_t isid[6] = { 9, 9, 9, 9, 9, 9 };

	(void)state;
	assert_false(oiscsi_isid_parse("00023d00000", isid));
	assert_false(oiscsi_isid_parse("00023d0000001", isid));
	assert_false(oiscsi_isid_parse("00023d00000g", isid));
	assert_false(oiscsi_isid_parse("0x023d000001", isid));
	assert_int_equal(isid[0], 9);
	assert_true(oiscsi_isid_parse("4000aBcDeF09", isid));
	assert_memory_equal(isid, "\x40\x00\xab\xcd\xef\x09", 6);
}

static void transports_are_named_by_their_drivers(void **state)
{
	(void)state;
	assert_string_equal(oiscsi_transport_of_driver("iscsi_tcp"), "tcp");
	assert_string_equal(oiscsi_transport_of_driver("iscsi_iser"), "iser");
	assert_string_equal(oiscsi_transport_of_driver("cxgb4i"), "cxgb4i");
}

static void releases_are_compared_by_number(void **state)
{
	(void)state;
	assert_true(oiscsi_release_is_since("6.1.0-56-amd64", 6, 1));
	assert_true(oiscsi_release_is_since("6.12.117", 6, 1));
	assert_true(oiscsi_release_is_since("10.0", 6, 1));
	assert_true(oiscsi_release_is_since("6.1-rc1", 6, 1));
	assert_false(oiscsi_release_is_since("6.0.19", 6, 1));
	assert_false(oiscsi_release_is_since("5.14.0-503.el9", 6, 1));
	assert_false(oiscsi_release_is_since("6", 6, 1));
	assert_false(oiscsi_release_is_since("6.", 6, 1));
	assert_false(oiscsi_release_is_since("", 6, 1));
	assert_false(oiscsi_release_is_since("x6.5", 6, 1));
}

/* ---- lines ---- */

static void lines_have_a_key_and_a_value(void **state)
{
	static const char text[] = "a = b\n  c\t=  d e \n\nnothing\n= x\nf=\ng = <empty>\nlast=1";
	static const char *const expected[][2] = { { "a", "b" }, { "c", "d e" }, { "f", "" },
		{ "g", "" }, { "last", "1" } };
	size_t length = sizeof(text) - 1, count = 0;
	const char *at = text;
	struct oiscsi_line line;
	char value[16];

	(void)state;
	while (oiscsi_line_next(&at, &length, &line)) {
		assert_true(count < ARRAY_SIZE(expected));
		assert_true(oiscsi_line_is(&line, expected[count][0]));
		assert_false(oiscsi_line_is(&line, "ab"));
		assert_int_equal(oiscsi_line_copy(&line, value, sizeof(value)),
			expected[count][1][0] != '\0');
		assert_string_equal(value, expected[count][1]);
		count++;
	}
	assert_int_equal(count, ARRAY_SIZE(expected));
	assert_int_equal(length, 0);
}

static void a_value_that_does_not_fit_is_none(void **state)
{
	struct oiscsi_line line = { .value = "12345", .value_length = 5 };
	char value[6] = "old";

	(void)state;
	assert_false(oiscsi_line_copy(&line, value, 5));
	assert_string_equal(value, "");
	assert_true(oiscsi_line_copy(&line, value, 6));
	assert_string_equal(value, "12345");
	line.value = "1\0003";
	line.value_length = 3;
	assert_false(oiscsi_line_copy(&line, value, 6));
}

static struct oiscsi_config config_of(const char *text)
{
	struct oiscsi_config config;

	memset(&config, 0xff, sizeof(config));
	oiscsi_config_parse(text, strlen(text), &config);
	return config;
}

static void without_a_file_iscsid_has_defaults(void **state)
{
	struct oiscsi_config c = config_of("");

	(void)state;
	assert_true(c.initial_r2t.known && !c.initial_r2t.value);
	assert_true(c.immediate_data.known && c.immediate_data.value);
	assert_int_equal(c.max_outstanding_r2t.value, 1);
	assert_int_equal(c.first_burst_length.value, 262144);
	assert_int_equal(c.max_burst_length.value, 16776192);
	assert_int_equal(c.default_time2wait.value, 2);
	assert_int_equal(c.default_time2retain.value, 0);
	assert_int_equal(c.max_recv_data_segment_length.value, 262144);
	assert_int_equal(c.header_digest.value, 3);
	assert_int_equal(c.header_digest_second.value, 1);
	assert_int_equal(c.data_digest.value, 3);
	assert_int_equal(c.data_digest_second.value, 1);
	assert_true(c.data_digest_second.known && c.default_time2retain.known);
}

static void the_file_says_more(void **state)
{
	struct oiscsi_config c = config_of("node.session.iscsi.InitialR2T = Yes\n"
					   "node.session.iscsi.ImmediateData = No\n"
					   "node.session.iscsi.MaxOutstandingR2T = 8\n"
					   "node.session.iscsi.FirstBurstLength = 512\n"
					   "node.session.iscsi.MaxBurstLength = 16777215\n"
					   "node.session.iscsi.DefaultTime2Wait = 3600\n"
					   "node.session.iscsi.DefaultTime2Retain = 60\n"
					   "node.conn[0].iscsi.MaxRecvDataSegmentLength = 65536\n"
					   "node.conn[0].iscsi.HeaderDigest = CRC32C,None\n"
					   "node.conn[0].iscsi.DataDigest = None,CRC32C\n"
					   "node.conn[0].iscsi.HeaderDigest = CRC32C\n");

	(void)state;
	assert_true(c.initial_r2t.value);
	assert_false(c.immediate_data.value);
	assert_int_equal(c.max_outstanding_r2t.value, 8);
	assert_int_equal(c.first_burst_length.value, 512);
	assert_int_equal(c.max_burst_length.value, 16777215);
	assert_int_equal(c.default_time2wait.value, 3600);
	assert_int_equal(c.default_time2retain.value, 60);
	assert_int_equal(c.max_recv_data_segment_length.value, 65536);
	assert_int_equal(c.header_digest.value, 4); /* the last one counts */
	assert_int_equal(c.header_digest_second.value, 1);
	assert_int_equal(c.data_digest.value, 3);
	assert_int_equal(c.data_digest_second.value, 4);
}

static void what_cannot_be_taken_is_unknown(void **state)
{
	struct oiscsi_config c = config_of("node.session.iscsi.InitialR2T = yes\n"
					   "node.session.iscsi.ImmediateData =\n"
					   "node.session.iscsi.MaxOutstandingR2T = 0\n"
					   "node.session.iscsi.FirstBurstLength = 511\n"
					   "node.session.iscsi.MaxBurstLength = 16777216\n"
					   "node.session.iscsi.DefaultTime2Wait = 2s\n"
					   "node.session.iscsi.DefaultTime2Retain = -1\n"
					   "node.conn[0].iscsi.MaxRecvDataSegmentLength = 1 2\n"
					   "node.conn[0].iscsi.HeaderDigest = CRC32\n"
					   "node.conn[1].iscsi.DataDigest = CRC32C\n");

	(void)state;
	assert_false(c.initial_r2t.known || c.immediate_data.known);
	assert_false(c.max_outstanding_r2t.known || c.first_burst_length.known);
	assert_false(c.max_burst_length.known || c.default_time2wait.known);
	assert_false(c.default_time2retain.known || c.max_recv_data_segment_length.known);
	assert_false(c.header_digest.known || c.header_digest_second.known);
	assert_int_equal(c.data_digest.value, 3); /* of another connection */
}

static void no_key_is_a_secret(void **state)
{
	(void)state;
	for (size_t i = 0; oiscsi_config_keys[i]; i++)
		assert_null(strcasestr(oiscsi_config_keys[i], "passw"));
}

static void of_a_node_record_the_last_line_counts(void **state)
{
	static const char text[] = "node.startup = manual\n"
				   "iface.initiatorname = iqn.2026-11.example:first\n"
				   "iface.iscsi_ifacename = one\n"
				   "node.conn[0].address = 192.0.2.1\n"
				   "node.conn[0].port = 3260\n"
				   "node.tpgt = 1\n"
				   "node.startup = automatic\n"
				   "iface.initiatorname = iqn.2026-11.example:last\n"
				   "iface.iscsi_ifacename = two\n"
				   "node.conn[0].address = 192.0.2.2\n"
				   "node.conn[0].port = 3261\n"
				   "node.tpgt = 2\n";
	struct oiscsi_node node;

	(void)state;
	assert_int_equal(oiscsi_node_parse("iqn.2026-11.example:t", text, strlen(text), &node), 0);
	assert_string_equal(node.target, "iqn.2026-11.example:t");
	assert_string_equal(node.initiator_name, "iqn.2026-11.example:last");
	assert_string_equal(node.iface, "two");
	assert_string_equal(node.address, "192.0.2.2");
	assert_int_equal(node.port, 3261);
	assert_int_equal(node.tag.value, 2);
	assert_int_equal(node.startup, OISCSI_AUTOMATIC);
	oiscsi_node_clear(&node);
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_value_is_one_line),
		TEST(more_lines_are_not_the_first_of_them),
		TEST(words_for_null_are_no_value),
		TEST(states_are_compared_in_full),
		TEST(connection_states),
		TEST(numbers_in_names),
		TEST(the_host_is_above_the_session),
		TEST(isid_has_twelve_digits),
		TEST(transports_are_named_by_their_drivers),
		TEST(releases_are_compared_by_number),
		TEST(lines_have_a_key_and_a_value),
		TEST(a_value_that_does_not_fit_is_none),
		TEST(without_a_file_iscsid_has_defaults),
		TEST(the_file_says_more),
		TEST(what_cannot_be_taken_is_unknown),
		TEST(no_key_is_a_secret),
		TEST(of_a_node_record_the_last_line_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
