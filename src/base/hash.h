/* SPDX-License-Identifier: BSD-2-Clause */
/* FNV-1a, 64 bits: for hash tables and to notice damage to a file, not against a forger. */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include "base/base.h"

#define HASH_INIT UINT64_C(0xcbf29ce484222325)

/* Continues `hash` (HASH_INIT at first) over `length` octets. */
static inline uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
	const unsigned char *p = data;

	while (length--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

#endif
