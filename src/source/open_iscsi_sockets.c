/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local ends from the table of TCP sockets, for connections of the kernel's own TCP on kernels that
 * do not show them. Called by open_iscsi.c in the reader process after the sessions were read. Must
 * not guess: where two sockets could be the connection, only what both say is certain.
 */
#include "source/open_iscsi_read.h"

#include "base/clock.h"

/* Connected, with its remote end known, and the local one not but from here. */
static bool needs_match(
	const struct oiscsi_session *session, const struct oiscsi_connection *connection)
{
	return session->transport->kernel_tcp && session->state == OISCSI_LOGGED_IN &&
	       connection->remote.type && connection->remote_port.known &&
	       (!connection->local.type || connection->local_matched ||
		       !connection->local_port.known || connection->port_matched);
}

static bool anybody_needs_match(const struct oiscsi *o)
{
	for (size_t i = 0; i < o->session_count; i++) {
		for (size_t j = 0; j < o->sessions[i]->connection_count; j++) {
			if (needs_match(o->sessions[i], &o->sessions[i]->connections[j]))
				return true;
		}
	}
	return false;
}

static void match(
	struct oiscsi_connection *connection, const struct root_tcp_socket *sockets, size_t count)
{
	const struct root_tcp_socket *found = NULL;
	bool one_address = true, one_port = true;

	if (connection->local_matched)
		memset(&connection->local, 0, sizeof(connection->local));
	if (connection->port_matched)
		connection->local_port.known = 0;
	for (size_t i = 0; i < count; i++) {
		const struct root_tcp_socket *socket = &sockets[i];

		if (socket->remote_port != connection->remote_port.value ||
			!text_address_equal(&socket->remote, &connection->remote) ||
			(connection->local.type &&
				!text_address_equal(&socket->local, &connection->local)) ||
			(connection->local_port.known &&
				socket->local_port != connection->local_port.value))
			continue;
		if (found) {
			one_address &= text_address_equal(&socket->local, &found->local);
			one_port = false;
		}
		found = socket;
	}
	if (!found)
		return;
	if (!connection->local.type && one_address) {
		connection->local = found->local;
		connection->local_matched = true;
	}
	if (!connection->local_port.known && one_port) {
		OPT_SET(connection->local_port, found->local_port);
		connection->port_matched = true;
	}
}

int oiscsi_sockets_match(struct oiscsi *o, uint64_t deadline_ns)
{
	CLEANUP_FREE struct root_tcp_socket *sockets = NULL;
	ssize_t count;

	if (!anybody_needs_match(o))
		return 0;
	count = root_tcp_sockets(o->root, deadline_ns, &sockets);
	if (count < 0)
		return count == -ENOMEM ? -ENOMEM : 0;
	for (size_t i = 0; i < o->session_count; i++) {
		struct oiscsi_session *session = o->sessions[i];

		if (clock_now_ns() >= deadline_ns)
			return -ETIMEDOUT;
		for (size_t j = 0; j < session->connection_count; j++) {
			if (needs_match(session, &session->connections[j]))
				match(&session->connections[j], sockets, (size_t)count);
		}
	}
	return 0;
}
