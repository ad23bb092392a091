/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The check of a fragment. Everything in it is hostile until this has passed: it comes from a
 * process that parses text of iSCSI peers. Object by object, driven by model.def.
 */
#include "model/fragment.h"

#include <stdarg.h>

struct checker {
	const struct fragment *f;
	const char *arena;
	char *reason;
	enum object_kind kind;
	uint32_t position;
	const struct field_info *field;
};

static int PRINTF_LIKE(2, 3) refuse(char reason[128], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, 128, format, args);
	va_end(args);
	return -EBADMSG;
}

static int refuse_field(const struct checker *c, const char *what)
{
	return refuse(c->reason, "%s %u: %s %s", object_info(c->kind)->name, c->position,
		c->field->name, what);
}

static int check_text(const struct checker *c, const void *at)
{
	struct opt_str v;

	memcpy(&v, at, sizeof(v));
	if (v.known > 1)
		return refuse_field(c, "has a bad flag");
	if (!v.known)
		return 0;
	if (v.length < c->field->low || v.length > c->field->high)
		return refuse_field(c, "has a bad length");
	/* One octet more than the text: its NUL must be inside too. */
	if ((uint64_t)v.offset + v.length >= c->f->arena_length)
		return refuse_field(c, "lies outside of the arena");
	if (c->arena[v.offset + v.length] != '\0')
		return refuse_field(c, "is not terminated");
	return 0;
}

static int check_address(const struct checker *c, const void *at)
{
	static const uint8_t lengths[] = { [1] = 4, [2] = 16, [4] = 20 };
	struct opt_addr v;

	memcpy(&v, at, sizeof(v));
	if (v.known > 1)
		return refuse_field(c, "has a bad flag");
	if (!v.known)
		return 0;
	if (v.type >= ARRAY_SIZE(lengths) || !lengths[v.type] || v.length != lengths[v.type])
		return refuse_field(c, "is no address");
	return 0;
}

static int check_octet_pair(const struct checker *c, const void *at)
{
	const uint8_t *pair = at; /* value, known: opt_bool and opt_bits */
	uint8_t allowed = c->field->type == FIELD_bool ? 1 : (uint8_t)c->field->high;

	if (pair[1] > 1)
		return refuse_field(c, "has a bad flag");
	if (pair[1] && (pair[0] & ~allowed))
		return refuse_field(c, "has a bad value");
	return 0;
}

static int check_link(const struct checker *c, const void *at)
{
	uint32_t position;

	memcpy(&position, at, sizeof(position));
	if (position == LINK_NONE)
		return c->field->low ? refuse_field(c, "is missing") : 0;
	if (position >= c->f->arrays[c->field->high].count)
		return refuse_field(c, "points outside");
	return 0;
}

static int check_field(const struct checker *c, const char *object)
{
	const char *at = object + c->field->offset;
	struct opt_u32 number;
	struct opt_counter counter;
	struct opt_isid isid;
	struct opt_time event;

	switch (c->field->type) {
	case FIELD_u32:
		memcpy(&number, at, sizeof(number));
		if (number.known > 1)
			return refuse_field(c, "has a bad flag");
		if (number.known && (number.value < c->field->low || number.value > c->field->high))
			return refuse_field(c, "is out of range");
		return 0;
	case FIELD_counter:
		memcpy(&counter, at, sizeof(counter));
		if (counter.known > 1)
			return refuse_field(c, "has a bad flag");
		return 0;
	case FIELD_isid:
		memcpy(&isid, at, sizeof(isid));
		return isid.known > 1 ? refuse_field(c, "has a bad flag") : 0;
	case FIELD_time:
		memcpy(&event, at, sizeof(event));
		return event.known > 1 ? refuse_field(c, "has a bad flag") : 0;
	case FIELD_bool:
	case FIELD_bits:
		return check_octet_pair(c, at);
	case FIELD_str:
		return check_text(c, at);
	case FIELD_addr:
		return check_address(c, at);
	case FIELD_link:
		return check_link(c, at);
	}
	return refuse_field(c, "has an unknown type");
}

static int check_objects(struct checker *c)
{
	const struct object_info *info = object_info(c->kind);
	const char *objects = fragment_array(c->f, c->kind);

	for (c->position = 0; c->position < c->f->arrays[c->kind].count; c->position++) {
		const char *object = objects + (size_t)c->position * info->size;
		struct opt_str key;

		for (uint32_t i = 0; i < info->field_count; i++) {
			int rc;

			c->field = &info->fields[i];
			rc = check_field(c, object);
			if (rc < 0)
				return rc;
		}
		memcpy(&key, object + info->key_offset, sizeof(key));
		if (!key.known)
			return refuse(c->reason, "%s %u has no key", info->name, c->position);
	}
	return 0;
}

/* A part [at, at + length) lies inside the fragment, behind the header, at a multiple of 8. */
static bool is_inside(const struct fragment *f, uint64_t at, uint64_t length)
{
	return at >= sizeof(*f) && at % 8 == 0 && at <= f->length && length <= f->length - at;
}

/*
 * What is linked to what must belong to one instance: a session's node, a portal's node, an
 * identity's node are of the object's own instance, or rows would appear under a foreign index.
 */
static int check_families(const struct fragment *f, char reason[128])
{
	const struct node *nodes = fragment_array(f, OBJECT_NODE);
	const struct portal *portals = fragment_array(f, OBJECT_PORTAL);
	const struct auth *auths = fragment_array(f, OBJECT_AUTH);
	const struct session *sessions = fragment_array(f, OBJECT_SESSION);
	const struct connection *connections = fragment_array(f, OBJECT_CONNECTION);
	const struct path *paths = fragment_array(f, OBJECT_PATH);
	const struct device *devices = fragment_array(f, OBJECT_DEVICE);

	for (uint32_t i = 0; i < f->arrays[OBJECT_PORTAL].count; i++) {
		if (portals[i].node != LINK_NONE &&
			nodes[portals[i].node].instance != portals[i].instance)
			return refuse(reason, "portal %u: node of another instance", i);
	}
	for (uint32_t i = 0; i < f->arrays[OBJECT_AUTH].count; i++) {
		if (nodes[auths[i].node].instance != auths[i].instance)
			return refuse(reason, "auth %u: node of another instance", i);
	}
	for (uint32_t i = 0; i < f->arrays[OBJECT_SESSION].count; i++) {
		if (nodes[sessions[i].node].instance != sessions[i].instance)
			return refuse(reason, "session %u: node of another instance", i);
		if (sessions[i].connection != LINK_NONE &&
			connections[sessions[i].connection].session != i)
			return refuse(reason, "session %u: connection of another session", i);
	}
	for (uint32_t i = 0; i < f->arrays[OBJECT_PATH].count; i++) {
		if (paths[i].session != LINK_NONE &&
			sessions[paths[i].session].instance != paths[i].instance)
			return refuse(reason, "path %u: session of another instance", i);
		if (paths[i].connection != LINK_NONE &&
			connections[paths[i].connection].session != paths[i].session)
			return refuse(reason, "path %u: connection of another session", i);
	}
	for (uint32_t i = 0; i < f->arrays[OBJECT_DEVICE].count; i++) {
		if (sessions[devices[i].session].instance != devices[i].instance)
			return refuse(reason, "device %u: session of another instance", i);
	}
	return 0;
}

int fragment_check(const void *data, size_t length, char reason[128])
{
	const struct fragment *f = data;
	struct checker c = { .f = f, .reason = reason };

	if (length < sizeof(*f) || length > FRAGMENT_MAX)
		return refuse(reason, "bad size of %zu octets", length);
	if (f->magic != FRAGMENT_MAGIC || f->layout != model_layout_hash())
		return refuse(reason, "not a fragment of this build");
	if (f->length != length)
		return refuse(
			reason, "says %llu octets, has %zu", (unsigned long long)f->length, length);
	if (!is_inside(f, f->arena_at, f->arena_length) || f->arena_length > FRAGMENT_ARENA_MAX)
		return refuse(reason, "bad arena");
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		if (object_is_of_agent(k) && f->arrays[k].count)
			return refuse(reason, "objects of kind %u, which the agent makes", k);
		if (f->arrays[k].count > FRAGMENT_OBJECTS_MAX ||
			!is_inside(f, f->arrays[k].at,
				(uint64_t)f->arrays[k].count * object_info(k)->size))
			return refuse(reason, "bad array of kind %u", k);
	}
	c.arena = (const char *)data + f->arena_at;
	for (c.kind = 0; c.kind < OBJECT_KINDS; c.kind++) {
		int rc = check_objects(&c);

		if (rc < 0)
			return rc;
	}
	return check_families(f, reason);
}
