/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/snmp_value.h"

#include "agent/agentx_write.h"

static int set(netsnmp_variable_list *varbind, u_char type, const void *data, size_t length)
{
	return snmp_set_var_typed_value(varbind, type, data, length) ? -ENOMEM : 0;
}

static int set_counter64(netsnmp_variable_list *varbind, uint64_t number)
{
	struct counter64 c = { .high = (u_long)(number >> 32), .low = (uint32_t)number };

	return set(varbind, ASN_COUNTER64, &c, sizeof(c));
}

static int set_number(netsnmp_variable_list *varbind, u_char type, uint64_t number)
{
	u_long value = (uint32_t)number;

	return set(varbind, type, &value, sizeof(value));
}

static int set_integer(netsnmp_variable_list *varbind, uint64_t number)
{
	long value = (int32_t)(uint32_t)number;

	return set(varbind, ASN_INTEGER, &value, sizeof(value));
}

int snmp_value_set(netsnmp_variable_list *varbind, const struct mib_value *value)
{
	switch (value->syntax) {
	case MIB_COUNTER32:
		return set_number(varbind, ASN_COUNTER, value->number);
	case MIB_COUNTER64:
		return set_counter64(varbind, value->number);
	case MIB_UNSIGNED32:
	case MIB_GAUGE32:
		return set_number(varbind, ASN_GAUGE, value->number);
	case MIB_INTEGER:
		return set_integer(varbind, value->number);
	case MIB_OCTETS:
	case MIB_BITS:
		return set(varbind, ASN_OCTET_STR, value->octets.data, value->octets.length);
	case MIB_OBJECT_ID:
		return set(varbind, ASN_OBJECT_ID, value->oid.ids,
			value->oid.length * sizeof(value->oid.ids[0]));
	case MIB_TIMESTAMP:
		return set_number(varbind, ASN_TIMETICKS, value->number);
	}
	return -ENOMEM;
}

/* ---- notifications: octets that this process has written, so a fault in them is ours ---- */

struct reader {
	const uint8_t *at, *end;
	bool bad;
};

static const uint8_t *take(struct reader *r, size_t count)
{
	static const uint8_t zeros[8];
	const uint8_t *at = r->at;

	if (r->bad || (size_t)(r->end - r->at) < count) {
		r->bad = true;
		return zeros;
	}
	r->at += count;
	return at;
}

static uint32_t take_u32(struct reader *r)
{
	return agentx_get_u32(take(r, 4), true);
}

/* An Object Identifier, RFC 2741 section 5.1. */
static size_t take_name(struct reader *r, mib_oid ids[MIB_OID_MAX])
{
	static const mib_oid internet[] = { 1, 3, 6, 1 };
	const uint8_t *head = take(r, 4);
	uint8_t count = head[0], prefix = head[1];
	size_t length = 0;

	if (prefix) {
		memcpy(ids, internet, sizeof(internet));
		ids[4] = prefix;
		length = 5;
	}
	if (length + count > MIB_OID_MAX || (size_t)(r->end - r->at) < (size_t)count * 4) {
		r->bad = true;
		return 0;
	}
	agentx_get_ids(ids + length, take(r, (size_t)count * 4), count, true);
	return length + count;
}

static int take_value(struct reader *r, uint16_t type, netsnmp_variable_list *varbind)
{
	mib_oid ids[MIB_OID_MAX];
	const uint8_t *octets;
	uint64_t number;
	size_t length;

	switch (type) {
	case AGENTX_COUNTER64:
		number = (uint64_t)take_u32(r) << 32;
		return set_counter64(varbind, number | take_u32(r));
	case AGENTX_OBJECT_ID:
		length = take_name(r, ids);
		return set(varbind, ASN_OBJECT_ID, ids, length * sizeof(ids[0]));
	case AGENTX_OCTETS:
		length = take_u32(r);
		if (length > AGENTX_PDU_MAX)
			return -EBADMSG;
		octets = take(r, (length + 3) & ~(size_t)3);
		return r->bad ? -EBADMSG : set(varbind, ASN_OCTET_STR, octets, length);
	case AGENTX_INTEGER:
		return set_integer(varbind, take_u32(r));
	case AGENTX_COUNTER32:
	case AGENTX_GAUGE32:
	case AGENTX_TIMETICKS:
		/* AgentX has the types of SNMP, section 5.4. */
		return set_number(varbind, (u_char)type, take_u32(r));
	default:
		return -EBADMSG;
	}
}

netsnmp_variable_list *snmp_value_list(const uint8_t *octets, size_t length, uint32_t uptime_cs)
{
	struct reader r = { .at = octets, .end = octets + length };
	netsnmp_variable_list *first = NULL, *varbind;

	take(&r, AGENTX_HEADER_SIZE);
	while (!r.bad && r.at < r.end) {
		uint16_t type = agentx_get_u16(take(&r, 4), true);
		mib_oid name[MIB_OID_MAX];
		size_t name_length = take_name(&r, name);

		varbind = snmp_varlist_add_variable(&first, name, name_length, ASN_NULL, NULL, 0);
		if (!varbind || take_value(&r, type, varbind) < 0) {
			r.bad = true;
			break;
		}
	}
	if (r.bad || !first || first->type != ASN_TIMETICKS) {
		snmp_free_varbind(first);
		return NULL;
	}
	*first->val.integer = uptime_cs;
	return first;
}
