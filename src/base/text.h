/* SPDX-License-Identifier: BSD-2-Clause */
/* Text from peers and files made safe to pass on; numbers and addresses parsed in full or not. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/base.h"

/*
 * Copies `length` octets of `text` as SnmpAdminString (RFC 3411): valid UTF-8, no control
 * characters (each octet that is not part of a valid sequence, and each C0/C1 character, becomes
 * '?'), at most `limit` octets, cut between characters, NUL-terminated.
 * `out` holds limit + 1 octets. Returns the length written.
 */
size_t text_sanitize(char *out, size_t limit, const char *text, size_t length);

/* True when `text` is what text_sanitize would write: nothing replaced, nothing cut. */
bool text_is_clean(const char *text, size_t length, size_t limit);

/*
 * The whole of `text` (leading and trailing blanks and one newline allowed) as an unsigned number
 * in base 10, or 16 with 0x. Returns 0, -EINVAL (anything else in it) or -ERANGE (above `high`).
 */
int text_to_u64(const char *text, uint64_t high, uint64_t *ret);
int text_to_u32(const char *text, uint32_t high, uint32_t *ret);

/* `Yes`/`No`, `yes`/`no`, `1`/`0`, `true`/`false`, `on`/`off`. Returns 0 or -EINVAL. */
int text_to_bool(const char *text, bool *ret);

#define TEXT_ADDRESS_OCTETS 20

/* An InetAddress (RFC 4001): type 1 ipv4, 2 ipv6, 4 ipv6z (16 octets and the interface index). */
struct text_address {
	uint8_t type;
	uint8_t length; /* octets used */
	uint8_t octets[TEXT_ADDRESS_OCTETS];
};

/*
 * An address as the stacks print it: a.b.c.d, IPv6 compressed or not, with or without [ ], with
 * %zone (name or number of an interface; a zone whose interface is unknown is -ENODEV), or
 * ::ffff:a.b.c.d, which becomes ipv4. Returns 0, -EINVAL or -ENODEV.
 */
int text_to_address(const char *text, struct text_address *ret);

/* `address:port` or `[address]:port`; the port 1..65535. */
int text_to_endpoint(const char *text, struct text_address *ret_address, uint16_t *ret_port);

/* Writes the address as people write it (no brackets). `out` holds 64 octets. Returns out. */
char *text_from_address(char out[64], const struct text_address *address);

/* Compares all of two addresses; an ipv6z equals an ipv6 with the same first 16 octets. */
bool text_address_equal(const struct text_address *a, const struct text_address *b);

/* 0.0.0.0 or :: */
bool text_address_is_wildcard(const struct text_address *address);

#endif
