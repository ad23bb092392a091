/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The objects of the initiator (model/model.def) from what is known of it after a poll. In the
 * reader process of the source only. No I/O.
 */
#ifndef SOURCE_OPEN_ISCSI_MODEL_H
#define SOURCE_OPEN_ISCSI_MODEL_H

#include "model/builder.h"
#include "source/open_iscsi_memory.h"

/* Adds all objects. Returns 0, or a negative errno (the builder's, or -ENOMEM). */
int oiscsi_model_build(struct builder *b, const struct oiscsi *o);

/*
 * The name of a session's own node: as it was made with, else as iscsid would take it from the
 * records. NULL when it cannot be known.
 */
const char *oiscsi_node_name(const struct oiscsi *o, const struct oiscsi_session *session);

/* What the kernel's events counted; NULL while they are not received. */
const struct oiscsi_events *oiscsi_model_events(const struct oiscsi *o);

/* True when the session has a row. */
bool oiscsi_session_is_shown(const struct oiscsi_session *session);

/*
 * What could not be shown, in words that change only with its kind, for collection_note; "" when
 * everything is. To be asked after the poll was read.
 */
const char *oiscsi_remark(const struct oiscsi *o);

/* What a session has beyond ISCSI-MIB. */
void oiscsi_model_extra(struct builder *b, const struct oiscsi *o,
	const struct oiscsi_session *from, struct session *session);

/* Adds the paths, after the sessions. */
int oiscsi_model_paths(struct builder *b, const struct oiscsi *o, uint32_t instance_at);

/* Adds the session and its connections. */
int oiscsi_model_session(struct builder *b, const struct oiscsi *o,
	const struct oiscsi_session *session, uint32_t instance_at, uint32_t node_at);

/* Sets the counters that the kernel was asked for. */
void oiscsi_model_statistics(
	struct session *session, const struct oiscsi *o, const struct oiscsi_session *from);

/* Sets what logins told, and what has become of the session since events are received. */
void oiscsi_model_session_events(struct builder *b, struct session *session, const struct oiscsi *o,
	const struct oiscsi_session *from);

#endif
