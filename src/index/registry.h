/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index registry: (kind, parent, natural key) -> number. A key keeps its number; a number is
 * never given to another key until reboot (RFC 7147: the index objects' DESCRIPTIONs). Lives in
 * the agent process; no I/O here (index/store.h saves and loads it).
 *
 * Numbers of a (kind, parent) begin at 1 and go up. Kinds that persist over reboots (portal, node,
 * auth, path) keep their entries; session and connection entries live until reboot or until they
 * have not been seen for a while, their next number is remembered as long as the boot lasts.
 */
#ifndef INDEX_REGISTRY_H
#define INDEX_REGISTRY_H

#include "base/base.h"

enum index_kind {
	INDEX_INSTANCE, /* number fixed by the source; entry kept for its times only */
	INDEX_PORTAL,
	INDEX_NODE,
	INDEX_AUTH,
	INDEX_PATH,
	INDEX_SESSION,
	INDEX_CONNECTION,
	INDEX_KINDS
};

/* True for the kinds that keep their numbers over reboots. */
bool index_kind_persists(enum index_kind kind);

struct registry;

/* What is remembered about one row. The registry owns it; valid until the next sweep. */
struct registry_entry {
	enum index_kind kind;
	uint32_t number;
	uint64_t since_ns; /* first seen, CLOCK_MONOTONIC of this boot; 0 = before the agent */
	uint64_t discontinuity_ns; /* last discontinuity of its counters; 0 = none known */
	uint64_t incarnation;	   /* hash of what changes when its stack restarts; 0 = not used */
	uint64_t seen;		   /* the sweep in which it was last asked for */
	uint32_t parent;
	uint16_t key_length; /* octets; at most REGISTRY_KEY_MAX */
	const char *key;     /* octets, NUL-terminated */
};

#define REGISTRY_KEY_MAX 2048u
/* Entries of one kind; beyond it new keys get -ENOSPC and no row, rather than memory without end.
 */
#define REGISTRY_ENTRIES_MAX 400000u

/* A new empty registry, or NULL without memory. */
struct registry *registry_new(void);
void registry_free(struct registry *r);

/*
 * The entry of a key; made with the next number of (kind, parent) when it is new, and then
 * *ret_new is true (ret_new may be NULL). For INDEX_INSTANCE `parent` is the fixed number, which
 * is also the number given. Returns 0, -EINVAL (key empty or too long), -ENOSPC, -ENOMEM.
 */
int registry_number(struct registry *r, enum index_kind kind, uint32_t parent, const char *key,
	size_t key_length, uint64_t now_ns, struct registry_entry **ret, bool *ret_new);

/* The same without making one: NULL when the key has no number. */
struct registry_entry *registry_find(struct registry *r, enum index_kind kind, uint32_t parent,
	const char *key, size_t key_length);

/*
 * After each snapshot: begins the next round of `seen` marks and forgets session and connection
 * entries that were not asked for in the last `keep` rounds. Numbers are not given again.
 */
void registry_sweep(struct registry *r, uint32_t keep);

/* Counts changes that the persistent file (true) or the run-time file (false) has to hold. */
uint64_t registry_changes(const struct registry *r, bool persistent);

/* The next number that (kind, parent) would give; for store.c and tests. */
uint32_t registry_next(const struct registry *r, enum index_kind kind, uint32_t parent);

#endif
