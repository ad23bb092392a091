/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of options, and the setting of one of them: the pure part of the configuration, which
 * needs no net-snmp and reads no file (config_load.c does). Called in every process that loads or
 * prints the configuration.
 */
#include "agent/config.h"

#include "base/text.h"

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

#define OPTION_SECONDS(token, field, dflt, low, high, unit, help) \
	NUMBER_ROW(CONFIG_SECONDS, token, field, dflt, low, high, unit, help)
#define OPTION_NUMBER(token, field, dflt, low, high, unit, help) \
	NUMBER_ROW(CONFIG_NUMBER, token, field, dflt, low, high, unit, help)
#define OPTION_PATH(token, field, dflt, help)  TEXT_ROW(CONFIG_PATH, token, field, dflt, help)
#define OPTION_WORD(token, field, dflt, help)  TEXT_ROW(CONFIG_WORD, token, field, dflt, help)
#define OPTION_WORDS(token, field, dflt, help) TEXT_ROW(CONFIG_WORDS, token, field, dflt, help)
#define SETTING_PATH(token, field, dflt, help) \
	TEXT_ROW(CONFIG_PATH, token, sources.field, dflt, help)
#define SETTING_FLAG(token, field, dflt, help) \
	NUMBER_ROW(CONFIG_FLAG, token, sources.field, dflt, 0, 1, NULL, help)

_Static_assert(SOURCE_PATH_MAX == CONFIG_PATH_MAX, "all paths have one size");

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
		else
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
	store_text(field_of(config, o), o, value, length);
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
	char plain[2 * CONFIG_WORDS_MAX]; /* longer than any value may be */

	if (!o) {
		snprintf(
			reason, CONFIG_REASON_MAX, "unknown token %.60s, ignoring the line", token);
		return -ENOENT;
	}
	if (!copy_value(plain, sizeof(plain), value))
		return refuse(config, o, value, "is too long", -ENAMETOOLONG, reason);
	if (o->type == CONFIG_FLAG)
		return set_flag(config, o, plain, reason);
	return is_number(o) ? set_number(config, o, plain, reason)
			    : set_text(config, o, plain, reason);
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
		else
			fprintf(out, "\n#%s %s\n", o->token, o->text);
	}
}
