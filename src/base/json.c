/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A state machine over the octets: what may come next, and on which level. Called by the parsers
 * of the sources in the reader processes; no I/O, no allocation.
 */
#include "base/json.h"

enum expects {
	EXPECTS_VALUE,
	EXPECTS_VALUE_OR_END, /* of an array that has just begun */
	EXPECTS_KEY_OR_END,   /* of an object that has just begun */
	EXPECTS_COMMA_OR_END,
	EXPECTS_NOTHING,
	EXPECTS_BROKEN,
};

static int broken(struct json *j)
{
	j->expects = EXPECTS_BROKEN;
	return -EBADMSG;
}

static void skip_blanks(struct json *j)
{
	while (j->at < j->end &&
		(*j->at == ' ' || *j->at == '\n' || *j->at == '\t' || *j->at == '\r'))
		j->at++;
}

static bool is_in_array(const struct json *j)
{
	return j->arrays >> (j->depth - 1) & 1;
}

/* What follows a value on this level. */
static int value_done(struct json *j, int event)
{
	j->expects = j->depth ? EXPECTS_COMMA_OR_END : EXPECTS_NOTHING;
	return event;
}

static int begin_level(struct json *j, bool array)
{
	if (j->depth == JSON_DEPTH_MAX)
		return broken(j);
	j->at++;
	j->arrays &= ~(UINT32_C(1) << j->depth);
	j->arrays |= (uint32_t)array << j->depth;
	j->depth++;
	j->expects = array ? EXPECTS_VALUE_OR_END : EXPECTS_KEY_OR_END;
	return array ? JSON_ARRAY : JSON_OBJECT;
}

static int end_level(struct json *j)
{
	bool array = is_in_array(j);

	if (*j->at != (array ? ']' : '}'))
		return broken(j);
	j->at++;
	j->depth--;
	return value_done(j, array ? JSON_ARRAY_END : JSON_OBJECT_END);
}

/* The octets of an escape after its backslash, 0 when it is none. */
static size_t escape_length(const char *at, const char *end)
{
	if (at == end)
		return 0;
	if (*at != 'u')
		return *at && strchr("\"\\/bfnrt", *at) ? 1 : 0;
	if (end - at < 5)
		return 0;
	for (size_t i = 1; i <= 4; i++) {
		if (!at[i] || !strchr("0123456789abcdefABCDEF", at[i]))
			return 0;
	}
	return 5;
}

/* From its first quote; false when it does not end, or holds what a string must not. */
static bool take_string(struct json *j)
{
	const char *begin = ++j->at;

	while (j->at < j->end && *j->at != '"') {
		size_t escape;

		if ((unsigned char)*j->at < 0x20)
			return false;
		if (*j->at++ != '\\')
			continue;
		escape = escape_length(j->at, j->end);
		if (!escape)
			return false;
		j->at += escape;
	}
	if (j->at == j->end)
		return false;
	j->value = begin;
	j->value_length = (size_t)(j->at - begin);
	j->at++;
	return true;
}

static bool is_digit(const char *at, const char *end)
{
	return at < end && *at >= '0' && *at <= '9';
}

/* One digit or more. */
static bool take_digits(struct json *j)
{
	if (!is_digit(j->at, j->end))
		return false;
	while (is_digit(j->at, j->end))
		j->at++;
	return true;
}

static bool take_number(struct json *j)
{
	const char *begin = j->at;

	j->at += *j->at == '-';
	if (j->at < j->end && *j->at == '0')
		j->at++;
	else if (!take_digits(j))
		return false;
	if (j->at < j->end && *j->at == '.') {
		j->at++;
		if (!take_digits(j))
			return false;
	}
	if (j->at < j->end && (*j->at == 'e' || *j->at == 'E')) {
		j->at++;
		j->at += j->at < j->end && (*j->at == '+' || *j->at == '-');
		if (!take_digits(j))
			return false;
	}
	j->value = begin;
	j->value_length = (size_t)(j->at - begin);
	return true;
}

static int take_word(struct json *j)
{
	static const struct {
		const char *word;
		int event;
	} words[] = { { "true", JSON_TRUE }, { "false", JSON_FALSE }, { "null", JSON_NULL } };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i].word);

		if ((size_t)(j->end - j->at) >= length && !memcmp(j->at, words[i].word, length)) {
			j->at += length;
			return value_done(j, words[i].event);
		}
	}
	return broken(j);
}

static int take_value(struct json *j)
{
	switch (*j->at) {
	case '{':
		return begin_level(j, false);
	case '[':
		return begin_level(j, true);
	case '"':
		return take_string(j) ? value_done(j, JSON_STRING) : broken(j);
	case 't':
	case 'f':
	case 'n':
		return take_word(j);
	default:
		return take_number(j) ? value_done(j, JSON_NUMBER) : broken(j);
	}
}

static int take_key(struct json *j)
{
	if (*j->at != '"' || !take_string(j))
		return broken(j);
	skip_blanks(j);
	if (j->at == j->end || *j->at != ':')
		return broken(j);
	j->at++;
	j->expects = EXPECTS_VALUE;
	return JSON_KEY;
}

int json_next(struct json *j)
{
	skip_blanks(j);
	if (j->expects == EXPECTS_NOTHING)
		return j->at == j->end ? JSON_END : broken(j);
	if (j->expects == EXPECTS_BROKEN || j->at == j->end)
		return broken(j);
	if (j->expects == EXPECTS_COMMA_OR_END && *j->at == ',') {
		j->at++;
		skip_blanks(j);
		if (j->at == j->end)
			return broken(j);
		return is_in_array(j) ? take_value(j) : take_key(j);
	}
	switch (j->expects) {
	case EXPECTS_COMMA_OR_END:
		return end_level(j);
	case EXPECTS_VALUE_OR_END:
		return *j->at == ']' ? end_level(j) : take_value(j);
	case EXPECTS_KEY_OR_END:
		return *j->at == '}' ? end_level(j) : take_key(j);
	default:
		return take_value(j);
	}
}

int json_skip(struct json *j, int event)
{
	uint32_t depth;

	if (event == JSON_KEY)
		event = json_next(j);
	if (event < 0)
		return event;
	if (event != JSON_OBJECT && event != JSON_ARRAY)
		return 0;
	depth = j->depth;
	while (j->depth >= depth) {
		event = json_next(j);
		if (event < 0)
			return event;
	}
	return 0;
}

bool json_is(const struct json *j, const char *text)
{
	return j->value && j->value_length == strlen(text) &&
	       memcmp(j->value, text, j->value_length) == 0;
}
