/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/agentx_queue.h"

#include "agent/agentx_write.h"
#include "base/clock.h"

struct entry {
	uint8_t *octets;
	size_t length;
	uint64_t event_ns;
	uint64_t sent_ns; /* under way: when it was sent in this session */
	uint32_t packet;  /* likewise: its number */
	bool tried;	  /* sent in an earlier session */
	bool answered;
};

/* A ring. The first `flying` entries are under way or answered, the others wait. */
struct agentx_queue {
	struct entry *entries;
	size_t capacity, begin, count, flying;
	size_t limit;
	struct agentx_queue_counts counts;
};

static struct entry *entry_at(const struct agentx_queue *q, size_t position)
{
	return &q->entries[(q->begin + position) % q->capacity];
}

struct agentx_queue *queue_new(size_t limit)
{
	struct agentx_queue *q = calloc(1, sizeof(*q));

	if (q)
		queue_set_limit(q, limit);
	return q;
}

void queue_free(struct agentx_queue *q)
{
	if (!q)
		return;
	for (size_t i = 0; i < q->count; i++)
		free(entry_at(q, i)->octets);
	free(q->entries);
	free(q);
}

/* Takes out the entry at a position; those before it move up. */
static void take_out(struct agentx_queue *q, size_t position)
{
	free(entry_at(q, position)->octets);
	for (size_t i = position; i > 0; i--)
		*entry_at(q, i) = *entry_at(q, i - 1);
	q->begin = (q->begin + 1) % q->capacity;
	q->count--;
	if (position < q->flying)
		q->flying--;
}

static void drop_to(struct agentx_queue *q, size_t count)
{
	while (q->count > count && q->count > q->flying) {
		take_out(q, q->flying);
		q->counts.dropped++;
	}
}

void queue_set_limit(struct agentx_queue *q, size_t limit)
{
	q->limit = limit > QUEUE_FLYING_MAX ? limit : QUEUE_FLYING_MAX + 1;
	drop_to(q, q->limit);
}

/* Doubles the ring, so that a quiet agent does not pay for the worst case. */
static int grow(struct agentx_queue *q)
{
	size_t more = q->capacity ? q->capacity * 2 : 16;
	struct entry *entries = calloc(more, sizeof(*entries));

	if (!entries)
		return -ENOMEM;
	for (size_t i = 0; i < q->count; i++)
		entries[i] = *entry_at(q, i);
	free(q->entries);
	q->entries = entries;
	q->capacity = more;
	q->begin = 0;
	return 0;
}

int queue_add(struct agentx_queue *q, const uint8_t *octets, size_t length, uint64_t event_ns)
{
	struct entry e = { .length = length, .event_ns = event_ns };

	q->counts.queued++;
	drop_to(q, q->limit - 1);
	if (q->count == q->capacity && grow(q) < 0) {
		q->counts.dropped++;
		return -ENOMEM;
	}
	e.octets = malloc(length);
	if (!e.octets) {
		q->counts.dropped++;
		return -ENOMEM;
	}
	memcpy(e.octets, octets, length);
	*entry_at(q, q->count++) = e;
	return 0;
}

bool queue_wants_to_send(const struct agentx_queue *q)
{
	return q->flying < q->count && q->flying < QUEUE_FLYING_MAX;
}

int queue_send(struct agentx_queue *q, uint64_t now_ns, uint64_t zero_ns, queue_send_fn *send)
{
	while (queue_wants_to_send(q)) {
		struct entry *e = entry_at(q, q->flying);
		uint64_t uptime_ns = zero_ns && e->event_ns > zero_ns ? e->event_ns - zero_ns : 0;
		int rc;

		agentx_notify_set_uptime(e->octets, (uint32_t)(uptime_ns / NS_PER_CS));
		rc = send(e->octets, e->length, &e->packet);
		if (rc < 0)
			return rc;
		q->counts.resent += e->tried;
		e->sent_ns = now_ns;
		q->flying++;
	}
	return 0;
}

static void drop_answered(struct agentx_queue *q)
{
	while (q->flying && entry_at(q, 0)->answered)
		take_out(q, 0);
}

void queue_answered(struct agentx_queue *q, uint32_t packet, uint16_t error)
{
	for (size_t i = 0; i < q->flying; i++) {
		struct entry *e = entry_at(q, i);

		if (e->packet != packet || e->answered)
			continue;
		e->answered = true;
		if (error)
			q->counts.refused++;
		else
			q->counts.sent++;
	}
	drop_answered(q);
}

void queue_session_lost(struct agentx_queue *q)
{
	for (size_t i = q->flying; i-- > 0;) {
		if (entry_at(q, i)->answered)
			take_out(q, i);
	}
	for (size_t i = 0; i < q->flying; i++)
		entry_at(q, i)->tried = true;
	q->flying = 0;
}

void queue_expire(struct agentx_queue *q, uint64_t before_ns)
{
	for (size_t i = 0; i < q->flying; i++) {
		struct entry *e = entry_at(q, i);

		if (e->answered || e->sent_ns >= before_ns)
			continue;
		e->answered = true;
		q->counts.unconfirmed++;
	}
	drop_answered(q);
}

uint64_t queue_oldest_sent(const struct agentx_queue *q)
{
	return q->flying ? entry_at(q, 0)->sent_ns : UINT64_MAX;
}

size_t queue_waiting(const struct agentx_queue *q)
{
	return q->count;
}

const struct agentx_queue_counts *queue_counts(const struct agentx_queue *q)
{
	return &q->counts;
}
