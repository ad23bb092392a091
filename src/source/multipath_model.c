/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Called by multipath.c in the reader process of the source. The answers are of moments that follow
 * each other, and multipathd does its work in between: a device whose map or group is not in the
 * others has changed, and what was not said of it is unknown until the next poll. A map without a
 * path has lost all of them, or was taken away: who takes that for the former raises an alarm that
 * has no end. So these are asked for once more.
 */
#include "source/multipath_model.h"

#define SECTOR_OCTETS 512u

static int compare_names(const void *a, const void *b)
{
	return multipath_compare(((const struct multipath_known_map *)a)->told.name,
		((const struct multipath_known_map *)b)->told.name);
}

static int compare_wwids(const void *a, const void *b)
{
	return multipath_compare(((const struct multipath_known_map *)a)->told.wwid,
		((const struct multipath_known_map *)b)->told.wwid);
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

/* The maps of the lines, in any order; freed by the caller, whatever this returns. */
static int parse_maps(struct multipath_text lines, struct multipath_known_map **ret_maps,
	size_t *ret_count, struct multipath_text *ret_line)
{
	struct multipath_text line;

	*ret_maps = calloc(count_lines(lines) + 1, sizeof(**ret_maps));
	*ret_count = 0;
	if (!*ret_maps)
		return -ENOMEM;
	while (multipath_next_line(&lines, &line)) {
		int rc = multipath_parse_map(line, &(*ret_maps)[*ret_count].told);

		if (rc < 0) {
			*ret_line = line;
			return rc;
		}
		*ret_count += rc > 0;
	}
	return 0;
}

static int read_maps(
	struct multipath_model *m, struct multipath_text lines, struct multipath_text *ret_line)
{
	int rc = parse_maps(lines, &m->maps, &m->map_count, ret_line);

	if (rc < 0)
		return rc;
	qsort(m->maps, m->map_count, sizeof(*m->maps), compare_names);
	for (size_t i = 1; i < m->map_count; i++) {
		if (!compare_names(&m->maps[i - 1], &m->maps[i]))
			return -EOVERFLOW;
	}
	m->empty_count = m->map_count;
	return 0;
}

static int add_map(struct multipath_model *m, struct multipath_known_map *map)
{
	const struct multipath_map *told = &map->told;
	struct map *row = builder_map(m->b, &map->row);

	if (!row)
		return builder_error(m->b);
	map->has_row = true;
	set_text(m->b, &row->key, told->wwid);
	set_text(m->b, &row->wwid, told->wwid);
	set_text(m->b, &row->name, told->name);
	set_text(m->b, &row->device, told->device);
	if (told->queueing.length && *told->queueing.at != '-')
		set_text(m->b, &row->queueing, told->queueing);
	row->dm_state = told->state;
	row->size = read_size(m->root, told->device);
	return builder_error(m->b);
}

static int add_path(struct multipath_model *m, const struct multipath_path *path)
{
	const struct multipath_member *member =
		multipath_find_member(m->members, m->member_count, path->device);
	struct multipath_known_map key = { .told.name = path->map };
	struct multipath_known_map *map =
		m->map_count ? bsearch(&key, m->maps, m->map_count, sizeof(key), compare_names)
			     : NULL;
	struct map_path *row;

	if (!map)
		return 0;
	if (!map->has_row) {
		int rc = add_map(m, map);

		if (rc < 0)
			return rc;
		m->empty_count--;
	}
	row = builder_map_path(m->b, NULL);
	if (!row)
		return builder_error(m->b);
	row->map = map->row;
	set_text(m->b, &row->key, path->device);
	set_text(m->b, &row->name, path->device);
	if (path->hctl.length)
		set_text(m->b, &row->hctl, path->hctl);
	if (path->is_iscsi)
		OPT_SET(row->is_iscsi, 1);
	row->priority = path->priority;
	row->dm_state = path->dm_state;
	row->checker_state = path->checker_state;
	if (member && member->number)
		OPT_SET(row->group, member->number);
	if (member)
		row->group_state = member->state;
	return builder_error(m->b);
}

static int add_paths(
	struct multipath_model *m, struct multipath_text lines, struct multipath_text *ret_line)
{
	struct multipath_text line;

	while (multipath_next_line(&lines, &line)) {
		struct multipath_path path;
		int rc = multipath_parse_path(line, &path);

		if (rc < 0)
			*ret_line = line;
		if (rc > 0)
			rc = add_path(m, &path);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int multipath_model_fill(struct multipath_model *ret, struct builder *b, struct root *root,
	const struct multipath_answers *answers, struct multipath_text *ret_line)
{
	ssize_t count = 0;
	int rc;

	*ret = (struct multipath_model){ .b = b, .root = root };
	*ret_line = (struct multipath_text){ "", 0 };
	if (answers->groups.at)
		count = multipath_parse_groups(
			answers->groups.at, answers->groups.length, &ret->members);
	if (count == -ENOMEM)
		return -ENOMEM;
	ret->groups_error = count < 0 ? (int)count : 0;
	ret->member_count = count > 0 ? (size_t)count : 0;
	rc = read_maps(ret, answers->maps, ret_line);
	return rc == 0 ? add_paths(ret, answers->paths, ret_line) : rc;
}

int multipath_model_settle(
	struct multipath_model *model, struct multipath_text again, struct multipath_text *ret_line)
{
	CLEANUP_FREE struct multipath_known_map *now = NULL;
	size_t count;
	int rc = parse_maps(again, &now, &count, ret_line);

	if (rc < 0)
		return rc;
	qsort(now, count, sizeof(*now), compare_wwids);
	for (size_t i = 0; i < model->map_count && rc == 0; i++) {
		struct multipath_known_map *map = &model->maps[i];
		const struct multipath_known_map *found;

		if (map->has_row || !count)
			continue;
		found = bsearch(map, now, count, sizeof(*now), compare_wwids);
		if (found && compare_names(found, map) != 0)
			rc = -EAGAIN;
		else if (found)
			rc = add_map(model, map);
	}
	return rc;
}

void multipath_model_clear(struct multipath_model *model)
{
	free(model->members);
	free(model->maps);
	*model = (struct multipath_model){ .b = NULL };
}
