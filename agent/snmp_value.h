/* SPDX-License-Identifier: BSD-2-Clause */
/* From values of the engine to net-snmp's. For the snmp_*.c, in the agent process. */
#ifndef AGENT_SNMP_VALUE_H
#define AGENT_SNMP_VALUE_H

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>

#include "agent/mib.h"

/* Gives a varbind a copy of the value. Returns 0 or -ENOMEM. */
int snmp_value_set(netsnmp_variable_list *varbind, const struct mib_value *value);

/*
 * The varbinds of a Notify PDU that agentx_write_notify (agentx_write.h) began, with `uptime_cs` as
 * its sysUpTime; freed with snmp_free_varbind. NULL without memory, or if it is none.
 */
netsnmp_variable_list *snmp_value_list(const uint8_t *octets, size_t length, uint32_t uptime_cs);

#endif
