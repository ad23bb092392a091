/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/session_now.h"

bool session_had_recent_error(const struct snapshot *s, const struct session *session)
{
	const struct opt_time *at = &session->last_error_time;

	return at->known && at->ns && s->made_ns < at->ns + SESSION_RECENT_NS;
}

const struct session_meaning *session_meaning_now(
	const struct snapshot *s, const struct session *session)
{
	if (!session->condition.known)
		return NULL;
	return session_meaning_of(session->condition.value, session->device_fault_count.value > 0,
		session_had_recent_error(s, session));
}
