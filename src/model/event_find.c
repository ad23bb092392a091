/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/event_find.h"

#include "model/own.h"
#include "model/path.h"
#include "model/path_join.h"
#include "model/session_now.h"

struct finder {
	const struct snapshot *before, *now;
	uint32_t session_limit;
	uint32_t *sessions_before, *sessions_now; /* inbound sessions of each node, by position */
	bool maps_comparable;
	event_found_fn *found;
	void *context;
};

/* An object of a snapshot by what makes it the same row in another one. */
struct handle {
	uint64_t id;
	const void *object;
};

static int compare_handles(const void *a, const void *b)
{
	const struct handle *x = a, *y = b;

	return x->id < y->id ? -1 : x->id > y->id;
}

static uint32_t instance_number(const struct snapshot *s, uint32_t position)
{
	const struct instance *instance = &snapshot_instances(s)[position];

	return instance->object.index ? instance->number.value : 0;
}

/* 0: it has no row. */
static uint64_t id_of(const struct snapshot *s, enum object_kind kind, const void *object)
{
	uint64_t index = ((const struct object *)object)->index, parent = 0;

	switch (kind) {
	case OBJECT_NODE:
		parent = instance_number(s, ((const struct node *)object)->instance);
		break;
	case OBJECT_SESSION:
		parent = instance_number(s, ((const struct session *)object)->instance);
		break;
	default: /* numbered by themselves */
		return index;
	}
	return index && parent ? parent << 32 | index : 0;
}

/* As they mostly are: numbers are given in the order of the sources. */
static bool is_sorted(const struct handle *handles, uint32_t count)
{
	for (uint32_t i = 1; i < count; i++) {
		if (handles[i - 1].id > handles[i].id)
			return false;
	}
	return true;
}

static int make_handles(
	const struct snapshot *s, enum object_kind kind, struct handle **ret, uint32_t *ret_count)
{
	const char *object = s->arrays[kind].objects;
	uint32_t count = 0;
	struct handle *handles = calloc((size_t)snapshot_count(s, kind) + 1, sizeof(*handles));

	if (!handles)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot_count(s, kind); i++, object += object_info(kind)->size) {
		handles[count] = (struct handle){ .id = id_of(s, kind, object), .object = object };
		count += handles[count].id != 0;
	}
	if (!is_sorted(handles, count))
		qsort(handles, count, sizeof(*handles), compare_handles);
	*ret = handles;
	*ret_count = count;
	return 0;
}

/* The time that the object gives, when it is one of between the snapshots. */
static uint64_t time_between(const struct finder *f, const struct opt_time *time)
{
	return time->known && time->ns > f->before->made_ns && time->ns < f->now->made_ns
		       ? time->ns
		       : f->now->made_ns;
}

/* ---- the kinds ---- */

/* The status, or what it was when it was last known: what happened meanwhile is told later. */
static struct opt_u32 last_status(const struct path *path)
{
	return path->status.known ? path->status : path->status_of_time;
}

static void compare_paths(struct finder *f, const void *object_before, const void *object_now)
{
	const struct path *before = object_before, *now = object_now;
	uint32_t key[EVENT_KEY_MAX] = { now->object.index };
	struct opt_u32 status_before = last_status(before);
	struct path as_known = *before;
	bool up_before = status_before.value == PATH_CONNECTED;
	bool missing_before;
	bool up_now = now->status.value == PATH_CONNECTED;
	uint32_t type = EVENT_NONE;
	bool dated = now->status_time.known && now->status_of_time.known &&
		     now->status_of_time.value == now->status.value;

	as_known.status = status_before;
	missing_before = path_is_missing(&as_known);
	if (status_before.known && now->status.known) {
		if (path_is_missing(now) && !missing_before)
			type = EVENT_PATH_MISSING;
		else if (missing_before && now->session != LINK_NONE)
			type = EVENT_PATH_FOUND;
		else if (up_before && !up_now)
			type = EVENT_PATH_DOWN;
		else if (!up_before && up_now)
			type = EVENT_PATH_UP;
	}
	if (type)
		f->found(f->context, type, before, now, key,
			dated ? time_between(f, &now->status_time) : f->now->made_ns);
	if (before->primary.known && now->primary.known && !before->primary.value &&
		now->primary.value)
		f->found(f->context, EVENT_PRIMARY_PATH, before, now, key, f->now->made_ns);
}

static void compare_sessions(struct finder *f, const void *object_before, const void *object_now)
{
	const struct session *session = object_now;
	const struct session_meaning *before = session_meaning_now(f->before, object_before);
	const struct session_meaning *now = session_meaning_now(f->now, session);
	uint32_t key[EVENT_KEY_MAX] = { instance_number(f->now, session->instance),
		snapshot_nodes(f->now)[session->node].object.index, session->object.index };

	if (before && now && before->health_state != now->health_state && key[1])
		f->found(f->context, EVENT_SESSION_HEALTH, object_before, session, key,
			f->now->made_ns);
}

static void compare_nodes(struct finder *f, const void *object_before, const void *object_now)
{
	const struct node *now = object_now;
	uint32_t count_before =
		f->sessions_before[(const struct node *)object_before - snapshot_nodes(f->before)];
	uint32_t count_now = f->sessions_now[now - snapshot_nodes(f->now)];
	uint32_t key[EVENT_KEY_MAX] = { instance_number(f->now, now->instance), now->object.index };

	if (f->session_limit && count_before < f->session_limit && count_now >= f->session_limit)
		f->found(f->context, EVENT_SESSION_LIMIT, object_before, now, key, f->now->made_ns);
}

/* Worse or better, a map that is not well is told anew: nothing works any more, or some does again.
 */
static void compare_maps(struct finder *f, const void *object_before, const void *object_now)
{
	const struct map *before = object_before, *now = object_now;
	uint32_t key[EVENT_KEY_MAX] = { now->object.index };

	if (!f->maps_comparable || !before->status.known || !now->status.known ||
		before->status.value == now->status.value)
		return;
	f->found(f->context, now->status.value == MAP_OK ? EVENT_MAP_RESTORED : EVENT_MAP_DEGRADED,
		before, now, key, f->now->made_ns);
}

/* What has gone for good is known again, too: there is nothing that could not be read. */
static void compare_sources(struct finder *f, const void *object_before, const void *object_now)
{
	const struct source_info *before = object_before, *now = object_now;
	uint32_t key[EVENT_KEY_MAX] = { now->object.index };

	if (!before->state.known || !now->state.known || before->state.value == now->state.value)
		return;
	if (now->state.value == HEALTH_STALE)
		f->found(f->context, EVENT_SOURCE_STALE, before, now, key, f->now->made_ns);
	else if (before->state.value == HEALTH_STALE &&
		 (now->state.value == HEALTH_OK || now->state.value == HEALTH_ABSENT))
		f->found(f->context, EVENT_SOURCE_RECOVERED, before, now, key, f->now->made_ns);
}

bool event_is_still_true(uint32_t type, const void *now)
{
	const struct path *path = now;
	const struct map *map = now;
	const struct source_info *source = now;

	switch (type) {
	case EVENT_PATH_DOWN:
		return path->status.known && path->status.value != PATH_CONNECTED;
	case EVENT_PATH_UP:
		return path->status.known && path->status.value == PATH_CONNECTED;
	case EVENT_PATH_MISSING:
		return path_is_missing(path);
	case EVENT_PATH_FOUND:
		return path->session != LINK_NONE;
	case EVENT_PRIMARY_PATH:
		return path->primary.known && path->primary.value;
	case EVENT_MAP_DEGRADED:
		return map->status.known && map->status.value != MAP_OK;
	case EVENT_MAP_RESTORED:
		return map->status.known && map->status.value == MAP_OK;
	case EVENT_SOURCE_STALE:
		return source->state.known && source->state.value == HEALTH_STALE;
	case EVENT_SOURCE_RECOVERED:
		return source->state.known && source->state.value != HEALTH_STALE;
	case EVENT_SESSION_LIMIT:
		return true; /* the newer one can only say the same */
	default:
		return false; /* EVENT_SESSION_HEALTH: it was another health */
	}
}

static const struct {
	enum object_kind kind;
	void (*compare)(struct finder *f, const void *before, const void *now);
} kinds[] = {
	{ OBJECT_PATH, compare_paths },
	{ OBJECT_SESSION, compare_sessions },
	{ OBJECT_NODE, compare_nodes },
	{ OBJECT_MAP, compare_maps },
	{ OBJECT_SOURCE, compare_sources },
};

/* ---- who tells of maps ---- */

static bool is_heard(const struct snapshot *s, const struct source_status *like)
{
	for (uint32_t i = 0; i < s->unit_count; i++) {
		const struct source_status *u = &s->units[i];

		if (strcmp(u->source, like->source) == 0 && strcmp(u->unit, like->unit) == 0)
			return source_has_rows(u);
	}
	return false;
}

/* True when all who tell of the outbound sessions of `s` are heard in `other`, too. */
static bool initiators_are_heard(const struct snapshot *s, const struct snapshot *other)
{
	uint32_t heard = UINT32_MAX; /* the unit that was looked at last */

	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_SESSION); i++) {
		const struct session *session = &snapshot_sessions(s)[i];
		bool inbound = session->direction.known && session->direction.value == 1;

		if (inbound || session->object.unit == heard)
			continue;
		heard = session->object.unit;
		if (!is_heard(other, &s->units[heard]))
			return false;
	}
	return true;
}

/* ---- the pairs ---- */

static int count_sessions(const struct snapshot *s, uint32_t **ret)
{
	uint32_t *counts = calloc((size_t)snapshot_count(s, OBJECT_NODE) + 1, sizeof(*counts));

	if (!counts)
		return -ENOMEM;
	for (uint32_t i = 0; i < snapshot_count(s, OBJECT_SESSION); i++) {
		const struct session *session = &snapshot_sessions(s)[i];

		counts[session->node] += session->object.index && session->direction.known &&
					 session->direction.value == 1;
	}
	*ret = counts;
	return 0;
}

struct side {
	struct handle *handles[ARRAY_SIZE(kinds)];
	uint32_t counts[ARRAY_SIZE(kinds)];
};

static int make_side(const struct snapshot *s, struct side *side)
{
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++)
		rc = make_handles(s, kinds[i].kind, &side->handles[i], &side->counts[i]);
	return rc;
}

static void free_side(struct side *side)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		free(side->handles[i]);
}

static void compare_kind(
	struct finder *f, size_t kind, const struct side *before, const struct side *now)
{
	uint32_t b = 0, n = 0;

	while (b < before->counts[kind] && n < now->counts[kind]) {
		const struct handle *old = &before->handles[kind][b];
		const struct handle *new = &now->handles[kind][n];

		if (old->id == new->id)
			kinds[kind].compare(f, old->object, new->object);
		b += old->id <= new->id;
		n += new->id <= old->id;
	}
}

int event_find(const struct snapshot *before, const struct snapshot *now, uint32_t session_limit,
	event_found_fn *found, void *context)
{
	struct finder f = { .before = before,
		.now = now,
		.session_limit = session_limit,
		.maps_comparable =
			initiators_are_heard(before, now) && initiators_are_heard(now, before),
		.found = found,
		.context = context };
	struct side sides[2] = { 0 };
	int rc = count_sessions(before, &f.sessions_before);

	if (rc == 0)
		rc = count_sessions(now, &f.sessions_now);
	if (rc == 0)
		rc = make_side(before, &sides[0]);
	if (rc == 0)
		rc = make_side(now, &sides[1]);
	for (size_t i = 0; i < ARRAY_SIZE(kinds) && rc == 0; i++)
		compare_kind(&f, i, &sides[0], &sides[1]);
	free_side(&sides[0]);
	free_side(&sides[1]);
	free(f.sessions_before);
	free(f.sessions_now);
	return rc;
}
