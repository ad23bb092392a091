/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a view, for mib_view.c (makes and frees it) and mib_engine.c (searches in it)
 * only. Everybody else sees mib.h.
 */
#ifndef AGENT_MIB_VIEW_H
#define AGENT_MIB_VIEW_H

#include "agent/mib.h"

/* The sorted rows of a row set; tables with one row set share them. */
struct view_rows {
	const struct mib_rowset *set;
	struct mib_row *rows;
	uint32_t count;
};

/* Rows begin … end - 1, whose cells in a column are all known. */
struct view_run {
	uint32_t begin, end;
};

/* What the engine remembers of a column of this view. Filled while it answers. */
struct view_column {
	uint32_t hint; /* the row that was answered last: the next request is likely about it */
	uint32_t run_count;
	struct view_run *runs;
	bool runs_known; /* a hole was seen, and runs made */
};

struct view_table {
	struct mib_name entry; /* root and path: what all its cells begin with */
	const struct view_rows *rows;
	struct view_column *columns; /* as many as the table has */
};

struct mib_view {
	const struct mib_module *module;
	struct snapshot *snapshot;
	uint64_t uptime_zero_ns;
	struct view_table *tables; /* as many as the module has */
	struct view_rows *rowsets;
	uint32_t rowset_count;
	struct view_column *columns; /* of all tables, one after the other */
	uint32_t column_count;
	uint16_t *table_hint; /* the table that was answered from last */
};

/* Compares the indexes of two rows: <0, 0, >0. */
static inline int view_compare_keys(const uint32_t *a, const uint32_t *b, uint8_t length)
{
	for (uint8_t i = 0; i < length; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return 0;
}

#endif
