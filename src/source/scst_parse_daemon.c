/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel tells of iscsi-scstd. Called in the reader process of the source scst. */
#include "source/scst_parse.h"

#define SCSTD_NAME  "iscsi-scstd"
#define LISTEN_PORT 3260
#define START_FIELD 22 /* proc(5); the state is field 3 */

int scst_parse_process(const char *text, size_t length, struct scst_process *ret)
{
	char line[SCST_LINE_MAX + 1], *open, *close, *rest, *field = NULL;
	struct scst_process process = { .is_scstd = false };

	if (scst_parse_line(text, length, line) <= 0)
		return -EBADMSG;
	/* The name is in parentheses and may hold anything, also parentheses. */
	open = strchr(line, '(');
	close = strrchr(line, ')');
	if (!open || !close || close < open || close[1] != ' ')
		return -EBADMSG;
	*close = 0;
	process.is_scstd = !strcmp(open + 1, SCSTD_NAME);
	rest = close + 2;
	process.answers = (*rest == 'R' || *rest == 'S') && rest[1] == ' ';
	for (int i = 3; i <= START_FIELD; i++)
		field = strsep(&rest, " ");
	if (!field || !*field || text_to_u64(field, UINT64_MAX, &process.start_time) < 0)
		return -EBADMSG;
	*ret = process;
	return 0;
}

/* The words of a command line: each ends with a NUL. */
struct words {
	const char *at;
	size_t left;
};

static bool next_word(struct words *words, const char **ret)
{
	const char *end = words->left ? memchr(words->at, 0, words->left) : NULL;

	if (!end)
		return false;
	*ret = words->at;
	words->left -= (size_t)(end - words->at) + 1;
	words->at = end + 1;
	return true;
}

/* "10.0.0.1 10.0.0.2": into the list from its beginning, as the daemon does. */
static int set_addresses(struct scst_listener *listener, const char *text)
{
	size_t count = 0;

	for (;;) {
		size_t length;

		text += strspn(text, " ");
		length = strcspn(text, " ");
		if (!length)
			break;
		if (count == SCST_ADDRESSES_MAX)
			return -EBADMSG;
		listener->addresses[count].at = text;
		listener->addresses[count++].length = length;
		text += length;
	}
	if (count > listener->address_count)
		listener->address_count = count;
	return 0;
}

/* An option that has a value. */
static int set_option(struct scst_listener *listener, char option, const char *value)
{
	uint32_t port;

	if (option == 'a')
		return set_addresses(listener, value);
	if (option != 'p')
		return 0;
	/* A leading 0 would be octal for the daemon. */
	if (*value == '0' || text_to_u32(value, UINT16_MAX, &port) < 0 || port == 0)
		return -EBADMSG;
	listener->port = (uint16_t)port;
	return 0;
}

static int parse_long(struct scst_listener *listener, const char *word, struct words *words)
{
	/* No two begin alike, so any beginning of one is it. */
	static const char *const names[] = { "config", "foreground", "debug", "uid", "gid",
		"address", "port" };
	size_t length = strcspn(word, "=");

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = word + length + 1;

		if (!length || strncmp(names[i], word, length) != 0)
			continue;
		if (names[i][0] == 'f')
			return word[length] ? -EBADMSG : 0;
		if (!word[length] && !next_word(words, &value))
			return -EBADMSG;
		return set_option(listener, names[i][0], value);
	}
	return -EBADMSG;
}

static int parse_short(struct scst_listener *listener, const char *word, struct words *words)
{
	for (; *word; word++) {
		const char *value = word + 1;

		if (*word == 'f')
			continue;
		if (!strchr("cdsugap", *word))
			return -EBADMSG;
		if (!*value && !next_word(words, &value))
			return -EBADMSG;
		return set_option(listener, *word, value);
	}
	return 0;
}

int scst_parse_arguments(const char *text, size_t length, struct scst_listener *ret)
{
	struct scst_listener listener = { .port = LISTEN_PORT };
	struct words words = { .at = text, .left = length };
	const char *word;
	int rc = 0;

	if (!next_word(&words, &word)) /* the program */
		return -EBADMSG;
	while (rc == 0 && next_word(&words, &word)) {
		if (word[0] != '-' || !word[1] || !strcmp(word, "--"))
			return -EBADMSG;
		rc = word[1] == '-' ? parse_long(&listener, word + 2, &words)
				    : parse_short(&listener, word + 1, &words);
	}
	if (rc < 0 || words.left)
		return -EBADMSG;
	*ret = listener;
	return 0;
}
