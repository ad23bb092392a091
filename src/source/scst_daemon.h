/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iscsi-scstd, the part of SCST's iSCSI target that runs as a process: whether it is there, where
 * it listens, and what it says of the targets. In the reader process of the source only.
 *
 * When it is asked, and when not. The files of a target's parameters are answered by the daemon:
 * the kernel passes the question on and waits. While it waits, up to 31 s, it takes no notice of
 * signals, and a reader that has been killed there does not sleep but spins (SCST 3.11.0-pre,
 * scst_wait_info_completion). So the daemon is asked seldom and only when it is likely to answer:
 *   - the kernel says that it is connected (open_state; else each question is an error in the
 *     kernel's log),
 *   - its process, by its pid file, is not stopped or stuck,
 *   - what it said last is five minutes old, half a minute if something could not be read,
 *   - not for five minutes after an answer that took half a second,
 *   - in the first half of a poll's time, so that the kernel's own files are always read.
 * What it said is kept until it says something else or another daemon is there.
 */
#ifndef SOURCE_SCST_DAEMON_H
#define SOURCE_SCST_DAEMON_H

#include "source/scst_memory.h"
#include "source/scst_read.h"

struct scst_daemon {
	int32_t pid; /* 0: no daemon is known */
	struct scst_process process;
	bool listener_known;
	struct scst_listener listener; /* points into arguments */
	bool ipv6;		       /* this host has it */
	bool same_network;	       /* its network namespace is, as far as is known, ours */
	char arguments[4096];
};

/* Finds the daemon's process. Ends the poll only when it is not known whether there is one. */
void scst_daemon_find(struct scst_reader *r, struct scst_daemon *ret);

/*
 * Asks it, as above, for what is not known or old, and keeps that in the memory. A daemon other
 * than before makes the memory forget what that one said.
 */
void scst_daemon_ask(
	struct scst_reader *r, const struct scst_daemon *daemon, struct scst_memory *m);

#endif
