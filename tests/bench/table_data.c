/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/table_data.h"

static void read_row(FILE *file, struct table_row *row, size_t columns)
{
	if (fscanf(file, "%lu.%lu.%lu\n", &row->index[0], &row->index[1], &row->index[2]) != 3)
		bench_die("no index of a row");
	row->values = calloc(columns, sizeof(row->values[0]));
	if (!row->values)
		bench_die("no memory");
	for (size_t i = 0; i < columns; i++) {
		struct table_value *value = &row->values[i];

		/* A text may be empty: then the line ends behind its type. */
		if (fscanf(file, "%15s", value->type) != 1 || fgetc(file) != ' ' ||
			!fgets(value->text, sizeof(value->text), file))
			bench_die("no value");
		value->text[strcspn(value->text, "\n")] = '\0';
	}
}

void table_read(const char *path, struct table *ret)
{
	FILE *file = fopen(path, "re");
	char entry[128];

	if (!file)
		bench_die("%s: %s", path, strerror(errno));
	if (fscanf(file, "%127s %zu %zu\n", entry, &ret->row_count, &ret->column_count) != 3)
		bench_die("%s: no head", path);
	bench_parse_name(entry, &ret->entry);
	ret->rows = calloc(ret->row_count, sizeof(ret->rows[0]));
	if (!ret->rows)
		bench_die("no memory");
	for (size_t i = 0; i < ret->row_count; i++)
		read_row(file, &ret->rows[i], ret->column_count);
	fclose(file);
}
