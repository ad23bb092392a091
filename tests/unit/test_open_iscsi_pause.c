/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the kernel for statistics, open_iscsi_stats.h: after 32 requests there is a pause for
 * others to read. What the kernel says in it is taken.
 */
#include "base/clock.h"
#include "source/open_iscsi_stats.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BURST	 32u
#define SESSIONS 40u

int __wrap_root_netlink_open(
	struct root *root, int protocol, unsigned int group, struct netlink **ret);
uint64_t __wrap_clock_now_ns(void);

static struct root *root;
static struct oiscsi o;
static struct oiscsi_listener listener;
static struct oiscsi_asker asker;
static struct oiscsi_session *sessions[SESSIONS];
static uint64_t now_ns;
static unsigned int looks; /* at the clock, after a burst */

int __wrap_root_netlink_open(struct root *r, int protocol, unsigned int group, struct netlink **ret)
{
	return fake_kernel_open(r, protocol, group, ret);
}

/* With each look something is said, also with the one that begins the pause. */
uint64_t __wrap_clock_now_ns(void)
{
	if (fake_kernel.requests == BURST && looks < 10) {
		fake_kernel_event(OISCSI_EVENT_UNBOUND, 7, 0);
		looks++;
	}
	now_ns += NS_PER_MS;
	return now_ns;
}

static void add_session(uint32_t sid)
{
	struct oiscsi_session *session = calloc(1, sizeof(*session));

	assert_non_null(session);
	session->sid = sid;
	session->present = true;
	session->login.known = true;
	session->transport = oiscsi_transport_find("tcp");
	snprintf(session->transport_name, sizeof(session->transport_name), "tcp");
	session->connections = calloc(1, sizeof(*session->connections));
	assert_non_null(session->connections);
	session->connection_count = 1;
	sessions[o.session_count++] = session;
	fake_kernel_connection(sid)->statistics.tx_octets = 1000 + sid;
}

static int begin(void **state)
{
	char handle[32];

	(void)state;
	now_ns = 1000 * NS_PER_S;
	fake_kernel_begin();
	snprintf(handle, sizeof(handle), "%llu\n", (unsigned long long)fake_kernel.handle);
	scratch_begin();
	scratch_dir("/sys");
	scratch_dir("/sys/class");
	scratch_dir("/sys/class/iscsi_transport");
	scratch_dir("/sys/class/iscsi_transport/tcp");
	scratch_text("/sys/class/iscsi_transport/tcp/handle", handle);
	assert_int_equal(root_open(scratch_path(""), &root), 0);
	oiscsi_listener_init(&listener, root, oiscsi_stats_take, &o);
	o = (struct oiscsi){ .root = root, .listener = &listener, .sessions = sessions };
	listener.events.records = &o.records;
	oiscsi_listener_follow(&listener, true);
	for (uint32_t sid = 1; sid <= SESSIONS; sid++)
		add_session(sid);
	return 0;
}

static int end(void **state)
{
	(void)state;
	oiscsi_listener_close(&listener);
	for (size_t i = 0; i < o.session_count; i++) {
		free(sessions[i]->connections);
		free(sessions[i]);
	}
	fake_kernel_end();
	root_close(root);
	scratch_end();
	return 0;
}

/* A logout begins: no more is asked. */
static void what_is_said_in_the_pause_is_taken(void **state)
{
	(void)state;
	oiscsi_stats_ask(&asker, &o, now_ns, now_ns + NS_PER_S);
	assert_int_equal(fake_kernel.requests, BURST);
	assert_true(sessions[BURST - 1]->connections[0].statistics_ns > 0);
	assert_int_equal(sessions[BURST]->connections[0].statistics_ns, 0);
	assert_true(looks >= 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_said_in_the_pause_is_taken, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
