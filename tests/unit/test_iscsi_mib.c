/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The tables of iscsi_mib.c as data: complete, sorted, consistent; and what each column shows
 * while nothing is known. (tests/mib holds names, OIDs and syntaxes against the module itself.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_list.h"
#include "agent/mib_walk.h"
#include "tests/support/handmade.h"

static void the_numbers_of_objects_are_those_of_rfc_7147(void **state)
{
	unsigned columns = 0, access[3] = { 0 };

	(void)state;
	for (uint16_t t = 0; t < iscsi_mib.table_count; t++) {
		for (uint16_t c = 0; c < iscsi_mib.tables[t].column_count; c++, columns++)
			access[iscsi_mib.tables[t].columns[c].access]++;
	}
	assert_int_equal(iscsi_mib.table_count, 18);
	assert_int_equal(columns, 135);
	assert_int_equal(access[READ_ONLY], 103);
	assert_int_equal(access[READ_WRITE], 14);
	assert_int_equal(access[READ_CREATE], 18);
	assert_int_equal(iscsi_mib.notification_count, 3);
}

static void tables_and_columns_are_sorted_and_names_fit(void **state)
{
	(void)state;
	for (uint16_t t = 0; t < iscsi_mib.table_count; t++) {
		const struct mib_table *table = &iscsi_mib.tables[t];

		assert_true(
			iscsi_mib.root_length + table->path_length + 1u + table->rows->key_length <=
			ARRAY_SIZE(((struct mib_name *)NULL)->ids));
		assert_true(table->rows->key_length >= 1 && table->rows->key_length <= MIB_KEY_MAX);
		for (uint8_t i = 0; i < table->rows->key_length; i++)
			assert_non_null(table->rows->index_names[i]);
		if (t) {
			const struct mib_table *before = &iscsi_mib.tables[t - 1];

			/* one length: none is the beginning of another */
			assert_int_equal(table->path_length, before->path_length);
			assert_true(mib_compare(before->path, before->path_length, table->path,
					    table->path_length) < 0);
		}
		for (uint16_t c = 1; c < table->column_count; c++)
			assert_true(table->columns[c - 1].sub_id < table->columns[c].sub_id);
	}
}

static void every_name_is_there_once_and_is_found(void **state)
{
	const struct mib_table *table = NULL;

	(void)state;
	for (uint16_t t = 0; t < iscsi_mib.table_count; t++) {
		assert_ptr_equal(
			mib_find_table(&iscsi_mib, iscsi_mib.tables[t].name), &iscsi_mib.tables[t]);
		for (uint16_t c = 0; c < iscsi_mib.tables[t].column_count; c++) {
			const struct mib_column *column = &iscsi_mib.tables[t].columns[c];

			assert_ptr_equal(mib_find_column(&iscsi_mib, column->name, &table), column);
			assert_ptr_equal(table, &iscsi_mib.tables[t]);
		}
	}
	assert_null(mib_find_table(&iscsi_mib, "iscsiSession"));
	assert_null(mib_find_column(&iscsi_mib, "iscsiSsnIndex", &table));
}

static void causes_name_counters_of_a_table(void **state)
{
	unsigned causes = 0;

	(void)state;
	for (uint16_t t = 0; t < iscsi_mib.table_count; t++) {
		for (uint16_t c = 0; c < iscsi_mib.tables[t].column_count; c++) {
			const struct mib_column *column = &iscsi_mib.tables[t].columns[c];
			const struct mib_table *counters;

			if (!column->counters)
				continue;
			causes++;
			counters = mib_find_table(&iscsi_mib, column->counters);
			assert_non_null(counters);
			assert_ptr_equal(counters->rows, iscsi_mib.tables[t].rows);
			for (uint16_t i = 0; i < counters->column_count; i++)
				assert_int_equal(counters->columns[i].syntax, MIB_COUNTER32);
		}
	}
	assert_int_equal(causes, 3);
}

static void objects_of_a_notification_are_in_tables_of_its_rows(void **state)
{
	const struct mib_table *table = NULL;

	(void)state;
	for (uint16_t i = 0; i < iscsi_mib.notification_count; i++) {
		const struct mib_notification *n = &iscsi_mib.notifications[i];

		assert_int_equal(n->sub_id, i + 1);
		assert_true(n->column_count >= 1 && n->column_count <= ARRAY_SIZE(n->columns));
		for (uint8_t c = 0; c < n->column_count; c++) {
			assert_non_null(mib_find_column(&iscsi_mib, n->columns[c], &table));
			assert_ptr_equal(table->rows, n->rows);
		}
	}
}

static void triggers_are_counters_of_the_row(void **state)
{
	static const uint8_t counts[] = { 3, 4, 1 };
	const struct mib_table *table = NULL;

	(void)state;
	for (uint16_t i = 0; i < iscsi_mib.notification_count; i++) {
		const struct mib_notification *n = &iscsi_mib.notifications[i];
		const struct mib_column *column;
		uint8_t count = 0;

		for (; n->triggers[count]; count++) {
			column = mib_find_column(&iscsi_mib, n->triggers[count], &table);
			assert_non_null(column);
			assert_ptr_equal(table->rows, n->rows);
			assert_int_equal(column->syntax, MIB_COUNTER32);
		}
		assert_int_equal(count, counts[i]);
		column = n->time ? mib_find_column(&iscsi_mib, n->time, &table) : NULL;
		assert_true(!n->time ||
			    (column && column->syntax == MIB_TIMESTAMP && table->rows == n->rows));
	}
}

static void the_list_has_a_line_for_each(void **state)
{
	static const char *const lines[] = {
		("\ncolumn\tISCSI-MIB\tiscsiSessionStatsTable\tiscsiSessionStatsEntry\t"
		 "1.3.6.1.2.1.142.1.10.2.1.3\tiscsiSsnTxDataOctets\tCounter64\tread-only\t"
		 "iscsiInstIndex,iscsiSsnNodeIndex,iscsiSsnIndex\n"),
		("\ncolumn\tISCSI-MIB\tiscsiPortalAttributesTable\tiscsiPortalAttributesEntry\t"
		 "1.3.6.1.2.1.142.1.2.1.1.3\tiscsiPortalRoles\tBITS\tread-create\t"
		 "iscsiInstIndex,iscsiPortalIndex\n"),
		("\nnotification\tISCSI-MIB\tiscsiInstSessionFailure\t1.3.6.1.2.1.142.0.3\t"
		 "iscsiInstSsnFailures,iscsiInstLastSsnFailureType,iscsiInstLastSsnRmtNodeName\n"),
	};
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	unsigned count = 0;

	(void)state;
	assert_non_null(out);
	assert_int_equal(mib_list_columns(&iscsi_mib, out), 0);
	fclose(out);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	assert_int_equal(count, 135 + 3);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		assert_non_null(strstr(text, lines[i]));
	free(text);
	out = fopen("/dev/full", "we");
	assert_non_null(out);
	assert_int_equal(mib_list_columns(&iscsi_mib, out), -EIO);
	fclose(out);
}

/* ---- rows of which nothing is known ---- */

/* One row in every table; of its objects nothing else is known. */
static struct snapshot *bare_rows(void)
{
	struct snapshot *s = handmade_new();
	struct instance *instance = handmade_add(s, OBJECT_INSTANCE, NULL);
	struct node *node = handmade_add(s, OBJECT_NODE, NULL);
	struct portal *portal = handmade_add(s, OBJECT_PORTAL, NULL);
	struct auth *auth = handmade_add(s, OBJECT_AUTH, NULL);
	struct session *session = handmade_add(s, OBJECT_SESSION, NULL);
	struct connection *connection = handmade_add(s, OBJECT_CONNECTION, NULL);

	OPT_SET(instance->number, 1);
	OPT_SET(node->roles, 0xc0);
	OPT_SET(portal->roles, 0xc0);
	OPT_SET(portal->port, 3260);
	OPT_SET(portal->tag, 1);
	OPT_SET(auth->roles, 0xc0);
	node->instance = portal->instance = auth->instance = session->instance = 0;
	auth->node = session->node = connection->session = 0;
	instance->object.index = node->object.index = portal->object.index = auth->object.index =
		session->object.index = connection->object.index = 1;
	return s;
}

/*
 * Everything that such rows show: the values that RFC 7147 defines for "none", and what cannot be
 * otherwise. What is not in this list is a hole.
 */
static const char bare_walk[] = "1.1.1.2.1 \"\"\n"
				"1.1.1.3.1 Gauge32: 0\n"
				"1.1.1.4.1 Gauge32: 0\n"
				"1.1.1.5.1 \"\"\n"
				"1.1.1.6.1 \"\"\n"
				"1.1.1.11.1 OID: .0.0\n"
				"1.1.1.12.1 \"\"\n"
				"1.1.1.13.1 Timeticks: (0) 0:00:00.00\n"
				"1.1.1.14.1 \"\"\n"
				"2.1.1.3.1.1 Hex-STRING: C0 \n"
				"2.1.1.12.1.1 INTEGER: 2\n"
				"2.1.1.13.1.1 INTEGER: 5\n"
				"2.1.1.14.1.1 \"\"\n"
				"3.1.1.2.1.1.0 Gauge32: 3260\n"
				"3.1.1.3.1.1.0 Gauge32: 1\n"
				"4.1.1.2.1.1.0 Gauge32: 1\n"
				"5.1.1.4.1.1 Hex-STRING: C0 \n"
				"5.1.1.5.1.1 OID: .0.0\n"
				"5.1.1.17.1.1 Timeticks: (0) 0:00:00.00\n"
				"5.1.1.18.1.1 INTEGER: 5\n"
				"6.1.1.2.1.1 Timeticks: (0) 0:00:00.00\n"
				"6.1.1.3.1.1 OID: .0.0\n"
				"6.1.1.4.1.1 \"\"\n"
				"6.1.1.5.1.1 INTEGER: 0\n"
				"6.1.1.6.1.1 \"\"\n"
				"6.1.1.7.1.1 Gauge32: 0\n"
				"7.1.1.3.1.1.1 OID: .0.0\n"
				"7.1.1.4.1.1.1 INTEGER: 5\n"
				"8.1.1.2.1.1 Timeticks: (0) 0:00:00.00\n"
				"8.1.1.3.1.1 OID: .0.0\n"
				"8.1.1.4.1.1 \"\"\n"
				"8.1.1.5.1.1 INTEGER: 0\n"
				"8.1.1.6.1.1 \"\"\n"
				"8.1.1.7.1.1 Gauge32: 0\n"
				"9.1.1.3.1.1.1 OID: .0.0\n"
				"9.1.1.4.1.1.1 INTEGER: 5\n"
				"10.1.1.17.1.1.1 OID: .0.0\n"
				"10.1.1.21.1.1.1 Timeticks: (0) 0:00:00.00\n"
				"11.1.1.14.1.1.1.1 INTEGER: 2\n"
				"11.1.1.15.1.1.1.1 INTEGER: 2\n"
				"11.1.1.16.1.1.1.1 Gauge32: 0\n";

static void of_an_unknown_row_only_constants_and_nones_are_seen(void **state)
{
	static const char prefix[] = ".1.3.6.1.2.1.142.1.";
	struct snapshot *s = bare_rows();
	const char *expected = bare_walk;
	char *text = NULL, *rest, *line;
	struct mib_view *view;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	assert_non_null(out);
	assert_int_equal(mib_view_new(&iscsi_mib, s, &view), 0);
	assert_true(mib_walk(view, NULL, 0, out) > 0);
	fclose(out);
	for (rest = text; (line = strsep(&rest, "\n")) && *line;) {
		char *equals = strstr(line, " = ");
		char shown[128];

		assert_non_null(equals);
		assert_memory_equal(line, prefix, sizeof(prefix) - 1);
		snprintf(shown, sizeof(shown), "%.*s %s\n", (int)(equals - line - strlen(prefix)),
			line + strlen(prefix), equals + 3);
		if (strncmp(expected, shown, strlen(shown)) != 0)
			fail_msg("walk has \"%s\", expected \"%.40s\"", shown, expected);
		expected += strlen(shown);
	}
	assert_string_equal(expected, "");
	free(text);
	mib_view_free(view);
	snapshot_put(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_numbers_of_objects_are_those_of_rfc_7147),
		cmocka_unit_test(tables_and_columns_are_sorted_and_names_fit),
		cmocka_unit_test(every_name_is_there_once_and_is_found),
		cmocka_unit_test(causes_name_counters_of_a_table),
		cmocka_unit_test(objects_of_a_notification_are_in_tables_of_its_rows),
		cmocka_unit_test(triggers_are_counters_of_the_row),
		cmocka_unit_test(the_list_has_a_line_for_each),
		cmocka_unit_test(of_an_unknown_row_only_constants_and_nones_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
