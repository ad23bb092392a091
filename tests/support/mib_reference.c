/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/mib_reference.h"

static bool is_less(const mib_oid *a, size_t a_length, const mib_oid *b, size_t b_length)
{
	for (size_t i = 0;; i++) {
		if (i == a_length)
			return i < b_length;
		if (i == b_length)
			return false;
		if (a[i] != b[i])
			return a[i] < b[i];
	}
}

static int compare_cells(const void *a, const void *b)
{
	const struct reference_cell *x = a, *y = b;

	if (is_less(x->ids, x->length, y->ids, y->length))
		return -1;
	return is_less(y->ids, y->length, x->ids, x->length);
}

static bool encode(
	const struct mib_view *view, const struct reference_cell *c, struct mib_value *ret)
{
	struct mib_cell cell = { .view = view, .column = c->column, .row = &c->row };

	return c->column->encode(&cell, ret);
}

static void add_cell(struct reference *r, const struct mib_table *table,
	const struct mib_column *column, const struct mib_row *row)
{
	const struct mib_module *module = mib_view_module(r->view);
	struct reference_cell *c;
	struct mib_value value;

	if (r->count == r->capacity) {
		r->capacity = r->capacity ? r->capacity * 2 : 64;
		r->cells = realloc(r->cells, r->capacity * sizeof(r->cells[0]));
		if (!r->cells)
			abort();
	}
	c = &r->cells[r->count];
	*c = (struct reference_cell){ .column = column, .row = *row };
	for (uint8_t i = 0; i < module->root_length; i++)
		c->ids[c->length++] = module->root[i];
	for (uint8_t i = 0; i < table->path_length; i++)
		c->ids[c->length++] = table->path[i];
	c->ids[c->length++] = column->sub_id;
	for (uint8_t i = 0; i < table->rows->key_length; i++)
		c->ids[c->length++] = row->key[i];
	if (encode(r->view, c, &value))
		r->count++;
}

static bool make_row(const struct mib_table *table, const struct snapshot *s, uint32_t position,
	struct mib_row *ret)
{
	enum object_kind kind = table->rows->kind;

	*ret = (struct mib_row){ .object = (const char *)s->arrays[kind].objects +
					   (size_t)position * object_info(kind)->size };
	return table->rows->key(s, ret->object, ret->key);
}

/* Has an object before `position` the same index? */
static bool is_double(const struct mib_table *table, const struct snapshot *s, uint32_t position,
	const struct mib_row *row)
{
	for (uint32_t i = 0; i < position; i++) {
		struct mib_row other;

		if (make_row(table, s, i, &other) &&
			memcmp(other.key, row->key, sizeof(row->key)) == 0)
			return true;
	}
	return false;
}

void reference_make(const struct mib_view *view, struct reference *ret)
{
	const struct mib_module *module = mib_view_module(view);
	const struct snapshot *s = mib_view_snapshot(view);

	*ret = (struct reference){ .view = view };
	for (uint16_t t = 0; t < module->table_count; t++) {
		const struct mib_table *table = &module->tables[t];

		for (uint32_t i = 0; i < snapshot_count(s, table->rows->kind); i++) {
			struct mib_row row;

			if (!make_row(table, s, i, &row) || is_double(table, s, i, &row))
				continue;
			for (uint16_t c = 0; c < table->column_count; c++)
				add_cell(ret, table, &table->columns[c], &row);
		}
	}
	if (ret->count)
		qsort(ret->cells, ret->count, sizeof(ret->cells[0]), compare_cells);
	for (size_t i = 1; i < ret->count; i++) {
		if (compare_cells(&ret->cells[i - 1], &ret->cells[i]) >= 0)
			abort();
	}
}

void reference_free(struct reference *r)
{
	free(r->cells);
	r->cells = NULL;
}

static bool is_at_or_below(
	const mib_oid *name, size_t length, const mib_oid *prefix, size_t prefix_length)
{
	return length >= prefix_length && memcmp(name, prefix, prefix_length * sizeof(*name)) == 0;
}

/* The position of the first cell that is not before the name, or behind it if `behind`. */
static size_t position_of(
	const struct reference *r, const mib_oid *name, size_t length, bool behind)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct reference_cell *c = &r->cells[middle];

		if (behind ? !is_less(name, length, c->ids, c->length)
			   : is_less(c->ids, c->length, name, length))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

enum mib_result reference_get(const struct reference *r, const mib_oid *name, size_t length,
	const struct reference_cell **ret)
{
	const struct mib_module *module = mib_view_module(r->view);
	size_t at = position_of(r, name, length, false);

	*ret = r->cells + at;
	if (at < r->count && (*ret)->length == length &&
		is_at_or_below(name, length, (*ret)->ids, length))
		return MIB_FOUND;
	for (uint16_t t = 0; t < module->table_count; t++) {
		const struct mib_table *table = &module->tables[t];

		for (uint16_t c = 0; c < table->column_count; c++) {
			struct mib_name column;

			mib_name_column(module, table, &table->columns[c], &column);
			if (is_at_or_below(name, length, column.ids, column.length))
				return MIB_NO_SUCH_INSTANCE;
		}
	}
	return MIB_NO_SUCH_OBJECT;
}

enum mib_result reference_next(const struct reference *r, const mib_oid *name, size_t length,
	bool include, const struct reference_cell **ret)
{
	size_t at = position_of(r, name, length, !include);

	if (at == r->count)
		return MIB_END_OF_VIEW;
	*ret = &r->cells[at];
	return MIB_FOUND;
}

bool reference_equal(const struct mib_value *a, const struct mib_value *b)
{
	if (a->syntax != b->syntax)
		return false;
	switch (a->syntax) {
	case MIB_OCTETS:
	case MIB_BITS:
		return a->octets.length == b->octets.length &&
		       memcmp(a->octets.data, b->octets.data, a->octets.length) == 0;
	case MIB_OBJECT_ID:
		return mib_compare(a->oid.ids, a->oid.length, b->oid.ids, b->oid.length) == 0;
	default:
		return a->number == b->number;
	}
}

static const char *compare_next(
	const struct reference *r, const mib_oid *name, size_t length, bool include)
{
	const struct reference_cell *cell;
	struct mib_value value, expected;
	struct mib_name found;
	enum mib_result result = reference_next(r, name, length, include, &cell);

	if (mib_next(r->view, name, length, include, &found, &value) != result)
		return include ? "mib_next with include: another result"
			       : "mib_next: another result";
	if (result != MIB_FOUND)
		return NULL;
	if (mib_compare(found.ids, found.length, cell->ids, cell->length) != 0)
		return include ? "mib_next with include: another name" : "mib_next: another name";
	encode(r->view, cell, &expected);
	return reference_equal(&value, &expected) ? NULL : "mib_next: another value";
}

const char *reference_compare(const struct reference *r, const mib_oid *name, size_t length)
{
	const struct reference_cell *cell;
	struct mib_value value, expected;
	enum mib_result result = reference_get(r, name, length, &cell);
	const char *wrong;

	if (mib_get(r->view, name, length, &value) != result)
		return "mib_get: another result";
	if (result == MIB_FOUND) {
		encode(r->view, cell, &expected);
		if (!reference_equal(&value, &expected))
			return "mib_get: another value";
	}
	wrong = compare_next(r, name, length, false);
	return wrong ? wrong : compare_next(r, name, length, true);
}
