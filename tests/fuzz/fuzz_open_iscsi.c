/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of the open-iscsi initiator with any octets: the first octet chooses the parser, the
 * rest is an attribute, a name in sysfs, or a file of lines. Files go through the filter of
 * base/root_filter.c as on a machine: what comes out must have allowed keys only.
 */
#include "base/root_private.h"
#include "source/open_iscsi_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

#define PATH "/etc/iscsi/iscsid.conf"

static void check_attribute(char *text, size_t length)
{
	uint32_t number = 7, other = 7;
	uint8_t isid[6];

	oiscsi_host_of_link(text, 1, &number);
	oiscsi_connection_name(text, &number, &other);
	CHECK(other <= UINT16_MAX);
	oiscsi_number_after(text, "session", &number);
	CHECK(number <= INT32_MAX);
	oiscsi_release_is_since(text, 6, 1);
	CHECK(oiscsi_value(text, (ssize_t)length) == (text[0] != '\0'));
	CHECK(strlen(text) <= length && strcmp(text, "(null)") != 0);
	oiscsi_isid_parse(text, isid);
	oiscsi_transport_of_driver(text);
	for (unsigned int i = 0; i < 4; i++)
		CHECK(oiscsi_connection_state(oiscsi_state_parse(text), oiscsi_link_parse(text),
			      i & 1, i & 2) <= 3);
}

static void check_number(const struct opt_u32 *number, uint32_t low, uint32_t high)
{
	CHECK(!number->known || (number->value >= low && number->value <= high));
}

static void check_config(const char *text, size_t length)
{
	struct oiscsi_config config;

	oiscsi_config_parse(text, length, &config);
	check_number(&config.max_outstanding_r2t, 1, 65535);
	check_number(&config.first_burst_length, 512, 16777215);
	check_number(&config.max_burst_length, 512, 16777215);
	check_number(&config.default_time2wait, 0, 3600);
	check_number(&config.default_time2retain, 0, 3600);
	check_number(&config.max_recv_data_segment_length, 512, 16777215);
	check_number(&config.header_digest, 3, 4);
	check_number(&config.header_digest_second, 1, 4);
	check_number(&config.data_digest, 3, 4);
	check_number(&config.data_digest_second, 1, 4);
}

static bool is_allowed(const struct oiscsi_line *line)
{
	for (size_t i = 0; oiscsi_config_keys[i]; i++) {
		if (oiscsi_line_is(line, oiscsi_config_keys[i]))
			return true;
	}
	return false;
}

/* A file is in a recording here, so that no file is needed. */
static void check_filter(const char *text, size_t length)
{
	CLEANUP_BUF struct buf out = BUF_INIT(ROOT_FILE_MAX);
	struct root root = { .ops = &root_tree_ops, .dir_fd = -1, .tree = tree_new() };
	struct tree_node node = { TREE_FILE, .path = PATH, .data = text, .length = length };
	struct oiscsi_line line;
	ssize_t lines, count = 0;
	const char *at;
	size_t left;

	CHECK(root.tree && tree_put(root.tree, &node) == 0);
	lines = root_read_filtered(&root, PATH, oiscsi_config_keys, &out);
	tree_free(root.tree);
	CHECK(lines >= 0 || length > ROOT_FILE_MAX);
	at = out.data ? out.data : "";
	left = out.length;
	check_config(at, left);
	while (oiscsi_line_next(&at, &left, &line)) {
		CHECK(is_allowed(&line));
		CHECK(!memchr(line.value, '\0', line.value_length) &&
			!memchr(line.value, '\r', line.value_length));
		count++;
	}
	CHECK(lines < 0 || count == lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = NULL;

	if (size < 1)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] == 'a') {
		check_attribute(text, size - 1);
	} else {
		check_config(text, size - 1);
		check_filter(text, size - 1);
	}
	return 0;
}
