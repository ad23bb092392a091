/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A process for each try. It has nothing: no privilege, user 65534, no descriptor but a pipe to
 * the reader, little memory; so a target that libiscsi cannot cope with (a parser that crashes,
 * answers without end) costs one try of one row. What comes out of the pipe is believed no more
 * than what comes from a target. Used by the reader process of the source probe.
 */
#ifndef SOURCE_PROBE_CHILD_H
#define SOURCE_PROBE_CHILD_H

#include "base/root.h"
#include "source/probe_session.h"

#include <sys/types.h>

struct probe_child {
	pid_t pid; /* 0 none */
	int fd;	   /* readable when there is something to take */
	uint64_t kill_ns;
	int error;		      /* errno, when what it says cannot be read; 0 */
	struct probe_outcome outcome; /* what it said last */
};

/* What all of them need. */
struct probe_job {
	const struct probe_library *library;
	const char *name; /* InitiatorName */
	uint64_t timeout_ns;
	struct root *root; /* of the live machine */
	uint64_t room;	   /* octets that a try may take beyond what its reader has; 0 no limit */
	bool sandbox;	   /* each try enters a filter of system calls of its own */
};

/* Starts one. Returns 0 or a negative errno, and then there is none. */
int probe_child_start(
	const struct probe_job *job, const struct probe_place *place, struct probe_child *ret);

/* Takes what has come, without waiting. True when it is over: call probe_child_end then. */
bool probe_child_take(struct probe_child *child);

/*
 * Ends it, kills it if it still runs (which needs CAP_KILL where it is another user), and leaves in
 * child->outcome what came of it: decided, its texts clean, its numbers within the ranges of
 * model.def. Never waits for more than a process that has been killed.
 */
void probe_child_end(struct probe_child *child);

#endif
