/* SPDX-License-Identifier: BSD-2-Clause */
/* Scalars beside a table: GET, GETNEXT, the listing, notifications. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_columns.h"
#include "agent/mib_list.h"
#include "agent/mib_rows.h"
#include "tests/support/handmade.h"
#include "tests/support/mib_reference.h"

/* The portal is the one row of the scalars, the instances are those of the table. */
static bool only_key(const struct snapshot *s, const void *object, uint32_t key[MIB_KEY_MAX])
{
	(void)key;
	return object == snapshot_portals(s);
}

static const struct mib_rowset rows_only = {
	.kind = OBJECT_PORTAL, .key_length = 1, .key = only_key
};

#define ROW struct portal
static const struct mib_column groupScalars[] = {
	COL_U32(1, groupPort, port, READ_ONLY, HOLE),
	COL_U32(3, groupTag, tag, READ_ONLY, HOLE),
};
static const struct mib_column laterScalars[] = {
	COL_U32(1, laterProtocol, protocol, READ_ONLY, HOLE),
};
#undef ROW
#define ROW struct instance
static const struct mib_column thingTable[] = {
	COL_U32(2, thingNumber, number, READ_ONLY, HOLE),
};
#undef ROW

static const struct mib_table tables[] = {
	SCALARS(group, rows_only, 1, 1),
	TABLE(thing, rows_instance, 1, 2, 1),
	SCALARS(later, rows_only, 1, 3),
};
static const struct mib_notification notifications[] = {
	NOTIFICATION(alarm, 1, rows_instance, UNASKED, "thingNumber", "groupTag", "groupPort"),
};
static const mib_oid root[] = { 1, 3, 9 };
static const struct mib_module module = {
	.name = "TEST-MIB",
	.root = root,
	.root_length = ARRAY_SIZE(root),
	.tables = tables,
	.table_count = ARRAY_SIZE(tables),
	.notifications = notifications,
	.notification_count = ARRAY_SIZE(notifications),
};

struct fixture {
	struct snapshot *s;
	struct mib_view *view;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct instance *instance;
	struct portal *portal;

	assert_non_null(f);
	f->s = handmade_new();
	instance = handmade_add(f->s, OBJECT_INSTANCE, NULL);
	instance->object.index = 4;
	OPT_SET(instance->number, 4);
	portal = handmade_add(f->s, OBJECT_PORTAL, NULL);
	OPT_SET(portal->tag, 77);
	handmade_add(f->s, OBJECT_PORTAL, NULL); /* no second row comes of it */
	assert_int_equal(mib_view_new(&module, f->s, &f->view), 0);
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

#define NAME(...) (const mib_oid[]){ __VA_ARGS__ }, ARRAY_SIZE(((const mib_oid[]){ __VA_ARGS__ }))

static void a_scalar_has_the_instance_0_and_no_other(void **state)
{
	const struct mib_view *view = ((struct fixture *)*state)->view;
	struct mib_value value;

	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 3, 0), &value), MIB_FOUND);
	assert_int_equal(value.number, 77);
	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 3), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 3, 1), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 3, 0, 0), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 2, 0), &value), MIB_NO_SUCH_OBJECT);
	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1), &value), MIB_NO_SUCH_OBJECT);
}

static void an_unknown_scalar_is_a_hole(void **state)
{
	const struct mib_view *view = ((struct fixture *)*state)->view;
	struct mib_value value;

	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 1, 0), &value), MIB_NO_SUCH_INSTANCE);
}

static void next_goes_from_scalars_to_the_table_and_to_scalars_behind_it(void **state)
{
	const struct fixture *f = *state;
	static const mib_oid names[][7] = { { 1, 3, 9, 1, 1, 3, 0 }, { 1, 3, 9, 1, 2, 1, 2 },
		{ 1, 3, 9, 1, 3, 1, 0 } };
	struct mib_name at = { .length = 0 };
	struct mib_value value;

	OPT_SET(((struct portal *)f->s->arrays[OBJECT_PORTAL].objects)->protocol, 6);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct mib_name next;

		assert_int_equal(
			mib_next(f->view, at.ids, at.length, false, &next, &value), MIB_FOUND);
		assert_memory_equal(next.ids, names[i], sizeof(names[i]));
		assert_int_equal(next.length, i == 1 ? 8 : 7);
		at = next;
	}
	assert_int_equal(mib_next(f->view, at.ids, at.length, false, &at, &value), MIB_END_OF_VIEW);
	/* with include the instance itself, from the object its instance */
	assert_int_equal(
		mib_next(f->view, NAME(1, 3, 9, 1, 1, 3, 0), true, &at, &value), MIB_FOUND);
	assert_memory_equal(at.ids, names[0], sizeof(names[0]));
	assert_int_equal(mib_next(f->view, NAME(1, 3, 9, 1, 1, 3), false, &at, &value), MIB_FOUND);
	assert_memory_equal(at.ids, names[0], sizeof(names[0]));
}

static void without_its_row_a_group_is_stepped_over(void **state)
{
	struct snapshot *s = handmade_new();
	struct mib_view *view;
	struct mib_value value;
	struct mib_name name;

	(void)state;
	assert_int_equal(mib_view_new(&module, s, &view), 0);
	assert_int_equal(mib_get(view, NAME(1, 3, 9, 1, 1, 3, 0), &value), MIB_NO_SUCH_INSTANCE);
	assert_int_equal(mib_next(view, root, 3, false, &name, &value), MIB_END_OF_VIEW);
	mib_view_free(view);
	snapshot_put(s);
}

static void names_around_scalars_are_answered_as_the_reference_answers(void **state)
{
	const struct fixture *f = *state;
	struct reference r;
	uint64_t seed = 1;

	reference_make(f->view, &r);
	for (int i = 0; i < 5000; i++) {
		mib_oid ids[9] = { 1, 3, 9 };
		size_t length = 3 + handmade_chance(&seed, 7);
		const char *wrong;

		for (size_t at = 3; at < length; at++)
			ids[at] = handmade_chance(&seed, 5);
		wrong = reference_compare(&r, ids, length);
		if (wrong)
			fail_msg("%s", wrong);
	}
	reference_free(&r);
}

static void the_listing_gives_a_scalar_no_entry_and_no_index(void **state)
{
	char text[2000] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	assert_non_null(out);
	assert_int_equal(mib_list_columns(&module, out), 0);
	fclose(out);
	assert_non_null(strstr(text,
		"column\tTEST-MIB\tgroup\t\t1.3.9.1.1.3\tgroupTag\tUnsigned32\tread-only\t\n"));
	assert_non_null(strstr(text,
		"column\tTEST-MIB\tthingTable\tthingEntry\t1.3.9.1.2.1.2\tthingNumber\tUnsigned32"
		"\tread-only\tiscsiInstIndex\n"));
}

static void a_notification_may_have_scalars_beside_its_row(void **state)
{
	const struct fixture *f = *state;
	const uint32_t key[MIB_KEY_MAX] = { 4 };
	struct mib_value value;
	struct mib_name name;

	assert_int_equal(
		mib_notification_value(f->view, notifications, 0, key, key, &name, &value), 0);
	assert_int_equal(mib_compare(name.ids, name.length, NAME(1, 3, 9, 1, 2, 1, 2, 4)), 0);
	assert_int_equal(
		mib_notification_value(f->view, notifications, 1, key, key, &name, &value), 0);
	assert_int_equal(mib_compare(name.ids, name.length, NAME(1, 3, 9, 1, 1, 3, 0)), 0);
	assert_int_equal(value.number, 77);
	/* a hole is 0 there */
	assert_int_equal(
		mib_notification_value(f->view, notifications, 2, key, key, &name, &value), 0);
	assert_int_equal(value.number, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_scalar_has_the_instance_0_and_no_other, setup, teardown),
		cmocka_unit_test_setup_teardown(an_unknown_scalar_is_a_hole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			next_goes_from_scalars_to_the_table_and_to_scalars_behind_it, setup,
			teardown),
		cmocka_unit_test(without_its_row_a_group_is_stepped_over),
		cmocka_unit_test_setup_teardown(
			names_around_scalars_are_answered_as_the_reference_answers, setup,
			teardown),
		cmocka_unit_test(the_listing_gives_a_scalar_no_entry_and_no_index),
		cmocka_unit_test_setup_teardown(
			a_notification_may_have_scalars_beside_its_row, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
