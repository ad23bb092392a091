/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * /proc/net/netlink: who listens to the kernel. A row is
 *	sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode
 * of which Eth is the protocol, Pid the port (0: the kernel), Groups the first 32 groups as a
 * hexadecimal mask, Rmem the octets in the receive queue. Called by root_netlink.c.
 */
#include "base/netlink.h"

#include "base/text.h"

enum { COLUMN_PROTOCOL = 1, COLUMN_PORT, COLUMN_GROUPS, COLUMN_QUEUED, COLUMNS };

#define WORD_MAX 24u /* octets with NUL of a column */

/* The next word of a line; false at its end, or when it is longer than a column is. */
static bool next_word(const char **at, const char *end, char word[WORD_MAX])
{
	const char *start = *at;
	size_t length;

	while (start < end && *start == ' ')
		start++;
	*at = start;
	while (*at < end && **at != ' ')
		(*at)++;
	length = (size_t)(*at - start);
	if (length == 0 || length >= WORD_MAX)
		return false;
	memcpy(word, start, length);
	word[length] = '\0';
	return true;
}

static int parse_mask(const char *word, uint32_t *ret)
{
	char with_base[WORD_MAX + 2];

	snprintf(with_base, sizeof(with_base), "0x%s", word);
	return text_to_u32(with_base, UINT32_MAX, ret);
}

/* Rmem is printed as a signed number. */
static int parse_row(const char *at, const char *end, uint64_t ret[COLUMNS])
{
	char word[WORD_MAX];
	uint32_t mask;
	int rc;

	for (int column = 0; column < COLUMNS; column++) {
		if (!next_word(&at, end, word))
			return -EBADMSG;
		if (column == 0)
			continue; /* an address, or a hash of it */
		if (column == COLUMN_GROUPS) {
			rc = parse_mask(word, &mask);
			ret[column] = mask;
		} else {
			rc = text_to_u64(word, UINT32_MAX, &ret[column]);
		}
		if (rc < 0)
			return -EBADMSG;
	}
	return 0;
}

static void take_row(const uint64_t row[COLUMNS], unsigned int group, uint32_t own_port,
	struct netlink_table *table)
{
	if (row[COLUMN_PORT] == 0) {
		table->kernel = true;
		return;
	}
	if (row[COLUMN_PORT] == own_port || !(row[COLUMN_GROUPS] >> (group - 1) & 1))
		return;
	table->members++;
	if (row[COLUMN_QUEUED] > table->most_queued)
		table->most_queued = row[COLUMN_QUEUED];
}

int netlink_table_parse(const char *text, size_t length, int protocol, unsigned int group,
	uint32_t own_port, struct netlink_table *ret)
{
	struct netlink_table table = { .kernel = false };
	const char *end = text + length;
	bool heading = true;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		uint64_t row[COLUMNS] = { 0 };

		if (heading) {
			heading = false;
		} else if (line_end > text) {
			if (parse_row(text, line_end, row) < 0)
				return -EBADMSG;
			if (row[COLUMN_PROTOCOL] == (uint64_t)protocol)
				take_row(row, group, own_port, &table);
		}
		text = line_end + (newline != NULL);
	}
	*ret = table;
	return 0;
}
