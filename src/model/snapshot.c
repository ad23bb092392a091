/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments become a snapshot: concatenated, links and texts relocated, numbered, sealed.
 * Agent process (and one-shot commands); no I/O.
 */
#include "model/snapshot.h"

#include "base/clock.h"
#include "base/log.h"
#include "index/registry.h"
#include "model/ledger.h"
#include "model/own.h"
#include "model/path_join.h"

/* Paths of all instances are numbered together, and so are maps: their index is one number. */
#define PATH_PARENT 1u
#define MAP_PARENT  1u

/* Where the objects and texts of one input begin in the snapshot. */
struct base {
	uint32_t at[OBJECT_KINDS];
	uint32_t arena_at;
};

static struct snapshot *snapshot_allocate(const struct snapshot_input *inputs, uint32_t count)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->references = 1;
	s->unit_count = count;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		s->arrays[k].count = object_is_of_agent(k) ? own_count(k, count) : 0;
	s->arena_length = own_text_room(count) + path_join_text_room();
	for (uint32_t i = 0; i < count; i++) {
		if (!inputs[i].fragment)
			continue;
		s->arena_length += inputs[i].fragment->arena_length;
		for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
			s->arrays[k].count += inputs[i].fragment->arrays[k].count;
	}
	s->arena = calloc(1, s->arena_length + 1);
	s->units = calloc(count + 1, sizeof(*s->units));
	if (!s->arena || !s->units || s->arena_length > UINT32_MAX)
		goto fail;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		s->arrays[k].objects = calloc((size_t)s->arrays[k].count + 1, object_info(k)->size);
		if (!s->arrays[k].objects)
			goto fail;
	}
	return s;
fail:
	snapshot_put(s);
	return NULL;
}

static void relocate(char *object, const struct object_info *info, const struct base *base)
{
	for (uint32_t i = 0; i < info->field_count; i++) {
		const struct field_info *field = &info->fields[i];
		char *at = object + field->offset;

		if (field->type == FIELD_str) {
			struct opt_str *text = (struct opt_str *)(void *)at;

			text->offset += base->arena_at;
		} else if (field->type == FIELD_link) {
			uint32_t *link = (uint32_t *)(void *)at;

			if (*link != LINK_NONE)
				*link += base->at[field->high];
		}
	}
}

/* Copies one input behind what is there, and moves `base` on. */
static void append(struct snapshot *s, uint32_t unit, const struct fragment *f, struct base *base)
{
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		const struct object_info *info = object_info(k);
		char *to = (char *)s->arrays[k].objects + (size_t)base->at[k] * info->size;

		memcpy(to, fragment_array(f, k), (size_t)f->arrays[k].count * info->size);
		for (uint32_t i = 0; i < f->arrays[k].count; i++, to += info->size) {
			*(struct object *)(void *)to = (struct object){ .unit = unit };
			relocate(to, info, base);
		}
	}
	memcpy(s->arena + base->arena_at, (const char *)f + f->arena_at, f->arena_length);
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		base->at[k] += f->arrays[k].count;
	base->arena_at += (uint32_t)f->arena_length;
}

/* The work of giving numbers: what it needs, and what it could not do. */
struct numbering {
	struct snapshot *s;
	const struct snapshot_input *inputs;
	struct registry *registry;
	uint64_t now_ns;
	uint32_t refused; /* objects that the registry gave no number */
	int error;
};

static struct registry_entry *number_object(struct numbering *n, enum index_kind kind,
	uint32_t parent, struct object *object, const struct opt_str *key)
{
	struct registry_entry *entry;
	uint64_t since_ns = n->inputs[object->unit].first ? 0 : n->now_ns;
	int rc;

	if (!parent)
		return NULL; /* its parent has no row */
	rc = registry_number(n->registry, kind, parent, snapshot_text(n->s, key), key->length,
		since_ns, &entry, NULL);
	if (rc < 0) {
		n->refused++;
		n->error = rc;
		return NULL;
	}
	object->index = entry->number;
	return entry;
}

struct identity {
	uint64_t id; /* parent and number */
	uint32_t position;
};

static int compare_identities(const void *a, const void *b)
{
	const struct identity *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return x->position < y->position ? -1 : x->position > y->position;
}

static uint32_t parent_number(const struct snapshot *s, enum object_kind kind, uint32_t position)
{
	switch (kind) {
	case OBJECT_PORTAL:
		return snapshot_instances(s)[snapshot_portals(s)[position].instance].object.index;
	case OBJECT_NODE:
		return snapshot_instances(s)[snapshot_nodes(s)[position].instance].object.index;
	case OBJECT_AUTH:
		return snapshot_instances(s)[snapshot_auths(s)[position].instance].object.index;
	case OBJECT_SESSION:
		return snapshot_instances(s)[snapshot_sessions(s)[position].instance].object.index;
	default:
		return 0; /* instances, paths, maps: among themselves; connections: see below */
	}
}

/*
 * Takes the number from every object whose (parent, number) an earlier one has: a source that gave
 * one key to two objects. Connections: the parent is the session's position, which is unique.
 */
static int drop_doubles(struct snapshot *s, enum object_kind kind, uint32_t *ret_dropped)
{
	const struct object_info *info = object_info(kind);
	uint32_t count = s->arrays[kind].count, dropped = 0;
	CLEANUP_FREE struct identity *ids = malloc(((size_t)count + 1) * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const char *at = (const char *)s->arrays[kind].objects + (size_t)i * info->size;
		uint64_t parent = kind == OBJECT_CONNECTION ? snapshot_connections(s)[i].session
							    : parent_number(s, kind, i);

		ids[i].id = parent << 32 | ((const struct object *)(const void *)at)->index;
		ids[i].position = i;
	}
	qsort(ids, count, sizeof(*ids), compare_identities);
	for (uint32_t i = 1; i < count; i++) {
		char *at = (char *)s->arrays[kind].objects + (size_t)ids[i].position * info->size;

		if (ids[i].id == ids[i - 1].id && (uint32_t)ids[i].id) {
			((struct object *)(void *)at)->index = 0;
			dropped++;
		}
	}
	*ret_dropped += dropped;
	return 0;
}

static void number_instances(struct numbering *n)
{
	struct instance *instances = n->s->arrays[OBJECT_INSTANCE].objects;

	for (uint32_t i = 0; i < n->s->arrays[OBJECT_INSTANCE].count; i++) {
		struct instance *instance = &instances[i];
		struct registry_entry *entry;

		if (!instance->number.known)
			continue;
		entry = number_object(n, INDEX_INSTANCE, instance->number.value, &instance->object,
			&instance->key);
		if (entry)
			ledger_instance(n->s, instance, entry, n->now_ns);
	}
}

static void number_below_instances(struct numbering *n)
{
	struct snapshot *s = n->s;
	struct portal *portals = s->arrays[OBJECT_PORTAL].objects;
	struct node *nodes = s->arrays[OBJECT_NODE].objects;
	struct auth *auths = s->arrays[OBJECT_AUTH].objects;
	struct session *sessions = s->arrays[OBJECT_SESSION].objects;
	struct path *paths = s->arrays[OBJECT_PATH].objects;
	const struct registry_entry *entry;

	for (uint32_t i = 0; i < s->arrays[OBJECT_PORTAL].count; i++)
		number_object(n, INDEX_PORTAL, parent_number(s, OBJECT_PORTAL, i),
			&portals[i].object, &portals[i].key);
	for (uint32_t i = 0; i < s->arrays[OBJECT_NODE].count; i++) {
		entry = number_object(n, INDEX_NODE, parent_number(s, OBJECT_NODE, i),
			&nodes[i].object, &nodes[i].key);
		if (entry)
			ledger_node(&nodes[i], entry);
	}
	for (uint32_t i = 0; i < s->arrays[OBJECT_AUTH].count; i++)
		number_object(n, INDEX_AUTH, parent_number(s, OBJECT_AUTH, i), &auths[i].object,
			&auths[i].key);
	for (uint32_t i = 0; i < s->arrays[OBJECT_SESSION].count; i++) {
		entry = number_object(n, INDEX_SESSION, parent_number(s, OBJECT_SESSION, i),
			&sessions[i].object, &sessions[i].key);
		if (entry)
			ledger_session(&sessions[i], entry);
	}
	for (uint32_t i = 0; i < s->arrays[OBJECT_PATH].count; i++) {
		if (!snapshot_instances(s)[paths[i].instance].object.index)
			continue;
		entry = number_object(n, INDEX_PATH, PATH_PARENT, &paths[i].object, &paths[i].key);
		if (entry)
			ledger_path(&paths[i], entry);
	}
}

/*
 * Connections are numbered within their session, so the parent is the session's number. Sessions
 * of two instances may have one number and then share a space of numbers: each connection's
 * number is still its own within its session, and never changes.
 */
static void number_connections(struct numbering *n)
{
	struct snapshot *s = n->s;
	struct connection *connections = s->arrays[OBJECT_CONNECTION].objects;

	for (uint32_t i = 0; i < s->arrays[OBJECT_CONNECTION].count; i++) {
		const struct session *session = &snapshot_sessions(s)[connections[i].session];

		number_object(n, INDEX_CONNECTION, session->object.index, &connections[i].object,
			&connections[i].key);
	}
}

/* The maps of the one multipathd of a host: no instance of ISCSI-MIB is above them. */
static void number_maps(struct numbering *n)
{
	struct map *maps = n->s->arrays[OBJECT_MAP].objects;

	for (uint32_t i = 0; i < n->s->arrays[OBJECT_MAP].count; i++) {
		if (map_is_row(&maps[i]))
			number_object(n, INDEX_MAP, MAP_PARENT, &maps[i].object, &maps[i].key);
	}
}

/* The row counts of RFC 7147's instance table: rows, not what the stack would count. */
static void count_rows(struct snapshot *s)
{
	struct instance *instances = s->arrays[OBJECT_INSTANCE].objects;
	const struct portal *portals = snapshot_portals(s);
	const struct node *nodes = snapshot_nodes(s);
	const struct session *sessions = snapshot_sessions(s);

	for (uint32_t i = 0; i < s->arrays[OBJECT_INSTANCE].count; i++) {
		OPT_SET(instances[i].portal_count, 0);
		OPT_SET(instances[i].node_count, 0);
		OPT_SET(instances[i].session_count, 0);
	}
	for (uint32_t i = 0; i < s->arrays[OBJECT_PORTAL].count; i++)
		instances[portals[i].instance].portal_count.value += portals[i].object.index != 0;
	for (uint32_t i = 0; i < s->arrays[OBJECT_NODE].count; i++)
		instances[nodes[i].instance].node_count.value += nodes[i].object.index != 0;
	for (uint32_t i = 0; i < s->arrays[OBJECT_SESSION].count; i++)
		instances[sessions[i].instance].session_count.value +=
			sessions[i].object.index != 0;
}

static int number_all(struct numbering *n)
{
	uint32_t doubles = 0;
	int rc;

	number_instances(n);
	rc = drop_doubles(n->s, OBJECT_INSTANCE, &doubles);
	if (rc < 0)
		return rc;
	number_below_instances(n);
	for (enum object_kind k = OBJECT_PORTAL; k < OBJECT_CONNECTION; k++) {
		rc = drop_doubles(n->s, k, &doubles);
		if (rc < 0)
			return rc;
	}
	number_connections(n);
	rc = drop_doubles(n->s, OBJECT_CONNECTION, &doubles);
	if (rc == 0)
		rc = drop_doubles(n->s, OBJECT_PATH, &doubles);
	if (rc < 0)
		return rc;
	number_maps(n);
	rc = drop_doubles(n->s, OBJECT_MAP, &doubles);
	if (rc < 0)
		return rc;
	if (doubles)
		log_warning("%u objects have the key of another one: they have no rows", doubles);
	if (n->error == -ENOMEM)
		return -ENOMEM;
	if (n->refused)
		log_warning("no index number for %u objects (%s): they have no rows", n->refused,
			strerror(-n->error));
	return 0;
}

int snapshot_build(const struct snapshot_input *inputs, uint32_t count, struct registry *registry,
	const struct path_rules *rules, uint64_t generation, uint64_t now_ns, struct snapshot **ret)
{
	struct numbering n = { .inputs = inputs, .registry = registry, .now_ns = now_ns };
	struct base base = { .arena_at = 0 };
	int rc;

	n.s = snapshot_allocate(inputs, count);
	if (!n.s)
		return -ENOMEM;
	n.s->generation = generation;
	n.s->made_ns = now_ns;
	n.s->wall_zero_ns = clock_wall_zero_ns();
	for (uint32_t i = 0; i < count; i++) {
		n.s->units[i] = *inputs[i].status;
		if (inputs[i].fragment)
			append(n.s, i, inputs[i].fragment, &base);
	}
	rc = path_join(n.s, rules, base.arena_at);
	if (rc == 0)
		rc = number_all(&n);
	if (rc == 0) {
		count_rows(n.s);
		rc = own_fill(n.s, base.arena_at + path_join_text_room(), registry);
	}
	if (rc < 0) {
		snapshot_put(n.s);
		return rc;
	}
	*ret = n.s;
	return 0;
}

void snapshot_set_agent(struct snapshot *s, const struct agent_facts *facts)
{
	struct agent_info *agent = s->arrays[OBJECT_AGENT].objects;

	agent->started = (struct opt_time){ .ns = facts->started_ns, .known = 1 };
}

struct snapshot *snapshot_get(struct snapshot *s)
{
	s->references++;
	return s;
}

void snapshot_put(struct snapshot *s)
{
	if (!s || --s->references)
		return;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		free(s->arrays[k].objects);
	free(s->arena);
	free(s->units);
	free(s);
}
