/* SPDX-License-Identifier: BSD-2-Clause */
/* A portal as a record or a session has it configured. In the reader process of open-iscsi. */
#ifndef SOURCE_OPEN_ISCSI_PORTAL_NAME_H
#define SOURCE_OPEN_ISCSI_PORTAL_NAME_H

#include "base/root.h"

struct oiscsi_portal_name {
	char text[300]; /* "10.0.0.1:3260", "[fe80::1%eth0]:3260", "array-1.example:3260" */
	char host[256]; /* the name of a host, "" when it is an address */
	struct text_address address; /* of type 0: it is a name, or its zone is not there */
	uint32_t port;
};

/*
 * Of one and the same portal the text is always the same, in whatever way its address was written.
 * `address` as configured, at most 255 octets.
 */
void oiscsi_portal_name(
	struct root *root, const char *address, uint32_t port, struct oiscsi_portal_name *ret);

#endif
