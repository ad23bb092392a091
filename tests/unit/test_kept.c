/* SPDX-License-Identifier: BSD-2-Clause */
/* model/kept.h: kept.def is what the ledger takes it for, and a value comes out as it went in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "model/kept.h"
#include "tests/support/registry_sample.h"

static const struct field_info *info_of(const struct kept_field *field)
{
	const struct object_info *info = object_info(field->kind);

	for (uint32_t i = 0; i < info->field_count; i++)
		if (strcmp(info->fields[i].name, field->name) == 0)
			return &info->fields[i];
	fail_msg("no field %s", field->name);
	return NULL;
}

/* The ledger takes the first run of lines of a kind for all of them. */
static void the_fields_of_a_kind_stand_together(void **state)
{
	(void)state;
	for (size_t i = 1; i < KEPT_FIELDS; i++) {
		for (size_t k = 0; k < i; k++) {
			if (kept_fields[k].kind == kept_fields[i].kind)
				assert_int_equal(kept_fields[i - 1].kind, kept_fields[i].kind);
			assert_false(kept_fields[k].kind == kept_fields[i].kind &&
				     kept_fields[k].offset == kept_fields[i].offset);
		}
	}
}

static void the_fields_are_those_of_the_model(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEPT_FIELDS; i++) {
		const struct kept_field *field = &kept_fields[i];
		const struct kept_field *leader = &kept_fields[field->leader];
		const struct field_info *info = info_of(field);

		assert_int_equal(info->type, field->type);
		assert_int_equal(info->offset, field->offset);
		assert_int_equal(leader->kind, field->kind);
		assert_int_equal(leader->leader, field->leader);
		if (field->type == FIELD_str)
			assert_true(info->high <= KEPT_VALUE_MAX);
	}
}

/* A row that is numbered has its kind, and every kind of kept.def is numbered. */
static void every_kind_is_one_of_rows(void **state)
{
	(void)state;
	assert_int_equal(kept_kind(INDEX_INSTANCE), OBJECT_INSTANCE);
	assert_int_equal(kept_kind(INDEX_SESSION), OBJECT_SESSION);
	for (size_t i = 0; i < KEPT_FIELDS; i++) {
		enum index_kind k = 0;

		while (k < INDEX_KINDS && kept_kind(k) != kept_fields[i].kind)
			k++;
		assert_true(k < INDEX_KINDS);
	}
}

static void values_come_out_as_they_went_in(void **state)
{
	struct registry *r = registry_new();
	unsigned int tried = 0;

	(void)state;
	registry_sample_fill(r); /* with a record of all fields of each kind */
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		const struct registry_entry *e = registry_find(r, k, 7, "key", 3);
		struct kept_value value, again;
		unsigned int position;

		for (size_t at = 0; kept_next(e->kept, &at, &position, &value);) {
			const struct kept_field *field = &kept_fields[position];
			union {
				char octets[4096];
				uint64_t aligned;
			} object = { "" };

			if (field->policy == KEPT_AS_COUNT)
				continue;
			assert_true(kept_is_valid(field, &value));
			assert_false(kept_is_known(field, &object));
			assert_null(kept_get(field, &object, "").octets);
			kept_set(field, &object, &value, 5);
			assert_true(kept_is_known(field, &object));
			again = kept_get(field, &object, (const char *)value.octets - 5);
			assert_int_equal(again.length, value.length);
			assert_memory_equal(again.octets, value.octets, value.length);
			kept_forget(field, &object);
			assert_null(kept_get(field, &object, "").octets);
			tried++;
		}
	}
	assert_true(tried > 10);
	registry_free(r);
}

static void values_that_cannot_be_are_refused(void **state)
{
	static const struct {
		unsigned int position;
		const char *octets;
		uint8_t length;
	} cases[] = {
		{ KEPT_SESSION_tsih, "\0\0\0\0", 4 },
		{ KEPT_SESSION_tsih, "\1\0\0", 3 },
		{ KEPT_SESSION_login_time, "\1\0\0\0", 4 },
		{ KEPT_SESSION_isid, "\1\2\3\4\5", 5 },
		{ KEPT_SESSION_failures, "\1\0\0\0\0\0\0\0", 8 },
		{ KEPT_NODE_target_last_failure_address, "", 0 },
		{ KEPT_NODE_target_last_failure_address, "\1", 1 },
		{ KEPT_NODE_target_last_failure_address, "\0\0", 2 },
		{ KEPT_NODE_target_last_failure_address, "\1\4\1\1\1", 5 },
		{ KEPT_NODE_target_last_failure_address, "\2\4\1\1\1\1", 6 },
		{ KEPT_NODE_target_last_failure_address, "\3\4\1\1\1\1", 6 },
		{ KEPT_NODE_target_last_failure_address, "\xff\4\1\1\1\1", 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct kept_value value = { (const uint8_t *)cases[i].octets,
			cases[i].length };

		assert_false(kept_is_valid(&kept_fields[cases[i].position], &value));
	}
}

/* Of these types kept.def has no field, but any line may bring one. */
static void truth_and_bits_are_within_their_bounds(void **state)
{
	static const struct kept_field truth = { .kind = OBJECT_SESSION,
		.policy = KEPT_AS_WHILE,
		.type = FIELD_bool,
		.offset = offsetof(struct session, initial_r2t) };
	static const struct kept_field bits = { .kind = OBJECT_SESSION,
		.policy = KEPT_AS_WHILE,
		.type = FIELD_bits,
		.offset = offsetof(struct session, task_reporting) };
	static const struct {
		const struct kept_field *field;
		uint8_t octet;
		bool valid;
	} cases[] = {
		{ &truth, 0, true },
		{ &truth, 1, true },
		{ &truth, 2, false },
		{ &truth, 0xff, false },
		{ &bits, 0, true },
		{ &bits, 0x80, true },
		{ &bits, 0xe0, true },
		{ &bits, 0x10, false },
		{ &bits, 0xe1, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const uint8_t octets[2] = { cases[i].octet, 0 };

		assert_int_equal(kept_is_valid(cases[i].field, &(struct kept_value){ octets, 1 }),
			cases[i].valid);
		assert_false(kept_is_valid(cases[i].field, &(struct kept_value){ octets, 2 }));
		assert_false(kept_is_valid(cases[i].field, &(struct kept_value){ octets, 0 }));
	}
}

static void a_text_that_is_too_long_is_not_kept(void **state)
{
	char arena[KEPT_VALUE_MAX + 2];
	struct session session = { .login = { .length = KEPT_VALUE_MAX, .known = 1 } };
	const struct kept_field *field = &kept_fields[KEPT_SESSION_login];

	(void)state;
	memset(arena, 'x', sizeof(arena));
	assert_int_equal(kept_get(field, &session, arena).length, KEPT_VALUE_MAX);
	session.login.length++;
	assert_null(kept_get(field, &session, arena).octets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fields_of_a_kind_stand_together),
		cmocka_unit_test(the_fields_are_those_of_the_model),
		cmocka_unit_test(every_kind_is_one_of_rows),
		cmocka_unit_test(values_come_out_as_they_went_in),
		cmocka_unit_test(values_that_cannot_be_are_refused),
		cmocka_unit_test(truth_and_bits_are_within_their_bounds),
		cmocka_unit_test(a_text_that_is_too_long_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
