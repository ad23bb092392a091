/* SPDX-License-Identifier: BSD-2-Clause */
#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "agent/snmp_front.h"
#include "agent/snmp_value.h"

static int answer_get(const struct mib_view *view, netsnmp_request_info *request)
{
	netsnmp_variable_list *varbind = request->requestvb;
	enum mib_result result = MIB_NO_SUCH_OBJECT;
	struct mib_value value;

	if (view)
		result = mib_get(view, varbind->name, varbind->name_length, &value);
	if (result == MIB_FOUND)
		return snmp_value_set(varbind, &value);
	netsnmp_request_set_error(
		request, result == MIB_NO_SUCH_INSTANCE ? SNMP_NOSUCHINSTANCE : SNMP_NOSUCHOBJECT);
	return 0;
}

/* At the end of the module nothing is said: the library goes on behind it. */
static int answer_next(const struct mib_view *view, netsnmp_request_info *request)
{
	netsnmp_variable_list *varbind = request->requestvb;
	struct mib_value value;
	struct mib_name found;

	if (!view || mib_next(view, varbind->name, varbind->name_length, request->inclusive, &found,
			     &value) != MIB_FOUND)
		return 0;
	if (snmp_set_var_objid(varbind, found.ids, found.length))
		return -ENOMEM;
	return snmp_value_set(varbind, &value);
}

static int handle(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
	netsnmp_agent_request_info *info, netsnmp_request_info *requests)
{
	const struct mib_view *const *view = handler->myvoid;

	(void)registration;
	for (; requests; requests = requests->next) {
		int rc;

		if (requests->processed)
			continue;
		if (info->mode == MODE_GETNEXT)
			rc = answer_next(*view, requests);
		else if (info->mode == MODE_GET)
			rc = answer_get(*view, requests);
		else
			rc = -EINVAL; /* SET does not come: HANDLER_CAN_RONLY */
		if (rc < 0)
			return SNMP_ERR_GENERR;
	}
	return SNMP_ERR_NOERROR;
}

int snmp_handler_register(const struct mib_module *module, const struct mib_view *const *view)
{
	netsnmp_mib_handler *handler = netsnmp_create_handler(module->name, handle);
	netsnmp_handler_registration *r;

	if (!handler)
		return -ENOMEM;
	handler->myvoid = (void *)(uintptr_t)view;
	r = netsnmp_handler_registration_create(
		module->name, handler, module->root, module->root_length, HANDLER_CAN_RONLY);
	if (!r) {
		netsnmp_handler_free(handler);
		return -ENOMEM;
	}
	return netsnmp_register_handler(r) == MIB_REGISTERED_OK ? 0 : -EEXIST;
}
