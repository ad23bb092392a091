/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/agentx_decode.h"

static bool number(struct agentx_decoded *d, unsigned int octets, uint64_t *ret)
{
	uint64_t value = 0;

	if ((size_t)(d->end - d->at) < octets)
		return false;
	for (unsigned int i = 0; i < octets; i++)
		value = value << 8 | d->at[d->big ? i : octets - 1 - i];
	d->at += octets;
	*ret = value;
	return true;
}

static bool name(struct agentx_decoded *d, unsigned long ids[128], size_t *ret_length)
{
	uint64_t count, prefix, include, reserved, id;
	size_t length = 0;

	if (!number(d, 1, &count) || !number(d, 1, &prefix) || !number(d, 1, &include) ||
		!number(d, 1, &reserved) || include || reserved)
		return false;
	if (prefix) {
		const unsigned long beginning[] = { 1, 3, 6, 1, prefix };

		memcpy(ids, beginning, sizeof(beginning));
		length = 5;
	}
	if (length + count > 128)
		return false;
	while (count--) {
		if (!number(d, 4, &id))
			return false;
		ids[length++] = id;
	}
	*ret_length = length;
	return true;
}

static bool octets(struct agentx_decoded *d, struct agentx_decoded_binding *b)
{
	uint64_t length;

	if (!number(d, 4, &length) || length > (size_t)(d->end - d->at))
		return false;
	b->octets = d->at;
	b->octets_length = length;
	d->at += length;
	for (; length % 4; length++) {
		if (d->at == d->end || *d->at++)
			return false;
	}
	return true;
}

static bool binding(struct agentx_decoded *d, struct agentx_decoded_binding *b)
{
	uint64_t type, reserved;

	memset(b, 0, sizeof(*b));
	if (!number(d, 2, &type) || !number(d, 2, &reserved) || reserved ||
		!name(d, b->name, &b->name_length))
		return false;
	b->type = (uint16_t)type;
	switch (type) {
	case 2:
	case 65:
	case 66:
	case 67:
		return number(d, 4, &b->number);
	case 70:
		return number(d, 8, &b->number);
	case 4:
		return octets(d, b);
	case 6:
		return name(d, b->ids, &b->ids_length);
	case 128:
	case 129:
	case 130:
		return true;
	default:
		return false;
	}
}

bool agentx_decode(
	const uint8_t *pdu, size_t length, const uint8_t request[20], struct agentx_decoded *ret)
{
	struct agentx_decoded d = { .at = pdu, .end = pdu + length, .big = request[2] & 0x10 }, all;
	struct agentx_decoded_binding b;
	uint64_t payload, uptime, error, index;

	if (length < 28 || length > 60000 || pdu[0] != 1 || pdu[1] != 18 || pdu[3] != 0 ||
		pdu[2] != (request[2] & 0x10) || memcmp(pdu + 4, request + 4, 12) != 0)
		return false;
	d.at += 16;
	if (!number(&d, 4, &payload) || payload != length - 20 || !number(&d, 4, &uptime) ||
		!number(&d, 2, &error) || !number(&d, 2, &index) || uptime)
		return false;
	d.error = (uint16_t)error;
	d.index = (uint16_t)index;
	for (all = d; all.at < all.end; d.count++) {
		if (!binding(&all, &b))
			return false;
	}
	*ret = d;
	return !error || !d.count;
}

bool agentx_decode_next(struct agentx_decoded *d, struct agentx_decoded_binding *ret)
{
	return d->at < d->end && binding(d, ret);
}
