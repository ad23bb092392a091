/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of --walk is what snmpwalk -On -Oe prints: held against net-snmp's own printing of the
 * same value, for values by chance. LINK: -lnetsnmp
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

/* The library's headers come first: ours forbid some of the functions that they declare. */
#include "agent/mib_walk.h"
#include "tests/support/handmade.h"

static int setup(void **state)
{
	(void)state;
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/nowhere", 1);
	setenv("SNMPCONFPATH", "/nowhere", 1);
	init_snmp("test_mib_walk_netsnmp");
	netsnmp_ds_set_int(NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_OID_OUTPUT_FORMAT,
		NETSNMP_OID_OUTPUT_NUMERIC); /* -On */
	netsnmp_ds_set_boolean(
		NETSNMP_DS_LIBRARY_ID, NETSNMP_DS_LIB_PRINT_NUMERIC_ENUM, 1); /* -Oe */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	snmp_shutdown("test_mib_walk_netsnmp");
	return 0;
}

static void set_value(netsnmp_variable_list *var, const struct mib_value *value)
{
	struct counter64 big = { value->number >> 32, value->number & UINT32_MAX };
	long number = value->syntax == MIB_INTEGER ? (int32_t)value->number : (long)value->number;
	static const u_char types[] = {
		[MIB_COUNTER32] = ASN_COUNTER,
		[MIB_COUNTER64] = ASN_COUNTER64,
		[MIB_UNSIGNED32] = ASN_UNSIGNED,
		[MIB_GAUGE32] = ASN_GAUGE,
		[MIB_INTEGER] = ASN_INTEGER,
		[MIB_OCTETS] = ASN_OCTET_STR,
		[MIB_BITS] = ASN_OCTET_STR,
		[MIB_OBJECT_ID] = ASN_OBJECT_ID,
		[MIB_TIMESTAMP] = ASN_TIMETICKS,
	};
	const void *data = &number;
	size_t length = sizeof(number);

	if (value->syntax == MIB_COUNTER64) {
		data = &big;
		length = sizeof(big);
	} else if (value->syntax == MIB_OCTETS || value->syntax == MIB_BITS) {
		data = value->octets.data;
		length = value->octets.length;
	} else if (value->syntax == MIB_OBJECT_ID) {
		data = value->oid.ids;
		length = value->oid.length * sizeof(mib_oid);
	}
	assert_int_equal(snmp_set_var_typed_value(var, types[value->syntax], data, length), 0);
}

static void compare(const struct mib_name *name, const struct mib_value *value)
{
	netsnmp_variable_list var = { .next_variable = NULL };
	char expected[4096], *text = NULL;
	size_t length;
	int expected_length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	mib_walk_print(name, value, out);
	fclose(out);
	set_value(&var, value);
	expected_length =
		snprint_variable(expected, sizeof(expected) - 1, name->ids, name->length, &var);
	assert_true(expected_length > 0);
	expected[expected_length++] = '\n'; /* snmpwalk's own */
	assert_int_equal(length, expected_length);
	assert_memory_equal(text, expected, length);
	snmp_reset_var_buffers(&var);
	free(text);
}

static void random_octets(uint64_t *seed, struct mib_value *value)
{
	size_t length = handmade_chance(seed, 4) ? handmade_chance(seed, 40)
						 : handmade_chance(seed, sizeof(value->text));
	uint64_t kind = handmade_chance(seed, 4);

	for (size_t i = 0; i < length; i++) {
		unsigned c = (unsigned)handmade_chance(seed, 256);

		if (kind)
			c = ' ' + c % 95;
		if (kind == 2 && !handmade_chance(seed, 8)) /* white space, escapes, NUL, DEL */
			c = (unsigned char)"\t\n\v\f\r\"\\\0\177\x1f"[handmade_chance(seed, 10)];
		value->text[i] = (char)c;
	}
	if (kind == 3 && length) /* text with one octet at its end that is none, or a NUL */
		value->text[length - 1] = (char)(handmade_chance(seed, 2) * 0xff);
	value->octets.data = value->text;
	value->octets.length = length;
}

static void random_value(uint64_t *seed, struct mib_value *value)
{
	static const uint64_t ends[] = { 0, 1, 99, 100, 8639999, 8640000, 17280000, INT32_MAX,
		(uint64_t)INT32_MAX + 1, UINT32_MAX };
	uint64_t number = handmade_chance(seed, 2) ? ends[handmade_chance(seed, ARRAY_SIZE(ends))]
						   : handmade_chance(seed, UINT32_MAX);

	value->syntax = (enum mib_syntax)handmade_chance(seed, MIB_TIMESTAMP + 1);
	switch (value->syntax) {
	case MIB_OCTETS:
	case MIB_BITS:
		random_octets(seed, value);
		break;
	case MIB_OBJECT_ID:
		value->oid.ids = value->name.ids;
		value->oid.length = 2 + handmade_chance(seed, 20);
		for (size_t i = 0; i < value->oid.length; i++)
			value->name.ids[i] = handmade_chance(seed, 2)
						     ? handmade_chance(seed, 3)
						     : handmade_chance(seed, UINT32_MAX);
		break;
	case MIB_COUNTER64:
		value->number = handmade_chance(seed, 2) ? number * number : number;
		break;
	default:
		value->number = number;
	}
}

static void a_line_is_what_net_snmp_prints(void **state)
{
	uint64_t seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct mib_name name = { .ids = { 1, 3, 6, 1, 2, 1, 142 },
			.length = (uint8_t)(2 + handmade_chance(&seed, 16)) };
		struct mib_value value;

		for (uint8_t n = 7; n < name.length; n++)
			name.ids[n] = handmade_chance(&seed, UINT32_MAX);
		random_value(&seed, &value);
		compare(&name, &value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(a_line_is_what_net_snmp_prints) };

	return cmocka_run_group_tests(tests, setup, teardown);
}
