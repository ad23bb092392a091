/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the administrator says of paths: lines TARGET PORTAL VALUE of the configuration (pathWeight,
 * primaryPath), which override what is found. Pure: text in, a plain structure out.
 *
 * TARGET and PORTAL are patterns: '*' stands for any octets, '?' for one. A portal is written
 * ADDRESS or ADDRESS:PORT, an IPv6 address with a port in brackets; without a pattern it is brought
 * into the form that the path table shows. The last line that fits a path counts.
 */
#ifndef MODEL_PATH_RULES_H
#define MODEL_PATH_RULES_H

#include "model/model.h"

#define PATH_RULES_MAX	     64u
#define PATH_RULE_LINE_MAX   320u /* octets with NUL */
#define PATH_RULE_TARGET_MAX 224u /* octets with NUL: an iSCSI name */
#define PATH_RULE_PORTAL_MAX 80u  /* octets with NUL */
#define PATH_RULE_HIGHEST    INT32_MAX

struct path_rule {
	char target[PATH_RULE_TARGET_MAX], portal[PATH_RULE_PORTAL_MAX];
	uint32_t value;
};

struct path_rules {
	struct path_rule weights[PATH_RULES_MAX], primaries[PATH_RULES_MAX];
	uint32_t weight_count, primary_count;
};

/*
 * One line of pathWeight (VALUE 0..PATH_RULE_HIGHEST) or primaryPath (VALUE yes or no: 1 or 0).
 * Returns 0, or -EINVAL with what is wrong in *ret_wrong (a static text that completes "the line
 * …"). `ret` may be NULL to look at a line only.
 */
int path_rule_weight(const char *line, struct path_rule *ret, const char **ret_wrong);
int path_rule_primary(const char *line, struct path_rule *ret, const char **ret_wrong);

/* What a path is to the rules; "" is what is not known. */
struct path_names {
	const char *target;
	const char *address;  /* "10.0.0.1", or the host name that was configured */
	const char *endpoint; /* "10.0.0.1:3260" */
};

/* The value of the last rule that fits; unknown when none does. */
struct opt_u32 path_rules_find(
	const struct path_rule *rules, uint32_t count, const struct path_names *names);

#endif
