/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source tgt knows of one tgtd. Called by tgt.c and tgt_read.c in the reader process of
 * the source. Must never do I/O, nor forget a session because a poll failed.
 */
#include "source/tgt_memory.h"

char *tgt_slice_copy(const struct tgt_slice *slice)
{
	char *copy = malloc(slice->length + 1);

	if (!copy)
		return NULL;
	if (slice->length)
		memcpy(copy, slice->at, slice->length);
	copy[slice->length] = 0;
	return copy;
}

static void session_free(struct tgt_session *session)
{
	if (!session)
		return;
	free(session->name);
	free(session->alias);
	free(session->connections);
	free(session);
}

static void target_clear(struct tgt_target *target)
{
	free(target->name);
	free(target->nexuses);
}

struct tgt_unit *tgt_unit_new(uint32_t control_port, const char *path)
{
	struct tgt_unit *unit;

	if (strlen(path) >= sizeof(unit->path))
		return NULL;
	unit = calloc(1, sizeof(*unit));
	if (!unit)
		return NULL;
	unit->control_port = control_port;
	memcpy(unit->path, path, strlen(path) + 1);
	unit->portals_text.limit = unit->targets_text.limit = unit->answer.limit = ROOT_ANSWER_MAX;
	unit->sessions = calloc(TGT_NEXUSES, sizeof(struct tgt_session *));
	unit->epochs = calloc(TGT_NEXUSES, sizeof(*unit->epochs));
	if (!unit->sessions || !unit->epochs) {
		tgt_unit_free(unit);
		return NULL;
	}
	return unit;
}

void tgt_unit_free(struct tgt_unit *unit)
{
	if (!unit)
		return;
	if (unit->sessions && unit->epochs)
		tgt_unit_forget(unit);
	free(unit->sessions);
	free(unit->epochs);
	free(unit->portals);
	buf_free(&unit->portals_text);
	buf_free(&unit->targets_text);
	buf_free(&unit->answer);
	free(unit);
}

void tgt_unit_forget(struct tgt_unit *unit)
{
	for (size_t i = 0; i < TGT_NEXUSES; i++)
		session_free(unit->sessions[i]);
	memset(unit->sessions, 0, TGT_NEXUSES * sizeof(struct tgt_session *));
	memset(unit->epochs, 0, TGT_NEXUSES * sizeof(*unit->epochs));
	for (size_t i = 0; i < unit->target_count; i++)
		target_clear(&unit->targets[i]);
	free(unit->targets);
	unit->targets = NULL;
	unit->target_count = 0;
}

static int compare_targets(const void *a, const void *b)
{
	const struct tgt_target *x = a, *y = b;

	return (x->tid > y->tid) - (x->tid < y->tid);
}

struct tgt_target *tgt_unit_target(const struct tgt_unit *unit, uint32_t tid)
{
	struct tgt_target key = { .tid = tid };

	return unit->target_count ? bsearch(&key, unit->targets, unit->target_count, sizeof(key),
					    compare_targets)
				  : NULL;
}

/* Headings as targets without anything else, by tid, each tid once. */
static size_t targets_of_headings(
	struct tgt_target *targets, const struct tgt_heading *headings, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		targets[i] = (struct tgt_target){ .tid = headings[i].tid };
	qsort(targets, count, sizeof(*targets), compare_targets);
	for (size_t i = 0; i < count; i++)
		if (!kept || targets[kept - 1].tid != targets[i].tid)
			targets[kept++] = targets[i];
	return kept;
}

int tgt_unit_merge(
	struct tgt_unit *unit, const struct tgt_heading *headings, size_t count, bool *ret_new)
{
	struct tgt_target *targets = count ? calloc(count, sizeof(*targets)) : NULL;
	bool any_new = false;

	if (count) {
		if (!targets)
			return -ENOMEM;
		count = targets_of_headings(targets, headings, count);
	}
	for (size_t i = 0; i < count; i++) {
		struct tgt_target *known = tgt_unit_target(unit, targets[i].tid);

		if (known) {
			targets[i] = *known;
			known->name = NULL;
			known->nexuses = NULL;
		} else {
			any_new = true;
		}
	}
	for (size_t i = 0; i < unit->target_count; i++)
		target_clear(&unit->targets[i]);
	free(unit->targets);
	unit->targets = targets;
	unit->target_count = count;
	*ret_new = any_new;
	return 0;
}

int tgt_target_add_nexus(struct tgt_target *target, uint16_t nexus)
{
	if (target->nexus_count == target->nexus_capacity) {
		size_t more = target->nexus_capacity ? 2 * target->nexus_capacity : 8;
		uint16_t *grown = reallocarray(target->nexuses, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		target->nexuses = grown;
		target->nexus_capacity = more;
	}
	target->nexuses[target->nexus_count++] = nexus;
	return 0;
}

/* From now on this is another session, with the connections as they are. */
static void session_restart(struct tgt_unit *unit, struct tgt_session *session)
{
	session->epoch = ++unit->epochs[session->nexus];
	free(session->name);
	free(session->alias);
	session->name = session->alias = NULL;
	session->rejoined = session->cid_twice = false;
	memset(&session->parameters, 0, sizeof(session->parameters));
	session->gone_rx = session->gone_tx = 0;
	session->gone_commands = session->gone_responses = 0;
	for (size_t i = 0; i < session->connection_count; i++) {
		struct tgt_counters last = session->connections[i].last;

		session->connections[i] = (struct tgt_connection){
			.cid = last.cid,
			.last = last,
			.command_pdus = last.command_pdus,
			.response_pdus = last.response_pdus,
		};
	}
}

struct tgt_session *tgt_session_get(
	struct tgt_unit *unit, const struct tgt_target *target, uint16_t nexus)
{
	struct tgt_session *session = unit->sessions[nexus];

	if (!session) {
		session = calloc(1, sizeof(*session));
		if (!session)
			return NULL;
		session->nexus = nexus;
		session->epoch = unit->epochs[nexus];
		session->tid = target->tid;
		session->parameters = target->stable;
		unit->sessions[nexus] = session;
	} else if (session->tid != target->tid) {
		session_restart(unit, session);
		session->tid = target->tid;
		session->parameters = target->stable;
	}
	session->poll = unit->poll;
	return session;
}

static struct tgt_connection *connection_find(struct tgt_session *session, uint32_t cid)
{
	for (size_t i = 0; i < session->connection_count; i++)
		if (session->connections[i].cid == cid)
			return &session->connections[i];
	return NULL;
}

static bool went_back(const struct tgt_connection *connection, const struct tgt_counters *now)
{
	return now->rx_octets < connection->last.rx_octets ||
	       now->tx_octets < connection->last.tx_octets;
}

/* The counters of a connection that has ended stay in the sums of its session. */
static void connection_gone(struct tgt_session *session, const struct tgt_connection *connection)
{
	session->gone_rx += connection->last.rx_octets;
	session->gone_tx += connection->last.tx_octets;
	session->gone_commands += connection->command_pdus;
	session->gone_responses += connection->response_pdus;
	session->rejoined = true;
}

static void connection_advance(struct tgt_connection *connection, const struct tgt_counters *now)
{
	/* What still receives has a socket: it was another one, or the table had missed it. */
	if (now->rx_octets != connection->last.rx_octets)
		connection->ends.is_lost = false;
	/* The difference modulo 2^32 is right over one wrap. */
	connection->command_pdus += (uint32_t)(now->command_pdus - connection->last.command_pdus);
	connection->response_pdus +=
		(uint32_t)(now->response_pdus - connection->last.response_pdus);
	connection->last = *now;
}

static int compare_connections(const void *a, const void *b)
{
	const struct tgt_connection *x = a, *y = b;

	return (x->cid > y->cid) - (x->cid < y->cid);
}

/* Sorts by cid and leaves out those with a cid that came before. */
static size_t connections_sort(struct tgt_connection *connections, size_t count)
{
	size_t kept = 0;

	qsort(connections, count, sizeof(*connections), compare_connections);
	for (size_t i = 0; i < count; i++)
		if (!kept || connections[kept - 1].cid != connections[i].cid)
			connections[kept++] = connections[i];
	return kept;
}

int tgt_session_count(struct tgt_unit *unit, struct tgt_session *session,
	const struct tgt_counters *lines, size_t count)
{
	struct tgt_connection *fresh = count ? calloc(count, sizeof(*fresh)) : NULL;
	size_t fresh_count = 0, known_count = session->connections ? session->connection_count : 0;
	bool other = false;

	if (count && !fresh)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		fresh[i].cid = lines[i].cid;
		fresh[i].last = lines[i];
		fresh[i].command_pdus = lines[i].command_pdus;
		fresh[i].response_pdus = lines[i].response_pdus;
	}
	if (fresh)
		fresh_count = connections_sort(fresh, count);
	/* Two connections with one cid cannot be told apart from poll to poll. */
	if (fresh_count != count)
		session->cid_twice = true;
	for (size_t i = 0; i < known_count; i++)
		session->connections[i].listed = false;
	for (size_t i = 0; i < fresh_count; i++) {
		struct tgt_connection *known = connection_find(session, fresh[i].cid);
		struct tgt_counters now = fresh[i].last;

		if (known && !went_back(known, &now)) {
			known->listed = true;
			connection_advance(known, &now);
			fresh[i] = *known;
		} else if (known && session->connections_now == 1 && count == 1) {
			other = true;
		} else if (known_count) {
			session->rejoined = true;
		}
	}
	for (size_t i = 0; i < known_count; i++)
		if (!session->connections[i].listed)
			connection_gone(session, &session->connections[i]);
	free(session->connections);
	session->connections = fresh;
	session->connection_count = fresh_count;
	session->connections_now = (uint32_t)count;
	if (other)
		session_restart(unit, session);
	return 0;
}

int tgt_session_learn(
	struct tgt_unit *unit, struct tgt_session *session, const struct tgt_record *record)
{
	struct tgt_connection *connection;
	struct text_address address;

	if (session->name &&
		(strlen(session->name) != record->name.length ||
			memcmp(session->name, record->name.at, record->name.length) != 0))
		session_restart(unit, session);
	if (!session->name) {
		session->name = tgt_slice_copy(&record->name);
		if (!session->name)
			return -ENOMEM;
	}
	connection = connection_find(session, record->cid);
	if (!connection)
		return 0;
	connection->closed = !record->address.length && !record->rdma && !connection->rdma;
	/* An address that is not there now is one that tgtd cannot ask for any more: keep it. */
	if (tgt_slice_address(&record->address, &address) < 0)
		return 0;
	if (connection->address_known && !text_address_equal(&connection->address, &address))
		connection->ends = (struct socket_ends){ .candidates = 0 };
	connection->address = address;
	connection->address_known = true;
	connection->rdma = record->rdma;
	return 0;
}

void tgt_unit_sweep(struct tgt_unit *unit)
{
	for (size_t i = 0; i < TGT_NEXUSES; i++) {
		if (!unit->sessions[i] || unit->sessions[i]->poll == unit->poll)
			continue;
		session_free(unit->sessions[i]);
		unit->sessions[i] = NULL;
		unit->epochs[i]++;
	}
}
