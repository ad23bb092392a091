/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/net/tcp and /proc/net/tcp6: read where the kernel is not asked itself (a prefix
 * directory, a recording, a refused netlink socket), and written for recordings in the same
 * format. Pure functions over text. The kernel prints an address as 32-bit words of
 * network order taken for native numbers, so the text of a machine of the other byte order
 * cannot be read.
 */
#include "base/root_private.h"

#define LINES_WIDTH_IPV4 149 /* the kernel pads lines of tcp to this width, not those of tcp6 */

int tcp_list_add(struct tcp_list *list, const struct root_tcp_socket *socket)
{
	if (list->count >= ROOT_TCP_MAX)
		return -E2BIG;
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 64;
		struct root_tcp_socket *grown;

		grown = reallocarray(list->sockets, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		list->sockets = grown;
		list->capacity = capacity;
	}
	list->sockets[list->count++] = *socket;
	return 0;
}

void tcp_list_free(struct tcp_list *list)
{
	free(list->sockets);
	*list = (struct tcp_list){ .count = 0 };
}

struct scan {
	const char *at, *end;
};

/* Exactly `digits` hexadecimal digits. */
static bool scan_hex(struct scan *scan, int digits, uint32_t *ret)
{
	uint32_t value = 0;

	if (scan->end - scan->at < digits)
		return false;
	for (; digits > 0; digits--) {
		char c = *scan->at++;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if (c >= 'A' && c <= 'F')
			value = value << 4 | (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*ret = value;
	return true;
}

static bool scan_char(struct scan *scan, char c)
{
	if (scan->at >= scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* ADDRESS:PORT; the length of the address tells the family. */
static bool scan_endpoint(struct scan *scan, struct text_address *address, uint16_t *port)
{
	const char *colon = memchr(scan->at, ':', (size_t)(scan->end - scan->at));
	uint32_t words[4], number;
	ptrdiff_t digits = colon ? colon - scan->at : 0;

	if (digits != 8 && digits != 32)
		return false;
	for (ptrdiff_t i = 0; i < digits / 8; i++) {
		if (!scan_hex(scan, 8, &words[i]))
			return false;
	}
	if (!scan_char(scan, ':') || !scan_hex(scan, 4, &number))
		return false;
	if (digits == 8)
		text_address_from_ipv4(address, words);
	else
		text_address_from_ipv6(address, words, 0);
	*port = (uint16_t)number;
	return true;
}

/* `  12: 0100007F:0CBC 0100007F:D2F0 01 …`. False when it is no such line. */
static bool parse_line(struct scan scan, struct root_tcp_socket *socket, uint32_t *state)
{
	const char *digits;

	while (scan_char(&scan, ' '))
		;
	digits = scan.at;
	while (scan.at < scan.end && *scan.at >= '0' && *scan.at <= '9')
		scan.at++;
	return scan.at > digits && scan_char(&scan, ':') && scan_char(&scan, ' ') &&
	       scan_endpoint(&scan, &socket->local, &socket->local_port) && scan_char(&scan, ' ') &&
	       scan_endpoint(&scan, &socket->remote, &socket->remote_port) &&
	       scan_char(&scan, ' ') && scan_hex(&scan, 2, state) && scan_char(&scan, ' ');
}

static int add_established(struct tcp_list *list, const struct root_tcp_socket *socket)
{
	if (socket->local.type != socket->remote.type)
		return -EBADMSG;
	return tcp_list_add(list, socket);
}

int tcp_text_parse(const char *text, size_t length, struct tcp_list *list)
{
	const char *end = text + length;
	bool head = true;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct root_tcp_socket socket;
		uint32_t state;
		int rc;

		if (!newline)
			return -EBADMSG;
		if (head && !memmem(text, (size_t)(newline - text), "local_address", 13))
			return -EBADMSG;
		if (!head) {
			if (!parse_line((struct scan){ text, newline }, &socket, &state))
				return -EBADMSG;
			/* Only established ones have both addresses. */
			rc = state == 1 ? add_established(list, &socket) : 0;
			if (rc < 0)
				return rc;
		}
		head = false;
		text = newline + 1;
	}
	return head ? -EBADMSG : 0;
}

static void write_endpoint(struct buf *out, const struct text_address *address, uint16_t port)
{
	for (size_t at = 0; at < address->length && at < 16; at += 4) {
		uint32_t word;

		memcpy(&word, address->octets + at, sizeof(word));
		buf_printf(out, "%08X", word);
	}
	buf_printf(out, ":%04X ", port);
}

int tcp_text_write(struct buf *out, const struct tcp_list *list, bool ipv6)
{
	int number = 0;

	if (ipv6)
		buf_text(out, "  sl  local_address                         "
			      "remote_address                        "
			      "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
	else
		buf_printf(out, "%-*s\n", LINES_WIDTH_IPV4,
			"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			"retrnsmt   uid  timeout inode");
	for (size_t i = 0; i < list->count; i++) {
		const struct root_tcp_socket *socket = &list->sockets[i];
		size_t start = out->length;

		if ((socket->local.type != 1) != ipv6)
			continue;
		buf_printf(out, "%4d: ", number++);
		write_endpoint(out, &socket->local, socket->local_port);
		write_endpoint(out, &socket->remote, socket->remote_port);
		buf_text(out, "01 00000000:00000000 00:00000000 00000000     0        0 0");
		if (!ipv6 && out->error == 0)
			buf_printf(out, "%*s", LINES_WIDTH_IPV4 - (int)(out->length - start), "");
		buf_text(out, "\n");
	}
	return out->error;
}
