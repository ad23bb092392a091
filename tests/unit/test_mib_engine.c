/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET and GETNEXT against the plainest implementation, over views made by chance.
 * (How much work it is: test_mib_work.c.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <limits.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_rows.h"
#include "tests/support/handmade.h"
#include "tests/support/mib_reference.h"

#define VIEWS 60

/* ISCSI-MIB with gaps: without every third column, and every fifth table has no column at all. */
static const struct mib_module *gapped_module(void)
{
	static struct mib_column columns[512];
	static struct mib_table tables[32];
	static struct mib_module module;
	size_t n = 0;

	for (uint16_t t = 0; t < iscsi_mib.table_count; t++) {
		tables[t] = iscsi_mib.tables[t];
		tables[t].columns = &columns[n];
		tables[t].column_count = 0;
		for (uint16_t c = 0; t % 5 && c < iscsi_mib.tables[t].column_count; c++) {
			if (c % 3 == 1)
				continue;
			columns[n++] = iscsi_mib.tables[t].columns[c];
			tables[t].column_count++;
		}
	}
	module = iscsi_mib;
	module.tables = tables;
	return &module;
}

/* Views of all sizes, some without any object; calls `check` with each. */
static void for_each_view(void (*check)(const struct reference *r, uint64_t *seed))
{
	for (uint64_t i = 0; i < VIEWS; i++) {
		uint64_t seed = i;
		struct snapshot *s =
			i ? handmade_random(&seed, (uint32_t)(i * i / 12)) : handmade_new();
		struct mib_view *view;
		struct reference r;

		assert_int_equal(mib_view_new(i % 4 ? &iscsi_mib : gapped_module(), s, &view), 0);
		snapshot_put(s);
		mib_view_set_uptime_zero(view, handmade_chance(&seed, 2) * 1000000);
		reference_make(view, &r);
		check(&r, &seed);
		reference_free(&r);
		mib_view_free(view);
	}
}

static void check_walk(const struct reference *r, uint64_t *seed)
{
	struct mib_name at = { .length = 0 }, next;
	struct mib_value value, again;
	size_t count = 0;

	(void)seed;
	while (mib_next(r->view, at.ids, at.length, false, &next, &value) == MIB_FOUND) {
		assert_true(mib_compare(at.ids, at.length, next.ids, next.length) < 0);
		assert_true(count < r->count);
		assert_int_equal(mib_compare(next.ids, next.length, r->cells[count].ids,
					 r->cells[count].length),
			0);
		assert_int_equal(mib_get(r->view, next.ids, next.length, &again), MIB_FOUND);
		assert_true(reference_equal(&value, &again));
		at = next;
		count++;
	}
	assert_int_equal(count, r->count);
}

static void a_walk_goes_forward_through_every_cell_and_gives_what_get_gives(void **state)
{
	(void)state;
	for_each_view(check_walk);
}

static size_t random_name(const struct reference *r, uint64_t *seed, mib_oid ids[MIB_OID_MAX])
{
	static const mib_oid ends[] = { 0, 1, 2, 1000, UINT32_MAX - 1, UINT32_MAX,
		(mib_oid)UINT32_MAX + 1, (mib_oid)UINT32_MAX + 2, ULONG_MAX };
	size_t length = 0;

	if (r->count && handmade_chance(seed, 8)) {
		const struct reference_cell *c = &r->cells[handmade_chance(seed, r->count)];

		length =
			handmade_chance(seed, 3) ? c->length : handmade_chance(seed, c->length + 1);
		memcpy(ids, c->ids, length * sizeof(*ids));
	}
	for (uint64_t edits = handmade_chance(seed, 4); edits && length; edits--) {
		mib_oid *id = &ids[handmade_chance(seed, length)];

		*id = handmade_chance(seed, 2) ? *id + handmade_chance(seed, 3) - 1
					       : ends[handmade_chance(seed, ARRAY_SIZE(ends))];
	}
	if (!handmade_chance(seed, 3)) {
		size_t limit = handmade_chance(seed, 4) ? length + 3 : MIB_OID_MAX;

		while (length < limit && length < MIB_OID_MAX)
			ids[length++] = ends[handmade_chance(seed, ARRAY_SIZE(ends))];
	}
	return length;
}

static void check_random_names(const struct reference *r, uint64_t *seed)
{
	for (int i = 0; i < 400; i++) {
		mib_oid ids[MIB_OID_MAX];
		size_t length = random_name(r, seed, ids);
		/* Exactly as long as the name, so that a sanitizer sees a read beyond it. */
		mib_oid *name = malloc(length * sizeof(*name) + 1);
		const char *wrong;

		assert_non_null(name);
		memcpy(name, ids, length * sizeof(*name));
		wrong = reference_compare(r, name, length);
		if (wrong)
			fail_msg("%s (cells %zu, length %zu)", wrong, r->count, length);
		free(name);
	}
}

static void any_name_is_answered_as_the_reference_answers(void **state)
{
	(void)state;
	for_each_view(check_random_names);
}

/* ---- a view with known content ---- */

struct fixture {
	struct snapshot *s;
	struct mib_view *view;
};

static void add_instance(struct snapshot *s, uint32_t number)
{
	struct instance *instance = handmade_add(s, OBJECT_INSTANCE, NULL);

	instance->object.index = number;
	OPT_SET(instance->number, number);
}

/* Instances 2 and 5; the counter iscsiInstSsnFailures is known in 5 only. */
static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct instance *instances;

	assert_non_null(f);
	f->s = handmade_new();
	add_instance(f->s, 5);
	add_instance(f->s, 2);
	instances = f->s->arrays[OBJECT_INSTANCE].objects;
	OPT_SET(instances[0].session_failures, 7);
	assert_int_equal(mib_view_new(&iscsi_mib, f->s, &f->view), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	mib_view_free(f->view);
	snapshot_put(f->s);
	free(f);
	return 0;
}

#define FAILURES  1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 10
#define NAME(...) (const mib_oid[]){ __VA_ARGS__ }, ARRAY_SIZE(((const mib_oid[]){ __VA_ARGS__ }))

static void get_tells_a_missing_instance_from_a_missing_object(void **state)
{
	const struct mib_view *view = ((struct fixture *)*state)->view;
	struct mib_value value;

	assert_int_equal(mib_get(view, NAME(FAILURES, 5), &value), MIB_FOUND);
	assert_int_equal(value.syntax, MIB_COUNTER32);
	assert_int_equal(value.number, 7);
	assert_int_equal(mib_get(view, NAME(FAILURES, 2), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(FAILURES, 3), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(FAILURES, 5, 0), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(FAILURES), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(FAILURES, (mib_oid)5 + UINT32_MAX + 1), &value),
		MIB_NO_SUCH_INSTANCE);
	/* an index object, a column and a table that are not there, the tree's nodes */
	assert_int_equal(mib_get(view, NAME(1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 1, 5), &value),
		MIB_NO_SUCH_OBJECT);
	assert_int_equal(mib_get(view, NAME(1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 15, 5), &value),
		MIB_NO_SUCH_OBJECT);
	assert_int_equal(mib_get(view, NAME(1, 3, 6, 1, 2, 1, 142, 1, 1, 3, 1, 1, 5), &value),
		MIB_NO_SUCH_OBJECT);
	assert_int_equal(
		mib_get(view, NAME(1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1), &value), MIB_NO_SUCH_OBJECT);
	assert_int_equal(mib_get(view, NAME(1, 3, 6, 1, 2, 1, 142), &value), MIB_NO_SUCH_OBJECT);
	assert_int_equal(mib_get(view, NULL, 0, &value), MIB_NO_SUCH_OBJECT);
}

static void next_steps_over_a_hole_to_the_next_row_and_the_next_column(void **state)
{
	const struct mib_view *view = ((struct fixture *)*state)->view;
	struct mib_value value;
	struct mib_name name;

	assert_int_equal(mib_next(view, NAME(FAILURES), false, &name, &value), MIB_FOUND);
	assert_int_equal(mib_compare(name.ids, name.length, NAME(FAILURES, 5)), 0);
	assert_int_equal(mib_next(view, NAME(FAILURES, 5), false, &name, &value), MIB_FOUND);
	assert_int_equal(
		mib_compare(name.ids, name.length, NAME(1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 11, 2)),
		0);
}

static void include_gives_the_name_itself_but_never_a_hole(void **state)
{
	const struct mib_view *view = ((struct fixture *)*state)->view;
	struct mib_value value;
	struct mib_name name;

	assert_int_equal(mib_next(view, NAME(FAILURES, 5), true, &name, &value), MIB_FOUND);
	assert_int_equal(mib_compare(name.ids, name.length, NAME(FAILURES, 5)), 0);
	assert_int_equal(mib_next(view, NAME(FAILURES, 2), true, &name, &value), MIB_FOUND);
	assert_int_equal(mib_compare(name.ids, name.length, NAME(FAILURES, 5)), 0);
}

static void a_walk_ends_behind_the_module(void **state)
{
	const struct mib_view *view = ((struct fixture *)*state)->view;
	struct mib_value value;
	struct mib_name name;

	assert_int_equal(
		mib_next(view, NAME(1, 3, 6, 1, 2, 1, 143), false, &name, &value), MIB_END_OF_VIEW);
	assert_int_equal(mib_next(view, NAME(1, 3, 6, 1, 2, 1, 142, 1, 12), false, &name, &value),
		MIB_END_OF_VIEW);
	assert_int_equal(mib_next(view, NAME(2), true, &name, &value), MIB_END_OF_VIEW);
	assert_int_equal(
		mib_next(view, NAME(1, 3, 6, 1, 2, 1, 141, 9), false, &name, &value), MIB_FOUND);
}

static void names_are_compared_number_by_number_then_by_length(void **state)
{
	(void)state;
	assert_true(mib_compare(NAME(1, 2), NAME(1, 3)) < 0);
	assert_true(mib_compare(NAME(1, 2), NAME(1, 2, 0)) < 0);
	assert_true(mib_compare(NAME(2), NAME(1, UINT32_MAX)) > 0);
	assert_int_equal(mib_compare(NAME(1, 2), NAME(1, 2)), 0);
	assert_int_equal(mib_compare(NULL, 0, NULL, 0), 0);
}

/* ---- row sets as others see them ---- */

static void rows_are_sorted_by_their_index_and_of_doubles_the_first_stays(void **state)
{
	struct snapshot *s = handmade_new();
	const struct instance *instances;
	const struct mib_row *rows;
	struct mib_view *view;
	uint32_t count;

	(void)state;
	add_instance(s, UINT32_MAX);
	add_instance(s, 7);
	add_instance(s, 1);
	add_instance(s, 7);
	instances = snapshot_instances(s);
	assert_int_equal(mib_view_new(&iscsi_mib, s, &view), 0);
	assert_ptr_equal(mib_view_snapshot(view), s);
	assert_ptr_equal(mib_view_module(view), &iscsi_mib);
	rows = mib_view_rows(view, &rows_instance, &count);
	assert_int_equal(count, 3);
	assert_int_equal(rows[0].key[0], 1);
	assert_int_equal(rows[1].key[0], 7);
	assert_ptr_equal(rows[1].object, &instances[1]);
	assert_int_equal(rows[2].key[0], UINT32_MAX);
	assert_null(mib_view_rows(view, &(const struct mib_rowset){ .key_length = 1 }, &count));
	assert_int_equal(count, 0);
	mib_view_free(view);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_walk_goes_forward_through_every_cell_and_gives_what_get_gives),
		cmocka_unit_test(any_name_is_answered_as_the_reference_answers),
		cmocka_unit_test_setup_teardown(
			get_tells_a_missing_instance_from_a_missing_object, setup, teardown),
		cmocka_unit_test_setup_teardown(
			next_steps_over_a_hole_to_the_next_row_and_the_next_column, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			include_gives_the_name_itself_but_never_a_hole, setup, teardown),
		cmocka_unit_test_setup_teardown(a_walk_ends_behind_the_module, setup, teardown),
		cmocka_unit_test(names_are_compared_number_by_number_then_by_length),
		cmocka_unit_test(rows_are_sorted_by_their_index_and_of_doubles_the_first_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
