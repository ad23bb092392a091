/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths joined with devices and maps in a snapshot: every source of a weight, and what wins. */
#include "model/event_find.h"
#include "tests/support/join_host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define UNKNOWN (-1)

static void assert_path(uint32_t at, int64_t weight, int primary)
{
	const struct path *path = &snapshot_paths(joined)[at];

	assert_int_equal(path->weight.known ? (int64_t)path->weight.value : UNKNOWN, weight);
	assert_int_equal(path->primary.known ? path->primary.value : UNKNOWN, primary);
}

static void multipathd_tells_weight_and_primary(void **state)
{
	(void)state;
	look_at(&(struct host){
		.maps = 1,
		.disks = { { "sda", .session = 0, .map = 1, .priority = 50, .dm = ACTIVE,
				   .group_state = ACTIVE, .checker = CHECKER_READY },
			{ "sdb", .session = 1, .map = 1, .priority = 10, .dm = ACTIVE,
				.group_state = ENABLED, .checker = CHECKER_GHOST },
			{ "sdc", .session = 2, .map = 1, .priority = NO, .dm = FAILED,
				.group_state = ACTIVE, .checker = CHECKER_FAULTY } },
		.ways = { WAY, { "iqn.a", "10.0.0.2:3260", 2, false },
			{ "iqn.a", "10.0.0.3:3260", 3, false } },
	});
	assert_path(0, 50, 1);
	assert_path(1, 10, 0);
	assert_path(2, UNKNOWN, 0);
	assert_int_equal(snapshot_paths(joined)[1].checker_state.value, CHECKER_GHOST);
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_name), "mpath 1");
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_wwid), "wwid 1");
	assert_string_equal(join_text_of(&snapshot_devices(joined)[1].map_name), "mpath 1");
	assert_int_equal(snapshot_devices(joined)[1].map_path_state.value, ACTIVE);
	assert_int_equal(snapshot_devices(joined)[1].map_group_state.value, ENABLED);
	assert_int_equal(snapshot_devices(joined)[1].map_checker.value, CHECKER_GHOST);
	assert_int_equal(snapshot_devices(joined)[1].map_priority.value, 10);
	assert_false(snapshot_devices(joined)[2].map_priority.known);
}

static void of_several_devices_the_best_weight_and_the_worst_checker_count(void **state)
{
	struct host h = { .maps = 2,
		.disks = { { "sda", .map = 1, .priority = 10, .dm = ACTIVE, .group_state = ENABLED,
				   .checker = CHECKER_TIMEOUT },
			{ "sdb", .map = 1, .priority = 50, .dm = ACTIVE, .group_state = ACTIVE,
				.checker = CHECKER_READY },
			{ "sdc", .map = 1, .priority = 20, .dm = FAILED, .group_state = ACTIVE,
				.checker = CHECKER_FAULTY } },
		.ways = { WAY } };

	(void)state;
	look_at(&h);
	assert_path(0, 50, 1);
	assert_int_equal(snapshot_paths(joined)[0].checker_state.value, CHECKER_FAULTY);
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_wwid), "wwid 1");
	h.disks[1].map = 2;
	look_at(&h);
	assert_path(0, 50, 1);
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_name), "several");
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_wwid), "?");
	/* One that takes I/O tells it, whatever is not known of the others. */
	h.disks[0].group_state = 0;
	look_at(&h);
	assert_path(0, 50, 1);
	/* None does, and of one it is not known. */
	h.disks[1].group_state = ENABLED;
	look_at(&h);
	assert_path(0, 50, UNKNOWN);
}

/* The checkers' words are not in the order of their numbers. */
static void the_worst_checker_is_by_rank(void **state)
{
	static const uint32_t order[] = { CHECKER_READY, CHECKER_GHOST, CHECKER_PENDING,
		CHECKER_UNCHECKED, CHECKER_DELAYED, CHECKER_SHAKY, CHECKER_TIMEOUT, CHECKER_FAULTY,
		CHECKER_DISCONNECTED };

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(checker_rank(order[i]), i);
		assert_int_equal(checker_is_well(order[i]), i < 4);
		for (uint32_t k = 0; k < ARRAY_SIZE(order); k++) {
			look_at(&(struct host){ .maps = 1,
				.disks = { { "sda", .map = 1, .checker = order[i] },
					{ "sdb", .map = 1, .checker = order[k] } },
				.ways = { WAY } });
			assert_int_equal(snapshot_paths(joined)[0].checker_state.value,
				order[i > k ? i : k]);
		}
	}
}

/* Neither are the access states. */
static void the_best_access_state_is_by_rank(void **state)
{
	static const uint32_t order[] = { OPTIMIZED, NON_OPTIMIZED, LBA_DEPENDENT, STANDBY,
		TRANSITIONING, UNAVAILABLE, OFFLINE };

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(order); i++) {
		for (uint32_t k = 0; k < ARRAY_SIZE(order); k++) {
			look_at(&(struct host){ .disks = { { "sda", .access = order[i] },
							{ "sdb", .access = order[k] } },
				.ways = { WAY } });
			assert_int_equal(
				snapshot_paths(joined)[0].access_state.value, order[i < k ? i : k]);
		}
	}
	look_at(&(struct host){ .disks = { { "sda" } }, .ways = { WAY } });
	assert_false(snapshot_paths(joined)[0].access_state.known);
}

static void alua_tells_what_multipathd_does_not(void **state)
{
	static const struct {
		uint32_t access;
		bool preferred;
		int64_t weight;
		int primary;
	} cases[] = { { OPTIMIZED, false, 50, 1 }, { OPTIMIZED, true, 50, 1 },
		{ NON_OPTIMIZED, false, 10, 0 }, { NON_OPTIMIZED, true, 90, 0 },
		{ STANDBY, false, 1, 0 }, { STANDBY, true, 81, 0 }, { UNAVAILABLE, false, 0, 0 },
		{ LBA_DEPENDENT, false, 5, 0 }, { 6, false, 0, 0 }, { 7, true, 80, 0 } };
	struct host h = { .disks = { { "sda" } }, .ways = { WAY } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		h.disks[0].access = cases[i].access;
		h.disks[0].preferred = cases[i].preferred;
		look_at(&h);
		assert_path(0, cases[i].weight, cases[i].primary);
	}
	/* multipathd before ALUA, each value for itself. */
	h = (struct host){ .maps = 1,
		.disks = { { "sda", .access = OPTIMIZED, .map = 1, .priority = 7, .dm = ACTIVE,
			.group_state = ENABLED } },
		.ways = { WAY } };
	look_at(&h);
	assert_path(0, 7, 0);
	h.disks[0].priority = NO;
	look_at(&h);
	assert_path(0, 50, 0);
	/* Which way a map takes is not for ALUA to say: of two that are optimized it may take one.
	 */
	h.disks[0].group_state = 0;
	look_at(&h);
	assert_path(0, 50, UNKNOWN);
	/* Two devices: the best of both. */
	look_at(&(struct host){
		.disks = { { "sda", .access = STANDBY }, { "sdb", .access = NON_OPTIMIZED } },
		.ways = { WAY } });
	assert_path(0, 10, 0);
}

static void count_found(void *context, uint32_t type, const void *before, const void *object,
	const uint32_t key[EVENT_KEY_MAX], uint64_t when_ns)
{
	unsigned *count = context;

	(void)type, (void)before, (void)object, (void)key, (void)when_ns;
	++*count;
}

/* The maps stay in the kernel, and the I/O goes where it went. */
static void without_multipathd_no_other_path_becomes_primary(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .session = 0, .access = OPTIMIZED, .sysfs_wwid = "wwid 1",
				   .map = 1, .priority = 50, .dm = ACTIVE, .group_state = ACTIVE },
			{ "sdb", .session = 1, .access = OPTIMIZED, .sysfs_wwid = "wwid 1",
				.map = 1, .priority = 50, .dm = ACTIVE, .group_state = ENABLED } },
		.ways = { WAY, { "iqn.a", "10.0.0.2:3260", 2, false } } };
	struct snapshot *before;
	unsigned count = 0;

	(void)state;
	look_at(&h);
	assert_path(0, 50, 1);
	assert_path(1, 50, 0);
	before = snapshot_get(joined);
	h.maps = h.disks[0].map = h.disks[1].map = 0;
	h.maps_state = SOURCE_ABSENT;
	look_at(&h);
	assert_path(0, 50, UNKNOWN);
	assert_path(1, 50, UNKNOWN);
	assert_int_equal(event_find(before, joined, 0, count_found, &count), 0);
	assert_int_equal(count, 0);
	snapshot_put(before);
	/* Nor where it is not known whether there is a map. */
	h.disks[0].maps_unread = h.disks[1].maps_unread = true;
	look_at(&h);
	assert_path(1, 50, UNKNOWN);
}

static void a_path_alone_is_primary(void **state)
{
	struct host h = { .disks = { { "sda" } }, .ways = { WAY } };

	(void)state;
	look_at(&h);
	assert_path(0, 1, 1);
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_name), "");
	h.disks[0].name = NULL;
	look_at(&h);
	assert_path(0, 1, 1);
	/* But not when nobody has looked for devices, */
	h.devices_unread = true;
	look_at(&h);
	assert_path(0, UNKNOWN, UNKNOWN);
	/* nor whether there is a map on the one that there is, */
	h = (struct host){ .disks = { { "sda", .maps_unread = true } }, .ways = { WAY } };
	look_at(&h);
	assert_path(0, UNKNOWN, UNKNOWN);
	assert_false(snapshot_paths(joined)[0].map_name.known);
	/* or on the other one, */
	h.disks[1] = (struct disk){ "sdb", .sysfs_wwid = "x" };
	look_at(&h);
	assert_false(snapshot_paths(joined)[0].map_name.known);
	/* nor when there is a map of which nobody tells. */
	h = (struct host){ .disks = { { "sda", .sysfs_wwid = "x" } }, .ways = { WAY } };
	look_at(&h);
	assert_path(0, UNKNOWN, UNKNOWN);
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_name), "of x");
	assert_string_equal(join_text_of(&snapshot_paths(joined)[0].map_wwid), "x");
	h.disks[0].sysfs_wwid = "";
	look_at(&h);
	assert_path(0, 1, 1);
}

static void a_path_without_a_session_has_what_the_rules_say(void **state)
{
	struct host h = { .ways = { { "iqn.a", "10.0.0.1:3260", 0, false },
				  { "iqn.a", "10.0.0.1:3260", 1, true } } };

	(void)state;
	look_at(&h);
	assert_path(0, UNKNOWN, UNKNOWN);
	assert_path(1, UNKNOWN, UNKNOWN);
	join_rules.weight_count = join_rules.primary_count = 1;
	join_rules.weights[0] = (struct path_rule){ "iqn.*", "10.0.0.1", 9 };
	join_rules.primaries[0] = (struct path_rule){ "*", "*:3260", 0 };
	look_at(&h);
	assert_path(0, 9, 0);
	assert_path(1, 9, 0);
}

static void rules_win(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .access = OPTIMIZED, .map = 1, .priority = 50, .dm = ACTIVE,
			.group_state = ACTIVE } },
		.ways = { WAY, { "iqn.a", "[fd00::1]:3260", 1, false },
			{ "iqn.a", "storage.example", 1, false }, { "iqn.b", NULL, 1, false } } };

	(void)state;
	join_rules.weight_count = 3;
	join_rules.weights[0] = (struct path_rule){ "iqn.a", "10.0.0.*", 3 };
	join_rules.weights[1] = (struct path_rule){ "iqn.a", "[fd00::1]:3260", 4 };
	join_rules.weights[2] = (struct path_rule){ "iqn.a", "storage.example:3260", 5 };
	join_rules.primary_count = 1;
	join_rules.primaries[0] = (struct path_rule){ "iqn.a", "10.0.0.1", 0 };
	look_at(&h);
	assert_path(0, 3, 0);
	assert_path(1, 4, 1);
	assert_path(2, 5, 1);
	assert_path(3, 50, 1);
}

static void another_device_of_the_name_is_not_joined(void **state)
{
	struct host h = { .maps = 1,
		.disks = { { "sda", .hctl = "9:0:0:0", .map = 1, .priority = 50, .dm = ACTIVE,
			.group_state = ACTIVE } },
		.ways = { WAY } };

	(void)state;
	look_at(&h);
	assert_path(0, 1, 1);
	assert_string_equal(join_text_of(&snapshot_devices(joined)[0].map_name), "");
	h.disks[0].hctl = "";
	look_at(&h);
	assert_path(0, 50, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, join_set_up, join_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(multipathd_tells_weight_and_primary),
		TEST(of_several_devices_the_best_weight_and_the_worst_checker_count),
		TEST(the_worst_checker_is_by_rank),
		TEST(the_best_access_state_is_by_rank),
		TEST(alua_tells_what_multipathd_does_not),
		TEST(without_multipathd_no_other_path_becomes_primary),
		TEST(a_path_alone_is_primary),
		TEST(a_path_without_a_session_has_what_the_rules_say),
		TEST(rules_win),
		TEST(another_device_of_the_name_is_not_joined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
