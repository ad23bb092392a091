/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the maps are: which of them are of iSCSI, how many of their paths take I/O, which are
 * missing. A path is missing in a map when the initiator should have it and has no session for it
 * (a node record that is to be started with the host), and its target has another path in the map:
 * nobody learns how many paths there were once. While a session could not be read it may be that
 * one: then it is not known whether the path is missing. Called by path_join.c.
 */
#include "model/path_join.h"

#include "model/path.h"
#include "model/path_join_private.h"
#include "model/session_state.h"

enum { DM_ACTIVE = 1 };

/* A target that has a path in a map. */
struct tie {
	const char *target;
	uint32_t map;
};

static int compare_ties(const void *a, const void *b)
{
	const struct tie *x = a, *y = b;
	int order = strcmp(x->target, y->target);

	return order ? order : (x->map > y->map) - (x->map < y->map);
}

/* Of a sorted list; returns what is left of it. */
static size_t drop_doubles(struct tie *ties, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_ties(&ties[i - 1], &ties[i]) != 0)
			ties[kept++] = ties[i];
	}
	return kept;
}

static bool takes_io(const struct map_path *path)
{
	return path->dm_state.known && path->dm_state.value == DM_ACTIVE &&
	       (!path->checker_state.known || checker_is_well(path->checker_state.value));
}

static bool is_connected(const struct session *session)
{
	return !session->condition.known || session->condition.value == SESSION_UP;
}

/* What multipathd says. */
static void count_paths(struct snapshot *s)
{
	struct map *maps = s->arrays[OBJECT_MAP].objects;

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_MAP); i++) {
		OPT_SET(maps[i].path_count, 0);
		OPT_SET(maps[i].active_count, 0);
		OPT_SET(maps[i].iscsi_count, 0);
		OPT_SET(maps[i].missing_count, 0);
	}
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_MAP_PATH); i++) {
		const struct map_path *path = &snapshot_map_paths(s)[i];
		struct map *map = &maps[path->map];

		map->path_count.value++;
		map->active_count.value += takes_io(path);
		map->iscsi_count.value += path->is_iscsi.known && path->is_iscsi.value;
	}
}

/*
 * What the initiator says: multipathd notices the loss of a connection only when the recovery
 * timeout is over. Returns the number of ties.
 */
static size_t count_devices(struct snapshot *s, const uint32_t *map_path_of, struct tie *ties)
{
	struct map *maps = s->arrays[OBJECT_MAP].objects;
	size_t count = 0;

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_DEVICE); i++) {
		const struct session *session =
			&snapshot_sessions(s)[snapshot_devices(s)[i].session];
		const struct map_path *path;
		struct map *map;

		if (map_path_of[i] == LINK_NONE)
			continue;
		path = &snapshot_map_paths(s)[map_path_of[i]];
		map = &maps[path->map];
		if (!path->is_iscsi.known || !path->is_iscsi.value)
			map->iscsi_count.value++; /* multipathd did not know */
		if (takes_io(path) && !is_connected(session))
			map->active_count.value--;
		if (session->target_name.known)
			ties[count++] =
				(struct tie){ snapshot_text(s, &session->target_name), path->map };
	}
	return count;
}

/* The first of a sorted list that is not before the target. */
static size_t find_target(const struct tie *ties, size_t count, const char *target)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(ties[middle].target, target) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* One of which it is not known whether it is leaves the number unknown; its value are the others.
 */
static void count_missing(struct snapshot *s, const struct tie *ties, size_t count)
{
	struct map *maps = s->arrays[OBJECT_MAP].objects;

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_PATH); i++) {
		const struct path *path = &snapshot_paths(s)[i];
		bool missing = path_is_missing(path);
		const char *target;

		if (!path->target_name.known || (!missing && !path_may_be_missing(path)))
			continue;
		target = snapshot_text(s, &path->target_name);
		for (size_t at = find_target(ties, count, target);
			at < count && strcmp(ties[at].target, target) == 0; at++) {
			struct opt_u32 *number = &maps[ties[at].map].missing_count;

			number->value += missing;
			number->known &= missing;
		}
	}
}

/* By the paths that are known to be missing: how many there may be more changes nothing. */
static enum map_status status_of(const struct map *map)
{
	if (!map->active_count.value)
		return MAP_FAILED;
	if (map->active_count.value < map->path_count.value || map->missing_count.value)
		return MAP_DEGRADED;
	return MAP_OK;
}

int join_maps(struct snapshot *s, const uint32_t *map_path_of)
{
	CLEANUP_FREE struct tie *ties =
		calloc(snapshot_count(s, OBJECT_DEVICE) + (size_t)1, sizeof(*ties));
	struct map *maps = s->arrays[OBJECT_MAP].objects;
	size_t count;

	if (!ties)
		return -ENOMEM;
	count_paths(s);
	count = count_devices(s, map_path_of, ties);
	qsort(ties, count, sizeof(*ties), compare_ties);
	count_missing(s, ties, drop_doubles(ties, count));
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_MAP); i++)
		OPT_SET(maps[i].status, status_of(&maps[i]));
	return 0;
}

bool map_is_row(const struct map *map)
{
	return map->iscsi_count.value || !map->path_count.value;
}
