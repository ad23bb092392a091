/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_model.h"

/* "" is what was not told. */
static void set_told(struct builder *b, struct opt_str *field, const char *text)
{
	if (*text)
		builder_text(b, field, text);
}

static void set_outcome(struct builder *b, struct probe *row, const struct probe_entry *entry)
{
	const struct probe_outcome *o = &entry->outcome;

	OPT_SET(row->result, o->result);
	builder_text(b, &row->text, o->text);
	row->connect_us = o->connect_us;
	row->login_us = o->login_us;
	row->ping_us = o->ping_us;
	row->login_class = o->login_class;
	row->login_detail = o->login_detail;
	row->target_count = o->target_count;
	row->tag = o->keys.tag;
	row->max_recv_data_segment_length = o->keys.max_recv;
	set_told(b, &row->alias, o->keys.alias);
	set_told(b, &row->redirect, o->keys.redirect);
	set_told(b, &row->keys, o->keys.other);
	OPT_SET(row->failures, entry->failures);
}

static int add(struct builder *b, const struct probe_entry *entry, const char *name)
{
	struct probe *row = builder_probe(b, NULL);

	if (!row)
		return builder_error(b);
	builder_text(b, &row->key, entry->key);
	OPT_SET(row->origin, entry->origin);
	builder_address(&row->portal_address, &entry->place.address);
	OPT_SET(row->portal_port, entry->place.port);
	builder_text(b, &row->target_name, entry->place.target);
	builder_text(b, &row->initiator_name, name);
	row->probed = (struct opt_time){ .ns = entry->probed_ns, .known = 1 };
	row->answered = (struct opt_time){ .ns = entry->answered_ns, .known = 1 };
	if (entry->probed_ns)
		set_outcome(b, row, entry);
	return builder_error(b);
}

int probe_model_build(struct builder *b, const struct probe_entries *entries, const char *name)
{
	int rc = 0;

	for (size_t i = 0; i < entries->count && rc == 0; i++)
		rc = add(b, entries->list[i], name);
	return rc;
}
