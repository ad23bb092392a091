/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of the open-iscsi initiator: attributes of sysfs, names in its directories, lines of
 * its configuration and records. Pure functions over octets of any origin; used by the other
 * files open_iscsi_*.c in the reader process of the source.
 */
#ifndef SOURCE_OPEN_ISCSI_TEXT_H
#define SOURCE_OPEN_ISCSI_TEXT_H

#include "model/opt.h"

/*
 * Cuts the content of an attribute, `octets` before a NUL (negative: it could not be read), to its
 * value: without the newline at its end and blanks around it. What has more lines stays so: it is
 * no number and no name of anybody else. False, and "", when there is none: nothing, a NUL inside,
 * or one of the kernel's words for a null pointer.
 */
bool oiscsi_value(char *text, ssize_t octets);

/* S/state, by the class of sessions. */
enum oiscsi_state { OISCSI_STATE_UNKNOWN, OISCSI_LOGGED_IN, OISCSI_FAILED, OISCSI_FREE };
enum oiscsi_state oiscsi_state_parse(const char *value);

/* C/state, by the class of connections (Linux 5.7 and later). */
enum oiscsi_link { OISCSI_LINK_UNKNOWN, OISCSI_UP, OISCSI_DOWN, OISCSI_LINK_FAILED, OISCSI_BOUND };
enum oiscsi_link oiscsi_link_parse(const char *value);

/*
 * iscsiCxnState: login(1), full(2), logout(3), or 0 when nothing is known. Without `class_link` the
 * state of the connection is not believed: adapters that log in by themselves do not keep it.
 */
uint32_t oiscsi_connection_state(
	enum oiscsi_state session, enum oiscsi_link connection, bool unbinding, bool class_link);

/* "session7", "host7" (a word and a number), "connection7:0": names of the classes' objects. */
bool oiscsi_number_after(const char *name, const char *word, uint32_t *ret);
bool oiscsi_connection_name(const char *name, uint32_t *ret_sid, uint32_t *ret_cid);

/* The number of the component hostH before the component sessionN in a path. */
bool oiscsi_host_of_link(const char *target, uint32_t sid, uint32_t *ret);

/* 12 hexadecimal digits. */
bool oiscsi_isid_parse(const char *value, uint8_t ret[6]);

/* The name of a transport from that of its driver: iscsi_tcp is tcp, cxgb4i is cxgb4i. */
const char *oiscsi_transport_of_driver(const char *proc_name);

/* True when the release of a kernel ("6.1.0-56-amd64") is at least major.minor. */
bool oiscsi_release_is_since(const char *release, uint32_t major, uint32_t minor);

/* ---- lines "key = value" of root_read_filtered ---- */

struct oiscsi_line {
	const char *key, *value; /* not NUL-terminated */
	size_t key_length, value_length;
};

/* Takes the next such line from the text that is left; false at its end. `<empty>` is empty. */
bool oiscsi_line_next(const char **text, size_t *length, struct oiscsi_line *ret);

bool oiscsi_line_is(const struct oiscsi_line *line, const char *key);

/* Copies the value, NUL-terminated; false, and "", when it does not fit or is empty. */
bool oiscsi_line_copy(const struct oiscsi_line *line, char *out, size_t capacity);

/* What a login would offer: iscsid.conf, or what iscsid has where that says nothing. */
struct oiscsi_config {
	struct opt_bool initial_r2t, immediate_data;
	struct opt_u32 max_outstanding_r2t;
	struct opt_u32 first_burst_length, max_burst_length;   /* octets */
	struct opt_u32 default_time2wait, default_time2retain; /* seconds */
	struct opt_u32 max_recv_data_segment_length;	       /* octets */
	/* IscsiDigestMethod: none(1) no second choice, noDigest(3), crc32c(4) */
	struct opt_u32 header_digest, header_digest_second;
	struct opt_u32 data_digest, data_digest_second;
};

/* The keys that oiscsi_config_parse knows, for root_read_filtered; NULL at its end. */
extern const char *const oiscsi_config_keys[];

/* A value that cannot be taken is unknown; of several lines with one key the last counts. */
void oiscsi_config_parse(const char *text, size_t length, struct oiscsi_config *ret);

#endif
