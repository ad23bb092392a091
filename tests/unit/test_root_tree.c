/* SPDX-License-Identifier: BSD-2-Clause */
/* Recordings: the format, its faults, replay, recording, and that no secret gets into one. */
#include "base/root_private.h"

#include "base/log.h"
#include "tests/support/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

#define HEAD "iscsi-agentx tree 1\n"

static char message[1024]; /* the last message */
static int messages;
static int fail_malloc_at;			/* counts down to the allocation that fails */
static int fail_rename, fail_write, fail_fsync; /* errno of the next call, or 0 */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
int __real_rename(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
ssize_t __real_write(int fd, const void *data, size_t length);
ssize_t __wrap_write(int fd, const void *data, size_t length);
int __real_fsync(int fd);
int __wrap_fsync(int fd);

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

static bool call_fails(int *error)
{
	if (*error == 0)
		return false;
	errno = *error;
	*error = 0;
	return true;
}

int __wrap_rename(const char *from, const char *to)
{
	return call_fails(&fail_rename) ? -1 : __real_rename(from, to);
}

ssize_t __wrap_write(int fd, const void *data, size_t length)
{
	return call_fails(&fail_write) ? -1 : __real_write(fd, data, length);
}

int __wrap_fsync(int fd)
{
	return call_fails(&fail_fsync) ? -1 : __real_fsync(fd);
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
	messages = fail_malloc_at = fail_rename = fail_write = fail_fsync = 0;
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

static struct root *open_text(const char *text)
{
	struct root *root = NULL;

	scratch_text("/x.tree", text);
	assert_int_equal(root_open(scratch_path("/x.tree"), &root), 0);
	return root;
}

static void expect(struct root *root, const char *path, ssize_t expected, const char *content)
{
	char out[256];

	assert_int_equal(root_read(root, path, out, sizeof(out)), expected);
	assert_memory_equal(out, content, expected > 0 ? (size_t)expected + 1 : 1);
}

/* The answer is complete with its first newline. */
static ssize_t line_length(const char *data, size_t have)
{
	const char *newline = memchr(data, '\n', have);

	if (data[0] == 'X')
		return -EBADMSG;
	return newline ? newline - data + 1 : 0;
}

static int ask(struct root *root, const char *socket, const char *request, size_t length,
	struct buf *answer, struct root_peer *peer)
{
	return root_exchange(root, socket, request, length, line_length, 0, answer, peer);
}

static const char all_kinds[] =
	HEAD "dir /\n"
	     "|sys\n"
	     "dir /sys\n"
	     "|a b\n"
	     "|new\\012line\n"
	     "|\\303\\274\\040\n"
	     "file /sys/a\\040b/bare\n"
	     "|no newline\\\n"
	     "file /sys/a\\040b/binary\n"
	     "|\\000\\001\\377\\\\\\t\\r \\040\n"
	     "|\n"
	     "|x\\\n"
	     "error /sys/a\\040b/gone read ENODEV\n"
	     "error /sys/a\\040b/gone readlink 512\n"
	     "file /sys/a\\040b/nothing\n"
	     "file /sys/a\\040b/state\n"
	     "|LOGGED_IN\n"
	     "error /sys/closed list EACCES\n"
	     "dir /sys/empty\n"
	     "link /sys/link\n"
	     "|../x \\012y\n"
	     "file /sys/link/below\n"
	     "|1\n"
	     "socket /var/run/tgtd/socket.0 pid=812 uid=0 start=4711\n"
	     ">\\000\\001\\\n"
	     "<Target 1: iqn.a\n"
	     "socket /var/run/tgtd/socket.0 pid=812 uid=0 start=4711\n"
	     ">\\000\\002\n"
	     "<half\\\n"
	     "!ETIMEDOUT\n"
	     "socket @/org/x pid=0 uid=4294967295 start=18446744073709551615\n"
	     "!ECONNREFUSED\n";

static void a_recording_is_replayed(void **state)
{
	CLEANUP_BUF struct buf out = BUF_INIT(4096);
	struct root *root = open_text(all_kinds);
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
	assert_int_equal(ask(root, "/var/run/tgtd/socket.0", "\0\1", 2, &out, &peer), 0);
	assert_string_equal(out.data, "Target 1: iqn.a\n");
	assert_int_equal(peer.pid, 812);
	assert_int_equal(peer.uid, 0);
	assert_int_equal(peer.start_time, 4711);
	peer.pid = -1;
	assert_int_equal(ask(root, "/var/run/tgtd/socket.0", "\0\2\n", 3, &out, &peer), -ETIMEDOUT);
	assert_string_equal(out.data, "half");
	assert_int_equal(peer.pid, -1);
	assert_int_equal(ask(root, "/var/run/tgtd/socket.0", "\0\2", 2, &out, NULL), -ENOENT);
	assert_int_equal(out.length, 0);
	assert_int_equal(ask(root, "@/org/x", "", 0, &out, &peer), -ECONNREFUSED);
	root_close(root);
}

/* Reads all that is in the recording, through the public functions, and records that. */
static void replay_all(struct root *root)
{
	CLEANUP_FREE const struct tree_node **nodes = NULL;
	CLEANUP_BUF struct buf out = BUF_INIT(1 << 20);
	size_t count;

	assert_int_equal(tree_sorted(root->tree, &nodes, &count), 0);
	for (size_t i = 0; i < count; i++) {
		char text[4096];

		if (nodes[i]->op == TREE_FILE)
			root_read(root, nodes[i]->path, text, sizeof(text));
		else if (nodes[i]->op == TREE_LINK)
			root_read_link(root, nodes[i]->path, text, sizeof(text));
		else if (nodes[i]->op == TREE_DIR)
			root_list(root, nodes[i]->path, &out);
		else
			ask(root, nodes[i]->path, nodes[i]->request, nodes[i]->request_length, &out,
				NULL);
	}
}

static void a_recording_of_a_replay_is_the_recording(void **state)
{
	struct root *root = open_text(all_kinds);
	char *saved;
	size_t length;

	(void)state;
	assert_int_equal(root_record_start(root), 0);
	replay_all(root);
	replay_all(root); /* what is read twice is kept once */
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), 0);
	saved = scratch_read("/y.tree", &length);
	assert_string_equal(saved, all_kinds);
	free(saved);
	root_close(root);
}

static void links_of_a_packed_tree_are_followed(void **state)
{
	struct root *root = open_text(HEAD "link /sys/class/s1\n|../devices/h/s1\n"
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
		{ HEAD "\n", 2 },
		{ HEAD "|x\n", 2 },
		{ HEAD "file /a\n|x", 3 },
		{ HEAD "pipe /a\n", 2 },
		{ HEAD "file\n", 2 },
		{ HEAD "file \n", 2 },
		{ HEAD "file  /a\n", 2 },
		{ HEAD "file /a \n", 2 },
		{ HEAD "file /a b\n", 2 },
		{ HEAD "file a\n", 2 },
		{ HEAD "file /a/\n", 2 },
		{ HEAD "file /a//b\n", 2 },
		{ HEAD "file /a/../b\n", 2 },
		{ HEAD "file @a\n", 2 },
		{ HEAD "file /a\\000b\n", 2 },
		{ HEAD "file /a\\\n", 2 },
		{ HEAD "file /a\n|\\x41\n", 3 },
		{ HEAD "file /a\n|\\400\n", 3 },
		{ HEAD "file /a\n|\\07\n", 3 },
		{ HEAD "file /a\n|\t\n", 3 },
		{ HEAD "file /a\n|\r\n", 3 },
		{ HEAD "file /a\n|\303\n", 3 },
		{ HEAD "file /a\n>x\n", 3 },
		{ HEAD "file /a\n!EIO\n", 3 },
		{ HEAD "file /a\nfile /a\n", 4 },
		{ HEAD "file /a\nerror /a read EIO\n", 4 },
		{ HEAD "link /a\n", 3 },
		{ HEAD "link /a\n|\n", 3 },
		{ HEAD "link /a\n|b\n|c\n", 4 },
		{ HEAD "link /a\n|b\\\n", 3 },
		{ HEAD "dir /a\n|b\n|a\n", 4 },
		{ HEAD "dir /a\n|b\n|b\n", 4 },
		{ HEAD "dir /a\n|a/b\n", 3 },
		{ HEAD "dir /a\n|..\n", 3 },
		{ HEAD "dir /a\n|\n", 3 },
		{ HEAD "dir /a\n|x\\000y\n", 3 },
		{ HEAD "error /a\n", 2 },
		{ HEAD "error /a read\n", 2 },
		{ HEAD "error /a write EIO\n", 2 },
		{ HEAD "error /a read ENOTHING\n", 2 },
		{ HEAD "error /a read 0\n", 2 },
		{ HEAD "error /a read 4096\n", 2 },
		{ HEAD "error /a read EIO EIO\n", 2 },
		{ HEAD "error /a read EIO\n|x\n", 3 },
		{ HEAD "socket /a\n", 2 },
		{ HEAD "socket @ pid=1 uid=1 start=1\n", 2 },
		{ HEAD "socket /a pid=1 uid=1\n", 2 },
		{ HEAD "socket /a pid=1 uid=1 start=x\n", 2 },
		{ HEAD "socket /a pid=2147483648 uid=1 start=1\n", 2 },
		{ HEAD "socket /a pid=1 uid=1 start=1 x\n", 2 },
		{ HEAD "socket /a pid=1 uid=1 start=1\n|x\n", 3 },
		{ HEAD "socket /a pid=1 uid=1 start=1\n<x\n>y\n", 4 },
		{ HEAD "socket /a pid=1 uid=1 start=1\n!EIO\n<y\n", 4 },
		{ HEAD "socket /a pid=1 uid=1 start=1\n!0\n", 3 },
		{ HEAD "# comment\nbad\n", 3 },
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
	static const char text[] = HEAD "file /a\n|x\\\0\n";
	struct root *root;

	(void)state;
	scratch_file("/x.tree", text, sizeof(text) - 1);
	assert_int_equal(root_open(scratch_path("/x.tree"), &root), -EBADMSG);
}

static void comments_and_long_lines_are_read(void **state)
{
	struct root *root = open_text(HEAD "# a comment\nfile /a\n|one \\\n# inside\n|line\n");

	(void)state;
	expect(root, "/a", 9, "one line\n");
	root_close(root);
}

static void an_edited_answer_is_checked_like_that_of_a_peer(void **state)
{
	struct root *root = open_text(HEAD "socket /a pid=1 uid=1 start=1\n<half\\\n"
					   "socket /b pid=1 uid=1 start=1\n<X\n"
					   "socket /c pid=1 uid=1 start=1\n"
					   "socket /d pid=1 uid=1 start=1\n<one\n<two\n");
	CLEANUP_BUF struct buf out = BUF_INIT(64);
	CLEANUP_BUF struct buf small = BUF_INIT(3);

	(void)state;
	assert_int_equal(ask(root, "/a", "", 0, &out, NULL), -ECONNRESET);
	assert_int_equal(ask(root, "/b", "", 0, &out, NULL), -EBADMSG);
	assert_int_equal(ask(root, "/c", "", 0, &out, NULL), -ECONNRESET);
	assert_int_equal(ask(root, "/d", "", 0, &out, NULL), 0);
	assert_string_equal(out.data, "one\n");
	assert_int_equal(ask(root, "/d", "", 0, &small, NULL), -E2BIG);
	root_close(root);
}

/* Secrets below a prefix; a recording of all that was asked for, also by force. */
static void no_secret_gets_into_a_recording(void **state)
{
	static const char *const planted[] = { "/t/sys/password", "/t/sys/password_in",
		"/t/sys/auth/password", "/t/etc/iscsi/iscsid.conf", "/t/etc/iscsi/nodes/n" };
	CLEANUP_BUF struct buf names = BUF_INIT(4096);
	char out[256] = "", *saved;
	struct root *root;
	struct stat st;
	size_t length;

	(void)state;
	scratch_dir("/t");
	scratch_dir("/t/sys");
	scratch_dir("/t/sys/auth");
	scratch_dir("/t/etc");
	scratch_dir("/t/etc/iscsi");
	scratch_dir("/t/etc/iscsi/nodes");
	scratch_text("/t/sys/username", "name\n");
	scratch_link("/t/sys/alias", "password");
	assert_int_equal(
		root_open(
			(scratch_text("/t/sys/auth/userid", "name\n"), scratch_path("/t")), &root),
		0);
	assert_int_equal(root_record_start(root), 0);
	for (size_t i = 0; i < ARRAY_SIZE(planted); i++) {
		scratch_text(planted[i], "CANARY-7147\n");
		assert_int_equal(root_read(root, planted[i] + 2, out, sizeof(out)), -EACCES);
		assert_null(memmem(out, sizeof(out), "CANARY", 6));
	}
	assert_int_equal(root_read(root, "/sys/alias", out, sizeof(out)), -EACCES);
	assert_int_equal(root_read(root, "/sys/auth/userid", out, sizeof(out)), 5);
	assert_int_equal(root_read(root, "/sys/username", out, sizeof(out)), 5);
	assert_int_equal(root_list(root, "/sys", &names), 5);
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), 0);
	saved = scratch_read("/y.tree", &length);
	assert_null(strstr(saved, "CANARY"));
	assert_string_equal(saved,
		HEAD "dir /sys\n|alias\n|auth\n|password\n|password_in\n"
		     "|username\nerror /sys/alias read EACCES\n"
		     "file /sys/auth/userid\n|name\nfile /sys/username\n|name\n");
	free(saved);
	assert_int_equal(stat(scratch_path("/y.tree"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	root_close(root);
}

static void what_is_read_again_replaces_what_was_kept(void **state)
{
	char out[64], *saved;
	struct root *root;
	size_t length;

	(void)state;
	scratch_dir("/t");
	assert_int_equal(root_open(scratch_path("/t"), &root), 0);
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), -EINVAL);
	scratch_text("/t/before", "not kept");
	root_read(root, "/before", out, sizeof(out));
	assert_int_equal(root_record_start(root), 0);
	scratch_text("/t/a", "one\n");
	root_read(root, "/a", out, sizeof(out));
	scratch_text("/t/a", "two\n");
	root_read(root, "/a", out, sizeof(out));
	root_read(root, "/b", out, sizeof(out));
	scratch_text("/t/b", "here\n");
	root_read(root, "//b", out, sizeof(out));
	root_read(root, "/c", out, sizeof(out));
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), 0);
	saved = scratch_read("/y.tree", &length);
	assert_string_equal(saved, HEAD "file /a\n|two\nfile /b\n|here\nerror /c read ENOENT\n");
	free(saved);
	assert_int_equal(root_record_start(root), 0);
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), 0);
	saved = scratch_read("/y.tree", &length);
	assert_string_equal(saved, HEAD);
	free(saved);
	root_close(root);
}

static void a_failed_save_leaves_the_old_file_alone(void **state)
{
	struct root *root = open_text(all_kinds);
	CLEANUP_BUF struct buf names = BUF_INIT(4096);
	struct root *dir;
	char *saved;
	size_t length;

	(void)state;
	scratch_dir("/d");
	scratch_text("/d/y.tree", "old");
	assert_int_equal(root_record_start(root), 0);
	fail_write = ENOSPC;
	assert_int_equal(root_record_save(root, scratch_path("/d/y.tree")), -ENOSPC);
	fail_fsync = EIO;
	assert_int_equal(root_record_save(root, scratch_path("/d/y.tree")), -EIO);
	fail_rename = EACCES;
	assert_int_equal(root_record_save(root, scratch_path("/d/y.tree")), -EACCES);
	assert_int_equal(root_record_save(root, scratch_path("/nowhere/y.tree")), -ENOENT);
	saved = scratch_read("/d/y.tree", &length);
	assert_string_equal(saved, "old");
	free(saved);
	assert_int_equal(root_open(scratch_path("/d"), &dir), 0);
	assert_int_equal(root_list(dir, "/", &names), 1); /* no temporary file is left */
	fail_write = EINTR;
	assert_int_equal(root_record_save(root, scratch_path("/d/y.tree")), 0);
	root_close(dir);
	root_close(root);
}

static void allocation_failures_are_enomem(void **state)
{
	int rc = -ENOMEM, at;

	(void)state;
	scratch_text("/x.tree", all_kinds);
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

/* A recording that could not keep everything is not saved as if it had. */
static void a_recording_with_a_gap_is_not_saved(void **state)
{
	int rc = -ENOMEM, at;

	(void)state;
	for (at = 1; rc == -ENOMEM && at < 1000; at++) {
		struct root *root = open_text(all_kinds);
		struct stat st;
		char text[64];

		fail_malloc_at = at;
		rc = root_record_start(root);
		if (rc == 0) {
			root_read(root, "/sys/a b/state", text, sizeof(text));
			root_read(root, "/sys/missing", text, sizeof(text));
			root_read_link(root, "/sys/link", text, sizeof(text));
			rc = root_record_save(root, scratch_path("/y.tree"));
		}
		fail_malloc_at = 0;
		assert_int_equal(stat(scratch_path("/y.tree"), &st), rc == 0 ? 0 : -1);
		root_close(root);
	}
	assert_int_equal(rc, 0);
	assert_true(at > 7);
}

static void thousands_of_records_are_kept_and_found(void **state)
{
	struct tree *tree = tree_new(), *again;
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 24);
	CLEANUP_BUF struct buf text_again = BUF_INIT(1 << 24);
	char path[64], value[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 20000; i++) {
			snprintf(path, sizeof(path), "/s%d/v%d", i % 100, i);
			snprintf(value, sizeof(value), "%d\n", i * (round + 1));
			assert_int_equal(tree_put(tree, &(struct tree_node){ .op = TREE_FILE,
								.path = path,
								.data = value,
								.length = strlen(value) }),
				0);
		}
	}
	for (int i = 0; i < 20000; i++) {
		const struct tree_node *node;

		snprintf(path, sizeof(path), "/s%d/v%d", i % 100, i);
		snprintf(value, sizeof(value), "%d\n", 2 * i);
		node = tree_find(tree, TREE_FILE, path, NULL, 0);
		assert_non_null(node);
		assert_string_equal(node->data, value);
		assert_null(tree_find(tree, TREE_LINK, path, NULL, 0));
	}
	assert_int_equal(tree_write(tree, &text), 0);
	assert_int_equal(tree_load("test", text.data, text.length, &again), 0);
	assert_int_equal(tree_write(again, &text_again), 0);
	assert_string_equal(text.data, text_again.data);
	tree_free(again);
	tree_free(tree);
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
		ONE(a_recording_of_a_replay_is_the_recording),
		ONE(links_of_a_packed_tree_are_followed),
		ONE(a_damaged_recording_is_refused_with_its_line),
		ONE(a_recording_with_nul_octets_is_refused),
		ONE(comments_and_long_lines_are_read),
		ONE(an_edited_answer_is_checked_like_that_of_a_peer),
		ONE(no_secret_gets_into_a_recording),
		ONE(what_is_read_again_replaces_what_was_kept),
		ONE(a_failed_save_leaves_the_old_file_alone),
		ONE(allocation_failures_are_enomem),
		ONE(a_recording_with_a_gap_is_not_saved),
		ONE(thousands_of_records_are_kept_and_found),
		ONE(every_errno_name_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
