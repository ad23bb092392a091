/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/privilege.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

int privilege_drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* Without CAP_SETPCAP the bounding set cannot be changed, and no longer matters. */
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	}
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &head, none) < 0)
		return -errno;
	return 0;
}

int privilege_become(uid_t user, gid_t group)
{
	if (setgroups(0, NULL) < 0 || setresgid(group, group, group) < 0 ||
		setresuid(user, user, user) < 0)
		return -errno;
	return 0;
}

int privilege_die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return -errno;
	/* It may have gone between fork and prctl. */
	return getppid() == parent ? 0 : -ESRCH;
}

int privilege_find_user(const char *name, uid_t *ret_user, gid_t *ret_group)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (user) {
		*ret_user = user->pw_uid;
		*ret_group = user->pw_gid;
		return 1;
	}
	user = getpwnam("nobody");
	if (!user)
		return errno ? -errno : -ENOENT;
	*ret_user = user->pw_uid;
	*ret_group = user->pw_gid;
	return 0;
}

int privilege_prepare_directory(const char *path, uid_t user, gid_t group)
{
	CLEANUP_FD int fd = -1;
	struct stat st;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != user)
		return -EPERM;
	if ((st.st_uid != user || st.st_gid != group) && fchown(fd, user, group) < 0)
		return -errno;
	if ((st.st_mode & 07777) != 0700 && fchmod(fd, 0700) < 0)
		return -errno;
	return 0;
}
