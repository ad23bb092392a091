/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source/lio_parse.h with any octets; the first chooses:
 *   a  an alias: in what the kernel prints with it, no octet of it changes another value
 *   i  a file info: what is believed of it is what is in it
 *   p  a file param/…, by the second octet
 *   d  dynamic_sessions and the name of a group
 */
#include "source/lio_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define ACL "iqn.2026-11.org.example:host1"

static void check_alias(const char *data, size_t size)
{
	struct lio_info info = { .sid = 0 };
	char alias[LIO_ALIAS_MAX + 1], text[2048];
	int length;

	if (size > LIO_ALIAS_MAX)
		size = LIO_ALIAS_MAX;
	memcpy(alias, data, size);
	alias[size] = 0; /* the kernel stops at a NUL */
	length = snprintf(text, sizeof(text),
		"InitiatorName: " ACL "\nInitiatorAlias: %s\n"
		"LIO Session ID: 4711   ISID: 0x80 12 34 56 00 07  TSIH: 815  SessionType: Normal\n"
		"Session State: TARG_SESS_STATE_LOGGED_IN\n"
		"---------------------[iSCSI Session Values]-----------------------\n"
		"  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     TTT\n"
		" 0x00000040   0x00000040   0x0000005e   0x0000009d   0x0000005f   0x00000058\n"
		"----------------------[iSCSI Connections]-------------------------\n"
		"CID: 1  Connection State: TARG_CONN_STATE_LOGGED_IN\n"
		"   Address 10.0.0.9 TCP  StatSN: 0xb0d23112\n",
		alias);
	CHECK(lio_info_parse(text, (size_t)length, ACL, &info) == 1);
	CHECK(!strcmp(info.name, ACL) && !strcmp(info.alias, alias));
	CHECK(info.sid == 4711 && info.tsih == 815 && info.isid[0] == 0x80 && !info.is_discovery);
	CHECK(info.connection_count == 1 && info.connections[0].cid == 1 && !info.is_cut);
	CHECK(info.connections[0].state == LIO_CONNECTION_FULL && info.connections[0].is_tcp);
	lio_info_free(&info);
}

static void check_info(const char *text, size_t length)
{
	struct lio_info info = { .sid = 0 }, again = { .sid = 0 };
	char head[1024];
	int n;

	if (lio_info_parse(text, length, ACL, &info) != 1)
		return;
	n = snprintf(head, sizeof(head),
		"InitiatorName: %s\nInitiatorAlias: %s\nLIO Session ID: %u ", info.name, info.alias,
		info.sid);
	CHECK((size_t)n < length && !memcmp(head, text, (size_t)n));
	CHECK(info.tsih <= UINT16_MAX && strlen(info.alias) <= LIO_ALIAS_MAX);
	for (size_t i = 0; i < info.connection_count; i++)
		CHECK(info.connections[i].cid <= UINT16_MAX);
	CHECK(lio_info_parse(text, length, ACL, &again) == 1 && lio_info_same(&info, &again));
	CHECK(!info.is_cut || length >= 4095);
	lio_info_free(&info);
	lio_info_free(&again);
}

static void check_u32(const struct opt_u32 *value, uint32_t low, uint32_t high)
{
	CHECK(!value->known || (value->value >= low && value->value <= high));
}

static void check_parameter(const char *text, size_t length, uint8_t position)
{
	struct lio_parameters p = { .alias_known = false }, other;

	lio_parameter_parse(&p, position % lio_parameter_file_count, text, length);
	check_u32(&p.max_outstanding_r2t, 1, 65535);
	check_u32(&p.first_burst_length, 512, 16777215);
	check_u32(&p.max_burst_length, 512, 16777215);
	check_u32(&p.max_connections, 1, 65535);
	check_u32(&p.default_time2wait, 0, 3600);
	check_u32(&p.error_recovery_level, 0, 255);
	check_u32(&p.declared_receive, 512, 16777215);
	check_u32(&p.header_digest, 2, 4);
	check_u32(&p.second_data_digest, 1, 4);
	CHECK(text_is_clean(p.alias, strlen(p.alias), LIO_ALIAS_MAX));
	other = p;
	lio_parameters_intersect(&p, &other);
	CHECK(!memcmp(&p, &other, sizeof(p)));
}

static void check_small(const char *text, size_t length)
{
	const char *at = text, *found;
	size_t found_length, octets = 0;
	char name[80];
	uint32_t tag;

	while (lio_dynamic_next(&at, text + length, &found, &found_length)) {
		CHECK(found_length && !memchr(found, 0, found_length));
		CHECK(found >= text && found + found_length + 2 <= at && at <= text + length);
		octets += found_length + 2;
	}
	CHECK(octets <= length);
	if (lio_tpg_parse(text, &tag) == 0) {
		snprintf(name, sizeof(name), "tpgt_%u", tag);
		CHECK(!strcmp(name, text) && tag <= UINT16_MAX);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size < 2)
		return 0;
	/* Files are read with a NUL after them. */
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = 0;
	switch (data[0]) {
	case 'a':
		check_alias(text, size - 1);
		break;
	case 'i':
		check_info(text, size - 1);
		break;
	case 'p':
		check_parameter(text + 1, size - 2, (uint8_t)text[0]);
		break;
	default:
		check_small(text, size - 1);
		break;
	}
	free(text);
	return 0;
}
