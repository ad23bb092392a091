/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/daemon.h"

#include "base/clock.h"
#include "tests/support/scratch.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

struct root *daemon_root;
struct buf daemon_answer = BUF_INIT(DAEMON_ANSWER_MAX);
pid_t daemon_pid;

void daemon_pause_ms(int ms)
{
	poll(NULL, 0, ms);
}

ssize_t daemon_answer_length(const char *data, size_t have)
{
	unsigned char n = (unsigned char)data[0];

	if (have == 0)
		abort();
	if (n == 0xff)
		return -EBADMSG;
	if (n == 0xfe)
		return DAEMON_ANSWER_MAX + 1;
	return n == 0xfd ? 0 : n + 1;
}

int daemon_ask_until(const char *path, const char *request, uint64_t deadline_ns)
{
	return root_exchange(daemon_root, path, request, strlen(request), daemon_answer_length,
		deadline_ns, &daemon_answer, NULL);
}

int daemon_ask(const char *path, int ms)
{
	return daemon_ask_until(path, "question", clock_now_ns() + (uint64_t)ms * NS_PER_MS);
}

int daemon_set_up(void **state)
{
	(void)state;
	daemon_pid = 0;
	buf_reset(&daemon_answer);
	scratch_begin();
	scratch_dir("/t");
	scratch_dir("/t/run");
	scratch_dir("/t/var");
	scratch_link("/t/var/run", "/run");
	return root_open(scratch_path("/t"), &daemon_root);
}

int daemon_tear_down(void **state)
{
	(void)state;
	if (daemon_pid > 0) {
		kill(daemon_pid, SIGKILL);
		waitpid(daemon_pid, NULL, 0);
	}
	root_close(daemon_root);
	buf_free(&daemon_answer);
	scratch_end();
	return 0;
}

int daemon_listen_at(const char *path, int backlog)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), dir_fd;

	snprintf(dir, sizeof(dir), "%.*s/", (int)(slash - path), path);
	dir_fd = open(scratch_path(dir), O_PATH | O_CLOEXEC);
	snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dir_fd,
		slash + 1);
	if (fd < 0 || dir_fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
		listen(fd, backlog) < 0)
		abort();
	close(dir_fd);
	return fd;
}

void daemon_start(const char *path, daemon_serve_fn *serve)
{
	int ready[2], fd;
	char octet;

	if (pipe2(ready, O_CLOEXEC) < 0)
		abort();
	daemon_pid = fork();
	if (daemon_pid == 0) {
		alarm(20);
		if (path[0] == '@') {
			struct sockaddr_un address = { .sun_family = AF_UNIX };

			memcpy(address.sun_path + 1, path + 1, strlen(path) - 1);
			fd = socket(AF_UNIX, SOCK_STREAM, 0);
			if (bind(fd, (struct sockaddr *)&address,
				    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
						strlen(path))) < 0 ||
				listen(fd, 5) < 0)
				_exit(1);
		} else {
			fd = daemon_listen_at(path, 5);
		}
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		for (;;) {
			int client = accept(fd, NULL, NULL);

			if (client >= 0)
				serve(client);
			close(client);
		}
	}
	close(ready[1]);
	if (daemon_pid < 0 || read(ready[0], &octet, 1) != 1)
		abort();
	close(ready[0]);
}

void daemon_send(int fd, const char *octets, size_t length)
{
	if (send(fd, octets, length, MSG_NOSIGNAL) != (ssize_t)length)
		_exit(1);
}

void daemon_take_question(int fd)
{
	char question[16];
	ssize_t got = recv(fd, question, 8, MSG_WAITALL);

	if (got != 8 || memcmp(question, "question", 8) != 0)
		_exit(1);
}

void daemon_serve_well(int fd)
{
	daemon_take_question(fd);
	daemon_send(fd, "\005hello", 6);
}

void daemon_serve_a_trickle(int fd)
{
	daemon_take_question(fd);
	for (int i = 0; i < 200; i++) {
		daemon_send(fd, "\310", 1);
		daemon_pause_ms(40);
	}
}

void daemon_serve_half(int fd)
{
	daemon_take_question(fd);
	daemon_send(fd, "\005hel", 4);
}
