/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The listening sockets of an agent of its own (-M). The root parent opens them, at its start: port
 * 161 needs a privilege that the agent process has not. net-snmp has no way to adopt a descriptor,
 * but the agent process is a fork of the parent, so it has the library's own transport objects;
 * the sockets outlive it, and a manager's request waits while it is restarted. All other children
 * close them.
 */
#ifndef AGENT_SNMP_LISTEN_H
#define AGENT_SNMP_LISTEN_H

#include "base/base.h"

#define LISTEN_MAX	   16u
#define LISTEN_ADDRESS_MAX 1024u /* octets with NUL */

/*
 * Opens all addresses of a comma separated list in net-snmp's syntax: [udp:|udp6:|tcp:|tcp6:]
 * [HOST:]PORT or HOST; udp and port 161 when nothing is said. Host names are looked up now. Returns
 * 0, or a negative errno (logged: -EADDRINUSE, -EACCES, -EINVAL for what is no address …); then
 * none is open. Once in a process.
 */
int listen_open(const char *addresses);

/* In a child that does not serve them. */
void listen_close(void);

/* What is open: a netsnmp_transport each, for snmp_front.c; `ret_stream`: it accepts connections.
 */
size_t listen_count(void);
void *listen_transport(size_t at, bool *ret_stream);

#endif
