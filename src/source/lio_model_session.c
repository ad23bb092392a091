/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sessions and connections of one LIO target. Called by lio_model.c in the reader process of
 * the source. Must set nothing that the kernel did not say or that does not follow from how LIO
 * works.
 */
#include "source/lio_model_private.h"

#include "model/session_state.h"

#include <inttypes.h>

enum { DIRECTION_INBOUND = 1 };
enum { TYPE_NORMAL = 1, TYPE_DISCOVERY };
enum { STATE_LOGIN = 1, STATE_FULL, STATE_LOGOUT };
enum { DIGEST_NONE = 1 };
#define TASK_REPORTING_RFC3720 0x80
#define PROTOCOL_LEVEL_RFC7143 1

static void set_negotiated(struct session *session, const struct lio_parameters *p)
{
	session->initial_r2t = p->initial_r2t;
	session->immediate_data = p->immediate_data;
	session->max_outstanding_r2t = p->max_outstanding_r2t;
	session->first_burst_length = p->first_burst_length;
	session->max_burst_length = p->max_burst_length;
	session->data_sequence_in_order = p->data_sequence_in_order;
	session->data_pdu_in_order = p->data_pdu_in_order;
	session->error_recovery_level = p->error_recovery_level;
	session->negotiated_max_connections = p->max_connections;
	session->negotiated_time2wait = p->default_time2wait;
	session->negotiated_time2retain = p->default_time2retain;
}

/* LIO knows neither key: what a session without them has (RFC 7144, RFC 7143 13.23). */
static void set_constants(struct session *session)
{
	OPT_SET(session->protocol_level, PROTOCOL_LEVEL_RFC7143);
	OPT_SET(session->task_reporting, TASK_REPORTING_RFC3720);
}

static void set_counters(struct session *session, const struct lio_session *from)
{
	session->command_pdus = from->counters[LIO_COMMAND_PDUS];
	session->response_pdus = from->counters[LIO_RESPONSE_PDUS];
	session->tx_octets = from->counters[LIO_TX_OCTETS];
	session->rx_octets = from->counters[LIO_RX_OCTETS];
	session->connection_digest_errors = from->counters[LIO_DIGEST_ERRORS];
	session->connection_timeouts = from->counters[LIO_TIMEOUT_ERRORS];
}

#define ERA_MAX 32

/* The group that counts the sessions, among all that had its name. */
static void era_of(
	char out[ERA_MAX], const struct lio_target *target, const struct lio_group *group)
{
	if (group->object)
		snprintf(out, ERA_MAX, "object %" PRIu64, group->object);
	else
		snprintf(out, ERA_MAX, "life %u.%u", target->life, group->life);
}

static void set_key(struct builder *b, struct session *session, const struct lio_target *target,
	const struct lio_group *group, const struct lio_acl *acl)
{
	const struct lio_info *info = &acl->session->info;
	char era[ERA_MAX];

	era_of(era, target, group);
	builder_printf(b, &session->key,
		"%s/tpgt_%u/acls/%s/session %u isid %02x%02x%02x%02x%02x%02x tsih %u %s",
		target->name, group->tag, acl->name, info->sid, info->isid[0], info->isid[1],
		info->isid[2], info->isid[3], info->isid[4], info->isid[5], info->tsih, era);
}

static int add_session(struct builder *b, const struct lio_target *target,
	const struct lio_group *group, const struct lio_acl *acl, struct session *session)
{
	const struct lio_session *from = acl->session;
	const struct lio_info *info = &from->info;

	set_key(b, session, target, group, acl);
	OPT_SET(session->target_portal_tag, group->tag);
	OPT_SET(session->direction, DIRECTION_INBOUND);
	builder_text(b, &session->initiator_name, info->name);
	if (info->tsih)
		OPT_SET(session->tsih, info->tsih);
	memcpy(session->isid.octets, info->isid, sizeof(session->isid.octets));
	session->isid.known = 1;
	builder_text(b, &session->initiator_alias, info->alias);
	if (from->group.alias_known)
		builder_text(b, &session->target_alias, from->group.alias);
	OPT_SET(session->type, info->is_discovery ? TYPE_DISCOVERY : TYPE_NORMAL);
	/* 0 is outside of the syntax: while the session waits for its connection. */
	if (from->connection_count >= 1 && from->connection_count <= UINT16_MAX && !info->is_cut)
		OPT_SET(session->connection_count, (uint32_t)from->connection_count);
	set_constants(session);
	set_negotiated(session, &from->negotiated);
	set_counters(session, from);
	/* Without a connection there is nothing else to tell its condition by. */
	if (info->is_failed && !from->connection_count && !info->is_cut)
		OPT_SET(session->condition, SESSION_LOST);
	if (from->carried_since_ns)
		session->discontinuity =
			(struct opt_time){ .ns = from->carried_since_ns, .known = 1 };
	return builder_error(b);
}

static void set_state(struct connection *connection, enum lio_connection_state state)
{
	switch (state) {
	case LIO_CONNECTION_LOGIN:
		OPT_SET(connection->state, STATE_LOGIN);
		break;
	case LIO_CONNECTION_FULL:
		OPT_SET(connection->state, STATE_FULL);
		break;
	case LIO_CONNECTION_LOGOUT:
		OPT_SET(connection->state, STATE_LOGOUT);
		break;
	case LIO_CONNECTION_UNKNOWN:
	case LIO_CONNECTION_FREE: /* is not kept */
		break;
	}
}

static void set_ends(struct connection *connection, const struct lio_connection *from)
{
	if (from->address_known)
		builder_address(&connection->remote_address, &from->address);
	if (from->ends.local_known)
		builder_address(&connection->local_address, &from->ends.local);
	if (from->ends.local_port)
		OPT_SET(connection->local_port, from->ends.local_port);
	if (from->ends.remote_port)
		OPT_SET(connection->remote_port, from->ends.remote_port);
	connection->protocol = from->protocol;
}

/* What the group offers is what was agreed upon when it offers one method only. */
static void set_digest(
	struct opt_u32 *digest, const struct opt_u32 *first, const struct opt_u32 *second)
{
	if (first->known && second->known && second->value == DIGEST_NONE)
		*digest = *first;
}

static int add_connection(struct builder *b, const struct lio_session *session,
	const struct lio_connection *from, uint32_t session_at)
{
	const struct lio_parameters *group = &session->group;
	struct connection *connection = builder_connection(b, NULL);

	if (!connection)
		return builder_error(b);
	connection->session = session_at;
	builder_printf(b, &connection->key, "%u", from->cid);
	OPT_SET(connection->cid, from->cid);
	set_state(connection, from->state);
	set_ends(connection, from);
	if (from->is_tcp) { /* over RDMA this is negotiated */
		connection->max_recv_data_segment_length = group->declared_receive;
		set_digest(&connection->header_digest, &group->header_digest,
			&group->second_header_digest);
		set_digest(
			&connection->data_digest, &group->data_digest, &group->second_data_digest);
	}
	OPT_SET(connection->recv_marker, 0);
	OPT_SET(connection->send_marker, 0);
	OPT_SET(connection->version_active, 0);
	return builder_error(b);
}

static int add_acl_session(struct builder *b, const struct lio_target *target,
	const struct lio_group *group, const struct lio_acl *acl, uint32_t instance_at,
	uint32_t node_at)
{
	uint32_t session_at;
	struct session *session = builder_session(b, &session_at);
	int rc;

	if (!session)
		return builder_error(b);
	session->instance = instance_at;
	session->node = node_at;
	rc = add_session(b, target, group, acl, session);
	for (size_t i = 0; i < acl->session->connection_count && rc == 0; i++)
		rc = add_connection(b, acl->session, &acl->session->connections[i], session_at);
	return rc;
}

/*
 * A session of an initiator without an ACL. The kernel tells the name and nothing else; that it is
 * a normal session follows from where it is listed.
 */
static int add_guest(struct builder *b, const struct lio_target *target,
	const struct lio_group *group, const struct lio_guest *guest, uint32_t instance_at,
	uint32_t node_at)
{
	struct session *session = builder_session(b, NULL);
	char era[ERA_MAX];

	if (!session)
		return builder_error(b);
	session->instance = instance_at;
	session->node = node_at;
	era_of(era, target, group);
	builder_printf(b, &session->key, "%s/tpgt_%u/dynamic/%s/%u %s", target->name, group->tag,
		guest->name, guest->ordinal, era);
	OPT_SET(session->target_portal_tag, group->tag);
	OPT_SET(session->direction, DIRECTION_INBOUND);
	builder_text(b, &session->initiator_name, guest->name);
	OPT_SET(session->type, TYPE_NORMAL);
	set_constants(session);
	return builder_error(b);
}

int lio_model_sessions(
	struct builder *b, const struct lio_target *target, uint32_t instance_at, uint32_t node_at)
{
	int rc = 0;

	for (size_t i = 0; i < target->group_count && rc == 0; i++) {
		const struct lio_group *group = &target->groups[i];

		for (size_t k = 0; group->exists && k < group->acl_count && rc == 0; k++)
			if (group->acls[k].exists && group->acls[k].session)
				rc = add_acl_session(
					b, target, group, &group->acls[k], instance_at, node_at);
		for (size_t k = 0; group->exists && k < group->guest_count && rc == 0; k++)
			rc = add_guest(b, target, group, &group->guests[k], instance_at, node_at);
	}
	return rc;
}

uint32_t lio_model_sessions_shown(const struct lio_target *target)
{
	uint32_t count = 0;

	for (size_t i = 0; i < target->group_count; i++) {
		const struct lio_group *group = &target->groups[i];

		if (!group->exists)
			continue;
		for (size_t k = 0; k < group->acl_count; k++)
			count += group->acls[k].exists && group->acls[k].session != NULL;
		count += (uint32_t)group->guest_count;
	}
	return count;
}
