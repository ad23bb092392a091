/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/sd_notify.h"

#include "base/text.h"

#include <sys/socket.h>
#include <sys/un.h>

void sd_notify_send(const char *state, const char *status)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char message[512], clean[256] = "";
	size_t length;
	CLEANUP_FD int fd = -1;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	length = strlen(path);
	if (length >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, length);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* the abstract namespace */
	/* Each line is an assignment of its own that the manager obeys, MAINPID= as well. */
	if (status)
		text_sanitize(clean, sizeof(clean) - 1, status, strlen(status));
	snprintf(message, sizeof(message), "%s%s%s%s", state ? state : "",
		state && status ? "\n" : "", status ? "STATUS=" : "", clean);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nothing can be done about a manager that does not listen. */
	(void)!sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
		(const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
}

uint64_t sd_notify_watchdog_ns(void)
{
	const char *usec = secure_getenv("WATCHDOG_USEC");
	uint64_t value;

	if (!usec || text_to_u64(usec, UINT64_MAX / 1000, &value) < 0)
		return 0;
	return value * 1000 / 2;
}
