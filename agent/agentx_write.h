/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Variable bindings as octets (RFC 2741 section 5): what the Responses (agentx_answer.c) and the
 * notifications (agentx_notify.c) of the agent process have in common. Pure.
 */
#ifndef AGENT_AGENTX_WRITE_H
#define AGENT_AGENTX_WRITE_H

#include "agent/agentx_wire.h"
#include "agent/mib.h"

/* Types of a VarBind's value, RFC 2741 section 5.4. */
enum agentx_value_type {
	AGENTX_INTEGER = 2,
	AGENTX_OCTETS = 4,
	AGENTX_OBJECT_ID = 6,
	AGENTX_COUNTER32 = 65,
	AGENTX_GAUGE32 = 66,
	AGENTX_TIMETICKS = 67,
	AGENTX_COUNTER64 = 70,
	AGENTX_NO_SUCH_OBJECT = 128,
	AGENTX_NO_SUCH_INSTANCE = 129,
	AGENTX_END_OF_VIEW = 130,
};

/* A PDU that is being written. What does not fit sets `full` and changes nothing else. */
struct agentx_writer {
	uint8_t *octets;
	size_t length; /* octets written */
	size_t limit;  /* octets there is room for */
	bool big, full;
};

/*
 * The beginning of a Notify PDU in network order: room for the header, sysUpTime.0 with the value
 * 0, and snmpTrapOID.0 with the notification's name; its objects follow by agentx_write_binding.
 * `octets` holds `limit`. RFC 2741 section 6.2.10 has the order.
 */
void agentx_write_notify(
	struct agentx_writer *w, uint8_t *octets, size_t limit, const mib_oid *ids, size_t length);

/* Puts the sysUpTime of the event (1/100 s) where agentx_write_notify has left room for it. */
void agentx_notify_set_uptime(uint8_t *octets, uint32_t uptime_cs);

/* One VarBind, all of it or nothing of it. */
void agentx_write_binding(
	struct agentx_writer *w, const mib_oid *ids, size_t length, const struct mib_value *value);

/* One VarBind without a value: AGENTX_NO_SUCH_OBJECT, …_INSTANCE or AGENTX_END_OF_VIEW. */
void agentx_write_exception(
	struct agentx_writer *w, const mib_oid *ids, size_t length, enum agentx_value_type type);

#endif
