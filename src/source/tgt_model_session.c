/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sessions and connections of one tgtd. tgtd does not tell what was negotiated; it is known
 * only where the target's parameter leaves no choice (RFC 7143 section 13: the result functions
 * AND, OR and minimum). Parameters are those that the session was first seen with, since tgtadm
 * can change them for later logins. A change between login and the first poll that sees the
 * session is noticed, except for sessions that were there before the reader.
 *
 * Called by tgt_model.c in the reader process of the source.
 */
#include "source/tgt_model_private.h"

#include <arpa/inet.h>

enum { DIRECTION_INBOUND = 1, TYPE_NORMAL = 1, STATE_FULL = 2, PROTOCOL_TCP = 6 };
enum { TASK_REPORTING_RFC3720 = 0x80, PROTOCOL_LEVEL_RFC7143 = 1, DIGEST_NO = 3 };

#define NAME_MAX_OCTETS	 1023u
#define ALIAS_MAX_OCTETS 255u

static void set_negotiated(struct session *session, const struct tgt_parameters *p)
{
	if (p->initial_r2t.known && p->initial_r2t.value) /* OR */
		OPT_SET(session->initial_r2t, 1);
	if (p->immediate_data.known && !p->immediate_data.value) /* AND */
		OPT_SET(session->immediate_data, 0);
	if (p->max_outstanding_r2t.known && p->max_outstanding_r2t.value == 1) /* minimum */
		OPT_SET(session->max_outstanding_r2t, 1);
	if (p->data_sequence_in_order.known && p->data_sequence_in_order.value) /* OR */
		OPT_SET(session->data_sequence_in_order, 1);
	if (p->data_pdu_in_order.known && p->data_pdu_in_order.value) /* OR */
		OPT_SET(session->data_pdu_in_order, 1);
	if (p->error_recovery_level.known && !p->error_recovery_level.value) /* minimum */
		OPT_SET(session->error_recovery_level, 0);
	if (p->max_connections.known && p->max_connections.value == 1) /* minimum */
		OPT_SET(session->negotiated_max_connections, 1);
}

static void set_counters(struct session *session, const struct tgt_session *from)
{
	uint64_t commands = from->gone_commands, responses = from->gone_responses;
	uint64_t tx = from->gone_tx, rx = from->gone_rx;

	if (from->cid_twice || (!from->connection_count && !from->rejoined))
		return;
	for (size_t i = 0; i < from->connection_count; i++) {
		commands += from->connections[i].command_pdus;
		responses += from->connections[i].response_pdus;
		tx += from->connections[i].last.tx_octets;
		rx += from->connections[i].last.rx_octets;
	}
	OPT_SET(session->command_pdus, commands);
	OPT_SET(session->tx_octets, tx);
	OPT_SET(session->rx_octets, rx);
	/* Over TCP tgtd looks at the opcode of the request, and so counts no response at all. */
	if (responses)
		OPT_SET(session->response_pdus, responses);
}

static int set_texts(struct builder *b, struct session *session, const struct tgt_session *from)
{
	builder_text(b, &session->target_alias, ""); /* tgtd sends none */
	if (from->name && strlen(from->name) <= NAME_MAX_OCTETS)
		builder_text(b, &session->initiator_name, from->name);
	if (from->alias) {
		char alias[ALIAS_MAX_OCTETS + 1];
		size_t length = strlen(from->alias);

		/* As it is, unless it has to be cut: then not inside of a character. */
		if (length <= ALIAS_MAX_OCTETS)
			builder_string(b, &session->initiator_alias, from->alias, length);
		else
			builder_string(b, &session->initiator_alias, alias,
				text_sanitize(alias, ALIAS_MAX_OCTETS, from->alias, length));
	}
	return builder_error(b);
}

static int add_session(struct builder *b, const struct tgt_unit *unit,
	const struct tgt_session *from, uint32_t instance_at, uint32_t node_at, uint32_t *ret_at)
{
	struct session *session = builder_session(b, ret_at);

	if (!session)
		return builder_error(b);
	session->instance = instance_at;
	session->node = node_at;
	builder_printf(b, &session->key, "%d:%llu tid %u nexus %u epoch %u", (int)unit->peer.pid,
		(unsigned long long)unit->peer.start_time, from->tid, from->nexus, from->epoch);
	OPT_SET(session->direction, DIRECTION_INBOUND);
	/* tgtd sends its number of the nexus as it is in memory. */
	OPT_SET(session->tsih, htons(from->nexus));
	OPT_SET(session->type, TYPE_NORMAL); /* discovery sessions have no nexus */
	/* In each login, whatever the tags of the portals are (usr/iscsi/iscsid.c). */
	OPT_SET(session->target_portal_tag, 1);
	if (from->connections_now >= 1 && from->connections_now <= UINT16_MAX)
		OPT_SET(session->connection_count, from->connections_now);
	/* tgtd knows neither key: what a session without them has (RFC 7144, RFC 7143 13.23). */
	OPT_SET(session->protocol_level, PROTOCOL_LEVEL_RFC7143);
	OPT_SET(session->task_reporting, TASK_REPORTING_RFC3720);
	set_negotiated(session, &from->parameters);
	set_counters(session, from);
	return set_texts(b, session, from);
}

static void set_ends(struct connection *connection, const struct tgt_connection *from)
{
	if (from->address_known)
		builder_address(&connection->remote_address, &from->address);
	if (from->ends.local_known)
		builder_address(&connection->local_address, &from->ends.local);
	if (from->ends.local_port)
		OPT_SET(connection->local_port, from->ends.local_port);
	if (from->ends.remote_port)
		OPT_SET(connection->remote_port, from->ends.remote_port);
	/* Over RDMA it is TCP, UDP or none. */
	if (from->address_known && !from->rdma)
		OPT_SET(connection->protocol, PROTOCOL_TCP);
}

static int add_connection(struct builder *b, const struct tgt_session *session,
	const struct tgt_connection *from, const struct tgt_parameters *parameters,
	uint32_t session_at)
{
	struct connection *connection = builder_connection(b, NULL);

	if (!connection)
		return builder_error(b);
	connection->session = session_at;
	builder_printf(b, &connection->key, "%u", from->cid);
	OPT_SET(connection->cid, from->cid);
	/* One that joins a session is listed before its login ends; commands come after that. One
	 * that tgtd has closed, since its initiator logged in anew, is listed until its I/O ends.
	 */
	if ((session->connections_now == 1 || from->command_pdus) && !from->closed &&
		!from->ends.is_lost)
		OPT_SET(connection->state, STATE_FULL);
	set_ends(connection, from);
	if (connection->protocol.known) /* over RDMA this is negotiated */
		connection->max_recv_data_segment_length = parameters->max_recv_data_segment_length;
	if (parameters->header_digest.known && parameters->header_digest.value == DIGEST_NO)
		OPT_SET(connection->header_digest, DIGEST_NO);
	if (parameters->data_digest.known && parameters->data_digest.value == DIGEST_NO)
		OPT_SET(connection->data_digest, DIGEST_NO);
	OPT_SET(connection->recv_marker, 0);
	OPT_SET(connection->send_marker, 0);
	OPT_SET(connection->version_active, 0);
	return builder_error(b);
}

static int add_connections(struct builder *b, const struct tgt_target *target,
	const struct tgt_session *session, uint32_t session_at)
{
	struct tgt_parameters parameters = session->parameters;
	int rc = 0;

	/* Connections that joined later may have met other parameters. */
	if (session->rejoined || session->connections_now > 1)
		tgt_parameters_intersect(&parameters, &target->parameters);
	for (size_t i = 0; i < session->connection_count && rc == 0; i++)
		rc = add_connection(b, session, &session->connections[i], &parameters, session_at);
	return rc;
}

int tgt_model_sessions(struct builder *b, const struct tgt_unit *unit,
	const struct tgt_target *target, uint32_t instance_at, uint32_t node_at)
{
	int rc = 0;

	for (size_t i = 0; i < target->nexus_count && rc == 0; i++) {
		const struct tgt_session *session = unit->sessions[target->nexuses[i]];
		uint32_t session_at;

		if (!session || session->poll != unit->poll || session->tid != target->tid)
			continue;
		rc = add_session(b, unit, session, instance_at, node_at, &session_at);
		if (rc == 0)
			rc = add_connections(b, target, session, session_at);
	}
	return rc;
}
