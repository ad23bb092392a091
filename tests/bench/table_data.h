/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A table for the programs that serve the agent's values in another way (table_container.c,
 * table_pass.c): text that bench.py writes, a line `ENTRY-OID ROWS COLUMNS`, then for each row in
 * order a line with its index and for each column a line `TYPE VALUE`. The types and the form of
 * values are those of pass_persist in snmpd.conf(5).
 */
#ifndef TESTS_BENCH_TABLE_DATA_H
#define TESTS_BENCH_TABLE_DATA_H

#include "tests/bench/bench.h"

#define TABLE_INDEX 3

struct table_value {
	char type[16];
	char text[256];
};

struct table_row {
	unsigned long index[TABLE_INDEX];
	struct table_value *values; /* one for each column; their numbers begin with 1 */
};

struct table {
	struct bench_name entry;
	size_t row_count, column_count;
	struct table_row *rows;
};

/* Reads all of it; ends the program when something is wrong with it. */
void table_read(const char *path, struct table *ret);

#endif
