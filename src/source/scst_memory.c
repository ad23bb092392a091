/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/scst_memory.h"

static void target_free(struct scst_target *target)
{
	scst_sessions_free(target->sessions, target->session_count);
	free(target->name);
	free(target);
}

static struct scst_target *target_new(const char *name)
{
	struct scst_target *target = calloc(1, sizeof(*target));

	if (!target)
		return NULL;
	target->name = strdup(name);
	if (!target->name) {
		free(target);
		return NULL;
	}
	return target;
}

static int compare_target(const void *name, const void *at)
{
	const struct scst_target *const *target = at;

	return strcmp(name, (*target)->name);
}

static struct scst_target **find_target(const struct scst_memory *m, const char *name)
{
	return m->target_count ? bsearch(name, m->targets, m->target_count,
					 sizeof(struct scst_target *), compare_target)
			       : NULL;
}

int scst_memory_update(struct scst_memory *m, const char *names, size_t count)
{
	struct scst_target **targets = calloc(count + 1, sizeof(struct scst_target *));
	const char *name = names;

	if (!targets)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++, name += strlen(name) + 1) {
		struct scst_target **known = find_target(m, name);

		targets[i] = known ? *known : target_new(name);
		if (targets[i])
			continue;
		while (i-- > 0)
			if (!find_target(m, targets[i]->name))
				target_free(targets[i]);
		free(targets);
		return -ENOMEM;
	}
	for (size_t i = 0; i < m->target_count; i++)
		if (!bsearch(m->targets[i]->name, targets, count, sizeof(struct scst_target *),
			    compare_target))
			target_free(m->targets[i]);
	free(m->targets);
	m->targets = targets;
	m->target_count = count;
	return 0;
}

void scst_memory_forget_config(struct scst_memory *m)
{
	for (size_t i = 0; i < m->target_count; i++)
		m->targets[i]->config = (struct scst_config){ .next_ns = 0 };
	m->enabled.known = 0;
	m->enabled_next_ns = m->ask_after_ns = 0;
}

void scst_memory_clear(struct scst_memory *m)
{
	for (size_t i = 0; i < m->target_count; i++)
		target_free(m->targets[i]);
	free(m->targets);
	*m = (struct scst_memory){ .targets = NULL };
}

static int compare_session(const void *name, const void *at)
{
	const struct scst_session *session = at;

	return strcmp(name, session->name);
}

const struct scst_session *scst_target_find(
	const struct scst_target *target, const char *name, uint64_t sid)
{
	const struct scst_session *session;

	if (!target->session_count)
		return NULL;
	session = bsearch(
		name, target->sessions, target->session_count, sizeof(*session), compare_session);
	return session && session->sid == sid ? session : NULL;
}

void scst_sessions_free(struct scst_session *sessions, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(sessions[i].name);
	free(sessions);
}

void scst_target_keep(struct scst_target *target, struct scst_session *sessions, size_t count)
{
	scst_sessions_free(target->sessions, target->session_count);
	target->sessions = sessions;
	target->session_count = count;
}

/* True when it went back. */
static bool compare_counter(struct opt_counter *now, const struct opt_counter *before)
{
	if (now->known)
		return before->known && now->value < before->value;
	*now = *before;
	return false;
}

void scst_session_compare(
	struct scst_session *session, const struct scst_session *before, uint64_t now_ns)
{
	bool back;

	if (!before)
		return;
	back = compare_counter(&session->commands, &before->commands);
	back |= compare_counter(&session->tx_octets, &before->tx_octets);
	back |= compare_counter(&session->rx_octets, &before->rx_octets);
	session->reset_ns = back ? now_ns : before->reset_ns;
}
