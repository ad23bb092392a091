/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the TCP sockets of tgtd's connections. Called by tgt.c in the reader process of the
 * source. Must never guess: see tgt_socket.h.
 */
#include "source/tgt_socket.h"

/* By address without zone: what text_address_equal holds for equal is next to each other. */
static int compare_addresses(const struct text_address *a, const struct text_address *b)
{
	size_t a_length = a->length > 16 ? 16 : a->length;
	size_t b_length = b->length > 16 ? 16 : b->length;

	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a->octets, b->octets, a_length);
}

static int compare_connections(const void *a, const void *b)
{
	struct tgt_connection *const *x = a, *const *y = b;

	return compare_addresses(&(*x)->address, &(*y)->address);
}

static int compare_sockets(const void *a, const void *b)
{
	const struct root_tcp_socket *const *x = a, *const *y = b;

	return compare_addresses(&(*x)->remote, &(*y)->remote);
}

static bool is_of_portal(const struct tgt_unit *unit, const struct root_tcp_socket *socket)
{
	for (size_t i = 0; i < unit->portal_count; i++) {
		const struct tgt_portal *portal = &unit->portals[i];

		if (portal->port == socket->local_port && portal->address_known &&
			(text_address_is_wildcard(&portal->address) ||
				text_address_equal(&portal->address, &socket->local)))
			return true;
	}
	return false;
}

static bool is_same_socket(
	const struct tgt_connection *connection, const struct root_tcp_socket *socket)
{
	return connection->local_port == socket->local_port &&
	       connection->remote_port == socket->remote_port &&
	       text_address_equal(&connection->local_address, &socket->local);
}

static void take_socket(struct tgt_connection *connection, const struct root_tcp_socket *socket)
{
	connection->local_address = socket->local;
	connection->local_address_known = true;
	connection->local_port = socket->local_port;
	connection->remote_port = socket->remote_port;
	connection->socket_known = true;
}

/* What all sockets of one remote address have in common at this end. */
static void take_common(struct tgt_connection *connection,
	const struct root_tcp_socket *const *sockets, size_t count)
{
	bool same_address = true, same_port = true;

	for (size_t i = 1; i < count; i++) {
		same_address &= text_address_equal(&sockets[i]->local, &sockets[0]->local);
		same_port &= sockets[i]->local_port == sockets[0]->local_port;
	}
	if (same_address) {
		connection->local_address = sockets[0]->local;
		connection->local_address_known = true;
	}
	if (same_port)
		connection->local_port = sockets[0]->local_port;
}

static void forget_socket(struct tgt_connection *connection)
{
	connection->local_address_known = connection->socket_known = false;
	connection->local_port = connection->remote_port = 0;
}

/* What follows from the portals alone. */
static void take_portal(const struct tgt_unit *unit, struct tgt_connection *connection)
{
	const struct tgt_portal *first = unit->portals;
	bool same_port = unit->portal_count > 0;

	forget_socket(connection);
	for (size_t i = 1; i < unit->portal_count; i++)
		same_port &= unit->portals[i].port == first->port;
	if (same_port)
		connection->local_port = first->port;
	if (unit->portal_count == 1 && first->address_known &&
		!text_address_is_wildcard(&first->address)) {
		connection->local_address = first->address;
		connection->local_address_known = true;
	}
}

/* The connections and the sockets of one remote address. */
static void match_group(const struct tgt_unit *unit, struct tgt_connection *const *connections,
	size_t connection_count, const struct root_tcp_socket *const *sockets, size_t socket_count)
{
	for (size_t i = 0; i < connection_count; i++) {
		struct tgt_connection *connection = connections[i];
		bool still = false;

		for (size_t k = 0; k < socket_count && connection->socket_known && !still; k++)
			still = is_same_socket(connection, sockets[k]);
		if (still)
			continue;
		take_portal(unit, connection);
		/* With fewer sockets than connections these are not all of them, or not tgtd's. */
		if (socket_count < connection_count || !socket_count)
			continue;
		if (socket_count == 1)
			take_socket(connection, sockets[0]);
		else
			take_common(connection, sockets, socket_count);
	}
}

static size_t gather_connections(const struct tgt_unit *unit, struct tgt_connection **ret)
{
	size_t count = 0;

	for (size_t i = 0; i < TGT_NEXUSES; i++) {
		struct tgt_session *session = unit->sessions[i];

		for (size_t k = 0; session && k < session->connection_count; k++) {
			struct tgt_connection *connection = &session->connections[k];

			/* Over RDMA, or perhaps: neither sockets nor these portals. */
			if (!connection->address_known || connection->rdma) {
				forget_socket(connection);
				continue;
			}
			if (ret)
				ret[count] = connection;
			count++;
		}
	}
	return count;
}

/* The work of tgt_sockets_match, with room for all connections and sockets. */
static void match_all(struct tgt_unit *unit, const struct root_tcp_socket *sockets, size_t count,
	struct tgt_connection **connections, const struct root_tcp_socket **own)
{
	size_t connection_count = gather_connections(unit, connections), socket_count = 0;

	for (size_t i = 0; i < count; i++)
		if (is_of_portal(unit, &sockets[i]))
			own[socket_count++] = &sockets[i];
	qsort(connections, connection_count, sizeof(struct tgt_connection *), compare_connections);
	qsort(own, socket_count, sizeof(const struct root_tcp_socket *), compare_sockets);
	for (size_t i = 0, s = 0, n, m; i < connection_count; i += n, s += m) {
		const struct text_address *address = &connections[i]->address;

		for (n = 1; i + n < connection_count &&
			    !compare_addresses(&connections[i + n]->address, address);
			n++)
			;
		while (s < socket_count && compare_addresses(&own[s]->remote, address) < 0)
			s++;
		for (m = 0;
			s + m < socket_count && !compare_addresses(&own[s + m]->remote, address);
			m++)
			;
		match_group(unit, &connections[i], n, &own[s], m);
	}
}

int tgt_sockets_match(struct tgt_unit *unit, const struct root_tcp_socket *sockets, size_t count)
{
	struct tgt_connection **connections =
		calloc(gather_connections(unit, NULL) + 1, sizeof(struct tgt_connection *));
	const struct root_tcp_socket **own =
		calloc(count + 1, sizeof(const struct root_tcp_socket *));
	int rc = connections && own ? 0 : -ENOMEM;

	if (rc == 0)
		match_all(unit, sockets, count, connections, own);
	free(connections);
	free(own);
	return rc;
}
