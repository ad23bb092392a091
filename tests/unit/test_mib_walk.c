/* SPDX-License-Identifier: BSD-2-Clause */
/* What --walk prints, and from where to where. (tests/snmp holds it against net-snmp's own.) */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/mib_walk.h"
#include "tests/support/handmade.h"

static const struct mib_name some_name = { .ids = { 1, 3, 4294967295 }, .length = 3 };

static void prints(const struct mib_value *value, const char *expected)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	mib_walk_print(&some_name, value, out);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void prints_number(enum mib_syntax syntax, uint64_t number, const char *expected)
{
	struct mib_value value = { .syntax = syntax, .number = number };

	prints(&value, expected);
}

static void prints_octets(const char *data, size_t length, const char *expected)
{
	struct mib_value value = { .syntax = MIB_OCTETS,
		.octets = { .data = data, .length = length } };

	prints(&value, expected);
	value.syntax = MIB_BITS;
	prints(&value, expected);
}

static void numbers_have_the_name_of_their_wire_type(void **state)
{
	(void)state;
	prints_number(MIB_COUNTER32, UINT32_MAX, ".1.3.4294967295 = Counter32: 4294967295\n");
	prints_number(
		MIB_COUNTER64, UINT64_MAX, ".1.3.4294967295 = Counter64: 18446744073709551615\n");
	prints_number(MIB_UNSIGNED32, 0, ".1.3.4294967295 = Gauge32: 0\n");
	prints_number(MIB_GAUGE32, 4000000000, ".1.3.4294967295 = Gauge32: 4000000000\n");
	prints_number(MIB_INTEGER, 2, ".1.3.4294967295 = INTEGER: 2\n");
}

static void ticks_have_days_hours_minutes_and_seconds(void **state)
{
	(void)state;
	prints_number(MIB_TIMESTAMP, 0, ".1.3.4294967295 = Timeticks: (0) 0:00:00.00\n");
	prints_number(
		MIB_TIMESTAMP, 8639999, ".1.3.4294967295 = Timeticks: (8639999) 23:59:59.99\n");
	prints_number(MIB_TIMESTAMP, 8640001,
		".1.3.4294967295 = Timeticks: (8640001) 1 day, 0:00:00.01\n");
	prints_number(MIB_TIMESTAMP, UINT32_MAX,
		".1.3.4294967295 = Timeticks: (4294967295) 497 days, 2:27:52.95\n");
}

static void text_is_quoted_and_anything_else_is_hexadecimal(void **state)
{
	(void)state;
	prints_octets("", 0, ".1.3.4294967295 = \"\"\n");
	prints_octets("a \"b\" \\", 7, ".1.3.4294967295 = STRING: \"a \\\"b\\\" \\\\\"\n");
	prints_octets("a\n\t~", 4, ".1.3.4294967295 = STRING: \"a\n\t~\"\n");
	prints_octets("a\0", 2, ".1.3.4294967295 = Hex-STRING: 61 00 \n");
	prints_octets("\x7f", 1, ".1.3.4294967295 = Hex-STRING: 7F \n");
	prints_octets("\xc3\xa4", 2, ".1.3.4294967295 = Hex-STRING: C3 A4 \n");
	prints_octets("\x80", 1, ".1.3.4294967295 = Hex-STRING: 80 \n");
	prints_octets("@", 1, ".1.3.4294967295 = STRING: \"@\"\n");
}

static void long_hexadecimal_is_broken_every_16_octets(void **state)
{
	static const char zeros[33];

	(void)state;
	prints_octets(zeros, 16,
		".1.3.4294967295 = Hex-STRING: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \n");
	prints_octets(zeros, 33,
		".1.3.4294967295 = Hex-STRING: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \n"
		"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 \n"
		"00 \n");
}

static void object_identifiers_are_numeric(void **state)
{
	static const mib_oid ids[] = { 0, 0 };
	struct mib_value value = { .syntax = MIB_OBJECT_ID, .oid = { .ids = ids, .length = 2 } };

	(void)state;
	prints(&value, ".1.3.4294967295 = OID: .0.0\n");
}

/* ---- from where to where ---- */

static struct mib_view *view_of_instances(void)
{
	struct snapshot *s = handmade_new();
	struct mib_view *view;

	for (uint32_t i = 1; i <= 2; i++) {
		struct instance *instance = handmade_add(s, OBJECT_INSTANCE, NULL);

		instance->object.index = i;
		OPT_SET(instance->number, i);
		OPT_SET(instance->node_count, 10 * i);
	}
	assert_int_equal(mib_view_new(&iscsi_mib, s, &view), 0);
	snapshot_put(s);
	return view;
}

static char *walk(const mib_oid *from, size_t length, int expected_count)
{
	struct mib_view *view = view_of_instances();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	assert_int_equal(mib_walk(view, from, length, out), expected_count);
	fclose(out);
	mib_view_free(view);
	return text;
}

#define NODES	  ".1.3.6.1.2.1.142.1.1.1.1.8"
#define NODES_OID 1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 8

static void a_column_is_printed_row_by_row(void **state)
{
	static const mib_oid from[] = { NODES_OID };
	char *text = walk(from, ARRAY_SIZE(from), 2);

	(void)state;
	assert_string_equal(text, NODES ".1 = Gauge32: 10\n" NODES ".2 = Gauge32: 20\n");
	free(text);
}

static void an_instance_is_printed_itself(void **state)
{
	static const mib_oid from[] = { NODES_OID, 2 };
	char *text = walk(from, ARRAY_SIZE(from), 1);

	(void)state;
	assert_string_equal(text, NODES ".2 = Gauge32: 20\n");
	free(text);
}

static void what_is_not_there_prints_nothing(void **state)
{
	static const mib_oid from[] = { NODES_OID, 3 };
	static const mib_oid other[] = { 1, 3, 6, 1, 2, 1, 143 };
	static const mib_oid far[] = { NODES_OID, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	char *text = walk(from, ARRAY_SIZE(from), 0);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	text = walk(other, ARRAY_SIZE(other), 0);
	assert_string_equal(text, "");
	free(text);
	text = walk(far, ARRAY_SIZE(far), 0);
	assert_string_equal(text, "");
	free(text);
}

static void without_a_beginning_all_is_printed(void **state)
{
	static const mib_oid above[] = { 1, 3 };
	char *all = walk(NULL, 0, 20), *same = walk(above, ARRAY_SIZE(above), 20);

	(void)state;
	assert_string_equal(all, same);
	assert_non_null(strstr(all, "\n" NODES ".1 = Gauge32: 10\n"));
	free(all);
	free(same);
}

static void a_full_disk_is_an_error(void **state)
{
	struct mib_view *view = view_of_instances();
	FILE *out = fopen("/dev/full", "we");

	(void)state;
	assert_non_null(out);
	assert_int_equal(mib_walk(view, NULL, 0, out), -EIO);
	fclose(out);
	mib_view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_have_the_name_of_their_wire_type),
		cmocka_unit_test(ticks_have_days_hours_minutes_and_seconds),
		cmocka_unit_test(text_is_quoted_and_anything_else_is_hexadecimal),
		cmocka_unit_test(long_hexadecimal_is_broken_every_16_octets),
		cmocka_unit_test(object_identifiers_are_numeric),
		cmocka_unit_test(a_column_is_printed_row_by_row),
		cmocka_unit_test(an_instance_is_printed_itself),
		cmocka_unit_test(what_is_not_there_prints_nothing),
		cmocka_unit_test(without_a_beginning_all_is_printed),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
