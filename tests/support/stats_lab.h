/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What open_iscsi_stats.h needs to ask the kernel of fake_kernel.h for statistics, for the one file
 * of a test that includes this: it defines a clock, __wrap_clock_now_ns, and must name
 * what is wrapped, for the linker's list (Makefile).
 */
#ifndef TESTS_SUPPORT_STATS_LAB_H
#define TESTS_SUPPORT_STATS_LAB_H

#include "base/clock.h"
#include "source/open_iscsi_stats.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct root *root;
static struct oiscsi o;
static struct oiscsi_listener listener;
static struct oiscsi_asker asker;
static struct oiscsi_session *sessions[1000];
static uint64_t now_ns;

int __wrap_root_netlink_open(
	struct root *root, int protocol, unsigned int group, struct netlink **ret);
int __wrap_root_netlink_open(struct root *r, int protocol, unsigned int group, struct netlink **ret)
{
	return fake_kernel_open(r, protocol, group, ret);
}

static int stats_begin(void **state)
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
	memset(&asker, 0, sizeof(asker));
	oiscsi_listener_follow(&listener, true);
	return 0;
}

static int stats_end(void **state)
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

static struct oiscsi_session *add_session(uint32_t sid)
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
	return session;
}

#endif
