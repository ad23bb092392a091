/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections and portals of a tgtd, for socket_match.c. Called by tgt.c in the reader process
 * of the source.
 */
#include "source/tgt_socket.h"

/* Their number; fills in `seekers` when that is not NULL. */
static size_t gather_connections(const struct tgt_unit *unit, const struct socket_portal *portals,
	struct socket_seeker *seekers)
{
	size_t count = 0;

	for (size_t i = 0; i < TGT_NEXUSES; i++) {
		struct tgt_session *session = unit->sessions[i];

		for (size_t k = 0; session && k < session->connection_count; k++) {
			struct tgt_connection *connection = &session->connections[k];

			/* Over RDMA, or perhaps: neither sockets nor these portals. One that is
			 * closed has none, and takes none from the others. */
			if (!connection->address_known || connection->rdma || connection->closed) {
				connection->ends = (struct socket_ends){ .candidates = 0 };
				continue;
			}
			if (seekers)
				seekers[count] = (struct socket_seeker){
					.remote = &connection->address,
					.portals = portals,
					.portal_count = unit->portal_count,
					.ends = &connection->ends,
					.has_one_socket = true,
				};
			count++;
		}
	}
	return count;
}

int tgt_sockets_match(struct tgt_unit *unit, const struct root_tcp_socket *sockets, size_t count)
{
	CLEANUP_FREE struct socket_portal *portals =
		calloc(unit->portal_count + 1, sizeof(*portals));
	CLEANUP_FREE struct socket_seeker *seekers =
		calloc(gather_connections(unit, NULL, NULL) + 1, sizeof(*seekers));

	if (!portals || !seekers)
		return -ENOMEM;
	for (size_t i = 0; i < unit->portal_count; i++)
		portals[i] = (struct socket_portal){
			.address_known = unit->portals[i].address_known,
			.address = unit->portals[i].address,
			.port = unit->portals[i].port,
		};
	return sockets_match(seekers, gather_connections(unit, portals, seekers), sockets, count);
}
