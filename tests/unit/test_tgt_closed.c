/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source tgt with connections that tgtd has closed but still lists: their I/O hangs, and their
 * initiators have logged in again.
 *
 * Wrapped: __wrap_root_exchange __wrap_root_list __wrap_root_tcp_sockets __wrap_root_read
 * __wrap_root_read_link
 */
#include "tests/support/tgt_wraps.h"

#define RECORD(session, name, address)                                                           \
	"Session: " session "\n    Connection: 0\n        Initiator: " name "\n        " address \
	"\n"
#define OF_3 RECORD("3", OTHER, "IP Address: 127.0.0.1")

static void put_connections(int tid, const char *records)
{
	put_answer((struct answer){
		.mode = MODE_CONNECTION, .op = 2, .number = tid, .text = records });
}

/* The paths of a session. */
static unsigned int paths_of(uint16_t nexus)
{
	const struct session *session = session_of(nexus);
	unsigned int count = 0;

	for (uint32_t i = 0; i < count_of(OBJECT_PATH); i++)
		count += ARRAY_OF(PATH, path)[i].session ==
			 (uint32_t)(session - ARRAY_OF(SESSION, session));
	return count;
}

static void test_without_an_address_it_is_closed(void **state)
{
	(void)state;
	run_good("sessions");
	assert_int_equal(connection_of(1, 0)->state.value, 2);
	assert_true(session_of(1)->condition.known);
	put_connections(1, OF_3 RECORD("1", VICTIM, ""));
	run_good(NULL);
	assert_false(connection_of(1, 0)->state.known);
	assert_false(session_of(1)->condition.known);
	assert_true(is_address(&connection_of(1, 0)->remote_address, "127.0.0.1"));
	assert_int_equal(connection_of(3, 0)->state.value, 2);
	/* Over RDMA it says nothing. */
	put_connections(2, RECORD("2", VICTIM, "RDMA IP Address: 192.0.2.9"));
	run_good(NULL);
	fake.answer_count--;
	put_connections(2, RECORD("2", VICTIM, ""));
	run_good(NULL);
	assert_int_equal(connection_of(2, 0)->state.value, 2);
}

/* 1 is closed, 3 came after it from the same address. */
static void test_the_live_one_has_its_socket(void **state)
{
	(void)state;
	put_answer((struct answer){ .mode = MODE_PORTAL,
		.op = 2,
		.text = "Portal: 0.0.0.0:32600,1\nPortal: [::]:32600,1\n" });
	put_socket("127.0.0.1", "127.0.0.1", 50002);
	run_good("sessions");
	assert_true(is_address(&connection_of(1, 0)->remote_address, "127.0.0.1"));
	put_connections(1, OF_3 RECORD("1", VICTIM, ""));
	run_good(NULL);
	assert_true(is_address(&connection_of(3, 0)->local_address, "127.0.0.1"));
	assert_int_equal(connection_of(3, 0)->remote_port.value, 50002);
	assert_int_equal(paths_of(3), 1);
	assert_true(is_address(&connection_of(1, 0)->local_address, "-"));
	assert_int_equal(paths_of(1), 0);
}

/* The initiator has closed the socket, tgtd has not: there is an address as long as it waits. */
static void test_a_socket_that_is_gone_is_not_replaced(void **state)
{
	(void)state;
	put_socket("::1", "::1", 50001);
	run_good("sessions");
	assert_int_equal(connection_of(2, 0)->remote_port.value, 50001);
	fake.sockets[0].remote_port = 50002; /* of another session, or of a discovery */
	for (int i = 0; i < 2; i++) {
		run_good(NULL);
		assert_false(connection_of(2, 0)->state.known);
		assert_false(session_of(2)->condition.known);
		assert_false(connection_of(2, 0)->remote_port.known);
		assert_int_equal(paths_of(2), 0);
	}
	/* It was another connection after all: what has no socket receives nothing. */
	put_session(
		"tgt lun sid x\n  2   0   2 0\n\n"
		"sid cid rxdata_octets txdata_octets dataout_pdus datain_pdus cmd_pdus rsp_pdus\n"
		"  2   0   100000   100000   0   0   9   0\n",
		2);
	run_good(NULL);
	assert_int_equal(connection_of(2, 0)->state.value, 2);
	assert_int_equal(connection_of(2, 0)->remote_port.value, 50002);
	assert_int_equal(paths_of(2), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_without_an_address_it_is_closed),
		TEST(test_the_live_one_has_its_socket),
		TEST(test_a_socket_that_is_gone_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
