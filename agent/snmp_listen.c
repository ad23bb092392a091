/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/library/snmpUDPDomain.h>

#include "agent/snmp_listen.h"

#include "base/log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/time.h>

static struct {
	struct {
		netsnmp_transport *transport;
		bool stream;
	} all[LISTEN_MAX];
	size_t count;
} listening;

/* transportDomain of TRANSPORT-ADDRESS-MIB, as net-snmp names its transports; but for UDP/IPv4. */
static const oid udp6_domain[] = { 1, 3, 6, 1, 2, 1, 100, 1, 2 };
static const oid tcp_domain[] = { 1, 3, 6, 1, 2, 1, 100, 1, 5 };
static const oid tcp6_domain[] = { 1, 3, 6, 1, 2, 1, 100, 1, 6 };

static bool is_domain(const netsnmp_transport *t, const oid *name, size_t length)
{
	return t->domain_length == (int)length &&
	       memcmp(t->domain, name, length * sizeof(*name)) == 0;
}

/* A datagram waits for nobody, and neither does accept; one who does not read is left after 1 s. */
static int set_up(int fd, bool stream)
{
	const struct timeval limit = { .tv_sec = 1 };
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	/* Those that are accepted inherit it. */
	if (stream && setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return -errno;
	return 0;
}

static const char *explain(int error)
{
	switch (error) {
	case EADDRINUSE:
		return ": does another agent (snmpd?) listen there?";
	case EACCES:
	case EPERM:
		return ": ports below 1024 need root, or CAP_NET_BIND_SERVICE in the unit";
	case EADDRNOTAVAIL:
		return ": it is no address of this host";
	default:
		return "";
	}
}

static int open_one(const char *address)
{
	netsnmp_transport *t;
	bool stream;
	int rc;

	if (listening.count == LISTEN_MAX) {
		log_error("-M: more than %u addresses", LISTEN_MAX);
		return -E2BIG;
	}
	errno = 0;
	t = netsnmp_transport_open_server("snmp", address);
	if (!t) {
		rc = errno ? -errno : -EINVAL;
		if (rc == -EINVAL || rc == -ENOENT)
			log_error("-M: %s is no address (such as udp:161, udp:127.0.0.1:1161, "
				  "udp6:[::1]:161, tcp:161), or the host is not known",
				address);
		else
			log_error("-M: cannot listen at %s: %s%s", address, strerror(-rc),
				explain(-rc));
		return rc;
	}
	stream = is_domain(t, tcp_domain, ARRAY_SIZE(tcp_domain)) ||
		 is_domain(t, tcp6_domain, ARRAY_SIZE(tcp6_domain));
	if (!stream && !is_domain(t, netsnmpUDPDomain, netsnmpUDPDomain_len) &&
		!is_domain(t, udp6_domain, ARRAY_SIZE(udp6_domain))) {
		log_error("-M: %s: only udp, udp6, tcp and tcp6 are served", address);
		rc = -EPROTONOSUPPORT;
	} else {
		rc = set_up(t->sock, stream);
	}
	if (rc < 0) {
		t->f_close(t);
		netsnmp_transport_free(t);
		return rc;
	}
	listening.all[listening.count].transport = t;
	listening.all[listening.count++].stream = stream;
	return 0;
}

int listen_open(const char *addresses)
{
	char copy[LISTEN_ADDRESS_MAX];
	char *rest = copy, *address;
	int rc = 0;

	if (strlen(addresses) >= sizeof(copy)) {
		log_error("-M: the addresses are longer than %zu octets", sizeof(copy) - 1);
		return -ENAMETOOLONG;
	}
	snprintf(copy, sizeof(copy), "%s", addresses);
	netsnmp_tdomain_init();
	while (rc == 0 && (address = strsep(&rest, ",")))
		rc = open_one(address);
	if (rc < 0)
		listen_close();
	return rc;
}

void listen_close(void)
{
	for (size_t i = 0; i < listening.count; i++)
		close(listening.all[i].transport->sock);
	listening.count = 0;
}

size_t listen_count(void)
{
	return listening.count;
}

void *listen_transport(size_t at, bool *ret_stream)
{
	*ret_stream = listening.all[at].stream;
	return listening.all[at].transport;
}
