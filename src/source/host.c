/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/host.h"

/* Reads a file of one word, as text; "" when that fails. */
static void read_word(struct root *root, const char *path, char *out, size_t capacity)
{
	if (root_read(root, path, out, capacity) < 0)
		*out = 0;
	out[strcspn(out, "\n")] = 0;
}

void host_architecture(struct root *root, char out[HOST_TEXT_MAX])
{
	char type[80], release[80], machine[80];

	read_word(root, "/proc/sys/kernel/ostype", type, sizeof(type));
	read_word(root, "/proc/sys/kernel/osrelease", release, sizeof(release));
	read_word(root, "/proc/sys/kernel/arch", machine, sizeof(machine));
	*out = 0;
	if (*type && *release)
		snprintf(out, HOST_TEXT_MAX, "%s %s%s%s", type, release, *machine ? " " : "",
			machine);
}

void host_release(struct root *root, char out[HOST_TEXT_MAX])
{
	read_word(root, "/proc/sys/kernel/osrelease", out, 80);
}
