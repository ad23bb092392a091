/* SPDX-License-Identifier: BSD-2-Clause */
/* What only root can do for an agent of its own (-M): the root parent's part. */
#ifndef AGENT_SNMP_SETUP_H
#define AGENT_SNMP_SETUP_H

#include "agent/snmp_front.h"

/*
 * Reads who may ask from the file `path` into `settings`; what was there is freed. With `again`
 * (SIGHUP) what is in force stays when a line is bad. Returns 1 when it is not what it was, 0, or a
 * negative errno (logged).
 */
int snmp_setup_access(struct snmp_settings *settings, const char *path, bool again);

/*
 * At the start: reads who may ask, and opens the sockets at `addresses` (snmp_listen.h). `path`
 * must live as long as `settings`. Returns 0 or a negative errno (logged).
 */
int snmp_setup(struct snmp_settings *settings, const char *path, const char *addresses);

void snmp_setup_free(struct snmp_settings *settings);

#endif
