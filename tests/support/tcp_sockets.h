/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of TCP sockets (base/root.h), for unit tests. */
#ifndef TESTS_SUPPORT_TCP_SOCKETS_H
#define TESTS_SUPPORT_TCP_SOCKETS_H

#include "base/root.h"

/* How often a socket with the addresses and ports of `one` is in the table. */
int tcp_sockets_count(
	const struct root_tcp_socket *sockets, ssize_t count, const struct root_tcp_socket *one);

#endif
