/* SPDX-License-Identifier: BSD-2-Clause */
/* Probes: columns that are more than one field. Called by the engine. */
#include "agent/path_mib_values.h"

#include "model/path.h"
#include "model/words.h"

bool encode_probe_portal(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct probe *probe = cell->row->object;
	char text[80];

	path_endpoint(text, &probe->portal_address, &probe->portal_port);
	return *text ? mib_show_text(cell, text, strlen(text), ret) : mib_encode_nothing(cell, ret);
}

bool encode_probe_login_text(const struct mib_cell *cell, struct mib_value *ret)
{
	const struct probe *probe = cell->row->object;
	const char *text = words_of_login(probe->login_class.value, probe->login_detail.value);

	return probe->login_class.known && probe->login_detail.known
		       ? mib_show_text(cell, text, strlen(text), ret)
		       : mib_encode_nothing(cell, ret);
}
