/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/tcp_text.c and base/tcp_diag.c with any octets: the first octet chooses. The sockets of an
 * accepted text are written and read back the same.
 */
#include "base/root_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_text(const char *text, size_t length)
{
	CLEANUP_TCP_LIST struct tcp_list list = { .count = 0 }, again = { .count = 0 };
	CLEANUP_BUF struct buf tcp = BUF_INIT(1 << 24);
	CLEANUP_BUF struct buf tcp6 = BUF_INIT(1 << 24);
	size_t ipv4 = 0;

	if (tcp_text_parse(text, length, &list) < 0)
		return;
	CHECK(tcp_text_write(&tcp, &list, false) == 0);
	CHECK(tcp_text_write(&tcp6, &list, true) == 0);
	CHECK(tcp_text_parse(tcp.data, tcp.length, &again) == 0);
	CHECK(tcp_text_parse(tcp6.data, tcp6.length, &again) == 0);
	CHECK(again.count == list.count);
	for (size_t i = 0; i < list.count; i++)
		ipv4 += list.sockets[i].local.type == 1;
	/* In the same order, first those of ipv4. */
	for (size_t i = 0, at4 = 0, at6 = ipv4; i < list.count; i++) {
		size_t at = list.sockets[i].local.type == 1 ? at4++ : at6++;

		CHECK(memcmp(&list.sockets[i], &again.sockets[at], sizeof(list.sockets[i])) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_TCP_LIST struct tcp_list list = { .count = 0 };
	bool interrupted = false;

	if (size < 1)
		return 0;
	if (data[0] == 'd')
		tcp_diag_parse(data + 1, size - 1, 0, &list, &interrupted);
	else
		check_text((const char *)data + 1, size - 1);
	return 0;
}
