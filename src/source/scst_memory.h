/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source scst keeps from poll to poll: the daemon that was last seen, what it said of each
 * target (scst_config.h), and the counters of each session, which anybody can set back by writing
 * to them. In the reader process only. Pure memory: no I/O.
 */
#ifndef SOURCE_SCST_MEMORY_H
#define SOURCE_SCST_MEMORY_H

#include "source/scst_parse.h"

/* What iscsi-scstd says of a target: what it offers to initiators. */
struct scst_config {
	uint64_t next_ns; /* when to ask anew; 0: not asked yet */
	struct opt_bool initial_r2t, immediate_data;
	struct opt_u32 max_recv_data_segment_length, max_outstanding_r2t;
	struct opt_u32 first_burst_length, max_burst_length;
	struct opt_u32 primary_header_digest, secondary_header_digest;
	struct opt_u32 primary_data_digest, secondary_data_digest;
	bool alias_known;
	char alias[SCST_LINE_MAX + 1]; /* "" none */
};

struct scst_session {
	char *name; /* of its directory */
	uint64_t sid;
	struct opt_counter commands, tx_octets, rx_octets;
	uint64_t reset_ns; /* when a counter was seen to have been set back; 0 never */
};

struct scst_target {
	char *name;
	struct scst_config config;
	struct scst_session *sessions; /* of the last poll, by name */
	size_t session_count;
};

struct scst_memory {
	struct scst_target **targets; /* by name */
	size_t target_count;
	struct opt_bool enabled; /* whether the daemon takes logins at all */
	uint64_t ask_after_ns;	 /* leave the daemon alone until then */
	uint64_t enabled_next_ns;
	int32_t pid; /* of the daemon, 0 none seen yet */
	uint64_t start_time;
};

/*
 * Makes the list of targets that of the names (sorted, one after the other, each with a NUL); those
 * that stay keep what is known of them. Returns 0, or -ENOMEM with the list unchanged.
 */
int scst_memory_update(struct scst_memory *m, const char *names, size_t count);

/* Forgets everything that the daemon said: another one answers. */
void scst_memory_forget_config(struct scst_memory *m);

/* Frees what is in it. */
void scst_memory_clear(struct scst_memory *m);

/* The session of the last poll with this name and SID; NULL for a new one. */
const struct scst_session *scst_target_find(
	const struct scst_target *target, const char *name, uint64_t sid);

/* Takes over the sessions of this poll, by name, and frees those before. */
void scst_target_keep(struct scst_target *target, struct scst_session *sessions, size_t count);

/* Frees an array of sessions. */
void scst_sessions_free(struct scst_session *sessions, size_t count);

/*
 * What is known of the session's counters beside those of the last poll (NULL: none): when one of
 * them goes back, reset_ns becomes now_ns; what cannot be read this time is remembered.
 */
void scst_session_compare(
	struct scst_session *session, const struct scst_session *before, uint64_t now_ns);

#endif
