/* SPDX-License-Identifier: BSD-2-Clause */
/* How a recording is made: what is in it, that no secret is, and what is saved of one. */
#include "base/root_private.h"

#include "tests/support/scratch.h"
#include "tests/support/tree_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>

#include <cmocka.h>

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

static int set_up(void **state)
{
	(void)state;
	fail_malloc_at = fail_rename = fail_write = fail_fsync = 0;
	scratch_begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fail_malloc_at = 0;
	scratch_end();
	return 0;
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
			tree_text_ask(root, nodes[i]->path, nodes[i]->request,
				nodes[i]->request_length, &out, NULL);
	}
}

static void a_recording_of_a_replay_is_the_recording(void **state)
{
	struct root *root = tree_text_open(tree_text_all_kinds);
	char *saved;
	size_t length;

	(void)state;
	assert_int_equal(root_record_start(root), 0);
	replay_all(root);
	replay_all(root); /* what is read twice is kept once */
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), 0);
	saved = scratch_read("/y.tree", &length);
	assert_string_equal(saved, tree_text_all_kinds);
	free(saved);
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
		TREE_TEXT_HEAD "dir /sys\n|alias\n|auth\n|password\n|password_in\n"
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
	assert_string_equal(
		saved, TREE_TEXT_HEAD "file /a\n|two\nfile /b\n|here\nerror /c read ENOENT\n");
	free(saved);
	assert_int_equal(root_record_start(root), 0);
	assert_int_equal(root_record_save(root, scratch_path("/y.tree")), 0);
	saved = scratch_read("/y.tree", &length);
	assert_string_equal(saved, TREE_TEXT_HEAD);
	free(saved);
	root_close(root);
}

static void a_failed_save_leaves_the_old_file_alone(void **state)
{
	struct root *root = tree_text_open(tree_text_all_kinds);
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

/* A recording that could not keep everything is not saved as if it had. */
static void a_recording_with_a_gap_is_not_saved(void **state)
{
	int rc = -ENOMEM, at;

	(void)state;
	for (at = 1; rc == -ENOMEM && at < 1000; at++) {
		struct root *root = tree_text_open(tree_text_all_kinds);
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

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(a_recording_of_a_replay_is_the_recording),
		ONE(no_secret_gets_into_a_recording),
		ONE(what_is_read_again_replaces_what_was_kept),
		ONE(a_failed_save_leaves_the_old_file_alone),
		ONE(a_recording_with_a_gap_is_not_saved),
		ONE(thousands_of_records_are_kept_and_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
