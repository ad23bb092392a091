/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session that an ACL shows, from poll to poll: whether it is the same, and what is kept of it.
 * Called by lio_read_session.c and lio_memory.c in the reader process of the source. Must never do
 * I/O.
 */
#include "source/lio_memory.h"

static void session_free(struct lio_session *session)
{
	if (!session)
		return;
	free(session->connections);
	free(session);
}

void lio_acl_drop_session(struct lio_acl *acl)
{
	session_free(acl->session);
	acl->session = NULL;
}

static int compare_connections(const void *a, const void *b)
{
	const struct lio_connection *x = a, *y = b;

	return (x->cid > y->cid) - (x->cid < y->cid);
}

/*
 * The connections of this poll, each CID once (the kernel adds at the end, so the later one is the
 * newer), with the sockets of those that are still there. *ret is freed by the caller; NULL when
 * there are none. Returns their number or -ENOMEM.
 */
static ssize_t new_connections(
	const struct lio_info *info, const struct lio_session *old, struct lio_connection **ret)
{
	struct lio_connection *connections;
	size_t count = 0;

	*ret = NULL;
	if (!info->connection_count)
		return 0;
	connections = calloc(info->connection_count, sizeof(*connections));
	if (!connections)
		return -ENOMEM;
	for (size_t i = 0; i < info->connection_count; i++) {
		const struct lio_info_connection *from = &info->connections[i];
		struct lio_connection *to = NULL;

		if (from->state == LIO_CONNECTION_FREE)
			continue;
		for (size_t k = 0; k < count && !to; k++)
			if (connections[k].cid == from->cid)
				to = &connections[k];
		if (!to)
			to = &connections[count++];
		*to = (struct lio_connection){ .cid = from->cid };
		for (size_t k = 0; old && k < old->connection_count; k++)
			if (old->connections[k].cid == from->cid && from->address_known &&
				old->connections[k].address_known &&
				text_address_equal(&old->connections[k].address, &from->address))
				*to = old->connections[k];
		to->state = from->state;
		to->is_tcp = from->is_tcp;
		to->address_known = from->address_known;
		to->address = from->address;
	}
	qsort(connections, count, sizeof(*connections), compare_connections);
	*ret = connections;
	return (ssize_t)count;
}

static bool went_back(
	const struct lio_session *session, const struct opt_counter counters[LIO_SESSION_COUNTERS])
{
	for (int i = 0; i < LIO_SESSION_COUNTERS; i++)
		if (session->counters[i].known && counters[i].known &&
			counters[i].value < session->counters[i].value)
			return true;
	return false;
}

int lio_acl_take_session(struct lio_group *group, struct lio_acl *acl, const struct lio_info *info,
	const struct opt_counter counters[LIO_SESSION_COUNTERS])
{
	struct lio_session *old = acl->session, *session = old;
	bool same = old && lio_info_same(&old->info, info);
	bool back = same && !group->object && went_back(old, counters);
	bool other = !same || back;
	struct lio_connection *connections;
	ssize_t count = new_connections(info, other ? NULL : old, &connections);

	if (count < 0)
		return (int)count;
	if (other) {
		session = calloc(1, sizeof(*session));
		if (!session) {
			free(connections);
			return -ENOMEM;
		}
		session->group = group->parameters;
		session->group_unread = !group->all_read || (group->polled && !group->before_read);
		/* It logged in before or after a change between the polls. What could not be read
		 * in the last one tells of no change: the next poll has it. */
		if (group->polled)
			lio_parameters_intersect(&session->group, &group->before);
		acl->session = session;
		/* The same numbers with fewer commands, and nothing else to tell by: the group was
		 * made anew and counts again from 1. */
		group->life += back;
		session_free(old);
	} else {
		free(session->connections);
		if (session->group_unread) {
			session->group = group->parameters;
			session->group_unread = !group->all_read;
		}
	}
	session->info = *info;
	session->info.connections = NULL;
	session->info.connection_count = 0;
	session->connections = connections;
	session->connection_count = (size_t)count;
	memcpy(session->counters, counters, sizeof(session->counters));
	return other;
}
