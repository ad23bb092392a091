/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network interfaces of this host: which one has an address, which one leads to an address, how
 * fast one is. From the tables that the kernel prints below /proc/net. In the reader processes.
 * Must not guess: where two interfaces could be meant, none is told.
 */
#ifndef SOURCE_NETDEV_H
#define SOURCE_NETDEV_H

#include "base/root.h"
#include "model/opt.h"

#include <net/if.h>

/* An entry of the main routing table. */
struct netdev_route {
	uint8_t destination[16]; /* network order; ipv4 in the first 4 */
	uint8_t prefix;		 /* bits */
	bool v6, gateway, local; /* local: an address of this host */
	uint32_t metric;
	char netdev[IF_NAMESIZE];
};

/* An IPv6 address of this host. */
struct netdev_address {
	uint8_t octets[16];
	uint32_t zone; /* number of the interface */
	char netdev[IF_NAMESIZE];
};

struct netdevs {
	struct netdev_route *routes;
	size_t route_count, route_capacity;
	struct netdev_address *addresses;
	size_t address_count, address_capacity;
};

/*
 * Reads /proc/net/route, ipv6_route and if_inet6. One that is not there (no IPv6), or longer than
 * ROOT_FILE_MAX, leaves its part empty. Returns 0, -ENOMEM, or what reading another one gave: half
 * of the tables would tell other interfaces. Freed with netdevs_clear.
 */
int netdevs_read(struct root *root, struct netdevs *ret);
void netdevs_clear(struct netdevs *netdevs);

/* The parsers of the three files; lines of another form are left out. 0 or -ENOMEM. Pure. */
int netdevs_parse_route(struct netdevs *netdevs, const char *text);
int netdevs_parse_ipv6_route(struct netdevs *netdevs, const char *text);
int netdevs_parse_if_inet6(struct netdevs *netdevs, const char *text);

/* The interface that has a local address. False, and "", when it cannot be told. */
bool netdev_of_local(
	const struct netdevs *netdevs, const struct text_address *local, char out[IF_NAMESIZE]);

/*
 * The interface that packets to an address leave through; without regard to routing policies. Not
 * told of a route through a gateway: the kernel prints the first one of several next hops only (all
 * of IPv4, IPv6 with a group of next hops), and connections are spread over all of them.
 */
bool netdev_to_remote(
	const struct netdevs *netdevs, const struct text_address *remote, char out[IF_NAMESIZE]);

/*
 * The interface that a connection uses; an address whose type is 0 is not known. The one that has
 * the local address, unless that is an address of the host and not of a link: of IPv6 on the
 * loopback, or on an interface by which the remote one is not reached (a dummy). Then, and without
 * a local address, the way to the remote one. An address of IPv4 that is in no interface's network
 * tells nothing: the tables do not say where it is, nor all ways that packets may take.
 */
bool netdev_of_connection(const struct netdevs *netdevs, const struct text_address *local,
	const struct text_address *remote, char out[IF_NAMESIZE]);

/*
 * Mbit/s, as its driver says: that of a bond, a VLAN or a bridge by the interfaces below it.
 * Unknown for one that is down, and where the driver does not say it (the loopback, a dummy).
 */
struct opt_u32 netdev_speed(struct root *root, const char *netdev);

#endif
