/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Giving privileges up for good. Called by the child processes right after fork, before they touch
 * anything that a peer controls. Nothing here can be undone.
 */
#ifndef BASE_PRIVILEGE_H
#define BASE_PRIVILEGE_H

#include "base/base.h"

#include <sys/types.h>

/* A set of capabilities: PRIVILEGE_OF(CAP_NET_ADMIN) | … (linux/capability.h). */
#define PRIVILEGE_OF(capability) (UINT64_C(1) << (capability))

/*
 * Empties all capability sets, the bounding set included, and forbids new privileges by exec
 * (PR_SET_NO_NEW_PRIVS). Only those of `kept` stay permitted, if they were, but not in effect:
 * privilege_raise. The user stays: root without capabilities can do what file owner root can.
 * Returns 0 or the errno of the step that failed.
 */
int privilege_drop_capabilities(uint64_t kept);

/*
 * Puts those of `capabilities` that are permitted into effect, for one system call; returns the set
 * that was in effect before, for privilege_restore. One that is not permitted stays away: the call
 * then fails with -EPERM as it does for anybody. For processes of one thread.
 */
uint64_t privilege_raise(uint64_t capabilities);
void privilege_restore(uint64_t before);

/* Gives up `capabilities` for good. */
void privilege_forget(uint64_t capabilities);

/*
 * Becomes user and group, without supplementary groups and with an empty bounding set. Needs
 * CAP_SETUID and CAP_SETGID, and CAP_SETPCAP for the latter.
 */
int privilege_become(uid_t user, gid_t group);

/*
 * The kernel ends this process with SIGKILL when its parent ends, so that no child outlives a
 * killed parent. To be called after privilege_become, which clears it. `parent` is the pid that
 * the caller expects; -ESRCH when it has gone already.
 */
int privilege_die_with_parent(pid_t parent);

/*
 * The user by name: 1 and its ids, or 0 with those of `nobody` when there is no such user, or a
 * negative errno when there is neither.
 */
int privilege_find_user(const char *name, uid_t *ret_user, gid_t *ret_group);

/* A directory that the program is to keep files in. */
struct privilege_directory {
	const char *path;
	/* Known to be the program's by its path: whatever is in it was put there beside its files.
	 */
	bool is_known;
	/* True of the name of a file that the program keeps in a directory of its own. */
	bool (*is_ours)(const char *name);
};

/*
 * Makes a directory (0700) if it is missing and gives it to a user. It must be a directory, no
 * symbolic link, and belong to root, to this process's user, to `user`, to `former`, who had it
 * until now (`user`, if nobody else), or to `nobody`, as whom the agent runs until its own user
 * exists. One of `user` with mode 0700 is as it should be, and not looked into. Any other is taken
 *   - if it is known to be ours;
 *   - or if it has nothing in it but files with names of ours (lost+found apart), or is empty, and
 *     has not the sticky bit, as those that many write to;
 *   - or if it has a file with a name of ours and something else, but was private (no right for
 *     group and others) and one of the agent's users had it, so not this process's: a file that is
 *     called `index` does not make /root or /run ours;
 * else it is left with the owner, the mode and the files that it has, and the result is -ENOTEMPTY.
 * Of one that is taken the files with names of ours go with it, if they belong to whom it belonged:
 * index numbers must survive a change of the user. Others keep their owner.
 *
 * Of root's capabilities it needs CAP_CHOWN, and none when all is as it should be. Returns 0,
 * -EPERM (it belongs to somebody else), -ENOTEMPTY or another negative errno.
 */
int privilege_prepare_directory(
	const struct privilege_directory *directory, uid_t user, gid_t group, uid_t former);

/*
 * Looks, changing nothing, whether privilege_prepare_directory would leave a directory to those who
 * have something in it. Returns 0, -ENOTEMPTY, or another negative errno (-EACCES: not for this
 * user to see). Who owns it is not judged.
 */
int privilege_look_into(const struct privilege_directory *directory, uid_t user);

#endif
