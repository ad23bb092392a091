/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A growing octet buffer with a hard limit. The first failure (no memory, limit passed) sticks:
 * later appends do nothing, so that a writer may check once at its end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

struct buf {
	char *data;	 /* NUL-terminated whenever not NULL; the NUL is not part of length */
	size_t length;	 /* octets */
	size_t capacity; /* octets allocated */
	size_t limit;	 /* octets; appends beyond it fail with -E2BIG */
	int error;	 /* 0 or the first -errno */
};

#define BUF_INIT(limit_octets)          \
	{                               \
		.limit = (limit_octets) \
	}

/* Frees the content; the buffer can be used again. */
void buf_free(struct buf *b);

/* Empties the buffer and its error, keeps its memory. */
void buf_reset(struct buf *b);

/*
 * Makes room for `length` more octets and a NUL. Returns 0, -E2BIG or -ENOMEM (also kept in
 * b->error). After it b->data + b->length may be written; add to b->length what was written.
 */
int buf_reserve(struct buf *b, size_t length);

/* Appends; returns 0 or the sticking error. */
int buf_append(struct buf *b, const void *data, size_t length);
int buf_text(struct buf *b, const char *text);
int buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

#define CLEANUP_BUF __attribute__((cleanup(buf_free)))

#endif
