/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of the events file. The first octet chooses whether the checksum is made right, so
 * that mutations reach the lines behind it, and whether the file is of this boot. What is accepted
 * must come out again and be the same then, and what is refused must change nothing.
 */
#include "base/buf.h"
#include "base/hash.h"
#include "index/event_store.h"

#include <inttypes.h>

#define BOOT  "01234567-89ab-cdef-0123-456789abcdef"
#define BOOT2 "fedcba98-7654-3210-fedc-ba9876543210"
#define LIMIT 100u

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

static void parse(const char *text, size_t length, const char *boot)
{
	struct event_log *log = event_log_new(LIMIT), *again = event_log_new(LIMIT);
	struct buf first = BUF_INIT(EVENT_STORE_MAX), second = BUF_INIT(EVENT_STORE_MAX);
	char reason[STORE_REASON] = "";
	int rc;

	check(log && again);
	rc = event_store_parse(log, text, length, boot, reason);
	check(rc == 0 || (rc == -EBADMSG && reason[0]));
	check(rc == 0 || (event_log_count(log) == 0 && event_log_next(log) == 1));
	for (size_t i = 0; i < event_log_count(log); i++) {
		const struct event_record *record = event_log_at(log, i);

		check(event_type_word(record->type) && record->number < event_log_next(log));
		check(strlen(record->subject) <= EVENT_TEXT_MAX);
		check(strlen(record->text) <= EVENT_TEXT_MAX);
	}
	check(!event_store_format(log, boot, event_log_next(log), append, &first));
	check(!event_store_parse(again, first.data, first.length, boot, reason) && !reason[0]);
	check(!event_store_format(again, boot, event_log_next(again), append, &second));
	check(first.length == second.length && !memcmp(first.data, second.data, first.length));
	buf_free(&first);
	buf_free(&second);
	event_log_free(log);
	event_log_free(again);
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
	parse(text.data, text.length, data[0] & 1 ? BOOT : BOOT2);
	buf_free(&text);
	return 0;
}
