/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of SCST: attributes of its sysfs tree, some of which carry what an initiator said, and
 * what the kernel tells of its daemon iscsi-scstd. An attribute's value is its first line; a line
 * "[key]" may follow, which is scstadmin's.
 *
 * Pure functions over octets that may be anything: no I/O, no allocation, no state. What is not a
 * value as SCST prints it, or is out of its range, is unknown. `text` need not end with a NUL.
 */
#ifndef SOURCE_SCST_PARSE_H
#define SOURCE_SCST_PARSE_H

#include "base/text.h"
#include "model/opt.h"

#define SCST_LINE_MAX 512u /* octets of a line that can be a value; ISCSI_MAX_ATTR_VALUE_LEN */

/*
 * Copies the first line, with a NUL. Returns its length in octets; -EINVAL when there is a NUL in
 * it or it has more than SCST_LINE_MAX octets.
 */
ssize_t scst_parse_line(const char *text, size_t length, char out[SCST_LINE_MAX + 1]);

/* A decimal number from low to high. */
struct opt_u32 scst_parse_u32(const char *text, size_t length, uint32_t low, uint32_t high);
struct opt_counter scst_parse_counter(const char *text, size_t length);

/* "Yes" or "No"; 1 or 0. */
struct opt_bool scst_parse_bool(const char *text, size_t length);

/*
 * "None", "CRC32C" or "None,CRC32C" in any order: IscsiDigestMethod of the first and second choice
 * of SCST, which takes CRC32C whenever it may.
 */
void scst_parse_digests(const char *text, size_t length, struct opt_u32 *ret_primary,
	struct opt_u32 *ret_secondary);

/* What was negotiated: one of them. */
struct opt_u32 scst_parse_digest(const char *text, size_t length);

/*
 * An SID: a number in base 16 whose memory is ISID and TSIH as they are in a PDU. The TSIH is
 * unknown when it is 0. Returns 0, or -EINVAL with both unknown.
 */
int scst_parse_sid(const char *text, size_t length, uint64_t *ret_sid, struct opt_isid *ret_isid,
	struct opt_u32 *ret_tsih);

/*
 * The name of an initiator, without "#portal" (per_portal_acl). Returns its length, 0 when it is
 * not exactly one line: the initiator chose it.
 */
size_t scst_parse_name(const char *text, size_t length, char out[SCST_LINE_MAX + 1]);

/* The state of a connection: full(2), logout(3). */
struct opt_u32 scst_parse_state(const char *text, size_t length);

/* The daemon, from /proc/PID/stat. */
struct scst_process {
	bool is_scstd;	     /* its name is iscsi-scstd */
	bool answers;	     /* it runs or waits for something that may come: state R or S */
	uint64_t start_time; /* clock ticks since boot */
};

/* Returns 0 or -EBADMSG. */
int scst_parse_process(const char *text, size_t length, struct scst_process *ret);

/* What the daemon was told to listen on. */
#define SCST_ADDRESSES_MAX 32 /* its own limit */
struct scst_listener {
	uint16_t port; /* 1..65535 */
	size_t address_count;
	/* Into the text that was parsed, without NUL. None: all addresses of this host. */
	struct {
		const char *at;
		size_t length;
	} addresses[SCST_ADDRESSES_MAX];
};

/*
 * From /proc/PID/cmdline. Returns 0, or -EBADMSG for arguments that the daemon would not have
 * begun with, or whose meaning is not known here.
 */
int scst_parse_arguments(const char *text, size_t length, struct scst_listener *ret);

#endif
