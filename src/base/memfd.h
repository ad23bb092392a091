/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory handed from process to process: a memfd with its content sealed, so that the receiver can
 * check it where it is and nobody changes it afterwards.
 */
#ifndef BASE_MEMFD_H
#define BASE_MEMFD_H

#include "base/base.h"

/* A sealed memfd with a copy of the data. Returns the descriptor or a negative errno. */
int memfd_seal(const char *name, const void *data, size_t length);

/*
 * Maps a received memfd for reading: it must be sealed against writing and resizing, and be just
 * `length` octets long (1 or more). `fd` stays the caller's and may be closed afterwards; *ret is
 * unmapped with munmap(2). Returns 0, -EPERM (not sealed), -EMSGSIZE (another size), -ENOMEM.
 */
int memfd_map(int fd, size_t length, const void **ret);

/*
 * Copies `length` octets from `at` octets of a memfd on. What memfd_map has taken once gives the
 * same octets for ever. Returns 0 or a negative errno, -EIO when there are not so many.
 */
int memfd_read(int fd, void *to, size_t length, uint64_t at);

#endif
