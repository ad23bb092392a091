/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which TCP socket belongs to which connection of a target. No target tells the initiator's port,
 * and most of them not their own address; the kernel's table of sockets has both, but not whose
 * they are. A connection gets the ends of a socket only when no other socket of its initiator's
 * address came in on its portals, and no other connection could be that socket; it keeps them as
 * long as the socket is there. Else it gets what all its candidates have in common, unless its
 * initiator's address has more connections than sockets there, so that its own may not be among
 * them; or what all of its portals have in common.
 *
 * In the reader processes of lio, tgt and scst. Pure: the table is given. Must never guess.
 */
#ifndef SOURCE_SOCKET_MATCH_H
#define SOURCE_SOCKET_MATCH_H

#include "base/root.h"

/* Where connections come in. */
struct socket_portal {
	bool address_known;
	struct text_address address; /* may be a wildcard */
	uint16_t port;		     /* 0 unknown */
};

/* What is known of the socket of a connection. Its owner keeps it from poll to poll, zero at first.
 */
struct socket_ends {
	bool is_certain; /* all of it is of one socket */
	bool is_lost;	 /* it was, and that socket is not there any more: the rest is unknown */
	bool local_known;
	struct text_address local;
	uint16_t local_port, remote_port; /* 0 unknown */
	size_t candidates;		  /* sockets of this poll that it could be */
};

/* A connection that looks for its socket. */
struct socket_seeker {
	/* Of the initiator; gets the zone of a certain socket. NULL: there is no socket (RDMA). */
	struct text_address *remote;
	const struct text_address *local; /* NULL: not known but from the portals */
	const struct socket_portal *portals;
	size_t portal_count;
	struct socket_ends *ends;
	bool has_one_socket; /* in its life: it may be lost, and then takes no socket from others */
};

/*
 * Fills in the ends of all seekers. `sockets` may be NULL with count 0: there is no table, or it is
 * that of another network namespace. Returns 0, or -ENOMEM with nothing changed.
 */
int sockets_match(const struct socket_seeker *seekers, size_t count,
	const struct root_tcp_socket *sockets, size_t socket_count);

#endif
