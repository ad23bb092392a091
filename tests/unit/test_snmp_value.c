/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * agent/snmp_value.h: each syntax comes out as the type of SNMP with its value, what was written
 * for a Notify PDU is read back as it was, and no octets, cut or changed, are read beyond their
 * end. LINK: -lnetsnmp
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* net-snmp's headers come first: ours forbid some of the functions that they declare. */
#include "agent/snmp_value.h"

#include "agent/agentx_write.h"

static const mib_oid enterprise[] = { 1, 3, 6, 1, 4, 1, 99, 1 }, elsewhere[] = { 2, 5, 40000 };

static const struct {
	enum mib_syntax syntax;
	u_char type;
	uint64_t given, wanted;
} numbers[] = {
	{ MIB_COUNTER32, ASN_COUNTER, UINT32_MAX, UINT32_MAX },
	{ MIB_COUNTER32, ASN_COUNTER, (uint64_t)5 << 32 | 7, 7 },
	{ MIB_COUNTER64, ASN_COUNTER64, (uint64_t)5 << 32 | 7, (uint64_t)5 << 32 | 7 },
	{ MIB_COUNTER64, ASN_COUNTER64, UINT64_MAX, UINT64_MAX },
	{ MIB_UNSIGNED32, ASN_GAUGE, 3000000000u, 3000000000u },
	{ MIB_GAUGE32, ASN_GAUGE, 0, 0 },
	{ MIB_INTEGER, ASN_INTEGER, (uint64_t)-5, (uint64_t)-5 },
	{ MIB_INTEGER, ASN_INTEGER, 2, 2 },
	{ MIB_TIMESTAMP, ASN_TIMETICKS, 123456, 123456 },
};

static uint64_t number_of(const netsnmp_variable_list *v)
{
	if (v->type == ASN_COUNTER64)
		return (uint64_t)v->val.counter64->high << 32 | (uint32_t)v->val.counter64->low;
	if (v->type == ASN_INTEGER)
		return (uint64_t)*v->val.integer;
	return (uint32_t)*v->val.integer;
}

static void each_syntax_has_its_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct mib_value value = { .syntax = numbers[i].syntax,
			.number = numbers[i].given };
		netsnmp_variable_list *v = SNMP_MALLOC_TYPEDEF(netsnmp_variable_list);

		assert_int_equal(snmp_value_set(v, &value), 0);
		assert_int_equal(v->type, numbers[i].type);
		assert_true(number_of(v) == numbers[i].wanted);
		snmp_free_varbind(v);
	}
	for (int i = 0; i < 2; i++) {
		struct mib_value value = { .syntax = i ? MIB_BITS : MIB_OCTETS,
			.octets = { "a\0b", 3 } };
		netsnmp_variable_list *v = SNMP_MALLOC_TYPEDEF(netsnmp_variable_list);

		assert_int_equal(snmp_value_set(v, &value), 0);
		assert_int_equal(v->type, ASN_OCTET_STR);
		assert_int_equal(v->val_len, 3);
		assert_memory_equal(v->val.string, "a\0b", 3);
		snmp_free_varbind(v);
	}
}

static void what_has_no_syntax_is_no_value(void **state)
{
	struct mib_value value = { .syntax = (enum mib_syntax)99 };
	netsnmp_variable_list v = { .next_variable = NULL };

	(void)state;
	assert_int_equal(snmp_value_set(&v, &value), -ENOMEM);
}

/* A Notify PDU with one object of each kind; its length. */
static size_t write_all(uint8_t octets[2048])
{
	struct mib_value text = { .syntax = MIB_OCTETS, .octets = { "hello", 5 } };
	struct mib_value name = { .syntax = MIB_OBJECT_ID, .oid = { elsewhere, 3 } };
	struct agentx_writer w;

	agentx_write_notify(&w, octets, 2048, enterprise, ARRAY_SIZE(enterprise));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct mib_value value = { .syntax = numbers[i].syntax,
			.number = numbers[i].given };

		agentx_write_binding(&w, enterprise, ARRAY_SIZE(enterprise), &value);
	}
	agentx_write_binding(&w, elsewhere, ARRAY_SIZE(elsewhere), &text);
	agentx_write_binding(&w, elsewhere, ARRAY_SIZE(elsewhere), &name);
	assert_false(w.full);
	return w.length;
}

static void what_was_written_is_read_back(void **state)
{
	uint8_t octets[2048];
	size_t length = write_all(octets);
	netsnmp_variable_list *list = snmp_value_list(octets, length, 4711), *v = list;

	(void)state;
	assert_non_null(v);
	assert_int_equal(v->type, ASN_TIMETICKS);
	assert_true(number_of(v) == 4711);
	v = v->next_variable;
	assert_int_equal(v->type, ASN_OBJECT_ID);
	assert_int_equal(
		snmp_oid_compare(v->val.objid, v->val_len / sizeof(oid), enterprise, 8), 0);
	v = v->next_variable;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++, v = v->next_variable) {
		assert_int_equal(v->type, numbers[i].type);
		assert_true(number_of(v) == numbers[i].wanted);
		assert_int_equal(snmp_oid_compare(v->name, v->name_length, enterprise, 8), 0);
	}
	assert_int_equal(v->val_len, 5);
	assert_memory_equal(v->val.string, "hello", 5);
	assert_int_equal(snmp_oid_compare(v->name, v->name_length, elsewhere, 3), 0);
	v = v->next_variable;
	assert_int_equal(snmp_oid_compare(v->val.objid, v->val_len / sizeof(oid), elsewhere, 3), 0);
	assert_null(v->next_variable);
	snmp_free_varbind(list);
}

/* In memory of just this length, so that a sanitizer sees what is read behind it. */
static netsnmp_variable_list *read_exactly(const uint8_t *octets, size_t length)
{
	uint8_t *copy = malloc(length ? length : 1);
	netsnmp_variable_list *list;

	assert_non_null(copy);
	memcpy(copy, octets, length);
	list = snmp_value_list(copy, length, 1);
	free(copy);
	return list;
}

static void what_is_cut_is_none_or_shorter(void **state)
{
	uint8_t octets[2048];
	size_t length = write_all(octets);
	unsigned int whole = 0;

	(void)state;
	for (size_t cut = 0; cut < length; cut++) {
		netsnmp_variable_list *list = read_exactly(octets, cut);

		whole += list != NULL;
		snmp_free_varbind(list);
	}
	/* Between two varbinds, and nowhere else. */
	assert_int_equal(whole, 1 + ARRAY_SIZE(numbers) + 2);
}

static void changed_octets_are_survived(void **state)
{
	static const uint8_t octet[] = { 0, 1, 0x7f, 0x80, 0xff };
	uint8_t octets[2048];
	size_t length = write_all(octets);

	(void)state;
	for (size_t at = 0; at < length; at++)
		for (size_t i = 0; i < ARRAY_SIZE(octet); i++) {
			uint8_t before = octets[at];

			octets[at] = octet[i];
			snmp_free_varbind(read_exactly(octets, length));
			octets[at] = before;
		}
}

static void what_does_not_begin_with_the_time_is_none(void **state)
{
	uint8_t octets[2048];
	size_t length = write_all(octets);

	(void)state;
	octets[AGENTX_HEADER_SIZE + 1] = AGENTX_INTEGER;
	assert_null(read_exactly(octets, length));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_syntax_has_its_type),
		cmocka_unit_test(what_has_no_syntax_is_no_value),
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(what_is_cut_is_none_or_shorter),
		cmocka_unit_test(changed_octets_are_survived),
		cmocka_unit_test(what_does_not_begin_with_the_time_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
