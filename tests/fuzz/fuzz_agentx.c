/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of a hostile master. The first octet is the type, the second the flags of the header,
 * the rest the payload. Whatever comes, the Response is well-formed, and answers no more than was
 * asked.
 */
#include "agent/agentx_answer.h"
#include "tests/support/agentx_decode.h"
#include "tests/support/handmade.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static const struct mib_view *the_view(void)
{
	static struct mib_view *view;
	uint64_t seed = 7147;
	struct snapshot *s;

	if (!view) {
		s = handmade_random(&seed, 20);
		check(mib_view_new(&iscsi_mib, s, &view) == 0);
		snapshot_put(s);
	}
	return view;
}

/* Through the header too, as from the wire. */
static void parse_header(const uint8_t *data, size_t size)
{
	struct agentx_header h;
	uint8_t again[AGENTX_HEADER_SIZE];

	if (size < AGENTX_HEADER_SIZE || agentx_header_read(data, &h) < 0)
		return;
	agentx_header_write(again, &h);
	check(memcmp(again, data, AGENTX_HEADER_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t response[AGENTX_PDU_MAX];
	const struct mib_view *views[] = { the_view() };
	uint8_t head[AGENTX_HEADER_SIZE];
	struct agentx_header h = { .session = 7, .transaction = 8, .packet = 9 };
	struct agentx_decoded d;
	size_t length;

	parse_header(data, size);
	if (size < 2 || size - 2 > AGENTX_PDU_MAX - AGENTX_HEADER_SIZE)
		return 0;
	h.type = AGENTX_PDU_GET + data[0] % 7;
	h.flags = data[1];
	h.length = (uint32_t)(size - 2);
	agentx_header_write(head, &h);
	length = agentx_answer(views, 1, &h, data + 2, response);
	if (h.type == AGENTX_PDU_CLEANUP_SET) {
		check(length == 0);
		return 0;
	}
	check(agentx_decode(response, length, head, &d));
	if (h.type == AGENTX_PDU_GET || h.type == AGENTX_PDU_GET_NEXT)
		check(d.count <= h.length / 8);
	return 0;
}
