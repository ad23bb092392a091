/* SPDX-License-Identifier: BSD-2-Clause */
/* How the registry is built: for registry.c and registry_restore.c, nobody else. */
#ifndef INDEX_REGISTRY_PRIVATE_H
#define INDEX_REGISTRY_PRIVATE_H

#include "index/links.h"
#include "index/registry.h"

struct counter {
	struct registry_counter counter; /* first: registry_counters */
	uint32_t live;			 /* entries that count with it */
	struct chain by_parent;
	struct list in_order;
	struct list idle; /* in registry.idle while live is 0 and the kind does not persist */
};

struct times {
	uint64_t since_ns, discontinuity_ns, incarnation, epoch;
};

struct node {
	struct registry_entry entry; /* first: registry_entries */
	struct counter *counter;     /* NULL for an instance */
	struct chain by_key, by_number;
	struct list in_order;
	struct list recent; /* in registry.recent */
	struct times noted; /* as registry_changes knows them */
	char key[];
};

struct registry {
	uint64_t secret;
	uint64_t round;
	uint64_t changes_persistent, changes_run, changes_kept;
	struct table keys, numbers, parents;
	struct list entries, counters;
	struct list recent[INDEX_KINDS]; /* those that were not asked for longest first */
	uint32_t most[INDEX_KINDS];	 /* that may be there without being asked for */
	uint32_t entry_count[INDEX_KINDS];
	struct list idle[INDEX_KINDS]; /* longest idle first */
	uint32_t idle_count[INDEX_KINDS];
	uint64_t floor[INDEX_KINDS];
};

/* Each NULL when there is none. */
struct node *registry_find_key(const struct registry *r, enum index_kind kind, uint32_t parent,
	const char *key, size_t key_length);
struct node *registry_find_number(
	const struct registry *r, enum index_kind kind, uint32_t parent, uint32_t number);
struct counter *registry_find_counter(
	const struct registry *r, enum index_kind kind, uint32_t parent);

/* The counter of (kind, parent), made when there is none; NULL without memory. */
struct counter *registry_need_counter(struct registry *r, enum index_kind kind, uint32_t parent);

/* Room in r->parents must have been reserved. The counter begins idle. */
void registry_link_counter(struct registry *r, struct counter *counter);

/* Makes an entry; `counter` NULL for an instance. Returns 0, -ENOSPC or -ENOMEM. */
int registry_add_node(struct registry *r, enum index_kind kind, uint32_t parent, uint32_t number,
	const char *key, size_t key_length, struct counter *counter, struct node **ret);

/* Room in r->keys and r->numbers must have been reserved; `counter` as above. */
void registry_link_node(struct registry *r, struct node *node, struct counter *counter);

/* Takes the node out of all lists and tables; the caller frees it with registry_free_node. */
void registry_unlink_node(struct registry *r, struct node *node);

/* Frees a node that is in no table, with what was kept. */
void registry_free_node(struct node *node);

/* True when this can be the key and the parent of an entry. */
bool registry_is_valid(enum index_kind kind, uint32_t parent, size_t key_length);

/* Takes the entry's times as noted; true when they were not. */
bool registry_note_times(struct node *node);

/* Counts a change of an entry of this kind for registry_changes. */
void registry_count_change(struct registry *r, enum index_kind kind);

#endif
