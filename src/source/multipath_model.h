/* SPDX-License-Identifier: BSD-2-Clause */
/* From what multipathd said to objects of the model. Reader process; reads /sys/block only. */
#ifndef SOURCE_MULTIPATH_MODEL_H
#define SOURCE_MULTIPATH_MODEL_H

#include "base/root.h"
#include "model/builder.h"
#include "source/multipath_parse.h"

/* The answers of one poll: texts that multipath_wire.h let through. */
struct multipath_answers {
	struct multipath_text maps, groups, paths; /* groups.at NULL: they were not told */
};

/* A map that was told of, and its row once there is one. */
struct multipath_known_map {
	struct multipath_map told;
	uint32_t row;
	bool has_row;
};

struct multipath_model {
	struct builder *b;
	struct root *root;
	struct multipath_known_map *maps; /* sorted by name */
	size_t map_count;
	size_t empty_count; /* of these, those that no path was told of */
	struct multipath_member *members;
	size_t member_count;
	int groups_error;
};

/*
 * Fills the builder with the paths and the maps that they are in. Groups that cannot be read are
 * left unknown, groups_error then is not 0. Returns 0; -EBADMSG with *ret_line the line of maps or
 * paths that is none; -EOVERFLOW when two maps have one name; -ENOMEM, -E2BIG. The texts of the
 * answers must stay; the model is freed with multipath_model_clear, whatever this returned.
 */
int multipath_model_fill(struct multipath_model *ret, struct builder *b, struct root *root,
	const struct multipath_answers *answers, struct multipath_text *ret_line);

/*
 * The maps without a path, by `again`, an answer to MULTIPATH_ASK_AGAIN that is newer than the
 * others: those that are still there get a row, those that are gone do not. Returns as above, and
 * -EAGAIN when one has another name now: it is not known which paths it has.
 */
int multipath_model_settle(struct multipath_model *model, struct multipath_text again,
	struct multipath_text *ret_line);

void multipath_model_clear(struct multipath_model *model);

#endif
