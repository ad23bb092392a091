/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session that an ACL shows, from poll to poll: whether it is the same, and what is kept of it.
 *
 * What of the group's parameters holds for a session is what they were when its connections logged
 * in; the kernel does not tell it. One that this reader finds in its first poll has those of now. A
 * session that came since the last poll has what is the same in both. One that the kernel had
 * hidden (a newer one by the same ACL has ended, its file could not be read, its ACL was made while
 * it was there) logged in at any time before: it has what never changed under this reader. A
 * connection that joins the session later takes away what is not the same then. One is seen to join
 * by its CID, by its address, or because the last poll did not see it: one of the same CID and
 * address that took another one's place since then is taken for that one.
 *
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

void lio_group_take_parameters(struct lio_group *group)
{
	if (!group->all_read)
		return;
	if (group->always_read)
		lio_parameters_intersect(&group->always, &group->parameters);
	else
		group->always = group->parameters;
	group->always_read = true;
}

/* That it came since the last poll is certain. */
static bool has_come(
	const struct lio_session *session, const struct lio_group *group, const struct lio_acl *acl)
{
	return group->polled && acl->was_told && session->info.sid > group->newest_sid;
}

/* What holds for a session that was not there in the last poll. */
static void take_group(
	struct lio_session *session, const struct lio_group *group, const struct lio_acl *acl)
{
	if (group->polled && !has_come(session, group, acl)) {
		session->group = group->always;
		return;
	}
	session->group = group->parameters;
	session->group_unread = !group->all_read || (group->polled && !group->before_read);
	/* What could not be read in the last poll tells of no change: the next one has it. */
	if (group->polled)
		lio_parameters_intersect(&session->group, &group->before);
}

/* True when one of the connections was not there in the last poll, as far as can be seen. */
static bool has_joined(
	const struct lio_session *old, const struct lio_connection *connections, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		bool is_new = true;

		for (size_t k = 0; k < old->connection_count; k++) {
			const struct lio_connection *other = &old->connections[k];

			is_new &= other->cid != connections[i].cid ||
				  (other->address_known && connections[i].address_known &&
					  !text_address_equal(
						  &other->address, &connections[i].address));
		}
		if (is_new)
			return true;
	}
	return false;
}

/* What holds for a session that was there, with the connections that it has now. */
static void keep_group(struct lio_session *session, const struct lio_group *group,
	const struct lio_connection *connections, size_t count)
{
	if (session->group_unread) {
		session->group = group->parameters;
		session->group_unread = !group->all_read;
	}
	if (has_joined(session, connections, count)) {
		lio_parameters_intersect(&session->group, &group->parameters);
		lio_parameters_intersect(&session->group, &group->before);
	}
}

static bool went_back(
	const struct lio_session *session, const struct opt_counter counters[LIO_SESSION_COUNTERS])
{
	for (int i = 0; i < LIO_SESSION_COUNTERS; i++)
		if (counters[i].known && counters[i].value < session->last[i])
			return true;
	return false;
}

/*
 * Counters of a kernel of 32 bits begin anew at 2^32. Of one session nothing else makes them go
 * back.
 */
static void take_counters(
	struct lio_session *session, const struct opt_counter counters[LIO_SESSION_COUNTERS])
{
	for (int i = 0; i < LIO_SESSION_COUNTERS; i++) {
		session->counters[i] = counters[i];
		if (!counters[i].known)
			continue;
		if (counters[i].value < session->last[i] && session->last[i] <= UINT32_MAX)
			session->carried[i] += UINT64_C(1) << 32;
		session->last[i] = counters[i].value;
		session->counters[i].value += session->carried[i];
	}
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
		acl->session = session;
		/* The same numbers with fewer commands, and nothing else to tell by: the group was
		 * made anew and counts again from 1. */
		group->life += back;
		session_free(old);
	} else {
		keep_group(session, group, connections, (size_t)count);
		free(session->connections);
	}
	session->info = *info;
	session->info.connections = NULL;
	session->info.connection_count = 0;
	session->connections = connections;
	session->connection_count = (size_t)count;
	take_counters(session, counters);
	if (other) {
		take_group(session, group, acl);
		session->was_unseen = !has_come(session, group, acl);
	}
	return other;
}
