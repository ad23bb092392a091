/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/sd_notify.h"

#include "base/text.h"

#include <stdarg.h>
#include <sys/socket.h>
#include <sys/un.h>

void sd_notify_send(const char *format, ...)
{
	const char *path = secure_getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	char message[512];
	va_list args;
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
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
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
