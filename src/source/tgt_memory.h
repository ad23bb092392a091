/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source tgt knows of one tgtd: what the poll under way has read, and what is kept from
 * poll to poll because it cannot be had again or must not change: names once believed
 * (tgt_text.h), addresses and ports of connections, the parameters that a session logged in with,
 * counters carried over 32-bit wraps and over connections that ended.
 *
 * Who is the same session. tgtd numbers nexuses 1, 2, … 65535 and begins again, leaving out those
 * in use; so a number is used again after 65,534 other logins. The key of a session is the
 * tgtd's life (pid and start time), tid, nexus and an epoch: the epoch of a nexus number goes up
 * when its session is missing in a poll, when the octets of its only connection go back, or when
 * its name has changed. The name itself is not part of the key: an initiator that makes names
 * unbelievable (tgt_text.h) would else give other sessions new rows. Epochs begin at 0 with the
 * reader; a reader that is restarted after the numbers went round may give a key that a dead
 * session had, which matters only while the registry still remembers that one.
 *
 * In the reader process only. Pure memory: no I/O.
 */
#ifndef SOURCE_TGT_MEMORY_H
#define SOURCE_TGT_MEMORY_H

#include "base/root.h"
#include "source/socket_match.h"
#include "source/tgt_text.h"

struct tgt_connection {
	uint32_t cid;
	struct tgt_counters last;	      /* as tgtd said in the last poll */
	uint64_t command_pdus, response_pdus; /* the same without wraps */
	bool listed;			      /* in this poll */
	bool address_known, rdma;
	bool closed;		     /* tgtd cannot ask its socket for an address */
	struct text_address address; /* of the initiator */
	struct socket_ends ends;
};

struct tgt_session {
	uint16_t nexus;
	uint32_t tid, epoch;
	uint64_t poll;			  /* the last one it was in */
	char *name;			  /* InitiatorName, NULL unknown */
	char *alias;			  /* InitiatorAlias, "" none, NULL unknown */
	struct tgt_parameters parameters; /* of its target when it was first seen */
	bool rejoined;	/* it has had other connections than those it was first seen with */
	bool cid_twice; /* two connections had one cid: its counters cannot be added up */
	uint32_t connections_now; /* that tgtd lists, also those left out for a cid used twice */
	struct tgt_connection *connections; /* by cid */
	size_t connection_count;
	uint64_t gone_rx, gone_tx, gone_commands, gone_responses; /* of ended connections */
};

struct tgt_target {
	uint32_t tid;
	bool exists;			   /* in this poll */
	bool name_good;			   /* the name holds for this poll */
	bool is_iscsi;			   /* driver iscsi or iser */
	char *name;			   /* the last one believed, NULL none yet */
	const struct tgt_heading *heading; /* its certain one, inside of tgt_read_targets only */
	bool parameters_read;		   /* once at least: */
	struct tgt_parameters parameters;  /* those of this poll, */
	struct tgt_parameters stable;	   /* and what is as it was in the poll before */
	uint16_t *nexuses;		   /* in this poll */
	size_t nexus_count, nexus_capacity;
	bool access_known; /* the lists hold; they point into tgt_unit.targets_text */
	struct tgt_slice accounts, acl;
};

#define TGT_NEXUSES (UINT16_MAX + 1u)

struct tgt_unit {
	uint32_t control_port;
	char path[128];
	struct root_peer peer;	    /* zero: none yet */
	uint64_t poll;		    /* 1, 2, … */
	bool listed;		    /* its socket is still there */
	struct tgt_target *targets; /* by tid */
	size_t target_count;
	struct tgt_session **sessions; /* [TGT_NEXUSES] */
	uint32_t *epochs;	       /* [TGT_NEXUSES] of the next session, or of the one there */
	struct tgt_portal *portals;    /* point into portals_text */
	size_t portal_count;
	uint32_t doubts, doubts_before; /* objects of which something was not believed */
	struct buf portals_text, targets_text, answer;
};

/* NULL without memory or when the path is too long. Freed with tgt_unit_free, which takes NULL. */
struct tgt_unit *tgt_unit_new(uint32_t control_port, const char *path);
void tgt_unit_free(struct tgt_unit *unit);

/* Forgets everything that was said by the tgtd before: another one answers on this socket. */
void tgt_unit_forget(struct tgt_unit *unit);

/*
 * Adds the targets of the headings that are not known yet and sets *ret_new if there are any;
 * forgets those that are in no heading. Returns 0 or -ENOMEM.
 */
int tgt_unit_merge(
	struct tgt_unit *unit, const struct tgt_heading *headings, size_t count, bool *ret_new);

/* By tid; NULL when it is not known. */
struct tgt_target *tgt_unit_target(const struct tgt_unit *unit, uint32_t tid);

/* Adds a nexus to the target's list of this poll. Returns 0 or -ENOMEM. */
int tgt_target_add_nexus(struct tgt_target *target, uint16_t nexus);

/*
 * The session of a nexus, found in this poll: the one known, or a new one with target->stable.
 * NULL without memory.
 */
struct tgt_session *tgt_session_get(
	struct tgt_unit *unit, const struct tgt_target *target, uint16_t nexus);

/*
 * Takes the counters of this poll, one for each connection. Connections with a cid that came
 * before are left out. Returns 0, or -ENOMEM with the session unchanged.
 */
int tgt_session_count(struct tgt_unit *unit, struct tgt_session *session,
	const struct tgt_counters *lines, size_t count);

/*
 * Takes the believed record of a connection: its address, or that it is closed, and the session's
 * name. A name other than the one known begins a new epoch. Returns 0 or -ENOMEM.
 */
int tgt_session_learn(
	struct tgt_unit *unit, struct tgt_session *session, const struct tgt_record *record);

/* Ends the poll: forgets sessions that were not in it. */
void tgt_unit_sweep(struct tgt_unit *unit);

/* A copy with NUL, or NULL without memory. */
char *tgt_slice_copy(const struct tgt_slice *slice);

#endif
