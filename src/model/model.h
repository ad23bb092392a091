/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The structures of model.def: struct instance, portal, node, auth, session, connection …; and a
 * description of their fields for the code that treats them all alike (check, merge, dump).
 *
 * Every object begins with `struct object`. Objects live in arrays of their kind, inside a
 * fragment (one source unit, numbers not yet given) or a snapshot (all of them, sealed).
 */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include "model/opt.h"

enum object_kind {
#define OBJECT(kind, type) OBJECT_##kind,
#include "model/model.def"
	OBJECT_KINDS
};

/* True for the kinds that no source makes: the agent's own, in each snapshot. */
static inline bool object_is_of_agent(enum object_kind kind)
{
	return kind >= OBJECT_SUMMARY;
}

/* What the agent adds to each object when the snapshot is made; zero in a fragment. */
struct object {
	uint32_t index; /* the row's number in the MIB, from index/registry.h */
	uint32_t unit;	/* position of its source unit in the snapshot's list */
};

#define OBJECT(kind, type) \
	struct type {      \
		struct object object;
#define FIELD(type, name, low, high, text) struct opt_##type name;
#define LINK(name, kind, must, text)	   uint32_t name;
#define END_OBJECT \
	}          \
	;
#include "model/model.def"

enum field_type {
	FIELD_u32,
	FIELD_counter,
	FIELD_bool,
	FIELD_bits,
	FIELD_str,
	FIELD_addr,
	FIELD_isid,
	FIELD_time,
	FIELD_link, /* low: `must`; high: the kind of the object linked to */
};

struct field_info {
	const char *name;
	const char *text; /* unit or meaning */
	enum field_type type;
	uint16_t offset; /* octets from the beginning of the object */
	uint64_t low, high;
};

struct object_info {
	const char *name; /* "session" */
	uint32_t size;	  /* octets of the structure */
	uint32_t field_count;
	const struct field_info *fields;
	uint16_t key_offset; /* of its `key` */
};

/* The description of a kind; static, never NULL for a kind below OBJECT_KINDS. */
const struct object_info *object_info(enum object_kind kind);

/* Changes with any change of model.def: a fragment of another build is refused. */
uint64_t model_layout_hash(void);

#endif
