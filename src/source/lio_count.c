/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Corrects what LIO counts. Called by lio.c in the reader process of the source. Must never make a
 * counter go back without a discontinuity.
 */
#include "source/lio_count.h"

/* iscsiTgtLastFailureType: columns of iscsiTargetLoginStatsTable. */
enum { TYPE_OTHER = 2, TYPE_REDIRECT, TYPE_AUTHORIZE, TYPE_AUTHENTICATE, TYPE_NEGOTIATE };

/* In this order when several moved between two polls. */
static const struct {
	size_t offset;
	uint32_t type;
} causes[] = {
	{ offsetof(struct lio_failures, authenticate), TYPE_AUTHENTICATE },
	{ offsetof(struct lio_failures, authorize), TYPE_AUTHORIZE },
	{ offsetof(struct lio_failures, other), TYPE_OTHER },
	{ offsetof(struct lio_failures, redirect), TYPE_REDIRECT },
	{ offsetof(struct lio_failures, negotiate), TYPE_NEGOTIATE },
};

static const struct opt_counter *cause_of(const struct lio_failures *failures, size_t cause)
{
	return (const void *)((const char *)failures + causes[cause].offset);
}

static bool went_back(const struct lio_target *target)
{
	for (int i = 0; i < LIO_COUNTERS; i++)
		if (target->last_known[i] && target->counters[i].known &&
			target->counters[i].value < target->last[i])
			return true;
	return false;
}

/* From now on it is a new target that has counted nothing yet. */
static void restart(struct lio_target *target)
{
	memset(target->last, 0, sizeof(target->last));
	memset(target->last_known, 1, sizeof(target->last_known));
	target->before = (struct lio_failures){
		.other = { .known = 1 },
		.redirect = { .known = 1 },
		.authorize = { .known = 1 },
		.authenticate = { .known = 1 },
		.negotiate = { .known = 1 },
	};
	target->last_failure_type = (struct opt_u32){ .known = 0 };
	target->last_failure_time = (struct opt_time){ .ns = 0, .known = 1 };
	target->seen = target->based = true;
}

/* The failures by cause, and their sum, as far as they are known. */
static void correct(struct lio_target *target)
{
	const struct opt_counter *now = target->counters;
	struct lio_failures *failures = &target->failures;
	uint64_t causes_sum, negotiate;

	*failures = (struct lio_failures){
		.other = now[LIO_OTHER],
		.redirect = now[LIO_REDIRECT],
		.authorize = now[LIO_AUTHORIZE],
		.authenticate = now[LIO_AUTHENTICATE],
	};
	target->login_failures = (struct opt_counter){ .known = 0 };
	if (!now[LIO_OTHER].known || !now[LIO_REDIRECT].known || !now[LIO_AUTHORIZE].known ||
		!now[LIO_AUTHENTICATE].known || !now[LIO_NEGOTIATE].known)
		return;
	causes_sum = now[LIO_OTHER].value + now[LIO_REDIRECT].value + now[LIO_AUTHORIZE].value +
		     now[LIO_AUTHENTICATE].value;
	negotiate =
		now[LIO_NEGOTIATE].value > causes_sum ? now[LIO_NEGOTIATE].value - causes_sum : 0;
	if (target->before.negotiate.known && target->before.negotiate.value > negotiate)
		negotiate = target->before.negotiate.value;
	OPT_SET(failures->negotiate, negotiate);
	OPT_SET(target->login_failures, causes_sum + negotiate);
}

/* What can be said of failures before the first poll. */
static void take_baseline(struct lio_target *target)
{
	const struct opt_u32 unknown = { .known = 0 };

	target->last_failure_type = unknown;
	target->last_failure_time = (struct opt_time){ .known = 0 };
	target->based = target->login_failures.known;
	if (!target->based)
		return;
	if (!target->login_failures.value)
		target->last_failure_time.known = 1;
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (!cause_of(&target->failures, i)->value)
			continue;
		if (target->last_failure_type.known) {
			target->last_failure_type = unknown; /* one of two */
			return;
		}
		OPT_SET(target->last_failure_type, causes[i].type);
	}
}

static void look_for_failure(struct lio_target *target, uint64_t now_ns)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		const struct opt_counter *before = cause_of(&target->before, i);
		const struct opt_counter *now = cause_of(&target->failures, i);

		if (!before->known || !now->known || now->value <= before->value)
			continue;
		OPT_SET(target->last_failure_type, causes[i].type);
		target->last_failure_time = (struct opt_time){ .ns = now_ns, .known = 1 };
		return;
	}
}

static void remember(struct lio_target *target)
{
	struct lio_failures *before = &target->before;
	const struct lio_failures *now = &target->failures;

	for (int i = 0; i < LIO_COUNTERS; i++) {
		if (!target->counters[i].known)
			continue;
		target->last[i] = target->counters[i].value;
		target->last_known[i] = true;
	}
	before->other = now->other.known ? now->other : before->other;
	before->redirect = now->redirect.known ? now->redirect : before->redirect;
	before->authorize = now->authorize.known ? now->authorize : before->authorize;
	before->authenticate = now->authenticate.known ? now->authenticate : before->authenticate;
	before->negotiate = now->negotiate.known ? now->negotiate : before->negotiate;
}

/* The instance's counters are sums: what it shows of them goes back with any target's. */
static bool has_instance_counts(const struct lio_target *target)
{
	for (int i = LIO_SESSIONS_FAILED; i < LIO_COUNTERS; i++)
		if (target->last_known[i] && target->last[i])
			return true;
	return false;
}

static void count_target(struct lio_memory *memory, struct lio_target *target, uint64_t now_ns)
{
	const struct opt_counter *failed = &target->counters[LIO_SESSIONS_FAILED];

	if (target->seen && went_back(target)) {
		if (has_instance_counts(target))
			memory->discontinuity_ns = now_ns;
		restart(target);
		target->discontinuity_ns = now_ns;
		target->life++;
	} else if (!target->seen && memory->counted) {
		restart(target); /* made since the last poll */
		if (target->life)
			target->discontinuity_ns = now_ns; /* not for the first time */
	}
	correct(target);
	if (target->based)
		look_for_failure(target, now_ns);
	else
		take_baseline(target);
	if (target->seen && target->last_known[LIO_SESSIONS_FAILED] && failed->known &&
		failed->value > target->last[LIO_SESSIONS_FAILED]) {
		memory->last_failure_type = target->session_failure_type;
		memcpy(memory->last_failure_name, target->session_failure_name,
			sizeof(memory->last_failure_name));
		memory->based = true;
	}
	remember(target);
	target->seen = true;
}

/*
 * Of failures before the first poll: what all targets with failed sessions say alike. Done until
 * all of them could be read.
 */
static void take_instance_baseline(struct lio_memory *memory)
{
	const struct lio_target *first = NULL;
	bool all = true, same_type = true, same_name = true;

	for (size_t i = 0; i < memory->target_count; i++) {
		const struct lio_target *target = &memory->targets[i];
		const struct opt_counter *failed = &target->counters[LIO_SESSIONS_FAILED];

		if (!target->exists || (failed->known && !failed->value))
			continue;
		all &= failed->known && target->session_failure_type.known &&
		       *target->session_failure_name;
		if (!first)
			first = target;
		same_type &= failed->known && target->session_failure_type.value ==
						      first->session_failure_type.value;
		same_name &= failed->known &&
			     !strcmp(target->session_failure_name, first->session_failure_name);
	}
	memory->based = all;
	memory->last_failure_type = (struct opt_u32){ .known = 0 };
	*memory->last_failure_name = 0;
	if (first && all && same_type)
		memory->last_failure_type = first->session_failure_type;
	if (first && all && same_name)
		memcpy(memory->last_failure_name, first->session_failure_name,
			sizeof(memory->last_failure_name));
}

/* What was carried for a session before, by another reader or until it was hidden, is lost. */
static void carry_anew(struct lio_target *target, uint64_t now_ns)
{
	for (size_t i = 0; i < target->group_count; i++)
		for (size_t k = 0; k < target->groups[i].acl_count; k++) {
			struct lio_session *session = target->groups[i].acls[k].session;

			if (session && session->was_unseen && !session->carried_since_ns)
				session->carried_since_ns = now_ns;
		}
}

void lio_count(struct lio_memory *memory, uint64_t now_ns)
{
	for (size_t i = 0; i < memory->target_count; i++) {
		struct lio_target *target = &memory->targets[i];

		if (target->exists)
			count_target(memory, target, now_ns);
		else if (target->was && has_instance_counts(target))
			memory->discontinuity_ns = now_ns;
		if (memory->counts_in_32_bits)
			carry_anew(target, now_ns);
	}
	if (!memory->based)
		take_instance_baseline(memory);
	memory->counted = true;
}
