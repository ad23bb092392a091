/* SPDX-License-Identifier: BSD-2-Clause */
#include "agent/setup.h"

#include "base/log.h"
#include "base/sandbox.h"
#include "index/store.h"

#include <malloc.h>
#include <sys/socket.h>
#include <sys/un.h>

int setup_connect(const char *path)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = -1;
	size_t length = strlen(path);

	if (length >= sizeof(to.sun_path))
		return -ENAMETOOLONG;
	memcpy(to.sun_path, path, length);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
		return -errno;
	return steal_fd(&fd);
}

int setup_user(const char *name, uid_t *ret_user, gid_t *ret_group)
{
	int rc;

	if (geteuid() != 0) {
		log_info("not started as root: all processes run as this user, and see what it may "
			 "see");
		*ret_user = geteuid();
		*ret_group = getegid();
		return 0;
	}
	rc = privilege_find_user(name, ret_user, ret_group);
	if (rc < 0)
		log_error("there is neither a user %s nor nobody", name);
	else if (rc == 0)
		log_info("there is no user %s: the agent process runs as nobody", name);
	return rc < 0 ? rc : 0;
}

/* True of one of a list of paths with colons between them. */
static bool is_listed(const char *list, const char *path)
{
	size_t length = strlen(path);

	while (list && *list) {
		const char *end = strchrnul(list, ':');

		if ((size_t)(end - list) == length && memcmp(list, path, length) == 0)
			return true;
		list = *end ? end + 1 : end;
	}
	return false;
}

struct privilege_directory setup_directory(const char *path)
{
	struct config defaults;

	config_defaults(&defaults);
	return (struct privilege_directory){
		.path = path,
		.is_known = strcmp(path, defaults.state_dir) == 0 ||
			    strcmp(path, defaults.run_dir) == 0 ||
			    is_listed(secure_getenv("STATE_DIRECTORY"), path) ||
			    is_listed(secure_getenv("RUNTIME_DIRECTORY"), path),
		.is_ours = store_is_own_name,
	};
}

void setup_directories(const struct config *config, uid_t user, gid_t group, uid_t former)
{
	const char *const paths[] = { config->state_dir, config->run_dir };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		const struct privilege_directory directory = setup_directory(paths[i]);
		int rc = privilege_prepare_directory(&directory, user, group, former);

		/* Without it the agent runs; its rows get new numbers when it is started again. */
		if (rc < 0)
			log_warning("%s: cannot be used (%s): index numbers will not be kept",
				paths[i],
				rc == -ENOTEMPTY ? "it has files of others; give this program a "
						   "directory of its own"
						 : strerror(-rc));
	}
}

void setup_sandbox(const struct config *config, const char *what, unsigned int needs)
{
	int rc = config->sandbox ? sandbox_enter(needs) : 0;

	if (rc == -ENOTSUP)
		log_info("%s: built without a filter of system calls", what);
	else if (rc < 0)
		log_warning(
			"%s: no filter of system calls (%s): it runs without", what, strerror(-rc));
}

void setup_memory(void)
{
#ifdef M_MMAP_THRESHOLD
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}
