/* SPDX-License-Identifier: BSD-2-Clause */
/* The table behind base/sandbox.h: who may make which system call, and with what arguments. */
#ifndef BASE_SANDBOX_CALLS_H
#define BASE_SANDBOX_CALLS_H

#include "base/sandbox.h"

#include <linux/audit.h>

/* Those whose calls the table knows; elsewhere it is empty, and sandbox_program says -ENOTSUP. */
#if defined(__x86_64__) && !defined(__ILP32__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__) && defined(__AARCH64EL__) && !defined(__ILP32__)
#define SANDBOX_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define SANDBOX_CONDITIONS 3

/* The lower 32 bits of an argument, which are all of an int, of flags and of a mode. */
struct sandbox_condition {
	uint32_t mask; /* 0: this and what follows is no condition */
	uint32_t value;
	uint32_t argument; /* 0..5 */
	bool is_self;	   /* the value is the id of the process that enters the filter */
};

/* The call is allowed when all conditions hold. There can be several rules for one call. */
struct sandbox_rule {
	unsigned int needs; /* any of these; 0: every process */
	int call;	    /* __NR_… */
	struct sandbox_condition conditions[SANDBOX_CONDITIONS];
};

/* The most frequent calls first: they are looked through in this order. */
extern const struct sandbox_rule sandbox_rules[];
extern const size_t sandbox_rule_count;

#endif
