/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A master agent that speaks AgentX and nothing else: it lets one subagent open its session and
 * register, and then asks it what bench.py wants to have measured. The real master asks one
 * varbind at a time and spends more than the subagent does; this one shows the subagent alone.
 *
 *	agentx_master SOCKET
 *
 * says `ready` when the subagent has registered, and then takes commands, one a line:
 *
 *	next N COLUMN...	GetNext with a varbind for each column, row after row
 *	get K N ROWS COLUMN	Get of K cells at a time: those with the index 1.1.1 to 1.1.ROWS
 *	bulk R N COLUMN...	GetBulk with R repetitions
 *	walk NAME		GetNext with one varbind over all that is below a name
 *
 * Columns are OIDs in numbers; at the end of the first one it begins again, until N varbinds were
 * answered. The answer to a command is `done PDUS VARBINDS NANOSECONDS`. Pings are answered
 * meanwhile. Anything unexpected ends it with a message.
 */
#include "agent/agentx_wire.h"
#include "agent/agentx_write.h"
#include "base/clock.h"
#include "tests/bench/bench.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#define COLUMNS_MAX 64
#define ACCEPT_S    600 /* a subagent that does not come by then does not come */

struct master {
	int fd;
	bool big, registered;
	uint32_t session, packet;
	uint8_t in[1 << 17];
	size_t have, used; /* octets of `in`; those of the PDU that was given last */
	uint8_t out[AGENTX_PDU_MAX];
	size_t length;
	uint64_t pdus, varbinds;
};

static struct master m = { .fd = -1 };

/* ---- sending ---- */

static void begin(uint8_t type)
{
	struct agentx_header h = { .type = type,
		.flags = m.big ? AGENTX_FLAG_NETWORK_ORDER : 0,
		.session = m.session,
		.transaction = m.packet + 1,
		.packet = ++m.packet };

	agentx_header_write(m.out, &h);
	m.length = AGENTX_HEADER_SIZE;
}

/* As net-snmp's master writes it: with the prefix for what begins with 1.3.6.1. */
static void put_name(const struct bench_name *name, bool include)
{
	size_t skip = name->length > 4 && name->ids[4] < 256 ? 5 : 0;
	uint8_t *at = m.out + m.length;

	at[0] = (uint8_t)(name->length - skip);
	at[1] = skip ? (uint8_t)name->ids[4] : 0;
	at[2] = include;
	at[3] = 0;
	for (size_t i = skip; i < name->length; i++)
		agentx_put_u32(at + 4 + 4 * (i - skip), m.big, (uint32_t)name->ids[i]);
	m.length += 4 + 4 * (name->length - skip);
}

static void put_range(const struct bench_name *from, const struct bench_name *to)
{
	static const struct bench_name none;

	put_name(from, false);
	put_name(to ? to : &none, false);
}

static void send_out(void)
{
	agentx_put_u32(m.out + 16, m.big, (uint32_t)(m.length - AGENTX_HEADER_SIZE));
	if (send(m.fd, m.out, m.length, MSG_NOSIGNAL) != (ssize_t)m.length)
		bench_die("send to the subagent");
}

/* ---- receiving ---- */

/* The next whole PDU; its octets stay until the next call. */
static const uint8_t *receive(struct agentx_header *ret)
{
	memmove(m.in, m.in + m.used, m.have - m.used);
	m.have -= m.used;
	m.used = 0;
	for (;;) {
		ssize_t got;

		if (m.have >= AGENTX_HEADER_SIZE) {
			if (agentx_header_read(m.in, ret) < 0)
				bench_die("no AgentX header");
			m.used = AGENTX_HEADER_SIZE + ret->length;
			if (m.have >= m.used)
				return m.in + AGENTX_HEADER_SIZE;
		}
		got = recv(m.fd, m.in + m.have, sizeof(m.in) - m.have, 0);
		if (got <= 0)
			bench_die("the subagent closed the connection");
		m.have += (size_t)got;
	}
}

/* Open, Register, Ping …: whatever it is, it is granted. */
static void grant(const struct agentx_header *h)
{
	uint8_t octets[AGENTX_RESPONSE_MIN];
	struct agentx_header to = *h;

	if (h->type == AGENTX_PDU_OPEN) {
		/* Of all that this session asks; a Ping may come in another order. */
		m.big = agentx_is_big(h);
		to.session = m.session = 7;
	}
	m.registered |= h->type == AGENTX_PDU_ADD_CAPS;
	agentx_response_write(octets, &to, AGENTX_ERROR_NONE, 0);
	if (send(m.fd, octets, sizeof(octets), MSG_NOSIGNAL) != sizeof(octets))
		bench_die("send to the subagent");
}

static bool has_request(uint8_t type)
{
	return type != AGENTX_PDU_RESPONSE;
}

/* The varbinds of the Response to what was sent last. */
static const uint8_t *receive_response(const uint8_t **ret_end)
{
	for (;;) {
		struct agentx_header h;
		const uint8_t *payload = receive(&h);

		if (has_request(h.type)) {
			if (h.type == AGENTX_PDU_PING)
				grant(&h);
			continue;
		}
		if (h.packet != m.packet)
			continue;
		if (agentx_get_u16(payload + 4, m.big) != 0)
			bench_die("res.error %u", agentx_get_u16(payload + 4, m.big));
		*ret_end = payload + h.length;
		m.pdus++;
		return payload + 8;
	}
}

static const uint8_t *take_name(const uint8_t *at, struct bench_name *ret)
{
	static const unsigned long internet[] = { 1, 3, 6, 1 };

	ret->length = 0;
	if (at[1]) {
		memcpy(ret->ids, internet, sizeof(internet));
		ret->ids[4] = at[1];
		ret->length = 5;
	}
	agentx_get_ids(ret->ids + ret->length, at + 4, at[0], m.big);
	ret->length += at[0];
	return at + 4 + 4 * (size_t)at[0];
}

/* One varbind: its name and what follows it. `*ret_type` is that of RFC 2741 section 5.4. */
static const uint8_t *take_binding(
	const uint8_t *at, struct bench_name *ret_name, uint16_t *ret_type)
{
	struct bench_name ignored;

	*ret_type = agentx_get_u16(at, m.big);
	at = take_name(at + 4, ret_name);
	switch (*ret_type) {
	case 2:	   /* INTEGER */
	case 0x41: /* Counter32 */
	case 0x42: /* Gauge32 */
	case 0x43: /* TimeTicks */
		return at + 4;
	case 0x46: /* Counter64 */
		return at + 8;
	case 4: /* OCTET STRING */
		return at + 4 + ((agentx_get_u32(at, m.big) + 3) & ~UINT32_C(3));
	case 6: /* OBJECT IDENTIFIER */
		return take_name(at, &ignored);
	default: /* exceptions have no value */
		return at;
	}
}

/* ---- what is asked ---- */

/* GetNext or GetBulk (repetitions > 0) along columns, until `varbinds` were answered. */
static void ask_columns(
	struct bench_name *columns, size_t count, unsigned long repetitions, uint64_t varbinds)
{
	static struct bench_name at[COLUMNS_MAX], end[COLUMNS_MAX];

	for (size_t i = 0; i < count; i++) {
		at[i] = end[i] = columns[i];
		end[i].ids[end[i].length - 1]++;
	}
	while (m.varbinds < varbinds) {
		const uint8_t *from, *to;
		bool ended = false;

		begin(repetitions ? AGENTX_PDU_GET_BULK : AGENTX_PDU_GET_NEXT);
		if (repetitions) {
			agentx_put_u16(m.out + m.length, m.big, 0);
			agentx_put_u16(m.out + m.length + 2, m.big, (uint16_t)repetitions);
			m.length += 4;
		}
		for (size_t i = 0; i < count; i++)
			put_range(&at[i], &end[i]);
		send_out();
		from = receive_response(&to);
		for (size_t i = 0; from < to; i++) {
			uint16_t type;
			struct bench_name name;

			from = take_binding(from, &name, &type);
			if (type >= 0x80) {
				ended = true;
				continue;
			}
			at[i % count] = name;
			m.varbinds++;
		}
		if (ended)
			memcpy(at, columns, count * sizeof(at[0]));
	}
}

static void ask_walk(const struct bench_name *root)
{
	struct bench_name at = *root, end = *root;
	uint16_t type;

	end.ids[end.length - 1]++;
	for (;;) {
		const uint8_t *from, *to;

		begin(AGENTX_PDU_GET_NEXT);
		put_range(&at, &end);
		send_out();
		from = receive_response(&to);
		take_binding(from, &at, &type);
		if (type >= 0x80)
			return;
		m.varbinds++;
	}
}

static void ask_rows(
	const struct bench_name *column, uint64_t row_count, size_t each, uint64_t varbinds)
{
	struct bench_name cell = *column, name;
	uint64_t row = 0;

	cell.ids[cell.length] = cell.ids[cell.length + 1] = 1;
	cell.length += 3;
	while (m.varbinds < varbinds) {
		const uint8_t *from, *to;
		uint16_t type;

		begin(AGENTX_PDU_GET);
		for (size_t i = 0; i < each; i++) {
			cell.ids[cell.length - 1] = row + 1;
			put_range(&cell, NULL);
			/* Far apart, so that no two are neighbours, and all are asked for. */
			row = (row + 37) % row_count;
		}
		send_out();
		for (from = receive_response(&to); from < to; m.varbinds++) {
			from = take_binding(from, &name, &type);
			if (type >= 0x80)
				bench_die("a row is missing");
		}
	}
}

static uint64_t number(const char *word)
{
	uint64_t value;

	if (!word || text_to_u64(word, UINT64_MAX, &value) < 0)
		bench_die("%s: no number", word ? word : "(nothing)");
	return value;
}

/* The numbers of a command, its columns, and its doing. */
static void obey(char *line)
{
	static struct bench_name columns[COLUMNS_MAX];
	char *rest = NULL, *command = strtok_r(line, " \n", &rest), *word;
	uint64_t began_ns, numbers[3] = { 0 };
	size_t count = 0, wanted;

	if (!command)
		return;
	wanted = strcmp(command, "get") == 0	? 3
		 : strcmp(command, "bulk") == 0 ? 2
		 : strcmp(command, "next") == 0 ? 1
						: 0;
	for (size_t i = 0; i < wanted; i++)
		numbers[i] = number(strtok_r(NULL, " \n", &rest));
	while (count < COLUMNS_MAX && (word = strtok_r(NULL, " \n", &rest)))
		bench_parse_name(word, &columns[count++]);
	if (!count)
		bench_die("%s: of what?", command);
	m.pdus = m.varbinds = 0;
	began_ns = clock_now_ns();
	if (wanted == 3)
		ask_rows(&columns[0], numbers[2], numbers[0], numbers[1]);
	else if (wanted)
		ask_columns(columns, count, wanted == 2 ? numbers[0] : 0, numbers[wanted - 1]);
	else
		ask_walk(&columns[0]);
	printf("done %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", m.pdus, m.varbinds,
		clock_now_ns() - began_ns);
	fflush(stdout);
}

static void accept_subagent(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		bench_die("%s: too long", path);
	memcpy(address.sun_path, path, strlen(path) + 1);
	if (listener < 0 ||
		bind(listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(listener, 1) < 0)
		bench_die("%s: %s", path, strerror(errno));
	printf("listening\n");
	fflush(stdout);
	alarm(ACCEPT_S);
	m.fd = accept(listener, NULL, NULL);
	alarm(0);
	if (m.fd < 0)
		bench_die("accept: %s", strerror(errno));
	close(listener);
}

int main(int argc, char **argv)
{
	static char line[8192];
	bool told = false;

	if (argc != 2)
		bench_die("usage: agentx_master SOCKET");
	accept_subagent(argv[1]);
	for (;;) {
		struct pollfd fds[] = { { .fd = m.fd, .events = POLLIN },
			{ .fd = STDIN_FILENO, .events = POLLIN } };
		struct agentx_header h;

		/* The session is open and all is registered when nothing more comes. */
		if (poll(fds, told ? 2 : 1, told ? -1 : 500) == 0 && m.registered) {
			printf("ready\n");
			fflush(stdout);
			told = true;
		}
		if (fds[0].revents) {
			receive(&h);
			if (has_request(h.type))
				grant(&h);
		}
		if (fds[1].revents) {
			if (!fgets(line, sizeof(line), stdin))
				return EXIT_SUCCESS;
			obey(line);
		}
	}
}
