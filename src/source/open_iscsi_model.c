/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instance, portals, nodes and identities of the initiator; its sessions:
 * open_iscsi_model_session.c. Called by open_iscsi.c in the reader process of the source. Must set
 * nothing that is not known or does not follow from how open-iscsi works.
 *
 * What the kernel's events counted (failed sessions, logins, logouts) is known only while they are
 * received: oiscsi_model_events tells.
 */
#include "source/open_iscsi_model.h"

#define INSTANCE_NUMBER 1u
#define INITIATOR_ROLE	0x40
#define PROTOCOL_TCP	6
#define PORTAL_TAG	1 /* a session may leave through any address: they are one group */
#define IDENTITY_NAME	3

const struct oiscsi_events *oiscsi_model_events(const struct oiscsi *o)
{
	return o->follows_events && o->listener->netlink ? &o->listener->events : NULL;
}

static void set_instance_events(
	struct builder *b, const struct oiscsi *o, struct instance *instance)
{
	const struct oiscsi_events *e = oiscsi_model_events(o);

	if (!e)
		return;
	builder_printf(b, &instance->event_epoch, "process %d, from %llu ns", (int)getpid(),
		(unsigned long long)o->listener->opened_ns);
	OPT_SET(instance->session_failures, e->failures);
	OPT_SET(instance->digest_errors, e->digest_errors);
	OPT_SET(instance->connection_timeouts, e->timeouts);
	OPT_SET(instance->format_errors, e->format_errors);
	OPT_SET(instance->target_unmapped, e->unmapped);
	if (!e->failure_ns)
		return;
	OPT_SET(instance->last_failure_type, e->failure_type);
	if (e->failure_target)
		builder_text(b, &instance->last_failure_remote_name, e->failure_target);
}

static int add_instance(struct builder *b, const struct oiscsi *o, uint32_t *ret_at)
{
	struct instance *instance = builder_instance(b, ret_at);

	if (!instance)
		return builder_error(b);
	builder_text(b, &instance->key, "open-iscsi");
	OPT_SET(instance->number, INSTANCE_NUMBER);
	builder_printf(b, &instance->description, "open-iscsi initiator%s%s%s",
		o->transports[0] ? " (" : "", o->transports, o->transports[0] ? ")" : "");
	OPT_SET(instance->version_min, 0);
	OPT_SET(instance->version_max, 0);
	builder_text(b, &instance->vendor, "Open-iSCSI");
	if (o->module_version[0] || o->release[0])
		builder_printf(b, &instance->vendor_version, "%s%s%s", o->module_version,
			o->module_version[0] && o->release[0] ? ", Linux "
			: o->release[0]			      ? "Linux "
							      : "",
			o->release);
	if (o->architecture[0])
		builder_text(b, &instance->node_architecture, o->architecture);
	if (o->alias[0]) {
		builder_printf(b, &instance->login_process, "iscsid %u", o->iscsid_pid);
		builder_text(b, &instance->login_alias, o->alias);
	}
	set_instance_events(b, o, instance);
	return builder_error(b);
}

static int add_portal(
	struct builder *b, const struct oiscsi *o, const struct oiscsi_portal *from, uint32_t at)
{
	const struct oiscsi_transport *transport = oiscsi_transport_find(from->transport);
	const struct oiscsi_config *config = &o->records.config;
	struct portal *portal = builder_portal(b, NULL);

	if (!portal)
		return builder_error(b);
	portal->instance = at;
	builder_text(b, &portal->key, from->key);
	OPT_SET(portal->row_status, 1);
	OPT_SET(portal->roles, INITIATOR_ROLE);
	builder_address(&portal->address, &from->address);
	if (transport->tcp)
		OPT_SET(portal->protocol, PROTOCOL_TCP);
	if (o->records.config_known && !transport->firmware) {
		portal->max_recv_data_segment_length = config->max_recv_data_segment_length;
		portal->primary_header_digest = config->header_digest;
		portal->secondary_header_digest = config->header_digest_second;
		portal->primary_data_digest = config->data_digest;
		portal->secondary_data_digest = config->data_digest_second;
	}
	OPT_SET(portal->recv_marker, 0);
	OPT_SET(portal->tag, PORTAL_TAG);
	return builder_printf(b, &portal->description, "%s%s%s%s%s%s", from->transport,
		from->netdev[0] ? " " : "", from->netdev, from->driver[0] ? " (" : "", from->driver,
		from->driver[0] ? ")" : "");
}

/* An initiator by its name. */
struct named_node {
	const char *name;   /* NULL: of sessions that do not tell it */
	bool firmware;	    /* it was seen only in sessions that iscsid does not log in */
	bool some_firmware; /* in at least one */
	uint32_t position;
};

static void set_last_failure(
	struct builder *b, struct node *node, const struct oiscsi_node_events *from)
{
	node->initiator_last_failure_time = (struct opt_time){ .ns = from->failure_ns, .known = 1 };
	if (!from->failure_ns)
		return;
	OPT_SET(node->initiator_last_failure_type, from->failure_type);
	if (from->failure_target)
		builder_text(b, &node->initiator_last_failure_name, from->failure_target);
	if (from->failure_portal.address.type)
		builder_address(
			&node->initiator_last_failure_address, &from->failure_portal.address);
	node->initiator_last_failure_port = from->failure_portal.port;
}

static void set_node_events(struct builder *b, const struct oiscsi *o, struct node *node,
	const struct named_node *named)
{
	static const struct oiscsi_node_events nothing = { .name = NULL };
	const struct oiscsi_events *e = oiscsi_model_events(o);
	const struct oiscsi_node_events *from = e ? oiscsi_node_events_find(e, named->name) : NULL;

	/* The logins of an adapter without a name are not counted. */
	if (!e || (named->some_firmware && !named->name))
		return;
	if (!from)
		from = &nothing;
	OPT_SET(node->initiator_login_failures, from->login[OISCSI_COUNT_FAILURES]);
	OPT_SET(node->initiator_login_accepts, from->login[OISCSI_COUNT_ACCEPTS]);
	set_last_failure(b, node, from);
	/* Why an adapter's own login failed is not told, nor how it logs out. */
	if (named->some_firmware)
		return;
	OPT_SET(node->initiator_login_other_fails, from->login[OISCSI_COUNT_OTHER]);
	OPT_SET(node->initiator_login_redirects, from->login[OISCSI_COUNT_REDIRECTS]);
	OPT_SET(node->initiator_login_auth_fails, from->login[OISCSI_COUNT_AUTH_FAILS]);
	OPT_SET(node->initiator_login_authenticate_fails, from->login[OISCSI_COUNT_AUTHENTICATE]);
	OPT_SET(node->initiator_login_negotiate_fails, from->login[OISCSI_COUNT_NEGOTIATE]);
	OPT_SET(node->initiator_login_authorize_fails, from->login[OISCSI_COUNT_AUTHORIZE]);
	OPT_SET(node->initiator_logout_normals, from->logouts);
	OPT_SET(node->initiator_logout_others, 0); /* open-iscsi sends reason 0 only */
}

/* What iscsid offers. */
static void set_offer(struct builder *b, const struct oiscsi *o, struct node *node)
{
	const struct oiscsi_config *config = &o->records.config;

	if (o->records.alias[0])
		builder_text(b, &node->alias, o->records.alias);
	if (o->records.config_known) {
		node->initial_r2t = config->initial_r2t;
		node->immediate_data = config->immediate_data;
		node->max_outstanding_r2t = config->max_outstanding_r2t;
		node->first_burst_length = config->first_burst_length;
		node->max_burst_length = config->max_burst_length;
		node->default_time2wait = config->default_time2wait;
		node->default_time2retain = config->default_time2retain;
	}
	/* Whatever it is told: */
	OPT_SET(node->max_connections, 1);
	OPT_SET(node->data_sequence_in_order, 1);
	OPT_SET(node->data_pdu_in_order, 1);
	OPT_SET(node->error_recovery_level, 0);
}

static int add_node(
	struct builder *b, const struct oiscsi *o, uint32_t instance_at, struct named_node *from)
{
	const char *name = from->name;
	struct node *node = builder_node(b, &from->position);

	if (!node)
		return builder_error(b);
	node->instance = instance_at;
	builder_printf(b, &node->key, "initiator%s%s", name ? " " : "", name ? name : "");
	if (name)
		builder_text(b, &node->name, name);
	OPT_SET(node->roles, INITIATOR_ROLE);
	if (!from->firmware)
		set_offer(b, o, node);
	set_node_events(b, o, node, from);
	return builder_error(b);
}

/* ---- nodes by name ---- */

const char *oiscsi_node_name(const struct oiscsi *o, const struct oiscsi_session *session)
{
	bool by_iscsid = session->transport_name[0] && !session->transport->firmware;

	/* An adapter that logs in by itself does not look into the records. */
	if (!session->initiator_name && !by_iscsid)
		return NULL;
	return oiscsi_initiator_name(&o->records, session->initiator_name, session->iface_name);
}

/* All initiators, each once, the nameless one at the end. */
struct nodes {
	struct named_node *list;
	size_t count;
};

static int compare_names(const void *a, const void *b)
{
	const struct named_node *x = a, *y = b;

	if (!x->name || !y->name)
		return (x->name == NULL) - (y->name == NULL);
	return strcmp(x->name, y->name);
}

static void nodes_sort(struct nodes *nodes)
{
	struct named_node *list = nodes->list;
	size_t kept = 0;

	qsort(list, nodes->count, sizeof(*list), compare_names);
	for (size_t i = 0; i < nodes->count; i++) {
		if (kept && compare_names(&list[kept - 1], &list[i]) == 0) {
			list[kept - 1].firmware &= list[i].firmware;
			list[kept - 1].some_firmware |= list[i].firmware;
		} else {
			list[kept++] = list[i];
		}
	}
	nodes->count = kept;
}

static const char *target_initiator(const struct oiscsi *o, const struct oiscsi_target *target)
{
	return target->initiator_name ? target->initiator_name : o->records.initiator_name;
}

static void nodes_add(struct nodes *nodes, const char *name, bool firmware)
{
	nodes->list[nodes->count++] = (struct named_node){
		.name = name, .firmware = firmware, .some_firmware = firmware
	};
}

static int nodes_collect(const struct oiscsi *o, struct nodes *nodes)
{
	const struct oiscsi_events *events = oiscsi_model_events(o);
	const struct oiscsi_records *records = &o->records;
	size_t room = 1 + records->iface_count + records->target_count + o->session_count +
		      (events ? events->node_count : 0);

	nodes->list = calloc(room, sizeof(*nodes->list));
	if (!nodes->list)
		return -ENOMEM;
	if (records->initiator_name)
		nodes_add(nodes, records->initiator_name, false);
	for (size_t i = 0; i < records->iface_count; i++) {
		if (records->ifaces[i].initiator_name)
			nodes_add(nodes, records->ifaces[i].initiator_name, false);
	}
	for (size_t i = 0; i < records->target_count; i++) {
		if (records->targets[i].initiator_name)
			nodes_add(nodes, records->targets[i].initiator_name, false);
	}
	for (size_t i = 0; i < o->session_count; i++) {
		const struct oiscsi_session *session = o->sessions[i];

		if (oiscsi_session_is_shown(session))
			nodes_add(nodes, oiscsi_node_name(o, session),
				!session->transport->class_link);
	}
	/* One that came and went, and has no record. */
	for (size_t i = 0; events && i < events->node_count; i++) {
		if (events->nodes[i]->name)
			nodes_add(nodes, events->nodes[i]->name, false);
	}
	nodes_sort(nodes);
	return 0;
}

static bool node_position(const struct nodes *nodes, const char *name, uint32_t *ret)
{
	struct named_node key = { .name = name };
	const struct named_node *found =
		bsearch(&key, nodes->list, nodes->count, sizeof(key), compare_names);

	if (!found)
		return false;
	*ret = found->position;
	return true;
}

/* ---- identities: whom the records tell an initiator to log in to ---- */

static int add_auth(struct builder *b, const char *initiator, const char *target,
	uint32_t instance_at, uint32_t node_at)
{
	struct auth *auth = builder_auth(b, NULL);

	if (!auth)
		return builder_error(b);
	auth->instance = instance_at;
	auth->node = node_at;
	builder_printf(b, &auth->key, "initiator %s name %s", initiator, target);
	OPT_SET(auth->roles, INITIATOR_ROLE);
	OPT_SET(auth->row_status, 1);
	OPT_SET(auth->identity_kind, IDENTITY_NAME);
	return builder_text(b, &auth->identity, target);
}

struct identity {
	const char *initiator, *target;
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	int rc = strcmp(x->initiator, y->initiator);

	return rc ? rc : strcmp(x->target, y->target);
}

/* A record may name the default initiator as others leave it out: one row for both. */
static int add_auths(
	struct builder *b, const struct oiscsi *o, const struct nodes *nodes, uint32_t instance_at)
{
	CLEANUP_FREE struct identity *list = calloc(o->records.target_count + 1, sizeof(*list));
	size_t count = 0;
	int rc = 0;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < o->records.target_count; i++) {
		const struct oiscsi_target *target = &o->records.targets[i];

		list[count].initiator = target_initiator(o, target);
		list[count].target = target->name;
		/* Both go into one key; names of targets have 223 octets. */
		if (list[count].initiator && strlen(target->name) <= 255)
			count++;
	}
	qsort(list, count, sizeof(*list), compare_identities);
	for (size_t i = 0; i < count && rc == 0; i++) {
		uint32_t node_at;

		if (i && compare_identities(&list[i - 1], &list[i]) == 0)
			continue;
		if (node_position(nodes, list[i].initiator, &node_at))
			rc = add_auth(b, list[i].initiator, list[i].target, instance_at, node_at);
	}
	return rc;
}

int oiscsi_model_build(struct builder *b, const struct oiscsi *o)
{
	struct nodes nodes = { .count = 0 };
	uint32_t instance_at, node_at;
	int rc = add_instance(b, o, &instance_at);

	for (size_t i = 0; i < o->portal_count && rc == 0; i++)
		rc = add_portal(b, o, &o->portals[i], instance_at);
	if (rc == 0)
		rc = nodes_collect(o, &nodes);
	for (size_t i = 0; i < nodes.count && rc == 0; i++)
		rc = add_node(b, o, instance_at, &nodes.list[i]);
	if (rc == 0)
		rc = add_auths(b, o, &nodes, instance_at);
	for (size_t i = 0; i < o->session_count && rc == 0; i++) {
		const struct oiscsi_session *session = o->sessions[i];

		if (oiscsi_session_is_shown(session) &&
			node_position(&nodes, oiscsi_node_name(o, session), &node_at))
			rc = oiscsi_model_session(b, o, session, instance_at, node_at);
	}
	if (rc == 0)
		rc = oiscsi_model_paths(b, o, instance_at);
	free(nodes.list);
	return rc;
}
