/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_wire.h"

#define VERSION_1 1

int agentx_header_read(const uint8_t octets[AGENTX_HEADER_SIZE], struct agentx_header *ret)
{
	bool big = octets[2] & AGENTX_FLAG_NETWORK_ORDER;
	uint32_t length = agentx_get_u32(octets + 16, big);

	if (octets[0] != VERSION_1 || octets[1] < AGENTX_PDU_OPEN ||
		octets[1] > AGENTX_PDU_RESPONSE || octets[3] != 0)
		return -EPROTO;
	if (length % 4 || length > AGENTX_PAYLOAD_MAX)
		return -EPROTO;
	ret->type = octets[1];
	ret->flags = octets[2];
	ret->session = agentx_get_u32(octets + 4, big);
	ret->transaction = agentx_get_u32(octets + 8, big);
	ret->packet = agentx_get_u32(octets + 12, big);
	ret->length = length;
	return 0;
}

void agentx_header_write(uint8_t octets[AGENTX_HEADER_SIZE], const struct agentx_header *h)
{
	bool big = agentx_is_big(h);

	octets[0] = VERSION_1;
	octets[1] = h->type;
	octets[2] = h->flags;
	octets[3] = 0;
	agentx_put_u32(octets + 4, big, h->session);
	agentx_put_u32(octets + 8, big, h->transaction);
	agentx_put_u32(octets + 12, big, h->packet);
	agentx_put_u32(octets + 16, big, h->length);
}

size_t agentx_response_write(uint8_t octets[AGENTX_RESPONSE_MIN], const struct agentx_header *to,
	uint16_t error, uint16_t index)
{
	struct agentx_header h = *to;
	bool big = agentx_is_big(to);

	h.type = AGENTX_PDU_RESPONSE;
	h.flags &= AGENTX_FLAG_NETWORK_ORDER;
	h.length = AGENTX_RESPONSE_MIN - AGENTX_HEADER_SIZE;
	agentx_header_write(octets, &h);
	/* res.sysUpTime: the master uses its own. */
	agentx_put_u32(octets + 20, big, 0);
	agentx_put_u16(octets + 24, big, error);
	agentx_put_u16(octets + 26, big, index);
	return AGENTX_RESPONSE_MIN;
}
