/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/filter.h"

#include "base/sandbox.h"

#include <linux/audit.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

bool filter_is_missing(void)
{
	struct sock_filter program[SANDBOX_PROGRAM_MAX];

	if (sandbox_program(0, 1, program) != -ENOTSUP)
		return false;
	puts("1..0 # SKIP no filter for this architecture");
	return true;
}

/* Runs a program as the kernel does; the instructions that ours are made of. */
static uint32_t run(const struct sock_filter *program, int length, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (int at = 0; at < length; at++) {
		const struct sock_filter *i = &program[at];
		bool holds = false;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + sizeof(a) <= sizeof(*data) && i->k % 4 == 0);
			memcpy(&a, (const char *)data + i->k, sizeof(a));
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= i->k;
			break;
		default:
			fail_msg("instruction %d: code 0x%x", at, i->code);
		}
		at += holds ? i->jt : i->jf;
	}
	fail_msg("the program has no end");
	return 0;
}

uint32_t filter_verdict_of(unsigned int needs, const struct seccomp_data *data)
{
	struct sock_filter program[SANDBOX_PROGRAM_MAX];
	int length = sandbox_program(needs, getpid(), program);

	assert_true(length > 0);
	return run(program, length, data);
}

uint32_t filter_native(void)
{
#if defined(__aarch64__)
	return AUDIT_ARCH_AARCH64;
#else
	return AUDIT_ARCH_X86_64;
#endif
}

uint32_t filter_verdict(unsigned int needs, int call, uint64_t a0, uint64_t a1, uint64_t a2)
{
	struct seccomp_data data = { .nr = call, .arch = filter_native(), .args = { a0, a1, a2 } };

	return filter_verdict_of(needs, &data);
}

uint32_t filter_plain(unsigned int needs, int call)
{
	return filter_verdict(needs, call, 0, 0, 0);
}

int filter_try(unsigned int needs, long (*action)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		if (sandbox_enter(needs) < 0)
			_exit(200);
		errno = 0;
		_exit(action() < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 200) {
		print_message("skipped: a kernel without filters of system calls\n");
		skip();
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}
