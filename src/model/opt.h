/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Optional values. A field that no source could read is not known, and becomes a hole in the MIB
 * (noSuchInstance): there is no sentinel value. Each kind of value has a type of its own, so that
 * a MIB column of the wrong syntax does not compile (agent/mib.h).
 *
 * All types are plain octets without pointers: a fragment is copied between processes as it is.
 * `known` is 0 or 1.
 */
#ifndef MODEL_OPT_H
#define MODEL_OPT_H

#include "base/base.h"

struct opt_u32 { /* a number or an enumeration */
	uint32_t value;
	uint8_t known;
};

struct opt_counter { /* counts up; a Counter32 column shows its low 32 bits */
	uint64_t value;
	uint8_t known;
};

struct opt_bool {
	uint8_t value; /* 0 or 1 */
	uint8_t known;
};

struct opt_bits { /* BITS of at most 8 named bits; bit 0 is 0x80 */
	uint8_t value;
	uint8_t known;
};

struct opt_str {	 /* text in the arena of the fragment or snapshot that holds the object */
	uint32_t offset; /* octets from the arena's beginning; a NUL follows the text */
	uint16_t length; /* octets */
	uint8_t known;
};

struct opt_addr { /* InetAddressType and InetAddress, RFC 4001 */
	uint8_t known;
	uint8_t type;	    /* 1 ipv4, 2 ipv6, 4 ipv6z */
	uint8_t length;	    /* 4, 16, 20 octets */
	uint8_t octets[20]; /* network order; ipv6z: the zone index is the last 4 octets */
};

struct opt_isid { /* RFC 7143 section 11.12.5, as on the wire */
	uint8_t known;
	uint8_t octets[6];
};

struct opt_time { /* an event; CLOCK_MONOTONIC ns, 0 = known that there was none */
	uint64_t ns;
	uint8_t known;
};

/* A link to another object of the same fragment or snapshot: its position in its array. */
#define LINK_NONE UINT32_MAX

#define OPT_SET(field, v) ((field) = (__typeof__(field)){ .value = (v), .known = 1 })

#endif
