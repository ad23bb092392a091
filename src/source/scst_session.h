/* SPDX-License-Identifier: BSD-2-Clause */
/* The sessions and connections of a target of SCST. In the reader process of the source only. */
#ifndef SOURCE_SCST_SESSION_H
#define SOURCE_SCST_SESSION_H

#include "model/builder.h"
#include "source/scst_memory.h"
#include "source/scst_read.h"

#define SCST_PORTAL_GROUP_TAG 1 /* iscsi-scstd answers no other */

/*
 * Reads them and adds them to the builder. Returns 0, or a negative errno when the poll has ended
 * (r->error) or the builder is full.
 */
int scst_sessions_read(struct scst_reader *r, struct builder *b, const struct scst_memory *m,
	struct scst_target *target, uint32_t instance_at, uint32_t node_at);

/*
 * Sets the ports of the connections in the builder. `port` is where the daemon listens. A socket is
 * taken for a connection's only if no other one is between the same addresses; no port is guessed.
 * Returns 0 or -ENOMEM.
 */
int scst_sockets_match(
	struct builder *b, uint16_t port, const struct root_tcp_socket *sockets, size_t count);

#endif
