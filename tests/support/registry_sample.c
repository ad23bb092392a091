/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/support/registry_sample.h"

struct registry_entry *registry_sample_add(struct registry *r, enum index_kind kind,
	uint32_t parent, const char *key, size_t length, uint64_t now_ns)
{
	struct registry_entry *e = NULL;

	assert_int_equal(registry_number(r, kind, parent, key, length, now_ns, &e, NULL), 0);
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

void registry_sample_assert_same(
	const struct registry *a, const struct registry *b, bool persistent)
{
	const struct registry_entry *x = NULL;
	uint32_t count = 0;

	while ((x = registry_entries(a, x))) {
		struct registry_entry *y;

		if (persistent && !index_kind_persists(x->kind))
			continue;
		/* registry_find does not change, but its entry could be. */
		y = registry_find(
			(struct registry *)(uintptr_t)b, x->kind, x->parent, x->key, x->key_length);
		assert_non_null(y);
		assert_int_equal(y->number, x->number);
		assert_int_equal(y->seen != 0, x->seen != 0);
		if (!persistent) {
			assert_int_equal(y->since_ns, x->since_ns);
			assert_int_equal(y->discontinuity_ns, x->discontinuity_ns);
			assert_true(y->incarnation == x->incarnation);
		}
		count++;
	}
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (persistent && !index_kind_persists(k))
			continue;
		count -= registry_count(b, k);
		for (uint32_t parent = 0; parent < 12; parent++)
			assert_int_equal(registry_next(a, k, parent), registry_next(b, k, parent));
	}
	assert_int_equal(count, 0);
}
