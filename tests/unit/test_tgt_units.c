/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source tgt with several tgtd, and with one that fails in every way.
 *
 * Wrapped: __wrap_root_exchange __wrap_root_list __wrap_root_tcp_sockets __wrap_root_read
 * __wrap_root_read_link __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include "tests/support/failing_memory.h"
#include "tests/support/tgt_wraps.h"

#include "source/tgt_memory.h"

/* ---- units and failures ---- */

static void test_units_are_the_sockets(void **state)
{
	(void)state;
	fake.names = "socket\0socket.0\0socket.0.lock\0socket.007\0socket.12\0socket.40000\0"
		     "socket.x\0socketx1\0";
	fake.name_count = 8;
	assert_int_equal(source_find("tgt")->detect(&last_poll.env), 1);
	assert_int_equal(run("sessions"), 0);
	assert_int_equal(last_poll.units, 2);
	assert_int_equal(last_poll.good, 1);
	/* The other one hangs: it costs the first one nothing. */
	assert_string_equal(last_poll.failed_unit, "/var/run/tgtd/socket.12");
	assert_int_equal(last_poll.error, -ETIMEDOUT);
	assert_int_equal(count_of(OBJECT_SESSION), 3);
}

static void test_no_socket_is_no_stack(void **state)
{
	(void)state;
	fake.name_count = 0;
	assert_int_equal(source_find("tgt")->detect(&last_poll.env), 0);
	assert_int_equal(run(NULL), 0);
	assert_int_equal(last_poll.units, 0);
	fake.name_count = -ENOENT;
	assert_int_equal(source_find("tgt")->detect(&last_poll.env), 0);
	fake.name_count = -EACCES;
	assert_int_equal(source_find("tgt")->detect(&last_poll.env), -EACCES);
	assert_int_equal(run(NULL), -EACCES);
}

static void test_prefix_without_a_name_is_refused(void **state)
{
	(void)state;
	snprintf(last_poll.settings.tgt_socket, sizeof(last_poll.settings.tgt_socket), "socket");
	assert_int_equal(source_find("tgt")->detect(&last_poll.env), -EINVAL);
	snprintf(last_poll.settings.tgt_socket, sizeof(last_poll.settings.tgt_socket),
		"/var/run/tgtd/");
	assert_int_equal(source_find("tgt")->detect(&last_poll.env), -EINVAL);
}

static void test_nobody_listening_is_no_unit(void **state)
{
	static const int codes[] = { -ENOENT, -ECONNREFUSED };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
		fake.answer_count = 0;
		put_answer((struct answer){ .mode = MODE_PORTAL, .op = 2, .rc = codes[i] });
		assert_int_equal(run(NULL), 0);
		assert_int_equal(last_poll.units, 0);
	}
}

static void test_tgtd_without_iscsi_is_no_unit(void **state)
{
	(void)state;
	put_answer((struct answer){ .mode = MODE_PORTAL, .op = 2, .error = 3 });
	assert_int_equal(run(NULL), 0);
	assert_int_equal(last_poll.units, 0);
}

/* Asks with one answer replaced; the unit must fail so. */
static void assert_failure(struct answer answer, int error, const char *words)
{
	fake.answer_count = 0;
	put_answer(answer);
	assert_int_equal(run("sessions"), 0);
	assert_int_equal(last_poll.units, 1);
	assert_int_equal(last_poll.good, 0);
	assert_int_equal(last_poll.error, error);
	if (!strstr(last_poll.message, words))
		fail_msg("\"%s\" does not say \"%s\"", last_poll.message, words);
}

static void test_failures_say_what_was_asked(void **state)
{
	(void)state;
	assert_failure((struct answer){ .mode = MODE_PORTAL, .op = 2, .rc = -ECONNRESET }, -EPERM,
		"answers only its own user");
	assert_failure((struct answer){ .mode = MODE_PORTAL, .op = 2, .rc = -EPIPE }, -EPERM,
		"answers only its own user");
	assert_failure((struct answer){ .mode = MODE_PORTAL, .op = 2, .rc = -ETIMEDOUT },
		-ETIMEDOUT, "the portals: no answer in time");
	assert_failure((struct answer){ .mode = MODE_PORTAL, .op = 2, .rc = -EACCES }, -EACCES,
		"Permission denied");
	assert_failure((struct answer){ .mode = MODE_PORTAL, .op = 2, .text = "junk" }, -EBADMSG,
		"the portals: not an answer of tgtd");
	assert_failure(
		(struct answer){ .mode = MODE_TARGET, .op = 2, .number = -1, .rc = -EBADMSG },
		-EBADMSG, "the targets: not an answer of tgtd");
	assert_failure((struct answer){ .mode = MODE_TARGET, .op = 2, .number = -1, .rc = -E2BIG },
		-E2BIG, "longer than");
	assert_failure((struct answer){ .mode = MODE_TARGET, .op = 2, .number = -1, .error = 2 },
		-EREMOTEIO, "tgtd says error 2, out of memory");
	assert_failure((struct answer){ .mode = MODE_TARGET, .op = 2, .number = 1, .error = 17 },
		-EREMOTEIO, "the parameters of a target: tgtd says error 17, invalid request");
	assert_failure((struct answer){ .mode = MODE_DEVICE, .op = 6, .number = 2, .text = "x" },
		-EBADMSG, "the nexuses of a target: not an answer");
	assert_failure((struct answer){ .mode = MODE_SESSION, .op = 6, .number = 1, .text = "x" },
		-EBADMSG, "the counters of a session: not an answer");
	assert_failure((struct answer){ .mode = MODE_SESSION,
			       .op = 6,
			       .number = 1,
			       .text = SESSION_TABLE("1", "junk") },
		-EBADMSG, "the counters of a session: not an answer");
	assert_failure((struct answer){ .mode = MODE_CONNECTION, .op = 2, .number = 2, .pid = 99 },
		-EAGAIN, "restarted");
}

static void test_target_that_goes_while_it_is_read(void **state)
{
	(void)state;
	put_answer((struct answer){ .mode = MODE_CONNECTION, .op = 2, .number = 1, .error = 4 });
	run_good("sessions");
	assert_int_equal(count_of(OBJECT_NODE), 1);
	assert_int_equal(count_of(OBJECT_SESSION), 1);
	assert_session(2, VICTIM, "");
}

static void test_session_of_another_target_is_not_shown(void **state)
{
	(void)state;
	put_session("tgt lun sid x\n  2   0   1 0\n", 1); /* N is of 1 no more */
	run_good("sessions");
	assert_null(session_of(1));
	assert_int_equal(count_of(OBJECT_SESSION), 2);
}

static void test_target_that_came_after_the_list(void **state)
{
	(void)state;
	/* Target 2 does not exist yet when its nexuses are asked for. */
	put_answer((struct answer){ .mode = MODE_DEVICE, .op = 6, .number = 2, .error = 4 });
	run_good("sessions");
	assert_int_equal(count_of(OBJECT_NODE), 1);
	fake.answer_count = 0;
	run_good(NULL);
	assert_int_equal(count_of(OBJECT_NODE), 2);
}

static void test_unit_that_goes_and_comes(void **state)
{
	(void)state;
	run_good("sessions");
	fake.name_count = 0;
	assert_int_equal(run(NULL), 0);
	assert_int_equal(last_poll.units, 0);
	fake.name_count = 1;
	run_good(NULL);
	assert_session(1, VICTIM, "victim's alias");
}

static void test_number_of_requests_is_small(void **state)
{
	(void)state;
	run_good("sessions");
	fake.asked = 0;
	run_good(NULL);
	/* portals, 2 nexus tables, targets, 2 parameters, 2 connections, 3 sessions */
	assert_int_equal(fake.asked, 1 + 2 + 1 + 2 + 2 + 3);
}

static void test_every_lack_of_memory_is_survived(void **state)
{
	unsigned long n;

	(void)state;
	run_good("sessions");
	for (n = 1; n < 10000; n++) {
		int rc;

		allocations = 0;
		fail_at = n;
		rc = run(n % 2 ? "two-connections" : "sessions");
		fail_at = 0;
		if (allocations < n)
			break; /* there were not so many */
		/* Half a result would be a lie: all or nothing. */
		assert_true(rc == -ENOMEM || last_poll.error == -ENOMEM);
	}
	assert_true(n > 20 && n < 10000);
	run_good("sessions");
	assert_session(1, VICTIM, "victim's alias");
}

/* Without a unit yet: what was made before the lack is freed, and nothing is known of any. */
static void test_every_lack_of_memory_at_the_first_poll(void **state)
{
	unsigned int failures = 0;
	unsigned long n;

	for (n = 1; n < 10000; n++) {
		int rc;

		tgt_tear_down(state);
		tgt_set_up(state);
		fake.names = "socket.0\0socket.12\0";
		fake.name_count = 2;
		allocations = 0;
		fail_at = n;
		rc = run("sessions");
		fail_at = 0;
		if (allocations < n)
			break;
		assert_true(rc == 0 || rc == -ENOMEM);
		failures += rc == -ENOMEM;
		assert_true(last_poll.good == 0 || count_of(OBJECT_SESSION) == 3);
		assert_int_equal(run("sessions"), 0);
		assert_int_equal(last_poll.units, 2);
		assert_int_equal(last_poll.good, 1);
		assert_session(1, VICTIM, "victim's alias");
	}
	assert_true(n > 20 && n < 10000);
	assert_true(failures >= 4); /* names, ports, the list of units, each unit */
}

/* Of the host, too, which does not change and is read once: when it could be. */
static void test_host_is_asked_for_until_it_is_known(void **state)
{
	(void)state;
	fake.read_error = -EMFILE;
	run_good("sessions");
	assert_string_equal(text_of(&ARRAY_OF(INSTANCE, instance)->node_architecture), "-");
	fake.read_error = 0;
	run_good("sessions");
	assert_string_equal(
		text_of(&ARRAY_OF(INSTANCE, instance)->node_architecture), "Linux 6.1.0-test");
	fake.read_error = -EMFILE;
	run_good("sessions");
	assert_string_equal(
		text_of(&ARRAY_OF(INSTANCE, instance)->node_architecture), "Linux 6.1.0-test");
}

/* 255 octets are what the MIB has room for; an alias may be longer (RFC 7143, 6.1). */
static void test_alias_that_is_too_long_is_cut_between_characters(void **state)
{
	static const struct {
		size_t filler;
		const char *end, *shown; /* behind the filler */
	} cases[] = {
		{ 253, "\xc3\xa9", "\xc3\xa9" },
		{ 254, "\xc3\xa9", "" },
		{ 255, "", "" },
		{ 255, "z", "" },
	};
	CLEANUP_FREE char *table = slurp("tgt/sessions-t0.txt");
	const char *at = strstr(table, "victim's alias");
	char text[8192], alias[300], filler[256];

	assert_non_null(at);
	memset(filler, 'x', sizeof(filler));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		tgt_tear_down(state);
		tgt_set_up(state);
		snprintf(text, sizeof(text), "%.*s%.*s%s%s", (int)(at - table), table,
			(int)cases[i].filler, filler, cases[i].end, at + strlen("victim's alias"));
		put_answer((struct answer){
			.mode = MODE_TARGET, .op = 2, .number = -1, .text = text });
		run_good("sessions");
		snprintf(alias, sizeof(alias), "%.*s%s", (int)cases[i].filler, filler,
			cases[i].shown);
		assert_session(1, VICTIM, alias);
	}
}

/* A nexus has a number in its tgtd: at another target it is another session. */
static void test_nexus_at_another_target_is_another_session(void **state)
{
	struct tgt_target one = { .tid = 1 }, other = { .tid = 2 };
	struct tgt_unit *unit = tgt_unit_new(0, "/var/run/tgtd/socket.0");
	struct tgt_session *session;

	(void)state;
	assert_non_null(unit);
	session = tgt_session_get(unit, &one, 5);
	session->alias = strdup("of the first");
	assert_ptr_equal(tgt_session_get(unit, &one, 5), session);
	assert_int_equal(session->epoch, 0);
	assert_non_null(session->alias);
	assert_ptr_equal(tgt_session_get(unit, &other, 5), session);
	assert_int_equal(session->tid, 2);
	assert_int_equal(session->epoch, 1);
	assert_null(session->alias);
	tgt_unit_free(unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_units_are_the_sockets),
		TEST(test_no_socket_is_no_stack),
		TEST(test_prefix_without_a_name_is_refused),
		TEST(test_nobody_listening_is_no_unit),
		TEST(test_tgtd_without_iscsi_is_no_unit),
		TEST(test_failures_say_what_was_asked),
		TEST(test_target_that_goes_while_it_is_read),
		TEST(test_session_of_another_target_is_not_shown),
		TEST(test_alias_that_is_too_long_is_cut_between_characters),
		TEST(test_nexus_at_another_target_is_another_session),
		TEST(test_target_that_came_after_the_list),
		TEST(test_unit_that_goes_and_comes),
		TEST(test_number_of_requests_is_small),
		TEST(test_every_lack_of_memory_is_survived),
		TEST(test_every_lack_of_memory_at_the_first_poll),
		TEST(test_host_is_asked_for_until_it_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
