/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_names.h"

#include "source/open_iscsi_read.h"

#include <strings.h>

#define SESSIONS "/sys/class/iscsi_session"

/* Names are compared in lower case, RFC 7143 section 4.2.7.1. */
static bool is_same(const char *a, const char *b)
{
	return a && strcasecmp(a, b) == 0;
}

static bool has_session(struct root *root, const char *name)
{
	CLEANUP_BUF struct buf sessions = BUF_INIT(ROOT_ANSWER_MAX);
	int count = root_list(root, SESSIONS, &sessions);
	const char *at = sessions.data;

	for (int i = 0; i < count; i++, at += strlen(at) + 1) {
		char own[1024];

		if (oiscsi_read_value(root, own, sizeof(own), SESSIONS "/%s/initiatorname", at) >
				0 &&
			is_same(own, name))
			return true;
	}
	return false;
}

bool probe_name_is_taken(struct root *root, const struct oiscsi_records *records, const char *name)
{
	if (is_same(records->initiator_name, name))
		return true;
	for (size_t i = 0; i < records->iface_count; i++)
		if (is_same(records->ifaces[i].initiator_name, name))
			return true;
	for (size_t i = 0; i < records->nodes.count; i++)
		if (is_same(records->nodes.list[i].initiator_name, name))
			return true;
	return has_session(root, name);
}
