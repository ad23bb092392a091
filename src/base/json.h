/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * JSON (RFC 8259) taken apart piece by piece: no tree, no allocation, no recursion. Strict: what
 * the grammar does not allow is refused, and so is nesting beyond JSON_DEPTH_MAX. Octets above
 * 0x7f are taken as they are; whether they are UTF-8 is for whoever shows them.
 *
 *	struct json j = JSON_INIT(text, length);
 *	while ((event = json_next(&j)) > JSON_END)
 *		...
 *
 * Texts come from daemons that print what a peer said; used in the reader processes. Pure.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/base.h"

#define JSON_DEPTH_MAX 16u /* objects and arrays inside each other */

enum json_event {
	JSON_END, /* the one value of the text is complete, and nothing follows it */
	JSON_OBJECT,
	JSON_OBJECT_END,
	JSON_ARRAY,
	JSON_ARRAY_END,
	JSON_KEY, /* of the value that comes next */
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL,
};

struct json {
	/* Of the last key, string or number, into the text: without quotes, escapes as they are. */
	const char *value;
	size_t value_length; /* octets */

	const char *at, *end;
	uint32_t depth, arrays; /* bit n of arrays: the nth level is an array, else an object */
	uint8_t expects;	/* json.c */
};

#define JSON_INIT(text, length)                        \
	{                                              \
		.at = (text), .end = (text) + (length) \
	}

/*
 * The next piece. After JSON_END comes JSON_END again. Returns -EBADMSG when the text is not JSON
 * or ends too early, then and from then on.
 */
int json_next(struct json *j);

/*
 * After JSON_OBJECT or JSON_ARRAY: goes on behind its end; after JSON_KEY: behind its value. Does
 * nothing after any other event. `event` is the last one. Returns 0 or -EBADMSG.
 */
int json_skip(struct json *j, int event);

/* True when the last key or string is `text`, which has nothing that JSON would escape. */
bool json_is(const struct json *j, const char *text);

#endif
