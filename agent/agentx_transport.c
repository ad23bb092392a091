/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/agentx_transport.h"

#include "agent/agentx_answer.h"
#include "base/clock.h"

/* Packet numbers of our own Pings and Notifies: the library's have 31 bits. */
#define PING_PACKET   0x80000000u
#define NOTIFY_PACKET 0xc0000000u
#define OWN_BITS      0x3fffffffu

static struct {
	const struct transport_hooks *hooks;
	struct agentx_stream stream;
	bool library_turn;
	bool open; /* the master has accepted Open; `session` is its number */
	uint32_t session;
	/* The library's last call, until it is answered; type 0: none. */
	struct {
		uint8_t type, flags;
		uint32_t packet;
		uint64_t sent_ns;
	} call;
	uint32_t ping_packet, notify_packet;
	uint64_t ping_sent_ns;
	bool has_reply; /* `reply` waits for the library */
	uint8_t reply[AGENTX_RESPONSE_MIN];
	uint8_t response[AGENTX_PDU_MAX];
	struct transport_counts counts;
} guard = { .stream = STREAM_INIT };

/* ---- what the master sends ---- */

static void take_response(const struct agentx_header *h, const uint8_t *payload)
{
	bool big = agentx_is_big(h);
	struct transport_reply reply;

	if (h->length < AGENTX_RESPONSE_MIN - AGENTX_HEADER_SIZE) {
		stream_end(&guard.stream, STREAM_BAD_PDU);
		return;
	}
	reply.uptime_cs = agentx_get_u32(payload, big);
	reply.error = agentx_get_u16(payload + 4, big);
	reply.packet = h->packet;
	if (h->packet >= NOTIFY_PACKET) {
		reply.request = AGENTX_PDU_NOTIFY;
		reply.sent_ns = 0;
		guard.hooks->replied(&reply);
		return;
	}
	if (guard.ping_sent_ns && h->packet == guard.ping_packet) {
		reply.request = AGENTX_PDU_PING;
		reply.sent_ns = guard.ping_sent_ns;
		guard.ping_sent_ns = 0;
		guard.hooks->replied(&reply);
		return;
	}
	/* The library needs no varbinds and gets none: fewer octets to parse. */
	agentx_response_write(guard.reply, h, reply.error, 0);
	agentx_put_u32(guard.reply + AGENTX_HEADER_SIZE, big, reply.uptime_cs);
	guard.has_reply = true;
	if (!guard.call.type || h->packet != guard.call.packet)
		return;
	reply.request = guard.call.type;
	reply.sent_ns = guard.call.sent_ns;
	guard.call.type = 0;
	if (reply.request == AGENTX_PDU_OPEN && !reply.error) {
		guard.open = true;
		guard.session = h->session;
	}
	guard.hooks->replied(&reply);
}

static void take_request(const struct agentx_header *h, const uint8_t *payload)
{
	size_t length;

	guard.counts.requests++;
	if (h->type == AGENTX_PDU_CLEANUP_SET)
		length = 0;
	else if (!guard.open || h->session != guard.session)
		length = agentx_response_write(guard.response, h, AGENTX_ERROR_NOT_OPEN, 0);
	else if (!payload)
		length = agentx_response_write(guard.response, h, AGENTX_ERROR_TOO_BIG, 1);
	else
		length = guard.hooks->answer(h, payload, guard.response);
	DEBUGMSGTL(("iscsi-agentx/request", "type %d, packet %u: %d octets, answer %d octets\n",
		h->type, h->packet, (int)(AGENTX_HEADER_SIZE + h->length), (int)length));
	if (length)
		stream_send(&guard.stream, guard.response, length);
}

bool transport_serve(bool readable)
{
	struct agentx_stream *s = &guard.stream;
	struct agentx_header h;
	const uint8_t *payload;

	if (s->fd < 0)
		return false;
	if (readable)
		stream_fill(s);
	while (!guard.has_reply && stream_next(s, &h, &payload)) {
		if (agentx_is_request(h.type))
			take_request(&h, payload);
		else if (!payload)
			stream_end(s, STREAM_BAD_PDU);
		else if (h.type == AGENTX_PDU_RESPONSE)
			take_response(&h, payload);
		else if (h.type == AGENTX_PDU_CLOSE)
			stream_end(s, STREAM_SESSION_CLOSED);
		else
			guard.counts.bad_pdus++;
	}
	if (stream_deadline(s) != UINT64_MAX)
		stream_check_deadline(s, clock_now_ns());
	return guard.has_reply || s->ended;
}

/* ---- what the library sees: struct netsnmp_transport_s ---- */

static bool is_ours(const netsnmp_transport *t)
{
	return t->sock >= 0 && t->sock == guard.stream.fd;
}

/* One Response, or nothing for now, or the end of the connection: octets, 0 with a flag, 0. */
static int library_receive(
	netsnmp_transport *t, void *octets, int size, void **opaque, int *opaque_length)
{
	*opaque = NULL;
	*opaque_length = 0;
	if (!is_ours(t) || size < (int)sizeof(guard.reply))
		return -1;
	if (!guard.has_reply)
		transport_serve(true);
	if (!guard.has_reply && guard.stream.ended) {
		if (guard.library_turn)
			return 0;
		if (guard.call.type) {
			struct agentx_header call = { .flags = guard.call.flags,
				.packet = guard.call.packet };

			agentx_response_write(guard.reply, &call, AGENTX_ERROR_NOT_OPEN, 0);
			guard.has_reply = true;
			guard.call.type = 0;
		}
	}
	if (!guard.has_reply) {
		t->flags |= NETSNMP_TRANSPORT_FLAG_EMPTY_PKT;
		return 0;
	}
	memcpy(octets, guard.reply, sizeof(guard.reply));
	guard.has_reply = false;
	return (int)sizeof(guard.reply);
}

/* True for the PDUs whose Response the library waits for before it goes on. */
static bool is_call(uint8_t type)
{
	return type != AGENTX_PDU_RESPONSE && type != AGENTX_PDU_NOTIFY;
}

static int library_send(
	netsnmp_transport *t, const void *octets, int size, void **opaque, int *opaque_length)
{
	struct agentx_header h;

	(void)opaque;
	(void)opaque_length;
	if (!is_ours(t) || size < (int)AGENTX_HEADER_SIZE || agentx_header_read(octets, &h) < 0)
		return -1;
	if (is_call(h.type) && guard.call.type)
		stream_end(&guard.stream, STREAM_NOT_ANSWERING);
	if (stream_send(&guard.stream, octets, (size_t)size) < 0)
		return -1;
	if (is_call(h.type)) {
		guard.call.type = h.type;
		guard.call.flags = h.flags & AGENTX_FLAG_NETWORK_ORDER;
		guard.call.packet = h.packet;
		guard.call.sent_ns = clock_now_ns();
	}
	return size;
}

static int library_close(netsnmp_transport *t)
{
	if (!is_ours(t))
		return -1;
	if (guard.stream.ended == STREAM_BAD_PDU || guard.stream.ended == STREAM_HALF_PDU)
		guard.counts.bad_pdus++;
	if (guard.stream.ended == STREAM_NOT_READING)
		guard.counts.send_timeouts++;
	stream_close(&guard.stream);
	t->sock = -1;
	return 0;
}

static int library_accept(netsnmp_transport *t)
{
	(void)t;
	return -1;
}

/* For the library's messages; it frees the text. */
static char *library_format_address(netsnmp_transport *t, const void *data, int length)
{
	(void)t;
	(void)data;
	(void)length;
	return strdup(TRANSPORT_ADDRESS);
}

static const oid domain_name[] = { 1, 3, 6, 1, 2, 1, 100, 1, 13, 1 };

static netsnmp_transport *library_connect(const char *address, int local, const char *dflt)
{
	netsnmp_transport *t;
	int fd;

	(void)address;
	(void)dflt;
	if (local || guard.stream.fd >= 0)
		return NULL;
	t = calloc(1, sizeof(*t));
	fd = t ? guard.hooks->open_socket(guard.hooks->context) : -ENOMEM;
	guard.hooks->tried(fd < 0 ? fd : 0);
	if (fd < 0) {
		free(t);
		return NULL;
	}
	stream_attach(&guard.stream, fd);
	guard.open = false;
	guard.has_reply = false;
	guard.call.type = 0;
	guard.ping_sent_ns = 0;
	t->domain = domain_name;
	t->domain_length = ARRAY_SIZE(domain_name);
	t->sock = fd;
	t->flags = NETSNMP_TRANSPORT_FLAG_STREAM;
	t->msgMaxSize = AGENTX_PDU_MAX;
	t->f_recv = library_receive;
	t->f_send = library_send;
	t->f_close = library_close;
	t->f_accept = library_accept;
	t->f_fmtaddr = library_format_address;
	return t;
}

static netsnmp_transport *library_connect_octets(const void *address, size_t length, int local)
{
	(void)length;
	return library_connect(address, local, NULL);
}

/* ---- what agentx.c sees ---- */

int transport_register(const struct transport_hooks *hooks)
{
	static netsnmp_tdomain domain = {
		.name = domain_name,
		.name_length = ARRAY_SIZE(domain_name),
		.f_create_from_tstring_new = library_connect,
		.f_create_from_ostring = library_connect_octets,
	};
	/* On the heap since the library frees it (netsnmp_clear_tdomain_list). */
	const char **prefix = calloc(2, sizeof(*prefix));

	if (!prefix)
		return -ENOMEM;
	prefix[0] = "iscsi-agentx";
	guard.hooks = hooks;
	domain.prefix = prefix;
	if (netsnmp_tdomain_register(&domain))
		return 0;
	free(prefix);
	return -EEXIST;
}

int transport_fd(void)
{
	return guard.stream.fd;
}

void transport_library_turn(bool begin)
{
	guard.library_turn = begin;
}

int transport_ping(void)
{
	struct agentx_header h = { .type = AGENTX_PDU_PING,
		.flags = AGENTX_FLAG_NETWORK_ORDER,
		.session = guard.session,
		.packet = PING_PACKET | ((guard.ping_packet + 1) & OWN_BITS) };
	uint8_t octets[AGENTX_HEADER_SIZE];

	agentx_header_write(octets, &h);
	guard.ping_packet = h.packet;
	guard.ping_sent_ns = clock_now_ns();
	return stream_send(&guard.stream, octets, sizeof(octets));
}

int transport_notify(uint8_t *octets, size_t length, uint32_t *ret_packet)
{
	struct agentx_header h = { .type = AGENTX_PDU_NOTIFY,
		.flags = AGENTX_FLAG_NETWORK_ORDER,
		.session = guard.session,
		.packet = NOTIFY_PACKET | ((guard.notify_packet + 1) & OWN_BITS),
		.length = (uint32_t)(length - AGENTX_HEADER_SIZE) };
	int rc;

	if (guard.stream.fd < 0 || !guard.open)
		return -ENOTCONN;
	agentx_header_write(octets, &h);
	rc = stream_try_send(&guard.stream, octets, length);
	if (rc < 0)
		return rc;
	guard.notify_packet = h.packet;
	*ret_packet = h.packet;
	return 0;
}

uint64_t transport_ping_sent_ns(void)
{
	return guard.ping_sent_ns;
}

uint64_t transport_deadline(void)
{
	if (guard.stream.fd < 0)
		return UINT64_MAX;
	return stream_has_next(&guard.stream) ? 0 : stream_deadline(&guard.stream);
}

void transport_end(enum stream_end why)
{
	stream_end(&guard.stream, why);
}

enum stream_end transport_ended(void)
{
	return guard.stream.ended;
}

bool transport_ended_by_master(void)
{
	enum stream_end end = guard.stream.ended;

	return end == STREAM_CLOSED || end == STREAM_BROKEN || end == STREAM_SESSION_CLOSED;
}

const struct transport_counts *transport_counts(void)
{
	return &guard.counts;
}
