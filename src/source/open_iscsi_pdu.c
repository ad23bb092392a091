/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Login and logout responses. Called by open_iscsi_events.c in the reader process.
 */
#include "source/open_iscsi_pdu.h"

#include "source/open_iscsi_wire.h"

/* Octets of a header, RFC 7143 11.13. */
enum {
	AT_FLAGS = 1,
	AT_AHS_LENGTH = 4, /* in words of 4 octets */
	AT_DATA_LENGTH = 5,
	AT_ISID = 8,
	AT_TSIH = 14,
	AT_STAT_SN = 24,
	AT_STATUS_CLASS = 36,
	AT_STATUS_DETAIL = 37,
};

enum { FLAG_TRANSIT = 0x80, FLAG_CONTINUE = 0x40 };

/* Values beyond it are none of those that are kept; see `begun`. */
#define VALUE_MAX 287u

int oiscsi_pdu_opcode(const uint8_t *pdu, size_t length)
{
	return length < OISCSI_BHS_OCTETS ? -EBADMSG : pdu[0] & 0x3f;
}

/*
 * Where the data begin. The kernel leaves additional header segments out of what it hands over; if
 * one puts them in, then the message is longer by that (and by no more than the padding of both).
 */
static size_t data_offset(const uint8_t *pdu, size_t length, size_t data_length)
{
	size_t additional = (size_t)pdu[AT_AHS_LENGTH] * 4;

	return length - OISCSI_BHS_OCTETS >= additional + data_length
		       ? OISCSI_BHS_OCTETS + additional
		       : OISCSI_BHS_OCTETS;
}

int oiscsi_login_response_parse(
	const uint8_t *pdu, size_t length, struct oiscsi_login_response *ret)
{
	size_t data_length, offset;

	if (oiscsi_pdu_opcode(pdu, length) != OISCSI_LOGIN_RESPONSE)
		return -EBADMSG;
	data_length = (size_t)pdu[AT_DATA_LENGTH] << 16 | (size_t)pdu[AT_DATA_LENGTH + 1] << 8 |
		      pdu[AT_DATA_LENGTH + 2];
	offset = data_offset(pdu, length, data_length);
	if (length - offset < data_length)
		return -EBADMSG;
	*ret = (struct oiscsi_login_response){
		.transit = pdu[AT_FLAGS] & FLAG_TRANSIT,
		.more = pdu[AT_FLAGS] & FLAG_CONTINUE,
		.current_stage = pdu[AT_FLAGS] >> 2 & 3,
		.next_stage = pdu[AT_FLAGS] & 3,
		.status_class = pdu[AT_STATUS_CLASS],
		.status_detail = pdu[AT_STATUS_DETAIL],
		.tsih = (uint16_t)(pdu[AT_TSIH] << 8 | pdu[AT_TSIH + 1]),
		.stat_sn = (uint32_t)pdu[AT_STAT_SN] << 24 | (uint32_t)pdu[AT_STAT_SN + 1] << 16 |
			   (uint32_t)pdu[AT_STAT_SN + 2] << 8 | pdu[AT_STAT_SN + 3],
		.text = (const char *)pdu + offset,
		.text_length = data_length,
	};
	memcpy(ret->isid, pdu + AT_ISID, sizeof(ret->isid));
	return 0;
}

void oiscsi_login_keys_reset(struct oiscsi_login_keys *keys)
{
	memset(keys, 0, sizeof(*keys));
}

static void take_number(const char *value, uint32_t low, uint32_t high, struct opt_u32 *ret)
{
	uint32_t number;

	ret->known = 0; /* a word, "Reject" for example, takes back what was said before */
	if (text_to_u32(value, high, &number) == 0 && number >= low)
		OPT_SET(*ret, number);
}

static void take_alias(struct oiscsi_login_keys *keys, const char *value, size_t length)
{
	text_sanitize(keys->target_alias, sizeof(keys->target_alias) - 1, value, length);
}

/* domainname[:port][,portal-group-tag] */
static void take_address(struct oiscsi_login_keys *keys, const char *value)
{
	size_t length = strcspn(value, ",");

	if (length >= sizeof(keys->target_address))
		length = 0;
	memcpy(keys->target_address, value, length);
	keys->target_address[length] = '\0';
}

enum key {
	KEY_ALIAS,
	KEY_ADDRESS,
	KEY_PORTAL_GROUP,
	KEY_TIME2WAIT,
	KEY_TIME2RETAIN,
	KEY_MAX_CONNECTIONS,
	KEYS
};

static const char *const names[KEYS] = {
	[KEY_ALIAS] = "TargetAlias=",
	[KEY_ADDRESS] = "TargetAddress=",
	[KEY_PORTAL_GROUP] = "TargetPortalGroupTag=",
	[KEY_TIME2WAIT] = "DefaultTime2Wait=",
	[KEY_TIME2RETAIN] = "DefaultTime2Retain=",
	[KEY_MAX_CONNECTIONS] = "MaxConnections=",
};

/* Whether `name` and `text` are the same as far as both go. */
static bool agree(const char *name, size_t name_length, const char *text, size_t length)
{
	return memcmp(text, name, length < name_length ? length : name_length) == 0;
}

/* The key that a pair begins with, or may come to begin with; KEYS for none. */
static enum key find_key(const char *pair, size_t length)
{
	for (enum key key = 0; key < KEYS; key++) {
		if (agree(names[key], strlen(names[key]), pair, length))
			return key;
	}
	return KEYS;
}

/* `pair` is NUL-terminated text of `length` octets. */
static void take_pair(struct oiscsi_login_keys *keys, const char *pair, size_t length)
{
	enum key key = find_key(pair, length);
	size_t name_length = key == KEYS ? 0 : strlen(names[key]);
	const char *value = pair + name_length;

	if (key == KEYS || length < name_length || length - name_length > VALUE_MAX)
		return;
	if (key == KEY_ALIAS)
		take_alias(keys, value, length - name_length);
	else if (key == KEY_ADDRESS)
		take_address(keys, value);
	else if (key == KEY_PORTAL_GROUP)
		keys->portal_group_told = true;
	else if (key == KEY_TIME2WAIT)
		take_number(value, 0, 3600, &keys->time2wait);
	else if (key == KEY_TIME2RETAIN)
		take_number(value, 0, 3600, &keys->time2retain);
	else
		take_number(value, 1, 65535, &keys->max_connections);
}

/* Whether what is there of a pair, with `part` behind it, is or may become one to be kept. */
static bool is_wanted(const struct oiscsi_login_keys *keys, const char *part, size_t length)
{
	for (enum key key = 0; key < KEYS; key++) {
		size_t name_length = strlen(names[key]), begun = keys->begun_length;

		if (agree(names[key], name_length, keys->begun, begun) &&
			(begun >= name_length ||
				agree(names[key] + begun, name_length - begun, part, length)))
			return true;
	}
	return false;
}

static void add_part(struct oiscsi_login_keys *keys, const char *part, size_t length)
{
	keys->passing |= keys->begun_length + length >= sizeof(keys->begun) ||
			 !is_wanted(keys, part, length);
	if (keys->passing)
		return;
	memcpy(keys->begun + keys->begun_length, part, length);
	keys->begun_length += length;
}

static void end_pair(struct oiscsi_login_keys *keys)
{
	if (!keys->passing) {
		keys->begun[keys->begun_length] = '\0';
		take_pair(keys, keys->begun, keys->begun_length);
	}
	keys->passing = false;
	keys->begun_length = 0;
}

void oiscsi_login_keys_add(
	struct oiscsi_login_keys *keys, const char *text, size_t length, bool more)
{
	while (length > 0) {
		const char *nul = memchr(text, '\0', length);
		size_t part = nul ? (size_t)(nul - text) : length;

		add_part(keys, text, part);
		if (nul)
			end_pair(keys);
		part += nul != NULL;
		text += part;
		length -= part;
	}
	/* A pair that is not ended by NUL, with no PDU for its rest. */
	if (!more)
		end_pair(keys);
}
