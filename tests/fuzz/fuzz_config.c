/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * config_set with lines of any content: `TOKEN VALUE`, one a line. Whatever they are, the
 * configuration stays within its ranges, and what is accepted once is accepted again.
 */
#include "agent/config.h"
#include "source/probe_config.h"

#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* In one go: an input of 100 lines asks this of megabytes. */
static void check_zero(const char *octets, size_t count)
{
	check(count == 0 || (octets[0] == '\0' && !memcmp(octets, octets + 1, count - 1)));
}

/* What is not used is zero: the parent compares configurations by memcmp. */
static void check_text(const char *field, size_t length, size_t room)
{
	for (size_t i = 0; i < length; i++)
		check(((unsigned char)field[i] >= 0x20 || field[i] == '\t') && field[i] != 0x7f);
	check_zero(field + length, room - length);
}

static void check_lines(const struct config_option *o, const struct source_lines *lines)
{
	const char *wrong;

	check(lines->count <= CONFIG_LINES_MAX);
	for (uint32_t i = 0; i < lines->count; i++) {
		const char *line = lines->lines[i];
		size_t length = strnlen(line, CONFIG_LINE_MAX);

		check(length > 0 && length < CONFIG_LINE_MAX);
		check_text(line, length, CONFIG_LINE_MAX);
		check(o->check(line, &wrong) == 0);
	}
	if (lines->count < CONFIG_LINES_MAX)
		check_zero(lines->lines[lines->count],
			(CONFIG_LINES_MAX - lines->count) * (size_t)CONFIG_LINE_MAX);
}

static void check_option(const struct config *config, const struct config_option *o)
{
	const char *field = (const char *)config + o->offset;
	size_t room = o->type == CONFIG_PATH ? CONFIG_PATH_MAX : CONFIG_WORDS_MAX, length;

	if (o->type == CONFIG_LINES) {
		check_lines(o, (const void *)field);
		return;
	}
	if (!o->text) {
		uint32_t number = *(const uint32_t *)(const void *)field;

		check(number >= o->low && number <= o->high);
		return;
	}
	length = strnlen(field, room);
	check(length > 0 && length < room);
	check(o->type != CONFIG_PATH || field[0] == '/');
	check_text(field, length, room);
}

static void check_all(const struct config *config)
{
	for (const struct config_option *o = config_options; o->token; o++)
		check_option(config, o);
}

/* The option of this token is as it must be, and no other one was touched. */
static void check_set(const struct config *config, const struct config *before, const char *token)
{
	const struct config_option *o = config_options;
	const char *now = (const char *)config, *was = (const char *)before;
	size_t end;

	while (o->token && strcasecmp(o->token, token) != 0)
		o++;
	check(o->token);
	end = o->offset + (o->type == CONFIG_LINES	   ? sizeof(struct source_lines)
				  : o->type == CONFIG_PATH ? CONFIG_PATH_MAX
				  : o->text		   ? CONFIG_WORDS_MAX
							   : sizeof(uint32_t));
	check(!memcmp(now, was, o->offset));
	check(!memcmp(now + end, was + end, sizeof(*config) - end));
	if (o->type != CONFIG_LINES) /* those are looked at when all are there */
		check_option(config, o);
}

static void set_line(struct config *config, char *line)
{
	struct config before = *config, again;
	char reason[CONFIG_REASON_MAX] = "", *blank = strchr(line, ' ');
	const char *value = "";
	int rc;

	if (blank) {
		*blank = '\0';
		value = blank + 1;
	}
	rc = config_set(config, line, value, reason);
	if (rc < 0) {
		check(reason[0] && strnlen(reason, sizeof(reason)) < sizeof(reason));
		check(!memcmp(config, &before, sizeof(before)));
		return;
	}
	check(rc == 0 && !reason[0]);
	check_set(config, &before, line);
	again = *config;
	rc = config_set(&again, line, value, reason);
	if (config->path_weights.count == before.path_weights.count &&
		config->primary_paths.count == before.primary_paths.count &&
		config->sources.probes.count == before.sources.probes.count)
		check(rc == 0 && !memcmp(config, &again, sizeof(again)));
	else /* lines add up */
		check(rc == 0 || rc == -ENOSPC);
}

/* What the reader of the source probe makes of lines that the configuration has taken. */
static void check_probes(const struct config *config, const char *host)
{
	char name[PROBE_NAME_MAX], portal[PROBE_PORTAL_TEXT];
	struct probe_place place, again;
	const char *wrong;

	for (uint32_t i = 0; i < config->sources.probes.count; i++) {
		int rc = probe_line_parse(config->sources.probes.lines[i], &place, &wrong);

		if (rc == -ENODEV) /* a zone that may be an interface later */
			continue;
		check(rc == 0);
		check(!place.target[0] || probe_is_iscsi_name(place.target));
		probe_portal_text(portal, &place);
		check(probe_line_parse(portal, &again, &wrong) == 0 && again.port == place.port);
	}
	probe_own_name(name, config->sources.probe_initiator_name, host);
	check(probe_is_iscsi_name(name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct path_rules rules;
	struct config config;
	char *text, *next;

	if (size > 16 * 1024)
		return 0;
	text = malloc(size + 1);
	check(text);
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	config_defaults(&config);
	for (char *line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		set_line(&config, line);
	}
	check_all(&config);
	check_probes(&config, text);
	config_path_rules(&config, &rules);
	check(rules.weight_count == config.path_weights.count);
	check(rules.primary_count == config.primary_paths.count);
	free(text);
	return 0;
}
