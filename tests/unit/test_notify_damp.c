/* SPDX-License-Identifier: BSD-2-Clause */
/* What flaps, when it begins to and when it is over, against the plain definition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/notify_damp.h"
#include "tests/support/handmade.h"

static struct rate_item item_of(uint32_t group, uint32_t row, uint32_t type)
{
	struct rate_item item = { .type = type, .group = group, .key = { row, 3 } };

	item.octets = malloc(4);
	assert_non_null(item.octets);
	item.length = 4;
	return item;
}

static enum damp_result change(struct damp *d, uint64_t now, uint32_t row, uint32_t type)
{
	struct rate_item item = item_of(1, row, type);
	enum damp_result result = damp_change(d, now, &item);

	if (result == DAMP_PASSES)
		free(item.octets);
	else
		damp_keep(d, &item);
	return result;
}

static bool settled(struct damp *d, uint64_t now, struct rate_item *ret)
{
	if (!damp_take(d, now, ret))
		return false;
	assert_non_null(ret->octets);
	free(ret->octets);
	return true;
}

static void three_changes_in_a_minute_flap(void **state)
{
	const struct damp_settings settings = { .changes = 3, .window_ns = 60 };
	struct damp *d = damp_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(d);
	assert_int_equal(change(d, 100, 1, 4), DAMP_PASSES);
	assert_int_equal(change(d, 130, 1, 5), DAMP_PASSES);
	/* Another row, and another thing said of this one. */
	assert_int_equal(change(d, 131, 2, 5), DAMP_PASSES);
	item = item_of(2, 1, 9);
	assert_int_equal(damp_change(d, 132, &item), DAMP_PASSES);
	free(item.octets);
	assert_int_equal(damp_due(d), UINT64_MAX);
	assert_int_equal(change(d, 160, 1, 4), DAMP_BEGINS);
	assert_int_equal(damp_flapping(d), 1);
	assert_int_equal(change(d, 161, 1, 5), DAMP_HOLDS);
	assert_int_equal(change(d, 200, 1, 4), DAMP_HOLDS);
	assert_int_equal(damp_due(d), 261);
	assert_false(settled(d, 260, &item));
	assert_true(settled(d, 261, &item));
	assert_int_equal(item.type, 4);
	assert_int_equal(item.key[0], 1);
	assert_false(settled(d, 261, &item));
	assert_int_equal(damp_due(d), UINT64_MAX);
	/* From the beginning: what was before does not count. */
	assert_int_equal(change(d, 262, 1, 5), DAMP_PASSES);
	assert_int_equal(change(d, 263, 1, 4), DAMP_PASSES);
	assert_int_equal(change(d, 264, 1, 5), DAMP_BEGINS);
	damp_free(d);
	damp_free(NULL);
}

static void slow_changes_never_flap(void **state)
{
	const struct damp_settings settings = { .changes = 3, .window_ns = 60 };
	struct damp *d = damp_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(d);
	for (uint64_t now = 1000; now < 10000; now += 31) {
		assert_int_equal(change(d, now, 1, 4), DAMP_PASSES);
		assert_false(settled(d, now, &item));
	}
	damp_free(d);
}

static void zero_switches_it_off(void **state)
{
	struct damp_settings settings = { .changes = 0, .window_ns = 60 };
	struct damp *d = damp_new(&settings);
	struct rate_item item;

	(void)state;
	assert_non_null(d);
	for (uint64_t now = 100; now < 150; now++)
		assert_int_equal(change(d, now, 1, 4), DAMP_PASSES);
	/* Switched on, then off while something flaps: it ends as ever. */
	settings.changes = 2;
	damp_configure(d, &settings);
	assert_int_equal(change(d, 200, 1, 4), DAMP_PASSES);
	assert_int_equal(change(d, 201, 1, 5), DAMP_BEGINS);
	settings.changes = 0;
	damp_configure(d, &settings);
	assert_int_equal(change(d, 202, 1, 4), DAMP_HOLDS);
	assert_int_equal(change(d, 203, 7, 4), DAMP_PASSES);
	assert_true(settled(d, 300, &item));
	assert_int_equal(item.type, 4);
	assert_int_equal(change(d, 301, 1, 4), DAMP_PASSES);
	settings.changes = 1000; /* more than there is room for */
	damp_configure(d, &settings);
	for (uint64_t now = 400; now < 400 + DAMP_CHANGES_MAX - 1; now++)
		assert_int_equal(change(d, 400, 1, 4), DAMP_PASSES);
	assert_int_equal(change(d, 400, 1, 4), DAMP_BEGINS);
	damp_free(d);
}

#define ROWS  40u
#define TIMES 2000u

/* Remembers all changes of each row. */
static void random_changes_are_judged_by_the_definition(void **state)
{
	static uint64_t times[ROWS][TIMES];
	uint64_t begun = 0, ended = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		size_t counts[ROWS] = { 0 }, since[ROWS] = { 0 };
		bool flaps[ROWS] = { false };
		uint32_t last[ROWS] = { 0 };
		uint64_t chance = seed, now = 1000;
		struct damp_settings settings = { .changes = 2 + (uint32_t)(seed % 6),
			.window_ns = 50 + seed };
		struct damp *d = damp_new(&settings);
		struct rate_item item;

		assert_non_null(d);
		for (int step = 0; step < 2000; step++) {
			uint32_t row = (uint32_t)handmade_chance(&chance, ROWS);
			uint32_t type = 4 + (uint32_t)handmade_chance(&chance, 4);
			enum damp_result result;
			size_t recent = 0;

			now += handmade_chance(&chance, 30) ? handmade_chance(&chance, 2)
							    : handmade_chance(&chance, 100);
			while (settled(d, now, &item)) {
				uint32_t r = item.key[0];

				assert_true(flaps[r]);
				assert_true(now - times[r][counts[r] - 1] > settings.window_ns);
				assert_int_equal(item.type, last[r]);
				flaps[r] = false;
				since[r] = counts[r];
				ended++;
			}
			for (uint32_t r = 0; r < ROWS; r++)
				assert_false(flaps[r] &&
					     now - times[r][counts[r] - 1] > settings.window_ns);
			result = change(d, now, row, type);
			times[row][counts[row]++] = now;
			last[row] = type;
			for (size_t i = since[row]; i < counts[row]; i++)
				recent += now - times[row][i] <= settings.window_ns;
			if (flaps[row])
				assert_int_equal(result, DAMP_HOLDS);
			else
				assert_int_equal(result,
					recent >= settings.changes ? DAMP_BEGINS : DAMP_PASSES);
			begun += result == DAMP_BEGINS;
			flaps[row] = result != DAMP_PASSES;
		}
		damp_free(d);
	}
	assert_true(begun > 200 && ended > 100);
}

static void nothing_kept_is_nothing_to_tell(void **state)
{
	const struct damp_settings settings = { .changes = 1, .window_ns = 60 };
	struct damp *d = damp_new(&settings);
	struct rate_item item = { .group = 1, .key = { 5 } };

	(void)state;
	assert_non_null(d);
	assert_int_equal(damp_change(d, 100, &item), DAMP_BEGINS);
	assert_true(damp_take(d, 161, &item));
	assert_null(item.octets);
	/* Of a subject that does not flap nothing is kept, and nothing leaks. */
	item = item_of(1, 5, 4);
	damp_keep(d, &item);
	item = item_of(1, 6, 4);
	damp_keep(d, &item);
	assert_false(damp_take(d, 1000, &item));
	damp_free(d);
}

/* What is kept of a subject that is not so any more. */
static void what_is_not_true_any_more_is_not_kept(void **state)
{
	const struct damp_settings settings = { .changes = 1, .window_ns = 60 };
	struct damp *d = damp_new(&settings);
	struct rate_item item = { .group = 1, .key = { 5, 3 } };

	(void)state;
	assert_non_null(d);
	assert_false(damp_forget(d, &item, 0)); /* nothing is known of it */
	assert_int_equal(change(d, 100, 5, 4), DAMP_BEGINS);
	item.type = 6;
	assert_false(damp_forget(d, &item, UINT32_C(1) << 4));
	assert_true(damp_forget(d, &item, ~(UINT32_C(1) << 4)));
	assert_false(damp_forget(d, &item, 0));
	/* It flaps as before. */
	assert_int_equal(damp_flapping(d), 1);
	assert_true(damp_take(d, 161, &item));
	assert_null(item.octets);
	damp_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_changes_in_a_minute_flap),
		cmocka_unit_test(slow_changes_never_flap),
		cmocka_unit_test(zero_switches_it_off),
		cmocka_unit_test(nothing_kept_is_nothing_to_tell),
		cmocka_unit_test(what_is_not_true_any_more_is_not_kept),
		cmocka_unit_test(random_changes_are_judged_by_the_definition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
