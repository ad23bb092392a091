/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of names and patterns, separated by commas, as -T has them. */
#ifndef PLUGIN_PATTERN_H
#define PLUGIN_PATTERN_H

#include "base/base.h"

/* True when a pattern of the list fits `name`, letters alike in both cases; NULL fits all. */
bool pattern_list_fits(const char *list, const char *name);

/* True when it is a name, which fits no other one: nothing in it stands for something else. */
bool pattern_is_name(const char *pattern);

/* True when an element of the list is `name`, in full; NULL has none. */
bool pattern_list_names(const char *list, const char *name);

/*
 * The element that begins at *at, copied into `out` (cut to its size); *at moves behind it. Returns
 * false at the end of the list.
 */
bool pattern_next(const char **at, char *out, size_t size);

#endif
