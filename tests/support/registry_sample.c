/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/registry_sample.h"

struct registry_entry *registry_sample_add(struct registry *r, enum index_kind kind,
	uint32_t parent, const char *key, size_t length, uint64_t now_ns)
{
	struct registry_entry *e = NULL;

	if (registry_number(r, kind, parent, key, length, now_ns, &e, NULL) < 0)
		abort();
	return e;
}

void registry_sample_fill(struct registry *r)
{
	static const char odd[] = "x \0\n%\x7f\xff end";

	registry_sample_add(r, INDEX_SESSION, 1, "gone", 4, 1);
	registry_sample_add(r, INDEX_CONNECTION, 9, "gone", 4, 1);
	registry_sweep(r, 1);
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		struct registry_entry *e = registry_sample_add(r, k, 7, "key", 3, 1000 + k);

		e->discontinuity_ns = 2000 + k;
		e->incarnation = UINT64_MAX - k;
		registry_sample_add(r, k, 7, odd, sizeof(odd) - 1, 0);
	}
	registry_sweep(r, 1);
}

static bool same_entry(
	const struct registry_entry *x, const struct registry_entry *y, bool persistent)
{
	if (!y || y->number != x->number || !y->seen != !x->seen)
		return false;
	return persistent ||
	       (y->since_ns == x->since_ns && y->discontinuity_ns == x->discontinuity_ns &&
		       y->incarnation == x->incarnation);
}

bool registry_sample_same(const struct registry *a, struct registry *b, bool persistent)
{
	const struct registry_entry *e = NULL;

	while ((e = registry_entries(a, e))) {
		if (persistent && !index_kind_persists(e->kind))
			continue;
		if (!same_entry(e, registry_find(b, e->kind, e->parent, e->key, e->key_length),
			    persistent)) {
			fprintf(stderr, "%s %u of parent %u differs\n", index_kind_name(e->kind),
				e->number, e->parent);
			return false;
		}
	}
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (persistent && !index_kind_persists(k))
			continue;
		if (registry_count(a, k) != registry_count(b, k))
			return false;
		for (uint32_t parent = 0; parent < 12; parent++) {
			if (registry_next(a, k, parent) != registry_next(b, k, parent))
				return false;
		}
	}
	return true;
}
