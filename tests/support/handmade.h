/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Snapshots made by hand or by chance, for tests of what answers from them: no registry, no
 * fragments, numbers as the test wants them. Without memory the test is aborted.
 */
#ifndef TESTS_SUPPORT_HANDMADE_H
#define TESTS_SUPPORT_HANDMADE_H

#include "model/snapshot.h"

/* An empty snapshot with one reference; freed with snapshot_put. */
struct snapshot *handmade_new(void);

/*
 * Adds an object: number 0, all fields unknown, links to nothing. Returns it, valid until the next
 * of its kind is added; `ret_position` may be NULL.
 */
void *handmade_add(struct snapshot *s, enum object_kind kind, uint32_t *ret_position);

/* Sets a text field to a copy. */
void handmade_text(struct snapshot *s, struct opt_str *field, const char *text, size_t length);

/* Chance that repeats: the same seed gives the same numbers. Below `below`, which is not 0. */
uint64_t handmade_chance(uint64_t *seed, uint64_t below);

/*
 * A snapshot of up to `size` objects of each kind. Fields are known or not in different patterns
 * (never, always, at random, in runs), values go to the ends of their ranges, numbers too, some
 * objects have no number and some the number of another one.
 */
struct snapshot *handmade_random(uint64_t *seed, uint32_t size);

#endif
