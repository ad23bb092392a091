/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/probe_session.h with a libiscsi of our own: what comes of a try that fails at each step,
 * in each way that the library has to say so. With the real one: tests/e2e/test_probe.py.
 */
#include "source/probe_session.h"

#include "base/clock.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum step { CREATE, NAME_TARGET, CONNECT, LOGIN, ASK, LOGOUT, NEVER };

/* How a step ends badly; all before it go well. */
enum way {
	AT_ONCE,    /* the call fails, with `error` in errno */
	BY_STATUS,  /* it is done, with `status` */
	BY_SERVICE, /* libiscsi gives up */
	NO_SOCKET,  /* there is none any more */
	NO_ANSWER,
	BY_SOCKET, /* the other end is closed */
	LOST_THEN_STATUS,
};

static struct {
	enum step at;
	enum way way;
	int error, status;
	const char *text; /* get_error, NULL none */
	/* State: */
	enum step now;
	int ends[2];
	probe_done_fn *done, *given_up; /* of the step before, which was not answered */
	void *done_context;
	probe_log_fn *log;
	unsigned int contexts;
	bool is_lost;
} play;

static struct iscsi_context *context(void)
{
	return (struct iscsi_context *)(void *)&play;
}

static bool is_bad(enum way way)
{
	return play.now == play.at && play.way == way;
}

static int step(enum step now, probe_done_fn *done, void *done_context)
{
	play.now = now;
	play.given_up = play.done;
	play.done = done;
	play.done_context = done_context;
	if (!is_bad(AT_ONCE))
		return 0;
	errno = play.error;
	return -1;
}

static struct iscsi_context *create_context(const char *name)
{
	assert_string_equal(name, "iqn.2026-11.example:host");
	play.now = CREATE;
	if (is_bad(AT_ONCE))
		return NULL;
	play.contexts++;
	return context();
}

/* As the real one: what was asked for and has not come is told now. */
static int destroy_context(struct iscsi_context *c)
{
	if (play.given_up)
		play.given_up(c, 1, NULL, play.done_context);
	if (play.done)
		play.done(c, 1, NULL, play.done_context);
	play.log(1, "the end of a context");
	play.contexts--;
	return 0;
}

static int set_targetname(struct iscsi_context *c, const char *name)
{
	(void)c, (void)name;
	return step(NAME_TARGET, NULL, NULL);
}

static int set_session_type(struct iscsi_context *c, enum probe_session_type type)
{
	(void)c, (void)type;
	return 0;
}

static int set_isid_random(struct iscsi_context *c, uint32_t random, uint32_t qualifier)
{
	(void)c;
	assert_true(random <= 0xffffff && qualifier <= 0xffff);
	return 0;
}

static void set_number(struct iscsi_context *c, int number)
{
	(void)c, (void)number;
}

static void set_log_fn(struct iscsi_context *c, probe_log_fn *log)
{
	(void)c;
	play.log = log;
}

static const char *get_error(struct iscsi_context *c)
{
	(void)c;
	return play.text;
}

static const char *get_target_address(struct iscsi_context *c)
{
	(void)c;
	return "";
}

static int get_fd(struct iscsi_context *c)
{
	(void)c;
	return is_bad(NO_SOCKET) || play.is_lost ? -1 : play.ends[0];
}

static int which_events(struct iscsi_context *c)
{
	(void)c;
	return is_bad(NO_ANSWER) || is_bad(BY_SOCKET) ? POLLIN : POLLOUT;
}

static int service(struct iscsi_context *c, int events)
{
	probe_done_fn *done = play.done;
	bool fails = is_bad(BY_STATUS) || is_bad(LOST_THEN_STATUS);

	(void)c;
	if (is_bad(BY_SERVICE))
		return -1;
	if (!events)
		return 0; /* only time has passed */
	play.is_lost = is_bad(LOST_THEN_STATUS);
	play.done = NULL;
	if (done)
		done(c, fails ? play.status : 0, NULL, play.done_context);
	return 0;
}

static int connect_async(
	struct iscsi_context *c, const char *portal, probe_done_fn *done, void *private_data)
{
	(void)c;
	assert_string_equal(portal, "192.0.2.1:3260");
	return step(CONNECT, done, private_data);
}

static int login_async(struct iscsi_context *c, probe_done_fn *done, void *private_data)
{
	(void)c;
	return step(LOGIN, done, private_data);
}

static int discovery_async(struct iscsi_context *c, probe_done_fn *done, void *private_data)
{
	(void)c;
	return step(ASK, done, private_data);
}

static int nop_out_async(struct iscsi_context *c, probe_done_fn *done, unsigned char *data,
	int length, void *private_data)
{
	(void)c, (void)data, (void)length;
	return step(ASK, done, private_data);
}

static int logout_async(struct iscsi_context *c, probe_done_fn *done, void *private_data)
{
	(void)c;
	return step(LOGOUT, done, private_data);
}

static const struct probe_library library = { NULL, create_context, destroy_context, set_targetname,
	set_session_type, set_isid_random, set_number, set_number, set_log_fn, get_error,
	get_target_address, get_fd, which_events, service, connect_async, login_async,
	discovery_async, nop_out_async, logout_async };

static struct probe_outcome try_it(
	enum step at, enum way way, int error, int status, const char *text, bool discovery)
{
	struct probe_place place = {
		.address = { .type = 1, .length = 4, .octets = { 192, 0, 2, 1 } }, .port = 3260
	};
	struct probe_outcome outcome;
	uint64_t patience_ns = way == NO_ANSWER ? NS_PER_S / 20 : 20 * NS_PER_S;

	if (!discovery)
		snprintf(place.target, sizeof(place.target), "iqn.2026-11.example:t");
	play = (typeof(play)){
		.at = at, .way = way, .error = error, .status = status, .text = text
	};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, play.ends), 0);
	if (way == BY_SOCKET)
		shutdown(play.ends[1], SHUT_RDWR);
	probe_session_run(&library, &place, "iqn.2026-11.example:host",
		clock_now_ns() + patience_ns, NULL, NULL, &outcome);
	close(play.ends[0]);
	close(play.ends[1]);
	assert_int_equal(play.contexts, 0);
	assert_true(outcome.text[0] != '\0');
	/* What was measured is what was reached. */
	assert_int_equal(outcome.connect_us.known, at > CONNECT);
	assert_true(!outcome.ping_us.known || outcome.result == PROBE_OK);
	return outcome;
}

static void a_try_that_goes_well(void **state)
{
	struct probe_outcome o = try_it(NEVER, AT_ONCE, 0, 0, NULL, false);

	(void)state;
	assert_int_equal(o.result, PROBE_OK);
	assert_true(o.login_us.known && o.ping_us.known);
	assert_string_equal(o.text, "logged in, and it answers");
	o = try_it(NEVER, AT_ONCE, 0, 0, NULL, true);
	assert_int_equal(o.result, PROBE_OK);
	assert_true(o.target_count.known && o.target_count.value == 0);
	/* An answer to the discovery that comes as the try is given up is none. */
	o = try_it(ASK, NO_ANSWER, 0, 0, NULL, true);
	assert_int_equal(o.result, PROBE_TIMEOUT);
	assert_false(o.target_count.known);
	/* That it does not come to a logout changes nothing. */
	o = try_it(LOGOUT, AT_ONCE, 0, 0, NULL, false);
	assert_int_equal(o.result, PROBE_OK);
	o = try_it(LOGOUT, NO_SOCKET, 0, 0, NULL, false);
	assert_int_equal(o.result, PROBE_OK);
}

static void each_way_to_fail_has_its_result(void **state)
{
	static const struct {
		enum step at;
		enum way way;
		int error, status;
		const char *text; /* of libiscsi */
		enum probe_result result;
		const char *expected; /* in the text of the outcome */
	} rows[] = {
		{ CREATE, AT_ONCE, 0, 0, NULL, PROBE_LOCAL_ERROR, "no memory" },
		{ NAME_TARGET, AT_ONCE, 0, 0, NULL, PROBE_LOCAL_ERROR, "no memory" },
		{ CONNECT, AT_ONCE, ECONNREFUSED, 0, "x", PROBE_CONNECTION_REFUSED, "refused" },
		{ CONNECT, AT_ONCE, ENETUNREACH, 0, "x", PROBE_UNREACHABLE, "unreachable" },
		{ CONNECT, AT_ONCE, EHOSTUNREACH, 0, "x", PROBE_UNREACHABLE, "No route" },
		{ CONNECT, AT_ONCE, EHOSTDOWN, 0, "x", PROBE_UNREACHABLE, "down" },
		{ CONNECT, AT_ONCE, ENETDOWN, 0, "x", PROBE_UNREACHABLE, "down" },
		{ CONNECT, AT_ONCE, EACCES, 0, "x", PROBE_UNREACHABLE, "denied" },
		{ CONNECT, AT_ONCE, EPERM, 0, "x", PROBE_UNREACHABLE, "not permitted" },
		{ CONNECT, AT_ONCE, ECONNRESET, 0, "x", PROBE_CLOSED, "was reset" },
		{ CONNECT, AT_ONCE, ETIMEDOUT, 0, "x", PROBE_TIMEOUT, "no answer to the request" },
		{ CONNECT, AT_ONCE, EMFILE, 0, "x", PROBE_LOCAL_ERROR, "Too many open files" },
		{ CONNECT, AT_ONCE, 0, 0, "no name\nx", PROBE_LOCAL_ERROR, "no name" },
		{ CONNECT, AT_ONCE, 0, 0, NULL, PROBE_LOCAL_ERROR, "does not say why" },
		{ CONNECT, BY_STATUS, 0, 1, "odd", PROBE_PROTOCOL_ERROR, "no valid iSCSI: odd" },
		{ CONNECT, NO_SOCKET, 0, 0, "x", PROBE_CLOSED, "was reset" },
		{ LOGIN, AT_ONCE, 0, 0, "no room [iqn]", PROBE_LOCAL_ERROR, "no room" },
		{ LOGIN, NO_ANSWER, 0, 0, NULL, PROBE_TIMEOUT, "no answer to the login request" },
		{ LOGIN, BY_SOCKET, 0, 0, NULL, PROBE_CLOSED, "closed the connection" },
		{ LOGIN, BY_SERVICE, 0, 0, "x", PROBE_PROTOCOL_ERROR, "no valid iSCSI" },
		{ LOGIN, BY_STATUS, 0, 1, "CHAP says", PROBE_PROTOCOL_ERROR, "not offered" },
		{ LOGIN, BY_STATUS, 0, 1, "Status: Authorization failure(514)", PROBE_REFUSED, "" },
		{ LOGIN, BY_STATUS, 0, 1, "Status: Out of resources(770)", PROBE_TARGET_ERROR, "" },
		{ LOGIN, BY_STATUS, 0, 1, "Status: odd(2304)", PROBE_PROTOCOL_ERROR, "" },
		{ LOGIN, BY_STATUS, 0, PROBE_STATUS_REDIRECT, "x", PROBE_REDIRECTED, "" },
		{ ASK, AT_ONCE, 0, 0, "no room", PROBE_LOCAL_ERROR, "no room" },
		{ ASK, NO_ANSWER, 0, 0, NULL, PROBE_TIMEOUT, "no answer to the NOP-Out" },
		{ ASK, BY_STATUS, 0, 1, "reject", PROBE_PROTOCOL_ERROR, "reject" },
		{ ASK, LOST_THEN_STATUS, 0, 1, "x", PROBE_CLOSED, "closed the connection" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probe_outcome o = try_it(rows[i].at, rows[i].way, rows[i].error,
			rows[i].status, rows[i].text, false);

		if (o.result != rows[i].result || !strstr(o.text, rows[i].expected))
			fail_msg("row %zu: result %u, \"%s\"", i, o.result, o.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_try_that_goes_well),
		cmocka_unit_test(each_way_to_fail_has_its_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
