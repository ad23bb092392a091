/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The changes of scst_double.h in what base/root.h reads, and its time, for the one file of a test
 * that includes this. The file must name what is wrapped, for the linker's list (Makefile).
 */
#ifndef TESTS_SUPPORT_SCST_WRAPS_H
#define TESTS_SUPPORT_SCST_WRAPS_H

#include "tests/support/scst_double.h"

uint64_t __wrap_clock_now_ns(void);
uint64_t __wrap_clock_now_ns(void)
{
	return scst.now_ns;
}

ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	const struct scst_change *change = scst_find_change(scst.changes, path);
	size_t length = strlen(scst.asked);

	snprintf(scst.asked + length, sizeof(scst.asked) - length, "%s\n", path);
	if (!change)
		return __real_root_read(root, path, out, capacity);
	if (!change->text)
		return change->error;
	return snprintf(out, capacity, "%s", change->text);
}

int __real_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names)
{
	const struct scst_change *change = scst_find_change(scst.list_changes, path);

	return change ? change->error : __real_root_list(root, path, names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scst_set_up, scst_tear_down)

#endif
