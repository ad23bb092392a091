/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tgtd tells neither its own address of a connection nor the initiator's port: what the table of
 * TCP sockets says of them (socket_match.h). All connections share all portals.
 *
 * In the reader process only. Pure: the table is given.
 */
#ifndef SOURCE_TGT_SOCKET_H
#define SOURCE_TGT_SOCKET_H

#include "source/tgt_memory.h"

/*
 * Fills in the ends of the connections of this poll's sessions. `sockets` may be NULL with count 0:
 * when there is no table, or it is that of another network namespace than tgtd's. Returns 0, or
 * -ENOMEM with nothing changed.
 */
int tgt_sockets_match(struct tgt_unit *unit, const struct root_tcp_socket *sockets, size_t count);

#endif
