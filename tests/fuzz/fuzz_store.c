/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of the registry's files. The first octet chooses the sort of file and whether the
 * checksum is made right, so that mutations reach the lines behind it. What is accepted must come
 * out again as it went in, and what is refused must change nothing.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "index/store.h"

#include <inttypes.h>

#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

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

static void parse(const char *text, size_t length, bool persistent)
{
	struct registry *r = registry_new(), *again = registry_new();
	struct store_run run = { .uptime_zero_ns = 1 };
	struct buf first = BUF_INIT(STORE_FILE_MAX), second = BUF_INIT(STORE_FILE_MAX);
	char reason[STORE_REASON] = "";
	bool loaded = false;
	int rc;

	check(r && again);
	rc = store_parse(r, text, length, persistent, BOOT, &run, &loaded, reason);
	check(rc == 0 || rc == -EBADMSG);
	check(rc == 0 || (reason[0] && !loaded && run.uptime_zero_ns == 1));
	if (!loaded)
		check(!registry_entries(r, NULL) && !registry_counters(r, NULL));
	check(!store_format(r, persistent, BOOT, &run, append, &first));
	check(!store_parse(
		again, first.data, first.length, persistent, BOOT, &run, &loaded, reason));
	check(loaded && !reason[0]);
	check(!store_format(again, persistent, BOOT, &run, append, &second));
	check(first.length == second.length && !memcmp(first.data, second.data, first.length));
	buf_free(&first);
	buf_free(&second);
	registry_free(r);
	registry_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf text = BUF_INIT(1024 * 1024);

	if (size == 0 || size > 64 * 1024)
		return 0;
	buf_append(&text, data + 1, size - 1);
	if (data[0] & 2)
		buf_printf(&text, "end %016" PRIx64 "\n",
			hash_bytes(HASH_INIT, text.data, text.length));
	parse(text.data, text.length, data[0] & 1);
	buf_free(&text);
	return 0;
}
