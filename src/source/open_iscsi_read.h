/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One poll of the kernel's sessions, connections and hosts into memory (open_iscsi_memory.h). In
 * the reader process of the source only; all I/O through base/root.h.
 */
#ifndef SOURCE_OPEN_ISCSI_READ_H
#define SOURCE_OPEN_ISCSI_READ_H

#include "source/open_iscsi_memory.h"

/* Why a poll failed. */
struct oiscsi_failure {
	char text[160];
};

/*
 * Lists and reads all sessions. `now_ns`: of this poll. An attribute that cannot be read leaves
 * its value unknown; a session that is gone when it is read is marked so. Returns 0; -ETIMEDOUT,
 * -ENOMEM, or what listing the sessions gave, with `why`.
 */
int oiscsi_read(
	struct oiscsi *o, uint64_t now_ns, uint64_t deadline_ns, struct oiscsi_failure *why);

/* The local addresses, from sessions, interface records and adapters. 0 or -ENOMEM. */
int oiscsi_portals_read(struct oiscsi *o);

/*
 * Fills in local ends that the kernel does not show (Linux before 4.x has no C/local_port), from
 * the table of TCP sockets, where only one socket can be the connection's.
 */
int oiscsi_sockets_match(struct oiscsi *o, uint64_t deadline_ns);

/* Reads a value into `text`; 1, 0 there is none, or a negative errno. */
int oiscsi_read_value(struct root *root, char *text, size_t capacity, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* The number of the SCSI host of a session; false when it cannot be read. */
bool oiscsi_read_host(struct root *root, uint32_t sid, uint32_t *ret);

/*
 * The name of a host, which is that of the initiator of its sessions where the driver gives them
 * none (qla4xxx). As oiscsi_read_value.
 */
int oiscsi_read_host_initiator(struct root *root, uint32_t host, char *text, size_t capacity);

/* A link-local address without the number of its interface. */
bool oiscsi_lacks_zone(const struct text_address *address);

/* The address in a text, with the zone of `netdev` ("" unknown) if it needs one. */
bool oiscsi_read_address(
	struct root *root, const char *text, const char *netdev, struct text_address *ret);

#endif
