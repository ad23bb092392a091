/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * LIO tells neither its own address of a connection nor the initiator's port: what the table of TCP
 * sockets says of them (socket_match.h), each connection with the portals of its group.
 *
 * In the reader process only. Pure: the table is given.
 */
#ifndef SOURCE_LIO_SOCKET_H
#define SOURCE_LIO_SOCKET_H

#include "source/lio_memory.h"

/*
 * Fills in the ends of the connections of this poll. `sockets` may be NULL with count 0: there is
 * no table. Returns 0, or -ENOMEM with nothing changed.
 */
int lio_sockets_match(
	struct lio_memory *memory, const struct root_tcp_socket *sockets, size_t count);

#endif
