/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers to AgentX requests, as octets, against what the MIB engine says of the same cells; on
 * snapshots made by chance, in both byte orders.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/agentx_answer.h"
#include "tests/support/agentx_decode.h"
#include "tests/support/handmade.h"

static uint8_t response[AGENTX_PDU_MAX];

struct request {
	uint8_t head[AGENTX_HEADER_SIZE];
	uint8_t payload[AGENTX_PDU_MAX];
	size_t length;
	bool big;
};

static void put(struct request *r, unsigned int octets, uint32_t value)
{
	for (unsigned int i = 0; i < octets; i++) {
		unsigned int shift = 8 * (r->big ? octets - 1 - i : i);

		assert_true(r->length < sizeof(r->payload));
		r->payload[r->length++] = (uint8_t)(value >> shift);
	}
}

static void put_name(struct request *r, const mib_oid *ids, size_t length, bool include)
{
	put(r, 1, (uint32_t)length);
	put(r, 1, 0);
	put(r, 1, include);
	put(r, 1, 0);
	for (size_t i = 0; i < length; i++)
		put(r, 4, (uint32_t)ids[i]);
}

static void put_range(struct request *r, const mib_oid *ids, size_t length)
{
	put_name(r, ids, length, false);
	put_name(r, NULL, 0, false);
}

static size_t answer(struct request *r, uint8_t type, uint8_t flags,
	const struct mib_view *const views[], size_t count)
{
	struct agentx_header h = { .type = type,
		.flags = flags | (r->big ? AGENTX_FLAG_NETWORK_ORDER : 0),
		.session = 7,
		.transaction = 0x01020304,
		.packet = 0xa1b2c3d4,
		.length = (uint32_t)r->length };

	agentx_header_write(r->head, &h);
	return agentx_answer(views, count, &h, r->payload, response);
}

static struct agentx_decoded answered(
	struct request *r, uint8_t type, const struct mib_view *const views[], size_t count)
{
	struct agentx_decoded d;
	size_t length = answer(r, type, 0, views, count);

	if (!agentx_decode(response, length, r->head, &d))
		fail_msg("a malformed Response of %zu octets", length);
	return d;
}

static void is_value(const struct agentx_decoded_binding *b, const struct mib_name *name,
	const struct mib_value *v)
{
	static const uint16_t types[] = {
		[MIB_COUNTER32] = 65,
		[MIB_COUNTER64] = 70,
		[MIB_UNSIGNED32] = 66,
		[MIB_GAUGE32] = 66,
		[MIB_INTEGER] = 2,
		[MIB_OCTETS] = 4,
		[MIB_BITS] = 4,
		[MIB_OBJECT_ID] = 6,
		[MIB_TIMESTAMP] = 67,
	};

	assert_int_equal(mib_compare(b->name, b->name_length, name->ids, name->length), 0);
	assert_int_equal(b->type, types[v->syntax]);
	if (b->type == 4) {
		assert_int_equal(b->octets_length, v->octets.length);
		if (v->octets.length)
			assert_memory_equal(b->octets, v->octets.data, v->octets.length);
	} else if (b->type == 6) {
		assert_int_equal(mib_compare(b->ids, b->ids_length, v->oid.ids, v->oid.length), 0);
	} else {
		assert_int_equal(
			b->number, b->type == 70 ? v->number : (uint64_t)(uint32_t)v->number);
	}
}

static struct mib_view *view_of(const struct mib_module *module, uint64_t seed, uint32_t size)
{
	struct snapshot *s = handmade_random(&seed, size);
	struct mib_view *view;

	assert_int_equal(mib_view_new(module, s, &view), 0);
	snapshot_put(s);
	return view;
}

static void walk_and_gets_say_what_the_engine_says(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct mib_view *view = view_of(&iscsi_mib, seed, 12);
		const struct mib_view *views[] = { view };
		struct mib_name at = { .length = 0 }, next;
		struct mib_value value;

		for (bool big = false;; big = !big) {
			enum mib_result result =
				mib_next(view, at.ids, at.length, false, &next, &value);
			struct request r = { .big = big };
			struct agentx_decoded_binding b;
			struct agentx_decoded d;

			put_range(&r, at.ids, at.length);
			d = answered(&r, AGENTX_PDU_GET_NEXT, views, 1);
			assert_int_equal(d.count, 1);
			assert_true(agentx_decode_next(&d, &b));
			if (result != MIB_FOUND) {
				assert_int_equal(b.type, 130);
				assert_int_equal(
					mib_compare(b.name, b.name_length, at.ids, at.length), 0);
				break;
			}
			is_value(&b, &next, &value);
			r.length = 0;
			put_range(&r, next.ids, next.length);
			d = answered(&r, AGENTX_PDU_GET, views, 1);
			assert_true(agentx_decode_next(&d, &b));
			is_value(&b, &next, &value);
			at = next;
		}
		mib_view_free(view);
	}
}

static void bulk_is_many_nexts(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 40; seed++) {
		struct mib_view *view = view_of(&iscsi_mib, seed, 30);
		const struct mib_view *views[] = { view };
		mib_oid starts[3][10] = {
			{ 1, 3, 6, 1, 2, 1, 142, 1, 5, 1 },
			{ 1, 3, 6, 1, 2, 1, 142, 1, 10, 1 },
			{ 1, 3, 6, 1, 2, 1, 142, 1, 11, 1 },
		};
		struct mib_name at[3];
		struct request r = { .big = seed & 1 };
		struct agentx_decoded_binding b;
		struct agentx_decoded d;

		put(&r, 2, 0);
		put(&r, 2, 20);
		for (int i = 0; i < 3; i++) {
			put_range(&r, starts[i], 10);
			memcpy(at[i].ids, starts[i], sizeof(starts[i]));
			at[i].length = 10;
		}
		d = answered(&r, AGENTX_PDU_GET_BULK, views, 1);
		assert_int_equal(d.count % 3, 0);
		assert_true(d.count <= 60);
		for (size_t i = 0; agentx_decode_next(&d, &b); i++) {
			struct mib_name *a = &at[i % 3];
			struct mib_value value;

			if (mib_next(view, a->ids, a->length, false, a, &value) == MIB_FOUND)
				is_value(&b, a, &value);
			else
				assert_int_equal(b.type, 130);
		}
		mib_view_free(view);
	}
}

static void include_is_for_the_first_repetition(void **state)
{
	struct mib_view *view = view_of(&iscsi_mib, 3, 5);
	const struct mib_view *views[] = { view };
	struct mib_name first, second;
	struct mib_value value;
	struct request r = { .big = false };
	struct agentx_decoded_binding b;
	struct agentx_decoded d;

	(void)state;
	assert_int_equal(mib_next(view, NULL, 0, false, &first, &value), MIB_FOUND);
	assert_int_equal(
		mib_next(view, first.ids, first.length, false, &second, &value), MIB_FOUND);
	put(&r, 2, 0);
	put(&r, 2, 2);
	put_name(&r, first.ids, first.length, true);
	put_name(&r, NULL, 0, false);
	d = answered(&r, AGENTX_PDU_GET_BULK, views, 1);
	assert_true(agentx_decode_next(&d, &b));
	assert_int_equal(mib_compare(b.name, b.name_length, first.ids, first.length), 0);
	assert_true(agentx_decode_next(&d, &b));
	assert_int_equal(mib_compare(b.name, b.name_length, second.ids, second.length), 0);
	mib_view_free(view);
}

static void names_come_back_as_they_were(void **state)
{
	static const mib_oid names[][6] = { { 1, 3, 6, 1, 255, 1 }, { 1, 3, 6, 1, 256, 1 },
		{ 1, 3, 6, 1, 0, 1 }, { 1, 3, 6, 2, 4, 1 }, { 2, 3, 6, 1, 4, 1 },
		{ 1, 3, 6, 1, 4294967295, 4294967295 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		for (size_t length = 0; length <= 6; length++) {
			struct request r = { .big = i & 1 };
			struct agentx_decoded_binding b;
			struct agentx_decoded d;

			put_range(&r, names[i], length);
			d = answered(&r, AGENTX_PDU_GET_NEXT, NULL, 0);
			assert_true(agentx_decode_next(&d, &b));
			assert_int_equal(mib_compare(b.name, b.name_length, names[i], length), 0);
		}
	}
}

static void names_have_128_sub_identifiers_at_most(void **state)
{
	static const struct {
		uint8_t count, prefix;
		bool good;
	} names[] = { { 128, 0, true }, { 129, 0, false }, { 123, 2, true }, { 124, 2, false },
		{ 255, 255, false } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct request r = { .big = true };

		put(&r, 1, names[i].count);
		put(&r, 1, names[i].prefix);
		put(&r, 2, 0);
		for (int n = 0; n < names[i].count; n++)
			put(&r, 4, 1);
		put_name(&r, NULL, 0, false);
		assert_int_equal(answered(&r, AGENTX_PDU_GET, NULL, 0).error,
			names[i].good ? 0 : AGENTX_ERROR_PARSE);
	}
}

/* A second module, as the private one: its tables below another root. */
static void modules_are_one_tree(void **state)
{
	static const mib_oid root[] = { 1, 3, 6, 1, 4, 1, 8072, 1 };
	static struct mib_module other;
	struct mib_view *first = view_of(&iscsi_mib, 5, 3), *second;
	const struct mib_view *views[2];
	struct mib_name last = { .length = 0 }, next = { .length = 0 };
	struct request r = { .big = true };
	struct agentx_decoded_binding b;
	struct mib_value value;
	struct agentx_decoded d;

	(void)state;
	other = iscsi_mib;
	other.root = root;
	other.root_length = ARRAY_SIZE(root);
	second = view_of(&other, 5, 3);
	views[0] = first;
	views[1] = second;
	while (mib_next(first, last.ids, last.length, false, &next, &value) == MIB_FOUND)
		last = next;
	put_range(&r, last.ids, last.length);
	d = answered(&r, AGENTX_PDU_GET_NEXT, views, 2);
	assert_true(agentx_decode_next(&d, &b));
	assert_int_equal(mib_next(second, NULL, 0, false, &next, &value), MIB_FOUND);
	is_value(&b, &next, &value);
	r.length = 0;
	put_range(&r, next.ids, next.length);
	d = answered(&r, AGENTX_PDU_GET, views, 2);
	assert_true(agentx_decode_next(&d, &b));
	is_value(&b, &next, &value);
	mib_view_free(first);
	mib_view_free(second);
}

static void without_views_there_is_nothing(void **state)
{
	static const mib_oid name[] = { 1, 3, 6, 1, 2, 1, 142, 1, 1, 1, 1, 2, 1 };
	struct request r = { .big = false };
	struct agentx_decoded_binding b;
	struct agentx_decoded d;

	(void)state;
	put_range(&r, name, ARRAY_SIZE(name));
	d = answered(&r, AGENTX_PDU_GET, NULL, 0);
	assert_true(agentx_decode_next(&d, &b) && b.type == 128);
	d = answered(&r, AGENTX_PDU_GET_NEXT, NULL, 0);
	assert_true(agentx_decode_next(&d, &b) && b.type == 130);
}

/* 12 octets each: what fits to the octet is sent, one more is tooBig at its place. */
static void limit_is_exact(void **state)
{
	static const mib_oid name[] = { 1 };
	const size_t fits = (AGENTX_PDU_MAX - AGENTX_RESPONSE_MIN) / 12;
	struct request r = { .big = true };
	struct agentx_decoded d;

	(void)state;
	assert_int_equal((AGENTX_PDU_MAX - AGENTX_RESPONSE_MIN) % 12, 8);
	while (r.length / 12 < fits)
		put_range(&r, name, 1);
	d = answered(&r, AGENTX_PDU_GET, NULL, 0);
	assert_int_equal(d.error, 0);
	assert_int_equal(d.count, fits);
	/* A name of one sub-identifier less, then no room is left at all. */
	put_range(&r, NULL, 0);
	d = answered(&r, AGENTX_PDU_GET, NULL, 0);
	assert_int_equal(d.error, 0);
	put_range(&r, NULL, 0);
	d = answered(&r, AGENTX_PDU_GET, NULL, 0);
	assert_int_equal(d.error, AGENTX_ERROR_TOO_BIG);
	assert_int_equal(d.index, fits + 2);
	assert_int_equal(d.count, 0);
}

static void sets_are_refused(void **state)
{
	static const uint8_t types[] = { AGENTX_PDU_TEST_SET, AGENTX_PDU_COMMIT_SET,
		AGENTX_PDU_UNDO_SET };
	static const uint16_t errors[] = { 17, 14, 15 };
	struct request r = { .big = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		assert_int_equal(answered(&r, types[i], NULL, 0).error, errors[i]);
	assert_int_equal(answer(&r, AGENTX_PDU_CLEANUP_SET, 0, NULL, 0), 0);
	assert_int_equal(answer(&r, AGENTX_PDU_CLEANUP_SET, AGENTX_FLAG_CONTEXT, NULL, 0), 0);
}

static void context_is_unsupported(void **state)
{
	struct request r = { .big = true };
	struct agentx_decoded d;
	size_t length = answer(&r, AGENTX_PDU_GET, AGENTX_FLAG_CONTEXT, NULL, 0);

	(void)state;
	assert_true(agentx_decode(response, length, r.head, &d));
	assert_int_equal(d.error, AGENTX_ERROR_UNSUPPORTED_CONTEXT);
}

static void cut_requests_are_parse_errors(void **state)
{
	static const uint8_t types[] = { AGENTX_PDU_GET, AGENTX_PDU_GET_NEXT, AGENTX_PDU_GET_BULK };
	static const mib_oid name[] = { 1, 3, 6, 1, 2, 1, 142, 1 };
	struct request r = { .big = true };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		size_t whole;

		r.length = 0;
		if (types[i] == AGENTX_PDU_GET_BULK)
			put(&r, 4, 1);
		put_range(&r, name, ARRAY_SIZE(name));
		whole = r.length;
		for (size_t length = 1; length < whole; length++) {
			struct request cut = { .big = true, .length = length };

			if (types[i] == AGENTX_PDU_GET_BULK && length == 4)
				continue;
			memcpy(cut.payload, r.payload, length);
			assert_int_equal(
				answered(&cut, types[i], NULL, 0).error, AGENTX_ERROR_PARSE);
		}
	}
}

static void headers_of_no_master_are_refused(void **state)
{
	struct agentx_header h = { .type = AGENTX_PDU_GET, .length = 8 }, read;
	uint8_t good[AGENTX_HEADER_SIZE], bad[AGENTX_HEADER_SIZE];
	static const struct {
		uint8_t at, value;
	} faults[] = { { 0, 0 }, { 0, 2 }, { 1, 0 }, { 1, 19 }, { 1, 255 }, { 3, 1 }, { 16, 9 },
		{ 16, 3 }, { 19, 1 }, { 19, 255 } };

	(void)state;
	agentx_header_write(good, &h);
	assert_int_equal(agentx_header_read(good, &read), 0);
	assert_int_equal(read.length, 8);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		memcpy(bad, good, sizeof(bad));
		bad[faults[i].at] = faults[i].value;
		if (agentx_header_read(bad, &read) != -EPROTO)
			fail_msg("octet %u = %u is taken", faults[i].at, faults[i].value);
	}
	h.length = AGENTX_PAYLOAD_MAX;
	agentx_header_write(good, &h);
	assert_int_equal(agentx_header_read(good, &read), 0);
	h.length += 4;
	agentx_header_write(good, &h);
	assert_int_equal(agentx_header_read(good, &read), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walk_and_gets_say_what_the_engine_says),
		cmocka_unit_test(bulk_is_many_nexts),
		cmocka_unit_test(include_is_for_the_first_repetition),
		cmocka_unit_test(names_come_back_as_they_were),
		cmocka_unit_test(names_have_128_sub_identifiers_at_most),
		cmocka_unit_test(modules_are_one_tree),
		cmocka_unit_test(without_views_there_is_nothing),
		cmocka_unit_test(limit_is_exact),
		cmocka_unit_test(sets_are_refused),
		cmocka_unit_test(context_is_unsupported),
		cmocka_unit_test(cut_requests_are_parse_errors),
		cmocka_unit_test(headers_of_no_master_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
