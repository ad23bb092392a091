/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/fdpass.h"

#include <sys/socket.h>

union control {
	struct cmsghdr head;
	char room[CMSG_SPACE(sizeof(int))];
};

int fdpass_send(int socket, const void *data, size_t length, int fd, int flags)
{
	struct iovec part = { .iov_base = (void *)(uintptr_t)data, .iov_len = length };
	union control control = { .room = { 0 } };
	struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(int));
	}
	do
		n = sendmsg(socket, &message, flags | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

ssize_t fdpass_receive(int socket, void *data, size_t capacity, int *ret_fd)
{
	struct iovec part = { .iov_base = data, .iov_len = capacity };
	union control control;
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		/*
		 * Room for one descriptor: what a peer sends beside it the kernel drops. Not
		 * CMSG_SPACE: where that is rounded up to 8 octets, it holds two.
		 */
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t n;
	int fd = -1;

	do
		n = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
		if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS &&
			h->cmsg_len == CMSG_LEN(sizeof(int)))
			memcpy(&fd, CMSG_DATA(h), sizeof(int));
	}
	if (fd >= 0 && (n == 0 || (message.msg_flags & MSG_TRUNC))) {
		close(fd);
		fd = -1;
	}
	if (message.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	*ret_fd = fd;
	return n;
}
