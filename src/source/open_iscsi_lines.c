/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines "key = value" of iscsid.conf and of the records, as root_read_filtered gives them. Used by
 * the source open-iscsi in its reader process. No I/O.
 */
#include "source/open_iscsi_text.h"

#include "base/text.h"

enum { DIGEST_NONE = 1, DIGEST_NO = 3, DIGEST_CRC32C = 4 };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool line_split(const char *at, size_t length, struct oiscsi_line *ret)
{
	struct oiscsi_line line;
	size_t key_length = 0;

	while (length > 0 && is_blank(*at)) {
		at++;
		length--;
	}
	while (length > 0 && is_blank(at[length - 1]))
		length--;
	while (key_length < length && !is_blank(at[key_length]) && at[key_length] != '=')
		key_length++;
	line.key = at;
	line.key_length = key_length;
	while (key_length < length && is_blank(at[key_length]))
		key_length++;
	if (line.key_length == 0 || key_length == length || at[key_length] != '=')
		return false;
	line.value = at + key_length + 1;
	line.value_length = length - key_length - 1;
	while (line.value_length > 0 && is_blank(*line.value)) {
		line.value++;
		line.value_length--;
	}
	if (line.value_length == 7 && memcmp(line.value, "<empty>", 7) == 0)
		line.value_length = 0;
	*ret = line;
	return true;
}

bool oiscsi_line_next(const char **text, size_t *length, struct oiscsi_line *ret)
{
	while (*length > 0) {
		const char *line = *text;
		const char *newline = memchr(line, '\n', *length);
		size_t line_length = newline ? (size_t)(newline - line) : *length;
		size_t used = newline ? line_length + 1 : line_length;

		*text += used;
		*length -= used;
		if (line_split(line, line_length, ret))
			return true;
	}
	return false;
}

bool oiscsi_line_is(const struct oiscsi_line *line, const char *key)
{
	return strlen(key) == line->key_length && memcmp(key, line->key, line->key_length) == 0;
}

bool oiscsi_line_copy(const struct oiscsi_line *line, char *out, size_t capacity)
{
	bool fits = line->value_length < capacity && !memchr(line->value, '\0', line->value_length);
	size_t length = fits ? line->value_length : 0;

	if (length)
		memcpy(out, line->value, length);
	out[length] = '\0';
	return length > 0;
}

/* ---- iscsid.conf ---- */

enum value_kind { VALUE_BOOL, VALUE_NUMBER, VALUE_DIGEST };

struct config_key {
	enum value_kind kind;
	size_t field, second; /* in struct oiscsi_config */
	uint32_t low, high;   /* of a number */
};

#define FIELD(name) offsetof(struct oiscsi_config, name)

enum {
	INITIAL_R2T,
	IMMEDIATE_DATA,
	MAX_OUTSTANDING_R2T,
	FIRST_BURST_LENGTH,
	MAX_BURST_LENGTH,
	DEFAULT_TIME2WAIT,
	DEFAULT_TIME2RETAIN,
	MAX_RECV_DATA_SEGMENT_LENGTH,
	HEADER_DIGEST,
	DATA_DIGEST,
	KEY_COUNT
};

const char *const oiscsi_config_keys[KEY_COUNT + 1] = {
	[INITIAL_R2T] = "node.session.iscsi.InitialR2T",
	[IMMEDIATE_DATA] = "node.session.iscsi.ImmediateData",
	[MAX_OUTSTANDING_R2T] = "node.session.iscsi.MaxOutstandingR2T",
	[FIRST_BURST_LENGTH] = "node.session.iscsi.FirstBurstLength",
	[MAX_BURST_LENGTH] = "node.session.iscsi.MaxBurstLength",
	[DEFAULT_TIME2WAIT] = "node.session.iscsi.DefaultTime2Wait",
	[DEFAULT_TIME2RETAIN] = "node.session.iscsi.DefaultTime2Retain",
	[MAX_RECV_DATA_SEGMENT_LENGTH] = "node.conn[0].iscsi.MaxRecvDataSegmentLength",
	[HEADER_DIGEST] = "node.conn[0].iscsi.HeaderDigest",
	[DATA_DIGEST] = "node.conn[0].iscsi.DataDigest",
};

static const struct config_key config_keys[KEY_COUNT] = {
	[INITIAL_R2T] = { VALUE_BOOL, FIELD(initial_r2t), 0, 0, 0 },
	[IMMEDIATE_DATA] = { VALUE_BOOL, FIELD(immediate_data), 0, 0, 0 },
	[MAX_OUTSTANDING_R2T] = { VALUE_NUMBER, FIELD(max_outstanding_r2t), 0, 1, 65535 },
	[FIRST_BURST_LENGTH] = { VALUE_NUMBER, FIELD(first_burst_length), 0, 512, 16777215 },
	[MAX_BURST_LENGTH] = { VALUE_NUMBER, FIELD(max_burst_length), 0, 512, 16777215 },
	[DEFAULT_TIME2WAIT] = { VALUE_NUMBER, FIELD(default_time2wait), 0, 0, 3600 },
	[DEFAULT_TIME2RETAIN] = { VALUE_NUMBER, FIELD(default_time2retain), 0, 0, 3600 },
	[MAX_RECV_DATA_SEGMENT_LENGTH] = { VALUE_NUMBER, FIELD(max_recv_data_segment_length), 0,
		512, 16777215 },
	[HEADER_DIGEST] = { VALUE_DIGEST, FIELD(header_digest), FIELD(header_digest_second), 0, 0 },
	[DATA_DIGEST] = { VALUE_DIGEST, FIELD(data_digest), FIELD(data_digest_second), 0, 0 },
};

static void take_bool(const char *value, struct opt_bool *field)
{
	/* iscsid knows these two words only. */
	bool yes = strcmp(value, "Yes") == 0;

	*field = (struct opt_bool){ .known = 0 };
	if (yes || strcmp(value, "No") == 0)
		OPT_SET(*field, yes);
}

static void take_number(const char *value, const struct config_key *key, struct opt_u32 *field)
{
	uint32_t number;

	*field = (struct opt_u32){ .known = 0 };
	if (text_to_u32(value, key->high, &number) == 0 && number >= key->low)
		OPT_SET(*field, number);
}

static void take_digest(const char *value, struct opt_u32 *first, struct opt_u32 *second)
{
	static const struct {
		const char *words;
		uint32_t first, second;
	} choices[] = {
		{ "None", DIGEST_NO, DIGEST_NONE },
		{ "CRC32C", DIGEST_CRC32C, DIGEST_NONE },
		{ "CRC32C,None", DIGEST_CRC32C, DIGEST_NO },
		{ "None,CRC32C", DIGEST_NO, DIGEST_CRC32C },
	};

	*first = *second = (struct opt_u32){ .known = 0 };
	for (size_t i = 0; i < ARRAY_SIZE(choices); i++) {
		if (strcmp(value, choices[i].words) != 0)
			continue;
		OPT_SET(*first, choices[i].first);
		OPT_SET(*second, choices[i].second);
	}
}

static void take_line(const struct oiscsi_line *line, struct oiscsi_config *config)
{
	char value[64];

	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct config_key *key = &config_keys[i];
		void *field = (char *)config + key->field;

		if (!oiscsi_line_is(line, oiscsi_config_keys[i]))
			continue;
		oiscsi_line_copy(line, value, sizeof(value));
		if (key->kind == VALUE_BOOL)
			take_bool(value, field);
		else if (key->kind == VALUE_NUMBER)
			take_number(value, key, field);
		else
			take_digest(value, field,
				(struct opt_u32 *)(void *)((char *)config + key->second));
	}
}

void oiscsi_config_parse(const char *text, size_t length, struct oiscsi_config *ret)
{
	struct oiscsi_line line;

	/* usr/idbm.c of open-iscsi: what a record begins with. */
	*ret = (struct oiscsi_config){ .initial_r2t = { .known = 1, .value = 0 } };
	OPT_SET(ret->immediate_data, 1);
	OPT_SET(ret->max_outstanding_r2t, 1);
	OPT_SET(ret->first_burst_length, 262144);
	OPT_SET(ret->max_burst_length, 16776192);
	OPT_SET(ret->default_time2wait, 2);
	OPT_SET(ret->default_time2retain, 0);
	OPT_SET(ret->max_recv_data_segment_length, 262144);
	OPT_SET(ret->header_digest, DIGEST_NO);
	OPT_SET(ret->header_digest_second, DIGEST_NONE);
	OPT_SET(ret->data_digest, DIGEST_NO);
	OPT_SET(ret->data_digest_second, DIGEST_NONE);
	while (oiscsi_line_next(&text, &length, &line))
		take_line(&line, ret);
}
