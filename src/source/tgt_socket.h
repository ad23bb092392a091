/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tgtd tells neither its own address of a connection nor the initiator's port. The kernel's table
 * of TCP sockets has them, but not which is which when one initiator address has several
 * connections to the portals. A connection gets the ends of a socket only when there is one socket
 * and one connection of its address; once it has them it keeps them as long as that socket is
 * there. Else it gets what all its candidates have in common.
 *
 * In the reader process only. Pure: the table is given.
 */
#ifndef SOURCE_TGT_SOCKET_H
#define SOURCE_TGT_SOCKET_H

#include "source/tgt_memory.h"

/*
 * Fills in local address, local port and remote port of the connections of this poll's sessions.
 * `sockets` may be NULL with count 0: when there is no table, or it is that of another network
 * namespace than tgtd's; then only what follows from a single portal is known.
 * Returns 0 or -ENOMEM.
 */
int tgt_sockets_match(struct tgt_unit *unit, const struct root_tcp_socket *sockets, size_t count);

#endif
