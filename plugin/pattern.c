/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/pattern.h"

#include <fnmatch.h>

bool pattern_next(const char **at, char *out, size_t size)
{
	size_t length;

	*at += strspn(*at, ", ");
	length = strcspn(*at, ", ");
	if (length == 0)
		return false;
	snprintf(out, size, "%.*s", (int)length, *at);
	*at += length;
	return true;
}

bool pattern_list_fits(const char *list, const char *name)
{
	char pattern[256];

	if (!list)
		return true;
	while (pattern_next(&list, pattern, sizeof(pattern))) {
		if (fnmatch(pattern, name, FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}

bool pattern_is_name(const char *pattern)
{
	return !strpbrk(pattern, "*?[\\");
}

bool pattern_list_names(const char *list, const char *name)
{
	char pattern[256];

	while (list && pattern_next(&list, pattern, sizeof(pattern))) {
		if (pattern_is_name(pattern) && fnmatch(pattern, name, FNM_CASEFOLD) == 0)
			return true;
	}
	return false;
}
