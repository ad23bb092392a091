/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds the TCP sockets of SCST's connections by the addresses that the kernel tells of both.
 * Called by scst.c in the reader process of the source.
 */
#include "source/scst_session.h"

/* Both ends: of a socket, or of a connection. */
struct pair {
	uint8_t octets[2 * 16]; /* local, remote; shorter ones with 0 after them */
	uint8_t lengths[2];
	uint16_t remote_port; /* not compared */
};

static void set_end(struct pair *pair, int end, const uint8_t *octets, uint8_t length)
{
	/* The zone of a link-local address is not in the kernel's tables. */
	pair->lengths[end] = length > 16 ? 16 : length;
	memcpy(&pair->octets[end * 16], octets, pair->lengths[end]);
}

static int compare_pairs(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;
	int rc = memcmp(x->lengths, y->lengths, sizeof(x->lengths));

	return rc ? rc : memcmp(x->octets, y->octets, sizeof(x->octets));
}

/* How many are equal to `one`; the first of them in *ret_first. `pairs` is sorted. */
static size_t count_equal(const struct pair *pairs, size_t count, const struct pair *one,
	const struct pair **ret_first)
{
	size_t low = 0, high = count, n = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_pairs(&pairs[middle], one) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_first = &pairs[low];
	while (low + n < count && n < 2 && compare_pairs(&pairs[low + n], one) == 0)
		n++;
	return n;
}

static bool pair_of_connection(const struct connection *connection, struct pair *ret)
{
	*ret = (struct pair){ .remote_port = 0 };
	if (!connection->local_address.known || !connection->remote_address.known)
		return false;
	set_end(ret, 0, connection->local_address.octets, connection->local_address.length);
	set_end(ret, 1, connection->remote_address.octets, connection->remote_address.length);
	return true;
}

int scst_sockets_match(
	struct builder *b, uint16_t port, const struct root_tcp_socket *sockets, size_t count)
{
	uint32_t connections = builder_count(b, OBJECT_CONNECTION);
	CLEANUP_FREE struct pair *theirs = calloc(count + 1, sizeof(*theirs));
	CLEANUP_FREE struct pair *ours = calloc((size_t)connections + 1, sizeof(*ours));
	size_t socket_count = 0, pair_count = 0;

	if (!theirs || !ours)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		struct pair *pair = &theirs[socket_count];

		if (sockets[i].local_port != port)
			continue;
		set_end(pair, 0, sockets[i].local.octets, sockets[i].local.length);
		set_end(pair, 1, sockets[i].remote.octets, sockets[i].remote.length);
		pair->remote_port = sockets[i].remote_port;
		socket_count++;
	}
	for (uint32_t i = 0; i < connections; i++)
		pair_count += pair_of_connection(builder_connection_at(b, i), &ours[pair_count]);
	qsort(theirs, socket_count, sizeof(*theirs), compare_pairs);
	qsort(ours, pair_count, sizeof(*ours), compare_pairs);
	for (uint32_t i = 0; i < connections; i++) {
		struct connection *connection = builder_connection_at(b, i);
		const struct pair *socket, *same;
		struct pair pair;
		size_t found;

		if (!pair_of_connection(connection, &pair))
			continue;
		found = count_equal(theirs, socket_count, &pair, &socket);
		if (found)
			OPT_SET(connection->local_port, port);
		if (found == 1 && socket->remote_port &&
			count_equal(ours, pair_count, &pair, &same) == 1)
			OPT_SET(connection->remote_port, socket->remote_port);
	}
	return 0;
}
