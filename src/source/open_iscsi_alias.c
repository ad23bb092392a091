/* SPDX-License-Identifier: BSD-2-Clause */
/* Called by open_iscsi.c in the reader process of the source. */
#include "source/open_iscsi_alias.h"

#include "source/open_iscsi_daemon.h"

/* An iscsid that runs is the one that made the sessions, but after it was started anew. */
#define CREATORS_MAX 16u

static bool find_by_creator(const struct oiscsi *o, uint32_t *ret_pid)
{
	const char *last = "";
	unsigned int tried = 0;

	for (size_t i = 0; i < o->session_count && tried < CREATORS_MAX; i++) {
		const char *creator = o->sessions[i]->creator;
		uint32_t pid;

		if (strcmp(creator, last) == 0 || text_to_u32(creator, INT32_MAX, &pid) < 0 || !pid)
			continue;
		last = creator;
		tried++;
		if (oiscsi_daemon_is(o->root, pid)) {
			*ret_pid = pid;
			return true;
		}
	}
	return false;
}

void oiscsi_alias_read(struct oiscsi *o, bool fresh)
{
	uint32_t pid;

	if ((!fresh && o->iscsid_pid) || !o->session_count || !o->records.alias[0] ||
		(o->iscsid_pid && oiscsi_daemon_is(o->root, o->iscsid_pid)))
		return;
	if (!find_by_creator(o, &pid) && oiscsi_daemon_find(o->root, &pid) != OISCSI_DAEMON_RUNS)
		return;
	if (pid == o->iscsid_pid)
		return;
	o->iscsid_pid = pid;
	memcpy(o->alias, o->records.alias, sizeof(o->alias));
}
