/* SPDX-License-Identifier: BSD-2-Clause */
/* From what multipathd said to objects of the model. Reader process; reads /sys/block only. */
#ifndef SOURCE_MULTIPATH_MODEL_H
#define SOURCE_MULTIPATH_MODEL_H

#include "base/root.h"
#include "model/builder.h"
#include "source/multipath_parse.h"

/* The answers of one poll: texts that multipath_wire.h let through. */
struct multipath_answers {
	struct multipath_text maps, groups, paths;
};

/*
 * Fills the builder. Groups that cannot be read are left unknown, *ret_groups_error then is not 0.
 * Returns 0; -EBADMSG with *ret_line the line of maps or paths that is none; -EOVERFLOW when two
 * maps have one name; -ENOMEM, -E2BIG.
 */
int multipath_model_build(struct builder *b, struct root *root,
	const struct multipath_answers *answers, struct multipath_text *ret_line,
	int *ret_groups_error);

#endif
