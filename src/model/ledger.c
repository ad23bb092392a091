/* SPDX-License-Identifier: BSD-2-Clause */
#include "model/ledger.h"

#include "base/hash.h"

void ledger_instance(const struct snapshot *s, struct instance *instance,
	struct registry_entry *entry, uint64_t now_ns)
{
	uint64_t incarnation = 0;

	if (instance->incarnation.known)
		incarnation = hash_bytes(HASH_INIT, snapshot_text(s, &instance->incarnation),
			instance->incarnation.length);
	if (incarnation && entry->incarnation && incarnation != entry->incarnation)
		entry->discontinuity_ns = now_ns;
	if (incarnation)
		entry->incarnation = incarnation;
	if (!instance->discontinuity.known)
		instance->discontinuity =
			(struct opt_time){ .ns = entry->discontinuity_ns, .known = 1 };
}

void ledger_node(struct node *node, const struct registry_entry *entry)
{
	if (!node->discontinuity.known)
		node->discontinuity =
			(struct opt_time){ .ns = entry->discontinuity_ns, .known = 1 };
}

static struct opt_time latest(const struct registry_entry *entry)
{
	uint64_t ns = entry->discontinuity_ns > entry->since_ns ? entry->discontinuity_ns
								: entry->since_ns;

	return (struct opt_time){ .ns = ns, .known = 1 };
}

void ledger_path(struct path *path, const struct registry_entry *entry)
{
	if (!path->discontinuity.known)
		path->discontinuity = latest(entry);
}

void ledger_session(struct session *session, const struct registry_entry *entry)
{
	if (!session->discontinuity.known)
		session->discontinuity = latest(entry);
	if (!session->created.known && entry->since_ns)
		session->created = (struct opt_time){ .ns = entry->since_ns, .known = 1 };
}
