/* SPDX-License-Identifier: BSD-2-Clause */
/* The objects of model.def described as data. No code here knows a field by name. */
#include "model/model.h"

#include "base/hash.h"

/* One function for each object: only inside it can a field name its structure by a typedef. */
#define OBJECT(kind, type)                                     \
	static const struct object_info *describe_##type(void) \
	{                                                      \
		typedef struct type object_type;               \
		static const char name[] = #type;              \
		static const struct field_info fields[] = {
#define FIELD(type, name, low, high, text) \
	{ #name, text, FIELD_##type, offsetof(object_type, name), low, high },
#define LINK(name, kind, must, text) \
	{ #name, text, FIELD_link, offsetof(object_type, name), must, OBJECT_##kind },
#define END_OBJECT                                        \
	}                                                 \
	;                                                 \
	static const struct object_info info = {          \
		.name = name,                             \
		.size = sizeof(object_type),              \
		.field_count = ARRAY_SIZE(fields),        \
		.fields = fields,                         \
		.key_offset = offsetof(object_type, key), \
	};                                                \
	return &info;                                     \
	}
#include "model/model.def"

const struct object_info *object_info(enum object_kind kind)
{
	static const struct object_info *(*const describe[OBJECT_KINDS])(void) = {
#define OBJECT(kind, type) [OBJECT_##kind] = describe_##type,
#include "model/model.def"
	};

	return describe[kind]();
}

uint64_t model_layout_hash(void)
{
	uint64_t hash = HASH_INIT;

	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		const struct object_info *info = object_info(k);

		hash = hash_bytes(hash, &info->size, sizeof(info->size));
		for (uint32_t i = 0; i < info->field_count; i++) {
			const struct field_info *f = &info->fields[i];

			hash = hash_bytes(hash, f->name, strlen(f->name));
			hash = hash_bytes(hash, &f->type, sizeof(f->type));
			hash = hash_bytes(hash, &f->offset, sizeof(f->offset));
		}
	}
	return hash;
}
