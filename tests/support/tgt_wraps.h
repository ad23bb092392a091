/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tgtd of tgt_double.h in the place of base/root.h, for the one file of a test that includes
 * this. The file must name what is wrapped, for the linker's list (Makefile).
 */
#ifndef TESTS_SUPPORT_TGT_WRAPS_H
#define TESTS_SUPPORT_TGT_WRAPS_H

#include "tests/support/tgt_double.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

int __wrap_root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer);
int __wrap_root_exchange(struct root *root, const char *socket_path, const void *request,
	size_t request_length, root_answer_length_fn *answer_length, uint64_t deadline_ns,
	struct buf *answer, struct root_peer *ret_peer)
{
	(void)root;
	(void)deadline_ns;
	return double_exchange(
		socket_path, request, request_length, answer_length, answer, ret_peer);
}

int __wrap_root_list(struct root *root, const char *path, struct buf *names);
int __wrap_root_list(struct root *root, const char *path, struct buf *names)
{
	(void)root;
	return double_list(path, names);
}

ssize_t __wrap_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret);
ssize_t __wrap_root_tcp_sockets(
	struct root *root, uint64_t deadline_ns, struct root_tcp_socket **ret)
{
	(void)root;
	(void)deadline_ns;
	return double_tcp_sockets(ret);
}

ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read(struct root *root, const char *path, char *out, size_t capacity)
{
	(void)root;
	return double_read(path, out, capacity);
}

ssize_t __wrap_root_read_link(struct root *root, const char *path, char *out, size_t capacity);
ssize_t __wrap_root_read_link(struct root *root, const char *path, char *out, size_t capacity)
{
	(void)root;
	return double_read_link(path, out, capacity);
}

/* Name and alias, "-" unknown. */
static inline void assert_session(uint16_t nexus, const char *name, const char *alias)
{
	const struct session *session = session_of(nexus);

	assert_non_null(session);
	assert_string_equal(text_of(&session->initiator_name), name);
	assert_string_equal(text_of(&session->initiator_alias), alias);
}

/* Copies the key into `out`, which it returns. */
static inline char *session_key(uint16_t nexus, char out[128])
{
	const struct session *session = session_of(nexus);

	assert_non_null(session);
	snprintf(out, 128, "%s", text_of(&session->key));
	return out;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, tgt_set_up, tgt_tear_down)

#endif
