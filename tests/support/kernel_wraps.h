/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel of fake_kernel.h behind base/root.h, and a clock that the test sets, for the one file
 * of a test that includes this. The file must name what is wrapped, for the linker's list
 * (Makefile).
 */
#ifndef TESTS_SUPPORT_KERNEL_WRAPS_H
#define TESTS_SUPPORT_KERNEL_WRAPS_H

#include "base/clock.h"
#include "tests/support/fake_kernel.h"

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

#endif
