/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the TCP sockets of LIO's connections. Called by lio.c in the reader process of the source.
 * Must never guess: see lio_socket.h.
 */
#include "source/lio_socket.h"

/* A socket, and how many connections could be it. */
struct candidate {
	const struct root_tcp_socket *socket;
	uint32_t claims;
};

/* By address without zone: what text_address_equal holds for equal is next to each other. */
static int compare_addresses(const struct text_address *a, const struct text_address *b)
{
	size_t a_length = a->length > 16 ? 16 : a->length;
	size_t b_length = b->length > 16 ? 16 : b->length;

	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a->octets, b->octets, a_length);
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return compare_addresses(&x->socket->remote, &y->socket->remote);
}

/* The sockets of one remote address: sets *ret_count, returns the first. */
static struct candidate *find_candidates(
	struct candidate *all, size_t count, const struct text_address *address, size_t *ret_count)
{
	size_t low = 0, high = count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_addresses(&all[middle].socket->remote, address) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < count && compare_addresses(&all[end].socket->remote, address) == 0;
		end++)
		;
	*ret_count = end - low;
	return all + low;
}

static bool is_of_group(const struct lio_group *group, const struct root_tcp_socket *socket)
{
	for (size_t i = 0; i < group->portal_count; i++) {
		const struct lio_portal *portal = &group->portals[i];

		if (portal->exists && portal->endpoint_known &&
			portal->port == socket->local_port &&
			(text_address_is_wildcard(&portal->address) ||
				text_address_equal(&portal->address, &socket->local)))
			return true;
	}
	return false;
}

static bool is_same_socket(
	const struct lio_connection *connection, const struct root_tcp_socket *socket)
{
	return connection->local_port == socket->local_port &&
	       connection->remote_port == socket->remote_port &&
	       text_address_equal(&connection->local_address, &socket->local);
}

static void take_socket(struct lio_connection *connection, const struct root_tcp_socket *socket)
{
	connection->address = socket->remote; /* with its zone */
	connection->local_address = socket->local;
	connection->local_address_known = true;
	connection->local_port = socket->local_port;
	connection->remote_port = socket->remote_port;
	connection->socket_known = true;
}

static void forget_socket(struct lio_connection *connection)
{
	connection->local_address_known = connection->socket_known = false;
	connection->local_port = connection->remote_port = 0;
}

/* What follows from the portals alone. */
static void take_portal(const struct lio_group *group, struct lio_connection *connection)
{
	const struct lio_portal *first = NULL;
	bool same_port = true, same_address = true;

	for (size_t i = 0; i < group->portal_count; i++) {
		const struct lio_portal *portal = &group->portals[i];

		if (!portal->exists)
			continue;
		if (!portal->endpoint_known)
			return;
		if (!first)
			first = portal;
		same_port &= portal->port == first->port;
		same_address &= text_address_equal(&portal->address, &first->address);
	}
	if (!first)
		return;
	if (same_port)
		connection->local_port = first->port;
	if (same_address && !text_address_is_wildcard(&first->address)) {
		connection->local_address = first->address;
		connection->local_address_known = true;
	}
}

/* What its candidates have in common at this end. */
static void take_common(struct lio_connection *connection, const struct lio_group *group,
	const struct candidate *candidates, size_t count)
{
	const struct root_tcp_socket *first = NULL;
	bool same_address = true, same_port = true;

	for (size_t i = 0; i < count; i++) {
		const struct root_tcp_socket *socket = candidates[i].socket;

		if (!is_of_group(group, socket))
			continue;
		if (!first)
			first = socket;
		same_address &= text_address_equal(&socket->local, &first->local);
		same_port &= socket->local_port == first->local_port;
	}
	if (first && same_address) {
		connection->local_address = first->local;
		connection->local_address_known = true;
	}
	if (first && same_port)
		connection->local_port = first->local_port;
}

typedef void connection_fn(const struct lio_group *group, struct lio_connection *connection,
	struct candidate *candidates, size_t count);

/* Counts for each socket the connections that could be it. */
static void claim(const struct lio_group *group, struct lio_connection *connection,
	struct candidate *candidates, size_t count)
{
	(void)connection;
	for (size_t i = 0; i < count; i++)
		candidates[i].claims += is_of_group(group, candidates[i].socket);
}

static void settle(const struct lio_group *group, struct lio_connection *connection,
	struct candidate *candidates, size_t count)
{
	const struct candidate *only = NULL;
	size_t own = 0;

	for (size_t i = 0; i < count; i++) {
		if (!is_of_group(group, candidates[i].socket))
			continue;
		if (connection->socket_known && is_same_socket(connection, candidates[i].socket)) {
			take_socket(connection, candidates[i].socket);
			return;
		}
		only = &candidates[i];
		own++;
	}
	forget_socket(connection);
	if (!own)
		take_portal(group, connection);
	else if (own == 1 && only->claims == 1)
		take_socket(connection, only->socket);
	else
		take_common(connection, group, candidates, count);
}

static void each_connection(
	struct lio_memory *memory, struct candidate *all, size_t count, connection_fn *function)
{
	for (size_t t = 0; t < memory->target_count; t++) {
		struct lio_target *target = &memory->targets[t];

		for (size_t g = 0; target->exists && g < target->group_count; g++) {
			struct lio_group *group = &target->groups[g];

			for (size_t a = 0; group->exists && a < group->acl_count; a++) {
				struct lio_session *session = group->acls[a].session;

				if (!group->acls[a].exists || !session)
					continue;
				for (size_t c = 0; c < session->connection_count; c++) {
					struct lio_connection *connection =
						&session->connections[c];
					size_t own = 0;
					struct candidate *first = all;

					if (connection->is_tcp && connection->address_known)
						first = find_candidates(
							all, count, &connection->address, &own);
					function(group, connection, first, own);
				}
			}
		}
	}
}

int lio_sockets_match(
	struct lio_memory *memory, const struct root_tcp_socket *sockets, size_t count)
{
	CLEANUP_FREE struct candidate *all = calloc(count + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		all[i].socket = &sockets[i];
	qsort(all, count, sizeof(*all), compare_candidates);
	each_connection(memory, all, count, claim);
	each_connection(memory, all, count, settle);
	return 0;
}
