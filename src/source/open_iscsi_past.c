/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether a session that is down has ever logged in. Its states do not tell: iscsid tries a first
 * login again and again, for two minutes by default, and with the first refusal, redirection or
 * silence it stops the connection as it does with a lost one (usr/initiator.c, STOP_CONN_RECOVER).
 * Then the session is FAILED, after the recovery timeout FREE, and the connection failed, as if it
 * had been logged in before (libiscsi.c, iscsi_conn_stop).
 *
 * The burst lengths tell: they are 0 until iscsid says what the first login negotiated, between its
 * last answer and the start of the session, and stay from then on. be2iscsi is told before it logs
 * in, so there a number proves nothing, and the firmware of qla4xxx has lengths of its own; of both
 * is held what the states say.
 *
 * Called by open_iscsi_login.c in the reader process: one file in each poll of a session that is
 * down and of which no login is known, none of others.
 */
#include "source/open_iscsi_login.h"

/* The states are still those that this poll began with. */
static bool is_as_it_was(const struct oiscsi_session *session)
{
	char text[64];

	oiscsi_value(text, root_file_read(session->state_file, text, sizeof(text)));
	if (oiscsi_state_parse(text) != session->state)
		return false;
	for (size_t i = 0; i < session->connection_count; i++) {
		struct oiscsi_connection now = session->connections[i];

		oiscsi_link_read(&now);
		if (now.link != session->connections[i].link)
			return false;
	}
	return true;
}

enum oiscsi_past oiscsi_past_read(struct oiscsi *o, const struct oiscsi_session *session)
{
	bool known = session->transport_name[0] != '\0';
	char text[64];
	uint32_t length;
	int rc;

	if (known && !session->transport->class_link)
		return OISCSI_PAST_UNTOLD;
	rc = oiscsi_read_value(o->root, text, sizeof(text),
		"/sys/class/iscsi_session/session%u/max_burst_len", session->sid);
	if (rc == -ENOENT)
		return OISCSI_PAST_UNTOLD;
	if (text_to_u32(text, UINT32_MAX, &length) < 0)
		return OISCSI_PAST_UNREAD;
	if (!length)
		return known ? OISCSI_PAST_NONE : OISCSI_PAST_UNREAD;
	/* A first login that was through a moment ago is no loss. */
	return is_as_it_was(session) ? OISCSI_PAST_UNTOLD : OISCSI_PAST_UNREAD;
}
