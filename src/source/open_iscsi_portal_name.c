/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/open_iscsi_portal_name.h"

/* "fe80::1%eth0", with or without brackets, into its two parts. */
static void split_zone(const char *text, char bare[256], char zone[64])
{
	size_t length, percent;

	text += *text == '[';
	length = strcspn(text, "]");
	percent = strcspn(text, "%");
	if (percent > length)
		percent = length;
	snprintf(bare, 256, "%.*s", (int)percent, text);
	snprintf(zone, 64, "%.*s", percent < length ? (int)(length - percent) : 0, text + percent);
}

void oiscsi_portal_name(
	struct root *root, const char *address, uint32_t port, struct oiscsi_portal_name *ret)
{
	char bare[256], zone[64], canonical[64];
	struct text_address parsed;

	memset(ret, 0, sizeof(*ret));
	ret->port = port;
	split_zone(address, bare, zone);
	if (text_to_address(bare, &parsed) < 0) {
		snprintf(ret->host, sizeof(ret->host), "%.255s", address);
		snprintf(ret->text, sizeof(ret->text), "%s:%u", ret->host, port);
		return;
	}
	text_from_address(canonical, &parsed);
	snprintf(ret->text, sizeof(ret->text), parsed.type == 1 ? "%s%s:%u" : "[%s%s]:%u",
		canonical, parsed.type == 1 ? "" : zone, port);
	if (!*zone || root_to_address(root, address, &parsed) == 0)
		ret->address = parsed;
}
