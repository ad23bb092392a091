/* SPDX-License-Identifier: BSD-2-Clause */
/* Options of the source probe: lines, names, and what the configuration refuses. */
#include "agent/config.h"
#include "source/probe_config.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NAME "iqn.2004-10.org.example:disk"

static void good_lines_are_taken_apart(void **state)
{
	static const struct {
		const char *line, *portal, *target;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.1:3260", "" },
		{ " 10.0.0.1:860\t ", "10.0.0.1:860", "" },
		{ "10.0.0.1:3261 " NAME, "10.0.0.1:3261", NAME },
		{ "10.0.0.1\t" NAME " ", "10.0.0.1:3260", NAME },
		{ "fd00::1", "[fd00::1]:3260", "" },
		{ "[fd00::1] eui.02004567A425678D", "[fd00::1]:3260", "eui.02004567A425678D" },
		{ "[FD00:0::1]:65535 naa.52004567BA64678D", "[fd00::1]:65535",
			"naa.52004567BA64678D" },
		{ "::ffff:10.0.0.1", "10.0.0.1:3260", "" },
		{ "[fe80::1%1]:3260", "[fe80::1%1]:3260", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct probe_place place;
		char portal[PROBE_PORTAL_TEXT];
		const char *wrong;

		assert_int_equal(probe_line_parse(rows[i].line, &place, &wrong), 0);
		assert_int_equal(probe_line_parse(rows[i].line, NULL, &wrong), 0);
		probe_portal_text(portal, &place);
		assert_string_equal(portal, rows[i].portal);
		assert_string_equal(place.target, rows[i].target);
	}
}

static void bad_lines_say_why(void **state)
{
	static const struct {
		const char *line, *wrong;
	} rows[] = {
		{ "", "does not begin with the address" },
		{ "array.example", "does not begin with the address" },
		{ "array.example:3260 " NAME, "does not begin with the address" },
		{ "10.0.0.1:0", "does not begin with the address" },
		{ "10.0.0.1:65536", "does not begin with the address" },
		{ "10.0.0.1,1", "does not begin with the address" },
		{ "10.0.0", "does not begin with the address" },
		{ NAME " 10.0.0.1", "does not begin with the address" },
		{ "0.0.0.0", "no portal's" },
		{ "[::]:3260", "no portal's" },
		{ "10.0.0.1 disk", "no iSCSI name" },
		{ "10.0.0.1 iqn.", "no iSCSI name" },
		{ "10.0.0.1 " NAME " 5", "more than a portal and a target" },
	};
	struct probe_place place, before;
	char line[600], long_name[400];
	const char *wrong;

	(void)state;
	memset(&place, 0x5a, sizeof(place));
	before = place;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(probe_line_parse(rows[i].line, &place, &wrong), -EINVAL);
		assert_non_null(strstr(wrong, rows[i].wrong));
	}
	assert_int_equal(probe_line_parse("[fe80::1%no-such-one0]:3260", &place, &wrong), -ENODEV);
	assert_memory_equal(&place, &before, sizeof(place));
	memset(long_name, 'a', sizeof(long_name));
	for (size_t length = 222; length <= 225; length++) {
		snprintf(line, sizeof(line), "10.0.0.1 iqn.%.*s", (int)(length - 4), long_name);
		assert_int_equal(probe_line_parse(line, NULL, &wrong) == 0, length <= 223);
	}
}

static void the_configuration_refuses_what_is_none(void **state)
{
	struct config *config = calloc(1, sizeof(*config));
	char reason[CONFIG_REASON_MAX];

	(void)state;
	assert_non_null(config);
	config_defaults(config);
	assert_int_equal(config->sources.probes.count, 0);
	assert_int_equal(config->sources.probe_known_paths, 0);
	assert_int_equal(config->sources.probe_interval, 60);
	assert_string_equal(config->sources.probe_initiator_name, "auto");
	assert_int_equal(config_set(config, "probe", "array.example " NAME, reason), -EINVAL);
	assert_string_equal(reason,
		"probe array.example " NAME " does not begin with the address of a portal (a name "
		"is not looked up), ignoring the line");
	/* The interface may come later. */
	assert_int_equal(config_set(config, "probe", "[fe80::1%no-such-one0]", reason), 0);
	assert_int_equal(config_set(config, "probe", "10.0.0.1 " NAME, reason), 0);
	assert_int_equal(config->sources.probes.count, 2);
	assert_string_equal(config->sources.probes.lines[1], "10.0.0.1 " NAME);
	assert_int_equal(config_set(config, "probeInterval", "29", reason), -ERANGE);
	assert_int_equal(config_set(config, "probeInitiatorName", "host", reason), -EINVAL);
	assert_string_equal(
		reason, "probeInitiatorName host is no iSCSI name, keeping the default auto");
	assert_int_equal(config_set(config, "probeInitiatorName", NAME, reason), 0);
	assert_string_equal(config->sources.probe_initiator_name, NAME);
	assert_int_equal(config_set(config, "probeInitiatorName", "auto", reason), 0);
	free(config);
}

static void the_own_name_is_an_iscsi_name_whatever_the_host_is_called(void **state)
{
	static const struct {
		const char *configured, *host, *name;
	} rows[] = {
		{ "auto", "Host-1.example", "iqn.2026-11.org.iscsi-agentx:probe.host-1.example" },
		{ "auto", "my_host\xc3\xa9", "iqn.2026-11.org.iscsi-agentx:probe.my-host--" },
		{ "auto", "", "iqn.2026-11.org.iscsi-agentx:probe" },
		{ NAME, "host", NAME },
	};
	char name[PROBE_NAME_MAX], host[400];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		probe_own_name(name, rows[i].configured, rows[i].host);
		assert_string_equal(name, rows[i].name);
		assert_true(probe_is_iscsi_name(name));
	}
	memset(host, 'h', sizeof(host));
	host[sizeof(host) - 1] = '\0';
	probe_own_name(name, "auto", host);
	assert_int_equal(strlen(name), PROBE_NAME_MAX - 1);
	assert_true(probe_is_iscsi_name(name));
	assert_false(probe_is_iscsi_name("iqn.2004-10.org.example: x"));
	assert_false(probe_is_iscsi_name("iqn.\x1b"));
	assert_false(probe_is_iscsi_name("IQN.2004-10.org.example:x"));
	assert_false(probe_is_iscsi_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines_are_taken_apart),
		cmocka_unit_test(bad_lines_say_why),
		cmocka_unit_test(the_configuration_refuses_what_is_none),
		cmocka_unit_test(the_own_name_is_an_iscsi_name_whatever_the_host_is_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
