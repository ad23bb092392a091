/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does iscsid run? Only it logs a session in again. In the reader process of the source.
 */
#ifndef SOURCE_OPEN_ISCSI_DAEMON_H
#define SOURCE_OPEN_ISCSI_DAEMON_H

#include "base/root.h"

enum oiscsi_daemon { OISCSI_DAEMON_UNKNOWN, OISCSI_DAEMON_RUNS, OISCSI_DAEMON_GONE };

/*
 * RUNS: among the listeners to the kernel's events (NETLINK_ISCSI, group 1) is a process of that
 * name. GONE: there is none, but for this program. UNKNOWN: there are others, which may be an
 * iscsid in a container, or /proc/net/netlink cannot be read.
 */
enum oiscsi_daemon oiscsi_daemon_look(struct root *root);

/* The same, with its process number in *ret_pid if it RUNS. */
enum oiscsi_daemon oiscsi_daemon_find(struct root *root, uint32_t *ret_pid);

/* True when the process is there and called iscsid. */
bool oiscsi_daemon_is(struct root *root, uint32_t pid);

/*
 * Netlink ports (mostly process numbers) of the listeners to NETLINK_ISCSI, group 1, in the text of
 * /proc/net/netlink. Returns how many there are; at most `capacity` are stored. Pure.
 */
size_t oiscsi_listeners_parse(const char *text, uint32_t ports[], size_t capacity);

#endif
