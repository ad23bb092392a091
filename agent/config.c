/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of options, and the setting of one of them: the pure part of the configuration, which
 * needs no net-snmp and reads no file (config_load.c does). Called in every process that loads or
 * prints the configuration.
 */
#include "agent/config.h"

#include "agent/notify_select.h"
#include "base/text.h"
#include "source/probe_config.h"
#include "source/source_select.h"

#include <ctype.h>
#include <strings.h>

#define NUMBER_ROW(kind, name, at, dflt, min, max, unit_name, help_text) \
	{ .token = #name,                                                \
		.type = kind,                                            \
		.offset = offsetof(struct config, at),                   \
		.number = dflt,                                          \
		.low = min,                                              \
		.high = max,                                             \
		.unit = unit_name,                                       \
		.help = help_text },
#define TEXT_ROW(kind, name, at, dflt, help_text)      \
	{ .token = #name,                              \
		.type = kind,                          \
		.offset = offsetof(struct config, at), \
		.text = dflt,                          \
		.help = help_text },

#define LINES_ROW(name, at, check_line, example, help_text) \
	{ .token = #name,                                   \
		.type = CONFIG_LINES,                       \
		.offset = offsetof(struct config, at),      \
		.high = CONFIG_LINES_MAX,                   \
		.text = example,                            \
		.check = check_line,                        \
		.unit = "lines",                            \
		.help = help_text },

#define OPTION_SECONDS(token, field, dflt, low, high, unit, help) \
	NUMBER_ROW(CONFIG_SECONDS, token, field, dflt, low, high, unit, help)
#define OPTION_NUMBER(token, field, dflt, low, high, unit, help) \
	NUMBER_ROW(CONFIG_NUMBER, token, field, dflt, low, high, unit, help)
#define OPTION_FLAG(token, field, dflt, help) \
	NUMBER_ROW(CONFIG_FLAG, token, field, dflt, 0, 1, NULL, help)
#define OPTION_PATH(token, field, dflt, help) TEXT_ROW(CONFIG_PATH, token, field, dflt, help)
#define OPTION_WORD(token, field, dflt, help) TEXT_ROW(CONFIG_WORD, token, field, dflt, help)
#define OPTION_WORDS(name, at, check_words, dflt, help_text) \
	{ .token = #name,                                    \
		.type = CONFIG_WORDS,                        \
		.offset = offsetof(struct config, at),       \
		.text = dflt,                                \
		.check = check_words,                        \
		.help = help_text },
#define OPTION_LINES(token, field, check, example, help) \
	LINES_ROW(token, field, check, example, help)
#define SETTING_PATH(token, field, dflt, help) \
	TEXT_ROW(CONFIG_PATH, token, sources.field, dflt, help)
#define SETTING_WORD(name, at, check_word, dflt, help_text)    \
	{ .token = #name,                                      \
		.type = CONFIG_WORD,                           \
		.offset = offsetof(struct config, sources.at), \
		.text = dflt,                                  \
		.check = check_word,                           \
		.help = help_text },
#define SETTING_LINES(token, field, check, example, help) \
	LINES_ROW(token, sources.field, check, example, help)
#define SETTING_FLAG(token, field, dflt, help) \
	NUMBER_ROW(CONFIG_FLAG, token, sources.field, dflt, 0, 1, NULL, help)

#define SETTING_NUMBER(token, field, dflt, low, high, unit, help) \
	NUMBER_ROW(CONFIG_NUMBER, token, sources.field, dflt, low, high, unit, help)

_Static_assert(CONFIG_LINES_MAX <= PATH_RULES_MAX && CONFIG_LINE_MAX <= PATH_RULE_LINE_MAX,
	"every line is a rule");

static int check_weight(const char *line, const char **ret_wrong)
{
	return path_rule_weight(line, NULL, ret_wrong);
}

static int check_primary(const char *line, const char **ret_wrong)
{
	return path_rule_primary(line, NULL, ret_wrong);
}

/* An interface of a zone may come later: the reader looks again. */
static int check_probe(const char *line, const char **ret_wrong)
{
	int rc = probe_line_parse(line, NULL, ret_wrong);

	return rc == -ENODEV ? 0 : rc;
}

static int check_probe_name(const char *name, const char **ret_wrong)
{
	return probe_name_check(name, ret_wrong);
}

static int check_notifications(const char *words, const char **ret_wrong)
{
	*ret_wrong = "names no notification; none means none";
	if (!words[strspn(words, ", \t")])
		return -EINVAL;
	*ret_wrong = "has a word that is no notification";
	return notify_select(words, NULL);
}

/* clang-format off: the rows come from the files */
const struct config_option config_options[] = {
#include "agent/options.def"
#include "source/settings.def"
	{ .token = NULL }
};
/* clang-format on */

static const char *const type_names[] = {
	[CONFIG_SECONDS] = "SECONDS",
	[CONFIG_NUMBER] = "NUMBER",
	[CONFIG_FLAG] = "FLAG",
	[CONFIG_PATH] = "PATH",
	[CONFIG_WORD] = "WORD",
	[CONFIG_WORDS] = "WORDS",
	[CONFIG_LINES] = "LINES",
};

static bool is_number(const struct config_option *o)
{
	return o->type == CONFIG_SECONDS || o->type == CONFIG_NUMBER;
}

/* Its field is a uint32_t, not a text. */
static bool is_numeric(const struct config_option *o)
{
	return is_number(o) || o->type == CONFIG_FLAG;
}

/* As it is written in the file. */
static void print_number(char out[CONFIG_WORDS_MAX], const struct config_option *o, uint32_t number)
{
	if (o->type == CONFIG_FLAG)
		snprintf(out, CONFIG_WORDS_MAX, "%s", number ? "yes" : "no");
	else
		snprintf(out, CONFIG_WORDS_MAX, "%u", number);
}

/* Octets of the field, with NUL. */
static size_t text_size(const struct config_option *o)
{
	return o->type == CONFIG_PATH ? CONFIG_PATH_MAX : CONFIG_WORDS_MAX;
}

static void *field_of(struct config *config, const struct config_option *o)
{
	return (char *)config + o->offset;
}

/* `length` is below the field's size. */
static void store_text(char *field, const struct config_option *o, const char *text, size_t length)
{
	memset(field, 0, text_size(o));
	memcpy(field, text, length);
}

void config_defaults(struct config *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (const struct config_option *o = config_options; o->token; o++) {
		if (is_numeric(o))
			*(uint32_t *)field_of(ret, o) = o->number;
		else if (o->type != CONFIG_LINES)
			store_text(field_of(ret, o), o, o->text, strlen(o->text));
	}
}

static const struct config_option *find_option(const char *token)
{
	for (const struct config_option *o = config_options; o->token; o++) {
		if (!strcasecmp(o->token, token))
			return o;
	}
	return NULL;
}

/* Writes "TOKEN VALUE WRONG, keeping …" and returns `rc`. */
static int refuse(struct config *config, const struct config_option *o, const char *value,
	const char *wrong, int rc, char reason[CONFIG_REASON_MAX])
{
	const char *text = field_of(config, o);
	uint32_t number = 0;
	bool is_default;
	char kept[CONFIG_WORDS_MAX];

	if (is_numeric(o)) {
		number = *(const uint32_t *)field_of(config, o);
		is_default = number == o->number;
		print_number(kept, o, number);
	} else {
		is_default = !strcmp(text, o->text);
		snprintf(kept, sizeof(kept), "%s", text);
	}
	snprintf(reason, CONFIG_REASON_MAX, "%s %.60s%s %s, keeping %s%s", o->token, value,
		strlen(value) > 60 ? "..." : "", wrong, is_default ? "the default " : "", kept);
	return rc;
}

static int set_number(struct config *config, const struct config_option *o, const char *value,
	char reason[CONFIG_REASON_MAX])
{
	char wrong[80];
	uint32_t number;
	int rc = text_to_u32(value, o->high, &number);

	if (rc == -EINVAL)
		return refuse(config, o, value, "is not a whole number", rc, reason);
	if (rc < 0 || number < o->low) {
		snprintf(wrong, sizeof(wrong), "is not in the range %u to %u %s", o->low, o->high,
			o->unit);
		return refuse(config, o, value, wrong, -ERANGE, reason);
	}
	*(uint32_t *)field_of(config, o) = number;
	return 0;
}

static int set_flag(struct config *config, const struct config_option *o, const char *value,
	char reason[CONFIG_REASON_MAX])
{
	bool flag;
	int rc = text_to_bool(value, &flag);

	if (rc < 0)
		return refuse(config, o, value, "is neither yes nor no", rc, reason);
	*(uint32_t *)field_of(config, o) = flag;
	return 0;
}

static int set_text(struct config *config, const struct config_option *o, const char *value,
	char reason[CONFIG_REASON_MAX])
{
	size_t length = strlen(value);
	const char *not_so;
	char wrong[80];

	if (length == 0)
		return refuse(config, o, "\"\"", "is no value", -EINVAL, reason);
	if (length >= text_size(o)) {
		snprintf(wrong, sizeof(wrong), "is longer than %zu octets", text_size(o) - 1);
		return refuse(config, o, value, wrong, -ENAMETOOLONG, reason);
	}
	if (!text_is_clean(value, length, length))
		return refuse(config, o, value, "is not plain text", -EINVAL, reason);
	if (o->type == CONFIG_PATH && value[0] != '/')
		return refuse(config, o, value, "is not an absolute path", -EINVAL, reason);
	if (o->type == CONFIG_WORD && strpbrk(value, " \t"))
		return refuse(config, o, value, "is more than one word", -EINVAL, reason);
	if (o->check && o->check(value, &not_so) < 0)
		return refuse(config, o, value, not_so, -EINVAL, reason);
	store_text(field_of(config, o), o, value, length);
	return 0;
}

/* As refuse, for a line that would have been one more. */
static int refuse_line(const struct config_option *o, const char *value, const char *wrong, int rc,
	char reason[CONFIG_REASON_MAX])
{
	snprintf(reason, CONFIG_REASON_MAX, "%s %.60s%s %s, ignoring the line", o->token, value,
		strlen(value) > 60 ? "..." : "", wrong);
	return rc;
}

static int add_line(struct config *config, const struct config_option *o, const char *value,
	char reason[CONFIG_REASON_MAX])
{
	struct source_lines *lines = field_of(config, o);
	size_t length = strlen(value);
	const char *wrong;
	char full[64];

	if (length >= CONFIG_LINE_MAX)
		return refuse_line(o, value, "is too long", -ENAMETOOLONG, reason);
	/* A tab may stand between words: everything else of it must be plain. */
	for (size_t i = 0, word; i <= length; i += word + 1) {
		word = strcspn(value + i, "\t");
		if (!text_is_clean(value + i, word, word))
			return refuse_line(o, value, "is not plain text", -EINVAL, reason);
	}
	if (o->check && o->check(value, &wrong) < 0)
		return refuse_line(o, value, wrong, -EINVAL, reason);
	snprintf(full, sizeof(full), "is one more than the %u lines that there may be",
		CONFIG_LINES_MAX);
	if (lines->count == CONFIG_LINES_MAX)
		return refuse_line(o, value, full, -ENOSPC, reason);
	memcpy(lines->lines[lines->count++], value, length);
	return 0;
}

/* Copies the value without blanks at its ends and without its quotes; false when it has no room. */
static bool copy_value(char *out, size_t size, const char *value)
{
	size_t length;

	value += strspn(value, " \t\r\n");
	length = strlen(value);
	while (length > 0 && strchr(" \t\r\n", value[length - 1]))
		length--;
	if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
		value++;
		length -= 2;
	}
	if (length >= size)
		return false;
	memcpy(out, value, length);
	out[length] = '\0';
	return true;
}

int config_set(
	struct config *config, const char *token, const char *value, char reason[CONFIG_REASON_MAX])
{
	const struct config_option *o = find_option(token);
	char plain[2 * CONFIG_LINE_MAX]; /* longer than any value may be */
	size_t room;

	if (!o) {
		snprintf(
			reason, CONFIG_REASON_MAX, "unknown token %.60s, ignoring the line", token);
		return -ENOENT;
	}
	room = o->type == CONFIG_LINES ? sizeof(plain) : 2 * CONFIG_WORDS_MAX;
	if (!copy_value(plain, room, value))
		return o->type == CONFIG_LINES
			       ? refuse_line(o, value, "is too long", -ENAMETOOLONG, reason)
			       : refuse(config, o, value, "is too long", -ENAMETOOLONG, reason);
	if (o->type == CONFIG_LINES)
		return add_line(config, o, plain, reason);
	if (o->type == CONFIG_FLAG)
		return set_flag(config, o, plain, reason);
	return is_number(o) ? set_number(config, o, plain, reason)
			    : set_text(config, o, plain, reason);
}

void config_path_rules(const struct config *config, struct path_rules *ret)
{
	const struct source_lines *weights = &config->path_weights;
	const struct source_lines *primaries = &config->primary_paths;
	const char *wrong;

	ret->weight_count = ret->primary_count = 0;
	for (uint32_t i = 0; i < weights->count; i++) {
		if (path_rule_weight(weights->lines[i], &ret->weights[ret->weight_count], &wrong) ==
			0)
			ret->weight_count++;
	}
	for (uint32_t i = 0; i < primaries->count; i++) {
		if (path_rule_primary(
			    primaries->lines[i], &ret->primaries[ret->primary_count], &wrong) == 0)
			ret->primary_count++;
	}
}

void config_print_directives(FILE *out)
{
	fputs("In iscsi-agentx.conf and iscsi-agentx.local.conf:\n", out);
	for (const struct config_option *o = config_options; o->token; o++) {
		char dflt[CONFIG_WORDS_MAX], range[32] = "-";

		if (is_number(o)) {
			print_number(dflt, o, o->number);
			snprintf(range, sizeof(range), "%u..%u", o->low, o->high);
		} else if (o->type == CONFIG_FLAG) {
			print_number(dflt, o, o->number);
			snprintf(range, sizeof(range), "yes no");
		} else if (o->type == CONFIG_LINES) {
			snprintf(dflt, sizeof(dflt), "none");
			snprintf(range, sizeof(range), "%u..%u", o->low, o->high);
		} else {
			snprintf(dflt, sizeof(dflt), "%s", o->text);
		}
		fprintf(out, "  %-20s  %-7s  %-21s  %-8s  %-7s  %s\n", o->token,
			type_names[o->type], dflt, range, o->unit ? o->unit : "-", o->help);
	}
}

void config_print_sample(FILE *out)
{
	fputs("# iscsi-agentx.conf: the configuration of iscsi-agentx, see iscsi-agentx.conf(5).\n"
	      "#\n"
	      "# Every token is here with its default. Remove the # and change the value;\n"
	      "# `systemctl reload iscsi-agentx` reads this file again.\n",
		out);
	for (const struct config_option *o = config_options; o->token; o++) {
		fprintf(out, "\n# %c%s.", toupper((unsigned char)o->help[0]), o->help + 1);
		if (is_number(o))
			fprintf(out, "\n# (%u to %u %s)\n#%s %u\n", o->low, o->high, o->unit,
				o->token, o->number);
		else if (o->type == CONFIG_FLAG)
			fprintf(out, "\n# (yes or no)\n#%s %s\n", o->token,
				o->number ? "yes" : "no");
		else if (o->type == CONFIG_LINES)
			fprintf(out, "\n# (up to %u lines, by default none)\n#%s %s\n", o->high,
				o->token, o->text);
		else
			fprintf(out, "\n#%s %s\n", o->token, o->text);
	}
}

bool config_can_be_followed(const struct config *a, const struct config *b)
{
	struct config c = *b;

	c.poll_interval = a->poll_interval;
	c.poll_timeout = a->poll_timeout;
	c.stale_max = a->stale_max;
	c.path_weights = a->path_weights;
	c.primary_paths = a->primary_paths;
	memcpy(c.notifications, a->notifications, sizeof(c.notifications));
	c.notify_limit = a->notify_limit;
	c.notify_limit_all = a->notify_limit_all;
	c.notify_window = a->notify_window;
	c.notify_flap_changes = a->notify_flap_changes;
	c.notify_flap_window = a->notify_flap_window;
	c.notify_queue = a->notify_queue;
	c.event_table_size = a->event_table_size;
	c.target_session_limit = a->target_session_limit;
	return memcmp(a, &c, sizeof(c)) == 0;
}
