/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The only writer of fragments. Objects of a kind live in one growing array, texts in one arena;
 * sealing copies them behind a header (fragment.h).
 */
#include "model/builder.h"

#include <stdarg.h>

struct array {
	char *objects;
	uint32_t count;
	uint32_t capacity;
};

struct builder {
	struct array arrays[OBJECT_KINDS];
	struct buf arena;
	int error;
};

struct builder *builder_new(void)
{
	struct builder *b = calloc(1, sizeof(*b));

	if (b)
		b->arena = (struct buf)BUF_INIT(FRAGMENT_ARENA_MAX);
	return b;
}

void builder_free(struct builder *b)
{
	if (!b)
		return;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		free(b->arrays[k].objects);
	buf_free(&b->arena);
	free(b);
}

void builder_reset(struct builder *b)
{
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++)
		b->arrays[k].count = 0;
	buf_reset(&b->arena);
	b->error = 0;
}

int builder_error(const struct builder *b)
{
	return b->error;
}

static int array_reserve(struct array *a, size_t object_size)
{
	uint32_t capacity;
	char *objects;

	if (a->count >= FRAGMENT_OBJECTS_MAX)
		return -E2BIG;
	if (a->count < a->capacity)
		return 0;
	capacity = a->capacity ? a->capacity * 2 : 16;
	objects = realloc(a->objects, capacity * object_size);
	if (!objects)
		return -ENOMEM;
	a->objects = objects;
	a->capacity = capacity;
	return 0;
}

void *builder_add(struct builder *b, enum object_kind kind, uint32_t *ret_position)
{
	const struct object_info *info = object_info(kind);
	struct array *a = &b->arrays[kind];
	char *object;

	if (!b->error)
		b->error = array_reserve(a, info->size);
	if (b->error)
		return NULL;
	object = a->objects + (size_t)a->count * info->size;
	memset(object, 0, info->size);
	for (uint32_t i = 0; i < info->field_count; i++) {
		if (info->fields[i].type == FIELD_link) {
			uint32_t none = LINK_NONE;

			memcpy(object + info->fields[i].offset, &none, sizeof(none));
		}
	}
	if (ret_position)
		*ret_position = a->count;
	a->count++;
	return object;
}

void *builder_at(struct builder *b, enum object_kind kind, uint32_t position)
{
	return b->arrays[kind].objects + (size_t)position * object_info(kind)->size;
}

uint32_t builder_count(const struct builder *b, enum object_kind kind)
{
	return b->arrays[kind].count;
}

int builder_string(struct builder *b, struct opt_str *field, const char *text, size_t length)
{
	size_t offset = b->arena.length;

	if (b->error)
		return b->error;
	if (length > UINT16_MAX)
		length = UINT16_MAX;
	buf_append(&b->arena, text, length);
	buf_append(&b->arena, "", 1);
	if (b->arena.error)
		return b->error = b->arena.error;
	*field = (struct opt_str){
		.offset = (uint32_t)offset, .length = (uint16_t)length, .known = 1
	};
	return 0;
}

int builder_text(struct builder *b, struct opt_str *field, const char *text)
{
	return builder_string(b, field, text, strlen(text));
}

int builder_printf(struct builder *b, struct opt_str *field, const char *format, ...)
{
	char text[2048];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		return -EINVAL;
	if ((size_t)length >= sizeof(text))
		length = sizeof(text) - 1;
	return builder_string(b, field, text, (size_t)length);
}

const char *builder_text_of(const struct builder *b, const struct opt_str *field)
{
	return field->known ? b->arena.data + field->offset : "";
}

void builder_address(struct opt_addr *field, const struct text_address *address)
{
	*field = (struct opt_addr){ .known = 1, .type = address->type, .length = address->length };
	memcpy(field->octets, address->octets, address->length);
}

/*
 * Copies the known values of one object into zeroed memory. What is unknown, and the octets between
 * the fields, are whatever the source's stack held: they must not leave a process of root.
 */
static void copy_known(char *to, const char *from, const struct object_info *info)
{
#define COPY_VALUE(type)                                                           \
	do {                                                                       \
		const struct opt_##type *v = (const void *)(from + field->offset); \
		struct opt_##type *w = (void *)(to + field->offset);               \
		if (v->known) {                                                    \
			w->value = v->value;                                       \
			w->known = v->known;                                       \
		}                                                                  \
	} while (0)
	for (uint32_t i = 0; i < info->field_count; i++) {
		const struct field_info *field = &info->fields[i];
		const struct opt_str *text = (const void *)(from + field->offset);
		const struct opt_time *event = (const void *)(from + field->offset);
		const struct opt_addr *address = (const void *)(from + field->offset);
		const struct opt_isid *isid = (const void *)(from + field->offset);

		switch (field->type) {
		case FIELD_u32:
			COPY_VALUE(u32);
			break;
		case FIELD_counter:
			COPY_VALUE(counter);
			break;
		case FIELD_bool:
			COPY_VALUE(bool);
			break;
		case FIELD_bits:
			COPY_VALUE(bits);
			break;
		case FIELD_str:
			if (text->known)
				*(struct opt_str *)(void *)(to + field->offset) =
					(struct opt_str){ text->offset, text->length, text->known };
			break;
		case FIELD_time:
			if (event->known) {
				((struct opt_time *)(void *)(to + field->offset))->ns = event->ns;
				((struct opt_time *)(void *)(to + field->offset))->known =
					event->known;
			}
			break;
		case FIELD_addr: /* this and the next: octets only, no room between them */
			if (address->known)
				memcpy(to + field->offset, address, sizeof(*address));
			break;
		case FIELD_isid:
			if (isid->known)
				memcpy(to + field->offset, isid, sizeof(*isid));
			break;
		case FIELD_link:
			memcpy(to + field->offset, from + field->offset, sizeof(uint32_t));
			break;
		}
	}
#undef COPY_VALUE
}

int builder_seal(struct builder *b, struct fragment **ret, size_t *ret_length)
{
	struct fragment head = { .magic = FRAGMENT_MAGIC, .layout = model_layout_hash() };
	uint64_t at = (sizeof(head) + 7) & ~UINT64_C(7);
	char *data;

	if (b->error)
		return b->error;
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		head.arrays[k].at = at;
		head.arrays[k].count = b->arrays[k].count;
		at += (uint64_t)b->arrays[k].count * object_info(k)->size;
		at = (at + 7) & ~UINT64_C(7);
	}
	head.arena_at = at;
	head.arena_length = b->arena.length;
	head.length = at + b->arena.length;
	if (head.length > FRAGMENT_MAX)
		return -E2BIG;
	data = calloc(1, head.length);
	if (!data)
		return -ENOMEM;
	memcpy(data, &head, sizeof(head));
	for (enum object_kind k = 0; k < OBJECT_KINDS; k++) {
		const struct object_info *info = object_info(k);

		for (size_t i = 0; i < b->arrays[k].count; i++)
			copy_known(data + head.arrays[k].at + i * info->size,
				b->arrays[k].objects + i * info->size, info);
	}
	if (b->arena.length)
		memcpy(data + head.arena_at, b->arena.data, b->arena.length);
	*ret = (struct fragment *)(void *)data;
	*ret_length = head.length;
	return 0;
}
