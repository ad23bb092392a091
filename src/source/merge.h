/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What several targets have in common, for the portals that serve all of them. Called for one
 * target after the other by sources in their reader process; `first` is true for the first one.
 * What one of them does not tell is unknown of all.
 */
#ifndef SOURCE_MERGE_H
#define SOURCE_MERGE_H

#include "model/opt.h"

/* Keeps a value that all have. */
static inline void merge_same(struct opt_u32 *into, const struct opt_u32 *from, bool first)
{
	if (first)
		*into = *from;
	else if (!from->known || !into->known || from->value != into->value)
		*into = (struct opt_u32){ .known = 0 };
}

/* Keeps the smallest value. */
static inline void merge_smallest(struct opt_u32 *into, const struct opt_u32 *from, bool first)
{
	if (first || !from->known || (into->known && from->value < into->value))
		*into = *from;
}

#endif
