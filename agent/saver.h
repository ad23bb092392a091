/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The saver process: writes the files of the index registry and of the event log for the agent
 * process, as the same unprivileged user. A process of its own because fsync waits as long as the
 * disk does: on a host whose root disk is itself on iSCSI that is for ever, just when the agent is
 * needed most.
 *
 * The agent sends a request with the file's text in a sealed memfd beside it and waits for nothing;
 * one request is in flight for each file.
 */
#ifndef AGENT_SAVER_H
#define AGENT_SAVER_H

#include "agent/config.h"

struct saver_request {
	uint64_t serial;
	uint64_t length; /* octets of the text */
	uint32_t file;	 /* enum store_file */
	uint32_t pad;
};

struct saver_reply {
	uint64_t serial;
	int32_t error; /* 0 or negative errno */
	uint32_t file;
};

/* Serves requests on `socket` until its other end is closed. Returns the exit status. */
int saver_run(const struct config *config, int socket);

#endif
