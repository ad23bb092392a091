/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one table (options.def, and source/settings.def for the sources) gives the
 * structure, net-snmp's config tokens, the defaults and ranges, -H, the sample file, and what the
 * man page is tested against.
 *
 * struct config is plain memory without pointers: it passes from the loader to the parent and on
 * to the agent process by fork and by message. Octets behind a text's NUL are 0, so that two
 * configurations are the same when memcmp says so.
 */
#ifndef AGENT_CONFIG_H
#define AGENT_CONFIG_H

#include "model/path_rules.h"
#include "source/source.h"

#define CONFIG_PATH_MAX	  SOURCE_PATH_MAX
#define CONFIG_WORDS_MAX  SOURCE_WORD_MAX
#define CONFIG_LINE_MAX	  SOURCE_LINE_MAX
#define CONFIG_LINES_MAX  SOURCE_LINES_MAX
#define CONFIG_REASON_MAX 320 /* octets with NUL */

struct config {
/* TYPE is SECONDS, PATH, WORD, WORDS, LINES or NUMBER; see the head of options.def. */
#define OPTION_SECONDS(token, field, dflt, low, high, unit, help) uint32_t field;
#define OPTION_NUMBER(token, field, dflt, low, high, unit, help)  uint32_t field;
#define OPTION_FLAG(token, field, dflt, help)			  uint32_t field; /* 0 or 1 */
#define OPTION_PATH(token, field, dflt, help)			  char field[CONFIG_PATH_MAX];
#define OPTION_WORD(token, field, dflt, help)			  char field[CONFIG_WORDS_MAX];
#define OPTION_WORDS(token, field, check, dflt, help)		  char field[CONFIG_WORDS_MAX];
#define OPTION_LINES(token, field, check, example, help)	  struct source_lines field;
#include "agent/options.def"
	struct source_settings sources;
};

/* One row of the table. */
enum config_type {
	CONFIG_SECONDS,
	CONFIG_NUMBER,
	CONFIG_FLAG, /* yes 1, no 0 */
	CONFIG_PATH,
	CONFIG_WORD,
	CONFIG_WORDS,
	CONFIG_LINES
};

/* Looks at one line or word: 0, or -EINVAL with a static text that completes "the line ...". */
typedef int config_check_fn(const char *line, const char **ret_wrong);

struct config_option {
	const char *token;
	enum config_type type;
	size_t offset; /* of the field in struct config */
	uint32_t number, low, high;
	const char *text;	/* the default of the types that are text; of LINES an example */
	config_check_fn *check; /* of LINES, WORD and WORDS, or NULL */
	const char *unit, *help;
};

/* The rows, in the order of the documents; ends with a NULL token. Pure, as all but config_load. */
extern const struct config_option config_options[];

/* The defaults. */
void config_defaults(struct config *ret);

/*
 * Sets one option from one line of a file. Tokens do not distinguish upper and lower case; a value
 * may be enclosed in double quotes. An option that has lines gets one more. Returns 0, -ENOENT (no
 * such token), -EINVAL (not a value of this sort), -ERANGE (number), -ENAMETOOLONG (text) or
 * -ENOSPC (lines). On failure nothing is changed, and `reason` says what is wrong and what is kept.
 */
int config_set(struct config *config, const char *token, const char *value,
	char reason[CONFIG_REASON_MAX]);

/* The rules that pathWeight and primaryPath make. */
void config_path_rules(const struct config *config, struct path_rules *ret);

/* Where configuration is read from, as in net-snmp's agents. */
struct config_location {
	const char *file; /* -c FILE[,FILE...]: read after the default files; NULL none */
	bool no_default;  /* -C: do not read the default files (/etc/snmp/iscsi-agentx.conf ...) */
};

/*
 * Reads the configuration with net-snmp's reader in a child process of its own, so that the caller
 * keeps no state of the library and no bad file can harm it; waits at most 5 s for it, and 0.5 s
 * for its end: a child that a lost disk keeps from ending stays the caller's. Each bad line is
 * logged with file, line and consequence; its option keeps the value that it had, mostly the
 * default. A default file that may not be read counts as one bad line.
 *
 * Returns the number of bad lines (0: all well), or a negative errno when the configuration could
 * not be read at all (then *ret is untouched): -ENOENT, -EACCES, -EISDIR … (a file of -c),
 * -ETIMEDOUT, -EIO (the child died; logged here), -EAGAIN, -ENOMEM. Used by the root parent (start,
 * SIGHUP: with bad lines the old configuration stays) and by the one-shot commands.
 */
int config_load(const struct config_location *where, struct config *ret);

/* True when only that differs which a running agent process can follow: it need not start anew. */
bool config_can_be_followed(const struct config *a, const struct config *b);

/*
 * Prints the table: -H. After a heading one line for each token, its columns separated by two
 * blanks or more: token, type (SECONDS NUMBER FLAG PATH WORD WORDS LINES), default, range
 * (LOW..HIGH or
 * -), unit (or -), help.
 */
void config_print_directives(FILE *out);

/* Prints a commented configuration file with all tokens at their defaults (conf/, tested). */
void config_print_sample(FILE *out);

#endif
