/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filters of system calls: what the programs say of each call, by running them here, and what
 * the kernel makes of them, in processes of their own.
 */
#include "base/sandbox.h"
#include "base/sandbox_calls.h"
#include "source/source.h"
#include "tests/support/filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* As agent/ gives them. */
#define AGENT SANDBOX_LOG
#define SAVER (SANDBOX_LOG | SANDBOX_SAVE)
#define TRY   SANDBOX_TCP

#define AGENT_CALLS_MAX 60u

#define REFUSED FILTER_REFUSED
#define TOO_NEW (SECCOMP_RET_ERRNO | ENOSYS)

static unsigned int reader(const char *name)
{
	const struct source_ops *ops = source_find(name);

	assert_non_null(ops);
	return SANDBOX_LOG | SANDBOX_READ | ops->sandbox;
}

static uint32_t socket_verdict(unsigned int needs, int family, int type, int protocol)
{
	return filter_verdict(needs, SYS_socket, (uint64_t)family, (uint64_t)(type | SOCK_CLOEXEC),
		(uint64_t)protocol);
}

static void test_the_longest_program_fits(void **state)
{
	struct sock_filter program[SANDBOX_PROGRAM_MAX];

	(void)state;
	assert_in_range(sandbox_program(SANDBOX_ALL, 1, program), 200, SANDBOX_PROGRAM_MAX);
}

static void test_the_agent_has_few_calls(void **state)
{
	unsigned int count = 0;

	(void)state;
	for (int call = 0; call < 1024; call++) {
		bool named = false;

		for (size_t i = 0; i < sandbox_rule_count; i++)
			named = named || (sandbox_rules[i].call == call &&
						 (!sandbox_rules[i].needs ||
							 (sandbox_rules[i].needs & AGENT)));
		count += named;
	}
	print_message("the agent process has %u system calls\n", count);
	assert_in_range(count, 20, AGENT_CALLS_MAX);
}

/* What no process of ours is ever allowed. */
static void test_nobody_may(void **state)
{
	static const int calls[] = { SYS_execve, SYS_execveat, SYS_ptrace, SYS_process_vm_readv,
		SYS_process_vm_writev, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot,
		SYS_setns, SYS_unshare, SYS_bpf, SYS_perf_event_open, SYS_init_module,
		SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_reboot, SYS_keyctl,
		SYS_add_key, SYS_userfaultfd, SYS_personality, SYS_setuid, SYS_fchmodat, SYS_fchown,
		SYS_fchownat, SYS_linkat, SYS_symlinkat, SYS_mkdirat, SYS_mknodat, SYS_truncate,
		SYS_listen, SYS_socketpair, SYS_setsid, SYS_shmat, SYS_open_by_handle_at,
		SYS_settimeofday, SYS_clock_settime, SYS_syslog, SYS_swapon, SYS_quotactl };

	(void)state;
	for (unsigned int needs = 0; needs <= SANDBOX_ALL; needs = needs ? needs << 1 : 1) {
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			assert_int_equal(filter_plain(needs, calls[i]), REFUSED);
	}
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_int_equal(filter_plain(SANDBOX_ALL, calls[i]), REFUSED);
}

/* Connections are taken with -M alone. */
static void test_who_takes_connections(void **state)
{
	(void)state;
	for (unsigned int needs = 1; needs <= SANDBOX_ALL; needs <<= 1)
		assert_int_equal(filter_plain(needs, SYS_accept4),
			needs == SANDBOX_LISTEN ? SECCOMP_RET_ALLOW : REFUSED);
	assert_int_equal(socket_verdict(SANDBOX_LISTEN, AF_INET, SOCK_DGRAM, 0), SECCOMP_RET_ALLOW);
	assert_int_equal(socket_verdict(SANDBOX_LISTEN, AF_INET, SOCK_STREAM, 0), REFUSED);
	assert_int_equal(socket_verdict(SANDBOX_LISTEN, AF_UNIX, SOCK_STREAM, 0), REFUSED);
}

static void test_the_agent_opens_nothing(void **state)
{
	struct seccomp_data by_descriptor = {
		.nr = SYS_newfstatat, .arch = filter_native(), .args = { 3, 0, 0, AT_EMPTY_PATH }
	};

	(void)state;
	assert_int_equal(filter_plain(AGENT, SYS_openat), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_newfstatat), REFUSED);
	assert_int_equal(filter_verdict_of(AGENT, &by_descriptor), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_plain(AGENT, SYS_readlinkat), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_unlinkat), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_clone), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_kill), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_prctl), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_capset), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_recvfrom), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_plain(AGENT, SYS_exit_group), SECCOMP_RET_ALLOW);
#ifdef SYS_open
	assert_int_equal(filter_plain(AGENT, SYS_open), REFUSED);
	assert_int_equal(filter_plain(AGENT, SYS_stat), REFUSED);
#endif
}

static void test_sockets_by_need(void **state)
{
	static const struct {
		const char *reader; /* NULL: the process with `needs` */
		unsigned int needs;
		bool local, diag, iscsi, tcp;
	} cases[] = {
		{ NULL, AGENT, false, false, false, false },
		{ NULL, SAVER, false, false, false, false },
		{ NULL, TRY, false, false, false, true },
		{ "tgt", 0, true, true, false, false },
		{ "lio", 0, false, true, false, false },
		{ "scst", 0, false, true, false, false },
		{ "multipath", 0, true, false, false, false },
		{ "open-iscsi", 0, false, true, true, false },
		{ "probe", 0, false, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned int needs = cases[i].reader ? reader(cases[i].reader) : cases[i].needs;
		bool log = needs & SANDBOX_LOG;
#define MAY(yes) ((yes) ? SECCOMP_RET_ALLOW : REFUSED)
		assert_int_equal(socket_verdict(needs, AF_UNIX, SOCK_DGRAM, 0), MAY(log));
		assert_int_equal(
			socket_verdict(needs, AF_UNIX, SOCK_STREAM, 0), MAY(cases[i].local));
		assert_int_equal(socket_verdict(needs, AF_UNIX, SOCK_SEQPACKET, 0), REFUSED);
		assert_int_equal(socket_verdict(needs, AF_NETLINK, SOCK_DGRAM, NETLINK_SOCK_DIAG),
			MAY(cases[i].diag));
		assert_int_equal(socket_verdict(needs, AF_NETLINK, SOCK_RAW, NETLINK_ISCSI),
			MAY(cases[i].iscsi));
		assert_int_equal(socket_verdict(needs, AF_INET, SOCK_STREAM, 0), MAY(cases[i].tcp));
		assert_int_equal(
			socket_verdict(needs, AF_INET6, SOCK_STREAM, 0), MAY(cases[i].tcp));
		assert_int_equal(socket_verdict(needs, AF_INET, SOCK_DGRAM, 0), REFUSED);
		assert_int_equal(socket_verdict(needs, AF_INET, SOCK_RAW, 0), REFUSED);
		assert_int_equal(socket_verdict(needs, AF_PACKET, SOCK_RAW, 0), REFUSED);
		assert_int_equal(
			socket_verdict(needs, AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT),
			REFUSED);
#undef MAY
	}
}

static void test_files_by_need(void **state)
{
	static const int writing[] = { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND, O_TMPFILE };

	(void)state;
	for (size_t i = 0; source_list[i]; i++) {
		unsigned int needs = reader(source_list[i]->name);

		assert_int_equal(filter_verdict(needs, SYS_openat, 3, 0, O_RDONLY | O_NOFOLLOW),
			SECCOMP_RET_ALLOW);
		for (size_t w = 0; w < ARRAY_SIZE(writing); w++) {
			/* O_TMPFILE is nothing without a way to write. */
			int flags = writing[w] | (writing[w] == O_TMPFILE ? O_WRONLY : 0);

			assert_int_equal(
				filter_verdict(needs, SYS_openat, 3, 0, (uint64_t)flags), REFUSED);
		}
		assert_int_equal(filter_plain(needs, SYS_renameat), REFUSED);
		assert_int_equal(filter_plain(needs, SYS_unlinkat), REFUSED);
#ifdef SYS_openat2
		assert_int_equal(filter_plain(needs, SYS_openat2), TOO_NEW);
		assert_int_equal(
			filter_plain(needs | SANDBOX_BELOW, SYS_openat2), SECCOMP_RET_ALLOW);
#endif
	}
	assert_int_equal(
		filter_verdict(SAVER, SYS_openat, 3, 0, O_WRONLY | O_CREAT), SECCOMP_RET_ALLOW);
	assert_int_equal(filter_plain(TRY, SYS_openat), REFUSED);
}

static void test_nothing_becomes_executable(void **state)
{
	(void)state;
	for (unsigned int needs = 1; needs <= SANDBOX_ALL; needs <<= 1) {
		bool loads = needs & SANDBOX_FORK;

		assert_int_equal(filter_verdict(needs, SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE),
			SECCOMP_RET_ALLOW);
		assert_int_equal(filter_verdict(needs, SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC),
			loads ? SECCOMP_RET_ALLOW : REFUSED);
		assert_int_equal(filter_verdict(needs, SYS_mmap, 0, 4096,
					 PROT_READ | PROT_WRITE | PROT_EXEC),
			REFUSED);
		assert_int_equal(
			filter_verdict(needs, SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC),
			REFUSED);
	}
}

static void test_forks_make_no_namespace(void **state)
{
	unsigned int needs = reader("probe");

	(void)state;
	assert_int_equal(filter_verdict(needs, SYS_clone,
				 CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD, 0, 0),
		SECCOMP_RET_ALLOW);
	assert_int_equal(filter_verdict(needs, SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0), REFUSED);
	assert_int_equal(filter_verdict(needs, SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0), REFUSED);
	assert_int_equal(filter_verdict(needs, SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0), REFUSED);
	for (size_t i = 0; source_list[i]; i++) {
		if (strcmp(source_list[i]->name, "probe") != 0)
			assert_int_equal(filter_verdict(reader(source_list[i]->name), SYS_clone,
						 SIGCHLD, 0, 0),
				REFUSED);
	}
}

static void test_numbers_that_are_not_ours(void **state)
{
	struct seccomp_data data = { .nr = SYS_read, .arch = AUDIT_ARCH_I386 };

	(void)state;
	assert_int_equal(filter_verdict_of(AGENT, &data), SECCOMP_RET_KILL_PROCESS);
	data.arch = AUDIT_ARCH_ARM;
	assert_int_equal(filter_verdict_of(AGENT, &data), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(filter_plain(AGENT, SYS_read | 0x40000000), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(filter_plain(AGENT, -1), SECCOMP_RET_KILL_PROCESS);
	/* clone3, faccessat2: the C library has an older call for each. */
	assert_int_equal(filter_plain(AGENT, 435), TOO_NEW);
	assert_int_equal(filter_plain(AGENT, 439), TOO_NEW);
	assert_int_equal(filter_plain(AGENT, 100000), TOO_NEW);
}

/* ---- the kernel ---- */

static long do_exec(void)
{
	char *const argv[] = { (char *)(uintptr_t) "true", NULL };

	return execve("/bin/true", argv, NULL);
}

static long do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long do_open_shadow(void)
{
	return open("/etc/shadow", O_RDONLY);
}

static long do_open_null(void)
{
	return open("/dev/null", O_RDONLY);
}

static long do_create(void)
{
	return open("/tmp/sandbox-test-file", O_WRONLY | O_CREAT, 0600);
}

static long do_inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long do_local(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long do_syslog_socket(void)
{
	return socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static long do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long do_executable(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static long do_memory(void)
{
	void *block = malloc(1 << 20);
	long rc = block ? 0 : -1;

	free(block);
	return rc;
}

static long do_status(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == 2
		       ? 0
		       : -1;
}

static long do_abort(void)
{
	abort();
	return 0;
}

static void test_the_kernel_refuses(void **state)
{
	(void)state;
	assert_int_equal(filter_try(AGENT, do_exec), EPERM);
	assert_int_equal(filter_try(AGENT, do_ptrace), EPERM);
	assert_int_equal(filter_try(AGENT, do_open_shadow), EPERM);
	assert_int_equal(filter_try(AGENT, do_open_null), EPERM);
	assert_int_equal(filter_try(AGENT, do_inet), EPERM);
	assert_int_equal(filter_try(AGENT, do_local), EPERM);
	assert_int_equal(filter_try(AGENT, do_fork), EPERM);
	assert_int_equal(filter_try(AGENT, do_executable), EPERM);
	assert_int_equal(filter_try(TRY, do_open_null), EPERM);
	assert_int_equal(filter_try(TRY, do_local), EPERM);
	assert_int_equal(filter_try(TRY, do_syslog_socket), EPERM);
	assert_int_equal(filter_try(TRY, do_exec), EPERM);
	assert_int_equal(filter_try(reader("tgt"), do_create), EPERM);
	assert_int_equal(filter_try(reader("tgt"), do_inet), EPERM);
	assert_int_equal(filter_try(reader("lio"), do_local), EPERM);
	assert_int_equal(filter_try(SAVER, do_inet), EPERM);
}

static void test_the_kernel_allows(void **state)
{
	(void)state;
	assert_int_equal(filter_try(AGENT, do_memory), 0);
	assert_int_equal(filter_try(AGENT, do_syslog_socket), 0);
	assert_int_equal(filter_try(SANDBOX_FORK, do_status), 0);
	assert_int_equal(filter_try(SANDBOX_FORK, do_fork), 0);
	assert_int_equal(filter_try(TRY, do_inet), 0);
	assert_int_equal(filter_try(reader("tgt"), do_open_null), 0);
	assert_int_equal(filter_try(reader("tgt"), do_local), 0);
	assert_int_equal(filter_try(AGENT, do_abort), -SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_longest_program_fits),
		cmocka_unit_test(test_the_agent_has_few_calls),
		cmocka_unit_test(test_nobody_may),
		cmocka_unit_test(test_who_takes_connections),
		cmocka_unit_test(test_the_agent_opens_nothing),
		cmocka_unit_test(test_sockets_by_need),
		cmocka_unit_test(test_files_by_need),
		cmocka_unit_test(test_nothing_becomes_executable),
		cmocka_unit_test(test_forks_make_no_namespace),
		cmocka_unit_test(test_numbers_that_are_not_ours),
		cmocka_unit_test(test_the_kernel_refuses),
		cmocka_unit_test(test_the_kernel_allows),
	};

	if (filter_is_missing())
		return EXIT_SUCCESS;
#ifdef __SANITIZE_ADDRESS__ /* has no filter: the last two are not for it */
	if (sandbox_enter(AGENT) != -ENOTSUP)
		return EXIT_FAILURE;
	return _cmocka_run_group_tests("tests", tests, ARRAY_SIZE(tests) - 2, NULL, NULL);
#else
	return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
