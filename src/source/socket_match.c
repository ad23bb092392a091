/* SPDX-License-Identifier: BSD-2-Clause */
/* Called by the *_socket.c of the sources, which know their connections. */
#include "source/socket_match.h"

/* A socket, and how many connections could be its own. */
struct candidate {
	const struct root_tcp_socket *socket;
	size_t claims;
	size_t claimants; /* in the first of a remote address: connections that claim any of it */
};

/* The sockets of one remote address. */
struct range {
	struct candidate *first;
	size_t count;
};

/* By address without zone: what text_address_equal holds for equal is next to each other. */
static int compare_addresses(const struct text_address *a, const struct text_address *b)
{
	size_t a_length = a->length > 16 ? 16 : a->length;
	size_t b_length = b->length > 16 ? 16 : b->length;

	if (a_length != b_length)
		return a_length < b_length ? -1 : 1;
	return memcmp(a->octets, b->octets, a_length);
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	return compare_addresses(&x->socket->remote, &y->socket->remote);
}

static struct range find_range(
	struct candidate *all, size_t count, const struct text_address *remote)
{
	size_t low = 0, high = count, end;

	if (!remote)
		return (struct range){ .count = 0 };
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_addresses(&all[middle].socket->remote, remote) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < count && !compare_addresses(&all[end].socket->remote, remote); end++)
		;
	return (struct range){ .first = all + low, .count = end - low };
}

static bool could_be(const struct socket_seeker *seeker, const struct root_tcp_socket *socket)
{
	if (seeker->local && !text_address_equal(seeker->local, &socket->local))
		return false;
	for (size_t i = 0; i < seeker->portal_count; i++) {
		const struct socket_portal *portal = &seeker->portals[i];

		if (portal->port == socket->local_port && portal->address_known &&
			(text_address_is_wildcard(&portal->address) ||
				text_address_equal(&portal->address, &socket->local)))
			return true;
	}
	return false;
}

static bool is_same_socket(const struct socket_ends *ends, const struct root_tcp_socket *socket)
{
	return ends->local_port == socket->local_port && ends->remote_port == socket->remote_port &&
	       text_address_equal(&ends->local, &socket->local);
}

static void take_socket(const struct socket_seeker *seeker, const struct root_tcp_socket *socket)
{
	struct socket_ends *ends = seeker->ends;

	*seeker->remote = socket->remote;
	ends->local = socket->local;
	ends->local_port = socket->local_port;
	ends->remote_port = socket->remote_port;
	ends->local_known = ends->is_certain = true;
}

/* What follows from the portals alone. */
static void take_portals(const struct socket_seeker *seeker)
{
	const struct socket_portal *first = seeker->portals;
	bool same_port = true, same_address = true;

	if (!seeker->portal_count)
		return;
	for (size_t i = 0; i < seeker->portal_count; i++) {
		const struct socket_portal *portal = &seeker->portals[i];

		same_port &= portal->port == first->port;
		same_address &= portal->address_known && first->address_known &&
				text_address_equal(&portal->address, &first->address);
	}
	if (same_port)
		seeker->ends->local_port = first->port;
	if (same_address && !text_address_is_wildcard(&first->address)) {
		seeker->ends->local = first->address;
		seeker->ends->local_known = true;
	}
}

/* What its candidates have in common at this end. */
static void take_common(const struct socket_seeker *seeker, const struct range *range)
{
	const struct root_tcp_socket *first = NULL;
	bool same_address = true, same_port = true;

	for (size_t i = 0; i < range->count; i++) {
		const struct root_tcp_socket *socket = range->first[i].socket;

		if (!socket || !could_be(seeker, socket))
			continue;
		if (!first)
			first = socket;
		same_address &= text_address_equal(&socket->local, &first->local);
		same_port &= socket->local_port == first->local_port;
	}
	if (first && same_address) {
		seeker->ends->local = first->local;
		seeker->ends->local_known = true;
	}
	if (first && same_port)
		seeker->ends->local_port = first->local_port;
}

/* True when the seeker has no socket any more and shall not look for another one. */
static bool is_lost(const struct socket_seeker *seeker, const struct range *range)
{
	struct socket_ends *ends = seeker->ends;
	bool there = !ends->is_certain;

	if (!seeker->has_one_socket)
		return false;
	for (size_t i = 0; i < range->count && !there; i++)
		there = is_same_socket(ends, range->first[i].socket);
	if (!there)
		*ends = (struct socket_ends){ .is_lost = true };
	return ends->is_lost;
}

static void claim(const struct socket_seeker *seeker, const struct range *range)
{
	bool any = false;

	for (size_t i = 0; i < range->count; i++) {
		bool claims = could_be(seeker, range->first[i].socket);

		range->first[i].claims += claims;
		any |= claims;
	}
	if (any)
		range->first->claimants++;
}

static void settle(const struct socket_seeker *seeker, const struct range *range)
{
	const struct root_tcp_socket *only = NULL, *same = NULL;
	const struct socket_ends before = *seeker->ends;
	struct socket_ends *ends = seeker->ends;
	size_t claimed = 0;

	*ends = (struct socket_ends){ .candidates = 0 };
	for (size_t i = 0; i < range->count; i++) {
		const struct candidate *candidate = &range->first[i];

		claimed += candidate->claims > 0;
		if (!could_be(seeker, candidate->socket))
			continue;
		ends->candidates++;
		if (candidate->claims == 1)
			only = candidate->socket;
		if (before.is_certain && is_same_socket(&before, candidate->socket))
			same = candidate->socket;
	}
	if (same)
		take_socket(seeker, same);
	else if (ends->candidates == 1 && only)
		take_socket(seeker, only);
	/* With fewer sockets than connections that of this one may be missing. */
	else if (range->count && ends->candidates && claimed >= range->first->claimants)
		take_common(seeker, range);
	else
		take_portals(seeker);
}

int sockets_match(const struct socket_seeker *seekers, size_t count,
	const struct root_tcp_socket *sockets, size_t socket_count)
{
	CLEANUP_FREE struct candidate *all = calloc(socket_count + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < socket_count; i++)
		all[i].socket = &sockets[i];
	qsort(all, socket_count, sizeof(*all), compare_candidates);
	for (size_t i = 0; i < count; i++) {
		struct range range = find_range(all, socket_count, seekers[i].remote);

		/* Without a table nothing is seen to be lost. */
		if (!(sockets && is_lost(&seekers[i], &range)))
			claim(&seekers[i], &range);
	}
	for (size_t i = 0; i < count; i++) {
		struct range range = find_range(all, socket_count, seekers[i].remote);

		if (!(sockets && seekers[i].ends->is_lost))
			settle(&seekers[i], &range);
	}
	return 0;
}
