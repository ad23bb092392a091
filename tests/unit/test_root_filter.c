/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files with secrets among other lines: only allowed lines come out, by no way any other. Every
 * secret planted here has CANARY in it; memory that is given back is searched for it (of which
 * valgrind complains, since some of it was never written).
 */
#include "base/root_private.h"

#include "tests/support/scratch.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RECORD "/etc/iscsi/nodes/iqn.2003-01.org.example:a/192.0.2.1,3260,1/default"

static const char *const keys[] = { "node.name", "node.session.auth.username", "node.startup",
	NULL };

static bool fail_malloc;
static size_t canaries_freed; /* blocks given back with a canary in them */

void __real_free(void *memory);
void __wrap_free(void *memory);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void __wrap_free(void *memory)
{
	if (memory && memmem(memory, malloc_usable_size(memory), "CANARY", 6))
		canaries_freed++;
	__real_free(memory);
}

void *__wrap_malloc(size_t size)
{
	return fail_malloc ? NULL : __real_malloc(size);
}

static int begin(void **state)
{
	(void)state;
	canaries_freed = 0;
	scratch_begin();
	scratch_dir("/root");
	scratch_dir("/root/etc");
	scratch_dir("/root/etc/iscsi");
	scratch_dir("/root/etc/iscsi/nodes");
	scratch_dir("/root/etc/iscsi/nodes/iqn.2003-01.org.example:a");
	scratch_dir("/root/etc/iscsi/nodes/iqn.2003-01.org.example:a/192.0.2.1,3260,1");
	return 0;
}

static int end(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

/* What of a record's content comes out; freed by the caller. */
static char *filtered_from(struct root *root, ssize_t *ret_rc)
{
	struct buf out = BUF_INIT(ROOT_FILE_MAX);

	*ret_rc = root_read_filtered(root, RECORD, keys, &out);
	assert_null(memmem(out.data ? out.data : "", out.length, "CANARY", 6));
	return out.data;
}

static void expect(const char *content, size_t length, ssize_t lines, const char *expected)
{
	struct root *root;
	ssize_t rc;
	char *out;

	scratch_file("/root" RECORD, content, length);
	assert_int_equal(root_open(scratch_path("/root"), &root), 0);
	out = filtered_from(root, &rc);
	root_close(root);
	assert_int_equal(rc, lines);
	assert_string_equal(out ? out : "", expected);
	assert_int_equal(canaries_freed, 0);
	free(out);
}

#define EXPECT(content, lines, expected) expect(content, sizeof(content) - 1, lines, expected)

static void only_allowed_lines_come_out(void **state)
{
	(void)state;
	EXPECT("# BEGIN RECORD 2.1.8\n"
	       "node.name = iqn.2003-01.org.example:a\n"
	       "node.session.auth.authmethod = CHAP\n"
	       "node.session.auth.username = someone\n"
	       "node.session.auth.password = CANARY1\n"
	       "node.session.auth.username_in = CANARY2\n"
	       "node.session.auth.password_in = CANARY3\n"
	       "\tnode.startup=manual\n"
	       "# END RECORD\n",
		3,
		"node.name = iqn.2003-01.org.example:a\nnode.session.auth.username = someone\n"
		"node.startup=manual\n");
}

static void a_key_is_compared_in_full(void **state)
{
	(void)state;
	EXPECT("node.names = CANARY\nnode.nam = CANARY\nNODE.NAME = CANARY\nnode.name CANARY\n"
	       "node.name CANARY = x\n= CANARY\n#node.name = CANARY\n# node.name = CANARY\n"
	       "xnode.name = CANARY\nnode.name\n",
		0, "");
}

static void nothing_rides_on_an_allowed_line(void **state)
{
	(void)state;
	EXPECT("node.name = a\rnode.session.auth.password = CANARY\n"
	       "node.startup = b\0node.session.auth.password = CANARY\n"
	       "node.name = c\x0cnode.session.auth.password = CANARY\n"
	       "node.name\r= CANARY\n",
		3, "node.name = a\nnode.startup = b\nnode.name = c\n");
}

static void a_last_line_needs_no_newline(void **state)
{
	(void)state;
	EXPECT("node.session.auth.password = CANARY\nnode.name =", 1, "node.name =\n");
	EXPECT("node.session.auth.password = CANARY", 0, "");
	EXPECT("", 0, "");
	EXPECT("node.name\t =\xff\tx ", 1, "node.name\t =\xff\tx \n");
}

static void a_secret_is_no_key(void **state)
{
	static const char *const bad[][2] = { { "node.session.auth.password", NULL },
		{ "discovery.sendtargets.auth.Password_in", NULL }, { "chap-secret", NULL },
		{ "passwd", NULL } };
	struct buf out = BUF_INIT(ROOT_FILE_MAX);
	struct root *root;

	(void)state;
	scratch_text("/root" RECORD, "node.session.auth.password = CANARY\n");
	assert_int_equal(root_open(scratch_path("/root"), &root), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buf_text(&out, "old");
		assert_int_equal(root_read_filtered(root, RECORD, bad[i], &out), -EINVAL);
		assert_int_equal(out.length, 0);
	}
	root_close(root);
	buf_free(&out);
}

static void refused_paths_stay_refused(void **state)
{
	static const char *const refused[] = { "/sys/class/iscsi_session/session1/password",
		"/etc/shadow", "/etc/iscsi/innocent", "/etc/iscsi/nodes/innocent" };
	struct buf out = BUF_INIT(ROOT_FILE_MAX);
	struct root *root;

	(void)state;
	scratch_dir("/root/sys");
	scratch_dir("/root/sys/class");
	scratch_dir("/root/sys/class/iscsi_session");
	scratch_dir("/root/sys/class/iscsi_session/session1");
	scratch_text("/root/sys/class/iscsi_session/session1/password", "node.name = CANARY\n");
	scratch_text("/root/etc/shadow", "node.name = CANARY\n");
	scratch_link("/root/etc/iscsi/innocent", "../shadow");
	scratch_link(
		"/root/etc/iscsi/nodes/innocent", "/sys/class/iscsi_session/session1/password");
	assert_int_equal(root_open(scratch_path("/root"), &root), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(root_read_filtered(root, refused[i], keys, &out), -EACCES);
	assert_int_equal(root_read_filtered(root, "relative", keys, &out), -EINVAL);
	assert_int_equal(root_read_filtered(root, "/etc/iscsi/none", keys, &out), -ENOENT);
	assert_int_equal(root_read_filtered(root, "/etc/iscsi/nodes", keys, &out), -EISDIR);
	root_close(root);
	buf_free(&out);
}

/* Distributions link /etc/iscsi/nodes to /var/lib/iscsi/nodes. */
static void a_link_to_such_a_file_is_followed(void **state)
{
	struct buf out = BUF_INIT(ROOT_FILE_MAX);
	struct root *root;

	(void)state;
	scratch_text("/root" RECORD, "node.name = x\nnode.session.auth.password = CANARY\n");
	scratch_link("/root/etc/iscsi/link", "nodes/iqn.2003-01.org.example:a");
	assert_int_equal(root_open(scratch_path("/root"), &root), 0);
	assert_int_equal(
		root_read_filtered(root, "/etc/iscsi/link/192.0.2.1,3260,1/default", keys, &out),
		1);
	assert_string_equal(out.data, "node.name = x\n");
	/* The plain read of the same file stays refused. */
	buf_free(&out);
	assert_int_equal(root_read_whole(root, RECORD, &out), -EACCES);
	assert_int_equal(
		root_read_whole(root, "/etc/iscsi/link/192.0.2.1,3260,1/default", &out), -EACCES);
	root_close(root);
	buf_free(&out);
}

static void too_much_is_an_error_and_wiped(void **state)
{
	static char big[ROOT_FILE_MAX + 100];
	struct buf out = BUF_INIT(ROOT_FILE_MAX), small = BUF_INIT(8);
	struct root *root;

	(void)state;
	for (size_t i = 0; i + 8 < sizeof(big); i += 8)
		memcpy(big + i, "CANARY \n", 8);
	memcpy(big, "node.name = aaaaaaaaaaaaaaaaaaaa\n", 33);
	scratch_file("/root" RECORD, big, sizeof(big));
	assert_int_equal(root_open(scratch_path("/root"), &root), 0);
	assert_int_equal(root_read_filtered(root, RECORD, keys, &out), -E2BIG);
	scratch_file("/root" RECORD, big, 4000);
	assert_int_equal(root_read_filtered(root, RECORD, keys, &small), -E2BIG);
	assert_int_equal(small.length, 0);
	assert_int_equal(small.error, 0);
	fail_malloc = true;
	assert_int_equal(root_read_filtered(root, RECORD, keys, &out), -ENOMEM);
	fail_malloc = false;
	root_close(root);
	assert_int_equal(canaries_freed, 0);
	buf_free(&out);
	buf_free(&small);
}

static void a_recording_has_the_allowed_lines_only(void **state)
{
	struct root *root;
	size_t length;
	char *out, *saved;
	ssize_t rc;

	(void)state;
	scratch_text("/root" RECORD,
		"node.name = x\nnode.session.auth.password = CANARY\nnode.startup = manual\n");
	assert_int_equal(root_open(scratch_path("/root"), &root), 0);
	assert_int_equal(root_record_start(root), 0);
	free(filtered_from(root, &rc));
	assert_int_equal(root_record_save(root, scratch_path("/saved")), 0);
	root_close(root);
	saved = scratch_read("/saved", &length);
	assert_string_equal(saved,
		"iscsi-agentx tree 1\nfile " RECORD "\n|node.name = x\n|node.startup = manual\n");
	free(saved);
	/* The recording is read like the directory. */
	assert_int_equal(root_open(scratch_path("/saved"), &root), 0);
	out = filtered_from(root, &rc);
	assert_int_equal(rc, 2);
	assert_string_equal(out, "node.name = x\nnode.startup = manual\n");
	free(out);
	root_close(root);
	assert_int_equal(canaries_freed, 0);
}

/* Errors are kept as they are, and a recording from elsewhere is filtered like a file. */
static void a_foreign_recording_is_filtered(void **state)
{
	struct buf out = BUF_INIT(ROOT_FILE_MAX);
	struct root *root;
	size_t length;
	char *saved;
	ssize_t rc;

	(void)state;
	scratch_text("/foreign",
		"iscsi-agentx tree 1\n"
		"link /etc/iscsi/conf\n|iscsid.conf\n"
		"file /etc/iscsi/iscsid.conf\n|node.startup = y\n|discovery.password = CANARY\n"
		"error /etc/iscsi/nodes/bad read EIO\n"
		"file " RECORD "\n|node.name = x\n|node.session.auth.password = CANARY\n");
	assert_int_equal(root_open(scratch_path("/foreign"), &root), 0);
	assert_int_equal(root_record_start(root), 0);
	free(filtered_from(root, &rc));
	assert_int_equal(rc, 1);
	assert_int_equal(root_read_filtered(root, "/etc/iscsi/conf", keys, &out), 1);
	assert_string_equal(out.data, "node.startup = y\n");
	assert_int_equal(root_read_filtered(root, "/etc/iscsi/nodes/bad", keys, &out), -EIO);
	assert_int_equal(root_record_save(root, scratch_path("/saved")), 0);
	root_close(root);
	saved = scratch_read("/saved", &length);
	assert_null(memmem(saved, length, "CANARY", 6));
	assert_non_null(strstr(saved, "error /etc/iscsi/nodes/bad read EIO\n"));
	free(saved);
	buf_free(&out);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_allowed_lines_come_out),
		TEST(a_key_is_compared_in_full),
		TEST(nothing_rides_on_an_allowed_line),
		TEST(a_last_line_needs_no_newline),
		TEST(a_secret_is_no_key),
		TEST(refused_paths_stay_refused),
		TEST(a_link_to_such_a_file_is_followed),
		TEST(too_much_is_an_error_and_wiped),
		TEST(a_recording_has_the_allowed_lines_only),
		TEST(a_foreign_recording_is_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
