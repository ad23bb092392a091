/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The states of a session: how one follows from another and from what is seen of the session, and
 * what each of them means for the status of its paths and for CIM_iSCSISession. Both are tables,
 * and docs/CIM-MAPPING.md has the same tables (a test compares them). Pure; used in the reader
 * processes (conditions) and by the agent (meanings).
 */
#ifndef MODEL_SESSION_STATE_H
#define MODEL_SESSION_STATE_H

#include "base/base.h"

/* The field `condition` of a session. */
enum session_condition {
	SESSION_NEW,	   /* nothing was seen of it before; never in the field */
	SESSION_STARTING,  /* its first login is not through */
	SESSION_UP,	   /* logged in */
	SESSION_STOPPING,  /* a logout has begun */
	SESSION_LOST,	   /* its connection is lost, I/O waits for another login */
	SESSION_EXPIRED,   /* and the recovery timeout is over: I/O fails, the initiator tries on */
	SESSION_ABANDONED, /* likewise, and nobody tries */
	SESSION_CONDITIONS
};

/* What is seen of a session at one moment. */
enum session_seen {
	SESSION_SEEN_LOGIN,  /* a login is under way: the first one, or another */
	SESSION_SEEN_UP,     /* logged in, its connection is up */
	SESSION_SEEN_LOGOUT, /* a logout is under way */
	SESSION_SEEN_LOST, /* logged in before, without a connection, within the recovery timeout */
	SESSION_SEEN_EXPIRED,	/* likewise, beyond it, and iscsid runs */
	SESSION_SEEN_ABANDONED, /* likewise, and iscsid does not run */
	SESSION_SEEN_COUNT
};

/* The condition that follows. Both arguments must be values of their type. */
enum session_condition session_condition_next(
	enum session_condition before, enum session_seen seen);

/* ConnectionStatus of the WMI class ISCSI_Path. */
enum path_status { PATH_CONNECTED = 1, PATH_DISCONNECTED = 2, PATH_RECONNECTING = 3 };

/* What a condition means; the numbers are those of CIM. */
struct session_meaning {
	enum session_condition condition;
	bool faults; /* some of its devices cannot do I/O */
	bool recent; /* its connection had an error within SESSION_RECENT_NS */
	uint32_t path_status;
	uint32_t operational_status;
	uint32_t health_state;
	uint32_t enabled_state;
	const char *status; /* CIM's older word for operational_status */
	const char *text;   /* for people */
};

#define SESSION_RECENT_NS (300ull * 1000 * 1000 * 1000)

/* All meanings; the first one that fits counts. For the tests. */
extern const struct session_meaning session_meanings[];
extern const size_t session_meaning_count;

/*
 * The meaning of a condition from SESSION_STARTING on. NULL for another number, and never for
 * those.
 */
const struct session_meaning *session_meaning_of(uint32_t condition, bool faults, bool recent);

/* "up", "lost" …: the words of the tables in docs/CIM-MAPPING.md. */
const char *session_condition_name(enum session_condition condition);
const char *session_seen_name(enum session_seen seen);

#endif
