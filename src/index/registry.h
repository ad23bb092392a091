/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index registry: (kind, parent, natural key) -> number. A key keeps its number; a number is
 * never given to another key until reboot (RFC 7147: the index objects' DESCRIPTIONs). Lives in
 * the agent process; no I/O here (index/store.h saves and loads it).
 *
 * Numbers of a (kind, parent) begin at 1 and go up; which one comes next is remembered when
 * entries are forgotten, saved and loaded. After 2^32-1 there is none left: -ENOSPC, the object
 * has no row until reboot. (At one login each millisecond that takes 49 days on one instance.)
 *
 * Kinds that persist over reboots (instance, portal, node, auth, path, map, probe, source) keep
 * their entries, session and connection entries live until they have not been asked for in a number
 * of sweeps, at most until reboot. Of either only so many are kept that nobody asks for
 * (REGISTRY_UNSEEN_MAX).
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
	INDEX_MAP,
	INDEX_PROBE,
	INDEX_SOURCE,
	INDEX_SESSION,
	INDEX_CONNECTION,
	INDEX_KINDS
};

/* True for the kinds that keep their numbers over reboots. */
bool index_kind_persists(enum index_kind kind);

/* "instance", "portal" …: as in the files and in messages. */
const char *index_kind_name(enum index_kind kind);

struct registry;

/* What is remembered of a row beside its times: octets whose meaning is the user's (model/kept.h).
 */
struct registry_kept {
	uint16_t length; /* 1..65535 */
	uint8_t octets[];
};

/*
 * What is remembered about one row. The registry owns it; valid until the next sweep. The user may
 * set since_ns, discontinuity_ns, incarnation and epoch; the next sweep notices that they changed.
 */
struct registry_entry {
	enum index_kind kind;
	uint32_t number;   /* 1..2^32-1 */
	uint64_t since_ns; /* first seen, CLOCK_MONOTONIC of this boot; 0 = before the agent */
	uint64_t discontinuity_ns; /* last discontinuity of its counters; 0 = none known */
	uint64_t incarnation;	   /* hash of what changes when its stack restarts; 0 = not used */
	uint64_t epoch; /* hash of the event_epoch that it was last counted in; 0 = never was */
	uint64_t seen;	/* the sweep in which it was last asked for; 0 = not in this boot */
	uint32_t parent;
	uint16_t key_length;	    /* octets; 1..REGISTRY_KEY_MAX */
	bool is_fresh;		    /* first asked for in this boot since the last sweep */
	const char *key;	    /* octets, NUL-terminated */
	struct registry_kept *kept; /* NULL nothing; changed by registry_keep */
};

#define REGISTRY_KEY_MAX 2048u
/* Entries of one kind; beyond it new keys get -ENOSPC and no row, rather than memory without end.
 */
#define REGISTRY_ENTRIES_MAX 400000u
/*
 * Peers choose the names that keys are made of, and come and go for ever. So of the entries of a
 * kind that are not asked for this many are kept, or as many as once were there at the same time:
 * a storage whose rows are all gone for a while has its numbers again. Those are forgotten first
 * that nobody has asked for longest, but none that was in the last REGISTRY_UNSEEN_ROUNDS.
 */
#define REGISTRY_UNSEEN_MAX    4096u
#define REGISTRY_UNSEEN_ROUNDS 10u
/* Of what was loaded, how many count as having been there at the same time: nobody knows. */
#define REGISTRY_LOADED_MAX 40000u
/*
 * A connection's parent is its session, and sessions come and go for ever. So of parents without
 * any entry only this many, the latest of each kind, are remembered one by one. Of those before
 * them the highest number is kept for all: a parent not remembered begins above it. Only the
 * sessions among the parents are forgotten without a trace: their numbers are never given again.
 */
#define REGISTRY_IDLE_MAX 4096u

/* A new empty registry, or NULL without memory. */
struct registry *registry_new(void);
void registry_free(struct registry *r);

/*
 * The entry of a key; made with the next number of (kind, parent) when it is new, and then
 * *ret_new is true (ret_new may be NULL). For INDEX_INSTANCE `parent` is the fixed number, which
 * is also the number given. `now_ns` becomes since_ns when the key is new or was not yet seen in
 * this boot. Returns 0, -EINVAL (key empty or too long, an instance 0), -ENOSPC (entries or
 * numbers are used up), -ENOMEM.
 */
int registry_number(struct registry *r, enum index_kind kind, uint32_t parent, const char *key,
	size_t key_length, uint64_t now_ns, struct registry_entry **ret, bool *ret_new);

/* The same without making one, and without marking it as seen: NULL when the key has no number. */
struct registry_entry *registry_find(struct registry *r, enum index_kind kind, uint32_t parent,
	const char *key, size_t key_length);

/*
 * Remembers `octets` (at most 65535; none: nothing any more) instead of what entry->kept was.
 * Within this boot only: the run-time file holds it, the persistent one does not. Returns 0 or
 * -ENOMEM with nothing changed.
 */
int registry_keep(
	struct registry *r, struct registry_entry *entry, const void *octets, size_t length);

/*
 * After each snapshot: begins the next round of `seen` marks and forgets session and connection
 * entries that were not asked for in the last `keep` rounds (at least 1, the one that ends now),
 * and of all kinds those beyond REGISTRY_UNSEEN_MAX. Numbers are not given again.
 */
void registry_sweep(struct registry *r, uint32_t keep);

/*
 * Counts changes that the persistent file (true) or the run-time file (false) has to hold. A user
 * saves when the count is not what it was at the last save. Changed times count at the sweep.
 */
uint64_t registry_changes(const struct registry *r, bool persistent);

/* Counts the calls of registry_keep likewise: the run-time file should hold these, less urgently.
 */
uint64_t registry_kept_changes(const struct registry *r);

/*
 * The next number that (kind, parent) would give, 0 when all are used; for store.c and tests. For
 * INDEX_INSTANCE the parent.
 */
uint32_t registry_next(const struct registry *r, enum index_kind kind, uint32_t parent);

/* Entries of a kind. */
uint32_t registry_count(const struct registry *r, enum index_kind kind);

/* The rest is for store.c and the tests: to walk a registry, and to make one from a file. */

/* Next number of one (kind, parent); 2^32 when all are used. */
struct registry_counter {
	enum index_kind kind;
	uint32_t parent;
	uint64_t next;
};

/* All entries in the order in which they were made; `previous` NULL gives the first. */
const struct registry_entry *registry_entries(
	const struct registry *r, const struct registry_entry *previous);

/* All counters, likewise. */
const struct registry_counter *registry_counters(
	const struct registry *r, const struct registry_counter *previous);

/* Where a parent of this kind begins that is not remembered by itself (REGISTRY_IDLE_MAX); 1..2^32.
 */
uint64_t registry_floor(const struct registry *r, enum index_kind kind);

/*
 * Makes a counter (next 1..2^32), or raises a floor. Returns 0, -EINVAL (an instance), -EEXIST (the
 * parent has a counter already) or -ENOMEM.
 */
int registry_restore_next(struct registry *r, enum index_kind kind, uint32_t parent, uint64_t next);
void registry_restore_floor(struct registry *r, enum index_kind kind, uint64_t next);

/*
 * Makes the entry with this number, not seen in this boot. Its counter must have been restored.
 * Returns 0, -EINVAL (key, number 0 or not below the counter), -EEXIST (the key or the number is
 * there already), -ENOSPC, -ENOMEM.
 */
int registry_restore_entry(struct registry *r, enum index_kind kind, uint32_t parent,
	uint32_t number, const char *key, size_t key_length, struct registry_entry **ret);

/*
 * All entries are of an earlier boot: their times and what was kept are forgotten and they count as
 * not seen. Of a kind with more than REGISTRY_ENTRIES_MAX / 2 entries those are dropped that had
 * not been seen in that boot either, so that rows which no longer exist cannot fill the registry
 * for ever.
 */
void registry_begin_boot(struct registry *r);

/*
 * Moves everything from `from` to `r`; `from` is empty then. An entry that `r` has with the same
 * number gets the times, and what was kept, of the other one if `times`. One that contradicts `r`
 * (its key has another number there, its number another key, or there is no room) is left out and
 * counted in *ret_left_out. Returns 0, or -ENOMEM with nothing changed.
 */
int registry_merge(struct registry *r, struct registry *from, bool times, uint32_t *ret_left_out);

#endif
