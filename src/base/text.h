/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from peers and files made safe to pass on; numbers and addresses parsed in full or not. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

/*
 * Copies `length` octets of `text` as SnmpAdminString (RFC 3411): valid UTF-8 (RFC 3629), no
 * control characters: each octet that is not part of a valid sequence, and each C0, DEL and C1
 * character, becomes one '?'. At most `limit` octets are written, cut between characters, and a
 * NUL after them: `out` holds limit + 1 octets. A NUL inside `length` is a control character like
 * any other. Returns the length written.
 */
size_t text_sanitize(char *out, size_t limit, const char *text, size_t length);

/* True when `text` is what text_sanitize would write: nothing replaced, nothing cut. */
bool text_is_clean(const char *text, size_t length, size_t limit);

/*
 * The content of an attribute: without the blanks (space, tab) around it and one final newline.
 * Returns its length and, in *ret_start, where it begins in `text`; copies nothing.
 */
size_t text_trim(const char *text, const char **ret_start);

/*
 * The whole of `text` (trimmed as above) as an unsigned number in base 10, or 16 with 0x: no
 * sign, no octal (010 is ten). Returns 0, -EINVAL (anything else in it, or nothing) or -ERANGE
 * (above `high`).
 */
int text_to_u64(const char *text, uint64_t high, uint64_t *ret);
int text_to_u32(const char *text, uint32_t high, uint32_t *ret);

/*
 * `Yes`/`No`, `yes`/`no`, `1`/`0`, `true`/`false`, `on`/`off`, trimmed as above. Returns 0 or
 * -EINVAL.
 */
int text_to_bool(const char *text, bool *ret);

#define TEXT_ADDRESS_OCTETS 20

/*
 * An InetAddress (RFC 4001): type 1 ipv4 (4 octets), 2 ipv6 (16), 4 ipv6z (16 and the number of
 * the interface, network order, never 0). Octets above `length` are 0.
 */
struct text_address {
	uint8_t type;
	uint8_t length; /* octets used */
	uint8_t octets[TEXT_ADDRESS_OCTETS];
};

/*
 * The number of the interface `name`: 0 and *ret, or a negative errno. `name` is shorter than
 * IFNAMSIZ and has no '/', blank, '%', '[' or ']', nor is it "." or "..".
 */
typedef int text_zone_fn(void *context, const char *name, uint32_t *ret);

/* The interfaces of this machine and network namespace. `context` is not used. */
int text_zone_live(void *context, const char *name, uint32_t *ret);

/*
 * An address as the stacks print it: a.b.c.d, IPv6 compressed or not, with or without [ ], with
 * %zone (name, or number above 0, of an interface), or ::ffff:a.b.c.d, which becomes ipv4.
 * Trimmed as above. Returns 0, -EINVAL, or -ENODEV for a zone whose interface is unknown.
 *
 * The short form looks zone names up on this machine. What was read through a struct root, which
 * may be a recording of another machine, uses root_to_address (base/root.h).
 */
int text_to_address(const char *text, struct text_address *ret);
int text_to_address_in(
	const char *text, text_zone_fn *lookup, void *context, struct text_address *ret);

/*
 * `a.b.c.d:port` or `[address]:port`; the port 1..65535. An IPv6 address without brackets is
 * -EINVAL, since its port cannot be told. Both outputs or neither are set. Errors as above.
 */
int text_to_endpoint(const char *text, struct text_address *ret_address, uint16_t *ret_port);
int text_to_endpoint_in(const char *text, text_zone_fn *lookup, void *context,
	struct text_address *ret_address, uint16_t *ret_port);

/*
 * From octets in network order, 4 and 16 of them. An IPv4-mapped address becomes ipv4; `zone` is
 * the number of the interface, 0 for none.
 */
void text_address_from_ipv4(struct text_address *out, const void *octets);
void text_address_from_ipv6(struct text_address *out, const void *octets, uint32_t zone);

/*
 * Writes the address as people write it (no brackets, the zone as a number), or "" when it is not
 * of the three types. `out` holds 64 octets. Returns out.
 */
char *text_from_address(char out[64], const struct text_address *address);

/*
 * Compares all of two addresses; an ipv6z equals an ipv6 with the same first 16 octets (so this
 * is not transitive: do not sort by it).
 */
bool text_address_equal(const struct text_address *a, const struct text_address *b);

/* 0.0.0.0 or :: */
bool text_address_is_wildcard(const struct text_address *address);

#endif
