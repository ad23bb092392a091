/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Called by open_iscsi_events.c, when something happens, and by open_iscsi_paths.c, which knows the
 * paths. A path of which there is nothing to tell has no memory here.
 */
#include "source/open_iscsi_outages.h"

#include "base/clock.h"
#include "source/open_iscsi_events.h"

void oiscsi_outages_clear(struct oiscsi_events *e)
{
	for (size_t i = 0; i < e->path_count; i++)
		free(e->paths[i].key);
	free(e->paths);
	e->paths = NULL;
	e->path_count = 0;
}

/* Where the key is, or would be. */
static size_t find_place(const struct oiscsi_events *e, const char *key)
{
	size_t low = 0, high = e->path_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(e->paths[middle].key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct oiscsi_path_events *find(const struct oiscsi_events *e, const char *key)
{
	size_t at = find_place(e, key);

	return at < e->path_count && strcmp(e->paths[at].key, key) == 0 ? &e->paths[at] : NULL;
}

/* The same, made when there are none. NULL without memory. */
static struct oiscsi_path_events *get(struct oiscsi_events *e, const char *key)
{
	struct oiscsi_path_events *found = find(e, key), *grown;
	size_t at = find_place(e, key);
	char *copy;

	if (found)
		return found;
	grown = reallocarray(e->paths, e->path_count + 1, sizeof(*grown));
	if (!grown)
		return NULL;
	e->paths = grown;
	copy = strdup(key);
	if (!copy)
		return NULL;
	memmove(&grown[at + 1], &grown[at], (e->path_count - at) * sizeof(*grown));
	grown[at] = (struct oiscsi_path_events){ .key = copy };
	e->path_count++;
	return &grown[at];
}

static void begin(struct oiscsi_outages *o, uint64_t now_ns)
{
	o->failures++;
	o->lost = true;
	o->lost_ns = now_ns;
}

static void end(struct oiscsi_outages *o, uint64_t now_ns)
{
	if (!o->login_ns)
		o->login_ns = now_ns;
	if (!o->lost)
		return;
	o->reconnects++;
	o->end_ns = now_ns;
	o->ms.known = 0;
	if (o->lost_ns && o->lost_ns <= now_ns) {
		uint64_t ms = (now_ns - o->lost_ns) / NS_PER_MS;

		OPT_SET(o->ms, ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms);
	}
	o->lost = false;
	o->lost_ns = 0;
}

int oiscsi_outage_begins(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	struct oiscsi_path_events *path = NULL;

	if (watch->path_key) {
		path = get(e, watch->path_key);
		if (!path)
			return -ENOMEM;
	}
	begin(path ? &path->outages : &watch->outages, now_ns);
	return 0;
}

/* A login stands on a path. */
static void end_on_path(struct oiscsi_path_events *path, uint64_t now_ns)
{
	end(&path->outages, now_ns);
	if (path->refusal.ns <= now_ns)
		path->refusal.ns = 0;
}

void oiscsi_outage_ends(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns)
{
	struct oiscsi_path_events *path;

	if (!watch->path_key) {
		end(&watch->outages, now_ns);
		return;
	}
	path = find(e, watch->path_key);
	if (path)
		end_on_path(path, now_ns);
}

/* What another session on the path left open ends with the first login of this one. */
static void merge(struct oiscsi_path_events *path, const struct oiscsi_outages *from)
{
	struct oiscsi_outages *to = &path->outages;

	if (from->login_ns)
		end_on_path(path, from->login_ns);
	to->failures += from->failures;
	to->reconnects += from->reconnects;
	if (from->end_ns > to->end_ns) {
		to->end_ns = from->end_ns;
		to->ms = from->ms;
	}
	if (from->lost) {
		to->lost = true;
		to->lost_ns = from->lost_ns;
	}
}

int oiscsi_outages_attach(
	struct oiscsi_events *e, struct oiscsi_watch *watch, const char *path_key, bool is_lost)
{
	struct oiscsi_outages *from = &watch->outages;
	struct oiscsi_path_events *to;
	char *copy;

	if (watch->path_key)
		return 0;
	if (is_lost && watch->phase == OISCSI_PHASE_LOST)
		from->lost = true;
	to = find(e, path_key);
	if (!to && (from->lost || from->failures || from->reconnects)) {
		to = get(e, path_key);
		if (!to)
			return -ENOMEM;
	}
	copy = strdup(path_key);
	if (!copy)
		return -ENOMEM;
	if (to)
		merge(to, from);
	watch->path_key = copy;
	return 0;
}

int oiscsi_refusal_remember(struct oiscsi_events *e, const struct oiscsi_watch *watch)
{
	const char *key = watch->path_key ? watch->path_key : watch->likely_path_key;
	struct oiscsi_path_events *path;

	if (!key || watch->phase != OISCSI_PHASE_NEW || !watch->login_class.known ||
		watch->login_class.value == OISCSI_SUCCESS)
		return 0;
	if (e->path_count >= OISCSI_REFUSALS_MAX && !find(e, key))
		return 0;
	path = get(e, key);
	if (!path)
		return -ENOMEM;
	path->refusal = (struct oiscsi_refusal){
		.login_class = watch->login_class,
		.login_detail = watch->login_detail,
		.ns = watch->answered_ns,
	};
	return 0;
}

const struct oiscsi_path_events *oiscsi_path_events_find(
	const struct oiscsi_events *e, const char *path_key)
{
	static const struct oiscsi_path_events nothing;
	const struct oiscsi_path_events *found = find(e, path_key);

	return found ? found : &nothing;
}
