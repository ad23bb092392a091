/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Functions that cannot be called safely, or that start another program, do not compile here:
 * -Werror=deprecated-declarations makes a call of one an error in every build. Included by
 * base.h, so that every file of the project has it. (`make lint` finds atoi and atol, which glibc
 * defines inline.)
 */
#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/* clang refuses the attribute where _FORTIFY_SOURCE has defined the function inline. */
#if defined(__clang__) && defined(_FORTIFY_SOURCE)
#define BANNED
#else
#define BANNED __attribute__((deprecated("banned in this project, see base/banned.h")))
#endif

BANNED char *strcpy(char *, const char *);
BANNED char *strcat(char *, const char *);
BANNED char *strncpy(char *, const char *, size_t);
BANNED char *strncat(char *, const char *, size_t);
BANNED int sprintf(char *, const char *, ...);
BANNED char *strtok(char *, const char *);
BANNED int system(const char *);
BANNED FILE *popen(const char *, const char *);

#undef BANNED

#endif
