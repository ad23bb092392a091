/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_stream.h"

#include "base/clock.h"

#include <poll.h>
#include <sys/socket.h>

const char *stream_end_text(enum stream_end end)
{
	static const char *const texts[] = {
		[STREAM_OPEN] = "is connected",
		[STREAM_CLOSED] = "closed the connection",
		[STREAM_BROKEN] = "broke the connection",
		[STREAM_BAD_PDU] = "sent what is no AgentX PDU",
		[STREAM_HALF_PDU] = "sent half a PDU",
		[STREAM_NOT_READING] = "does not read",
		[STREAM_NOT_ANSWERING] = "does not answer",
		[STREAM_SESSION_CLOSED] = "closed the session",
	};

	return texts[end];
}

void stream_attach(struct agentx_stream *s, int fd)
{
	s->fd = fd;
	s->ended = STREAM_OPEN;
	s->partial_ns = 0;
	s->begin = 0;
	s->end = 0;
	s->skip = 0;
}

void stream_close(struct agentx_stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	s->begin = 0;
	s->end = 0;
	s->skip = 0;
	s->partial_ns = 0;
}

void stream_end(struct agentx_stream *s, enum stream_end why)
{
	if (s->ended || s->fd < 0)
		return;
	s->ended = why;
	s->begin = 0;
	s->end = 0;
	s->skip = 0;
	s->partial_ns = 0;
	shutdown(s->fd, SHUT_RDWR);
}

static bool is_kept(const struct agentx_header *h)
{
	return h->length <= AGENTX_PDU_MAX - AGENTX_HEADER_SIZE;
}

/* 1 and its header when there is a PDU, whole or too long to keep; 0; -EPROTO when it is none. */
static int peek(const struct agentx_stream *s, struct agentx_header *ret)
{
	size_t have = s->end - s->begin;
	int rc;

	if (have < AGENTX_HEADER_SIZE)
		return 0;
	rc = agentx_header_read(s->in + s->begin, ret);
	if (rc < 0)
		return rc;
	return !is_kept(ret) || have >= AGENTX_HEADER_SIZE + ret->length;
}

/* Also true for what is no header: stream_next finds out and ends the stream. */
bool stream_has_next(const struct agentx_stream *s)
{
	struct agentx_header h;

	return peek(s, &h) != 0;
}

/* After octets came or went: drops what is skipped, notes since when a PDU is incomplete. */
static void settle(struct agentx_stream *s, bool begins)
{
	size_t have = s->end - s->begin, drop = have < s->skip ? have : s->skip;

	s->begin += drop;
	s->skip -= (uint32_t)drop;
	if (!s->skip && (s->begin == s->end || stream_has_next(s)))
		s->partial_ns = 0;
	else if (begins || !s->partial_ns)
		s->partial_ns = clock_now_ns();
}

void stream_fill(struct agentx_stream *s)
{
	ssize_t got;

	if (s->fd < 0 || s->ended)
		return;
	memmove(s->in, s->in + s->begin, s->end - s->begin);
	s->end -= s->begin;
	s->begin = 0;
	/* Full: two whole PDUs wait to be consumed; the rest waits in the socket. */
	if (s->end == sizeof(s->in))
		return;
	do
		got = recv(s->fd, s->in + s->end, sizeof(s->in) - s->end, MSG_DONTWAIT);
	while (got < 0 && errno == EINTR);
	if (got > 0)
		s->end += (size_t)got;
	else if (got == 0)
		stream_end(s, STREAM_CLOSED);
	else if (errno != EAGAIN)
		stream_end(s, STREAM_BROKEN);
	settle(s, false);
}

bool stream_next(struct agentx_stream *s, struct agentx_header *ret, const uint8_t **ret_payload)
{
	int rc = peek(s, ret);

	if (rc < 0)
		stream_end(s, STREAM_BAD_PDU);
	if (rc <= 0)
		return false;
	s->begin += AGENTX_HEADER_SIZE;
	*ret_payload = is_kept(ret) ? s->in + s->begin : NULL;
	if (*ret_payload)
		s->begin += ret->length;
	else
		s->skip = ret->length;
	settle(s, true);
	return true;
}

uint64_t stream_deadline(const struct agentx_stream *s)
{
	return s->partial_ns ? s->partial_ns + STREAM_PDU_MS * NS_PER_MS : UINT64_MAX;
}

void stream_check_deadline(struct agentx_stream *s, uint64_t now_ns)
{
	if (now_ns >= stream_deadline(s))
		stream_end(s, STREAM_HALF_PDU);
}

int stream_send(struct agentx_stream *s, const uint8_t *octets, size_t length)
{
	uint64_t deadline = 0; /* from when it does not go on */
	size_t sent = 0;

	if (s->fd < 0 || s->ended)
		return -EPIPE;
	while (sent < length) {
		struct pollfd p = { .fd = s->fd, .events = POLLOUT };
		ssize_t n = send(s->fd, octets + sent, length - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			sent += (size_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN) {
			stream_end(s, STREAM_BROKEN);
			return -EPIPE;
		}
		if (!deadline)
			deadline = clock_now_ns() + STREAM_SEND_MS * NS_PER_MS;
		if (clock_now_ns() >= deadline) {
			stream_end(s, STREAM_NOT_READING);
			return -EPIPE;
		}
		poll(&p, 1, clock_ms_until(deadline, STREAM_SEND_MS));
	}
	return 0;
}

int stream_try_send(struct agentx_stream *s, const uint8_t *octets, size_t length)
{
	ssize_t n;

	if (s->fd < 0 || s->ended)
		return -EPIPE;
	do
		n = send(s->fd, octets, length, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return -EAGAIN;
	if (n < 0) {
		stream_end(s, STREAM_BROKEN);
		return -EPIPE;
	}
	return (size_t)n == length ? 0 : stream_send(s, octets + n, length - (size_t)n);
}
