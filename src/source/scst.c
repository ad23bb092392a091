/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The source scst: the iSCSI target of SCST, one unit. What there is comes from its sysfs tree;
 * sessions and connections: scst_session.c; what only its daemon knows, and when that is asked:
 * scst_daemon.h; what may fail how: scst_read.h.
 *
 * Runs in the reader process of the source and in the one-shot commands. It must not open
 * IncomingUser* and OutgoingUser*, which hold passwords (base/root_secret.c), nor any file that can
 * only be written (mgmt, force_close).
 *
 * Made from SCST's sources (3.11.0-pre) and documentation; it has not been run on a live SCST.
 */
#include "base/log.h"
#include "source/host.h"
#include "source/merge.h"
#include "source/scst_daemon.h"
#include "source/scst_session.h"
#include "source/source.h"

#define INSTANCE_NUMBER 4
#define TARGET_ROLE	0x80
#define PROTOCOL_TCP	6
#define NAME_TEXT_MAX	255u

enum { ROW_ACTIVE = 1, ROW_OUT_OF_SERVICE = 2 };
enum { IDENTITY_ANY = 1, IDENTITY_NAME = 3 };

struct source {
	const struct source_env *env;
	struct scst_memory memory;
	char architecture[HOST_TEXT_MAX]; /* of this host, "" unknown */
	bool host_known;		  /* that */
	struct scst_reader reader;
};

static int scst_detect(const struct source_env *env)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int rc = root_list(env->root, SCST_TREE, &names);

	return rc >= 0 ? 1 : scst_is_gone(rc) ? 0 : rc;
}

static int scst_open(const struct source_env *env, struct source **ret)
{
	struct source *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->env = env;
	s->reader.root = env->root;
	*ret = s;
	return 0;
}

static void scst_close(struct source *s)
{
	if (!s)
		return;
	scst_memory_clear(&s->memory);
	free(s);
}

/* Makes the memory's list of targets that of the directories in the tree. 0 or an error. */
static int update_targets(struct source *s)
{
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_BUF struct buf targets = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_BUF struct buf inside = BUF_INIT(ROOT_ANSWER_MAX);
	struct scst_reader *r = &s->reader;
	int count = scst_list(r, &names, SCST_TREE), rc;
	const char *name = names.data;
	size_t found = 0;

	if (count < 0)
		return scst_reader_fail(r, count, "listing");
	for (; count > 0; count--, name = scst_next_name(name)) {
		if (scst_reader_check(r) < 0)
			return r->error;
		rc = scst_list(r, &inside, SCST_TREE "/%s", name);
		if (r->error < 0)
			return r->error;
		/* One that may not be listed is an attribute with passwords, or is called so. */
		if (rc < 0)
			continue;
		rc = buf_append(&targets, name, strlen(name) + 1);
		if (rc < 0)
			return scst_reader_fail(r, rc, "keeping the name of");
		found++;
	}
	rc = scst_memory_update(&s->memory, targets.data, found);
	return rc < 0 ? scst_reader_fail(r, rc, "keeping the targets of") : 0;
}

static int add_instance(struct source *s, struct builder *b, uint32_t *ret_at)
{
	struct instance *instance = builder_instance(b, ret_at);
	char version[SCST_LINE_MAX + 1];

	if (!instance)
		return builder_error(b);
	builder_text(b, &instance->key, "scst");
	OPT_SET(instance->number, INSTANCE_NUMBER);
	builder_text(b, &instance->description, "SCST iSCSI target");
	OPT_SET(instance->version_min, 0);
	OPT_SET(instance->version_max, 0);
	builder_text(b, &instance->vendor, "SCST");
	scst_read(&s->reader, SCST_TREE "/version");
	if (scst_parse_line(s->reader.text, s->reader.length, version) > 0 &&
		strlen(version) <= NAME_TEXT_MAX)
		builder_text(b, &instance->vendor_version, version);
	if (*s->architecture)
		builder_text(b, &instance->node_architecture, s->architecture);
	return builder_error(b);
}

/* What the portals have in common with the targets, all of which they serve. */
static struct scst_config common_config(const struct scst_memory *m)
{
	struct scst_config common = { .next_ns = 0 };

	for (size_t i = 0; i < m->target_count; i++) {
		const struct scst_config *c = &m->targets[i]->config;

		merge_smallest(&common.max_recv_data_segment_length,
			&c->max_recv_data_segment_length, i == 0);
		merge_same(&common.primary_header_digest, &c->primary_header_digest, i == 0);
		merge_same(&common.secondary_header_digest, &c->secondary_header_digest, i == 0);
		merge_same(&common.primary_data_digest, &c->primary_data_digest, i == 0);
		merge_same(&common.secondary_data_digest, &c->secondary_data_digest, i == 0);
	}
	return common;
}

static int add_portal(struct source *s, struct builder *b, uint32_t instance_at,
	const struct scst_config *common, const char *text, uint16_t port)
{
	struct portal *portal = builder_portal(b, NULL);
	const struct opt_bool *enabled = &s->memory.enabled;
	struct text_address address;

	if (!portal)
		return builder_error(b);
	portal->instance = instance_at;
	builder_printf(b, &portal->key, "target %s port %u", text, port);
	if (enabled->known)
		OPT_SET(portal->row_status, enabled->value ? ROW_ACTIVE : ROW_OUT_OF_SERVICE);
	OPT_SET(portal->roles, TARGET_ROLE);
	if (root_to_address(s->env->root, text, &address) == 0)
		builder_address(&portal->address, &address);
	OPT_SET(portal->protocol, PROTOCOL_TCP);
	portal->max_recv_data_segment_length = common->max_recv_data_segment_length;
	portal->primary_header_digest = common->primary_header_digest;
	portal->secondary_header_digest = common->secondary_header_digest;
	portal->primary_data_digest = common->primary_data_digest;
	portal->secondary_data_digest = common->secondary_data_digest;
	OPT_SET(portal->recv_marker, 0);
	OPT_SET(portal->port, port);
	OPT_SET(portal->tag, SCST_PORTAL_GROUP_TAG);
	return builder_error(b);
}

/* Where the daemon was told to listen; with no address it does so on all. */
static int add_portals(
	struct source *s, struct builder *b, uint32_t instance_at, const struct scst_daemon *daemon)
{
	const struct scst_listener *listener = &daemon->listener;
	struct scst_config common = common_config(&s->memory);
	int rc = 0;

	if (!daemon->listener_known)
		return 0;
	if (listener->address_count == 0) {
		rc = add_portal(s, b, instance_at, &common, "0.0.0.0", listener->port);
		if (rc == 0 && daemon->ipv6)
			rc = add_portal(s, b, instance_at, &common, "::", listener->port);
	}
	for (size_t i = 0; i < listener->address_count && rc == 0; i++) {
		char text[256];
		bool twice = false;

		snprintf(text, sizeof(text), "%.*s", (int)listener->addresses[i].length,
			listener->addresses[i].at);
		/* The second of two equal ones cannot be bound. */
		for (size_t j = 0; j < i && !twice; j++)
			twice = listener->addresses[j].length == listener->addresses[i].length &&
				!memcmp(listener->addresses[j].at, listener->addresses[i].at,
					listener->addresses[i].length);
		if (!twice)
			rc = add_portal(s, b, instance_at, &common, text, listener->port);
	}
	return rc;
}

static int add_node(
	struct builder *b, const struct scst_target *target, uint32_t instance_at, uint32_t *ret_at)
{
	const struct scst_config *c = &target->config;
	struct node *node = builder_node(b, ret_at);

	if (!node)
		return builder_error(b);
	node->instance = instance_at;
	builder_printf(b, &node->key, "target %s", target->name);
	builder_text(b, &node->name, target->name);
	if (c->alias_known && strlen(c->alias) <= NAME_TEXT_MAX)
		builder_text(b, &node->alias, c->alias);
	OPT_SET(node->roles, TARGET_ROLE);
	node->initial_r2t = c->initial_r2t;
	node->immediate_data = c->immediate_data;
	node->max_outstanding_r2t = c->max_outstanding_r2t;
	node->first_burst_length = c->first_burst_length;
	node->max_burst_length = c->max_burst_length;
	/* Not to be changed, and the same for all targets (iscsi-scst/usr/param.c). */
	OPT_SET(node->max_connections, 1);
	OPT_SET(node->data_sequence_in_order, 0);
	OPT_SET(node->data_pdu_in_order, 0);
	OPT_SET(node->default_time2wait, 0);
	OPT_SET(node->default_time2retain, 0);
	OPT_SET(node->error_recovery_level, 0);
	return builder_error(b);
}

static int add_identity(struct builder *b, const struct scst_target *target, const char *group,
	const char *name, uint32_t instance_at, uint32_t node_at)
{
	struct auth *auth = builder_auth(b, NULL);

	if (!auth)
		return builder_error(b);
	auth->instance = instance_at;
	auth->node = node_at;
	builder_printf(b, &auth->key, "target %s group %s initiator %s", target->name, group, name);
	OPT_SET(auth->roles, TARGET_ROLE);
	OPT_SET(auth->row_status, ROW_ACTIVE);
	OPT_SET(auth->identity_kind, !strcmp(name, "*") ? IDENTITY_ANY : IDENTITY_NAME);
	builder_text(b, &auth->identity, name);
	return builder_error(b);
}

/* The names, with wildcards, of the initiators of all groups of a target. */
static int add_identities(struct scst_reader *r, struct builder *b,
	const struct scst_target *target, uint32_t instance_at, uint32_t node_at)
{
	CLEANUP_BUF struct buf groups = BUF_INIT(ROOT_ANSWER_MAX);
	CLEANUP_BUF struct buf names = BUF_INIT(ROOT_ANSWER_MAX);
	int group_count = scst_list(r, &groups, SCST_TREE "/%s/ini_groups", target->name);
	const char *group = groups.data;
	int rc = r->error;

	for (; group_count > 0 && rc == 0; group_count--, group = scst_next_name(group)) {
		int count = scst_list(
			r, &names, SCST_TREE "/%s/ini_groups/%s/initiators", target->name, group);
		const char *name = names.data;

		for (; count > 0 && rc == 0; count--, name = scst_next_name(name))
			if (strcmp(name, "mgmt") != 0)
				rc = add_identity(b, target, group, name, instance_at, node_at);
		if (r->error < 0 || scst_reader_check(r) < 0)
			rc = r->error;
	}
	return rc;
}

static int add_targets(struct source *s, struct builder *b, uint32_t instance_at)
{
	int rc = 0;

	for (size_t i = 0; i < s->memory.target_count && rc == 0; i++) {
		struct scst_target *target = s->memory.targets[i];
		uint32_t node_at;

		rc = add_node(b, target, instance_at, &node_at);
		if (rc == 0)
			rc = add_identities(&s->reader, b, target, instance_at, node_at);
		if (rc == 0)
			rc = scst_sessions_read(
				&s->reader, b, &s->memory, target, instance_at, node_at);
	}
	return rc;
}

static int match_sockets(struct source *s, struct builder *b, const struct scst_daemon *daemon)
{
	CLEANUP_FREE struct root_tcp_socket *sockets = NULL;
	ssize_t count;

	if (!daemon->listener_known || !daemon->same_network)
		return 0;
	count = root_tcp_sockets(s->env->root, s->reader.deadline_ns, &sockets);
	if (count < 0)
		return 0; /* ports are unknown then */
	return scst_sockets_match(b, daemon->listener.port, sockets, (size_t)count);
}

static int build(struct source *s, struct builder *b)
{
	struct scst_daemon daemon;
	uint32_t instance_at;
	int rc = update_targets(s);

	if (rc < 0)
		return rc;
	if (!s->host_known)
		s->host_known = host_architecture(s->env->root, s->architecture);
	scst_daemon_find(&s->reader, &daemon);
	if (s->reader.error < 0)
		return s->reader.error;
	scst_daemon_ask(&s->reader, &daemon, &s->memory);
	rc = add_instance(s, b, &instance_at);
	if (rc == 0)
		rc = add_portals(s, b, instance_at, &daemon);
	if (rc == 0)
		rc = add_targets(s, b, instance_at);
	return rc < 0 ? rc : match_sockets(s, b, &daemon);
}

static void add_note(const struct scst_reader *r, struct collection *c)
{
	const char *refused = "sessions of a target have no row: listing them is refused";
	const char *stranger = "no portals, no parameters of targets: iscsi-scstd is not root's";

	if (r->refused || r->stranger)
		collection_note(c, "%s%s%s", r->refused ? refused : "",
			r->refused && r->stranger ? "; " : "", r->stranger ? stranger : "");
}

static int scst_collect(struct source *s, uint64_t deadline_ns, struct collection *c)
{
	struct builder *b;
	int rc = scst_detect(s->env);

	if (rc <= 0)
		return rc;
	s->reader.deadline_ns = deadline_ns;
	s->reader.error = 0;
	s->reader.refused = s->reader.stranger = false;
	b = collection_begin(c, "");
	rc = build(s, b);
	if (s->reader.error < 0) {
		collection_fail(c, s->reader.error, "%s", s->reader.why);
	} else if (rc < 0) {
		collection_fail(c, rc, "putting together what SCST shows: %s", strerror(-rc));
	} else {
		add_note(&s->reader, c);
		collection_end(c);
	}
	return 0;
}

const struct source_ops scst_source = {
	.name = "scst",
	.summary = "iSCSI targets of SCST, by its sysfs tree",
	.sandbox = SANDBOX_SOCK_DIAG,
	.detect = scst_detect,
	.open = scst_open,
	.collect = scst_collect,
	.close = scst_close,
};
