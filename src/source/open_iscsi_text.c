/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attributes and names in sysfs. Used by the source open-iscsi in its reader process. No I/O; must
 * never take a text for well-formed.
 */
#include "source/open_iscsi_text.h"

#include "base/text.h"

#include <ctype.h>

bool oiscsi_value(char *text, ssize_t octets)
{
	size_t length = octets > 0 ? (size_t)octets : 0;
	size_t begin = 0;

	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (memchr(text, '\0', length))
		length = 0;
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	while (begin < length && (text[begin] == ' ' || text[begin] == '\t'))
		begin++;
	memmove(text, text + begin, length - begin);
	text[length - begin] = '\0';
	if (strcmp(text, "(null)") == 0 || strcmp(text, "<NULL>") == 0)
		text[0] = '\0';
	return text[0] != '\0';
}

enum oiscsi_state oiscsi_state_parse(const char *value)
{
	if (strcmp(value, "LOGGED_IN") == 0)
		return OISCSI_LOGGED_IN;
	if (strcmp(value, "FAILED") == 0)
		return OISCSI_FAILED;
	if (strcmp(value, "FREE") == 0)
		return OISCSI_FREE;
	return OISCSI_STATE_UNKNOWN;
}

enum oiscsi_link oiscsi_link_parse(const char *value)
{
	if (strcmp(value, "up") == 0)
		return OISCSI_UP;
	if (strcmp(value, "down") == 0)
		return OISCSI_DOWN;
	if (strcmp(value, "failed") == 0)
		return OISCSI_LINK_FAILED;
	if (strcmp(value, "bound") == 0)
		return OISCSI_BOUND;
	return OISCSI_LINK_UNKNOWN;
}

uint32_t oiscsi_connection_state(
	enum oiscsi_state session, enum oiscsi_link connection, bool unbinding, bool class_link)
{
	enum { NOTHING_KNOWN = 0, LOGIN = 1, FULL = 2, LOGOUT = 3 };
	bool lost;

	if (!class_link)
		connection = OISCSI_LINK_UNKNOWN;
	/* While a login goes on the connection is bound; the session keeps the state that it had.
	 */
	lost = connection == OISCSI_LINK_FAILED || connection == OISCSI_DOWN;
	if (unbinding && session != OISCSI_FAILED && connection != OISCSI_LINK_FAILED)
		return LOGOUT;
	switch (session) {
	case OISCSI_LOGGED_IN:
		return lost ? LOGIN : FULL;
	case OISCSI_FAILED:
	case OISCSI_FREE:
		return LOGIN;
	case OISCSI_STATE_UNKNOWN:
		break;
	}
	/* A connection that is up or bound may be so before and after the session has logged in. */
	return lost ? LOGIN : NOTHING_KNOWN;
}

/* A number as the kernel prints it: digits, no sign, no zero before others. Up to INT32_MAX. */
static bool number_parse(const char *text, size_t length, uint32_t *ret)
{
	uint64_t value = 0;

	if (length == 0 || length > 10 || (length > 1 && text[0] == '0'))
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = 10 * value + (uint64_t)(text[i] - '0');
	}
	if (value > INT32_MAX)
		return false;
	*ret = (uint32_t)value;
	return true;
}

bool oiscsi_number_after(const char *name, const char *word, uint32_t *ret)
{
	size_t length = strlen(word);

	return strncmp(name, word, length) == 0 &&
	       number_parse(name + length, strlen(name + length), ret);
}

bool oiscsi_connection_name(const char *name, uint32_t *ret_sid, uint32_t *ret_cid)
{
	static const char word[] = "connection";
	const char *digits = name + sizeof(word) - 1, *colon;
	uint32_t sid, cid;

	if (strncmp(name, word, sizeof(word) - 1) != 0)
		return false;
	colon = strchr(digits, ':');
	if (!colon || !number_parse(digits, (size_t)(colon - digits), &sid) ||
		!number_parse(colon + 1, strlen(colon + 1), &cid) || cid > UINT16_MAX)
		return false;
	*ret_sid = sid;
	*ret_cid = cid;
	return true;
}

bool oiscsi_host_of_link(const char *target, uint32_t sid, uint32_t *ret)
{
	uint32_t host = 0, number;
	bool found = false;

	while (*target) {
		char component[32];
		size_t length;

		target += strspn(target, "/");
		length = strcspn(target, "/");
		if (length > 0 && length < sizeof(component)) {
			memcpy(component, target, length);
			component[length] = '\0';
			if (oiscsi_number_after(component, "host", &number)) {
				host = number;
				found = true;
			} else if (oiscsi_number_after(component, "session", &number) &&
				   number == sid) {
				break;
			}
		}
		target += length;
	}
	/* Without the component of the session it is the path of something else. */
	if (!found || !*target)
		return false;
	*ret = host;
	return true;
}

bool oiscsi_isid_parse(const char *value, uint8_t ret[6])
{
	uint8_t octets[6];

	if (strlen(value) != 12)
		return false;
	for (size_t i = 0; i < 12; i++) {
		unsigned int digit;

		if (!isxdigit((unsigned char)value[i]))
			return false;
		digit = value[i] <= '9' ? (unsigned int)(value[i] - '0')
					: (unsigned int)((value[i] | 0x20) - 'a' + 10);
		octets[i / 2] = (uint8_t)(i % 2 ? octets[i / 2] << 4 | digit : digit);
	}
	memcpy(ret, octets, 6);
	return true;
}

const char *oiscsi_transport_of_driver(const char *proc_name)
{
	static const char prefix[] = "iscsi_";
	size_t length = sizeof(prefix) - 1;

	return strncmp(proc_name, prefix, length) == 0 ? proc_name + length : proc_name;
}

bool oiscsi_release_is_since(const char *release, uint32_t major, uint32_t minor)
{
	size_t major_length = strspn(release, "0123456789");
	uint32_t is_major, is_minor;
	const char *rest;

	if (release[major_length] != '.')
		return false;
	rest = release + major_length + 1;
	if (!number_parse(release, major_length, &is_major) ||
		!number_parse(rest, strspn(rest, "0123456789"), &is_minor))
		return false;
	return is_major != major ? is_major > major : is_minor >= minor;
}
