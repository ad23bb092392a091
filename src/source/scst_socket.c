/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of SCST, whose addresses are both known, for socket_match.c. Called by scst.c in
 * the reader process of the source.
 */
#include "source/scst_session.h"

#include "source/socket_match.h"

struct end {
	struct text_address remote, local;
	struct socket_ends ends;
};

static bool take_address(const struct opt_addr *field, struct text_address *ret)
{
	ret->type = field->type;
	ret->length = field->length;
	memcpy(ret->octets, field->octets, sizeof(ret->octets));
	return field->known;
}

/* No port is guessed: without a socket the one where the daemon listens need not be this one's. */
static void set_ports(struct connection *connection, uint16_t port, const struct socket_ends *ends)
{
	if (ends->candidates)
		OPT_SET(connection->local_port, port);
	if (ends->is_certain && ends->remote_port)
		OPT_SET(connection->remote_port, ends->remote_port);
}

int scst_sockets_match(
	struct builder *b, uint16_t port, const struct root_tcp_socket *sockets, size_t count)
{
	uint32_t connections = builder_count(b, OBJECT_CONNECTION);
	CLEANUP_FREE struct end *ends = calloc((size_t)connections + 1, sizeof(*ends));
	CLEANUP_FREE struct socket_seeker *seekers =
		calloc((size_t)connections + 1, sizeof(*seekers));
	struct socket_portal portal = { .address_known = true, .port = port };
	int rc;

	if (!ends || !seekers)
		return -ENOMEM;
	for (uint32_t i = 0; i < connections; i++) {
		const struct connection *connection = builder_connection_at(b, i);
		bool local = take_address(&connection->local_address, &ends[i].local);
		bool remote = take_address(&connection->remote_address, &ends[i].remote);

		seekers[i] = (struct socket_seeker){
			.remote = local && remote ? &ends[i].remote : NULL,
			.local = &ends[i].local,
			.portals = &portal,
			.portal_count = 1,
			.ends = &ends[i].ends,
		};
	}
	text_address_from_ipv4(&portal.address, "\0\0\0\0");
	rc = sockets_match(seekers, connections, sockets, count);
	for (uint32_t i = 0; i < connections && rc == 0; i++)
		set_ports(builder_connection_at(b, i), port, &ends[i].ends);
	return rc;
}
