/* SPDX-License-Identifier: BSD-2-Clause */
/* What a login negotiated, and how a new login is noticed. For open_iscsi_read.c. */
#ifndef SOURCE_OPEN_ISCSI_LOGIN_H
#define SOURCE_OPEN_ISCSI_LOGIN_H

#include "source/open_iscsi_read.h"

/* The state of a connection, from the file that is kept. */
void oiscsi_link_read(struct oiscsi_connection *connection);

/*
 * Makes session->login and the ends of its connections those of the present login, when there is a
 * new one. Called after the states were read.
 */
void oiscsi_login_read(struct oiscsi *o, struct oiscsi_session *session, uint64_t now_ns);

/*
 * For a session that is FAILED or FREE. Called after its states were read, and only while no login
 * of it is known.
 */
enum oiscsi_past oiscsi_past_read(struct oiscsi *o, const struct oiscsi_session *session);

#endif
