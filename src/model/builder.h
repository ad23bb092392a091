/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a source says what it found: objects are added one by one, then sealed into a fragment.
 * Used in the reader processes (and by the one-shot commands and tests). The first failure (no
 * memory, a limit) sticks; later calls do nothing harmful, so that a source may check once.
 *
 *	struct node *node = builder_node(b, &node_at);
 *	if (!node)
 *		return builder_error(b);
 *	node->instance = instance_at;
 *	builder_string(b, &node->key, "target iqn.…", length);
 *	OPT_SET(node->roles, 0x80);
 */
#ifndef MODEL_BUILDER_H
#define MODEL_BUILDER_H

#include "base/buf.h"
#include "model/fragment.h"

struct builder;

/* Returns NULL without memory. The limits are those of fragment.h. Freed with builder_free. */
struct builder *builder_new(void);

/* Frees; NULL is accepted. */
void builder_free(struct builder *b);

/* Empties it for the next unit or poll; keeps the memory. */
void builder_reset(struct builder *b);

/* 0, or the first failure: -ENOMEM, -E2BIG. */
int builder_error(const struct builder *b);

/*
 * Adds an object whose fields are all unknown and whose links are LINK_NONE. Returns it, valid
 * until the next object of the same kind is added, and its position; NULL after a failure.
 */
void *builder_add(struct builder *b, enum object_kind kind, uint32_t *ret_position);

/* An object added before, by its position (which must exist). Same lifetime. */
void *builder_at(struct builder *b, enum object_kind kind, uint32_t position);

/* Number of objects of a kind so far. */
uint32_t builder_count(const struct builder *b, enum object_kind kind);

#define OBJECT(kind, type)                                                                   \
	static inline struct type *builder_##type(struct builder *b, uint32_t *ret_position) \
	{                                                                                    \
		return builder_add(b, OBJECT_##kind, ret_position);                          \
	}                                                                                    \
	static inline struct type *builder_##type##_at(struct builder *b, uint32_t position) \
	{                                                                                    \
		return builder_at(b, OBJECT_##kind, position);                               \
	}
#include "model/model.def"

/*
 * Sets a text field to a copy of `length` octets. The text is kept as it is (keys and names are
 * compared by octets); the encoder of the column makes it safe to show. Longer than 65,535
 * octets: cut. Returns 0 or the sticking error.
 */
int builder_string(struct builder *b, struct opt_str *field, const char *text, size_t length);
int builder_text(struct builder *b, struct opt_str *field, const char *text);
int builder_printf(struct builder *b, struct opt_str *field, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* The text of a field set before; "" when it is unknown. Valid until the next string is added. */
const char *builder_text_of(const struct builder *b, const struct opt_str *field);

/* Sets an address field from a parsed address. */
void builder_address(struct opt_addr *field, const struct text_address *address);

/*
 * Seals: one flat fragment (fragment.h) in memory that the caller frees with free(). The builder
 * can be reset and used again. Returns 0, the sticking error, or -ENOMEM.
 */
int builder_seal(struct builder *b, struct fragment **ret, size_t *ret_length);

#endif
