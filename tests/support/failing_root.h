/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a source reads fails once, or goes away after it was listed; for the one file of a test that
 * includes this. The file must name what is wrapped, for the linker's list (Makefile):
 *	__wrap_root_read __wrap_root_read_link __wrap_root_list __wrap_root_read_filtered
 *	__wrap_root_file_read __wrap_root_tcp_sockets __wrap_root_exchange
 */
#ifndef TESTS_SUPPORT_FAILING_ROOT_H
#define TESTS_SUPPORT_FAILING_ROOT_H

#include "base/root.h"

static struct {
	unsigned int operations; /* so far */
	unsigned int fail_at;	 /* the one that fails, from 1; 0 none */
	int error;		 /* with this */
	char path[512];		 /* what has failed, "" nothing */
	bool was_list;		 /* it was a directory */
	/* When `listed` was listed, `gone` is -ENOENT, and all below it; "" none. */
	char listed[512], gone[512];
	bool is_gone;
	/* Called with each directory that was listed; NULL none. */
	void (*on_list)(const char *path, const struct buf *names, int count);
	unsigned int depth; /* root_file_read calls root_read: that is one */
} failing;

/* The error of this operation, 0 none. */
static int failure_of(const char *path, bool is_list)
{
	size_t length = strlen(failing.gone);

	if (failing.is_gone && strncmp(path, failing.gone, length) == 0 &&
		(path[length] == '\0' || path[length] == '/'))
		return -ENOENT;
	if (failing.depth > 0 || ++failing.operations != failing.fail_at)
		return 0;
	snprintf(failing.path, sizeof(failing.path), "%s", path);
	failing.was_list = is_list;
	return failing.error;
}

ssize_t __real_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	int rc = failure_of(path, false);

	if (rc == 0)
		return __real_root_read(root, path, out, capacity);
	out[0] = '\0';
	return rc;
}

ssize_t __real_root_read_link(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read_link(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read_link(struct root *root, const char *path, char *out, size_t capacity)
{
	int rc = failure_of(path, false);

	if (rc == 0)
		return __real_root_read_link(root, path, out, capacity);
	out[0] = '\0';
	return rc;
}

ssize_t __real_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity);
ssize_t __wrap_root_file_read(struct root_file *file, char *out, size_t capacity)
{
	ssize_t rc = failure_of("a file that is kept open", false);

	if (rc < 0) {
		out[0] = '\0';
		return rc;
	}
	failing.depth++;
	rc = __real_root_file_read(file, out, capacity);
	failing.depth--;
	return rc;
}

int __real_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names)
{
	int rc = failure_of(path, true);

	if (rc < 0) {
		buf_reset(names);
		return rc;
	}
	rc = __real_root_list(root, path, names);
	if (failing.on_list && rc > 0)
		failing.on_list(path, names, rc);
	failing.is_gone |= failing.gone[0] && strcmp(path, failing.listed) == 0;
	return rc;
}

ssize_t __real_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);
ssize_t __wrap_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out);
ssize_t __wrap_root_read_filtered(
	struct root *root, const char *path, const char *const keys[], struct buf *out)
{
	int rc = failure_of(path, false);

	if (rc == 0)
		return __real_root_read_filtered(root, path, keys, out);
	buf_reset(out);
	return rc;
}

ssize_t __real_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret);
ssize_t __wrap_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret);
ssize_t __wrap_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret)
{
	int rc = failure_of("the table of sockets", false);

	return rc < 0 ? rc : __real_root_tcp_sockets(root, deadline_ns, ret);
}

int __real_root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer);
int __wrap_root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer);
int __wrap_root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer)
{
	int rc = failure_of(socket_path, false);

	if (rc == 0)
		return __real_root_exchange(root, socket_path, request, request_length,
			answer_length, deadline_ns, answer, ret_peer);
	buf_reset(answer);
	return rc;
}

#endif
