/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instance, portals, nodes and identities of one tgtd; its sessions: tgt_model_session.c.
 * Called by tgt.c in the reader process of the source. Must set nothing that tgtd did not say or
 * that does not follow from how it works.
 */
#include "source/tgt_model.h"

#include "source/merge.h"
#include "source/tgt_model_private.h"

#define TARGET_ROLE	0x80
#define PROTOCOL_TCP	6
#define INSTANCE_FIRST	3u   /* control port 0 */
#define INSTANCE_OTHER	300u /* plus the control port */
#define NAME_MAX_OCTETS 700u /* leaves room for the rest of a key; iSCSI names have 223 */
#define TEXT_MAX	255u

enum { DIGEST_NONE = 1, DIGEST_NO = 3 };
enum { IDENTITY_ANY = 1, IDENTITY_ADDRESS, IDENTITY_NAME, IDENTITY_ACCOUNT };

static int add_instance(
	struct builder *b, const struct tgt_unit *unit, const char *architecture, uint32_t *ret_at)
{
	struct instance *instance = builder_instance(b, ret_at);

	if (!instance)
		return builder_error(b);
	builder_printf(b, &instance->key, "tgt:%u", unit->control_port);
	OPT_SET(instance->number,
		unit->control_port ? INSTANCE_OTHER + unit->control_port : INSTANCE_FIRST);
	if (unit->peer.pid)
		builder_printf(b, &instance->incarnation, "%d:%llu", (int)unit->peer.pid,
			(unsigned long long)unit->peer.start_time);
	builder_printf(
		b, &instance->description, "tgt target, control port %u", unit->control_port);
	OPT_SET(instance->version_min, 0);
	OPT_SET(instance->version_max, 0);
	builder_text(b, &instance->vendor, "Linux SCSI target framework (tgt)");
	if (*architecture)
		builder_text(b, &instance->node_architecture, architecture);
	return builder_error(b);
}

/* What all targets have in common, for the portals, which serve all of them. */
struct common_parameters {
	struct opt_u32 smallest_receive, header_digest, data_digest;
};

static struct common_parameters common_parameters(struct tgt_target *const *targets, size_t count)
{
	struct common_parameters common = { .smallest_receive = { .known = 0 } };
	bool first = true;

	for (size_t i = 0; i < count; i++) {
		const struct tgt_parameters *p = &targets[i]->parameters;

		/* A target that redirects takes no login: it has none. */
		if (!p->max_recv_data_segment_length.known && !p->header_digest.known &&
			!p->data_digest.known)
			continue;
		merge_smallest(&common.smallest_receive, &p->max_recv_data_segment_length, first);
		merge_same(&common.header_digest, &p->header_digest, first);
		merge_same(&common.data_digest, &p->data_digest, first);
		first = false;
	}
	return common;
}

/* tgtd accepts None also where it prefers CRC32C; with None it accepts nothing else. */
static void set_digests(
	const struct opt_u32 *digest, struct opt_u32 *primary, struct opt_u32 *secondary)
{
	if (!digest->known)
		return;
	*primary = *digest;
	OPT_SET(*secondary, digest->value == DIGEST_NO ? DIGEST_NONE : DIGEST_NO);
}

static int add_portals(struct builder *b, const struct tgt_unit *unit, uint32_t instance_at,
	const struct common_parameters *common)
{
	for (size_t i = 0; i < unit->portal_count; i++) {
		const struct tgt_portal *from = &unit->portals[i];
		struct portal *portal = builder_portal(b, NULL);

		if (!portal)
			return builder_error(b);
		portal->instance = instance_at;
		builder_printf(b, &portal->key, "target %.*s port %u tag %u",
			(int)from->text.length, from->text.at, from->port, from->tag);
		OPT_SET(portal->row_status, 1);
		OPT_SET(portal->roles, TARGET_ROLE);
		if (from->address_known)
			builder_address(&portal->address, &from->address);
		OPT_SET(portal->protocol, PROTOCOL_TCP);
		portal->max_recv_data_segment_length = common->smallest_receive;
		set_digests(&common->header_digest, &portal->primary_header_digest,
			&portal->secondary_header_digest);
		set_digests(&common->data_digest, &portal->primary_data_digest,
			&portal->secondary_data_digest);
		OPT_SET(portal->recv_marker, 0);
		OPT_SET(portal->port, from->port);
		OPT_SET(portal->tag, from->tag);
	}
	return builder_error(b);
}

static int add_node(
	struct builder *b, const struct tgt_target *target, uint32_t instance_at, uint32_t *ret_at)
{
	const struct tgt_parameters *p = &target->parameters;
	struct node *node = builder_node(b, ret_at);

	if (!node)
		return builder_error(b);
	node->instance = instance_at;
	builder_printf(b, &node->key, "target %s", target->name);
	builder_text(b, &node->name, target->name);
	builder_text(b, &node->alias, ""); /* no target of tgtd has one */
	OPT_SET(node->roles, TARGET_ROLE);
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
	return builder_error(b);
}

struct identity {
	uint32_t kind;
	struct tgt_slice text;
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;
	size_t shorter = x->text.length < y->text.length ? x->text.length : y->text.length;
	int rc;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	rc = memcmp(x->text.at, y->text.at, shorter);
	return rc ? rc : (x->text.length > y->text.length) - (x->text.length < y->text.length);
}

/*
 * An ACL line is the word ALL, an address or a prefix, or the name of an initiator. The zone of an
 * address may have any name: what comes before it tells. tgtd takes any text for a name.
 */
static uint32_t acl_kind(const struct tgt_slice *text)
{
	static const char address_octets[] = "0123456789abcdefABCDEF.:/[]";
	bool colon = false;

	if (tgt_slice_is(text, "ALL"))
		return IDENTITY_ANY;
	for (size_t i = 0; i < text->length; i++) {
		if (text->at[i] == '%' && colon)
			return IDENTITY_ADDRESS;
		if (!memchr(address_octets, text->at[i], sizeof(address_octets) - 1))
			return IDENTITY_NAME;
		colon |= text->at[i] == ':';
	}
	return IDENTITY_ADDRESS;
}

/* An account that the target shows to initiators is no identity that may use the target. */
static bool is_outgoing(const struct tgt_slice *account)
{
	static const char suffix[] = " (outgoing)";
	size_t length = sizeof(suffix) - 1;

	return account->length > length &&
	       !memcmp(account->at + account->length - length, suffix, length);
}

static size_t count_lines(const struct tgt_slice *list)
{
	struct tgt_slice rest = *list, line;
	size_t count = 0;

	while (tgt_next_line(&rest, &line))
		count++;
	return count;
}

static int add_identity(struct builder *b, const struct tgt_target *target, uint32_t instance_at,
	uint32_t node_at, const struct identity *identity)
{
	static const char *const kinds[] = {
		[IDENTITY_ANY] = "any",
		[IDENTITY_ADDRESS] = "address",
		[IDENTITY_NAME] = "name",
		[IDENTITY_ACCOUNT] = "account",
	};
	struct auth *auth = builder_auth(b, NULL);

	if (!auth)
		return builder_error(b);
	auth->instance = instance_at;
	auth->node = node_at;
	builder_printf(b, &auth->key, "target %s %s %.*s", target->name, kinds[identity->kind],
		(int)identity->text.length, identity->text.at);
	OPT_SET(auth->roles, TARGET_ROLE);
	OPT_SET(auth->row_status, 1);
	OPT_SET(auth->identity_kind, identity->kind);
	return builder_string(b, &auth->identity, identity->text.at, identity->text.length);
}

static int add_identities(
	struct builder *b, const struct tgt_target *target, uint32_t instance_at, uint32_t node_at)
{
	CLEANUP_FREE struct identity *list = NULL;
	struct tgt_slice rest, item;
	size_t count = 0;
	int rc = 0;

	if (!target->access_known)
		return 0;
	list = calloc(
		count_lines(&target->accounts) + count_lines(&target->acl) + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	for (rest = target->accounts; tgt_access_next(&rest, &item);)
		if (item.length <= TEXT_MAX && !is_outgoing(&item))
			list[count++] = (struct identity){ IDENTITY_ACCOUNT, item };
	for (rest = target->acl; tgt_access_next(&rest, &item);)
		if (item.length <= TEXT_MAX)
			list[count++] = (struct identity){ acl_kind(&item), item };
	qsort(list, count, sizeof(*list), compare_identities);
	for (size_t i = 0; i < count && rc == 0; i++)
		if (!i || compare_identities(&list[i - 1], &list[i]) != 0)
			rc = add_identity(b, target, instance_at, node_at, &list[i]);
	return rc;
}

static int compare_names(const void *a, const void *b)
{
	struct tgt_target *const *x = a, *const *y = b;
	int rc = strcmp((*x)->name, (*y)->name);

	return rc ? rc : ((*x)->tid > (*y)->tid) - ((*x)->tid < (*y)->tid);
}

/* The targets to show, by name; of two with one name (tgtd has no such) the first. */
static size_t targets_to_show(const struct tgt_unit *unit, struct tgt_target **ret)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < unit->target_count; i++) {
		struct tgt_target *target = &unit->targets[i];

		if (target->exists && target->is_iscsi && target->name_good && *target->name &&
			strlen(target->name) <= NAME_MAX_OCTETS)
			ret[count++] = target;
	}
	qsort(ret, count, sizeof(struct tgt_target *), compare_names);
	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(ret[kept - 1]->name, ret[i]->name) != 0)
			ret[kept++] = ret[i];
	return kept;
}

int tgt_model_build(struct builder *b, const struct tgt_unit *unit, const char *architecture)
{
	CLEANUP_FREE struct tgt_target **targets =
		calloc(unit->target_count + 1, sizeof(struct tgt_target *));
	struct common_parameters common;
	uint32_t instance_at, node_at;
	size_t count;
	int rc;

	if (!targets)
		return -ENOMEM;
	count = targets_to_show(unit, targets);
	common = common_parameters(targets, count);
	rc = add_instance(b, unit, architecture, &instance_at);
	if (rc == 0)
		rc = add_portals(b, unit, instance_at, &common);
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = add_node(b, targets[i], instance_at, &node_at);
		if (rc == 0)
			rc = add_identities(b, targets[i], instance_at, node_at);
		if (rc == 0)
			rc = tgt_model_sessions(b, unit, targets[i], instance_at, node_at);
	}
	return rc;
}
