/* SPDX-License-Identifier: BSD-2-Clause */
#include "source/host.h"

/* Reads a file of one word, as text; "" when there is none. False when it cannot be read now. */
static bool read_word(struct root *root, const char *path, char *out, size_t capacity)
{
	ssize_t rc = root_read(root, path, out, capacity);

	if (rc < 0)
		*out = 0;
	out[strcspn(out, "\n")] = 0;
	return rc >= 0 || rc == -ENOENT;
}

bool host_architecture(struct root *root, char out[HOST_TEXT_MAX])
{
	char type[80], release[80], machine[80];
	bool known = read_word(root, "/proc/sys/kernel/ostype", type, sizeof(type));

	known &= read_word(root, "/proc/sys/kernel/osrelease", release, sizeof(release));
	known &= read_word(root, "/proc/sys/kernel/arch", machine, sizeof(machine));
	*out = 0;
	if (known && *type && *release)
		snprintf(out, HOST_TEXT_MAX, "%s %s%s%s", type, release, *machine ? " " : "",
			machine);
	return known;
}

bool host_release(struct root *root, char out[HOST_TEXT_MAX])
{
	return read_word(root, "/proc/sys/kernel/osrelease", out, 80);
}

bool host_has_64_bits(struct root *root)
{
	static const char *const narrow[] = { "armv", "i386", "i486", "i586", "i686", "m68k",
		"mips", "parisc", "ppc", "riscv32", "sh4" };
	char machine[80];

	read_word(root, "/proc/sys/kernel/arch", machine, sizeof(machine));
	if (strstr(machine, "64"))
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		if (!strncmp(machine, narrow[i], strlen(narrow[i])))
			return false;
	return sizeof(long) == sizeof(uint64_t);
}
