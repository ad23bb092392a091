/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A netlink socket of the live machine (base/netlink.h). Called by the source open-iscsi in its
 * reader process, for the events of the kernel's initiator.
 *
 * It asks the kernel to go on delivering after a loss (NETLINK_NO_ENOBUFS) and sees the loss by the
 * socket's count of dropped messages. Otherwise a socket that has lost one message takes no other
 * until it is read empty; were it the only one in its group, and a message just about to be sent to
 * the group on behalf of this very process, drivers/scsi/scsi_transport_iscsi.c would repeat that
 * for ever.
 */
#include "base/netlink.h"

#include "base/privilege.h"
#include "base/root_private.h"

#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>

#define QUEUE_OCTETS  (8 << 20)
#define TABLE_OCTETS  ((size_t)16 << 20)
#define NETLINK_FILE  "/proc/net/netlink"
#define PRIVILEGES    (PRIVILEGE_OF(CAP_NET_ADMIN) | PRIVILEGE_OF(CAP_SYS_ADMIN))
#define STRANGERS_MAX 1024 /* messages of processes dropped in one call of receive */

struct live {
	struct netlink nl; /* first: the two are one address */
	struct root *root;
	int protocol;
	unsigned int group;
	uint32_t port;
	bool counts_drops;
};

static struct live *live_of(struct netlink *nl)
{
	return (struct live *)(void *)nl;
}

static ssize_t live_receive(struct netlink *nl, void *data, size_t capacity)
{
	for (int i = 0; i < STRANGERS_MAX; i++) {
		struct sockaddr_nl from = { .nl_pid = 0 };
		struct iovec part = { .iov_base = data, .iov_len = capacity };
		struct msghdr message = { .msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &part,
			.msg_iovlen = 1 };
		ssize_t got = recvmsg(nl->fd, &message, MSG_DONTWAIT);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (from.nl_pid != 0 || got == 0)
			continue;
		return message.msg_flags & MSG_TRUNC ? -EMSGSIZE : got;
	}
	return 0; /* with the queue not empty, as `memory` tells */
}

static int live_send(struct netlink *nl, const void *data, size_t length)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	uint64_t before = privilege_raise(PRIVILEGES);
	ssize_t sent;
	int rc = 0;

	do
		sent = sendto(nl->fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL,
			(struct sockaddr *)&kernel, sizeof(kernel));
	while (sent < 0 && errno == EINTR);
	if (sent < 0)
		rc = -errno;
	privilege_restore(before);
	return rc;
}

static int live_memory(struct netlink *nl, struct netlink_memory *ret)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t length = sizeof(info);

	if (!live_of(nl)->counts_drops)
		return -EOPNOTSUPP;
	if (getsockopt(nl->fd, SOL_SOCKET, SO_MEMINFO, info, &length) < 0)
		return -errno;
	if (length <= SK_MEMINFO_DROPS * sizeof(info[0]))
		return -EOPNOTSUPP;
	ret->queued = info[SK_MEMINFO_RMEM_ALLOC];
	ret->dropped = info[SK_MEMINFO_DROPS];
	return 0;
}

static int live_table(struct netlink *nl, struct netlink_table *ret)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TABLE_OCTETS);
	const struct live *live = live_of(nl);
	int rc = live->root->ops->read(live->root, NETLINK_FILE, ROOT_ALLOWED, &text);

	if (rc < 0)
		return rc;
	return netlink_table_parse(text.data ? text.data : "", text.length, live->protocol,
		live->group, live->port, ret);
}

static void live_close(struct netlink *nl)
{
	close(nl->fd);
	free(live_of(nl));
}

static const struct netlink_ops live_ops = {
	.receive = live_receive,
	.send = live_send,
	.memory = live_memory,
	.table = live_table,
	.close = live_close,
};

static void set_queue(int fd)
{
	int octets = QUEUE_OCTETS;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof(octets)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof(octets));
}

/* From Linux 4.12 on. */
static bool can_count_drops(int fd)
{
	uint32_t info[SK_MEMINFO_VARS];
	socklen_t length = sizeof(info);
	int yes = 1;

	return getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &length) == 0 &&
	       length > SK_MEMINFO_DROPS * sizeof(info[0]) &&
	       setsockopt(fd, SOL_NETLINK, NETLINK_NO_ENOBUFS, &yes, sizeof(yes)) == 0;
}

static int join(struct live *live)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK,
		.nl_groups = 1u << (live->group - 1) };
	socklen_t length = sizeof(address);
	struct netlink_table table;
	int rc;

	set_queue(live->nl.fd);
	live->counts_drops = can_count_drops(live->nl.fd);
	if (bind(live->nl.fd, (struct sockaddr *)&address, length) < 0 ||
		getsockname(live->nl.fd, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	live->port = address.nl_pid;
	/* Elsewhere all of this works, too, but the kernel never says anything. */
	rc = live_table(&live->nl, &table);
	if (rc < 0)
		return rc;
	return table.kernel ? 0 : -ENONET;
}

static int open_raised(struct live *live)
{
	live->nl.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, live->protocol);
	if (live->nl.fd < 0)
		return -errno;
	return join(live);
}

int root_netlink_open(struct root *root, int protocol, unsigned int group, struct netlink **ret)
{
	struct live *live;
	uint64_t before;
	int rc;

	if (!root->live || root->record)
		return -ENOENT;
	live = calloc(1, sizeof(*live));
	if (!live)
		return -ENOMEM;
	*live = (struct live){
		.nl = { .ops = &live_ops, .fd = -1 },
		.root = root,
		.protocol = protocol,
		.group = group,
	};
	/* The kernel looks at who opened the socket as well as at who sends. */
	before = privilege_raise(PRIVILEGES);
	rc = open_raised(live);
	privilege_restore(before);
	if (rc < 0) {
		if (live->nl.fd >= 0)
			close(live->nl.fd);
		free(live);
		return rc;
	}
	*ret = &live->nl;
	return 0;
}
