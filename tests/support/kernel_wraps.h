/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel of fake_kernel.h behind base/root.h, a clock that the test sets, and the lab of
 * open-iscsi with both, for the one file of a test that includes this. The file must name what is
 * wrapped, for the linker's list (Makefile).
 */
#ifndef TESTS_SUPPORT_KERNEL_WRAPS_H
#define TESTS_SUPPORT_KERNEL_WRAPS_H

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "tests/support/fake_kernel.h"
#include "tests/support/open_iscsi_lab.h"

static uint64_t now_ns;

int __wrap_root_netlink_open(
	struct root *root, int protocol, unsigned int group, struct netlink **ret);
int __wrap_root_netlink_open(
	struct root *root, int protocol, unsigned int group, struct netlink **ret)
{
	return fake_kernel_open(root, protocol, group, ret);
}

uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
	return now_ns;
}

/* A recording whose kernel tells events, and with a `handle` of its transport statistics too. */
static void kernel_lab_begin(const char *recording, uint64_t handle)
{
	char text[32];

	now_ns = 1000 * NS_PER_S;
	fake_kernel_begin();
	lab_begin(recording);
	if (handle) {
		snprintf(text, sizeof(text), "%" PRIu64 "\n", handle);
		lab_file("/sys/class/iscsi_transport/tcp/handle", text);
		fake_kernel.handle = handle;
	}
	lab_listen(true, handle != 0);
}

static int kernel_lab_end(void **state)
{
	(void)state;
	lab_end();
	fake_kernel_end();
	return 0;
}

#endif
