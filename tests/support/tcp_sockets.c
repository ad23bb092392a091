/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tcp_sockets.h"

int tcp_sockets_count(
	const struct root_tcp_socket *sockets, ssize_t count, const struct root_tcp_socket *one)
{
	int found = 0;

	for (ssize_t i = 0; i < count; i++)
		found += memcmp(&sockets[i].local, &one->local, sizeof(one->local)) == 0 &&
			 memcmp(&sockets[i].remote, &one->remote, sizeof(one->remote)) == 0 &&
			 sockets[i].local_port == one->local_port &&
			 sockets[i].remote_port == one->remote_port;
	return found;
}
