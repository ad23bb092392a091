/* SPDX-License-Identifier: BSD-2-Clause */
/* Called in the reader process of the source scst; its daemon: scst_parse_daemon.c. */
#include "source/scst_parse.h"

enum { DIGEST_NONE = 1, DIGEST_NO = 3, DIGEST_CRC32C = 4 };
enum { STATE_FULL = 2, STATE_LOGOUT = 3 };

#define BLANKS " \t"

ssize_t scst_parse_line(const char *text, size_t length, char out[SCST_LINE_MAX + 1])
{
	const char *newline = length ? memchr(text, '\n', length) : NULL;
	size_t n = newline ? (size_t)(newline - text) : length;

	*out = 0;
	if (n > SCST_LINE_MAX || (n && memchr(text, 0, n)))
		return -EINVAL;
	if (n)
		memcpy(out, text, n);
	out[n] = 0;
	return (ssize_t)n;
}

/* One number, and at most the mark behind it: of two, in two lines, nobody knows which it is. */
static bool has_number(const char *text, size_t length, char line[SCST_LINE_MAX + 1])
{
	static const char mark[] = "\n[key]";
	ssize_t n = scst_parse_line(text, length, line);

	/* Nothing that SCST prints in base 10 has letters: no 0x. */
	if (n <= 0 || strpbrk(line, "xX"))
		return false;
	text += n;
	length -= (size_t)n;
	if (length >= strlen(mark) && memcmp(text, mark, strlen(mark)) == 0) {
		text += strlen(mark);
		length -= strlen(mark);
	}
	for (; length && *text == '\n'; length--)
		text++;
	return length == 0;
}

struct opt_u32 scst_parse_u32(const char *text, size_t length, uint32_t low, uint32_t high)
{
	struct opt_u32 number = { .known = 0 };
	char line[SCST_LINE_MAX + 1];
	uint32_t value;

	if (has_number(text, length, line) && text_to_u32(line, high, &value) == 0 && value >= low)
		OPT_SET(number, value);
	return number;
}

struct opt_counter scst_parse_counter(const char *text, size_t length)
{
	struct opt_counter counter = { .known = 0 };
	char line[SCST_LINE_MAX + 1];
	uint64_t value;

	if (has_number(text, length, line) && text_to_u64(line, UINT64_MAX, &value) == 0)
		OPT_SET(counter, value);
	return counter;
}

struct opt_bool scst_parse_bool(const char *text, size_t length)
{
	struct opt_bool truth = { .known = 0 };
	char line[SCST_LINE_MAX + 1];

	if (scst_parse_line(text, length, line) < 0)
		return truth;
	if (!strcmp(line, "Yes") || !strcmp(line, "1"))
		OPT_SET(truth, 1);
	else if (!strcmp(line, "No") || !strcmp(line, "0"))
		OPT_SET(truth, 0);
	return truth;
}

void scst_parse_digests(
	const char *text, size_t length, struct opt_u32 *ret_primary, struct opt_u32 *ret_secondary)
{
	bool none = false, crc32c = false;
	char line[SCST_LINE_MAX + 1], *rest = line, *item;

	*ret_primary = *ret_secondary = (struct opt_u32){ .known = 0 };
	if (scst_parse_line(text, length, line) <= 0)
		return;
	while ((item = strsep(&rest, ","))) {
		item += *item == ' '; /* the kernel writes ", ", the daemon "," */
		if (!strcmp(item, "None") && !none)
			none = true;
		else if (!strcmp(item, "CRC32C") && !crc32c)
			crc32c = true;
		else
			return;
	}
	OPT_SET(*ret_primary, crc32c ? DIGEST_CRC32C : DIGEST_NO);
	OPT_SET(*ret_secondary, none && crc32c ? DIGEST_NO : DIGEST_NONE);
}

struct opt_u32 scst_parse_digest(const char *text, size_t length)
{
	struct opt_u32 primary, secondary;

	scst_parse_digests(text, length, &primary, &secondary);
	if (secondary.known && secondary.value != DIGEST_NONE)
		primary.known = 0; /* not one of them */
	return primary;
}

int scst_parse_sid(const char *text, size_t length, uint64_t *ret_sid, struct opt_isid *ret_isid,
	struct opt_u32 *ret_tsih)
{
	char line[SCST_LINE_MAX + 1], number[2 + 16 + 1] = "0x";
	uint8_t octets[8];
	size_t digits;
	uint64_t sid;
	uint32_t tsih;

	*ret_isid = (struct opt_isid){ .known = 0 };
	*ret_tsih = (struct opt_u32){ .known = 0 };
	if (scst_parse_line(text, length, line) <= 0)
		return -EINVAL;
	digits = strspn(line, "0123456789abcdef");
	if (digits == 0 || digits > 16 || line[digits])
		return -EINVAL;
	memcpy(number + 2, line, digits + 1);
	if (text_to_u64(number, UINT64_MAX, &sid) < 0)
		return -EINVAL;
	memcpy(octets, &sid, sizeof(octets)); /* the kernel printed its memory as a number */
	memcpy(ret_isid->octets, octets, sizeof(ret_isid->octets));
	ret_isid->known = 1;
	tsih = (uint32_t)octets[6] << 8 | octets[7];
	if (tsih)
		OPT_SET(*ret_tsih, tsih);
	*ret_sid = sid;
	return 0;
}

size_t scst_parse_name(const char *text, size_t length, char out[SCST_LINE_MAX + 1])
{
	ssize_t line = scst_parse_line(text, length, out);

	if (line <= 0 || (size_t)line + 1 != length) {
		*out = 0;
		return 0;
	}
	out[strcspn(out, "#")] = 0;
	return strlen(out);
}

struct opt_u32 scst_parse_state(const char *text, size_t length)
{
	static const char *const working[] = { "read_processing", "in_read_list",
		"write_processing", "in_write_list", "space_waiting", "reinstating", "established",
		"idle" };
	struct opt_u32 state = { .known = 0 };
	char line[SCST_LINE_MAX + 1], *rest = line, *word;
	bool full = false;

	if (scst_parse_line(text, length, line) <= 0)
		return state;
	if (!strcmp(line, "closing")) {
		OPT_SET(state, STATE_LOGOUT);
		return state;
	}
	while ((word = strsep(&rest, BLANKS))) {
		bool found = !*word;

		for (size_t i = 0; i < ARRAY_SIZE(working) && !found; i++)
			full |= found = !strcmp(word, working[i]);
		if (!found)
			return state;
	}
	if (full)
		OPT_SET(state, STATE_FULL);
	return state;
}
