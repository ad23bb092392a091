/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/source_select.h"

#define SEPARATORS ", \t"

static bool is_word(const char *word, size_t length, const char *name)
{
	return strlen(name) == length && memcmp(word, name, length) == 0;
}

/* True when `names` has the word. */
static bool has_word(const char *names, const char *name)
{
	for (const char *p = names + strspn(names, SEPARATORS); *p;) {
		size_t length = strcspn(p, SEPARATORS);

		if (is_word(p, length, name))
			return true;
		p += length;
		p += strspn(p, SEPARATORS);
	}
	return false;
}

int source_names_check(const char *names, const char **ret_wrong)
{
	const char *p = names + strspn(names, SEPARATORS);

	*ret_wrong = "names no source";
	if (!*p)
		return -EINVAL;
	while (*p) {
		size_t length = strcspn(p, SEPARATORS);
		bool known = is_word(p, length, "all");

		for (size_t i = 0; source_list[i] && !known; i++)
			known = is_word(p, length, source_list[i]->name);
		*ret_wrong = "has a word that is no source";
		if (!known)
			return -EINVAL;
		p += length;
		p += strspn(p, SEPARATORS);
	}
	return 0;
}

int source_select(const char *names, const struct source_ops *ret[SOURCES_MAX + 1])
{
	bool all = has_word(names, "all");
	int count = 0;

	for (size_t i = 0; source_list[i] && count < SOURCES_MAX; i++) {
		if (all || has_word(names, source_list[i]->name))
			ret[count++] = source_list[i];
	}
	ret[count] = NULL;
	return count;
}
