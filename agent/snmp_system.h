/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every manager asks of an agent beside its own objects, for an agent of its own (-M): the
 * system group with sysORTable and the counters of the snmp group (SNMPv2-MIB), the engine
 * (SNMP-FRAMEWORK-MIB), and the statistics of the message processing and of USM. Read-only.
 *
 * Not libnetsnmpmibs: it has these only together with files that it reads and writes, and needs two
 * more libraries. Agent process.
 */
#ifndef AGENT_SNMP_SYSTEM_H
#define AGENT_SNMP_SYSTEM_H

#include "agent/snmp_access.h"

/* Registers these objects with net-snmp, after init_agent. Returns 0, -ENOMEM or -EEXIST. */
int snmp_system_register(void);

/* A line of ACCESS_SYSTEM: sysContact and the like; cut at 255 octets. */
void snmp_system_set(const struct access_line *line);

#endif
