/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps joined with paths and devices in a snapshot: how a map is, and which ones are rows. */
#include "tests/support/join_host.h"

#include "index/registry.h"
#include "model/session_state.h"
#include "model/summary.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct map *map_at(uint32_t at)
{
	return &snapshot_maps(joined)[at];
}

static void assert_map(uint32_t paths, uint32_t active, uint32_t missing, uint32_t status)
{
	assert_int_equal(map_at(0)->path_count.value, paths);
	assert_int_equal(map_at(0)->active_count.value, active);
	assert_int_equal(map_at(0)->missing_count.value, missing);
	assert_int_equal(map_at(0)->status.value, status);
}

static void a_map_is_as_well_as_its_paths(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .session = 0, .map = 1, .dm = ACTIVE,
				   .checker = CHECKER_READY },
			{ "sdb", .session = 1, .map = 1, .dm = ACTIVE, .checker = CHECKER_GHOST } },
		.ways = { WAY, { "iqn.a", "10.0.0.2:3260", 2, false } } };

	(void)state;
	look_at(&h);
	assert_map(2, 2, 0, MAP_OK);
	assert_int_equal(map_at(0)->iscsi_count.value, 2);
	h.disks[1].checker = CHECKER_FAULTY;
	look_at(&h);
	assert_map(2, 1, 0, MAP_DEGRADED);
	h.disks[1] = (struct disk){ "sdb", .session = 1, .map = 1, .dm = FAILED };
	look_at(&h);
	assert_map(2, 1, 0, MAP_DEGRADED);
	h.disks[0].dm = 0;
	look_at(&h);
	assert_map(2, 0, 0, MAP_FAILED);
	h.disks[0].map = h.disks[1].map = 0;
	look_at(&h);
	assert_map(0, 0, 0, MAP_FAILED);
}

/* multipathd leaves a path active until the recovery timeout is over. */
static void a_lost_connection_takes_its_paths_from_a_map(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .session = 0, .map = 1, .dm = ACTIVE },
			{ "sdb", .session = 1, .map = 1, .dm = ACTIVE } },
		.conditions = { 0, SESSION_LOST },
		.ways = { WAY } };

	(void)state;
	look_at(&h);
	assert_map(2, 1, 0, MAP_DEGRADED);
	h.conditions[0] = SESSION_EXPIRED;
	look_at(&h);
	assert_map(2, 0, 0, MAP_FAILED);
	/* Not twice. */
	h.disks[1].dm = FAILED;
	look_at(&h);
	assert_map(2, 0, 0, MAP_FAILED);
}

static void a_record_without_a_session_is_missing_in_the_maps_of_its_target(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .session = 0, .map = 1, .dm = ACTIVE },
			{ "sdb", .session = 1, .map = 1, .dm = ACTIVE } },
		.ways = { WAY, { "iqn.a", "10.0.0.2:3260", 0, false },
			{ "iqn.other", "10.0.0.2:3260", 0, false },
			{ "iqn.a", "10.0.0.2:3260", 0, true } } };

	(void)state;
	look_at(&h);
	assert_map(2, 2, 1, MAP_DEGRADED);
	h.ways[1].session = 2;
	look_at(&h);
	assert_map(2, 2, 0, MAP_OK);
}

/* A session that could not be read may be the one: how many are missing is not known. */
static void a_record_that_may_have_a_session_is_not_missing(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .session = 0, .map = 1, .dm = ACTIVE },
			{ "sdb", .session = 1, .map = 1, .dm = ACTIVE } },
		.ways = { WAY, { "iqn.a", "10.0.0.2:3260", 0, .untold = true } } };

	(void)state;
	look_at(&h);
	assert_false(map_at(0)->missing_count.known);
	assert_int_equal(map_at(0)->status.value, MAP_OK);
	h.ways[2] = (struct way){ "iqn.a", "10.0.0.3:3260", 0, false, false };
	look_at(&h);
	assert_false(map_at(0)->missing_count.known);
	assert_int_equal(map_at(0)->status.value, MAP_DEGRADED);
	h.ways[1].untold = false;
	look_at(&h);
	assert_map(2, 2, 2, MAP_DEGRADED);
}

static void maps_of_other_transports_are_no_rows(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .session = UINT32_MAX, .map = 1, .says_no_protocol = true } } };

	(void)state;
	look_at(&h);
	assert_int_equal(map_at(0)->object.index, 0);
	/* Known as iSCSI by multipathd, or by the initiator. */
	h.disks[0].says_no_protocol = false;
	look_at(&h);
	assert_int_equal(map_at(0)->object.index, 1);
	h.disks[0].says_no_protocol = true;
	h.disks[0].session = 0;
	look_at(&h);
	assert_int_equal(map_at(0)->iscsi_count.value, 1);
	assert_int_equal(map_at(0)->object.index, 1);
	/* One that has lost all its paths may have been one. */
	h.disks[0].map = 0;
	look_at(&h);
	assert_int_equal(map_at(0)->object.index, 1);
}

/*
 * A map that cannot be read is not a map that is not there: the path is not called alone, and what
 * its other devices say is not the whole.
 */
static void a_device_with_an_unknown_map_leaves_its_path_untold(void **state)
{
	struct host h = { .disks = { { "sda", .session = 0, .priority = NO, .maps_unread = true } },
		.ways = { WAY } };
	const struct path *path;

	(void)state;
	for (int others = 0; others < 3; others++) {
		if (others)
			h.disks[1] = (struct disk){ "sdb", .session = 0, .priority = NO,
				.sysfs_wwid = others == 2 ? "3600" : NULL };
		look_at(&h);
		path = snapshot_paths(joined);
		assert_false(path->map_name.known || path->map_wwid.known);
		assert_false(path->primary.known || path->weight.known);
	}
	/* Once it is known of all, it is told. */
	h.disks[0].maps_unread = false;
	h.disks[1].sysfs_wwid = NULL;
	look_at(&h);
	path = snapshot_paths(joined);
	assert_true(path->map_name.known && path->map_name.length == 0);
	assert_true(path->primary.known && path->primary.value);
	assert_true(path->weight.known);
}

static void the_summary_counts_maps(void **state)
{
	static const enum source_state without[] = { SOURCE_ABSENT, SOURCE_STARTING, SOURCE_STALE,
		SOURCE_DISABLED };
	struct host h = { .maps = 2,
		.disks = { { "sda", .session = 0, .map = 1, .dm = ACTIVE },
			{ "sdb", .session = 1, .map = 1, .dm = ACTIVE },
			{ "sdc", .session = 0, .map = 2, .dm = ACTIVE } },
		.ways = { WAY } };
	const struct summary *summary;

	(void)state;
	look_at(&h);
	summary = snapshot_summarys(joined);
	assert_int_equal(summary->maps.value, 2);
	assert_int_equal(summary->maps_short.value, 0);
	assert_int_equal(summary->status.value, SUMMARY_OK);
	assert_null(strstr(join_text_of(&summary->text), "map"));
	h.disks[1].dm = FAILED;
	h.maps_state = SOURCE_FAILING;
	look_at(&h);
	summary = snapshot_summarys(joined);
	assert_int_equal(summary->maps_short.value, 1);
	assert_int_equal(summary->status.value, SUMMARY_DEGRADED);
	assert_non_null(strstr(join_text_of(&summary->text), "; 1 of 2 maps lacks a path"));
	h.disks[2].dm = FAILED;
	look_at(&h);
	summary = snapshot_summarys(joined);
	assert_int_equal(summary->maps_short.value, 2);
	assert_int_equal(summary->status.value, SUMMARY_CRITICAL);
	assert_non_null(
		strstr(join_text_of(&summary->text), "; 2 of 2 maps lack paths, 1 without any"));
	h.maps = 0;
	h.disks[0].name = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		h.maps_state = without[i];
		look_at(&h);
		assert_false(snapshot_summarys(joined)->maps.known);
		assert_false(snapshot_summarys(joined)->maps_short.known);
	}
}

static void a_map_keeps_its_number(void **state)
{
	struct host h = { .maps = 3 };
	uint32_t numbers[3];

	(void)state;
	look_at(&h);
	for (uint32_t i = 0; i < 3; i++)
		numbers[i] = map_at(i)->object.index;
	assert_int_equal(numbers[0], 1);
	assert_int_equal(numbers[2], 3);
	assert_true(index_kind_persists(INDEX_MAP));
	h.maps = 1;
	look_at(&h);
	assert_int_equal(map_at(0)->object.index, 1);
	h.maps = 3;
	look_at(&h);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(map_at(i)->object.index, numbers[i]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, join_set_up, join_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_map_is_as_well_as_its_paths),
		TEST(a_lost_connection_takes_its_paths_from_a_map),
		TEST(a_record_without_a_session_is_missing_in_the_maps_of_its_target),
		TEST(a_record_that_may_have_a_session_is_not_missing),
		TEST(maps_of_other_transports_are_no_rows),
		TEST(a_device_with_an_unknown_map_leaves_its_path_untold),
		TEST(the_summary_counts_maps),
		TEST(a_map_keeps_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
