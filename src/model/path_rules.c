/* SPDX-License-Identifier: BSD-2-Clause */
/* Called by the loader of the configuration and, for each path, by path_join.c. */
#include "model/path_rules.h"

#include "base/text.h"

#define BLANKS " \t"

/* '*' any octets, '?' one octet; all of the text. */
static bool fits(const char *pattern, const char *text)
{
	const char *star = NULL, *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	pattern += strspn(pattern, "*");
	return !*pattern;
}

/* The next word of *rest, copied with a NUL; false when there is none or it has no room. */
static bool take_word(const char **rest, char *out, size_t size)
{
	size_t length;

	*rest += strspn(*rest, BLANKS);
	length = strcspn(*rest, BLANKS);
	if (length == 0 || length >= size)
		return false;
	memcpy(out, *rest, length);
	out[length] = '\0';
	*rest += length;
	return true;
}

/* Brings an address into the form that the path table shows; leaves a pattern or a name alone. */
static void normalize(char portal[PATH_RULE_PORTAL_MAX])
{
	struct text_address address;
	char text[64];
	uint16_t port;

	if (strpbrk(portal, "*?%"))
		return;
	if (text_to_address(portal, &address) == 0)
		snprintf(portal, PATH_RULE_PORTAL_MAX, "%s", text_from_address(text, &address));
	else if (text_to_endpoint(portal, &address, &port) == 0)
		snprintf(portal, PATH_RULE_PORTAL_MAX, address.type == 1 ? "%s:%u" : "[%s]:%u",
			text_from_address(text, &address), port);
}

typedef bool read_value_fn(const char *word, uint32_t *ret);

static bool read_weight(const char *word, uint32_t *ret)
{
	return text_to_u32(word, PATH_RULE_HIGHEST, ret) == 0;
}

static bool read_primary(const char *word, uint32_t *ret)
{
	bool value;

	if (text_to_bool(word, &value) < 0)
		return false;
	*ret = value;
	return true;
}

static int parse(const char *line, read_value_fn *read, const char *no_value, struct path_rule *ret,
	const char **ret_wrong)
{
	struct path_rule rule = { .value = 0 };
	const char *rest = line;
	char word[16];

	*ret_wrong = "has no TARGET of at most 223 octets";
	if (!take_word(&rest, rule.target, sizeof(rule.target)))
		return -EINVAL;
	*ret_wrong = "has no PORTAL of at most 79 octets";
	if (!take_word(&rest, rule.portal, sizeof(rule.portal)))
		return -EINVAL;
	*ret_wrong = no_value;
	if (!take_word(&rest, word, sizeof(word)) || !read(word, &rule.value))
		return -EINVAL;
	*ret_wrong = "has more than TARGET, PORTAL and a value";
	if (rest[strspn(rest, BLANKS)])
		return -EINVAL;
	normalize(rule.portal);
	if (ret)
		*ret = rule;
	return 0;
}

int path_rule_weight(const char *line, struct path_rule *ret, const char **ret_wrong)
{
	return parse(line, read_weight, "has no weight from 0 to 2147483647", ret, ret_wrong);
}

int path_rule_primary(const char *line, struct path_rule *ret, const char **ret_wrong)
{
	return parse(line, read_primary, "has neither yes nor no", ret, ret_wrong);
}

struct opt_u32 path_rules_find(
	const struct path_rule *rules, uint32_t count, const struct path_names *names)
{
	struct opt_u32 value = { .known = 0 };

	for (uint32_t i = count; i-- > 0 && !value.known;) {
		if (fits(rules[i].target, names->target) &&
			(fits(rules[i].portal, names->endpoint) ||
				fits(rules[i].portal, names->address)))
			OPT_SET(value, rules[i].value);
	}
	return value;
}
