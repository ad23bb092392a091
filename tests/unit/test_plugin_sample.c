/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin/sample.h: what is kept from one check to the next, by how much rows have grown, and for
 *how long those are remembered that are gone. Wrapped:
 *	__wrap_malloc __wrap_calloc __wrap_realloc __wrap_reallocarray
 */
#include "plugin/sample.h"

#include "tests/support/failing_memory.h"
#include "tests/support/scratch.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

#define INDEX(...) (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4

/* One sample after the other, and what the last one says of counter 0. */
static struct sample before, now;
static uint64_t growth[SAMPLE_COUNTERS];

static int set_up(void **state)
{
	(void)state;
	fail_at = 0;
	before = now = (struct sample){ .whole = true };
	scratch_begin();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sample_free(&before);
	sample_free(&now);
	scratch_end();
	return 0;
}

static void add(uint32_t row, uint64_t value)
{
	assert_int_equal(sample_add(&now, 0, INDEX(row), value), 0);
}

/* `now` is whole unless a test says otherwise, and becomes what the next one is compared with. */
static uint64_t look(void)
{
	assert_int_equal(sample_follow(&now, before.check ? &before : NULL, growth), 0);
	sample_free(&before);
	before = now;
	now = (struct sample){ .whole = true };
	return growth[0];
}

static void the_first_look_tells_nothing(void **state)
{
	(void)state;
	add(1, 500);
	assert_int_equal(look(), 0);
	assert_int_equal(before.check, 1);
	assert_int_equal(before.counters[0].here, 1);
	assert_int_equal(before.counters[1].here, 0);
}

static void each_row_grows_by_itself(void **state)
{
	(void)state;
	add(1, 500);
	add(2, 7);
	look();
	/* Not in the order of their indexes. */
	add(2, 9);
	add(1, 501);
	assert_int_equal(look(), 3);
	add(1, 501);
	add(2, 9);
	assert_int_equal(look(), 0);
	assert_int_equal(before.check, 3);
}

static void what_was_away_grows_since_it_was_seen(void **state)
{
	(void)state;
	add(1, 500);
	look();
	for (int i = 0; i < 3; i++)
		assert_int_equal(look(), 0);
	assert_int_equal(before.counters[0].count, 1);
	assert_int_equal(before.counters[0].here, 0);
	add(1, 502);
	assert_int_equal(look(), 2);
}

static void a_smaller_value_began_anew(void **state)
{
	(void)state;
	add(1, 500);
	add(2, 500);
	look();
	add(1, 3);
	add(2, 0);
	assert_int_equal(look(), 3);
	add(1, 4);
	add(2, 0);
	assert_int_equal(look(), 1);
}

static void a_row_that_is_old_at_sight_counts_from_now_on(void **state)
{
	static const uint64_t values[] = { 4, 6, 1, 1, 3 }, grown[] = { 0, 2, 0, 0, 2 };

	(void)state;
	look();
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		add(1, values[i]);
		now.counters[0].old_at_sight = true;
		assert_int_equal(look(), grown[i]);
	}
	/* Only of this counter. */
	assert_int_equal(sample_add(&now, 1, INDEX(1), 5), 0);
	look();
	assert_int_equal(growth[1], 5);
}

static void a_new_row_is_new_if_it_would_have_been_seen(void **state)
{
	(void)state;
	add(1, 10);
	look();
	add(1, 10);
	add(2, 4);
	now.whole = false;
	/* The sample before this one was whole. */
	assert_int_equal(look(), 4);
	add(1, 11);
	add(2, 4);
	add(3, 600);
	assert_int_equal(look(), 1);
	add(1, 11);
	add(2, 4);
	add(3, 601);
	assert_int_equal(look(), 1);
}

static void an_index_is_all_of_its_numbers(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(sample_add(&now, 0, INDEX(1, 2), 5), 0);
		assert_int_equal(sample_add(&now, 0, INDEX(1), 6), 0);
		assert_int_equal(sample_add(&now, 0, INDEX(1, 2, 0), 7), 0);
		assert_int_equal(sample_add(&now, 0, INDEX(1, UINT32_MAX), 8), 0);
		assert_int_equal(sample_add(&now, 1, INDEX(1, 2), 9 + (uint64_t)round), 0);
		look();
	}
	assert_int_equal(growth[0], 0);
	assert_int_equal(growth[1], 1);
	assert_int_equal(before.counters[0].count, 4);
	assert_int_equal(sample_add(&now, 0, NULL, 0, 5), 0);
	assert_int_equal(sample_add(&now, 0, INDEX(1, 2, 3, 4, 5, 6, 7, 8, 9), 5), 0);
	assert_int_equal(now.counters[0].count, 0);
}

/* Sessions that come and go for ever, one at a time. */
static void the_newest_gone_rows_are_remembered(void **state)
{
	uint32_t last = SAMPLE_GONE + 500;

	(void)state;
	for (uint32_t i = 1; i <= last; i++) {
		add(i, 5);
		look();
	}
	assert_int_equal(before.counters[0].count, 1 + SAMPLE_GONE);
	assert_int_equal(before.counters[0].most, 1);
	assert_int_equal(before.counters[0].list[0].index[0], last - SAMPLE_GONE);
	add(last, 5);
	add(last - SAMPLE_GONE, 6);
	assert_int_equal(look(), 1);
	/* One that is forgotten is as one that was never seen. */
	add(1, 5);
	assert_int_equal(look(), 5);
}

static void a_large_source_that_was_away_is_remembered_whole(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 3000; i++)
		add(i, 5);
	look();
	for (int i = 0; i < 3; i++) {
		now.whole = false;
		look();
	}
	assert_int_equal(before.counters[0].count, 3000);
	/* More than that are not kept, and those that were seen last are. */
	for (uint32_t i = 0; i < 10; i++)
		add(5000 + i, 5);
	look();
	look();
	assert_int_equal(before.counters[0].count, 3000);
	assert_int_equal(before.counters[0].list[2999].index[0], 5009);
	assert_int_equal(before.counters[0].list[2989].index[0], 2999);
	assert_int_equal(before.counters[0].list[0].index[0], 10);
}

static void large_numbers_do_not_become_small_ones(void **state)
{
	(void)state;
	look();
	add(1, UINT64_MAX);
	add(2, UINT64_MAX);
	assert_true(look() == UINT64_MAX);
	assert_true(sample_sum(UINT64_MAX - 1, 1) == UINT64_MAX);
	assert_int_equal(sample_sum(2, 3), 5);
}

static void assert_same(const struct sample *a, const struct sample *b)
{
	assert_true(a->time_s == b->time_s);
	assert_true(a->uptime == b->uptime);
	assert_true(a->check == b->check);
	assert_int_equal(a->whole, b->whole);
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		const struct sample_rows *x = &a->counters[i], *y = &b->counters[i];

		assert_true(x->most == y->most);
		assert_int_equal(x->count, y->count);
		for (size_t n = 0; n < x->count; n++)
			assert_memory_equal(&x->list[n], &y->list[n], sizeof(x->list[n]));
	}
}

static void samples_are_kept(void **state)
{
	const char *path = scratch_path("/sample");
	struct sample read;
	struct stat st;

	(void)state;
	assert_int_equal(sample_load(path, &read), -ENOENT);
	add(1, 3);
	look();
	add(2, UINT64_MAX);
	assert_int_equal(sample_add(&now, 7, INDEX(1, 2, 3, 4, 5, 6, 7, UINT32_MAX), 9), 0);
	look();
	before.time_s = 1700000000;
	before.uptime = UINT32_MAX;
	before.whole = false;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(sample_save(path, &before), 0);
		assert_int_equal(sample_load(path, &read), 0);
		assert_same(&before, &read);
		sample_free(&read);
		before.whole = true;
	}
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(sample_save(scratch_path("/absent/sample"), &before), -ENOENT);
}

static void ten_thousand_rows_are_kept(void **state)
{
	const char *path = scratch_path("/sample");
	struct sample read;

	(void)state;
	for (uint32_t i = 0; i < 10000; i++) {
		for (int c = 0; c < SAMPLE_COUNTERS; c++)
			assert_int_equal(sample_add(&now, c, INDEX(1, 2, i, 4), i), 0);
	}
	look();
	assert_int_equal(sample_save(path, &before), 0);
	assert_int_equal(sample_load(path, &read), 0);
	assert_same(&before, &read);
	sample_free(&read);
}

#define HEAD "check_iscsi_snmp 3 100 9 5 1\n"
#define ROWS "counter 0 2 2\n3.1 7 5\n3.1.2 7 4\n"
#define REST \
	"counter 1 0 0\ncounter 2 0 0\ncounter 3 0 0\ncounter 4 0 0\ncounter 5 0 0\ncounter 6 0 0\n"
#define LAST  "counter 7 0 0\n"
#define WHOLE HEAD ROWS REST LAST "end\n"

static int load_text(const char *text, size_t length)
{
	struct sample read;
	int rc;

	scratch_file("/sample", text, length);
	rc = sample_load(scratch_path("/sample"), &read);
	if (rc == 0)
		sample_free(&read);
	return rc;
}

static void foreign_files_are_no_samples(void **state)
{
	static const char *const texts[] = { "x",
		/* The formats before this one: sums, and rows without the uptime. */
		"check_iscsi_snmp 1 1 1 2 3 4 5 6 7 8\n",
		"check_iscsi_snmp 2 100 5 1\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 4 100 9 5 1\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 3 100 9 5 2\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 3 100 9 18446744073709551615 1\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 3 100 4294967296 5 1\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 3 18446744073709551616 9 5 1\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 3 -1 9 5 1\n" ROWS REST LAST "end\n",
		"check_iscsi_snmp 3  1 9 5 1\n" ROWS REST LAST "end\n", WHOLE "x", WHOLE "\n",
		HEAD ROWS REST LAST "ende\n", HEAD ROWS REST LAST LAST "end\n",
		HEAD ROWS REST "counter 7 0 1\nend\n", HEAD ROWS REST "counter 6 0 0\nend\n",
		HEAD ROWS REST "counter 7 1000001 0\nend\n",
		HEAD "counter 0 2 3\n3.1 7 5\n3.1.2 7 4\n" REST LAST "end\n",
		HEAD "counter 0 2 1\n3.1 7 5\n3.1.2 7 4\n" REST LAST "end\n",
		HEAD "counter 0 2 2\n3.1 7 5\n3.1 7 4\n" REST LAST "end\n",
		HEAD "counter 0 2 2\n3.1 7 5\n3.0.9 7 4\n" REST LAST "end\n",
		HEAD "counter 0 2 2\n3.1 7 5\n3 7 4\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n3.1 7 6\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n3.1 -7 5\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n3.1 7\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n3..1 7 5\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n 7 5\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n3.4294967296 7 5\n" REST LAST "end\n",
		HEAD "counter 0 1 1\n1.2.3.4.5.6.7.8.9 7 5\n" REST LAST "end\n" };

	(void)state;
	assert_int_equal(load_text(WHOLE, strlen(WHOLE)), 0);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		if (load_text(texts[i], strlen(texts[i])) != -EINVAL)
			fail_msg("'%s' is taken", texts[i]);
	}
	/* One that was cut, at any octet, and one with a NUL there. */
	for (size_t i = 0; i < strlen(WHOLE); i++) {
		char text[sizeof(WHOLE)] = WHOLE;

		if (load_text(text, i) != -EINVAL)
			fail_msg("%zu octets are taken", i);
		text[i] = '\0';
		if (load_text(text, strlen(WHOLE)) != -EINVAL)
			fail_msg("a NUL at %zu is taken", i);
	}
}

static void no_link_is_followed_and_no_fifo_waited_for(void **state)
{
	struct sample read;
	char *text;
	size_t length;
	struct stat st;

	(void)state;
	scratch_text("/good", WHOLE);
	scratch_link("/link", scratch_path("/good"));
	assert_int_equal(sample_load(scratch_path("/link"), &read), -EINVAL);
	look();
	assert_int_equal(sample_save(scratch_path("/link"), &before), 0);
	text = scratch_read("/good", &length);
	assert_string_equal(text, WHOLE);
	free(text);
	assert_int_equal(lstat(scratch_path("/link"), &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(mkfifo(scratch_path("/fifo"), 0600), 0);
	assert_int_equal(sample_load(scratch_path("/fifo"), &read), -EINVAL);
	scratch_dir("/directory");
	assert_int_equal(sample_load(scratch_path("/directory"), &read), -EINVAL);
}

static size_t files_below(const char *path)
{
	DIR *directory = opendir(path);
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count - 2;
}

static void what_cannot_be_written_leaves_the_file_as_it_is(void **state)
{
	static const struct rlimit small = { .rlim_cur = 4096, .rlim_max = RLIM_INFINITY };
	struct rlimit normal;
	char *text;
	size_t length;

	(void)state;
	scratch_dir("/kept");
	scratch_text("/kept/sample", WHOLE);
	for (uint32_t i = 0; i < 5000; i++)
		add(i, 5);
	look();
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &normal), 0);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int rc = sample_save(scratch_path("/kept/sample"), &before);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &normal), 0);
	assert_int_equal(rc, -EFBIG);
	text = scratch_read("/kept/sample", &length);
	assert_string_equal(text, WHOLE);
	free(text);
	/* A directory in its place: it is all there, and cannot be renamed. */
	scratch_dir("/kept/taken");
	assert_int_equal(sample_save(scratch_path("/kept/taken"), &before), -EISDIR);
	assert_int_equal(files_below(scratch_path("/kept")), 2);
}

static void no_memory_is_said(void **state)
{
	unsigned long failed = 0;
	int rc = -ENOMEM;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		add(i, 5);
	look();
	scratch_text("/sample", WHOLE);
	for (unsigned long at = 1; rc == -ENOMEM; at++) {
		struct sample next = { .whole = true }, read = { .whole = true };

		allocations = 0;
		fail_at = at;
		rc = sample_add(&next, 0, INDEX(1), 5);
		if (rc == 0)
			rc = sample_follow(&next, &before, growth);
		if (rc == 0)
			rc = sample_load(scratch_path("/sample"), &read);
		fail_at = 0;
		sample_free(&next);
		sample_free(&read);
		failed += rc == -ENOMEM;
	}
	assert_int_equal(rc, 0);
	/* Each list of the eight counters, at least those that have rows. */
	assert_true(failed >= 3);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_first_look_tells_nothing),
		TEST(each_row_grows_by_itself),
		TEST(what_was_away_grows_since_it_was_seen),
		TEST(a_smaller_value_began_anew),
		TEST(a_row_that_is_old_at_sight_counts_from_now_on),
		TEST(a_new_row_is_new_if_it_would_have_been_seen),
		TEST(an_index_is_all_of_its_numbers),
		TEST(the_newest_gone_rows_are_remembered),
		TEST(a_large_source_that_was_away_is_remembered_whole),
		TEST(large_numbers_do_not_become_small_ones),
		TEST(samples_are_kept),
		TEST(ten_thousand_rows_are_kept),
		TEST(foreign_files_are_no_samples),
		TEST(no_link_is_followed_and_no_fifo_waited_for),
		TEST(what_cannot_be_written_leaves_the_file_as_it_is),
		TEST(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
