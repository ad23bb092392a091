/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The answers of multipathd with any octets. The input is up to four answers with NULs between
 * them: maps, path groups, paths, the maps again; each is also given to every parser. What comes
 * out lies in what went in, and in its ranges; what is built of it is a good fragment.
 */
#include "base/json.h"
#include "model/fragment.h"
#include "model/path_join.h"
#include "source/multipath_model.h"
#include "source/multipath_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition)          \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void check_inside(struct multipath_text all, struct multipath_text part, size_t most)
{
	CHECK(part.length <= most);
	CHECK(!part.length || (part.at >= all.at && part.at + part.length <= all.at + all.length));
}

static void check_lines(struct multipath_text all)
{
	struct multipath_text rest = all, line;
	size_t taken = 0;

	while (multipath_next_line(&rest, &line)) {
		struct multipath_map map;
		struct multipath_path path;

		check_inside(all, line, all.length);
		CHECK(!line.length || !memchr(line.at, '\n', line.length));
		taken += line.length + 1;
		if (multipath_parse_map(line, &map) > 0) {
			check_inside(line, map.device, 13);
			check_inside(line, map.wwid, 255);
			check_inside(line, map.name, 255);
			check_inside(line, map.queueing, 63);
			CHECK(map.wwid.length && !memchr(map.wwid.at, '|', map.wwid.length));
			CHECK(!memchr(map.device.at, '/', map.device.length));
		}
		if (multipath_parse_path(line, &path) > 0) {
			check_inside(line, path.device, 63);
			check_inside(line, path.hctl, 63);
			check_inside(line, path.map, 255);
			CHECK(path.device.length && path.map.length);
			CHECK(!memchr(path.device.at, '/', path.device.length));
			CHECK(!path.checker_state.known ||
				(path.checker_state.value >= CHECKER_READY &&
					path.checker_state.value <= CHECKER_DISCONNECTED));
			CHECK(!path.priority.known || path.priority.value <= INT32_MAX);
		}
	}
	CHECK(taken <= all.length + 1);
}

static void check_json(struct multipath_text all)
{
	struct json j = JSON_INIT(all.at, all.length);
	struct multipath_member *members = NULL;
	ssize_t count = multipath_parse_groups(all.at, all.length, &members);
	bool good;
	int event;

	do {
		event = json_next(&j);
		CHECK(j.depth <= JSON_DEPTH_MAX);
		if (event == JSON_KEY || event == JSON_STRING || event == JSON_NUMBER)
			check_inside(all, (struct multipath_text){ j.value, j.value_length },
				all.length);
	} while (event > JSON_END);
	good = event == JSON_END;
	CHECK(json_next(&j) == event);
	CHECK(count < 0 || good);
	for (ssize_t i = 0; i < count; i++) {
		check_inside(all, members[i].device, all.length);
		CHECK(members[i].number <= UINT16_MAX);
		CHECK(i == 0 || multipath_compare(members[i - 1].device, members[i].device) < 0);
	}
	if (count >= 0)
		free(members);
}

static void check_answer(const char *data, size_t length)
{
	ssize_t full = multipath_answer_length(data, length);
	const char *text, *reason = NULL;
	size_t text_length;

	CHECK(full <= 0 || (size_t)full > MULTIPATH_HEADER);
	if (multipath_answer_parse(data, length, &text, &text_length, &reason) == 0)
		CHECK(strlen(text) == text_length);
	else
		CHECK(reason != NULL);
}

static void check_model(const struct multipath_answers *answers, struct multipath_text again)
{
	struct builder *b = builder_new();
	struct fragment *fragment = NULL;
	struct root *root = NULL;
	struct multipath_model model;
	struct multipath_text line;
	char reason[128];
	size_t length;
	int rc;

	/* A root below which there are no devices. */
	CHECK(b && root_open("/proc/self/ns", &root) == 0);
	rc = multipath_model_fill(&model, b, root, answers, &line);
	CHECK(rc == 0 || rc == -EBADMSG || rc == -EOVERFLOW);
	CHECK(model.empty_count <= model.map_count);
	if (rc == 0 && model.empty_count) {
		rc = multipath_model_settle(&model, again, &line);
		CHECK(rc == 0 || rc == -EBADMSG || rc == -EAGAIN);
	}
	multipath_model_clear(&model);
	CHECK(rc != -EBADMSG || line.at);
	if (rc == 0) {
		CHECK(builder_seal(b, &fragment, &length) == 0);
		CHECK(fragment_check(fragment, length, reason) == 0);
	}
	free(fragment);
	root_close(root);
	builder_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum { MAPS, GROUPS, PATHS, AGAIN, ANSWERS };
	struct multipath_text texts[ANSWERS] = { { "", 0 }, { "", 0 }, { "", 0 }, { "", 0 } };
	char *copies[ANSWERS] = { NULL };
	size_t at = 0;

	check_answer((const char *)data, size);
	for (size_t i = 0; i < ANSWERS && at < size; i++) {
		const uint8_t *end = memchr(data + at, 0, size - at);
		size_t length = end ? (size_t)(end - data) - at : size - at;

		/* Each in memory of its own, so that a read beyond it is seen. */
		copies[i] = malloc(length ? length : 1);
		CHECK(copies[i]);
		memcpy(copies[i], data + at, length);
		texts[i] = (struct multipath_text){ copies[i], length };
		check_lines(texts[i]);
		check_json(texts[i]);
		at += length + 1;
	}
	check_model(&(struct multipath_answers){ texts[MAPS], texts[GROUPS], texts[PATHS] },
		texts[AGAIN]);
	for (size_t i = 0; i < ANSWERS; i++)
		free(copies[i]);
	return 0;
}
