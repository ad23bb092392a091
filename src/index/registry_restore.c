/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry, made from a file: single entries and counters, and the union of two registries.
 * Called by store.c; agent process. No I/O, no log.
 */
#include "index/registry_private.h"

int registry_restore_next(struct registry *r, enum index_kind kind, uint32_t parent, uint64_t next)
{
	struct counter *counter;

	if (kind >= INDEX_KINDS || kind == INDEX_INSTANCE || next < 1 ||
		next > (uint64_t)UINT32_MAX + 1)
		return -EINVAL;
	if (registry_find_counter(r, kind, parent))
		return -EEXIST;
	counter = registry_need_counter(r, kind, parent);
	if (!counter)
		return -ENOMEM;
	counter->counter.next = next;
	return 0;
}

void registry_restore_floor(struct registry *r, enum index_kind kind, uint64_t next)
{
	if (kind < INDEX_KINDS && r->floor[kind] < next)
		r->floor[kind] = next;
}

int registry_restore_entry(struct registry *r, enum index_kind kind, uint32_t parent,
	uint32_t number, const char *key, size_t key_length, struct registry_entry **ret)
{
	struct counter *counter = NULL;
	struct node *node;
	int rc;

	if (!registry_is_valid(kind, parent, key_length) || number == 0)
		return -EINVAL;
	if (kind == INDEX_INSTANCE) {
		if (number != parent)
			return -EINVAL;
	} else {
		counter = registry_find_counter(r, kind, parent);
		if (!counter || number >= counter->counter.next)
			return -EINVAL;
		if (registry_find_number(r, kind, parent, number))
			return -EEXIST;
	}
	if (registry_find_key(r, kind, parent, key, key_length))
		return -EEXIST;
	rc = registry_add_node(r, kind, parent, number, key, key_length, counter, &node);
	if (rc < 0)
		return rc;
	*ret = &node->entry;
	return 0;
}

void registry_begin_boot(struct registry *r)
{
	bool crowded[INDEX_KINDS];
	struct list *l, *next;

	for (size_t k = 0; k < INDEX_KINDS; k++)
		crowded[k] = r->entry_count[k] > REGISTRY_ENTRIES_MAX / 2;
	for (l = r->entries.next; l != &r->entries; l = next) {
		struct node *node = LINK_OWNER(l, struct node, in_order);
		struct registry_entry *e = &node->entry;

		next = l->next;
		if (e->seen == 0 && crowded[e->kind]) {
			registry_unlink_node(r, node);
			registry_free_node(node);
			continue;
		}
		e->seen = e->since_ns = e->discontinuity_ns = e->incarnation = e->epoch = 0;
		free(e->kept);
		e->kept = NULL;
	}
}

/* Moves the counters of `from` that `r` has not, and frees the others. */
static void merge_counters(struct registry *r, struct registry *from)
{
	while (!list_is_empty(&from->counters)) {
		struct counter *theirs = LINK_OWNER(from->counters.next, struct counter, in_order);
		struct counter *ours =
			registry_find_counter(r, theirs->counter.kind, theirs->counter.parent);

		list_remove(&theirs->in_order);
		list_remove(&theirs->idle);
		if (!ours) {
			theirs->live = 0;
			registry_link_counter(r, theirs);
			continue;
		}
		if (ours->counter.next < theirs->counter.next)
			ours->counter.next = theirs->counter.next;
		free(theirs);
	}
	for (size_t k = 0; k < INDEX_KINDS; k++)
		registry_restore_floor(r, (enum index_kind)k, from->floor[k]);
}

/* What `r` has under this key learns what `theirs` knows; false when the numbers differ. */
static bool merge_known(struct registry *r, struct node *ours, struct node *theirs, bool times)
{
	if (ours->entry.number != theirs->entry.number)
		return false;
	if (ours->entry.seen == 0 && theirs->entry.seen)
		ours->entry.seen = r->round;
	if (times) {
		ours->entry.since_ns = theirs->entry.since_ns;
		ours->entry.discontinuity_ns = theirs->entry.discontinuity_ns;
		ours->entry.incarnation = theirs->entry.incarnation;
		ours->entry.epoch = theirs->entry.epoch;
		free(ours->entry.kept);
		ours->entry.kept = theirs->entry.kept;
		theirs->entry.kept = NULL;
		registry_note_times(ours);
	}
	return true;
}

/* Takes a node that is in no table. Returns false when it had to be left out. */
static bool merge_node(struct registry *r, struct node *theirs, bool times)
{
	struct registry_entry *e = &theirs->entry;
	struct node *ours = registry_find_key(r, e->kind, e->parent, e->key, e->key_length);
	bool fits;

	if (ours) {
		fits = merge_known(r, ours, theirs, times);
		registry_free_node(theirs);
		return fits;
	}
	fits = r->entry_count[e->kind] < REGISTRY_ENTRIES_MAX &&
	       (e->kind == INDEX_INSTANCE ||
		       !registry_find_number(r, e->kind, e->parent, e->number));
	if (!fits) {
		registry_free_node(theirs);
		return false;
	}
	if (e->seen)
		e->seen = r->round;
	registry_note_times(theirs);
	registry_link_node(r, theirs,
		e->kind == INDEX_INSTANCE ? NULL : registry_find_counter(r, e->kind, e->parent));
	registry_count_change(r, e->kind);
	return true;
}

int registry_merge(struct registry *r, struct registry *from, bool times, uint32_t *ret_left_out)
{
	uint32_t left_out = 0;

	if (table_reserve(&r->keys, from->keys.count) < 0 ||
		table_reserve(&r->numbers, from->numbers.count) < 0 ||
		table_reserve(&r->parents, from->parents.count) < 0)
		return -ENOMEM;
	/* From here nothing can fail, and the tables of `from` are not used any more. */
	table_free(&from->keys);
	table_free(&from->numbers);
	table_free(&from->parents);
	merge_counters(r, from);
	while (!list_is_empty(&from->entries)) {
		struct node *theirs = LINK_OWNER(from->entries.next, struct node, in_order);

		list_remove(&theirs->in_order);
		list_remove(&theirs->recent);
		if (!merge_node(r, theirs, times))
			left_out++;
	}
	for (size_t k = 0; k < INDEX_KINDS; k++) {
		from->entry_count[k] = from->idle_count[k] = 0;
		from->floor[k] = 1;
	}
	*ret_left_out = left_out;
	return 0;
}
