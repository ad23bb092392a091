/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/privilege.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Needs CAP_SETPCAP; without it the set cannot be changed, and no longer matters. */
static int drop_bounding_set(void)
{
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EPERM)
			return -errno;
	}
	return 0;
}

/* The sets of this process; the kernel has them in two words. */
struct sets {
	uint64_t effective, permitted, inheritable;
};

static int get_sets(struct sets *ret)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct words[2];

	if (syscall(SYS_capget, &head, words) < 0)
		return -errno;
	ret->effective = words[0].effective | (uint64_t)words[1].effective << 32;
	ret->permitted = words[0].permitted | (uint64_t)words[1].permitted << 32;
	ret->inheritable = words[0].inheritable | (uint64_t)words[1].inheritable << 32;
	return 0;
}

static int put_sets(const struct sets *sets)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct words[2];

	for (int i = 0; i < 2; i++)
		words[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(sets->effective >> 32 * i),
			.permitted = (uint32_t)(sets->permitted >> 32 * i),
			.inheritable = (uint32_t)(sets->inheritable >> 32 * i),
		};
	return syscall(SYS_capset, &head, words) < 0 ? -errno : 0;
}

int privilege_drop_capabilities(uint64_t kept)
{
	struct sets sets = { .effective = 0 };
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	rc = drop_bounding_set();
	if (rc < 0)
		return rc;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	rc = get_sets(&sets);
	if (rc < 0)
		return rc;
	sets = (struct sets){ .permitted = sets.permitted & kept };
	return put_sets(&sets);
}

uint64_t privilege_raise(uint64_t capabilities)
{
	struct sets sets = { .effective = 0 };
	uint64_t before;

	if (get_sets(&sets) < 0)
		return 0;
	before = sets.effective;
	sets.effective |= capabilities & sets.permitted;
	if (sets.effective != before)
		put_sets(&sets);
	return before;
}

void privilege_restore(uint64_t before)
{
	struct sets sets = { .effective = 0 };

	if (get_sets(&sets) < 0 || sets.effective == before)
		return;
	sets.effective = before & sets.permitted;
	put_sets(&sets);
}

void privilege_forget(uint64_t capabilities)
{
	struct sets sets = { .effective = 0 };

	if (get_sets(&sets) < 0)
		return;
	sets.effective &= ~capabilities;
	sets.permitted &= ~capabilities;
	put_sets(&sets);
}

int privilege_become(uid_t user, gid_t group)
{
	/* As long as it may: the new user has no CAP_SETPCAP. */
	int rc = drop_bounding_set();

	if (rc < 0)
		return rc;
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

static bool is_nobody(uid_t user)
{
	const struct passwd *nobody = getpwnam("nobody");

	return nobody && nobody->pw_uid == user;
}

/* The entries of an open directory, from the first one; NULL and errno. */
static DIR *list_of(int directory)
{
	int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* What is in a directory. */
struct content {
	bool ours, others;
};

/* A directory is none of our files; what cannot be looked at is taken for none. */
static bool is_own_entry(int directory, const char *name, const struct privilege_directory *d)
{
	struct stat st;

	return d->is_ours(name) && fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       !S_ISDIR(st.st_mode);
}

/* What each directory has, and one that is a file system. */
static bool is_always_there(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strcmp(name, "lost+found") == 0;
}

static int list_content(int directory, const struct privilege_directory *d, struct content *ret)
{
	const struct dirent *entry;
	DIR *dir = list_of(directory);
	int rc;

	*ret = (struct content){ .ours = false };
	if (!dir)
		return -errno;
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (is_own_entry(directory, entry->d_name, d))
			ret->ours = true;
		else if (!is_always_there(entry->d_name))
			ret->others = true;
	}
	rc = -errno;
	closedir(dir);
	return rc;
}

/* The rule of the header. `st`: as the directory was found. */
static int judge(int directory, const struct stat *st, const struct privilege_directory *d)
{
	bool was_an_agents = st->st_uid != geteuid() && !(st->st_mode & (S_IRWXG | S_IRWXO));
	struct content content;
	int rc;

	if (d->is_known)
		return 0;
	if (st->st_mode & S_ISVTX)
		return -ENOTEMPTY;
	rc = list_content(directory, d, &content);
	if (rc < 0)
		return rc;
	return !content.others || (content.ours && was_an_agents) ? 0 : -ENOTEMPTY;
}

int privilege_look_into(const struct privilege_directory *d, uid_t user)
{
	CLEANUP_FD int fd = open(d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return st.st_uid == user && (st.st_mode & 07777) == 0700 ? 0 : judge(fd, &st, d);
}

/*
 * Gives our files of a directory that changes its owner from `from` to the new one: those that
 * belonged to the old one alone. Nobody else can write there, and a second link could lead
 * anywhere.
 */
static void give_files(
	int directory, const struct privilege_directory *d, uid_t from, uid_t user, gid_t group)
{
	DIR *dir = list_of(directory);
	const struct dirent *entry;
	struct stat st;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		if (!d->is_ours(entry->d_name) ||
			fstatat(directory, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode) || st.st_uid != from || st.st_nlink != 1)
			continue;
		/* A file that stays behind is refused when it is read, and then logged. */
		(void)!fchownat(directory, entry->d_name, user, group, AT_SYMLINK_NOFOLLOW);
	}
	closedir(dir);
}

static int set_owner(int place, uid_t user)
{
	return fchownat(place, "", user, (gid_t)-1, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

/*
 * Opens the directory, which belongs to this process's user from then on if it is to be taken; else
 * it has the owner that it had. CAP_CHOWN is all of root's that the service leaves the parent for
 * this: what is private to somebody else it has to own before it can look into it.
 */
static int take(int place, const struct stat *st, const struct privilege_directory *d, int *ret_fd)
{
	CLEANUP_FD int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool has_owner = st->st_uid == geteuid();
	int rc = fd < 0 ? -errno : 0;

	if (rc == -EACCES && !has_owner) {
		rc = set_owner(place, geteuid());
		if (rc < 0)
			return rc;
		has_owner = true;
		fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = fd < 0 ? -errno : 0;
	}
	if (rc == 0)
		rc = judge(fd, st, d);
	if (rc == 0 && !has_owner)
		rc = set_owner(place, geteuid());
	if (rc < 0) {
		if (has_owner && st->st_uid != geteuid())
			(void)set_owner(place, st->st_uid);
		return rc;
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

int privilege_prepare_directory(
	const struct privilege_directory *d, uid_t user, gid_t group, uid_t former)
{
	CLEANUP_FD int place = -1, fd = -1;
	struct stat st;
	int rc;

	if (mkdir(d->path, 0700) < 0 && errno != EEXIST)
		return -errno;
	place = open(d->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (place < 0 || fstat(place, &st) < 0)
		return -errno;
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != user && st.st_uid != former &&
		!is_nobody(st.st_uid))
		return -EPERM;
	if (st.st_uid == user && st.st_gid == group && (st.st_mode & 07777) == 0700)
		return 0;
	rc = take(place, &st, d, &fd);
	if (rc < 0)
		return rc;
	/* Put in order, and given away last. */
	if (fchmod(fd, 0700) < 0)
		return -errno;
	if (st.st_uid != user)
		give_files(fd, d, st.st_uid, user, group);
	return fchown(fd, user, group) < 0 ? -errno : 0;
}
