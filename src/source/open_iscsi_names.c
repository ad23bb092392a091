/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and portal of a session that has just begun. In the reader process of the source. */
#include "source/open_iscsi_names.h"

#include "model/path.h"
#include "source/open_iscsi_portal_name.h"
#include "source/open_iscsi_read.h"

#define VALUE_MAX 1024u /* octets with NUL */

/* What oiscsi_read_value returned; 1 when the name was known. */
static int read_name(
	struct root *root, const struct oiscsi_watch *watch, const char *attribute, char **name)
{
	char text[VALUE_MAX];
	int rc;

	if (*name)
		return 1;
	rc = oiscsi_read_value(root, text, sizeof(text), "/sys/class/iscsi_session/session%u/%s",
		watch->sid, attribute);
	if (rc > 0 && strlen(text) <= OISCSI_NAME_MAX)
		*name = strdup(text);
	return rc;
}

/* As open_iscsi_read.c, which makes the node that shows what is counted here. */
static void read_initiator(struct root *root, struct oiscsi_watch *watch)
{
	char text[VALUE_MAX];
	uint32_t host;

	if (read_name(root, watch, "initiatorname", &watch->initiator_name) == -ENOENT &&
		oiscsi_read_host(root, watch->sid, &host) &&
		oiscsi_read_host_initiator(root, host, text, sizeof(text)) > 0 &&
		strlen(text) <= OISCSI_NAME_MAX)
		watch->initiator_name = strdup(text);
}

/* Not C/address: to read it while a connection ends is not safe with every kernel. */
static void read_portal(struct root *root, struct oiscsi_watch *watch)
{
	char text[VALUE_MAX];
	uint32_t port;

	if (!watch->portal_asked &&
		oiscsi_read_value(root, text, sizeof(text),
			"/sys/class/iscsi_connection/connection%u:0/persistent_address",
			watch->sid) > 0) {
		watch->portal_asked = true; /* it may be a host's name */
		if (!oiscsi_read_address(root, text, "", &watch->portal.address) ||
			oiscsi_lacks_zone(&watch->portal.address))
			watch->portal.address.type = 0;
	}
	if (!watch->portal.port.known &&
		oiscsi_read_value(root, text, sizeof(text),
			"/sys/class/iscsi_connection/connection%u:0/persistent_port",
			watch->sid) > 0 &&
		text_to_u32(text, UINT16_MAX, &port) == 0 && port > 0)
		OPT_SET(watch->portal.port, port);
}

/* The path of a session that is the first on it. Without memory it is not known. */
static void make_path_key(struct root *root, struct oiscsi_watch *watch)
{
	char text[VALUE_MAX], key[PATH_KEY_MAX];
	struct oiscsi_portal_name portal;

	if (oiscsi_read_value(root, text, sizeof(text),
		    "/sys/class/iscsi_connection/connection%u:0/persistent_address",
		    watch->sid) <= 0)
		return;
	oiscsi_portal_name(root, text, watch->portal.port.value, &portal);
	if (path_key(key, &(struct path_identity){
				  .direction = PATH_OUTBOUND,
				  .initiator = watch->initiator_name,
				  .iface = watch->iface_name,
				  .target = watch->target_name,
				  .portal = portal.text,
				  .ordinal = 1,
			  }))
		watch->likely_path_key = strdup(key);
}

bool oiscsi_names_read(struct root *root, struct oiscsi_watch *watch)
{
	read_name(root, watch, "targetname", &watch->target_name);
	read_initiator(root, watch);
	read_name(root, watch, "ifacename", &watch->iface_name);
	read_portal(root, watch);
	if (!watch->target_name || !watch->initiator_name || !watch->iface_name ||
		!watch->portal_asked || !watch->portal.port.known)
		return false;
	if (!watch->likely_path_key)
		make_path_key(root, watch);
	return true;
}
