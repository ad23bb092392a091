/* SPDX-License-Identifier: BSD-2-Clause */
/* What the condition of a session means at the time of its snapshot. Agent process. */
#ifndef MODEL_SESSION_NOW_H
#define MODEL_SESSION_NOW_H

#include "model/session_state.h"
#include "model/snapshot.h"

/* Its connection had an error within SESSION_RECENT_NS. */
bool session_had_recent_error(const struct snapshot *s, const struct session *session);

/* NULL while the condition is unknown. */
const struct session_meaning *session_meaning_now(
	const struct snapshot *s, const struct session *session);

#endif
