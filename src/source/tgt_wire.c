/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests and answers of tgtd's management socket. Called by tgt_read.c in the reader process of
 * the source tgt. Must never make a request that changes something: see the assertions below.
 */
#include "source/tgt_wire.h"

#define TGT_LLD_NAME_OCTETS 64

/* enum tgtadm_op of tgt: NEW 0, DELETE 1, SHOW 2, BIND 3, UNBIND 4, UPDATE 5, STATS 6, … */
enum { OP_SHOW = 2, OP_STATS = 6 };

/* enum tgtadm_mode of tgt */
enum { MODE_TARGET = 1, MODE_DEVICE = 2, MODE_PORTAL = 3, MODE_SESSION = 5, MODE_CONNECTION = 6 };

/* QUESTION(name, mode, op, target, words): `target` is the tid sent when none is given. */
#define TGT_QUESTIONS_LIST(QUESTION)                                                              \
	QUESTION(TGT_ASK_PORTALS, MODE_PORTAL, OP_SHOW, 0, "the portals")                         \
	QUESTION(TGT_ASK_TARGETS, MODE_TARGET, OP_SHOW, -1, "the targets")                        \
	QUESTION(TGT_ASK_PARAMETERS, MODE_TARGET, OP_SHOW, 0, "the parameters of a target")       \
	QUESTION(TGT_ASK_CONNECTIONS, MODE_CONNECTION, OP_SHOW, 0, "the connections of a target") \
	QUESTION(TGT_ASK_NEXUSES, MODE_DEVICE, OP_STATS, 0, "the nexuses of a target")            \
	QUESTION(TGT_ASK_SESSION, MODE_SESSION, OP_STATS, 0, "the counters of a session")

/* Nothing but SHOW and STATS compiles. */
#define ASSERT_HARMLESS(name, mode, op, target, words) \
	_Static_assert((op) == OP_SHOW || (op) == OP_STATS, #name " must not change tgtd");
TGT_QUESTIONS_LIST(ASSERT_HARMLESS)

static const struct {
	uint32_t mode, op;
	int32_t tid;
	const char *words;
} questions[TGT_QUESTIONS] = {
#define QUESTION_ROW(name, mode, op, target, words) [name] = { mode, op, target, words },
	TGT_QUESTIONS_LIST(QUESTION_ROW)
};

/* struct tgtadm_req of tgt, as the compiler lays it out on every Linux ABI with 8-octet u64. */
struct wire_request {
	uint32_t mode, op;
	char lld[TGT_LLD_NAME_OCTETS];
	uint32_t length;
	int32_t tid;
	uint64_t sid, lun;
	uint32_t cid, host_no, device_type, ac_dir, pack, force;
};
_Static_assert(sizeof(struct wire_request) == TGT_REQUEST_OCTETS, "layout of struct tgtadm_req");

const char *tgt_question_text(enum tgt_question question)
{
	return questions[question].words;
}

void tgt_request(enum tgt_question question, uint32_t tid, uint16_t nexus,
	unsigned char out[TGT_REQUEST_OCTETS])
{
	struct wire_request request = {
		.mode = questions[question].mode,
		.op = questions[question].op,
		/* Targets of the drivers iscsi and iser are in one list; either name gives all. */
		.lld = "iscsi",
		.length = sizeof(request),
		.tid = questions[question].tid,
	};

	if (question == TGT_ASK_SESSION)
		request.sid = nexus;
	else if (question != TGT_ASK_PORTALS && question != TGT_ASK_TARGETS)
		request.tid = (int32_t)tid;
	memcpy(out, &request, sizeof(request));
}

ssize_t tgt_answer_length(const char *data, size_t have)
{
	uint32_t length;

	if (have < TGT_ANSWER_HEADER)
		return 0;
	memcpy(&length, data + 4, sizeof(length));
	return length < TGT_ANSWER_HEADER ? -EBADMSG : (ssize_t)length;
}

const char *tgt_error_text(uint32_t error)
{
	static const char *const words[] = {
		[1] = "unknown error",
		[2] = "out of memory",
		[TGT_NO_DRIVER] = "no such driver",
		[TGT_NO_TARGET] = "no such target",
		[5] = "no such logical unit",
		[TGT_NO_SESSION] = "no such session",
		[7] = "no such connection",
		[17] = "invalid request",
		[22] = "unsupported operation",
	};

	return error < ARRAY_SIZE(words) && words[error] ? words[error] : "unknown error";
}

int tgt_answer_parse(const char *data, size_t length, uint32_t *ret_error, const char **ret_text,
	size_t *ret_length)
{
	uint32_t error, says;
	size_t text_length;

	if (length < TGT_ANSWER_HEADER)
		return -EBADMSG;
	memcpy(&error, data, sizeof(error));
	memcpy(&says, data + 4, sizeof(says));
	if (says != length)
		return -EBADMSG;
	text_length = error ? 0 : length - TGT_ANSWER_HEADER;
	if (text_length) {
		const char *end = memchr(data + TGT_ANSWER_HEADER, 0, text_length);

		if (end != data + length - 1)
			return -EBADMSG;
		text_length--;
	}
	*ret_error = error;
	*ret_text = text_length ? data + TGT_ANSWER_HEADER : "";
	*ret_length = text_length;
	return 0;
}
