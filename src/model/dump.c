/* SPDX-License-Identifier: BSD-2-Clause */
/* Driven by model.def: a new field shows up here without a change. */
#include "model/dump.h"

#include "base/clock.h"

#include <inttypes.h>

const char *source_state_name(enum source_state state)
{
	static const char *const names[] = {
		[SOURCE_ABSENT] = "absent",
		[SOURCE_STARTING] = "starting",
		[SOURCE_OK] = "ok",
		[SOURCE_FAILING] = "failing",
		[SOURCE_STALE] = "stale",
		[SOURCE_DISABLED] = "disabled",
	};

	return state < ARRAY_SIZE(names) && names[state] ? names[state] : "unknown";
}

/* A JSON string is also how the text form quotes: one rule for what may appear in it. */
static void put_quoted(FILE *out, const char *text, size_t length)
{
	/* U+FFFD would need three octets for one: the longest field of model.def fits. */
	char clean[2048];
	size_t n = text_sanitize(clean, sizeof(clean) - 1, text, length);

	putc('"', out);
	for (size_t i = 0; i < n; i++) {
		if (clean[i] == '"' || clean[i] == '\\')
			putc('\\', out);
		putc(clean[i], out);
	}
	putc('"', out);
}

static uint32_t linked_index(const struct snapshot *s, enum object_kind kind, uint32_t position)
{
	const char *objects = s->arrays[kind].objects;
	const char *at = objects + (size_t)position * object_info(kind)->size;

	return ((const struct object *)(const void *)at)->index;
}

/* Writes a known value; returns false, with nothing written, for an unknown one. `before` comes
 * in front of a value that is written. */
static bool put_value(FILE *out, const struct snapshot *s, const struct field_info *field,
	const char *at, const char *before)
{
	const void *raw = at;
	const struct opt_u32 *number = raw;
	const struct opt_counter *counter = raw;
	const struct opt_bool *boolean = raw;
	const struct opt_bits *bits = raw;
	const struct opt_str *string = raw;
	const struct opt_addr *addr = raw;
	const struct opt_isid *isid = raw;
	const struct opt_time *event = raw;
	const uint32_t *link = raw;
	struct text_address address;
	char text[64];

	switch (field->type) {
	case FIELD_u32:
		return number->known && fprintf(out, "%s%" PRIu32, before, number->value) > 0;
	case FIELD_counter:
		return counter->known && fprintf(out, "%s%" PRIu64, before, counter->value) > 0;
	case FIELD_bool:
		return boolean->known &&
		       fprintf(out, "%s%s", before, boolean->value ? "true" : "false") > 0;
	case FIELD_bits:
		return bits->known && fprintf(out, "%s\"0x%02x\"", before, bits->value) > 0;
	case FIELD_str:
		if (!string->known)
			return false;
		fputs(before, out);
		put_quoted(out, snapshot_text(s, string), string->length);
		return true;
	case FIELD_addr:
		if (!addr->known)
			return false;
		address.type = addr->type;
		address.length = addr->length;
		memcpy(address.octets, addr->octets, sizeof(address.octets));
		return fprintf(out, "%s\"%s\"", before, text_from_address(text, &address)) > 0;
	case FIELD_isid:
		return isid->known &&
		       fprintf(out, "%s\"0x%02x%02x%02x%02x%02x%02x\"", before, isid->octets[0],
			       isid->octets[1], isid->octets[2], isid->octets[3], isid->octets[4],
			       isid->octets[5]) > 0;
	case FIELD_time:
		return event->known && fprintf(out, "%s%" PRIu64, before, event->ns) > 0;
	case FIELD_link:
		return *link != LINK_NONE &&
		       fprintf(out, "%s%" PRIu32, before, linked_index(s, field->high, *link)) > 0;
	}
	return false;
}

static void dump_object(FILE *out, const struct snapshot *s, const struct object_info *info,
	const char *object, enum dump_format format)
{
	const struct object *head = (const struct object *)(const void *)object;

	if (format == DUMP_TEXT)
		fprintf(out, "%s %" PRIu32 "\n", info->name, head->index);
	else
		fprintf(out, "    {\"index\": %" PRIu32, head->index);
	for (uint32_t i = 0; i < info->field_count; i++) {
		const struct field_info *field = &info->fields[i];
		char before[64];

		snprintf(before, sizeof(before),
			format == DUMP_TEXT ? "  %-30s " : ", \"%s\": ", field->name);
		if (put_value(out, s, field, object + field->offset, before) && format == DUMP_TEXT)
			putc('\n', out);
	}
	fputs(format == DUMP_TEXT ? "\n" : "}", out);
}

static void dump_unit(
	FILE *out, const struct source_status *u, uint64_t now_ns, enum dump_format format)
{
	bool json = format == DUMP_JSON;
	uint64_t age_ns = u->last_good_ns ? now_ns - u->last_good_ns : 0;

	fprintf(out, json ? "    {\"source\": \"%s\", \"unit\": " : "source %s ", u->source);
	put_quoted(out, u->unit, strlen(u->unit));
	fprintf(out, json ? ", \"state\": \"%s\"" : " %s", source_state_name(u->state));
	if (u->last_good_ns)
		fprintf(out, json ? ", \"age_ms\": %" PRIu64 : ", read %" PRIu64 " ms ago",
			age_ns / NS_PER_MS);
	if (u->message[0]) {
		fputs(json ? ", \"message\": " : ", ", out);
		put_quoted(out, u->message, strlen(u->message));
	}
	if (u->note[0]) {
		fputs(json ? ", \"note\": " : ", note ", out);
		put_quoted(out, u->note, strlen(u->note));
	}
	fputs(json ? "}" : "\n", out);
}

/* What it says of the sources is in the lines of the units; events are the daemon's. */
static bool is_dumped(enum object_kind kind)
{
	return kind != OBJECT_AGENT && kind != OBJECT_SOURCE && kind != OBJECT_EVENT;
}

static int dump_text(const struct snapshot *s, uint64_t now_ns, FILE *out)
{
	for (uint32_t i = 0; i < s->unit_count; i++)
		dump_unit(out, &s->units[i], now_ns, DUMP_TEXT);
	putc('\n', out);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		const struct object_info *info = object_info(k);

		for (uint32_t i = 0; is_dumped(k) && i < s->arrays[k].count; i++)
			dump_object(out, s, info,
				(const char *)s->arrays[k].objects + (size_t)i * info->size,
				DUMP_TEXT);
	}
	return ferror(out) ? -EIO : 0;
}

static int dump_json(const struct snapshot *s, uint64_t now_ns, FILE *out)
{
	fputs("{\n  \"sources\": [\n", out);
	for (uint32_t i = 0; i < s->unit_count; i++) {
		dump_unit(out, &s->units[i], now_ns, DUMP_JSON);
		fputs(i + 1 < s->unit_count ? ",\n" : "\n", out);
	}
	fputs("  ]", out);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		const struct object_info *info = object_info(k);

		if (!is_dumped(k))
			continue;
		fprintf(out, ",\n  \"%ss\": [\n", info->name);
		for (uint32_t i = 0; i < s->arrays[k].count; i++) {
			dump_object(out, s, info,
				(const char *)s->arrays[k].objects + (size_t)i * info->size,
				DUMP_JSON);
			fputs(i + 1 < s->arrays[k].count ? ",\n" : "\n", out);
		}
		fputs("  ]", out);
	}
	fputs("\n}\n", out);
	return ferror(out) ? -EIO : 0;
}

int dump_snapshot(const struct snapshot *s, enum dump_format format, uint64_t now_ns, FILE *out)
{
	return format == DUMP_JSON ? dump_json(s, now_ns, out) : dump_text(s, now_ns, out);
}
