/* SPDX-License-Identifier: BSD-2-Clause */
/* The parsers of the socket table, of the kernel's text and of sock_diag, refuse what is damaged.
 */
#include "base/root_private.h"

#include "base/clock.h"
#include "tests/support/scratch.h"
#include "tests/support/tcp_sockets.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

static int set_up(void **state)
{
	(void)state;
	scratch_begin();
	scratch_dir("/t");
	scratch_dir("/t/proc");
	scratch_dir("/t/proc/net");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_end();
	return 0;
}

static const char head4[] =
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
	"timeout inode                                                     \n";
static const char head6[] = "  sl  local_address                         remote_address   \n";

static void write_tables(const char *tcp, const char *tcp6)
{
	char text[2000];

	if (tcp) {
		snprintf(text, sizeof(text), "%s%s", head4, tcp);
		scratch_text("/t/proc/net/tcp", text);
	}
	if (tcp6) {
		snprintf(text, sizeof(text), "%s%s", head6, tcp6);
		scratch_text("/t/proc/net/tcp6", text);
	}
}

static ssize_t read_tables(struct root_tcp_socket **ret)
{
	struct root *root;
	ssize_t count;

	assert_int_equal(root_open(scratch_path("/t"), &root), 0);
	count = root_tcp_sockets(root, clock_now_ns() + 10 * NS_PER_S, ret);
	root_close(root);
	return count;
}

static void the_text_of_a_little_endian_kernel_is_read(void **state)
{
	struct root_tcp_socket *sockets;
	char out[64];

	(void)state;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	print_message("skipped: the texts are those of a little-endian machine\n");
	skip();
#endif
	write_tables(
		"   0: 00000000:0CBC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0"
		"        0 22222 1 0000000000000000 100 0 0 10 0\n"
		"   1: 0200000A:0CBC 0100000A:D2F0 01 00000000:00000000 02:00000AB7 00000000     0"
		"        0 0 2 0000000000000000 20 4 30 10 -1\n"
		" 123: 0200000A:0CBC 0100000A:D2F2 06 00000000:00000000 03:00000AB7 00000000     0"
		"        0 0 3 0000000000000000\n",
		/* a listening socket bound to a mapped address: two families in one line */
		"   9: 0000000000000000FFFF00000100007F:ABE7 00000000000000000000000000000000:0000 0A "
		"00000000:00000001 00:00000000\n"
		"   0: 000080FE00000000FF005450563412FE:0CBC 000080FE00000000FF005450563412FF:8000 01 "
		"00000000:00000000 00:00000000 00000000     0        0 0 1 0\n"
		"   1: 0000000000000000FFFF00000200000A:0CBC 0000000000000000FFFF00000300000A:8001 01 "
		"00000000:00000000\n");
	assert_int_equal(read_tables(&sockets), 3);
	assert_string_equal(text_from_address(out, &sockets[0].local), "10.0.0.2");
	assert_string_equal(text_from_address(out, &sockets[0].remote), "10.0.0.1");
	assert_int_equal(sockets[0].local_port, 3260);
	assert_int_equal(sockets[0].remote_port, 0xd2f0);
	assert_string_equal(text_from_address(out, &sockets[1].remote), "10.0.0.3");
	assert_string_equal(text_from_address(out, &sockets[2].local), "fe80::5054:ff:fe12:3456");
	assert_int_equal(sockets[2].remote_port, 0x8000);
	free(sockets);
}

static void no_table_is_not_an_empty_table(void **state)
{
	struct root_tcp_socket *sockets = NULL;

	(void)state;
	assert_int_equal(read_tables(&sockets), -ENOENT);
	assert_null(sockets);
	write_tables("", NULL);
	assert_int_equal(read_tables(&sockets), 0);
	assert_non_null(sockets);
	free(sockets);
	assert_int_equal(mkdir(scratch_path("/t/proc/net/tcp6"), 0755), 0);
	assert_int_equal(read_tables(&sockets), -EISDIR);
}

static void damaged_text_is_refused_whole(void **state)
{
	static const char *const bad[] = { "x\n", "\n", "   0: 0100007F:0CBC 0100007F:D2F0 01\n",
		"   0: 0100007F:0CBC 0100007F:D2F0 01 0", /* no end of line */
		"   0: 0100007F0CBC 0100007F:D2F0 01 0\n",
		"   0: 100007F:0CBC 0100007F:D2F0 01 0\n",
		"   0: 0100007F:0CBC 0100007F:D2F 01 0\n",
		"   0: 0100007G:0CBC 0100007F:D2F0 01 0\n",
		"   0: 0100007f:0CBC 0100007F:D2F0 01 0\n",
		"    : 0100007F:0CBC 0100007F:D2F0 01 0\n",
		"   0: 0100007F:0CBC 0000000000000000FFFF00000200000A:D2F0 01 0\n",
		"   0: 0100007F:0CBC 00000000000000000000000001000000:D2F0 01 0\n" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct root_tcp_socket *sockets = NULL;
		ssize_t count;

		write_tables(bad[i], NULL);
		count = read_tables(&sockets);
		/* Mapped and plain IPv4 are one family. */
		if (i == 10)
			assert_int_equal(count, 1);
		else
			assert_int_equal(count, -EBADMSG);
		free(sockets);
	}
	scratch_text("/t/proc/net/tcp", "");
	assert_int_equal(read_tables(&(struct root_tcp_socket *){ NULL }), -EBADMSG);
	scratch_text("/t/proc/net/tcp", "no head\n");
	assert_int_equal(read_tables(&(struct root_tcp_socket *){ NULL }), -EBADMSG);
}

static void written_text_reads_back_and_looks_like_the_kernels(void **state)
{
	CLEANUP_TCP_LIST struct tcp_list list = { .count = 0 }, again = { .count = 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);

	(void)state;
	for (int i = 0; i < 100; i++) {
		struct root_tcp_socket s = { .local_port = (uint16_t)(i * 601),
			.remote_port = (uint16_t)(65535 - i) };
		uint8_t octets[16] = { (uint8_t)(i + 1), 2, 3, (uint8_t)i, [15] = 9 };

		if (i % 2) {
			text_address_from_ipv4(&s.local, octets);
			text_address_from_ipv4(&s.remote, octets + 2);
		} else {
			text_address_from_ipv6(&s.local, octets, 0);
			octets[7] = (uint8_t)i;
			text_address_from_ipv6(&s.remote, octets, 0);
		}
		assert_int_equal(tcp_list_add(&list, &s), 0);
	}
	assert_int_equal(tcp_text_write(&text, &list, false), 0);
	for (size_t at = 0; at < text.length; at += 150)
		assert_int_equal(text.data[at + 149], '\n'); /* lines of tcp are 149 wide */
	assert_int_equal(tcp_text_parse(text.data, text.length, &again), 0);
	assert_int_equal(again.count, 50);
	buf_reset(&text);
	assert_int_equal(tcp_text_write(&text, &list, true), 0);
	assert_int_equal(tcp_text_parse(text.data, text.length, &again), 0);
	assert_int_equal(again.count, 100);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(
			tcp_sockets_count(again.sockets, (ssize_t)again.count, &list.sockets[i]),
			1);
}

/* One message of a dump; returns its length. */
static size_t put_message(char *out, uint16_t type, const void *payload, uint32_t length)
{
	struct nlmsghdr head = {
		.nlmsg_len = NLMSG_HDRLEN + length, .nlmsg_type = type, .nlmsg_seq = 7
	};

	memcpy(out, &head, sizeof(head));
	memcpy(out + NLMSG_HDRLEN, payload, length);
	return NLMSG_ALIGN(head.nlmsg_len);
}

static void damaged_datagrams_are_refused(void **state)
{
	CLEANUP_TCP_LIST struct tcp_list list = { .count = 0 };
	struct inet_diag_msg msg = { .idiag_family = AF_INET, .idiag_state = 1 };
	char data[1024];
	int error = -EPERM, zero = 0;
	bool interrupted = false;
	size_t length;

	(void)state;
	length = put_message(data, SOCK_DIAG_BY_FAMILY, &msg, sizeof(msg));
	for (size_t cut = 1; cut < length; cut++)
		assert_int_equal(tcp_diag_parse(data, cut, 7, &list, &interrupted), -EBADMSG);
	assert_int_equal(list.count, 0);
	assert_int_equal(tcp_diag_parse(data, length, 8, &list, &interrupted), 0);
	assert_int_equal(list.count, 0); /* of an older request */
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), 0);
	assert_int_equal(list.count, 1);
	put_message(data, SOCK_DIAG_BY_FAMILY, &msg, sizeof(msg) - 1);
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), -EBADMSG);
	length = put_message(data, NLMSG_ERROR, &error, sizeof(error));
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), -EPERM);
	length = put_message(data, NLMSG_ERROR, &zero, sizeof(zero));
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), -EBADMSG);
	length = put_message(data, NLMSG_DONE, &zero, sizeof(zero));
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), 1);
	length = put_message(data, NLMSG_DONE, &error, sizeof(error));
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), -EPERM);
	msg.idiag_state = 10;
	length = put_message(data, SOCK_DIAG_BY_FAMILY, &msg, sizeof(msg));
	msg.idiag_family = AF_UNIX;
	length += put_message(data + length, SOCK_DIAG_BY_FAMILY, &msg, sizeof(msg));
	length += put_message(data + length, NLMSG_NOOP, &msg, 0);
	assert_int_equal(tcp_diag_parse(data, length, 7, &list, &interrupted), 0);
	assert_int_equal(list.count, 1);
	assert_false(interrupted);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(the_text_of_a_little_endian_kernel_is_read),
		ONE(no_table_is_not_an_empty_table),
		ONE(damaged_text_is_refused_whole),
		ONE(written_text_reads_back_and_looks_like_the_kernels),
		ONE(damaged_datagrams_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
