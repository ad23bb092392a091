/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/sandbox.h"

#include "base/sandbox_calls.h"

#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif

/* From this number on (pidfd_send_signal, Linux 5.1) all architectures count alike. */
#define FIRST_NEW 424u
/* The bit of the calls of x86-64's 32-bit twin. */
#define X32_BIT 0x40000000u

#ifndef SECCOMP_RET_KILL_PROCESS
#define SECCOMP_RET_KILL_PROCESS SECCOMP_RET_KILL
#endif
#ifndef SECCOMP_FILTER_FLAG_LOG
#define SECCOMP_FILTER_FLAG_LOG (1UL << 1)
#endif

#ifdef SANDBOX_ARCHITECTURE

struct writer {
	struct sock_filter *program;
	unsigned int length;
};

static void put(struct writer *w, struct sock_filter instruction)
{
	if (w->length < SANDBOX_PROGRAM_MAX)
		w->program[w->length] = instruction;
	w->length++;
}

static void put_load(struct writer *w, size_t offset)
{
	put(w, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void put_return(struct writer *w, uint32_t action)
{
	put(w, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The lower half of an argument; both architectures have it first. */
static size_t argument_offset(uint32_t argument)
{
	return offsetof(struct seccomp_data, args) + argument * sizeof(uint64_t);
}

static unsigned int condition_count(const struct sandbox_rule *rule)
{
	unsigned int count = 0;

	while (count < SANDBOX_CONDITIONS && rule->conditions[count].mask)
		count++;
	return count;
}

/* What does not fit goes on behind the rule, with the number of the call loaded. */
static void put_rule(struct writer *w, const struct sandbox_rule *rule, pid_t self)
{
	unsigned int count = condition_count(rule);
	/* Of each condition: load, mask, compare; then the return, and the load of the number. */
	uint8_t left = (uint8_t)(3 * count + 1);

	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rule->call, 0,
		       (uint8_t)(left + (count ? 1 : 0))));
	for (unsigned int i = 0; i < count; i++) {
		const struct sandbox_condition *c = &rule->conditions[i];

		left = (uint8_t)(left - 3);
		put_load(w, argument_offset(c->argument));
		put(w, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, c->mask));
		put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
			       c->is_self ? (uint32_t)self : c->value, 0, left));
	}
	put_return(w, SECCOMP_RET_ALLOW);
	if (count)
		put_load(w, offsetof(struct seccomp_data, nr));
}

static void put_architecture(struct writer *w, uint32_t architecture)
{
	put_load(w, offsetof(struct seccomp_data, arch));
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, architecture, 1, 0));
	put_return(w, SECCOMP_RET_KILL_PROCESS);
	put_load(w, offsetof(struct seccomp_data, nr));
	put(w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	put_return(w, SECCOMP_RET_KILL_PROCESS);
}

#endif

int sandbox_program(unsigned int needs, pid_t self, struct sock_filter program[SANDBOX_PROGRAM_MAX])
{
#ifdef SANDBOX_ARCHITECTURE
	struct writer w = { .program = program };

	put_architecture(&w, SANDBOX_ARCHITECTURE);
	for (size_t i = 0; i < sandbox_rule_count; i++) {
		if (!sandbox_rules[i].needs || (sandbox_rules[i].needs & needs))
			put_rule(&w, &sandbox_rules[i], self);
	}
	put(&w, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FIRST_NEW, 1, 0));
	put_return(&w, SECCOMP_RET_ERRNO | EPERM);
	put_return(&w, SECCOMP_RET_ERRNO | ENOSYS);
	return w.length <= SANDBOX_PROGRAM_MAX ? (int)w.length : -E2BIG;
#else
	(void)needs, (void)self, (void)program;
	return -ENOTSUP;
#endif
}

int sandbox_enter(unsigned int needs)
{
#ifdef SANITIZED
	(void)needs;
	return -ENOTSUP;
#else
	struct sock_filter program[SANDBOX_PROGRAM_MAX];
	struct sock_fprog filter = { .filter = program };
	int length = sandbox_program(needs, getpid(), program);

	if (length < 0)
		return length;
	filter.len = (unsigned short)length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	if ((needs & SANDBOX_LOG) && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
					     SECCOMP_FILTER_FLAG_LOG, &filter) == 0)
		return 0;
	/* Before Linux 4.14 nothing is logged. */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : -errno;
#endif
}
