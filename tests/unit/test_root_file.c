/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that stay open: quick on sysfs, and never another content than a fresh open would show. */
#include "base/root_private.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include <cmocka.h>

#define ATTRIBUTE "/sys/class/net/lo/mtu"

static struct root *live;
static int opens, preads;
static int fail_pread; /* errno of the next pread(2), or 0 */
static bool fail_malloc;
static long file_system; /* what fstatfs(2) tells instead of the truth, or 0 */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, mode_t mode);
ssize_t __real_pread(int fd, void *out, size_t length, off_t offset);
ssize_t __wrap_pread(int fd, void *out, size_t length, off_t offset);
int __real_fstatfs(int fd, struct statfs *out);
int __wrap_fstatfs(int fd, struct statfs *out);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

int __wrap_open(const char *path, int flags, mode_t mode)
{
	opens++;
	return __real_open(path, flags, mode);
}

ssize_t __wrap_pread(int fd, void *out, size_t length, off_t offset)
{
	preads++;
	if (fail_pread) {
		errno = fail_pread;
		fail_pread = 0;
		return -1;
	}
	return __real_pread(fd, out, length, offset);
}

int __wrap_fstatfs(int fd, struct statfs *out)
{
	int rc = __real_fstatfs(fd, out);

	if (file_system)
		out->f_type = file_system;
	return rc;
}

void *__wrap_malloc(size_t size)
{
	return fail_malloc ? NULL : __real_malloc(size);
}

static int set_up(void **state)
{
	(void)state;
	fail_pread = 0;
	fail_malloc = false;
	file_system = 0;
	scratch_begin();
	return root_open(NULL, &live);
}

static int tear_down(void **state)
{
	(void)state;
	root_close(live);
	scratch_end();
	return 0;
}

/* The attribute through a kept file and by root_read; skips where there is no sysfs. */
static struct root_file *open_attribute(char expected[64])
{
	struct root_file *file;
	char out[64];

	if (root_read(live, ATTRIBUTE, expected, 64) < 0) {
		print_message("skipped: no attribute of sysfs to read\n");
		skip();
	}
	assert_int_equal(root_file_open(live, ATTRIBUTE, &file), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
	assert_string_equal(out, expected);
	return file;
}

static void sysfs_is_opened_once(void **state)
{
	char expected[64], out[64];
	struct root_file *file = open_attribute(expected);

	(void)state;
	opens = preads = 0;
	for (int i = 0; i < 10; i++) {
		assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
		assert_string_equal(out, expected);
	}
	assert_int_equal(opens, 0);
	assert_int_equal(preads, 10);
	root_file_close(file);
	root_file_close(NULL);
	assert_int_equal(live->kept_files, 0);
}

static void a_gone_object_is_looked_up_anew(void **state)
{
	char expected[64], out[64] = "";
	struct root_file *file = open_attribute(expected);

	(void)state;
	fail_pread = ENODEV;
	assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
	assert_string_equal(out, expected);
	assert_int_equal(live->kept_files, 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
	assert_int_equal(live->kept_files, 1);
	root_file_close(file);
}

/* One number while it is open; none while it is not; another one for what comes after it. */
static void an_object_has_a_number(void **state)
{
	char expected[64], out[64] = "";
	struct root_file *file = open_attribute(expected), *other;
	uint64_t object = root_file_object(file);

	(void)state;
	assert_int_not_equal(object, 0);
	root_file_read(file, out, sizeof(out));
	assert_int_equal(root_file_object(file), object);
	fail_pread = EIO;
	root_file_read(file, out, sizeof(out));
	assert_int_equal(root_file_object(file), object);
	fail_pread = ENODEV;
	root_file_read(file, out, sizeof(out));
	assert_int_equal(root_file_object(file), 0);
	root_file_read(file, out, sizeof(out));
	assert_int_not_equal(root_file_object(file), 0);
	assert_int_not_equal(root_file_object(file), object);
	root_file_close(file);
	scratch_text("/a", "one");
	assert_int_equal(root_file_open(live, scratch_path("/a"), &other), 0);
	assert_int_equal(root_file_object(other), 0);
	assert_int_equal(root_file_read(other, out, sizeof(out)), 3);
	assert_int_equal(root_file_object(other), 0);
	root_file_close(other);
}

static void errors_pass_through_and_the_file_stays(void **state)
{
	static const int errors[] = { ENOTCONN, EINVAL, EIO, EACCES };
	char expected[64], out[64];
	struct root_file *file = open_attribute(expected);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		fail_pread = errors[i];
		assert_int_equal(root_file_read(file, out, sizeof(out)), -errors[i]);
		assert_string_equal(out, "");
	}
	fail_pread = EINTR;
	assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
	assert_int_equal(live->kept_files, 1);
	root_file_close(file);
}

static void the_capacity_counts_the_nul(void **state)
{
	char expected[64], out[64];
	struct root_file *file = open_attribute(expected);
	size_t length = strlen(expected);

	(void)state;
	assert_int_equal(root_file_read(file, out, length + 1), length);
	assert_string_equal(out, expected);
	assert_int_equal(root_file_read(file, out, length), -E2BIG);
	assert_string_equal(out, "");
	assert_int_equal(root_file_read(file, out, 0), -EINVAL);
	root_file_close(file);
}

static void other_files_are_opened_each_time(void **state)
{
	struct root_file *file, *kernel;
	char out[64];

	(void)state;
	scratch_text("/a", "one");
	assert_int_equal(root_file_open(live, scratch_path("/a"), &file), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), 3);
	scratch_text("/b", "second");
	assert_int_equal(rename(scratch_path("/b"), scratch_path("/a")), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), 6);
	assert_string_equal(out, "second");
	assert_int_equal(unlink(scratch_path("/a")), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), -ENOENT);
	assert_int_equal(root_file_open(live, "/proc/sys/kernel/ostype", &kernel), 0);
	assert_int_equal(root_file_read(kernel, out, sizeof(out)), 6);
	assert_int_equal(live->kept_files, 0);
	root_file_close(file);
	root_file_close(kernel);
}

/* It shows an open file its first content for ever. */
static void configfs_is_opened_each_time(void **state)
{
	struct root_file *file;
	char expected[64];

	(void)state;
	file_system = 0x62656570 /* CONFIGFS_MAGIC */;
	file = open_attribute(expected);
	assert_int_equal(live->kept_files, 0);
	root_file_close(file);
}

static void a_prefix_is_read_the_same_way(void **state)
{
	struct root_file *file;
	struct root *root;
	char out[64];

	(void)state;
	scratch_dir("/sys");
	assert_int_equal(root_open(scratch_path(""), &root), 0);
	assert_int_equal(root_file_open(root, "/sys//value", &file), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), -ENOENT);
	scratch_text("/sys/value", "1\n");
	assert_int_equal(root_file_read(file, out, sizeof(out)), 2);
	scratch_text("/sys/value", "2\n");
	assert_int_equal(root_file_read(file, out, sizeof(out)), 2);
	assert_string_equal(out, "2\n");
	root_file_close(file);
	root_close(root);
}

static void what_is_kept_open_is_recorded(void **state)
{
	char expected[64], out[64];
	struct root_file *file = open_attribute(expected);
	struct root *replay;

	(void)state;
	assert_int_equal(root_record_start(live), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
	assert_int_equal(root_record_save(live, scratch_path("/x.tree")), 0);
	root_file_close(file);
	assert_int_equal(root_open(scratch_path("/x.tree"), &replay), 0);
	assert_int_equal(root_file_open(replay, ATTRIBUTE, &file), 0);
	assert_int_equal(root_file_read(file, out, sizeof(out)), strlen(expected));
	assert_string_equal(out, expected);
	root_file_close(file);
	root_close(replay);
}

/* Of few descriptors half are left for everything else, of many a fixed number. */
static void some_descriptors_are_left(void **state)
{
	static const struct {
		rlim_t limit;
		size_t kept;
	} cases[] = { { 64, 32 }, { 500, 250 }, { 600, 344 } };
	static struct root_file *files[600];
	char expected[64], out[64];
	struct rlimit old, limit;

	(void)state;
	root_file_close(open_attribute(expected));
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	for (size_t n = 0; n < ARRAY_SIZE(cases); n++) {
		struct root *root;

		limit = old;
		limit.rlim_cur = cases[n].limit;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
		assert_int_equal(root_open(NULL, &root), 0);
		for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
			assert_int_equal(root_file_open(root, ATTRIBUTE, &files[i]), 0);
			assert_int_equal(
				root_file_read(files[i], out, sizeof(out)), strlen(expected));
		}
		assert_int_equal(root->kept_files, cases[n].kept);
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			root_file_close(files[i]);
		assert_int_equal(root->kept_files, 0);
		root_close(root);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
}

static void a_file_that_may_not_be_opened_is_refused(void **state)
{
	struct root_file *file = NULL;

	(void)state;
	assert_int_equal(root_file_open(live, "/sys/a/password", &file), -EACCES);
	assert_int_equal(root_file_open(live, "/etc/iscsi/iscsid.conf", &file), -EACCES);
	assert_int_equal(root_file_open(live, "sys", &file), -EINVAL);
	assert_int_equal(root_file_open(live, "/sys/../etc", &file), -EINVAL);
	fail_malloc = true;
	assert_int_equal(root_file_open(live, ATTRIBUTE, &file), -ENOMEM);
	fail_malloc = false;
	assert_null(file);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(sysfs_is_opened_once),
		ONE(a_gone_object_is_looked_up_anew),
		ONE(an_object_has_a_number),
		ONE(errors_pass_through_and_the_file_stays),
		ONE(the_capacity_counts_the_nul),
		ONE(other_files_are_opened_each_time),
		ONE(configfs_is_opened_each_time),
		ONE(a_prefix_is_read_the_same_way),
		ONE(what_is_kept_open_is_recorded),
		ONE(some_descriptors_are_left),
		ONE(a_file_that_may_not_be_opened_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
