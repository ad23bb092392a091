/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operator is told about the connection to the master: one message for each change of
 * state, none for each try. Used by agentx.c, in the agent process.
 */
#ifndef AGENT_AGENTX_REPORT_H
#define AGENT_AGENTX_REPORT_H

#include "agent/agentx.h"
#include "agent/agentx_stream.h"

struct agentx_facts {
	enum agentx_state state;
	const struct agentx_settings *settings;
	int connect_error;	  /* 0, or the negative errno of the last try to connect */
	enum stream_end ended;	  /* why the last connection ended */
	uint16_t open_error;	  /* enum agentx_error with which the master refused the session */
	const char *refused_name; /* with AGENTX_REFUSED: the module, */
	uint16_t refused_error;	  /* and the answer to its registration */
};

/* Called after each turn; logs when `facts` is news. */
void agentx_report(const struct agentx_facts *facts);

/* "duplicate registration (263)": a static text for a value of res.error, never NULL. */
const char *agentx_error_text(uint16_t error);

#endif
