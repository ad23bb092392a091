/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The indexes of RFC 7147 and of ISCSI-PATH-MIB, from the objects of a snapshot. Called by
 * mib_view.c once for each object while a view is made.
 */
#include "agent/mib_rows.h"

#define ROLE_TARGET    0x80
#define ROLE_INITIATOR 0x40

/* iscsiInstIndex of the instance at a position; 0: it has no row. */
static uint32_t instance_number(const struct snapshot *s, uint32_t position)
{
	const struct instance *instance = &snapshot_instances(s)[position];

	return instance->object.index && instance->number.known ? instance->number.value : 0;
}

static uint32_t node_number(const struct snapshot *s, uint32_t position)
{
	return snapshot_nodes(s)[position].object.index;
}

static bool has_role(const struct opt_bits *roles, uint8_t role)
{
	return roles->known && roles->value & role;
}

static bool instance_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct instance *instance = object;

	key[0] = instance_number(s, (uint32_t)(instance - snapshot_instances(s)));
	return key[0];
}

static bool portal_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct portal *portal = object;

	key[0] = instance_number(s, portal->instance);
	key[1] = portal->object.index;
	return key[0] && key[1];
}

/* The third index is 0 when the portal's tag is one for all nodes. */
static bool role_portal_key(const struct snapshot *s, const struct portal *portal, uint32_t key[])
{
	if (portal->node != LINK_NONE) {
		key[2] = node_number(s, portal->node);
		if (!key[2])
			return false; /* a tag of that node, and not one for all */
	}
	return portal->tag.known && portal_key(s, portal, key);
}

static bool tgt_portal_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct portal *portal = object;

	return has_role(&portal->roles, ROLE_TARGET) && portal->port.known &&
	       role_portal_key(s, portal, key);
}

static bool intr_portal_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct portal *portal = object;

	return has_role(&portal->roles, ROLE_INITIATOR) && role_portal_key(s, portal, key);
}

static bool node_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct node *node = object;

	key[0] = instance_number(s, node->instance);
	key[1] = node->object.index;
	return key[0] && key[1];
}

static bool target_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	return has_role(&((const struct node *)object)->roles, ROLE_TARGET) &&
	       node_key(s, object, key);
}

static bool initiator_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	return has_role(&((const struct node *)object)->roles, ROLE_INITIATOR) &&
	       node_key(s, object, key);
}

static bool auth_key(const struct snapshot *s, const struct auth *auth, uint32_t key[])
{
	key[0] = instance_number(s, auth->instance);
	key[1] = node_number(s, auth->node);
	key[2] = auth->object.index;
	return key[0] && key[1] && key[2];
}

static bool tgt_auth_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct auth *auth = object;

	return has_role(&auth->roles, ROLE_TARGET) && auth_key(s, auth, key);
}

static bool intr_auth_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct auth *auth = object;

	return has_role(&auth->roles, ROLE_INITIATOR) && auth_key(s, auth, key);
}

/*
 * iscsiSsnNodeIndex 0 is for discovery sessions that have no node; a session of the model always
 * has one, so when that has no number the session has no row.
 */
static bool session_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct session *session = object;

	key[0] = instance_number(s, session->instance);
	key[1] = node_number(s, session->node);
	key[2] = session->object.index;
	return key[0] && key[1] && key[2];
}

static bool connection_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct connection *connection = object;

	key[3] = connection->object.index;
	return key[3] && session_key(s, &snapshot_sessions(s)[connection->session], key);
}

/* A path of an instance without a row has one all the same: its index stands alone. */
static bool path_row_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	(void)s;
	key[0] = ((const struct path *)object)->object.index;
	return key[0];
}

static bool device_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	const struct device *device = object;

	key[3] = device->lun.value;
	return device->lun.known && session_key(s, &snapshot_sessions(s)[device->session], key);
}

static bool source_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	(void)s;
	key[0] = ((const struct source_info *)object)->object.index;
	return key[0];
}

static bool map_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	(void)s;
	key[0] = ((const struct map *)object)->object.index;
	return key[0];
}

static bool probe_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	(void)s;
	key[0] = ((const struct probe *)object)->object.index;
	return key[0];
}

static bool event_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	(void)s;
	key[0] = ((const struct event *)object)->object.index;
	return key[0];
}

/* The one row of a group of scalars. */
static bool scalar_key(const struct snapshot *s, const void *object, uint32_t key[])
{
	(void)s;
	(void)object;
	key[0] = 0;
	return true;
}

#define ROWSET(rowset, object_kind, key_function, ...)                                  \
	const struct mib_rowset rowset = {                                              \
		.kind = object_kind,                                                    \
		.key = key_function,                                                    \
		.key_length = sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), \
		.index_names = { __VA_ARGS__ },                                         \
	}

ROWSET(rows_instance, OBJECT_INSTANCE, instance_key, "iscsiInstIndex");
ROWSET(rows_portal, OBJECT_PORTAL, portal_key, "iscsiInstIndex", "iscsiPortalIndex");
ROWSET(rows_tgt_portal, OBJECT_PORTAL, tgt_portal_key, "iscsiInstIndex", "iscsiPortalIndex",
	"iscsiTgtPortalNodeIndexOrZero");
ROWSET(rows_intr_portal, OBJECT_PORTAL, intr_portal_key, "iscsiInstIndex", "iscsiPortalIndex",
	"iscsiIntrPortalNodeIndexOrZero");
ROWSET(rows_node, OBJECT_NODE, node_key, "iscsiInstIndex", "iscsiNodeIndex");
ROWSET(rows_target, OBJECT_NODE, target_key, "iscsiInstIndex", "iscsiNodeIndex");
ROWSET(rows_initiator, OBJECT_NODE, initiator_key, "iscsiInstIndex", "iscsiNodeIndex");
ROWSET(rows_tgt_auth, OBJECT_AUTH, tgt_auth_key, "iscsiInstIndex", "iscsiNodeIndex",
	"iscsiTgtAuthIndex");
ROWSET(rows_intr_auth, OBJECT_AUTH, intr_auth_key, "iscsiInstIndex", "iscsiNodeIndex",
	"iscsiIntrAuthIndex");
ROWSET(rows_session, OBJECT_SESSION, session_key, "iscsiInstIndex", "iscsiSsnNodeIndex",
	"iscsiSsnIndex");
ROWSET(rows_connection, OBJECT_CONNECTION, connection_key, "iscsiInstIndex", "iscsiSsnNodeIndex",
	"iscsiSsnIndex", "iscsiCxnIndex");
ROWSET(rows_path, OBJECT_PATH, path_row_key, "iscsiPathIndex");
ROWSET(rows_device, OBJECT_DEVICE, device_key, "iscsiInstIndex", "iscsiSsnNodeIndex",
	"iscsiSsnIndex", "iscsiDevLun");
ROWSET(rows_source, OBJECT_SOURCE, source_key, "iscsiSourceIndex");
ROWSET(rows_map, OBJECT_MAP, map_key, "iscsiMapIndex");
ROWSET(rows_probe, OBJECT_PROBE, probe_key, "iscsiPathProbeIndex");
ROWSET(rows_event, OBJECT_EVENT, event_key, "iscsiEventNumber");

#define SCALAR_ROWSET(rowset, object_kind) \
	const struct mib_rowset rowset = { .kind = object_kind, .key = scalar_key, .key_length = 1 }

SCALAR_ROWSET(rows_summary, OBJECT_SUMMARY);
SCALAR_ROWSET(rows_agent, OBJECT_AGENT);
