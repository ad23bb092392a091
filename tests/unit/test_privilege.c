/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/privilege.h: what a process keeps, what is in effect when, and directories that are given to
 * the agent. Each test runs in a child, which ends with the number of the line that failed. Needs
 * to be root.
 */
#include "base/privilege.h"

#include "tests/support/scratch.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
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

/* Ids that no account of a test machine has. */
#define AGENT 54321
#define OTHER 54322

static int chown_only(void)
{
	CHECK(privilege_drop_capabilities(PRIVILEGE_OF(CAP_CHOWN)) == 0);
	privilege_raise(PRIVILEGE_OF(CAP_CHOWN));
	return 0;
}

static bool belongs(const char *path, uid_t user, gid_t group, mode_t mode)
{
	struct stat st;

	return lstat(path, &st) == 0 && st.st_uid == user && st.st_gid == group &&
	       (st.st_mode & 07777) == mode;
}

static bool is_ours(const char *name)
{
	return strncmp(name, "index", 5) == 0;
}

/* As root without CAP_DAC_OVERRIDE: the agent's directory is one that it cannot look into. */
static int directory_is_made_and_left_alone(void)
{
	const char *path = scratch_path("/state");

	CHECK(chown_only() == 0);
	CHECK(privilege_prepare_directory(path, AGENT, AGENT, AGENT, is_ours) == 0);
	CHECK(belongs(path, AGENT, AGENT, 0700));
	CHECK(open(path, O_RDONLY) < 0 && errno == EACCES);
	privilege_forget(PRIVILEGE_OF(CAP_CHOWN));
	CHECK(privilege_prepare_directory(path, AGENT, AGENT, AGENT, is_ours) == 0);
	CHECK(belongs(path, AGENT, AGENT, 0700));
	return 0;
}

static int directory_is_given_with_its_files(void)
{
	uid_t nobody;
	gid_t group;

	CHECK(privilege_find_user("nobody", &nobody, &group) == 1);
	scratch_dir("/state");
	scratch_text("/state/index", "1");
	scratch_text("/state/foreign", "2");
	scratch_text("/state/linked", "3");
	CHECK(link(scratch_path("/state/linked"), scratch_path("/elsewhere")) == 0);
	scratch_link("/state/link", "/elsewhere");
	CHECK(chown(scratch_path("/state/index"), nobody, group) == 0);
	CHECK(chown(scratch_path("/state/foreign"), OTHER, OTHER) == 0);
	CHECK(chown(scratch_path("/state/linked"), nobody, group) == 0);
	CHECK(chown(scratch_path("/state"), nobody, group) == 0);
	CHECK(chmod(scratch_path("/state"), 0755) == 0);
	CHECK(chown_only() == 0);
	CHECK(privilege_prepare_directory(scratch_path("/state"), AGENT, AGENT, AGENT, is_ours) ==
		0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	/* To look inside. */
	CHECK(chown(scratch_path("/state"), 0, 0) == 0);
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(belongs(scratch_path("/state/foreign"), OTHER, OTHER, 0644));
	CHECK(belongs(scratch_path("/elsewhere"), nobody, group, 0644));
	return 0;
}

static int directory_of_others_is_refused(void)
{
	scratch_dir("/state");
	scratch_dir("/real");
	scratch_link("/link", scratch_path("/real"));
	scratch_text("/file", "");
	CHECK(chown(scratch_path("/state"), OTHER, OTHER) == 0);
	CHECK(privilege_prepare_directory(scratch_path("/state"), AGENT, AGENT, AGENT, is_ours) ==
		-EPERM);
	CHECK(belongs(scratch_path("/state"), OTHER, OTHER, 0755));
	/* But taken over from who had it until now, with the files. */
	scratch_text("/state/index", "1");
	CHECK(chown(scratch_path("/state/index"), OTHER, OTHER) == 0);
	CHECK(privilege_prepare_directory(scratch_path("/state"), AGENT, AGENT, OTHER, is_ours) ==
		0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(privilege_prepare_directory(scratch_path("/link"), AGENT, AGENT, AGENT, is_ours) ==
		-ENOTDIR);
	CHECK(belongs(scratch_path("/real"), 0, 0, 0755));
	CHECK(privilege_prepare_directory(scratch_path("/file"), AGENT, AGENT, AGENT, is_ours) ==
		-ENOTDIR);
	CHECK(privilege_prepare_directory(
		      scratch_path("/no/parent"), AGENT, AGENT, AGENT, is_ours) == -ENOENT);
	return 0;
}

/* /run, /srv, /tmp: what a wrong line of the configuration must not break. */
static int directory_of_the_system_stays(void)
{
	char path[256];

	snprintf(path, sizeof(path), "%s", scratch_path("/state"));
	scratch_dir("/state");
	scratch_text("/state/index", "1");
	scratch_text("/state/other", "2");
	CHECK(privilege_look_into(path, is_ours) == -ENOTEMPTY);
	CHECK(privilege_prepare_directory(path, AGENT, AGENT, AGENT, is_ours) == -ENOTEMPTY);
	CHECK(belongs(path, 0, 0, 0755));
	CHECK(belongs(scratch_path("/state/index"), 0, 0, 0644));
	CHECK(belongs(scratch_path("/state/other"), 0, 0, 0644));
	CHECK(unlink(scratch_path("/state/other")) == 0);
	/* Many write to one with the sticky bit, also if there is nothing in it now. */
	CHECK(chmod(path, 01777) == 0);
	CHECK(privilege_prepare_directory(path, AGENT, AGENT, AGENT, is_ours) == -ENOTEMPTY);
	CHECK(belongs(path, 0, 0, 01777));
	CHECK(chmod(path, 0755) == 0);
	CHECK(privilege_look_into(path, is_ours) == 0);
	CHECK(privilege_prepare_directory(path, AGENT, AGENT, AGENT, is_ours) == 0);
	CHECK(belongs(path, AGENT, AGENT, 0700));
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(privilege_look_into(scratch_path("/none"), is_ours) == -ENOENT);
	return 0;
}

static void run_in_scratch(int (*function)(void))
{
	scratch_begin();
	run(function);
	scratch_end();
}

static void a_directory_is_made_and_left_alone(void **state)
{
	(void)state;
	run_in_scratch(directory_is_made_and_left_alone);
}

static void a_directory_is_given_with_its_files(void **state)
{
	(void)state;
	run_in_scratch(directory_is_given_with_its_files);
}

static void a_directory_of_others_is_refused(void **state)
{
	(void)state;
	run_in_scratch(directory_of_others_is_refused);
}

static void a_directory_of_the_system_stays(void **state)
{
	(void)state;
	run_in_scratch(directory_of_the_system_stays);
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
		cmocka_unit_test(a_directory_is_made_and_left_alone),
		cmocka_unit_test(a_directory_is_given_with_its_files),
		cmocka_unit_test(a_directory_of_others_is_refused),
		cmocka_unit_test(a_directory_of_the_system_stays),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
