/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The established TCP sockets of this network namespace from NETLINK_SOCK_DIAG
 * (linux/inet_diag.h): no text to print and parse, and sockets of the kernel (LIO) are there too.
 * Called by root_tcp.c in a reader process; needs no privilege.
 */
#include "base/root_private.h"

#include "base/clock.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define DATAGRAM_MAX	  ((size_t)64 << 10) /* the kernel fills at most 32 KiB */
#define STATE_ESTABLISHED 1		     /* TCP_ESTABLISHED of the kernel */
#define INTERRUPTED_DUMPS 4		     /* then the text is as good */

static bool socket_from_diag(const struct inet_diag_msg *msg, struct root_tcp_socket *out)
{
	*out = (struct root_tcp_socket){
		.local_port = ntohs(msg->id.idiag_sport),
		.remote_port = ntohs(msg->id.idiag_dport),
	};
	if (msg->idiag_family == AF_INET) {
		text_address_from_ipv4(&out->local, msg->id.idiag_src);
		text_address_from_ipv4(&out->remote, msg->id.idiag_dst);
	} else if (msg->idiag_family == AF_INET6) {
		/* Without the zone of link-local ones: /proc/net/tcp6 does not know it either. */
		text_address_from_ipv6(&out->local, msg->id.idiag_src, 0);
		text_address_from_ipv6(&out->remote, msg->id.idiag_dst, 0);
	} else {
		return false;
	}
	return out->local.type == out->remote.type && msg->idiag_state == STATE_ESTABLISHED;
}

/* One message. 1 for the end of the dump, 0 to go on, or -errno. */
static int parse_message(const struct nlmsghdr *head, const unsigned char *payload, size_t length,
	struct tcp_list *list)
{
	struct inet_diag_msg msg;
	struct root_tcp_socket socket;
	int error;

	if (head->nlmsg_type == NLMSG_DONE || head->nlmsg_type == NLMSG_ERROR) {
		if (length < sizeof(error))
			return head->nlmsg_type == NLMSG_DONE ? 1 : -EBADMSG;
		memcpy(&error, payload, sizeof(error));
		if (error < 0 && error > -4096)
			return error;
		return head->nlmsg_type == NLMSG_DONE ? 1 : -EBADMSG;
	}
	if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return 0;
	if (length < sizeof(msg))
		return -EBADMSG;
	memcpy(&msg, payload, sizeof(msg));
	return socket_from_diag(&msg, &socket) ? tcp_list_add(list, &socket) : 0;
}

int tcp_diag_parse(const void *data, size_t length, uint32_t sequence, struct tcp_list *list,
	bool *interrupted)
{
	const unsigned char *at = data;

	while (length > 0) {
		struct nlmsghdr head;
		size_t step;
		int rc;

		if (length < sizeof(head))
			return -EBADMSG;
		memcpy(&head, at, sizeof(head));
		if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > length)
			return -EBADMSG;
		if (head.nlmsg_seq == sequence) {
			if (head.nlmsg_flags & NLM_F_DUMP_INTR)
				*interrupted = true;
			rc = parse_message(
				&head, at + NLMSG_HDRLEN, head.nlmsg_len - sizeof(head), list);
			if (rc != 0)
				return rc;
		}
		step = NLMSG_ALIGN((size_t)head.nlmsg_len);
		if (step >= length)
			break;
		at += step;
		length -= step;
	}
	return 0;
}

static int request_dump(int fd, unsigned char family, uint32_t sequence)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 request;
	} message = {
		.head = { .nlmsg_len = sizeof(message),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			.nlmsg_seq = sequence },
		.request = { .sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1u << STATE_ESTABLISHED },
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	for (;;) {
		if (sendto(fd, &message, sizeof(message), MSG_DONTWAIT, (struct sockaddr *)&kernel,
			    sizeof(kernel)) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

/* One datagram of the kernel into `data`: its octets, 0 when there is none yet, or -errno. */
static ssize_t receive(int fd, void *data)
{
	struct sockaddr_nl from = { .nl_pid = 0 };
	struct iovec part = { .iov_base = data, .iov_len = DATAGRAM_MAX };
	struct msghdr message = {
		.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1
	};
	ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT);

	if (got < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	return from.nl_pid == 0 ? got : 0; /* from another process: not for us */
}

/* All of one family. -EAGAIN when the kernel says that the table changed under the dump. */
static int dump_family(int fd, unsigned char family, uint32_t sequence, struct tcp_list *list,
	uint64_t deadline_ns)
{
	CLEANUP_FREE void *data = malloc(DATAGRAM_MAX);
	bool interrupted = false;
	int rc;

	if (!data)
		return -ENOMEM;
	rc = request_dump(fd, family, sequence);
	while (rc == 0) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int ms = clock_ms_until(deadline_ns, 60000);
		ssize_t got;

		if (ms == 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, ms) < 0 && errno != EINTR)
			return -errno;
		got = receive(fd, data);
		if (got < 0)
			return (int)got;
		if (got > 0)
			rc = tcp_diag_parse(data, (size_t)got, sequence, list, &interrupted);
	}
	if (rc < 0)
		return rc;
	return interrupted ? -EAGAIN : 0;
}

int tcp_diag_dump(struct tcp_list *list, uint64_t deadline_ns)
{
	static const unsigned char families[] = { AF_INET, AF_INET6 };
	CLEANUP_FD int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	uint32_t sequence = 0;

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		size_t before = list->count;
		int rc;

		for (int tries = 0; tries < INTERRUPTED_DUMPS; tries++) {
			list->count = before;
			rc = dump_family(fd, families[i], ++sequence, list, deadline_ns);
			if (rc != -EAGAIN)
				break;
		}
		/* A kernel without IPv6 has no table for it. */
		if (rc < 0 && !(families[i] == AF_INET6 && rc == -EAFNOSUPPORT))
			return rc;
	}
	return 0;
}
