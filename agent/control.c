/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/control.h"

#include "base/fdpass.h"

#include <sys/socket.h>

int control_send(int socket, const struct control_message *m, int fd)
{
	return fdpass_send(socket, m, sizeof(*m), fd, MSG_DONTWAIT);
}

int control_receive(int socket, struct control_message *ret, int *ret_fd)
{
	struct control_message m;
	int fd = -1;
	ssize_t n = fdpass_receive(socket, &m, sizeof(m), &fd);

	if (n <= 0)
		return (int)n;
	if (n != (ssize_t)sizeof(m) || !memchr(m.text, 0, sizeof(m.text))) {
		if (fd >= 0)
			close(fd);
		return -EBADMSG;
	}
	*ret = m;
	*ret_fd = fd;
	return 1;
}
