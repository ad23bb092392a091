/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_text.h"

#define KEY_PREFIX    "TargetLoginReply: "
#define STATUS_PREFIX "Status: "
#define VALUE_MAX     64u /* octets of a value that is a word or a number */
#define RECV_MIN      512u
#define RECV_MAX      16777215u

/* Keys of RFC 7143 section 13 that are neither text nor have a field of their own. */
static const char *const other_keys[] = { "HeaderDigest", "DataDigest", "InitialR2T",
	"ImmediateData", "MaxBurstLength", "FirstBurstLength", "MaxOutstandingR2T",
	"MaxConnections", "ErrorRecoveryLevel", "DefaultTime2Wait", "DefaultTime2Retain",
	"DataPDUInOrder", "DataSequenceInOrder" };

/*
 * Octets of the message without what libiscsi adds: " [TARGET]", or " [TARGET/LUN]" since 1.20. The
 * value before it may look like that, too: the last one is libiscsi's.
 */
static size_t length_of(const char *text, const char *target)
{
	size_t length = strlen(text), name = strlen(target);

	if (!name || !length || text[length - 1] != ']')
		return length;
	for (size_t at = length; at-- > 0;) {
		if (text[at] == ' ' && text[at + 1] == '[' &&
			strncmp(text + at + 2, target, name) == 0 &&
			(text[at + 2 + name] == ']' || text[at + 2 + name] == '/'))
			return at;
	}
	return length;
}

static bool is_plain_value(const char *value, size_t length)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789,.+-";

	return length > 0 && length < VALUE_MAX && strspn(value, allowed) >= length;
}

static void set_number(
	struct opt_u32 *field, const char *value, size_t length, uint32_t low, uint32_t high)
{
	char text[VALUE_MAX];
	uint32_t number;

	if (!is_plain_value(value, length))
		return;
	memcpy(text, value, length);
	text[length] = '\0';
	if (text_to_u32(text, high, &number) == 0 && number >= low)
		OPT_SET(*field, number);
}

/* A key that is there already stays as it is: the target may repeat it in another response. */
static void add_other(struct probe_keys *keys, const char *key, size_t key_length,
	const char *value, size_t length)
{
	size_t used = strlen(keys->other);

	if (!is_plain_value(value, length) || used + key_length + length + 3 > PROBE_TEXT_MAX)
		return;
	for (const char *at = keys->other; at; at = strchr(at, ' ')) {
		at += *at == ' ';
		if (strncmp(at, key, key_length) == 0 && at[key_length] == '=')
			return;
	}
	snprintf(keys->other + used, PROBE_TEXT_MAX - used, "%s%.*s=%.*s", used ? " " : "",
		(int)key_length, key, (int)length, value);
}

void probe_keys_take(struct probe_keys *keys, const char *message, const char *target)
{
	const char *key = message + strlen(KEY_PREFIX), *value;
	size_t whole, key_length, length;

	if (strncmp(message, KEY_PREFIX, strlen(KEY_PREFIX)) != 0)
		return;
	whole = length_of(key, target);
	value = memchr(key, '=', whole);
	if (!value)
		return;
	key_length = (size_t)(value - key);
	length = whole - key_length - 1;
	value++;
#define IS_KEY(name) (key_length == strlen(name) && memcmp(key, name, key_length) == 0)
	if (IS_KEY("TargetAlias"))
		text_sanitize(keys->alias, PROBE_TEXT_MAX - 1, value, length);
	else if (IS_KEY("TargetAddress"))
		text_sanitize(keys->redirect, PROBE_TEXT_MAX - 1, value, length);
	else if (IS_KEY("TargetPortalGroupTag"))
		set_number(&keys->tag, value, length, 0, UINT16_MAX);
	else if (IS_KEY("MaxRecvDataSegmentLength"))
		set_number(&keys->max_recv, value, length, RECV_MIN, RECV_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(other_keys); i++)
		if (IS_KEY(other_keys[i]))
			add_other(keys, key, key_length, value, length);
#undef IS_KEY
}

bool probe_status_parse(const char *text, uint32_t *ret_class, uint32_t *ret_detail)
{
	const char *at = strstr(text, STATUS_PREFIX), *open = at ? strrchr(at, '(') : NULL;
	uint32_t status = 0;

	if (!open || open[1] < '0' || open[1] > '9')
		return false;
	for (at = open + 1; *at >= '0' && *at <= '9'; at++) {
		status = status * 10 + (uint32_t)(*at - '0');
		if (status > UINT16_MAX)
			return false;
	}
	if (*at != ')' || status >> 8 == 0)
		return false;
	*ret_class = status >> 8;
	*ret_detail = status & 0xff;
	return true;
}
