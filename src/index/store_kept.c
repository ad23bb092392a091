/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept of a row (model/kept.h) as a line of the run file, and back. A field is known by
 * its kind, name and type, which the file says once; one that this program has not, or not so, is
 * left out: the file is of an older or newer one. Agent process.
 */
#include "index/store_words.h"
#include "model/kept.h"

#include <inttypes.h>

static const char *type_name(const struct kept_field *field)
{
	static const char *const names[] = {
		[FIELD_u32] = "u32",
		[FIELD_counter] = "counter",
		[FIELD_bool] = "bool",
		[FIELD_bits] = "bits",
		[FIELD_str] = "str",
		[FIELD_addr] = "addr",
		[FIELD_isid] = "isid",
		[FIELD_time] = "time",
	};

	return field->policy == KEPT_AS_COUNT ? "count" : names[field->type];
}

static bool is_octets(const struct kept_field *field)
{
	return field->type == FIELD_str || field->type == FIELD_addr || field->type == FIELD_isid;
}

/* ---- writing ---- */

void store_write_fields(struct buf *out)
{
	for (unsigned int i = 0; i < KEPT_FIELDS; i++)
		buf_printf(out, "field %s %s %s\n", object_info(kept_fields[i].kind)->name,
			kept_fields[i].name, type_name(&kept_fields[i]));
}

static void write_value(
	struct buf *out, const struct kept_field *field, const struct kept_value *value)
{
	struct kept_count count;

	if (field->policy == KEPT_AS_COUNT) {
		memcpy(&count, value->octets, sizeof(count));
		buf_printf(out, "%" PRIu64 "+%" PRIu64, count.base, count.last);
	} else if (is_octets(field)) {
		buf_text(out, "=");
		store_write_octets(out, value->octets, value->length);
	} else {
		buf_printf(out, "%" PRIu64, kept_number(value));
	}
}

void store_write_kept(struct buf *out, const struct registry_kept *kept)
{
	struct kept_value value;
	unsigned int position;

	if (!kept)
		return;
	buf_text(out, "kept");
	for (size_t at = 0; kept_next(kept, &at, &position, &value);) {
		buf_printf(out, " %u ", position);
		write_value(out, &kept_fields[position], &value);
	}
	buf_text(out, "\n");
}

/* ---- reading ---- */

int store_parse_field(struct parser *p)
{
	struct store_field *field = &p->fields[p->field_count];
	struct word kind, name, type;
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	if (!store_word_is(store_next_word(p), "field"))
		return fail(p, "a field was expected");
	kind = store_next_word(p);
	name = store_next_word(p);
	type = store_next_word(p);
	if (!kind.length || !name.length || !type.length || !store_line_is_done(p))
		return fail(p, "not a field");
	*field = (struct store_field){ .position = KEPT_FIELDS };
	for (unsigned int i = 0; i < KEPT_FIELDS; i++)
		if (store_word_is(name, kept_fields[i].name) &&
			store_word_is(kind, object_info(kept_fields[i].kind)->name) &&
			store_word_is(type, type_name(&kept_fields[i])))
			field->position = (uint8_t)i;
	for (uint32_t i = 0; field->position < KEPT_FIELDS && i < p->field_count; i++)
		if (p->fields[i].position == field->position)
			return fail(p, "a field that comes twice");
	p->field_count++;
	return 0;
}

/* `BASE+LAST` */
static int parse_count(struct parser *p, struct word word, struct kept_count *ret)
{
	const char *plus = memchr(word.text, '+', word.length);
	size_t length;
	int rc;

	if (!plus)
		return fail(p, "the count is not BASE+LAST");
	length = (size_t)(plus - word.text);
	rc = store_number(
		p, (struct word){ word.text, length }, "the count", 0, UINT64_MAX, &ret->base);
	if (rc < 0)
		return rc;
	return store_number(p, (struct word){ plus + 1, word.length - length - 1 }, "the count", 0,
		UINT64_MAX, &ret->last);
}

/* The octets of a value, as in a record. */
static int parse_value(struct parser *p, const struct kept_field *field, struct word word,
	uint8_t out[KEPT_VALUE_MAX], size_t *ret_length)
{
	struct kept_count count;
	uint64_t number;
	int rc;

	if (field->policy == KEPT_AS_COUNT) {
		rc = parse_count(p, word, &count);
		if (rc < 0)
			return rc;
		memcpy(out, &count, sizeof(count));
		*ret_length = sizeof(count);
		return 0;
	}
	if (is_octets(field)) {
		if (word.text[0] != '=')
			return fail(p, "the value does not begin with =");
		return store_octets(p, (struct word){ word.text + 1, word.length - 1 }, "the value",
			(char *)out, KEPT_VALUE_MAX, ret_length);
	}
	rc = store_number(p, word, "the value", 0, UINT64_MAX, &number);
	if (rc == 0)
		*ret_length = kept_put_number(field, number, out);
	return rc;
}

/* One field of the line: `FIELD VALUE`. */
static int parse_kept_field(struct parser *p, enum object_kind kind, struct kept_record *record)
{
	uint8_t octets[KEPT_VALUE_MAX];
	struct kept_value value = { .octets = octets };
	const struct kept_field *field;
	struct store_field *declared;
	uint64_t number;
	size_t length = 0;
	struct word word;
	int rc = store_next_number(p, "the field", 0, UINT8_MAX, &number);

	if (rc < 0)
		return rc;
	if (number >= p->field_count)
		return fail(p, "field %" PRIu64 " is none of the %" PRIu32, number, p->field_count);
	declared = &p->fields[number];
	if (declared->line == p->line)
		return fail(p, "field %" PRIu64 " comes twice", number);
	declared->line = p->line;
	word = store_next_word(p);
	if (!word.length)
		return fail(p, "field %" PRIu64 " has no value", number);
	if (declared->position >= KEPT_FIELDS)
		return 0;
	field = &kept_fields[declared->position];
	if (field->kind != kind)
		return fail(p, "field %" PRIu64 " is none of this row", number);
	rc = parse_value(p, field, word, octets, &length);
	value.length = (uint8_t)length;
	if (rc == 0 && kept_is_valid(field, &value))
		kept_put(record, declared->position, octets, length);
	return rc;
}

int store_parse_kept(struct parser *p, struct registry_entry *entry)
{
	struct kept_record record;
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	store_next_word(p); /* `kept`, as the caller has seen */
	record.length = 0;
	do
		rc = parse_kept_field(p, kept_kind(entry->kind), &record);
	while (rc == 0 && !store_line_is_done(p));
	return rc < 0 ? rc : registry_keep(p->staged, entry, record.octets, record.length);
}
