/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader/collection.h"

#include "base/clock.h"
#include "model/path.h"

#include <stdarg.h>

struct collection {
	unit_result_fn *give;
	void *context;
	struct builder *builder;
	char unit[UNIT_NAME_MAX];
	char note[UNIT_MESSAGE_MAX];
	uint64_t wall_began_ns, cpu_began_ns;
};

struct collection *collection_new(unit_result_fn *give, void *context)
{
	struct collection *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->give = give;
	c->context = context;
	c->builder = builder_new();
	if (!c->builder) {
		free(c);
		return NULL;
	}
	return c;
}

void collection_free(struct collection *c)
{
	if (!c)
		return;
	builder_free(c->builder);
	free(c);
}

struct builder *collection_begin(struct collection *c, const char *unit)
{
	snprintf(c->unit, sizeof(c->unit), "%s", unit);
	c->wall_began_ns = clock_now_ns();
	c->cpu_began_ns = clock_cpu_ns();
	builder_reset(c->builder);
	c->note[0] = '\0';
	return c->builder;
}

void collection_note(struct collection *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->note, sizeof(c->note), format, args);
	va_end(args);
}

static void give(struct collection *c, int error, const char *message, struct fragment *fragment,
	size_t length)
{
	struct unit_result result = {
		.unit = c->unit,
		.error = error,
		.message = message,
		.fragment = fragment,
		.length = length,
		.wall_ns = clock_now_ns() - c->wall_began_ns,
		.cpu_ns = clock_cpu_ns() - c->cpu_began_ns,
	};

	c->give(c->context, &result);
}

int collection_end(struct collection *c)
{
	struct fragment *fragment = NULL;
	size_t length = 0;
	int rc = path_complete(c->builder);

	if (rc == 0)
		rc = builder_seal(c->builder, &fragment, &length);

	if (rc < 0) {
		give(c, rc,
			rc == -E2BIG ? "it has more objects than a reader accepts"
				     : "no memory for its objects",
			NULL, 0);
		return rc;
	}
	give(c, 0, c->note, fragment, length);
	return 0;
}

void collection_fail(struct collection *c, int error, const char *format, ...)
{
	char message[UNIT_MESSAGE_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	give(c, error < 0 ? error : -EIO, message, NULL, 0);
}
