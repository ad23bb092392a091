/* SPDX-License-Identifier: BSD-2-Clause */
/* What path_join.c and path_join_maps.c share; nobody else includes it. */
#ifndef MODEL_PATH_JOIN_PRIVATE_H
#define MODEL_PATH_JOIN_PRIVATE_H

#include "model/snapshot.h"

/* Both known, and the same octets. */
bool join_texts_equal(const struct snapshot *s, const struct opt_str *a, const struct opt_str *b);

/* The map's side of it. `map_path_of`: for each device the position of its map path or LINK_NONE.
 */
int join_maps(struct snapshot *s, const uint32_t *map_path_of);

#endif
