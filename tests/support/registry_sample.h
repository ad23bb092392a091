/* SPDX-License-Identifier: BSD-2-Clause */
/* A registry with something of everything, for the tests of its files. */
#ifndef TESTS_REGISTRY_SAMPLE_H
#define TESTS_REGISTRY_SAMPLE_H

#include "index/registry.h"

/* registry_number, which must succeed. */
struct registry_entry *registry_sample_add(struct registry *r, enum index_kind kind,
	uint32_t parent, const char *key, size_t length, uint64_t now_ns);

/* One entry of each kind, gaps in the numbers, a counter without entries, odd octets in a key. */
void registry_sample_fill(struct registry *r);

/* The same entries, numbers and counters; times, too, unless only the kinds that persist. */
void registry_sample_assert_same(
	const struct registry *a, const struct registry *b, bool persistent);

#endif
