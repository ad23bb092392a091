/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The path groups of `show maps json`. What is looked at:
 *
 *	{ "maps": [ { "path_groups": [ { "dm_st": "active", "group": 1,
 *	                                 "paths": [ { "dev": "sda" } ] } ] } ] }
 *
 * Everything beside it is skipped. Called by multipath.c in the reader process of the source. What
 * must not be believed, and why: multipath_parse.h.
 */
#include "source/multipath_parse.h"

#include "base/json.h"
#include "base/text.h"

#define MEMBERS_MAX 200000u

struct members {
	struct multipath_member *array;
	size_t count, capacity;
};

/* Reads an element of an array, or the value of a key, whose first event is `event`. */
typedef int read_value_fn(struct json *j, int event, struct members *m);

/* Reads all elements of the array that begins with `event`. */
static int read_array(struct json *j, int event, read_value_fn *read, struct members *m)
{
	if (event != JSON_ARRAY)
		return -EBADMSG;
	for (;;) {
		int rc;

		event = json_next(j);
		if (event < 0)
			return event;
		if (event == JSON_ARRAY_END)
			return 0;
		rc = read(j, event, m);
		if (rc < 0)
			return rc;
	}
}

/*
 * The next of the object's keys: its place in `keys`, `count` for another one, or -ENOENT at the
 * end of the object. A key of `keys` comes once: `seen` has a bit for each.
 */
static int next_key(struct json *j, const char *const keys[], int count, unsigned int *seen)
{
	int event = json_next(j);

	if (event < 0)
		return event;
	if (event == JSON_OBJECT_END)
		return -ENOENT;
	for (int i = 0; i < count; i++) {
		if (!json_is(j, keys[i]))
			continue;
		if (*seen & 1u << i)
			return -EBADMSG;
		*seen |= 1u << i;
		return i;
	}
	return count;
}

static int add_member(struct members *m, struct multipath_text device)
{
	if (m->count == MEMBERS_MAX)
		return -EBADMSG;
	if (m->count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 64;
		struct multipath_member *array =
			reallocarray(m->array, capacity, sizeof(struct multipath_member));

		if (!array)
			return -ENOMEM;
		m->array = array;
		m->capacity = capacity;
	}
	m->array[m->count++] = (struct multipath_member){ .device = device };
	return 0;
}

/* An object of which one key is looked at. */
static int read_object(
	struct json *j, int event, const char *name, read_value_fn *read, struct members *m)
{
	const char *const keys[] = { name };
	unsigned int seen = 0;

	if (event != JSON_OBJECT)
		return -EBADMSG;
	for (;;) {
		int key = next_key(j, keys, ARRAY_SIZE(keys), &seen), rc;

		if (key < 0)
			return key == -ENOENT ? 0 : key;
		event = json_next(j);
		rc = key == 0 ? read(j, event, m) : json_skip(j, event);
		if (rc < 0)
			return rc;
	}
}

static int read_device(struct json *j, int event, struct members *m)
{
	if (event != JSON_STRING)
		return json_skip(j, event);
	return add_member(m, (struct multipath_text){ j->value, j->value_length });
}

static int read_path(struct json *j, int event, struct members *m)
{
	return read_object(j, event, "dev", read_device, m);
}

static struct opt_u32 state_of(const struct json *j)
{
	struct opt_u32 state = { .known = 0 };

	if (json_is(j, "active"))
		OPT_SET(state, MULTIPATH_GROUP_ACTIVE);
	else if (json_is(j, "enabled"))
		OPT_SET(state, MULTIPATH_GROUP_ENABLED);
	else if (json_is(j, "disabled"))
		OPT_SET(state, MULTIPATH_GROUP_DISABLED);
	return state;
}

/* 0 for what is no number of a group. */
static uint32_t number_of(const struct json *j)
{
	char digits[8];
	uint32_t number;

	if (j->value_length >= sizeof(digits))
		return 0;
	memcpy(digits, j->value, j->value_length);
	digits[j->value_length] = '\0';
	return text_to_u32(digits, UINT16_MAX, &number) < 0 ? 0 : number;
}

static int read_group(struct json *j, int event, struct members *m)
{
	static const char *const keys[] = { "dm_st", "group", "paths" };
	struct opt_u32 state = { .known = 0 };
	size_t first = m->count;
	unsigned int seen = 0;
	uint32_t number = 0;

	if (event != JSON_OBJECT)
		return -EBADMSG;
	for (;;) {
		int key = next_key(j, keys, ARRAY_SIZE(keys), &seen), rc = 0;

		if (key == -ENOENT)
			break;
		if (key < 0)
			return key;
		event = json_next(j);
		if (key == 0 && event == JSON_STRING)
			state = state_of(j);
		else if (key == 1 && event == JSON_NUMBER)
			number = number_of(j);
		else if (key == 2)
			rc = read_array(j, event, read_path, m);
		else
			rc = json_skip(j, event);
		if (rc < 0)
			return rc;
	}
	for (size_t i = first; i < m->count; i++) {
		m->array[i].number = number;
		m->array[i].state = state;
	}
	return 0;
}

static int read_groups(struct json *j, int event, struct members *m)
{
	return read_array(j, event, read_group, m);
}

static int read_map(struct json *j, int event, struct members *m)
{
	return read_object(j, event, "path_groups", read_groups, m);
}

static int read_maps(struct json *j, int event, struct members *m)
{
	return read_array(j, event, read_map, m);
}

static int compare_members(const void *a, const void *b)
{
	return multipath_compare(((const struct multipath_member *)a)->device,
		((const struct multipath_member *)b)->device);
}

/* Of a sorted array; returns what is left of it. */
static size_t drop_doubles(struct multipath_member *array, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0, next; i < count; i = next) {
		for (next = i + 1; next < count && !compare_members(&array[i], &array[next]);
			next++)
			;
		if (next == i + 1)
			array[kept++] = array[i];
	}
	return kept;
}

ssize_t multipath_parse_groups(const char *text, size_t length, struct multipath_member **ret)
{
	struct json j = JSON_INIT(text, length);
	struct members m = { .array = NULL };
	int rc = read_object(&j, json_next(&j), "maps", read_maps, &m);

	if (rc == 0 && json_next(&j) != JSON_END)
		rc = -EBADMSG;
	if (rc < 0) {
		free(m.array);
		return rc;
	}
	if (m.count)
		qsort(m.array, m.count, sizeof(*m.array), compare_members);
	*ret = m.array;
	return (ssize_t)drop_doubles(m.array, m.count);
}

const struct multipath_member *multipath_find_member(
	const struct multipath_member *members, size_t count, struct multipath_text device)
{
	struct multipath_member key = { .device = device };

	return count ? bsearch(&key, members, count, sizeof(key), compare_members) : NULL;
}
