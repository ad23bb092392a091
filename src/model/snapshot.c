/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fragments become a snapshot: concatenated, links and texts relocated, numbered, completed from
 * what the agent remembers (ledger.h), sealed.
 * Agent process (and one-shot commands); no I/O.
 */
#include "model/snapshot.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/memfd.h"
#include "index/registry.h"
#include "model/ledger.h"
#include "model/own.h"
#include "model/path_join.h"

/* Paths of all instances are numbered together, and so are maps and probes: their index is one
 * number. */
#define PATH_PARENT  1u
#define MAP_PARENT   1u
#define PROBE_PARENT 1u

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

/* Copies a part of an input's fragment: `at` octets from its beginning. */
static int copy_part(const struct snapshot_input *input, void *to, uint64_t at, size_t length)
{
	if (input->is_sealed)
		return memfd_read(input->memfd, to, length, at);
	memcpy(to, (const char *)input->fragment + at, length);
	return 0;
}

/*
 * Copies one input behind what is there, and moves `base` on. A sealed one cannot have changed
 * since it was checked. Returns 0 or a negative errno.
 */
static int append(
	struct snapshot *s, uint32_t unit, const struct snapshot_input *input, struct base *base)
{
	const struct fragment *f = input->fragment;
	int rc;

	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		const struct object_info *info = object_info(k);
		char *to = (char *)s->arrays[k].objects + (size_t)base->at[k] * info->size;

		rc = copy_part(input, to, f->arrays[k].at, (size_t)f->arrays[k].count * info->size);
		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < f->arrays[k].count; i++, to += info->size) {
			*(struct object *)(void *)to = (struct object){ .unit = unit };
			relocate(to, info, base);
		}
	}
	rc = copy_part(input, s->arena + base->arena_at, f->arena_at, f->arena_length);
	if (rc < 0)
		return rc;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		base->at[k] += f->arrays[k].count;
	base->arena_at += (uint32_t)f->arena_length;
	return 0;
}

/* The work of giving numbers: what it needs, and what it could not do. */
struct numbering {
	struct snapshot *s;
	const struct snapshot_input *inputs;
	struct registry *registry;
	struct ledger ledger;
	struct registry_entry **entries; /* of the kind that is being numbered */
	uint32_t doubles;		 /* objects with the key of another one */
	uint32_t refused;		 /* objects that the registry gave no number */
	int error;
};

static void number_object(struct numbering *n, enum index_kind kind, uint32_t parent,
	struct object *object, const struct opt_str *key, struct registry_entry **ret)
{
	uint64_t since_ns = n->inputs[object->unit].first ? 0 : n->s->made_ns;
	int rc;

	if (!parent)
		return; /* its parent has no row */
	rc = registry_number(n->registry, kind, parent, snapshot_text(n->s, key), key->length,
		since_ns, ret, NULL);
	if (rc < 0) {
		n->refused++;
		n->error = rc;
		return;
	}
	object->index = (*ret)->number;
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

/*
 * Whose numbers the object's is one of; 0: of nobody's, it gets none. Connections are numbered
 * within their session, so the parent is the session's number. Sessions of two instances may have
 * one number and then share a space of numbers: each connection's number is still its own within
 * its session, and never changes.
 */
static uint32_t parent_number(const struct snapshot *s, enum object_kind kind, uint32_t position)
{
	const struct opt_u32 *number;

	switch (kind) {
	case OBJECT_INSTANCE: /* its own, which the source has fixed */
		number = &snapshot_instances(s)[position].number;
		return number->known ? number->value : 0;
	case OBJECT_PORTAL:
		return snapshot_instances(s)[snapshot_portals(s)[position].instance].object.index;
	case OBJECT_NODE:
		return snapshot_instances(s)[snapshot_nodes(s)[position].instance].object.index;
	case OBJECT_AUTH:
		return snapshot_instances(s)[snapshot_auths(s)[position].instance].object.index;
	case OBJECT_SESSION:
		return snapshot_instances(s)[snapshot_sessions(s)[position].instance].object.index;
	case OBJECT_CONNECTION:
		return snapshot_sessions(s)[snapshot_connections(s)[position].session].object.index;
	case OBJECT_PATH: /* all instances' together: their index is one number */
		return snapshot_instances(s)[snapshot_paths(s)[position].instance].object.index
			       ? PATH_PARENT
			       : 0;
	case OBJECT_MAP: /* of the one multipathd of a host: no instance is above them */
		return map_is_row(&snapshot_maps(s)[position]) ? MAP_PARENT : 0;
	case OBJECT_PROBE:
		return PROBE_PARENT;
	default:
		break;
	}
	return 0;
}

/*
 * Takes the number from every object whose (parent, number) an earlier one has: a source that gave
 * one key to two objects. Instances are among themselves. Connections: the parent is the session's
 * position, which is unique.
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
		uint64_t parent = kind == OBJECT_INSTANCE     ? 0
				  : kind == OBJECT_CONNECTION ? snapshot_connections(s)[i].session
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

/* Objects of which two are one row do not come before the ledger: it would count them as one. */
static int number_kind(struct numbering *n, enum object_kind kind, enum index_kind index_kind)
{
	const struct object_info *info = object_info(kind);
	char *object = n->s->arrays[kind].objects;
	int rc;

	for (uint32_t i = 0; i < n->s->arrays[kind].count; i++, object += info->size)
		number_object(n, index_kind, parent_number(n->s, kind, i),
			(struct object *)(void *)object,
			(const struct opt_str *)(const void *)(object + info->key_offset),
			&n->entries[i]);
	rc = drop_doubles(n->s, kind, &n->doubles);
	if (rc == 0)
		rc = ledger_complete(&n->ledger, kind, n->entries);
	return rc;
}

static int number_all(struct numbering *n)
{
	/* A parent comes before what is numbered within it. */
	static const struct {
		enum object_kind kind;
		enum index_kind index_kind;
	} order[] = {
		{ OBJECT_INSTANCE, INDEX_INSTANCE },
		{ OBJECT_PORTAL, INDEX_PORTAL },
		{ OBJECT_NODE, INDEX_NODE },
		{ OBJECT_AUTH, INDEX_AUTH },
		{ OBJECT_SESSION, INDEX_SESSION },
		{ OBJECT_CONNECTION, INDEX_CONNECTION },
		{ OBJECT_PATH, INDEX_PATH },
		{ OBJECT_MAP, INDEX_MAP },
		{ OBJECT_PROBE, INDEX_PROBE },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_SIZE(order) && rc == 0; i++)
		rc = number_kind(n, order[i].kind, order[i].index_kind);
	if (rc < 0)
		return rc;
	if (n->doubles)
		log_warning(
			"%u objects have the key of another one: they have no rows", n->doubles);
	if (n->error == -ENOMEM)
		return -ENOMEM;
	if (n->refused)
		log_warning("no index number for %u objects (%s): they have no rows", n->refused,
			strerror(-n->error));
	return 0;
}

/* Numbers all objects and completes them from what the agent remembers. */
static int number(
	const struct snapshot_input *inputs, struct registry *registry, struct snapshot *s)
{
	struct numbering n = { .s = s, .inputs = inputs, .registry = registry };
	uint32_t most = 0;
	int rc;

	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		most = s->arrays[k].count > most ? s->arrays[k].count : most;
	n.entries = calloc((size_t)most + 1, sizeof(n.entries[0]));
	rc = n.entries ? ledger_begin(&n.ledger, s, registry, s->made_ns) : -ENOMEM;
	if (rc == 0)
		rc = number_all(&n);
	ledger_end(&n.ledger);
	free(n.entries);
	return rc;
}

int snapshot_build(const struct snapshot_input *inputs, uint32_t count, struct registry *registry,
	const struct path_rules *rules, uint64_t generation, uint64_t now_ns, struct snapshot **ret)
{
	struct base base = { .arena_at = 0 };
	struct snapshot *s = snapshot_allocate(inputs, count);
	int rc = 0;

	if (!s)
		return -ENOMEM;
	s->generation = generation;
	s->made_ns = now_ns;
	s->wall_zero_ns = clock_wall_zero_ns();
	for (uint32_t i = 0; i < count && rc == 0; i++) {
		s->units[i] = *inputs[i].status;
		s->units[i].has_rows = inputs[i].fragment;
		if (inputs[i].fragment)
			rc = append(s, i, &inputs[i], &base);
	}
	if (rc == 0)
		rc = path_join(s, rules, base.arena_at);
	if (rc == 0)
		rc = number(inputs, registry, s);
	if (rc == 0) {
		count_rows(s);
		rc = own_fill(s, base.arena_at + path_join_text_room(), registry);
	}
	if (rc < 0) {
		snapshot_put(s);
		return rc;
	}
	*ret = s;
	return 0;
}

void snapshot_set_agent(struct snapshot *s, const struct agent_facts *facts)
{
	struct agent_info *agent = s->arrays[OBJECT_AGENT].objects;

	agent->started = (struct opt_time){ .ns = facts->started_ns, .known = 1 };
	OPT_SET(agent->notify_sent, facts->notify_sent);
	OPT_SET(agent->notify_waiting, facts->notify_waiting);
	OPT_SET(agent->notify_suppressed, facts->notify_suppressed);
	OPT_SET(agent->notify_dropped, facts->notify_dropped);
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
