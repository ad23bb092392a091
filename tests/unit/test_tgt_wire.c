/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and answers of tgtd's management socket: octets, lengths, lies. */
#include "source/tgt_wire.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* struct tgtadm_req as tgt 1.0.85 has it (usr/tgtadm.h). */
struct tgtadm_req {
	uint32_t mode, op;
	char lld[64];
	uint32_t len;
	int32_t tid;
	uint64_t sid, lun;
	uint32_t cid, host_no, device_type, ac_dir, pack, force;
};

static struct tgtadm_req ask(enum tgt_question question, uint32_t tid, uint16_t nexus)
{
	unsigned char octets[TGT_REQUEST_OCTETS];
	struct tgtadm_req request;

	memset(octets, 0xa5, sizeof(octets));
	tgt_request(question, tid, nexus, octets);
	memcpy(&request, octets, sizeof(request));
	return request;
}

static void test_every_request_only_shows(void **state)
{
	(void)state;
	for (int q = 0; q < TGT_QUESTIONS; q++) {
		struct tgtadm_req request = ask((enum tgt_question)q, 7, 9);

		assert_true(request.op == 2 || request.op == 6);
		assert_int_equal(request.len, 120);
		assert_string_equal(request.lld, "iscsi");
		assert_int_equal(request.lun, 0);
		assert_int_equal(request.cid | request.host_no | request.device_type |
					 request.ac_dir | request.pack | request.force,
			0);
		assert_non_null(tgt_question_text((enum tgt_question)q));
	}
}

static void assert_request(
	enum tgt_question question, uint32_t mode, uint32_t op, int32_t tid, uint64_t sid)
{
	struct tgtadm_req request = ask(question, 7, 9);

	assert_int_equal(request.mode, mode);
	assert_int_equal(request.op, op);
	assert_int_equal(request.tid, tid);
	assert_int_equal(request.sid, sid);
}

static void test_requests_are_those_of_tgtadm(void **state)
{
	(void)state;
	assert_request(TGT_ASK_PORTALS, 3, 2, 0, 0);
	assert_request(TGT_ASK_TARGETS, 1, 2, -1, 0);
	assert_request(TGT_ASK_PARAMETERS, 1, 2, 7, 0);
	assert_request(TGT_ASK_CONNECTIONS, 6, 2, 7, 0);
	assert_request(TGT_ASK_NEXUSES, 2, 6, 7, 0);
	assert_request(TGT_ASK_SESSION, 5, 6, 0, 9);
}

static size_t answer(char *out, uint32_t error, uint32_t says, const char *text, size_t length)
{
	memcpy(out, &error, 4);
	memcpy(out + 4, &says, 4);
	memcpy(out + 8, text, length);
	return 8 + length;
}

static void test_length_is_known_after_the_header(void **state)
{
	char data[64];

	(void)state;
	answer(data, 0, 4711, "", 0);
	for (size_t have = 0; have < 8; have++)
		assert_int_equal(tgt_answer_length(data, have), 0);
	assert_int_equal(tgt_answer_length(data, 8), 4711);
	answer(data, 0, UINT32_MAX, "", 0);
	assert_int_equal(tgt_answer_length(data, 8), UINT32_MAX);
}

static void test_length_below_the_header_is_refused(void **state)
{
	char data[64];

	(void)state;
	for (uint32_t says = 0; says < 8; says++) {
		answer(data, 0, says, "", 0);
		assert_int_equal(tgt_answer_length(data, 8), -EBADMSG);
	}
}

static int parse(const char *data, size_t length, uint32_t *error, const char **text, size_t *n)
{
	*error = 99;
	*text = "untouched";
	*n = 99;
	return tgt_answer_parse(data, length, error, text, n);
}

static void test_text_comes_without_its_nul(void **state)
{
	const char *text;
	uint32_t error;
	char data[64];
	size_t n;

	(void)state;
	assert_int_equal(parse(data, answer(data, 0, 11, "ab", 3), &error, &text, &n), 0);
	assert_int_equal(error, 0);
	assert_int_equal(n, 2);
	assert_memory_equal(text, "ab", 2);
}

static void test_answer_without_text_is_empty(void **state)
{
	const char *text;
	uint32_t error;
	char data[64];
	size_t n;

	(void)state;
	assert_int_equal(parse(data, answer(data, 0, 8, "", 0), &error, &text, &n), 0);
	assert_int_equal(n, 0);
	assert_string_equal(text, "");
}

static void test_error_is_given(void **state)
{
	const char *text;
	uint32_t error;
	char data[64];
	size_t n;

	(void)state;
	assert_int_equal(parse(data, answer(data, 4, 8, "", 0), &error, &text, &n), 0);
	assert_int_equal(error, TGT_NO_TARGET);
	assert_int_equal(n, 0);
	assert_int_equal(parse(data, answer(data, 17, 11, "ab", 3), &error, &text, &n), 0);
	assert_int_equal(error, 17);
	assert_int_equal(n, 0);
}

static void assert_refused(uint32_t says, const char *octets, size_t length)
{
	const char *text;
	uint32_t error;
	char data[64];
	size_t n, all = answer(data, 0, says, octets, length);

	assert_int_equal(parse(data, all, &error, &text, &n), -EBADMSG);
	assert_int_equal(error, 99);
	assert_string_equal(text, "untouched");
	assert_int_equal(n, 99);
}

static void test_lying_answers_are_refused(void **state)
{
	uint32_t error;
	const char *text;
	size_t n;

	(void)state;
	assert_refused(12, "ab", 3);   /* longer than it is */
	assert_refused(10, "ab", 3);   /* shorter */
	assert_refused(10, "ab", 2);   /* no NUL */
	assert_refused(12, "a\0b", 4); /* a NUL inside */
	assert_refused(12, "ab\0", 4); /* two NULs */
	assert_int_equal(parse("1234567", 7, &error, &text, &n), -EBADMSG);
}

static void test_every_error_has_words(void **state)
{
	(void)state;
	for (uint32_t error = 0; error < 40; error++)
		assert_non_null(tgt_error_text(error));
	assert_string_equal(tgt_error_text(4), "no such target");
	assert_string_equal(tgt_error_text(UINT32_MAX), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_request_only_shows),
		cmocka_unit_test(test_requests_are_those_of_tgtadm),
		cmocka_unit_test(test_length_is_known_after_the_header),
		cmocka_unit_test(test_length_below_the_header_is_refused),
		cmocka_unit_test(test_text_comes_without_its_nul),
		cmocka_unit_test(test_answer_without_text_is_empty),
		cmocka_unit_test(test_error_is_given),
		cmocka_unit_test(test_lying_answers_are_refused),
		cmocka_unit_test(test_every_error_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
