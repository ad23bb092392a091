/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses the text of the registry's files (store_text.h) into a registry of its own, which is
 * merged into the caller's only when all of it was right. Agent process; touches no file itself.
 * The content is hostile until its checksum and every line have been checked; what it can make
 * this code allocate is bounded by its length.
 */
#include "base/hash.h"
#include "index/store_words.h"

#include <inttypes.h>

enum { COUNTERS, ENTRIES, FIELDS }; /* of the line `count` */

/* True when the file has what format 2 of the run file brought. */
static bool has_kept(const struct parser *p)
{
	return !p->persistent && p->version > 1;
}

static int parse_kind(struct parser *p, struct word word, enum index_kind *ret)
{
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (!store_word_is(word, index_kind_name(k)))
			continue;
		if (p->persistent && !index_kind_persists(k))
			break;
		*ret = k;
		return 0;
	}
	return fail(p, "not a line of this file");
}

static int next_key(struct parser *p, char key[REGISTRY_KEY_MAX], size_t *ret_length)
{
	int rc = store_octets(p, store_next_word(p), "the key", key, REGISTRY_KEY_MAX, ret_length);

	return rc == 0 && *ret_length == 0 ? fail(p, "no key") : rc;
}

/* `iscsi-agentx-index 1 state` */
static int parse_magic(struct parser *p)
{
	unsigned int newest = store_version(p->persistent);
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	if (!store_word_is(store_next_word(p), STORE_MAGIC))
		return fail(p, "this is no index file");
	rc = store_next_number(p, "the format version", 1, UINT32_MAX, &p->version);
	if (rc < 0)
		return rc;
	if (p->version > newest)
		return fail(p, "format %" PRIu64 ", but this program knows format %u", p->version,
			newest);
	if (!store_word_is(store_next_word(p), p->persistent ? "state" : "run") ||
		!store_line_is_done(p))
		return fail(p, "not a %s file", p->persistent ? "state" : "run");
	return 0;
}

static int parse_counter(struct parser *p)
{
	struct word what;
	enum index_kind kind = INDEX_INSTANCE;
	uint64_t parent = 0, next = 0;
	bool is_floor;
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	what = store_next_word(p);
	is_floor = store_word_is(what, "floor");
	if (!is_floor && !store_word_is(what, "next"))
		return fail(p, "a counter was expected");
	rc = parse_kind(p, store_next_word(p), &kind);
	if (rc == 0 && !is_floor)
		rc = store_next_number(p, "the parent", 0, UINT32_MAX, &parent);
	if (rc == 0)
		rc = store_next_number(p, "the next number", 1, STORE_NEXT_MAX, &next);
	if (rc < 0)
		return rc;
	if (kind == INDEX_INSTANCE || !store_line_is_done(p) ||
		(is_floor && (index_kind_persists(kind) || next == 1 ||
				     registry_floor(p->staged, kind) > 1)))
		return fail(p, "not a counter");
	if (is_floor) {
		registry_restore_floor(p->staged, kind, next);
		return 0;
	}
	rc = registry_restore_next(p->staged, kind, (uint32_t)parent, next);
	return rc == -EEXIST ? fail(p, "a second counter of the same parent") : rc;
}

static int restore_entry(struct parser *p, enum index_kind kind, uint64_t parent, uint64_t number,
	const char *key, size_t key_length, struct registry_entry **ret)
{
	int rc = registry_restore_entry(
		p->staged, kind, (uint32_t)parent, (uint32_t)number, key, key_length, ret);

	switch (rc) {
	case -EEXIST:
		return fail(p,
			"%s %" PRIu64 " of parent %" PRIu64 ": its key or number is there already",
			index_kind_name(kind), number, parent);
	case -EINVAL:
		return fail(p, "%s %" PRIu64 " of parent %" PRIu64 " is not below the next number",
			index_kind_name(kind), number, parent);
	case -ENOSPC:
		return fail(p, "more than %u entries of kind %s", REGISTRY_ENTRIES_MAX,
			index_kind_name(kind));
	default:
		return rc;
	}
}

static int parse_entry(struct parser *p)
{
	struct registry_entry *entry;
	uint64_t parent, number, seen, since = 0, discontinuity = 0, incarnation = 0, epoch = 0;
	char key[REGISTRY_KEY_MAX];
	size_t key_length = 0;
	enum index_kind kind = INDEX_INSTANCE;
	int rc = store_next_line(p);

	if (rc == 0)
		rc = parse_kind(p, store_next_word(p), &kind);
	if (rc == 0)
		rc = store_next_number(p, "the parent", 0, UINT32_MAX, &parent);
	if (rc == 0)
		rc = store_next_number(p, "the number", 1, UINT32_MAX, &number);
	if (rc == 0)
		rc = store_next_number(p, "the seen mark", 0, 1, &seen);
	if (rc == 0 && !p->persistent)
		rc = store_next_number(p, "the beginning", 0, UINT64_MAX, &since);
	if (rc == 0 && !p->persistent)
		rc = store_next_number(p, "the discontinuity", 0, UINT64_MAX, &discontinuity);
	if (rc == 0 && !p->persistent)
		rc = store_next_number(p, "the incarnation", 0, UINT64_MAX, &incarnation);
	if (rc == 0 && has_kept(p))
		rc = store_next_number(p, "the epoch", 0, UINT64_MAX, &epoch);
	if (rc == 0)
		rc = next_key(p, key, &key_length);
	if (rc == 0 && !store_line_is_done(p))
		rc = fail(p, "the line goes on after the key");
	if (rc == 0)
		rc = restore_entry(p, kind, parent, number, key, key_length, &entry);
	if (rc != 0)
		return rc;
	entry->seen = seen;
	entry->since_ns = since;
	entry->discontinuity_ns = discontinuity;
	entry->incarnation = incarnation;
	entry->epoch = epoch;
	return has_kept(p) && store_line_begins(p, "kept") ? store_parse_kept(p, entry) : 0;
}

/* Everything between the boot line and the checksum. */
static int parse_content(struct parser *p, struct store_run *ret_run)
{
	uint64_t counts[] = { [COUNTERS] = 0, [ENTRIES] = 0, [FIELDS] = 0 };
	int rc = 0;

	if (!p->persistent)
		rc = store_parse_numbers(p, "uptime_zero", &ret_run->uptime_zero_ns, 1);
	if (rc == 0)
		rc = store_parse_numbers(p, "count", counts, has_kept(p) ? 3 : 2);
	if (rc == 0 && counts[FIELDS] > STORE_FIELDS_MAX)
		return fail(p, "more than %u fields", STORE_FIELDS_MAX);
	for (uint64_t i = 0; rc == 0 && i < counts[FIELDS]; i++)
		rc = store_parse_field(p);
	for (uint64_t i = 0; rc == 0 && i < counts[COUNTERS]; i++)
		rc = parse_counter(p);
	for (uint64_t i = 0; rc == 0 && i < counts[ENTRIES]; i++)
		rc = parse_entry(p);
	if (rc == 0 && p->at != p->end) {
		p->line++;
		return fail(p, "more lines than counted");
	}
	return rc;
}

int store_parse(struct registry *r, const char *text, size_t length, bool persistent,
	const char *boot_id, struct store_run *run, bool *ret_loaded, char reason[STORE_REASON])
{
	struct parser p = {
		.at = text, .end = text + length, .persistent = persistent, .reason = reason
	};
	struct store_run loaded_run = { 0 };
	uint32_t left_out = 0;
	bool same_boot = false;
	int rc;

	if (!store_is_boot_id(boot_id, strnlen(boot_id, STORE_BOOT_ID + 1)))
		return -EINVAL;
	rc = parse_magic(&p); /* first: another format may have another checksum */
	if (rc == 0)
		rc = store_parse_end(&p, text, length);
	if (rc < 0)
		return rc;
	rc = store_parse_boot(&p, boot_id, &same_boot);
	if (rc < 0)
		return rc;
	if (!persistent && !same_boot) {
		*ret_loaded = false;
		return 0;
	}
	p.staged = registry_new();
	if (!p.staged)
		return -ENOMEM;
	rc = parse_content(&p, &loaded_run);
	if (rc == 0 && !same_boot)
		registry_begin_boot(p.staged);
	if (rc == 0)
		rc = registry_merge(r, p.staged, !persistent, &left_out);
	registry_free(p.staged);
	if (rc < 0)
		return rc;
	reason[0] = '\0';
	if (left_out)
		snprintf(reason, STORE_REASON, "%" PRIu32 " entries contradict known numbers",
			left_out);
	if (run && !persistent)
		*run = loaded_run;
	*ret_loaded = true;
	return 0;
}
