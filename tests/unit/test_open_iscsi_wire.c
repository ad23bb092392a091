/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of the kernel's netlink and the PDUs in them: recorded ones of Linux 6.1, and such as no
 * kernel and no honest target sends.
 */
#include "source/open_iscsi_wire.h"

#include "source/open_iscsi_pdu.h"
#include "tests/support/kernel_frames.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct oiscsi_event parsed(const struct frame *frame)
{
	struct oiscsi_event event;

	assert_int_equal(oiscsi_event_parse(frame->data, frame->length, &event), 0);
	return event;
}

/* ---- recorded ---- */

static void every_recorded_frame_is_understood(void **state)
{
	static const char *const names[] = { "failures", "many", "losses", "logins" };
	static const unsigned int counts[] = { 56, 166, 125, 28 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct frames frames;
		struct frame frame;
		unsigned int count = 0;

		frames_open(&frames, names[i]);
		while (frames_next(&frames, &frame)) {
			struct oiscsi_event event = parsed(&frame);

			assert_true(event.sid >= 1 && event.sid <= 11);
			assert_int_equal(event.cid, 0);
			assert_int_equal(
				event.data != NULL, event.type == OISCSI_EVENT_PDU ||
							    event.type == OISCSI_EVENT_STATISTICS);
			count++;
		}
		frames_close(&frames);
		assert_int_equal(count, counts[i]);
	}
}

static void a_recorded_login(void **state)
{
	struct oiscsi_login_keys keys = { .passing = false };
	struct oiscsi_login_response response;
	struct frames frames;
	struct frame frame;
	int answers = 0;

	(void)state;
	frames_open(&frames, "failures");
	assert_true(frames_next(&frames, &frame));
	assert_int_equal(parsed(&frame).type, OISCSI_EVENT_CREATED);
	do {
		struct oiscsi_event event;

		assert_true(frames_next(&frames, &frame));
		event = parsed(&frame);
		assert_int_equal(
			oiscsi_login_response_parse(event.data, event.length, &response), 0);
		assert_int_equal(response.stat_sn, 0x45dde982u + (uint32_t)answers);
		oiscsi_login_keys_add(&keys, response.text, response.text_length, response.more);
		answers++;
	} while (!oiscsi_login_is_final(&response));
	frames_close(&frames);
	assert_int_equal(answers, 4);
	assert_int_equal(response.tsih, 1);
	assert_memory_equal(response.isid, "\x00\x02\x3d\x00\x00\x01", 6);
	assert_int_equal(response.current_stage, OISCSI_OPERATIONAL);
	assert_string_equal(keys.target_alias, "LIO Target");
	assert_true(keys.time2wait.known && keys.time2wait.value == 2);
	assert_true(keys.time2retain.known && keys.time2retain.value == 0);
	assert_true(keys.max_connections.known && keys.max_connections.value == 1);
}

static void recorded_statistics_are_those_that_iscsiadm_printed(void **state)
{
	struct oiscsi_statistics statistics;
	struct oiscsi_event event;
	struct frames frames;
	struct frame frame;

	(void)state;
	frames_open(&frames, "failures");
	do
		assert_true(frames_next(&frames, &frame));
	while (parsed(&frame).type != OISCSI_EVENT_STATISTICS);
	event = parsed(&frame);
	assert_int_equal(event.sid, 1);
	assert_int_equal(oiscsi_statistics_parse(event.data, event.length, &statistics), 0);
	assert_int_equal(statistics.tx_octets, 2496);
	assert_int_equal(statistics.rx_octets, 7240);
	assert_int_equal(statistics.command_pdus, 35);
	assert_int_equal(statistics.response_pdus, 35);
	assert_int_equal(statistics.nop_sent_pdus + statistics.nop_received_pdus, 0);
	/* One of its three counters of the driver is not there. */
	assert_int_equal(
		oiscsi_statistics_parse(event.data, event.length - 1, &statistics), -EBADMSG);
	frames_close(&frames);
}

/* ---- events ---- */

static void each_event_has_its_own_order(void **state)
{
	struct frame frame = frame_event(OISCSI_EVENT_DESTROYED, 7, 0, 0);
	struct oiscsi_event event = parsed(&frame);

	(void)state;
	assert_int_equal(event.sid, 7);
	frame = frame_event(OISCSI_EVENT_CREATED, 8, 99, 0); /* the 99 is the host's number */
	event = parsed(&frame);
	assert_int_equal(event.sid, 8);
	assert_int_equal(event.cid, 0);
	frame = frame_event(OISCSI_EVENT_UNBOUND, 9, 99, 0);
	assert_int_equal(parsed(&frame).sid, 9);
	frame = frame_event(OISCSI_EVENT_CONNECTION_ERROR, 10, 1, 1022);
	event = parsed(&frame);
	assert_true(event.sid == 10 && event.cid == 1 && event.code == 1022);
	frame = frame_event(OISCSI_EVENT_LOGIN_STATE, 11, 0, OISCSI_LOGIN_DONE);
	assert_int_equal(parsed(&frame).code, OISCSI_LOGIN_DONE);
	frame = frame_refusal(12, 3, -EEXIST);
	event = parsed(&frame);
	assert_true(event.sid == 12 && event.cid == 3 && event.error == -EEXIST);
	frame = frame_refusal(12, 3, 5); /* no error of the kernel */
	assert_int_equal(parsed(&frame).error, -EIO);
	frame = frame_event(110, 12, 3, 4);
	event = parsed(&frame);
	assert_true(event.type == 110 && event.sid == 0 && event.code == 0 && !event.data);
}

static void what_is_no_frame_is_refused(void **state)
{
	struct frame frame = frame_event(OISCSI_EVENT_CREATED, 1, 0, 0);
	struct oiscsi_event event;

	(void)state;
	for (size_t length = 0; length < frame.length; length++) {
		uint8_t *copy = malloc(length ? length : 1);

		assert_non_null(copy);
		memcpy(copy, frame.data, length);
		assert_int_equal(oiscsi_event_parse(copy, length, &event), -EBADMSG);
		free(copy);
	}
	frame.data[0] = 71; /* nlmsg_len */
	assert_int_equal(oiscsi_event_parse(frame.data, frame.length, &event), -EBADMSG);
	frame.data[0] = 73;
	assert_int_equal(oiscsi_event_parse(frame.data, frame.length, &event), -EBADMSG);
	frame.data[0] = 72;
	frame.data[3] = 0x80;
	assert_int_equal(oiscsi_event_parse(frame.data, frame.length, &event), -EBADMSG);
}

static void statistics_with_counters_of_the_driver(void **state)
{
	const struct oiscsi_statistics from = { .tx_octets = UINT64_MAX,
		.rx_octets = 1,
		.command_pdus = UINT32_MAX,
		.response_pdus = 4,
		.nop_sent_pdus = 5,
		.nop_received_pdus = 6 };

	(void)state;
	for (uint32_t customs = 0; customs <= 33; customs++) {
		struct frame frame = frame_statistics(3, 4, &from, customs);
		struct oiscsi_event event = parsed(&frame);
		struct oiscsi_statistics to;

		assert_true(event.sid == 3 && event.cid == 4);
		assert_int_equal(oiscsi_statistics_parse(event.data, event.length, &to),
			customs > OISCSI_CUSTOM_MAX ? -EBADMSG : 0);
		if (customs <= OISCSI_CUSTOM_MAX)
			assert_memory_equal(&from, &to, sizeof(to));
		assert_int_equal(
			oiscsi_statistics_parse(event.data, event.length - 1, &to), -EBADMSG);
	}
}

/* struct iscsi_uevent of Linux for a request, octet by octet. */
static void the_request_is_what_the_kernel_expects(void **state)
{
	static const uint8_t wanted[OISCSI_REQUEST_OCTETS] = {
		72,
		0,
		0,
		0,
		20,
		0,
		0,
		0,
		9,
		0,
		0,
		0,
		0,
		0,
		0,
		0, /* nlmsghdr */
		20,
		0,
		0,
		0,
		0,
		0,
		0,
		0, /* type, iferror */
		0xef,
		0xcd,
		0xab,
		0x89,
		0x67,
		0x45,
		0x23,
		0x81,
		7,
		0,
		0,
		0,
		1,
		0,
		0,
		0,
	};
	uint8_t request[OISCSI_REQUEST_OCTETS];

	(void)state;
	oiscsi_statistics_request(request, 9, UINT64_C(0x8123456789abcdef), 7, 1);
	assert_memory_equal(request, wanted, sizeof(wanted));
}

/* ---- PDUs ---- */

static int parse_pdu(const struct frame *frame, struct oiscsi_login_response *ret)
{
	struct oiscsi_event event = parsed(frame);

	return oiscsi_login_response_parse(event.data, event.length, ret);
}

static void fields_of_a_login_response(void **state)
{
	struct frame frame = frame_login_response(
		5, &(struct login_response){ .flags = 0xc6, 2, 1, 0xfffe, 0x80000001u, "A=b|" });
	struct oiscsi_login_response response;

	(void)state;
	assert_int_equal(parse_pdu(&frame, &response), 0);
	assert_true(response.transit && response.more);
	assert_int_equal(response.current_stage, 1);
	assert_int_equal(response.next_stage, 2);
	assert_int_equal(response.status_class, 2);
	assert_int_equal(response.status_detail, 1);
	assert_int_equal(response.tsih, 0xfffe);
	assert_int_equal(response.stat_sn, 0x80000001u);
	assert_int_equal(response.text_length, 4);
	assert_memory_equal(response.text, "A=b", 4);
	assert_false(oiscsi_login_is_final(&response));
}

static void what_is_final(void **state)
{
	struct oiscsi_login_response response = { .transit = true, .next_stage = 3 };

	(void)state;
	assert_true(oiscsi_login_is_final(&response));
	response.status_class = 1;
	assert_false(oiscsi_login_is_final(&response));
	response = (struct oiscsi_login_response){ .transit = true, .next_stage = 1 };
	assert_false(oiscsi_login_is_final(&response));
	response = (struct oiscsi_login_response){ .transit = false, .next_stage = 3 };
	assert_false(oiscsi_login_is_final(&response));
}

static void data_that_are_not_there_are_refused(void **state)
{
	struct frame frame = frame_login_response(5, &(struct login_response){ .text = "A=b|" });
	struct oiscsi_event event = parsed(&frame);
	struct oiscsi_login_response response;

	(void)state;
	for (size_t length = 0; length < event.length; length++) {
		uint8_t *copy = malloc(length ? length : 1);

		assert_non_null(copy);
		memcpy(copy, event.data, length);
		assert_int_equal(oiscsi_login_response_parse(copy, length, &response), -EBADMSG);
		free(copy);
	}
	frame = frame_logout_response(5);
	assert_int_equal(parse_pdu(&frame, &response), -EBADMSG);
	event = parsed(&frame);
	assert_int_equal(oiscsi_pdu_opcode(event.data, event.length), OISCSI_LOGOUT_RESPONSE);
	assert_int_equal(oiscsi_pdu_opcode(event.data, OISCSI_BHS_OCTETS - 1), -EBADMSG);
}

/* The kernel leaves additional header segments out of what it hands over; a header tells of them.
 */
static void additional_headers_that_are_there_or_not(void **state)
{
	struct frame frame = frame_login_response(5, &(struct login_response){ .text = "AA=bbb|" });
	size_t at = OISCSI_FRAME_HEAD + OISCSI_EVENT_OCTETS;
	struct oiscsi_login_response response;

	(void)state;
	frame.data[at + 4] = 2; /* words */
	assert_int_equal(parse_pdu(&frame, &response), 0);
	assert_memory_equal(response.text, "AA=bbb", 7);
	memmove(frame.data + at + 48 + 8, frame.data + at + 48, 8);
	memset(frame.data + at + 48, 0xee, 8);
	frame.length += 8;
	frame.data[0] += 8;
	assert_int_equal(parse_pdu(&frame, &response), 0);
	assert_memory_equal(response.text, "AA=bbb", 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_recorded_frame_is_understood),
		cmocka_unit_test(a_recorded_login),
		cmocka_unit_test(recorded_statistics_are_those_that_iscsiadm_printed),
		cmocka_unit_test(each_event_has_its_own_order),
		cmocka_unit_test(what_is_no_frame_is_refused),
		cmocka_unit_test(statistics_with_counters_of_the_driver),
		cmocka_unit_test(the_request_is_what_the_kernel_expects),
		cmocka_unit_test(fields_of_a_login_response),
		cmocka_unit_test(what_is_final),
		cmocka_unit_test(data_that_are_not_there_are_refused),
		cmocka_unit_test(additional_headers_that_are_there_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
