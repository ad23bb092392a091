/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the writer (store_write.c) and the parser (store_parse.c) of the registry's files share.
 *
 * Words are separated by one blank, numbers are decimal without leading zeros, and every line ends
 * with a newline:
 *
 *   iscsi-agentx-index 1 state          format version; `state` or `run`
 *   boot 01234567-89ab-…                boot_id of the writer
 *   uptime_zero NS                      run only: struct store_run
 *   count COUNTERS ENTRIES [FIELDS]     how many lines follow, of each sort
 *   field KIND NAME TYPE                run only: fields that are kept, numbered from 0
 *   next KIND PARENT NEXT               counters: 1..4294967296, the latter when all are used
 *   floor KIND NEXT                     likewise, of all parents that have no line (run only)
 *   KIND PARENT NUMBER SEEN KEY         entries; SEEN 1: asked for in the writer's boot
 *   KIND PARENT NUMBER SEEN SINCE DISCONTINUITY INCARNATION EPOCH KEY      the same in a run file
 *   kept FIELD VALUE …                  run only: what is kept of the entry before it, if anything
 *   end CHECKSUM                        FNV-1a of everything before this line, 16 hex digits
 *
 * A VALUE is, by the TYPE of its field, BASE+LAST (count), a number (u32, counter, bool, bits,
 * time), or = and octets (str, addr, isid). Of a field that this program has not, or a value that
 * it would not take, nothing is kept; all else is as it was.
 *
 * Format 2 of the run file brought FIELDS, `field`, EPOCH and `kept`; format 1 is still read. The
 * state file has none of these and is of format 1, so that an older program can read it.
 *
 * In a KEY, or behind =, every octet but 0x21..0x7e is written %XX, and so is %. The parser takes
 * nothing else than what the writer writes: a file that differs was not written by this program.
 */
#ifndef INDEX_STORE_TEXT_H
#define INDEX_STORE_TEXT_H

#include "base/buf.h"
#include "index/store.h"

#define STORE_MAGIC	    "iscsi-agentx-index"
#define STORE_VERSION_STATE 1u
#define STORE_VERSION_RUN   2u
#define STORE_NEXT_MAX	    ((uint64_t)UINT32_MAX + 1)
#define STORE_HEX_DIGITS    "0123456789ABCDEF"
#define STORE_END_LENGTH    21u /* octets of the last line: "end ", 16 digits, newline */

static inline bool store_is_boot_id(const char *text, size_t length)
{
	if (length != STORE_BOOT_ID)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!text[i] || !strchr("0123456789abcdef-", text[i]))
			return false;
	}
	return true;
}

/* An octet that a key shows as it is. */
static inline bool store_is_plain(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '%';
}

static inline unsigned int store_version(bool persistent)
{
	return persistent ? STORE_VERSION_STATE : STORE_VERSION_RUN;
}

/* Appends octets as in a KEY; a failure sticks in the buffer. */
void store_write_octets(struct buf *out, const void *octets, size_t length);

/* store_kept.c: all lines `field`; the line `kept`, or nothing. */
void store_write_fields(struct buf *out);
void store_write_kept(struct buf *out, const struct registry_kept *kept);

#endif
