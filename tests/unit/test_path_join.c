/* SPDX-License-Identifier: BSD-2-Clause */
/* Paths, devices and maps joined in a snapshot: every source of a weight, and what wins. */
#include "model/path_join.h"

#include "index/registry.h"
#include "model/builder.h"
#include "model/path.h"
#include "model/session_state.h"
#include "model/summary.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ACTIVE = 1, ENABLED = 2, FAILED = 2, NO = -1 };
enum { OPTIMIZED = 1, NON_OPTIMIZED, STANDBY, UNAVAILABLE, LBA_DEPENDENT };

/*
 * A device as the initiator sees it, and what multipathd says of it. 0 is unknown, or no map; a
 * priority of NO is unknown.
 */
struct disk {
	const char *name, *hctl; /* hctl of multipathd; NULL the device's own, "" unknown */
	uint32_t session;
	uint32_t access;
	bool preferred;
	uint32_t map; /* 1, 2, …: in this map of multipathd */
	int priority;
	uint32_t dm, group_state, checker;
	const char *sysfs_wwid; /* a map that sysfs tells of */
	bool says_no_protocol;
};

/* A path: its session from 1, or 0 for a record without one. */
struct way {
	const char *target, *portal;
	uint32_t session;
	bool inbound;
};

#define SESSIONS 3
struct host {
	struct disk disks[6];
	struct way ways[4];
	uint32_t conditions[SESSIONS + 1]; /* of session 1, 2, 3; 0: SESSION_UP */
	uint32_t maps;
	bool devices_unread;
	enum source_state maps_state; /* 0: SOURCE_OK */
};

static struct path_rules rules;
static struct snapshot *s;
static struct registry *registry;

static void set_text(struct builder *b, struct opt_str *field, const char *text)
{
	if (text)
		builder_text(b, field, text);
}

static void add_sessions(struct builder *b, const struct host *h)
{
	struct instance *instance = builder_instance(b, NULL);
	struct node *node = builder_node(b, NULL);

	builder_text(b, &instance->key, "open-iscsi");
	OPT_SET(instance->number, 1);
	node->instance = 0;
	builder_text(b, &node->key, "me");
	builder_text(b, &node->name, "iqn.2001-01.me:host");
	for (uint32_t i = 0; i < SESSIONS; i++) {
		struct session *session = builder_session(b, NULL);

		session->instance = session->node = 0;
		builder_printf(b, &session->key, "sid %u", i);
		OPT_SET(session->direction, PATH_OUTBOUND);
		builder_text(b, &session->target_name, "iqn.a");
		OPT_SET(session->condition,
			h->conditions[i] ? h->conditions[i] : (uint32_t)SESSION_UP);
		if (!h->devices_unread)
			OPT_SET(session->device_count, 0);
	}
}

static void add_disk(struct builder *b, const struct disk *disk)
{
	struct device *device = builder_device(b, NULL);

	device->instance = 0;
	device->session = disk->session;
	builder_printf(b, &device->key, "0:0:0:%c", disk->name[2]);
	builder_printf(b, &device->hctl, "0:0:0:%c", disk->name[2]);
	builder_text(b, &device->name, disk->name);
	if (disk->access)
		OPT_SET(device->access_state, disk->access);
	if (disk->preferred)
		device->preferred = (struct opt_bool){ .value = 1, .known = 1 };
	set_text(b, &device->map_wwid, disk->sysfs_wwid);
	if (disk->sysfs_wwid)
		builder_printf(b, &device->map_name, "of %s", disk->sysfs_wwid);
}

static void add_way(struct builder *b, const struct way *way, uint32_t number)
{
	struct path *path = builder_path(b, NULL);
	struct text_address address;
	uint16_t port;

	path->instance = 0;
	builder_printf(b, &path->key, "path %u", number);
	OPT_SET(path->direction, way->inbound ? PATH_INBOUND : PATH_OUTBOUND);
	builder_text(b, &path->target_name, way->target);
	path->expected = (struct opt_bool){ .value = 1, .known = 1 };
	if (way->session) {
		path->session = way->session - 1;
		OPT_SET(path->status, PATH_CONNECTED);
	}
	if (way->portal && text_to_endpoint(way->portal, &address, &port) == 0) {
		builder_address(&path->portal_address, &address);
		OPT_SET(path->portal_port, port);
	} else if (way->portal) {
		builder_text(b, &path->portal_name, way->portal);
		OPT_SET(path->portal_port, 3260);
	}
}

static void add_map_path(struct builder *b, const struct disk *disk)
{
	struct map_path *path = builder_map_path(b, NULL);

	path->map = disk->map - 1;
	builder_text(b, &path->key, disk->name);
	builder_text(b, &path->name, disk->name);
	if (!disk->hctl)
		builder_printf(b, &path->hctl, "0:0:0:%c", disk->name[2]);
	else if (*disk->hctl)
		builder_text(b, &path->hctl, disk->hctl);
	if (!disk->says_no_protocol)
		path->is_iscsi = (struct opt_bool){ .value = 1, .known = 1 };
	if (disk->priority != NO)
		OPT_SET(path->priority, (uint32_t)disk->priority);
	if (disk->dm)
		OPT_SET(path->dm_state, disk->dm);
	if (disk->group_state)
		OPT_SET(path->group_state, disk->group_state);
	if (disk->checker)
		OPT_SET(path->checker_state, disk->checker);
}

static struct fragment *seal(struct builder *b)
{
	struct fragment *f;
	char reason[128];
	size_t length;

	assert_int_equal(builder_seal(b, &f, &length), 0);
	if (fragment_check(f, length, reason) < 0)
		fail_msg("%s", reason);
	builder_free(b);
	return f;
}

/* Makes the snapshot `s` of a host. */
static void look_at(const struct host *h)
{
	struct source_status status = { .source = "test", .state = SOURCE_OK };
	struct builder *initiator = builder_new(), *multipath = builder_new();
	struct source_status of_maps = { .source = "multipath",
		.state = h->maps_state ? h->maps_state : SOURCE_OK,
		.last_good_ns = 1 };
	struct snapshot_input inputs[2] = { { &status, NULL, false }, { &of_maps, NULL, false } };

	add_sessions(initiator, h);
	for (uint32_t i = 0; i < h->maps; i++) {
		struct map *map = builder_map(multipath, NULL);

		builder_printf(multipath, &map->key, "wwid %u", i + 1);
		builder_printf(multipath, &map->wwid, "wwid %u", i + 1);
		builder_printf(multipath, &map->name, "mpath %u", i + 1);
	}
	for (size_t i = 0; i < ARRAY_SIZE(h->disks) && h->disks[i].name; i++) {
		if (h->disks[i].session != UINT32_MAX)
			add_disk(initiator, &h->disks[i]);
		if (h->disks[i].map)
			add_map_path(multipath, &h->disks[i]);
	}
	for (uint32_t i = 0; i < ARRAY_SIZE(h->ways) && h->ways[i].target; i++)
		add_way(initiator, &h->ways[i], i);
	inputs[0].fragment = seal(initiator);
	inputs[1].fragment = seal(multipath);
	snapshot_put(s);
	s = NULL;
	assert_int_equal(snapshot_build(inputs, 2, registry, &rules, 1, 1, &s), 0);
	free((void *)(uintptr_t)inputs[0].fragment);
	free((void *)(uintptr_t)inputs[1].fragment);
}

#define UNKNOWN (-1)

static void assert_path(uint32_t at, int64_t weight, int primary)
{
	const struct path *path = &snapshot_paths(s)[at];

	assert_int_equal(path->weight.known ? (int64_t)path->weight.value : UNKNOWN, weight);
	assert_int_equal(path->primary.known ? path->primary.value : UNKNOWN, primary);
}

static const char *text_of(const struct opt_str *field)
{
	return field->known ? snapshot_text(s, field) : "?";
}

#define WAY                                        \
	{                                          \
		"iqn.a", "10.0.0.1:3260", 1, false \
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
	assert_int_equal(snapshot_paths(s)[1].checker_state.value, CHECKER_GHOST);
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_name), "mpath 1");
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_wwid), "wwid 1");
	assert_string_equal(text_of(&snapshot_devices(s)[1].map_name), "mpath 1");
	assert_int_equal(snapshot_devices(s)[1].map_path_state.value, ACTIVE);
	assert_int_equal(snapshot_devices(s)[1].map_group_state.value, ENABLED);
	assert_int_equal(snapshot_devices(s)[1].map_checker.value, CHECKER_GHOST);
	assert_int_equal(snapshot_devices(s)[1].map_priority.value, 10);
	assert_false(snapshot_devices(s)[2].map_priority.known);
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
	assert_int_equal(snapshot_paths(s)[0].checker_state.value, CHECKER_FAULTY);
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_wwid), "wwid 1");
	h.disks[1].map = 2;
	look_at(&h);
	assert_path(0, 50, 1);
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_name), "several");
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_wwid), "?");
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
			assert_int_equal(
				snapshot_paths(s)[0].checker_state.value, order[i > k ? i : k]);
		}
	}
}

static void alua_tells_what_multipathd_does_not(void **state)
{
	static const struct {
		uint32_t access;
		bool preferred;
		int64_t weight;
		int primary;
	} cases[] = { { OPTIMIZED, false, 50, 1 }, { OPTIMIZED, true, 130, 1 },
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
	h.disks[0].group_state = 0;
	look_at(&h);
	assert_path(0, 50, 1);
	/* Two devices: the best of both. */
	look_at(&(struct host){
		.disks = { { "sda", .access = STANDBY }, { "sdb", .access = NON_OPTIMIZED } },
		.ways = { WAY } });
	assert_path(0, 10, 0);
}

static void a_path_alone_is_primary(void **state)
{
	struct host h = { .disks = { { "sda" } }, .ways = { WAY } };

	(void)state;
	look_at(&h);
	assert_path(0, 1, 1);
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_name), "");
	h.disks[0].name = NULL;
	look_at(&h);
	assert_path(0, 1, 1);
	/* But not when nobody has looked for devices, */
	h.devices_unread = true;
	look_at(&h);
	assert_path(0, UNKNOWN, UNKNOWN);
	/* nor when there is a map of which nobody tells. */
	h = (struct host){ .disks = { { "sda", .sysfs_wwid = "x" } }, .ways = { WAY } };
	look_at(&h);
	assert_path(0, UNKNOWN, UNKNOWN);
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_name), "of x");
	assert_string_equal(text_of(&snapshot_paths(s)[0].map_wwid), "x");
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
	rules.weight_count = rules.primary_count = 1;
	rules.weights[0] = (struct path_rule){ "iqn.*", "10.0.0.1", 9 };
	rules.primaries[0] = (struct path_rule){ "*", "*:3260", 0 };
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
	rules.weight_count = 3;
	rules.weights[0] = (struct path_rule){ "iqn.a", "10.0.0.*", 3 };
	rules.weights[1] = (struct path_rule){ "iqn.a", "[fd00::1]:3260", 4 };
	rules.weights[2] = (struct path_rule){ "iqn.a", "storage.example:3260", 5 };
	rules.primary_count = 1;
	rules.primaries[0] = (struct path_rule){ "iqn.a", "10.0.0.1", 0 };
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
	assert_string_equal(text_of(&snapshot_devices(s)[0].map_name), "?");
	h.disks[0].hctl = "";
	look_at(&h);
	assert_path(0, 50, 1);
}

static const struct map *map_at(uint32_t at)
{
	return &snapshot_maps(s)[at];
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
	summary = snapshot_summarys(s);
	assert_int_equal(summary->maps.value, 2);
	assert_int_equal(summary->maps_short.value, 0);
	assert_int_equal(summary->status.value, SUMMARY_OK);
	assert_null(strstr(text_of(&summary->text), "map"));
	h.disks[1].dm = FAILED;
	h.maps_state = SOURCE_FAILING;
	look_at(&h);
	summary = snapshot_summarys(s);
	assert_int_equal(summary->maps_short.value, 1);
	assert_int_equal(summary->status.value, SUMMARY_DEGRADED);
	assert_non_null(strstr(text_of(&summary->text), "; 1 of 2 maps lacks a path"));
	h.disks[2].dm = FAILED;
	look_at(&h);
	summary = snapshot_summarys(s);
	assert_int_equal(summary->maps_short.value, 2);
	assert_int_equal(summary->status.value, SUMMARY_CRITICAL);
	assert_non_null(strstr(text_of(&summary->text), "; 2 of 2 maps lack paths, 1 without any"));
	h.maps = 0;
	h.disks[0].name = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(without); i++) {
		h.maps_state = without[i];
		look_at(&h);
		assert_false(snapshot_summarys(s)->maps.known);
		assert_false(snapshot_summarys(s)->maps_short.known);
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

static int set_up(void **state)
{
	(void)state;
	memset(&rules, 0, sizeof(rules));
	registry = registry_new();
	return registry ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	snapshot_put(s);
	s = NULL;
	registry_free(registry);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(multipathd_tells_weight_and_primary),
		TEST(of_several_devices_the_best_weight_and_the_worst_checker_count),
		TEST(the_worst_checker_is_by_rank),
		TEST(alua_tells_what_multipathd_does_not),
		TEST(a_path_alone_is_primary),
		TEST(a_path_without_a_session_has_what_the_rules_say),
		TEST(rules_win),
		TEST(another_device_of_the_name_is_not_joined),
		TEST(a_map_is_as_well_as_its_paths),
		TEST(a_lost_connection_takes_its_paths_from_a_map),
		TEST(a_record_without_a_session_is_missing_in_the_maps_of_its_target),
		TEST(maps_of_other_transports_are_no_rows),
		TEST(the_summary_counts_maps),
		TEST(a_map_keeps_its_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
