/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/notify_encode.h: each notification of each module, about rows of snapshots made by chance,
 * against what a GET says at the same moment. Wrapped: __wrap_malloc __wrap_calloc __wrap_realloc
 * __wrap_reallocarray
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_rows.h"
#include "agent/notify_encode.h"
#include "model/event.h"
#include "tests/support/failing_memory.h"
#include "tests/support/handmade.h"
#include "tests/support/notify_decode.h"

#define MODULES_MAX 4

static struct mib_view *views[MODULES_MAX];

static void make_views(struct snapshot *s)
{
	for (size_t i = 0; mib_modules[i]; i++) {
		assert_true(i + 1 < MODULES_MAX);
		assert_int_equal(mib_view_new(mib_modules[i], s, &views[i]), 0);
		mib_view_set_uptime_zero(views[i], 1);
	}
	snapshot_put(s);
}

static void free_views(void)
{
	for (size_t i = 0; i < MODULES_MAX; i++) {
		mib_view_free(views[i]);
		views[i] = NULL;
	}
}

/* The OID of the notification's object without its instance. */
static void assert_is_object(const struct agentx_decoded_binding *b, const char *name)
{
	for (size_t i = 0; mib_modules[i]; i++) {
		const struct mib_table *table;
		const struct mib_column *column = mib_find_column(mib_modules[i], name, &table);
		struct mib_name oid;

		if (!column)
			continue;
		mib_name_column(mib_modules[i], table, column, &oid);
		assert_int_equal(b->name_length, oid.length + (size_t)table->rows->key_length);
		assert_int_equal(mib_compare(b->name, oid.length, oid.ids, oid.length), 0);
		return;
	}
	fail_msg("there is no object %s", name);
}

static void check_pdu(
	const struct notify_place *place, const uint32_t key[MIB_KEY_MAX], uint32_t event)
{
	const struct mib_notification *n = place->notification;
	const struct mib_module *module = mib_modules[place->module];
	static struct decoded_notify d;
	uint8_t *octets;
	size_t length;

	assert_int_equal(notify_encode(views, place, key, event, &octets, &length), 0);
	notify_decode(octets, length, &d);
	free(octets);
	assert_int_equal(d.trap_length, module->root_length + 2u);
	assert_int_equal(
		mib_compare(d.trap, module->root_length, module->root, module->root_length), 0);
	assert_int_equal(d.trap[module->root_length], 0);
	assert_int_equal(d.trap[module->root_length + 1], n->sub_id);
	assert_int_equal(d.count, n->column_count);
	for (uint8_t i = 0; i < n->column_count; i++) {
		assert_is_object(&d.objects[i], n->columns[i]);
		assert_true(notify_equals_get(views[place->module], &d.objects[i]));
	}
}

/* All notifications, about the first rows of each; returns how many were made. */
static size_t check_all(uint32_t event)
{
	const uint32_t of_another[MIB_KEY_MAX] = { 4000000001u, 2, 3, 4 };
	size_t made = 0;

	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		const struct mib_row *rows;
		struct notify_place place;
		uint32_t count;

		if (!notify_find(event_type_notification(type), &place))
			continue;
		rows = mib_view_rows(views[place.module], place.notification->rows, &count);
		for (uint32_t i = 0; i < count && i < 5; i++, made++) {
			/* One about an event has the event's row, whatever that is about. */
			if (place.notification->rows == &rows_event)
				check_pdu(&place, of_another, rows[i].key[0]);
			else
				check_pdu(&place, rows[i].key, event);
		}
	}
	return made;
}

static void each_has_what_a_get_finds(void **state)
{
	size_t made = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		uint64_t chance = seed;
		struct snapshot *s = handmade_random(&chance, 12);
		struct event *event = handmade_add(s, OBJECT_EVENT, NULL);

		event->object.index = 4000000000u;
		make_views(s);
		made += check_all(4000000000u);
		free_views();
	}
	print_message("%zu notifications\n", made);
	assert_true(made > 3000);
}

static void each_type_but_the_start_has_one(void **state)
{
	struct notify_place place;
	bool used[MODULES_MAX][32] = { { false } };

	(void)state;
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		assert_int_equal(notify_find(event_type_notification(type), &place),
			type != EVENT_AGENT_STARTED);
		if (type == EVENT_AGENT_STARTED)
			continue;
		assert_false(used[place.module][place.notification->sub_id]);
		used[place.module][place.notification->sub_id] = true;
	}
	/* And the other way: each notification of a module is one of a type. */
	for (size_t i = 0; mib_modules[i]; i++) {
		for (uint16_t k = 0; k < mib_modules[i]->notification_count; k++)
			assert_true(used[i][mib_modules[i]->notifications[k].sub_id]);
	}
	assert_false(notify_find("iscsiPathSideways", &place));
}

static void about_what_is_not_there_is_none(void **state)
{
	struct snapshot *s = handmade_new();
	struct path *path = handmade_add(s, OBJECT_PATH, NULL);
	struct event *event = handmade_add(s, OBJECT_EVENT, NULL);
	uint32_t here[MIB_KEY_MAX] = { 7 }, gone[MIB_KEY_MAX] = { 8 };
	struct notify_place place;
	uint8_t *octets = NULL;
	size_t length = 0;

	(void)state;
	path->object.index = 7;
	event->object.index = 3;
	make_views(s);
	assert_true(notify_find("iscsiPathDown", &place));
	assert_int_equal(notify_encode(views, &place, gone, 3, &octets, &length), -ENOENT);
	assert_int_equal(notify_encode(views, &place, here, 4, &octets, &length), -ENOENT);
	allocations = 0;
	fail_at = 1;
	assert_int_equal(notify_encode(views, &place, here, 3, &octets, &length), -ENOMEM);
	fail_at = 0;
	assert_null(octets);
	assert_int_equal(length, 0);
	check_pdu(&place, here, 3);
	free_views();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_has_what_a_get_finds),
		cmocka_unit_test(each_type_but_the_start_has_one),
		cmocka_unit_test(about_what_is_not_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
