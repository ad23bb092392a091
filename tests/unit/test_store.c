/* SPDX-License-Identifier: BSD-2-Clause */
/* index/store.h, the files: what is saved comes back, and nothing but our own file is touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/log.h"
#include "index/store.h"
#include "tests/support/registry_sample.h"

#include <fcntl.h>
#include <sys/stat.h>

#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"
#define BOOT2 "fedcba98-7654-3210-fedc-ba9876543210"

static char logged[1024];
static int log_count;

static void keep_log(int priority, const char *message)
{
	(void)priority;
	snprintf(logged, sizeof(logged), "%s", message);
	log_count++;
}

struct fixture {
	struct registry *r;
	char directory[64];
	char path[128];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->directory, sizeof(f->directory), "/tmp/test_store.XXXXXX");
	if (!mkdtemp(f->directory))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/index", f->directory);
	f->r = registry_new();
	log_set_sink(keep_log);
	log_count = 0;
	logged[0] = '\0';
	*state = f;
	return 0;
}

static void path_of(const struct fixture *f, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", f->directory, name);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = { "index", "index.tmp", "index.bad", "index.run",
		"index.run.tmp", "index.run.bad", "target" };
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		path_of(f, names[i], path);
		unlink(path);
	}
	log_set_sink(NULL);
	registry_free(f->r);
	if (rmdir(f->directory) < 0)
		return -1; /* a test has left something else there */
	free(f);
	return 0;
}

static bool exists(const struct fixture *f, const char *name)
{
	struct stat st;
	char path[128];

	path_of(f, name, path);
	return lstat(path, &st) == 0;
}

static void write_file(const struct fixture *f, const char *name, const char *data, size_t length)
{
	char path[128];
	int fd;

	path_of(f, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, length), length);
	close(fd);
}

static void what_is_saved_comes_back(void **state)
{
	struct fixture *f = *state;

	registry_sample_fill(f->r);
	for (int persistent = 0; persistent < 2; persistent++) {
		struct store_run run = { .uptime_zero_ns = 123456789 }, loaded_run = { 0 };
		struct registry *r = registry_new();
		struct stat st;
		bool loaded = false;

		assert_int_equal(store_save(f->r, f->directory, persistent, BOOT, &run), 0);
		path_of(f, persistent ? "index" : "index.run", f->path);
		assert_int_equal(stat(f->path, &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
		assert_false(exists(f, "index.tmp") || exists(f, "index.run.tmp"));
		assert_int_equal(
			store_load(r, f->directory, persistent, BOOT, &loaded_run, &loaded), 0);
		assert_true(loaded);
		assert_int_equal(loaded_run.uptime_zero_ns, persistent ? 0 : 123456789);
		assert_true(registry_sample_same(f->r, r, persistent));
		assert_int_equal(log_count, 0);
		registry_free(r);
	}
}

static void a_missing_file_or_directory_is_no_error(void **state)
{
	struct fixture *f = *state;
	bool loaded = true;

	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), 0);
	assert_false(loaded);
	loaded = true;
	assert_int_equal(store_load(f->r, "/nonexistent/x", true, BOOT, NULL, &loaded), 0);
	assert_false(loaded);
	assert_int_equal(store_save(f->r, "/nonexistent/x", true, BOOT, NULL), -ENOENT);
	assert_int_equal(store_load(f->r, f->path, true, BOOT, NULL, &loaded), 0);
	write_file(f, "target", "", 0);
	path_of(f, "target", f->path);
	assert_int_equal(store_load(f->r, f->path, true, BOOT, NULL, &loaded), -ENOTDIR);
	assert_int_equal(log_count, 0);
}

static void numbers_outlive_a_reboot_and_times_do_not(void **state)
{
	struct fixture *f = *state;
	struct registry *r = registry_new();
	struct store_run run = { .uptime_zero_ns = 5 };
	struct registry_entry *e;
	bool loaded = false;

	registry_sample_fill(f->r);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), 0);
	assert_int_equal(store_load(r, f->directory, true, BOOT2, NULL, &loaded), 0);
	assert_true(loaded);
	e = registry_find(r, INDEX_PATH, 7, "key", 3);
	assert_int_equal(e->number, 1);
	assert_int_equal(e->seen, 0);
	assert_int_equal(registry_next(r, INDEX_PATH, 7), 3);
	assert_int_equal(registry_sample_add(r, INDEX_PATH, 7, "key", 3, 44)->since_ns, 44);

	assert_int_equal(store_save(f->r, f->directory, false, BOOT, &run), 0);
	run.uptime_zero_ns = 99;
	assert_int_equal(store_load(r, f->directory, false, BOOT2, &run, &loaded), 0);
	assert_false(loaded);
	assert_int_equal(run.uptime_zero_ns, 99);
	assert_int_equal(registry_count(r, INDEX_SESSION), 0);
	assert_true(exists(f, "index.run"));
	assert_int_equal(log_count, 0);
	registry_free(r);
}

static void idle_parents_floors_and_ends_are_kept(void **state)
{
	struct fixture *f = *state;
	struct registry *r = registry_new();
	struct registry_entry *e;
	bool loaded;

	for (uint32_t parent = 1; parent <= REGISTRY_IDLE_MAX + 10; parent++) {
		registry_sample_add(f->r, INDEX_SESSION, parent, "c", 1, 1);
		registry_sweep(f->r, 1);
	}
	registry_sweep(f->r, 1);
	assert_int_equal(registry_floor(f->r, INDEX_SESSION), 2);
	assert_int_equal(registry_restore_next(f->r, INDEX_NODE, 4, UINT64_C(1) << 32), 0);
	for (int persistent = 0; persistent < 2; persistent++) {
		assert_int_equal(store_save(f->r, f->directory, persistent, BOOT, NULL), 0);
		registry_free(r);
		r = registry_new();
		assert_int_equal(store_load(r, f->directory, persistent, BOOT, NULL, &loaded), 0);
		assert_true(loaded);
		assert_true(registry_sample_same(f->r, r, persistent));
		assert_int_equal(registry_number(r, INDEX_NODE, 4, "x", 1, 1, &e, NULL), -ENOSPC);
		assert_int_equal(registry_floor(r, INDEX_SESSION), persistent ? 1 : 2);
	}
	registry_free(r);
}

/* The run file alone keeps the numbers of all kinds within a boot, the state file its own. */
static void either_file_alone_keeps_the_numbers(void **state)
{
	struct fixture *f = *state;
	struct registry *r = registry_new();
	uint64_t changes;
	bool loaded;

	registry_sample_fill(f->r);
	assert_int_equal(store_save(f->r, f->directory, false, BOOT, NULL), 0);
	changes = registry_changes(r, true);
	assert_int_equal(store_load(r, f->directory, false, BOOT, NULL, &loaded), 0);
	assert_int_equal(registry_sample_add(r, INDEX_NODE, 7, "key", 3, 1)->number, 1);
	assert_int_equal(registry_sample_add(r, INDEX_NODE, 7, "new", 3, 1)->number, 3);
	assert_true(registry_changes(r, true) > changes); /* the state file has to be made anew */
	registry_free(r);
}

static void entries_that_contradict_are_left_out_with_one_message(void **state)
{
	struct fixture *f = *state;
	struct registry *r = registry_new();
	bool loaded;

	registry_sample_add(f->r, INDEX_NODE, 1, "file", 4, 1);
	assert_int_equal(store_save(f->r, f->directory, false, BOOT, NULL), 0);
	registry_sample_add(r, INDEX_NODE, 1, "known", 5, 1);
	assert_int_equal(store_load(r, f->directory, false, BOOT, NULL, &loaded), 0);
	assert_true(loaded);
	assert_int_equal(log_count, 1);
	assert_non_null(strstr(logged, "1 entries contradict known numbers, leaving them out"));
	assert_int_equal(registry_sample_add(r, INDEX_NODE, 1, "known", 5, 1)->number, 1);
	assert_int_equal(registry_sample_add(r, INDEX_NODE, 1, "file", 4, 1)->number, 2);
	registry_free(r);
}

static void what_others_may_write_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	char target[128];
	bool loaded = true;

	registry_sample_fill(f->r);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), 0);
	assert_int_equal(chmod(f->path, 0620), 0);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(chmod(f->path, 0602), 0);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(chmod(f->path, 0600), 0);

	path_of(f, "target", target);
	assert_int_equal(rename(f->path, target), 0);
	assert_int_equal(symlink("target", f->path), 0);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_true(exists(f, "index"));
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), -EISDIR);
	assert_false(exists(f, "index.tmp"));
	assert_int_equal(rmdir(f->path), 0);

	assert_int_equal(chmod(f->directory, 0770), 0);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), -EPERM);
	assert_int_equal(chmod(f->directory, 0700), 0);
	assert_true(loaded);
	assert_int_equal(log_count, 0);
}

/* One that was not given to the agent, though it belongs to its user: nothing there is renamed. */
static void a_directory_that_others_use_is_left_alone(void **state)
{
	struct fixture *f = *state;
	static const mode_t modes[] = { 0755, 0710, 0701 };
	bool loaded = true;

	registry_sample_fill(f->r);
	write_file(f, "index", "of others", 9);
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		assert_int_equal(chmod(f->directory, modes[i]), 0);
		assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
		assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), -EPERM);
		/* To look is no harm. */
		assert_int_equal(
			store_peek(f->r, f->directory, true, BOOT, NULL, &loaded), -EBADMSG);
	}
	assert_int_equal(chmod(f->directory, 0700), 0);
	assert_true(exists(f, "index"));
	assert_false(exists(f, "index.bad"));
	assert_false(exists(f, "index.tmp"));
	assert_int_equal(log_count, 0);
}

static void both_files_can_be_in_one_directory(void **state)
{
	struct fixture *f = *state;
	struct registry *r = registry_new();
	bool loaded = false;

	registry_sample_fill(f->r);
	for (int persistent = 0; persistent < 2; persistent++)
		assert_int_equal(store_save(f->r, f->directory, persistent, BOOT, NULL), 0);
	for (int persistent = 0; persistent < 2; persistent++)
		assert_int_equal(store_load(r, f->directory, !persistent, BOOT, NULL, &loaded), 0);
	assert_true(registry_sample_same(f->r, r, false));
	assert_int_equal(log_count, 0);
	registry_free(r);
}

static void a_file_of_another_user_is_refused_but_root_may_peek(void **state)
{
	struct fixture *f = *state;
	struct registry *r;
	bool loaded = false;

	if (geteuid() != 0) {
		print_message("skipped: needs root\n");
		skip();
	}
	registry_sample_fill(f->r);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), 0);
	r = registry_new();
	assert_int_equal(chown(f->path, 65534, (gid_t)-1), 0);
	assert_int_equal(store_load(r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(chown(f->directory, 65534, (gid_t)-1), 0);
	assert_int_equal(store_save(r, f->directory, true, BOOT, NULL), -EPERM);
	assert_int_equal(store_peek(r, f->directory, true, BOOT, NULL, &loaded), 0);
	assert_true(loaded);
	assert_true(registry_sample_same(f->r, r, true));
	registry_free(r);
	r = registry_new();
	assert_int_equal(chmod(f->path, 0622), 0);
	assert_int_equal(store_peek(r, f->directory, true, BOOT, NULL, &loaded), -EPERM);
	assert_int_equal(chown(f->directory, 0, (gid_t)-1), 0);
	registry_free(r);
}

static void a_peek_changes_nothing_on_the_disk(void **state)
{
	struct fixture *f = *state;
	bool loaded = true;

	assert_int_equal(store_peek(f->r, f->directory, true, BOOT, NULL, &loaded), 0);
	assert_false(loaded);
	write_file(f, "index", "damaged\n", 8);
	write_file(f, "index.tmp", "of a process that saves now", 27);
	assert_int_equal(store_peek(f->r, f->directory, true, BOOT, NULL, &loaded), -EBADMSG);
	assert_true(exists(f, "index"));
	assert_true(exists(f, "index.tmp"));
	assert_false(exists(f, "index.bad"));
	assert_int_equal(log_count, 0);
}

static void what_a_killed_process_left_is_removed(void **state)
{
	struct fixture *f = *state;
	char target[128], path[128];
	bool loaded;

	write_file(f, "index.tmp", "half", 4);
	assert_int_equal(store_load(f->r, f->directory, true, BOOT, NULL, &loaded), 0);
	assert_false(exists(f, "index.tmp"));
	write_file(f, "index.tmp", "half", 4);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), 0);
	assert_false(exists(f, "index.tmp"));

	/* A link in its place is removed, not followed. */
	write_file(f, "target", "precious", 8);
	path_of(f, "target", target);
	path_of(f, "index.tmp", path);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), 0);
	assert_int_equal(truncate(target, 8), 0);
	assert_false(exists(f, "index.tmp"));
}

static void a_wrong_boot_id_of_the_caller_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const wrong[] = { "", "x", BOOT "0",
		"0123456789abcdef0123456789abcdef012\n" };
	bool loaded;

	write_file(f, "index", "x", 1);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		assert_int_equal(store_save(f->r, f->directory, true, wrong[i], NULL), -EINVAL);
		assert_int_equal(
			store_load(f->r, f->directory, true, wrong[i], NULL, &loaded), -EINVAL);
	}
	assert_true(exists(f, "index"));
	assert_false(exists(f, "index.tmp"));
}

static void a_damaged_file_is_set_aside_with_one_message(void **state)
{
	struct fixture *f = *state;
	char expected[256];
	bool loaded = false;

	write_file(f, "index.bad", "of last year", 12);
	for (int persistent = 0; persistent < 2; persistent++) {
		const char *name = persistent ? "index" : "index.run";

		log_count = 0;
		write_file(f, name, "#!/bin/sh\n", 10);
		assert_int_equal(
			store_load(f->r, f->directory, persistent, BOOT, NULL, &loaded), -EBADMSG);
		snprintf(expected, sizeof(expected),
			"%s/%s: line 1: this is no index file; set aside as %s.bad, %s may get "
			"other index numbers than before",
			f->directory, name, name, persistent ? "rows" : "sessions and connections");
		assert_string_equal(logged, expected);
		assert_int_equal(log_count, 1);
		assert_false(loaded);
		assert_false(exists(f, name));
		assert_true(exists(f, persistent ? "index.bad" : "index.run.bad"));
	}
}

/* Above half of the room, what was not seen in a whole boot is dropped at the next one. */
static void a_crowded_registry_drops_what_was_not_seen_for_a_boot(void **state)
{
	struct fixture *f = *state;
	struct registry *second = registry_new(), *third = registry_new();
	bool loaded;

	for (uint32_t i = 0; i < REGISTRY_ENTRIES_MAX / 2 + 1; i++)
		registry_sample_add(f->r, INDEX_PATH, 1, (const char *)&i, sizeof(i), 1);
	registry_sample_add(f->r, INDEX_NODE, 1, "rare", 4, 1);
	assert_int_equal(store_save(f->r, f->directory, true, BOOT, NULL), 0);

	assert_int_equal(store_load(second, f->directory, true, BOOT2, NULL, &loaded), 0);
	assert_int_equal(registry_count(second, INDEX_PATH), REGISTRY_ENTRIES_MAX / 2 + 1);
	for (uint32_t i = 10; i < 20; i++)
		registry_sample_add(second, INDEX_PATH, 1, (const char *)&i, sizeof(i), 1);
	assert_int_equal(store_save(second, f->directory, true, BOOT2, NULL), 0);

	assert_int_equal(store_load(third, f->directory, true, BOOT, NULL, &loaded), 0);
	assert_int_equal(registry_count(third, INDEX_PATH), 10);
	assert_int_equal(registry_count(third, INDEX_NODE), 1);
	assert_int_equal(registry_next(third, INDEX_PATH, 1), REGISTRY_ENTRIES_MAX / 2 + 2);
	registry_free(second);
	registry_free(third);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_saved_comes_back),
		TEST(a_missing_file_or_directory_is_no_error),
		TEST(numbers_outlive_a_reboot_and_times_do_not),
		TEST(idle_parents_floors_and_ends_are_kept),
		TEST(either_file_alone_keeps_the_numbers),
		TEST(entries_that_contradict_are_left_out_with_one_message),
		TEST(what_others_may_write_is_refused_and_left_alone),
		TEST(a_directory_that_others_use_is_left_alone),
		TEST(both_files_can_be_in_one_directory),
		TEST(a_file_of_another_user_is_refused_but_root_may_peek),
		TEST(a_damaged_file_is_set_aside_with_one_message),
		TEST(a_peek_changes_nothing_on_the_disk),
		TEST(what_a_killed_process_left_is_removed),
		TEST(a_wrong_boot_id_of_the_caller_is_refused),
		TEST(a_crowded_registry_drops_what_was_not_seen_for_a_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
