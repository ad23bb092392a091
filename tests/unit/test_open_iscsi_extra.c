/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/open_iscsi_extra.h: what is seen of a session, from all its states; and the values that
 * only its path has, with files as the kernel has them and as it does not. The recording
 * `multipath`: see test_open_iscsi_paths.c.
 */
#include "base/clock.h"
#include "source/open_iscsi_extra.h"
#include "tests/support/open_iscsi_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- what is seen ---- */

enum { NOTHING = SESSION_SEEN_COUNT };

static const struct oiscsi_transport by_iscsid = { .name = "tcp", .class_link = true };
static const struct oiscsi_transport adapter = { .name = "qla4xxx", .firmware = true };

static struct oiscsi_extra extra;
static struct oiscsi_connection connection;
static struct oiscsi_session session;

static void make(enum oiscsi_state state, enum oiscsi_link link, bool unbinding,
	enum session_condition before)
{
	extra = (struct oiscsi_extra){ .condition = before };
	connection = (struct oiscsi_connection){ .link = link };
	session = (struct oiscsi_session){
		.state = state,
		.unbinding = unbinding,
		.transport = &by_iscsid,
		.connections = &connection,
		.connection_count = 1,
		.extra = &extra,
	};
}

static int seen(enum oiscsi_daemon daemon)
{
	enum session_seen result;

	return oiscsi_seen(&session, daemon, &result) ? (int)result : NOTHING;
}

static void states_of_session_and_connection(void **state)
{
	static const struct {
		enum oiscsi_state state;
		/* by link: unknown, up, down, failed, bound */
		int wanted[5];
	} rows[] = {
		/* Of one that was up before. */
		{ OISCSI_LOGGED_IN, { SESSION_SEEN_UP, SESSION_SEEN_UP, SESSION_SEEN_LOST,
					    SESSION_SEEN_LOST, SESSION_SEEN_LOGIN } },
		{ OISCSI_FAILED, { SESSION_SEEN_LOST, SESSION_SEEN_LOST, SESSION_SEEN_LOST,
					 SESSION_SEEN_LOST, SESSION_SEEN_LOST } },
		{ OISCSI_FREE, { SESSION_SEEN_EXPIRED, SESSION_SEEN_EXPIRED, SESSION_SEEN_EXPIRED,
				       SESSION_SEEN_EXPIRED, SESSION_SEEN_LOGIN } },
		{ OISCSI_STATE_UNKNOWN, { NOTHING, NOTHING, NOTHING, NOTHING, NOTHING } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		for (enum oiscsi_link link = 0; link <= OISCSI_BOUND; link++) {
			make(rows[i].state, link, false, SESSION_UP);
			assert_int_equal(seen(OISCSI_DAEMON_RUNS), rows[i].wanted[link]);
		}
	}
}

/* FREE is a session that never logged in, and one that was lost for too long. */
static void a_free_session(void **state)
{
	(void)state;
	make(OISCSI_FREE, OISCSI_DOWN, false, SESSION_NEW);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOGIN);
	make(OISCSI_FREE, OISCSI_DOWN, false, SESSION_STARTING);
	assert_int_equal(seen(OISCSI_DAEMON_GONE), SESSION_SEEN_LOGIN);
	/* The connection has failed once: it was logged in, where nothing else tells. */
	make(OISCSI_FREE, OISCSI_LINK_FAILED, false, SESSION_NEW);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_EXPIRED);
	/* So it was when what the login negotiated is known. */
	make(OISCSI_FREE, OISCSI_DOWN, false, SESSION_NEW);
	session.login.known = true;
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_EXPIRED);
	/* An old kernel, or no connection: it may be either. */
	make(OISCSI_FREE, OISCSI_LINK_UNKNOWN, false, SESSION_NEW);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), NOTHING);
	make(OISCSI_FREE, OISCSI_DOWN, false, SESSION_NEW);
	session.connection_count = 0;
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), NOTHING);
}

/* A first login that iscsid tries again looks like a loss: only the past of it tells. */
static void a_first_login_that_is_tried_again(void **state)
{
	static const enum oiscsi_state states[] = { OISCSI_FAILED, OISCSI_FREE };
	static const enum session_condition before[] = { SESSION_NEW, SESSION_STARTING };

	(void)state;
	for (size_t i = 0; i < 2 * 2 * (OISCSI_BOUND + 1); i++) {
		enum oiscsi_link link = (enum oiscsi_link)(i / 4);
		bool failed = states[i % 2] == OISCSI_FAILED;

		make(states[i % 2], link, false, before[i / 2 % 2]);
		session.past = OISCSI_PAST_NONE;
		assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOGIN);
		assert_int_equal(seen(OISCSI_DAEMON_GONE), SESSION_SEEN_LOGIN);
		assert_false(oiscsi_asks_for_daemon(&session));
		/* Nobody can say whether it is one. */
		session.past = OISCSI_PAST_UNREAD;
		assert_int_equal(seen(OISCSI_DAEMON_RUNS),
			!failed && link == OISCSI_BOUND ? SESSION_SEEN_LOGIN : NOTHING);
		/* It has been seen, or its values were there: that is no first one. */
		session.login.known = true;
		if (link != OISCSI_BOUND)
			assert_int_equal(seen(OISCSI_DAEMON_RUNS),
				failed ? SESSION_SEEN_LOST : SESSION_SEEN_EXPIRED);
		make(states[i % 2], link, false, SESSION_LOST);
		session.past = OISCSI_PAST_UNREAD;
		if (link != OISCSI_BOUND)
			assert_int_equal(seen(OISCSI_DAEMON_RUNS),
				failed ? SESSION_SEEN_LOST : SESSION_SEEN_EXPIRED);
	}
	/* The kernel has heard what was negotiated, and the session is about to start. */
	make(OISCSI_FAILED, OISCSI_BOUND, false, SESSION_STARTING);
	session.login.known = true;
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOGIN);
	make(OISCSI_FAILED, OISCSI_BOUND, false, SESSION_NEW);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOST);
}

static void whether_somebody_tries_again(void **state)
{
	(void)state;
	make(OISCSI_FREE, OISCSI_LINK_FAILED, false, SESSION_LOST);
	assert_true(oiscsi_asks_for_daemon(&session));
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_EXPIRED);
	assert_int_equal(seen(OISCSI_DAEMON_GONE), SESSION_SEEN_ABANDONED);
	assert_int_equal(seen(OISCSI_DAEMON_UNKNOWN), SESSION_SEEN_EXPIRED);
	/* Where it is not asked for, it makes no difference. */
	for (enum oiscsi_state s = 0; s <= OISCSI_FREE; s++) {
		for (enum oiscsi_link link = 0; link <= OISCSI_BOUND; link++) {
			for (int flags = 0; flags < 4; flags++) {
				make(s, link, flags & 1, flags & 2 ? SESSION_UP : SESSION_NEW);
				if (oiscsi_asks_for_daemon(&session))
					continue;
				assert_int_equal(
					seen(OISCSI_DAEMON_RUNS), seen(OISCSI_DAEMON_GONE));
			}
		}
	}
	make(OISCSI_FREE, OISCSI_LINK_UNKNOWN, false, SESSION_LOST);
	session.transport = &adapter; /* its firmware tries */
	assert_false(oiscsi_asks_for_daemon(&session));
}

static void a_logout(void **state)
{
	(void)state;
	make(OISCSI_LOGGED_IN, OISCSI_UP, true, SESSION_UP);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOGOUT);
	make(OISCSI_FREE, OISCSI_UP, true, SESSION_STOPPING);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOGOUT);
	/* It cannot go through without a connection. */
	make(OISCSI_FAILED, OISCSI_UP, true, SESSION_STOPPING);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOST);
	make(OISCSI_LOGGED_IN, OISCSI_LINK_FAILED, true, SESSION_UP);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_LOST);
	/* It is through, and the session is about to go: that is no loss. */
	make(OISCSI_LOGGED_IN, OISCSI_DOWN, true, SESSION_UP);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), NOTHING);
	make(OISCSI_FREE, OISCSI_DOWN, true, SESSION_STOPPING);
	assert_int_equal(seen(OISCSI_DAEMON_RUNS), NOTHING);
}

/* The class does not see an adapter's logins: the state of its connection says nothing. */
static void an_adapter(void **state)
{
	(void)state;
	for (enum oiscsi_link link = 0; link <= OISCSI_BOUND; link++) {
		make(OISCSI_LOGGED_IN, link, false, SESSION_UP);
		session.transport = &adapter;
		assert_int_equal(seen(OISCSI_DAEMON_RUNS), SESSION_SEEN_UP);
		make(OISCSI_FREE, link, false, SESSION_NEW);
		session.transport = &adapter;
		assert_int_equal(seen(OISCSI_DAEMON_RUNS), NOTHING);
	}
}

/* ---- values ---- */

enum { GOOD, CUT };

static int begin(void **state)
{
	(void)state;
	lab_begin("multipath");
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static const struct path *path_with(const char *file, const char *text)
{
	lab_file(file, text);
	lab_restart_reader();
	assert_int_equal(lab_poll(), 0);
	return lab_path(GOOD);
}

static void assert_u32(const struct opt_u32 *field, int64_t wanted)
{
	assert_int_equal(field->known, wanted >= 0);
	if (wanted >= 0)
		assert_int_equal(field->value, wanted);
}

/* -1: unknown. */
static void recovery_timeouts(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} rows[] = { { "45\n", 45 }, { "0\n", 0 }, { "off\n", UINT32_MAX }, { "-1\n", UINT32_MAX },
		{ "2147483647\n", 2147483647 }, { "2147483648\n", -1 }, { "", -1 }, { "45s\n", -1 },
		{ "4 5\n", -1 }, { "\n", -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_u32(
			&path_with(LAB_SESSION(2) "/recovery_tmo", rows[i].text)->recovery_timeout,
			rows[i].seconds);
	lab_error(LAB_SESSION(2) "/recovery_tmo", -EIO);
	assert_int_equal(lab_poll(), 0);
	assert_u32(&lab_path(GOOD)->recovery_timeout, -1);
	/* multipathd changes it while the session lives. */
	lab_file(LAB_SESSION(2) "/recovery_tmo", "5\n");
	assert_int_equal(lab_poll(), 0);
	assert_u32(&lab_path(GOOD)->recovery_timeout, 5);
}

static void nops_and_tags(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds, tag;
	} rows[] = { { "5\n", 5, 5 }, { "0\n", 0, 0 }, { "65535\n", 65535, 65535 },
		{ "65536\n", 65536, -1 }, { "-1\n", -1, -1 }, { "x\n", -1, -1 }, { "", -1, -1 },
		{ "99999999999\n", -1, -1 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_u32(&path_with(LAB_CONNECTION(2) "/recv_tmo", rows[i].text)->nop_interval,
			rows[i].seconds);
		assert_u32(&path_with(LAB_CONNECTION(2) "/ping_tmo", rows[i].text)->nop_timeout,
			rows[i].seconds);
		assert_u32(
			&path_with(LAB_SESSION(2) "/tpgt", rows[i].text)->portal_tag, rows[i].tag);
	}
}

/* What a login set stays while the connection is down, and is read anew after another login. */
static void values_of_a_login(void **state)
{
	(void)state;
	assert_int_equal(lab_poll(), 0);
	lab_file(LAB_CONNECTION(2) "/recv_tmo", "77\n");
	lab_file(LAB_SESSION(2) "/state", "FAILED\n");
	lab_file(LAB_CONNECTION(2) "/state", "down\n");
	assert_int_equal(lab_poll(), 0);
	assert_u32(&lab_path(GOOD)->nop_interval, 2);
	lab_file(LAB_SESSION(2) "/state", "LOGGED_IN\n");
	lab_file(LAB_CONNECTION(2) "/state", "up\n");
	lab_file(LAB_CONNECTION(2) "/local_port", "50001\n");
	assert_int_equal(lab_poll(), 0);
	assert_u32(&lab_path(GOOD)->nop_interval, 77);
}

static void speeds_of_adapters(void **state)
{
	static const struct {
		const char *text;
		int64_t speed;
	} rows[] = { { "10 Gbps\n", 10000 }, { "100 Mbps\n", 100 }, { "Unknown\n", -1 },
		{ "0 Gbps\n", -1 }, { "10Gbps\n", 10000 }, { "10 Tbps\n", -1 }, { "10\n", -1 },
		{ "-5 Mbps\n", -1 }, { "-5 Gbps\n", -1 }, { "+5 Gbps\n", -1 },
		{ "9999999 Gbps\n", -1 }, { "10 Gbpsssssss\n", -1 }, { "", -1 } };

	(void)state;
	lab_file("/sys/class/scsi_host/host1/proc_name", "be2iscsi\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_u32(&path_with(LAB_HOST(1) "/port_speed", rows[i].text)->link_speed,
			rows[i].speed);
	/* Beside an adapter it means nothing: the interface is asked. */
	lab_file("/sys/class/scsi_host/host1/proc_name", "iscsi_tcp\n");
	assert_u32(&path_with(LAB_HOST(1) "/port_speed", "1 Gbps\n")->link_speed, 10000);
}

/* By the address of this end, which has gone with the connection; then by the way to the other. */
static void interfaces(void **state)
{
	(void)state;
	assert_int_equal(lab_poll(), 0);
	assert_string_equal(lab_text(&lab_path(GOOD)->netdev), "ini1");
	assert_string_equal(lab_text(&lab_path(CUT)->netdev), "ini2");
	assert_string_equal(
		lab_text(&path_with(LAB_HOST(1) "/netdev", "bond7\n")->netdev), "bond7");
	lab_file(LAB_HOST(1) "/netdev", "");
	/* This host is the target too. */
	lab_file(LAB_CONNECTION(2) "/address", "10.10.1.1\n");
	lab_file(LAB_HOST(1) "/ipaddress", "10.10.1.1\n");
	lab_restart_reader();
	assert_int_equal(lab_poll(), 0);
	assert_string_equal(lab_text(&lab_path(GOOD)->netdev), "lo");
	/* An address of the host, on the loopback: packets leave by the way to the target. */
	lab_file(LAB_CONNECTION(2) "/address", "fd00:9::1\n");
	lab_file(LAB_HOST(1) "/ipaddress", "fd00:8::1\n");
	lab_file("/proc/net/if_inet6", "fd000008000000000000000000000001 01 80 00 80       lo\n");
	lab_file("/proc/net/ipv6_route",
		"fd000009000000000000000000000000 40 00000000000000000000000000000000 00 "
		"00000000000000000000000000000000 00000100 00000001 00000000 00000001     eth1\n");
	lab_restart_reader();
	assert_int_equal(lab_poll(), 0);
	assert_string_equal(lab_text(&lab_path(GOOD)->netdev), "eth1");
	lab_error("/proc/net/route", -EIO);
	lab_restart_reader();
	assert_int_equal(lab_poll(), 0);
	assert_string_equal(lab_text(&lab_path(CUT)->netdev), "-");
	assert_u32(&lab_path(CUT)->link_speed, -1);
}

/* ---- conditions ---- */

static uint32_t condition(uint32_t sid)
{
	for (uint32_t i = 0; i < lab_count(OBJECT_SESSION); i++) {
		if (lab_session(i)->kernel_number.value == sid)
			return lab_session(i)->condition.known ? lab_session(i)->condition.value
							       : 0;
	}
	fail_msg("no session %u", sid);
	return 0;
}

/* FREE with a failed connection: beyond the recovery timeout. */
static void beyond_the_recovery_timeout(void **state)
{
	enum { RECONNECTING = 3, DISCONNECTED = 2 };

	(void)state;
	lab_file(LAB_SESSION(1) "/state", "FREE\n");
	lab_file(LAB_CONNECTION(1) "/state", "failed\n");
	lab_file("/proc/net/netlink", "sk Eth Pid Groups\n0 8 259 00000001\n");
	lab_file("/proc/259/comm", "iscsid\n");
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(1), SESSION_EXPIRED);
	assert_u32(&lab_path(CUT)->status, RECONNECTING);
	lab_file("/proc/net/netlink", "sk Eth Pid Groups\n");
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(1), SESSION_ABANDONED);
	assert_u32(&lab_path(CUT)->status, DISCONNECTED);
	/* Nobody knows: it is not said that somebody tries. */
	lab_error("/proc/net/netlink", -EACCES);
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(1), SESSION_EXPIRED);
	assert_u32(&lab_path(CUT)->status, -1);
	lab_file(LAB_SESSION(1) "/state", "LOGGED_IN\n");
	lab_file(LAB_CONNECTION(1) "/state", "up\n");
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(1), SESSION_UP);
}

static void a_state_that_cannot_be_read(void **state)
{
	(void)state;
	assert_int_equal(lab_poll(), 0);
	lab_error(LAB_SESSION(2) "/state", -EIO);
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(2), 0);
	assert_u32(&lab_path(GOOD)->status, -1);
	lab_file(LAB_SESSION(2) "/state", "a word of a later kernel\n");
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(2), 0);
	lab_file(LAB_SESSION(2) "/state", "LOGGED_IN\n");
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(condition(2), SESSION_UP);
	/* It was the same all the time, as far as anybody knows. */
	assert_false(lab_path(GOOD)->status_time.known);
}

int main(void)
{
#define LAB(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_of_session_and_connection),
		cmocka_unit_test(a_free_session),
		cmocka_unit_test(a_first_login_that_is_tried_again),
		cmocka_unit_test(whether_somebody_tries_again),
		cmocka_unit_test(a_logout),
		cmocka_unit_test(an_adapter),
		LAB(recovery_timeouts),
		LAB(nops_and_tags),
		LAB(values_of_a_login),
		LAB(speeds_of_adapters),
		LAB(interfaces),
		LAB(beyond_the_recovery_timeout),
		LAB(a_state_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
