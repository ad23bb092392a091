/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/notify_select.h"

#include <strings.h>

#define SEPARATORS " \t,"

static bool has_notification(uint32_t type)
{
	const char *name = event_type_notification(type);

	return name && *name;
}

static void set_all(bool ret[EVENT_TYPES], bool value)
{
	for (uint32_t type = 0; type < EVENT_TYPES; type++)
		ret[type] = value && has_notification(type);
}

static bool word_is(const char *word, size_t length, const char *text)
{
	return strlen(text) == length && strncasecmp(word, text, length) == 0;
}

/* EVENT_NONE when there is none of that name. */
static uint32_t find_type(const char *word, size_t length)
{
	for (uint32_t type = 1; type < EVENT_TYPES; type++) {
		const char *name = event_type_word(type);

		if (name && has_notification(type) && word_is(word, length, name))
			return type;
	}
	return EVENT_NONE;
}

int notify_select(const char *words, bool ret[EVENT_TYPES])
{
	const char *at = words + strspn(words, SEPARATORS);
	bool chosen[EVENT_TYPES];

	set_all(chosen, *at == '-');
	while (*at) {
		size_t length = strcspn(at, SEPARATORS);
		bool minus = *at == '-';
		uint32_t type = find_type(at + minus, length - minus);

		if (word_is(at, length, "all") || word_is(at, length, "none"))
			set_all(chosen, word_is(at, length, "all"));
		else if (type != EVENT_NONE)
			chosen[type] = !minus;
		else
			return -EINVAL;
		at += length;
		at += strspn(at, SEPARATORS);
	}
	if (ret)
		memcpy(ret, chosen, sizeof(chosen));
	return 0;
}
