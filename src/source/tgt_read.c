/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asks one tgtd. Called by tgt.c in the reader process of the source. All requests are those of
 * tgt_wire.h, which change nothing. Must not block beyond the deadline, nor believe a text of an
 * initiator other than tgt_text.h says.
 */
#include "source/tgt_read.h"

#include "base/log.h"
#include "source/tgt_wire.h"

struct poll_context {
	struct tgt_unit *unit;
	struct root *root;
	uint64_t deadline_ns;
	struct tgt_failure *why;
};

static int fail(struct poll_context *p, int error, const char *text)
{
	snprintf(p->why->text, sizeof(p->why->text), "%s", text);
	return error;
}

static int no_memory(struct poll_context *p)
{
	return fail(p, -ENOMEM, "no memory for its answers");
}

static int exchange_failed(
	struct poll_context *p, enum tgt_question question, int error, size_t received)
{
	const char *what = tgt_question_text(question);

	switch (error) {
	case -ECONNRESET:
	case -EPIPE:
		if (!received) {
			snprintf(p->why->text, sizeof(p->why->text),
				"asked for %s: closed without an answer; tgtd answers only its own "
				"user and group",
				what);
			return -EPERM;
		}
		snprintf(p->why->text, sizeof(p->why->text),
			"asked for %s: closed after %zu octets of an answer", what, received);
		return error;
	case -ETIMEDOUT:
		snprintf(p->why->text, sizeof(p->why->text), "asked for %s: no %sanswer in time",
			what, received ? "complete " : "");
		return error;
	case -EBADMSG:
		snprintf(p->why->text, sizeof(p->why->text), "asked for %s: not an answer of tgtd",
			what);
		return error;
	case -E2BIG:
		snprintf(p->why->text, sizeof(p->why->text),
			"asked for %s: answer longer than %u octets", what, ROOT_ANSWER_MAX);
		return error;
	default:
		snprintf(p->why->text, sizeof(p->why->text), "asked for %s: %s", what,
			strerror(-error));
		return error;
	}
}

static int not_understood(struct poll_context *p, enum tgt_question question)
{
	return exchange_failed(p, question, -EBADMSG, 1);
}

/* True when two answers of one poll came from one tgtd. */
static bool same_peer(const struct root_peer *a, const struct root_peer *b)
{
	return a->pid == b->pid && a->start_time == b->start_time;
}

/*
 * Asks; the text points into `answer`. Returns 0, a negative errno with *why set, or 1 when tgtd
 * answered `accepted` (an error number that is no failure here).
 */
static int ask(struct poll_context *p, enum tgt_question question, uint32_t tid, uint16_t nexus,
	uint32_t accepted, struct buf *answer, struct tgt_slice *ret_text)
{
	unsigned char request[TGT_REQUEST_OCTETS];
	struct root_peer peer = { .pid = 0 };
	uint32_t error;
	int rc;

	tgt_request(question, tid, nexus, request);
	rc = root_exchange(p->root, p->unit->path, request, sizeof(request), tgt_answer_length,
		p->deadline_ns, answer, &peer);
	if (rc < 0)
		return exchange_failed(p, question, rc, answer->length);
	if (tgt_answer_parse(
		    answer->data, answer->length, &error, &ret_text->at, &ret_text->length) < 0)
		return exchange_failed(p, question, -EBADMSG, answer->length);
	if (!same_peer(&peer, &p->unit->peer)) {
		/* Only the first question of a poll may find another tgtd than the last poll. */
		if (question != TGT_ASK_PORTALS)
			return fail(p, -EAGAIN, "tgtd was restarted while it was read");
		if (p->unit->poll > 1)
			tgt_unit_forget(p->unit);
		p->unit->peer = peer;
	}
	if (error && error == accepted)
		return 1;
	if (error) {
		snprintf(p->why->text, sizeof(p->why->text), "asked for %s: tgtd says error %u, %s",
			tgt_question_text(question), error, tgt_error_text(error));
		return -EREMOTEIO;
	}
	return 0;
}

static bool portal_equal(const struct tgt_portal *a, const struct tgt_portal *b)
{
	return a->port == b->port && a->tag == b->tag && tgt_slice_equal(&a->text, &b->text);
}

/* More portals than a host has; beyond it is no portal list. */
#define PORTALS_MAX 4096u

static int parse_portals(struct poll_context *p, struct tgt_slice text)
{
	struct tgt_unit *unit = p->unit;
	struct tgt_portal portal;
	int rc;

	unit->portal_count = 0;
	while ((rc = tgt_portal_next(&text, &portal)) > 0) {
		struct tgt_portal *grown;
		bool known = false;

		for (size_t i = 0; i < unit->portal_count && !known; i++)
			known = portal_equal(&unit->portals[i], &portal);
		if (known)
			continue;
		if (unit->portal_count == PORTALS_MAX)
			return fail(p, -E2BIG, "it has more portals than any host");
		grown = reallocarray(unit->portals, unit->portal_count + 1, sizeof(portal));
		if (!grown)
			return no_memory(p);
		unit->portals = grown;
		unit->portals[unit->portal_count++] = portal;
	}
	return rc < 0 ? not_understood(p, TGT_ASK_PORTALS) : 0;
}

int tgt_read_portals(
	struct tgt_unit *unit, struct root *root, uint64_t deadline_ns, struct tgt_failure *why)
{
	struct poll_context p = { unit, root, deadline_ns, why };
	struct tgt_slice text;
	int rc;

	unit->poll++;
	rc = ask(&p, TGT_ASK_PORTALS, 0, 0, TGT_NO_DRIVER, &unit->portals_text, &text);
	if (rc == -ENOENT || rc == -ECONNREFUSED || rc == 1) {
		tgt_unit_forget(unit);
		unit->peer = (struct root_peer){ .pid = 0 };
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = parse_portals(&p, text);
	return rc < 0 ? rc : 1;
}

/* Which of the known targets exist, and their nexuses. */
static int read_nexuses(struct poll_context *p)
{
	struct tgt_unit *unit = p->unit;

	for (size_t i = 0; i < unit->target_count; i++) {
		struct tgt_target *target = &unit->targets[i];
		struct tgt_slice text;
		uint16_t nexus;
		int rc;

		target->exists = target->name_good = target->access_known = false;
		target->nexus_count = 0;
		rc = ask(p, TGT_ASK_NEXUSES, target->tid, 0, TGT_NO_TARGET, &unit->answer, &text);
		if (rc < 0)
			return rc;
		if (rc == 1) {
			/* What comes under this number later is another target. */
			free(target->name);
			target->name = NULL;
			target->is_iscsi = target->parameters_read = false;
			continue;
		}
		if (tgt_nexuses_begin(&text) < 0)
			return not_understood(p, TGT_ASK_NEXUSES);
		while ((rc = tgt_nexuses_next(&text, target->tid, &nexus)) > 0)
			if (tgt_target_add_nexus(target, nexus) < 0)
				return no_memory(p);
		if (rc < 0)
			return not_understood(p, TGT_ASK_NEXUSES);
		target->exists = true;
	}
	return 0;
}

static int judge(struct poll_context *p, struct tgt_heading *headings, size_t count)
{
	struct tgt_unit *unit = p->unit;
	uint32_t *tids = calloc(unit->target_count + 1, sizeof(*tids));
	size_t tid_count = 0;
	int rc;

	if (!tids)
		return no_memory(p);
	for (size_t i = 0; i < unit->target_count; i++)
		if (unit->targets[i].exists)
			tids[tid_count++] = unit->targets[i].tid;
	rc = tgt_headings_judge(headings, count, tids, tid_count);
	free(tids);
	return rc < 0 ? no_memory(p) : 0;
}

/*
 * The tables of numbers, then the text of the targets. What is in it but was not asked for before
 * is asked for in a second round; after that it has come in between, or is forged.
 */
static int read_headings(struct poll_context *p, struct tgt_heading **ret, size_t *ret_count)
{
	for (int round = 0;; round++) {
		CLEANUP_FREE struct tgt_heading *headings = NULL;
		struct tgt_slice text;
		bool any_new;
		size_t count;
		int rc = read_nexuses(p);

		if (rc < 0)
			return rc;
		rc = ask(p, TGT_ASK_TARGETS, 0, 0, 0, &p->unit->targets_text, &text);
		if (rc < 0)
			return rc;
		if (tgt_headings_find(&text, &headings, &count) < 0 ||
			tgt_unit_merge(p->unit, headings, count, &any_new) < 0)
			return no_memory(p);
		if (any_new && round == 0)
			continue;
		rc = judge(p, headings, count);
		if (rc < 0)
			return rc;
		*ret = steal_pointer(&headings);
		*ret_count = count;
		return 0;
	}
}

/* A certain name is taken; a doubtful one only when it is the one that was certain before. */
static int take_heading(struct tgt_target *target, const struct tgt_heading *heading)
{
	bool same = target->name && strlen(target->name) == heading->name.length &&
		    memcmp(target->name, heading->name.at, heading->name.length) == 0;

	if (!same && heading->certain) {
		char *name = tgt_slice_copy(&heading->name);

		if (!name)
			return -ENOMEM;
		free(target->name);
		target->name = name;
		target->parameters_read = false;
	}
	if (same || heading->certain)
		target->name_good = true;
	if (heading->certain) {
		struct tgt_slice driver;

		target->heading = heading;
		target->is_iscsi =
			tgt_section_driver(&heading->section, &driver) &&
			(tgt_slice_is(&driver, "iscsi") || tgt_slice_is(&driver, "iser"));
	}
	return 0;
}

static void take_parameters(struct tgt_target *target, const struct tgt_slice *text)
{
	struct tgt_parameters now;

	tgt_parameters_parse(text->at, text->length, &now);
	target->stable = now;
	if (target->parameters_read)
		tgt_parameters_intersect(&target->stable, &target->parameters);
	target->parameters = now;
	target->parameters_read = true;
}

/* Connections of one target in numbers. */
struct id_list {
	struct tgt_connection_id *ids;
	size_t count, capacity;
};

static int add_ids(
	struct id_list *list, uint16_t nexus, const struct tgt_counters *lines, size_t count)
{
	if (list->capacity - list->count < count) {
		size_t more = 2 * list->capacity + count;
		struct tgt_connection_id *grown = reallocarray(list->ids, more, sizeof(*list->ids));

		if (!grown)
			return -ENOMEM;
		list->ids = grown;
		list->capacity = more;
	}
	for (size_t i = 0; i < count; i++)
		list->ids[list->count++] = (struct tgt_connection_id){ nexus, lines[i].cid };
	return 0;
}

static int compare_id(const void *a, const void *b)
{
	const struct tgt_connection_id *x = a, *y = b;

	if (x->sid != y->sid)
		return x->sid < y->sid ? -1 : 1;
	return (x->cid > y->cid) - (x->cid < y->cid);
}

/* The counters of one session; adds its connections to the list. */
static int read_session(struct poll_context *p, const struct tgt_target *target, uint16_t nexus,
	struct id_list *list)
{
	CLEANUP_FREE struct tgt_counters *lines = NULL;
	size_t count = 0, capacity = 0;
	struct tgt_session *session;
	struct tgt_counters line;
	struct tgt_slice text;
	int rc = ask(p, TGT_ASK_SESSION, 0, nexus, TGT_NO_SESSION, &p->unit->answer, &text);

	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = tgt_session_begin(&text, target->tid, nexus);
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return not_understood(p, TGT_ASK_SESSION);
	while ((rc = tgt_session_next(&text, nexus, &line)) > 0) {
		if (count == capacity) {
			struct tgt_counters *grown =
				reallocarray(lines, 2 * capacity + 4, sizeof(*lines));

			if (!grown)
				return no_memory(p);
			lines = grown;
			capacity = 2 * capacity + 4;
		}
		lines[count++] = line;
	}
	if (rc < 0)
		return not_understood(p, TGT_ASK_SESSION);
	session = tgt_session_get(p->unit, target, nexus);
	if (!session || tgt_session_count(p->unit, session, lines, count) < 0 ||
		add_ids(list, nexus, lines, count) < 0)
		return no_memory(p);
	return 0;
}

/* Names and addresses from the text of the connections, which is judged first. */
static int learn_records(
	struct poll_context *p, struct tgt_record *records, size_t count, struct id_list *list)
{
	if (list->count)
		qsort(list->ids, list->count, sizeof(*list->ids), compare_id);
	if (tgt_records_judge(records, &count, list->ids, list->count) < 0)
		return no_memory(p);
	for (size_t i = 0; i < count; i++) {
		struct tgt_session *session = p->unit->sessions[records[i].sid];

		if (tgt_session_learn(p->unit, session, &records[i]) < 0)
			return no_memory(p);
	}
	return 0;
}

/* Aliases of the sessions whose names are known. */
static int learn_aliases(struct poll_context *p, const struct tgt_target *target)
{
	const struct tgt_heading *heading = target->heading;
	CLEANUP_FREE struct tgt_nexus_text *texts = NULL;
	size_t count;

	if (!heading)
		return 0;
	if (tgt_nexus_texts_find(&heading->section, &texts, &count) < 0)
		return no_memory(p);
	for (size_t i = 0; i < target->nexus_count; i++) {
		struct tgt_session *session = p->unit->sessions[target->nexuses[i]];
		struct tgt_slice name, alias;

		if (!session || session->poll != p->unit->poll || !session->name || session->alias)
			continue;
		name = (struct tgt_slice){ session->name, strlen(session->name) };
		if (!tgt_alias_find(texts, count, target->nexuses[i], &name, &alias))
			continue;
		session->alias = tgt_slice_copy(&alias);
		if (!session->alias)
			return no_memory(p);
	}
	return 0;
}

/* Counts, for the log, what could not be believed. */
static void count_doubts(struct poll_context *p, const struct tgt_target *target)
{
	p->unit->doubts += !target->name_good || !target->access_known;
	for (size_t i = 0; i < target->nexus_count; i++) {
		const struct tgt_session *session = p->unit->sessions[target->nexuses[i]];

		if (session && session->poll == p->unit->poll)
			p->unit->doubts += !session->name || !session->alias;
	}
}

static int read_target(struct poll_context *p, struct tgt_target *target)
{
	const struct tgt_heading *heading = target->heading;
	CLEANUP_FREE struct tgt_record *records = NULL;
	CLEANUP_BUF struct buf connections = BUF_INIT(ROOT_ANSWER_MAX);
	struct id_list list = { .ids = NULL };
	struct tgt_slice text;
	size_t record_count;
	int rc;

	rc = ask(p, TGT_ASK_PARAMETERS, target->tid, 0, TGT_NO_TARGET, &p->unit->answer, &text);
	if (rc == 0) {
		take_parameters(target, &text);
		rc = ask(
			p, TGT_ASK_CONNECTIONS, target->tid, 0, TGT_NO_TARGET, &connections, &text);
	}
	if (rc != 0) {
		target->exists = false;
		return rc < 0 ? rc : 0;
	}
	if (tgt_records_find(&text, &records, &record_count) < 0)
		return no_memory(p);
	for (size_t i = 0; i < target->nexus_count && rc == 0; i++)
		rc = read_session(p, target, target->nexuses[i], &list);
	if (rc == 0)
		rc = learn_records(p, records, record_count, &list);
	free(list.ids);
	if (rc == 0)
		rc = learn_aliases(p, target);
	if (rc == 0 && heading)
		target->access_known =
			tgt_section_access(&heading->section, &target->accounts, &target->acl);
	count_doubts(p, target);
	return rc;
}

static void log_doubts(struct tgt_unit *unit)
{
	if (unit->doubts && !unit->doubts_before)
		log_debug("tgt: %s: %u objects have texts that an initiator may have forged; "
			  "what is in doubt is left out",
			unit->path, unit->doubts);
	unit->doubts_before = unit->doubts;
	unit->doubts = 0;
}

int tgt_read_targets(
	struct tgt_unit *unit, struct root *root, uint64_t deadline_ns, struct tgt_failure *why)
{
	struct poll_context p = { unit, root, deadline_ns, why };
	CLEANUP_FREE struct tgt_heading *headings = NULL;
	size_t count = 0;
	int rc = read_headings(&p, &headings, &count);

	for (size_t i = 0; i < count && rc == 0; i++) {
		struct tgt_target *target = tgt_unit_target(unit, headings[i].tid);

		if (target && target->exists && take_heading(target, &headings[i]) < 0)
			rc = no_memory(&p);
	}
	for (size_t i = 0; i < unit->target_count && rc == 0; i++) {
		struct tgt_target *target = &unit->targets[i];

		/* What it drives is not known of a target that was never certain: then ask. */
		if (target->exists && (target->is_iscsi || !target->heading))
			rc = read_target(&p, target);
	}
	for (size_t i = 0; i < unit->target_count; i++)
		unit->targets[i].heading = NULL;
	if (rc < 0)
		return rc;
	tgt_unit_sweep(unit);
	log_doubts(unit);
	return 0;
}
