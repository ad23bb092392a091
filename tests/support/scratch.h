/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A private directory below TMPDIR for one unit test, and the files in it. Each function ends the
 * test program with a message when it fails: a test cannot go on without its files. Paths given
 * to it begin with '/' and are below the directory.
 */
#ifndef TESTS_SUPPORT_SCRATCH_H
#define TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* Makes the directory; its name is scratch_path(""). */
void scratch_begin(void);
/* Removes it with all that is in it; links are not followed. */
void scratch_end(void);

/* The path on the machine. One of four static buffers, used in turn. */
const char *scratch_path(const char *path);

void scratch_dir(const char *path);
void scratch_file(const char *path, const void *content, size_t length);
void scratch_text(const char *path, const char *text);
void scratch_link(const char *path, const char *target);

/* The content of a file, NUL-terminated; freed by the caller. */
char *scratch_read(const char *path, size_t *ret_length);

#endif
