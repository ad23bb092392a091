/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket table: sock_diag and the kernel's text agree; both parsers refuse what is damaged. */
#include "base/root_private.h"

#include "base/clock.h"
#include "tests/support/scratch.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cmocka.h>

#define SOON (clock_now_ns() + 10 * NS_PER_S)

static int refuse_netlink; /* errno of socket(AF_NETLINK), or 0 */
static int fail_malloc_at;
static bool mute_netlink;   /* recvmsg never has anything */
static int interrupt_dumps; /* so many datagrams get NLM_F_DUMP_INTR */
static bool truncate_dumps;
static int foreign_datagrams; /* so many come from another process */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
ssize_t __real_recvmsg(int fd, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

int __wrap_socket(int family, int type, int protocol)
{
	if (family == AF_NETLINK && refuse_netlink) {
		errno = refuse_netlink;
		return -1;
	}
	return __real_socket(family, type, protocol);
}

ssize_t __wrap_recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got;

	if (mute_netlink) {
		errno = EAGAIN;
		return -1;
	}
	if (foreign_datagrams > 0) {
		foreign_datagrams--;
		memset(message->msg_iov->iov_base, 0xff, 100);
		((struct sockaddr_nl *)message->msg_name)->nl_pid = 4711;
		message->msg_flags = 0;
		return 100;
	}
	got = __real_recvmsg(fd, message, flags);
	if (got > 0 && interrupt_dumps > 0) {
		interrupt_dumps--;
		((struct nlmsghdr *)message->msg_iov->iov_base)->nlmsg_flags |= NLM_F_DUMP_INTR;
	}
	if (truncate_dumps)
		message->msg_flags |= MSG_TRUNC;
	return got;
}

static bool malloc_fails(void)
{
	return fail_malloc_at > 0 && --fail_malloc_at == 0;
}

void *__wrap_malloc(size_t size)
{
	return malloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
	return malloc_fails() ? NULL : __real_reallocarray(old, count, size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return malloc_fails() ? NULL : __real_calloc(count, size);
}

static int set_up(void **state)
{
	(void)state;
	refuse_netlink = fail_malloc_at = interrupt_dumps = foreign_datagrams = 0;
	mute_netlink = truncate_dumps = false;
	scratch_begin();
	scratch_dir("/t");
	scratch_dir("/t/proc");
	scratch_dir("/t/proc/net");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	fail_malloc_at = 0;
	scratch_end();
	return 0;
}

/* An established connection over loopback. */
struct pair {
	int listener, client, server;
	struct root_tcp_socket seen; /* as from the client */
};

/* `family` AF_INET, AF_INET6, or 0 for an IPv6 socket with IPv4-mapped addresses. */
static bool pair_open(struct pair *pair, int family)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000001) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr *address = family == AF_INET ? (void *)&v4 : (void *)&v6;
	socklen_t length = family == AF_INET ? sizeof(v4) : sizeof(v6);
	int real_family = family == AF_INET ? AF_INET : AF_INET6;
	in_port_t port;

	inet_pton(AF_INET6, family == 0 ? "::ffff:127.0.0.1" : "::1", &v6.sin6_addr);
	*pair = (struct pair){ .listener = socket(real_family, SOCK_STREAM, 0),
		.client = socket(real_family, SOCK_STREAM, 0) };
	if (bind(pair->listener, address, length) < 0 || listen(pair->listener, 1) < 0)
		return false; /* no IPv6 here */
	assert_int_equal(getsockname(pair->listener, address, &length), 0);
	assert_int_equal(connect(pair->client, address, length), 0);
	pair->server = accept(pair->listener, NULL, NULL);
	assert_true(pair->server >= 0);
	port = family == AF_INET ? v4.sin_port : v6.sin6_port;
	pair->seen.remote_port = ntohs(port);
	assert_int_equal(getsockname(pair->client, address, &length), 0);
	port = family == AF_INET ? v4.sin_port : v6.sin6_port;
	pair->seen.local_port = ntohs(port);
	assert_int_equal(
		text_to_address(family == AF_INET6 ? "::1" : "127.0.0.1", &pair->seen.local), 0);
	pair->seen.remote = pair->seen.local;
	return true;
}

static void pair_close(struct pair *pair)
{
	close(pair->listener);
	close(pair->client);
	if (pair->server > 0)
		close(pair->server);
}

static int count_of(
	const struct root_tcp_socket *sockets, ssize_t count, const struct root_tcp_socket *one)
{
	int found = 0;

	for (ssize_t i = 0; i < count; i++)
		found += memcmp(&sockets[i].local, &one->local, sizeof(one->local)) == 0 &&
			 memcmp(&sockets[i].remote, &one->remote, sizeof(one->remote)) == 0 &&
			 sockets[i].local_port == one->local_port &&
			 sockets[i].remote_port == one->remote_port;
	return found;
}

/* Both ends of a connection are found, each once, as the kernel says and as its text says. */
static void check_live(int family)
{
	struct root_tcp_socket *sockets, *listed, mirror;
	struct root *live;
	struct pair pair;
	ssize_t count;

	if (!pair_open(&pair, family)) {
		pair_close(&pair);
		skip();
	}
	mirror = (struct root_tcp_socket){ .local = pair.seen.remote,
		.remote = pair.seen.local,
		.local_port = pair.seen.remote_port,
		.remote_port = pair.seen.local_port };
	assert_int_equal(root_open(NULL, &live), 0);
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_true(count >= 2);
	assert_int_equal(count_of(sockets, count, &pair.seen), 1);
	assert_int_equal(count_of(sockets, count, &mirror), 1);
	refuse_netlink = EPROTONOSUPPORT;
	count = root_tcp_sockets(live, SOON, &listed);
	assert_true(count >= 2);
	assert_int_equal(count_of(listed, count, &pair.seen), 1);
	assert_int_equal(count_of(listed, count, &mirror), 1);
	free(listed);
	free(sockets);
	root_close(live);
	pair_close(&pair);
}

static void ipv4_sockets_are_found(void **state)
{
	(void)state;
	check_live(AF_INET);
}

static void ipv6_sockets_are_found(void **state)
{
	(void)state;
	check_live(AF_INET6);
}

static void mapped_sockets_are_found_as_ipv4(void **state)
{
	(void)state;
	check_live(0);
}

static void closed_and_listening_sockets_are_not_listed(void **state)
{
	struct root_tcp_socket *sockets;
	struct root *live;
	struct pair pair;
	ssize_t count;

	(void)state;
	assert_true(pair_open(&pair, AF_INET));
	pair_close(&pair);
	assert_int_equal(root_open(NULL, &live), 0);
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_true(count >= 0);
	assert_int_equal(count_of(sockets, count, &pair.seen), 0);
	free(sockets);
	root_close(live);
}

/* Enough sockets for several datagrams of the kernel. */
static void many_sockets_are_found(void **state)
{
	static struct pair pairs[300];
	struct root_tcp_socket *sockets;
	struct root *live;
	ssize_t count;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
		assert_true(pair_open(&pairs[i], AF_INET));
	assert_int_equal(root_open(NULL, &live), 0);
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_true(count >= 2 * (ssize_t)ARRAY_SIZE(pairs));
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		assert_int_equal(count_of(sockets, count, &pairs[i].seen), 1);
		pair_close(&pairs[i]);
	}
	free(sockets);
	root_close(live);
}

static void a_recording_replays_the_live_table(void **state)
{
	struct root_tcp_socket *sockets, *again;
	struct root *live, *replay;
	struct pair v4, v6;
	ssize_t count;

	(void)state;
	assert_true(pair_open(&v4, AF_INET));
	if (!pair_open(&v6, AF_INET6))
		v6.seen = v4.seen;
	assert_int_equal(root_open(NULL, &live), 0);
	assert_int_equal(root_record_start(live), 0);
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_true(count >= 2);
	assert_int_equal(root_record_save(live, scratch_path("/x.tree")), 0);
	assert_int_equal(root_open(scratch_path("/x.tree"), &replay), 0);
	assert_int_equal(root_tcp_sockets(replay, SOON, &again), count);
	assert_memory_equal(sockets, again, (size_t)count * sizeof(*sockets));
	assert_int_equal(count_of(again, count, &v4.seen), 1);
	assert_int_equal(count_of(again, count, &v6.seen), 1);
	free(sockets);
	free(again);
	root_close(live);
	root_close(replay);
	pair_close(&v4);
	pair_close(&v6);
}

static void interrupted_dumps_are_repeated(void **state)
{
	struct root_tcp_socket *sockets;
	struct root *live;
	struct pair pair;
	ssize_t count;

	(void)state;
	assert_true(pair_open(&pair, AF_INET));
	assert_int_equal(root_open(NULL, &live), 0);
	for (int round = 0; round < 2; round++) {
		/* once: repeated; always: the text is read instead */
		interrupt_dumps = round ? 1000000 : 1;
		count = root_tcp_sockets(live, SOON, &sockets);
		assert_true(count >= 2);
		assert_int_equal(count_of(sockets, count, &pair.seen), 1);
		free(sockets);
	}
	interrupt_dumps = 0;
	foreign_datagrams = 2;
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_int_equal(foreign_datagrams, 0);
	assert_int_equal(count_of(sockets, count, &pair.seen), 1);
	free(sockets);
	truncate_dumps = true;
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_int_equal(count_of(sockets, count, &pair.seen), 1);
	free(sockets);
	root_close(live);
	pair_close(&pair);
}

static void a_mute_kernel_runs_into_the_deadline(void **state)
{
	uint64_t deadline = clock_now_ns() + 100 * NS_PER_MS;
	struct root_tcp_socket *sockets = NULL;
	struct root *live;

	(void)state;
	assert_int_equal(root_open(NULL, &live), 0);
	assert_int_equal(root_tcp_sockets(live, 0, &sockets), -ETIMEDOUT);
	mute_netlink = true;
	assert_int_equal(root_tcp_sockets(live, deadline, &sockets), -ETIMEDOUT);
	assert_true(clock_now_ns() >= deadline);
	assert_null(sockets);
	root_close(live);
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
	count = root_tcp_sockets(root, SOON, ret);
	root_close(root);
	return count;
}

static void the_text_of_a_little_endian_kernel_is_read(void **state)
{
	struct root_tcp_socket *sockets;
	char out[64];

	(void)state;
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
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
			count_of(again.sockets, (ssize_t)again.count, &list.sockets[i]), 1);
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

static void allocation_failures_are_enomem(void **state)
{
	(void)state;
	for (int refused = 0; refused < 2; refused++) {
		ssize_t rc = -ENOMEM;
		int at;

		for (at = 1; rc == -ENOMEM && at < 100; at++) {
			struct root_tcp_socket *sockets = NULL;
			struct pair pair;
			struct root *live;

			assert_true(pair_open(&pair, AF_INET));
			assert_int_equal(root_open(NULL, &live), 0);
			refuse_netlink = refused ? EPERM : 0;
			fail_malloc_at = at;
			rc = root_tcp_sockets(live, SOON, &sockets);
			fail_malloc_at = 0;
			assert_true(rc >= 0 || !sockets);
			free(sockets);
			root_close(live);
			pair_close(&pair);
		}
		assert_true(rc >= 2);
		assert_true(at > 2);
	}
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ONE(ipv4_sockets_are_found),
		ONE(ipv6_sockets_are_found),
		ONE(mapped_sockets_are_found_as_ipv4),
		ONE(closed_and_listening_sockets_are_not_listed),
		ONE(many_sockets_are_found),
		ONE(a_recording_replays_the_live_table),
		ONE(interrupted_dumps_are_repeated),
		ONE(a_mute_kernel_runs_into_the_deadline),
		ONE(the_text_of_a_little_endian_kernel_is_read),
		ONE(no_table_is_not_an_empty_table),
		ONE(damaged_text_is_refused_whole),
		ONE(written_text_reads_back_and_looks_like_the_kernels),
		ONE(damaged_datagrams_are_refused),
		ONE(allocation_failures_are_enomem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
