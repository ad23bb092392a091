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

static int prepare_from(const char *name, uid_t former)
{
	const struct privilege_directory d = { .path = scratch_path(name), .is_ours = is_ours };

	return privilege_prepare_directory(&d, AGENT, AGENT, former);
}

static int prepare(const char *name)
{
	return prepare_from(name, AGENT);
}

/* One that is known to be ours by its path. */
static int prepare_known(const char *name)
{
	const struct privilege_directory d = {
		.path = scratch_path(name), .is_known = true, .is_ours = is_ours
	};

	return privilege_prepare_directory(&d, AGENT, AGENT, AGENT);
}

static int look_into(const char *name)
{
	const struct privilege_directory d = { .path = scratch_path(name), .is_ours = is_ours };

	return privilege_look_into(&d, AGENT);
}

/* In the child, where cmocka does not see what fails. */
static void must(bool is_done)
{
	if (!is_done)
		abort();
}

/* A directory with a file in it, "" none; both of the user, whose group has the same number. */
static void own(const char *directory, const char *file, uid_t user, mode_t mode)
{
	char path[256];

	scratch_dir(directory);
	if (*file) {
		snprintf(path, sizeof(path), "%s/%s", directory, file);
		scratch_text(path, "1");
		must(chown(scratch_path(path), user, user) == 0);
	}
	must(chmod(scratch_path(directory), mode) == 0);
	must(chown(scratch_path(directory), user, user) == 0);
}

static uid_t nobody(void)
{
	uid_t user = 0;
	gid_t group;

	must(privilege_find_user("nobody", &user, &group) == 1);
	return user;
}

/* As root without CAP_DAC_OVERRIDE: the agent's directory is one that it cannot look into. */
static int directory_is_made_and_left_alone(void)
{
	CHECK(chown_only() == 0);
	CHECK(prepare("/state") == 0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	CHECK(open(scratch_path("/state"), O_RDONLY) < 0 && errno == EACCES);
	privilege_forget(PRIVILEGE_OF(CAP_CHOWN));
	CHECK(prepare("/state") == 0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	return 0;
}

/* What the agent had as nobody: private, so that something else in it is no matter. */
static int directory_is_given_with_our_files(void)
{
	own("/state", "index", nobody(), 0700);
	scratch_text("/state/index.foreign", "2");
	scratch_text("/state/index.linked", "3");
	scratch_text("/state/copy", "4");
	scratch_dir("/state/index.old");
	CHECK(link(scratch_path("/state/index.linked"), scratch_path("/elsewhere")) == 0);
	scratch_link("/state/index.link", "/elsewhere");
	CHECK(chown(scratch_path("/state/index.foreign"), OTHER, OTHER) == 0);
	CHECK(chown(scratch_path("/state/index.linked"), nobody(), nobody()) == 0);
	CHECK(chown(scratch_path("/state/copy"), nobody(), nobody()) == 0);
	CHECK(chown(scratch_path("/state/index.old"), nobody(), nobody()) == 0);
	CHECK(lchown(scratch_path("/state/index.link"), nobody(), nobody()) == 0);
	CHECK(chown_only() == 0);
	CHECK(prepare("/state") == 0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	/* To look inside. */
	CHECK(chown(scratch_path("/state"), 0, 0) == 0);
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(belongs(scratch_path("/state/index.foreign"), OTHER, OTHER, 0644));
	CHECK(belongs(scratch_path("/elsewhere"), nobody(), nobody(), 0644));
	CHECK(belongs(scratch_path("/state/copy"), nobody(), nobody(), 0644));
	CHECK(belongs(scratch_path("/state/index.old"), nobody(), nobody(), 0755));
	CHECK(belongs(scratch_path("/state/index.link"), nobody(), nobody(), 0777));
	return 0;
}

static int directory_of_others_is_refused(void)
{
	own("/state", "", OTHER, 0755);
	scratch_dir("/real");
	scratch_link("/link", scratch_path("/real"));
	scratch_text("/file", "");
	CHECK(prepare("/state") == -EPERM);
	CHECK(prepare_known("/state") == -EPERM);
	CHECK(belongs(scratch_path("/state"), OTHER, OTHER, 0755));
	/* But taken over from who had it until now, with the files. */
	scratch_text("/state/index", "1");
	CHECK(chown(scratch_path("/state/index"), OTHER, OTHER) == 0);
	CHECK(prepare_from("/state", OTHER) == 0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(prepare("/link") == -ENOTDIR);
	CHECK(prepare_known("/link") == -ENOTDIR);
	CHECK(belongs(scratch_path("/real"), 0, 0, 0755));
	CHECK(prepare("/file") == -ENOTDIR);
	CHECK(prepare("/no/parent") == -ENOENT);
	return 0;
}

/* /run, /srv, /tmp, /root: what a wrong line of the configuration must not break. */
static int directory_of_the_system_stays(void)
{
	own("/state", "index", 0, 0755);
	scratch_text("/state/other", "2");
	CHECK(look_into("/state") == -ENOTEMPTY);
	CHECK(prepare("/state") == -ENOTEMPTY);
	CHECK(belongs(scratch_path("/state"), 0, 0, 0755));
	CHECK(belongs(scratch_path("/state/index"), 0, 0, 0644));
	CHECK(belongs(scratch_path("/state/other"), 0, 0, 0644));
	/* Private, but root's own all the same. */
	CHECK(chmod(scratch_path("/state"), 0700) == 0);
	CHECK(look_into("/state") == -ENOTEMPTY);
	CHECK(prepare("/state") == -ENOTEMPTY);
	CHECK(belongs(scratch_path("/state"), 0, 0, 0700));
	CHECK(unlink(scratch_path("/state/other")) == 0);
	/* Many write to one with the sticky bit, also if there is nothing in it now. */
	CHECK(chmod(scratch_path("/state"), 01777) == 0);
	CHECK(prepare("/state") == -ENOTEMPTY);
	CHECK(belongs(scratch_path("/state"), 0, 0, 01777));
	CHECK(chmod(scratch_path("/state"), 0755) == 0);
	scratch_dir("/state/lost+found");
	CHECK(look_into("/state") == 0);
	CHECK(prepare("/state") == 0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(belongs(scratch_path("/state/lost+found"), 0, 0, 0755));
	CHECK(look_into("/none") == -ENOENT);
	return 0;
}

/* /srv/tftp, or what has a directory that is called as one of our files. */
static int directory_of_nobody_stays(void)
{
	const struct {
		const char *name, *file;
		mode_t mode;
	} cases[] = {
		{ "/open", "pxelinux.0", 0755 },
		{ "/private", "pxelinux.0", 0700 },
		{ "/mixed", "index", 0750 },
		{ "/sticky", "index", 01777 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		own(cases[i].name, cases[i].file, nobody(), cases[i].mode);
	scratch_text("/mixed/other", "2");
	own("/named", "", nobody(), 0700);
	scratch_dir("/named/index");
	CHECK(chown_only() == 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CHECK(prepare(cases[i].name) == -ENOTEMPTY);
		CHECK(belongs(scratch_path(cases[i].name), nobody(), nobody(), cases[i].mode));
	}
	CHECK(prepare("/named") == -ENOTEMPTY);
	CHECK(belongs(scratch_path("/named"), nobody(), nobody(), 0700));
	/* To look inside. */
	CHECK(chown(scratch_path("/private"), 0, 0) == 0);
	CHECK(belongs(scratch_path("/private/pxelinux.0"), nobody(), nobody(), 0644));
	CHECK(chown(scratch_path("/mixed"), 0, 0) == 0);
	CHECK(belongs(scratch_path("/mixed/index"), nobody(), nobody(), 0644));
	/* An empty one hurts nobody. */
	own("/empty", "", nobody(), 0755);
	CHECK(prepare("/empty") == 0);
	CHECK(belongs(scratch_path("/empty"), AGENT, AGENT, 0700));
	return 0;
}

/* The service manager has given it to root again, with a copy that somebody keeps in it. */
static int directory_that_is_known_is_taken(void)
{
	own("/state", "index", 0, 0700);
	scratch_text("/state/copy", "2");
	CHECK(chown_only() == 0);
	CHECK(prepare_known("/state") == 0);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0700));
	CHECK(chown(scratch_path("/state"), 0, 0) == 0);
	CHECK(belongs(scratch_path("/state/index"), AGENT, AGENT, 0644));
	CHECK(belongs(scratch_path("/state/copy"), 0, 0, 0644));
	return 0;
}

/* What is as it should be is not judged by what is in it. */
static int a_look_is_as_the_daemon_does(void)
{
	own("/state", "copy", AGENT, 0700);
	CHECK(look_into("/state") == 0);
	CHECK(prepare("/state") == 0);
	CHECK(chmod(scratch_path("/state"), 0755) == 0);
	CHECK(look_into("/state") == -ENOTEMPTY);
	CHECK(prepare("/state") == -ENOTEMPTY);
	CHECK(belongs(scratch_path("/state"), AGENT, AGENT, 0755));
	CHECK(belongs(scratch_path("/state/copy"), AGENT, AGENT, 0644));
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

static void a_directory_is_given_with_our_files(void **state)
{
	(void)state;
	run_in_scratch(directory_is_given_with_our_files);
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

static void a_directory_of_nobody_stays(void **state)
{
	(void)state;
	run_in_scratch(directory_of_nobody_stays);
}

static void a_directory_that_is_known_is_taken(void **state)
{
	(void)state;
	run_in_scratch(directory_that_is_known_is_taken);
}

static void a_look_says_what_the_daemon_does(void **state)
{
	(void)state;
	run_in_scratch(a_look_is_as_the_daemon_does);
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
		cmocka_unit_test(a_directory_is_given_with_our_files),
		cmocka_unit_test(a_directory_of_others_is_refused),
		cmocka_unit_test(a_directory_of_the_system_stays),
		cmocka_unit_test(a_directory_of_nobody_stays),
		cmocka_unit_test(a_directory_that_is_known_is_taken),
		cmocka_unit_test(a_look_says_what_the_daemon_does),
	};

	umask(022);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
