/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/privilege.h and source/probe_child.h with each system call failing once: who says that it
 * has given something up has done so, and a try at home that fails says nothing of the target.
 * Needs to be root. Wrapped:
 *	__wrap_read __wrap_pread __wrap_write __wrap_poll __wrap_send __wrap_recv __wrap_sendto
 *	__wrap_sendmsg __wrap_recvmsg __wrap_recvmmsg __wrap_syscall __wrap_open __wrap_openat
 *	__wrap_fstat __wrap_fstatat __wrap_fcntl __wrap_mmap __wrap_memfd_create __wrap_socket
 *	__wrap_bind __wrap_getsockname __wrap_getsockopt __wrap_setsockopt __wrap_fsync
 *	__wrap_renameat __wrap_unlinkat __wrap_mkdir __wrap_dup __wrap_fchmod __wrap_fchown
 *	__wrap_fchownat __wrap_prctl __wrap_setgroups __wrap_setresgid __wrap_setresuid
 *	__wrap_pipe2 __wrap_fork __wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 * and here __wrap_getpwnam
 */
#include "tests/support/failing_calls.h"

#include "base/clock.h"
#include "base/privilege.h"
#include "source/probe_child.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Ids that no account of a test machine has. */
#define AGENT 54321
#define OTHER 54322

static const char *missing_account; /* beginning of the names that there are not */
static int getpwnam_error;

struct passwd *__real_getpwnam(const char *name);
struct passwd *__wrap_getpwnam(const char *name);
struct passwd *__wrap_getpwnam(const char *name)
{
	if (!missing_account || strncmp(name, missing_account, strlen(missing_account)) != 0)
		return __real_getpwnam(name);
	errno = getpwnam_error;
	return NULL;
}

static void need_root(void)
{
	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
}

/* Its result in a child, whose calls count. */
static int in_child(int (*function)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int rc;

		failing_calls->armed = true;
		rc = function();
		failing_calls->armed = false;
		_exit(-rc);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return -WEXITSTATUS(status);
}

/* Of capabilities, without what is wrapped. */
static bool has_any(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct words[2];

	return __real_syscall(SYS_capget, (long)&head, (long)words, 0, 0) < 0 ||
	       words[0].permitted || words[1].permitted || words[0].effective || words[1].effective;
}

static int drop_all(void)
{
	int rc = privilege_drop_capabilities(0);

	return rc == 0 && has_any() ? -255 : rc;
}

static int become_nobody(void)
{
	pid_t parent = getppid();
	int rc = privilege_become(AGENT, AGENT);

	if (rc == 0)
		rc = privilege_die_with_parent(parent);
	if (rc < 0)
		return rc;
	return getuid() != AGENT || geteuid() != AGENT || getgid() != AGENT || has_any() ? -255 : 0;
}

/* Raised, taken back and forgotten: where that cannot be, nothing is in effect that was not. */
static int raise_and_forget(void)
{
	uint64_t before;
	int rc;

	failing_calls->armed = false;
	rc = privilege_drop_capabilities(PRIVILEGE_OF(CAP_CHOWN));
	failing_calls->armed = true;
	if (rc < 0)
		return -255;
	before = privilege_raise(PRIVILEGE_OF(CAP_CHOWN));
	if (before != 0)
		return -255;
	privilege_restore(before);
	privilege_forget(PRIVILEGE_OF(CAP_CHOWN));
	return 0;
}

static void what_cannot_be_given_up_is_an_error(void **state)
{
	int (*const functions[])(void) = { drop_all, become_nobody, raise_and_forget };

	(void)state;
	need_root();
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		unsigned int n = 0;
		bool has_failed;

		do {
			int rc;

			*failing_calls = (struct failing_calls){ .fail_at = ++n, .error = ENOMEM };
			rc = in_child(functions[i]);
			has_failed = failing_calls->made >= n;
			assert_true(rc == 0 || rc == -ENOMEM);
			assert_true(rc == 0 || has_failed);
		} while (has_failed);
		assert_true(n > 4);
	}
}

static int gone_parent(void)
{
	return privilege_die_with_parent(getppid() + 1);
}

static void a_parent_that_is_gone_is_an_error(void **state)
{
	(void)state;
	*failing_calls = (struct failing_calls){ .fail_at = 0 };
	assert_int_equal(in_child(gone_parent), -ESRCH);
}

static bool is_ours(const char *name)
{
	return strcmp(name, "index") == 0;
}

/* What belonged to another one, or to root, before it is given away. */
static int give_directory_of(uid_t user)
{
	char *path = strdup(scratch_path("/state"));
	struct stat st;
	int rc;

	assert_non_null(path);
	scratch_dir("/state");
	scratch_text("/state/index", "1");
	assert_int_equal(chown(scratch_path("/state/index"), user, AGENT), 0);
	assert_int_equal(chown(path, user, AGENT), 0);
	failing_calls->armed = true;
	rc = privilege_prepare_directory(
		&(struct privilege_directory){ .path = path, .is_ours = is_ours }, AGENT, AGENT,
		AGENT);
	failing_calls->armed = false;
	assert_int_equal(lstat(path, &st), 0);
	if (rc == 0) {
		assert_int_equal(st.st_uid, AGENT);
		assert_int_equal(st.st_mode & 07777, 0700);
	}
	assert_true(st.st_uid == AGENT || st.st_uid == user || st.st_uid == 0);
	assert_int_equal(unlink(scratch_path("/state/index")), 0);
	assert_int_equal(rmdir(path), 0);
	free(path);
	return rc;
}

static int give_a_directory(void)
{
	return give_directory_of(getpwnam("nobody")->pw_uid);
}

static int give_a_directory_of_root(void)
{
	return give_directory_of(0);
}

/* It stays whose it is, also if it has to be owned to be looked into. */
static int refuse_a_directory(void)
{
	uid_t user = getpwnam("nobody")->pw_uid;
	char *path = strdup(scratch_path("/state"));
	struct stat st;
	int rc;

	assert_non_null(path);
	scratch_dir("/state");
	scratch_text("/state/other", "1");
	assert_int_equal(chown(path, user, AGENT), 0);
	assert_int_equal(chmod(path, 0750), 0);
	failing_calls->armed = true;
	rc = privilege_prepare_directory(
		&(struct privilege_directory){ .path = path, .is_ours = is_ours }, AGENT, AGENT,
		AGENT);
	failing_calls->armed = false;
	assert_int_not_equal(rc, 0);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, user);
	assert_int_equal(st.st_gid, AGENT);
	assert_int_equal(st.st_mode & 07777, 0750);
	assert_int_equal(unlink(scratch_path("/state/other")), 0);
	assert_int_equal(rmdir(path), 0);
	free(path);
	return rc == -ENOTEMPTY ? 0 : rc;
}

static void a_directory_is_given_whole_or_an_error(void **state)
{
	(void)state;
	need_root();
	scratch_begin();
	assert_true(fail_each_call(give_a_directory, EIO) > 5);
	assert_true(fail_each_call(give_a_directory_of_root, EIO) > 5);
	assert_true(fail_each_call(refuse_a_directory, EIO) > 4);
	assert_true(fail_each_call(refuse_a_directory, EACCES) > 4);
	scratch_end();
}

static void without_an_account_it_is_nobody(void **state)
{
	uid_t user = 1, nobody;
	gid_t group = 1;

	(void)state;
	assert_int_equal(privilege_find_user("nobody", &nobody, &group), 1);
	missing_account = "iscsi";
	assert_int_equal(privilege_find_user("iscsi-agentx", &user, &group), 0);
	assert_int_equal(user, nobody);
	missing_account = "";
	user = 1;
	assert_int_equal(privilege_find_user("iscsi-agentx", &user, &group), -ENOENT);
	getpwnam_error = EIO;
	assert_int_equal(privilege_find_user("iscsi-agentx", &user, &group), -EIO);
	assert_int_equal(user, 1);
	missing_account = NULL;
}

/* ---- */

static struct iscsi_context *no_context(const char *name)
{
	(void)name;
	return NULL;
}

/* As the reader of the source probe has it, whose try fails at home anyway. */
static int try_once(void)
{
	static const struct probe_place place = { .target = "iqn.2026-11.example:t" };
	struct probe_library library = { .create_context = no_context };
	struct probe_job job = { .library = &library,
		.name = "iqn.2026-11.example:host",
		.timeout_ns = 5 * NS_PER_S,
		.room = 64u << 20 };
	struct probe_child child;
	int rc;

	assert_int_equal(root_open("/", &job.root), 0);
	failing_calls->armed = true;
	rc = probe_child_start(&job, &place, &child);
	if (rc == 0) {
		bool is_over = false;

		while (!is_over && clock_now_ns() < child.kill_ns) {
			struct pollfd fd = { .fd = child.fd, .events = POLLIN };

			__real_poll(&fd, 1, clock_ms_until(child.kill_ns, 10000));
			is_over = probe_child_take(&child);
		}
		failing_calls->armed = false;
		probe_child_end(&child);
		assert_int_equal(child.outcome.result, PROBE_LOCAL_ERROR);
		assert_true(child.outcome.text[0] != '\0');
	}
	failing_calls->armed = false;
	root_close(job.root);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	return rc;
}

static void a_try_that_fails_at_home_is_no_fault_of_the_target(void **state)
{
	(void)state;
	assert_true(fail_each_call(try_once, EMFILE) > 8);
	assert_true(fail_each_call(try_once, EINTR) > 0);
}

static int set_up_group(void **state)
{
	(void)state;
	failing_calls = mmap(NULL, sizeof(*failing_calls), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return failing_calls == MAP_FAILED;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_cannot_be_given_up_is_an_error),
		cmocka_unit_test(a_parent_that_is_gone_is_an_error),
		cmocka_unit_test(a_directory_is_given_whole_or_an_error),
		cmocka_unit_test(without_an_account_it_is_nobody),
		cmocka_unit_test(a_try_that_fails_at_home_is_no_fault_of_the_target),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
