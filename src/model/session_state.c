/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two tables of session_state.h. A change here is a change of docs/CIM-MAPPING.md.
 */
#include "model/session_state.h"

enum { OPERATIONAL_OK = 2, OPERATIONAL_DEGRADED = 3, OPERATIONAL_ERROR = 6 };
enum { OPERATIONAL_STARTING = 8, OPERATIONAL_STOPPING = 9, OPERATIONAL_LOST_COMMUNICATION = 13 };
enum { HEALTH_UNKNOWN = 0, HEALTH_OK = 5, HEALTH_DEGRADED = 10 };
enum { HEALTH_MAJOR_FAILURE = 20, HEALTH_CRITICAL_FAILURE = 25 };
enum { ENABLED = 2, DISABLED = 3, SHUTTING_DOWN = 4, ENABLED_BUT_OFFLINE = 6, STARTING = 10 };

/*
 * From (row) by what is seen (column). A login that is seen of a session which was up before is no
 * first one: the session stays lost until it is through.
 */
static const uint8_t next[SESSION_CONDITIONS][SESSION_SEEN_COUNT] = {
#define FROM(before, login, expired, abandoned)                        \
	[SESSION_##before] = { [SESSION_SEEN_LOGIN] = SESSION_##login, \
		[SESSION_SEEN_UP] = SESSION_UP,                        \
		[SESSION_SEEN_LOGOUT] = SESSION_STOPPING,              \
		[SESSION_SEEN_LOST] = SESSION_LOST,                    \
		[SESSION_SEEN_EXPIRED] = SESSION_##expired,            \
		[SESSION_SEEN_ABANDONED] = SESSION_##abandoned }
	FROM(NEW, STARTING, EXPIRED, ABANDONED),
	FROM(STARTING, STARTING, EXPIRED, ABANDONED),
	FROM(UP, LOST, EXPIRED, ABANDONED),
	FROM(STOPPING, STOPPING, STOPPING, STOPPING),
	FROM(LOST, LOST, EXPIRED, ABANDONED),
	FROM(EXPIRED, EXPIRED, EXPIRED, ABANDONED),
	FROM(ABANDONED, EXPIRED, EXPIRED, ABANDONED),
#undef FROM
};

const struct session_meaning session_meanings[] = {
	{ SESSION_STARTING, false, false, PATH_DISCONNECTED, OPERATIONAL_STARTING, HEALTH_UNKNOWN,
		STARTING, "Starting", "the first login is under way" },
	{ SESSION_UP, true, false, PATH_CONNECTED, OPERATIONAL_DEGRADED, HEALTH_DEGRADED, ENABLED,
		"Degraded", "logged in, but some of its devices cannot do I/O" },
	{ SESSION_UP, false, true, PATH_CONNECTED, OPERATIONAL_OK, HEALTH_DEGRADED, ENABLED, "OK",
		"logged in, after an error not long ago" },
	{ SESSION_UP, false, false, PATH_CONNECTED, OPERATIONAL_OK, HEALTH_OK, ENABLED, "OK",
		"logged in" },
	{ SESSION_STOPPING, false, false, PATH_CONNECTED, OPERATIONAL_STOPPING, HEALTH_OK,
		SHUTTING_DOWN, "Stopping", "a logout is under way" },
	{ SESSION_LOST, false, false, PATH_RECONNECTING, OPERATIONAL_LOST_COMMUNICATION,
		HEALTH_MAJOR_FAILURE, ENABLED_BUT_OFFLINE, "Lost Comm",
		"the connection is lost, I/O waits for another login" },
	{ SESSION_EXPIRED, false, false, PATH_RECONNECTING, OPERATIONAL_ERROR,
		HEALTH_CRITICAL_FAILURE, DISABLED, "Error",
		"the connection is lost for longer than the recovery timeout, I/O fails" },
	{ SESSION_ABANDONED, false, false, PATH_DISCONNECTED, OPERATIONAL_ERROR,
		HEALTH_CRITICAL_FAILURE, DISABLED, "Error",
		"the connection is lost, and iscsid does not run to get it back" },
};
const size_t session_meaning_count = ARRAY_SIZE(session_meanings);

enum session_condition session_condition_next(enum session_condition before, enum session_seen seen)
{
	return next[before][seen];
}

const struct session_meaning *session_meaning_of(uint32_t condition, bool faults, bool recent)
{
	for (size_t i = 0; i < ARRAY_SIZE(session_meanings); i++) {
		const struct session_meaning *m = &session_meanings[i];

		if (m->condition == condition && (faults || !m->faults) && (recent || !m->recent))
			return m;
	}
	return NULL;
}

const char *session_condition_name(enum session_condition condition)
{
	static const char *const names[] = { "new", "starting", "up", "stopping", "lost", "expired",
		"abandoned" };

	return names[condition];
}

const char *session_seen_name(enum session_seen seen)
{
	static const char *const names[] = { "login", "up", "logout", "lost", "expired",
		"abandoned" };

	return names[seen];
}
