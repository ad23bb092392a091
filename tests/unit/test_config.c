/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/config.h, the pure part: the table, its defaults, the setting of one option, the prints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "agent/config.h"

#include <ctype.h>

static int setup(void **state)
{
	struct config *config = malloc(sizeof(*config));

	if (!config)
		return -1;
	memset(config, 0xa5, sizeof(*config));
	config_defaults(config);
	*state = config;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void the_table_holds_what_its_head_says(void **state)
{
	(void)state;
	for (const struct config_option *o = config_options; o->token; o++) {
		assert_true(o->help && o->help[0] && strlen(o->help) <= 100);
		assert_true(strlen(o->token) <= 20); /* its column of -H */
		assert_true(islower((unsigned char)o->token[0]));
		if (o->type == CONFIG_SECONDS || o->type == CONFIG_NUMBER) {
			assert_null(o->text);
			assert_non_null(o->unit);
			assert_true(o->low <= o->number && o->number <= o->high);
		} else if (o->type == CONFIG_FLAG) {
			assert_null(o->text);
			assert_null(o->unit);
			assert_true(o->number <= 1);
		} else if (o->type == CONFIG_LINES) {
			assert_non_null(o->text);
			assert_int_equal(o->high, CONFIG_LINES_MAX);
		} else {
			assert_non_null(o->text);
			assert_null(o->unit);
		}
		for (const struct config_option *p = config_options; p != o; p++) {
			assert_int_not_equal(p->offset, o->offset);
			assert_string_not_equal(p->token, o->token);
		}
	}
}

/* A default that the parser refuses would be a lie in the sample file. */
static void every_default_can_be_set(void **state)
{
	struct config *config = *state, defaults;

	config_defaults(&defaults);
	for (const struct config_option *o = config_options; o->token; o++) {
		char reason[CONFIG_REASON_MAX], value[CONFIG_WORDS_MAX];

		if (o->type == CONFIG_LINES)
			continue; /* none */
		if (o->text)
			snprintf(value, sizeof(value), "%s", o->text);
		else
			snprintf(value, sizeof(value), "%u", o->number);
		assert_int_equal(config_set(config, o->token, value, reason), 0);
	}
	assert_memory_equal(config, &defaults, sizeof(defaults));
}

static void defaults_are_those_of_the_documents(void **state)
{
	const struct config *config = *state;

	assert_int_equal(config->poll_interval, 5);
	assert_int_equal(config->stale_max, 60);
	assert_string_equal(config->agentx_socket, "/var/agentx/master");
	assert_string_equal(config->source_names, "all");
	assert_string_equal(config->sources.tgt_socket, "/var/run/tgtd/socket");
}

static void set(struct config *config, const char *token, const char *value)
{
	char reason[CONFIG_REASON_MAX] = "";

	assert_int_equal(config_set(config, token, value, reason), 0);
	assert_string_equal(reason, "");
}

static void a_value_goes_to_its_field_only(void **state)
{
	struct config *config = *state, expected = *config;

	set(config, "POLLinterval", " 7\n");
	expected.poll_interval = 7;
	assert_memory_equal(config, &expected, sizeof(expected));
	set(config, "tgtSocket", "/a");
	memset(expected.sources.tgt_socket, 0, sizeof(expected.sources.tgt_socket));
	expected.sources.tgt_socket[0] = '/';
	expected.sources.tgt_socket[1] = 'a';
	assert_memory_equal(config, &expected, sizeof(expected));
}

/* The parent compares configurations by memcmp. */
static void what_an_earlier_value_left_does_not_show(void **state)
{
	struct config *config = *state, before = *config;

	set(config, "stateDir", "/a/very/long/path/that/is/longer/than/the/default");
	set(config, "stateDir", before.state_dir);
	assert_memory_equal(config, &before, sizeof(before));
}

static void a_flag_is_yes_or_no(void **state)
{
	struct config *config = *state;
	char reason[CONFIG_REASON_MAX];

	assert_int_equal(config->sources.open_iscsi_statistics, 1);
	set(config, "openIscsiStatistics", "no");
	assert_int_equal(config->sources.open_iscsi_statistics, 0);
	assert_int_equal(config_set(config, "openIscsiStatistics", "often", reason), -EINVAL);
	assert_string_equal(reason, "openIscsiStatistics often is neither yes nor no, keeping no");
	set(config, "openIscsiStatistics", "yes");
	assert_int_equal(config_set(config, "openIscsiStatistics", "2", reason), -EINVAL);
	assert_string_equal(
		reason, "openIscsiStatistics 2 is neither yes nor no, keeping the default yes");
	assert_int_equal(config->sources.open_iscsi_statistics, 1);
}

static void quotes_and_blanks_are_taken_off(void **state)
{
	struct config *config = *state;

	set(config, "runDir", "\t\"/run/a b\" \r\n");
	assert_string_equal(config->run_dir, "/run/a b");
	set(config, "sources", "tgt lio ");
	assert_string_equal(config->source_names, "tgt lio");
	set(config, "sources", "tgt, scst,");
	set(config, "sources", "all");
	set(config, "notifications", "none PATHdown,pathUp");
	assert_string_equal(config->notifications, "none PATHdown,pathUp");
	set(config, "pollTimeout", "\"9\"");
	assert_int_equal(config->poll_timeout, 9);
	set(config, "agentUser", "\"");
	assert_string_equal(config->agent_user, "\"");
}

static void refused_values_change_nothing_and_say_why(void **state)
{
	struct config *config = *state, before = *config;
	char long_text[400];
	const struct {
		const char *token, *value;
		int rc;
		const char *reason;
	} cases[] = {
		{ "nonsense", "1", -ENOENT, "unknown token nonsense, ignoring the line" },
		{ "", "1", -ENOENT, "unknown token , ignoring the line" },
		{ "pollInterval", "0", -ERANGE,
			"pollInterval 0 is not in the range 1 to 300 seconds, keeping the default 5" },
		{ "pollInterval", "4294967296", -ERANGE,
			"pollInterval 4294967296 is not in the range 1 to 300 seconds, keeping the default 5" },
		{ "pollInterval", "", -EINVAL,
			"pollInterval  is not a whole number, keeping the default 5" },
		{ "pollInterval", "5 6", -EINVAL,
			"pollInterval 5 6 is not a whole number, keeping the default 5" },
		{ "staleMax", "1.5", -EINVAL,
			"staleMax 1.5 is not a whole number, keeping the default 60" },
		{ "runDir", "run", -EINVAL,
			"runDir run is not an absolute path, keeping the default /run/iscsi-agentx" },
		{ "runDir", "\"\"", -EINVAL,
			"runDir \"\" is no value, keeping the default /run/iscsi-agentx" },
		{ "agentUser", "a\tb", -EINVAL,
			"agentUser a\tb is not plain text, keeping the default iscsi-agentx" },
		{ "agentUser", "a b", -EINVAL,
			"agentUser a b is more than one word, keeping the default iscsi-agentx" },
		{ "sources", "\xc3", -EINVAL,
			"sources \xc3 is not plain text, keeping the default all" },
		{ "sources", "tgt lioo", -EINVAL,
			"sources tgt lioo has a word that is no source, keeping the default all" },
		{ "sources", "tgt Lio", -EINVAL,
			"sources tgt Lio has a word that is no source, keeping the default all" },
		{ "sources", ",", -EINVAL, "sources , names no source, keeping the default all" },
		{ "notifications", ",", -EINVAL,
			"notifications , names no notification; none means none, keeping the "
			"default all -sessionHealth" },
		/* One misspelt word switched all notifications off, with a warning in the log. */
		{ "notifications", "pathDwn", -EINVAL,
			"notifications pathDwn has a word that is no notification, keeping the "
			"default all -sessionHealth" },
		{ "notifications", "none pathDown agentStarted", -EINVAL,
			"notifications none pathDown agentStarted has a word that is no "
			"notification, keeping the default all -sessionHealth" },
	};
	char reason[CONFIG_REASON_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			config_set(config, cases[i].token, cases[i].value, reason), cases[i].rc);
		assert_string_equal(reason, cases[i].reason);
		assert_memory_equal(config, &before, sizeof(before));
	}
	memset(long_text, '0', sizeof(long_text));
	for (size_t length = 128; length < sizeof(long_text); length++) {
		const char *const tokens[] = { "stateDir", "agentUser", "sources" };

		long_text[0] = '/';
		long_text[length] = '\0';
		for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
			assert_int_equal(
				config_set(config, tokens[i], long_text, reason), -ENAMETOOLONG);
		long_text[length] = '0';
	}
	/* Leading zeros without end: not a number cut to what has room. */
	snprintf(long_text, sizeof(long_text), "%0399d", 5);
	assert_int_equal(config_set(config, "staleMax", long_text, reason), -ENAMETOOLONG);
	assert_memory_equal(config, &before, sizeof(before));
}

static void a_kept_value_is_not_called_the_default(void **state)
{
	struct config *config = *state;
	char reason[CONFIG_REASON_MAX];

	set(config, "pollInterval", "9");
	assert_int_equal(config_set(config, "pollInterval", "x", reason), -EINVAL);
	assert_string_equal(reason, "pollInterval x is not a whole number, keeping 9");
	set(config, "stateDir", "/s");
	assert_int_equal(config_set(config, "stateDir", "x", reason), -EINVAL);
	assert_string_equal(reason, "stateDir x is not an absolute path, keeping /s");
}

static void lines_add_up(void **state)
{
	struct config *config = *state;
	struct path_rules rules;

	config_path_rules(config, &rules);
	assert_int_equal(rules.weight_count, 0);
	assert_int_equal(rules.primary_count, 0);
	set(config, "pathWeight", " iqn.a\t10.0.0.1 5\n");
	set(config, "PATHWEIGHT", "\"* * 6\"");
	set(config, "primaryPath", "* * no");
	set(config, "pathWeight", "* * 6");
	assert_int_equal(config->path_weights.count, 3);
	assert_string_equal(config->path_weights.lines[0], "iqn.a\t10.0.0.1 5");
	assert_string_equal(config->path_weights.lines[1], "* * 6");
	config_path_rules(config, &rules);
	assert_int_equal(rules.weight_count, 3);
	assert_string_equal(rules.weights[0].target, "iqn.a");
	assert_string_equal(rules.weights[0].portal, "10.0.0.1");
	assert_int_equal(rules.weights[1].value, 6);
	assert_int_equal(rules.primary_count, 1);
	assert_int_equal(rules.primaries[0].value, 0);
}

static void lines_have_limits(void **state)
{
	struct config *config = *state, before;
	char reason[CONFIG_REASON_MAX], line[CONFIG_LINE_MAX + 16];
	struct path_rules rules;
	const struct {
		const char *line, *reason;
		int rc;
	} cases[] = {
		{ "", "pathWeight  has no TARGET of at most 223 octets, ignoring the line",
			-EINVAL },
		{ "* *", "pathWeight * * has no weight from 0 to 2147483647, ignoring the line",
			-EINVAL },
		{ "* * 1\001", "pathWeight * * 1\001 is not plain text, ignoring the line",
			-EINVAL },
	};

	before = *config;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(
			config_set(config, "pathWeight", cases[i].line, reason), cases[i].rc);
		assert_string_equal(reason, cases[i].reason);
	}
	for (size_t length = CONFIG_LINE_MAX; length < sizeof(line); length++) {
		snprintf(line, sizeof(line), "* * %0*d", (int)length - 4, 1);
		assert_int_equal(config_set(config, "pathWeight", line, reason), -ENAMETOOLONG);
		assert_non_null(strstr(reason, "... is too long, ignoring the line"));
	}
	assert_memory_equal(config, &before, sizeof(before));
	for (uint32_t i = 0; i < CONFIG_LINES_MAX; i++) {
		snprintf(line, sizeof(line), "* * %u", i);
		set(config, "pathWeight", line);
	}
	before = *config;
	assert_int_equal(config_set(config, "pathWeight", "* * 64", reason), -ENOSPC);
	assert_string_equal(reason, "pathWeight * * 64 is one more than the 64 lines that there "
				    "may be, ignoring the line");
	assert_memory_equal(config, &before, sizeof(before));
	config_path_rules(config, &rules);
	assert_int_equal(rules.weight_count, CONFIG_LINES_MAX);
	assert_int_equal(rules.weights[63].value, 63);
	set(config, "primaryPath", "* * yes");
}

static void the_longest_texts_fit(void **state)
{
	struct config *config = *state;
	char text[CONFIG_WORDS_MAX];

	memset(text, 'x', sizeof(text));
	text[CONFIG_WORDS_MAX - 1] = '\0';
	set(config, "agentUser", text);
	assert_string_equal(config->agent_user, text);
	text[0] = '/';
	text[CONFIG_PATH_MAX - 1] = '\0';
	set(config, "agentXSocket", text);
	assert_string_equal(config->agentx_socket, text);
}

static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	assert_non_null(out);
	print(out);
	fclose(out);
	return text;
}

static void the_committed_sample_is_what_the_program_prints(void **state)
{
	char *sample = printed(config_print_sample), committed[16 * 1024];
	FILE *in = fopen("conf/iscsi-agentx.conf", "r");
	size_t length;

	(void)state;
	assert_non_null(in);
	length = fread(committed, 1, sizeof(committed) - 1, in);
	committed[length] = '\0';
	fclose(in);
	assert_string_equal(sample, committed);
	free(sample);
}

/* The sample with its comment signs taken off is a configuration, and changes nothing. */
static void the_sample_sets_every_token_to_its_default(void **state)
{
	struct config *config = *state, before = *config;
	char *sample = printed(config_print_sample);
	size_t tokens = 0, options = 0;

	for (char *line = sample, *end; *line; line = end + 1) {
		char reason[CONFIG_REASON_MAX], *blank;

		end = strchr(line, '\n');
		assert_non_null(end);
		assert_true(end - line <= 100);
		*end = '\0';
		if (line[0] != '#' || line[1] == ' ' || line[1] == '\0')
			continue;
		blank = strchr(line, ' ');
		assert_non_null(blank);
		*blank = '\0';
		assert_int_equal(config_set(config, line + 1, blank + 1, reason), 0);
		tokens++;
	}
	/* Of lines, of which there are none, an example. */
	assert_int_equal(config->path_weights.count, 1);
	assert_int_equal(config->primary_paths.count, 1);
	assert_int_equal(config->sources.probes.count, 1);
	config->sources.probes = before.sources.probes;
	config->path_weights = before.path_weights;
	config->primary_paths = before.primary_paths;
	for (const struct config_option *o = config_options; o->token; o++)
		options++;
	assert_int_equal(tokens, options);
	assert_memory_equal(config, &before, sizeof(before));
	free(sample);
}

static void directives_have_a_line_for_each_token(void **state)
{
	char *text = printed(config_print_directives);

	(void)state;
	assert_non_null(strstr(text, "\n  pollInterval          SECONDS  5                      "
				     "1..300    seconds  how often each source is read\n"));
	assert_non_null(strstr(text, "\n  pathWeight            LINES    none                   "
				     "0..64     lines    TARGET PORTAL WEIGHT: "));
	assert_non_null(strstr(text, "\n  tgtSocket             PATH     /var/run/tgtd/socket   "
				     "-         -        management sockets of tgtd"));
	free(text);
}

/* Of all tokens; with the others the processes are started anew. */
static void some_values_can_be_followed(void **state)
{
	static const struct {
		const char *token, *value;
		bool followed;
	} cases[] = {
		{ "pollInterval", "7", true },
		{ "staleMax", "77", true },
		{ "pathWeight", "iqn.* 10.0.0.1:3260 90", true },
		{ "notifyQueue", "100", true },
		{ "targetSessionLimit", "7", true },
		{ "agentXPingInterval", "7", false },
		{ "sources", "tgt", false },
		{ "openIscsiStatistics", "no", false },
	};
	struct config *config = *state, before = *config;

	assert_true(config_can_be_followed(&before, config));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		*config = before;
		set(config, cases[i].token, cases[i].value);
		assert_memory_not_equal(config, &before, sizeof(before));
		assert_int_equal(config_can_be_followed(&before, config), cases[i].followed);
		assert_int_equal(config_can_be_followed(config, &before), cases[i].followed);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_table_holds_what_its_head_says),
		TEST(every_default_can_be_set),
		TEST(defaults_are_those_of_the_documents),
		TEST(a_value_goes_to_its_field_only),
		TEST(what_an_earlier_value_left_does_not_show),
		TEST(a_flag_is_yes_or_no),
		TEST(quotes_and_blanks_are_taken_off),
		TEST(refused_values_change_nothing_and_say_why),
		TEST(a_kept_value_is_not_called_the_default),
		TEST(lines_add_up),
		TEST(lines_have_limits),
		TEST(the_longest_texts_fit),
		TEST(the_committed_sample_is_what_the_program_prints),
		TEST(the_sample_sets_every_token_to_its_default),
		TEST(directives_have_a_line_for_each_token),
		TEST(some_values_can_be_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
