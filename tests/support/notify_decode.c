/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/notify_decode.h"

#include "agent/agentx_write.h"

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "notify_decode: %s\n", what);
	abort();
}

void notify_decode(const uint8_t *octets, size_t length, struct decoded_notify *ret)
{
	static const unsigned long uptime[] = { 1, 3, 6, 1, 2, 1, 1, 3, 0 };
	static const unsigned long trap[] = { 1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0 };
	struct agentx_decoded_binding b;
	struct agentx_decoded d;
	struct agentx_header h = { .type = AGENTX_PDU_RESPONSE,
		.flags = AGENTX_FLAG_NETWORK_ORDER,
		.length = (uint32_t)(length - AGENTX_HEADER_SIZE + 8) };

	check(length > AGENTX_HEADER_SIZE && length + 8 <= sizeof(ret->response), "its length");
	memset(ret, 0, sizeof(*ret));
	agentx_header_write(ret->response, &h);
	memcpy(ret->response + AGENTX_RESPONSE_MIN, octets + AGENTX_HEADER_SIZE,
		length - AGENTX_HEADER_SIZE);
	check(agentx_decode(ret->response, length + 8, ret->response, &d), "its varbinds");
	check(agentx_decode_next(&d, &b) && b.type == AGENTX_TIMETICKS &&
			mib_compare(b.name, b.name_length, uptime, ARRAY_SIZE(uptime)) == 0,
		"the first varbind is not sysUpTime.0");
	ret->uptime = (uint32_t)b.number;
	check(agentx_decode_next(&d, &b) && b.type == AGENTX_OBJECT_ID &&
			mib_compare(b.name, b.name_length, trap, ARRAY_SIZE(trap)) == 0,
		"the second varbind is not snmpTrapOID.0");
	memcpy(ret->trap, b.ids, b.ids_length * sizeof(b.ids[0]));
	ret->trap_length = b.ids_length;
	while (agentx_decode_next(&d, &b)) {
		check(ret->count < NOTIFY_OBJECTS_MAX, "too many varbinds");
		ret->objects[ret->count++] = b;
	}
	check(ret->count + 2 == d.count, "their number");
}

static uint16_t type_of(enum mib_syntax syntax)
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
	return 0;
}

/* 0.0 in the two forms that RFC 2741 section 5.1 lets it have. */
static bool is_null_oid(const unsigned long *ids, size_t length)
{
	return length == 0 || (length == 2 && !ids[0] && !ids[1]);
}

static bool says_nothing(const struct agentx_decoded_binding *b)
{
	if (b->type == AGENTX_OCTETS)
		return b->octets_length == 0;
	if (b->type == AGENTX_OBJECT_ID)
		return is_null_oid(b->ids, b->ids_length);
	return b->number == 0;
}

bool notify_equals_get(const struct mib_view *view, const struct agentx_decoded_binding *b)
{
	struct mib_value value;

	if (mib_get(view, b->name, b->name_length, &value) != MIB_FOUND)
		return says_nothing(b);
	if (b->type != type_of(value.syntax))
		return false;
	switch (b->type) {
	case AGENTX_OCTETS:
		return b->octets_length == value.octets.length &&
		       (!b->octets_length ||
			       !memcmp(b->octets, value.octets.data, b->octets_length));
	case AGENTX_OBJECT_ID:
		return (is_null_oid(b->ids, b->ids_length) &&
			       is_null_oid(value.oid.ids, value.oid.length)) ||
		       mib_compare(b->ids, b->ids_length, value.oid.ids, value.oid.length) == 0;
	default:
		return b->number ==
		       (b->type == AGENTX_COUNTER64 ? value.number : (uint32_t)value.number);
	}
}
