/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every file of the project uses: integer types, automatic clean-up of OS handles, array
 * sizes. Functions return 0 or a positive count on success and a negative errno on failure;
 * outputs (`ret_…` or the last parameters) are untouched on failure; destructors take NULL.
 */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#define PRINTF_LIKE(format_at, first_at) __attribute__((format(printf, format_at, first_at)))

/* CLEANUP_FREE char *text = NULL; frees at the end of the scope. */
#define CLEANUP_FREE __attribute__((cleanup(cleanup_free)))
/* CLEANUP_FD int fd = -1; closes at the end of the scope. */
#define CLEANUP_FD __attribute__((cleanup(cleanup_fd)))

static inline void cleanup_free(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0) {
		int saved = errno;
		close(*fd);
		errno = saved;
	}
}

/* Hands an fd or a pointer over to the caller and disarms its clean-up. */
static inline int steal_fd(int *fd)
{
	int taken = *fd;
	*fd = -1;
	return taken;
}

#define steal_pointer(p)                    \
	({                                  \
		__typeof__(*(p)) *_p = (p); \
		__typeof__(*(p)) _v = *_p;  \
		*_p = NULL;                 \
		_v;                         \
	})

#include "base/banned.h"

#endif
