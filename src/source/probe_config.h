/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the configuration says of probes, as text and taken apart. Pure but for the numbers of
 * interfaces in zones (text_to_address); in every process that loads the configuration, and in the
 * reader of the source probe.
 */
#ifndef SOURCE_PROBE_CONFIG_H
#define SOURCE_PROBE_CONFIG_H

#include "base/text.h"

#define PROBE_NAME_MAX	  224u /* octets with NUL: an iSCSI name, RFC 7143 section 4.2.7 */
#define PROBE_PORT	  3260u
#define PROBE_PORTAL_TEXT 80u	 /* octets with NUL */
#define PROBE_NAME_AUTO	  "auto" /* of probeInitiatorName: probe_own_name makes one */

/* Where to try, and for which target ("": the portal is asked for its targets). */
struct probe_place {
	struct text_address address;
	uint16_t port;
	char target[PROBE_NAME_MAX];
};

/*
 * A line of the option probe: "PORTAL [TARGET]". The portal is an address, not a name: a.b.c.d,
 * IPv6, or one of them with a port (IPv6 in [ ]). Returns 0, or -EINVAL with a static text that
 * completes "the line ..."; or -ENODEV when only the zone of its address is no interface now. `ret`
 * may be NULL.
 */
int probe_line_parse(const char *line, struct probe_place *ret, const char **ret_wrong);

/* probeInitiatorName: an iSCSI name, or "auto". 0, or -EINVAL with a text as above. */
int probe_name_check(const char *name, const char **ret_wrong);

/* True for iqn., eui. and naa. with something behind it, of the right length and octets. */
bool probe_is_iscsi_name(const char *name);

/*
 * The name to log in with: `configured`, or one that is made of the name of the host, which may be
 * "" (unknown) and in which any character that an iSCSI name cannot have becomes '-'.
 */
void probe_own_name(char out[PROBE_NAME_MAX], const char *configured, const char *host);

/* "10.0.0.1:3260", "[2001:db8::1]:3260"; a zone as a number. Also what libiscsi understands. */
void probe_portal_text(char out[PROBE_PORTAL_TEXT], const struct probe_place *place);

#endif
