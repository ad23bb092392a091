/* SPDX-License-Identifier: BSD-2-Clause */
/* What TCP measures, of many sockets at once: asked of the kernel of this machine on loopback. */
#include "base/root.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>

#include <cmocka.h>

#define SOON	(clock_now_ns() + 10 * NS_PER_S)
#define COUNT	40 /* more than are asked for at once */
#define MISSING 7

static int sends;   /* calls of sendto */
static int foreign; /* so many datagrams come from another process */
static int stale;   /* so many are answers to something else */
static bool mute, truncate_all;

ssize_t __real_sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
	socklen_t to_length);
ssize_t __wrap_sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
	socklen_t to_length);
int __real_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout);
int __wrap_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout);

ssize_t __wrap_sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
	socklen_t to_length)
{
	sends++;
	return __real_sendto(fd, data, length, flags, to, to_length);
}

/* A datagram that no request is answered by. */
static int put_datagram(struct mmsghdr *message, uint32_t pid, uint32_t sequence)
{
	struct nlmsghdr head = { .nlmsg_len = sizeof(head), .nlmsg_seq = sequence };

	memcpy(message->msg_hdr.msg_iov->iov_base, &head, sizeof(head));
	((struct sockaddr_nl *)message->msg_hdr.msg_name)->nl_pid = pid;
	message->msg_hdr.msg_flags = 0;
	message->msg_len = sizeof(head);
	return 1;
}

int __wrap_recvmmsg(
	int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
	int got;

	if (mute) {
		errno = EAGAIN;
		return -1;
	}
	if (foreign > 0) {
		foreign--;
		return put_datagram(messages, 4711, 1);
	}
	if (stale > 0) {
		stale--;
		return put_datagram(messages, 0, 0);
	}
	got = __real_recvmmsg(fd, messages, count, flags, timeout);
	for (int i = 0; i < got && truncate_all; i++)
		messages[i].msg_hdr.msg_flags |= MSG_TRUNC;
	return got;
}

static int listener, clients[COUNT], servers[COUNT];
static struct root_tcp_info infos[COUNT];
static struct root *live;

/* COUNT connections; of number MISSING nothing is true but the address. */
static int setup(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof(address);

	(void)state;
	sends = foreign = stale = 0;
	mute = truncate_all = false;
	memset(infos, 0, sizeof(infos));
	listener = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, length) < 0 ||
		listen(listener, COUNT) < 0 ||
		getsockname(listener, (struct sockaddr *)&address, &length) < 0)
		return -1;
	for (int i = 0; i < COUNT; i++) {
		struct root_tcp_socket *one = &infos[i].socket;
		struct sockaddr_in own;

		clients[i] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(clients[i], (struct sockaddr *)&address, length) < 0 ||
			getsockname(clients[i], (struct sockaddr *)&own, &length) < 0)
			return -1;
		servers[i] = accept(listener, NULL, NULL);
		if (text_to_address("127.0.0.1", &one->local) < 0)
			return -1;
		one->remote = one->local;
		one->local_port = ntohs(own.sin_port);
		one->remote_port = i == MISSING ? 1 : ntohs(address.sin_port);
	}
	return root_open(NULL, &live);
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < COUNT; i++) {
		close(clients[i]);
		close(servers[i]);
	}
	close(listener);
	root_close(live);
	return 0;
}

static void check_all(void)
{
	assert_int_equal(root_tcp_infos(live, SOON, infos, COUNT), 0);
	for (int i = 0; i < COUNT; i++) {
		assert_int_equal(infos[i].known, i != MISSING);
		/* The handshake was measured; on loopback nothing is sent twice. */
		assert_true(infos[i].rtt_us > 0 || i == MISSING);
		assert_int_equal(infos[i].retransmits, 0);
	}
}

static void all_are_asked_for_in_few_messages(void **state)
{
	(void)state;
	check_all();
	assert_in_range(sends, 1, 3);
}

static void what_is_not_the_kernels_answer_is_skipped(void **state)
{
	(void)state;
	foreign = 2;
	stale = 2;
	check_all();
}

static void a_silent_kernel_is_not_waited_for(void **state)
{
	(void)state;
	mute = true;
	assert_int_equal(
		root_tcp_infos(live, clock_now_ns() + 20 * NS_PER_MS, infos, COUNT), -ETIMEDOUT);
	for (int i = 0; i < COUNT; i++)
		assert_false(infos[i].known);
}

static void a_cut_answer_is_an_error(void **state)
{
	(void)state;
	truncate_all = true;
	assert_int_equal(root_tcp_infos(live, SOON, infos, COUNT), -EMSGSIZE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_are_asked_for_in_few_messages),
		TEST(what_is_not_the_kernels_answer_is_skipped),
		TEST(a_silent_kernel_is_not_waited_for),
		TEST(a_cut_answer_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
