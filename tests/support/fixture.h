/* SPDX-License-Identifier: BSD-2-Clause */
/* Files below tests/fixtures, for unit tests, which run in the project's directory. */
#ifndef TESTS_SUPPORT_FIXTURE_H
#define TESTS_SUPPORT_FIXTURE_H

#include "base/buf.h"

/* The content of tests/fixtures/<name>; the caller frees it with buf_free. -ENOENT or a fatal
 * message. */
int fixture_read(const char *name, struct buf *out);

#endif
