/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent's values served by pass_persist (snmpd.conf(5)), as scripts do it, but in C.
 *
 *	pass_persist OID table_pass TABLE
 */
#include "tests/bench/table_data.h"

static int compare_index(const struct table_row *row, const unsigned long *ids, size_t length)
{
	for (size_t i = 0; i < TABLE_INDEX && i < length; i++) {
		if (row->index[i] != ids[i])
			return row->index[i] < ids[i] ? -1 : 1;
	}
	return length < TABLE_INDEX ? 1 : length > TABLE_INDEX ? -1 : 0;
}

/* The first row that is not before the index, or, with `next`, that is behind it. */
static size_t find_row(const struct table *t, const unsigned long *ids, size_t length, bool next)
{
	size_t low = 0, high = t->row_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_index(&t->rows[middle], ids, length);

		if (order < 0 || (next && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void print_cell(const struct table *t, size_t column, size_t row)
{
	const struct table_value *value = &t->rows[row].values[column];

	for (size_t i = 0; i < t->entry.length; i++)
		printf(".%lu", t->entry.ids[i]);
	printf(".%zu.%lu.%lu.%lu\n%s\n%s\n", column + 1, t->rows[row].index[0],
		t->rows[row].index[1], t->rows[row].index[2], value->type, value->text);
}

static void answer(const struct table *t, const struct bench_name *name, bool next)
{
	size_t column = 0, row = 0, length = name->length - t->entry.length;
	const unsigned long *rest = name->ids + t->entry.length;
	struct bench_name head = *name;

	if (name->length < t->entry.length) {
		puts("NONE");
		return;
	}
	head.length = t->entry.length;
	if (bench_compare(&head, &t->entry) != 0 || (length && rest[0] > t->column_count)) {
		puts("NONE");
		return;
	}
	if (length && rest[0] > 0) {
		column = rest[0] - 1;
		row = find_row(t, rest + 1, length - 1, next);
	}
	if (row == t->row_count && next) {
		column++;
		row = 0;
	}
	if (column == t->column_count || row == t->row_count ||
		(!next && compare_index(&t->rows[row], rest + 1, length - 1) != 0))
		puts("NONE");
	else
		print_cell(t, column, row);
}

int main(int argc, char **argv)
{
	struct bench_name name;
	struct table table;
	char line[512];

	if (argc != 2)
		bench_die("usage: table_pass TABLE");
	table_read(argv[1], &table);
	while (fgets(line, sizeof(line), stdin)) {
		bool next = strcmp(line, "getnext\n") == 0;

		if (strcmp(line, "PING\n") == 0) {
			puts("PONG");
		} else if (next || strcmp(line, "get\n") == 0) {
			if (!fgets(line, sizeof(line), stdin))
				break;
			line[strcspn(line, "\n")] = '\0';
			bench_parse_name(line, &name);
			answer(&table, &name, next);
		} else if (line[0] == '\n') {
			break;
		}
		fflush(stdout);
	}
	return EXIT_SUCCESS;
}
