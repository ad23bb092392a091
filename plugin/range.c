/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/range.h"

#include <math.h>

/* A decimal number, and nothing else that strtod knows. */
static int parse_end(const char *text, size_t length, double *ret)
{
	char copy[RANGE_TEXT];
	char *end;

	if (length == 0 || length >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (strspn(copy, "0123456789.-") != length)
		return -EINVAL;
	*ret = strtod(copy, &end);
	return *end ? -EINVAL : 0;
}

int range_parse(const char *text, struct range *ret)
{
	struct range r = { .given = true, .low = 0, .high = INFINITY };
	const char *colon, *start = text;

	if (strlen(text) >= sizeof(r.text))
		return -EINVAL;
	snprintf(r.text, sizeof(r.text), "%s", text);
	if (*start == '@') {
		r.inside = true;
		start++;
	}
	colon = strchr(start, ':');
	if (colon) {
		if (colon - start == 1 && *start == '~')
			r.low = -INFINITY;
		else if (parse_end(start, (size_t)(colon - start), &r.low) < 0)
			return -EINVAL;
		start = colon + 1;
	}
	/* Nothing after the colon is no end; nothing at all is no range. */
	if ((*start || !colon) && parse_end(start, strlen(start), &r.high) < 0)
		return -EINVAL;
	if (r.low > r.high)
		return -EINVAL;
	*ret = r;
	return 0;
}

bool range_alerts(const struct range *range, double value)
{
	bool between = value >= range->low && value <= range->high;

	return range->given && between == range->inside;
}

bool range_alerts_from(const struct range *range, double least)
{
	if (range->inside)
		return range_alerts(range, least) && isinf(range->high);
	return range->given && least > range->high;
}
