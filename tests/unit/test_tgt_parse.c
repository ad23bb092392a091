/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers of tgtd made of numbers: tables, portals, parameters. Texts of tgtd 1.0.85. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source/tgt_parse.h"
#include "tests/support/tgt_slices.h"

static void test_lines_end_with_or_without_newline(void **state)
{
	struct tgt_slice rest = slice("a\n\nbc"), line;

	(void)state;
	assert_true(tgt_next_line(&rest, &line) && tgt_slice_is(&line, "a"));
	assert_true(tgt_next_line(&rest, &line) && tgt_slice_is(&line, ""));
	assert_true(tgt_next_line(&rest, &line) && tgt_slice_is(&line, "bc"));
	assert_false(tgt_next_line(&rest, &line));
}

static void test_numbers_have_bounds(void **state)
{
	struct tgt_slice rest = slice("65535,");
	uint64_t value = 1;

	(void)state;
	assert_true(tgt_skip_number(&rest, 65535, &value));
	assert_int_equal(value, 65535);
	assert_true(tgt_slice_is(&rest, ","));
	rest = slice("65536");
	assert_false(tgt_skip_number(&rest, 65535, &value));
	rest = slice("18446744073709551615");
	assert_true(tgt_skip_number(&rest, UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	rest = slice("18446744073709551616");
	assert_false(tgt_skip_number(&rest, UINT64_MAX, &value));
	rest = slice("9");
	assert_false(tgt_skip_number(&rest, 3, &value));
	rest = slice("-1");
	assert_false(tgt_skip_number(&rest, UINT64_MAX, &value));
	rest = slice("");
	assert_false(tgt_skip_number(&rest, UINT64_MAX, &value));
}

static void test_nexuses_of_a_target(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice rest = fixture(&b, "tgt/sessions-nexus-1.txt");
	uint16_t nexus;

	(void)state;
	assert_int_equal(tgt_nexuses_begin(&rest), 0);
	assert_int_equal(tgt_nexuses_next(&rest, 1, &nexus), 1);
	assert_int_equal(nexus, 1);
	assert_int_equal(tgt_nexuses_next(&rest, 1, &nexus), 1);
	assert_int_equal(nexus, 3);
	assert_int_equal(tgt_nexuses_next(&rest, 1, &nexus), 0);
}

#define NEXUS_HEAD "tgt lun sid rd_subm(bytes,cmds)\n"

static int one_nexus(const char *text)
{
	struct tgt_slice rest = slice(text);
	uint16_t nexus = 7;
	int rc = tgt_nexuses_begin(&rest);

	if (rc == 0)
		rc = tgt_nexuses_next(&rest, 1, &nexus);
	if (rc < 0)
		assert_int_equal(nexus, 7);
	return rc;
}

static void test_bad_nexus_tables_are_refused(void **state)
{
	(void)state;
	assert_int_equal(one_nexus(""), -EBADMSG);
	assert_int_equal(one_nexus("garbage\n"), -EBADMSG);
	assert_int_equal(one_nexus(NEXUS_HEAD), 0);
	assert_int_equal(one_nexus(NEXUS_HEAD "  1   0   5"), 1);
	assert_int_equal(one_nexus(NEXUS_HEAD "  2   0   5 0\n"), -EBADMSG); /* another target */
	assert_int_equal(one_nexus(NEXUS_HEAD "  1   0   0 0\n"), -EBADMSG); /* no nexus */
	assert_int_equal(one_nexus(NEXUS_HEAD "  1   0   65536 0\n"), -EBADMSG);
	assert_int_equal(one_nexus(NEXUS_HEAD "  1   0\n"), -EBADMSG);
	assert_int_equal(one_nexus(NEXUS_HEAD "  1   0   5x\n"), -EBADMSG);
	assert_int_equal(one_nexus(NEXUS_HEAD "\n"), -EBADMSG);
}

static void test_counters_of_a_session(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice rest = fixture(&b, "tgt/sessions-session-1.txt");
	struct tgt_counters c;

	(void)state;
	assert_int_equal(tgt_session_begin(&rest, 1, 1), 0);
	assert_int_equal(tgt_session_next(&rest, 1, &c), 1);
	assert_int_equal(c.cid, 0);
	assert_int_equal(c.rx_octets, 392);
	assert_int_equal(c.tx_octets, 300);
	assert_int_equal(c.command_pdus, 3);
	assert_int_equal(c.response_pdus, 0);
	assert_int_equal(tgt_session_next(&rest, 1, &c), 0);
}

static void test_counters_of_two_connections_and_units(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice rest = fixture(&b, "tgt/two-connections-session-6.txt");
	struct tgt_counters c;

	(void)state;
	assert_int_equal(tgt_session_begin(&rest, 1, 6), 0);
	assert_int_equal(tgt_session_next(&rest, 6, &c), 1);
	assert_int_equal(c.cid, 7);
	assert_int_equal(tgt_session_next(&rest, 6, &c), 1);
	assert_int_equal(c.cid, 0);
	assert_int_equal(tgt_session_next(&rest, 6, &c), 0);
	rest = fixture(&b, "tgt/forged-unit-session-7.txt");
	assert_int_equal(tgt_session_begin(&rest, 1, 7), 0);
	assert_int_equal(tgt_session_next(&rest, 7, &c), 1);
}

#define UNIT_HEAD "tgt lun sid rd_subm(bytes,cmds)\n"
#define SESSION_HEAD                                                               \
	"\nsid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus " \
	"rsp_pdus\n"

static int one_session(const char *text)
{
	struct tgt_slice rest = slice(text);
	struct tgt_counters c;
	int rc = tgt_session_begin(&rest, 1, 5);

	return rc ? rc : tgt_session_next(&rest, 5, &c);
}

static void test_bad_session_tables_are_refused(void **state)
{
	(void)state;
	assert_int_equal(one_session(""), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD), 0);
	assert_int_equal(one_session(UNIT_HEAD " 1 0 5 0\n"), 0);
	assert_int_equal(one_session(UNIT_HEAD " 1 0 5 0\n" SESSION_HEAD "5 0 1 2 3 4 5 6\n"), 1);
	assert_int_equal(one_session(UNIT_HEAD " 2 0 5 0\n" SESSION_HEAD), -ENOENT);
	assert_int_equal(one_session(UNIT_HEAD " 1 0 6 0\n" SESSION_HEAD), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD "\nsid cid\n"), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD "\n"), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD SESSION_HEAD "6 0 1 2 3 4 5 6\n"), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD SESSION_HEAD "5 65536 1 2 3 4 5 6\n"), -EBADMSG);
	assert_int_equal(
		one_session(UNIT_HEAD SESSION_HEAD "5 0 1 2 3 4 4294967296 6\n"), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD SESSION_HEAD "5 0 1 2 3 4 5\n"), -EBADMSG);
	assert_int_equal(one_session(UNIT_HEAD SESSION_HEAD "5 0 1 2 3 4 5 6 later\n"), 1);
}

static void test_portals(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice rest = fixture(&b, "tgt/portals.txt");
	struct tgt_portal p;

	(void)state;
	assert_int_equal(tgt_portal_next(&rest, &p), 1);
	assert_true(tgt_slice_is(&p.text, "::1"));
	assert_true(p.address_known);
	assert_int_equal(p.address.type, 2);
	assert_int_equal(p.port, 32600);
	assert_int_equal(p.tag, 1);
	assert_int_equal(tgt_portal_next(&rest, &p), 1);
	assert_true(tgt_slice_is(&p.text, "127.0.0.1"));
	assert_int_equal(p.address.type, 1);
	assert_int_equal(tgt_portal_next(&rest, &p), 0);
}

static int one_portal(const char *text)
{
	struct tgt_slice rest = slice(text);
	struct tgt_portal p;

	return tgt_portal_next(&rest, &p);
}

static void test_bad_portals_are_refused(void **state)
{
	(void)state;
	assert_int_equal(one_portal("Portal: 1.2.3.4:3260,1\n"), 1);
	assert_int_equal(one_portal("Portal: host:3260,1\n"), 1);
	assert_int_equal(one_portal("Portal: 1.2.3.4:0,1\n"), -EBADMSG);
	assert_int_equal(one_portal("Portal: 1.2.3.4:65536,1\n"), -EBADMSG);
	assert_int_equal(one_portal("Portal: 1.2.3.4:3260,0\n"), -EBADMSG);
	assert_int_equal(one_portal("Portal: 1.2.3.4:3260\n"), -EBADMSG);
	assert_int_equal(one_portal("Portal: :3260,1\n"), -EBADMSG);
	assert_int_equal(one_portal("Portal: [::1:3260,1\n"), -EBADMSG);
	assert_int_equal(one_portal("Portal: []:3260,1\n"), 1); /* no address, but a portal */
	assert_int_equal(one_portal("Portal\n"), -EBADMSG);
	assert_int_equal(one_portal("\n"), -EBADMSG);
}

static void test_default_parameters(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice text = fixture(&b, "tgt/default-t1.txt");
	struct tgt_parameters p;

	(void)state;
	tgt_parameters_parse(text.at, text.length, &p);
	assert_int_equal(p.max_recv_data_segment_length.value, 8192);
	assert_int_equal(p.header_digest.value, 3);
	assert_int_equal(p.data_digest.value, 3);
	assert_true(p.initial_r2t.known && p.initial_r2t.value);
	assert_int_equal(p.max_outstanding_r2t.value, 1);
	assert_true(p.immediate_data.known && p.immediate_data.value);
	assert_int_equal(p.first_burst_length.value, 65536);
	assert_int_equal(p.max_burst_length.value, 262144);
	assert_true(p.data_pdu_in_order.known && p.data_pdu_in_order.value);
	assert_true(p.data_sequence_in_order.known && p.data_sequence_in_order.value);
	assert_true(p.error_recovery_level.known && !p.error_recovery_level.value);
	assert_int_equal(p.default_time2wait.value, 2);
	assert_int_equal(p.default_time2retain.value, 20);
	assert_int_equal(p.max_connections.value, 1);
}

static void test_changed_parameters(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice text = fixture(&b, "tgt/changed-t1.txt");
	struct tgt_parameters p;

	(void)state;
	tgt_parameters_parse(text.at, text.length, &p);
	assert_int_equal(p.max_recv_data_segment_length.value, 65536);
	assert_int_equal(p.header_digest.value, 4);
	assert_int_equal(p.data_digest.value, 4);
	assert_true(p.initial_r2t.known && !p.initial_r2t.value);
	assert_int_equal(p.max_outstanding_r2t.value, 8);
	assert_true(p.immediate_data.known && !p.immediate_data.value);
	assert_true(p.data_pdu_in_order.known && !p.data_pdu_in_order.value);
	assert_int_equal(p.error_recovery_level.value, 2);
}

static bool nothing_known(const struct tgt_parameters *p)
{
	struct tgt_parameters none;

	memset(&none, 0, sizeof(none));
	return memcmp(p, &none, sizeof(none)) == 0;
}

static void test_redirecting_target_has_no_parameters(void **state)
{
	CLEANUP_BUF struct buf b = BUF_INIT(1 << 20);
	struct tgt_slice text = fixture(&b, "tgt/redirect-t1.txt");
	struct tgt_parameters p;

	(void)state;
	tgt_parameters_parse(text.at, text.length, &p);
	assert_true(nothing_known(&p));
}

static void test_parameters_out_of_range_or_twice_are_unknown(void **state)
{
	static const char text[] = "MaxRecvDataSegmentLength=511\nHeaderDigest=MD5\n"
				   "InitialR2T=yes\nMaxOutstandingR2T=0\nImmediateData=Yes \n"
				   "FirstBurstLength=16777216\nErrorRecoveryLevel=3\n"
				   "DefaultTime2Wait=-1\nMaxConnections=1x\nMaxBurstLength=\n"
				   "DefaultTime2Retain=20\nDefaultTime2Retain=20\n=\nx";
	struct tgt_parameters p;

	(void)state;
	tgt_parameters_parse(text, strlen(text), &p);
	assert_true(nothing_known(&p));
}

static void test_intersection_keeps_what_is_the_same(void **state)
{
	static const char before[] = "InitialR2T=Yes\nImmediateData=No\nMaxConnections=1\n";
	static const char after[] = "InitialR2T=No\nImmediateData=No\nErrorRecoveryLevel=0\n";
	struct tgt_parameters a, b;

	(void)state;
	tgt_parameters_parse(before, strlen(before), &a);
	tgt_parameters_parse(after, strlen(after), &b);
	tgt_parameters_intersect(&a, &b);
	assert_false(a.initial_r2t.known);
	assert_false(a.initial_r2t.value);
	assert_true(a.immediate_data.known);
	assert_false(a.immediate_data.value);
	assert_false(a.max_connections.known);
	assert_int_equal(a.max_connections.value, 0);
	assert_false(a.error_recovery_level.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_end_with_or_without_newline),
		cmocka_unit_test(test_numbers_have_bounds),
		cmocka_unit_test(test_nexuses_of_a_target),
		cmocka_unit_test(test_bad_nexus_tables_are_refused),
		cmocka_unit_test(test_counters_of_a_session),
		cmocka_unit_test(test_counters_of_two_connections_and_units),
		cmocka_unit_test(test_bad_session_tables_are_refused),
		cmocka_unit_test(test_portals),
		cmocka_unit_test(test_bad_portals_are_refused),
		cmocka_unit_test(test_default_parameters),
		cmocka_unit_test(test_changed_parameters),
		cmocka_unit_test(test_redirecting_target_has_no_parameters),
		cmocka_unit_test(test_parameters_out_of_range_or_twice_are_unknown),
		cmocka_unit_test(test_intersection_keeps_what_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
