/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugin/result.h"

#include <stdarg.h>

#define LINE_MAX_OCTETS 1024

void result_free(struct result *r)
{
	buf_free(&r->text);
	buf_free(&r->details);
	buf_free(&r->performance);
}

void result_raise(struct result *r, enum status status)
{
	/* Something known to be wrong is worse than something not known. */
	static const int rank[] = {
		[STATUS_OK] = 0, [STATUS_UNKNOWN] = 1, [STATUS_WARNING] = 2, [STATUS_CRITICAL] = 3
	};

	if (rank[status] > rank[r->status])
		r->status = status;
}

/* What was printed into `text`, safe for one line of the API. */
static const char *clean(char *text)
{
	for (char *c = text; *c; c++) {
		if (*c == '|' || (unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return text;
}

void result_text(struct result *r, const char *format, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) >= 0)
		buf_text(&r->text, clean(text));
	va_end(args);
}

void result_detail(struct result *r, const char *format, ...)
{
	char text[LINE_MAX_OCTETS];
	va_list args;

	va_start(args, format);
	if (vsnprintf(text, sizeof(text), format, args) >= 0)
		buf_printf(&r->details, "\n%s", clean(text));
	va_end(args);
}

static const char *range_text(const struct range *range)
{
	return range && range->given ? range->text : "";
}

void result_value(struct result *r, const char *label, uint64_t value, const char *unit,
	const struct range *warning, const struct range *critical)
{
	buf_printf(&r->performance, "%s%s=%llu%s;%s;%s;0", r->performance.length ? " " : "", label,
		(unsigned long long)value, unit, range_text(warning), range_text(critical));
	if (critical && range_alerts(critical, (double)value))
		result_raise(r, STATUS_CRITICAL);
	else if (warning && range_alerts(warning, (double)value))
		result_raise(r, STATUS_WARNING);
}

void result_least(
	struct result *r, uint64_t least, const struct range *warning, const struct range *critical)
{
	if (range_alerts_from(critical, (double)least))
		result_raise(r, STATUS_CRITICAL);
	else if (range_alerts_from(warning, (double)least))
		result_raise(r, STATUS_WARNING);
}

int result_print(const struct result *r, FILE *out)
{
	static const char *const names[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };

	fprintf(out, "ISCSI %s - %s", names[r->status], r->text.data ? r->text.data : "");
	if (r->performance.length)
		fprintf(out, " | %s", r->performance.data);
	fprintf(out, "%s\n", r->details.data ? r->details.data : "");
	/* Nobody reads a status that nobody could print. */
	return fflush(out) == 0 ? (int)r->status : (int)STATUS_UNKNOWN;
}
