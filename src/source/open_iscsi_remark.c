/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a manager should know of rows that are missing. Called by open_iscsi.c in the reader process
 * after everything was read.
 */
#include "source/open_iscsi_devices.h"
#include "source/open_iscsi_model.h"
#include "source/open_iscsi_paths.h"

/* A session that has just begun may not have its names yet: the next poll tells. */
static bool is_settled(const struct oiscsi *o, const struct oiscsi_session *session)
{
	return session->present && (o->poll == 1 || session->first_poll < o->poll);
}

const char *oiscsi_remark(const struct oiscsi *o)
{
	bool without_row = false, without_path = false;

	for (size_t i = 0; i < o->session_count; i++) {
		const struct oiscsi_session *session = o->sessions[i];

		if (!is_settled(o, session))
			continue;
		if (!oiscsi_session_is_shown(session))
			without_row = true;
		else if (session->connection_count && (!session->extra || !session->extra->is_path))
			without_path = true;
	}
	if (without_row)
		return "a session has no row: the name of its target cannot be read";
	if (without_path)
		return "a session has no path: its names or its configured portal cannot be read";
	if (o->records.incomplete)
		return "a record of open-iscsi cannot be read";
	if (o->devices && !o->devices->listed)
		return "the SCSI devices cannot be listed";
	return "";
}
