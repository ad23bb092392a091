/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fields of kept.def as data, and the record of what is remembered of one row: the octets that
 * a registry entry keeps (struct registry_kept). For ledger.c, which decides, and
 * index/store_kept.c, which saves. Agent process. Pure.
 *
 * A record is a sequence of: position in kept_fields (1 octet), length (1 octet), value. A row of
 * which nothing is remembered has no record, so that thousands of quiet sessions cost nothing.
 * Values are octets of this machine: a count is a struct kept_count, numbers and times are as in
 * opt.h, texts as they are, an address its type, length and octets.
 */
#ifndef MODEL_KEPT_H
#define MODEL_KEPT_H

#include "index/registry.h"
#include "model/model.h"

/* KEPT_<KIND>_<field>: positions in kept_fields. */
enum kept_position {
#define KEPT_COUNT(kind, field)		KEPT_##kind##_##field,
#define KEPT_NEWEST(kind, time, field)	KEPT_##kind##_##field,
#define KEPT_WHILE(kind, leader, field) KEPT_##kind##_##field,
#define KEPT_FIRST(kind, leader, field) KEPT_##kind##_##field,
#include "model/kept.def"
	KEPT_FIELDS
};

enum kept_policy { KEPT_AS_COUNT, KEPT_AS_NEWEST, KEPT_AS_WHILE, KEPT_AS_FIRST };

struct kept_field {
	const char *name; /* as in model.def */
	enum object_kind kind;
	enum kept_policy policy;
	enum field_type type;
	uint16_t offset; /* octets from the beginning of the object */
	uint16_t known;	 /* likewise, of its flag */
	uint8_t leader;	 /* position of the field that it goes with; its own for a leader */
};

extern const struct kept_field kept_fields[KEPT_FIELDS];

/* A counter: what earlier epochs counted, and what the source said last. Shown is the sum. */
struct kept_count {
	uint64_t base, last;
};

#define KEPT_VALUE_MAX	255u /* octets */
#define KEPT_RECORD_MAX (KEPT_FIELDS * (2u + KEPT_VALUE_MAX))

/* A remembered value; octets NULL: there is none. */
struct kept_value {
	const uint8_t *octets; /* not aligned */
	uint8_t length;
};

/* A record that is being made. */
struct kept_record {
	size_t length;
	uint8_t octets[KEPT_RECORD_MAX];
};

/* Adds a value; each position at most once, `length` at most KEPT_VALUE_MAX. */
void kept_put(struct kept_record *record, unsigned int position, const void *octets, size_t length);

/* Walks a record: sets the next value and its position, from *at 0 on; false at the end. */
bool kept_next(const struct registry_kept *kept, size_t *at, unsigned int *ret_position,
	struct kept_value *ret);

/* The kind of objects whose rows an entry of this kind numbers; OBJECT_KINDS when none does. */
enum object_kind kept_kind(enum index_kind kind);

/* True when the object has a value of the field. */
static inline bool kept_is_known(const struct kept_field *field, const void *object)
{
	return ((const uint8_t *)object)[field->known];
}

/*
 * The octets of a field's value in an object, whose texts `arena` holds; NULL when the field is
 * unknown, or a text too long to be kept. Not for counts.
 */
struct kept_value kept_get(const struct kept_field *field, const void *object, const char *arena);

/*
 * Sets a field from such octets, of any type but a text, whose octets the caller has put into the
 * arena at `text_offset`.
 */
void kept_set(const struct kept_field *field, void *object, const struct kept_value *value,
	uint32_t text_offset);

/* Makes a field unknown. */
void kept_forget(const struct kept_field *field, void *object);

/* The value of a field of one number (u32, counter, bool, bits, time), and the octets of one:
 * returns their length, 0 when it is too large for the type. */
uint64_t kept_number(const struct kept_value *value);
size_t kept_put_number(
	const struct kept_field *field, uint64_t number, uint8_t out[KEPT_VALUE_MAX]);

/* True when the octets can be a value of the field: their number, and the limits of model.def. */
bool kept_is_valid(const struct kept_field *field, const struct kept_value *value);

#endif
