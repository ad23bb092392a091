/* SPDX-License-Identifier: BSD-2-Clause */
/* index/registry.h: what is kept of a row is the row's, until the boot ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "index/registry.h"
#include "tests/support/registry_sample.h"

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static bool no_memory;

void *__wrap_malloc(size_t size)
{
	return no_memory ? NULL : __real_malloc(size);
}

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

static struct registry_entry *add(struct registry *r, const char *key)
{
	return registry_sample_add(r, INDEX_NODE, 1, key, strlen(key), 1);
}

static void assert_kept(const struct registry_entry *e, const char *expected)
{
	if (!expected) {
		assert_null(e->kept);
		return;
	}
	assert_non_null(e->kept);
	assert_int_equal(e->kept->length, strlen(expected));
	assert_memory_equal(e->kept->octets, expected, strlen(expected));
}

static void keep(struct registry *r, struct registry_entry *e, const char *text)
{
	assert_int_equal(registry_keep(r, e, text, strlen(text)), 0);
}

static void what_is_kept_is_replaced_and_counted(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e;
	uint64_t run, persistent;

	e = add(r, "n");
	assert_kept(e, NULL);
	registry_sweep(r, 1);
	run = registry_changes(r, false);
	persistent = registry_changes(r, true);
	keep(r, e, "one");
	assert_kept(e, "one");
	keep(r, e, "another");
	assert_kept(e, "another");
	keep(r, e, "");
	assert_kept(e, NULL);
	assert_int_equal(registry_kept_changes(r), 3);
	registry_sweep(r, 1);
	assert_int_equal(registry_changes(r, false), run);
	assert_int_equal(registry_changes(r, true), persistent);
}

/* AddressSanitizer sees what is freed too late or never. */
static void what_is_kept_goes_with_its_entry(void **state)
{
	struct registry *r = *state;
	struct registry_entry *session, *node;

	assert_int_equal(registry_number(r, INDEX_SESSION, 1, "s", 1, 1, &session, NULL), 0);
	node = add(r, "n");
	keep(r, session, "session");
	keep(r, node, "node");
	node->epoch = 5;
	registry_sweep(r, 1);
	node = add(r, "n");
	registry_sweep(r, 1);
	assert_null(registry_find(r, INDEX_SESSION, 1, "s", 1));
	assert_kept(node, "node");
	registry_begin_boot(r);
	assert_kept(node, NULL);
	assert_int_equal(node->epoch, 0);
	keep(r, node, "and freed at the end");
}

static void a_row_is_fresh_until_the_sweep(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e;

	for (int i = 0; i < 3; i++) {
		e = add(r, "n");
		assert_true(e->is_fresh == (i < 2));
		if (i == 1)
			registry_sweep(r, 1);
	}
	registry_begin_boot(r);
	e = add(r, "n");
	assert_true(e->is_fresh);
}

static void a_merge_moves_what_is_kept(void **state)
{
	static const char *const keys[] = { "both", "differs", "theirs" };
	static const char *const ours[] = { "both", "x", "differs" };

	for (int times = 0; times < 2; times++) {
		struct registry *r = registry_new(), *other = registry_new();
		struct registry_entry *e;
		uint32_t left_out;

		(void)state;
		for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
			add(r, ours[i]);
		keep(r, registry_find(r, INDEX_NODE, 1, "both", 4), "ours");
		for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
			e = add(other, keys[i]);
			e->epoch = 7;
			keep(other, e, keys[i]);
		}
		assert_int_equal(registry_merge(r, other, times, &left_out), 0);
		assert_int_equal(left_out, 2);
		e = registry_find(r, INDEX_NODE, 1, "both", 4);
		assert_kept(e, times ? "both" : "ours");
		assert_int_equal(e->epoch, times ? 7 : 0);
		assert_kept(registry_find(r, INDEX_NODE, 1, "differs", 7), NULL);
		registry_free(other);
		registry_free(r);
	}
}

static void without_memory_the_old_one_stays(void **state)
{
	struct registry *r = *state;
	struct registry_entry *e = add(r, "n");
	int rc;

	keep(r, e, "old");
	no_memory = true;
	rc = registry_keep(r, e, "new", 3);
	no_memory = false;
	assert_int_equal(rc, -ENOMEM);
	assert_kept(e, "old");
	assert_int_equal(registry_kept_changes(r), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_kept_is_replaced_and_counted),
		TEST(what_is_kept_goes_with_its_entry),
		TEST(a_row_is_fresh_until_the_sweep),
		TEST(a_merge_moves_what_is_kept),
		TEST(without_memory_the_old_one_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
