/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The units of one source that are there, and the counts of those that were: a row of the source
 * table counts since the agent's start, whether its unit is there or not. For reader/units.c only;
 * agent process, no I/O.
 */
#ifndef READER_UNIT_LIST_H
#define READER_UNIT_LIST_H

#include "reader/units.h"

struct unit {
	struct source_status status;
	struct unit_fragment fragment;
	uint64_t serial; /* of the last poll that named it */
	bool from_start; /* the first poll of its source has named it, be it that it failed */
	bool read;	 /* it had a fragment */
	bool first;  /* its fragment is from the first poll of its source, or the first of such */
	bool unseen; /* units_same was called, and no snapshot shows it yet */
};

/* Zeros: without any. */
struct unit_list {
	struct unit *units[UNITS_MAX];
	uint32_t count;
	struct unit *gone[UNITS_MAX]; /* for their counts, the one that went first at 0 */
	uint32_t gone_count;
};

void unit_list_clear(struct unit_list *list);

/* NULL: there is none of that name. */
struct unit *unit_list_find(const struct unit_list *list, const char *name);

/*
 * Adds a unit of a name that is not there. It begins with nothing but the counts that its row has:
 * those of a unit of that name that is gone, or of `source`, the status of the source itself, whose
 * row is that of a unit without a name. Returns 0, -ENOSPC (there are UNITS_MAX) or -ENOMEM.
 */
int unit_list_add(struct unit_list *list, const struct source_status *source, const char *name,
	struct unit **ret);

/* Ends a unit and frees its fragment; `source` has its row then, if it has no name. */
void unit_list_remove(struct unit_list *list, uint32_t position, struct source_status *source);

#endif
