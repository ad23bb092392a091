/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The saved files as lines of words (store_text.h): for store_parse.c, store_kept.c, event_store.c
 * and engine_store.c. Agent process. What the text can make this code allocate is nothing.
 */
#ifndef INDEX_STORE_WORDS_H
#define INDEX_STORE_WORDS_H

#include "index/store_text.h"

/* One line `field` of the file. */
struct store_field {
	uint8_t position; /* in kept_fields; KEPT_FIELDS: this program has none such */
	uint32_t line;	  /* in which a value of it came last */
};

#define STORE_FIELDS_MAX 256u

struct parser {
	const char *at, *end; /* what is left of the file, without its last line */
	uint32_t line;	      /* number of the line that is being parsed */
	const char *word_at, *line_end;
	uint64_t version;
	char *reason;
	/* of the registry's files only */
	bool persistent;
	struct registry *staged;
	struct store_field fields[STORE_FIELDS_MAX];
	uint32_t field_count;
};

struct word {
	const char *text;
	size_t length;
};

/* Says in p->reason, after the number of the line, what is wrong. */
void store_give_reason(struct parser *p, const char *format, ...) PRINTF_LIKE(2, 3);

/* A macro, so that the analyser sees that it is never 0. */
#define fail(...) (store_give_reason(__VA_ARGS__), -EBADMSG)

/* Those that return an int return 0, or -EBADMSG with the reason given. */

int store_next_line(struct parser *p);

/* True when the next line begins with this word. */
bool store_line_begins(const struct parser *p, const char *text);

/* The next word of the line; empty when the line is at its end or has a blank too many. */
struct word store_next_word(struct parser *p);

bool store_word_is(struct word word, const char *text);

/* True when all words of the line have been taken. */
bool store_line_is_done(const struct parser *p);

/* A decimal number without leading zeros in low..high; `what` it is, for the reason. */
int store_number(struct parser *p, struct word word, const char *what, uint64_t low, uint64_t high,
	uint64_t *ret);

/* The same of the next word. */
int store_next_number(
	struct parser *p, const char *what, uint64_t low, uint64_t high, uint64_t *ret);

/* The octets that a word stands for, %XX decoded: at most `room`, or "`what` is longer than". */
int store_octets(struct parser *p, struct word word, const char *what, char *out, size_t room,
	size_t *ret_length);

/* Takes the last line of the text off. Its checksum is over all that is before it. */
int store_parse_end(struct parser *p, const char *text, size_t length);

/* The line `boot ID`; whether it is that of the caller. */
int store_parse_boot(struct parser *p, const char *boot_id, bool *ret_same);

/* A line `name NUMBER …` with `count` numbers of 64 bits. */
int store_parse_numbers(struct parser *p, const char *name, uint64_t ret[], size_t count);

/* store_kept.c: a line `field`; and the line `kept` behind an entry of p->staged, also -ENOMEM. */
int store_parse_field(struct parser *p);
int store_parse_kept(struct parser *p, struct registry_entry *entry);

#endif
