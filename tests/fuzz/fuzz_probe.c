/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a target makes libiscsi say, with any octets: the input is messages with NULs between them.
 * The first is the name of the target that libiscsi puts behind each; the others are log messages
 * and error texts. What is kept is clean and in its ranges, and has nothing of CHAP.
 */
#include "source/probe_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_text(const char text[PROBE_TEXT_MAX])
{
	size_t length = strnlen(text, PROBE_TEXT_MAX);

	CHECK(length < PROBE_TEXT_MAX);
	CHECK(text_is_clean(text, length, PROBE_TEXT_MAX - 1));
}

/* Words of the form Key=value, each key once. */
static void check_other(const char *text)
{
	char seen[32][32];
	size_t count = 0;

	for (const char *at = text; *at; count++) {
		size_t key = strcspn(at, "= "), word = strcspn(at, " ");

		CHECK(count < ARRAY_SIZE(seen) && key > 0 && key < sizeof(seen[0]));
		CHECK(at[key] == '=' && word > key + 1);
		CHECK(strncmp(at, "CHAP", 4) != 0 && strncmp(at, "Target", 6) != 0);
		snprintf(seen[count], sizeof(seen[0]), "%.*s", (int)key, at);
		for (size_t i = 0; i < count; i++)
			CHECK(strcmp(seen[i], seen[count]) != 0);
		CHECK(at[word] == '\0' || at[word + 1]);
		at += word + (at[word] == ' ');
	}
}

static void check_keys(const struct probe_keys *keys)
{
	check_text(keys->alias);
	check_text(keys->redirect);
	check_text(keys->other);
	check_other(keys->other);
	CHECK(!keys->tag.known || keys->tag.value <= UINT16_MAX);
	CHECK(!keys->max_recv.known ||
		(keys->max_recv.value >= 512 && keys->max_recv.value <= 16777215));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct probe_keys keys = { .alias = "" };
	char *target = NULL;

	for (size_t at = 0; at < size;) {
		const uint8_t *end = memchr(data + at, 0, size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;
		/* In memory of its own, so that a read beyond it is seen. */
		char *message = strndup((const char *)data + at, length);
		uint32_t class = 0, detail = 0;

		CHECK(message);
		at += length + 1;
		if (!target) {
			target = message;
			continue;
		}
		probe_keys_take(&keys, message, target);
		check_keys(&keys);
		if (probe_status_parse(message, &class, &detail))
			CHECK(class >= 1 && class <= 255 && detail <= 255);
		else
			CHECK(!class && !detail);
		free(message);
	}
	free(target);
	return 0;
}
