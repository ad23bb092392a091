/* SPDX-License-Identifier: BSD-2-Clause */
/* Row by row: what the entry remembers, then what the object says, then the entry anew. */
#include "model/ledger.h"

#include "base/hash.h"
#include "model/ledger_private.h"

/* What is common to the rows of a kind. */
struct rows {
	unsigned int first, end;
	const struct field_info *instance, *discontinuity; /* NULL: it has no such field */
};

int ledger_begin(struct ledger *l, struct snapshot *s, struct registry *r, uint64_t now_ns)
{
	*l = (struct ledger){ .snapshot = s, .registry = r, .now_ns = now_ns };
	l->instances =
		calloc((size_t)snapshot_count(s, OBJECT_INSTANCE) + 1, sizeof(l->instances[0]));
	return l->instances ? 0 : -ENOMEM;
}

void ledger_end(struct ledger *l)
{
	free(l->instances);
	l->instances = NULL;
}

static uint64_t max_ns(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t hash_text(const struct snapshot *s, const struct opt_str *text)
{
	uint64_t hash;

	if (!text->known)
		return 0;
	hash = hash_bytes(HASH_INIT, snapshot_text(s, text), text->length);
	return hash ? hash : 1;
}

static void take_instances(struct ledger *l)
{
	const struct instance *instances = snapshot_instances(l->snapshot);

	for (uint32_t i = 0; i < snapshot_count(l->snapshot, OBJECT_INSTANCE); i++)
		l->instances[i] = (struct ledger_instance){
			.epoch = hash_text(l->snapshot, &instances[i].event_epoch),
			.discontinuity_ns = ledger_past_ns(l, &instances[i].discontinuity),
		};
}

static struct rows rows_of(enum object_kind kind)
{
	const struct object_info *info = object_info(kind);
	struct rows rows = { .first = 0 };

	for (uint32_t i = 0; i < info->field_count; i++) {
		const struct field_info *field = &info->fields[i];

		if (field->type == FIELD_link && field->high == OBJECT_INSTANCE)
			rows.instance = field;
		if (field->type == FIELD_time && strcmp(field->name, "discontinuity") == 0)
			rows.discontinuity = field;
	}
	while (rows.first < KEPT_FIELDS && kept_fields[rows.first].kind != kind)
		rows.first++;
	rows.end = rows.first;
	while (rows.end < KEPT_FIELDS && kept_fields[rows.end].kind == kind)
		rows.end++;
	return rows;
}

/* iscsiInstDiscontinuityTime: with another incarnation of the stack its counters began anew. */
static void take_incarnation(struct row *row)
{
	const struct instance *instance = (const void *)row->object;
	uint64_t incarnation = hash_text(row->ledger->snapshot, &instance->incarnation);

	if (!incarnation)
		return;
	if (row->incarnation && row->incarnation != incarnation)
		row->discontinuity_ns = row->ledger->now_ns;
	row->incarnation = incarnation;
}

static void index_record(struct row *row)
{
	struct kept_value value;
	unsigned int position;

	for (unsigned int i = row->first; i < row->end; i++)
		row->old[i].octets = NULL;
	for (size_t at = 0; kept_next(row->entry->kept, &at, &position, &value);)
		row->old[position] = value;
}

/* Most rows: nothing is remembered of them, and they say nothing that could be. */
static bool has_nothing(const struct row *row)
{
	if (row->entry->kept)
		return false;
	for (unsigned int i = row->first; i < row->end; i++)
		if (kept_is_known(&kept_fields[i], row->object))
			return false;
	return true;
}

static bool is_record_kept(const struct row *row)
{
	const struct registry_kept *kept = row->entry->kept;

	if (!kept)
		return !row->record.length;
	return kept->length == row->record.length &&
	       memcmp(kept->octets, row->record.octets, kept->length) == 0;
}

static int take_kept(struct row *row)
{
	int rc;

	row->record.length = 0;
	index_record(row);
	ledger_take_counts(row);
	rc = ledger_take_learned(row);
	if (rc == 0 && !is_record_kept(row))
		rc = registry_keep(
			row->ledger->registry, row->entry, row->record.octets, row->record.length);
	return rc;
}

static int take_row(struct row *row, struct registry_entry *entry, struct opt_time *discontinuity)
{
	uint64_t told_ns = discontinuity ? ledger_past_ns(row->ledger, discontinuity) : 0;
	int rc;

	row->entry = entry;
	row->epoch = entry->epoch;
	row->incarnation = entry->incarnation;
	row->discontinuity_ns = max_ns(entry->discontinuity_ns, told_ns);
	rc = has_nothing(row) ? 0 : take_kept(row);
	if (rc < 0)
		return rc;
	if (entry->kind == INDEX_INSTANCE)
		take_incarnation(row);
	entry->epoch = row->epoch;
	entry->incarnation = row->incarnation;
	entry->discontinuity_ns = row->discontinuity_ns;
	if (!discontinuity)
		return 0;
	discontinuity->ns = row->discontinuity_ns;
	/* These begin to count when they come up (iscsiSsnDiscontinuityTime). */
	if (!index_kind_persists(entry->kind) || entry->kind == INDEX_PATH)
		discontinuity->ns = max_ns(discontinuity->ns, entry->since_ns);
	discontinuity->known = 1;
	return 0;
}

/* When a session was first seen, where its source does not know better. */
static void take_begin(struct session *session, const struct registry_entry *entry)
{
	if (!session->created.known && entry->since_ns)
		session->created = (struct opt_time){ .ns = entry->since_ns, .known = 1 };
}

/* One process logs in all sessions, and says the same in each: what the instance remembers of it.
 */
static void take_alias(const struct snapshot *s, struct session *session)
{
	const struct instance *instance = &snapshot_instances(s)[session->instance];

	if (instance->login_process.known && session->initiator_alias.known)
		session->initiator_alias = instance->login_alias;
}

/* The last login of a path is that of its session, which is complete by now. */
static void take_login(const struct snapshot *s, struct path *path)
{
	const struct session *session;

	if (path->session == LINK_NONE)
		return;
	session = &snapshot_sessions(s)[path->session];
	path->login_class = session->login_class;
	path->login_detail = session->login_detail;
	path->login_time = session->login_time;
}

int ledger_complete(struct ledger *l, enum object_kind kind, struct registry_entry *const entries[])
{
	static const struct ledger_instance none = { 0, 0 };
	const struct rows rows = rows_of(kind);
	struct row row = { .ledger = l, .first = rows.first, .end = rows.end, .instance = &none };
	size_t size = object_info(kind)->size;

	if (kind == OBJECT_INSTANCE)
		take_instances(l);
	if (rows.first == rows.end && !rows.discontinuity)
		return 0;
	row.object = l->snapshot->arrays[kind].objects;
	for (uint32_t i = 0; i < snapshot_count(l->snapshot, kind); i++, row.object += size) {
		uint32_t instance = i;
		int rc;

		if (!((const struct object *)(const void *)row.object)->index)
			continue;
		if (rows.instance)
			memcpy(&instance, row.object + rows.instance->offset, sizeof(instance));
		if (rows.instance || kind == OBJECT_INSTANCE)
			row.instance = &l->instances[instance];
		rc = take_row(&row, entries[i],
			rows.discontinuity ? (struct opt_time *)(void *)(row.object +
									 rows.discontinuity->offset)
					   : NULL);
		if (rc < 0)
			return rc;
		if (kind == OBJECT_SESSION) {
			take_begin((struct session *)(void *)row.object, entries[i]);
			take_alias(l->snapshot, (struct session *)(void *)row.object);
		}
		if (kind == OBJECT_PATH)
			take_login(l->snapshot, (struct path *)(void *)row.object);
	}
	return 0;
}
