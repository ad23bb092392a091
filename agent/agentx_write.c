/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_write.h"

static uint8_t *write_octets(struct agentx_writer *w, size_t count)
{
	uint8_t *at = w->octets + w->length;

	if (w->full || w->limit - w->length < count) {
		w->full = true;
		return NULL;
	}
	w->length += count;
	return at;
}

static void write_u32(struct agentx_writer *w, uint32_t value)
{
	uint8_t *at = write_octets(w, 4);

	if (at)
		agentx_put_u32(at, w->big, value);
}

static void write_u64(struct agentx_writer *w, uint64_t value)
{
	uint32_t high = (uint32_t)(value >> 32), low = (uint32_t)value;

	write_u32(w, w->big ? high : low);
	write_u32(w, w->big ? low : high);
}

static void write_name(struct agentx_writer *w, const mib_oid *ids, size_t length)
{
	uint8_t prefix = 0;
	uint8_t *at;

	if (length > 4 && ids[0] == 1 && ids[1] == 3 && ids[2] == 6 && ids[3] == 1 && ids[4] > 0 &&
		ids[4] <= UINT8_MAX) {
		prefix = (uint8_t)ids[4];
		ids += 5;
		length -= 5;
	}
	at = write_octets(w, 4 + 4 * length);
	if (!at)
		return;
	at[0] = (uint8_t)length;
	at[1] = prefix;
	at[2] = 0;
	at[3] = 0;
	agentx_put_ids(at + 4, ids, length, w->big);
}

static void write_text(struct agentx_writer *w, const char *data, size_t length)
{
	size_t padded = (length + 3) & ~(size_t)3;
	uint8_t *at;

	write_u32(w, (uint32_t)length);
	at = write_octets(w, padded);
	if (!at)
		return;
	memset(at, 0, padded);
	if (length)
		memcpy(at, data, length);
}

static void write_head(struct agentx_writer *w, uint16_t type, const mib_oid *ids, size_t length)
{
	uint8_t *at = write_octets(w, 4);

	if (!at)
		return;
	agentx_put_u16(at, w->big, type);
	agentx_put_u16(at + 2, w->big, 0);
	write_name(w, ids, length);
}

static enum agentx_value_type value_type(enum mib_syntax syntax)
{
	switch (syntax) {
	case MIB_COUNTER32:
		return AGENTX_COUNTER32;
	case MIB_COUNTER64:
		return AGENTX_COUNTER64;
	case MIB_UNSIGNED32:
	case MIB_GAUGE32:
		return AGENTX_GAUGE32;
	case MIB_INTEGER:
		return AGENTX_INTEGER;
	case MIB_OCTETS:
	case MIB_BITS:
		return AGENTX_OCTETS;
	case MIB_OBJECT_ID:
		return AGENTX_OBJECT_ID;
	case MIB_TIMESTAMP:
		return AGENTX_TIMETICKS;
	}
	return AGENTX_NO_SUCH_INSTANCE;
}

void agentx_write_binding(
	struct agentx_writer *w, const mib_oid *ids, size_t length, const struct mib_value *value)
{
	size_t before = w->length;

	write_head(w, (uint16_t)value_type(value->syntax), ids, length);
	switch (value->syntax) {
	case MIB_COUNTER64:
		write_u64(w, value->number);
		break;
	case MIB_OCTETS:
	case MIB_BITS:
		write_text(w, value->octets.data, value->octets.length);
		break;
	case MIB_OBJECT_ID:
		write_name(w, value->oid.ids, value->oid.length);
		break;
	default:
		write_u32(w, (uint32_t)value->number);
	}
	if (w->full)
		w->length = before;
}

void agentx_write_exception(
	struct agentx_writer *w, const mib_oid *ids, size_t length, enum agentx_value_type type)
{
	size_t before = w->length;

	write_head(w, (uint16_t)type, ids, length);
	if (w->full)
		w->length = before;
}

static const mib_oid uptime_name[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 };
static const mib_oid trap_name[] = { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 };

/* Type and reserved octets, the name with 1.3.6.1.2 as its prefix octet. */
#define UPTIME_VALUE_AT (AGENTX_HEADER_SIZE + 4 + 4 + 4 * (ARRAY_SIZE(uptime_name) - 5))

void agentx_write_notify(
	struct agentx_writer *w, uint8_t *octets, size_t limit, const mib_oid *ids, size_t length)
{
	static const struct mib_value no_uptime = { .syntax = MIB_TIMESTAMP };
	struct mib_value name = { .syntax = MIB_OBJECT_ID,
		.oid = { .ids = ids, .length = length } };

	*w = (struct agentx_writer){ .octets = octets, .limit = limit, .big = true };
	write_octets(w, AGENTX_HEADER_SIZE);
	agentx_write_binding(w, uptime_name, ARRAY_SIZE(uptime_name), &no_uptime);
	agentx_write_binding(w, trap_name, ARRAY_SIZE(trap_name), &name);
}

void agentx_notify_set_uptime(uint8_t *octets, uint32_t uptime_cs)
{
	agentx_put_u32(octets + UPTIME_VALUE_AT, true, uptime_cs);
}
