/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOURCE_SOURCE_SELECT_H
#define SOURCE_SOURCE_SELECT_H

#include "source/source.h"

#define SOURCES_MAX 16

/*
 * The sources that `names` lists ("all", or names separated by blanks or commas), in the order of
 * source_list, NULL at the end. A name that is no source is logged and left out. Returns their
 * number.
 */
int source_select(const char *names, const struct source_ops *ret[SOURCES_MAX + 1]);

#endif
