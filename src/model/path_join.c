/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices to map paths, then up: what the devices of a session come to, and from that its paths.
 * Called by snapshot.c while the snapshot is still its own. What becomes of the maps:
 * path_join_maps.c.
 */
#include "model/path_join.h"

#include "model/path.h"
#include "model/path_join_private.h"

enum { GROUP_ACTIVE = 1, DM_ACTIVE = 1 };
enum {
	ACCESS_OPTIMIZED = 1,
	ACCESS_NON_OPTIMIZED,
	ACCESS_STANDBY,
	ACCESS_UNAVAILABLE,
	ACCESS_LBA_DEPENDENT,
	ACCESS_OFFLINE,
	ACCESS_TRANSITIONING
};

#define SEVERAL_MAPS	 "several"
#define WEIGHT_PREFERRED 80u
#define WEIGHT_ALONE	 1u

uint32_t checker_rank(uint32_t state)
{
	static const uint8_t ranks[] = {
		[CHECKER_READY] = 0,
		[CHECKER_GHOST] = 1,
		[CHECKER_PENDING] = 2,
		[CHECKER_UNCHECKED] = 3,
		[CHECKER_DELAYED] = 4,
		[CHECKER_SHAKY] = 5,
		[CHECKER_TIMEOUT] = 6,
		[CHECKER_FAULTY] = 7,
		[CHECKER_DISCONNECTED] = 8,
	};

	return state < ARRAY_SIZE(ranks) ? ranks[state] : 0;
}

bool checker_is_well(uint32_t state)
{
	return checker_rank(state) <= checker_rank(CHECKER_UNCHECKED);
}

size_t path_join_text_room(void)
{
	return sizeof(SEVERAL_MAPS);
}

/* ---- devices and map paths ---- */

bool join_texts_equal(const struct snapshot *s, const struct opt_str *a, const struct opt_str *b)
{
	return a->known && b->known && a->length == b->length &&
	       memcmp(snapshot_text(s, a), snapshot_text(s, b), a->length) == 0;
}

/* A map path by the name of its block device. */
struct named_path {
	const char *name;
	uint32_t position;
};

static int compare_names(const void *a, const void *b)
{
	const struct named_path *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static bool is_same_device(
	const struct snapshot *s, const struct device *device, const struct map_path *path)
{
	return !path->hctl.known || join_texts_equal(s, &device->hctl, &path->hctl);
}

static int join_devices(const struct snapshot *s, uint32_t *ret)
{
	uint32_t count = snapshot_count(s, OBJECT_MAP_PATH);
	CLEANUP_FREE struct named_path *names = calloc(count + (size_t)1, sizeof(*names));

	if (!names)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct opt_str *name = &snapshot_map_paths(s)[i].name;

		names[i].name = name->known ? snapshot_text(s, name) : "";
		names[i].position = i;
	}
	qsort(names, count, sizeof(*names), compare_names);
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_DEVICE); i++) {
		const struct device *device = &snapshot_devices(s)[i];
		struct named_path key = { .name = "" };
		const struct named_path *found;

		ret[i] = LINK_NONE;
		if (!device->name.known || !device->name.length || !count)
			continue;
		key.name = snapshot_text(s, &device->name);
		found = bsearch(&key, names, count, sizeof(key), compare_names);
		if (found && is_same_device(s, device, &snapshot_map_paths(s)[found->position]))
			ret[i] = found->position;
	}
	return 0;
}

/* ---- sessions ---- */

/* What the devices of a session come to. */
struct ends {
	bool has_map;		     /* a device is in a map, whoever says so */
	bool several_maps;	     /* not all in the same one */
	bool untold_map;	     /* of a device it is not known */
	struct opt_str name, wwid;   /* of the first map */
	struct opt_u32 priority;     /* of multipathd, the highest */
	struct opt_u32 checker;	     /* the worst */
	bool takes_io;		     /* a device is active in an active group */
	bool untold;		     /* of a device it is not known */
	bool told;		     /* of a device it is */
	struct opt_u32 access;	     /* weight by ALUA, the highest */
	struct opt_u32 access_state; /* the best */
};

static void raise(struct opt_u32 *highest, uint32_t value)
{
	if (!highest->known || highest->value < value)
		OPT_SET(*highest, value);
}

/*
 * As multipathd's prioritizers count without the option exclusive_pref_bit: of optimized paths the
 * preferred ones stay in one group with the others.
 */
static uint32_t access_weight(const struct device *device)
{
	static const uint8_t weights[] = {
		[ACCESS_OPTIMIZED] = 50,
		[ACCESS_NON_OPTIMIZED] = 10,
		[ACCESS_STANDBY] = 1,
		[ACCESS_LBA_DEPENDENT] = 5,
	};
	uint32_t state = device->access_state.value;
	uint32_t weight = state < ARRAY_SIZE(weights) ? weights[state] : 0;

	if (device->preferred.known && device->preferred.value && state != ACCESS_OPTIMIZED)
		weight += WEIGHT_PREFERRED;
	return weight;
}

/* 0 is the best one: I/O works at once, works after a change, not now, not at all. */
static uint32_t access_rank(uint32_t state)
{
	static const uint8_t ranks[] = {
		[ACCESS_OPTIMIZED] = 0,
		[ACCESS_NON_OPTIMIZED] = 1,
		[ACCESS_LBA_DEPENDENT] = 2,
		[ACCESS_STANDBY] = 3,
		[ACCESS_TRANSITIONING] = 4,
		[ACCESS_UNAVAILABLE] = 5,
		[ACCESS_OFFLINE] = 6,
	};

	return state < ARRAY_SIZE(ranks) ? ranks[state] : UINT8_MAX;
}

static void see_access(struct ends *e, const struct device *device)
{
	if (!device->access_state.known)
		return;
	raise(&e->access, access_weight(device));
	if (!e->access_state.known ||
		access_rank(device->access_state.value) < access_rank(e->access_state.value))
		e->access_state = device->access_state;
}

/* What the device shows of it itself. */
static void show_map_path(struct device *device, const struct map *map, const struct map_path *path)
{
	device->map_path_state = path->dm_state;
	device->map_checker = path->checker_state;
	device->map_priority = path->priority;
	device->map_group = path->group;
	device->map_group_state = path->group_state;
	if (!device->map_wwid.known || !device->map_wwid.length) {
		device->map_name = map->name;
		device->map_wwid = map->wwid;
	}
}

static void see_map_path(struct ends *e, const struct map_path *path)
{
	if (path->priority.known)
		raise(&e->priority, path->priority.value);
	if (path->checker_state.known &&
		(!e->checker.known ||
			checker_rank(path->checker_state.value) > checker_rank(e->checker.value)))
		e->checker = path->checker_state;
	if (!path->group_state.known || !path->dm_state.known) {
		e->untold = true;
		return;
	}
	e->told = true;
	e->takes_io |= path->group_state.value == GROUP_ACTIVE && path->dm_state.value == DM_ACTIVE;
}

/* The first map's texts, and whether all others are the same. */
static void see_map(const struct snapshot *s, struct ends *e, const struct device *device)
{
	e->untold_map |= !device->map_name.known;
	if (!device->map_wwid.known || !device->map_wwid.length)
		return;
	if (!e->has_map) {
		e->name = device->map_name;
		e->wwid = device->map_wwid;
	} else if (!join_texts_equal(s, &e->wwid, &device->map_wwid)) {
		e->several_maps = true;
	}
	e->has_map = true;
}

static void see_devices(struct snapshot *s, const uint32_t *map_path_of, struct ends *ends)
{
	struct device *devices = s->arrays[OBJECT_DEVICE].objects;

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_DEVICE); i++) {
		struct ends *e = &ends[devices[i].session];

		if (map_path_of[i] != LINK_NONE) {
			const struct map_path *path = &snapshot_map_paths(s)[map_path_of[i]];

			show_map_path(&devices[i], &snapshot_maps(s)[path->map], path);
			see_map_path(e, path);
		}
		see_map(s, e, &devices[i]);
		see_access(e, &devices[i]);
	}
}

/* ---- paths ---- */

static void set_bool(struct opt_bool *field, bool value)
{
	*field = (struct opt_bool){ .value = value, .known = 1 };
}

/* What the devices of its session say, and that there are none. */
static void judge(const struct snapshot *s, struct path *path, const struct ends *e)
{
	const struct session *session = &snapshot_sessions(s)[path->session];
	bool no_map = !e->has_map && !e->untold_map;
	bool is_alone = no_map && session->device_count.known;

	if (e->priority.known)
		path->weight = e->priority;
	else if (e->access.known)
		path->weight = e->access;
	else if (is_alone)
		OPT_SET(path->weight, WEIGHT_ALONE);
	if (e->takes_io || (e->told && !e->untold))
		set_bool(&path->primary, e->takes_io);
	else if (no_map && e->access.known)
		set_bool(&path->primary, e->access_state.value == ACCESS_OPTIMIZED);
	else if (is_alone)
		set_bool(&path->primary, true);
	path->checker_state = e->checker;
	path->access_state = e->access_state;
}

/* `several` is the text for more maps than one; behind it is the empty one. */
static void name_map(const struct snapshot *s, struct path *path, const struct ends *e,
	const struct opt_str *several)
{
	const struct session *session = &snapshot_sessions(s)[path->session];

	if (e->several_maps) {
		path->map_name = *several;
	} else if (e->untold_map) {
		return;
	} else if (e->has_map) {
		path->map_name = e->name;
		path->map_wwid = e->wwid;
	} else if (session->device_count.known) {
		path->map_name = *several;
		path->map_name.offset += several->length;
		path->map_name.length = 0;
	}
}

static void obey(const struct snapshot *s, struct path *path, const struct path_rules *rules)
{
	struct path_names names = {
		.target = path->target_name.known ? snapshot_text(s, &path->target_name) : "",
	};
	char address[256], endpoint[272];
	struct opt_u32 value;

	if (path->portal_address.known) {
		path_endpoint(address, &path->portal_address, &(struct opt_u32){ .known = 0 });
		path_endpoint(endpoint, &path->portal_address, &path->portal_port);
	} else {
		snprintf(address, sizeof(address), "%s",
			path->portal_name.known ? snapshot_text(s, &path->portal_name) : "");
		snprintf(endpoint, sizeof(endpoint), "%s:%u", address, path->portal_port.value);
	}
	names.address = address;
	names.endpoint = endpoint;
	value = path_rules_find(rules->weights, rules->weight_count, &names);
	if (value.known)
		path->weight = value;
	value = path_rules_find(rules->primaries, rules->primary_count, &names);
	if (value.known)
		set_bool(&path->primary, value.value);
}

static void fill_paths(
	struct snapshot *s, const struct ends *ends, const struct path_rules *rules, size_t text_at)
{
	struct path *paths = s->arrays[OBJECT_PATH].objects;
	const struct opt_str several = {
		.offset = (uint32_t)text_at, .length = sizeof(SEVERAL_MAPS) - 1, .known = 1
	};

	memcpy(s->arena + text_at, SEVERAL_MAPS, sizeof(SEVERAL_MAPS));
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_PATH); i++) {
		struct path *path = &paths[i];

		if (path->session != LINK_NONE && path->direction.known &&
			path->direction.value == PATH_OUTBOUND) {
			judge(s, path, &ends[path->session]);
			name_map(s, path, &ends[path->session], &several);
		}
		if (rules)
			obey(s, path, rules);
	}
}

int path_join(struct snapshot *s, const struct path_rules *rules, size_t text_at)
{
	CLEANUP_FREE struct ends *ends = NULL;
	CLEANUP_FREE uint32_t *map_path_of = NULL;
	int rc;

	ends = calloc(snapshot_count(s, OBJECT_SESSION) + (size_t)1, sizeof(*ends));
	map_path_of = calloc(snapshot_count(s, OBJECT_DEVICE) + (size_t)1, sizeof(*map_path_of));
	if (!ends || !map_path_of)
		return -ENOMEM;
	rc = join_devices(s, map_path_of);
	if (rc == 0) {
		see_devices(s, map_path_of, ends);
		fill_paths(s, ends, rules, text_at);
		rc = join_maps(s, map_path_of);
	}
	return rc;
}
