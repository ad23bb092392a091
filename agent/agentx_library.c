/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>
#include <net-snmp/agent/agent_callbacks.h>
#include <net-snmp/agent/agent_sysORTable.h>

#include "agent/agentx_library.h"

#include "agent/agentx_transport.h"
#include "agent/private_oid.h"
#include "base/clock.h"

#include <signal.h>

/* How long the library may wait for the answer to one of its calls, µs. */
#define CALL_TIMEOUT_US 300000

#define NS_PER_US UINT64_C(1000)

/*
 * SNMP_CALLBACK_SESSION_INIT: passed by each session that the library makes, all of them with the
 * master or within the process.
 */
static int on_session_init(int major, int minor, void *session, void *unused)
{
	netsnmp_session *s = session;

	(void)major;
	(void)minor;
	(void)unused;
	if (s) {
		s->timeout = CALL_TIMEOUT_US;
		s->retries = 0;
	}
	return 0;
}

void library_set_process(void)
{
	static const int library[] = {
		NETSNMP_DS_LIB_DONT_READ_CONFIGS,
		NETSNMP_DS_LIB_DONT_LOAD_HOST_FILES,
		NETSNMP_DS_LIB_DISABLE_PERSISTENT_LOAD,
		NETSNMP_DS_LIB_DISABLE_PERSISTENT_SAVE,
		NETSNMP_DS_LIB_ALARM_DONT_USE_SIG,
	};

	/*
	 * A process that serves numbers needs no MIB modules and no certificates, and must not
	 * write an index of either.
	 */
	setenv("MIBS", "", 1);
	setenv("MIBDIRS", "/dev/null", 1);
	setenv("SNMPCONFPATH", "/dev/null", 1);
	set_persistent_directory("/dev/null");
	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < ARRAY_SIZE(library); i++)
		netsnmp_ds_set_boolean(NETSNMP_DS_LIBRARY_ID, library[i], 1);
}

int library_set_options(void)
{
	library_set_process();
	netsnmp_enable_subagent();
	netsnmp_ds_set_boolean(
		NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_NO_CONNECTION_WARNINGS, 1);
	netsnmp_ds_set_string(
		NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, TRANSPORT_ADDRESS);
	return netsnmp_register_callback(SNMP_CALLBACK_LIBRARY, SNMP_CALLBACK_SESSION_INIT,
		       on_session_init, NULL, NETSNMP_CALLBACK_HIGHEST_PRIORITY)
		       ? -ENOMEM
		       : 0;
}

/*
 * The registration is what the library needs a handler for; the guard lets no request through to
 * it, so that this one is never called.
 */
static int no_request(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
	netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	(void)handler;
	(void)registration;
	(void)info;
	(void)requests;
	return SNMP_ERR_GENERR;
}

int library_register(const struct mib_module *module)
{
	netsnmp_handler_registration *r = netsnmp_create_handler_registration(
		module->name, no_request, module->root, module->root_length, HANDLER_CAN_RONLY);

	if (!r)
		return -ENOMEM;
	return netsnmp_register_handler(r) == MIB_REGISTERED_OK ? 0 : -EEXIST;
}

int library_register_capabilities(void)
{
	static oid name[] = { ISCSI_AGENTX_PRIVATE_OID, 2, 1 };

	return register_sysORTable(name, ARRAY_SIZE(name),
		       "iSCSI state of this host: ISCSI-MIB and ISCSI-PATH-MIB, read-only")
		       ? -ENOMEM
		       : 0;
}

void library_register_again(const struct mib_module *module)
{
	oid root[MAX_OID_LEN];
	struct register_parameters p = {
		.name = root, .namelen = module->root_length, .priority = DEFAULT_MIB_PRIORITY
	};

	memcpy(root, module->root, module->root_length * sizeof(*root));
	snmp_call_callbacks(SNMP_CALLBACK_APPLICATION, SNMPD_CALLBACK_REGISTER_OID, &p);
}

void library_stop_ping(netsnmp_session *session)
{
	if (session->securityModel == SNMP_DEFAULT_SECMODEL)
		return;
	snmp_alarm_unregister((unsigned int)session->securityModel);
	session->securityModel = SNMP_DEFAULT_SECMODEL;
}

void library_hasten(uint64_t due_ns)
{
	/* While there is no session its tries are the only alarm. */
	struct snmp_alarm *next = sa_find_next();
	uint64_t next_ns;

	if (!next)
		return;
	next_ns = (uint64_t)next->t_nextM.tv_sec * NS_PER_S +
		  (uint64_t)next->t_nextM.tv_usec * NS_PER_US;
	if (due_ns >= next_ns)
		return;
	next->t_nextM.tv_sec = (time_t)(due_ns / NS_PER_S);
	next->t_nextM.tv_usec = (suseconds_t)(due_ns % NS_PER_S / NS_PER_US);
}
