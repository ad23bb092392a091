/* SPDX-License-Identifier: BSD-2-Clause */
#include "index/store_words.h"

#include "base/hash.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdarg.h>

void store_give_reason(struct parser *p, const char *format, ...)
{
	int used = snprintf(p->reason, STORE_REASON, "line %" PRIu32 ": ", p->line);
	va_list args;

	va_start(args, format);
	vsnprintf(p->reason + used, STORE_REASON - (size_t)used, format, args);
	va_end(args);
}

int store_next_line(struct parser *p)
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

bool store_line_begins(const struct parser *p, const char *text)
{
	size_t length = strlen(text);

	return (size_t)(p->end - p->at) > length && !memcmp(p->at, text, length) &&
	       p->at[length] == ' ';
}

struct word store_next_word(struct parser *p)
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

bool store_word_is(struct word word, const char *text)
{
	return word.length == strlen(text) && !memcmp(word.text, text, word.length);
}

bool store_line_is_done(const struct parser *p)
{
	return p->word_at == p->line_end + 1;
}

int store_number(struct parser *p, struct word word, const char *what, uint64_t low, uint64_t high,
	uint64_t *ret)
{
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

int store_next_number(
	struct parser *p, const char *what, uint64_t low, uint64_t high, uint64_t *ret)
{
	return store_number(p, store_next_word(p), what, low, high, ret);
}

static int hex_value(char c)
{
	const char *at = c ? strchr(STORE_HEX_DIGITS, c) : NULL;

	return at ? (int)(at - STORE_HEX_DIGITS) : -1;
}

int store_octets(struct parser *p, struct word word, const char *what, char *out, size_t room,
	size_t *ret_length)
{
	size_t length = 0;

	for (size_t i = 0; i < word.length; i++) {
		unsigned char c = (unsigned char)word.text[i];

		if (length == room)
			return fail(p, "%s is longer than %zu octets", what, room);
		if (c == '%') {
			int high = i + 2 < word.length ? hex_value(word.text[i + 1]) : -1;
			int low = i + 2 < word.length ? hex_value(word.text[i + 2]) : -1;

			if (high < 0 || low < 0 || store_is_plain((unsigned char)(high << 4 | low)))
				return fail(p, "wrong %% in %s", what);
			c = (unsigned char)(high << 4 | low);
			i += 2;
		} else if (!store_is_plain(c)) {
			return fail(p, "octet 0x%02x in %s", c, what);
		}
		out[length++] = (char)c;
	}
	*ret_length = length;
	return 0;
}

int store_parse_end(struct parser *p, const char *text, size_t length)
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

int store_parse_boot(struct parser *p, const char *boot_id, bool *ret_same)
{
	struct word word;
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	if (!store_word_is(store_next_word(p), "boot"))
		return fail(p, "boot was expected");
	word = store_next_word(p);
	if (!store_is_boot_id(word.text, word.length) || !store_line_is_done(p))
		return fail(p, "wrong boot_id");
	*ret_same = !memcmp(word.text, boot_id, STORE_BOOT_ID);
	return 0;
}

int store_parse_numbers(struct parser *p, const char *name, uint64_t ret[], size_t count)
{
	int rc = store_next_line(p);

	if (rc < 0)
		return rc;
	if (!store_word_is(store_next_word(p), name))
		return fail(p, "%s was expected", name);
	for (size_t i = 0; i < count && rc == 0; i++)
		rc = store_next_number(p, name, 0, UINT64_MAX, &ret[i]);
	if (rc == 0 && !store_line_is_done(p))
		return fail(p, "the line is too long");
	return rc;
}
