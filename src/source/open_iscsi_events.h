/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the kernel's events to counters: what becomes of each session, and what failed. Pure: an
 *event goes in with its time, counters come out. In the reader process of the source; the owner is
 * open_iscsi_listener.c, open_iscsi_model.c shows the result.
 *
 * A session is in one of these phases:
 *
 *	UNKNOWN  it was there before anybody listened, and has not been looked at yet
 *	NEW      created, never logged in
 *	FULL     logged in
 *	LOST     was logged in; iscsid logs in again, or is about to. Also after a logout that the
 *		 target asked for
 *	ENDING   its devices are gone: iscsid logs out and removes it
 *
 * and, in all but FULL, may be in an attempt to log in, which begins with the session or with the
 * first answer of the target, and ends with the final answer, a refusal, a connection error, or
 * because iscsid gives up. An attempt that ends in another way than with the final answer is one
 * failed login (iscsiIntrLoginFailures), and has a cause:
 *
 *	answer of class 1            redirected           02/01  authentication failed
 *	02/02  not authorized        any other class      other
 *	given up at once in the security stage (we did not authenticate the target), or in the
 *	operational stage (we did not agree); everything else: none of these
 *
 * A connection error in FULL is a failed session (iscsiInstSsnFailures), once until the next login,
 * of a class by its number. In LOST and NEW it ends the attempt; in ENDING it is how it should be.
 * The kernel reports many losses twice.
 */
#ifndef SOURCE_OPEN_ISCSI_EVENTS_H
#define SOURCE_OPEN_ISCSI_EVENTS_H

#include "base/text.h"
#include "source/open_iscsi_outages.h"
#include "source/open_iscsi_pdu.h"
#include "source/open_iscsi_text.h"
#include "source/open_iscsi_wire.h"

enum oiscsi_phase {
	OISCSI_PHASE_UNKNOWN,
	OISCSI_PHASE_NEW,
	OISCSI_PHASE_FULL,
	OISCSI_PHASE_LOST,
	OISCSI_PHASE_ENDING,
};

/* What a final login response told, and the text keys before it. */
struct oiscsi_learned {
	bool known;
	uint16_t tsih; /* 0 unknown */
	struct opt_isid isid;
	char target_alias[256]; /* "" none … */
	bool alias_known;	/* … if that is known: the first answer was heard, which has it */
	struct opt_u32 time2wait, time2retain, max_connections;
};

/* Address and TCP port of a target. */
struct oiscsi_end {
	struct text_address address; /* type 0 unknown */
	struct opt_u32 port;
};

/* A session as the events tell it. */
struct oiscsi_watch {
	uint32_t sid;
	enum oiscsi_phase phase;
	uint64_t heard_ns;  /* the last event of it */
	uint64_t ending_ns; /* since when it is ENDING */
	/* Goes up whenever a login begins to stand or ends: what was read before is of another. */
	uint64_t login_serial;

	bool by_adapter; /* it logs in by itself: iscsid has no part in it */

	/* The attempt to log in. */
	bool attempt;
	unsigned int answers; /* in it */
	uint8_t stage;	      /* of the last answer */
	uint32_t stat_sn;     /* likewise */
	uint64_t answered_ns; /* likewise; when login_class came */
	uint64_t over_ns;     /* when the last attempt or login ended */
	struct oiscsi_login_keys keys;

	bool doubt;    /* an event ended the login, and sysfs has not said so yet */
	bool episode;  /* the session has failed, and not logged in since */
	bool unmapped; /* … and that has been counted as a target that went away */

	/* Names and portal, by open_iscsi_names.c; NULL unknown. */
	char *target_name, *initiator_name, *iface_name;
	bool names_known;	    /* all that there are */
	uint64_t names_until_ns;    /* they are being looked for all the time; 0 not */
	struct oiscsi_end portal;   /* that iscsid was told to connect to */
	bool portal_asked;	    /* sysfs has told it, whatever it was */
	struct oiscsi_end redirect; /* where a target has sent the next attempt … */
	bool redirected;	    /* … if it has */

	/* For the session's row. */
	struct oiscsi_learned learned;
	uint64_t failures, logins, digest_errors, timeouts;
	struct opt_u32 last_error; /* enum iscsi_err */
	uint64_t last_error_ns;
	struct opt_u32 login_class, login_detail;

	/* Which path it is, NULL while that is not known; its outages are counted there then. */
	char *path_key;
	char *likely_path_key; /* by its names: if no other session is on that path; NULL unknown */
	struct oiscsi_outages outages; /* until then */
};

/* Columns of iscsiInitiatorLoginStatsTable; FAILURES stands for iscsiIntrLoginFailures. */
enum oiscsi_login_count {
	OISCSI_COUNT_FAILURES,
	OISCSI_COUNT_ACCEPTS,
	OISCSI_COUNT_OTHER,
	OISCSI_COUNT_REDIRECTS,
	OISCSI_COUNT_AUTH_FAILS,
	OISCSI_COUNT_AUTHENTICATE,
	OISCSI_COUNT_NEGOTIATE,
	OISCSI_COUNT_AUTHORIZE,
	OISCSI_COUNTS,
};

/* The counters of an initiator name, and its last failed login. */
struct oiscsi_node_events {
	char *name; /* NULL: the default one, while that is not known */
	uint64_t login[OISCSI_COUNTS], logouts;
	uint64_t failure_ns;   /* 0 none */
	uint32_t failure_type; /* enum oiscsi_login_count, 0 none of these */
	char *failure_target;  /* NULL unknown */
	struct oiscsi_end failure_portal;
};

/* last_failure_type of an instance (model/model.def). */
enum oiscsi_failure_type {
	OISCSI_FAILURE_OTHER,
	OISCSI_FAILURE_DIGEST,
	OISCSI_FAILURE_TIMEOUT,
	OISCSI_FAILURE_FORMAT,
	OISCSI_FAILURE_UNMAPPED,
};

struct oiscsi_records;

struct oiscsi_events {
	const struct oiscsi_records *records; /* for initiator names by interface record */
	struct oiscsi_watch **watches;	      /* by sid */
	size_t watch_count;
	struct oiscsi_node_events **nodes; /* in the order in which they had their first event */
	size_t node_count;
	struct oiscsi_path_events *paths; /* by key; those that have something to tell */
	size_t path_count;
	/* Of the instance. */
	uint64_t failures, digest_errors, timeouts, format_errors, unmapped;
	uint64_t failure_ns; /* the last failed session; 0 none */
	uint32_t failure_sid, failure_type;
	char *failure_target; /* NULL unknown */
};

/* Forgets all of it but `records`: to begin anew after events were missed. */
void oiscsi_events_clear(struct oiscsi_events *e);

/*
 * Takes one event. `now_ns`: when it came. Returns 1 when there is something to show, 0, or
 * -ENOMEM: then it is not counted, and everything is to be begun anew.
 */
int oiscsi_events_take(struct oiscsi_events *e, const struct oiscsi_event *event, uint64_t now_ns);

/* What sysfs says of a session (S/state) in a poll. 0 or -ENOMEM. */
int oiscsi_events_seen(
	struct oiscsi_events *e, uint32_t sid, enum oiscsi_state state, uint64_t now_ns);

/* Forgets sessions that had no event since `before_ns` and that `exists` does not know. */
void oiscsi_events_sweep(struct oiscsi_events *e, uint64_t before_ns,
	bool (*exists)(const void *context, uint32_t sid), const void *context);

/* The default initiator name is known now: gives the events of the nameless node to it. 0, -ENOMEM.
 */
int oiscsi_events_name_default(struct oiscsi_events *e, const char *name);

/*
 * True while iscsid removes a session. An end that has not come after half a minute will not: its
 * iscsid is gone.
 */
bool oiscsi_events_are_ending(const struct oiscsi_events *e, uint64_t now_ns);

struct oiscsi_watch *oiscsi_watch_find(const struct oiscsi_events *e, uint32_t sid);

/* The same, made when there is none (phase UNKNOWN). NULL without memory. */
struct oiscsi_watch *oiscsi_watch_get(struct oiscsi_events *e, uint32_t sid);

void oiscsi_watch_remove(struct oiscsi_events *e, uint32_t sid);

/* The counters of an initiator name (NULL: of the nameless); NULL for none. */
struct oiscsi_node_events *oiscsi_node_events_find(const struct oiscsi_events *e, const char *name);

/* The same, made when there are none. NULL without memory. */
struct oiscsi_node_events *oiscsi_node_events_get(struct oiscsi_events *e, const char *name);

#endif
