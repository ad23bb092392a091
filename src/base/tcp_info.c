/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What TCP measures on single sockets, from NETLINK_SOCK_DIAG: each is asked for by its two ends,
 * so that the cost is that of the connections in question and not of all that the host has; several
 * in one message, since a system call costs more than an answer. In a reader process; needs no
 * privilege.
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

#define ANSWER_MAX 4096u /* octets; the kernel sends some 400 */
/* Sockets asked for at once; the answers to them fit in any receive buffer. */
#define BATCH 32u

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

/* What was asked for at once: infos[i] with the sequence number first + i. */
struct batch {
	struct root_tcp_info *infos;
	uint32_t first;
	size_t count, answered;
};

/* A datagram of the kernel. A socket that does not exist is one that is not known. */
static int take_answer(struct batch *b, const void *data, size_t length)
{
	struct nlmsghdr head;
	uint32_t at;
	int rc;

	if (length < sizeof(head))
		return -EBADMSG;
	memcpy(&head, data, sizeof(head));
	at = head.nlmsg_seq - b->first;
	if (at >= b->count)
		return 0; /* of an earlier request, which was given up */
	rc = tcp_info_parse(data, length, head.nlmsg_seq, &b->infos[at]);
	if (rc < 0 && rc != -ENOENT)
		return rc;
	b->answered++;
	return 0;
}

/* The answers that are there. */
static int receive(int fd, struct batch *b)
{
	static char data[BATCH][ANSWER_MAX];
	struct sockaddr_nl from[BATCH];
	struct mmsghdr messages[BATCH];
	struct iovec parts[BATCH];
	int got, rc = 0;

	for (size_t i = 0; i < BATCH; i++) {
		parts[i] = (struct iovec){ data[i], ANSWER_MAX };
		messages[i] = (struct mmsghdr){ .msg_hdr = { .msg_name = &from[i],
							.msg_namelen = sizeof(from[i]),
							.msg_iov = &parts[i],
							.msg_iovlen = 1 } };
	}
	got = recvmmsg(fd, messages, (unsigned int)(b->count - b->answered), MSG_DONTWAIT, NULL);
	if (got < 0)
		return -errno;
	for (int i = 0; i < got && rc == 0; i++) {
		if (from[i].nl_pid != 0)
			continue; /* another process: not for us */
		if (messages[i].msg_hdr.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		rc = take_answer(b, data[i], messages[i].msg_len);
	}
	return rc;
}

static int wait_for_answers(int fd, struct batch *b, uint64_t deadline_ns)
{
	while (b->answered < b->count) {
		struct pollfd pfd = { .fd = fd, .events = POLLIN };
		int rc = receive(fd, b), ms = clock_ms_until(deadline_ns, 60000);

		if (rc == 0 || rc == -EINTR)
			continue;
		if (rc != -EAGAIN)
			return rc;
		if (ms == 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, ms) < 0 && errno != EINTR)
			return -errno;
	}
	return 0;
}

static int ask(int fd, struct batch *b, uint64_t deadline_ns)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct request requests[BATCH];

	for (size_t i = 0; i < b->count; i++)
		make_request(&b->infos[i].socket, b->first + (uint32_t)i, &requests[i]);
	while (sendto(fd, requests, b->count * sizeof(requests[0]), MSG_DONTWAIT,
		       (struct sockaddr *)&kernel, sizeof(kernel)) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return wait_for_answers(fd, b, deadline_ns);
}

int root_tcp_infos(
	struct root *root, uint64_t deadline_ns, struct root_tcp_info *infos, size_t count)
{
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
	for (size_t i = 0; i < count; i += BATCH) {
		struct batch b = { .infos = infos + i,
			.first = (uint32_t)i + 1,
			.count = count - i < BATCH ? count - i : BATCH };
		int rc = ask(fd, &b, deadline_ns);

		if (rc < 0)
			return rc;
	}
	return 0;
}
