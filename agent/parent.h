/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AGENT_PARENT_H
#define AGENT_PARENT_H

#include "agent/config.h"

struct parent_settings {
	struct config config;
	struct config_location files; /* what SIGHUP reads again */
	/* What the command line fixed and no file may change: path of -x, or NULL. */
	const char *agentx_socket;
	const char *own_addresses; /* -M: an SNMP agent of its own; NULL: a subagent */
	const char *root;	   /* --root, or NULL for the live machine */
	int pid_fd;		   /* of pid_file.h, which no child shall have; -1 none */
};

/*
 * The root parent: starts the agent process and one reader for each source, restarts what ends,
 * opens the AgentX socket for the agent process (with -M the sockets it listens at, and the file
 * that says who may ask), answers signals, talks to the service manager.
 * It reads no iSCSI state and speaks no SNMP. Returns the exit status after SIGTERM or SIGINT.
 */
int parent_run(const struct parent_settings *settings);

#endif
