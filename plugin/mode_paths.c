/* SPDX-License-Identifier: BSD-2-Clause */
/* The modes that look at iscsiPathTable: which paths are down, and what is behind them. */
#include "plugin/client.h"
#include "plugin/mode.h"
#include "plugin/objects.h"
#include "plugin/pattern.h"
#include "plugin/result.h"
#include "plugin/summary.h"

#define SHOWN 3 /* paths in the first line; all of them are among the details */

/* IscsiConnectionStatus; and 0, the status has no instance. */
enum { PATH_UNKNOWN, PATH_CONNECTED, PATH_DISCONNECTED, PATH_RECONNECTING };
/* TruthValue; 0: not known, since not all node records can be read. */
enum { EXPECTED = 1, NOT_EXPECTED };

struct path {
	oid index;
	uint64_t status, expected, direction;
	uint64_t age_s; /* of the status */
	bool aged;	/* it is known */
	char target[CLIENT_TEXT], portal[CLIENT_TEXT], iface[CLIENT_TEXT], error[CLIENT_TEXT];
};

struct paths {
	struct path *list;
	size_t count;
	size_t hint; /* behind the last row found: columns come in the order of their rows */
};

static struct path *find_or_add(struct paths *paths, oid index)
{
	struct path *list;

	for (size_t i = 0; i < paths->count; i++) {
		size_t at = (paths->hint + i) % paths->count;

		if (paths->list[at].index == index) {
			paths->hint = at + 1;
			return &paths->list[at];
		}
	}
	list = reallocarray(paths->list, paths->count + 1, sizeof(*list));
	if (!list)
		return NULL;
	paths->list = list;
	list[paths->count] = (struct path){ .index = index };
	return &list[paths->count++];
}

static void put_number(struct path *p, size_t offset, const struct value *value)
{
	*(uint64_t *)(void *)((char *)p + offset) = value->number;
}

static void put_text(struct path *p, size_t offset, const struct value *value)
{
	memcpy((char *)p + offset, value->text, CLIENT_TEXT);
}

static void put_age(struct path *p, size_t offset, const struct value *value)
{
	put_number(p, offset, value);
	p->aged = true;
}

/* A column that is walked, and where its values go. */
struct column {
	oid number;
	void (*put)(struct path *p, size_t offset, const struct value *value);
	size_t offset;
	struct paths *paths;
};

static int take_cell(void *context, const oid *index, size_t length, const struct value *value)
{
	const struct column *column = context;
	struct path *p;

	if (length != 1 || !value->known)
		return 0;
	p = find_or_add(column->paths, index[0]);
	if (!p)
		return -ENOMEM;
	column->put(p, column->offset, value);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct path *p = a, *q = b;
	int order = strcmp(p->target, q->target);

	return order ? order : (p->index > q->index) - (p->index < q->index);
}

/* The paths of the host's initiators to the targets asked for, by target; or a negative errno. */
static int load(struct client *client, const struct options *options, struct paths *paths,
	struct summary *ret_summary)
{
	struct column columns[] = {
		{ 4, put_number, offsetof(struct path, direction), paths },
		{ 2, put_number, offsetof(struct path, status), paths },
		{ 3, put_number, offsetof(struct path, expected), paths },
		{ 6, put_text, offsetof(struct path, target), paths },
		{ 7, put_text, offsetof(struct path, iface), paths },
		{ 8, put_text, offsetof(struct path, portal), paths },
		{ 33, put_text, offsetof(struct path, error), paths },
		{ 39, put_age, offsetof(struct path, age_s), paths },
	};
	int rc = summary_load(client, ret_summary);
	size_t kept = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_SIZE(columns); i++) {
		paths->hint = 0;
		rc = client_walk(
			client, NAME(PATH_COLUMN(columns[i].number)), take_cell, &columns[i]);
	}
	for (size_t i = 0; rc == 0 && i < paths->count; i++) {
		if (paths->list[i].direction == 2 &&
			pattern_list_fits(options->targets, paths->list[i].target))
			paths->list[kept++] = paths->list[i];
	}
	paths->count = kept;
	if (kept)
		qsort(paths->list, kept, sizeof(*paths->list), compare);
	return rc;
}

static bool is_down(const struct path *p)
{
	return p->status == PATH_DISCONNECTED || p->status == PATH_RECONNECTING;
}

static void describe(const struct path *p, char *out, size_t size)
{
	static const char *const names[] = {
		[PATH_UNKNOWN] = "of unknown status",
		[PATH_CONNECTED] = "connected",
		[PATH_DISCONNECTED] = "disconnected",
		[PATH_RECONNECTING] = "reconnecting",
	};
	char age[32] = "";

	if (p->aged)
		snprintf(age, sizeof(age), " for %llu s", (unsigned long long)p->age_s);
	snprintf(out, size, "%s %s (%s) %s%s%s%s", p->target, p->portal, p->iface,
		names[p->status < ARRAY_SIZE(names) ? p->status : PATH_UNKNOWN], age,
		*p->error ? ", last error: " : "", p->error);
}

/* The paths of a kind: the first ones in the first line, all below it. */
static void show(const struct paths *paths, bool (*wanted)(const struct path *), bool all,
	struct result *result)
{
	char text[4 * CLIENT_TEXT + 64];
	size_t shown = 0, found = 0;

	for (size_t i = 0; i < paths->count; i++) {
		const struct path *p = &paths->list[i];

		if (!all && !wanted(p))
			continue;
		describe(p, text, sizeof(text));
		result_detail(result, "%s", text);
		found += wanted(p);
		if (wanted(p) && shown < SHOWN) {
			result_text(result, ", %s", text);
			shown++;
		}
	}
	if (found > shown)
		result_text(result, " and %zu more", found - shown);
}

/*
 * Targets that no path leads to any more; paths are in the order of their targets. `ret_named`: one
 * of them is named by -T.
 */
static size_t show_lost(
	const struct paths *paths, const char *list, bool *ret_named, struct result *result)
{
	size_t lost = 0;

	for (size_t i = 0; i < paths->count;) {
		const char *target = paths->list[i].target;
		bool all_down = true;

		for (; i < paths->count && strcmp(paths->list[i].target, target) == 0; i++)
			all_down = all_down && is_down(&paths->list[i]);
		if (!all_down)
			continue;
		if (lost < SHOWN)
			result_text(result, "%s%s", lost ? ", " : ", no path to ", target);
		*ret_named |= pattern_list_names(list, target);
		lost++;
	}
	if (lost > SHOWN)
		result_text(result, " and %zu other targets", lost - SHOWN);
	return lost;
}

/*
 * How bad it is that `lost` targets have no path: an array may have a target for each port, and a
 * multipath map another way to its disks. The agent, which knows of the maps, calls that degraded;
 * it is asked once more, since what it said before may be older than the paths. Who names a target
 * wants that one. Returns 0 or a negative errno of client.h.
 */
static int judge_lost(
	struct client *client, const struct summary *summary, bool named, struct result *result)
{
	struct value status;
	int rc = client_get(client, NAME(SUMMARY(SUM_STATUS)), &status);

	if (rc < 0)
		return rc;
	if (!status.known)
		status = summary->of[SUM_STATUS];
	if (named || (status.number != SUMMARY_OK && status.number != SUMMARY_DEGRADED))
		result_raise(result, STATUS_CRITICAL);
	else if (status.number == SUMMARY_DEGRADED)
		result_text(result, ", but multipath makes up for it");
	return 0;
}

static void say_untold(size_t count, struct result *result)
{
	if (!count)
		return;
	result_text(result, ", %zu of unknown status", count);
	result_raise(result, STATUS_UNKNOWN);
}

/*
 * Says what is not known of the host, and names or patterns of -T that no path fits: mistyped ones,
 * or of a path that is gone; either way nothing watches over it. Returns whether the counts are
 * values.
 */
static bool are_known(const struct paths *paths, const struct summary *summary,
	const struct options *options, struct result *result)
{
	const char *list = options->targets, *between = ", no path fits ";
	char pattern[256];
	bool all_fit = true;

	while (list && pattern_next(&list, pattern, sizeof(pattern))) {
		bool found = false;

		for (size_t i = 0; i < paths->count && !found; i++)
			found = pattern_list_fits(pattern, paths->list[i].target);
		if (found)
			continue;
		result_text(result, "%s%s", between, pattern);
		result_raise(result, STATUS_UNKNOWN);
		between = ", ";
		all_fit = false;
	}
	return !summary_doubt(summary, paths->count > 0, result) && (all_fit || paths->count);
}

int mode_paths(struct client *client, const struct options *options, struct result *result)
{
	struct paths paths = { .count = 0 };
	struct summary summary;
	size_t down = 0, connected = 0, lost;
	bool named = false;
	int rc = load(client, options, &paths, &summary);

	if (rc < 0)
		goto out;
	for (size_t i = 0; i < paths.count; i++) {
		down += is_down(&paths.list[i]);
		connected += paths.list[i].status == PATH_CONNECTED;
	}
	result_text(result, "%zu of %zu paths connected", connected, paths.count);
	lost = show_lost(&paths, options->targets, &named, result);
	if (lost)
		rc = judge_lost(client, &summary, named, result);
	if (rc < 0)
		goto out;
	show(&paths, is_down, options->verbose > 0, result);
	if (down && !options->warning.given && !options->critical.given)
		result_raise(result, STATUS_WARNING);
	say_untold(paths.count - down - connected, result);
	if (!are_known(&paths, &summary, options, result))
		goto out;
	result_value(result, "paths_down", down, "", &options->warning, &options->critical);
	result_value(result, "paths_connected", connected, "", NULL, NULL);
	result_value(result, "paths", paths.count, "", NULL, NULL);
	result_value(result, "targets_lost", lost, "", NULL, NULL);
out:
	free(paths.list);
	return rc;
}

static bool is_missing(const struct path *p)
{
	return p->expected == EXPECTED && p->status == PATH_DISCONNECTED;
}

/* Neither status nor what the node record wants may be known; one of them can be enough. */
static bool may_be_missing(const struct path *p)
{
	bool connects = p->status == PATH_CONNECTED || p->status == PATH_RECONNECTING;

	return p->expected != NOT_EXPECTED && !connects && !is_missing(p);
}

int mode_expected(struct client *client, const struct options *options, struct result *result)
{
	struct paths paths = { .count = 0 };
	struct summary summary;
	size_t missing = 0, expected = 0, untold = 0;
	int rc = load(client, options, &paths, &summary);

	if (rc < 0)
		goto out;
	for (size_t i = 0; i < paths.count; i++) {
		missing += is_missing(&paths.list[i]);
		untold += may_be_missing(&paths.list[i]);
		expected += paths.list[i].expected == EXPECTED;
	}
	result_text(result, "%zu of %zu expected paths missing", missing, expected);
	show(&paths, is_missing, false, result);
	if (missing && !options->warning.given && !options->critical.given)
		result_raise(result, STATUS_CRITICAL);
	say_untold(untold, result);
	if (!are_known(&paths, &summary, options, result))
		goto out;
	result_value(result, "paths_missing", missing, "", &options->warning, &options->critical);
	result_value(result, "paths_expected", expected, "", NULL, NULL);
out:
	free(paths.list);
	return rc;
}
