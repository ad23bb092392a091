/* SPDX-License-Identifier: BSD-2-Clause */
/* base/text.h with any octets: its promises hold, and what it accepts survives printing. */
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static int zone_of_fuzz(void *context, const char *name, uint32_t *ret)
{
	(void)context;
	CHECK(name[0] != '\0' && strlen(name) < 16 && !strchr(name, '/'));
	*ret = (uint32_t)strlen(name);
	return name[0] == 'e' ? 0 : -ENODEV;
}

static void check_sanitize(const char *text, size_t length, size_t limit)
{
	char out[300], again[300];
	size_t n = text_sanitize(out, limit, text, length);

	CHECK(n <= limit && n <= length && out[n] == '\0' && strlen(out) == n);
	CHECK(text_is_clean(out, n, limit));
	CHECK(text_sanitize(again, limit, out, n) == n && memcmp(out, again, n) == 0);
	CHECK(text_is_clean(text, length, limit) ==
		(n == length && memcmp(out, text, length) == 0));
}

static void check_address(const char *text)
{
	struct text_address address, again;
	uint16_t port = 0;
	char out[64];

	if (text_to_address_in(text, zone_of_fuzz, NULL, &address) == 0) {
		CHECK(text_to_address_in(
			      text_from_address(out, &address), zone_of_fuzz, NULL, &again) == 0);
		CHECK(memcmp(&address, &again, sizeof(address)) == 0);
		CHECK(text_address_equal(&address, &again));
	}
	if (text_to_endpoint_in(text, zone_of_fuzz, NULL, &address, &port) == 0)
		CHECK(port > 0 && text_from_address(out, &address)[0] != '\0');
}

static void check_number(const char *text)
{
	uint64_t value, again;
	char out[32];
	bool truth;

	if (text_to_u64(text, UINT64_MAX, &value) == 0) {
		snprintf(out, sizeof(out), "%llu", (unsigned long long)value);
		CHECK(text_to_u64(out, value, &again) == 0 && again == value);
		CHECK(value == 0 || text_to_u64(text, value - 1, &again) == -ERANGE);
	}
	text_to_bool(text, &truth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char text[512];

	if (size < 1 || size >= sizeof(text))
		return 0;
	check_sanitize((const char *)data + 1, size - 1, data[0]);
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	check_address(text);
	check_number(text);
	return 0;
}
