/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_entries.h"

static int add_pointer(struct probe_entries *entries, struct probe_entry *entry)
{
	if (entries->count == entries->capacity) {
		size_t capacity = entries->capacity ? 2 * entries->capacity : 16;
		struct probe_entry **grown =
			realloc(entries->list, capacity * sizeof(*entries->list));

		if (!grown)
			return -ENOMEM;
		entries->list = grown;
		entries->capacity = capacity;
	}
	entries->list[entries->count++] = entry;
	return 0;
}

static struct probe_entry *find(const struct probe_entries *entries, const char *key)
{
	for (size_t i = 0; i < entries->count; i++)
		if (strcmp(entries->list[i]->key, key) == 0)
			return entries->list[i];
	return NULL;
}

/* What the configuration names comes first, and is what an entry then comes from. */
static int want(struct probe_entries *entries, const struct probe_place *place,
	enum probe_origin origin, uint64_t now_ns)
{
	char portal[PROBE_PORTAL_TEXT], key[PROBE_KEY_MAX];
	struct probe_entry *entry;
	int rc;

	probe_portal_text(portal, place);
	snprintf(key, sizeof(key), "%s %s", portal, place->target);
	entry = find(entries, key);
	if (entry) {
		if (!entry->wanted)
			entry->origin = origin;
		entry->wanted = true;
		return 0;
	}
	if (entries->count >= PROBE_ENTRIES_MAX) {
		entries->left_out++;
		return 0;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	memcpy(entry->key, key, sizeof(key));
	entry->place = *place;
	entry->origin = origin;
	entry->wanted = true;
	entry->due_ns = now_ns;
	entry->child.fd = -1;
	rc = add_pointer(entries, entry);
	if (rc < 0)
		free(entry);
	return rc;
}

static int want_lines(
	struct probe_entries *entries, const struct source_settings *settings, uint64_t now_ns)
{
	int rc = 0;

	entries->without_zone = false;
	for (uint32_t i = 0; i < settings->probes.count && rc == 0; i++) {
		struct probe_place place;
		const char *wrong;

		rc = probe_line_parse(settings->probes.lines[i], &place, &wrong);
		if (rc == 0)
			rc = want(entries, &place, PROBE_CONFIGURED, now_ns);
		else if (rc == -ENODEV)
			entries->without_zone = true;
		if (rc != -ENOMEM)
			rc = 0;
	}
	return rc;
}

/* What goes through an adapter of its own, or by RDMA, is not what a connection of ours would show.
 */
static bool is_over_tcp(const struct oiscsi_records *records, const struct oiscsi_node *node)
{
	const struct oiscsi_iface *iface = oiscsi_iface_find(records, node->iface);

	return !iface || !iface->transport[0] || strcmp(iface->transport, "tcp") == 0;
}

/* A record may have the name of a host, which is not looked up, or a target that is no name. */
static int want_records(
	struct probe_entries *entries, const struct oiscsi_records *records, uint64_t now_ns)
{
	int rc = 0;

	for (size_t i = 0; i < records->nodes.count && rc == 0; i++) {
		const struct oiscsi_node *node = &records->nodes.list[i];
		struct probe_place place = { .address = node->portal.address };

		if (!node->portal.address.type || !node->portal.port ||
			node->portal.port > UINT16_MAX || !probe_is_iscsi_name(node->target) ||
			!is_over_tcp(records, node))
			continue;
		place.port = (uint16_t)node->portal.port;
		snprintf(place.target, sizeof(place.target), "%s", node->target);
		rc = want(entries, &place, PROBE_RECORD, now_ns);
	}
	return rc;
}

static int compare(const void *a, const void *b)
{
	const struct probe_entry *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

/* Moves what is not wanted to *ret_gone. */
static int take_out(struct probe_entries *entries, struct probe_entries *ret_gone)
{
	size_t kept = 0;

	for (size_t i = 0; i < entries->count; i++) {
		struct probe_entry *entry = entries->list[i];
		int rc = 0;

		if (entry->wanted) {
			entries->list[kept++] = entry;
			continue;
		}
		rc = add_pointer(ret_gone, entry);
		if (rc < 0)
			entries->list[kept++] = entry; /* the next time */
	}
	entries->count = kept;
	return 0;
}

int probe_entries_refresh(struct probe_entries *entries, const struct source_settings *settings,
	const struct oiscsi_records *records, uint64_t now_ns, struct probe_entries *ret_gone)
{
	int rc;

	memset(ret_gone, 0, sizeof(*ret_gone));
	entries->left_out = 0;
	for (size_t i = 0; i < entries->count; i++)
		entries->list[i]->wanted = false;
	rc = want_lines(entries, settings, now_ns);
	if (rc == 0 && settings->probe_known_paths)
		rc = want_records(entries, records, now_ns);
	if (rc < 0)
		return rc;
	if (settings->probe_known_paths && records->incomplete) {
		for (size_t i = 0; i < entries->count; i++)
			entries->list[i]->wanted |= entries->list[i]->origin == PROBE_RECORD;
	}
	rc = take_out(entries, ret_gone);
	if (entries->count)
		qsort(entries->list, entries->count, sizeof(*entries->list), compare);
	return rc;
}

bool probe_entry_finish(struct probe_entry *entry, uint64_t now_ns)
{
	bool changed = !entry->probed_ns || entry->outcome.result != entry->child.outcome.result;

	entry->outcome = entry->child.outcome;
	entry->probed_ns = now_ns;
	switch (entry->outcome.result) {
	case PROBE_OK:
	case PROBE_REFUSED:
	case PROBE_REDIRECTED:
		entry->answered_ns = now_ns;
		entry->failures = 0;
		break;
	default:
		if (entry->failures < UINT32_MAX)
			entry->failures++;
	}
	return changed;
}

void probe_entries_clear(struct probe_entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		free(entries->list[i]);
	free(entries->list);
	memset(entries, 0, sizeof(*entries));
}
