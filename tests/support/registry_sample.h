/* SPDX-License-Identifier: BSD-2-Clause */
/* A registry with something of everything, for the tests of its files. */
#ifndef TESTS_REGISTRY_SAMPLE_H
#define TESTS_REGISTRY_SAMPLE_H

#include "index/registry.h"

/* registry_number, which must succeed: the program is aborted otherwise. */
struct registry_entry *registry_sample_add(struct registry *r, enum index_kind kind,
	uint32_t parent, const char *key, size_t length, uint64_t now_ns);

/*
 * One entry of each kind with all that can be kept of it, gaps in the numbers, a counter without
 * entries, odd octets in a key.
 */
void registry_sample_fill(struct registry *r);

/*
 * True when both have the same entries, numbers and counters; and the same times and kept values,
 * unless only the kinds that persist are compared. Says on standard error what differs.
 */
bool registry_sample_same(const struct registry *a, struct registry *b, bool persistent);

#endif
