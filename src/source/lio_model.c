/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instance, portals, nodes and identities of LIO; sessions: lio_model_session.c. Called by
 * lio.c in the reader process of the source. Must set nothing that the kernel did not say or that
 * does not follow from how LIO works.
 *
 * Keys are paths of configfs, since names may have any octet in them but '/': no two are alike.
 */
#include "source/lio_model.h"

#include "source/lio_model_private.h"

#include <netinet/in.h>

#define TARGET_ROLE	0x80
#define INSTANCE_NUMBER 2u

enum { ROW_ACTIVE = 1, ROW_NOT_IN_SERVICE = 2 };
enum { IDENTITY_ANY = 1, IDENTITY_NAME = 3 };

/* The sum over the targets; unknown when one of them is. */
static struct opt_counter sum_of(const struct lio_memory *memory, enum lio_counter counter)
{
	struct opt_counter sum = { .known = 1 };

	for (size_t i = 0; i < memory->target_count; i++) {
		const struct lio_target *target = &memory->targets[i];

		if (!target->exists)
			continue;
		sum.known &= target->counters[counter].known;
		sum.value += target->counters[counter].value;
	}
	return sum.known ? sum : (struct opt_counter){ .known = 0 };
}

struct lio_session_count lio_model_count_sessions(const struct lio_memory *memory)
{
	struct lio_session_count all = { .reported = { .known = 0 } };
	uint64_t reported = 0, hidden = 0;
	bool all_seen = true;

	for (size_t i = 0; i < memory->target_count; i++) {
		const struct lio_target *target = &memory->targets[i];
		uint32_t shown;

		if (!target->exists)
			continue;
		if (!target->sessions.known)
			return all;
		shown = lio_model_sessions_shown(target);
		all_seen &= target->all_seen;
		reported += target->sessions.value;
		if (target->sessions.value > shown)
			hidden += target->sessions.value - shown;
	}
	if (reported <= UINT32_MAX) {
		OPT_SET(all.reported, (uint32_t)reported);
		if (all_seen)
			OPT_SET(all.hidden, (uint32_t)hidden);
	}
	return all;
}

static void set_instance_counters(
	struct builder *b, struct instance *instance, const struct lio_memory *memory)
{
	struct lio_session_count sessions = lio_model_count_sessions(memory);

	instance->sessions_reported = sessions.reported;
	instance->sessions_hidden = sessions.hidden;
	instance->session_failures = sum_of(memory, LIO_SESSIONS_FAILED);
	instance->digest_errors = sum_of(memory, LIO_FAILED_DIGEST);
	instance->connection_timeouts = sum_of(memory, LIO_FAILED_TIMEOUT);
	instance->format_errors = sum_of(memory, LIO_FAILED_FORMAT);
	instance->last_failure_type = memory->last_failure_type;
	if (*memory->last_failure_name)
		builder_text(b, &instance->last_failure_remote_name, memory->last_failure_name);
	if (memory->discontinuity_ns)
		instance->discontinuity =
			(struct opt_time){ .ns = memory->discontinuity_ns, .known = 1 };
}

static int add_instance(struct builder *b, const struct lio_memory *memory,
	const char *architecture, const char *release, uint32_t *ret_at)
{
	struct instance *instance = builder_instance(b, ret_at);

	if (!instance)
		return builder_error(b);
	builder_text(b, &instance->key, "lio");
	OPT_SET(instance->number, INSTANCE_NUMBER);
	builder_text(b, &instance->description, "LIO kernel target");
	instance->version_min = memory->version_min;
	instance->version_max = memory->version_max;
	if (*memory->vendor)
		builder_text(b, &instance->vendor, memory->vendor);
	if (*memory->version)
		builder_printf(b, &instance->vendor_version, "%.150s%s%.90s", memory->version,
			*release ? ", Linux " : "", release);
	if (*architecture)
		builder_text(b, &instance->node_architecture, architecture);
	set_instance_counters(b, instance, memory);
	return builder_error(b);
}

/*
 * The lowest enabled group, which most initiators meet, or the lowest; NULL when there is none or
 * that cannot be told.
 */
static const struct lio_group *main_group(const struct lio_target *target)
{
	const struct lio_group *lowest = NULL;

	for (size_t i = 0; i < target->group_count; i++) {
		const struct lio_group *group = &target->groups[i];

		if (!group->exists)
			continue;
		if (!group->enabled.known)
			return NULL;
		if (group->enabled.value)
			return group;
		if (!lowest)
			lowest = group;
	}
	return lowest;
}

static void set_preferences(struct node *node, const struct lio_parameters *p)
{
	node->initial_r2t = p->initial_r2t;
	node->immediate_data = p->immediate_data;
	node->max_outstanding_r2t = p->max_outstanding_r2t;
	node->first_burst_length = p->first_burst_length;
	node->max_burst_length = p->max_burst_length;
	node->max_connections = p->max_connections;
	node->data_sequence_in_order = p->data_sequence_in_order;
	node->data_pdu_in_order = p->data_pdu_in_order;
	node->default_time2wait = p->default_time2wait;
	node->default_time2retain = p->default_time2retain;
	node->error_recovery_level = p->error_recovery_level;
}

static void set_login_counters(
	struct builder *b, struct node *node, const struct lio_target *target)
{
	node->target_login_accepts = target->counters[LIO_ACCEPTS];
	node->target_login_other_fails = target->failures.other;
	node->target_login_redirects = target->failures.redirect;
	node->target_login_authorize_fails = target->failures.authorize;
	node->target_login_authenticate_fails = target->failures.authenticate;
	node->target_login_negotiate_fails = target->failures.negotiate;
	node->target_logout_normals = target->counters[LIO_LOGOUT_NORMAL];
	node->target_logout_others = target->counters[LIO_LOGOUT_OTHER];
	node->target_login_failures = target->login_failures;
	node->target_last_failure_time = target->last_failure_time;
	node->target_last_failure_type = target->last_failure_type;
	if (*target->failure_name)
		builder_text(b, &node->target_last_failure_name, target->failure_name);
	if (target->failure_address_known)
		builder_address(&node->target_last_failure_address, &target->failure_address);
	if (target->discontinuity_ns)
		node->discontinuity =
			(struct opt_time){ .ns = target->discontinuity_ns, .known = 1 };
}

static int add_node(
	struct builder *b, const struct lio_target *target, uint32_t instance_at, uint32_t *ret_at)
{
	const struct lio_group *group = main_group(target);
	struct node *node = builder_node(b, ret_at);

	if (!node)
		return builder_error(b);
	node->instance = instance_at;
	builder_printf(b, &node->key, "target %s", target->name);
	builder_text(b, &node->name, target->name);
	OPT_SET(node->roles, TARGET_ROLE);
	if (group && group->parameters.alias_known)
		builder_text(b, &node->alias, group->parameters.alias);
	if (group)
		set_preferences(node, &group->parameters);
	set_login_counters(b, node, target);
	return builder_error(b);
}

static int add_portal(struct builder *b, const struct lio_target *target,
	const struct lio_group *group, const struct lio_portal *from, uint32_t instance_at,
	uint32_t node_at)
{
	const struct lio_parameters *p = &group->parameters;
	struct portal *portal = builder_portal(b, NULL);

	if (!portal)
		return builder_error(b);
	portal->instance = instance_at;
	portal->node = node_at; /* each target has its own groups */
	builder_printf(b, &portal->key, "%s/tpgt_%u/np/%s", target->name, group->tag, from->name);
	if (group->enabled.known)
		OPT_SET(portal->row_status, group->enabled.value ? ROW_ACTIVE : ROW_NOT_IN_SERVICE);
	OPT_SET(portal->roles, TARGET_ROLE);
	if (from->endpoint_known) {
		builder_address(&portal->address, &from->address);
		OPT_SET(portal->port, from->port);
	}
	/* A portal is one of TCP; iSER and cxgbit listen beside it on the same address. */
	OPT_SET(portal->protocol, IPPROTO_TCP);
	portal->max_recv_data_segment_length = p->declared_receive;
	portal->primary_header_digest = p->header_digest;
	portal->primary_data_digest = p->data_digest;
	portal->secondary_header_digest = p->second_header_digest;
	portal->secondary_data_digest = p->second_data_digest;
	OPT_SET(portal->recv_marker, 0);
	builder_printf(b, &portal->description, "tpgt %u of %.223s", group->tag, target->name);
	if (group->tag)
		OPT_SET(portal->tag, group->tag); /* LIO allows 0, the syntax does not */
	return builder_error(b);
}

static int add_portals(
	struct builder *b, const struct lio_target *target, uint32_t instance_at, uint32_t node_at)
{
	int rc = 0;

	for (size_t i = 0; i < target->group_count && rc == 0; i++) {
		const struct lio_group *group = &target->groups[i];

		for (size_t k = 0; group->exists && k < group->portal_count && rc == 0; k++)
			if (group->portals[k].exists)
				rc = add_portal(
					b, target, group, &group->portals[k], instance_at, node_at);
	}
	return rc;
}

static int add_identity(struct builder *b, const char *name, uint32_t kind, uint32_t instance_at,
	uint32_t node_at, const char *target)
{
	struct auth *auth = builder_auth(b, NULL);

	if (!auth)
		return builder_error(b);
	auth->instance = instance_at;
	auth->node = node_at;
	if (kind == IDENTITY_NAME)
		builder_printf(b, &auth->key, "%s/acls/%s", target, name);
	else
		builder_printf(b, &auth->key, "%s/any", target);
	OPT_SET(auth->roles, TARGET_ROLE);
	OPT_SET(auth->row_status, ROW_ACTIVE);
	OPT_SET(auth->identity_kind, kind);
	builder_text(b, &auth->identity, name);
	return builder_error(b);
}

/* True when a group before this one has the ACL too. */
static bool is_repeated(const struct lio_target *target, size_t before, const char *name)
{
	for (size_t i = 0; i < before; i++) {
		const struct lio_group *group = &target->groups[i];

		for (size_t k = 0; group->exists && k < group->acl_count; k++)
			if (group->acls[k].exists && !strcmp(group->acls[k].name, name))
				return true;
	}
	return false;
}

/* Each initiator with an ACL once, and "any" where a group takes initiators without. */
static int add_identities(
	struct builder *b, const struct lio_target *target, uint32_t instance_at, uint32_t node_at)
{
	bool any = false;
	int rc = 0;

	for (size_t i = 0; i < target->group_count && rc == 0; i++) {
		const struct lio_group *group = &target->groups[i];

		any |= group->exists && group->demo.value;
		for (size_t k = 0; group->exists && k < group->acl_count && rc == 0; k++)
			if (group->acls[k].exists && !is_repeated(target, i, group->acls[k].name))
				rc = add_identity(b, group->acls[k].name, IDENTITY_NAME,
					instance_at, node_at, target->name);
	}
	if (any && rc == 0)
		rc = add_identity(b, "any", IDENTITY_ANY, instance_at, node_at, target->name);
	return rc;
}

int lio_model_build(struct builder *b, const struct lio_memory *memory, const char *architecture,
	const char *release)
{
	uint32_t instance_at, node_at;
	int rc = add_instance(b, memory, architecture, release, &instance_at);

	for (size_t i = 0; i < memory->target_count && rc == 0; i++) {
		const struct lio_target *target = &memory->targets[i];

		if (!target->exists)
			continue;
		rc = add_node(b, target, instance_at, &node_at);
		if (rc == 0)
			rc = add_portals(b, target, instance_at, node_at);
		if (rc == 0)
			rc = add_identities(b, target, instance_at, node_at);
		if (rc == 0)
			rc = lio_model_sessions(b, target, instance_at, node_at);
	}
	return rc;
}
