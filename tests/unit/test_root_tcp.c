/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket table of the live machine: sock_diag and the kernel's text agree. */
#include "base/root.h"

#include "base/clock.h"
#include "tests/support/scratch.h"
#include "tests/support/tcp_sockets.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

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

/* Both ends of a connection are found, each once, as the kernel says and as its text says. */
static void check_live(int family)
{
	struct root_tcp_socket *sockets, *listed, mirror;
	struct root *live;
	struct pair pair;
	ssize_t count;

	if (!pair_open(&pair, family)) {
		pair_close(&pair);
		print_message("skipped: no connection of this family on loopback\n");
		skip();
	}
	mirror = (struct root_tcp_socket){ .local = pair.seen.remote,
		.remote = pair.seen.local,
		.local_port = pair.seen.remote_port,
		.remote_port = pair.seen.local_port };
	assert_int_equal(root_open(NULL, &live), 0);
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_true(count >= 2);
	assert_int_equal(tcp_sockets_count(sockets, count, &pair.seen), 1);
	assert_int_equal(tcp_sockets_count(sockets, count, &mirror), 1);
	refuse_netlink = EPROTONOSUPPORT;
	count = root_tcp_sockets(live, SOON, &listed);
	assert_true(count >= 2);
	assert_int_equal(tcp_sockets_count(listed, count, &pair.seen), 1);
	assert_int_equal(tcp_sockets_count(listed, count, &mirror), 1);
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
	assert_int_equal(tcp_sockets_count(sockets, count, &pair.seen), 0);
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
		assert_int_equal(tcp_sockets_count(sockets, count, &pairs[i].seen), 1);
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
	assert_int_equal(tcp_sockets_count(again, count, &v4.seen), 1);
	assert_int_equal(tcp_sockets_count(again, count, &v6.seen), 1);
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
		assert_int_equal(tcp_sockets_count(sockets, count, &pair.seen), 1);
		free(sockets);
	}
	interrupt_dumps = 0;
	foreign_datagrams = 2;
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_int_equal(foreign_datagrams, 0);
	assert_int_equal(tcp_sockets_count(sockets, count, &pair.seen), 1);
	free(sockets);
	truncate_dumps = true;
	count = root_tcp_sockets(live, SOON, &sockets);
	assert_int_equal(tcp_sockets_count(sockets, count, &pair.seen), 1);
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
		ONE(allocation_failures_are_enomem),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
