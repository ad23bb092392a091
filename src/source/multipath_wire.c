/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Called by multipath.c in the reader process of the source. Must never make a request that
 * changes something: each begins with the word `show`, which is written here once.
 */
#include "source/multipath_wire.h"

#include "base/root.h"

#define SHOW(rest) "show " rest
#define MAP_FORMAT "raw format mp:%G|%d|%t|%Q|%w|%n"

/*
 * Wildcards of `raw format` that a version does not know are left out of its lines; all but %G
 * (0.7.5) and %P (0.7.8) are in 0.7.0, the first with `raw` and `json`. A text that may hold a '|'
 * comes last. What begins with "mp:" is a line, the rest is not: %G tells what the kernel's NVMe
 * multipath has, whose values may have newlines.
 */
static const struct {
	const char *request, *words;
} questions[MULTIPATH_QUESTIONS] = {
	[MULTIPATH_ASK_MAPS] = { SHOW("maps " MAP_FORMAT), "the maps" },
	[MULTIPATH_ASK_GROUPS] = { SHOW("maps json"), "the path groups" },
	[MULTIPATH_ASK_PATHS] = { SHOW("paths raw format mp:%G|%d|%i|%t|%T|%p|%P|%m"),
		"the paths" },
	[MULTIPATH_ASK_AGAIN] = { SHOW("multipaths " MAP_FORMAT), "the maps again" },
};

const char *multipath_question_text(enum multipath_question question)
{
	return questions[question].words;
}

size_t multipath_request(enum multipath_question question, char out[MULTIPATH_REQUEST_MAX])
{
	size_t length = strlen(questions[question].request) + 1;

	memcpy(out, &length, sizeof(length));
	memcpy(out + MULTIPATH_HEADER, questions[question].request, length);
	return MULTIPATH_HEADER + length;
}

ssize_t multipath_answer_length(const char *data, size_t have)
{
	size_t length;

	if (have < MULTIPATH_HEADER)
		return 0;
	memcpy(&length, data, sizeof(length));
	if (length == 0)
		return -EBADMSG;
	if (length > ROOT_ANSWER_MAX - MULTIPATH_HEADER)
		return -E2BIG;
	return (ssize_t)(MULTIPATH_HEADER + length);
}

static bool begins_with(const char *text, const char *beginning)
{
	return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* What multipathd says in place of what was asked for; 0 when it is none of that. */
static int recognise_refusal(const char *text, const char **ret_reason)
{
	static const struct {
		const char *beginning, *reason;
		int error;
	} refusals[] = {
		{ "timeout\n", "it was busy for too long", -ETIMEDOUT },
		{ "fail\ntimeout\n", "it was busy for too long", -ETIMEDOUT },
		{ "permission deny", "it does not allow that", -EACCES },
		{ "fail\npermission deny", "it does not allow that", -EACCES },
		{ "fail\n", "it says: fail", -EIO },
	};

	/* Only in what is no answer: peers have written into answers. */
	if (!begins_with(text, "mp:") && *text != '{' && strstr(text, "CLI commands reference")) {
		*ret_reason = "it does not know the request";
		return -EOPNOTSUPP;
	}
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		if (begins_with(text, refusals[i].beginning)) {
			*ret_reason = refusals[i].reason;
			return refusals[i].error;
		}
	}
	return 0;
}

int multipath_answer_parse(const char *data, size_t length, const char **ret_text,
	size_t *ret_length, const char **ret_reason)
{
	const char *text = data + MULTIPATH_HEADER;
	size_t says;
	int rc;

	*ret_reason = "not an answer of multipathd";
	if (length <= MULTIPATH_HEADER)
		return -EBADMSG;
	memcpy(&says, data, sizeof(says));
	if (says != length - MULTIPATH_HEADER || memchr(text, 0, says) != text + says - 1)
		return -EBADMSG;
	rc = recognise_refusal(text, ret_reason);
	if (rc < 0)
		return rc;
	/* What it says when there is no line to show. */
	if (!strcmp(text, "ok\n"))
		text = "";
	*ret_text = text;
	*ret_length = strlen(text);
	return 0;
}
