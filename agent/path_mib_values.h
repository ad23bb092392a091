/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns of ISCSI-PATH-MIB that are more than one field: texts made of several, what hangs on
 * a linked object, ages. For path_mib.c.
 */
#ifndef AGENT_PATH_MIB_VALUES_H
#define AGENT_PATH_MIB_VALUES_H

#include "agent/mib_columns.h"

/* The agent; the only value that goes on within a view: its age at the moment of the request. */
mib_encoder encode_snapshot_age;

/* Paths: path_mib_values.c. */
mib_encoder encode_portal;
mib_encoder encode_local_portal;
mib_encoder encode_local_address_type;
mib_encoder encode_local_address;
mib_encoder encode_local_port;
mib_encoder encode_remote_portal;
mib_encoder encode_remote_address_type;
mib_encoder encode_remote_address;
mib_encoder encode_remote_port;
mib_encoder encode_connection_pointer;
mib_encoder encode_unique_id;
mib_encoder encode_primary;
mib_encoder encode_error_text;
mib_encoder encode_login_text;
mib_encoder encode_status_age;
mib_encoder encode_status_date;
mib_encoder encode_session_number;

/* Sources: path_mib_values.c. */
mib_encoder encode_source_age;
mib_encoder encode_source_good;

/* Probes: path_mib_probe.c. */
mib_encoder encode_probe_portal;
mib_encoder encode_probe_login_text;

/* Events: path_mib_event.c. */
mib_encoder encode_event_date;
mib_encoder encode_event_row;

/* Sessions: path_mib_session.c. */
mib_encoder encode_caption;
mib_encoder encode_description;
mib_encoder encode_element_name;
mib_encoder encode_name;
mib_encoder encode_instance_id;
mib_encoder encode_end_point_name;
mib_encoder encode_operational_status;
mib_encoder encode_status_descriptions;
mib_encoder encode_status;
mib_encoder encode_health_state;
mib_encoder encode_enabled_state;
mib_encoder encode_condition_date;
mib_encoder encode_aggregation;
mib_encoder encode_session_type;

#endif
