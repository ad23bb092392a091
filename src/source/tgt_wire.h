/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and answers of tgtd's management socket (usr/tgtadm.h and usr/mgmt.c of tgt): one
 * request of 120 octets, one answer of a header of 8 octets and a text with a final NUL, both in
 * native byte order; one of each for a connection.
 *
 * Only requests that change nothing can be made: the list is closed, and each of its operations
 * is SHOW or STATS. Pure: no I/O, no allocation.
 */
#ifndef SOURCE_TGT_WIRE_H
#define SOURCE_TGT_WIRE_H

#include "base/base.h"

#define TGT_REQUEST_OCTETS 120u
#define TGT_ANSWER_HEADER  8u

/* The requests; `tid` is the number of a target, `nexus` of an I_T nexus. */
enum tgt_question {
	TGT_ASK_PORTALS,     /* all portals */
	TGT_ASK_TARGETS,     /* all targets: nexuses, units, accounts, ACLs */
	TGT_ASK_PARAMETERS,  /* the keys of a target (tid) */
	TGT_ASK_CONNECTIONS, /* all connections of a target (tid) */
	TGT_ASK_NEXUSES,     /* numbers of LUN 0, a line for each nexus of a target (tid) */
	TGT_ASK_SESSION,     /* numbers of a session, a line for each connection (nexus) */
	TGT_QUESTIONS
};

/* What is asked for, in words, for messages: "the portals". */
const char *tgt_question_text(enum tgt_question question);

/* Writes a request. tid and nexus are used as the question wants them, 0 otherwise. */
void tgt_request(enum tgt_question question, uint32_t tid, uint16_t nexus,
	unsigned char out[TGT_REQUEST_OCTETS]);

/* For root_exchange: the length of the answer in octets, 0 when 8 octets have not come yet,
 * -EBADMSG when it says less than its own header. */
ssize_t tgt_answer_length(const char *data, size_t have);

/* tgtd's own error numbers (usr/tgtadm_error.h) that mean something here. */
#define TGT_NO_DRIVER  3u
#define TGT_NO_TARGET  4u
#define TGT_NO_SESSION 6u

/* tgtd's words for an error number; "unknown error" for others. */
const char *tgt_error_text(uint32_t error);

/*
 * Takes a whole answer apart. *ret_error is tgtd's error number, 0 for none; the text (without
 * its final NUL, "" when there is none or with an error) points into `data`. Returns 0, or
 * -EBADMSG when lengths disagree or the text holds a NUL elsewhere than at its end.
 */
int tgt_answer_parse(const char *data, size_t length, uint32_t *ret_error, const char **ret_text,
	size_t *ret_length);

#endif
