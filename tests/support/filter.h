/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the filters of system calls (base/sandbox.h) say of a call: by running their programs here,
 * and in a process that has entered one. A program that is none ends the test.
 */
#ifndef TESTS_SUPPORT_FILTER_H
#define TESTS_SUPPORT_FILTER_H

#include "base/base.h"

#include <linux/seccomp.h>

#define FILTER_REFUSED (SECCOMP_RET_ERRNO | EPERM)

/* Where there is no filter for this architecture: says so for the whole program, and true. */
bool filter_is_missing(void);

/* The architecture of this build, AUDIT_ARCH_…. */
uint32_t filter_native(void);

/* What the program of a process with these needs returns: SECCOMP_RET_…. */
uint32_t filter_verdict_of(unsigned int needs, const struct seccomp_data *data);
uint32_t filter_verdict(unsigned int needs, int call, uint64_t a0, uint64_t a1, uint64_t a2);
uint32_t filter_plain(unsigned int needs, int call);

/*
 * The errno of an action in a process with a filter, 0 when it succeeds, or minus the signal that
 * ends it. Skips the test where the kernel has no filters.
 */
int filter_try(unsigned int needs, long (*action)(void));

#endif
