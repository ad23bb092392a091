/* SPDX-License-Identifier: BSD-2-Clause */
/* The hash table of links.h. Agent process; no I/O, no log. */
#include "index/links.h"

#define SIZE_AT_FIRST 64

int table_reserve(struct table *t, size_t more)
{
	size_t size = t->size ? t->size : SIZE_AT_FIRST;
	struct chain **heads;

	if (more > SIZE_MAX / 4 / sizeof(*heads) - t->count)
		return -ENOMEM;
	while (size < t->count + more)
		size *= 2;
	if (size == t->size)
		return 0;
	heads = calloc(size, sizeof(*heads));
	if (!heads)
		return -ENOMEM;
	for (size_t i = 0; i < t->size; i++) {
		struct chain *element = t->heads[i], *next;

		for (; element; element = next) {
			struct chain **head = &heads[element->hash & (size - 1)];

			next = element->next;
			element->next = *head;
			*head = element;
		}
	}
	free(t->heads);
	t->heads = heads;
	t->size = size;
	return 0;
}

void table_add(struct table *t, struct chain *element, uint64_t hash)
{
	struct chain **head = &t->heads[hash & (t->size - 1)];

	element->hash = hash;
	element->next = *head;
	*head = element;
	t->count++;
}

void table_remove(struct table *t, struct chain *element)
{
	struct chain **at = &t->heads[element->hash & (t->size - 1)];

	while (*at != element)
		at = &(*at)->next;
	*at = element->next;
	t->count--;
}

void table_free(struct table *t)
{
	free(t->heads);
	*t = (struct table){ .heads = NULL };
}
