/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The agent as an SNMP agent of its own (-M), without snmpd: behind front.h, what agentx.h is for a
 * master agent. libnetsnmpagent speaks SNMP, decides who may see what (VACM, USM) and sends the
 * notifications; each MIB module is one plain handler that answers from the engine (mib.h).
 *
 * Never HANDLER_CAN_GETBULK: net-snmp checks the view of the last repetitions only of what such a
 * handler gives. Without it, it asks for each repetition and checks each.
 *
 * Agent process, without privileges: the sockets are the parent's (snmp_listen.h).
 */
#ifndef AGENT_SNMP_FRONT_H
#define AGENT_SNMP_FRONT_H

#include "agent/front.h"
#include "index/engine_store.h"

struct snmp_settings {
	/* The text of accessFile as the parent has read it, and the name of the file for messages.
	 */
	const char *access, *access_path;
	size_t access_length;
	struct engine engine; /* of the last start; id_length 0: there was none */
	/*
	 * Called between lines: the keys of a user take some milliseconds, an inform sink that does
	 * not answer 0.5 s, and there may be hundreds. NULL: nobody waits.
	 */
	void (*alive)(void *context);
	void *context;
};

/*
 * Initialises the library, registers the modules (a NULL ends the list, at most FRONT_MODULES_MAX)
 * and what every agent has (snmp_system.h), takes the lines of the access file (those that net-snmp
 * refuses are logged), and gives the engine of this start. Changes the process as agentx_start
 * does. Returns 0, -E2BIG, -EEXIST, -ENOMEM or -EIO. Once in a process.
 */
int snmp_front_start(const struct snmp_settings *settings, const struct mib_module *const modules[],
	struct engine *ret_engine);

/*
 * From now on requests are answered, and coldStart is sent. To be called when the engine is saved:
 * a number of starts that is forgotten and used again lets old messages be replayed (RFC 3414).
 */
void snmp_front_open(void);
bool snmp_front_is_open(void);

/* snmp_handler.c: registers a module whose requests are answered from *view. 0, -ENOMEM, -EEXIST.
 */
int snmp_handler_register(const struct mib_module *module, const struct mib_view *const *view);

/*
 * snmp_configure.c: the lines of ACCESS_ENGINE, for init_snmp to take; and all others, after it.
 * Returns the number of trap sinks that are in use.
 */
void snmp_configure_engine(const struct snmp_settings *settings);
unsigned int snmp_configure(const struct snmp_settings *settings);

#endif
