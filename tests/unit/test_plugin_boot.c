/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plugin/sample.h: what a boot of the host makes of the rows of before. Counter 0 has them by
 * sessions, whose numbers go to others then; counter 1 keeps its rows, which begin at 0.
 */
#include "plugin/sample.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define INDEX(...) (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4

static struct sample before, now;
static uint64_t growth[SAMPLE_COUNTERS];

static int set_up(void **state)
{
	(void)state;
	before = now = (struct sample){ .whole = true };
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	sample_free(&before);
	sample_free(&now);
	return 0;
}

static void add(int counter, uint32_t row, uint64_t value)
{
	assert_int_equal(sample_add(&now, counter, INDEX(row), value), 0);
}

/* What has been added, so much later, on a host that shows this uptime, of hundredths. */
static void look(uint64_t passed_s, uint64_t uptime)
{
	now.time_s = before.time_s + passed_s;
	now.uptime = uptime;
	now.counters[0].old_at_sight = true;
	assert_int_equal(sample_follow(&now, before.check ? &before : NULL, growth), 0);
	sample_free(&before);
	before = now;
	now = (struct sample){ .whole = true };
}

/* A row of sessions that has two more than before, and a minute has passed. */
static uint64_t look_at_uptime(uint64_t uptime)
{
	add(0, 1, 2 * (before.check + 1));
	look(60, uptime);
	return growth[0];
}

static void rows_of_sessions_are_forgotten(void **state)
{
	(void)state;
	add(0, 2, 5);
	look_at_uptime(50000);
	assert_int_equal(look_at_uptime(56000), 2);
	assert_int_equal(before.counters[0].count, 2);
	assert_int_equal(look_at_uptime(55999), 0);
	/* So are those that are away. */
	assert_int_equal(before.counters[0].count, 1);
	/* One that is not known tells of no boot. */
	assert_int_equal(look_at_uptime(0), 2);
	assert_int_equal(look_at_uptime(5), 2);
	/* It is of 32 bits: what began anew by itself is no boot. */
	assert_int_equal(look_at_uptime(UINT32_MAX - 7000), 2);
	assert_int_equal(look_at_uptime(5), 0);
	assert_int_equal(look_at_uptime(UINT32_MAX - 5000), 2);
	assert_int_equal(look_at_uptime(5), 2);
}

/* A row that keeps its number, from one value to another: what of it is told. */
static uint64_t grown(uint64_t from, uint64_t uptime, uint64_t passed_s, uint64_t to, uint64_t then)
{
	tear_down(NULL);
	set_up(NULL);
	before.time_s = 1700000000;
	add(1, 1, from);
	look(0, uptime);
	add(1, 1, to);
	look(passed_s, then);
	return growth[1];
}

static void other_rows_began_at_0(void **state)
{
	(void)state;
	/* A host that fails some logins at each boot. */
	assert_int_equal(grown(3, 900000, 300, 3, 12000), 3);
	assert_int_equal(grown(3, 900000, 300, 5, 12000), 5);
	assert_int_equal(grown(3, 900000, 300, 2, 12000), 2);
	assert_int_equal(grown(3, 900000, 300, 0, 12000), 0);
	/* Without a boot, or where none can be told. */
	assert_int_equal(grown(3, 900000, 300, 5, 930000), 2);
	assert_int_equal(grown(3, 0, 300, 5, 12000), 2);
	assert_int_equal(grown(3, 900000, 300, 5, 0), 2);
}

static void a_row_that_was_away_began_at_0_too(void **state)
{
	(void)state;
	add(1, 1, 3);
	add(1, 2, 4);
	look(60, 900000);
	/* Its source is not read yet; the other row is new, of whatever was seen the last time. */
	before.whole = false;
	add(1, 3, 6);
	now.whole = false;
	look(60, 3000);
	assert_int_equal(growth[1], 6);
	add(1, 1, 3);
	add(1, 2, 5);
	add(1, 3, 6);
	look(60, 9000);
	assert_int_equal(growth[1], 8);
	add(1, 1, 3);
	add(1, 2, 6);
	add(1, 3, 6);
	look(60, 15000);
	assert_int_equal(growth[1], 1);
}

/* Two boots, with a check soon after the first and late after the second. */
static void a_boot_is_seen_though_the_uptime_is_larger(void **state)
{
	const uint64_t wrap_s = UINT32_MAX / 100;

	(void)state;
	assert_int_equal(grown(3, 6000, 300, 5, 12000), 5);
	assert_int_equal(grown(3, 6000, 300, 5, 23900), 5);
	/* Clocks do not agree to the second. */
	assert_int_equal(grown(3, 6000, 300, 5, 24000), 2);
	assert_int_equal(grown(3, 100, 300, 5, 29900), 2);
	/* After 497 days without a check it may have begun anew by itself. */
	assert_int_equal(grown(3, 6000, wrap_s - 61, 5, 12000), 5);
	assert_int_equal(grown(3, 6000, wrap_s - 60, 5, 12000), 2);
	/* What is not known is no time of a boot. */
	assert_int_equal(grown(3, 0, 300, 5, 6000), 2);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(rows_of_sessions_are_forgotten),
		TEST(other_rows_began_at_0),
		TEST(a_row_that_was_away_began_at_0_too),
		TEST(a_boot_is_seen_though_the_uptime_is_larger),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
