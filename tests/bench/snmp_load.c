/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A manager that costs little and asks much: SNMPv2c GETBULK over UDP.
 *
 *	snmp_load PORT R N COLUMN...
 *
 * R repetitions for all columns at once, again and again along their rows, until N varbinds were
 * answered; at the end of the first column it begins anew. Prints `done REQUESTS VARBINDS
 * NANOSECONDS`. net-snmp's own tools spend more than the agents that they ask.
 */
#include "base/clock.h"
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#define COLUMNS_MAX 64
#define GETBULK	    0xa5
#define END_OF_VIEW 0x82

static uint8_t out[8192], in[65536];
static const uint8_t *end = out + sizeof(out);

/* BER is written from its end. */
static uint8_t *put_length(uint8_t *at, size_t length)
{
	if (length < 128) {
		*--at = (uint8_t)length;
		return at;
	}
	*--at = (uint8_t)length;
	*--at = (uint8_t)(length >> 8);
	*--at = 0x82;
	return at;
}

static uint8_t *put_head(uint8_t *at, uint8_t type, const uint8_t *to)
{
	at = put_length(at, (size_t)(to - at));
	*--at = type;
	return at;
}

static uint8_t *put_number(uint8_t *at, uint32_t number)
{
	const uint8_t *to = at;

	do {
		*--at = (uint8_t)number;
		number >>= 8;
	} while (number);
	if (*at & 0x80)
		*--at = 0;
	return put_head(at, 2, to);
}

static uint8_t *put_name(uint8_t *at, const struct bench_name *name)
{
	const uint8_t *to = at;

	for (size_t i = name->length - 1; i >= 2; i--) {
		unsigned long id = name->ids[i];

		*--at = id & 0x7f;
		while (id >>= 7)
			*--at = (uint8_t)(0x80 | (id & 0x7f));
	}
	*--at = (uint8_t)(name->ids[0] * 40 + name->ids[1]);
	return put_head(at, 6, to);
}

static const uint8_t *write_request(
	const struct bench_name *names, size_t count, uint32_t repetitions, uint32_t id)
{
	uint8_t *at = out + sizeof(out);

	for (size_t i = count; i-- > 0;) {
		const uint8_t *to = at;

		*--at = 0;
		*--at = 5;
		at = put_head(put_name(at, &names[i]), 0x30, to);
	}
	at = put_head(at, 0x30, end);
	at = put_number(put_number(put_number(at, repetitions), 0), id);
	at = put_head(at, GETBULK, end);
	at -= 6;
	memcpy(at, "public", 6);
	*--at = 6;
	*--at = 4;
	return put_head(put_number(at, 1), 0x30, end);
}

/* The content of the next element; `*ret_type`, `*ret_to` its type and end. */
static const uint8_t *enter(const uint8_t *at, uint8_t *ret_type, const uint8_t **ret_to)
{
	size_t length;

	*ret_type = *at++;
	length = *at++;
	if (length & 0x80) {
		size_t octets = length & 0x7f;

		for (length = 0; octets > 0; octets--)
			length = length << 8 | *at++;
	}
	*ret_to = at + length;
	return at;
}

static const uint8_t *skip(const uint8_t *at)
{
	const uint8_t *to;
	uint8_t type;

	enter(at, &type, &to);
	return to;
}

static void read_name(const uint8_t *at, const uint8_t *to, struct bench_name *ret)
{
	ret->ids[0] = *at / 40;
	ret->ids[1] = *at++ % 40;
	ret->length = 2;
	while (at < to && ret->length < ARRAY_SIZE(ret->ids)) {
		unsigned long id = 0;

		do
			id = id << 7 | (*at & 0x7f);
		while (*at++ & 0x80);
		ret->ids[ret->length++] = id;
	}
}

/* The first varbind of a response to the request; NULL for another one's. */
static const uint8_t *read_response(uint32_t id, const uint8_t **ret_to)
{
	const uint8_t *to, *at;
	uint32_t its = 0;
	uint8_t type;

	at = skip(skip(enter(in, &type, &to)));
	at = enter(at, &type, &to);
	at = enter(at, &type, &to);
	while (at < to)
		its = its << 8 | *at++;
	if (its != id)
		return NULL;
	at = enter(at, &type, &to);
	if (*at != 0)
		bench_die("error-status %u", *at);
	return enter(skip(to), &type, ret_to);
}

static const uint8_t *exchange(int fd, const uint8_t *request, uint32_t id, const uint8_t **ret_to)
{
	for (int tries = 0; tries < 5; tries++) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		if (send(fd, request, (size_t)(end - request), 0) < 0)
			bench_die("send: %s", strerror(errno));
		while (poll(&p, 1, 5000) > 0) {
			const uint8_t *at;

			if (recv(fd, in, sizeof(in), 0) <= 0)
				bench_die("recv: %s", strerror(errno));
			at = read_response(id, ret_to);
			if (at)
				return at;
		}
	}
	bench_die("no answer");
}

static bool is_below(const struct bench_name *name, const struct bench_name *column)
{
	struct bench_name head = *name;

	head.length = column->length;
	return name->length > column->length && bench_compare(&head, column) == 0;
}

static void ask(int fd, const struct bench_name *columns, size_t count, uint32_t repetitions,
	uint64_t varbinds)
{
	struct bench_name at[COLUMNS_MAX];
	uint64_t began_ns = clock_now_ns(), answered = 0;
	uint32_t id = 0;

	memcpy(at, columns, count * sizeof(at[0]));
	while (answered < varbinds) {
		const uint8_t *to, *from;
		bool ended = false;

		from = write_request(at, count, repetitions, ++id);
		from = exchange(fd, from, id, &to);
		for (size_t i = 0; from < to; i++) {
			const uint8_t *one_to, *name_to, *one;
			uint8_t type;

			one = enter(from, &type, &one_to);
			one = enter(one, &type, &name_to);
			read_name(one, name_to, &at[i % count]);
			ended |= *name_to == END_OF_VIEW ||
				 !is_below(&at[i % count], &columns[i % count]);
			answered += !ended;
			from = one_to;
		}
		if (ended)
			memcpy(at, columns, count * sizeof(at[0]));
	}
	printf("done %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", id, answered,
		clock_now_ns() - began_ns);
}

int main(int argc, char **argv)
{
	static struct bench_name columns[COLUMNS_MAX];
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint32_t port, repetitions, varbinds;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (argc < 5 || argc > 4 + COLUMNS_MAX || text_to_u32(argv[1], UINT16_MAX, &port) < 0 ||
		text_to_u32(argv[2], 10000, &repetitions) < 0 ||
		text_to_u32(argv[3], UINT32_MAX, &varbinds) < 0)
		bench_die("usage: snmp_load PORT R N COLUMN...");
	for (int i = 4; i < argc; i++)
		bench_parse_name(argv[i], &columns[i - 4]);
	address.sin_port = htons((uint16_t)port);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		bench_die("127.0.0.1: %s", strerror(errno));
	ask(fd, columns, (size_t)argc - 4, repetitions, varbinds);
	close(fd);
	return EXIT_SUCCESS;
}
