/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the agent process and a reader process say to each other, over a SOCK_SEQPACKET pair made
 * by their common parent. Both are the same program on the same machine: plain structures in
 * native order. The agent sends one request and waits; the reader answers it with a READER_UNIT
 * message for each unit as it is done, then one READER_DONE.
 *
 * Besides, a reader may send a READER_HINT at any time: something has happened that a poll should
 * show soon. It carries nothing, so that it may come too often or be lost.
 *
 * A good unit's fragment comes as a memfd beside the message (SCM_RIGHTS), sealed against any
 * change, so that the agent can check it where it is.
 */
#ifndef READER_PROTOCOL_H
#define READER_PROTOCOL_H

#include "reader/collection.h"

#define READER_MAGIC 0x69736372u

enum reader_message_type {
	READER_UNIT = 1, /* one unit: good, with a fragment, or failed */
	READER_DONE = 2, /* the poll is over; units that were not named no longer exist */
	READER_HINT = 3, /* poll soon; without a serial */
};

struct reader_request {
	uint32_t magic;
	uint32_t pad;
	uint64_t serial;      /* goes up by one with each request */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC: the reader gives up its waits by then */
};

struct reader_message {
	uint32_t magic;
	uint32_t type;
	uint64_t serial;
	uint64_t length; /* octets of the fragment, 0 without */
	uint64_t wall_ns, cpu_ns;
	int32_t error;	  /* 0 or negative errno */
	uint32_t present; /* READER_DONE: 0 the stack is not on this machine */
	char unit[UNIT_NAME_MAX];
	char message[UNIT_MESSAGE_MAX]; /* of a good unit: its note */
};

#endif
