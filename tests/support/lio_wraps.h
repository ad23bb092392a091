/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The wrapped functions of lio_double.h, for the one file of a test that includes this. The file
 * must name what is wrapped, for the linker's list (Makefile).
 */
#ifndef TESTS_SUPPORT_LIO_WRAPS_H
#define TESTS_SUPPORT_LIO_WRAPS_H

#include "tests/support/lio_double.h"

ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	return lio_double_read(root, path, out, capacity, __real_root_read);
}

int __real_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names)
{
	return lio_double_list(root, path, names, __real_root_list);
}

int __wrap_root_directory_object(struct root *root, const char *path, uint64_t *ret);
int __wrap_root_directory_object(struct root *root, const char *path, uint64_t *ret)
{
	bool fails = ++lio_fake.objects == lio_fake.fail_object;

	(void)root;
	(void)path;
	*ret = fails ? 0 : lio_fake.object;
	return fails ? lio_fake.fail_error : 0;
}

ssize_t __real_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret);
ssize_t __wrap_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret);
ssize_t __wrap_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret)
{
	if (lio_fake.sockets_error)
		return lio_fake.sockets_error;
	return __real_root_tcp_sockets(root, deadline_ns, ret);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lio_set_up, lio_tear_down)

#endif
