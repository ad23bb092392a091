/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of tgtd that no initiator can write into. Called by tgt_read.c in the reader process
 * of the source tgt. Pure: must never read beyond what it is given, allocate or log.
 */
#include "source/tgt_parse.h"

bool tgt_next_line(struct tgt_slice *rest, struct tgt_slice *ret_line)
{
	const char *end;

	if (!rest->length)
		return false;
	end = memchr(rest->at, '\n', rest->length);
	ret_line->at = rest->at;
	ret_line->length = end ? (size_t)(end - rest->at) : rest->length;
	rest->at += ret_line->length + (end != NULL);
	rest->length -= ret_line->length + (end != NULL);
	return true;
}

bool tgt_skip(struct tgt_slice *rest, const char *prefix)
{
	size_t length = strlen(prefix);

	if (rest->length < length || memcmp(rest->at, prefix, length) != 0)
		return false;
	rest->at += length;
	rest->length -= length;
	return true;
}

bool tgt_skip_number(struct tgt_slice *rest, uint64_t high, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	for (i = 0; i < rest->length && rest->at[i] >= '0' && rest->at[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(rest->at[i] - '0');

		if (value > (high - digit) / 10 || digit > high)
			return false;
		value = value * 10 + digit;
	}
	if (!i)
		return false;
	rest->at += i;
	rest->length -= i;
	*ret = value;
	return true;
}

bool tgt_slice_equal(const struct tgt_slice *a, const struct tgt_slice *b)
{
	return a->length == b->length && (!a->length || !memcmp(a->at, b->at, a->length));
}

bool tgt_slice_is(const struct tgt_slice *slice, const char *text)
{
	struct tgt_slice rest = *slice;

	return tgt_skip(&rest, text) && !rest.length;
}

int tgt_slice_address(const struct tgt_slice *slice, struct text_address *ret)
{
	char text[128];

	if (!slice->length || slice->length >= sizeof(text))
		return -EINVAL;
	memcpy(text, slice->at, slice->length);
	text[slice->length] = 0;
	return text_to_address(text, ret);
}

/* A column of a table: blanks, then a number. */
static bool skip_column(struct tgt_slice *line, uint64_t high, uint64_t *ret)
{
	while (tgt_skip(line, " "))
		;
	return tgt_skip_number(line, high, ret);
}

static bool skip_columns(struct tgt_slice *line, size_t count, uint64_t *values)
{
	for (size_t i = 0; i < count; i++)
		if (!skip_column(line, UINT64_MAX, &values[i]))
			return false;
	/* Later versions may have more columns; what follows must begin one, or be the end. */
	return !line->length || *line->at == ' ';
}

/* A line "tid lun sid …". */
static bool unit_line(struct tgt_slice *line, uint64_t *ret_tid, uint64_t *ret_nexus)
{
	uint64_t values[3];

	if (!skip_columns(line, ARRAY_SIZE(values), values))
		return false;
	*ret_tid = values[0];
	*ret_nexus = values[2];
	return values[2] >= 1 && values[2] <= UINT16_MAX;
}

int tgt_nexuses_begin(struct tgt_slice *rest)
{
	struct tgt_slice line;

	if (!tgt_next_line(rest, &line) || !tgt_skip(&line, "tgt lun sid "))
		return -EBADMSG;
	return 0;
}

int tgt_nexuses_next(struct tgt_slice *rest, uint32_t tid, uint16_t *ret_nexus)
{
	struct tgt_slice line;
	uint64_t found, nexus;

	if (!tgt_next_line(rest, &line))
		return 0;
	if (!unit_line(&line, &found, &nexus) || found != tid)
		return -EBADMSG;
	*ret_nexus = (uint16_t)nexus;
	return 1;
}

int tgt_session_begin(struct tgt_slice *rest, uint32_t tid, uint16_t nexus)
{
	static const char heading[] = "sid cid rxdata_octets txdata_octets dataout_pdus "
				      "datain_pdus cmd_pdus rsp_pdus";
	struct tgt_slice line;
	uint64_t found_tid, found;

	if (tgt_nexuses_begin(rest) < 0)
		return -EBADMSG;
	while (tgt_next_line(rest, &line)) {
		if (!line.length) {
			if (!tgt_next_line(rest, &line) || !tgt_skip(&line, heading) ||
				(line.length && *line.at != ' '))
				return -EBADMSG;
			return 0;
		}
		if (!unit_line(&line, &found_tid, &found) || found != nexus)
			return -EBADMSG;
		if (found_tid != tid)
			return -ENOENT;
	}
	return 0;
}

int tgt_session_next(struct tgt_slice *rest, uint16_t nexus, struct tgt_counters *ret)
{
	enum { SID, CID, RX_OCTETS, TX_OCTETS, DATAOUT, DATAIN, COMMANDS, RESPONSES, COLUMNS };
	uint64_t values[COLUMNS];
	struct tgt_slice line;

	if (!tgt_next_line(rest, &line))
		return 0;
	if (!skip_columns(&line, COLUMNS, values) || values[SID] != nexus ||
		values[CID] > UINT16_MAX || values[COMMANDS] > UINT32_MAX ||
		values[RESPONSES] > UINT32_MAX)
		return -EBADMSG;
	*ret = (struct tgt_counters){
		.cid = (uint32_t)values[CID],
		.rx_octets = values[RX_OCTETS],
		.tx_octets = values[TX_OCTETS],
		.command_pdus = (uint32_t)values[COMMANDS],
		.response_pdus = (uint32_t)values[RESPONSES],
	};
	return 1;
}

int tgt_portal_next(struct tgt_slice *rest, struct tgt_portal *ret)
{
	struct tgt_portal portal = { .address_known = false };
	struct tgt_slice line;
	uint64_t port, tag;
	const char *colon;

	if (!tgt_next_line(rest, &line))
		return 0;
	if (!tgt_skip(&line, "Portal: "))
		return -EBADMSG;
	colon = memrchr(line.at, ':', line.length);
	if (!colon || colon == line.at)
		return -EBADMSG;
	portal.text = (struct tgt_slice){ line.at, (size_t)(colon - line.at) };
	line.length -= portal.text.length;
	line.at = colon;
	if (!tgt_skip(&line, ":") || !tgt_skip_number(&line, UINT16_MAX, &port) || !port ||
		!tgt_skip(&line, ",") || !tgt_skip_number(&line, UINT16_MAX, &tag) || !tag ||
		line.length)
		return -EBADMSG;
	if (portal.text.length > 2 && tgt_skip(&portal.text, "[")) {
		if (portal.text.at[--portal.text.length] != ']')
			return -EBADMSG;
	}
	portal.address_known = !tgt_slice_address(&portal.text, &portal.address);
	portal.port = (uint16_t)port;
	portal.tag = (uint16_t)tag;
	*ret = portal;
	return 1;
}

enum { KEY_NUMBER, KEY_BOOL, KEY_DIGEST };

/* KEY(key, field, kind, low, high): ranges of RFC 7143 section 13. */
#define TGT_KEYS(KEY)                                                                            \
	KEY("MaxRecvDataSegmentLength", max_recv_data_segment_length, KEY_NUMBER, 512, 16777215) \
	KEY("HeaderDigest", header_digest, KEY_DIGEST, 0, 0)                                     \
	KEY("DataDigest", data_digest, KEY_DIGEST, 0, 0)                                         \
	KEY("InitialR2T", initial_r2t, KEY_BOOL, 0, 0)                                           \
	KEY("MaxOutstandingR2T", max_outstanding_r2t, KEY_NUMBER, 1, 65535)                      \
	KEY("ImmediateData", immediate_data, KEY_BOOL, 0, 0)                                     \
	KEY("FirstBurstLength", first_burst_length, KEY_NUMBER, 512, 16777215)                   \
	KEY("MaxBurstLength", max_burst_length, KEY_NUMBER, 512, 16777215)                       \
	KEY("DataPDUInOrder", data_pdu_in_order, KEY_BOOL, 0, 0)                                 \
	KEY("DataSequenceInOrder", data_sequence_in_order, KEY_BOOL, 0, 0)                       \
	KEY("ErrorRecoveryLevel", error_recovery_level, KEY_NUMBER, 0, 2)                        \
	KEY("DefaultTime2Wait", default_time2wait, KEY_NUMBER, 0, 3600)                          \
	KEY("DefaultTime2Retain", default_time2retain, KEY_NUMBER, 0, 3600)                      \
	KEY("MaxConnections", max_connections, KEY_NUMBER, 1, 65535)

static const struct key_info {
	const char *key;
	size_t offset;
	int kind;
	uint32_t low, high;
} key_infos[] = {
#define KEY_ROW(key, field, kind, low, high) \
	{ key, offsetof(struct tgt_parameters, field), kind, low, high },
	TGT_KEYS(KEY_ROW)
};

/* The value of a key as a number; false when it is none of its values. */
static bool key_value(const struct key_info *info, struct tgt_slice value, uint32_t *ret)
{
	uint64_t number;

	switch (info->kind) {
	case KEY_BOOL:
		*ret = tgt_slice_is(&value, "Yes");
		return *ret || tgt_slice_is(&value, "No");
	case KEY_DIGEST:
		/* tgtd prints CRC32C for "CRC32C,None" too, and always accepts None. */
		*ret = tgt_slice_is(&value, "None") ? 3 : 4;
		return *ret == 3 || tgt_slice_is(&value, "CRC32C") ||
		       tgt_slice_is(&value, "CRC32C,None");
	default:
		if (!tgt_skip_number(&value, info->high, &number) || value.length)
			return false;
		*ret = (uint32_t)number;
		return number >= info->low;
	}
}

static void key_store(
	const struct key_info *info, struct tgt_parameters *p, uint32_t value, bool known)
{
	char *field = (char *)p + info->offset;

	if (info->kind == KEY_BOOL) {
		struct opt_bool opt = { .value = known && value, .known = known };

		memcpy(field, &opt, sizeof(opt));
	} else {
		struct opt_u32 opt;

		memset(&opt, 0, sizeof(opt)); /* the padding goes into fragments */
		opt.value = known ? value : 0;
		opt.known = known;
		memcpy(field, &opt, sizeof(opt));
	}
}

static bool key_load(const struct key_info *info, const struct tgt_parameters *p, uint32_t *ret)
{
	const char *field = (const char *)p + info->offset;

	if (info->kind == KEY_BOOL) {
		struct opt_bool opt;

		memcpy(&opt, field, sizeof(opt));
		*ret = opt.value;
		return opt.known;
	} else {
		struct opt_u32 opt;

		memcpy(&opt, field, sizeof(opt));
		*ret = opt.value;
		return opt.known;
	}
}

void tgt_parameters_parse(const char *text, size_t length, struct tgt_parameters *ret)
{
	struct tgt_slice rest = { text, length }, line;
	bool seen[ARRAY_SIZE(key_infos)] = { false };

	memset(ret, 0, sizeof(*ret));
	while (tgt_next_line(&rest, &line)) {
		for (size_t i = 0; i < ARRAY_SIZE(key_infos); i++) {
			struct tgt_slice value = line;
			uint32_t number = 0;
			bool good;

			if (!tgt_skip(&value, key_infos[i].key) || !tgt_skip(&value, "="))
				continue;
			good = !seen[i] && key_value(&key_infos[i], value, &number);
			seen[i] = true;
			key_store(&key_infos[i], ret, number, good);
			break;
		}
	}
}

void tgt_parameters_intersect(struct tgt_parameters *into, const struct tgt_parameters *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(key_infos); i++) {
		uint32_t a, b;

		if (!key_load(&key_infos[i], into, &a) || !key_load(&key_infos[i], other, &b) ||
			a != b)
			key_store(&key_infos[i], into, 0, false);
	}
}
