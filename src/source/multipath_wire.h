/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and answers of multipathd's socket (libmpathcmd and multipathd/uxlsnr.c of
 * multipath-tools): a size_t in native byte order that counts what follows, then a text with its
 * NUL; the same in both directions.
 *
 * Only the requests of the list below can be made. They are all `show`, which changes nothing, and
 * which multipathd allows to anybody. Pure: no I/O, no allocation.
 */
#ifndef SOURCE_MULTIPATH_WIRE_H
#define SOURCE_MULTIPATH_WIRE_H

#include "base/base.h"

#define MULTIPATH_HEADER      sizeof(size_t) /* octets */
#define MULTIPATH_REQUEST_MAX 128u	     /* octets of a request with its header */

enum multipath_question {
	MULTIPATH_ASK_MAPS,   /* a line for each map: multipath_parse_map */
	MULTIPATH_ASK_GROUPS, /* all as JSON: multipath_parse_groups */
	MULTIPATH_ASK_PATHS,  /* a line for each path: multipath_parse_path */
	MULTIPATH_ASK_AGAIN,  /* as _MAPS; in other words, so that a recording can have both */
	MULTIPATH_QUESTIONS
};

/* What is asked for, in words, for messages: "the maps". */
const char *multipath_question_text(enum multipath_question question);

/* Writes a request; returns its length in octets. */
size_t multipath_request(enum multipath_question question, char out[MULTIPATH_REQUEST_MAX]);

/*
 * For root_exchange: the length of the answer in octets, 0 when its header has not come yet.
 * -EBADMSG when it has no text, -E2BIG when it announces more than ROOT_ANSWER_MAX octets (as do
 * the first octets of a daemon of another word size).
 */
ssize_t multipath_answer_length(const char *data, size_t have);

/*
 * Takes a whole answer apart. The text (without its NUL, "" when multipathd has nothing to say)
 * points into `data`. Returns 0, or with a reason in words:
 *   -EBADMSG     lengths disagree, or a NUL elsewhere than at its end
 *   -EOPNOTSUPP  the list of commands: this multipathd does not know the request
 *   -ETIMEDOUT   multipathd was busy with something else for too long
 *   -EACCES, -EIO  what it says
 */
int multipath_answer_parse(const char *data, size_t length, const char **ret_text,
	size_t *ret_length, const char **ret_reason);

#endif
