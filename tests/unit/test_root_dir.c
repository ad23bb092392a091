/* SPDX-License-Identifier: BSD-2-Clause */
/* base/root.h over a prefix directory and the live machine: files, links, lists, refusals. */
#include "base/root_private.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <cmocka.h>

static struct root *root;
static bool no_openat2;	    /* play a kernel before 5.6 */
static int fail_read;	    /* errno of the next read(2)s … */
static int fail_reads;	    /* … and of how many */
static size_t read_limit;   /* octets that a read(2) gives at most; 0 for any */
static int fail_malloc_at;  /* counts down to the allocation that fails */
static int opened_readable; /* open(2) calls without O_PATH */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, long a, long b, long c, long d);
ssize_t __real_read(int fd, void *out, size_t length);
ssize_t __wrap_read(int fd, void *out, size_t length);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);

int __wrap_open(const char *path, int flags, mode_t mode)
{
	opened_readable += !(flags & O_PATH);
	return __real_open(path, flags, mode);
}

long __wrap_syscall(long number, long a, long b, long c, long d)
{
	if (number == SYS_openat2 && no_openat2) {
		errno = ENOSYS;
		return -1;
	}
	return __real_syscall(number, a, b, c, d);
}

ssize_t __wrap_read(int fd, void *out, size_t length)
{
	if (fail_reads > 0) {
		fail_reads--;
		errno = fail_read;
		return -1;
	}
	return __real_read(fd, out, read_limit && length > read_limit ? read_limit : length);
}

static bool malloc_fails(void)
{
	return fail_malloc_at > 0 && --fail_malloc_at == 0;
}

void *__wrap_realloc(void *old, size_t size)
{
	return malloc_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return malloc_fails() ? NULL : __real_calloc(count, size);
}

static int set_up(void **state)
{
	(void)state;
	no_openat2 = false;
	fail_reads = fail_malloc_at = 0;
	read_limit = 0;
	scratch_begin();
	scratch_dir("/secrets"); /* the prefix itself may have any name */
	scratch_dir("/secrets/sys");
	scratch_dir("/secrets/sys/a");
	scratch_text("/secrets/sys/a/value", "42\n");
	scratch_text("/secrets/sys/a/empty", "");
	scratch_file("/secrets/sys/a/nul", "a\0b", 3);
	scratch_text("/secrets/sys/a/password", "CANARY");
	scratch_dir("/secrets/sys/class");
	scratch_link("/secrets/sys/class/absolute", "/sys/a");
	scratch_link("/secrets/sys/class/relative", "../a");
	scratch_link("/secrets/sys/class/dangling", "../b");
	scratch_link("/secrets/sys/class/loop", "loop");
	scratch_link("/secrets/sys/class/climb", "../../../../../../../../../../sys");
	scratch_link("/secrets/sys/class/escape", "/etc/passwd");
	scratch_link("/secrets/sys/class/machine", "../../../../../../../../../../etc");
	scratch_link("/secrets/sys/class/innocent", "../a/password");
	return root_open(scratch_path("/secrets"), &root);
}

static int set_up_old_kernel(void **state)
{
	int rc = set_up(state);

	no_openat2 = true;
	return rc;
}

static int tear_down(void **state)
{
	(void)state;
	fail_malloc_at = 0;
	root_close(root);
	root = NULL;
	scratch_end();
	return 0;
}

static void expect(const char *path, ssize_t expected, const char *content)
{
	char out[64] = "dirty";

	assert_int_equal(root_read(root, path, out, sizeof(out)), expected);
	assert_memory_equal(out, content, strlen(content) + 1);
}

static void files_are_read_whole(void **state)
{
	char out[8];

	(void)state;
	assert_false(root_is_live(root));
	expect("/sys/a/value", 3, "42\n");
	expect("/sys/a/empty", 0, "");
	expect("//sys/./a//value", 3, "42\n");
	assert_int_equal(root_read(root, "/sys/a/nul", out, sizeof(out)), 3);
	assert_memory_equal(out, "a\0b", 4);
	expect("/sys/a/missing", -ENOENT, "");
	expect("/sys/a/value/x", -ENOTDIR, "");
	expect("/sys/a", -EISDIR, "");
	expect("/", -EISDIR, "");
}

static void a_file_longer_than_the_buffer_is_e2big(void **state)
{
	char out[4];

	(void)state;
	assert_int_equal(root_read(root, "/sys/a/value", out, 4), 3);
	assert_string_equal(out, "42\n");
	assert_int_equal(root_read(root, "/sys/a/value", out, 3), -E2BIG);
	assert_string_equal(out, "");
	assert_int_equal(root_read(root, "/sys/a/value", out, 1), -E2BIG);
	assert_int_equal(root_read(root, "/sys/a/empty", out, 1), 0);
	assert_int_equal(root_read(root, "/sys/a/value", out, 0), -EINVAL);
}

static void paths_are_absolute_and_do_not_climb(void **state)
{
	char *endless = malloc(2 * PATH_MAX);

	(void)state;
	expect("sys/a/value", -EINVAL, "");
	expect("", -EINVAL, "");
	expect("/sys/../sys/a/value", -EINVAL, "");
	expect("/..", -EINVAL, "");
	for (size_t i = 0; i < 2 * PATH_MAX - 1; i++)
		endless[i] = i % 100 ? 'x' : '/';
	endless[2 * PATH_MAX - 1] = '\0';
	expect(endless, -ENAMETOOLONG, "");
	free(endless);
}

static void links_stay_below_the_prefix(void **state)
{
	(void)state;
	expect("/sys/class/absolute/value", 3, "42\n");
	expect("/sys/class/relative/value", 3, "42\n");
	expect("/sys/class/climb/a/value", 3, "42\n");
	expect("/sys/class/dangling", -ENOENT, "");
	expect("/sys/class/loop", -ELOOP, "");
	expect("/sys/class/loop/x", -ELOOP, "");
	expect("/sys/class/escape", -ENOENT, "");
	expect("/sys/class/machine/hostname", -ENOENT, "");
}

static void links_are_read_as_text(void **state)
{
	char out[16];

	(void)state;
	assert_int_equal(root_read_link(root, "/sys/class/relative", out, sizeof(out)), 4);
	assert_string_equal(out, "../a");
	assert_int_equal(root_read_link(root, "/sys/class/relative", out, 5), 4);
	assert_int_equal(root_read_link(root, "/sys/class/relative", out, 4), -E2BIG);
	assert_string_equal(out, "");
	assert_int_equal(root_read_link(root, "/sys/class/loop", out, sizeof(out)), 4);
	assert_int_equal(root_read_link(root, "/sys/a/value", out, sizeof(out)), -EINVAL);
	assert_int_equal(root_read_link(root, "/sys/b", out, sizeof(out)), -ENOENT);
}

static void directories_are_listed_in_order(void **state)
{
	static const char expected[] = "empty\0nul\0password\0value";
	CLEANUP_BUF struct buf names = BUF_INIT(4096);

	(void)state;
	assert_int_equal(root_list(root, "/sys/a", &names), 4);
	assert_int_equal(names.length, sizeof(expected));
	assert_memory_equal(names.data, expected, sizeof(expected));
	assert_int_equal(root_list(root, "/sys/class/absolute", &names), 4);
	assert_int_equal(names.length, sizeof(expected));
	assert_int_equal(root_list(root, "/", &names), 1);
	assert_memory_equal(names.data, "sys", 4);
	scratch_dir("/secrets/empty");
	assert_int_equal(root_list(root, "/empty", &names), 0);
	assert_int_equal(names.length, 0);
	assert_int_equal(root_list(root, "/sys/a/value", &names), -ENOTDIR);
	assert_int_equal(root_list(root, "/nowhere", &names), -ENOENT);
	assert_int_equal(root_list(root, "/sys/class/machine", &names), -ENOENT);
}

static void a_list_longer_than_its_buffer_is_e2big(void **state)
{
	CLEANUP_BUF struct buf names = BUF_INIT(10);

	(void)state;
	assert_int_equal(root_list(root, "/sys/a", &names), -E2BIG);
	assert_int_equal(names.length, 0);
	assert_int_equal(names.error, 0);
	assert_int_equal(root_list(root, "/", &names), 1);
}

static void what_is_no_regular_file_is_not_opened(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_int_equal(mkfifo(scratch_path("/secrets/fifo"), 0600), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("/secrets/sock"));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	opened_readable = 0;
	expect("/fifo", -EACCES, "");
	expect("/sock", -EACCES, "");
	if (geteuid() == 0 && mknod(scratch_path("/secrets/null"), S_IFCHR | 0600, 0x103) == 0)
		expect("/null", -EACCES, "");
	assert_int_equal(opened_readable, 0);
	close(fd);
}

static void devices_and_fifos_of_the_live_machine_are_not_opened(void **state)
{
	struct root *live;
	char out[8];

	(void)state;
	assert_int_equal(root_open(NULL, &live), 0);
	assert_int_equal(mkfifo(scratch_path("/fifo"), 0600), 0);
	opened_readable = 0;
	assert_int_equal(root_read(live, "/dev/null", out, sizeof(out)), -EACCES);
	assert_int_equal(root_read(live, scratch_path("/fifo"), out, sizeof(out)), -EACCES);
	assert_int_equal(opened_readable, 0);
	root_close(live);
}

static void the_live_machine_is_read(void **state)
{
	CLEANUP_BUF struct buf names = BUF_INIT(65536);
	struct root *live;
	char out[256];

	(void)state;
	assert_int_equal(root_open("/", &live), 0);
	assert_true(root_is_live(live));
	assert_true(root_read(live, "/proc/sys/kernel/ostype", out, sizeof(out)) > 0);
	assert_string_equal(out, "Linux\n");
	assert_true(root_read_link(live, "/proc/self", out, sizeof(out)) > 0);
	assert_true(root_list(live, "/proc/self/fd", &names) >= 3);
	assert_int_equal(root_read(live, "/proc/no-such-file", out, sizeof(out)), -ENOENT);
	assert_int_equal(root_read(live, "/proc/self/environ", out, sizeof(out)), -EACCES);
	scratch_text("/plain", "x");
	scratch_text("/password", "CANARY");
	scratch_link("/alias", "password");
	assert_int_equal(root_read(live, scratch_path("/plain"), out, sizeof(out)), 1);
	assert_int_equal(root_read(live, scratch_path("/alias"), out, sizeof(out)), -EACCES);
	root_close(live);
}

static void a_secret_is_refused_also_behind_a_link(void **state)
{
	char out[64];

	(void)state;
	expect("/sys/a/password", -EACCES, "");
	expect("/sys/class/innocent", -EACCES, "");
	expect("/sys/class/absolute/password", -EACCES, "");
	assert_int_equal(root_read_link(root, "/sys/secret", out, sizeof(out)), -EACCES);
}

static void read_errors_pass_through(void **state)
{
	static const int errors[] = { ENOTCONN, EINVAL, EIO, ENODEV, EACCES, EAGAIN, ENOENT };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		fail_read = errors[i];
		fail_reads = 1;
		expect("/sys/a/value", -errors[i], "");
	}
}

static void interrupted_and_short_reads_are_continued(void **state)
{
	(void)state;
	fail_read = EINTR;
	fail_reads = 3;
	expect("/sys/a/value", 3, "42\n");
	read_limit = 1;
	expect("/sys/a/value", 3, "42\n");
}

static void whole_reads_grow_up_to_their_limit(void **state)
{
	CLEANUP_BUF struct buf out = BUF_INIT(100000);
	CLEANUP_BUF struct buf exact = BUF_INIT(70000);
	CLEANUP_BUF struct buf small = BUF_INIT(69999);
	char *big = malloc(70000);

	(void)state;
	for (size_t i = 0; i < 70000; i++)
		big[i] = (char)(i % 251);
	scratch_file("/secrets/big", big, 70000);
	assert_int_equal(root_read_whole(root, "/big", &out), 0);
	assert_int_equal(out.length, 70000);
	assert_memory_equal(out.data, big, 70000);
	assert_int_equal(root_read_whole(root, "/big", &exact), 0);
	assert_int_equal(exact.length, 70000);
	assert_int_equal(root_read_whole(root, "/big", &small), -E2BIG);
	assert_int_equal(small.length, 0);
	free(big);
}

/* Whichever allocation fails: -ENOMEM and no leak (the sanitizer and valgrind look). */
static void allocation_failures_are_enomem(void **state)
{
	int rc = -ENOMEM, at;

	(void)state;
	for (at = 1; rc == -ENOMEM && at < 100; at++) {
		CLEANUP_BUF struct buf names = BUF_INIT(4096);

		fail_malloc_at = at;
		rc = root_list(root, "/sys/a", &names);
		fail_malloc_at = 0;
	}
	assert_int_equal(rc, 4);
	assert_true(at > 3);
	for (rc = -ENOMEM, at = 1; rc == -ENOMEM && at < 100; at++) {
		struct root *other = NULL;

		fail_malloc_at = at;
		rc = root_open(scratch_path("/secrets"), &other);
		fail_malloc_at = 0;
		assert_true(rc == 0 || !other);
		root_close(other);
	}
	assert_int_equal(rc, 0);
	assert_true(at > 2);
}

static void what_is_no_root_is_refused(void **state)
{
	struct root *other = NULL;

	(void)state;
	assert_int_equal(root_open(scratch_path("/nowhere"), &other), -ENOENT);
	assert_int_equal(mkfifo(scratch_path("/fifo"), 0600), 0);
	assert_int_equal(root_open(scratch_path("/fifo"), &other), -ENOTDIR);
	assert_null(other);
	root_close(NULL);
}

static void zones_come_from_the_root(void **state)
{
	struct text_address a;
	uint16_t port;
	char out[64];

	(void)state;
	scratch_dir("/secrets/sys/class/net");
	scratch_dir("/secrets/sys/class/net/eth7");
	scratch_text("/secrets/sys/class/net/eth7/ifindex", "77\n");
	scratch_dir("/secrets/sys/class/net/eth8");
	scratch_text("/secrets/sys/class/net/eth8/ifindex", "0x\n");
	assert_int_equal(root_to_address(root, "fe80::1%eth7", &a), 0);
	assert_string_equal(text_from_address(out, &a), "fe80::1%77");
	assert_int_equal(root_to_endpoint(root, "[fe80::1%eth7]:3260", &a, &port), 0);
	assert_int_equal(port, 3260);
	assert_int_equal(root_to_address(root, "fe80::1%eth8", &a), -ENODEV);
	assert_int_equal(root_to_address(root, "fe80::1%lo", &a), -ENODEV);
	assert_int_equal(root_to_address(root, "192.0.2.1\n", &a), 0);
}

/* A directory of the live machine is another object once it was made anew; all else is none. */
static void a_directory_of_the_live_machine_has_a_number(void **state)
{
	struct root *live;
	struct stat st;
	uint64_t object = 1;

	(void)state;
	assert_int_equal(root_open(NULL, &live), 0);
	assert_int_equal(root_directory_object(live, scratch_path("/group"), &object), -ENOENT);
	assert_int_equal(object, 0);
	scratch_dir("/group");
	scratch_dir("/passwords");
	assert_int_equal(stat(scratch_path("/group"), &st), 0);
	assert_int_equal(root_directory_object(live, scratch_path("/group"), &object), 0);
	assert_int_equal(object, st.st_ino);
	assert_int_equal(root_directory_object(live, scratch_path("/passwords"), &object), -EACCES);
	assert_int_equal(object, 0);
	assert_int_equal(root_directory_object(live, "/proc/self/stat", &object), -ENOTDIR);
	assert_int_equal(root_directory_object(live, "group", &object), -EINVAL);
	object = 1;
	assert_int_equal(root_directory_object(root, "/sys/a", &object), 0);
	assert_int_equal(object, 0);
	root_close(live);
}

#define BOTH(test)                                                                 \
	cmocka_unit_test_setup_teardown(test, set_up, tear_down),                  \
	{                                                                          \
#test "_without_openat2", test, set_up_old_kernel, tear_down, NULL \
	}
#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(files_are_read_whole),
		ONE(a_file_longer_than_the_buffer_is_e2big),
		ONE(paths_are_absolute_and_do_not_climb),
		BOTH(links_stay_below_the_prefix),
		BOTH(links_are_read_as_text),
		BOTH(directories_are_listed_in_order),
		ONE(a_list_longer_than_its_buffer_is_e2big),
		BOTH(what_is_no_regular_file_is_not_opened),
		ONE(devices_and_fifos_of_the_live_machine_are_not_opened),
		ONE(the_live_machine_is_read),
		BOTH(a_secret_is_refused_also_behind_a_link),
		ONE(read_errors_pass_through),
		ONE(interrupted_and_short_reads_are_continued),
		ONE(whole_reads_grow_up_to_their_limit),
		ONE(allocation_failures_are_enomem),
		ONE(what_is_no_root_is_refused),
		BOTH(zones_come_from_the_root),
		ONE(a_directory_of_the_live_machine_has_a_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
