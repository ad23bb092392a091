/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/fixture.h"

int fixture_read(const char *name, struct buf *out)
{
	char path[256], block[4096];
	size_t got;
	FILE *file;

	snprintf(path, sizeof(path), "tests/fixtures/%s", name);
	file = fopen(path, "rb");
	if (!file)
		return -errno;
	buf_reset(out);
	while ((got = fread(block, 1, sizeof(block), file)) > 0)
		buf_append(out, block, got);
	fclose(file);
	return out->error;
}
