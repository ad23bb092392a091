/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The paths of the initiator, and in which condition its sessions are: what follows from the
 * sessions, the node records and what was seen in earlier polls. In the reader process of the
 * source.
 */
#ifndef SOURCE_OPEN_ISCSI_PATHS_H
#define SOURCE_OPEN_ISCSI_PATHS_H

#include "model/session_state.h"
#include "source/open_iscsi_daemon.h"
#include "source/open_iscsi_memory.h"
#include "source/open_iscsi_portal_name.h"

/* What a session has beside struct oiscsi_session. */
struct oiscsi_extra {
	/* Which path it is; these do not change while the session lives. */
	bool identified;
	char iface[65];
	struct oiscsi_portal_name portal; /* as it was configured */
	uint32_t ordinal; /* of several sessions on one path, from 1; 0 not given yet */

	/* Of the last login. */
	bool complete;
	uint32_t local_port;			       /* of that login, 0 unknown */
	struct opt_u32 tag, nop_interval, nop_timeout; /* seconds */
	char netdev[IF_NAMESIZE];		       /* "" unknown */

	/* Of this poll. */
	struct root_file *recovery_file;
	uint64_t recovery_read_ns;
	struct opt_u32 recovery_timeout; /* seconds, UINT32_MAX for ever */
	struct opt_u32 speed;		 /* Mbit/s */
	struct opt_u32 tcp_rtt;		 /* µs */
	struct opt_counter tcp_retransmits;
	bool is_path;			    /* else it is not known which record is its */
	const struct oiscsi_node *node;	    /* its record, NULL none */
	uint32_t session_at, connection_at; /* in the builder; LINK_NONE: not shown */

	enum session_condition condition; /* the last that was known; SESSION_NEW none */
	bool condition_known;		  /* in this poll too */
	uint64_t condition_ns;		  /* since when, 0 unknown */
	bool status_known;		  /* else it is not clear whether somebody reconnects it */
};

/* A path in this poll, and what is remembered of it. */
struct oiscsi_path {
	char *key;
	const struct oiscsi_session *session; /* NULL: missing */
	const struct oiscsi_node *node;	      /* its record, NULL none */

	bool leads;  /* missing, and its record has leading_login: one for each target stays */
	bool begins; /* no session that has logged in may be its: one that has not may */
	struct opt_u32 status;
	uint32_t last_status;	/* the last that was known, 0 none */
	uint64_t status_ns;	/* since when it is that, 0 unknown */
	uint64_t lost_ns;	/* when the outage of now began, 0 none or unknown */
	uint64_t outage_end_ns; /* of the last outage, 0 none seen; by the polls */
	uint32_t outage_ms;

	bool counted; /* what the kernel's events told is known: */
	struct oiscsi_outages outages;
	struct oiscsi_refusal refusal; /* while it is missing */
};

void oiscsi_extra_free(struct oiscsi_extra *extra);
void oiscsi_paths_clear(struct oiscsi_paths *paths);

/*
 * Reads what only paths have, and makes o->paths of everything. After the sessions and records were
 * read. Returns 0, -ETIMEDOUT or -ENOMEM.
 */
int oiscsi_paths_read(struct oiscsi *o, uint64_t now_ns, uint64_t deadline_ns);

/*
 * Takes what events told of the paths. Last of all that is read in a poll: while it reads, more may
 * be told, or lost, and then all counters begin anew. Returns 0 or -ENOMEM.
 */
int oiscsi_paths_take_outages(struct oiscsi *o);

/* All node records were read: there are no others. */
bool oiscsi_records_are_whole(const struct oiscsi *o);

#endif
