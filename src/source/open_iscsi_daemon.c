/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/open_iscsi_daemon.h"

#include <inttypes.h>

#define NETLINK_ISCSI_NUMBER 8u
#define GROUP_EVENTS	     0x1u
#define LISTENERS_MAX	     64u

/* sk Eth Pid Groups …: a pointer, the protocol, the port, a mask of groups. */
size_t oiscsi_listeners_parse(const char *text, uint32_t ports[], size_t capacity)
{
	size_t count = 0;

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		uint32_t protocol, port, groups;

		/* A table of the kernel, whose numbers fit. NOLINTNEXTLINE(cert-err34-c) */
		if (sscanf(text, "%*s %" SCNu32 " %" SCNu32 " %" SCNx32, &protocol, &port,
			    &groups) != 3 ||
			protocol != NETLINK_ISCSI_NUMBER || !(groups & GROUP_EVENTS))
			continue;
		if (count < capacity)
			ports[count] = port;
		count++;
	}
	return count;
}

/*
 * Who it is. The port of a process in a container is its number there, so that a name which is
 * neither iscsid's nor one of this program's processes (iscsi-agentx, iscsi-r-NAME) tells nothing.
 */
static enum oiscsi_daemon look_at(struct root *root, uint32_t port)
{
	char path[40], name[64];

	snprintf(path, sizeof(path), "/proc/%u/comm", port);
	if (root_read(root, path, name, sizeof(name)) <= 0)
		return OISCSI_DAEMON_UNKNOWN;
	if (strcmp(name, "iscsid\n") == 0 || strcmp(name, "iscsid") == 0)
		return OISCSI_DAEMON_RUNS;
	if (strncmp(name, "iscsi-agentx", 12) == 0 || strncmp(name, "iscsi-r-", 8) == 0)
		return OISCSI_DAEMON_GONE;
	return OISCSI_DAEMON_UNKNOWN;
}

bool oiscsi_daemon_is(struct root *root, uint32_t pid)
{
	return look_at(root, pid) == OISCSI_DAEMON_RUNS;
}

enum oiscsi_daemon oiscsi_daemon_find(struct root *root, uint32_t *ret_pid)
{
	CLEANUP_FREE char *text = malloc(ROOT_FILE_MAX);
	enum oiscsi_daemon result = OISCSI_DAEMON_GONE;
	uint32_t ports[LISTENERS_MAX];
	size_t count;

	if (!text || root_read(root, "/proc/net/netlink", text, ROOT_FILE_MAX) <= 0)
		return OISCSI_DAEMON_UNKNOWN;
	count = oiscsi_listeners_parse(text, ports, LISTENERS_MAX);
	if (count > LISTENERS_MAX)
		result = OISCSI_DAEMON_UNKNOWN;
	for (size_t i = 0; i < count && i < LISTENERS_MAX; i++) {
		enum oiscsi_daemon seen = look_at(root, ports[i]);

		if (seen == OISCSI_DAEMON_RUNS) {
			*ret_pid = ports[i];
			return seen;
		}
		if (seen == OISCSI_DAEMON_UNKNOWN)
			result = seen;
	}
	return result;
}

enum oiscsi_daemon oiscsi_daemon_look(struct root *root)
{
	uint32_t pid;

	return oiscsi_daemon_find(root, &pid);
}
