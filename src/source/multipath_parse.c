/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lines of `raw format`. Called by multipath.c in the reader process of the source; the JSON:
 * multipath_groups.c.
 */
#include "source/multipath_parse.h"

#include "base/text.h"
#include "model/path_join.h"

#define LINE_BEGINNING "mp:"

/* What a value of a fixed set means. */
struct word {
	const char *text;
	uint32_t value;
};

int multipath_compare(struct multipath_text a, struct multipath_text b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter ? memcmp(a.at, b.at, shorter) : 0;

	return order ? order : (a.length > b.length) - (a.length < b.length);
}

static bool is_text(struct multipath_text a, const char *text)
{
	return a.length == strlen(text) && (!a.length || memcmp(a.at, text, a.length) == 0);
}

/* The next line of whatever it is. */
static bool take_line(struct multipath_text *rest, struct multipath_text *ret)
{
	const char *newline;

	if (!rest->length)
		return false;
	newline = memchr(rest->at, '\n', rest->length);
	*ret = *rest;
	if (!newline) {
		rest->length = 0;
		return true;
	}
	ret->length = (size_t)(newline - rest->at);
	rest->at = newline + 1;
	rest->length -= ret->length + 1;
	return true;
}

/* Takes what is before the next '|' off `rest`; false when there is none. */
static bool next_field(struct multipath_text *rest, struct multipath_text *ret)
{
	const char *bar = rest->length ? memchr(rest->at, '|', rest->length) : NULL;

	if (!bar)
		return false;
	*ret = (struct multipath_text){ rest->at, (size_t)(bar - rest->at) };
	rest->at = bar + 1;
	rest->length -= ret->length + 1;
	return true;
}

/* Takes "mp:" and the origin off the line; false when it does not begin so. */
static bool begin_line(struct multipath_text *line, struct multipath_text *ret_origin)
{
	static const size_t length = sizeof(LINE_BEGINNING) - 1;

	if (line->length < length || memcmp(line->at, LINE_BEGINNING, length) != 0)
		return false;
	line->at += length;
	line->length -= length;
	return next_field(line, ret_origin);
}

/* Not of a foreign library. Versions that do not know %G have nothing there. */
static bool is_own(struct multipath_text origin)
{
	return is_text(origin, "--") || is_text(origin, "");
}

bool multipath_next_line(struct multipath_text *rest, struct multipath_text *ret)
{
	bool after_foreign = false;

	while (take_line(rest, ret)) {
		struct multipath_text line = *ret, origin;

		if (begin_line(&line, &origin))
			after_foreign = !is_own(origin);
		if (!after_foreign)
			return true;
	}
	return false;
}

/* Takes `count` fields; the last one is all the rest, which has no other '|' unless `any`. */
static bool split(struct multipath_text rest, struct multipath_text *fields, size_t count, bool any)
{
	for (size_t i = 0; i + 1 < count; i++) {
		if (!next_field(&rest, &fields[i]))
			return false;
	}
	fields[count - 1] = rest;
	return any || !rest.length || !memchr(rest.at, '|', rest.length);
}

static struct opt_u32 word_value(struct multipath_text text, const struct word *words, size_t count)
{
	struct opt_u32 value = { .known = 0 };

	for (size_t i = 0; i < count; i++) {
		if (is_text(text, words[i].text))
			OPT_SET(value, words[i].value);
	}
	return value;
}

/* "dm-" and a number. */
static bool is_dm_device(struct multipath_text device)
{
	if (device.length < 4 || device.length > 13 || memcmp(device.at, "dm-", 3) != 0)
		return false;
	for (size_t i = 3; i < device.length; i++) {
		if (device.at[i] < '0' || device.at[i] > '9')
			return false;
	}
	return true;
}

/* The name of a block device, which also is one component of a path. */
static bool is_block_name(struct multipath_text name)
{
	if (!name.length || name.length > 63 || name.at[0] == '.' || name.at[0] == '-')
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.at[i] <= ' ' || name.at[i] > '~' || name.at[i] == '/')
			return false;
	}
	return true;
}

/* Four numbers with colons between them. */
static bool is_hctl(struct multipath_text hctl)
{
	size_t numbers = 0;
	bool digit = false;

	if (hctl.length > 63)
		return false;
	for (size_t i = 0; i < hctl.length; i++) {
		if (hctl.at[i] == ':' && digit)
			digit = false;
		else if (hctl.at[i] < '0' || hctl.at[i] > '9')
			return false;
		else if (!digit)
			digit = ++numbers;
	}
	return numbers == 4 && digit;
}

/* What the model has room for. */
static bool is_name(struct multipath_text text)
{
	return text.length >= 1 && text.length <= 255;
}

int multipath_parse_map(struct multipath_text line, struct multipath_map *ret)
{
	static const struct word states[] = { { "active", MULTIPATH_MAP_ACTIVE },
		{ "suspend", MULTIPATH_MAP_SUSPENDED } };
	enum { DEVICE, STATE, QUEUEING, WWID, NAME, FIELDS };
	struct multipath_text fields[FIELDS], origin;

	if (!begin_line(&line, &origin) || !is_own(origin) || !split(line, fields, FIELDS, false))
		return -EBADMSG;
	if (is_text(fields[DEVICE], "undef"))
		return 0; /* the kernel has no such map now */
	if (!is_dm_device(fields[DEVICE]) || !is_name(fields[WWID]) || !is_name(fields[NAME]) ||
		fields[QUEUEING].length > 63)
		return -EBADMSG;
	*ret = (struct multipath_map){
		.device = fields[DEVICE],
		.wwid = fields[WWID],
		.name = fields[NAME],
		.queueing = fields[QUEUEING],
		.state = word_value(fields[STATE], states, ARRAY_SIZE(states)),
	};
	return 1;
}

/* "-1" is multipathd's for unknown. */
static struct opt_u32 parse_priority(struct multipath_text text)
{
	struct opt_u32 priority = { .known = 0 };
	char digits[16];
	uint32_t value;

	if (!text.length || text.length >= sizeof(digits))
		return priority;
	memcpy(digits, text.at, text.length);
	digits[text.length] = '\0';
	if (strspn(digits, "0123456789") == text.length &&
		text_to_u32(digits, INT32_MAX, &value) == 0)
		OPT_SET(priority, value);
	return priority;
}

int multipath_parse_path(struct multipath_text line, struct multipath_path *ret)
{
	static const struct word dm_states[] = { { "active", MULTIPATH_DM_ACTIVE },
		{ "failed", MULTIPATH_DM_FAILED } };
	static const struct word checkers[] = { { "ready", CHECKER_READY },
		{ "ghost", CHECKER_GHOST }, { "faulty", CHECKER_FAULTY },
		{ "shaky", CHECKER_SHAKY }, { "i/o pending", CHECKER_PENDING },
		{ "i/o timeout", CHECKER_TIMEOUT }, { "delayed", CHECKER_DELAYED },
		{ "undef", CHECKER_UNCHECKED }, { "disconnected", CHECKER_DISCONNECTED } };
	static const char *const no_map[] = { "[orphan]", "[offline]", "[unknown]" };
	enum { DEVICE, HCTL, DM_STATE, CHECKER, PRIORITY, PROTOCOL, MAP, FIELDS };
	struct multipath_text fields[FIELDS], origin;

	if (!begin_line(&line, &origin) || !is_own(origin) || !split(line, fields, FIELDS, true) ||
		!is_block_name(fields[DEVICE]) || !is_name(fields[MAP]))
		return -EBADMSG;
	for (size_t i = 0; i < ARRAY_SIZE(no_map); i++) {
		if (is_text(fields[MAP], no_map[i]))
			return 0;
	}
	*ret = (struct multipath_path){
		.device = fields[DEVICE],
		.map = fields[MAP],
		.dm_state = word_value(fields[DM_STATE], dm_states, ARRAY_SIZE(dm_states)),
		.checker_state = word_value(fields[CHECKER], checkers, ARRAY_SIZE(checkers)),
		.priority = parse_priority(fields[PRIORITY]),
		.is_iscsi = is_text(fields[PROTOCOL], "scsi:iscsi"),
	};
	if (is_hctl(fields[HCTL]))
		ret->hctl = fields[HCTL];
	return 1;
}
