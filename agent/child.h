/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The child processes: each is forked by the root parent, gives up what it does not need, and runs
 * one function until it ends.
 */
#ifndef AGENT_CHILD_H
#define AGENT_CHILD_H

#include "agent/config.h"
#include "agent/snmp_front.h"

#include <sys/types.h>

struct child_context {
	const struct config *config;
	const char *root;		  /* --root or NULL */
	const struct snmp_settings *snmp; /* -M, or NULL: the agent process uses AgentX */
	int parent_fds[4];		  /* what a child must not have: closed in it; -1 none */
	bool drop_privileges;		  /* the parent is root */
	uid_t user;			  /* of the agent process */
	gid_t group;
};

/*
 * Starts the agent process, whose control socket (agent/control.h) is `control`. Returns its pid or
 * a negative errno.
 */
pid_t child_start_agent(
	const struct child_context *context, int control, const struct source_ops *const sources[]);

/* Starts the saver process (saver.h); `socket` is its end of the pair. Returns its pid or -errno.
 */
pid_t child_start_saver(const struct child_context *context, int socket);

/* Starts the reader of a source; `socket` is its end of the pair. Returns its pid or -errno. */
pid_t child_start_reader(
	const struct child_context *context, int socket, const struct source_ops *ops);

#endif
