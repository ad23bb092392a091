/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How net-snmp's library is set up for an agent that serves numbers and nothing else: no MIB
 * modules, no files, no signals. Used by agentx.c and snmp_front.c, in the agent process.
 */
#ifndef AGENT_AGENTX_LIBRARY_H
#define AGENT_AGENTX_LIBRARY_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/mib.h"

/* What every agent wants of the library and the process; before init_agent. */
void library_set_process(void);

/* The same, and what an AgentX subagent wants; before init_agent. Returns 0 or -ENOMEM. */
int library_set_options(void);

/*
 * Makes the library register the module's subtree with each session, after init_agent. Returns 0,
 * -ENOMEM, or -EEXIST when it overlaps with another.
 */
int library_register(const struct mib_module *module);

/* Makes it add our capabilities to the master's sysORTable. Returns 0, -EINVAL or -ENOMEM. */
int library_register_capabilities(void);

/* Asks the master once more to register the module: the library itself does that only once. */
void library_register_again(const struct mib_module *module);

/*
 * Ends the library's own Ping of an open session: it waits for the answer, 300 ms, and then gives
 * the master up. The guard's Ping waits for nothing.
 */
void library_stop_ping(netsnmp_session *session);

/*
 * Without a session: makes the library's next try not later than `due_ns` (CLOCK_MONOTONIC; the
 * past is now). It tries once in a ping interval by itself.
 */
void library_hasten(uint64_t due_ns);

#endif
