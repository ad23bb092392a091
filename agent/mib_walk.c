/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/mib_walk.h"

#include <inttypes.h>
#include <limits.h>

#define HEX_LINE 16 /* octets on one line of a Hex-STRING */

static void print_oid(const mib_oid *ids, size_t length, FILE *out)
{
	for (size_t i = 0; i < length; i++)
		fprintf(out, ".%lu", ids[i]);
}

/* isprint and isspace of the C locale, which snmpwalk runs in. */
static bool is_text(unsigned char c)
{
	return (c >= ' ' && c <= '~') || (c >= '\t' && c <= '\r');
}

static void print_octets(const char *data, size_t length, FILE *out)
{
	bool text = true;

	if (!length) {
		fputs("\"\"", out);
		return;
	}
	for (size_t i = 0; i < length; i++)
		text = text && is_text((unsigned char)data[i]);
	fputs(text ? "STRING: \"" : "Hex-STRING: ", out);
	for (size_t i = 0; i < length; i++) {
		if (!text) {
			if (i && i % HEX_LINE == 0)
				fputc('\n', out);
			fprintf(out, "%02X ", (unsigned char)data[i]);
			continue;
		}
		if (data[i] == '"' || data[i] == '\\')
			fputc('\\', out);
		fputc(data[i], out);
	}
	if (text)
		fputc('"', out);
}

static void print_ticks(uint32_t ticks, FILE *out)
{
	uint32_t seconds = ticks / 100, days = seconds / 86400;

	fprintf(out, "Timeticks: (%" PRIu32 ") ", ticks);
	if (days)
		fprintf(out, "%" PRIu32 " day%s, ", days, days > 1 ? "s" : "");
	fprintf(out, "%" PRIu32 ":%02" PRIu32 ":%02" PRIu32 ".%02" PRIu32, seconds / 3600 % 24,
		seconds / 60 % 60, seconds % 60, ticks % 100);
}

void mib_walk_print(const struct mib_name *name, const struct mib_value *value, FILE *out)
{
	print_oid(name->ids, name->length, out);
	fputs(" = ", out);
	switch (value->syntax) {
	case MIB_COUNTER32:
		fprintf(out, "Counter32: %" PRIu32, (uint32_t)value->number);
		break;
	case MIB_COUNTER64:
		fprintf(out, "Counter64: %" PRIu64, value->number);
		break;
	case MIB_UNSIGNED32: /* one type on the wire */
	case MIB_GAUGE32:
		fprintf(out, "Gauge32: %" PRIu32, (uint32_t)value->number);
		break;
	case MIB_INTEGER:
		fprintf(out, "INTEGER: %" PRId32, (int32_t)value->number);
		break;
	case MIB_OCTETS:
	case MIB_BITS:
		print_octets(value->octets.data, value->octets.length, out);
		break;
	case MIB_OBJECT_ID:
		fputs("OID: ", out);
		print_oid(value->oid.ids, value->oid.length, out);
		break;
	case MIB_TIMESTAMP:
		print_ticks((uint32_t)value->number, out);
		break;
	}
	fputc('\n', out);
}

static bool is_below(const struct mib_name *name, const mib_oid *from, size_t length)
{
	return name->length > length && mib_compare(name->ids, length, from, length) == 0;
}

int mib_walk(const struct mib_view *view, const mib_oid *from, size_t length, FILE *out)
{
	struct mib_name name = { .length = 0 };
	struct mib_value value;
	int printed = 0;
	enum mib_result result = mib_next(view, from, length, false, &name, &value);

	while (result == MIB_FOUND && is_below(&name, from, length)) {
		mib_walk_print(&name, &value, out);
		printed += printed < INT_MAX;
		result = mib_next(view, name.ids, name.length, false, &name, &value);
	}
	if (!printed && length <= ARRAY_SIZE(name.ids) &&
		mib_get(view, from, length, &value) == MIB_FOUND) {
		for (size_t i = 0; i < length; i++)
			name.ids[i] = from[i];
		name.length = (uint8_t)length;
		mib_walk_print(&name, &value, out);
		printed = 1;
	}
	if (fflush(out) != 0 || ferror(out))
		return -EIO;
	return printed;
}
