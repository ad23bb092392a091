/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SOURCE_SOURCE_SELECT_H
#define SOURCE_SOURCE_SELECT_H

#include "source/source.h"

#define SOURCES_MAX 16

/*
 * Looks at a list for source_select: 0, or -EINVAL with a static text that completes "the line ..."
 * when a word is neither "all" nor the name of a source, or when there is no word.
 */
int source_names_check(const char *names, const char **ret_wrong);

/*
 * The sources that `names` lists ("all", or names separated by blanks or commas), in the order of
 * source_list, NULL at the end. A name that is no source is passed over. Returns their number.
 */
int source_select(const char *names, const struct source_ops *ret[SOURCES_MAX + 1]);

#endif
