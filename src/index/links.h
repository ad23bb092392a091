/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Links that live inside the linked things: an ordered list and a hash table of chains. Neither
 * owns or allocates what it links, so an element has one address for life and moves between
 * tables without a copy. Used by the registry only (registry.c); agent process.
 */
#ifndef INDEX_LINKS_H
#define INDEX_LINKS_H

#include "base/base.h"

/* The structure of which `pointer` is the given member. */
#define LINK_OWNER(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* A list is a circle through its head; an element that is in no list points to itself. */
struct list {
	struct list *next, *previous;
};

static inline void list_init(struct list *l)
{
	l->next = l->previous = l;
}

static inline bool list_is_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_append(struct list *head, struct list *element)
{
	element->previous = head->previous;
	element->next = head;
	head->previous->next = element;
	head->previous = element;
}

/* Takes the element out of its list; does nothing when it is in none. */
static inline void list_remove(struct list *element)
{
	element->previous->next = element->next;
	element->next->previous = element->previous;
	list_init(element);
}

/* One element of a chain. */
struct chain {
	struct chain *next;
	uint64_t hash;
};

struct table {
	struct chain **heads; /* a power of two, or NULL */
	size_t size;
	size_t count;
};

/* Makes room for `more` elements beyond those in it. Returns 0, or -ENOMEM with nothing changed. */
int table_reserve(struct table *t, size_t more);

/* Links an element; room must have been reserved. */
void table_add(struct table *t, struct chain *element, uint64_t hash);

/* Takes out an element that is in the table. */
void table_remove(struct table *t, struct chain *element);

/* The chain that holds all elements of this hash, among others; NULL when there is none. */
static inline struct chain *table_chain(const struct table *t, uint64_t hash)
{
	return t->size ? t->heads[hash & (t->size - 1)] : NULL;
}

/* Frees the table, not its elements. */
void table_free(struct table *t);

#endif
