/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the root parent and the agent process say to each other, over a SOCK_SEQPACKET pair. The
 * parent trusts the agent no further than this list: it can have the master's socket opened, a
 * reader ended, and a line of status shown.
 */
#ifndef AGENT_CONTROL_H
#define AGENT_CONTROL_H

#include "agent/config.h"

enum control_type {
	/* agent to parent */
	CONTROL_CONNECT = 1,   /* open the master's socket: answered by CONTROL_SOCKET */
	CONTROL_READER_FAILED, /* value: the source's number; its reader is to be ended */
	CONTROL_ALIVE,	       /* value: 1 once the first view is served; text: status, one line */
	/* parent to agent */
	CONTROL_SOCKET, /* value: 0 and the descriptor, or a negative errno */
	CONTROL_READER, /* value: the source's number; the descriptor is its new reader */
	CONTROL_SAVER,	/* the descriptor is the new saver process (saver.h) */
	CONTROL_CONFIG, /* new intervals and rules for paths */
	CONTROL_STOP,	/* close the session and exit */
};

struct control_message {
	uint32_t type;
	int32_t value;
	char text[160];
	struct config config; /* CONTROL_CONFIG */
};

/* A message with an optional descriptor (-1 none). Never blocks. Returns 0 or a negative errno. */
int control_send(int socket, const struct control_message *m, int fd);

/*
 * The next message and its descriptor (-1 none; the caller's to close). Never blocks. Returns 1,
 * 0 when the other end is closed, -EAGAIN when there is none now, -EBADMSG (a wrong length, or a
 * text that has no end or is not clean, see base/text.h), or another errno.
 */
int control_receive(int socket, struct control_message *ret, int *ret_fd);

#endif
