/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages with at most one descriptor beside them over a SOCK_SEQPACKET pair: how the processes
 * of the program talk (reader/protocol.h, agent/control.h).
 */
#ifndef BASE_FDPASS_H
#define BASE_FDPASS_H

#include "base/base.h"

/*
 * Sends `length` octets as one message, with `fd` (-1 none; stays the caller's). `flags` are those
 * of sendmsg(2); MSG_NOSIGNAL is always added. Returns 0 or a negative errno.
 */
int fdpass_send(int socket, const void *data, size_t length, int fd, int flags);

/*
 * Receives one message of at most `capacity` octets, never blocking. *ret_fd is -1 or a descriptor
 * (close-on-exec, the caller's to close), whatever the peer has sent: of several the first one.
 * Returns its length, 0 when the other end is closed or sends an empty message (*ret_fd is -1
 * then), -EAGAIN when there is none, -EMSGSIZE when it was longer, or another negative errno;
 * nothing is left open then.
 */
ssize_t fdpass_receive(int socket, void *data, size_t capacity, int *ret_fd);

#endif
