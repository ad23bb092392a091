/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/kernel_frames.h"

#include "base/clock.h"
#include "tests/support/fixture.h"

#include <stdarg.h>

static void die(const char *what, const char *line)
{
	fprintf(stderr, "kernel_frames: %s: %.60s\n", what, line);
	abort();
}

void frames_open(struct frames *f, const char *name)
{
	char path[128];

	*f = (struct frames){ .text = BUF_INIT(1 << 20) };
	snprintf(path, sizeof(path), "netlink/%s.frames", name);
	if (fixture_read(path, &f->text) < 0)
		die("no such recording", path);
	f->at = f->text.data;
}

void frames_close(struct frames *f)
{
	buf_free(&f->text);
}

static int digit(char c)
{
	return c >= 'a' ? c - 'a' + 10 : c - '0';
}

static void parse_frame(const char *line, struct frame *ret)
{
	char *end;
	size_t at = 0;

	memset(ret, 0, sizeof(*ret));
	ret->time_ns = (uint64_t)(strtod(line, &end) * NS_PER_S);
	ret->length = strtoul(end, &end, 10);
	if (*end != ' ' || ret->length > sizeof(ret->data))
		die("not SECONDS OCTETS FRAME", line);
	for (end++; end[0] && end[0] != '\n' && end[1] && at < ret->length; end += 2)
		ret->data[at++] = (uint8_t)(digit(end[0]) << 4 | digit(end[1]));
}

bool frames_next(struct frames *f, struct frame *ret)
{
	while (*f->at) {
		const char *line = f->at;

		f->at += strcspn(line, "\n");
		f->at += *f->at == '\n';
		if (line[0] == '#') {
			snprintf(f->remark, sizeof(f->remark), "%.*s", (int)strcspn(line + 2, "\n"),
				line + 2);
			continue;
		}
		parse_frame(line, ret);
		return true;
	}
	return false;
}

static void put(struct frame *frame, size_t at, uint64_t value, size_t octets)
{
	memcpy(frame->data + at, &value,
		octets); /* little endian, as the machines of these tests */
}

static struct frame frame_new(uint32_t type, size_t more)
{
	struct frame frame = { .length = OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS + more };

	/* The kernel clears little of an event. */
	memset(frame.data + OISCSI_FRAME_HEAD, 0xa5, OISCSI_EVENT_OCTETS);
	put(&frame, 0, frame.length, 4);
	put(&frame, 16, type, 4);
	return frame;
}

struct frame frame_event(uint32_t type, uint32_t sid, uint32_t cid, uint32_t number)
{
	struct frame frame = frame_new(type, 0);

	if (type == OISCSI_EVENT_DESTROYED) {
		put(&frame, 16 + 44, sid, 4);
		put(&frame, 16 + 40, 0, 4);
		return frame;
	}
	put(&frame, 16 + 40, sid, 4);
	put(&frame, 16 + 44, cid, 4);
	put(&frame, 16 + 48, number, 4);
	return frame;
}

struct frame frame_refusal(uint32_t sid, uint32_t cid, int error)
{
	struct frame frame = frame_new(OISCSI_EVENT_REFUSED, 0);

	put(&frame, 4, OISCSI_EVENT_STATISTICS, 2);
	put(&frame, 20, (uint32_t)error, 4);
	put(&frame, 32, sid, 4);
	put(&frame, 36, cid, 4);
	return frame;
}

struct frame frame_statistics(
	uint32_t sid, uint32_t cid, const struct oiscsi_statistics *statistics, uint32_t customs)
{
	struct frame frame = frame_new(OISCSI_EVENT_STATISTICS,
		OISCSI_STATISTICS_OCTETS + (size_t)customs * OISCSI_CUSTOM_OCTETS);
	size_t at = OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS;

	put(&frame, 32, sid, 4);
	put(&frame, 36, cid, 4);
	put(&frame, at + 0, statistics->tx_octets, 8);
	put(&frame, at + 8, statistics->rx_octets, 8);
	put(&frame, at + 16, statistics->nop_sent_pdus, 4);
	put(&frame, at + 20, statistics->command_pdus, 4);
	put(&frame, at + 48, statistics->nop_received_pdus, 4);
	put(&frame, at + 52, statistics->response_pdus, 4);
	put(&frame, at + 92, customs, 4);
	return frame;
}

/* A PDU of one header and its data, padded as the kernel pads a message. */
static struct frame frame_pdu(uint32_t sid, uint8_t opcode, uint8_t flags, size_t data_length)
{
	size_t at = OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS;
	struct frame frame =
		frame_new(OISCSI_EVENT_PDU, OISCSI_BHS_OCTETS + (data_length + 3) / 4 * 4);

	put(&frame, 16 + 40, sid, 4);
	put(&frame, 16 + 44, 0, 4);
	frame.data[at] = opcode;
	frame.data[at + 1] = flags;
	frame.data[at + 5] = (uint8_t)(data_length >> 16);
	frame.data[at + 6] = (uint8_t)(data_length >> 8);
	frame.data[at + 7] = (uint8_t)data_length;
	return frame;
}

struct frame frame_login_response(uint32_t sid, const struct login_response *response)
{
	size_t at = OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS;
	size_t length = response->text ? strlen(response->text) : 0;
	struct frame frame = frame_pdu(sid, 0x23, response->flags, length);
	uint8_t *bhs = frame.data + at;

	memcpy(bhs + 8, "\x00\x02\x3d", 3);
	bhs[13] = (uint8_t)sid;
	bhs[14] = (uint8_t)(response->tsih >> 8);
	bhs[15] = (uint8_t)response->tsih;
	for (int i = 0; i < 4; i++)
		bhs[24 + i] = (uint8_t)(response->stat_sn >> (24 - 8 * i));
	bhs[36] = response->status_class;
	bhs[37] = response->status_detail;
	for (size_t i = 0; i < length; i++)
		bhs[48 + i] = (uint8_t)(response->text[i] == '|' ? '\0' : response->text[i]);
	return frame;
}

struct frame frame_logout_response(uint32_t sid)
{
	return frame_pdu(sid, 0x26, 0x80, 0);
}
