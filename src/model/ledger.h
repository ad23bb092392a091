/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: what no stack keeps and the agent must: when a row began, when its counters were
 * last interrupted. It lives in the registry's entries (index/registry.h) and is written into the
 * objects while a snapshot is made. Agent process only.
 */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include "index/registry.h"
#include "model/snapshot.h"

/*
 * iscsiInstDiscontinuityTime: when the stack's incarnation (its text field) is not the one that
 * the entry remembers, the counters began anew.
 */
void ledger_instance(const struct snapshot *s, struct instance *instance,
	struct registry_entry *entry, uint64_t now_ns);

/* iscsiNodeDiscontinuityTime: 0 unless the source or an earlier event set it. */
void ledger_node(struct node *node, const struct registry_entry *entry);

/* A path's counters go on over its sessions: when the path was first seen, or a later event. */
void ledger_path(struct path *path, const struct registry_entry *entry);

/*
 * iscsiSsnDiscontinuityTime: a session's counters begin with it (RFC 7147). And when it was first
 * seen.
 */
void ledger_session(struct session *session, const struct registry_entry *entry);

#endif
