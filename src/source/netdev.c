/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/netdev.h"

#define ROUTES_MAX 100000u

/* include/uapi/linux/route.h and ipv6_route.h */
enum { FLAG_UP = 0x1, FLAG_GATEWAY = 0x2, FLAG_REJECT = 0x200 };
#define FLAG_LOCAL 0x80000000u

void netdevs_clear(struct netdevs *netdevs)
{
	free(netdevs->routes);
	free(netdevs->addresses);
	memset(netdevs, 0, sizeof(*netdevs));
}

static void *grow(void *list, size_t count, size_t *capacity, size_t size)
{
	size_t more = *capacity ? 2 * *capacity : 16;
	void *grown;

	if (count < *capacity)
		return list;
	grown = reallocarray(list, more, size);
	if (grown)
		*capacity = more;
	return grown;
}

static int add_route(struct netdevs *n, const struct netdev_route *route)
{
	struct netdev_route *grown;

	if (n->route_count == ROUTES_MAX)
		return 0;
	grown = grow(n->routes, n->route_count, &n->route_capacity, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	n->routes = grown;
	n->routes[n->route_count++] = *route;
	return 0;
}

static int add_address(struct netdevs *n, const struct netdev_address *address)
{
	struct netdev_address *grown;

	if (n->address_count == ROUTES_MAX)
		return 0;
	grown = grow(n->addresses, n->address_count, &n->address_capacity, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	n->addresses = grown;
	n->addresses[n->address_count++] = *address;
	return 0;
}

/* ---- the files ---- */

/* Splits the next line into words; returns their number, -1 at the end of the text. */
static int next_line(const char **text, char line[256], char *words[], int limit)
{
	size_t length = strcspn(*text, "\n");
	char *save = NULL;
	int count = 0;

	if (!**text)
		return -1;
	snprintf(line, 256, "%.*s", length < 255 ? (int)length : 255, *text);
	*text += length + ((*text)[length] == '\n');
	if (length >= 255)
		return 0; /* no line of these files is so long */
	for (char *word = strtok_r(line, " \t", &save); word && count < limit;
		word = strtok_r(NULL, " \t", &save))
		words[count++] = word;
	return count;
}

/* `digits` hexadecimal digits, no more and no less. */
static bool hex(const char *text, size_t digits, uint32_t *ret)
{
	uint32_t value = 0;

	if (strlen(text) != digits || strspn(text, "0123456789abcdefABCDEF") != digits)
		return false;
	for (; *text; text++)
		value = value << 4 |
			(uint32_t)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
	*ret = value;
	return true;
}

static bool hex_octets(const char *text, uint8_t out[16])
{
	if (strlen(text) != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		const char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };
		uint32_t value;

		if (!hex(pair, 2, &value))
			return false;
		out[i] = (uint8_t)value;
	}
	return true;
}

static bool take_netdev(const char *name, char out[IF_NAMESIZE])
{
	size_t length = strlen(name);

	/* "*": a route without an interface, as a blackhole, which is not flagged as rejected. */
	if (length == 0 || length >= IF_NAMESIZE || strchr(name, '/') || name[0] == '.' ||
		strcmp(name, "*") == 0)
		return false;
	memcpy(out, name, length + 1);
	return true;
}

/* Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses as numbers of this host. */
int netdevs_parse_route(struct netdevs *netdevs, const char *text)
{
	enum { IFACE, DESTINATION, GATEWAY, FLAGS, METRIC = 6, MASK, WORDS };
	char line[256], *words[WORDS];
	int count, rc = 0;

	while (rc == 0 && (count = next_line(&text, line, words, WORDS)) >= 0) {
		struct netdev_route route = { .v6 = false };
		uint32_t destination, gateway, mask, flags;

		if (count != WORDS || !take_netdev(words[IFACE], route.netdev) ||
			!hex(words[DESTINATION], 8, &destination) ||
			!hex(words[GATEWAY], 8, &gateway) || !hex(words[MASK], 8, &mask) ||
			!hex(words[FLAGS], 4, &flags) ||
			text_to_u32(words[METRIC], UINT32_MAX, &route.metric) < 0)
			continue;
		if (!(flags & FLAG_UP) || flags & FLAG_REJECT)
			continue;
		memcpy(route.destination, &destination, sizeof(destination));
		route.prefix = (uint8_t)__builtin_popcount(mask);
		/* The gateway of a route of ipv4 "via inet6" is printed as 0 (since Linux 5.2). */
		route.gateway = gateway != 0 || flags & FLAG_GATEWAY;
		rc = add_route(netdevs, &route);
	}
	return rc;
}

/* destination length source length next-hop metric refcount use flags netdev, in hexadecimal */
int netdevs_parse_ipv6_route(struct netdevs *netdevs, const char *text)
{
	enum { DESTINATION, LENGTH, METRIC = 5, FLAGS = 8, NETDEV, WORDS };
	char line[256], *words[WORDS];
	int count, rc = 0;

	while (rc == 0 && (count = next_line(&text, line, words, WORDS)) >= 0) {
		struct netdev_route route = { .v6 = true };
		uint32_t prefix, flags;

		if (count != WORDS || !take_netdev(words[NETDEV], route.netdev) ||
			!hex_octets(words[DESTINATION], route.destination) ||
			!hex(words[LENGTH], 2, &prefix) || prefix > 128 ||
			!hex(words[FLAGS], 8, &flags) || !hex(words[METRIC], 8, &route.metric))
			continue;
		if (!(flags & FLAG_UP) || flags & FLAG_REJECT)
			continue;
		route.prefix = (uint8_t)prefix;
		route.gateway = flags & FLAG_GATEWAY;
		route.local = flags & FLAG_LOCAL;
		rc = add_route(netdevs, &route);
	}
	return rc;
}

/* address number prefix scope flags netdev, in hexadecimal */
int netdevs_parse_if_inet6(struct netdevs *netdevs, const char *text)
{
	enum { ADDRESS, NUMBER, NETDEV = 5, WORDS };
	char line[256], *words[WORDS];
	int count, rc = 0;

	while (rc == 0 && (count = next_line(&text, line, words, WORDS)) >= 0) {
		struct netdev_address address;

		if (count != WORDS || !take_netdev(words[NETDEV], address.netdev) ||
			!hex_octets(words[ADDRESS], address.octets) ||
			!hex(words[NUMBER], strlen(words[NUMBER]) < 8 ? strlen(words[NUMBER]) : 8,
				&address.zone))
			continue;
		rc = add_address(netdevs, &address);
	}
	return rc;
}

int netdevs_read(struct root *root, struct netdevs *ret)
{
	static const struct {
		const char *path;
		int (*parse)(struct netdevs *netdevs, const char *text);
	} files[] = {
		{ "/proc/net/route", netdevs_parse_route },
		{ "/proc/net/ipv6_route", netdevs_parse_ipv6_route },
		{ "/proc/net/if_inet6", netdevs_parse_if_inet6 },
	};
	CLEANUP_FREE char *text = malloc(ROOT_FILE_MAX);
	struct netdevs netdevs = { .route_count = 0 };
	int rc = text ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(files) && rc == 0; i++) {
		ssize_t length = root_read(root, files[i].path, text, ROOT_FILE_MAX);

		if (length >= 0)
			rc = files[i].parse(&netdevs, text);
		else if (length != -ENOENT && length != -E2BIG)
			rc = (int)length;
	}
	if (rc < 0) {
		netdevs_clear(&netdevs);
		return rc;
	}
	*ret = netdevs;
	return 0;
}

/* ---- looking up ---- */

static bool is_within(const uint8_t *octets, const uint8_t *destination, uint8_t prefix)
{
	uint8_t whole = prefix / 8, bits = prefix % 8;
	uint8_t mask = (uint8_t)(0xff00 >> bits);

	return memcmp(octets, destination, whole) == 0 &&
	       (bits == 0 || ((octets[whole] ^ destination[whole]) & mask) == 0);
}

/*
 * The best route: the longest prefix, of these the lowest metric. Two that are equally good and
 * have other interfaces: NULL. `direct`: only those of networks that this host is in.
 */
static const struct netdev_route *find_route(
	const struct netdevs *n, const uint8_t *octets, bool v6, bool direct)
{
	const struct netdev_route *best = NULL;
	bool one = true;

	for (size_t i = 0; i < n->route_count; i++) {
		const struct netdev_route *r = &n->routes[i];

		if (r->v6 != v6 || (direct && (r->gateway || r->prefix == 0)) ||
			!is_within(octets, r->destination, r->prefix))
			continue;
		if (best && (r->prefix < best->prefix || (r->prefix == best->prefix && !direct &&
								 r->metric > best->metric)))
			continue;
		if (best && r->prefix == best->prefix && (direct || r->metric == best->metric)) {
			one &= strcmp(r->netdev, best->netdev) == 0;
			continue;
		}
		best = r;
		one = true;
	}
	return one ? best : NULL;
}

static bool give(const char *netdev, char out[IF_NAMESIZE])
{
	snprintf(out, IF_NAMESIZE, "%s", netdev ? netdev : "");
	return netdev != NULL;
}

/* The interface that has the IPv6 address; with `zone` not 0, that one only. */
static const char *owner_of(const struct netdevs *n, const uint8_t octets[16], uint32_t zone)
{
	const char *found = NULL;

	for (size_t i = 0; i < n->address_count; i++) {
		const struct netdev_address *a = &n->addresses[i];

		if (memcmp(a->octets, octets, 16) != 0 || (zone && a->zone != zone))
			continue;
		if (found && strcmp(found, a->netdev) != 0)
			return NULL;
		found = a->netdev;
	}
	return found;
}

static uint32_t zone_of(const struct text_address *address)
{
	const uint8_t *o = address->octets + 16;

	if (address->type != 4)
		return 0;
	return (uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 | (uint32_t)o[2] << 8 | o[3];
}

bool netdev_of_local(
	const struct netdevs *netdevs, const struct text_address *local, char out[IF_NAMESIZE])
{
	const struct netdev_route *route;

	if (local->type == 2 || local->type == 4)
		return give(owner_of(netdevs, local->octets, zone_of(local)), out);
	if (local->type == 1 && local->octets[0] == 127)
		return give("lo", out);
	route = local->type == 1 ? find_route(netdevs, local->octets, false, true) : NULL;
	return give(route ? route->netdev : NULL, out);
}

/* An address of the zone's own link is reached through that interface. */
static const char *netdev_of_zone(const struct netdevs *n, uint32_t zone)
{
	for (size_t i = 0; i < n->address_count; i++) {
		if (n->addresses[i].zone == zone)
			return n->addresses[i].netdev;
	}
	return NULL;
}

bool netdev_to_remote(
	const struct netdevs *netdevs, const struct text_address *remote, char out[IF_NAMESIZE])
{
	const struct netdev_route *route;

	if (remote->type == 4)
		return give(netdev_of_zone(netdevs, zone_of(remote)), out);
	if (remote->type == 1 && remote->octets[0] == 127)
		return give("lo", out);
	if (remote->type != 1 && remote->type != 2)
		return give(NULL, out);
	if (remote->type == 2 && owner_of(netdevs, remote->octets, 0))
		return give("lo", out); /* an address of this host */
	route = find_route(netdevs, remote->octets, remote->type == 2, false);
	if (route && route->local)
		return give("lo", out);
	return give(route && !route->gateway ? route->netdev : NULL, out);
}

/* There are routes to the IPv6 address, and none of them is through the interface. */
static bool leads_elsewhere(const struct netdevs *n, const char *netdev, const uint8_t octets[16])
{
	bool elsewhere = false;

	for (size_t i = 0; i < n->route_count; i++) {
		const struct netdev_route *r = &n->routes[i];

		if (!r->v6 || r->local || !is_within(octets, r->destination, r->prefix))
			continue;
		if (strcmp(r->netdev, netdev) == 0)
			return false;
		elsewhere = true;
	}
	return elsewhere;
}

bool netdev_of_connection(const struct netdevs *netdevs, const struct text_address *local,
	const struct text_address *remote, char out[IF_NAMESIZE])
{
	bool v6 = remote->type == 2;

	if (local->type && remote->type && text_address_equal(local, remote))
		return give("lo", out); /* this host is the target too */
	if (!local->type || (v6 && owner_of(netdevs, remote->octets, 0)))
		return netdev_to_remote(netdevs, remote, out);
	if (netdev_of_local(netdevs, local, out) && strcmp(out, "lo") != 0 &&
		!(v6 && leads_elsewhere(netdevs, out, remote->octets)))
		return true;
	/* An address of IPv4 that is in no interface's network may be on any. */
	if (local->type == 1)
		return out[0] != '\0';
	return netdev_to_remote(netdevs, remote, out);
}

struct opt_u32 netdev_speed(struct root *root, const char *netdev)
{
	struct opt_u32 speed = { .known = 0 };
	char path[64], text[32];
	uint32_t value;

	if (!*netdev || strchr(netdev, '/'))
		return speed;
	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", netdev);
	/* -1 is printed by drivers that do not know it, 4294967295 by old kernels. */
	if (root_read(root, path, text, sizeof(text)) > 0 &&
		text_to_u32(text, INT32_MAX, &value) == 0 && value)
		OPT_SET(speed, value);
	return speed;
}
