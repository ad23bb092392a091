/* SPDX-License-Identifier: BSD-2-Clause */
/* index/registry.h: numbers, their order and end, forgetting, restoring and merging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "index/registry.h"

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static int calloc_fails_after = -1; /* calls that still succeed; -1 all */

void *__wrap_calloc(size_t count, size_t size)
{
	if (calloc_fails_after == 0)
		return NULL;
	if (calloc_fails_after > 0)
		calloc_fails_after--;
	return __real_calloc(count, size);
}

static int setup(void **state)
{
	calloc_fails_after = -1;
	*state = registry_new();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	calloc_fails_after = -1;
	registry_free(*state);
	return 0;
}

/* The number of a key that must get one. */
static uint32_t number_of(
	struct registry *r, enum index_kind kind, uint32_t parent, const char *key)
{
	struct registry_entry *e = NULL;

	assert_int_equal(registry_number(r, kind, parent, key, strlen(key), 1, &e, NULL), 0);
	assert_int_equal(e->kind, kind);
	assert_int_equal(e->parent, parent);
	assert_string_equal(e->key, key);
	return e->number;
}

static void numbers_begin_at_one_in_each_parent(void **state)
{
	struct registry *r = *state;

	assert_int_equal(number_of(r, INDEX_NODE, 1, "a"), 1);
	assert_int_equal(number_of(r, INDEX_NODE, 1, "b"), 2);
	assert_int_equal(number_of(r, INDEX_NODE, 2, "a"), 1);
	assert_int_equal(number_of(r, INDEX_PORTAL, 1, "a"), 1);
	assert_int_equal(registry_next(r, INDEX_NODE, 1), 3);
	assert_int_equal(registry_next(r, INDEX_NODE, 3), 1);
	assert_int_equal(registry_count(r, INDEX_NODE), 3);
	assert_int_equal(registry_next(r, INDEX_KINDS, 1), 0);
	assert_int_equal(registry_count(r, INDEX_KINDS), 0);
}

static void a_key_keeps_its_number_and_its_entry(void **state)
{
	struct registry *r = *state;
	struct registry_entry *first, *again;
	bool is_new = false;

	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "k", 1, 10, &first, &is_new), 0);
	assert_true(is_new);
	assert_int_equal(first->since_ns, 10);
	for (int i = 0; i < 1000; i++) {
		char key[32];

		snprintf(key, sizeof(key), "other %d", i);
		number_of(r, INDEX_SESSION, 1, key);
	}
	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "k", 1, 20, &again, &is_new), 0);
	assert_false(is_new);
	assert_ptr_equal(first, again);
	assert_int_equal(again->since_ns, 10);
}

static void keys_are_octets_of_any_value(void **state)
{
	struct registry *r = *state;
	struct registry_entry *a, *b, *c;

	assert_int_equal(registry_number(r, INDEX_AUTH, 1, "x\0y", 3, 1, &a, NULL), 0);
	assert_int_equal(registry_number(r, INDEX_AUTH, 1, "x\0z", 3, 1, &b, NULL), 0);
	assert_int_equal(registry_number(r, INDEX_AUTH, 1, "x", 1, 1, &c, NULL), 0);
	assert_int_equal(a->number, 1);
	assert_int_equal(b->number, 2);
	assert_int_equal(c->number, 3);
	assert_memory_equal(a->key, "x\0y\0", 4);
}

static void an_instance_has_the_number_of_its_source(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e;

	assert_int_equal(number_of(r, INDEX_INSTANCE, 303, "tgt:3"), 303);
	assert_int_equal(registry_next(r, INDEX_INSTANCE, 303), 303);
	assert_int_equal(registry_number(r, INDEX_INSTANCE, 0, "x", 1, 1, &e, NULL), -EINVAL);
}

static void wrong_keys_are_refused_and_change_nothing(void **state)
{
	struct registry *r = *state;
	char key[REGISTRY_KEY_MAX + 1];
	struct registry_entry *e = NULL;

	memset(key, 'k', sizeof(key));
	assert_int_equal(registry_number(r, INDEX_NODE, 1, key, 0, 1, &e, NULL), -EINVAL);
	assert_int_equal(registry_number(r, INDEX_NODE, 1, key, sizeof(key), 1, &e, NULL), -EINVAL);
	assert_int_equal(registry_number(r, INDEX_KINDS, 1, key, 1, 1, &e, NULL), -EINVAL);
	assert_null(e);
	assert_null(registry_find(r, INDEX_NODE, 1, key, sizeof(key)));
	assert_int_equal(registry_changes(r, true), 0);
	assert_int_equal(registry_number(r, INDEX_NODE, 1, key, REGISTRY_KEY_MAX, 1, &e, NULL), 0);
	assert_int_equal(e->key_length, REGISTRY_KEY_MAX);
}

static void find_makes_nothing_and_does_not_mark(void **state)
{
	struct registry *r = *state;

	assert_null(registry_find(r, INDEX_SESSION, 1, "s", 1));
	assert_int_equal(registry_next(r, INDEX_SESSION, 1), 1);
	number_of(r, INDEX_SESSION, 1, "s");
	registry_sweep(r, 1);
	assert_non_null(registry_find(r, INDEX_SESSION, 1, "s", 1));
	registry_sweep(r, 1);
	assert_null(registry_find(r, INDEX_SESSION, 1, "s", 1));
}

static void a_forgotten_session_gets_a_new_number(void **state)
{
	struct registry *r = *state;

	assert_int_equal(number_of(r, INDEX_SESSION, 1, "s"), 1);
	for (int i = 0; i < 3; i++) {
		registry_sweep(r, 3);
		assert_non_null(registry_find(r, INDEX_SESSION, 1, "s", 1));
	}
	registry_sweep(r, 3);
	assert_null(registry_find(r, INDEX_SESSION, 1, "s", 1));
	assert_int_equal(number_of(r, INDEX_SESSION, 1, "s"), 2);
}

static void a_session_that_is_asked_for_is_kept(void **state)
{
	struct registry *r = *state;

	for (int i = 0; i < 10; i++) {
		assert_int_equal(number_of(r, INDEX_CONNECTION, 7, "c"), 1);
		registry_sweep(r, 0); /* taken as 1 */
	}
}

static void kinds_that_persist_are_not_forgotten_with_time(void **state)
{
	struct registry *r = *state;

	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		number_of(r, k, 1, "x");
		assert_int_equal(index_kind_persists(k), k < INDEX_SESSION);
	}
	for (int i = 0; i < 10; i++)
		registry_sweep(r, 1);
	for (enum index_kind k = 0; k < INDEX_KINDS; k++)
		assert_int_equal(registry_count(r, k), index_kind_persists(k));
}

static void numbers_end_at_two_to_the_thirty_second(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e = NULL;

	assert_int_equal(registry_restore_next(r, INDEX_SESSION, 1, UINT32_MAX), 0);
	assert_int_equal(number_of(r, INDEX_SESSION, 1, "last"), UINT32_MAX);
	assert_int_equal(registry_next(r, INDEX_SESSION, 1), 0);
	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "more", 4, 1, &e, NULL), -ENOSPC);
	assert_null(e);
	assert_int_equal(number_of(r, INDEX_SESSION, 1, "last"), UINT32_MAX);
	registry_sweep(r, 1);
	registry_sweep(r, 1);
	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "last", 4, 1, &e, NULL), -ENOSPC);
	assert_int_equal(number_of(r, INDEX_SESSION, 2, "other parent"), 1);
}

static void entries_of_one_kind_are_bounded(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e, *kept = NULL;

	for (uint32_t i = 0; i < REGISTRY_ENTRIES_MAX; i++)
		assert_int_equal(registry_number(r, INDEX_SESSION, i % 3, (const char *)&i,
					 sizeof(i), 1, i == 5 ? &kept : &e, NULL),
			0);
	assert_int_equal(registry_number(r, INDEX_SESSION, 9, "x", 1, 1, &e, NULL), -ENOSPC);
	assert_int_equal(kept->number, 5 / 3 + 1);
	assert_int_equal(number_of(r, INDEX_NODE, 1, "other kind"), 1);
	registry_sweep(r, 1);
	registry_sweep(r, 1);
	assert_int_equal(number_of(r, INDEX_SESSION, 0, "x"), (REGISTRY_ENTRIES_MAX + 2) / 3 + 1);
}

static void parents_without_entries_are_bounded_and_give_no_number_twice(void **state)
{
	struct registry *r = *state;
	uint32_t counters = 0;

	for (uint32_t parent = 1; parent <= 3 * REGISTRY_IDLE_MAX; parent++) {
		number_of(r, INDEX_SESSION, parent, "a");
		if (parent == 1)
			number_of(r, INDEX_SESSION, parent, "b");
		registry_sweep(r, 1);
	}
	registry_sweep(r, 1);
	for (const struct registry_counter *c = NULL; (c = registry_counters(r, c));)
		counters++;
	assert_int_equal(counters, REGISTRY_IDLE_MAX);
	/*
	 * Parent 1 gave 1 and 2. When it was forgotten, new parents began at 3; some of those are
	 * forgotten, too.
	 */
	assert_int_equal(registry_floor(r, INDEX_SESSION), 4);
	assert_int_equal(number_of(r, INDEX_SESSION, 1, "c"), 4);
	assert_int_equal(registry_floor(r, INDEX_NODE), 1);
}

/*
 * With a floor, the first connection of every new session would have begun at 2 once 4,096
 * sessions were gone, for no reason: a session's number is never given again.
 */
static void sessions_that_are_gone_leave_no_floor_to_connections(void **state)
{
	struct registry *r = *state;

	for (uint32_t session = 1; session <= 2 * REGISTRY_IDLE_MAX; session++) {
		number_of(r, INDEX_CONNECTION, session, "0");
		registry_sweep(r, 1);
	}
	assert_int_equal(registry_floor(r, INDEX_CONNECTION), 1);
	assert_int_equal(number_of(r, INDEX_CONNECTION, 2 * REGISTRY_IDLE_MAX + 1, "0"), 1);
}

static void changes_are_counted_where_they_are_saved(void **state)
{
	struct registry *r = *state;
	struct registry_entry *node, *session;
	uint64_t state_file = registry_changes(r, true), run_file = registry_changes(r, false);

	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "s", 1, 5, &session, NULL), 0);
	assert_int_equal(registry_changes(r, true), state_file);
	assert_true(registry_changes(r, false) > run_file);
	assert_int_equal(registry_number(r, INDEX_NODE, 1, "n", 1, 5, &node, NULL), 0);
	assert_true(registry_changes(r, true) > state_file);
	registry_sweep(r, 1);

	state_file = registry_changes(r, true);
	run_file = registry_changes(r, false);
	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "s", 1, 9, &session, NULL), 0);
	assert_int_equal(registry_number(r, INDEX_NODE, 1, "n", 1, 9, &node, NULL), 0);
	registry_sweep(r, 1);
	assert_int_equal(registry_changes(r, true), state_file);
	assert_int_equal(registry_changes(r, false), run_file);

	node->discontinuity_ns = 77;
	registry_sweep(r, 100);
	assert_int_equal(registry_changes(r, true), state_file);
	assert_int_equal(registry_changes(r, false), run_file + 1);
	registry_sweep(r, 1); /* forgets the session */
	assert_int_equal(registry_changes(r, false), run_file + 2);
}

static void restored_entries_must_fit(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e;

	assert_int_equal(registry_restore_entry(r, INDEX_NODE, 1, 1, "a", 1, &e), -EINVAL);
	assert_int_equal(registry_restore_next(r, INDEX_NODE, 1, 0), -EINVAL);
	assert_int_equal(registry_restore_next(r, INDEX_NODE, 1, UINT64_C(1) << 33), -EINVAL);
	assert_int_equal(registry_restore_next(r, INDEX_INSTANCE, 1, 2), -EINVAL);
	assert_int_equal(registry_restore_next(r, INDEX_NODE, 1, 3), 0);
	assert_int_equal(registry_restore_next(r, INDEX_NODE, 1, 3), -EEXIST);
	assert_int_equal(registry_restore_entry(r, INDEX_NODE, 1, 3, "a", 1, &e), -EINVAL);
	assert_int_equal(registry_restore_entry(r, INDEX_NODE, 1, 0, "a", 1, &e), -EINVAL);
	assert_int_equal(registry_restore_entry(r, INDEX_NODE, 1, 2, "a", 1, &e), 0);
	assert_int_equal(registry_restore_entry(r, INDEX_NODE, 1, 1, "a", 1, &e), -EEXIST);
	assert_int_equal(registry_restore_entry(r, INDEX_NODE, 1, 2, "b", 1, &e), -EEXIST);
	assert_int_equal(registry_restore_entry(r, INDEX_INSTANCE, 4, 5, "b", 1, &e), -EINVAL);
	assert_int_equal(e->seen, 0);
	assert_int_equal(number_of(r, INDEX_NODE, 1, "a"), 2);
	assert_int_equal(number_of(r, INDEX_NODE, 1, "b"), 3);
}

static void the_first_sight_in_a_boot_is_the_beginning(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e;
	bool is_new = true;

	number_of(r, INDEX_NODE, 1, "n");
	registry_begin_boot(r);
	assert_int_equal(registry_find(r, INDEX_NODE, 1, "n", 1)->since_ns, 0);
	assert_int_equal(registry_number(r, INDEX_NODE, 1, "n", 1, 42, &e, &is_new), 0);
	assert_false(is_new);
	assert_int_equal(e->since_ns, 42);
}

static void merge_keeps_the_numbers_of_both(void **state)
{
	struct registry *r = *state, *other = registry_new();
	struct registry_entry *e;
	uint32_t left_out = 9;

	number_of(r, INDEX_NODE, 1, "both");	/* 1 here and there */
	number_of(r, INDEX_NODE, 1, "here");	/* 2, which is "there" in the other one */
	number_of(r, INDEX_NODE, 1, "differs"); /* 3 here, 4 there */
	number_of(other, INDEX_NODE, 1, "both");
	number_of(other, INDEX_NODE, 1, "there");
	number_of(other, INDEX_NODE, 1, "third");
	number_of(other, INDEX_NODE, 1, "differs");
	number_of(other, INDEX_NODE, 1, "five");
	number_of(other, INDEX_INSTANCE, 4, "scst");
	assert_int_equal(registry_number(other, INDEX_NODE, 1, "both", 4, 1, &e, NULL), 0);
	e->discontinuity_ns = 99;
	assert_int_equal(registry_merge(r, other, true, &left_out), 0);
	assert_int_equal(left_out, 3); /* there, third, differs */
	assert_int_equal(registry_find(r, INDEX_NODE, 1, "both", 4)->discontinuity_ns, 99);
	assert_null(registry_find(r, INDEX_NODE, 1, "there", 5));
	assert_int_equal(number_of(r, INDEX_NODE, 1, "differs"), 3);
	assert_int_equal(number_of(r, INDEX_NODE, 1, "five"), 5);
	assert_int_equal(number_of(r, INDEX_NODE, 1, "there"), 6);
	assert_int_equal(number_of(r, INDEX_INSTANCE, 4, "scst"), 4);
	assert_int_equal(registry_count(other, INDEX_NODE), 0);
	assert_null(registry_entries(other, NULL));
	number_of(other, INDEX_NODE, 1, "usable again");
	registry_free(other);
}

/* Each allocation of a first registry_number fails once: no number is lost, nothing leaks. */
static void without_memory_nothing_changes(void **state)
{
	struct registry_entry *e = NULL;
	int rc = -ENOMEM, failures = 0;

	(void)state;
	for (; rc < 0; failures++) {
		struct registry *r = registry_new();

		calloc_fails_after = failures;
		rc = registry_number(r, INDEX_NODE, 1, "n", 1, 1, &e, NULL);
		calloc_fails_after = -1;
		assert_true(rc == 0 || rc == -ENOMEM);
		assert_int_equal(registry_count(r, INDEX_NODE), rc == 0);
		assert_int_equal(number_of(r, INDEX_NODE, 1, "n"), 1);
		registry_free(r);
	}
	assert_int_equal(failures, 5 + 1); /* three tables, counter, entry; then success */
	calloc_fails_after = 0;
	assert_null(registry_new());
}

static void a_merge_without_memory_changes_nothing(void **state)
{
	struct registry *r = *state, *other = registry_new();
	uint32_t left_out;

	number_of(other, INDEX_NODE, 1, "n");
	calloc_fails_after = 1;
	assert_int_equal(registry_merge(r, other, true, &left_out), -ENOMEM);
	calloc_fails_after = -1;
	assert_int_equal(registry_count(r, INDEX_NODE), 0);
	assert_int_equal(registry_count(other, INDEX_NODE), 1);
	registry_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_begin_at_one_in_each_parent),
		TEST(a_key_keeps_its_number_and_its_entry),
		TEST(keys_are_octets_of_any_value),
		TEST(an_instance_has_the_number_of_its_source),
		TEST(wrong_keys_are_refused_and_change_nothing),
		TEST(find_makes_nothing_and_does_not_mark),
		TEST(a_forgotten_session_gets_a_new_number),
		TEST(a_session_that_is_asked_for_is_kept),
		TEST(kinds_that_persist_are_not_forgotten_with_time),
		TEST(numbers_end_at_two_to_the_thirty_second),
		TEST(entries_of_one_kind_are_bounded),
		TEST(parents_without_entries_are_bounded_and_give_no_number_twice),
		TEST(sessions_that_are_gone_leave_no_floor_to_connections),
		TEST(changes_are_counted_where_they_are_saved),
		TEST(restored_entries_must_fit),
		TEST(the_first_sight_in_a_boot_is_the_beginning),
		TEST(merge_keeps_the_numbers_of_both),
		TEST(without_memory_nothing_changes),
		TEST(a_merge_without_memory_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
