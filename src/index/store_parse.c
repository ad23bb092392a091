/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parses the text of the registry's files (store_text.h) into a registry of its own, which is
 * merged into the caller's only when all of it was right. Agent process; touches no file itself.
 * The content is hostile until its checksum and every line have been checked; what it can make
 * this code allocate is bounded by its length.
 */
#include "base/hash.h"
#include "base/text.h"
#include "index/store_text.h"

#include <inttypes.h>
#include <stdarg.h>

#define NEXT_MAX ((uint64_t)UINT32_MAX + 1)

struct parser {
	const char *at, *end; /* what is left of the file, without its last line */
	uint32_t line;	      /* number of the line that is being parsed */
	const char *word_at, *line_end;
	bool persistent;
	struct registry *staged;
	char *reason;
};

struct word {
	const char *text;
	size_t length;
};

static void PRINTF_LIKE(2, 3) give_reason(struct parser *p, const char *format, ...)
{
	int used = snprintf(p->reason, STORE_REASON, "line %" PRIu32 ": ", p->line);
	va_list args;

	va_start(args, format);
	vsnprintf(p->reason + used, STORE_REASON - (size_t)used, format, args);
	va_end(args);
}

/* A macro, so that the analyser sees that it is never 0. */
#define fail(...) (give_reason(__VA_ARGS__), -EBADMSG)

static int next_line(struct parser *p)
{
	const char *newline = memchr(p->at, '\n', (size_t)(p->end - p->at));

	p->line++;
	if (!newline)
		return fail(p, "the file ends too early");
	p->word_at = p->at;
	p->line_end = newline;
	p->at = newline + 1;
	return 0;
}

/* The next word of the line; empty when the line is at its end or has a blank too many. */
static struct word next_word(struct parser *p)
{
	struct word word = { .text = p->word_at };
	const char *blank;

	if (p->word_at > p->line_end)
		return word;
	blank = memchr(p->word_at, ' ', (size_t)(p->line_end - p->word_at));
	word.length = (size_t)((blank ? blank : p->line_end) - p->word_at);
	p->word_at += word.length + 1;
	return word;
}

static bool word_is(struct word word, const char *text)
{
	return word.length == strlen(text) && !memcmp(word.text, text, word.length);
}

static bool line_is_done(const struct parser *p)
{
	return p->word_at == p->line_end + 1;
}

static int next_number(
	struct parser *p, const char *what, uint64_t low, uint64_t high, uint64_t *ret)
{
	struct word word = next_word(p);
	char digits[24];
	uint64_t value;

	if (word.length == 0 || word.length >= sizeof(digits) ||
		(word.text[0] == '0' && word.length > 1))
		return fail(p, "%s is not a number", what);
	for (size_t i = 0; i < word.length; i++) {
		if (word.text[i] < '0' || word.text[i] > '9')
			return fail(p, "%s is not a number", what);
		digits[i] = word.text[i];
	}
	digits[word.length] = '\0';
	if (text_to_u64(digits, high, &value) < 0 || value < low)
		return fail(p, "%s %s is out of range", what, digits);
	*ret = value;
	return 0;
}

static int parse_kind(struct parser *p, struct word word, enum index_kind *ret)
{
	for (enum index_kind k = 0; k < INDEX_KINDS; k++) {
		if (!word_is(word, index_kind_name(k)))
			continue;
		if (p->persistent && !index_kind_persists(k))
			break;
		*ret = k;
		return 0;
	}
	return fail(p, "not a line of this file");
}

static int hex_value(char c)
{
	const char *at = c ? strchr(STORE_HEX_DIGITS, c) : NULL;

	return at ? (int)(at - STORE_HEX_DIGITS) : -1;
}

static int next_key(struct parser *p, char key[REGISTRY_KEY_MAX], size_t *ret_length)
{
	struct word word = next_word(p);
	size_t length = 0;

	for (size_t i = 0; i < word.length; i++) {
		unsigned char c = (unsigned char)word.text[i];

		if (length == REGISTRY_KEY_MAX)
			return fail(p, "the key is longer than %u octets", REGISTRY_KEY_MAX);
		if (c == '%') {
			int high = i + 2 < word.length ? hex_value(word.text[i + 1]) : -1;
			int low = i + 2 < word.length ? hex_value(word.text[i + 2]) : -1;

			if (high < 0 || low < 0 || store_is_plain((unsigned char)(high << 4 | low)))
				return fail(p, "wrong %% in the key");
			c = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (!store_is_plain(c)) {
			return fail(p, "octet 0x%02x in the key", c);
		}
		key[length++] = (char)c;
	}
	if (length == 0)
		return fail(p, "no key");
	*ret_length = length;
	return 0;
}

/* `iscsi-agentx-index 1 state` */
static int parse_magic(struct parser *p)
{
	uint64_t version = 0;
	int rc = next_line(p);

	if (rc < 0)
		return rc;
	if (!word_is(next_word(p), STORE_MAGIC))
		return fail(p, "this is no index file");
	rc = next_number(p, "the format version", 1, UINT32_MAX, &version);
	if (rc < 0)
		return rc;
	if (version != STORE_VERSION)
		return fail(p, "format %" PRIu64 ", but this program knows format %u", version,
			STORE_VERSION);
	if (!word_is(next_word(p), p->persistent ? "state" : "run") || !line_is_done(p))
		return fail(p, "not a %s file", p->persistent ? "state" : "run");
	return 0;
}

/* Takes the last line off. Its checksum is over all that is before it. */
static int parse_checksum(struct parser *p, const char *text, size_t length)
{
	char expected[STORE_END_LENGTH + 1];
	size_t body = length >= STORE_END_LENGTH ? length - STORE_END_LENGTH : 0;

	p->line = 1;
	for (const char *c = text; c + 1 < text + length; c++)
		p->line += *c == '\n';
	if (length <= STORE_END_LENGTH || text[body - 1] != '\n' ||
		memcmp(text + body, "end ", 4) || text[length - 1] != '\n')
		return fail(p, "the last line is not the checksum: the file was cut");
	snprintf(expected, sizeof(expected), "end %016" PRIx64 "\n",
		hash_bytes(HASH_INIT, text, body));
	if (memcmp(text + body, expected, STORE_END_LENGTH))
		return fail(p, "the checksum is not that of the content");
	p->line = 1;
	p->end = text + body;
	return 0;
}

static int parse_boot(struct parser *p, const char *boot_id, bool *ret_same)
{
	struct word word;
	int rc = next_line(p);

	if (rc < 0)
		return rc;
	if (!word_is(next_word(p), "boot"))
		return fail(p, "boot was expected");
	word = next_word(p);
	if (!store_is_boot_id(word.text, word.length) || !line_is_done(p))
		return fail(p, "wrong boot_id");
	*ret_same = !memcmp(word.text, boot_id, STORE_BOOT_ID);
	return 0;
}

static int parse_counter(struct parser *p)
{
	struct word what;
	enum index_kind kind = INDEX_INSTANCE;
	uint64_t parent = 0, next = 0;
	bool is_floor;
	int rc = next_line(p);

	if (rc < 0)
		return rc;
	what = next_word(p);
	is_floor = word_is(what, "floor");
	if (!is_floor && !word_is(what, "next"))
		return fail(p, "a counter was expected");
	rc = parse_kind(p, next_word(p), &kind);
	if (rc == 0 && !is_floor)
		rc = next_number(p, "the parent", 0, UINT32_MAX, &parent);
	if (rc == 0)
		rc = next_number(p, "the next number", 1, NEXT_MAX, &next);
	if (rc < 0)
		return rc;
	if (kind == INDEX_INSTANCE || !line_is_done(p) ||
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
	uint64_t parent, number, seen, since = 0, discontinuity = 0, incarnation = 0;
	char key[REGISTRY_KEY_MAX];
	size_t key_length = 0;
	enum index_kind kind = INDEX_INSTANCE;
	int rc = next_line(p);

	if (rc == 0)
		rc = parse_kind(p, next_word(p), &kind);
	if (rc == 0)
		rc = next_number(p, "the parent", 0, UINT32_MAX, &parent);
	if (rc == 0)
		rc = next_number(p, "the number", 1, UINT32_MAX, &number);
	if (rc == 0)
		rc = next_number(p, "the seen mark", 0, 1, &seen);
	if (rc == 0 && !p->persistent)
		rc = next_number(p, "the beginning", 0, UINT64_MAX, &since);
	if (rc == 0 && !p->persistent)
		rc = next_number(p, "the discontinuity", 0, UINT64_MAX, &discontinuity);
	if (rc == 0 && !p->persistent)
		rc = next_number(p, "the incarnation", 0, UINT64_MAX, &incarnation);
	if (rc == 0)
		rc = next_key(p, key, &key_length);
	if (rc == 0 && !line_is_done(p))
		rc = fail(p, "the line goes on after the key");
	if (rc == 0)
		rc = restore_entry(p, kind, parent, number, key, key_length, &entry);
	if (rc != 0)
		return rc;
	entry->seen = seen;
	entry->since_ns = since;
	entry->discontinuity_ns = discontinuity;
	entry->incarnation = incarnation;
	return 0;
}

/* `WORD NUMBER [NUMBER]` */
static int parse_numbers(struct parser *p, const char *name, uint64_t *ret_a, uint64_t *ret_b)
{
	int rc = next_line(p);

	if (rc < 0)
		return rc;
	if (!word_is(next_word(p), name))
		return fail(p, "%s was expected", name);
	rc = next_number(p, name, 0, UINT64_MAX, ret_a);
	if (rc == 0 && ret_b)
		rc = next_number(p, name, 0, UINT64_MAX, ret_b);
	if (rc == 0 && !line_is_done(p))
		return fail(p, "the line is too long");
	return rc;
}

/* Everything between the boot line and the checksum. */
static int parse_content(struct parser *p, struct store_run *ret_run)
{
	uint64_t counters = 0, entries = 0;
	int rc = 0;

	if (!p->persistent)
		rc = parse_numbers(p, "uptime_zero", &ret_run->uptime_zero_ns, NULL);
	if (rc == 0)
		rc = parse_numbers(p, "count", &counters, &entries);
	for (uint64_t i = 0; rc == 0 && i < counters; i++)
		rc = parse_counter(p);
	for (uint64_t i = 0; rc == 0 && i < entries; i++)
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
		rc = parse_checksum(&p, text, length);
	if (rc < 0)
		return rc;
	rc = parse_boot(&p, boot_id, &same_boot);
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
