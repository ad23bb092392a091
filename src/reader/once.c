/* SPDX-License-Identifier: BSD-2-Clause */
#include "reader/once.h"

#include "base/clock.h"
#include "reader/collection.h"

struct once {
	struct units *units;
	int source;
};

static void keep_unit(void *context, const struct unit_result *result)
{
	struct once *o = context;
	struct unit_fragment fragment = { .data = result->fragment };
	char reason[128];

	if (result->error < 0) {
		units_failed(o->units, o->source, result->unit, 1, result->error, result->message);
		return;
	}
	if (fragment_check(result->fragment, result->length, reason) < 0) {
		unit_fragment_free(&fragment);
		units_failed(o->units, o->source, result->unit, 1, -EBADMSG, reason);
		return;
	}
	units_good(o->units, o->source, result->unit, 1, fragment, result->message, result->wall_ns,
		result->cpu_ns);
}

static int poll_one(const struct source_ops *ops, const struct source_env *env, uint64_t timeout_ns,
	struct once *o)
{
	struct collection *c = collection_new(keep_unit, o);
	struct source *source;
	int present, rc;

	if (!c)
		return -ENOMEM;
	present = rc = ops->detect(env);
	if (rc > 0) {
		rc = ops->open(env, &source);
		if (rc == 0) {
			rc = ops->collect(source, clock_now_ns() + timeout_ns, c);
			ops->close(source);
		}
	}
	units_done(o->units, o->source, 1, present > 0, rc < 0 ? rc : 0, "could not be read");
	collection_free(c);
	return 0;
}

int once_poll(const struct source_ops *const sources[], const struct source_env *env,
	uint64_t timeout_ns, struct units *units)
{
	for (size_t i = 0; sources[i]; i++) {
		struct once o = { .units = units };
		int rc;

		o.source = units_add_source(units, sources[i]->name);
		if (o.source < 0)
			return o.source;
		rc = poll_one(sources[i], env, timeout_ns, &o);
		if (rc < 0)
			return rc;
	}
	return 0;
}
