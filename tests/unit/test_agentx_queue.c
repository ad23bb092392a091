/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The queue of notifications: a master made by chance that answers late, in any order, with errors,
 * not at all, or goes away, against what must hold in every case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/agentx_queue.h"
#include "agent/agentx_write.h"
#include "base/clock.h"
#include "tests/support/agentx_decode.h"
#include "tests/support/handmade.h"

#define PDU_LENGTH (AGENTX_HEADER_SIZE + 28u + 64u)
#define LOG_MAX	   100000u

static const mib_oid trap[] = { 1, 3, 6, 1, 2, 1, 142, 0, 1 };
static const mib_oid serial_name[] = { 1, 3, 6, 1, 4, 1, 1 };

/* What went over the wire: the serial of each Notify, in this order. */
static struct {
	uint32_t serial, packet, uptime;
} wire[LOG_MAX];
static size_t wire_count;
static uint32_t last_packet;
static int send_result;

static size_t write_pdu(uint8_t octets[256], uint32_t serial)
{
	struct agentx_writer w;
	struct mib_value value = { .syntax = MIB_UNSIGNED32, .number = serial };

	agentx_write_notify(&w, octets, 256, trap, ARRAY_SIZE(trap));
	agentx_write_binding(&w, serial_name, ARRAY_SIZE(serial_name), &value);
	assert_false(w.full);
	return w.length;
}

static int add(struct agentx_queue *q, uint32_t serial, uint64_t event_ns)
{
	uint8_t octets[256];

	return queue_add(q, octets, write_pdu(octets, serial), event_ns);
}

static int send_pdu(uint8_t *octets, size_t length, uint32_t *ret_packet)
{
	struct agentx_header h = { .type = AGENTX_PDU_RESPONSE,
		.flags = AGENTX_FLAG_NETWORK_ORDER,
		.length = (uint32_t)(length - AGENTX_HEADER_SIZE + 8) };
	uint8_t response[512] = { 0 };
	struct agentx_decoded_binding uptime, name, serial;
	struct agentx_decoded d;

	if (send_result < 0)
		return send_result;
	/* The decoder of Responses reads the varbinds. */
	assert_true(length + 8 <= sizeof(response));
	agentx_header_write(response, &h);
	memcpy(response + AGENTX_RESPONSE_MIN, octets + AGENTX_HEADER_SIZE,
		length - AGENTX_HEADER_SIZE);
	assert_true(agentx_decode(response, length + 8, response, &d));
	assert_int_equal(d.count, 3);
	assert_true(agentx_decode_next(&d, &uptime));
	assert_true(agentx_decode_next(&d, &name));
	assert_true(agentx_decode_next(&d, &serial));
	assert_int_equal(uptime.type, AGENTX_TIMETICKS);
	assert_int_equal(name.type, AGENTX_OBJECT_ID);
	assert_int_equal(mib_compare(name.ids, name.ids_length, trap, ARRAY_SIZE(trap)), 0);
	assert_true(wire_count < LOG_MAX);
	wire[wire_count].uptime = (uint32_t)uptime.number;
	wire[wire_count].serial = (uint32_t)serial.number;
	wire[wire_count].packet = ++last_packet;
	*ret_packet = last_packet;
	wire_count++;
	return 0;
}

static struct agentx_queue *begin(size_t limit)
{
	struct agentx_queue *q = queue_new(limit);

	assert_non_null(q);
	wire_count = 0;
	send_result = 0;
	return q;
}

static void nothing_is_lost_or_out_of_order(void **state)
{
	static bool answered[LOG_MAX];
	uint64_t resent = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		struct agentx_queue *q = begin(1000);
		const struct agentx_queue_counts *c = queue_counts(q);
		size_t session_begin = 0, flying_from = 0;
		uint32_t added = 0, in_flight = 0;
		uint64_t chance = seed;

		memset(answered, 0, sizeof(answered));
		for (int step = 0; step < 400; step++) {
			switch (handmade_chance(&chance, 8)) {
			case 0:
			case 1:
			case 2:
				for (uint64_t n = handmade_chance(&chance, 4); n-- > 0;) {
					added++;
					assert_int_equal(add(q, added, added), 0);
				}
				break;
			case 3:
				send_result = handmade_chance(&chance, 3) ? 0 : -EAGAIN;
				break;
			case 4:
				if (handmade_chance(&chance, 10) == 0) {
					queue_session_lost(q);
					session_begin = wire_count;
				}
				break;
			default: /* any one of this session is answered, also a second time */
				if (wire_count > session_begin) {
					size_t at =
						session_begin + handmade_chance(&chance,
									wire_count - session_begin);

					queue_answered(q, wire[at].packet,
						handmade_chance(&chance, 20) ? 0 : 268);
					answered[at] = true;
				}
			}
			assert_int_equal(queue_send(q, 1, 1, send_pdu),
				queue_wants_to_send(q) ? send_result : 0);
			in_flight = 0;
			for (size_t i = session_begin; i < wire_count; i++)
				in_flight += !answered[i];
			assert_true(in_flight <= QUEUE_FLYING_MAX);
			/* In a session each at most once, in order. */
			for (size_t i = session_begin + 1; i < wire_count; i++)
				assert_true(wire[i].serial > wire[i - 1].serial);
		}
		/* A master that is in order again. */
		send_result = 0;
		for (size_t i = 0; queue_waiting(q); i++) {
			queue_send(q, 1, 1, send_pdu);
			for (; flying_from < wire_count; flying_from++)
				queue_answered(q, wire[flying_from].packet, 0);
			assert_true(i < 1000);
		}
		assert_int_equal(c->queued, added);
		assert_int_equal(c->sent + c->refused, added);
		assert_int_equal(c->dropped + c->unconfirmed, 0);
		assert_int_equal(wire_count, added + c->resent);
		resent += c->resent;
		for (uint32_t serial = 1; serial <= added; serial++) {
			bool seen = false;

			for (size_t i = 0; i < wire_count && !seen; i++)
				seen = wire[i].serial == serial;
			assert_true(seen);
		}
		queue_free(q);
	}
	assert_true(resent > 100);
}

static void a_full_queue_drops_its_oldest(void **state)
{
	struct agentx_queue *q = begin(20);

	(void)state;
	for (uint32_t i = 1; i <= 10; i++)
		add(q, i, 1);
	queue_send(q, 1, 1, send_pdu); /* 1 to 8 are under way */
	for (uint32_t i = 11; i <= 40; i++)
		add(q, i, 1);
	assert_int_equal(queue_waiting(q), 20);
	assert_int_equal(queue_counts(q)->dropped, 20);
	for (size_t i = 0; i < wire_count; i++) {
		queue_answered(q, wire[i].packet, 0);
		queue_send(q, 1, 1, send_pdu);
	}
	/* 9 to 28 are those that were dropped. */
	assert_int_equal(wire_count, 20);
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(wire[i].serial, i < 8 ? i + 1 : i + 21);
	add(q, 41, 1);
	add(q, 42, 1);
	assert_int_equal(queue_waiting(q), 2);
	for (uint32_t i = 43; i < 60; i++)
		add(q, i, 1);
	queue_set_limit(q, 1);
	assert_int_equal(queue_waiting(q), QUEUE_FLYING_MAX + 1);
	queue_free(q);
	queue_free(NULL);
}

static void the_time_is_that_of_the_event_and_the_master_of_now(void **state)
{
	struct agentx_queue *q = begin(100);

	(void)state;
	add(q, 1, 100 * NS_PER_S);
	add(q, 2, 200 * NS_PER_S);
	queue_send(q, 1, 50 * NS_PER_S, send_pdu);
	assert_int_equal(wire[0].uptime, 5000);
	assert_int_equal(wire[1].uptime, 15000);
	/* Another master, which started at 150 s: the first event was before. */
	queue_session_lost(q);
	queue_send(q, 1, 150 * NS_PER_S, send_pdu);
	assert_int_equal(wire[2].serial, 1);
	assert_int_equal(wire[2].uptime, 0);
	assert_int_equal(wire[3].uptime, 5000);
	/* sysUpTime wraps after 497 days. */
	add(q, 3, (UINT64_C(4294967296) + 7) * NS_PER_CS + 1);
	queue_send(q, 1, 1, send_pdu);
	assert_int_equal(wire[4].uptime, 7);
	queue_session_lost(q);
	queue_send(q, 1, 0, send_pdu);
	assert_int_equal(wire[5].uptime, 0);
	queue_free(q);
}

static void what_is_never_answered_is_given_up(void **state)
{
	struct agentx_queue *q = begin(100);

	(void)state;
	assert_int_equal(queue_oldest_sent(q), UINT64_MAX);
	for (uint32_t i = 1; i <= 12; i++)
		add(q, i, 1);
	queue_send(q, 1000, 1, send_pdu);
	assert_int_equal(queue_oldest_sent(q), 1000);
	queue_answered(q, wire[0].packet, 0);
	queue_answered(q, wire[3].packet, 0);
	queue_answered(q, 12345678, 0);
	queue_send(q, 2000, 1, send_pdu);
	assert_int_equal(wire_count, 9);
	queue_expire(q, 1000);
	assert_int_equal(queue_counts(q)->unconfirmed, 0);
	queue_expire(q, 1001);
	assert_int_equal(queue_counts(q)->unconfirmed, 6);
	assert_int_equal(queue_oldest_sent(q), 2000);
	/* An answer that comes after all is that to an unknown packet. */
	queue_answered(q, wire[1].packet, 0);
	assert_int_equal(queue_counts(q)->sent, 2);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost_or_out_of_order),
		cmocka_unit_test(a_full_queue_drops_its_oldest),
		cmocka_unit_test(the_time_is_that_of_the_event_and_the_master_of_now),
		cmocka_unit_test(what_is_never_answered_is_given_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
