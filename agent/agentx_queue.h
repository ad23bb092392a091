/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The notifications on their way to the master: a bounded queue that keeps each one until the
 * master has answered it, and sends what was not answered again in the next session. So a
 * notification is told at least once, in its order, and twice only when the session broke between
 * the master's reading and our hearing of it.
 *
 * Why not the library's send_v2trap: it sends without a session into nothing and says so to
 * nobody, and it writes without reading, so that a burst locks the master and the agent for ever.
 * Here at most QUEUE_FLYING_MAX are unanswered at a time, and a send never waits.
 *
 * Pure: sockets and clocks are the caller's (agentx.c, in the agent process).
 */
#ifndef AGENT_AGENTX_QUEUE_H
#define AGENT_AGENTX_QUEUE_H

#include "base/base.h"

/* So many may be unanswered; some 20 kB, a tenth of what the socket takes. */
#define QUEUE_FLYING_MAX 8u

struct agentx_queue;

/* Since the start. */
struct agentx_queue_counts {
	uint64_t queued;      /* handed over */
	uint64_t sent;	      /* accepted by the master */
	uint64_t refused;     /* answered with an error; not sent again */
	uint64_t unconfirmed; /* not answered in a session that went on; not sent again */
	uint64_t resent;      /* sent once more since their session had ended */
	uint64_t dropped;     /* the oldest of a full queue, or no memory */
};

/* `limit`: how many may wait, above QUEUE_FLYING_MAX. NULL without memory. */
struct agentx_queue *queue_new(size_t limit);
void queue_free(struct agentx_queue *q);
void queue_set_limit(struct agentx_queue *q, size_t limit);

/*
 * Adds a copy of a PDU that agentx_write_notify began; `event_ns` (CLOCK_MONOTONIC) becomes its
 * sysUpTime. When the queue is full the oldest one that is not under way is dropped. Returns 0 or
 * -ENOMEM (counted as dropped).
 */
int queue_add(struct agentx_queue *q, const uint8_t *octets, size_t length, uint64_t event_ns);

/* As transport_notify. */
typedef int queue_send_fn(uint8_t *octets, size_t length, uint32_t *ret_packet);

/*
 * Sends what may be sent now. `zero_ns`: when the master's sysUpTime was 0. An event before that
 * gets the sysUpTime 0, as a TimeStamp would (RFC 2579). Returns 0, or what `send` returned.
 */
int queue_send(struct agentx_queue *q, uint64_t now_ns, uint64_t zero_ns, queue_send_fn *send);

/* True when queue_send would send something if `send` took it. */
bool queue_wants_to_send(const struct agentx_queue *q);

/* The master answered the packet; `error` 0 or what it said. Unknown packets are ignored. */
void queue_answered(struct agentx_queue *q, uint32_t packet, uint16_t error);

/* The session has ended: what was under way is to be sent again. */
void queue_session_lost(struct agentx_queue *q);

/* Gives up those that were sent before `before_ns` and are not answered. */
void queue_expire(struct agentx_queue *q, uint64_t before_ns);

/* When the oldest unanswered one was sent; UINT64_MAX: there is none. */
uint64_t queue_oldest_sent(const struct agentx_queue *q);

size_t queue_waiting(const struct agentx_queue *q);
const struct agentx_queue_counts *queue_counts(const struct agentx_queue *q);

#endif
