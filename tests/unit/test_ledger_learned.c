/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model/ledger.h, what was learned once: the last failure, and what a login told. Shown is the
 * truth of the same event or login, or nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/support/ledger_lab.h"

static struct ledger_lab lab;

static int setup(void **state)
{
	(void)state;
	ledger_lab_open(&lab);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	ledger_lab_close(&lab);
	return 0;
}

/* ---- events with a time ---- */

static struct node *say_failure(const char *epoch, uint64_t ns, uint32_t type, const char *name)
{
	struct node *node;

	ledger_lab_begin(&lab, epoch);
	node = ledger_lab_node(&lab, "n");
	node->initiator_last_failure_time = (struct opt_time){ ns, 1 };
	if (type)
		OPT_SET(node->initiator_last_failure_type, type);
	if (name)
		builder_text(lab.builder, &node->initiator_last_failure_name, name);
	return node;
}

static void assert_failure(uint64_t ns, uint32_t type, const char *name)
{
	const struct node *node = ledger_lab_shown_node(&lab, "n");

	assert_int_equal(node->initiator_last_failure_time.ns, ns);
	assert_true(node->initiator_last_failure_time.known);
	assert_int_equal(node->initiator_last_failure_type.known, type != 0);
	if (type)
		assert_int_equal(node->initiator_last_failure_type.value, type);
	assert_string_equal(ledger_lab_text(&lab, &node->initiator_last_failure_name), name);
}

static void the_last_failure_outlives_reader_and_agent(void **state)
{
	const struct opt_addr address = { 1, 1, 4, { 192, 0, 2, 1 } };
	const struct opt_addr *shown;

	(void)state;
	say_failure("a", 1050, 4, "target")->initiator_last_failure_address = address;
	OPT_SET(builder_node_at(lab.builder, 0)->initiator_last_failure_port, 3260);
	ledger_lab_end(&lab);
	for (int i = 0; i < 3; i++) {
		if (i == 1)
			ledger_lab_restart(&lab, true, false);
		say_failure("b", 0, 0, NULL); /* none that this reader saw */
		if (i == 2)
			builder_node_at(lab.builder, 0)->initiator_last_failure_time.known = 0;
		ledger_lab_end(&lab);
		assert_failure(1050, 4, "target");
		shown = &ledger_lab_shown_node(&lab, "n")->initiator_last_failure_address;
		assert_memory_equal(shown, &address, sizeof(address));
		assert_int_equal(
			ledger_lab_shown_node(&lab, "n")->initiator_last_failure_port.value, 3260);
	}
	ledger_lab_restart(&lab, true, true);
	say_failure("c", 0, 0, NULL);
	ledger_lab_end(&lab);
	assert_failure(0, 0, "-");
}

static void the_newer_event_is_shown_with_all_that_goes_with_it(void **state)
{
	(void)state;
	say_failure("a", 1050, 4, "old");
	ledger_lab_end(&lab);
	say_failure("b", 1150, 0, "new"); /* of no known type: not that of the other one */
	ledger_lab_end(&lab);
	assert_failure(1150, 0, "new");
	say_failure("c", 1020, 4, "older"); /* cannot be, but if: the newest wins */
	ledger_lab_end(&lab);
	assert_failure(1150, 0, "new");
	say_failure("c", 1150, 7, NULL); /* more is known of the same one */
	ledger_lab_end(&lab);
	assert_failure(1150, 7, "new");
}

static void an_event_that_lies_ahead_is_not_remembered(void **state)
{
	(void)state;
	say_failure("a", UINT64_MAX, 4, "ahead");
	ledger_lab_end(&lab);
	say_failure("b", 1150, 5, "now");
	ledger_lab_end(&lab);
	assert_failure(1150, 5, "now");
}

static void the_last_error_of_a_session_goes_with_its_time(void **state)
{
	struct session *session;

	(void)state;
	for (int i = 0; i < 2; i++) {
		ledger_lab_begin(&lab, i ? "b" : "a");
		session = ledger_lab_session(&lab, "s");
		if (i == 0) {
			session->last_error_time = (struct opt_time){ 1010, 1 };
			OPT_SET(session->last_error, 1022);
		}
		ledger_lab_end(&lab);
		assert_int_equal(ledger_lab_shown_session(&lab, "s")->last_error_time.ns, 1010);
		assert_int_equal(ledger_lab_shown_session(&lab, "s")->last_error.value, 1022);
	}
}

/* ---- logins ---- */

/* A poll with a session whose login has this name; `learned`: the source saw it. */
static const struct session *poll_login(const char *epoch, const char *login, uint32_t learned)
{
	struct session *session;

	ledger_lab_begin(&lab, epoch);
	session = ledger_lab_session(&lab, "s");
	if (login)
		builder_text(lab.builder, &session->login, login);
	if (learned) {
		OPT_SET(session->tsih, learned);
		builder_text(lab.builder, &session->target_alias, "alias");
		OPT_SET(session->negotiated_time2wait, 0);
		OPT_SET(session->negotiated_time2retain, 20);
		OPT_SET(session->login_class, 0);
		session->login_time = (struct opt_time){ 1000 + learned, 1 };
		session->isid = (struct opt_isid){ 1, { 0, 2, 0x3d, 0, 0, 7 } };
	}
	ledger_lab_end(&lab);
	return ledger_lab_shown_session(&lab, "s");
}

static void assert_learned(const struct session *session, uint32_t learned)
{
	const uint8_t isid[] = { 0, 2, 0x3d, 0, 0, 7 };

	assert_int_equal(session->tsih.known, learned != 0);
	assert_int_equal(session->negotiated_time2wait.known, learned != 0);
	assert_int_equal(session->login_class.known, learned != 0);
	assert_false(session->negotiated_max_connections.known);
	assert_string_equal(ledger_lab_text(&lab, &session->target_alias), learned ? "alias" : "-");
	if (!learned)
		return;
	assert_int_equal(session->tsih.value, learned);
	assert_int_equal(session->negotiated_time2wait.value, 0);
	assert_int_equal(session->negotiated_time2retain.value, 20);
	assert_int_equal(session->login_time.ns, 1000 + learned);
	assert_memory_equal(session->isid.octets, isid, sizeof(isid));
}

static void what_a_login_told_lasts_as_long_as_the_login(void **state)
{
	(void)state;
	assert_learned(poll_login("a", "port 1", 9), 9);
	assert_learned(poll_login("b", "port 1", 0), 9);
	ledger_lab_restart(&lab, true, false);
	assert_learned(poll_login("c", "port 1", 0), 9);
	/* Logged in again while no reader looked. */
	assert_learned(poll_login("d", "port 2", 0), 0);
	assert_learned(poll_login("d", "port 1", 0), 0);
	assert_learned(poll_login("d", "port 3", 8), 8);
}

static void a_login_that_cannot_be_told_hides_what_it_told(void **state)
{
	(void)state;
	poll_login("a", "port 1", 9);
	assert_learned(poll_login("b", NULL, 0), 0);
	ledger_lab_restart(&lab, true, false);
	assert_learned(poll_login("b", NULL, 0), 0);
	assert_learned(poll_login("b", "port 1", 0), 9);
	/* Under it the source is believed, and nothing is remembered of it. */
	assert_learned(poll_login("b", NULL, 3), 3);
	assert_learned(poll_login("b", "port 1", 0), 9);
}

/* The same port again, but the source knows better: what is remembered is of another login. */
static void what_the_source_knows_otherwise_makes_the_rest_forgotten(void **state)
{
	struct session *session;

	(void)state;
	poll_login("a", "port 1", 9);
	ledger_lab_begin(&lab, "b");
	session = ledger_lab_session(&lab, "s");
	builder_text(lab.builder, &session->login, "port 1");
	OPT_SET(session->tsih, 10);
	ledger_lab_end(&lab);
	assert_int_equal(ledger_lab_shown_session(&lab, "s")->tsih.value, 10);
	assert_false(ledger_lab_shown_session(&lab, "s")->negotiated_time2wait.known);
	assert_string_equal(
		ledger_lab_text(&lab, &ledger_lab_shown_session(&lab, "s")->target_alias), "-");
}

/* A poll with two sessions, the second only with an epoch that is not "a". NULL: not known. */
static const char *poll_alias(const char *epoch, const char *process, const char *alias)
{
	struct instance *instance = ledger_lab_begin(&lab, epoch);
	const char *shown;

	if (process) {
		builder_text(lab.builder, &instance->login_process, process);
		if (alias)
			builder_text(lab.builder, &instance->login_alias, alias);
	}
	for (int i = 0; i < (*epoch == 'a' ? 1 : 2); i++) {
		struct session *session = ledger_lab_session(&lab, i ? "later" : "s");

		if (alias)
			builder_text(lab.builder, &session->initiator_alias, alias);
	}
	ledger_lab_end(&lab);
	shown = ledger_lab_text(&lab, &ledger_lab_shown_session(&lab, "s")->initiator_alias);
	if (*epoch != 'a')
		assert_string_equal(
			ledger_lab_text(
				&lab, &ledger_lab_shown_session(&lab, "later")->initiator_alias),
			shown);
	return shown;
}

/*
 * iscsid goes on saying what it read when it began; a reader reads what the file has now. It was
 * remembered of each session: one that came after the reader was started anew had another alias
 * than the rest.
 */
static void what_was_learned_first_stays_while_its_leader_does(void **state)
{
	(void)state;
	assert_string_equal(poll_alias("a", "iscsid 1", "first"), "first");
	assert_string_equal(poll_alias("b", "iscsid 1", "other"), "first");
	ledger_lab_restart(&lab, true, false);
	assert_string_equal(poll_alias("c", "iscsid 1", "other"), "first");
	/* Sessions that this process does not log in. */
	assert_string_equal(poll_alias("c", "iscsid 1", NULL), "-");
	assert_string_equal(ledger_lab_text(&lab, &ledger_lab_shown(&lab)->login_alias), "first");
	/* No leader: it is hidden, or of a source that has none, as it is, and not lost. */
	assert_string_equal(poll_alias("c", NULL, NULL), "-");
	assert_string_equal(poll_alias("c", NULL, "other"), "other");
	assert_string_equal(poll_alias("c", "iscsid 1", "other"), "first");
	/* Another process. */
	assert_string_equal(poll_alias("c", "iscsid 2", NULL), "-");
	assert_string_equal(poll_alias("c", "iscsid 2", "second"), "second");
	assert_string_equal(poll_alias("c", "iscsid 1", "third"), "third");
	/* Another boot. */
	ledger_lab_restart(&lab, true, true);
	assert_string_equal(poll_alias("d", "iscsid 1", "fourth"), "fourth");
}

static void texts_of_many_rows_are_filled_in(void **state)
{
	enum { ROWS = 500 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		ledger_lab_begin(&lab, round ? "b" : "a");
		for (int i = 0; i < ROWS; i++) {
			char key[16];
			struct session *session;

			snprintf(key, sizeof(key), "s%d", i);
			session = ledger_lab_session(&lab, key);
			builder_printf(lab.builder, &session->login, "port %d", i);
			if (round == 0)
				builder_printf(
					lab.builder, &session->target_alias, "%0*d", i % 200, i);
		}
		ledger_lab_end(&lab);
	}
	for (int i = 0; i < ROWS; i++) {
		const struct session *session = &snapshot_sessions(lab.shown)[i];
		char expected[256];

		snprintf(expected, sizeof(expected), "%0*d", i % 200, i);
		assert_string_equal(ledger_lab_text(&lab, &session->target_alias), expected);
		snprintf(expected, sizeof(expected), "port %d", i);
		assert_string_equal(ledger_lab_text(&lab, &session->login), expected);
	}
}

/* ---- last failures of stacks that count themselves: of which failure it is tells the count ----
 */

static struct node *say_count(uint64_t failures)
{
	struct node *node;

	ledger_lab_begin(&lab, NULL);
	node = ledger_lab_node(&lab, "t");
	OPT_SET(node->target_login_failures, failures);
	return node;
}

/* The reader saw the seventh failure. */
static void see_failure(void)
{
	struct node *node = say_count(7);

	node->target_last_failure_time = (struct opt_time){ 1050, 1 };
	OPT_SET(node->target_last_failure_type, 5);
	builder_text(lab.builder, &node->target_last_failure_name, "iqn.a");
	ledger_lab_end(&lab);
}

/* A new reader sees `failures` of them, and the kernel's name of the last one. */
static const struct node *poll_anew(uint64_t failures, const char *name)
{
	struct node *node = say_count(failures);

	if (name)
		builder_text(lab.builder, &node->target_last_failure_name, name);
	ledger_lab_end(&lab);
	return ledger_lab_shown_node(&lab, "t");
}

static void the_same_failure_is_filled_in(void **state)
{
	const struct node *node;

	(void)state;
	see_failure();
	for (int i = 0; i < 2; i++) {
		node = poll_anew(7, "iqn.a");
		assert_true(node->target_last_failure_time.known);
		assert_int_equal(node->target_last_failure_time.ns, 1050);
		assert_int_equal(node->target_last_failure_type.value, 5);
		ledger_lab_restart(&lab, true, false);
	}
	node = poll_anew(7, NULL); /* the kernel overwrites the name */
	assert_int_equal(node->target_last_failure_time.ns, 1050);
	assert_string_equal(ledger_lab_text(&lab, &node->target_last_failure_name), "iqn.a");
}

static void another_failure_is_not(void **state)
{
	(void)state;
	see_failure();
	assert_false(poll_anew(8, "iqn.a")->target_last_failure_time.known);
	assert_false(poll_anew(8, "iqn.a")->target_last_failure_type.known);
	see_failure();
	assert_false(poll_anew(7, "iqn.b")->target_last_failure_time.known);
	assert_string_equal(
		ledger_lab_text(&lab, &ledger_lab_shown_node(&lab, "t")->target_last_failure_name),
		"iqn.b");
	see_failure();
	assert_false(poll_anew(0, NULL)->target_last_failure_time.known);
	assert_false(poll_anew(7, NULL)->target_last_failure_time.known);
}

/* Made anew while no reader looked, and seven failures later: other counts give it away. */
static void a_failure_of_an_earlier_life_is_not(void **state)
{
	struct node *node;

	(void)state;
	for (uint64_t accepts = 20; accepts; accepts -= 10) {
		node = say_count(7);
		OPT_SET(node->target_login_accepts, accepts);
		if (accepts == 20)
			node->target_last_failure_time = (struct opt_time){ 1050, 1 };
		ledger_lab_end(&lab);
	}
	assert_false(ledger_lab_shown_node(&lab, "t")->target_last_failure_time.known);
	assert_int_equal(ledger_lab_shown_node(&lab, "t")->discontinuity.ns, lab.now_ns);
}

static void a_count_that_cannot_be_read_hides_the_failure(void **state)
{
	(void)state;
	see_failure();
	ledger_lab_begin(&lab, NULL);
	ledger_lab_node(&lab, "t");
	ledger_lab_end(&lab);
	assert_false(ledger_lab_shown_node(&lab, "t")->target_last_failure_time.known);
	assert_int_equal(poll_anew(7, NULL)->target_last_failure_time.ns, 1050);
}

static void the_last_failed_session_of_an_instance_goes_with_their_number(void **state)
{
	struct instance *instance;
	static const struct {
		const char *epoch;
		uint64_t failures;
		bool shown;
	} polls[] = { { "a", 2, true }, { "b", 0, true }, { "b", 1, false }, { "b", 1, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(polls); i++) {
		instance = ledger_lab_begin(&lab, polls[i].epoch);
		OPT_SET(instance->session_failures, polls[i].failures);
		if (i == 0) {
			OPT_SET(instance->last_failure_type, 2);
			builder_text(lab.builder, &instance->last_failure_remote_name, "iqn.t");
		}
		ledger_lab_end(&lab);
		assert_int_equal(ledger_lab_shown(&lab)->last_failure_type.known, polls[i].shown);
		assert_string_equal(
			ledger_lab_text(&lab, &ledger_lab_shown(&lab)->last_failure_remote_name),
			polls[i].shown ? "iqn.t" : "-");
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_last_failure_outlives_reader_and_agent),
		TEST(the_newer_event_is_shown_with_all_that_goes_with_it),
		TEST(an_event_that_lies_ahead_is_not_remembered),
		TEST(the_last_error_of_a_session_goes_with_its_time),
		TEST(what_a_login_told_lasts_as_long_as_the_login),
		TEST(a_login_that_cannot_be_told_hides_what_it_told),
		TEST(what_was_learned_first_stays_while_its_leader_does),
		TEST(what_the_source_knows_otherwise_makes_the_rest_forgotten),
		TEST(texts_of_many_rows_are_filled_in),
		TEST(the_same_failure_is_filled_in),
		TEST(another_failure_is_not),
		TEST(a_failure_of_an_earlier_life_is_not),
		TEST(a_count_that_cannot_be_read_hides_the_failure),
		TEST(the_last_failed_session_of_an_instance_goes_with_their_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
