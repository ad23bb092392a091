/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/agentx_report.h: one message for each change of the connection to the master, with its
 * reason in words, what to do about it, and none for each try.
 *
 * Wrapped: __wrap_clock_now_ns
 */
#include "agent/agentx_report.h"

#include "agent/agentx_wire.h"
#include "base/clock.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct agentx_settings settings = { .address = "/run/master", .ping_interval_s = 7 };
static struct agentx_facts facts;
static char said[512]; /* the last message */
static unsigned int messages;
static uint64_t now_ns = NS_PER_S;

uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

static void keep(int priority, const char *message)
{
	(void)priority;
	snprintf(said, sizeof(said), "%s", message);
	messages++;
}

/* The message of this turn, "" none. Each state is told in three turns, and said in one. */
static const char *turns(enum agentx_state state)
{
	unsigned int before = messages;

	facts.state = state;
	facts.settings = &settings;
	for (int i = 0; i < 3; i++)
		agentx_report(&facts);
	assert_in_range(messages - before, 0, 1);
	return messages == before ? "" : said;
}

static int set_up(void **state)
{
	(void)state;
	log_set_sink(keep);
	facts = (struct agentx_facts){ .state = AGENTX_DISCONNECTED };
	turns(AGENTX_CONNECTED);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	log_set_sink(NULL);
	return 0;
}

/* Of a master that was lost so long ago that it is no restart. */
static const char *cannot_after_a_while(void)
{
	turns(AGENTX_CONNECTED);
	turns(AGENTX_DISCONNECTED);
	now_ns += 11 * NS_PER_S;
	return turns(AGENTX_DISCONNECTED);
}

static void a_lost_master_is_explained_when_it_stays_away(void **state)
{
	(void)state;
	facts.ended = STREAM_CLOSED;
	assert_string_equal(turns(AGENTX_DISCONNECTED),
		"lost the master agent at /run/master: it closed the connection; trying again "
		"every 7 s");
	facts.connect_error = -ENOENT;
	now_ns += 9 * NS_PER_S;
	assert_string_equal(turns(AGENTX_DISCONNECTED), "");
	now_ns += 2 * NS_PER_S;
	assert_string_equal(turns(AGENTX_DISCONNECTED),
		"cannot connect to the master agent at /run/master: No such file or directory; is "
		"snmpd running, with `master agentx` in snmpd.conf?; trying every 7 s");
	now_ns += 60 * NS_PER_S;
	assert_string_equal(turns(AGENTX_DISCONNECTED), "");
	assert_string_equal(
		turns(AGENTX_CONNECTED), "connected to the master agent at /run/master");
}

static void each_error_has_its_advice(void **state)
{
	static const struct {
		int error;
		const char *advice;
	} rows[] = {
		{ -ECONNREFUSED, "is snmpd running" },
		{ -EACCES, "agentXPerms" },
		{ -EPERM, "agentXPerms" },
		{ -EAGAIN, "it does not accept connections" },
		{ -ENOTSOCK, "non-socket; trying" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		facts.connect_error = rows[i].error;
		assert_non_null(strstr(cannot_after_a_while(), rows[i].advice));
	}
	facts.connect_error = 0;
	facts.open_error = AGENTX_ERROR_REQUEST_DENIED;
	assert_string_equal(cannot_after_a_while(),
		"the master agent at /run/master refuses a session: requestDenied (267); trying "
		"every 7 s");
	facts.open_error = 0;
	facts.ended = STREAM_OPEN;
	assert_non_null(strstr(cannot_after_a_while(), "cannot open a session"));
}

static void errors_of_a_response_have_names(void **state)
{
	static const struct {
		uint16_t error;
		const char *text;
	} rows[] = {
		{ 256, "openFailed (256)" },
		{ AGENTX_ERROR_NOT_OPEN, "notOpen (257)" },
		{ AGENTX_ERROR_UNSUPPORTED_CONTEXT, "unsupportedContext (262)" },
		{ AGENTX_ERROR_DUPLICATE_REGISTRATION,
			"duplicateRegistration (263): another agent serves it" },
		{ AGENTX_ERROR_PARSE, "parseError (266)" },
		{ AGENTX_ERROR_REQUEST_DENIED, "requestDenied (267)" },
		{ AGENTX_ERROR_PROCESSING, "processingError (268)" },
		{ 999, "an error of RFC 2741 section 6.2.16" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_string_equal(agentx_error_text(rows[i].error), rows[i].text);
}

static void a_refused_registration_is_said_once(void **state)
{
	(void)state;
	facts.refused_name = "ISCSI-MIB";
	facts.refused_error = AGENTX_ERROR_DUPLICATE_REGISTRATION;
	assert_string_equal(turns(AGENTX_REFUSED),
		"the master agent at /run/master refuses to register ISCSI-MIB: "
		"duplicateRegistration (263): another agent serves it; its objects are not served, "
		"trying again every 7 s");
	facts.ended = STREAM_BROKEN;
	assert_non_null(strstr(turns(AGENTX_DISCONNECTED), "lost the master agent"));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_lost_master_is_explained_when_it_stays_away),
		TEST(each_error_has_its_advice),
		TEST(errors_of_a_response_have_names),
		TEST(a_refused_registration_is_said_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
