/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/control.h"

#include "base/fdpass.h"
#include "base/text.h"

#include <sys/socket.h>

/* Octets of a message: the configuration is long, and only in its own. */
static size_t message_length(uint32_t type)
{
	return type == CONTROL_CONFIG ? sizeof(struct control_message)
				      : offsetof(struct control_message, config);
}

/* The text is shown to the service manager and in the log: one line, and no control character. */
static bool is_one_line(const struct control_message *m)
{
	size_t length = strnlen(m->text, sizeof(m->text));

	return length < sizeof(m->text) && text_is_clean(m->text, length, length);
}

int control_send(int socket, const struct control_message *m, int fd)
{
	return fdpass_send(socket, m, message_length(m->type), fd, MSG_DONTWAIT);
}

int control_receive(int socket, struct control_message *ret, int *ret_fd)
{
	struct control_message m = { .type = 0 };
	int fd = -1;
	ssize_t n = fdpass_receive(socket, &m, sizeof(m), &fd);

	if (n <= 0)
		return (int)n;
	if (n != (ssize_t)message_length(m.type) || !is_one_line(&m)) {
		if (fd >= 0)
			close(fd);
		return -EBADMSG;
	}
	*ret = m;
	*ret_fd = fd;
	return 1;
}
