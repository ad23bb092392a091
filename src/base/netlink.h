/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A netlink socket in a multicast group of the kernel, behind a table of functions: root_netlink.c
 * has the real one (root_netlink_open, base/root.h), unit tests play the kernel. Used in the reader
 * processes. Nothing here blocks, but for what the kernel does while it handles a message that is
 * sent to it.
 */
#ifndef BASE_NETLINK_H
#define BASE_NETLINK_H

#include "base/base.h"

/* The receive queue of the socket. */
struct netlink_memory {
	uint64_t queued;  /* octets of memory that the messages in it take */
	uint64_t dropped; /* messages that found no room, since the socket was made */
};

/* Sockets of one protocol in one network namespace, by /proc/net/netlink. */
struct netlink_table {
	bool kernel;	      /* the kernel's own is there: this is its namespace */
	unsigned int members; /* of the group, but for our own socket */
	uint64_t most_queued; /* octets in the fullest queue of these */
};

struct netlink;

struct netlink_ops {
	/*
	 * Takes the next message of the kernel; those of processes are dropped. Returns its octets,
	 * or 0 when none waits; -EMSGSIZE: it was longer than `capacity` and is lost; -ENOBUFS: an
	 * unknown number of messages was lost (only where `memory` cannot count them). After any
	 * other error the socket is of no use any more.
	 */
	ssize_t (*receive)(struct netlink *nl, void *data, size_t capacity);

	/* Sends one message to the kernel, which handles it before this returns. 0 or -errno. */
	int (*send)(struct netlink *nl, const void *data, size_t length);

	/* -EOPNOTSUPP: this kernel does not tell (before 4.12). */
	int (*memory)(struct netlink *nl, struct netlink_memory *ret);

	/* Who else there is now. 0, or what reading the table gave. */
	int (*table)(struct netlink *nl, struct netlink_table *ret);

	void (*close)(struct netlink *nl);
};

struct netlink {
	const struct netlink_ops *ops;
	int fd; /* for poll(2): readable when a message waits */
};

static inline void netlink_close(struct netlink *nl)
{
	if (nl)
		nl->ops->close(nl);
}

/*
 * Parses /proc/net/netlink (net/netlink/af_netlink.c, netlink_seq_show): the rows of `protocol`; a
 * member of `group` (1..32) with the port `own_port` is left out. Pure. 0, or -EBADMSG when a row
 * is not as expected; `ret` is untouched then.
 */
int netlink_table_parse(const char *text, size_t length, int protocol, unsigned int group,
	uint32_t own_port, struct netlink_table *ret);

#endif
