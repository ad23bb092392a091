/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of SCST with any octets, each parser with each text: none reads beyond it, and what
 * they call known is in its range. A text that is a number reads back the same.
 */
#include "source/scst_parse.h"

#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_values(const char *text, size_t length)
{
	struct opt_u32 number = scst_parse_u32(text, length, 512, 16777215), primary, secondary;
	struct opt_counter counter = scst_parse_counter(text, length), again;
	char line[SCST_LINE_MAX + 1], printed[32];
	ssize_t n = scst_parse_line(text, length, line);

	CHECK(n < 0 || (size_t)n == strlen(line));
	CHECK(!number.known || (number.value >= 512 && number.value <= 16777215));
	CHECK(!number.known || (counter.known && counter.value == number.value));
	if (counter.known) {
		snprintf(printed, sizeof(printed), "%" PRIu64 "\n", counter.value);
		again = scst_parse_counter(printed, strlen(printed));
		CHECK(again.known && again.value == counter.value);
	}
	CHECK(scst_parse_bool(text, length).value <= 1);
	scst_parse_digests(text, length, &primary, &secondary);
	CHECK(primary.known == secondary.known);
	CHECK(!primary.known || primary.value == 3 || primary.value == 4);
	CHECK(!secondary.known || secondary.value == 1 || secondary.value == 3);
	primary = scst_parse_digest(text, length);
	CHECK(!primary.known || primary.value == 3 || primary.value == 4);
	primary = scst_parse_state(text, length);
	CHECK(!primary.known || primary.value == 2 || primary.value == 3);
}

static void check_names(const char *text, size_t length)
{
	char name[SCST_LINE_MAX + 1], printed[32];
	struct opt_isid isid, isid_again;
	struct opt_u32 tsih, tsih_again;
	uint64_t sid, again;

	CHECK(scst_parse_name(text, length, name) == strlen(name));
	CHECK(!strchr(name, '\n') && !strchr(name, '#'));
	if (scst_parse_sid(text, length, &sid, &isid, &tsih) < 0) {
		CHECK(!isid.known && !tsih.known);
		return;
	}
	CHECK(isid.known && (!tsih.known || (tsih.value >= 1 && tsih.value <= UINT16_MAX)));
	snprintf(printed, sizeof(printed), "%" PRIx64 "\n", sid);
	CHECK(scst_parse_sid(printed, strlen(printed), &again, &isid_again, &tsih_again) == 0);
	CHECK(again == sid && memcmp(&isid, &isid_again, sizeof(isid)) == 0);
}

static void check_daemon(const char *text, size_t length)
{
	struct scst_listener listener;
	struct scst_process process;

	scst_parse_process(text, length, &process);
	if (scst_parse_arguments(text, length, &listener) < 0)
		return;
	CHECK(listener.port > 0 && listener.address_count <= SCST_ADDRESSES_MAX);
	for (size_t i = 0; i < listener.address_count; i++) {
		const char *at = listener.addresses[i].at;
		size_t n = listener.addresses[i].length;

		CHECK(n > 0 && at >= text && at + n < text + length);
		CHECK(!memchr(at, ' ', n) && !memchr(at, 0, n));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* In memory of its own, so that a sanitizer sees a read beyond it. */
	char *text = malloc(size + !size);

	if (!text)
		return 0;
	memcpy(text, data, size);
	check_values(text, size);
	check_names(text, size);
	check_daemon(text, size);
	free(text);
	return 0;
}
