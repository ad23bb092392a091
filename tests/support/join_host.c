/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/join_host.h"

#include "index/registry.h"
#include "model/builder.h"
#include "model/path.h"
#include "model/session_state.h"

struct path_rules join_rules;
struct snapshot *joined;

static struct registry *registry;

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "join_host: %s\n", what);
	abort();
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
	if (disk->maps_unread)
		return;
	builder_text(b, &device->map_wwid, disk->sysfs_wwid ? disk->sysfs_wwid : "");
	if (!disk->sysfs_wwid)
		builder_text(b, &device->map_name, "");
	else
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
	} else if (!way->untold) {
		OPT_SET(path->status, PATH_DISCONNECTED);
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
	char reason[128] = "";
	size_t length;

	check(builder_seal(b, &f, &length) == 0, "no memory");
	check(fragment_check(f, length, reason) == 0, reason);
	builder_free(b);
	return f;
}

void look_at(const struct host *h)
{
	struct source_status status = { .source = "test", .state = SOURCE_OK };
	struct builder *initiator = builder_new(), *multipath = builder_new();
	struct source_status of_maps = { .source = "multipath",
		.state = h->maps_state ? h->maps_state : SOURCE_OK,
		.last_good_ns = 1 };
	struct snapshot_input inputs[2] = { { .status = &status }, { .status = &of_maps } };

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
	snapshot_put(joined);
	joined = NULL;
	check(snapshot_build(inputs, 2, registry, &join_rules, 1, 1, &joined) == 0, "no snapshot");
	free((void *)(uintptr_t)inputs[0].fragment);
	free((void *)(uintptr_t)inputs[1].fragment);
}

const char *join_text_of(const struct opt_str *field)
{
	return field->known ? snapshot_text(joined, field) : "?";
}

int join_set_up(void **state)
{
	(void)state;
	memset(&join_rules, 0, sizeof(join_rules));
	registry = registry_new();
	return registry ? 0 : -1;
}

int join_tear_down(void **state)
{
	(void)state;
	snapshot_put(joined);
	joined = NULL;
	registry_free(registry);
	return 0;
}
