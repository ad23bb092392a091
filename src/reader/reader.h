/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader process: it reads one source when it is asked to, and does nothing else. */
#ifndef READER_READER_H
#define READER_READER_H

#include "source/source.h"

/*
 * Serves requests on `socket` (reader/protocol.h) until its other end is closed. The whole life of
 * a reader process, after the parent has given it its privileges. Returns its exit status.
 */
int reader_run(const struct source_ops *ops, const struct source_env *env, int socket);

#endif
