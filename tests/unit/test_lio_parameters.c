/* SPDX-License-Identifier: BSD-2-Clause */
/* The files param/, dynamic_sessions and names of directories of LIO. */
#include "source/lio_memory.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The names, each with a semicolon. */
static const char *dynamic(const char *text, size_t length)
{
	static char out[64];
	const char *at = text, *name;
	size_t name_length;

	*out = 0;
	while (lio_dynamic_next(&at, text + length, &name, &name_length))
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s;", (int)name_length,
			name);
	return out;
}

static void test_dynamic_sessions(void **state)
{
	static const char two[] = "iqn.a\n\0iqn.a\n";

	(void)state;
	assert_string_equal(dynamic("", 0), "");
	assert_string_equal(dynamic("iqn.a\n", 7), "iqn.a;");
	assert_string_equal(dynamic("iqn.a\n", 6), ""); /* cut */
	assert_string_equal(dynamic(two, sizeof(two)), "iqn.a;iqn.a;");
	assert_string_equal(dynamic(two, sizeof(two) - 1), "iqn.a;");
	assert_string_equal(dynamic("iqn.a\nb\n", 9), "iqn.a\nb;");
	assert_string_equal(dynamic("iqn.a\n\0\0\n\0b\n\0cut", 16), "iqn.a;b;");
	assert_string_equal(dynamic("\0\0\n\0x\0", 6), "");
}

static void test_names_of_groups(void **state)
{
	static const char *const wrong[] = { "tpgt_", "tpgt_x", "tpgt_01", "tpgt_65536", "tpgt_-1",
		"tpgt_1 ", "tpgt_0x1", "tpg_1", "param", "" };
	uint32_t tag = 99;

	(void)state;
	assert_int_equal(lio_tpg_parse("tpgt_0", &tag), 0);
	assert_int_equal(tag, 0);
	assert_int_equal(lio_tpg_parse("tpgt_65535", &tag), 0);
	assert_int_equal(tag, 65535);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_int_equal(lio_tpg_parse(wrong[i], &tag), -EINVAL);
	assert_int_equal(tag, 65535);
}

/* ---- parameters ---- */

static struct lio_parameters parameter(const char *name, const char *text)
{
	struct lio_parameters p = { .alias_known = false };

	for (size_t i = 0; i < lio_parameter_file_count; i++)
		if (!strcmp(lio_parameter_files[i].name, name)) {
			lio_parameter_parse(&p, i, text, strlen(text));
			return p;
		}
	fail_msg("no parameter %s", name);
	return p;
}

static void test_parameters(void **state)
{
	struct lio_parameters p;

	(void)state;
	p = parameter("InitialR2T", "Yes\n");
	assert_true(p.initial_r2t.known && p.initial_r2t.value);
	p = parameter("InitialR2T", "0\n");
	assert_true(p.initial_r2t.known && !p.initial_r2t.value);
	p = parameter("DataPDUInOrder", "No\n");
	assert_true(p.data_pdu_in_order.known && !p.data_pdu_in_order.value);
	assert_int_equal(parameter("FirstBurstLength", "65536\n").first_burst_length.value, 65536);
	assert_int_equal(parameter("DefaultTime2Retain", "0\n").default_time2retain.known, 1);
	/* The trap: what LIO declares to receive. */
	assert_int_equal(
		parameter("MaxXmitDataSegmentLength", "131072\n").declared_receive.value, 131072);
}

static void test_no_session_is_no_value(void **state)
{
	struct lio_parameters p, none = { .alias_known = false };

	(void)state;
	for (size_t i = 0; i < lio_parameter_file_count; i++) {
		if (!lio_parameter_files[i].negotiated)
			continue;
		p = parameter(lio_parameter_files[i].name, "No Active iSCSI Session\n");
		assert_memory_equal(&p, &none, sizeof(p));
		p = parameter(lio_parameter_files[i].name, "");
		assert_memory_equal(&p, &none, sizeof(p));
	}
}

static void test_values_that_the_rfc_forbids(void **state)
{
	(void)state;
	assert_false(parameter("FirstBurstLength", "511\n").first_burst_length.known);
	assert_false(parameter("FirstBurstLength", "16777216\n").first_burst_length.known);
	assert_false(parameter("MaxBurstLength", "0\n").max_burst_length.known);
	assert_false(parameter("MaxOutstandingR2T", "0\n").max_outstanding_r2t.known);
	assert_false(parameter("MaxConnections", "65536\n").max_connections.known);
	assert_false(parameter("DefaultTime2Wait", "3601\n").default_time2wait.known);
	assert_false(parameter("ErrorRecoveryLevel", "3\n").error_recovery_level.known);
	assert_false(parameter("InitialR2T", "2\n").initial_r2t.known);
	assert_false(parameter("InitialR2T", "Irrelevant\n").initial_r2t.known);
}

static void check_digest(const char *text, uint32_t first, uint32_t second)
{
	struct lio_parameters header = parameter("HeaderDigest", text);
	struct lio_parameters data = parameter("DataDigest", text);

	assert_int_equal(header.header_digest.value, first);
	assert_int_equal(header.second_header_digest.value, second);
	assert_int_equal(header.header_digest.known, first != 0);
	assert_false(header.data_digest.known);
	assert_int_equal(data.data_digest.value, first);
	assert_int_equal(data.second_data_digest.value, second);
	assert_false(data.header_digest.known);
}

static void test_digests(void **state)
{
	(void)state;
	check_digest("None\n", 3, 1);
	check_digest("CRC32C\n", 4, 1);
	check_digest("CRC32C,None\n", 4, 3);
	check_digest("None,CRC32C\n", 3, 4);
	check_digest("CRC32C, None", 4, 3);
	check_digest("CRC64,None\n", 2, 3);
	check_digest("CRC32C,SHA,None\n", 4, 2);
	check_digest(",None\n", 0, 0);
	check_digest("None, \n", 0, 0);
	check_digest(",\n", 0, 0);
	check_digest("none\n", 2, 1);
	check_digest("\n", 0, 0);
}

static void test_target_alias_is_made_safe(void **state)
{
	char text[300];

	(void)state;
	assert_string_equal(parameter("TargetAlias", "LIO Target\n").alias, "LIO Target");
	assert_string_equal(parameter("TargetAlias", "\x1b[2J\xff\n").alias, "?[2J?");
	assert_true(parameter("TargetAlias", "\n").alias_known);
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = 0;
	assert_int_equal(strlen(parameter("TargetAlias", text).alias), LIO_ALIAS_MAX);
}

static void test_parameter_with_nul(void **state)
{
	struct lio_parameters p = { .alias_known = false };

	(void)state;
	for (size_t i = 0; i < lio_parameter_file_count; i++)
		lio_parameter_parse(&p, i, "1\n\0x", 4);
	assert_false(p.alias_known || p.initial_r2t.known || p.max_connections.known ||
		     p.header_digest.known);
}

static void test_intersection(void **state)
{
	struct lio_parameters a = parameter("HeaderDigest", "CRC32C\n"), b = a;

	(void)state;
	OPT_SET(a.declared_receive, 8192);
	OPT_SET(b.declared_receive, 16384);
	a.alias_known = b.alias_known = true;
	lio_parameters_intersect(&a, &b);
	assert_true(a.header_digest.known && a.second_header_digest.known && a.alias_known);
	assert_false(a.declared_receive.known);
	b = (struct lio_parameters){ .alias_known = true, .alias = "other" };
	lio_parameters_intersect(&a, &b);
	assert_false(a.header_digest.known || a.second_header_digest.known || a.alias_known);
}

/* "name/ordinal" of the guests of a group, each with a semicolon. */
static const char *guests(struct lio_group *group, const char *text, size_t length)
{
	static char out[1024];

	assert_int_equal(lio_group_take_guests(group, text, length), 0);
	*out = 0;
	for (size_t i = 0; i < group->guest_count; i++)
		snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s/%u;",
			group->guests[i].name, group->guests[i].ordinal);
	return out;
}

static void test_sessions_of_one_name_are_numbered(void **state)
{
	static const char five[] = "b\n\0a\n\0b\n\0c\n\0b\n", three[] = "b\n\0c\n\0b\n";
	struct lio_memory memory = { .targets = NULL };
	struct lio_group *group = lio_target_group(lio_memory_target(&memory, "t"), 1);
	char longest[LIO_IQN_MAX + 3];

	(void)state;
	assert_string_equal(guests(group, "", 0), "");
	assert_string_equal(guests(group, five, sizeof(five)), "a/1;b/1;b/2;b/3;c/1;");
	/* One fewer of a name: the others keep their numbers. */
	assert_string_equal(guests(group, three, sizeof(three)), "b/1;b/2;c/1;");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest + LIO_IQN_MAX, "\n", 2);
	assert_int_equal(lio_group_take_guests(group, longest, LIO_IQN_MAX + 2), 0);
	assert_int_equal(strlen(group->guests[0].name), LIO_IQN_MAX);
	memcpy(longest + LIO_IQN_MAX, "x\n", 3);
	assert_int_equal(lio_group_take_guests(group, longest, LIO_IQN_MAX + 3), 0);
	assert_int_equal(group->guest_count, 0);
	lio_memory_clear(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dynamic_sessions),
		cmocka_unit_test(test_sessions_of_one_name_are_numbered),
		cmocka_unit_test(test_names_of_groups),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_no_session_is_no_value),
		cmocka_unit_test(test_values_that_the_rfc_forbids),
		cmocka_unit_test(test_digests),
		cmocka_unit_test(test_target_alias_is_made_safe),
		cmocka_unit_test(test_parameter_with_nul),
		cmocka_unit_test(test_intersection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
