/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ledger: what no stack keeps and the agent must. When a row began, when its counters were
 * last interrupted, what its source counted and learned before its reader was started anew
 * (kept.def). It lives in the registry's entries (index/registry.h) and is written into the objects
 * while a snapshot is made. Agent process only.
 *
 * What is shown of a KEPT_COUNT, by what has happened (V: what the source says, "now": the row's
 * discontinuity is set, since events may have been missed):
 *
 *   the first time in this boot            V
 *   from then on                           base + V; base is 0
 *   reader or agent started anew           base grows by the last V seen; now. Where the agent has
 *     (another event_epoch)                lost its memory base is 0, and now all the same
 *   V goes back in one epoch               likewise
 *   nobody counts (no event_epoch)         a hole: it must not look alive. Goes on with base + V
 *   events were lost                       the source says when; each row that counts follows
 *   the stack never has an event_epoch     V, absolute; now when it goes back
 *   the master was started anew            as before; times before that are 0 to it (RFC 2579)
 *   the host was                           nothing is remembered
 *
 * A row that vanishes keeps its memory as long as its number (registry_sweep).
 *
 * A path outlives its sessions, and the history of all of them is its own: outages, reconnects, the
 * last error. What the last login answered is that of the session that it has now, as the ledger
 * shows it there; without one it is what the source says. Since when a path has its status is not
 * remembered: while nobody looked it may have had another one.
 */
#ifndef MODEL_LEDGER_H
#define MODEL_LEDGER_H

#include "model/snapshot.h"

struct registry_entry;

/* The work on one snapshot: made and used by snapshot_build. */
struct ledger {
	struct snapshot *snapshot;
	struct registry *registry;
	uint64_t now_ns;
	size_t arena_capacity; /* octets of the snapshot's arena; 0 as many as it holds */
	struct ledger_instance *instances;
};

/* Returns 0 or -ENOMEM. Ended with ledger_end in either case. */
int ledger_begin(struct ledger *l, struct snapshot *s, struct registry *r, uint64_t now_ns);
void ledger_end(struct ledger *l);

/*
 * Completes all objects of a kind from what is remembered of them, and remembers what they say.
 * `entries` has one for each object; those whose index is 0 are left alone. Instances must come
 * first. Returns 0 or -ENOMEM; a repeat with the same fragments is harmless in either case.
 */
int ledger_complete(
	struct ledger *l, enum object_kind kind, struct registry_entry *const entries[]);

#endif
