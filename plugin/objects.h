/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the objects that are asked for, as sub-identifiers below their module. */
#ifndef PLUGIN_OBJECTS_H
#define PLUGIN_OBJECTS_H

#include "agent/private_oid.h"

/* ISCSI-MIB and ISCSI-PATH-MIB, where their objects begin. */
#define ISCSI_OBJECTS 1, 3, 6, 1, 2, 1, 142, 1
#define PATH_OBJECTS  ISCSI_AGENTX_PRIVATE_OID, 1, 1

#define HOST_UPTIME 1, 3, 6, 1, 2, 1, 25, 1, 1, 0 /* hrSystemUptime; sysUpTime is of snmpd */

#define SUMMARY(column)	    PATH_OBJECTS, 1, column, 0
#define PATH_COLUMN(column) PATH_OBJECTS, 3, 1, column

/* A name and its length, as the functions of client.h want them. */
#define NAME(...) (const oid[]){ __VA_ARGS__ }, sizeof((const oid[]){ __VA_ARGS__ }) / sizeof(oid)

#endif
