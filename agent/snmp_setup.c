/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/snmp_setup.h"

#include "agent/snmp_access.h"
#include "agent/snmp_listen.h"

static bool is_same(const struct snmp_settings *settings, const char *text, size_t length)
{
	return settings->access && length == settings->access_length &&
	       memcmp(text, settings->access, length) == 0;
}

int snmp_setup_access(struct snmp_settings *settings, const char *path, bool again)
{
	struct access_summary summary;
	size_t length = 0;
	char *text = access_load(path, &length);
	int rc;

	if (!text)
		return -EIO;
	access_check(text, length, path, &summary);
	rc = again && summary.bad ? -EINVAL : !is_same(settings, text, length);
	if (rc <= 0) {
		access_free(text, length);
		return rc;
	}
	snmp_setup_free(settings);
	settings->access = text;
	settings->access_length = length;
	return rc;
}

int snmp_setup(struct snmp_settings *settings, const char *path, const char *addresses)
{
	int rc = snmp_setup_access(settings, path, false);

	if (rc >= 0)
		rc = listen_open(addresses);
	settings->access_path = path;
	return rc < 0 ? rc : 0;
}

void snmp_setup_free(struct snmp_settings *settings)
{
	access_free((char *)(uintptr_t)settings->access, settings->access_length);
	settings->access = NULL;
	settings->access_length = 0;
}
