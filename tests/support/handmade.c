/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/handmade.h"

struct snapshot *handmade_new(void)
{
	struct snapshot *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	s->references = 1;
	return s;
}

static size_t capacity_for(size_t count)
{
	size_t capacity = 64;

	while (capacity < count)
		capacity *= 2;
	return capacity;
}

/* An array of `used` elements (NULL: none yet) with room for `count`, in steps that double. */
static void *make_room(void *at, size_t used, size_t count, size_t size)
{
	if (at && capacity_for(used) == capacity_for(count))
		return at;
	at = realloc(at, capacity_for(count) * size);
	if (!at)
		abort();
	return at;
}

void *handmade_add(struct snapshot *s, enum object_kind kind, uint32_t *ret_position)
{
	const struct object_info *info = object_info(kind);
	uint32_t at = s->arrays[kind].count;
	char *object;

	s->arrays[kind].objects =
		make_room(s->arrays[kind].objects, at, at + (size_t)1, info->size);
	s->arrays[kind].count++;
	object = (char *)s->arrays[kind].objects + (size_t)at * info->size;
	memset(object, 0, info->size);
	for (uint32_t i = 0; i < info->field_count; i++) {
		if (info->fields[i].type == FIELD_link)
			*(uint32_t *)(void *)(object + info->fields[i].offset) = LINK_NONE;
	}
	if (ret_position)
		*ret_position = at;
	return object;
}

void handmade_text(struct snapshot *s, struct opt_str *field, const char *text, size_t length)
{
	s->arena = make_room(s->arena, s->arena_length, s->arena_length + length + 1, 1);
	memcpy(s->arena + s->arena_length, text, length);
	s->arena[s->arena_length + length] = '\0';
	field->offset = (uint32_t)s->arena_length;
	field->length = (uint16_t)length;
	field->known = 1;
	s->arena_length += length + 1;
}

uint64_t handmade_chance(uint64_t *seed, uint64_t below)
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % below;
}

static uint64_t random_number(uint64_t *seed, uint64_t low, uint64_t high)
{
	switch (handmade_chance(seed, 4)) {
	case 0:
		return low;
	case 1:
		return high;
	case 2:
		return low + handmade_chance(seed, high - low < 10 ? high - low + 1 : 10);
	default:
		return high - low == UINT64_MAX ? handmade_chance(seed, UINT64_MAX)
						: low + handmade_chance(seed, high - low + 1);
	}
}

static void random_text(struct snapshot *s, uint64_t *seed, struct opt_str *field)
{
	char text[300];
	size_t length = handmade_chance(seed, sizeof(text));
	uint64_t kind = handmade_chance(seed, 3);

	for (size_t i = 0; i < length; i++)
		text[i] =
			(char)(kind ? 'a' + handmade_chance(seed, 26) : handmade_chance(seed, 256));
	handmade_text(s, field, text, length);
}

static void random_address(uint64_t *seed, struct opt_addr *field)
{
	static const struct opt_addr shapes[] = {
		{ .known = 1, .type = 1, .length = 4 },
		{ .known = 1, .type = 2, .length = 16 },
		{ .known = 1, .type = 4, .length = 20 },
	};

	*field = shapes[handmade_chance(seed, ARRAY_SIZE(shapes))];
	for (uint8_t i = 0; i < field->length; i++)
		field->octets[i] = (uint8_t)handmade_chance(seed, 256);
}

static void random_field(
	struct snapshot *s, uint64_t *seed, const struct field_info *field, char *object)
{
	void *at = object + field->offset;

	switch (field->type) {
	case FIELD_u32:
		OPT_SET(*(struct opt_u32 *)at,
			(uint32_t)random_number(seed, field->low, field->high));
		break;
	case FIELD_counter:
		OPT_SET(*(struct opt_counter *)at, random_number(seed, field->low, field->high));
		break;
	case FIELD_bool:
		OPT_SET(*(struct opt_bool *)at, (uint8_t)handmade_chance(seed, 2));
		break;
	case FIELD_bits:
		OPT_SET(*(struct opt_bits *)at,
			(uint8_t)(handmade_chance(seed, 256) & field->high));
		break;
	case FIELD_str:
		random_text(s, seed, at);
		break;
	case FIELD_addr:
		random_address(seed, at);
		break;
	case FIELD_isid:
		((struct opt_isid *)at)->known = 1;
		((struct opt_isid *)at)->octets[5] = (uint8_t)handmade_chance(seed, 256);
		break;
	case FIELD_time:
		((struct opt_time *)at)->known = 1;
		((struct opt_time *)at)->ns = random_number(seed, 0, UINT64_MAX);
		break;
	case FIELD_link: /* the kinds come in the order of their links */
		if (s->arrays[field->high].count && (field->low || handmade_chance(seed, 2)))
			*(uint32_t *)at =
				(uint32_t)handmade_chance(seed, s->arrays[field->high].count);
		break;
	}
}

/* Field by field: whether it is known in the object at this position. */
static bool is_known(uint64_t *seed, uint64_t pattern, uint32_t position)
{
	switch (pattern) {
	case 0:
		return false;
	case 1:
	case 2:
	case 3:
		return true;
	case 4:
		return position / 7 % 2;
	default:
		return handmade_chance(seed, 2);
	}
}

/* Links that must be there cannot be when there is no object to link to. */
static bool can_exist(const struct snapshot *s, const struct object_info *info)
{
	for (uint32_t i = 0; i < info->field_count; i++) {
		const struct field_info *field = &info->fields[i];

		if (field->type == FIELD_link && field->low && !s->arrays[field->high].count)
			return false;
	}
	return true;
}

static void random_objects(
	struct snapshot *s, uint64_t *seed, enum object_kind kind, uint64_t count)
{
	const struct object_info *info = object_info(kind);
	uint64_t patterns[128];

	for (uint32_t i = 0; i < info->field_count; i++)
		patterns[i] = handmade_chance(seed, 7);
	for (uint32_t at = 0; at < count; at++) {
		char *object = handmade_add(s, kind, NULL);
		struct object *head = (struct object *)(void *)object;

		for (uint32_t i = 0; i < info->field_count; i++) {
			const struct field_info *field = &info->fields[i];
			bool always = field->type == FIELD_link || !strcmp(field->name, "number") ||
				      !strcmp(field->name, "roles");

			if (always || is_known(seed, patterns[i], at))
				random_field(s, seed, field, object);
		}
		head->index = handmade_chance(seed, 10)
				      ? (uint32_t)random_number(seed, 1, UINT32_MAX)
				      : 0;
		if (handmade_chance(seed, 4))
			head->index = at + 1;
	}
}

struct snapshot *handmade_random(uint64_t *seed, uint32_t size)
{
	/* Portals link to nodes, which come after them in the model. */
	static const enum object_kind order[] = { OBJECT_INSTANCE, OBJECT_NODE, OBJECT_PORTAL,
		OBJECT_AUTH, OBJECT_SESSION, OBJECT_CONNECTION, OBJECT_PATH, OBJECT_DEVICE,
		OBJECT_MAP, OBJECT_MAP_PATH, OBJECT_PROBE, OBJECT_SUMMARY, OBJECT_AGENT,
		OBJECT_SOURCE, OBJECT_EVENT };
	struct snapshot *s = handmade_new();

	_Static_assert(ARRAY_SIZE(order) == OBJECT_KINDS, "a kind is missing");
	for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
		uint64_t count = handmade_chance(seed, (uint64_t)size + 1);

		if (order[i] == OBJECT_INSTANCE)
			count = 1 + count % 4;
		if (can_exist(s, object_info(order[i])))
			random_objects(s, seed, order[i], count);
	}
	return s;
}
