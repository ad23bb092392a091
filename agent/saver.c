/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/saver.h"

#include "base/fdpass.h"
#include "base/memfd.h"
#include "index/store.h"

#include <poll.h>
#include <sys/mman.h>

static int save(const struct config *config, const struct saver_request *request, int fd)
{
	const char *directory = request->file == STORE_RUN ? config->run_dir : config->state_dir;
	const void *text;
	int rc = fd < 0 ? -EBADMSG : memfd_map(fd, request->length, &text);

	if (rc < 0)
		return rc;
	rc = store_replace(directory, request->file, text, request->length);
	munmap((void *)(uintptr_t)text, request->length);
	return rc;
}

int saver_run(const struct config *config, int socket)
{
	for (;;) {
		struct pollfd wait = { .fd = socket, .events = POLLIN };
		struct saver_request request;
		struct saver_reply reply;
		int fd = -1;
		ssize_t n;

		if (poll(&wait, 1, -1) < 0 && errno != EINTR)
			return EXIT_FAILURE;
		n = fdpass_receive(socket, &request, sizeof(request), &fd);
		if (n == -EAGAIN)
			continue;
		if (n == 0)
			return EXIT_SUCCESS;
		if (n != (ssize_t)sizeof(request))
			return EXIT_FAILURE;
		reply = (struct saver_reply){
			.serial = request.serial,
			.error = save(config, &request, fd),
			.file = request.file,
		};
		if (fd >= 0)
			close(fd);
		if (fdpass_send(socket, &reply, sizeof(reply), -1, 0) < 0)
			return EXIT_SUCCESS;
	}
}
