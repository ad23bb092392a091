/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/probe_library.h"

#include <dlfcn.h>

/*
 * Debian has counted otherwise than the project, so a number is no promise; but none of the
 * functions has changed from 1.11 to 1.20.
 */
static const char *const names[] = { "libiscsi.so.11", "libiscsi.so.10", "libiscsi.so.9",
	"libiscsi.so.8", "libiscsi.so.7" };

int probe_library_open(struct probe_library *ret, const char **ret_name)
{
	struct probe_library library = { .handle = NULL };

	for (size_t i = 0; i < ARRAY_SIZE(names) && !library.handle; i++) {
		library.handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
		if (library.handle)
			*ret_name = names[i];
	}
	if (!library.handle)
		return -ENOENT;
/* A pointer to a function comes as one to an object: POSIX.1 has it so, ISO C has not. */
#define CALL(type, name, parameters)                                 \
	{                                                            \
		void *found = dlsym(library.handle, "iscsi_" #name); \
                                                                     \
		memcpy(&library.name, &found, sizeof(found));        \
		if (!found) {                                        \
			probe_library_close(&library);               \
			return -ENOSYS;                              \
		}                                                    \
	}
	PROBE_LIBRARY_CALLS
#undef CALL
	*ret = library;
	return 0;
}

void probe_library_close(struct probe_library *library)
{
	if (library->handle)
		dlclose(library->handle);
	memset(library, 0, sizeof(*library));
}
