/* SPDX-License-Identifier: BSD-2-Clause */
/* agent/sd_notify.h: what the service manager gets is the parent's word and a text, never two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/sd_notify.h"
#include "tests/support/scratch.h"

#include <sys/socket.h>
#include <sys/un.h>

static int manager = -1;

static int setup(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	(void)state;
	scratch_begin();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("/notify"));
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager < 0 || bind(manager, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -1;
	return setenv("NOTIFY_SOCKET", address.sun_path, 1);
}

static int teardown(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	close(manager);
	scratch_end();
	return 0;
}

static void assert_heard(const char *wanted)
{
	char text[1024];
	ssize_t n = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	text[n] = '\0';
	assert_string_equal(text, wanted);
}

static void words_and_texts(void **state)
{
	(void)state;
	sd_notify_send("WATCHDOG=1", NULL);
	assert_heard("WATCHDOG=1");
	sd_notify_send(NULL, "serving 100%s");
	assert_heard("STATUS=serving 100%s");
	sd_notify_send("READY=1", "serving");
	assert_heard("READY=1\nSTATUS=serving");
	sd_notify_send("READY=1", "");
	assert_heard("READY=1\nSTATUS=");
}

static void a_text_is_no_assignment(void **state)
{
	char longest[1000];

	(void)state;
	sd_notify_send("READY=1", "x\nMAINPID=1\nFDSTORE=1");
	assert_heard("READY=1\nSTATUS=x?MAINPID=1?FDSTORE=1");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	sd_notify_send("READY=1", longest);
	memcpy(longest, "READY=1\nSTATUS=", 15);
	longest[15 + 255] = '\0';
	memset(longest + 15, 'a', 255);
	assert_heard(longest);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_and_texts),
		TEST(a_text_is_no_assignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
