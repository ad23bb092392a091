/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source tgt with initiators that forge; and which session is the same as in the last
 * last_poll.
 *
 * Wrapped: __wrap_root_exchange __wrap_root_list __wrap_root_tcp_sockets __wrap_root_read
 * __wrap_root_read_link
 */
#include "tests/support/tgt_wraps.h"

/* The identities of a target's node, joined. */
static const char *identities(const char *node_name)
{
	static char out[512];
	const struct auth *auths = ARRAY_OF(AUTH, auth);
	const struct node *nodes = ARRAY_OF(NODE, node);
	size_t length = 0;

	*out = 0;
	for (uint32_t i = 0; i < count_of(OBJECT_AUTH); i++)
		if (!strcmp(text_of(&nodes[auths[i].node].name), node_name))
			length += (size_t)snprintf(out + length, sizeof(out) - length, "%u:%s;",
				auths[i].identity_kind.value, text_of(&auths[i].identity));
	return out;
}

/* ---- the forger ---- */

static void test_forged_alias_adds_no_row_and_changes_none(void **state)
{
	(void)state;
	run_good("sessions");
	run_good("forged-alias");
	assert_int_equal(count_of(OBJECT_NODE), 2);
	assert_int_equal(count_of(OBJECT_SESSION), 4);
	assert_int_equal(count_of(OBJECT_CONNECTION), 4);
	assert_string_equal(text_of(&ARRAY_OF(NODE, node)[1].name), DISK2);
	assert_session(1, VICTIM, "victim's alias");
	assert_session(2, VICTIM, "");
	assert_session(3, OTHER, "");
	assert_true(is_address(&connection_of(4, 0)->remote_address, "127.0.0.1"));
	assert_string_equal(text_of(&session_of(4)->initiator_name), EVIL);
	/* The lists of its own target are in doubt. */
	assert_string_equal(identities(DISK1), "");
	assert_null(strstr(identities(DISK2), "forged"));
}

static void test_forged_alias_at_the_first_poll(void **state)
{
	(void)state;
	run_good("forged-alias");
	/* Which of the two names is that of target 2 cannot be known: it is left out. */
	assert_int_equal(count_of(OBJECT_NODE), 1);
	assert_int_equal(count_of(OBJECT_SESSION), 3);
	assert_session(1, VICTIM, "victim's alias");
	assert_string_equal(identities(DISK1), "");
}

static void test_forged_alias_hides_no_target_with_units(void **state)
{
	(void)state;
	run_good("forged-unit");
	assert_int_equal(count_of(OBJECT_NODE), 2);
	assert_int_equal(count_of(OBJECT_SESSION), 4);
	assert_string_equal(text_of(&ARRAY_OF(NODE, node)[1].name), DISK2);
	assert_session(2, VICTIM, "");
	assert_string_equal(identities(DISK2), "2:127.0.0.0/8;2:::1;3:" VICTIM ";");
}

static void test_forged_name_changes_no_name(void **state)
{
	(void)state;
	run_good("sessions");
	run_good("forged-name");
	assert_int_equal(count_of(OBJECT_SESSION), 4);
	assert_session(1, VICTIM, "victim's alias");
	assert_session(3, OTHER, "");
	assert_session(5, "-", "-");
	assert_true(is_address(&connection_of(5, 0)->remote_address, "-"));
	assert_false(connection_of(5, 0)->protocol.known);
	assert_true(is_address(&connection_of(1, 0)->remote_address, "127.0.0.1"));
}

static void test_forged_name_at_the_first_poll_leaves_names_unknown(void **state)
{
	(void)state;
	run_good("forged-name");
	assert_int_equal(count_of(OBJECT_SESSION), 4);
	assert_session(1, "-", "-");
	assert_session(5, "-", "-");
	assert_session(2, VICTIM, ""); /* of another target */
	assert_int_equal(session_of(1)->command_pdus.value, 3);
	/* When the forger has gone they come, and the rows are the same. */
	run_good("sessions");
	assert_session(1, VICTIM, "victim's alias");
	assert_string_equal(text_of(&session_of(1)->key), "4711:815 tid 1 nexus 1 epoch 0");
}

static void test_names_do_not_depend_on_a_later_forger(void **state)
{
	char before[128], after[128];

	(void)state;
	run_good("sessions");
	session_key(1, before);
	run_good("forged-name");
	assert_string_equal(session_key(1, after), before);
	run_good("forged-alias");
	assert_string_equal(session_key(1, after), before);
	assert_session(1, VICTIM, "victim's alias");
}

/* ---- which session is the same ---- */

/* Two headings near a nexus, neither with the name that was certain before: none is taken. */
static void test_doubtful_name_is_the_one_known_before_or_none(void **state)
{
	static const char near[] = "Target 1: " DISK1 "\n    I_T nexus information:\n"
				   "        I_T nexus: 1\n            Initiator: x alias: \n";

	(void)state;
	for (int known = 0; known < 2; known++) {
		char text[1024];

		fake.answer_count = 0;
		run_good("sessions");
		snprintf(text, sizeof(text), "%sTarget 2: one\nTarget 2: %s\n", near,
			known ? DISK2 : "two");
		put_answer((struct answer){
			.mode = MODE_TARGET, .op = 2, .number = -1, .text = text });
		run_good(NULL);
		assert_int_equal(count_of(OBJECT_NODE), known ? 1 : 0);
	}
}

static void test_session_that_was_missing_is_another_one(void **state)
{
	char key[128];

	(void)state;
	run_good("sessions");
	put_answer((struct answer){ .mode = MODE_SESSION, .op = 6, .number = 3, .error = 6 });
	run_good(NULL);
	assert_null(session_of(3));
	fake.answer_count = 0;
	run_good(NULL);
	assert_string_equal(session_key(3, key), "4711:815 tid 1 nexus 3 epoch 1");
	assert_string_equal(session_key(1, key), "4711:815 tid 1 nexus 1 epoch 0");
}

static void test_octets_that_go_back_are_another_session(void **state)
{
	char key[128];

	(void)state;
	run_good("sessions");
	put_session(SESSION_TABLE("1", "1 0 391 300 0 0 3 0"), 1);
	run_good(NULL);
	assert_string_equal(session_key(1, key), "4711:815 tid 1 nexus 1 epoch 1");
	assert_int_equal(session_of(1)->rx_octets.value, 391);
	assert_session(1, VICTIM, "victim's alias"); /* learned anew */
}

static void test_other_name_is_another_session(void **state)
{
	char key[128];

	(void)state;
	run_good("sessions");
	put_answer((struct answer){ .mode = MODE_CONNECTION,
		.op = 2,
		.number = 1,
		.text = "Session: 3\n    Connection: 0\n        Initiator: " OTHER "\n"
			"        IP Address: 127.0.0.1\n"
			"Session: 1\n    Connection: 0\n        Initiator: " EVIL "\n"
			"        IP Address: 192.0.2.1\n" });
	run_good(NULL);
	assert_string_equal(session_key(1, key), "4711:815 tid 1 nexus 1 epoch 1");
	assert_session(1, EVIL, "-");
	assert_true(is_address(&connection_of(1, 0)->remote_address, "192.0.2.1"));
	assert_string_equal(session_key(3, key), "4711:815 tid 1 nexus 3 epoch 0");
}

static void test_restarted_tgtd_has_other_sessions(void **state)
{
	char key[128];

	(void)state;
	run_good("sessions");
	fake.peer.start_time++;
	run_good(NULL);
	assert_string_equal(text_of(&ARRAY_OF(INSTANCE, instance)->incarnation), "4711:816");
	assert_string_equal(session_key(1, key), "4711:816 tid 1 nexus 1 epoch 0");
	assert_int_equal(session_of(1)->rx_octets.value, 392);
}

static void test_failed_poll_forgets_nothing(void **state)
{
	char key[128];

	(void)state;
	run_good("sessions");
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = -1, .rc = -ETIMEDOUT });
	assert_int_equal(run(NULL), 0);
	assert_int_equal(last_poll.error, -ETIMEDOUT);
	fake.answer_count = 0;
	run_good("forged-name");
	assert_session(1, VICTIM, "victim's alias");
	assert_string_equal(session_key(1, key), "4711:815 tid 1 nexus 1 epoch 0");
}

/* ---- counters ---- */

static void test_command_counter_goes_on_after_32_bits(void **state)
{
	(void)state;
	put_session(SESSION_TABLE("1", "1 0 1000 1000 0 0 4294967290 0"), 1);
	run_good("sessions");
	assert_int_equal(session_of(1)->command_pdus.value, 4294967290u);
	put_session(SESSION_TABLE("1", "1 0 2000 2000 0 0 4 0"), 1);
	run_good(NULL);
	assert_true(session_of(1)->command_pdus.value == 4294967300u);
	assert_string_equal(text_of(&session_of(1)->key), "4711:815 tid 1 nexus 1 epoch 0");
}

static void test_counters_of_an_ended_connection_stay(void **state)
{
	(void)state;
	put_session(SESSION_TABLE("1", "1 0 1000 100 0 0 10 0\n 1 1 500 50 0 0 5 0"), 1);
	run_good("sessions");
	assert_int_equal(session_of(1)->rx_octets.value, 1500);
	put_session(SESSION_TABLE("1", "1 1 600 60 0 0 6 0"), 1);
	run_good(NULL);
	assert_int_equal(session_of(1)->connection_count.value, 1);
	assert_int_equal(session_of(1)->rx_octets.value, 1600);
	assert_int_equal(session_of(1)->tx_octets.value, 160);
	assert_int_equal(session_of(1)->command_pdus.value, 16);
	assert_string_equal(text_of(&session_of(1)->key), "4711:815 tid 1 nexus 1 epoch 0");
}

static void test_connection_that_joined_later_may_have_met_other_parameters(void **state)
{
	CLEANUP_FREE char *changed = slurp("tgt/changed-t1.txt");

	(void)state;
	run_good("sessions");
	put_session(SESSION_TABLE("1", "1 0 1000 300 0 0 3 0\n 1 1 500 50 0 0 5 0"), 1);
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .text = changed });
	run_good(NULL);
	assert_false(connection_of(1, 1)->max_recv_data_segment_length.known);
	put_session(SESSION_TABLE("1", "1 1 600 60 0 0 6 0"), 1);
	put_answer((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .text = changed });
	run_good(NULL);
	assert_false(connection_of(1, 1)->max_recv_data_segment_length.known);
	assert_false(connection_of(1, 1)->header_digest.known);
	assert_int_equal(session_of(1)->connection_count.value, 1);
}

static void test_one_cid_twice_has_no_sums(void **state)
{
	(void)state;
	put_session(SESSION_TABLE("1", "1 0 1000 100 0 0 10 0\n 1 0 500 50 0 0 5 0"), 1);
	run_good("sessions");
	assert_int_equal(session_of(1)->connection_count.value, 2);
	assert_false(session_of(1)->rx_octets.known);
	put_session(SESSION_TABLE("1", "1 0 600 60 0 0 6 0"), 1);
	run_good(NULL);
	assert_false(session_of(1)->rx_octets.known);
}

static void test_responses_are_shown_when_counted(void **state)
{
	(void)state;
	put_session(SESSION_TABLE("1", "1 0 1000 100 0 0 10 9"), 1);
	run_good("sessions");
	assert_int_equal(session_of(1)->response_pdus.value, 9);
}

static void test_session_without_connection_has_no_counters(void **state)
{
	(void)state;
	put_session("tgt lun sid x\n  1   0   1 0\n", 1);
	run_good("sessions");
	assert_false(session_of(1)->rx_octets.known);
	assert_false(session_of(1)->connection_count.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_forged_alias_adds_no_row_and_changes_none),
		TEST(test_forged_alias_at_the_first_poll),
		TEST(test_forged_alias_hides_no_target_with_units),
		TEST(test_forged_name_changes_no_name),
		TEST(test_forged_name_at_the_first_poll_leaves_names_unknown),
		TEST(test_names_do_not_depend_on_a_later_forger),
		TEST(test_doubtful_name_is_the_one_known_before_or_none),
		TEST(test_session_that_was_missing_is_another_one),
		TEST(test_octets_that_go_back_are_another_session),
		TEST(test_other_name_is_another_session),
		TEST(test_restarted_tgtd_has_other_sessions),
		TEST(test_failed_poll_forgets_nothing),
		TEST(test_command_counter_goes_on_after_32_bits),
		TEST(test_counters_of_an_ended_connection_stay),
		TEST(test_connection_that_joined_later_may_have_met_other_parameters),
		TEST(test_one_cid_twice_has_no_sums),
		TEST(test_responses_are_shown_when_counted),
		TEST(test_session_without_connection_has_no_counters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
