/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a registry remembers of rows that are gone: index/registry.h, REGISTRY_UNSEEN_MAX. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "index/registry.h"

static int setup(void **state)
{
	*state = registry_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	registry_free(*state);
	return 0;
}

/* Asks for the keys first..first+count-1 of a kind, in one round. */
static void ask(struct registry *r, enum index_kind kind, uint32_t first, uint32_t count)
{
	struct registry_entry *e;

	for (uint32_t key = first; key < first + count; key++)
		assert_int_equal(
			registry_number(r, kind, 1, (const char *)&key, sizeof(key), 1, &e, NULL),
			0);
}

static uint32_t number_known(struct registry *r, enum index_kind kind, uint32_t key)
{
	const struct registry_entry *e = registry_find(r, kind, 1, (const char *)&key, sizeof(key));

	return e ? e->number : 0;
}

/* 100,000 peers, each with a name of its own. */
static void what_nobody_asks_for_is_bounded(void **state)
{
	const enum index_kind kinds[] = { INDEX_PATH, INDEX_SESSION, INDEX_CONNECTION };
	const uint32_t at_once = 250, all = 100000;
	struct registry *r = *state;

	for (uint32_t first = 0; first < all; first += at_once) {
		for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
			ask(r, kinds[i], first, at_once);
			if (first == at_once || first == all / 2) /* one is back now and then */
				assert_int_equal(number_known(r, kinds[i], 1), 2);
			if (first % (10 * at_once) == 0)
				ask(r, kinds[i], 1, 1);
		}
		registry_sweep(r, 1000);
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_int_equal(registry_count(r, kinds[i]), REGISTRY_UNSEEN_MAX + at_once);
		assert_int_equal(registry_next(r, kinds[i], 1), all + 1);
		/* The latest are kept, with their numbers, and the one that was asked for. */
		assert_int_equal(number_known(r, kinds[i], 1), 2);
		assert_int_equal(number_known(r, kinds[i], all - 1), all);
		assert_int_equal(number_known(r, kinds[i], all - REGISTRY_UNSEEN_MAX),
			all - REGISTRY_UNSEEN_MAX + 1);
		assert_int_equal(number_known(r, kinds[i], 0), 0);
		assert_int_equal(number_known(r, kinds[i], all / 2), 0);
	}
}

static void as_many_as_were_there_at_once_are_kept(void **state)
{
	const uint32_t many = 3 * REGISTRY_UNSEEN_MAX;
	struct registry *r = *state;

	ask(r, INDEX_SESSION, 0, many);
	registry_sweep(r, 1000);
	for (int i = 0; i < 100; i++) /* its source fails */
		registry_sweep(r, 1000);
	assert_int_equal(registry_count(r, INDEX_SESSION), many);
	ask(r, INDEX_SESSION, many, 1);
	registry_sweep(r, 1000);
	assert_int_equal(registry_count(r, INDEX_SESSION), many + 1);
	registry_sweep(r, 1000); /* `many` at most, and the latest has its ten rounds */
	assert_int_equal(registry_count(r, INDEX_SESSION), many);
	assert_int_equal(number_known(r, INDEX_SESSION, many), many + 1);
	assert_int_equal(number_known(r, INDEX_SESSION, 0), 0);
}

static void what_was_there_just_now_is_kept_however_much_it_is(void **state)
{
	struct registry *r = *state;
	uint32_t first = 0;

	for (int i = 0; i < 30; i++, first += REGISTRY_UNSEEN_MAX) {
		ask(r, INDEX_PATH, first, REGISTRY_UNSEEN_MAX);
		registry_sweep(r, 1000);
	}
	assert_int_equal(
		registry_count(r, INDEX_PATH), REGISTRY_UNSEEN_ROUNDS * REGISTRY_UNSEEN_MAX);
	for (uint32_t i = 0; i < REGISTRY_UNSEEN_ROUNDS; i++)
		registry_sweep(r, 1000);
	assert_int_equal(registry_count(r, INDEX_PATH), REGISTRY_UNSEEN_MAX);
}

/* A host with 10,000 paths whose storage is off while it boots. */
static void what_was_loaded_waits_for_its_storage(void **state)
{
	const uint32_t many = 10000;
	struct registry *from = *state, *r = registry_new();
	uint32_t left_out;

	ask(from, INDEX_PATH, 0, many);
	assert_int_equal(registry_merge(r, from, false, &left_out), 0);
	registry_begin_boot(r);
	for (int i = 0; i < 2000; i++)
		registry_sweep(r, 1000);
	assert_int_equal(registry_count(r, INDEX_PATH), many);
	ask(r, INDEX_PATH, many - 1, 2);
	registry_sweep(r, 1000);
	assert_int_equal(number_known(r, INDEX_PATH, many - 1), many);
	assert_int_equal(number_known(r, INDEX_PATH, many), many + 1);
	registry_free(r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nobody_asks_for_is_bounded),
		TEST(as_many_as_were_there_at_once_are_kept),
		TEST(what_was_there_just_now_is_kept_however_much_it_is),
		TEST(what_was_loaded_waits_for_its_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
