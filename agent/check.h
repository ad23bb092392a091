/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AGENT_CHECK_H
#define AGENT_CHECK_H

#include "agent/config.h"

struct check_settings {
	struct config config;
	int bad_lines;		   /* of the configuration, from config_load */
	const char *root;	   /* --root, or NULL */
	const char *own_addresses; /* -M, or NULL: a subagent of snmpd */
	const char *peer;	   /* address of the SNMP agent to ask, NULL: localhost */
};

/*
 * --check: looks at everything between the sources and a manager, one line each, and says the line
 * that mends what is wrong: the configuration, the directories, the sources, the daemon, the
 * AgentX socket, and whether snmpd shows our part of the tree to the community in use (a local
 * GETNEXT; snmp.conf's defVersion, defCommunity and v3 settings apply, else v2c and "iscsi").
 * While the daemon runs, a snmpd that was just restarted is waited for, some seconds at most.
 * Returns the exit status: 0 all well, 1 something is wrong.
 */
int check_run(const struct check_settings *settings);

#endif
