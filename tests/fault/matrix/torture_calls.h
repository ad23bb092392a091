/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The functions of libc that torture.c lets fail and that are all made alike: one line each, with
 * its macros SLOW (it can be interrupted), CALL (it cannot) and WRAP (which fails with another
 * value than -1). Included there only.
 */
#ifndef TORTURE_CALLS_H
#define TORTURE_CALLS_H

int __open_2(const char *path, int flags);
int __openat_2(int directory, const char *path, int flags);
ssize_t __recvfrom_chk(int fd, void *data, size_t length, size_t room, int flags,
	struct sockaddr *from, socklen_t *from_length);

SLOW(ssize_t, read, (int fd, void *data, size_t length), (fd, data, length), EIO)
SLOW(ssize_t, pread, (int fd, void *data, size_t length, off_t at), (fd, data, length, at), EIO)
SLOW(ssize_t, write, (int fd, const void *data, size_t length), (fd, data, length), ENOSPC)
SLOW(int, __open_2, (const char *path, int flags), (path, flags), EMFILE)
SLOW(int, __openat_2, (int at, const char *path, int flags), (at, path, flags), EMFILE)
SLOW(ssize_t, recv, (int fd, void *data, size_t length, int flags), (fd, data, length, flags),
	ENOMEM)
SLOW(ssize_t, __recvfrom_chk,
	(int fd, void *data, size_t length, size_t room, int flags, struct sockaddr *from,
		socklen_t *from_length),
	(fd, data, length, room, flags, from, from_length), ENOMEM)
SLOW(ssize_t, recvmsg, (int fd, struct msghdr *message, int flags), (fd, message, flags), ENOMEM)
SLOW(int, recvmmsg,
	(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout),
	(fd, messages, count, flags, timeout), ENOMEM)
SLOW(ssize_t, send, (int fd, const void *data, size_t length, int flags), (fd, data, length, flags),
	ENOBUFS)
SLOW(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags), (fd, message, flags),
	ENOBUFS)
SLOW(ssize_t, sendto,
	(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
		socklen_t to_length),
	(fd, data, length, flags, to, to_length), ENOBUFS)
SLOW(pid_t, waitpid, (pid_t pid, int *status, int options), (pid, status, options), EINTR)
CALL(socket, (int family, int type, int protocol), (family, type, protocol), EMFILE)
CALL(socketpair, (int family, int type, int protocol, int ends[2]), (family, type, protocol, ends),
	EMFILE)
SLOW(int, connect, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length), EAGAIN)
CALL(bind, (int fd, const struct sockaddr *to, socklen_t length), (fd, to, length), EADDRINUSE)
CALL(getsockname, (int fd, struct sockaddr *to, socklen_t *length), (fd, to, length), ENOBUFS)
CALL(setsockopt, (int fd, int level, int name, const void *value, socklen_t length),
	(fd, level, name, value, length), ENOMEM)
CALL(getsockopt, (int fd, int level, int name, void *value, socklen_t *length),
	(fd, level, name, value, length), ENOBUFS)
CALL(pipe2, (int ends[2], int flags), (ends, flags), EMFILE)
CALL(dup, (int fd), (fd), EMFILE)
SLOW(int, dup2, (int fd, int as), (fd, as), EMFILE)
CALL(memfd_create, (const char *name, unsigned int flags), (name, flags), EMFILE)
CALL(fstat, (int fd, struct stat *ret), (fd, ret), EIO)
CALL(fstatat, (int at, const char *path, struct stat *ret, int flags), (at, path, ret, flags), EIO)
CALL(stat, (const char *path, struct stat *ret), (path, ret), EIO)
CALL(lstat, (const char *path, struct stat *ret), (path, ret), EIO)
CALL(access, (const char *path, int mode), (path, mode), EIO)
CALL(mkdir, (const char *path, mode_t mode), (path, mode), ENOSPC)
CALL(unlink, (const char *path), (path), EIO)
CALL(unlinkat, (int at, const char *path, int flags), (at, path, flags), EIO)
CALL(rename, (const char *from, const char *to), (from, to), EIO)
CALL(renameat, (int from_at, const char *from, int to_at, const char *to),
	(from_at, from, to_at, to), EIO)
CALL(fsync, (int fd), (fd), EIO)
SLOW(int, ftruncate, (int fd, off_t length), (fd, length), EIO)
SLOW(int, flock, (int fd, int what), (fd, what), ENOLCK)
SLOW(int, fstatfs, (int fd, struct statfs *ret), (fd, ret), EIO)
CALL(fchmod, (int fd, mode_t mode), (fd, mode), EPERM)
CALL(fchown, (int fd, uid_t user, gid_t group), (fd, user, group), EPERM)
CALL(fchownat, (int at, const char *path, uid_t user, gid_t group, int flags),
	(at, path, user, group, flags), EPERM)
CALL(mkostemp, (char *path, int flags), (path, flags), ENOSPC)
CALL(signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags), EMFILE)
CALL(epoll_create1, (int flags), (flags), EMFILE)
CALL(epoll_ctl, (int set, int what, int fd, struct epoll_event *event), (set, what, fd, event),
	ENOSPC)
CALL(timerfd_create, (clockid_t clock, int flags), (clock, flags), EMFILE)
CALL(timerfd_settime, (int fd, int flags, const struct itimerspec *to, struct itimerspec *before),
	(fd, flags, to, before), ENOMEM)
CALL(setrlimit, (__rlimit_resource_t what, const struct rlimit *limits), (what, limits), EPERM)
SLOW(int, nanosleep, (const struct timespec *length, struct timespec *left), (length, left), EINTR)
CALL(setgroups, (size_t count, const gid_t *groups), (count, groups), EPERM)
CALL(setresgid, (gid_t real, gid_t effective, gid_t saved), (real, effective, saved), EPERM)
CALL(setresuid, (uid_t real, uid_t effective, uid_t saved), (real, effective, saved), EAGAIN)
WRAP(ssize_t, readlink, (const char *path, char *text, size_t room), (path, text, room), EIO, false,
	-1)
WRAP(ssize_t, readlinkat, (int at, const char *path, char *text, size_t room),
	(at, path, text, room), EIO, false, -1)
WRAP(ssize_t, getrandom, (void *data, size_t length, unsigned int flags), (data, length, flags),
	ENOSYS, false, -1)
WRAP(unsigned int, if_nametoindex, (const char *name), (name), EMFILE, false, 0)
WRAP(DIR *, fdopendir, (int fd), (fd), ENOMEM, false, NULL)
WRAP(struct dirent *, readdir, (DIR * dir), (dir), EIO, false, NULL)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), EMFILE, false, NULL)
WRAP(struct passwd *, getpwnam, (const char *name), (name), EIO, false, NULL)

#endif
