/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "agent/snmp_system.h"

#include "agent/private_oid.h"
#include "agent/snmp_value.h"

#include <strings.h>
#include <sys/utsname.h>

#define TEXT_MAX 255u /* DisplayString of the system group */

static struct {
	char description[TEXT_MAX + 1], contact[TEXT_MAX + 1], name[TEXT_MAX + 1],
		location[TEXT_MAX + 1];
} texts;

/* sysORTable: what is true for this agent. Rows are there since the start. */
static const struct {
	mib_oid id[16];
	uint8_t length;
	const char *description;
} resources[] = {
	{ { ISCSI_AGENTX_PRIVATE_OID, 2, 1 }, 12,
		"iSCSI state of this host: ISCSI-MIB and ISCSI-PATH-MIB, read-only" },
	{ { 1, 3, 6, 1, 6, 3, 10, 3, 1, 1 }, 10, "The SNMP management architecture, RFC 3411" },
	{ { 1, 3, 6, 1, 6, 3, 11, 3, 1, 1 }, 10, "Message processing and dispatching, RFC 3412" },
};

_Static_assert(ARRAY_SIZE(((const mib_oid[]){ ISCSI_AGENTX_PRIVATE_OID })) <= 14,
	"the capabilities fit into a row");

/* The node that netSnmpAgentOIDs has for Linux: what managers take the system's kind from. */
static const mib_oid linux_id[] = { 1, 3, 6, 1, 4, 1, 8072, 3, 2, 10 };

/* ---- one function for each kind of value; `argument` is the object's ---- */

typedef void show_fn(intptr_t argument, struct mib_value *ret);

static void show_number(enum mib_syntax syntax, uint64_t number, struct mib_value *ret)
{
	ret->syntax = syntax;
	ret->number = number;
}

static void show_octets(const char *data, size_t length, struct mib_value *ret)
{
	ret->syntax = MIB_OCTETS;
	ret->octets.data = data;
	ret->octets.length = length;
}

static void show_text(intptr_t text, struct mib_value *ret)
{
	show_octets((const char *)text, strlen((const char *)text), ret);
}

static void show_kind(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	ret->syntax = MIB_OBJECT_ID;
	ret->oid.ids = linux_id;
	ret->oid.length = ARRAY_SIZE(linux_id);
}

static void show_uptime(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	show_number(MIB_TIMESTAMP, netsnmp_get_agent_uptime(), ret);
}

static void show_constant(intptr_t number, struct mib_value *ret)
{
	show_number(MIB_INTEGER, (uint64_t)number, ret);
}

static void show_stamp(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	show_number(MIB_TIMESTAMP, 0, ret);
}

static void show_statistic(intptr_t which, struct mib_value *ret)
{
	show_number(MIB_COUNTER32, snmp_get_statistic((int)which), ret);
}

/* snmp_enableauthentraps of agent_trap.c, which no header declares: enabled 1, disabled 2. */
extern long snmp_enableauthentraps;

static void show_authen_traps(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	show_number(MIB_INTEGER, (uint64_t)snmp_enableauthentraps, ret);
}

static void show_engine_id(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	show_octets(ret->text, snmpv3_get_engineID((u_char *)ret->text, sizeof(ret->text)), ret);
}

static void show_engine_boots(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	show_number(MIB_INTEGER, snmpv3_local_snmpEngineBoots(), ret);
}

static void show_engine_time(intptr_t unused, struct mib_value *ret)
{
	(void)unused;
	show_number(MIB_INTEGER, snmpv3_local_snmpEngineTime(), ret);
}

static void show_resource_id(intptr_t row, struct mib_value *ret)
{
	ret->syntax = MIB_OBJECT_ID;
	ret->oid.ids = resources[row].id;
	ret->oid.length = resources[row].length;
}

static void show_resource_text(intptr_t row, struct mib_value *ret)
{
	show_text((intptr_t)resources[row].description, ret);
}

/* ---- the objects ---- */

struct served {
	mib_oid name[13];
	uint8_t length;
	show_fn *show;
	intptr_t argument;
};

#define SYSTEM	 1, 3, 6, 1, 2, 1, 1
#define SNMP	 1, 3, 6, 1, 2, 1, 11
#define ENGINE	 1, 3, 6, 1, 6, 3, 10, 2, 1
#define MPD	 1, 3, 6, 1, 6, 3, 11, 2, 1
#define USM	 1, 3, 6, 1, 6, 3, 15, 1, 1
#define OR_ENTRY SYSTEM, 9, 1

static const mib_oid roots[][10] = { { SYSTEM }, { SNMP }, { ENGINE }, { MPD }, { USM } };
static const uint8_t root_lengths[] = { 7, 7, 9, 9, 9 };

#define SCALAR_7(root, id, ...)                 \
	{                                       \
		{ root, id, 0 }, 9, __VA_ARGS__ \
	}
#define SCALAR_9(root, id, ...)                  \
	{                                        \
		{ root, id, 0 }, 11, __VA_ARGS__ \
	}
#define RESOURCE(column, row, show)                            \
	{                                                      \
		{ OR_ENTRY, column, (row) + 1 }, 11, show, row \
	}
#define RESOURCES(column, show) \
	RESOURCE(column, 0, show), RESOURCE(column, 1, show), RESOURCE(column, 2, show)

/*
 * Sorted by name. sysServices: an end system, with applications (RFC 3418). No snmpSilentDrops: the
 * library has the number and counts nothing in it. Nor in snmpProxyDrops, but there 0 is true:
 * nothing is forwarded.
 */
static const struct served objects[] = {
	SCALAR_7(SYSTEM, 1, show_text, (intptr_t)texts.description),
	SCALAR_7(SYSTEM, 2, show_kind, 0),
	SCALAR_7(SYSTEM, 3, show_uptime, 0),
	SCALAR_7(SYSTEM, 4, show_text, (intptr_t)texts.contact),
	SCALAR_7(SYSTEM, 5, show_text, (intptr_t)texts.name),
	SCALAR_7(SYSTEM, 6, show_text, (intptr_t)texts.location),
	SCALAR_7(SYSTEM, 7, show_constant, 72),
	SCALAR_7(SYSTEM, 8, show_stamp, 0),
	RESOURCES(2, show_resource_id),
	RESOURCES(3, show_resource_text),
	RESOURCES(4, show_stamp),
	SCALAR_7(SNMP, 1, show_statistic, STAT_SNMPINPKTS),
	SCALAR_7(SNMP, 3, show_statistic, STAT_SNMPINBADVERSIONS),
	SCALAR_7(SNMP, 4, show_statistic, STAT_SNMPINBADCOMMUNITYNAMES),
	SCALAR_7(SNMP, 5, show_statistic, STAT_SNMPINBADCOMMUNITYUSES),
	SCALAR_7(SNMP, 6, show_statistic, STAT_SNMPINASNPARSEERRS),
	SCALAR_7(SNMP, 30, show_authen_traps, 0),
	SCALAR_7(SNMP, 32, show_statistic, STAT_SNMPPROXYDROPS),
	SCALAR_9(ENGINE, 1, show_engine_id, 0),
	SCALAR_9(ENGINE, 2, show_engine_boots, 0),
	SCALAR_9(ENGINE, 3, show_engine_time, 0),
	SCALAR_9(ENGINE, 4, show_constant, 65507), /* the longest datagram */
	SCALAR_9(MPD, 1, show_statistic, STAT_SNMPUNKNOWNSECURITYMODELS),
	SCALAR_9(MPD, 2, show_statistic, STAT_SNMPINVALIDMSGS),
	SCALAR_9(MPD, 3, show_statistic, STAT_SNMPUNKNOWNPDUHANDLERS),
	SCALAR_9(USM, 1, show_statistic, STAT_USMSTATSUNSUPPORTEDSECLEVELS),
	SCALAR_9(USM, 2, show_statistic, STAT_USMSTATSNOTINTIMEWINDOWS),
	SCALAR_9(USM, 3, show_statistic, STAT_USMSTATSUNKNOWNUSERNAMES),
	SCALAR_9(USM, 4, show_statistic, STAT_USMSTATSUNKNOWNENGINEIDS),
	SCALAR_9(USM, 5, show_statistic, STAT_USMSTATSWRONGDIGESTS),
	SCALAR_9(USM, 6, show_statistic, STAT_USMSTATSDECRYPTIONERRORS),
};

/* The object of that name, or with `next` the first one behind it (or it, with `include`). */
static const struct served *find(const mib_oid *name, size_t length, bool next, bool include)
{
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		int order = mib_compare(objects[i].name, objects[i].length, name, length);

		if (next ? order > 0 || (order == 0 && include) : order == 0)
			return &objects[i];
	}
	return NULL;
}

static bool is_below(const struct served *o, const mib_oid *root, size_t length)
{
	return o->length > length && mib_compare(o->name, length, root, length) == 0;
}

/* An instance is missing, or the whole object is. */
static int missing_of(const mib_oid *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
		size_t object = objects[i].length - 1u;

		if (length >= object && mib_compare(name, object, objects[i].name, object) == 0)
			return SNMP_NOSUCHINSTANCE;
	}
	return SNMP_NOSUCHOBJECT;
}

static int answer(
	netsnmp_handler_registration *registration, netsnmp_request_info *request, bool next)
{
	netsnmp_variable_list *varbind = request->requestvb;
	const struct served *o =
		find(varbind->name, varbind->name_length, next, request->inclusive);
	struct mib_value value;

	if (!o && !next) {
		netsnmp_request_set_error(request, missing_of(varbind->name, varbind->name_length));
		return SNMP_ERR_NOERROR;
	}
	/* Nothing said: the library goes on behind this region. */
	if (!o || !is_below(o, registration->rootoid, registration->rootoid_len))
		return SNMP_ERR_NOERROR;
	o->show(o->argument, &value);
	if ((next && snmp_set_var_objid(varbind, o->name, o->length)) ||
		snmp_value_set(varbind, &value) < 0)
		return SNMP_ERR_GENERR;
	return SNMP_ERR_NOERROR;
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
	netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	(void)handler;
	for (; requests; requests = requests->next) {
		int rc;

		if (requests->processed)
			continue;
		rc = answer(registration, requests, info->mode == MODE_GETNEXT);
		if (rc == SNMP_ERR_GENERR)
			return rc;
	}
	return SNMP_ERR_NOERROR;
}

static void set_defaults(void)
{
	struct utsname host;

	if (uname(&host) < 0)
		memset(&host, 0, sizeof(host));
	snprintf(texts.description, sizeof(texts.description),
		"iscsi-agentx " ISCSI_AGENTX_VERSION ", %.60s %.60s %.60s", host.sysname,
		host.release, host.machine);
	snprintf(texts.name, sizeof(texts.name), "%.65s", host.nodename);
}

int snmp_system_register(void)
{
	set_defaults();
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		netsnmp_handler_registration *r = netsnmp_create_handler_registration(
			"system", handle, roots[i], root_lengths[i], HANDLER_CAN_RONLY);

		if (!r)
			return -ENOMEM;
		if (netsnmp_register_handler(r) != MIB_REGISTERED_OK)
			return -EEXIST;
	}
	return 0;
}

void snmp_system_set(const struct access_line *line)
{
	static const struct {
		const char *token;
		char *text;
	} lines[] = {
		{ "sysDescr", texts.description },
		{ "sysContact", texts.contact },
		{ "sysName", texts.name },
		{ "sysLocation", texts.location },
	};

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (strcasecmp(lines[i].token, line->token) == 0)
			snprintf(lines[i].text, TEXT_MAX + 1, "%.255s", line->value);
	}
}
