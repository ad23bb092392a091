/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of the access file (agent/snmp_access.h). What passes goes to net-snmp's handlers in a
 * process that managers talk to, so it must be one line, short, of a token of the list, and no sink
 * may name a stream; taken alone it must be the same again. The log must not tell a value.
 */
#include "agent/snmp_access.h"
#include "base/log.h"

#include <strings.h>

#define SIZE_MAX_HERE (16 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where the next message is looked for. */
static struct {
	const char *at, *end;
	unsigned int number, messages;
} follow;

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* It is about the next line that is wrong, and tells nothing of it but its token. */
static void take_log(int priority, const char *message)
{
	struct access_line line;
	char expected[512];

	check(priority == LOG_ERR);
	do
		check(access_next_line(&follow.at, follow.end, &follow.number, &line));
	while (!line.wrong);
	snprintf(expected, sizeof(expected), "access: line %u: %s %s, ignoring the line",
		line.number, line.token, line.wrong);
	check(strlen(message) == strlen(expected));
	for (size_t i = 0; message[i]; i++)
		check(message[i] == expected[i] || message[i] == '?');
	follow.messages++;
}

/* Whether a word of the value is the address of a stream, in other words than those of the parser.
 */
static bool has_stream(const char *value)
{
	static const char *const streams[] = { "tcp", "tls", "dtls", "ssh", "unix" };
	char copy[ACCESS_LINE_MAX], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", value);
	while ((word = strsep(&rest, " \t"))) {
		for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
			if (strchr(word, ':') && !strncasecmp(word, streams[i], strlen(streams[i])))
				return true;
		}
	}
	return false;
}

static void check_passed(const struct access_line *line)
{
	size_t length = strlen(line->text);
	const char *at = line->text, *end = line->text + length;
	struct access_line again;
	unsigned int number = 0;

	check(line->kind != ACCESS_UNKNOWN && *line->value);
	check(length < ACCESS_LINE_MAX && !strchr(line->text, '\n'));
	check(line->value > line->text && line->value < end);
	check(!strncmp(line->text, line->token, strlen(line->token)));
	check(line->token[0] && line->token[0] != '#' && !strpbrk(line->token, " \t\r"));
	check(!strchr(" \t\r", end[-1]));
	check(line->kind != ACCESS_SINK || !has_stream(line->value));
	check(access_next_line(&at, end, &number, &again) && number == 1 && at == end);
	check(!again.wrong && again.kind == line->kind && !strcmp(again.token, line->token));
	check(!strcmp(again.text, line->text) && !strcmp(again.value, line->value));
}

/* What access_check must say of a text, line by line. */
static void check_lines(const char *text, size_t size, struct access_summary *sum)
{
	const char *at = text, *end = text + size, *before = at;
	unsigned int number = 0, last = 0;
	struct access_line line;

	while (access_next_line(&at, end, &number, &line)) {
		check(at > before && at <= end);
		check(number > last && line.number == number);
		check(line.value >= line.text && line.value <= line.text + strlen(line.text));
		before = at;
		last = number;
		if (!line.wrong)
			check_passed(&line);
		sum->bad += line.wrong != NULL;
		sum->rights += !line.wrong && line.kind == ACCESS_RIGHT;
		sum->sinks += !line.wrong && line.kind == ACCESS_SINK;
	}
	check(at == end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct access_summary sum, expected = { .bad = 0 };
	/* Exactly as large as the input: access_load adds a NUL, which nobody may need. */
	char *text;

	if (size > SIZE_MAX_HERE)
		return 0;
	text = malloc(size ? size : 1);
	check(text);
	if (size)
		memcpy(text, data, size);
	check_lines(text, size, &expected);
	log_set_sink(take_log);
	follow.at = text;
	follow.end = text + size;
	follow.number = follow.messages = 0;
	access_check(text, size, "access", &sum);
	check(follow.messages == sum.bad && sum.bad == expected.bad);
	check(sum.rights == expected.rights && sum.sinks == expected.sinks);
	log_set_sink(NULL);
	free(text);
	return 0;
}
