/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_config.h"

#define BLANKS	 " \t"
#define OWN_NAME "iqn.2026-11.org.iscsi-agentx:probe"

bool probe_is_iscsi_name(const char *name)
{
	static const char *const types[] = { "iqn.", "eui.", "naa." };
	size_t length = strlen(name);

	if (length >= PROBE_NAME_MAX || !text_is_clean(name, length, length) ||
		strpbrk(name, BLANKS))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (strncmp(name, types[i], strlen(types[i])) == 0)
			return name[strlen(types[i])];
	return false;
}

/* The word at *at, cut off and copied; false when it is longer than any that would do. */
static bool take_word(const char **at, char out[PROBE_NAME_MAX])
{
	size_t length;

	*at += strspn(*at, BLANKS);
	length = strcspn(*at, BLANKS);
	if (length >= PROBE_NAME_MAX)
		return false;
	memcpy(out, *at, length);
	out[length] = '\0';
	*at += length;
	return true;
}

/* text_to_address takes "[fd00::1]", too, and text_to_endpoint needs a port. */
static int parse_portal(const char *text, struct probe_place *place)
{
	int rc = text_to_endpoint(text, &place->address, &place->port);

	if (rc == 0 || rc == -ENODEV)
		return rc;
	place->port = PROBE_PORT;
	return text_to_address(text, &place->address);
}

int probe_line_parse(const char *line, struct probe_place *ret, const char **ret_wrong)
{
	struct probe_place place = { .port = 0 };
	char portal[PROBE_NAME_MAX], rest[PROBE_NAME_MAX];
	int rc;

	*ret_wrong = "does not begin with the address of a portal (a name is not looked up)";
	if (!take_word(&line, portal))
		return -EINVAL;
	rc = parse_portal(portal, &place);
	if (rc == 0 && text_address_is_wildcard(&place.address)) {
		*ret_wrong = "has an address that is no portal's";
		return -EINVAL;
	}
	if (rc < 0 && rc != -ENODEV)
		return -EINVAL;
	if (!take_word(&line, place.target) ||
		(*place.target && !probe_is_iscsi_name(place.target))) {
		*ret_wrong = "has something behind the portal that is no iSCSI name";
		return -EINVAL;
	}
	if (!take_word(&line, rest) || *rest) {
		*ret_wrong = "has more than a portal and a target";
		return -EINVAL;
	}
	if (rc == -ENODEV)
		*ret_wrong = "has a zone that is no interface of this host now";
	else if (ret)
		*ret = place;
	return rc;
}

int probe_name_check(const char *name, const char **ret_wrong)
{
	if (strcmp(name, PROBE_NAME_AUTO) == 0 || probe_is_iscsi_name(name))
		return 0;
	*ret_wrong = "is no iSCSI name";
	return -EINVAL;
}

void probe_own_name(char out[PROBE_NAME_MAX], const char *configured, const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
	size_t used;

	if (strcmp(configured, PROBE_NAME_AUTO) != 0) {
		snprintf(out, PROBE_NAME_MAX, "%s", configured);
		return;
	}
	used = (size_t)snprintf(out, PROBE_NAME_MAX, OWN_NAME);
	if (!*host)
		return;
	snprintf(out + used, PROBE_NAME_MAX - used, ".%s", host);
	for (char *at = out + used; *at; at++) {
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
		else if (!strchr(allowed, *at))
			*at = '-';
	}
}

void probe_portal_text(char out[PROBE_PORTAL_TEXT], const struct probe_place *place)
{
	char address[64];

	snprintf(out, PROBE_PORTAL_TEXT, place->address.type == 1 ? "%s:%u" : "[%s]:%u",
		text_from_address(address, &place->address), place->port);
}
