/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/mib_list.h"

static const char *const syntax_names[] = {
	[MIB_COUNTER32] = "Counter32",
	[MIB_COUNTER64] = "Counter64",
	[MIB_UNSIGNED32] = "Unsigned32",
	[MIB_GAUGE32] = "Gauge32",
	[MIB_INTEGER] = "INTEGER",
	[MIB_OCTETS] = "OCTET-STRING",
	[MIB_BITS] = "BITS",
	[MIB_OBJECT_ID] = "OBJECT-IDENTIFIER",
	[MIB_TIMESTAMP] = "TimeTicks",
};

static const char *const access_names[] = {
	[READ_ONLY] = "read-only",
	[READ_WRITE] = "read-write",
	[READ_CREATE] = "read-create",
};

static void print_oid(const mib_oid *ids, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++)
		fprintf(out, "%s%lu", i ? "." : "", ids[i]);
}

static void print_names(const char *const names[], size_t count, FILE *out)
{
	for (size_t i = 0; i < count && names[i]; i++)
		fprintf(out, "%s%s", i ? "," : "", names[i]);
}

static void list_column(const struct mib_module *module, const struct mib_table *table,
	const struct mib_column *column, FILE *out)
{
	struct mib_name oid;

	mib_name_column(module, table, column, &oid);
	fprintf(out, "column\t%s\t%s\t%s\t", module->name, table->name, table->entry);
	print_oid(oid.ids, oid.length, out);
	fprintf(out, "\t%s\t%s\t%s\t", column->name, syntax_names[column->syntax],
		access_names[column->access]);
	print_names(table->rows->index_names, table->rows->key_length, out);
	fputc('\n', out);
}

static void list_notification(
	const struct mib_module *module, const struct mib_notification *notification, FILE *out)
{
	fprintf(out, "notification\t%s\t%s\t", module->name, notification->name);
	print_oid(module->root, module->root_length, out);
	fprintf(out, ".0.%u\t", notification->sub_id);
	print_names(notification->columns, notification->column_count, out);
	fputc('\n', out);
}

int mib_list_columns(const struct mib_module *module, FILE *out)
{
	for (uint16_t i = 0; i < module->table_count; i++) {
		const struct mib_table *table = &module->tables[i];

		for (uint16_t j = 0; j < table->column_count; j++)
			list_column(module, table, &table->columns[j], out);
	}
	for (uint16_t i = 0; i < module->notification_count; i++)
		list_notification(module, &module->notifications[i], out);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
