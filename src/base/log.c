/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/log.h"

#include <stdarg.h>

static log_sink_fn *current_sink;
static int current_level = LOG_INFO;

void log_set_sink(log_sink_fn *sink)
{
	current_sink = sink;
}

void log_set_level(int priority)
{
	current_level = priority;
}

void log_message(int priority, const char *format, ...)
{
	char message[1024];
	va_list args;
	int saved = errno;

	if (priority > current_level)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	for (char *c = message; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	}
	if (current_sink)
		current_sink(priority, message);
	else
		fprintf(stderr, "%s\n", message);
	errno = saved;
}
