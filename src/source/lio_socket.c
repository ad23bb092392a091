/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections and portals of LIO, for socket_match.c. Called by lio.c in the reader process of
 * the source.
 */
#include "source/lio_socket.h"

/* Room for all of them, and how much of it is used. */
struct gathering {
	struct socket_seeker *seekers;
	size_t seeker_count;
	struct socket_portal *portals;
	size_t portal_count;
};

/* Counts, or gathers when there is room: the portals of a group, one after the other. */
static void gather_portals(const struct lio_group *group, struct gathering *all)
{
	for (size_t i = 0; i < group->portal_count; i++) {
		const struct lio_portal *portal = &group->portals[i];

		if (!portal->exists)
			continue;
		if (all->portals)
			all->portals[all->portal_count] = (struct socket_portal){
				.address_known = portal->endpoint_known,
				.address = portal->address,
				.port = portal->endpoint_known ? portal->port : 0,
			};
		all->portal_count++;
	}
}

static void gather_connections(struct lio_session *session, const struct socket_portal *portals,
	size_t portal_count, struct gathering *all)
{
	for (size_t i = 0; i < session->connection_count; i++) {
		struct lio_connection *connection = &session->connections[i];
		bool sought = connection->is_tcp && connection->address_known;

		if (all->seekers)
			all->seekers[all->seeker_count] = (struct socket_seeker){
				.remote = sought ? &connection->address : NULL,
				.portals = portals,
				.portal_count = portal_count,
				.ends = &connection->ends,
			};
		all->seeker_count++;
	}
}

static void gather(struct lio_memory *memory, struct gathering *all)
{
	for (size_t t = 0; t < memory->target_count; t++) {
		struct lio_target *target = &memory->targets[t];

		for (size_t g = 0; target->exists && g < target->group_count; g++) {
			struct lio_group *group = &target->groups[g];
			size_t first = all->portal_count;

			if (!group->exists)
				continue;
			gather_portals(group, all);
			for (size_t a = 0; a < group->acl_count; a++)
				if (group->acls[a].exists && group->acls[a].session)
					gather_connections(group->acls[a].session,
						all->portals ? all->portals + first : NULL,
						all->portal_count - first, all);
		}
	}
}

int lio_sockets_match(
	struct lio_memory *memory, const struct root_tcp_socket *sockets, size_t count)
{
	struct gathering all = { .seekers = NULL };
	int rc = -ENOMEM;

	gather(memory, &all);
	all.seekers = calloc(all.seeker_count + 1, sizeof(*all.seekers));
	all.portals = calloc(all.portal_count + 1, sizeof(*all.portals));
	if (all.seekers && all.portals) {
		all.seeker_count = all.portal_count = 0;
		gather(memory, &all);
		rc = sockets_match(all.seekers, all.seeker_count, sockets, count);
	}
	free(all.seekers);
	free(all.portals);
	return rc;
}
