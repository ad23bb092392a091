/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/event_store.h"

#include "base/hash.h"
#include "base/text.h"
#include "index/store_words.h"

#include <inttypes.h>

#define MAGIC	"iscsi-agentx-events"
#define VERSION 1u
#define NO_ROW	"-"

const struct store_names event_store_names = { "events", "events.tmp", "events.bad",
	"the event table begins anew", EVENT_STORE_MAX };

/* ---- reading ---- */

struct loader {
	struct parser parser;
	bool same_boot;
	struct event_record *records;
	size_t count;
	uint32_t last; /* number of the record before */
};

/* EVENT_NONE for a word that is no type of this program. */
static uint32_t find_type(struct word word)
{
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		if (store_word_is(word, event_type_word(type)))
			return type;
	}
	return EVENT_NONE;
}

static int next_type(struct parser *p, const char *what, uint32_t *ret)
{
	struct word word = store_next_word(p);

	if (word.length == 0)
		return fail(p, "%s is missing", what);
	for (size_t i = 0; i < word.length; i++) {
		if (!store_is_plain((unsigned char)word.text[i]))
			return fail(p, "wrong octet in %s", what);
	}
	*ret = find_type(word);
	return 0;
}

static int next_text(struct parser *p, const char *what, char out[EVENT_TEXT_MAX + 1])
{
	struct word word = store_next_word(p);
	size_t length = 0;
	int rc;

	if (word.length == 0 || word.text[0] != '=')
		return fail(p, "%s is missing", what);
	word.text++;
	word.length--;
	rc = store_octets(p, word, what, out, EVENT_TEXT_MAX, &length);
	if (rc < 0)
		return rc;
	if (!text_is_clean(out, length, EVENT_TEXT_MAX))
		return fail(p, "%s is no text", what);
	out[length] = '\0';
	return 0;
}

static int next_u32(struct parser *p, const char *what, uint32_t low, uint32_t high, uint32_t *ret)
{
	uint64_t value = 0;
	int rc = store_next_number(p, what, low, high, &value);

	if (rc == 0)
		*ret = (uint32_t)value;
	return rc;
}

/* Numbers of sessions are of one boot, and what is read may be of one before that of the file. */
static bool row_is_lost(const struct loader *l, const struct event_record *record)
{
	return (!l->same_boot || !record->time_ns) &&
	       event_type_subject(record->row_type) == SUBJECT_SESSION_HEALTH;
}

static int parse_record(struct loader *l)
{
	struct event_record *record = &l->records[l->count];
	struct parser *p = &l->parser;
	int rc = store_next_line(p);

	if (rc == 0)
		rc = next_u32(p, "the number", l->last + 1, UINT32_MAX - 1, &record->number);
	if (rc == 0)
		rc = next_type(p, "the type", &record->type);
	if (rc == 0)
		rc = next_u32(p, "told", TOLD_SENT, TOLD_OFF, &record->told);
	if (rc == 0)
		rc = next_type(p, "the row", &record->row_type);
	if (rc == 0)
		rc = store_next_number(p, "the date", 0, UINT64_MAX, &record->wall_ns);
	if (rc == 0)
		rc = store_next_number(p, "the time", 0, UINT64_MAX, &record->time_ns);
	for (size_t i = 0; rc == 0 && i < EVENT_KEY_MAX; i++)
		rc = next_u32(p, "the index", 0, UINT32_MAX, &record->key[i]);
	if (rc == 0)
		rc = next_text(p, "the subject", record->subject);
	if (rc == 0)
		rc = next_text(p, "the text", record->text);
	if (rc == 0 && !store_line_is_done(p))
		rc = fail(p, "the line goes on after the text");
	if (rc < 0)
		return rc;
	l->last = record->number;
	if (!l->same_boot)
		record->time_ns = 0;
	if (row_is_lost(l, record))
		record->row_type = EVENT_NONE;
	l->count += record->type != EVENT_NONE;
	return 0;
}

/* `iscsi-agentx-events 1` */
static int parse_magic(struct parser *p)
{
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	if (!store_word_is(store_next_word(p), MAGIC))
		return fail(p, "this is no events file");
	rc = store_next_number(p, "the format version", 1, UINT32_MAX, &p->version);
	if (rc < 0)
		return rc;
	if (p->version > VERSION)
		return fail(p, "format %" PRIu64 ", but this program knows format %u", p->version,
			VERSION);
	return store_line_is_done(p) ? 0 : fail(p, "the line is too long");
}

/* Everything between the boot line and the checksum. */
static int parse_content(struct loader *l, uint32_t *ret_next)
{
	struct parser *p = &l->parser;
	uint64_t next = 0, count = 0;
	int rc = store_parse_numbers(p, "next", &next, 1);

	if (rc == 0 && (next == 0 || next > UINT32_MAX))
		return fail(p, "next is out of range");
	if (rc == 0)
		rc = store_parse_numbers(p, "count", &count, 1);
	if (rc < 0)
		return rc;
	if (count > EVENT_LIMIT_MAX)
		return fail(p, "more than %u events", EVENT_LIMIT_MAX);
	l->records = calloc(count + 1, sizeof(*l->records));
	if (!l->records)
		return -ENOMEM;
	for (uint64_t i = 0; rc == 0 && i < count; i++)
		rc = parse_record(l);
	if (rc < 0)
		return rc;
	if (l->last >= next)
		return fail(p, "number %" PRIu32 " is not below the next number", l->last);
	if (p->at != p->end) {
		p->line++;
		return fail(p, "more lines than counted");
	}
	*ret_next = (uint32_t)next;
	return 0;
}

int event_store_parse(struct event_log *log, const char *text, size_t length, const char *boot_id,
	char reason[STORE_REASON])
{
	struct loader l = {
		.parser = { .at = text, .end = text + length, .reason = reason },
	};
	uint32_t next = 1;
	int rc;

	if (!store_is_boot_id(boot_id, strnlen(boot_id, STORE_BOOT_ID + 1)))
		return -EINVAL;
	rc = parse_magic(&l.parser); /* first: another format may have another checksum */
	if (rc == 0)
		rc = store_parse_end(&l.parser, text, length);
	if (rc == 0)
		rc = store_parse_boot(&l.parser, boot_id, &l.same_boot);
	if (rc == 0)
		rc = parse_content(&l, &next);
	if (rc == 0)
		rc = event_log_restore(log, l.records, l.count, next);
	free(l.records);
	if (rc == 0)
		reason[0] = '\0';
	return rc;
}

struct target {
	struct event_log *log;
	const char *boot_id;
};

static int take(void *context, const char *text, size_t length, char reason[STORE_REASON])
{
	const struct target *t = context;

	return event_store_parse(t->log, text, length, t->boot_id, reason);
}

int event_store_load(struct event_log *log, const char *directory, const char *boot_id)
{
	struct target t = { log, boot_id };
	int rc = store_disk_load(&event_store_names, directory, false, take, &t);

	return rc == -ENOENT ? 0 : rc;
}

int event_store_peek(struct event_log *log, const char *directory, const char *boot_id)
{
	struct target t = { log, boot_id };
	int rc = store_disk_load(&event_store_names, directory, true, take, &t);

	return rc == -ENOENT ? 0 : rc;
}

/* ---- writing ---- */

static const char *word_of(uint32_t type)
{
	const char *word = event_type_word(type);

	return word ? word : NO_ROW;
}

static void write_record(struct buf *out, const struct event_record *record)
{
	buf_printf(out, "%" PRIu32 " %s %" PRIu32 " %s %" PRIu64 " %" PRIu64, record->number,
		word_of(record->type), record->told, word_of(record->row_type), record->wall_ns,
		record->time_ns);
	for (size_t i = 0; i < EVENT_KEY_MAX; i++)
		buf_printf(out, " %" PRIu32, record->key[i]);
	buf_text(out, " =");
	store_write_octets(out, record->subject, strlen(record->subject));
	buf_text(out, " =");
	store_write_octets(out, record->text, strlen(record->text));
	buf_text(out, "\n");
}

int event_store_format(const struct event_log *log, const char *boot_id, uint32_t next,
	store_sink_fn *sink, void *context)
{
	CLEANUP_BUF struct buf text = BUF_INIT(EVENT_STORE_MAX);
	size_t count = event_log_count(log), limit = event_log_limit(log), first;

	if (!store_is_boot_id(boot_id, strnlen(boot_id, STORE_BOOT_ID + 1)))
		return -EINVAL;
	first = count > limit ? count - limit : 0;
	buf_printf(&text, MAGIC " %u\nboot %s\nnext %" PRIu32 "\ncount %zu\n", VERSION, boot_id,
		next, count - first);
	for (size_t i = first; i < count; i++)
		write_record(&text, event_log_at(log, i));
	if (!text.error)
		buf_printf(&text, "end %016" PRIx64 "\n",
			hash_bytes(HASH_INIT, text.data, text.length));
	return text.error ? text.error : sink(context, text.data, text.length);
}
