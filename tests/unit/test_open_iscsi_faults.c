/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source open-iscsi with one thing going wrong at a time: each read in turn, each allocation
 * in turn. A read that fails may cost values or rows, but never gives a value that is not there
 * when all goes well; and the next poll is as good as ever.
 */
#include "tests/support/open_iscsi_lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static unsigned int reads, fail_read_at; /* 1 is the first; 0 none */
static int fail_error;
static char failed_path[512];
static unsigned int allocations, fail_allocation_at;

ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __real_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __real_root_read_link(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read_link(struct root *root, const char *path, char *out, size_t capacity);
int __real_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names);
ssize_t __real_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);
ssize_t __wrap_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);

/* A file that is not open is read by root_read: that is one read. */
static int depth;

static bool read_fails(const char *path)
{
	if (depth > 0 || ++reads != fail_read_at)
		return false;
	snprintf(failed_path, sizeof(failed_path), "%s", path);
	return true;
}

ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	if (read_fails(path)) {
		out[0] = '\0';
		return fail_error;
	}
	return __real_root_read(root, path, out, capacity);
}

ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity)
{
	ssize_t rc;

	if (read_fails("a file that is kept")) {
		out[0] = '\0';
		return fail_error;
	}
	depth++;
	rc = __real_root_file_read(file, out, capacity);
	depth--;
	return rc;
}

ssize_t __wrap_root_read_link(struct root *root, const char *path, char *out, size_t capacity)
{
	if (read_fails(path)) {
		out[0] = '\0';
		return fail_error;
	}
	return __real_root_read_link(root, path, out, capacity);
}

int __wrap_root_list(struct root *root, const char *path, struct buf *names)
{
	if (read_fails(path)) {
		buf_reset(names);
		return fail_error;
	}
	return __real_root_list(root, path, names);
}

ssize_t __wrap_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out)
{
	if (read_fails(path)) {
		buf_reset(out);
		return fail_error;
	}
	return __real_root_read_filtered(root, path, keys, out);
}

static bool allocation_fails(void)
{
	return ++allocations == fail_allocation_at;
}

void *__wrap_malloc(size_t size)
{
	return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return allocation_fails() ? NULL : __real_reallocarray(old, count, size);
}

char *__wrap_strdup(const char *text)
{
	return allocation_fails() ? NULL : __real_strdup(text);
}

static char *poll_lines(void)
{
	assert_int_equal(lab_poll(), 0);
	assert_int_equal(lab_result.error, 0);
	return lab_lines();
}

/* These say less, in other words, when a part of them is missing. */
static bool may_change(const char *line, size_t length)
{
	return memmem(line, length, " vendor_version ", 16) ||
	       memmem(line, length, " description ", 13) ||
	       memmem(line, length, " node_architecture ", 19);
}

static void assert_only_holes(const char *lines, const char *expected, unsigned int at)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n") + 1;
		const char *found = memmem(expected, strlen(expected), lines, length);

		if (!may_change(lines, length) &&
			(!found || (found > expected && found[-1] != '\n')))
			fail_msg("read %u (%s) failing with %s gives %.*s", at, failed_path,
				strerror(-fail_error), (int)length - 1, lines);
		lines += length;
	}
}

static void fail_each_read(const char *recording)
{
	unsigned int count = 1;
	char *good;

	lab_begin(recording);
	good = poll_lines();
	lab_end();
	for (unsigned int at = 1; at <= count; at++) {
		reads = 0;
		fail_read_at = at;
		lab_begin(recording);
		assert_int_equal(lab_poll(), 0);
		count = reads > count ? reads : count;
		fail_read_at = 0;
		if (lab_result.fragment) {
			char *lines = lab_lines();

			assert_only_holes(lines, good, at);
			free(lines);
		} else if (lab_result.units) {
			assert_int_equal(lab_result.error, fail_error);
		}
		/* Twice: what is found out late is used in the poll after it. */
		free(poll_lines());
		if (at > 5) { /* those are read when the reader starts, and never again */
			char *after = poll_lines();

			if (strcmp(after, good) != 0)
				fail_msg("read %u (%s) failing leaves a mark", at, failed_path);
			free(after);
		}
		lab_end();
	}
	assert_true(count > 30);
	free(good);
}

static void a_read_that_fails_costs_only_holes(void **state)
{
	static const int errors[] = { -EIO, -ENODEV, -EINVAL, -EACCES };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		fail_error = errors[i];
		fail_each_read("two-targets");
	}
	fail_error = -EIO;
	fail_each_read("many");
	fail_each_read("blackhole");
	fail_each_read("offload");
	fail_each_read("ipv6");
	fail_each_read("old-kernel");
}

static void memory_that_is_not_there_fails_the_poll(void **state)
{
	static const char *const recordings[] = { "many", "offload", "old-kernel", "hostile" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(recordings); i++) {
		unsigned int failed = 0, count = 1;

		for (unsigned int at = 1; at <= count; at++) {
			lab_begin(recordings[i]);
			allocations = 0;
			fail_allocation_at = at;
			assert_int_equal(lab_poll(), 0);
			count = allocations > count ? allocations : count;
			fail_allocation_at = 0;
			failed += lab_result.error == -ENOMEM;
			assert_true(lab_result.error == 0 || lab_result.error == -ENOMEM);
			free(poll_lines());
			lab_end();
		}
		assert_true(failed > 10);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_that_fails_costs_only_holes),
		cmocka_unit_test(memory_that_is_not_there_fails_the_poll),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
