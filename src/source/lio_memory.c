/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the source lio knows. Called by lio_read.c and lio.c in the reader process of the source.
 * Must never do I/O.
 */
#include "source/lio_memory.h"

/* Names of targets that are gone and still have their lives counted. */
#define GONE_MAX 4096u

static void acl_clear(struct lio_acl *acl)
{
	lio_acl_drop_session(acl);
	free(acl->name);
}

void lio_group_drop_guests(struct lio_group *group)
{
	for (size_t i = 0; i < group->guest_count; i++)
		free(group->guests[i].name);
	free(group->guests);
	group->guests = NULL;
	group->guest_count = 0;
}

/* Leaves tag and life. */
static void group_empty(struct lio_group *group)
{
	lio_group_drop_guests(group);
	for (size_t i = 0; i < group->acl_count; i++)
		acl_clear(&group->acls[i]);
	free(group->acls);
	for (size_t i = 0; i < group->portal_count; i++)
		free(group->portals[i].name);
	free(group->portals);
	*group = (struct lio_group){ .tag = group->tag, .life = group->life };
}

/* Leaves name and life. */
static void target_empty(struct lio_target *target)
{
	for (size_t i = 0; i < target->group_count; i++)
		group_empty(&target->groups[i]);
	free(target->groups);
	*target = (struct lio_target){ .name = target->name, .life = target->life };
}

void lio_memory_clear(struct lio_memory *memory)
{
	for (size_t i = 0; i < memory->target_count; i++) {
		target_empty(&memory->targets[i]);
		free(memory->targets[i].name);
	}
	free(memory->targets);
	*memory = (struct lio_memory){ .targets = NULL };
}

static void group_begin(struct lio_group *group)
{
	group->exists = false;
	for (size_t i = 0; i < group->portal_count; i++)
		group->portals[i].exists = false;
	for (size_t i = 0; i < group->acl_count; i++) {
		struct lio_acl *acl = &group->acls[i];

		acl->exists = false;
		acl->was_told = acl->told;
		acl->told = false;
		if (acl->session && acl->session->info.sid > group->newest_sid)
			group->newest_sid = acl->session->info.sid;
	}
}

void lio_memory_begin(struct lio_memory *memory)
{
	for (size_t i = 0; i < memory->target_count; i++) {
		struct lio_target *target = &memory->targets[i];

		target->exists = false;
		for (size_t k = 0; k < target->group_count; k++)
			group_begin(&target->groups[k]);
	}
}

/*
 * The array of `count` elements with room for one more, zeroed, at `at`; NULL without memory, with
 * the array as it was. The room doubles, so there is none left where `count` is a power of two; one
 * that has lost elements has more.
 */
static void *insert(void *items, size_t count, size_t at, size_t size)
{
	bool is_full = (count & (count - 1)) == 0;
	char *grown = is_full ? reallocarray(items, count ? 2 * count : 1, size) : items;

	if (!grown)
		return NULL;
	memmove(grown + (at + 1) * size, grown + at * size, (count - at) * size);
	memset(grown + at * size, 0, size);
	return grown;
}

/* Where `name` is or belongs in an array sorted by names, which are the elements' first field. */
static size_t position(
	const void *items, size_t count, size_t size, const char *name, bool *ret_found)
{
	size_t low = 0, high = count;

	*ret_found = false;
	while (low < high && !*ret_found) {
		size_t middle = low + (high - low) / 2;
		const char *const *at = (const void *)((const char *)items + middle * size);
		int order = strcmp(*at, name);

		if (order < 0)
			low = middle + 1;
		else
			high = middle;
		*ret_found = order == 0;
	}
	return high;
}

/*
 * The array with an element of that name, at *ret_at; made if there was none. NULL without memory,
 * with the array as it was.
 */
static void *with_name(void *items, size_t *count, size_t size, const char *name, size_t *ret_at)
{
	bool found;
	char *copy, *grown;

	*ret_at = position(items, *count, size, name, &found);
	if (found)
		return items;
	copy = strdup(name);
	grown = copy ? insert(items, *count, *ret_at, size) : NULL;
	if (!grown) {
		free(copy);
		return NULL;
	}
	*(char **)(void *)(grown + *ret_at * size) = copy;
	++*count;
	return grown;
}

struct lio_target *lio_memory_target(struct lio_memory *memory, const char *name)
{
	size_t at;
	struct lio_target *targets =
		with_name(memory->targets, &memory->target_count, sizeof(*targets), name, &at);

	if (!targets)
		return NULL;
	memory->targets = targets;
	targets[at].exists = true;
	return &targets[at];
}

struct lio_portal *lio_group_portal(struct lio_group *group, const char *name)
{
	size_t at;
	struct lio_portal *portals =
		with_name(group->portals, &group->portal_count, sizeof(*portals), name, &at);

	if (!portals)
		return NULL;
	group->portals = portals;
	portals[at].exists = true;
	return &portals[at];
}

struct lio_acl *lio_group_acl(struct lio_group *group, const char *name)
{
	size_t at;
	struct lio_acl *acls = with_name(group->acls, &group->acl_count, sizeof(*acls), name, &at);

	if (!acls)
		return NULL;
	group->acls = acls;
	acls[at].exists = true;
	return &acls[at];
}

struct lio_group *lio_target_group(struct lio_target *target, uint32_t tag)
{
	struct lio_group *groups;
	size_t at = 0;

	while (at < target->group_count && target->groups[at].tag < tag)
		at++;
	if (at == target->group_count || target->groups[at].tag != tag) {
		groups = insert(target->groups, target->group_count, at, sizeof(*groups));
		if (!groups)
			return NULL;
		target->groups = groups;
		target->group_count++;
		groups[at].tag = tag;
	}
	target->groups[at].exists = true;
	return &target->groups[at];
}

void lio_group_take_object(struct lio_group *group, uint64_t object)
{
	if (group->object && object && object != group->object) {
		group_empty(group);
		group->exists = true;
	}
	group->object = object;
}

static int compare_guests(const void *a, const void *b)
{
	const struct lio_guest *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/*
 * A session goes on when its initiator gets an ACL, which then shows it: both have the name that
 * the kernel keeps.
 */
static void drop_guests_with_acl(struct lio_group *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->guest_count; i++) {
		bool found;
		size_t at = position(group->acls, group->acl_count, sizeof(*group->acls),
			group->guests[i].name, &found);

		if (found && group->acls[at].exists)
			free(group->guests[i].name);
		else
			group->guests[kept++] = group->guests[i];
	}
	group->guest_count = kept;
}

/* Of each login the kernel counts an accept, so with fewer sessions than those one has ended. */
void lio_group_keep_guests(struct lio_group *group, const struct lio_target *target)
{
	const struct opt_u32 *sessions = &target->sessions;
	const struct opt_counter *accepts = &target->counters[LIO_ACCEPTS];

	if (!sessions->known || !accepts->known || !group->guests_sessions.known ||
		!group->guests_accepts.known ||
		(uint32_t)(accepts->value - group->guests_accepts.value) !=
			sessions->value - group->guests_sessions.value)
		lio_group_drop_guests(group);
	else
		drop_guests_with_acl(group);
}

int lio_group_take_guests(struct lio_group *group, const char *text, size_t length)
{
	const char *at = text, *end = text + length, *name;
	size_t count = 0, name_length;

	lio_group_drop_guests(group);
	while (lio_dynamic_next(&at, end, &name, &name_length))
		count++;
	if (!count)
		return 0;
	group->guests = calloc(count, sizeof(*group->guests));
	if (!group->guests)
		return -ENOMEM;
	for (at = text; lio_dynamic_next(&at, end, &name, &name_length);) {
		struct lio_guest *guest = &group->guests[group->guest_count];

		/* LIO keeps no longer ones: there is none. */
		if (name_length > LIO_IQN_MAX)
			continue;
		guest->name = calloc(1, name_length + 1);
		if (!guest->name) {
			lio_group_drop_guests(group);
			return -ENOMEM;
		}
		memcpy(guest->name, name, name_length);
		group->guest_count++;
	}
	qsort(group->guests, group->guest_count, sizeof(*group->guests), compare_guests);
	for (size_t i = 0; i < group->guest_count; i++)
		group->guests[i].ordinal =
			i && !compare_guests(&group->guests[i - 1], &group->guests[i])
				? group->guests[i - 1].ordinal + 1
				: 1;
	return 0;
}

static void group_sweep(struct lio_group *group)
{
	size_t kept = 0;

	for (size_t i = 0; i < group->acl_count; i++) {
		if (group->acls[i].exists)
			group->acls[kept++] = group->acls[i];
		else
			acl_clear(&group->acls[i]);
	}
	group->acl_count = kept;
	kept = 0;
	for (size_t i = 0; i < group->portal_count; i++) {
		if (group->portals[i].exists)
			group->portals[kept++] = group->portals[i];
		else
			free(group->portals[i].name);
	}
	group->portal_count = kept;
}

static void target_sweep(struct lio_target *target)
{
	for (size_t i = 0; i < target->group_count; i++) {
		struct lio_group *group = &target->groups[i];

		if (group->exists) {
			group_sweep(group);
		} else if (group->was) {
			group_empty(group);
			group->life++;
		}
		group->was = group->exists;
	}
}

void lio_memory_sweep(struct lio_memory *memory)
{
	size_t gone = 0, kept = 0;

	for (size_t i = 0; i < memory->target_count; i++) {
		struct lio_target *target = &memory->targets[i];

		if (target->exists) {
			target_sweep(target);
		} else if (target->was) {
			target_empty(target);
			target->life++;
		}
		target->was = target->exists;
		gone += !target->exists;
	}
	if (gone <= GONE_MAX)
		return;
	for (size_t i = 0; i < memory->target_count; i++) {
		if (memory->targets[i].exists) {
			memory->targets[kept++] = memory->targets[i];
			continue;
		}
		/* One that came in a poll that failed was never swept. */
		target_empty(&memory->targets[i]);
		free(memory->targets[i].name);
	}
	memory->target_count = kept;
}
