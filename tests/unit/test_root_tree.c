/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings: the format, its faults, and replay. (How one is made: test_root_record.c.) */
#include "base/root_private.h"

#include "base/log.h"
#include "tests/support/scratch.h"
#include "tests/support/tree_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static char message[1024]; /* the last message */
static int messages;
static int fail_malloc_at; /* counts down to the allocation that fails */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool malloc_fails(void)
{
	return fail_malloc_at > 0 && --fail_malloc_at == 0;
}

void *__wrap_malloc(size_t size)
{
	return malloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return malloc_fails() ? NULL : __real_realloc(old, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return malloc_fails() ? NULL : __real_calloc(count, size);
}

static void keep_message(int priority, const char *text)
{
	assert_int_equal(priority, LOG_ERR);
	snprintf(message, sizeof(message), "%s", text);
	messages++;
}

static int set_up(void **state)
{
	(void)state;
	messages = fail_malloc_at = 0;
	message[0] = '\0';
	log_set_sink(keep_message);
	scratch_begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fail_malloc_at = 0;
	log_set_sink(NULL);
	scratch_end();
	return 0;
}

static void expect(struct root *root, const char *path, ssize_t expected, const char *content)
{
	char out[256];

	assert_int_equal(root_read(root, path, out, sizeof(out)), expected);
	assert_memory_equal(out, content, expected > 0 ? (size_t)expected + 1 : 1);
}

static void a_recording_is_replayed(void **state)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct root *root = tree_text_open(tree_text_all_kinds);
	struct root_peer peer = { .pid = -1 };
	char text[64];

	(void)state;
	assert_false(root_is_live(root));
	expect(root, "/sys/a b/bare", 10, "no newline");
	expect(root, "/sys/a b/binary", 11, "\0\1\377\\\t\r  \n\nx");
	expect(root, "/sys/a b/gone", -ENODEV, "");
	expect(root, "/sys/a b/nothing", 0, "");
	expect(root, "/sys/a b/state", 10, "LOGGED_IN\n");
	expect(root, "/sys/link/below", 2, "1\n");
	expect(root, "/sys/a b/other", -ENOENT, "");
	expect(root, "/sys", -ENOENT, "");
	assert_int_equal(root_read_link(root, "/sys/a b/gone", text, sizeof(text)), -512);
	assert_int_equal(root_read_link(root, "/sys/link", text, sizeof(text)), 7);
	assert_string_equal(text, "../x \ny");
	assert_int_equal(root_read_link(root, "/sys/link", text, 7), -E2BIG);
	assert_int_equal(root_list(root, "/sys", &out), 3);
	assert_int_equal(out.length, 4 + 4 + 9);
	assert_memory_equal(out.data, "a b\0new\nline\0\303\274 ", 17);
	assert_int_equal(root_list(root, "/sys/empty", &out), 0);
	assert_int_equal(root_list(root, "/sys/closed", &out), -EACCES);
	assert_int_equal(root_list(root, "/nowhere", &out), -ENOENT);
	assert_int_equal(tree_text_ask(root, "/var/run/tgtd/socket.0", "\0\1", 2, &out, &peer), 0);
	assert_string_equal(out.data, "Target 1: iqn.a\n");
	assert_int_equal(peer.pid, 812);
	assert_int_equal(peer.uid, 0);
	assert_int_equal(peer.start_time, 4711);
	peer.pid = -1;
	assert_int_equal(tree_text_ask(root, "/var/run/tgtd/socket.0", "\0\2\n", 3, &out, &peer),
		-ETIMEDOUT);
	assert_string_equal(out.data, "half");
	assert_int_equal(peer.pid, -1);
	assert_int_equal(
		tree_text_ask(root, "/var/run/tgtd/socket.0", "\0\2", 2, &out, NULL), -ENOENT);
	assert_int_equal(out.length, 0);
	assert_int_equal(tree_text_ask(root, "@/org/x", "", 0, &out, &peer), -ECONNREFUSED);
	root_close(root);
}

static void links_of_a_packed_tree_are_followed(void **state)
{
	struct root *root =
		tree_text_open(TREE_TEXT_HEAD "link /sys/class/s1\n|../devices/h/s1\n"
					      "link /sys/devices/h\n|/sys/real\n"
					      "file /sys/real/s1/state\n|ok\n"
					      "dir /sys/real/s1\n|state\n"
					      "file /sys/real/s1/password\n|CANARY\n"
					      "link /sys/class/p\n|/sys/real/s1/password\n"
					      "link /sys/loop\n|loop\n");
	CLEANUP_BUF struct buf names = BUF_INIT(64);
	char text[64];

	(void)state;
	expect(root, "/sys/class/s1/state", 3, "ok\n");
	assert_int_equal(root_list(root, "/sys/class/s1", &names), 1);
	assert_int_equal(root_read_link(root, "/sys/devices/h", text, sizeof(text)), 9);
	expect(root, "/sys/loop/x", -ELOOP, "");
	expect(root, "/sys/class/p", -EACCES, "");
	expect(root, "/sys/real/s1/password", -EACCES, "");
	root_close(root);
}

static void a_damaged_recording_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text;
		unsigned int line;
	} bad[] = {
		{ "", 1 },
		{ "iscsi-agentx tree 2\n", 1 },
		{ "iscsi-agentx tree 1", 1 },
		{ TREE_TEXT_HEAD "\n", 2 },
		{ TREE_TEXT_HEAD "|x\n", 2 },
		{ TREE_TEXT_HEAD "file /a\n|x", 3 },
		{ TREE_TEXT_HEAD "pipe /a\n", 2 },
		{ TREE_TEXT_HEAD "file\n", 2 },
		{ TREE_TEXT_HEAD "file \n", 2 },
		{ TREE_TEXT_HEAD "file  /a\n", 2 },
		{ TREE_TEXT_HEAD "file /a \n", 2 },
		{ TREE_TEXT_HEAD "file /a b\n", 2 },
		{ TREE_TEXT_HEAD "file a\n", 2 },
		{ TREE_TEXT_HEAD "file /a/\n", 2 },
		{ TREE_TEXT_HEAD "file /a//b\n", 2 },
		{ TREE_TEXT_HEAD "file /a/../b\n", 2 },
		{ TREE_TEXT_HEAD "file @a\n", 2 },
		{ TREE_TEXT_HEAD "file /a\\000b\n", 2 },
		{ TREE_TEXT_HEAD "file /a\\\n", 2 },
		{ TREE_TEXT_HEAD "file /a\n|\\x41\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n|\\400\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n|\\07\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n|\t\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n|\r\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n|\303\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n>x\n", 3 },
		{ TREE_TEXT_HEAD "file /a\n!EIO\n", 3 },
		{ TREE_TEXT_HEAD "file /a\nfile /a\n", 4 },
		{ TREE_TEXT_HEAD "file /a\nerror /a read EIO\n", 4 },
		{ TREE_TEXT_HEAD "link /a\n", 3 },
		{ TREE_TEXT_HEAD "link /a\n|\n", 3 },
		{ TREE_TEXT_HEAD "link /a\n|b\n|c\n", 4 },
		{ TREE_TEXT_HEAD "link /a\n|b\\\n", 3 },
		{ TREE_TEXT_HEAD "dir /a\n|b\n|a\n", 4 },
		{ TREE_TEXT_HEAD "dir /a\n|b\n|b\n", 4 },
		{ TREE_TEXT_HEAD "dir /a\n|a/b\n", 3 },
		{ TREE_TEXT_HEAD "dir /a\n|..\n", 3 },
		{ TREE_TEXT_HEAD "dir /a\n|\n", 3 },
		{ TREE_TEXT_HEAD "dir /a\n|x\\000y\n", 3 },
		{ TREE_TEXT_HEAD "error /a\n", 2 },
		{ TREE_TEXT_HEAD "error /a read\n", 2 },
		{ TREE_TEXT_HEAD "error /a write EIO\n", 2 },
		{ TREE_TEXT_HEAD "error /a read ENOTHING\n", 2 },
		{ TREE_TEXT_HEAD "error /a read 0\n", 2 },
		{ TREE_TEXT_HEAD "error /a read 4096\n", 2 },
		{ TREE_TEXT_HEAD "error /a read EIO EIO\n", 2 },
		{ TREE_TEXT_HEAD "error /a read EIO\n|x\n", 3 },
		{ TREE_TEXT_HEAD "socket /a\n", 2 },
		{ TREE_TEXT_HEAD "socket @ pid=1 uid=1 start=1\n", 2 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1\n", 2 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=x\n", 2 },
		{ TREE_TEXT_HEAD "socket /a pid=2147483648 uid=1 start=1\n", 2 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=1 x\n", 2 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=1\n|x\n", 3 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=1\n<x\n>y\n", 4 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=1\n!EIO\n<y\n", 4 },
		{ TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=1\n!0\n", 3 },
		{ TREE_TEXT_HEAD "# comment\nbad\n", 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct root *root = NULL;
		char where[64];

		scratch_text("/x.tree", bad[i].text);
		messages = 0;
		if (root_open(scratch_path("/x.tree"), &root) != -EBADMSG)
			fail_msg("accepted: %s", bad[i].text);
		assert_null(root);
		assert_int_equal(messages, 1);
		snprintf(where, sizeof(where), "/x.tree:%u: ", bad[i].line);
		if (!strstr(message, where))
			fail_msg("%s: not at line %u: %s", bad[i].text, bad[i].line, message);
	}
}

static void a_recording_with_nul_octets_is_refused(void **state)
{
	static const char text[] = TREE_TEXT_HEAD "file /a\n|x\\\0\n";
	struct root *root;

	(void)state;
	scratch_file("/x.tree", text, sizeof(text) - 1);
	assert_int_equal(root_open(scratch_path("/x.tree"), &root), -EBADMSG);
}

static void comments_and_long_lines_are_read(void **state)
{
	struct root *root =
		tree_text_open(TREE_TEXT_HEAD "# a comment\nfile /a\n|one \\\n# inside\n|line\n");

	(void)state;
	expect(root, "/a", 9, "one line\n");
	root_close(root);
}

static void an_edited_answer_is_checked_like_that_of_a_peer(void **state)
{
	struct root *root =
		tree_text_open(TREE_TEXT_HEAD "socket /a pid=1 uid=1 start=1\n<half\\\n"
					      "socket /b pid=1 uid=1 start=1\n<X\n"
					      "socket /c pid=1 uid=1 start=1\n"
					      "socket /d pid=1 uid=1 start=1\n<one\n<two\n");
	CLEANUP_BUF struct buf out = BUF_INIT(64);
	CLEANUP_BUF struct buf small = BUF_INIT(3);

	(void)state;
	assert_int_equal(tree_text_ask(root, "/a", "", 0, &out, NULL), -ECONNRESET);
	assert_int_equal(tree_text_ask(root, "/b", "", 0, &out, NULL), -EBADMSG);
	assert_int_equal(tree_text_ask(root, "/c", "", 0, &out, NULL), -ECONNRESET);
	assert_int_equal(tree_text_ask(root, "/d", "", 0, &out, NULL), 0);
	assert_string_equal(out.data, "one\n");
	assert_int_equal(tree_text_ask(root, "/d", "", 0, &small, NULL), -E2BIG);
	root_close(root);
}

static void allocation_failures_are_enomem(void **state)
{
	int rc = -ENOMEM, at;

	(void)state;
	scratch_text("/x.tree", tree_text_all_kinds);
	for (at = 1; rc == -ENOMEM && at < 1000; at++) {
		struct root *root = NULL;

		fail_malloc_at = at;
		rc = root_open(scratch_path("/x.tree"), &root);
		fail_malloc_at = 0;
		assert_true(rc == 0 || !root);
		assert_int_equal(messages, 0);
		root_close(root);
	}
	assert_int_equal(rc, 0);
	assert_true(at > 20);
}

static void every_errno_name_reads_back(void **state)
{
	int named = 0;

	(void)state;
	for (int i = 1; i < 200; i++) {
		const char *name = tree_errno_name(i);

		if (name) {
			assert_int_equal(tree_errno_number(name, strlen(name)), i);
			named++;
		}
	}
	assert_true(named > 50);
	assert_int_equal(tree_errno_number("ENOEN", 5), 0);
	assert_int_equal(tree_errno_number("", 0), 0);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(a_recording_is_replayed),
		ONE(links_of_a_packed_tree_are_followed),
		ONE(a_damaged_recording_is_refused_with_its_line),
		ONE(a_recording_with_nul_octets_is_refused),
		ONE(comments_and_long_lines_are_read),
		ONE(an_edited_answer_is_checked_like_that_of_a_peer),
		ONE(allocation_failures_are_enomem),
		ONE(every_errno_name_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
