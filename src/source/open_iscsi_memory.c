/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sessions that the source open-iscsi knows, by sid. Called by open_iscsi.c in the reader
 * process. Must never do I/O, nor forget a session because a read failed.
 */
#include "source/open_iscsi_paths.h"

#define BY_ISCSID .class_link = true
#define PDUS	  .counts_pdus = true
#define OCTETS	  .counts_octets = true

/*
 * What get_stats of the drivers gives (Linux 6.12): libiscsi counts no NOPs, so they are 0 for all
 * but the firmware of qla4xxx. Octets are 0 with iser, residuals with be2iscsi, and those of the
 * whole adapter with qedi.
 */
static const struct oiscsi_transport transports[] = {
	{ .name = "tcp",
		BY_ISCSID,
		.tcp = true,
		.kernel_tcp = true,
		.host_address = true,
		PDUS,
		OCTETS },
	/* TCP, UDP or none: that is the adapter's business */
	{ .name = "iser", BY_ISCSID, .discovery = true, PDUS },
	{ .name = "cxgb3i", BY_ISCSID, .tcp = true, .host_address = true, PDUS, OCTETS },
	{ .name = "cxgb4i", BY_ISCSID, .tcp = true, .host_address = true, PDUS, OCTETS },
	{ .name = "bnx2i", BY_ISCSID, .tcp = true, .host_address = true, PDUS, OCTETS },
	{ .name = "qedi", BY_ISCSID, .tcp = true, .host_address = true, PDUS },
	{ .name = "be2iscsi", BY_ISCSID, .tcp = true, PDUS },
	{ .name = "qla4xxx",
		.tcp = true,
		.firmware = true,
		.discovery = true,
		PDUS,
		OCTETS,
		.counts_nops = true },
};
static const struct oiscsi_transport unknown_transport = { .name = "" };

const struct oiscsi_transport *oiscsi_transport_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(transports); i++) {
		if (strcmp(transports[i].name, name) == 0)
			return &transports[i];
	}
	return &unknown_transport;
}

static void connection_close(struct oiscsi_connection *connection)
{
	root_file_close(connection->state_file);
	root_file_close(connection->statsn_file);
	root_file_close(connection->local_port_file);
}

static void session_free(struct oiscsi_session *session)
{
	if (!session)
		return;
	for (size_t i = 0; i < session->connection_count; i++)
		connection_close(&session->connections[i]);
	free(session->connections);
	oiscsi_extra_free(session->extra);
	root_file_close(session->state_file);
	root_file_close(session->target_state_file);
	free(session->target_name);
	free(session->initiator_name);
	free(session->iface_name);
	free(session);
}

void oiscsi_clear(struct oiscsi *o)
{
	for (size_t i = 0; i < o->session_count; i++)
		session_free(o->sessions[i]);
	free(o->sessions);
	o->sessions = NULL;
	o->session_count = 0;
	oiscsi_paths_clear(&o->paths);
	oiscsi_records_clear(&o->records);
	free(o->portals);
	o->portals = NULL;
	o->portal_count = 0;
}

static int compare_sid(const void *key, const void *element)
{
	uint32_t sid = *(const uint32_t *)key;
	const struct oiscsi_session *session = *(struct oiscsi_session *const *)element;

	return (sid > session->sid) - (sid < session->sid);
}

static struct oiscsi_session **session_slot(const struct oiscsi *o, uint32_t sid)
{
	if (!o->session_count)
		return NULL;
	return bsearch(
		&sid, o->sessions, o->session_count, sizeof(struct oiscsi_session *), compare_sid);
}

struct oiscsi_session *oiscsi_session_find(const struct oiscsi *o, uint32_t sid)
{
	struct oiscsi_session **slot = session_slot(o, sid);

	return slot ? *slot : NULL;
}

bool oiscsi_is_in_doubt(
	const struct oiscsi_session *session, const struct oiscsi_connection *connection)
{
	bool link_unread = false;

	if (connection && !session->transport_name[0]) /* nor whether it is to be believed */
		link_unread = connection->link_unread || connection->link != OISCSI_LINK_UNKNOWN;
	else if (connection)
		link_unread = connection->link_unread && session->transport->class_link;
	return session->state != OISCSI_FAILED && (session->unbinding_unread || link_unread);
}

static int open_file(struct root *root, struct root_file **ret, const char *class, const char *name,
	const char *attribute)
{
	char path[160];

	snprintf(path, sizeof(path), "/sys/class/%s/%s/%s", class, name, attribute);
	return root_file_open(root, path, ret);
}

static struct oiscsi_session *session_new(struct oiscsi *o, uint32_t sid)
{
	struct oiscsi_session *session = calloc(1, sizeof(*session));
	char name[32];

	if (!session)
		return NULL;
	session->sid = sid;
	session->first_poll = o->poll;
	session->transport = &unknown_transport;
	snprintf(name, sizeof(name), "session%u", sid);
	if (open_file(o->root, &session->state_file, "iscsi_session", name, "state") < 0 ||
		open_file(o->root, &session->target_state_file, "iscsi_session", name,
			"target_state") < 0) {
		session_free(session);
		return NULL;
	}
	return session;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The sids in a list of names, ascending, each once. */
static int list_sids(const struct buf *names, size_t count, uint32_t **ret, size_t *ret_count)
{
	uint32_t *sids = calloc(count + 1, sizeof(*sids));
	const char *name = names->data;
	size_t found = 0, kept = 0;

	if (!sids)
		return -ENOMEM;
	for (; count > 0; count--, name += strlen(name) + 1) {
		if (oiscsi_number_after(name, "session", &sids[found]))
			found++;
	}
	qsort(sids, found, sizeof(*sids), compare_numbers);
	for (size_t i = 0; i < found; i++) {
		if (!kept || sids[kept - 1] != sids[i])
			sids[kept++] = sids[i];
	}
	*ret = sids;
	*ret_count = kept;
	return 0;
}

/* True when the kernel cannot have unloaded its module since the last list: a socket holds it. */
static bool is_same_module(struct oiscsi *o)
{
	uint64_t before = o->opening;

	o->opening = o->listener->netlink ? o->listener->openings : 0;
	return before && o->opening == before;
}

/*
 * Puts `sessions` in the place of those before, frees the ones that are not among them.
 *
 * The kernel counts sids up and never gives one again, unless its module was unloaded meanwhile:
 * then a sid below those seen before belongs to a session that has nothing to do with the one
 * before it. Else the last list has missed it: names come in no order, while sessions begin and
 * end.
 */
static void sessions_replace(struct oiscsi *o, struct oiscsi_session **sessions, size_t count)
{
	bool may_begin_anew = !is_same_module(o) && o->poll > 1;
	size_t old = 0;

	for (size_t i = 0; i < count; i++) {
		while (old < o->session_count && o->sessions[old]->sid < sessions[i]->sid)
			session_free(o->sessions[old++]);
		if (old < o->session_count && o->sessions[old] == sessions[i])
			old++;
		else if (may_begin_anew && sessions[i]->sid < o->next_sid && !sessions[i]->epoch)
			sessions[i]->epoch = ++o->epochs;
	}
	while (old < o->session_count)
		session_free(o->sessions[old++]);
	free(o->sessions);
	o->sessions = sessions;
	o->session_count = count;
	if (count && sessions[count - 1]->sid >= o->next_sid)
		o->next_sid = sessions[count - 1]->sid + 1;
}

int oiscsi_sessions_merge(struct oiscsi *o, const struct buf *names, size_t count)
{
	CLEANUP_FREE uint32_t *sids = NULL;
	struct oiscsi_session **sessions;
	size_t sid_count, made = 0;
	int rc = list_sids(names, count, &sids, &sid_count);

	if (rc < 0)
		return rc;
	sessions = calloc(sid_count + 1, sizeof(struct oiscsi_session *));
	if (!sessions)
		return -ENOMEM;
	for (; made < sid_count; made++) {
		const struct oiscsi_session *before;

		sessions[made] = oiscsi_session_find(o, sids[made]);
		before = sessions[made];
		if (!before || before->gone)
			sessions[made] = session_new(o, sids[made]);
		if (!sessions[made])
			break;
		/* Whether the module may have been unloaded since the last list is beside the
		 * point: here the object of one session has gone, and there is another one. */
		if (before && before->gone)
			sessions[made]->epoch = ++o->epochs;
	}
	if (made < sid_count) {
		while (made-- > 0) {
			if (oiscsi_session_find(o, sids[made]) != sessions[made])
				session_free(sessions[made]);
		}
		free(sessions);
		return -ENOMEM;
	}
	sessions_replace(o, sessions, sid_count);
	return 0;
}

static struct oiscsi_connection *connection_find(struct oiscsi_session *session, uint32_t cid)
{
	for (size_t i = 0; i < session->connection_count; i++) {
		if (session->connections[i].cid == cid)
			return &session->connections[i];
	}
	return NULL;
}

static int connection_add(struct oiscsi *o, struct oiscsi_session *session, uint32_t cid)
{
	struct oiscsi_connection *grown, fresh = { .cid = cid, .poll = o->poll };
	size_t at = session->connection_count;
	char name[40];

	if (at == OISCSI_CONNECTION_MAX)
		return 0;
	snprintf(name, sizeof(name), "connection%u:%u", session->sid, cid);
	if (open_file(o->root, &fresh.state_file, "iscsi_connection", name, "state") < 0 ||
		open_file(o->root, &fresh.statsn_file, "iscsi_connection", name, "exp_statsn") <
			0 ||
		open_file(o->root, &fresh.local_port_file, "iscsi_connection", name, "local_port") <
			0) {
		connection_close(&fresh);
		return -ENOMEM;
	}
	grown = reallocarray(session->connections, at + 1, sizeof(*grown));
	if (!grown) {
		connection_close(&fresh);
		return -ENOMEM;
	}
	session->connections = grown;
	while (at > 0 && grown[at - 1].cid > cid) {
		grown[at] = grown[at - 1];
		at--;
	}
	grown[at] = fresh;
	session->connection_count++;
	session->current = false;
	session->half_known = true;
	return 0;
}

/* Those that the list had not. */
static void connections_sweep(struct oiscsi *o, struct oiscsi_session *session)
{
	size_t kept = 0;

	for (size_t i = 0; i < session->connection_count; i++) {
		if (session->connections[i].poll == o->poll)
			session->connections[kept++] = session->connections[i];
		else
			connection_close(&session->connections[i]);
	}
	session->connection_count = kept;
}

int oiscsi_connections_merge(struct oiscsi *o, const struct buf *names, size_t count)
{
	const char *name = names->data;

	for (; count > 0; count--, name += strlen(name) + 1) {
		struct oiscsi_connection *connection;
		struct oiscsi_session *session;
		uint32_t sid, cid;
		int rc;

		if (!oiscsi_connection_name(name, &sid, &cid))
			continue;
		session = oiscsi_session_find(o, sid);
		if (!session)
			continue;
		connection = connection_find(session, cid);
		if (connection) {
			connection->poll = o->poll;
			continue;
		}
		rc = connection_add(o, session, cid);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < o->session_count; i++)
		connections_sweep(o, o->sessions[i]);
	return 0;
}
