/* SPDX-License-Identifier: BSD-2-Clause */
/* Which notifications are sent: the option `notifications`. */
#ifndef AGENT_NOTIFY_SELECT_H
#define AGENT_NOTIFY_SELECT_H

#include "model/event.h"

/*
 * Words separated by blanks or commas, from left to right: `all`, `none`, the word of a type
 * (event_type.def) adds it, with a minus before it takes it away. A list that begins with a minus
 * begins with all. Types without a notification are never set. Returns 0, or -EINVAL when a word is
 * none of these (*ret is untouched then). `ret` may be NULL.
 */
int notify_select(const char *words, bool ret[EVENT_TYPES]);

#endif
