/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AGENT_DAEMON_H
#define AGENT_DAEMON_H

#include "agent/config.h"
#include "agent/snmp_front.h"

/* The exit status when another agent keeps its index numbers in the same directories (logged). */
#define DAEMON_NOT_ALONE 75 /* EX_TEMPFAIL of sysexits(3) */

/*
 * The agent process: one thread, one poll loop over the control socket (parent), the readers
 * (reader/collector.h) and a front: AgentX (agentx.h), or with `snmp`, which is -M, managers
 * (snmp_front.h). Owns the index registry and its files. Opens nothing of the machine but those
 * files. Ends when the parent says so or is gone; returns the exit status.
 */
int daemon_run(const struct config *config, const struct snmp_settings *snmp, int control,
	const struct source_ops *const sources[]);

#endif
