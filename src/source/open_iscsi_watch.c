/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of open_iscsi_events.c: sessions by sid, counters by initiator name. In the reader
 * process of the source. No event is judged here.
 */
#include "source/open_iscsi_events.h"

#include "base/clock.h"

/* The target has 15 s to answer the logout; then iscsid does without its answer. */
#define ENDING_MAX_NS (30 * NS_PER_S)

static void watch_free(struct oiscsi_watch *watch)
{
	free(watch->target_name);
	free(watch->initiator_name);
	free(watch->iface_name);
	free(watch->path_key);
	free(watch->likely_path_key);
	free(watch);
}

static void node_free(struct oiscsi_node_events *node)
{
	free(node->name);
	free(node->failure_target);
	free(node);
}

void oiscsi_events_clear(struct oiscsi_events *e)
{
	for (size_t i = 0; i < e->watch_count; i++)
		watch_free(e->watches[i]);
	for (size_t i = 0; i < e->node_count; i++)
		node_free(e->nodes[i]);
	oiscsi_outages_clear(e);
	free(e->watches);
	free(e->nodes);
	free(e->failure_target);
	*e = (struct oiscsi_events){ .records = e->records };
}

/* Where the sid is, or would be. Most are asked for or made at the end. */
static size_t find_place(const struct oiscsi_events *e, uint32_t sid)
{
	size_t low = 0, high = e->watch_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (e->watches[middle]->sid < sid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct oiscsi_watch *oiscsi_watch_find(const struct oiscsi_events *e, uint32_t sid)
{
	size_t at = find_place(e, sid);

	return at < e->watch_count && e->watches[at]->sid == sid ? e->watches[at] : NULL;
}

struct oiscsi_watch *oiscsi_watch_get(struct oiscsi_events *e, uint32_t sid)
{
	struct oiscsi_watch *watch = oiscsi_watch_find(e, sid), **grown;
	size_t at = find_place(e, sid);

	if (watch)
		return watch;
	grown = reallocarray(e->watches, e->watch_count + 1, sizeof(struct oiscsi_watch *));
	if (!grown)
		return NULL;
	e->watches = grown;
	watch = calloc(1, sizeof(*watch));
	if (!watch)
		return NULL;
	watch->sid = sid;
	memmove(&grown[at + 1], &grown[at], (e->watch_count - at) * sizeof(struct oiscsi_watch *));
	grown[at] = watch;
	e->watch_count++;
	return watch;
}

void oiscsi_watch_remove(struct oiscsi_events *e, uint32_t sid)
{
	size_t at = find_place(e, sid);

	if (at == e->watch_count || e->watches[at]->sid != sid)
		return;
	watch_free(e->watches[at]);
	e->watch_count--;
	memmove(&e->watches[at], &e->watches[at + 1],
		(e->watch_count - at) * sizeof(struct oiscsi_watch *));
}

void oiscsi_events_sweep(struct oiscsi_events *e, uint64_t before_ns,
	bool (*exists)(const void *context, uint32_t sid), const void *context)
{
	size_t kept = 0;

	for (size_t i = 0; i < e->watch_count; i++) {
		struct oiscsi_watch *watch = e->watches[i];

		if (watch->heard_ns >= before_ns || exists(context, watch->sid))
			e->watches[kept++] = watch;
		else
			watch_free(watch);
	}
	e->watch_count = kept;
}

bool oiscsi_events_are_ending(const struct oiscsi_events *e, uint64_t now_ns)
{
	for (size_t i = 0; i < e->watch_count; i++) {
		const struct oiscsi_watch *watch = e->watches[i];

		if (watch->phase == OISCSI_PHASE_ENDING &&
			now_ns - watch->ending_ns < ENDING_MAX_NS)
			return true;
	}
	return false;
}

static bool same_name(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

struct oiscsi_node_events *oiscsi_node_events_find(const struct oiscsi_events *e, const char *name)
{
	for (size_t i = 0; i < e->node_count; i++) {
		if (same_name(e->nodes[i]->name, name))
			return e->nodes[i];
	}
	return NULL;
}

struct oiscsi_node_events *oiscsi_node_events_get(struct oiscsi_events *e, const char *name)
{
	struct oiscsi_node_events *node = oiscsi_node_events_find(e, name), **grown;

	if (node)
		return node;
	grown = reallocarray(e->nodes, e->node_count + 1, sizeof(struct oiscsi_node_events *));
	if (!grown)
		return NULL;
	e->nodes = grown;
	node = calloc(1, sizeof(*node));
	if (!node)
		return NULL;
	if (name) {
		node->name = strdup(name);
		if (!node->name) {
			free(node);
			return NULL;
		}
	}
	grown[e->node_count++] = node;
	return node;
}

/* Adds the events of `from` to those of `to`. */
static void node_merge(struct oiscsi_node_events *to, struct oiscsi_node_events *from)
{
	for (int i = 0; i < OISCSI_COUNTS; i++)
		to->login[i] += from->login[i];
	to->logouts += from->logouts;
	if (from->failure_ns < to->failure_ns)
		return;
	to->failure_ns = from->failure_ns;
	to->failure_type = from->failure_type;
	to->failure_portal = from->failure_portal;
	free(to->failure_target);
	to->failure_target = steal_pointer(&from->failure_target);
}

int oiscsi_events_name_default(struct oiscsi_events *e, const char *name)
{
	struct oiscsi_node_events *nameless = oiscsi_node_events_find(e, NULL), *node;
	size_t kept = 0;

	if (!nameless)
		return 0;
	node = oiscsi_node_events_get(e, name);
	if (!node)
		return -ENOMEM;
	node_merge(node, nameless);
	for (size_t i = 0; i < e->node_count; i++) {
		if (e->nodes[i] != nameless)
			e->nodes[kept++] = e->nodes[i];
	}
	e->node_count = kept;
	node_free(nameless);
	return 0;
}
