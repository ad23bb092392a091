/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sessions and connections of the initiator. Called by open_iscsi_model.c in the reader process
 * of the source.
 *
 * What the kernel's events tell of a session is in open_iscsi_model_events.c.
 */
#include "source/open_iscsi_devices.h"
#include "source/open_iscsi_model.h"
#include "source/open_iscsi_paths.h"

enum { DIRECTION_OUTBOUND = 2, TYPE_NORMAL = 1, TYPE_DISCOVERY = 2, PROTOCOL_TCP = 6 };
enum { TASK_REPORTING_RFC3720 = 0x80, PROTOCOL_LEVEL_RFC7143 = 1 };

bool oiscsi_session_is_shown(const struct oiscsi_session *session)
{
	/* The name of the target is set soon after the session was made. */
	return session->present && session->target_name;
}

/* iscsid and iscsistart make the ISID of the number of the session, under an OUI of Cisco. */
static void set_isid(const struct oiscsi_session *from, struct opt_isid *isid)
{
	bool by_process =
		from->creator[0] && from->creator[0] != '-' && strcmp(from->creator, "0") != 0;

	if (from->transport->firmware) {
		*isid = from->login.isid;
	} else if (by_process && from->transport->name[0]) {
		const uint8_t octets[6] = { 0x00, 0x02, 0x3d, (uint8_t)(from->sid >> 16),
			(uint8_t)(from->sid >> 8), (uint8_t)from->sid };

		memcpy(isid->octets, octets, sizeof(octets));
		isid->known = 1;
	}
}

static void set_login(struct builder *b, struct session *session, const struct oiscsi_session *from)
{
	const struct oiscsi_login *login = &from->login;

	if (!login->known)
		return;
	session->initial_r2t = login->initial_r2t;
	session->immediate_data = login->immediate_data;
	session->max_outstanding_r2t = login->max_outstanding_r2t;
	session->first_burst_length = login->first_burst_length;
	session->max_burst_length = login->max_burst_length;
	if (from->transport->firmware) {
		session->tsih = login->tsih;
		session->data_sequence_in_order = login->data_sequence_in_order;
		session->data_pdu_in_order = login->data_pdu_in_order;
		session->error_recovery_level = login->error_recovery_level;
		if (login->target_alias[0])
			builder_text(b, &session->target_alias, login->target_alias);
	}
}

/* What iscsid says and offers always, and of what its offer decides (RFC 7143 13.18 to 13.20). */
static void set_constants(struct builder *b, const struct oiscsi *o, struct session *session)
{
	OPT_SET(session->data_sequence_in_order, 1);
	OPT_SET(session->data_pdu_in_order, 1);
	OPT_SET(session->error_recovery_level, 0);
	OPT_SET(session->negotiated_max_connections, 1);
	if (o->alias[0])
		builder_text(b, &session->initiator_alias, o->alias);
}

/* The process that made the session tells it from one of another load of the kernel's module. */
static void set_key(struct builder *b, struct session *session, const struct oiscsi_session *from)
{
	char epoch[32] = "";

	if (from->epoch)
		snprintf(epoch, sizeof(epoch), " epoch %u", from->epoch);
	builder_printf(b, &session->key, "sid %u%s%s%s", from->sid,
		from->key_creator[0] ? " creator " : "", from->key_creator, epoch);
}

/* iscsiadm does discovery without the kernel, but with some adapters. */
static void set_type(struct session *session, const struct oiscsi_session *from)
{
	const struct opt_bool *discovery = &from->login.discovery;

	if (!from->transport->name[0])
		return;
	if (!from->transport->discovery)
		OPT_SET(session->type, TYPE_NORMAL);
	else if (from->login.known && discovery->known)
		OPT_SET(session->type, discovery->value ? TYPE_DISCOVERY : TYPE_NORMAL);
}

static int add_session(struct builder *b, const struct oiscsi *o, const struct oiscsi_session *from,
	uint32_t instance_at, uint32_t node_at, uint32_t *ret_at)
{
	struct session *session = builder_session(b, ret_at);

	if (!session)
		return builder_error(b);
	session->instance = instance_at;
	session->node = node_at;
	set_key(b, session, from);
	OPT_SET(session->direction, DIRECTION_OUTBOUND);
	builder_text(b, &session->target_name, from->target_name);
	set_type(session, from);
	if (from->connection_count)
		OPT_SET(session->connection_count, (uint32_t)from->connection_count);
	/* No initiator of Linux offers these keys. */
	OPT_SET(session->protocol_level, PROTOCOL_LEVEL_RFC7143);
	OPT_SET(session->task_reporting, TASK_REPORTING_RFC3720);
	if (!from->transport->firmware && from->transport->name[0])
		set_constants(b, o, session);
	set_login(b, session, from);
	set_isid(from, &session->isid);
	oiscsi_model_statistics(session, o, from);
	oiscsi_model_session_events(b, session, o, from);
	oiscsi_model_extra(b, o, from, session);
	return builder_error(b);
}

static void set_ends(struct connection *connection, const struct oiscsi_session *session,
	const struct oiscsi_connection *from)
{
	/* An end that was connected to is the better one: a target may redirect. */
	if (from->remote.type) {
		builder_address(&connection->remote_address, &from->remote);
		connection->remote_port = from->remote_port;
	} else if (session->state == OISCSI_FAILED || session->state == OISCSI_FREE) {
		if (from->persistent.type)
			builder_address(&connection->remote_address, &from->persistent);
		connection->remote_port = from->persistent_port;
	}
	if (from->local.type)
		builder_address(&connection->local_address, &from->local);
	connection->local_port = from->local_port;
}

static int add_connection(struct builder *b, const struct oiscsi_session *session,
	const struct oiscsi_connection *from, uint32_t session_at)
{
	struct connection *connection = builder_connection(b, NULL);
	uint32_t state = oiscsi_connection_state(
		session->state, from->link, session->unbinding, session->transport->class_link);

	if (!connection)
		return builder_error(b);
	connection->session = session_at;
	builder_printf(b, &connection->key, "%u", from->cid);
	OPT_SET(connection->cid, from->cid);
	if (state && !oiscsi_is_in_doubt(session, from))
		OPT_SET(connection->state, state);
	set_ends(connection, session, from);
	if (session->transport->tcp)
		OPT_SET(connection->protocol, PROTOCOL_TCP);
	if (session->login.known) {
		connection->max_recv_data_segment_length = from->max_recv_data_segment_length;
		connection->max_xmit_data_segment_length = from->max_xmit_data_segment_length;
		connection->header_digest = from->header_digest;
		connection->data_digest = from->data_digest;
	}
	OPT_SET(connection->recv_marker, 0);
	OPT_SET(connection->send_marker, 0);
	OPT_SET(connection->version_active, 0);
	return builder_error(b);
}

int oiscsi_model_session(struct builder *b, const struct oiscsi *o,
	const struct oiscsi_session *session, uint32_t instance_at, uint32_t node_at)
{
	uint32_t session_at;
	int rc = add_session(b, o, session, instance_at, node_at, &session_at);

	if (rc == 0 && session->extra) {
		session->extra->session_at = session_at;
		session->extra->connection_at =
			session->connection_count ? builder_count(b, OBJECT_CONNECTION) : LINK_NONE;
	}
	for (size_t i = 0; i < session->connection_count && rc == 0; i++)
		rc = add_connection(b, session, &session->connections[i], session_at);
	if (rc == 0)
		rc = oiscsi_model_devices(b, o->devices, session->sid, instance_at, session_at);
	return rc;
}
