/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sessions and records become paths. Called by open_iscsi.c in the reader process after both were
 * read; what a session has for it is read in open_iscsi_extra.c. Must give one path one key always:
 * a session whose identity is not wholly known is no path yet.
 */
#include "source/open_iscsi_paths.h"

#include "model/path.h"
#include "source/open_iscsi_extra.h"
#include "source/open_iscsi_model.h"

#define OUTAGE_MAX_MS UINT32_MAX

void oiscsi_paths_clear(struct oiscsi_paths *paths)
{
	for (size_t i = 0; i < paths->count; i++)
		free(paths->list[i].key);
	free(paths->list);
	memset(paths, 0, sizeof(*paths));
}

bool oiscsi_records_are_whole(const struct oiscsi *o)
{
	return o->records_known && !o->records.incomplete;
}

/* ---- what there is ---- */

/* A session or a record, by what makes them the same path but for the initiator's name. */
struct candidate {
	const char *target, *portal, *iface;
	struct oiscsi_session *session; /* or */
	const struct oiscsi_node *node;
};

static int compare_ends(const struct candidate *x, const struct candidate *y)
{
	int order = strcmp(x->target, y->target);

	if (order == 0)
		order = strcmp(x->portal, y->portal);
	return order ? order : strcmp(x->iface, y->iface);
}

/* Of one path: sessions by sid, then records in the order of their files. */
static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = compare_ends(x, y);

	if (order == 0)
		order = (x->session == NULL) - (y->session == NULL);
	if (order)
		return order;
	if (x->session)
		return (x->session->sid > y->session->sid) - (x->session->sid < y->session->sid);
	return (x->node > y->node) - (x->node < y->node);
}

static bool is_path(const struct oiscsi_session *session)
{
	return session->present && session->target_name && session->initiator_name &&
	       session->extra && session->extra->identified && session->connection_count;
}

static size_t list_candidates(struct oiscsi *o, struct candidate *list, struct oiscsi_paths *ret)
{
	const struct oiscsi_nodes *nodes = &o->records.nodes;
	size_t count = 0;

	for (size_t i = 0; i < o->session_count; i++) {
		struct oiscsi_session *session = o->sessions[i];

		if (session->extra) {
			session->extra->node = NULL; /* the records may have been read anew */
			session->extra->is_path = is_path(session);
		}
		if (!is_path(session)) {
			ret->strangers += session->present && session->connection_count;
			continue;
		}
		list[count++] = (struct candidate){
			.target = session->target_name,
			.portal = session->extra->portal.text,
			.iface = session->extra->iface,
			.session = session,
		};
	}
	for (size_t i = 0; i < nodes->count; i++) {
		list[count++] = (struct candidate){
			.target = nodes->list[i].target,
			.portal = nodes->list[i].portal.text,
			.iface = nodes->list[i].iface,
			.node = &nodes->list[i],
		};
	}
	return count;
}

/* ---- and what becomes of it ---- */

static int add_path(
	struct oiscsi_paths *paths, const struct path_identity *identity, struct oiscsi_path **ret)
{
	struct oiscsi_path *path = &paths->list[paths->count];
	char key[PATH_KEY_MAX];

	*ret = NULL;
	if (!path_key(key, identity))
		return 0; /* no stack takes such names */
	memset(path, 0, sizeof(*path));
	path->key = strdup(key);
	if (!path->key)
		return -ENOMEM;
	paths->count++;
	*ret = path;
	return 0;
}

static int add_session(struct oiscsi_paths *paths, const struct candidate *from)
{
	const struct oiscsi_extra *extra = from->session->extra;
	struct oiscsi_path *path;
	int rc = add_path(paths,
		&(struct path_identity){
			.direction = PATH_OUTBOUND,
			.initiator = from->session->initiator_name,
			.iface = extra->iface,
			.target = from->target,
			.portal = from->portal,
			.ordinal = extra->ordinal,
		},
		&path);

	if (rc < 0 || !path)
		return rc;
	path->session = from->session;
	path->node = extra->node;
	if (extra->condition_known && extra->status_known)
		OPT_SET(path->status,
			session_meaning_of(extra->condition, false, false)->path_status);
	return 0;
}

/* Whether a session is there that may be the record's, but for what could not be read of it. */
enum stranger {
	NOBODY,
	BEGINNER, /* only such as have not logged in */
	ANYBODY,
};

/* One without a connection is not connected, whosesoever it is. */
static enum stranger stranger_at(const struct oiscsi *o, const char *target)
{
	enum stranger found = NOBODY;

	for (size_t i = 0; i < o->session_count && found != ANYBODY; i++) {
		const struct oiscsi_session *session = o->sessions[i];

		if (session->present && session->connection_count && !is_path(session) &&
			(!session->target_name || strcmp(session->target_name, target) == 0))
			found = session->state == OISCSI_FREE ? BEGINNER : ANYBODY;
	}
	return found;
}

/* The record of a session that should be there and is not; or it cannot be told. */
static int add_missing(const struct oiscsi *o, struct oiscsi_paths *paths,
	const struct candidate *from, const char *initiator, uint32_t ordinal)
{
	enum stranger stranger = NOBODY;
	struct oiscsi_path *path;
	int rc = add_path(paths,
		&(struct path_identity){
			.direction = PATH_OUTBOUND,
			.initiator = initiator,
			.iface = from->iface,
			.target = from->target,
			.portal = from->portal,
			.ordinal = ordinal,
		},
		&path);
	if (rc < 0 || !path)
		return rc;
	path->node = from->node;
	path->leads = from->node->leading_login;
	if (paths->strangers)
		stranger = stranger_at(o, from->target);
	if (stranger == NOBODY)
		OPT_SET(path->status, PATH_DISCONNECTED);
	path->begins = stranger == BEGINNER;
	return 0;
}

/* The lowest number above `last` that no session of the same initiator in the run has. */
static uint32_t free_ordinal(
	const struct candidate *run, size_t sessions, const char *initiator, uint32_t last)
{
	for (uint32_t ordinal = last + 1;; ordinal++) {
		bool taken = false;

		for (size_t i = 0; i < sessions; i++)
			taken |= run[i].session->extra->ordinal == ordinal &&
				 strcmp(run[i].session->initiator_name, initiator) == 0;
		if (!taken)
			return ordinal;
	}
}

/*
 * The sessions that iscsiadm would make of the record now: as many as it wants, less those that
 * there are, whosesoever (usr/session_mgmt.c, iscsi_login_portal).
 */
static int add_all_missing(const struct oiscsi *o, struct oiscsi_paths *paths,
	const struct candidate *run, size_t sessions, const struct candidate *record)
{
	const struct oiscsi_node *node = record->node;
	const char *initiator =
		node->initiator_name ? node->initiator_name : o->records.initiator_name;
	uint32_t ordinal = 0;
	int rc = 0;

	if (!initiator || node->startup == OISCSI_MANUAL)
		return 0;
	for (size_t i = sessions; i < node->nr_sessions && rc == 0; i++) {
		ordinal = free_ordinal(run, sessions, initiator, ordinal);
		rc = add_missing(o, paths, record, initiator, ordinal);
	}
	return rc;
}

/* One run of candidates that are alike: sessions, then records. */
static int add_run(const struct oiscsi *o, struct oiscsi_paths *paths, struct candidate *run,
	size_t count, size_t sessions)
{
	const struct candidate *record = count > sessions ? &run[sessions] : NULL;
	int rc = 0;

	for (size_t i = 0; i < sessions && rc == 0; i++) {
		struct oiscsi_extra *extra = run[i].session->extra;

		if (!extra->ordinal)
			extra->ordinal =
				free_ordinal(run, sessions, run[i].session->initiator_name, 0);
		extra->node = record ? record->node : NULL;
		rc = add_session(paths, &run[i]);
	}
	return rc == 0 && record ? add_all_missing(o, paths, run, sessions, record) : rc;
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct oiscsi_path *)a)->key, ((const struct oiscsi_path *)b)->key);
}

/*
 * Of the missing paths that lead to one target in turn: the one that was there before, or the
 * first. None when a session leads there, or another record wants one.
 */
static const struct oiscsi_path *choose_leader(
	const struct oiscsi *o, const struct oiscsi_path *list, size_t count)
{
	const struct oiscsi_path *first = NULL, *before = NULL;

	for (size_t i = 0; i < count; i++) {
		if (!list[i].leads)
			return NULL;
		if (!first)
			first = &list[i];
		if (!before && o->paths.count &&
			bsearch(&list[i], o->paths.list, o->paths.count, sizeof(list[i]),
				compare_paths))
			before = &list[i];
	}
	return before ? before : first;
}

static const char *target_of(const struct oiscsi_path *path)
{
	return path->session ? path->session->target_name : path->node->target;
}

/* The paths of a target stand together. */
static void keep_leaders(const struct oiscsi *o, struct oiscsi_paths *paths)
{
	size_t kept = 0, end;

	for (size_t i = 0; i < paths->count; i = end) {
		const struct oiscsi_path *leader;

		end = i + 1;
		while (end < paths->count &&
			strcmp(target_of(&paths->list[i]), target_of(&paths->list[end])) == 0)
			end++;
		leader = choose_leader(o, &paths->list[i], end - i);
		for (size_t k = i; k < end; k++) {
			if (paths->list[k].leads && &paths->list[k] != leader)
				free(paths->list[k].key);
			else
				paths->list[kept++] = paths->list[k];
		}
	}
	paths->count = kept;
}

static size_t count_most(const struct oiscsi *o)
{
	size_t most = o->session_count;

	for (size_t i = 0; i < o->records.nodes.count; i++)
		most += o->records.nodes.list[i].startup == OISCSI_MANUAL
				? 0
				: o->records.nodes.list[i].nr_sessions;
	return most;
}

static int make_paths(struct oiscsi *o, struct oiscsi_paths *ret)
{
	size_t most = o->session_count + o->records.nodes.count, count, begin = 0;
	CLEANUP_FREE struct candidate *list = calloc(most + 1, sizeof(*list));
	int rc = 0;

	ret->list = calloc(count_most(o) + 1, sizeof(*ret->list));
	if (!list || !ret->list)
		return -ENOMEM;
	count = list_candidates(o, list, ret);
	if (count)
		qsort(list, count, sizeof(*list), compare_candidates);
	for (size_t i = 1; i <= count && rc == 0; i++) {
		size_t sessions = begin;

		if (i < count && compare_ends(&list[i - 1], &list[i]) == 0)
			continue;
		while (sessions < i && list[sessions].session)
			sessions++;
		rc = add_run(o, ret, &list[begin], i - begin, sessions - begin);
		begin = i;
	}
	keep_leaders(o, ret);
	return rc;
}

/* ---- what is remembered ---- */

static bool is_lost(const struct oiscsi_path *path)
{
	enum session_condition condition =
		path->session ? path->session->extra->condition : SESSION_NEW;

	return condition == SESSION_LOST || condition == SESSION_EXPIRED ||
	       condition == SESSION_ABANDONED;
}

/* What changes when. `before`: the path in the poll before, NULL when it was not there. */
static void remember(const struct oiscsi *o, struct oiscsi_path *path,
	const struct oiscsi_path *before, uint64_t now_ns)
{
	bool fresh = path->session && o->poll > 1 && path->session->first_poll == o->poll;

	if (before) {
		path->last_status = before->last_status;
		path->status_ns = before->status_ns;
		path->lost_ns = before->lost_ns;
		path->outage_end_ns = before->outage_end_ns;
		path->outage_ms = before->outage_ms;
		/* A session that cannot be told apart yet has just begun: the path was missing. One
		 * that has logged in has a name, and could not be read. */
		if (path->begins && !before->session)
			path->status = before->status;
	}
	if (!path->status.known || path->status.value == path->last_status)
		return;
	path->status_ns = path->last_status || fresh ? now_ns : 0;
	if (path->last_status == PATH_CONNECTED && is_lost(path))
		path->lost_ns = now_ns;
	path->last_status = path->status.value;
	if (path->status.value == PATH_CONNECTED && path->lost_ns) {
		uint64_t ms = (now_ns - path->lost_ns) / 1000000;

		path->outage_ms = ms > OUTAGE_MAX_MS ? OUTAGE_MAX_MS : (uint32_t)ms;
		path->outage_end_ns = now_ns;
		path->lost_ns = 0;
	}
}

/* Takes the place of the paths of the poll before. Both are by key. */
static void replace(struct oiscsi *o, struct oiscsi_paths *paths, uint64_t now_ns)
{
	size_t kept = 0, old = 0;

	if (paths->count)
		qsort(paths->list, paths->count, sizeof(*paths->list), compare_paths);
	for (size_t i = 0; i < paths->count; i++) {
		struct oiscsi_path *path = &paths->list[i];
		const struct oiscsi_path *before = NULL;

		if (kept && strcmp(paths->list[kept - 1].key, path->key) == 0) {
			free(path->key);
			continue;
		}
		while (old < o->paths.count && strcmp(o->paths.list[old].key, path->key) < 0)
			old++;
		if (old < o->paths.count && strcmp(o->paths.list[old].key, path->key) == 0)
			before = &o->paths.list[old];
		remember(o, path, before, now_ns);
		paths->list[kept++] = *path;
	}
	paths->count = kept;
	oiscsi_paths_clear(&o->paths);
	o->paths = *paths;
}

/* ---- what events told ---- */

/* An adapter that logs in by itself does not tell how it lost a connection. */
static bool tells_losses(const struct oiscsi *o, const struct oiscsi_path *path)
{
	const struct oiscsi_iface *iface;

	if (path->session)
		return !path->session->transport->firmware;
	iface = path->node ? oiscsi_iface_find(&o->records, path->node->iface) : NULL;
	return !iface || !oiscsi_transport_find(iface->transport)->firmware;
}

int oiscsi_paths_take_outages(struct oiscsi *o)
{
	struct oiscsi_events *events = &o->listener->events;

	if (!oiscsi_model_events(o))
		return 0;
	for (size_t i = 0; i < o->paths.count; i++) {
		struct oiscsi_path *path = &o->paths.list[i];
		struct oiscsi_watch *watch =
			path->session ? oiscsi_watch_find(events, path->session->sid) : NULL;
		const struct oiscsi_path_events *told;

		path->counted = tells_losses(o, path);
		if (watch && oiscsi_outages_attach(events, watch, path->key, is_lost(path)) < 0)
			return -ENOMEM;
		told = oiscsi_path_events_find(events, path->key);
		path->outages = told->outages;
		if (!path->session)
			path->refusal = told->refusal;
	}
	return 0;
}

int oiscsi_paths_read(struct oiscsi *o, uint64_t now_ns, uint64_t deadline_ns)
{
	struct oiscsi_paths paths = { .count = 0 };
	int rc = oiscsi_extras_read(o, now_ns, deadline_ns);

	if (rc < 0)
		return rc;
	rc = make_paths(o, &paths);
	if (rc < 0) {
		oiscsi_paths_clear(&paths);
		return rc;
	}
	replace(o, &paths, now_ns);
	return 0;
}
