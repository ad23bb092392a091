/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of the engine's file (index/engine_store.h). The first octet says whether the checksum
 * is made right, so that mutations reach the lines before it. What is accepted must be the file
 * that such an engine is written as, octet by octet but for leading zeros; what is refused changes
 * nothing.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "index/engine_store.h"

#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static int append(void *context, const char *text, size_t length)
{
	return buf_append(context, text, length);
}

static void parse(const char *text, size_t length)
{
	struct engine engine, untouched, again;
	struct buf written = BUF_INIT(ENGINE_STORE_MAX);
	char reason[STORE_REASON] = "";
	int rc;

	memset(&engine, 0x5a, sizeof(engine));
	untouched = engine;
	rc = engine_store_parse(&engine, text, length, reason);
	check(rc == 0 || rc == -EBADMSG);
	check((rc < 0) == (reason[0] != '\0') && strnlen(reason, STORE_REASON) < STORE_REASON);
	if (rc < 0) {
		check(!memcmp(&engine, &untouched, sizeof(engine)));
		return;
	}
	check(engine.boots >= 1 && engine.boots <= ENGINE_BOOTS_MAX);
	check(engine.id_length >= 5 && engine.id_length <= ENGINE_ID_MAX);
	for (uint32_t i = engine.id_length; i < ENGINE_ID_MAX; i++)
		check(engine.id[i] == 0);
	check(!engine_store_format(&engine, append, &written));
	check(written.length <= length);
	check(!engine_store_parse(&again, written.data, written.length, reason));
	check(!memcmp(&engine, &again, sizeof(engine)));
	buf_free(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(8192);
	char *exact;

	if (size == 0 || size > 4096)
		return 0;
	check(!buf_append(&text, (const char *)data + 1, size - 1));
	if (data[0] & 1)
		buf_printf(&text, "end %016" PRIx64 "\n",
			hash_bytes(HASH_INIT, text.data, text.length));
	/* Exactly as large as the text, so that a read beyond it is seen. */
	exact = malloc(text.length ? text.length : 1);
	check(exact);
	if (text.length)
		memcpy(exact, text.data, text.length);
	parse(exact, text.length);
	free(exact);
	buf_free(&text);
	return 0;
}
