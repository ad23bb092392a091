/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fragment: what one unit of one source (a tgtd; all of open-iscsi) looked like in one poll, as
 * one block of memory without pointers. A reader process seals it into a memfd; the agent process
 * believes nothing before fragment_check has passed, and keeps its head and the memfd.
 *
 * Layout: struct fragment, then for each kind in the order of enum object_kind its array (begins
 * at a multiple of 8), then the arena of texts. Texts are offsets into the arena, links are
 * positions in the array of their kind.
 */
#ifndef MODEL_FRAGMENT_H
#define MODEL_FRAGMENT_H

#include "base/text.h"
#include "model/model.h"

#define FRAGMENT_MAGIC UINT64_C(0x6973637369667231) /* "iscsifr1" */

/* What a fragment may hold: far beyond real hosts, far below what would harm this one. */
#define FRAGMENT_OBJECTS_MAX 200000u		  /* of each kind */
#define FRAGMENT_ARENA_MAX   (128u * 1024 * 1024) /* octets */
#define FRAGMENT_MAX	     (512u * 1024 * 1024) /* octets in all */

struct fragment {
	uint64_t magic;
	uint64_t layout; /* model_layout_hash() of the writer */
	uint64_t length; /* octets in all, this header included */
	uint64_t arena_at, arena_length;
	struct {
		uint64_t at; /* octets from the beginning of the fragment */
		uint32_t count;
		uint32_t pad;
	} arrays[OBJECT_KINDS];
};

/*
 * Checks everything that later code relies on: sizes, alignment, counts, each flag and enumeration
 * in range, texts inside the arena and NUL-terminated, link positions, each object's key known. Not
 * whether keys are unique: of two objects with one key snapshot_build gives one a row. `length` is
 * the size of the memory at `data`, which must be aligned to 8.
 * Returns 0, or -EBADMSG with a message of at most 127 octets in `reason` (which object, which
 * field, what is wrong). Runs in the agent process on data from a reader; must not crash on any
 * input (tests/fuzz/fuzz_fragment.c).
 */
int fragment_check(const void *data, size_t length, char reason[128]);

/* The array of a kind; of a checked fragment only. */
static inline const void *fragment_array(const struct fragment *f, enum object_kind kind)
{
	return (const char *)f + f->arrays[kind].at;
}

#endif
