/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/privilege.h: what a process keeps, and what is in effect when. Each test runs in a child,
 * which ends with the number of the line that failed. Needs to be root.
 */
#include "base/privilege.h"

#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cmocka.h>

#define ADMIN PRIVILEGE_OF(CAP_NET_ADMIN)
#define BOTH  (ADMIN | PRIVILEGE_OF(CAP_SYS_ADMIN))

#define CHECK(condition)                 \
	do {                             \
		if (!(condition))        \
			return __LINE__; \
	} while (0)

static uint64_t set_of(const char *name)
{
	size_t length = strlen(name);
	unsigned long long set = 0;
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			set = strtoull(line + length + 1, NULL, 16);
	}
	if (f)
		fclose(f);
	return set;
}

static void run(int (*function)(void))
{
	int status = -1;
	pid_t pid;

	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	pid = fork();
	if (pid == 0)
		_exit(function() & 0xff);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		fail_msg("the check in line …%d (modulo 256)", WEXITSTATUS(status));
}

static int keep_none(void)
{
	CHECK(privilege_drop_capabilities(0) == 0);
	CHECK(set_of("CapEff") == 0 && set_of("CapPrm") == 0 && set_of("CapBnd") == 0);
	CHECK(privilege_raise(BOTH) == 0);
	CHECK(set_of("CapEff") == 0);
	return 0;
}

static int keep_two(void)
{
	uint64_t before;

	CHECK(privilege_drop_capabilities(BOTH) == 0);
	CHECK(set_of("CapEff") == 0);
	CHECK(set_of("CapPrm") == BOTH);
	CHECK(set_of("CapInh") == 0 && set_of("CapBnd") == 0 && set_of("CapAmb") == 0);
	before = privilege_raise(ADMIN);
	CHECK(before == 0 && set_of("CapEff") == ADMIN);
	CHECK(privilege_raise(BOTH) == ADMIN && set_of("CapEff") == BOTH);
	privilege_restore(ADMIN);
	CHECK(set_of("CapEff") == ADMIN);
	privilege_restore(before);
	CHECK(set_of("CapEff") == 0 && set_of("CapPrm") == BOTH);
	/* Others do not come back. */
	CHECK(privilege_raise(PRIVILEGE_OF(CAP_SYS_BOOT)) == 0 && set_of("CapEff") == 0);
	return 0;
}

static int forget_one(void)
{
	CHECK(privilege_drop_capabilities(BOTH) == 0);
	privilege_raise(BOTH);
	privilege_forget(PRIVILEGE_OF(CAP_SYS_ADMIN));
	CHECK(set_of("CapPrm") == ADMIN && set_of("CapEff") == ADMIN);
	privilege_restore(BOTH);
	CHECK(set_of("CapEff") == ADMIN);
	CHECK(privilege_raise(BOTH) == ADMIN && set_of("CapEff") == ADMIN);
	return 0;
}

/* The one-shot commands: a process that has them all keeps them all. */
static int raise_what_is_there(void)
{
	uint64_t all = set_of("CapEff"), before = privilege_raise(BOTH);

	CHECK((all & BOTH) == BOTH && before == all);
	privilege_restore(before);
	CHECK(set_of("CapEff") == all);
	return 0;
}

static void none_is_kept(void **state)
{
	(void)state;
	run(keep_none);
}

static void two_are_kept_and_not_in_effect(void **state)
{
	(void)state;
	run(keep_two);
}

static void what_is_forgotten_stays_away(void **state)
{
	(void)state;
	run(forget_one);
}

static void all_of_root_stay(void **state)
{
	(void)state;
	run(raise_what_is_there);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_kept),
		cmocka_unit_test(two_are_kept_and_not_in_effect),
		cmocka_unit_test(what_is_forgotten_stays_away),
		cmocka_unit_test(all_of_root_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
