/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What only the kernel's netlink tells of a session: the statistics of its connections, its last
 * login, its failures. Called by open_iscsi_model_session.c in the reader process of the source.
 */
#include "source/open_iscsi_model.h"
#include "source/open_iscsi_stats.h"

/* Adds them up; false when those of one connection are not known, or too old. */
static bool sum_statistics(
	const struct oiscsi *o, const struct oiscsi_session *from, struct oiscsi_statistics *sum)
{
	for (size_t i = 0; i < from->connection_count; i++) {
		const struct oiscsi_connection *connection = &from->connections[i];
		const struct oiscsi_statistics *s = &connection->statistics;

		if (!connection->statistics_ns ||
			connection->statistics_ns + OISCSI_STATISTICS_AGE_NS < o->polled_ns)
			return false;
		sum->command_pdus += s->command_pdus;
		sum->response_pdus += s->response_pdus;
		sum->tx_octets += s->tx_octets;
		sum->rx_octets += s->rx_octets;
		sum->nop_sent_pdus += s->nop_sent_pdus;
		sum->nop_received_pdus += s->nop_received_pdus;
	}
	return from->connection_count > 0;
}

void oiscsi_model_statistics(
	struct session *session, const struct oiscsi *o, const struct oiscsi_session *from)
{
	struct oiscsi_statistics sum = { .tx_octets = 0 };

	if (!sum_statistics(o, from, &sum))
		return;
	if (from->transport->counts_pdus) {
		OPT_SET(session->command_pdus, sum.command_pdus);
		OPT_SET(session->response_pdus, sum.response_pdus);
	}
	if (from->transport->counts_octets) {
		OPT_SET(session->tx_octets, sum.tx_octets);
		OPT_SET(session->rx_octets, sum.rx_octets);
	}
	if (from->transport->counts_nops) {
		OPT_SET(session->nop_sent_pdus, sum.nop_sent_pdus);
		OPT_SET(session->nop_received_pdus, sum.nop_received_pdus);
	}
}

/*
 * Which login it is that things were learned of: the local port of its connection. A port that may
 * have been read before the last login, or that is read seldom, names none.
 */
static void set_login_name(struct builder *b, struct session *session, const struct oiscsi *o,
	const struct oiscsi_session *from, const struct oiscsi_watch *watch)
{
	const struct opt_u32 *port;

	if (from->connection_count != 1 || !o->ports_are_safe)
		return;
	port = &from->connections[0].local_port;
	if (!port->known || from->connections[0].port_matched ||
		(watch && watch->login_serial != from->login_serial) ||
		(from->state == OISCSI_LOGGED_IN && !from->current))
		return;
	builder_printf(b, &session->login, "port %u", port->value);
}

static void set_learned(
	struct builder *b, struct session *session, const struct oiscsi_learned *learned)
{
	if (learned->tsih)
		OPT_SET(session->tsih, learned->tsih);
	session->isid = learned->isid;
	if (learned->alias_known)
		builder_text(b, &session->target_alias, learned->target_alias);
	session->negotiated_time2wait = learned->time2wait;
	session->negotiated_time2retain = learned->time2retain;
	if (learned->max_connections.known)
		session->negotiated_max_connections = learned->max_connections;
}

static void set_last_error(struct session *session, const struct oiscsi_watch *watch)
{
	if (!watch->last_error.known)
		return;
	session->last_error = watch->last_error;
	session->last_error_time = (struct opt_time){ .ns = watch->last_error_ns, .known = 1 };
}

void oiscsi_model_session_events(struct builder *b, struct session *session, const struct oiscsi *o,
	const struct oiscsi_session *from)
{
	const struct oiscsi_events *events = oiscsi_model_events(o);
	const struct oiscsi_watch *watch = events ? oiscsi_watch_find(events, from->sid) : NULL;

	set_login_name(b, session, o, from, watch);
	if (!watch)
		return;
	if (watch->learned.known)
		set_learned(b, session, &watch->learned);
	OPT_SET(session->logins, watch->logins);
	/* An adapter that logs in by itself does not tell how it lost a connection. */
	if (!from->transport->firmware) {
		OPT_SET(session->failures, watch->failures);
		OPT_SET(session->connection_digest_errors, watch->digest_errors);
		OPT_SET(session->connection_timeouts, watch->timeouts);
		set_last_error(session, watch);
	}
	session->login_class = watch->login_class;
	session->login_detail = watch->login_detail;
	if (watch->login_class.known)
		session->login_time = (struct opt_time){ .ns = watch->answered_ns, .known = 1 };
}
