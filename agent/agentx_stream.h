/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connection to the master as a sequence of whole PDUs: never blocks in reading, for a bounded
 * time in writing, and gives up a peer that sends no AgentX. Used by the guard
 * (agentx_transport.c) in the agent process; knows neither net-snmp nor what the PDUs say.
 *
 * "Ended" means: the peer has gone or was given up. The descriptor stays open (and readable, so
 * that poll(2) wakes) until stream_close; nothing more is read from it or written to it.
 */
#ifndef AGENT_AGENTX_STREAM_H
#define AGENT_AGENTX_STREAM_H

#include "agent/agentx_wire.h"

/* How long a send may wait for a master that does not read. */
#define STREAM_SEND_MS 200

/* How long the rest of a PDU may take from its first octet on. */
#define STREAM_PDU_MS 700

/* Why a stream ended. */
enum stream_end {
	STREAM_OPEN, /* it has not */
	STREAM_CLOSED,
	STREAM_BROKEN,
	STREAM_BAD_PDU,
	STREAM_HALF_PDU,
	STREAM_NOT_READING,
	STREAM_NOT_ANSWERING,
	STREAM_SESSION_CLOSED,
};

/* In words that follow "the master agent": "closed the connection". */
const char *stream_end_text(enum stream_end end);

struct agentx_stream {
	int fd; /* -1: not connected */
	enum stream_end ended;
	uint64_t partial_ns; /* when the incomplete PDU in `in` began to arrive, 0 there is none */
	size_t begin, end;   /* the octets of `in` not yet consumed */
	uint32_t skip;	     /* octets of a payload too long to keep, not yet arrived */
	uint8_t in[2 * AGENTX_PDU_MAX];
};

#define STREAM_INIT       \
	{                 \
		.fd = -1, \
	}

/* Takes over a connected, non-blocking socket. The stream must have none. */
void stream_attach(struct agentx_stream *s, int fd);

/* Closes the socket, if there is one. */
void stream_close(struct agentx_stream *s);

/*
 * Reads what has arrived, without waiting and at most what fits. A failure or the end of the
 * stream ends it.
 */
void stream_fill(struct agentx_stream *s);

/*
 * The next whole PDU: true with its header and payload, which stay valid until the next call of
 * any function of the stream but stream_send. False when none is complete. A header that no
 * master sends ends the stream. Of a PDU above AGENTX_PDU_MAX there is the header only: the payload
 * is NULL.
 */
bool stream_next(struct agentx_stream *s, struct agentx_header *ret, const uint8_t **ret_payload);

/* True when stream_next would give a PDU without stream_fill. */
bool stream_has_next(const struct agentx_stream *s);

/* Ends the stream when a PDU has been incomplete for STREAM_PDU_MS. */
void stream_check_deadline(struct agentx_stream *s, uint64_t now_ns);

/* When stream_check_deadline has to be called, CLOCK_MONOTONIC ns; UINT64_MAX: not. */
uint64_t stream_deadline(const struct agentx_stream *s);

/*
 * Sends all octets; waits at most STREAM_SEND_MS for room. Returns 0, or -EPIPE after the stream
 * has ended, now or before.
 */
int stream_send(struct agentx_stream *s, const uint8_t *octets, size_t length);

/*
 * Sends all octets if the socket takes the first of them at once. Returns 0, -EAGAIN (nothing was
 * sent), or -EPIPE as stream_send, which it becomes for the rest when only a part was taken.
 */
int stream_try_send(struct agentx_stream *s, const uint8_t *octets, size_t length);

/* Gives the peer up. A stream that has ended keeps its first reason. */
void stream_end(struct agentx_stream *s, enum stream_end why);

#endif
