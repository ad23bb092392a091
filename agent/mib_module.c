/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of a module's tables, columns and notifications to what they stand for. For start-up, the
 * rare AutonomousType and the notifications: the engine does not search by name.
 */
#include "agent/mib_columns.h"
#include "agent/mib_view.h"

const struct mib_module *const mib_modules[] = { &iscsi_mib, &path_mib, NULL };

const struct mib_table *mib_find_table(const struct mib_module *module, const char *name)
{
	for (uint16_t i = 0; i < module->table_count; i++) {
		if (strcmp(module->tables[i].name, name) == 0)
			return &module->tables[i];
	}
	return NULL;
}

const struct mib_column *mib_find_column(
	const struct mib_module *module, const char *name, const struct mib_table **ret_table)
{
	for (uint16_t i = 0; i < module->table_count; i++) {
		const struct mib_table *table = &module->tables[i];

		for (uint16_t j = 0; j < table->column_count; j++) {
			if (strcmp(table->columns[j].name, name) != 0)
				continue;
			*ret_table = table;
			return &table->columns[j];
		}
	}
	return NULL;
}

void mib_name_column(const struct mib_module *module, const struct mib_table *table,
	const struct mib_column *column, struct mib_name *ret)
{
	size_t n = module->root_length;

	memcpy(ret->ids, module->root, n * sizeof(ret->ids[0]));
	memcpy(ret->ids + n, table->path, table->path_length * sizeof(ret->ids[0]));
	n += table->path_length;
	ret->ids[n++] = column->sub_id;
	ret->length = (uint8_t)n;
}

static int compare_key_to_row(const void *key, const void *row)
{
	return view_compare_keys(key, ((const struct mib_row *)row)->key, MIB_KEY_MAX);
}

int mib_notification_value(const struct mib_view *view, const struct mib_notification *notification,
	uint8_t at, const uint32_t key[MIB_KEY_MAX], const uint32_t other[MIB_KEY_MAX],
	struct mib_name *ret_name, struct mib_value *ret)
{
	static const uint32_t scalar[MIB_KEY_MAX];
	const struct mib_table *table;
	struct mib_cell cell = { .view = view };
	const struct mib_row *rows;
	uint32_t count;

	cell.column = mib_find_column(view->module, notification->columns[at], &table);
	if (!cell.column)
		return -ENOENT;
	if (mib_is_scalar(table->rows))
		key = scalar;
	else if (table->rows != notification->rows)
		key = other;
	rows = mib_view_rows(view, table->rows, &count);
	if (!rows)
		return -ENOENT;
	cell.row = bsearch(key, rows, count, sizeof(*rows), compare_key_to_row);
	if (!cell.row)
		return -ENOENT;
	if (!cell.column->encode(&cell, ret))
		mib_value_nothing(cell.column, ret);
	mib_name_column(view->module, table, cell.column, ret_name);
	for (uint8_t i = 0; i < table->rows->key_length; i++)
		ret_name->ids[ret_name->length++] = key[i];
	return 0;
}
