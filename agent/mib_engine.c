/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GET and GETNEXT over a view. Called for every varbind of every request, in the agent process,
 * with names that a manager chose: nothing here fails, blocks, or takes time that grows with the
 * number of rows, except that the holes of a column are looked for once in the life of a view.
 *
 * A name is a module's root, a table's path, a column's sub-identifier and a row's index. Where a
 * name stands is found from left to right; a walk finds its row by the hint of the column without
 * a search.
 */
#include "agent/mib_view.h"

/* A cell, or the place before it: column and row may be one past the last. */
struct place {
	uint16_t table, column;
	uint32_t row;
};

int mib_compare(const mib_oid *a, size_t a_length, const mib_oid *b, size_t b_length)
{
	for (size_t i = 0; i < a_length && i < b_length; i++) {
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return a_length < b_length ? -1 : a_length > b_length;
}

/*
 * Where a name stands to everything that begins with `prefix`: -1 before all of it (also when the
 * name is the beginning of the prefix), 0 it begins with the prefix itself, 1 behind all of it.
 */
static int compare_to_prefix(
	const mib_oid *name, size_t length, const mib_oid *prefix, size_t prefix_length)
{
	for (size_t i = 0; i < prefix_length; i++) {
		if (i == length)
			return -1;
		if (name[i] != prefix[i])
			return name[i] < prefix[i] ? -1 : 1;
	}
	return 0;
}

static int compare_to_table(
	const mib_oid *name, size_t length, const struct mib_module *module, uint16_t table)
{
	return compare_to_prefix(
		name, length, module->tables[table].path, module->tables[table].path_length);
}

/* The first table that is not wholly before the name, which is given from below the root. */
static uint16_t find_table(
	const struct mib_module *module, const mib_oid *name, size_t length, bool *ret_inside)
{
	uint16_t low = 0, high = module->table_count;

	*ret_inside = true;
	while (low < high) {
		uint16_t middle = (uint16_t)((low + high) / 2);
		int order = compare_to_table(name, length, module, middle);

		if (order == 0)
			return middle;
		if (order > 0)
			low = (uint16_t)(middle + 1);
		else
			high = middle;
	}
	*ret_inside = false;
	return low;
}

/* The first column whose sub-identifier is not less; column_count when there is none. */
static uint16_t find_column(const struct mib_table *table, mib_oid sub_id)
{
	uint16_t low = 0, high = table->column_count;
	mib_oid guess = sub_id - table->columns[0].sub_id; /* most tables leave no number out */

	if (guess < high && table->columns[guess].sub_id == sub_id)
		return (uint16_t)guess;
	while (low < high) {
		uint16_t middle = (uint16_t)((low + high) / 2);

		if (table->columns[middle].sub_id < sub_id)
			low = (uint16_t)(middle + 1);
		else
			high = middle;
	}
	return low;
}

/* All of both keys: what is behind an index is zero. */
static bool is_key(const struct mib_row *row, const uint32_t key[MIB_KEY_MAX])
{
	return memcmp(row->key, key, sizeof(row->key)) == 0;
}

/* The first row whose key is not less; `*ret_equal` tells whether it is that very key. */
static uint32_t find_row(
	const struct view_rows *r, uint32_t hint, const uint32_t key[MIB_KEY_MAX], bool *ret_equal)
{
	const uint8_t length = r->set->key_length;
	uint32_t low = 0, high = r->count, guess;

	*ret_equal = true;
	if (hint < high && is_key(&r->rows[hint], key))
		return hint;
	if (hint + 1 < high && is_key(&r->rows[hint + 1], key))
		return hint + 1;
	if (hint - 1 < high && is_key(&r->rows[hint - 1], key))
		return hint - 1;
	/* Most tables leave few numbers out: as many rows further as the last one is higher. */
	if (hint < high) {
		guess = hint + (key[length - 1] - r->rows[hint].key[length - 1]);
		if (guess < high && is_key(&r->rows[guess], key))
			return guess;
	}
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (view_compare_keys(r->rows[middle].key, key, length) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_equal = low < r->count && is_key(&r->rows[low], key);
	return low;
}

/* The first row behind an index of any length and content, or at it when `include`. */
static uint32_t find_next_row(
	const struct view_rows *r, uint32_t hint, const mib_oid *index, size_t length, bool include)
{
	uint32_t key[MIB_KEY_MAX] = { 0 };
	bool behind = length > r->set->key_length || (length == r->set->key_length && !include);
	bool equal;
	uint32_t row;

	for (uint8_t i = 0; i < r->set->key_length && i < length; i++) {
		if (index[i] > UINT32_MAX) { /* behind every row that is equal so far */
			for (; i < r->set->key_length; i++)
				key[i] = UINT32_MAX;
			behind = true;
			break;
		}
		key[i] = (uint32_t)index[i];
	}
	row = find_row(r, hint, key, &equal);
	return row + (equal && behind);
}

/* The name is at or below the entry of the table that was answered from last. */
static bool is_in_last_table(const struct mib_view *view, const mib_oid *name, size_t length)
{
	const struct mib_name *entry;

	if (*view->table_hint >= view->module->table_count)
		return false;
	entry = &view->tables[*view->table_hint].entry;
	return length >= entry->length &&
	       memcmp(name, entry->ids, entry->length * sizeof(name[0])) == 0;
}

/*
 * The first table that is not wholly before the name, which is below the module's root or not;
 * `*ret_inside` tells whether it is below that table's entry.
 */
static uint16_t locate_table(
	const struct mib_view *view, const mib_oid *name, size_t length, bool *ret_inside)
{
	const struct mib_module *module = view->module;
	int order;

	*ret_inside = is_in_last_table(view, name, length);
	if (*ret_inside)
		return *view->table_hint;
	order = compare_to_prefix(name, length, module->root, module->root_length);
	if (order)
		return order < 0 ? 0 : module->table_count;
	return find_table(
		module, name + module->root_length, length - module->root_length, ret_inside);
}

/* Where the cells begin that follow the name: in row order of a column, in order of columns. */
static struct place find_next_place(
	const struct mib_view *view, const mib_oid *name, size_t length, bool include)
{
	const struct view_table *seen;
	const struct mib_table *table;
	struct place at = { 0 };
	bool inside;

	at.table = locate_table(view, name, length, &inside);
	if (!inside)
		return at;
	table = &view->module->tables[at.table];
	seen = &view->tables[at.table];
	name += seen->entry.length;
	length -= seen->entry.length;
	if (!length || !table->column_count)
		return at;
	at.column = find_column(table, name[0]);
	if (at.column == table->column_count || table->columns[at.column].sub_id != name[0])
		return at;
	at.row = find_next_row(
		seen->rows, seen->columns[at.column].hint, name + 1, length - 1, include);
	return at;
}

static bool encode(
	const struct mib_view *view, const struct place *at, uint32_t row, struct mib_value *ret)
{
	struct mib_cell cell = {
		.view = view,
		.column = &view->module->tables[at->table].columns[at->column],
		.row = &view->tables[at->table].rows->rows[row],
	};

	return cell.column->encode(&cell, ret);
}

static int append_run(struct view_column *c, uint32_t *capacity, uint32_t begin, uint32_t end)
{
	if (c->run_count == *capacity) {
		uint32_t more = *capacity ? *capacity * 2 : 4;
		struct view_run *runs = realloc(c->runs, more * sizeof(*runs));

		if (!runs)
			return -ENOMEM;
		c->runs = runs;
		*capacity = more;
	}
	c->runs[c->run_count++] = (struct view_run){ begin, end };
	return 0;
}

/* Looks at all cells of a column, once in a view. Without memory the runs stay unknown. */
static void make_runs(const struct mib_view *view, const struct place *at, struct view_column *c,
	struct mib_value *scratch)
{
	uint32_t count = view->tables[at->table].rows->count, capacity = 0, begin = 0;
	bool in_run = false;

	for (uint32_t row = 0; row <= count; row++) {
		bool known = row < count && encode(view, at, row, scratch);

		if (known && !in_run)
			begin = row;
		if (!known && in_run && append_run(c, &capacity, begin, row) < 0) {
			free(c->runs);
			c->runs = NULL;
			c->run_count = 0;
			return;
		}
		in_run = known;
	}
	c->runs_known = true;
}

/* The first known row at or behind `row` by the runs; `count` when there is none. */
static uint32_t find_known(const struct view_column *c, uint32_t row, uint32_t count)
{
	uint32_t low = 0, high = c->run_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (c->runs[middle].end <= row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == c->run_count)
		return count;
	return c->runs[low].begin > row ? c->runs[low].begin : row;
}

/* The value of the first known cell at or behind the place in its column; moves the place there. */
static bool next_in_column(const struct mib_view *view, struct place *at, struct mib_value *ret)
{
	const struct view_table *table = &view->tables[at->table];
	struct view_column *c = &table->columns[at->column];
	uint32_t count = table->rows->count;

	if (at->row >= count || (c->runs_known && !c->run_count))
		return false;
	if (!encode(view, at, at->row, ret)) {
		if (!c->runs_known)
			make_runs(view, at, c, ret);
		if (c->runs_known)
			at->row = find_known(c, at->row, count);
		while (at->row < count && !encode(view, at, at->row, ret))
			at->row++; /* only when there was no memory for the runs */
	}
	if (at->row == count)
		return false;
	c->hint = at->row;
	*view->table_hint = at->table;
	return true;
}

/* The name of the cell at a place. */
static void name_place(const struct mib_view *view, const struct place *at, struct mib_name *ret)
{
	const struct view_table *table = &view->tables[at->table];
	const struct mib_row *row = &table->rows->rows[at->row];
	uint8_t n = table->entry.length;

	memcpy(ret->ids, table->entry.ids, n * sizeof(ret->ids[0]));
	ret->ids[n++] = view->module->tables[at->table].columns[at->column].sub_id;
	for (uint8_t i = 0; i < table->rows->set->key_length; i++)
		ret->ids[n++] = row->key[i];
	ret->length = n;
}

enum mib_result mib_next(const struct mib_view *view, const mib_oid *name, size_t length,
	bool include, struct mib_name *ret_name, struct mib_value *ret)
{
	const struct mib_module *module = view->module;
	struct place at = find_next_place(view, name, length, include);

	for (; at.table < module->table_count; at.table++, at.column = 0) {
		for (; at.column < module->tables[at.table].column_count; at.column++, at.row = 0) {
			if (next_in_column(view, &at, ret)) {
				name_place(view, &at, ret_name);
				return MIB_FOUND;
			}
		}
	}
	return MIB_END_OF_VIEW;
}

/*
 * The column that a name is below or at, in a table below whose entry it is; returns what remains
 * of the name, or NULL.
 */
static const mib_oid *find_exact_column(
	const struct mib_table *table, const mib_oid *name, size_t *length, uint16_t *ret)
{
	if (!*length || !table->column_count)
		return NULL;
	*ret = find_column(table, name[0]);
	if (*ret == table->column_count || table->columns[*ret].sub_id != name[0])
		return NULL;
	*length -= 1;
	return name + 1;
}

/* The row with exactly that index. */
static bool find_exact_row(const struct view_rows *r, uint32_t hint, const mib_oid *index,
	size_t length, uint32_t *ret)
{
	uint32_t key[MIB_KEY_MAX] = { 0 };
	bool equal;

	if (length != r->set->key_length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (index[i] > UINT32_MAX)
			return false;
		key[i] = (uint32_t)index[i];
	}
	*ret = find_row(r, hint, key, &equal);
	return equal;
}

enum mib_result mib_get(
	const struct mib_view *view, const mib_oid *name, size_t length, struct mib_value *ret)
{
	const struct view_table *table;
	struct place at = { 0 };
	struct view_column *c;
	bool inside;

	at.table = locate_table(view, name, length, &inside);
	if (!inside)
		return MIB_NO_SUCH_OBJECT;
	table = &view->tables[at.table];
	length -= table->entry.length;
	name = find_exact_column(
		&view->module->tables[at.table], name + table->entry.length, &length, &at.column);
	if (!name)
		return MIB_NO_SUCH_OBJECT;
	c = &table->columns[at.column];
	if (!find_exact_row(table->rows, c->hint, name, length, &at.row))
		return MIB_NO_SUCH_INSTANCE;
	c->hint = at.row;
	*view->table_hint = at.table;
	return encode(view, &at, at.row, ret) ? MIB_FOUND : MIB_NO_SUCH_INSTANCE;
}
