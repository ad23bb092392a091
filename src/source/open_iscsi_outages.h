/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outages of the paths, from the kernel's events: when one begins and ends. A path outlives its
 * sessions, and so does what was counted of it. In the reader process of the source; no I/O.
 *
 *	begins	with the connection error of a session that was logged in (a failed session of
 *		open_iscsi_events.h). One that is going on when the agent begins to listen has begun
 *		before: nobody counts it, and its length is not known.
 *	ends	with the next login on the path, of the same session or of another one, or when
 *		sysfs shows that there was one.
 *
 * iscsid may log in again without a loss, and a session may end without one: neither is an outage.
 *
 * A first login that is refused ends its session: it is there for some milliseconds. Why the path
 *is missing is what the target has answered, so that is kept for the path until a login stands.
 */
#ifndef SOURCE_OPEN_ISCSI_OUTAGES_H
#define SOURCE_OPEN_ISCSI_OUTAGES_H

#include "model/opt.h"

struct oiscsi_outages {
	uint64_t failures;   /* outages that began */
	uint64_t reconnects; /* logins that ended one */
	bool lost;	     /* one is going on … */
	uint64_t lost_ns;    /* … since then, 0 unknown */
	uint64_t end_ns;     /* of the last one that is over, 0 none */
	struct opt_u32 ms;   /* how long that was; UINT32_MAX: or longer */
	uint64_t login_ns;   /* the first login, 0 none */
};

/* The answer to the last first login; ns 0: there was none, or a login has stood since. */
struct oiscsi_refusal {
	struct opt_u32 login_class, login_detail;
	uint64_t ns;
};

struct oiscsi_path_events {
	char *key; /* of the path (model/path.h) */
	struct oiscsi_outages outages;
	struct oiscsi_refusal refusal;
};

/* Refusals of paths of which nothing else is known: as many as there can be records. */
#define OISCSI_REFUSALS_MAX 100000u

struct oiscsi_events;
struct oiscsi_watch;

void oiscsi_outages_clear(struct oiscsi_events *e);

/* An outage of the watch's path begins. 0 or -ENOMEM with nothing changed. */
int oiscsi_outage_begins(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns);

/* A login is through: the outage ends, if there was one. */
void oiscsi_outage_ends(struct oiscsi_events *e, struct oiscsi_watch *watch, uint64_t now_ns);

/*
 * From now on the watch is of this path; what it has counted before goes there. Only the first call
 * for a watch does anything. `is_lost`: sysfs shows an outage, for the case that it began before
 * anybody listened. 0 or -ENOMEM with nothing changed.
 */
int oiscsi_outages_attach(
	struct oiscsi_events *e, struct oiscsi_watch *watch, const char *path_key, bool is_lost);

/*
 * The session of the watch ends, and it never was logged in: remembers the answer, if there was
 * one and the path is known. 0 or -ENOMEM with nothing changed.
 */
int oiscsi_refusal_remember(struct oiscsi_events *e, const struct oiscsi_watch *watch);

/* What is known of a path; never NULL. */
const struct oiscsi_path_events *oiscsi_path_events_find(
	const struct oiscsi_events *e, const char *path_key);

#endif
