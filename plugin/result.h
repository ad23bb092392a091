/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a check has found, and how the plug-in API wants it printed:
 *   ISCSI WARNING - text | performance data
 *   a line for each detail
 */
#ifndef PLUGIN_RESULT_H
#define PLUGIN_RESULT_H

#include "base/buf.h"
#include "plugin/range.h"

/* The exit statuses of the plug-in API. */
enum status { STATUS_OK, STATUS_WARNING, STATUS_CRITICAL, STATUS_UNKNOWN };

struct result {
	enum status status;
	struct buf text, details, performance;
};

#define RESULT_INIT                                                                               \
	{                                                                                         \
		.text = BUF_INIT(2048), .details = BUF_INIT(16384), .performance = BUF_INIT(4096) \
	}

void result_free(struct result *r);

/* The status becomes `status` if that is worse: critical, warning, unknown, ok. */
void result_raise(struct result *r, enum status status);

/* Adds to the first line. What would break it (|, control characters) is replaced. */
void result_text(struct result *r, const char *format, ...) PRINTF_LIKE(2, 3);

/* Adds a line below the first; what does not fit any more is left away. */
void result_detail(struct result *r, const char *format, ...) PRINTF_LIKE(2, 3);

/*
 * Performance data: a label without blanks, a value, its unit ("" or "c"), and the ranges, which
 * may be NULL. The status follows from the ranges.
 */
void result_value(struct result *r, const char *label, uint64_t value, const char *unit,
	const struct range *warning, const struct range *critical);

/*
 * Of a value only known to be `least` or more: the status follows from the ranges that alert
 * whatever it is; no performance data.
 */
void result_least(struct result *r, uint64_t least, const struct range *warning,
	const struct range *critical);

/* Prints all of it; returns the exit status. */
int result_print(const struct result *r, FILE *out);

#endif
