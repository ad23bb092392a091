/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of errno values for recordings, so that one made on another architecture (whose numbers
 * differ) replays rightly and can be read. What has no line here is written as its number.
 */
#include "base/root_private.h"

#define NAMED(name)                            \
	{                                      \
		name, sizeof(#name) - 1, #name \
	}

static const struct {
	int number;
	unsigned int length; /* octets of name */
	const char *name;
} names[] = {
	/* What files give. */
	NAMED(EPERM),
	NAMED(ENOENT),
	NAMED(EINTR),
	NAMED(EIO),
	NAMED(ENXIO),
	NAMED(E2BIG),
	NAMED(EBADF),
	NAMED(EAGAIN),
	NAMED(ENOMEM),
	NAMED(EACCES),
	NAMED(EFAULT),
	NAMED(EBUSY),
	NAMED(EXDEV),
	NAMED(ENODEV),
	NAMED(ENOTDIR),
	NAMED(EISDIR),
	NAMED(EINVAL),
	NAMED(ENFILE),
	NAMED(EMFILE),
	NAMED(ENOTTY),
	NAMED(EFBIG),
	NAMED(ENOSPC),
	NAMED(ESPIPE),
	NAMED(EROFS),
	NAMED(ERANGE),
	NAMED(ENAMETOOLONG),
	NAMED(ENOSYS),
	NAMED(ELOOP),
	NAMED(ENODATA),
	NAMED(EOVERFLOW),
	NAMED(EREMOTEIO),
	NAMED(ESTALE),
	NAMED(EOPNOTSUPP),
	NAMED(ETIME),
	NAMED(ESHUTDOWN),
	NAMED(ENOMEDIUM),
	NAMED(EUCLEAN),
	NAMED(ENOLINK),
	NAMED(EPROTO),
	NAMED(ESRCH),
	NAMED(EDQUOT),
	NAMED(ECANCELED),
	NAMED(ENOKEY),
	/* What sockets give. */
	NAMED(EPIPE),
	NAMED(EBADMSG),
	NAMED(ENOTSOCK),
	NAMED(EMSGSIZE),
	NAMED(EPROTOTYPE),
	NAMED(EPROTONOSUPPORT),
	NAMED(EAFNOSUPPORT),
	NAMED(EADDRNOTAVAIL),
	NAMED(ENETDOWN),
	NAMED(ENETUNREACH),
	NAMED(ECONNABORTED),
	NAMED(ECONNRESET),
	NAMED(ENOBUFS),
	NAMED(EISCONN),
	NAMED(ENOTCONN),
	NAMED(ETIMEDOUT),
	NAMED(ECONNREFUSED),
	NAMED(EHOSTDOWN),
	NAMED(EHOSTUNREACH),
	NAMED(EALREADY),
	NAMED(EINPROGRESS),
};

const char *tree_errno_name(int number)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	return NULL;
}

int tree_errno_number(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (names[i].length == length && memcmp(names[i].name, name, length) == 0)
			return names[i].number;
	}
	return 0;
}
