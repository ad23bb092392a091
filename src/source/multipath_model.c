/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Called by multipath.c in the reader process of the source. The three answers are of moments that
 * follow each other: a device whose map or group is not in the others has changed in between, and
 * what was not said of it is unknown until the next poll.
 */
#include "source/multipath_model.h"

#define SECTOR_OCTETS 512u

/* A map by its name, to find the map of a path. */
struct named_map {
	struct multipath_text name;
	uint32_t at;
};

struct work {
	struct builder *b;
	struct root *root;
	struct named_map *maps;
	size_t map_count;
	struct multipath_member *members;
	size_t member_count;
};

static int compare_maps(const void *a, const void *b)
{
	return multipath_compare(
		((const struct named_map *)a)->name, ((const struct named_map *)b)->name);
}

static size_t count_lines(struct multipath_text text)
{
	struct multipath_text line;
	size_t count = 0;

	while (multipath_next_line(&text, &line))
		count++;
	return count;
}

static int set_text(struct builder *b, struct opt_str *field, struct multipath_text text)
{
	return builder_string(b, field, text.at, text.length);
}

/* Octets of a block device; unknown when it is gone. */
static struct opt_counter read_size(struct root *root, struct multipath_text device)
{
	struct opt_counter size = { .known = 0 };
	char path[64], text[32];
	uint64_t sectors;

	snprintf(path, sizeof(path), "/sys/block/%.*s/size", (int)device.length, device.at);
	if (root_read(root, path, text, sizeof(text)) > 0 &&
		text_to_u64(text, UINT64_MAX / SECTOR_OCTETS, &sectors) == 0)
		OPT_SET(size, sectors * SECTOR_OCTETS);
	return size;
}

static int add_map(struct work *w, const struct multipath_map *map)
{
	struct named_map *named = &w->maps[w->map_count];
	struct map *row = builder_map(w->b, &named->at);

	if (!row)
		return builder_error(w->b);
	named->name = map->name;
	w->map_count++;
	set_text(w->b, &row->key, map->wwid);
	set_text(w->b, &row->wwid, map->wwid);
	set_text(w->b, &row->name, map->name);
	set_text(w->b, &row->device, map->device);
	if (map->queueing.length && *map->queueing.at != '-')
		set_text(w->b, &row->queueing, map->queueing);
	row->dm_state = map->state;
	row->size = read_size(w->root, map->device);
	return builder_error(w->b);
}

static int add_maps(struct work *w, struct multipath_text lines, struct multipath_text *ret_line)
{
	struct multipath_text line;

	w->maps = calloc(count_lines(lines) + 1, sizeof(*w->maps));
	if (!w->maps)
		return -ENOMEM;
	while (multipath_next_line(&lines, &line)) {
		struct multipath_map map;
		int rc = multipath_parse_map(line, &map);

		if (rc < 0)
			*ret_line = line;
		if (rc > 0)
			rc = add_map(w, &map);
		if (rc < 0)
			return rc;
	}
	qsort(w->maps, w->map_count, sizeof(*w->maps), compare_maps);
	for (size_t i = 1; i < w->map_count; i++) {
		if (!compare_maps(&w->maps[i - 1], &w->maps[i]))
			return -EOVERFLOW;
	}
	return 0;
}

static int add_path(struct work *w, const struct multipath_path *path)
{
	const struct multipath_member *member =
		multipath_find_member(w->members, w->member_count, path->device);
	struct named_map key = { .name = path->map };
	const struct named_map *named =
		w->map_count ? bsearch(&key, w->maps, w->map_count, sizeof(key), compare_maps)
			     : NULL;
	struct map_path *row;

	if (!named)
		return 0;
	row = builder_map_path(w->b, NULL);
	if (!row)
		return builder_error(w->b);
	row->map = named->at;
	set_text(w->b, &row->key, path->device);
	set_text(w->b, &row->name, path->device);
	if (path->hctl.length)
		set_text(w->b, &row->hctl, path->hctl);
	if (path->is_iscsi)
		OPT_SET(row->is_iscsi, 1);
	row->priority = path->priority;
	row->dm_state = path->dm_state;
	row->checker_state = path->checker_state;
	if (member && member->number)
		OPT_SET(row->group, member->number);
	if (member)
		row->group_state = member->state;
	return builder_error(w->b);
}

static int add_paths(struct work *w, struct multipath_text lines, struct multipath_text *ret_line)
{
	struct multipath_text line;

	while (multipath_next_line(&lines, &line)) {
		struct multipath_path path;
		int rc = multipath_parse_path(line, &path);

		if (rc < 0)
			*ret_line = line;
		if (rc > 0)
			rc = add_path(w, &path);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int multipath_model_build(struct builder *b, struct root *root,
	const struct multipath_answers *answers, struct multipath_text *ret_line,
	int *ret_groups_error)
{
	struct work w = { .b = b, .root = root };
	ssize_t count =
		multipath_parse_groups(answers->groups.at, answers->groups.length, &w.members);
	int rc;

	*ret_line = (struct multipath_text){ "", 0 };
	*ret_groups_error = count < 0 ? (int)count : 0;
	w.member_count = count > 0 ? (size_t)count : 0;
	rc = count == -ENOMEM ? -ENOMEM : add_maps(&w, answers->maps, ret_line);
	if (rc == 0)
		rc = add_paths(&w, answers->paths, ret_line);
	free(w.members);
	free(w.maps);
	return rc;
}
