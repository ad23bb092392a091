/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text of files and peers: UTF-8 made safe for SnmpAdminString, numbers and truth values parsed
 * strictly. Called by the sources in the reader processes and by the agent. Allocates nothing,
 * logs nothing and never trusts a terminator inside `length` octets. Addresses: text_address.c.
 */
#include "base/text.h"

/*
 * The length of the valid UTF-8 sequence at `text` (RFC 3629: no overlong form, no surrogate,
 * nothing above U+10FFFF), and its code point. 0 when there is none.
 */
static size_t decode_utf8(const unsigned char *text, size_t length, uint32_t *ret_point)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = text[0];
	size_t need;
	uint32_t point;

	if (first < 0x80) {
		*ret_point = first;
		return 1;
	}
	if ((first & 0xe0) == 0xc0) {
		need = 2;
		point = first & 0x1f;
	} else if ((first & 0xf0) == 0xe0) {
		need = 3;
		point = first & 0x0f;
	} else if ((first & 0xf8) == 0xf0) {
		need = 4;
		point = first & 0x07;
	} else {
		return 0;
	}
	if (need > length)
		return 0;
	for (size_t i = 1; i < need; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (text[i] & 0x3f);
	}
	if (point < lowest[need] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return need;
}

static bool is_control(uint32_t point)
{
	return point < 0x20 || (point >= 0x7f && point <= 0x9f);
}

/* How many octets from the beginning are printable ASCII: nearly all texts are nothing else. */
static size_t plain_length(const unsigned char *in, size_t length)
{
	size_t n = 0;

	while (n < length && in[n] >= ' ' && in[n] < 0x7f)
		n++;
	return n;
}

size_t text_sanitize(char *out, size_t limit, const char *text, size_t length)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t used = plain_length(in, length < limit ? length : limit), at = used;

	memcpy(out, text, used);
	while (at < length) {
		uint32_t point = 0;
		size_t octets = decode_utf8(in + at, length - at, &point);
		bool keep = octets > 0 && !is_control(point);
		size_t write = keep ? octets : 1;

		if (write > limit - used)
			break;
		if (keep)
			memcpy(out + used, text + at, octets);
		else
			out[used] = '?';
		used += write;
		at += octets ? octets : 1;
	}
	out[used] = '\0';
	return used;
}

bool text_is_clean(const char *text, size_t length, size_t limit)
{
	const unsigned char *in = (const unsigned char *)text;
	size_t at;

	if (length > limit)
		return false;
	at = plain_length(in, length);
	while (at < length) {
		uint32_t point = 0;
		size_t octets = decode_utf8(in + at, length - at, &point);

		if (octets == 0 || is_control(point))
			return false;
		at += octets;
	}
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t text_trim(const char *text, const char **ret_start)
{
	size_t length;

	while (is_blank(*text))
		text++;
	length = strlen(text);
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	if (length > 0 && text[length - 1] == '\n')
		length--;
	while (length > 0 && is_blank(text[length - 1]))
		length--;
	*ret_start = text;
	return length;
}

static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 255;
}

int text_to_u64(const char *text, uint64_t high, uint64_t *ret)
{
	const char *start;
	size_t length = text_trim(text, &start);
	unsigned int base = 10;
	uint64_t value = 0;
	bool too_large = false;

	if (length > 2 && start[0] == '0' && (start[1] == 'x' || start[1] == 'X')) {
		base = 16;
		start += 2;
		length -= 2;
	}
	if (length == 0)
		return -EINVAL;
	for (size_t i = 0; i < length; i++) {
		unsigned int digit = digit_value(start[i]);

		if (digit >= base)
			return -EINVAL;
		if (value > (UINT64_MAX - digit) / base)
			too_large = true; /* what follows may still be garbage */
		else
			value = value * base + digit;
	}
	if (too_large || value > high)
		return -ERANGE;
	*ret = value;
	return 0;
}

int text_to_u32(const char *text, uint32_t high, uint32_t *ret)
{
	uint64_t value;
	int rc = text_to_u64(text, high, &value);

	if (rc < 0)
		return rc;
	*ret = (uint32_t)value;
	return 0;
}

int text_to_bool(const char *text, bool *ret)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {
		{ "1", true },
		{ "0", false },
		{ "Yes", true },
		{ "No", false },
		{ "yes", true },
		{ "no", false },
		{ "true", true },
		{ "false", false },
		{ "on", true },
		{ "off", false },
	};
	const char *start;
	size_t length = text_trim(text, &start);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strlen(words[i].word) == length && memcmp(words[i].word, start, length) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}
