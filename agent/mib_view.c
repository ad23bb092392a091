/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes a view: for each row set of the module the objects that have a row, sorted by their index.
 * Called once for each new snapshot, in the agent process and the one-shot commands.
 */
#include "agent/mib_view.h"

/* All of an index, whatever the key length of its row set: the rest is zero. */
static int compare_rows(const void *a, const void *b)
{
	const struct mib_row *x = a, *y = b;
	int order = view_compare_keys(x->key, y->key, MIB_KEY_MAX);

	if (order)
		return order;
	/* One key twice: the first object of the snapshot first. */
	return x->object < y->object ? -1 : x->object > y->object;
}

static bool is_sorted(const struct view_rows *r)
{
	for (uint32_t i = 1; i < r->count; i++) {
		if (compare_rows(&r->rows[i - 1], &r->rows[i]) > 0)
			return false;
	}
	return true;
}

/* The snapshot gives no key twice; a walk must go forward even if it did. */
static void drop_doubles(struct view_rows *r)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->count; i++) {
		if (kept &&
			view_compare_keys(r->rows[kept - 1].key, r->rows[i].key, MIB_KEY_MAX) == 0)
			continue;
		r->rows[kept++] = r->rows[i];
	}
	r->count = kept;
}

static int fill_rows(struct view_rows *r, const struct mib_rowset *set, const struct snapshot *s)
{
	uint32_t count = snapshot_count(s, set->kind);
	const char *object = s->arrays[set->kind].objects;

	r->set = set;
	r->rows = calloc((size_t)count + 1, sizeof(r->rows[0]));
	if (!r->rows)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++, object += object_info(set->kind)->size) {
		struct mib_row *row = &r->rows[r->count];

		*row = (struct mib_row){ .object = object };
		if (set->key(s, object, row->key))
			r->count++;
	}
	if (!is_sorted(r))
		qsort(r->rows, r->count, sizeof(r->rows[0]), compare_rows);
	drop_doubles(r);
	return 0;
}

static struct view_rows *find_rows(const struct mib_view *view, const struct mib_rowset *set)
{
	for (uint32_t i = 0; i < view->rowset_count; i++) {
		if (view->rowsets[i].set == set)
			return &view->rowsets[i];
	}
	return NULL;
}

static void name_entry(
	const struct mib_module *module, const struct mib_table *table, struct mib_name *ret)
{
	memcpy(ret->ids, module->root, module->root_length * sizeof(ret->ids[0]));
	memcpy(ret->ids + module->root_length, table->path,
		table->path_length * sizeof(ret->ids[0]));
	ret->length = (uint8_t)(module->root_length + table->path_length);
}

static int fill_view(struct mib_view *view)
{
	const struct mib_module *module = view->module;
	uint32_t column = 0;

	for (uint16_t i = 0; i < module->table_count; i++) {
		const struct mib_table *table = &module->tables[i];
		struct view_rows *rows = find_rows(view, table->rows);

		if (!rows) {
			int rc;

			rows = &view->rowsets[view->rowset_count++];
			rc = fill_rows(rows, table->rows, view->snapshot);
			if (rc < 0)
				return rc;
		}
		name_entry(module, table, &view->tables[i].entry);
		view->tables[i].rows = rows;
		view->tables[i].columns = &view->columns[column];
		column += table->column_count;
	}
	return 0;
}

int mib_view_new(const struct mib_module *module, struct snapshot *snapshot, struct mib_view **ret)
{
	struct mib_view *view = calloc(1, sizeof(*view));
	int rc = -ENOMEM;

	if (!view)
		return -ENOMEM;
	view->module = module;
	view->snapshot = snapshot_get(snapshot);
	for (uint16_t i = 0; i < module->table_count; i++)
		view->column_count += module->tables[i].column_count;
	view->tables = calloc(module->table_count + 1u, sizeof(view->tables[0]));
	view->rowsets = calloc(module->table_count + 1u, sizeof(view->rowsets[0]));
	view->columns = calloc(view->column_count + 1u, sizeof(view->columns[0]));
	view->table_hint = calloc(1, sizeof(*view->table_hint));
	if (view->tables && view->rowsets && view->columns && view->table_hint)
		rc = fill_view(view);
	if (rc < 0) {
		mib_view_free(view);
		return rc;
	}
	*ret = view;
	return 0;
}

void mib_view_free(struct mib_view *view)
{
	if (!view)
		return;
	for (uint32_t i = 0; i < view->rowset_count; i++)
		free(view->rowsets[i].rows);
	for (uint32_t i = 0; view->columns && i < view->column_count; i++)
		free(view->columns[i].runs);
	free(view->rowsets);
	free(view->table_hint);
	free(view->columns);
	free(view->tables);
	snapshot_put(view->snapshot);
	free(view);
}

const struct snapshot *mib_view_snapshot(const struct mib_view *view)
{
	return view->snapshot;
}

const struct mib_module *mib_view_module(const struct mib_view *view)
{
	return view->module;
}

const struct mib_row *mib_view_rows(
	const struct mib_view *view, const struct mib_rowset *rows, uint32_t *ret_count)
{
	const struct view_rows *found = find_rows(view, rows);

	*ret_count = found ? found->count : 0;
	return found ? found->rows : NULL;
}

void mib_view_set_uptime_zero(struct mib_view *view, uint64_t uptime_zero_ns)
{
	view->uptime_zero_ns = uptime_zero_ns;
}

uint64_t mib_view_uptime_zero(const struct mib_view *view)
{
	return view->uptime_zero_ns;
}
