/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session has for its path. For open_iscsi_paths.c. */
#ifndef SOURCE_OPEN_ISCSI_EXTRA_H
#define SOURCE_OPEN_ISCSI_EXTRA_H

#include "source/open_iscsi_paths.h"

/*
 * Reads it for every session that is there: its identity once, what a login set once for each
 * login, the rest each time. A value that cannot be read is unknown. Returns 0, -ETIMEDOUT,
 * -ENOMEM.
 */
int oiscsi_extras_read(struct oiscsi *o, uint64_t now_ns, uint64_t deadline_ns);

/*
 * What is seen of a session, from its states and those before; false when it cannot be told.
 * `daemon`: only asked where I/O is not held back any more. Pure.
 */
bool oiscsi_seen(
	const struct oiscsi_session *session, enum oiscsi_daemon daemon, enum session_seen *ret);

/* True when oiscsi_seen depends on the daemon. */
bool oiscsi_asks_for_daemon(const struct oiscsi_session *session);

#endif
