/* SPDX-License-Identifier: BSD-2-Clause */
/* Agent process. No I/O, no log; the only code that knows how a value lies in a record. */
#include "model/kept.h"

#define OBJECT(kind, type) typedef struct type kept_##kind;
#include "model/model.def"

/* clang-format off */
#define TYPE_OF(object, member)                    \
	_Generic(((kept_##object *)NULL)->member,  \
		struct opt_u32: FIELD_u32,         \
		struct opt_counter: FIELD_counter, \
		struct opt_bool: FIELD_bool,       \
		struct opt_bits: FIELD_bits,       \
		struct opt_str: FIELD_str,         \
		struct opt_addr: FIELD_addr,       \
		struct opt_isid: FIELD_isid,       \
		struct opt_time: FIELD_time)
/* clang-format on */
#define FIELD_OF(object, member, how, lead)                                                        \
	{ #member, OBJECT_##object, how, TYPE_OF(object, member), offsetof(kept_##object, member), \
		offsetof(kept_##object, member.known), KEPT_##object##_##lead },

const struct kept_field kept_fields[KEPT_FIELDS] = {
#define KEPT_COUNT(object, member)	   FIELD_OF(object, member, KEPT_AS_COUNT, member)
#define KEPT_NEWEST(object, time, member)  FIELD_OF(object, member, KEPT_AS_NEWEST, time)
#define KEPT_WHILE(object, leader, member) FIELD_OF(object, member, KEPT_AS_WHILE, leader)
#define KEPT_FIRST(object, leader, member) FIELD_OF(object, member, KEPT_AS_FIRST, leader)
#include "model/kept.def"
};

/* Where the value lies in an optional of each type. */
#define PIECE(type, member)                                                                      \
	{                                                                                        \
		offsetof(struct opt_##type, member), sizeof(((struct opt_##type *)NULL)->member) \
	}
static const struct {
	uint8_t at, size; /* octets; size 0: it depends on the value */
} layouts[] = {
	[FIELD_u32] = PIECE(u32, value),
	[FIELD_counter] = PIECE(counter, value),
	[FIELD_bool] = PIECE(bool, value),
	[FIELD_bits] = PIECE(bits, value),
	[FIELD_time] = PIECE(time, ns),
	[FIELD_isid] = PIECE(isid, octets),
	[FIELD_str] = { 0, 0 },
	[FIELD_addr] = { offsetof(struct opt_addr, type), 0 },
};

/* An address begins with its type and its length. */
#define ADDRESS_HEAD (offsetof(struct opt_addr, octets) - offsetof(struct opt_addr, type))
_Static_assert(ADDRESS_HEAD == 2 && offsetof(struct opt_addr, length) == 2, "opt.h has changed");

/* What the policies rely on. */
#define CHECK_ORDER(object, leader, member)                                            \
	_Static_assert((int)KEPT_##object##_##leader <= (int)KEPT_##object##_##member, \
		#leader " must stand before " #member);
#define KEPT_COUNT(object, member) \
	_Static_assert(TYPE_OF(object, member) == FIELD_counter, #member " is no counter");
#define KEPT_NEWEST(object, time, member)                                         \
	_Static_assert(TYPE_OF(object, time) == FIELD_time, #time " is no time"); \
	CHECK_ORDER(object, time, member)
#define KEPT_WHILE(object, leader, member)                                                        \
	_Static_assert(                                                                           \
		TYPE_OF(object, leader) == FIELD_str || TYPE_OF(object, leader) == FIELD_counter, \
		#leader " is neither a text nor a counter");                                      \
	CHECK_ORDER(object, leader, member)
#define KEPT_FIRST(object, leader, member)                                           \
	_Static_assert(TYPE_OF(object, leader) == FIELD_str, #leader " is no text"); \
	CHECK_ORDER(object, leader, member)
#include "model/kept.def"
_Static_assert(KEPT_FIELDS <= UINT8_MAX, "a position is one octet");
_Static_assert(KEPT_RECORD_MAX <= UINT16_MAX, "the length of a record is two octets");

void kept_put(struct kept_record *record, unsigned int position, const void *octets, size_t length)
{
	record->octets[record->length++] = (uint8_t)position;
	record->octets[record->length++] = (uint8_t)length;
	memcpy(record->octets + record->length, octets, length);
	record->length += length;
}

bool kept_next(const struct registry_kept *kept, size_t *at, unsigned int *ret_position,
	struct kept_value *ret)
{
	if (!kept || *at >= kept->length)
		return false;
	*ret_position = kept->octets[*at];
	*ret = (struct kept_value){ .octets = kept->octets + *at + 2,
		.length = kept->octets[*at + 1] };
	*at += 2u + ret->length;
	return true;
}

enum object_kind kept_kind(enum index_kind kind)
{
	enum object_kind k = 0;

	while (k < OBJECT_KINDS && strcmp(object_info(k)->name, index_kind_name(kind)) != 0)
		k++;
	return k;
}

struct kept_value kept_get(const struct kept_field *field, const void *object, const char *arena)
{
	const uint8_t *at = (const uint8_t *)object + field->offset;
	const struct opt_str *text = (const void *)at;
	const struct opt_addr *address = (const void *)at;

	if (!kept_is_known(field, object))
		return (struct kept_value){ .octets = NULL };
	if (field->type == FIELD_addr)
		return (struct kept_value){ &address->type, ADDRESS_HEAD + address->length };
	if (field->type != FIELD_str)
		return (struct kept_value){ at + layouts[field->type].at,
			layouts[field->type].size };
	if (text->length > KEPT_VALUE_MAX)
		return (struct kept_value){ .octets = NULL };
	return (struct kept_value){ (const uint8_t *)arena + text->offset, (uint8_t)text->length };
}

void kept_set(const struct kept_field *field, void *object, const struct kept_value *value,
	uint32_t text_offset)
{
	uint8_t *at = (uint8_t *)object + field->offset;

	if (field->type == FIELD_str)
		*(struct opt_str *)(void *)at =
			(struct opt_str){ .offset = text_offset, .length = value->length };
	else
		memcpy(at + layouts[field->type].at, value->octets, value->length);
	((uint8_t *)object)[field->known] = 1;
}

void kept_forget(const struct kept_field *field, void *object)
{
	((uint8_t *)object)[field->known] = 0;
}

uint64_t kept_number(const struct kept_value *value)
{
	uint64_t wide;
	uint32_t number;

	if (value->length == sizeof(wide)) {
		memcpy(&wide, value->octets, sizeof(wide));
		return wide;
	}
	if (value->length == sizeof(number)) {
		memcpy(&number, value->octets, sizeof(number));
		return number;
	}
	return value->octets[0];
}

size_t kept_put_number(const struct kept_field *field, uint64_t number, uint8_t out[KEPT_VALUE_MAX])
{
	const uint32_t narrow = (uint32_t)number;

	switch (layouts[field->type].size) {
	case sizeof(number):
		memcpy(out, &number, sizeof(number));
		return sizeof(number);
	case sizeof(narrow):
		memcpy(out, &narrow, sizeof(narrow));
		return narrow == number ? sizeof(narrow) : 0;
	default:
		out[0] = (uint8_t)number;
		return out[0] == number ? 1 : 0;
	}
}

static const struct field_info *info_of(const struct kept_field *field)
{
	const struct field_info *info = object_info(field->kind)->fields;

	while (info->offset != field->offset)
		info++;
	return info;
}

bool kept_is_valid(const struct kept_field *field, const struct kept_value *value)
{
	static const uint8_t address_lengths[] = { [1] = 4, [2] = 16, [4] = 20 };
	const struct field_info *info = info_of(field);
	uint32_t number;

	if (field->policy == KEPT_AS_COUNT)
		return value->length == sizeof(struct kept_count);
	if (field->type == FIELD_str)
		return value->length >= info->low && value->length <= info->high;
	if (field->type == FIELD_addr)
		return value->length > ADDRESS_HEAD &&
		       value->octets[0] < ARRAY_SIZE(address_lengths) &&
		       value->octets[1] == address_lengths[value->octets[0]] &&
		       value->length == ADDRESS_HEAD + value->octets[1];
	if (value->length != layouts[field->type].size)
		return false;
	if (field->type == FIELD_bool)
		return value->octets[0] <= 1;
	if (field->type == FIELD_bits)
		return !(value->octets[0] & ~info->high);
	if (field->type != FIELD_u32)
		return true;
	memcpy(&number, value->octets, sizeof(number));
	return number >= info->low && number <= info->high;
}
