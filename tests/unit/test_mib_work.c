/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How much work a walk is, counted in calls of encoders: linear in the cells, whatever the holes.
 * And what happens without memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib.h"
#include "tests/support/handmade.h"

static struct mib_column counted_columns[512];
static const struct mib_column *originals[512];
static uint64_t encoder_calls;

static bool count_and_encode(const struct mib_cell *cell, struct mib_value *ret)
{
	encoder_calls++;
	return originals[cell->column - counted_columns]->encode(cell, ret);
}

/* ISCSI-MIB with every encoder counted. */
static const struct mib_module *counted_module(void)
{
	static struct mib_table tables[32];
	static struct mib_module module;
	size_t n = 0;

	assert_true(iscsi_mib.table_count <= ARRAY_SIZE(tables));
	for (uint16_t t = 0; t < iscsi_mib.table_count; t++) {
		tables[t] = iscsi_mib.tables[t];
		tables[t].columns = &counted_columns[n];
		for (uint16_t c = 0; c < tables[t].column_count; c++, n++) {
			assert_true(n < ARRAY_SIZE(originals));
			originals[n] = &iscsi_mib.tables[t].columns[c];
			counted_columns[n] = *originals[n];
			counted_columns[n].encode = count_and_encode;
		}
	}
	module = iscsi_mib;
	module.tables = tables;
	encoder_calls = 0;
	return &module;
}

static void add_instance(struct snapshot *s, uint32_t number)
{
	struct instance *instance = handmade_add(s, OBJECT_INSTANCE, NULL);

	instance->object.index = number;
	OPT_SET(instance->number, number);
}

/*
 * Sessions: commands are known in all, responses in none, sent octets in every second one, received
 * octets in the last one only, received NOPs in the first and the last.
 */
static struct mib_view *view_of_sessions(const struct mib_module *module, uint32_t count)
{
	struct snapshot *s = handmade_new();
	struct mib_view *view;
	struct node *node;

	add_instance(s, 1);
	node = handmade_add(s, OBJECT_NODE, NULL);
	node->object.index = 1;
	node->instance = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct session *session = handmade_add(s, OBJECT_SESSION, NULL);

		session->object.index = i + 1;
		session->instance = 0;
		session->node = 0;
		OPT_SET(session->command_pdus, i);
		if (i % 2)
			OPT_SET(session->tx_octets, i);
		if (i == count - 1)
			OPT_SET(session->rx_octets, i);
		if (i == 0 || i == count - 1)
			OPT_SET(session->nop_received_pdus, i);
	}
	assert_int_equal(mib_view_new(module, s, &view), 0);
	snapshot_put(s);
	return view;
}

#define SWEPT 26

/* One GETNEXT of 26 columns after the other, as snmptable asks, until all have left the table. */
static void a_sweep_over_columns_with_holes_is_linear_in_the_rows(void **state)
{
	const uint32_t rows = 50000;
	struct mib_view *view = view_of_sessions(counted_module(), rows);
	struct mib_name names[SWEPT], root = { .ids = { 1, 3, 6, 1, 2, 1, 142, 1, 10 } };
	uint64_t cells = 0, round;
	size_t column_length = 12;

	(void)state;
	for (uint32_t i = 0; i < SWEPT; i++) { /* 1.10.1.1.3 … 23, then 1.10.2.1.1 … */
		names[i] = root;
		names[i].ids[9] = i < 21 ? 1 : 2;
		names[i].ids[10] = 1;
		names[i].ids[11] = i < 21 ? i + 3 : i - 20;
		names[i].length = (uint8_t)column_length;
	}
	for (round = 0; round < rows; round++) {
		for (uint32_t i = 0; i < SWEPT; i++) {
			struct mib_value value;

			if (mib_next(view, names[i].ids, names[i].length, false, &names[i],
				    &value) == MIB_FOUND)
				cells++;
		}
		/*
		 * A known cell costs one call. At a hole there are two more; the columns of the
		 * two tables are looked through once.
		 */
		if (encoder_calls > 3 * cells + 40 * (uint64_t)rows)
			fail_msg("%llu calls of encoders for %llu cells after %llu rounds",
				(unsigned long long)encoder_calls, (unsigned long long)cells,
				(unsigned long long)round);
	}
	assert_true(cells > 20ull * rows);
	mib_view_free(view);
}

static void a_walk_over_known_cells_encodes_each_once(void **state)
{
	struct mib_view *view = view_of_sessions(counted_module(), 1000);
	struct mib_name name = { .ids = { 1, 3, 6, 1, 2, 1, 142, 1, 10, 2, 1, 1 }, .length = 12 };
	struct mib_value value;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		assert_int_equal(
			mib_next(view, name.ids, name.length, false, &name, &value), MIB_FOUND);
		assert_int_equal(value.number, i);
	}
	assert_int_equal(encoder_calls, 1000);
	mib_view_free(view);
}

static void a_column_that_is_all_holes_is_looked_at_once(void **state)
{
	struct mib_view *view = view_of_sessions(counted_module(), 1000);
	static const mib_oid responses[] = { 1, 3, 6, 1, 2, 1, 142, 1, 10, 2, 1, 2 };
	struct mib_value value;
	struct mib_name name;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(
			mib_next(view, responses, ARRAY_SIZE(responses), false, &name, &value),
			MIB_FOUND);
		assert_int_equal(name.ids[11], 3); /* sent octets, of the second session */
		assert_int_equal(name.ids[14], 2);
	}
	/* twice all rows; the first row and the first known one of the next column */
	assert_true(encoder_calls <= 2 * 1000 + 1 + 100 * 2);
	mib_view_free(view);
}

static void a_long_hole_is_stepped_over_at_once(void **state)
{
	struct mib_view *view = view_of_sessions(counted_module(), 1000);
	static const mib_oid first[] = { 1, 3, 6, 1, 2, 1, 142, 1, 10, 2, 1, 7, 1, 1, 1 };
	struct mib_value value;
	struct mib_name name;

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(
			mib_next(view, first, ARRAY_SIZE(first), false, &name, &value), MIB_FOUND);
		assert_int_equal(name.ids[14], 1000);
	}
	assert_true(encoder_calls <= 1000 + 100 * 2);
	mib_view_free(view);
}

/* ---- without memory ---- */

static int failing_reallocs;

void *__real_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size);
void *__wrap_realloc(void *at, size_t size)
{
	if (failing_reallocs)
		return NULL;
	return __real_realloc(at, size);
}

static void without_memory_for_the_runs_holes_are_still_stepped_over(void **state)
{
	struct mib_view *view = view_of_sessions(&iscsi_mib, 100);
	static const mib_oid sent[] = { 1, 3, 6, 1, 2, 1, 142, 1, 10, 2, 1, 3, 1, 1, 4 };
	struct mib_value value;
	struct mib_name name;

	(void)state;
	failing_reallocs = 1;
	assert_int_equal(mib_next(view, sent, ARRAY_SIZE(sent), false, &name, &value), MIB_FOUND);
	failing_reallocs = 0;
	assert_int_equal(name.ids[14], 6);
	assert_int_equal(mib_next(view, name.ids, name.length, false, &name, &value), MIB_FOUND);
	assert_int_equal(name.ids[14], 8);
	mib_view_free(view);
}

static int callocs_until_failure = -1;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
	if (callocs_until_failure >= 0 && callocs_until_failure-- == 0)
		return NULL;
	return __real_calloc(count, size);
}

static void a_view_without_memory_is_an_error_and_leaves_nothing(void **state)
{
	uint64_t seed = 1;
	struct snapshot *s = handmade_random(&seed, 20);
	struct mib_view *view = NULL;
	int allocations = 0;

	(void)state;
	for (;; allocations++) {
		int rc;

		callocs_until_failure = allocations;
		rc = mib_view_new(&iscsi_mib, s, &view);
		if (rc == 0)
			break;
		assert_int_equal(rc, -ENOMEM);
		assert_null(view);
		assert_int_equal(s->references, 1);
	}
	callocs_until_failure = -1;
	assert_int_equal(allocations, 5 + 11); /* the view, and its row sets */
	mib_view_free(view);
	mib_view_free(NULL);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_over_columns_with_holes_is_linear_in_the_rows),
		cmocka_unit_test(a_walk_over_known_cells_encodes_each_once),
		cmocka_unit_test(a_column_that_is_all_holes_is_looked_at_once),
		cmocka_unit_test(a_long_hole_is_stepped_over_at_once),
		cmocka_unit_test(without_memory_for_the_runs_holes_are_still_stepped_over),
		cmocka_unit_test(a_view_without_memory_is_an_error_and_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
