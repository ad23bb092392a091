/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The row sets: which objects of a snapshot are the rows of a table, and under which index. Tables
 * of any module may share one. An object without a number (registry full, or a second one with
 * the same key) has no row, and nothing below it has one.
 */
#ifndef AGENT_MIB_ROWS_H
#define AGENT_MIB_ROWS_H

#include "agent/mib.h"

extern const struct mib_rowset rows_instance;	 /* instance */
extern const struct mib_rowset rows_portal;	 /* instance, portal */
extern const struct mib_rowset rows_tgt_portal;	 /* instance, portal, node or 0: target portals */
extern const struct mib_rowset rows_intr_portal; /* likewise: initiator portals */
extern const struct mib_rowset rows_node;	 /* instance, node */
extern const struct mib_rowset rows_target;	 /* likewise: nodes with the role of a target */
extern const struct mib_rowset rows_initiator;	 /* likewise: of an initiator */
extern const struct mib_rowset rows_tgt_auth;	 /* instance, target node, identity */
extern const struct mib_rowset rows_intr_auth;	 /* instance, initiator node, identity */
extern const struct mib_rowset rows_session;	 /* instance, local node, session */
extern const struct mib_rowset rows_connection;	 /* instance, local node, session, connection */
extern const struct mib_rowset rows_path;	 /* path */
extern const struct mib_rowset rows_device;	 /* instance, local node, session, LUN */
extern const struct mib_rowset rows_source;	 /* source */
extern const struct mib_rowset rows_map;	 /* multipath map */
extern const struct mib_rowset rows_probe;	 /* probe */
extern const struct mib_rowset rows_event;	 /* event */
extern const struct mib_rowset rows_summary;	 /* scalars: the summary of the host */
extern const struct mib_rowset rows_agent;	 /* scalars: the agent */

#endif
