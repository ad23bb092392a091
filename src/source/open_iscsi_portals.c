/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local addresses of the initiator: those of connections (also of lost ones, while their
 * session lives), those that interface records ask for, and those of adapters. Called by
 * open_iscsi.c in the reader process after the sessions were read.
 */
#include "source/open_iscsi_read.h"

struct portal_list {
	struct oiscsi_portal *portals;
	size_t count, capacity;
};

#define PORTALS_MAX 100000u

/* The netdev's name keeps the key of a link-local address over a reboot, its number does not. */
static void make_key(struct oiscsi_portal *portal)
{
	struct text_address bare = portal->address;
	char text[64], zone[IF_NAMESIZE + 1] = "";

	if (bare.type == 4 && portal->netdev[0]) {
		snprintf(zone, sizeof(zone), "%%%s", portal->netdev);
		text_address_from_ipv6(&bare, portal->address.octets, 0);
	}
	snprintf(portal->key, sizeof(portal->key), "initiator %s%s %s",
		text_from_address(text, &bare), zone, portal->transport);
}

static int portal_add(struct portal_list *list, const struct text_address *address,
	const char *transport, const char *netdev)
{
	struct oiscsi_portal *portal;

	if (!address->type || !*transport || list->count == PORTALS_MAX)
		return 0;
	if (list->count == list->capacity) {
		size_t more = list->capacity ? 2 * list->capacity : 16;
		struct oiscsi_portal *grown = reallocarray(list->portals, more, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		list->portals = grown;
		list->capacity = more;
	}
	portal = &list->portals[list->count++];
	memset(portal, 0, sizeof(*portal));
	portal->address = *address;
	snprintf(portal->transport, sizeof(portal->transport), "%s", transport);
	snprintf(portal->netdev, sizeof(portal->netdev), "%s", netdev);
	make_key(portal);
	return 0;
}

static int add_sessions(const struct oiscsi *o, struct portal_list *list)
{
	int rc = 0;

	for (size_t i = 0; i < o->session_count && rc == 0; i++) {
		const struct oiscsi_session *session = o->sessions[i];

		for (size_t j = 0; j < session->connection_count && rc == 0; j++)
			rc = portal_add(list, &session->connections[j].local,
				session->transport_name, session->netdev);
	}
	return rc;
}

static int add_ifaces(const struct oiscsi *o, struct portal_list *list)
{
	int rc = 0;

	for (size_t i = 0; i < o->records.iface_count && rc == 0; i++) {
		const struct oiscsi_iface *iface = &o->records.ifaces[i];

		rc = portal_add(list, &iface->address,
			iface->transport[0] ? iface->transport : "tcp", iface->netdev);
	}
	return rc;
}

static int compare_numbers(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The hosts of the sessions, sorted. *ret freed by the caller. */
static int session_hosts(const struct oiscsi *o, uint32_t **ret, size_t *ret_count)
{
	uint32_t *hosts = calloc(o->session_count + 1, sizeof(*hosts));
	size_t count = 0;

	if (!hosts)
		return -ENOMEM;
	for (size_t i = 0; i < o->session_count; i++) {
		if (o->sessions[i]->host.known && o->sessions[i]->transport->kernel_tcp)
			hosts[count++] = o->sessions[i]->host.value;
	}
	qsort(hosts, count, sizeof(*hosts), compare_numbers);
	*ret = hosts;
	*ret_count = count;
	return 0;
}

/* An adapter has an address without any session. */
static int add_host(const struct oiscsi *o, uint32_t host, struct portal_list *list)
{
	const struct oiscsi_transport *transport;
	struct text_address address;
	char text[128], netdev[64];

	if (oiscsi_read_value(o->root, text, sizeof(text), "/sys/class/scsi_host/host%u/proc_name",
		    host) <= 0)
		return 0;
	transport = oiscsi_transport_find(oiscsi_transport_of_driver(text));
	if (!transport->tcp || transport->kernel_tcp)
		return 0; /* its hosts come and go with sessions */
	if (oiscsi_read_value(o->root, netdev, sizeof(netdev),
		    "/sys/class/iscsi_host/host%u/netdev", host) <= 0 ||
		strlen(netdev) >= IF_NAMESIZE)
		netdev[0] = '\0';
	if (oiscsi_read_value(o->root, text, sizeof(text), "/sys/class/iscsi_host/host%u/ipaddress",
		    host) <= 0 ||
		!oiscsi_read_address(o->root, text, netdev, &address))
		return 0;
	return portal_add(list, &address, transport->name, netdev);
}

static int add_hosts(const struct oiscsi *o, struct portal_list *list)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_FREE uint32_t *skip = NULL;
	int count = root_list(o->root, "/sys/class/iscsi_host", &names), rc;
	const char *name = names.data;
	size_t skip_count;

	rc = session_hosts(o, &skip, &skip_count);
	for (; count > 0 && rc == 0; count--, name += strlen(name) + 1) {
		uint32_t host;

		if (oiscsi_number_after(name, "host", &host) &&
			!bsearch(&host, skip, skip_count, sizeof(*skip), compare_numbers))
			rc = add_host(o, host, list);
	}
	return rc;
}

/* An adapter with several addresses: ipv4-iface-H-N, ipv6-iface-H-N. */
static int add_adapter_iface(const struct oiscsi *o, const char *name, struct portal_list *list)
{
	const struct oiscsi_transport *transport;
	struct text_address address;
	char text[128], host[16];
	size_t length;

	if (strncmp(name, "ipv4-iface-", 11) != 0 && strncmp(name, "ipv6-iface-", 11) != 0)
		return 0;
	length = strspn(name + 11, "0123456789");
	if (length == 0 || length >= sizeof(host) || name[11 + length] != '-')
		return 0;
	snprintf(host, sizeof(host), "%.*s", (int)length, name + 11);
	if (oiscsi_read_value(o->root, text, sizeof(text), "/sys/class/scsi_host/host%s/proc_name",
		    host) <= 0)
		return 0;
	transport = oiscsi_transport_find(oiscsi_transport_of_driver(text));
	if (!transport->tcp ||
		oiscsi_read_value(o->root, text, sizeof(text),
			"/sys/class/iscsi_iface/%s/ipaddress", name) <= 0 ||
		!oiscsi_read_address(o->root, text, "", &address))
		return 0;
	return portal_add(list, &address, transport->name, "");
}

static int add_adapter_ifaces(const struct oiscsi *o, struct portal_list *list)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int count = root_list(o->root, "/sys/class/iscsi_iface", &names), rc = 0;
	const char *name = names.data;

	for (; count > 0 && rc == 0; count--, name += strlen(name) + 1) {
		if (!strchr(name, '/'))
			rc = add_adapter_iface(o, name, list);
	}
	return rc;
}

/* The ones with a netdev first, so that they stay. */
static int compare_portals(const void *a, const void *b)
{
	const struct oiscsi_portal *x = a, *y = b;
	int rc = strcmp(x->key, y->key);

	if (rc == 0)
		rc = (y->netdev[0] != '\0') - (x->netdev[0] != '\0');
	return rc ? rc : strcmp(x->netdev, y->netdev);
}

static void read_driver(struct root *root, struct oiscsi_portal *portal)
{
	char path[80], target[256];
	const char *base;

	if (!portal->netdev[0] || strchr(portal->netdev, '/'))
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", portal->netdev);
	if (root_read_link(root, path, target, sizeof(target)) <= 0)
		return;
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (strlen(base) < sizeof(portal->driver))
		memcpy(portal->driver, base, strlen(base) + 1);
}

int oiscsi_portals_read(struct oiscsi *o)
{
	struct portal_list list = { .count = 0 };
	size_t kept = 0;
	int rc = add_sessions(o, &list);

	if (rc == 0)
		rc = add_ifaces(o, &list);
	if (rc == 0)
		rc = add_hosts(o, &list);
	if (rc == 0)
		rc = add_adapter_ifaces(o, &list);
	if (rc < 0) {
		free(list.portals);
		return rc;
	}
	if (list.count)
		qsort(list.portals, list.count, sizeof(*list.portals), compare_portals);
	for (size_t i = 0; i < list.count; i++) {
		if (!kept || strcmp(list.portals[kept - 1].key, list.portals[i].key) != 0)
			list.portals[kept++] = list.portals[i];
	}
	for (size_t i = 0; i < kept; i++)
		read_driver(o->root, &list.portals[i]);
	free(o->portals);
	o->portals = list.portals;
	o->portal_count = kept;
	return 0;
}
