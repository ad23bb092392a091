/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A listener with a fake kernel, for the tests of open_iscsi_listener.c. A header, since each test
 * program has its own and wraps root_netlink_open by itself.
 */
#ifndef SUPPORT_LISTENER_LAB_H
#define SUPPORT_LISTENER_LAB_H

#include "base/clock.h"
#include "source/open_iscsi_listener.h"
#include "source/open_iscsi_records.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/scratch.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define MS NS_PER_MS

static struct root *root;
static struct oiscsi_listener listener;
static struct oiscsi_records records;
static unsigned int statistics_taken;

static void take_statistics(void *context, const struct oiscsi_event *event, uint64_t now_ns)
{
	(void)now_ns;
	assert_ptr_equal(context, &statistics_taken);
	assert_int_equal(event->sid, 4);
	statistics_taken++;
}

/* What the hook of struct root does in the source. */
static void pump_between(void *context)
{
	oiscsi_listener_pump(context, false);
}

static int begin(void **state)
{
	(void)state;
	scratch_begin();
	assert_int_equal(root_open(scratch_path(""), &root), 0);
	fake_kernel_begin();
	statistics_taken = 0;
	memset(&records, 0, sizeof(records));
	oiscsi_listener_init(&listener, root, take_statistics, &statistics_taken);
	listener.events.records = &records;
	root_set_between(root, pump_between, &listener);
	return 0;
}

static int end(void **state)
{
	(void)state;
	oiscsi_listener_close(&listener);
	assert_int_equal(fake_kernel.opens - (fake_kernel.open_error ? fake_kernel.opens : 0) <
				 fake_kernel.closes,
		0);
	fake_kernel_end();
	root_close(root);
	scratch_end();
	return 0;
}

static inline void listen_now(void)
{
	oiscsi_listener_follow(&listener, true);
	assert_non_null(listener.netlink);
	assert_string_equal(listener.note, "");
}

static inline bool is_readable(int ms)
{
	struct pollfd fd = { .fd = oiscsi_listener_fd(&listener), .events = POLLIN };

	return poll(&fd, 1, ms) == 1;
}

#endif
