/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/control.h: what the parent takes from an agent process that is no longer ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/control.h"

#include <sys/socket.h>

static int ends[2];

static int setup(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends);
}

static int teardown(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* What control_receive says of an agent process's status with this text. */
static int receive_text(const char *text)
{
	struct control_message sent = { .type = CONTROL_ALIVE, .value = 1 }, got = { .type = 0 };
	int fd = -1, rc;

	snprintf(sent.text, sizeof(sent.text), "%s", text);
	assert_int_equal(control_send(ends[0], &sent, -1), 0);
	rc = control_receive(ends[1], &got, &fd);
	if (rc == 1)
		assert_string_equal(got.text, text);
	else
		assert_int_equal(got.type, 0);
	assert_int_equal(fd, -1);
	return rc;
}

static void a_line_is_taken(void **state)
{
	(void)state;
	assert_int_equal(receive_text(""), 1);
	assert_int_equal(receive_text("serving; 2 targets and initiators"), 1);
	assert_int_equal(receive_text("gr\xc3\xbc\xc3\x9f"), 1);
}

/* Behind a newline the service manager would read an assignment: root says it, so it is obeyed. */
static void a_second_line_is_refused(void **state)
{
	static const char *const texts[] = { "a\nMAINPID=1", "\n", "a\rb", "a\x1b[2J", "a\x7f",
		"a\xc2\x85", "a\xff" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_int_equal(receive_text(texts[i]), -EBADMSG);
	assert_int_equal(receive_text("the next one is heard"), 1);
}

static void a_text_has_an_end(void **state)
{
	struct control_message sent = { .type = CONTROL_ALIVE }, got;
	int fd = -1;

	(void)state;
	memset(sent.text, 'a', sizeof(sent.text));
	assert_int_equal(control_send(ends[0], &sent, -1), 0);
	assert_int_equal(control_receive(ends[1], &got, &fd), -EBADMSG);
	assert_int_equal(send(ends[0], &sent, 4, 0), 4);
	assert_int_equal(control_receive(ends[1], &got, &fd), -EBADMSG);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_line_is_taken),
		TEST(a_second_line_is_refused),
		TEST(a_text_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
