/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files param/ of a target portal group (configured: Yes, No, numbers, lists) and of an ACL
 * (negotiated by its session: numbers). Called by lio_read.c in the reader process of the source.
 *
 * Two traps: what LIO declares as its MaxRecvDataSegmentLength is the group's
 * MaxXmitDataSegmentLength; the file MaxRecvDataSegmentLength only holds the place of the
 * initiator's value. And the ErrorRecoveryLevel that it offers is the attribute default_erl, which
 * each ACL takes when it is made; the group's param/ErrorRecoveryLevel is overwritten by that in
 * every login (iscsi_login_zero_tsih_s2()).
 */
#include "source/lio_parse.h"

enum { DIGEST_NONE = 1, DIGEST_OTHER, DIGEST_NO, DIGEST_CRC32C };
enum kind { KIND_BOOL, KIND_U32, KIND_HEADER_DIGEST, KIND_DATA_DIGEST, KIND_ALIAS };

#define SEGMENT_LOW  512u
#define SEGMENT_HIGH 16777215u
#define AT(field)    offsetof(struct lio_parameters, field)

const struct lio_parameter_file lio_parameter_files[] = {
	{ "InitialR2T", true, NULL },
	{ "ImmediateData", true, NULL },
	{ "DataSequenceInOrder", true, NULL },
	{ "DataPDUInOrder", true, NULL },
	{ "MaxOutstandingR2T", true, NULL },
	{ "FirstBurstLength", true, NULL },
	{ "MaxBurstLength", true, NULL },
	{ "MaxConnections", true, NULL },
	{ "DefaultTime2Wait", true, NULL },
	{ "DefaultTime2Retain", true, NULL },
	{ "ErrorRecoveryLevel", true, "attrib/default_erl" },
	{ "MaxXmitDataSegmentLength", false, NULL },
	{ "HeaderDigest", false, NULL },
	{ "DataDigest", false, NULL },
	{ "TargetAlias", false, NULL },
};
const size_t lio_parameter_file_count = ARRAY_SIZE(lio_parameter_files);

/* In the order of the files. */
static const struct {
	enum kind kind;
	size_t offset;
	uint32_t low, high;
} parameters[ARRAY_SIZE(lio_parameter_files)] = {
	{ KIND_BOOL, AT(initial_r2t), 0, 0 },
	{ KIND_BOOL, AT(immediate_data), 0, 0 },
	{ KIND_BOOL, AT(data_sequence_in_order), 0, 0 },
	{ KIND_BOOL, AT(data_pdu_in_order), 0, 0 },
	{ KIND_U32, AT(max_outstanding_r2t), 1, 65535 },
	{ KIND_U32, AT(first_burst_length), SEGMENT_LOW, SEGMENT_HIGH },
	{ KIND_U32, AT(max_burst_length), SEGMENT_LOW, SEGMENT_HIGH },
	{ KIND_U32, AT(max_connections), 1, 65535 },
	{ KIND_U32, AT(default_time2wait), 0, 3600 },
	{ KIND_U32, AT(default_time2retain), 0, 3600 },
	{ KIND_U32, AT(error_recovery_level), 0, 2 },
	{ KIND_U32, AT(declared_receive), SEGMENT_LOW, SEGMENT_HIGH },
	{ KIND_HEADER_DIGEST, 0, 0, 0 },
	{ KIND_DATA_DIGEST, 0, 0, 0 },
	{ KIND_ALIAS, 0, 0, 0 },
};

/* One item of a list, and the blanks around it. False when there is none. */
static bool digest_of(const char *text, size_t length, uint32_t *ret)
{
	while (length && *text == ' ') {
		text++;
		length--;
	}
	while (length && text[length - 1] == ' ')
		length--;
	*ret = DIGEST_OTHER;
	if (length == 4 && !memcmp(text, "None", 4))
		*ret = DIGEST_NO;
	if (length == 6 && !memcmp(text, "CRC32C", 6))
		*ret = DIGEST_CRC32C;
	return length > 0;
}

/* "CRC32C,None": the first and the second choice. */
static void parse_digest(
	const char *text, size_t length, struct opt_u32 *first, struct opt_u32 *second)
{
	size_t one = strcspn(text, ","), two;
	uint32_t choices[2] = { DIGEST_NONE, DIGEST_NONE };

	if (!digest_of(text, one < length ? one : length, &choices[0]))
		return;
	if (one < length) {
		text += one + 1;
		length -= one + 1;
		two = strcspn(text, ",");
		if (!digest_of(text, two < length ? two : length, &choices[1]))
			return;
	}
	OPT_SET(*first, choices[0]);
	OPT_SET(*second, choices[1]);
}

void lio_parameter_parse(struct lio_parameters *p, size_t position, const char *text, size_t length)
{
	const char *start = text;
	size_t offset = parameters[position].offset;
	uint32_t number;
	bool flag;

	if (strlen(text) != length)
		return; /* a NUL inside */
	length = text_trim(text, &start);
	switch (parameters[position].kind) {
	case KIND_BOOL:
		if (text_to_bool(text, &flag) == 0)
			OPT_SET(*(struct opt_bool *)(void *)((char *)p + offset), flag);
		break;
	case KIND_U32:
		if (text_to_u32(text, parameters[position].high, &number) == 0 &&
			number >= parameters[position].low)
			OPT_SET(*(struct opt_u32 *)(void *)((char *)p + offset), number);
		break;
	case KIND_HEADER_DIGEST:
		parse_digest(start, length, &p->header_digest, &p->second_header_digest);
		break;
	case KIND_DATA_DIGEST:
		parse_digest(start, length, &p->data_digest, &p->second_data_digest);
		break;
	case KIND_ALIAS:
		text_sanitize(p->alias, LIO_ALIAS_MAX, start, length);
		p->alias_known = true;
		break;
	}
}

static void intersect(struct opt_u32 *a, const struct opt_u32 *b)
{
	if (!b->known || a->value != b->value)
		*a = (struct opt_u32){ .known = 0 };
}

void lio_parameters_intersect(struct lio_parameters *p, const struct lio_parameters *other)
{
	intersect(&p->declared_receive, &other->declared_receive);
	intersect(&p->header_digest, &other->header_digest);
	intersect(&p->data_digest, &other->data_digest);
	intersect(&p->second_header_digest, &other->second_header_digest);
	intersect(&p->second_data_digest, &other->second_data_digest);
	if (!other->alias_known || strcmp(p->alias, other->alias) != 0)
		p->alias_known = false;
}
