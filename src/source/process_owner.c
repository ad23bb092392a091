/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/process_owner.h"

#define USER_IDS 4 /* real, effective, saved, of the file system */

/* A line of /proc/PID/status: "Uid:\t0\t0\t0\t0". */
static bool are_trusted(const char *at)
{
	for (int i = 0; i < USER_IDS; i++) {
		char *end;
		unsigned long id = strtoul(at, &end, 10);

		if (end == at || (id != 0 && id != geteuid()))
			return false;
		at = end;
	}
	return *at == '\n';
}

int process_owner_is_trusted(struct root *root, uint32_t pid)
{
	char path[32], status[4096];
	const char *line;
	ssize_t rc;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	rc = root_read(root, path, status, sizeof(status));
	if (rc == -ENOENT || rc == -ESRCH)
		return 1;
	if (rc < 0)
		return (int)rc;
	line = strstr(status, "\nUid:");
	return line && are_trusted(line + strlen("\nUid:"));
}
