/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream of PDUs over a socket pair: whole PDUs out of any pieces, and an end to bad peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "agent/agentx_stream.h"
#include "base/clock.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct pair {
	struct agentx_stream s;
	int peer;
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];

	assert_non_null(p);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	p->s.fd = -1;
	stream_attach(&p->s, fds[0]);
	p->peer = fds[1];
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	stream_close(&p->s);
	stream_close(&p->s);
	close(p->peer);
	free(p);
	return 0;
}

/* A Get of `length` octets of payload, each `fill`. */
static size_t make_pdu(uint8_t *octets, uint32_t packet, uint32_t length, uint8_t fill)
{
	struct agentx_header h = { .type = AGENTX_PDU_GET, .packet = packet, .length = length };

	agentx_header_write(octets, &h);
	memset(octets + AGENTX_HEADER_SIZE, fill, length);
	return AGENTX_HEADER_SIZE + length;
}

static void give(struct pair *p, const void *octets, size_t length)
{
	assert_int_equal(send(p->peer, octets, length, MSG_NOSIGNAL), length);
	stream_fill(&p->s);
}

static void nothing_next(struct pair *p)
{
	struct agentx_header h;
	const uint8_t *payload;

	assert_false(stream_next(&p->s, &h, &payload));
}

static void is_next(struct pair *p, uint32_t packet, uint32_t length, uint8_t fill)
{
	struct agentx_header h;
	const uint8_t *payload;

	assert_true(stream_has_next(&p->s));
	assert_true(stream_next(&p->s, &h, &payload));
	assert_int_equal(h.packet, packet);
	assert_int_equal(h.length, length);
	for (uint32_t i = 0; i < length; i++)
		assert_int_equal(payload[i], fill);
}

static void pdus_come_whole_out_of_any_pieces(void **state)
{
	struct pair *p = *state;
	uint8_t octets[128];
	size_t length = make_pdu(octets, 1, 8, 'a');

	length += make_pdu(octets + length, 2, 0, 0);
	length += make_pdu(octets + length, 3, 12, 'c');
	for (size_t piece = 1; piece <= length; piece++) {
		uint32_t expected = 1;

		for (size_t at = 0; at < length; at += piece) {
			give(p, octets + at, at + piece > length ? length - at : piece);
			for (; stream_has_next(&p->s); expected++)
				is_next(p, expected, expected == 1 ? 8 : (expected == 2 ? 0 : 12),
					expected == 1 ? 'a' : 'c');
		}
		assert_int_equal(expected, 4);
		assert_int_equal(stream_deadline(&p->s), UINT64_MAX);
	}
	assert_int_equal(p->s.ended, STREAM_OPEN);
}

static void longest_pdus_pass_one_after_the_other(void **state)
{
	static uint8_t octets[AGENTX_PDU_MAX];
	struct pair *p = *state;

	for (uint32_t i = 0; i < 9; i++) {
		size_t length = make_pdu(octets, i, AGENTX_PDU_MAX - AGENTX_HEADER_SIZE, 'x');
		uint8_t small[AGENTX_HEADER_SIZE + 4];

		give(p, octets, length);
		give(p, small, make_pdu(small, 100 + i, 4, 'y'));
		is_next(p, i, AGENTX_PDU_MAX - AGENTX_HEADER_SIZE, 'x');
		is_next(p, 100 + i, 4, 'y');
	}
	nothing_next(p);
}

static void full_buffer_leaves_the_rest_in_the_socket(void **state)
{
	uint8_t octets[AGENTX_HEADER_SIZE + 1000];
	struct pair *p = *state;
	uint32_t sent = 0;

	for (; sent < 150; sent++)
		give(p, octets, make_pdu(octets, sent, 1000, 'z'));
	assert_true(150 * sizeof(octets) > sizeof(p->s.in));
	for (uint32_t i = 0; i < sent; i++) {
		if (!stream_has_next(&p->s))
			stream_fill(&p->s);
		is_next(p, i, 1000, 'z');
	}
	nothing_next(p);
}

static void pdu_too_long_is_a_header_without_payload(void **state)
{
	static uint8_t octets[4096];
	struct agentx_header h = {
		.type = AGENTX_PDU_GET_NEXT, .packet = 5, .length = AGENTX_PDU_MAX
	};
	const uint8_t *payload = octets;
	struct pair *p = *state;
	uint32_t left = h.length;

	agentx_header_write(octets, &h);
	give(p, octets, AGENTX_HEADER_SIZE);
	assert_true(stream_next(&p->s, &h, &payload));
	assert_int_equal(h.packet, 5);
	assert_null(payload);
	memset(octets, 0xee, sizeof(octets));
	while (left) {
		uint32_t n = left < sizeof(octets) ? left : (uint32_t)sizeof(octets);

		assert_int_not_equal(stream_deadline(&p->s), UINT64_MAX);
		give(p, octets, n);
		nothing_next(p);
		left -= n;
	}
	assert_int_equal(stream_deadline(&p->s), UINT64_MAX);
	give(p, octets, make_pdu(octets, 6, 4, 'f'));
	is_next(p, 6, 4, 'f');
}

static void what_is_no_header_ends_it(void **state)
{
	uint8_t octets[AGENTX_HEADER_SIZE];
	struct pair *p = *state;

	make_pdu(octets, 1, 0, 0);
	octets[0] = 2;
	give(p, octets, sizeof(octets));
	assert_true(stream_has_next(&p->s));
	nothing_next(p);
	assert_int_equal(p->s.ended, STREAM_BAD_PDU);
	assert_int_equal(stream_send(&p->s, octets, sizeof(octets)), -EPIPE);
	assert_int_equal(recv(p->peer, octets, sizeof(octets), 0), 0);
}

static void end_of_the_peer_ends_it(void **state)
{
	struct pair *p = *state;

	stream_fill(&p->s);
	assert_int_equal(p->s.ended, STREAM_OPEN);
	shutdown(p->peer, SHUT_RDWR);
	stream_fill(&p->s);
	assert_int_equal(p->s.ended, STREAM_CLOSED);
	stream_end(&p->s, STREAM_BAD_PDU);
	assert_int_equal(p->s.ended, STREAM_CLOSED);
}

static void half_a_pdu_has_a_deadline(void **state)
{
	uint8_t octets[AGENTX_HEADER_SIZE + 8];
	struct pair *p = *state;
	uint64_t before = clock_now_ns(), deadline;

	make_pdu(octets, 1, 8, 0);
	give(p, octets, 3);
	deadline = stream_deadline(&p->s);
	assert_true(deadline >= before + STREAM_PDU_MS * NS_PER_MS);
	give(p, octets + 3, 20);
	assert_int_equal(stream_deadline(&p->s), deadline);
	stream_check_deadline(&p->s, deadline - 1);
	assert_int_equal(p->s.ended, STREAM_OPEN);
	stream_check_deadline(&p->s, deadline);
	assert_int_equal(p->s.ended, STREAM_HALF_PDU);
	assert_int_equal(stream_deadline(&p->s), UINT64_MAX);
}

static void send_gives_up_a_peer_that_does_not_read(void **state)
{
	static uint8_t octets[AGENTX_PDU_MAX];
	struct pair *p = *state;
	uint64_t start;
	int rc = 0;

	start = clock_now_ns();
	for (int i = 0; i < 100 && rc == 0; i++)
		rc = stream_send(&p->s, octets, sizeof(octets));
	assert_int_equal(rc, -EPIPE);
	assert_int_equal(p->s.ended, STREAM_NOT_READING);
	assert_true(clock_now_ns() - start >= STREAM_SEND_MS * NS_PER_MS);
	assert_true(clock_now_ns() - start < 2000 * NS_PER_MS);
}

static void send_writes_on_when_the_peer_reads(void **state)
{
	enum { TOTAL = 20 * AGENTX_PDU_MAX };
	static uint8_t octets[AGENTX_PDU_MAX];
	struct pair *p = *state;
	size_t received = 0;
	ssize_t n;
	int small = 4096, status = -1;
	pid_t child;

	assert_int_equal(setsockopt(p->s.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		int rc = 0;

		for (int i = 0; i < 20 && rc == 0; i++)
			rc = stream_send(&p->s, octets, sizeof(octets));
		_exit(rc ? 1 : 0);
	}
	stream_close(&p->s);
	fcntl(p->peer, F_SETFL, 0);
	while ((n = recv(p->peer, octets, 5000, 0)) > 0)
		received += (size_t)n;
	assert_int_equal(received, TOTAL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static void without_a_socket_nothing_happens(void **state)
{
	static struct agentx_stream s = STREAM_INIT;
	struct agentx_header h;
	const uint8_t *payload;

	(void)state;
	stream_fill(&s);
	stream_end(&s, STREAM_BROKEN);
	stream_close(&s);
	assert_int_equal(s.ended, STREAM_OPEN);
	assert_false(stream_next(&s, &h, &payload));
	assert_int_equal(stream_send(&s, (const uint8_t *)"x", 1), -EPIPE);
}

int main(void)
{
#define IN_PAIR(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		IN_PAIR(pdus_come_whole_out_of_any_pieces),
		IN_PAIR(longest_pdus_pass_one_after_the_other),
		IN_PAIR(full_buffer_leaves_the_rest_in_the_socket),
		IN_PAIR(pdu_too_long_is_a_header_without_payload),
		IN_PAIR(what_is_no_header_ends_it),
		IN_PAIR(end_of_the_peer_ends_it),
		IN_PAIR(half_a_pdu_has_a_deadline),
		IN_PAIR(send_gives_up_a_peer_that_does_not_read),
		IN_PAIR(send_writes_on_when_the_peer_reads),
		cmocka_unit_test(without_a_socket_nothing_happens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
