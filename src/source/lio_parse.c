/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acls/NAME/info, dynamic_sessions and names of directories. Called by lio_read.c in the reader
 * process of the source. Must never believe a part of a file of which the rest is not as expected.
 */
#include "source/lio_parse.h"

#include <strings.h>

/* What is left of a text. */
struct cursor {
	const char *at, *end;
};

static bool take(struct cursor *c, const char *literal)
{
	size_t length = strlen(literal);

	if ((size_t)(c->end - c->at) < length || memcmp(c->at, literal, length) != 0)
		return false;
	c->at += length;
	return true;
}

/* A number as %u prints it. */
static bool take_u32(struct cursor *c, uint32_t high, uint32_t *ret)
{
	const char *begin = c->at;
	uint64_t value = 0;

	while (c->at < c->end && *c->at >= '0' && *c->at <= '9' && c->at - begin < 10)
		value = value * 10 + (uint64_t)(*c->at++ - '0');
	if (c->at == begin || (*begin == '0' && c->at - begin > 1) || value > high)
		return false;
	*ret = (uint32_t)value;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static bool take_octet(struct cursor *c, uint8_t *ret)
{
	int high, low;

	if (c->end - c->at < 2)
		return false;
	high = hex_digit(c->at[0]);
	low = hex_digit(c->at[1]);
	if (high < 0 || low < 0)
		return false;
	*ret = (uint8_t)(high << 4 | low);
	c->at += 2;
	return true;
}

/* 0x and eight digits. */
static bool take_word(struct cursor *c)
{
	uint8_t octet;

	return take(c, "0x") && take_octet(c, &octet) && take_octet(c, &octet) &&
	       take_octet(c, &octet) && take_octet(c, &octet);
}

static bool take_isid(struct cursor *c, uint8_t isid[6])
{
	if (!take(c, "0x"))
		return false;
	for (int i = 0; i < 6; i++)
		if ((i && !take(c, " ")) || !take_octet(c, &isid[i]))
			return false;
	return true;
}

/* One of the texts; its position, or -1. */
static int take_one_of(struct cursor *c, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (take(c, texts[i]))
			return (int)i;
	return -1;
}

static const char *const session_states[] = {
	"TARG_SESS_FREE\n",
	"TARG_SESS_STATE_ACTIVE\n",
	"TARG_SESS_STATE_LOGGED_IN\n",
	"TARG_SESS_STATE_FAILED\n",
	"TARG_SESS_STATE_IN_CONTINUE\n",
	"ERROR: Unknown Session State!\n",
};

enum { SESSION_STATE_FAILED = 3 }; /* its position */

static const struct {
	const char *text;
	enum lio_connection_state state;
} connection_states[] = {
	{ "TARG_CONN_STATE_FREE\n", LIO_CONNECTION_FREE },
	{ "TARG_CONN_STATE_XPT_UP\n", LIO_CONNECTION_LOGIN },
	{ "TARG_CONN_STATE_IN_LOGIN\n", LIO_CONNECTION_LOGIN },
	{ "TARG_CONN_STATE_LOGGED_IN\n", LIO_CONNECTION_FULL },
	{ "TARG_CONN_STATE_IN_LOGOUT\n", LIO_CONNECTION_LOGOUT },
	{ "TARG_CONN_STATE_LOGOUT_REQUESTED\n", LIO_CONNECTION_LOGOUT },
	{ "TARG_CONN_STATE_CLEANUP_WAIT\n", LIO_CONNECTION_LOGOUT },
	{ "ERROR: Unknown Connection State!\n", LIO_CONNECTION_UNKNOWN },
};

/* From "LIO Session ID" to the line above the connections. */
static bool take_session(struct cursor *c, struct lio_info *info)
{
	int state;

	if (!take(c, "LIO Session ID: ") || !take_u32(c, UINT32_MAX, &info->sid) ||
		!take(c, "   ISID: ") || !take_isid(c, info->isid) || !take(c, "  TSIH: ") ||
		!take_u32(c, UINT16_MAX, &info->tsih) || !take(c, "  SessionType: "))
		return false;
	info->is_discovery = take(c, "Discovery\n");
	if (!info->is_discovery && !take(c, "Normal\n"))
		return false;
	if (!take(c, "Session State: "))
		return false;
	state = take_one_of(c, session_states, ARRAY_SIZE(session_states));
	info->is_failed = state == SESSION_STATE_FAILED;
	if (state < 0 ||
		!take(c, "---------------------[iSCSI Session Values]-----------------------\n") ||
		!take(c, "  CmdSN/WR  :  CmdSN/WC  :  ExpCmdSN  :  MaxCmdSN  :     ITT    :     "
			 "TTT\n"))
		return false;
	for (int i = 0; i < 6; i++)
		if (!take(c, i ? "   " : " ") || !take_word(c))
			return false;
	return take(c, "\n") &&
	       take(c, "----------------------[iSCSI Connections]-------------------------\n");
}

static bool take_address(struct cursor *c, struct lio_info_connection *connection)
{
	char text[64];
	size_t length = 0;

	while (c->at + length < c->end && c->at[length] != ' ' && c->at[length] != '\n')
		length++;
	if (length >= sizeof(text))
		return false;
	memcpy(text, c->at, length);
	text[length] = 0;
	c->at += length;
	/* The kernel prints no zone here; a name of one would have to be looked up. */
	connection->address_known =
		!strchr(text, '%') && text_to_address(text, &connection->address) == 0;
	return true;
}

static bool take_connection(struct cursor *c, struct lio_info_connection *connection)
{
	size_t i;

	if (!take(c, "CID: ") || !take_u32(c, UINT16_MAX, &connection->cid) ||
		!take(c, "  Connection State: "))
		return false;
	for (i = 0; i < ARRAY_SIZE(connection_states); i++)
		if (take(c, connection_states[i].text))
			break;
	if (i == ARRAY_SIZE(connection_states))
		return false;
	connection->state = connection_states[i].state;
	if (!take(c, "   Address ") || !take_address(c, connection))
		return false;
	connection->is_tcp = take(c, " TCP");
	return (connection->is_tcp || take(c, " SCTP")) && take(c, "  StatSN: ") && take_word(c) &&
	       take(c, "\n");
}

/* The kernel cuts at its page; earlier the text has an end of its own. Of more than 4 KiB, on a
 * machine with larger pages, configfs gives nothing. */
#define PAGE_SMALLEST 4096u

/* Returns 1, -EBADMSG or -ENOMEM. */
static int take_connections(struct cursor *c, size_t length, struct lio_info *info)
{
	size_t capacity = 0;

	while (c->at < c->end) {
		struct lio_info_connection connection = { .cid = 0 };

		if (!take_connection(c, &connection)) {
			info->is_cut = length >= PAGE_SMALLEST - 1;
			return info->is_cut ? 1 : -EBADMSG;
		}
		if (info->connection_count == capacity) {
			struct lio_info_connection *grown;

			capacity = capacity ? 2 * capacity : 4;
			grown = reallocarray(info->connections, capacity, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			info->connections = grown;
		}
		info->connections[info->connection_count++] = connection;
	}
	return 1;
}

/* The lines with the names of the initiator; leaves the cursor at its alias. */
static bool take_name(struct cursor *c, const char *acl, struct lio_info *info)
{
	size_t length = strlen(acl);

	/* LIO finds the ACL by the name in small letters and prints it as it came. */
	if (length > LIO_IQN_MAX)
		length = LIO_IQN_MAX;
	if (!take(c, "InitiatorName: ") || (size_t)(c->end - c->at) < length ||
		strncasecmp(c->at, acl, length) != 0)
		return false;
	memcpy(info->name, c->at, length);
	info->name[length] = 0;
	c->at += length;
	return take(c, "\nInitiatorAlias: ");
}

/* Where the last line begins that begins a session, after `from`; NULL when there is none. */
static const char *last_session(const char *from, const char *end)
{
	static const char begin[] = "\nLIO Session ID: ";
	const char *found = NULL;

	for (const char *at = from; (at = memmem(at, (size_t)(end - at), begin, strlen(begin)));
		at++)
		found = at;
	return found ? found + 1 : NULL;
}

int lio_info_parse(const char *text, size_t length, const char *acl, struct lio_info *ret)
{
	struct cursor c = { .at = text, .end = text + length };
	struct lio_info info = { .sid = 0 };
	const char *alias, *session;
	int rc;

	if (take(&c, "No active iSCSI Session"))
		return 0;
	if (!length || memchr(text, 0, length) || !take_name(&c, acl, &info))
		return -EBADMSG;
	alias = c.at;
	session = last_session(alias, c.end);
	/* More octets than an alias has: not what the kernel prints. */
	if (!session || (size_t)(session - 1 - alias) > LIO_ALIAS_MAX)
		return -EBADMSG;
	memcpy(info.alias, alias, (size_t)(session - 1 - alias));
	c.at = session;
	if (!take_session(&c, &info))
		return -EBADMSG;
	rc = take_connections(&c, length, &info);
	if (rc < 0)
		lio_info_free(&info);
	else
		*ret = info;
	return rc;
}

void lio_info_free(struct lio_info *info)
{
	if (!info)
		return;
	free(info->connections);
	info->connections = NULL;
	info->connection_count = 0;
}

bool lio_info_same(const struct lio_info *a, const struct lio_info *b)
{
	return a->sid == b->sid && a->tsih == b->tsih && !memcmp(a->isid, b->isid, 6) &&
	       a->is_discovery == b->is_discovery && !strcmp(a->name, b->name) &&
	       !strcmp(a->alias, b->alias);
}

bool lio_dynamic_next(const char **at, const char *end, const char **ret_name, size_t *ret_length)
{
	while (*at < end) {
		const char *name = *at, *nul = memchr(name, 0, (size_t)(end - name));

		if (!nul)
			break;
		*at = nul + 1;
		if (nul - name < 2 || nul[-1] != '\n')
			continue;
		*ret_name = name;
		*ret_length = (size_t)(nul - name) - 1;
		return true;
	}
	return false;
}

int lio_tpg_parse(const char *name, uint32_t *ret_tag)
{
	struct cursor c = { .at = name, .end = name + strlen(name) };
	uint32_t tag;

	if (!take(&c, "tpgt_") || !take_u32(&c, UINT16_MAX, &tag) || c.at != c.end)
		return -EINVAL;
	*ret_tag = tag;
	return 0;
}
