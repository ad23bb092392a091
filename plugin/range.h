/* SPDX-License-Identifier: BSD-2-Clause */
/* The ranges of the plug-in API: `10`, `10:`, `~:10`, `10:20`, `@10:20`. */
#ifndef PLUGIN_RANGE_H
#define PLUGIN_RANGE_H

#include "base/base.h"

#define RANGE_TEXT 48 /* octets with NUL */

struct range {
	bool given;
	bool inside;	       /* @: a value between the ends, ends included, is wrong */
	double low, high;      /* -INFINITY, INFINITY: no end */
	char text[RANGE_TEXT]; /* as it was given: performance data repeat it */
};

/* Returns 0, or -EINVAL when `text` is no range or its low end is above its high one. */
int range_parse(const char *text, struct range *ret);

/* True when `value` is one that the range warns of; never when no range was given. */
bool range_alerts(const struct range *range, double value);

/* True when the range warns of `least` and of each greater value. */
bool range_alerts_from(const struct range *range, double least);

#endif
