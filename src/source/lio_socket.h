/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LIO tells neither its own address of a connection nor the initiator's port. The kernel's table of
 * TCP sockets has them, but not which socket is whose. A connection gets the ends of a socket only
 * when no other socket of its initiator's address came in on its group's portals, and no other
 * connection could be that socket; it keeps them as long as the socket is there. Else it gets what
 * all its candidates, or without any all portals of its group, have in common.
 *
 * In the reader process only. Pure: the table is given.
 */
#ifndef SOURCE_LIO_SOCKET_H
#define SOURCE_LIO_SOCKET_H

#include "source/lio_memory.h"

/*
 * Fills in both ends of the connections of this poll. `sockets` may be NULL with count 0: there is
 * no table. Returns 0 or -ENOMEM.
 */
int lio_sockets_match(
	struct lio_memory *memory, const struct root_tcp_socket *sockets, size_t count);

#endif
