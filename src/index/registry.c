/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The index registry (registry.h): two hash tables over the entries, by key and by number, and one
 * over the counters. Agent process. No I/O, no log; nothing here may block.
 *
 * Keys come from the names that peers chose, so the hash has a secret start: nobody can prepare
 * keys that all fall into one chain.
 */
#include "index/registry_private.h"

#include "base/clock.h"
#include "base/hash.h"

#include <sys/random.h>

bool index_kind_persists(enum index_kind kind)
{
	return kind <= INDEX_SOURCE;
}

const char *index_kind_name(enum index_kind kind)
{
	static const char *const names[INDEX_KINDS] = { "instance", "portal", "node", "auth",
		"path", "map", "probe", "source", "session", "connection" };

	return kind < INDEX_KINDS ? names[kind] : "?";
}

struct registry *registry_new(void)
{
	struct registry *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	if (getrandom(&r->secret, sizeof(r->secret), GRND_NONBLOCK) != sizeof(r->secret))
		r->secret = clock_now_ns() ^ (uintptr_t)r; /* early boot: better than none */
	r->round = 1;
	list_init(&r->entries);
	list_init(&r->counters);
	for (size_t k = 0; k < INDEX_KINDS; k++) {
		list_init(&r->idle[k]);
		list_init(&r->recent[k]);
		r->floor[k] = 1;
		r->most[k] = REGISTRY_UNSEEN_MAX;
	}
	return r;
}

static uint64_t hash_key(const struct registry *r, enum index_kind kind, uint32_t parent,
	const char *key, size_t key_length)
{
	const uint64_t head = (uint64_t)kind << 32 | parent;
	uint64_t hash = hash_bytes(HASH_INIT ^ r->secret, &head, sizeof(head));

	hash = hash_bytes(hash, key, key_length) ^ r->secret;
	/* The table uses the low bits, which FNV-1a mixes least. */
	hash ^= hash >> 32;
	hash *= UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

struct node *registry_find_key(const struct registry *r, enum index_kind kind, uint32_t parent,
	const char *key, size_t key_length)
{
	uint64_t hash = hash_key(r, kind, parent, key, key_length);

	for (struct chain *c = table_chain(&r->keys, hash); c; c = c->next) {
		struct node *node = LINK_OWNER(c, struct node, by_key);

		if (c->hash == hash && node->entry.kind == kind && node->entry.parent == parent &&
			node->entry.key_length == key_length && !memcmp(node->key, key, key_length))
			return node;
	}
	return NULL;
}

static uint64_t hash_number(
	const struct registry *r, enum index_kind kind, uint32_t parent, uint32_t number)
{
	return hash_key(r, kind, parent, (const char *)&number, sizeof(number));
}

struct node *registry_find_number(
	const struct registry *r, enum index_kind kind, uint32_t parent, uint32_t number)
{
	uint64_t hash = hash_number(r, kind, parent, number);

	for (struct chain *c = table_chain(&r->numbers, hash); c; c = c->next) {
		struct node *node = LINK_OWNER(c, struct node, by_number);

		if (c->hash == hash && node->entry.kind == kind && node->entry.parent == parent &&
			node->entry.number == number)
			return node;
	}
	return NULL;
}

struct counter *registry_find_counter(
	const struct registry *r, enum index_kind kind, uint32_t parent)
{
	uint64_t hash = hash_key(r, kind, parent, NULL, 0);

	for (struct chain *c = table_chain(&r->parents, hash); c; c = c->next) {
		struct counter *counter = LINK_OWNER(c, struct counter, by_parent);

		if (c->hash == hash && counter->counter.kind == kind &&
			counter->counter.parent == parent)
			return counter;
	}
	return NULL;
}

static void set_idle(struct registry *r, struct counter *counter)
{
	if (index_kind_persists(counter->counter.kind))
		return;
	list_append(&r->idle[counter->counter.kind], &counter->idle);
	r->idle_count[counter->counter.kind]++;
}

static void end_idle(struct registry *r, struct counter *counter)
{
	if (list_is_empty(&counter->idle))
		return;
	list_remove(&counter->idle);
	r->idle_count[counter->counter.kind]--;
}

void registry_link_counter(struct registry *r, struct counter *counter)
{
	const struct registry_counter *c = &counter->counter;

	table_add(&r->parents, &counter->by_parent, hash_key(r, c->kind, c->parent, NULL, 0));
	list_append(&r->counters, &counter->in_order);
	list_init(&counter->idle);
	set_idle(r, counter);
}

static void unlink_counter(struct registry *r, struct counter *counter)
{
	end_idle(r, counter);
	list_remove(&counter->in_order);
	table_remove(&r->parents, &counter->by_parent);
}

struct counter *registry_need_counter(struct registry *r, enum index_kind kind, uint32_t parent)
{
	struct counter *counter = registry_find_counter(r, kind, parent);

	if (counter)
		return counter;
	if (table_reserve(&r->parents, 1) < 0)
		return NULL;
	counter = calloc(1, sizeof(*counter));
	if (!counter)
		return NULL;
	counter->counter =
		(struct registry_counter){ .kind = kind, .parent = parent, .next = r->floor[kind] };
	registry_link_counter(r, counter);
	return counter;
}

void registry_link_node(struct registry *r, struct node *node, struct counter *counter)
{
	struct registry_entry *e = &node->entry;

	table_add(&r->keys, &node->by_key, hash_key(r, e->kind, e->parent, e->key, e->key_length));
	table_add(&r->numbers, &node->by_number, hash_number(r, e->kind, e->parent, e->number));
	list_append(&r->entries, &node->in_order);
	list_append(&r->recent[e->kind], &node->recent);
	r->entry_count[e->kind]++;
	node->counter = counter;
	if (counter && counter->live++ == 0)
		end_idle(r, counter);
}

void registry_unlink_node(struct registry *r, struct node *node)
{
	if (node->counter && --node->counter->live == 0)
		set_idle(r, node->counter);
	r->entry_count[node->entry.kind]--;
	list_remove(&node->in_order);
	list_remove(&node->recent);
	table_remove(&r->numbers, &node->by_number);
	table_remove(&r->keys, &node->by_key);
}

void registry_free_node(struct node *node)
{
	free(node->entry.kept);
	free(node);
}

int registry_keep(
	struct registry *r, struct registry_entry *entry, const void *octets, size_t length)
{
	struct registry_kept *kept = NULL;

	if (length) {
		kept = malloc(sizeof(*kept) + length);
		if (!kept)
			return -ENOMEM;
		kept->length = (uint16_t)length;
		memcpy(kept->octets, octets, length);
	}
	free(entry->kept);
	entry->kept = kept;
	r->changes_kept++;
	return 0;
}

static struct node *new_node(
	enum index_kind kind, uint32_t parent, uint32_t number, const char *key, size_t key_length)
{
	struct node *node = calloc(1, sizeof(*node) + key_length + 1);

	if (!node)
		return NULL;
	memcpy(node->key, key, key_length);
	node->entry = (struct registry_entry){ .kind = kind,
		.number = number,
		.parent = parent,
		.key = node->key,
		.key_length = (uint16_t)key_length };
	return node;
}

void registry_count_change(struct registry *r, enum index_kind kind)
{
	r->changes_run++;
	if (index_kind_persists(kind))
		r->changes_persistent++;
}

int registry_add_node(struct registry *r, enum index_kind kind, uint32_t parent, uint32_t number,
	const char *key, size_t key_length, struct counter *counter, struct node **ret)
{
	struct node *node;

	if (r->entry_count[kind] >= REGISTRY_ENTRIES_MAX)
		return -ENOSPC;
	if (table_reserve(&r->keys, 1) < 0 || table_reserve(&r->numbers, 1) < 0)
		return -ENOMEM;
	node = new_node(kind, parent, number, key, key_length);
	if (!node)
		return -ENOMEM;
	registry_link_node(r, node, counter);
	*ret = node;
	return 0;
}

static int add_numbered(struct registry *r, enum index_kind kind, uint32_t parent, const char *key,
	size_t key_length, struct node **ret)
{
	struct counter *counter;
	int rc;

	if (kind == INDEX_INSTANCE)
		return registry_add_node(r, kind, parent, parent, key, key_length, NULL, ret);
	if (r->entry_count[kind] >= REGISTRY_ENTRIES_MAX)
		return -ENOSPC; /* before a counter is made for nothing */
	counter = registry_need_counter(r, kind, parent);
	if (!counter)
		return -ENOMEM;
	if (counter->counter.next > UINT32_MAX)
		return -ENOSPC;
	rc = registry_add_node(
		r, kind, parent, (uint32_t)counter->counter.next, key, key_length, counter, ret);
	if (rc == 0)
		counter->counter.next++;
	return rc;
}

bool registry_is_valid(enum index_kind kind, uint32_t parent, size_t key_length)
{
	return kind < INDEX_KINDS && key_length >= 1 && key_length <= REGISTRY_KEY_MAX &&
	       (kind != INDEX_INSTANCE || parent != 0);
}

int registry_number(struct registry *r, enum index_kind kind, uint32_t parent, const char *key,
	size_t key_length, uint64_t now_ns, struct registry_entry **ret, bool *ret_new)
{
	struct node *node;
	bool is_new;

	if (!registry_is_valid(kind, parent, key_length))
		return -EINVAL;
	node = registry_find_key(r, kind, parent, key, key_length);
	is_new = !node;
	if (is_new) {
		int rc = add_numbered(r, kind, parent, key, key_length, &node);

		if (rc < 0)
			return rc;
	}
	if (node->entry.seen == 0) {
		node->entry.since_ns = node->noted.since_ns = now_ns;
		node->entry.is_fresh = true;
		registry_count_change(r, kind);
	}
	if (node->entry.seen != r->round) {
		node->entry.seen = r->round;
		list_remove(&node->recent);
		list_append(&r->recent[kind], &node->recent);
	}
	*ret = &node->entry;
	if (ret_new)
		*ret_new = is_new;
	return 0;
}

struct registry_entry *registry_find(struct registry *r, enum index_kind kind, uint32_t parent,
	const char *key, size_t key_length)
{
	struct node *node;

	if (!registry_is_valid(kind, parent, key_length))
		return NULL;
	node = registry_find_key(r, kind, parent, key, key_length);
	return node ? &node->entry : NULL;
}

bool registry_note_times(struct node *node)
{
	const struct registry_entry *e = &node->entry;
	struct times *noted = &node->noted;

	if (noted->since_ns == e->since_ns && noted->discontinuity_ns == e->discontinuity_ns &&
		noted->incarnation == e->incarnation && noted->epoch == e->epoch)
		return false;
	*noted = (struct times){ e->since_ns, e->discontinuity_ns, e->incarnation, e->epoch };
	return true;
}

/* Of the counters without entries keeps the latest. */
static void fold_idle(struct registry *r, enum index_kind kind)
{
	while (r->idle_count[kind] > REGISTRY_IDLE_MAX) {
		struct counter *oldest = LINK_OWNER(r->idle[kind].next, struct counter, idle);

		/*
		 * A session's number is never given again, so its connections' numbers cannot be
		 * seen twice; without a floor those of new sessions go on to begin at 1.
		 */
		if (kind != INDEX_CONNECTION && r->floor[kind] < oldest->counter.next)
			r->floor[kind] = oldest->counter.next;
		unlink_counter(r, oldest);
		free(oldest);
	}
}

/* Forgets what was not asked for in `keep` rounds, and what of that is too much. */
static void forget(struct registry *r, enum index_kind kind, uint32_t keep, uint32_t unseen)
{
	struct list *l, *next;

	for (l = r->recent[kind].next; l != &r->recent[kind]; l = next) {
		struct node *node = LINK_OWNER(l, struct node, recent);
		uint64_t age = r->round - node->entry.seen;
		bool is_old = age >= keep && !index_kind_persists(kind);

		if (!is_old && (unseen <= r->most[kind] || age < REGISTRY_UNSEEN_ROUNDS))
			return;
		next = l->next;
		unseen--;
		registry_count_change(r, kind);
		registry_unlink_node(r, node);
		registry_free_node(node);
	}
}

void registry_sweep(struct registry *r, uint32_t keep)
{
	uint32_t seen[INDEX_KINDS] = { 0 };

	for (struct list *l = r->entries.next; l != &r->entries; l = l->next) {
		struct node *node = LINK_OWNER(l, struct node, in_order);

		node->entry.is_fresh = false;
		if (registry_note_times(node))
			r->changes_run++;
		seen[node->entry.kind] += node->entry.seen == r->round;
	}
	for (size_t k = 0; k < INDEX_KINDS; k++) {
		uint32_t most = seen[k];

		if (r->round == 1) /* what was loaded may be asked for later */
			most = r->entry_count[k] < REGISTRY_LOADED_MAX ? r->entry_count[k]
								       : REGISTRY_LOADED_MAX;
		if (r->most[k] < most)
			r->most[k] = most;
		forget(r, (enum index_kind)k, keep ? keep : 1, r->entry_count[k] - seen[k]);
		fold_idle(r, (enum index_kind)k);
	}
	r->round++;
}

uint64_t registry_changes(const struct registry *r, bool persistent)
{
	return persistent ? r->changes_persistent : r->changes_run;
}

uint64_t registry_kept_changes(const struct registry *r)
{
	return r->changes_kept;
}

uint32_t registry_next(const struct registry *r, enum index_kind kind, uint32_t parent)
{
	const struct counter *counter;
	uint64_t next;

	if (kind == INDEX_INSTANCE)
		return parent;
	if (kind >= INDEX_KINDS)
		return 0;
	counter = registry_find_counter(r, kind, parent);
	next = counter ? counter->counter.next : r->floor[kind];
	return next > UINT32_MAX ? 0 : (uint32_t)next;
}

uint32_t registry_count(const struct registry *r, enum index_kind kind)
{
	return kind < INDEX_KINDS ? r->entry_count[kind] : 0;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	while (!list_is_empty(&r->entries)) {
		struct node *node = LINK_OWNER(r->entries.next, struct node, in_order);

		list_remove(&node->in_order);
		registry_free_node(node);
	}
	while (!list_is_empty(&r->counters)) {
		struct counter *counter = LINK_OWNER(r->counters.next, struct counter, in_order);

		list_remove(&counter->in_order);
		free(counter);
	}
	table_free(&r->keys);
	table_free(&r->numbers);
	table_free(&r->parents);
	free(r);
}

const struct registry_entry *registry_entries(
	const struct registry *r, const struct registry_entry *previous)
{
	struct list *next = r->entries.next;

	if (previous)
		next = ((const struct node *)(const void *)previous)->in_order.next;
	return next == &r->entries ? NULL : &LINK_OWNER(next, struct node, in_order)->entry;
}

const struct registry_counter *registry_counters(
	const struct registry *r, const struct registry_counter *previous)
{
	struct list *next = r->counters.next;

	if (previous)
		next = ((const struct counter *)(const void *)previous)->in_order.next;
	return next == &r->counters ? NULL : &LINK_OWNER(next, struct counter, in_order)->counter;
}

uint64_t registry_floor(const struct registry *r, enum index_kind kind)
{
	return kind < INDEX_KINDS ? r->floor[kind] : 1;
}
