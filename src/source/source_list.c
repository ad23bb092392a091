/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of all sources: a new one is one line here (docs/ADDING-A-SOURCE.md). Read by the
 * parent, the readers and the one-shot commands.
 */
#include "source/source.h"

extern const struct source_ops open_iscsi_source;
extern const struct source_ops lio_source;
extern const struct source_ops tgt_source;
extern const struct source_ops scst_source;
extern const struct source_ops multipath_source;
extern const struct source_ops probe_source;

const struct source_ops *const source_list[] = {
	&open_iscsi_source,
	&lio_source,
	&tgt_source,
	&scst_source,
	&multipath_source,
	&probe_source,
	NULL,
};

const struct source_ops *source_find(const char *name)
{
	for (size_t i = 0; source_list[i]; i++)
		if (!strcmp(source_list[i]->name, name))
			return source_list[i];
	return NULL;
}
