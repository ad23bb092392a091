/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What TCP measures on single sockets, from NETLINK_SOCK_DIAG: each is asked for by its two ends,
 * so that the cost is that of the connections in question and not of all that the host has. In a
 * reader process; needs no privilege.
 */
#include "base/root_private.h"

#include "base/clock.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#define ANSWER_MAX 8192u

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static void make_request(
	const struct root_tcp_socket *socket, uint32_t sequence, struct request *ret)
{
	bool v4 = socket->remote.type == 1;

	*ret = (struct request){
		.head = { .nlmsg_len = sizeof(*ret),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST,
			.nlmsg_seq = sequence },
		.body = { .sdiag_family = v4 ? AF_INET : AF_INET6,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1u << (INET_DIAG_INFO - 1),
			.idiag_states = UINT32_MAX,
			.id = { .idiag_sport = htons(socket->local_port),
				.idiag_dport = htons(socket->remote_port),
				.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } },
	};
	memcpy(ret->body.id.idiag_src, socket->local.octets, v4 ? 4 : 16);
	memcpy(ret->body.id.idiag_dst, socket->remote.octets, v4 ? 4 : 16);
	if (socket->remote.type == 4) { /* the zone, in network order */
		uint32_t zone;

		memcpy(&zone, socket->remote.octets + 16, sizeof(zone));
		ret->body.id.idiag_if = ntohl(zone);
	}
}

/* An attribute of the message: struct tcp_info, which grows from kernel to kernel. */
static void take_info(const unsigned char *at, size_t length, struct root_tcp_info *ret)
{
	struct tcp_info info = { .tcpi_rtt = 0 };

	if (length < offsetof(struct tcp_info, tcpi_total_retrans) + sizeof(uint32_t))
		return;
	memcpy(&info, at, length < sizeof(info) ? length : sizeof(info));
	ret->rtt_us = info.tcpi_rtt;
	ret->retransmits = info.tcpi_total_retrans;
	ret->known = true;
}

int tcp_info_parse(const void *data, size_t length, uint32_t sequence, struct root_tcp_info *ret)
{
	struct root_tcp_info found = *ret; /* an answer that is no good tells nothing */
	const unsigned char *at = data;
	struct nlmsghdr head;
	int error;

	if (length < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	if (head.nlmsg_seq != sequence)
		return -EAGAIN; /* of an earlier request, which was given up */
	if (head.nlmsg_len < sizeof(head) || head.nlmsg_len > length)
		return -EBADMSG;
	at += NLMSG_HDRLEN;
	length = head.nlmsg_len - NLMSG_HDRLEN;
	if (head.nlmsg_type == NLMSG_ERROR) {
		if (length < sizeof(error))
			return -EBADMSG;
		memcpy(&error, at, sizeof(error));
		return error < 0 && error > -4096 ? error : -EBADMSG;
	}
	if (head.nlmsg_type != SOCK_DIAG_BY_FAMILY || length < sizeof(struct inet_diag_msg))
		return -EBADMSG;
	at += NLMSG_ALIGN(sizeof(struct inet_diag_msg));
	length -= sizeof(struct inet_diag_msg);
	while (length >= sizeof(struct nlattr)) {
		struct nlattr attribute;
		size_t step;

		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > length)
			return -EBADMSG;
		if ((attribute.nla_type & NLA_TYPE_MASK) == INET_DIAG_INFO)
			take_info(at + NLA_HDRLEN, attribute.nla_len - (size_t)NLA_HDRLEN, &found);
		step = NLA_ALIGN((size_t)attribute.nla_len);
		if (step >= length)
			break;
		at += step;
		length -= step;
	}
	*ret = found;
	return 0;
}

/* The answer to the request. -ENOENT: there is no such socket. */
static int receive(int fd, uint32_t sequence, uint64_t deadline_ns, struct root_tcp_info *ret)
{
	for (;;) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		struct sockaddr_nl from = { .nl_pid = 0 };
		socklen_t from_length = sizeof(from);
		char data[ANSWER_MAX];
		ssize_t got = recvfrom(fd, data, sizeof(data), MSG_DONTWAIT | MSG_TRUNC,
			(struct sockaddr *)&from, &from_length);
		int ms = clock_ms_until(deadline_ns, 60000), rc;

		if (got < 0 && errno != EINTR && errno != EAGAIN)
			return -errno;
		if (got < 0) {
			if (ms == 0)
				return -ETIMEDOUT;
			if (poll(&pfd, 1, ms) < 0 && errno != EINTR)
				return -errno;
			continue;
		}
		if (from.nl_pid != 0)
			continue; /* another process: not for us */
		if ((size_t)got > sizeof(data))
			return -EMSGSIZE;
		rc = tcp_info_parse(data, (size_t)got, sequence, ret);
		if (rc != -EAGAIN)
			return rc;
	}
}

static int ask(int fd, uint32_t sequence, uint64_t deadline_ns, struct root_tcp_info *info)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct request request;

	make_request(&info->socket, sequence, &request);
	while (sendto(fd, &request, sizeof(request), MSG_DONTWAIT, (struct sockaddr *)&kernel,
		       sizeof(kernel)) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return receive(fd, sequence, deadline_ns, info);
}

int root_tcp_infos(
	struct root *root, uint64_t deadline_ns, struct root_tcp_info *infos, size_t count)
{
	uint32_t sequence = 0;

	for (size_t i = 0; i < count; i++)
		infos[i].known = false;
	if (!root->live)
		return -EOPNOTSUPP;
	if (!count)
		return 0;
	CLEANUP_FD int fd =
		socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < count; i++) {
		int rc = ask(fd, ++sequence, deadline_ns, &infos[i]);

		if (rc < 0 && rc != -ENOENT)
			return rc;
	}
	return 0;
}
