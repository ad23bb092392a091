/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * base/tcp_info.c: answers of the kernel about one socket, whole, cut anywhere and altered; and the
 * live kernel about sockets of this program.
 */
#include "base/root_private.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SEQUENCE 7u
#define SOON	 (clock_now_ns() + 10 * NS_PER_S)

static int refuse_netlink; /* errno of socket(AF_NETLINK), or 0 */

int __real_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol);
int __wrap_socket(int family, int type, int protocol)
{
	if (family == AF_NETLINK && refuse_netlink) {
		errno = refuse_netlink;
		return -1;
	}
	return __real_socket(family, type, protocol);
}

/* ---- answers ---- */

static _Alignas(8) uint8_t answer[2048];
static size_t answer_length;

static void put(const void *octets, size_t length)
{
	memcpy(answer + answer_length, octets, length);
	answer_length = NLMSG_ALIGN(answer_length + length);
}

static void put_attribute(uint16_t type, const void *octets, size_t length)
{
	const struct nlattr head = { .nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = type };

	put(&head, sizeof(head));
	put(octets, length);
}

static void begin_answer(uint16_t type)
{
	memset(answer, 0, sizeof(answer));
	answer_length = 0;
	put(&(struct nlmsghdr){ .nlmsg_type = type, .nlmsg_seq = SEQUENCE },
		sizeof(struct nlmsghdr));
}

static void end_answer(void)
{
	((struct nlmsghdr *)(void *)answer)->nlmsg_len = (uint32_t)answer_length;
}

/* An answer as Linux gives it, with `info_length` octets of struct tcp_info. */
static void make_answer(size_t info_length)
{
	const struct inet_diag_msg socket = { .idiag_family = AF_INET };
	uint8_t info[512] = { 0 };

	((struct tcp_info *)(void *)info)->tcpi_rtt = 1234;
	((struct tcp_info *)(void *)info)->tcpi_total_retrans = 56;
	begin_answer(SOCK_DIAG_BY_FAMILY);
	put(&socket, sizeof(socket));
	put_attribute(INET_DIAG_SHUTDOWN, "\0", 1);
	put_attribute(INET_DIAG_INFO, info, info_length);
	put_attribute(INET_DIAG_CONG, "cubic", 6);
	end_answer();
}

static int parse(struct root_tcp_info *ret)
{
	*ret = (struct root_tcp_info){ .known = false };
	return tcp_info_parse(answer, answer_length, SEQUENCE, ret);
}

static void what_the_kernel_says(void **state)
{
	struct root_tcp_info info;

	(void)state;
	make_answer(sizeof(struct tcp_info));
	assert_int_equal(parse(&info), 0);
	assert_true(info.known);
	assert_int_equal(info.rtt_us, 1234);
	assert_int_equal(info.retransmits, 56);
	make_answer(sizeof(struct tcp_info) + 64); /* of a later kernel */
	assert_int_equal(parse(&info), 0);
	assert_true(info.known && info.retransmits == 56);
	/* Of an early one, whose last field it is; and one that has not even that. */
	make_answer(offsetof(struct tcp_info, tcpi_total_retrans) + 4);
	assert_int_equal(parse(&info), 0);
	assert_true(info.known && info.retransmits == 56);
	make_answer(offsetof(struct tcp_info, tcpi_total_retrans) + 3);
	assert_int_equal(parse(&info), 0);
	assert_false(info.known);
	make_answer(0);
	assert_int_equal(parse(&info), 0);
	assert_false(info.known);
}

/* A socket that is being closed has no such attribute. */
static void an_answer_without_numbers(void **state)
{
	struct root_tcp_info info;

	(void)state;
	begin_answer(SOCK_DIAG_BY_FAMILY);
	put(&(struct inet_diag_msg){ .idiag_family = AF_INET }, sizeof(struct inet_diag_msg));
	end_answer();
	assert_int_equal(parse(&info), 0);
	assert_false(info.known);
}

static void errors_of_the_kernel(void **state)
{
	static const struct {
		int says, wanted;
	} rows[] = { { -ENOENT, -ENOENT }, { -EPERM, -EPERM }, { 0, -EBADMSG }, { 5, -EBADMSG },
		{ -4096, -EBADMSG }, { INT32_MIN, -EBADMSG } };
	struct root_tcp_info info;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		begin_answer(NLMSG_ERROR);
		put(&rows[i].says, sizeof(rows[i].says));
		end_answer();
		assert_int_equal(parse(&info), rows[i].wanted);
		assert_false(info.known);
	}
	begin_answer(NLMSG_ERROR);
	end_answer();
	assert_int_equal(parse(&info), -EBADMSG);
}

static void an_answer_to_another_request(void **state)
{
	struct root_tcp_info info = { .known = false };

	(void)state;
	make_answer(sizeof(struct tcp_info));
	assert_int_equal(tcp_info_parse(answer, answer_length, SEQUENCE + 1, &info), -EAGAIN);
	assert_false(info.known);
}

static void what_is_no_answer(void **state)
{
	struct nlmsghdr *head = (void *)answer;
	struct root_tcp_info info;

	(void)state;
	begin_answer(SOCK_DIAG_BY_FAMILY);
	end_answer();
	assert_int_equal(parse(&info), -EBADMSG); /* no socket in it */
	make_answer(sizeof(struct tcp_info));
	head->nlmsg_type = NLMSG_DONE;
	assert_int_equal(parse(&info), -EBADMSG);
	make_answer(sizeof(struct tcp_info));
	head->nlmsg_len = (uint32_t)answer_length + 1;
	assert_int_equal(parse(&info), -EBADMSG);
	head->nlmsg_len = sizeof(*head) - 1;
	assert_int_equal(parse(&info), -EBADMSG);
}

/* In a buffer of just this length, so that a sanitizer sees what is read behind it. */
static int parse_exactly(const uint8_t *octets, size_t length, bool tell, struct root_tcp_info *ret)
{
	uint8_t *copy = malloc(length ? length : 1);
	const uint32_t told = (uint32_t)length;
	int rc;

	assert_non_null(copy);
	memcpy(copy, octets, length);
	if (tell && length >= sizeof(told))
		memcpy(copy, &told, sizeof(told));
	*ret = (struct root_tcp_info){ .known = false };
	rc = tcp_info_parse(copy, length, SEQUENCE, ret);
	free(copy);
	return rc;
}

static void cut_anywhere(void **state)
{
	struct root_tcp_info info;
	size_t whole = 0;

	(void)state;
	make_answer(sizeof(struct tcp_info));
	for (size_t length = 0; length < answer_length; length++) {
		int rc;

		/* The head says that more would come, or not. */
		assert_int_equal(parse_exactly(answer, length, false, &info), -EBADMSG);
		rc = parse_exactly(answer, length, true, &info);
		assert_true(rc == 0 || rc == -EBADMSG);
		assert_true(rc == 0 || !info.known);
		whole += info.known;
	}
	assert_in_range(whole, 1, 8); /* with the numbers, and nothing behind them */
}

static void altered_anywhere(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x7f, 0x80, 0xff };
	struct root_tcp_info info;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		make_answer(sizeof(struct tcp_info));
		for (size_t at = 0; at < answer_length; at++) {
			uint8_t was = answer[at];
			int rc;

			answer[at] = values[i];
			rc = parse_exactly(answer, answer_length, false, &info);
			assert_true(rc <= 0);
			assert_true(rc == 0 || !info.known);
			answer[at] = was;
		}
	}
}

/* ---- the live kernel ---- */

struct pair {
	int listener, client, server;
	struct root_tcp_socket socket; /* as the client sees it */
};

static void set_end(
	const struct sockaddr_storage *from, struct text_address *address, uint16_t *port)
{
	if (from->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)from;

		*address = (struct text_address){ .type = 1, .length = 4 };
		memcpy(address->octets, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
	} else {
		const struct sockaddr_in6 *in6 = (const void *)from;

		*address = (struct text_address){ .type = 2, .length = 16 };
		memcpy(address->octets, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
	}
}

/* False when this machine has no such loopback. */
static bool connect_pair(int family, struct pair *ret)
{
	struct sockaddr_storage address = { .ss_family = (sa_family_t)family };
	socklen_t length =
		family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);

	if (family == AF_INET)
		((struct sockaddr_in *)&address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		((struct sockaddr_in6 *)&address)->sin6_addr = in6addr_loopback;
	ret->listener = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ret->listener < 0 || bind(ret->listener, (struct sockaddr *)&address, length) < 0)
		return false;
	assert_int_equal(listen(ret->listener, 1), 0);
	assert_int_equal(getsockname(ret->listener, (struct sockaddr *)&address, &length), 0);
	ret->client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(ret->client, (struct sockaddr *)&address, length), 0);
	set_end(&address, &ret->socket.remote, &ret->socket.remote_port);
	ret->server = accept(ret->listener, NULL, NULL);
	assert_true(ret->server >= 0);
	assert_int_equal(getsockname(ret->client, (struct sockaddr *)&address, &length), 0);
	set_end(&address, &ret->socket.local, &ret->socket.local_port);
	return true;
}

static void close_pair(struct pair *pair)
{
	close(pair->client);
	close(pair->server);
	close(pair->listener);
}

static int open_live(void **state)
{
	struct root *root;

	assert_int_equal(root_open(NULL, &root), 0);
	*state = root;
	return 0;
}

static int close_live(void **state)
{
	root_close(*state);
	return 0;
}

static void sockets_of_this_program(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct root_tcp_info infos[3];
		struct pair pair;

		if (!connect_pair(families[i], &pair)) {
			close(pair.listener);
			continue;
		}
		for (size_t k = 0; k < ARRAY_SIZE(infos); k++)
			infos[k] = (struct root_tcp_info){ .socket = pair.socket, .known = true };
		infos[1].socket.local_port ^= 1; /* nobody's */
		assert_int_equal(root_tcp_infos(*state, SOON, infos, ARRAY_SIZE(infos)), 0);
		assert_true(infos[0].known);
		assert_in_range(infos[0].rtt_us, 1, 1000000);
		assert_int_equal(infos[0].retransmits, 0);
		assert_false(infos[1].known);
		assert_true(infos[2].known);
		close_pair(&pair);
	}
}

/* A socket that is bound to an interface is found by its zone, and by no other. */
static void a_socket_of_a_zone(void **state)
{
	uint32_t zone = if_nametoindex("lo");
	struct root_tcp_info infos[3];
	struct pair pair;

	if (!connect_pair(AF_INET6, &pair)) {
		close(pair.listener);
		print_message("skipped: no IPv6 here\n");
		skip();
	}
	if (setsockopt(pair.client, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2) < 0) {
		close_pair(&pair);
		print_message("skipped: may not bind a socket to an interface\n");
		skip();
	}
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++) {
		const uint32_t zones[] = { zone, zone + 1, 0 };
		const uint32_t octets = htonl(zones[i]);
		struct text_address *ends[] = { &infos[i].socket.local, &infos[i].socket.remote };

		infos[i] = (struct root_tcp_info){ .socket = pair.socket };
		for (size_t k = 0; zones[i] && k < ARRAY_SIZE(ends); k++) {
			ends[k]->type = 4;
			ends[k]->length = 20;
			memcpy(ends[k]->octets + 16, &octets, sizeof(octets));
		}
	}
	assert_int_equal(root_tcp_infos(*state, SOON, infos, ARRAY_SIZE(infos)), 0);
	assert_true(infos[0].known);
	assert_in_range(infos[0].rtt_us, 1, 1000000);
	assert_false(infos[1].known);
	assert_false(infos[2].known);
	close_pair(&pair);
}

static void without_time_or_socket(void **state)
{
	struct root_tcp_info info = { .known = true };
	struct pair pair;
	int rc;

	assert_true(connect_pair(AF_INET, &pair));
	info.socket = pair.socket;
	assert_int_equal(root_tcp_infos(*state, SOON, NULL, 0), 0);
	refuse_netlink = EPROTONOSUPPORT;
	rc = root_tcp_infos(*state, SOON, &info, 1);
	refuse_netlink = 0;
	assert_int_equal(rc, -EPROTONOSUPPORT);
	assert_false(info.known);
	/* The answer is there at once, or there was no time for it. */
	rc = root_tcp_infos(*state, 0, &info, 1);
	assert_true(rc == 0 || rc == -ETIMEDOUT);
	assert_int_equal(info.known, rc == 0);
	close_pair(&pair);
}

static void another_root_than_this_machine(void **state)
{
	struct root_tcp_info info = { .known = true };
	struct root *root;

	(void)state;
	assert_int_equal(root_open("tests/fixtures/open-iscsi/idle.tree", &root), 0);
	assert_int_equal(root_tcp_infos(root, SOON, &info, 1), -EOPNOTSUPP);
	assert_false(info.known);
	root_close(root);
}

int main(void)
{
#define LIVE(name) cmocka_unit_test_setup_teardown(name, open_live, close_live)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_says),
		cmocka_unit_test(an_answer_without_numbers),
		cmocka_unit_test(errors_of_the_kernel),
		cmocka_unit_test(an_answer_to_another_request),
		cmocka_unit_test(what_is_no_answer),
		cmocka_unit_test(cut_anywhere),
		cmocka_unit_test(altered_anywhere),
		LIVE(sockets_of_this_program),
		LIVE(a_socket_of_a_zone),
		LIVE(without_time_or_socket),
		cmocka_unit_test(another_root_than_this_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
