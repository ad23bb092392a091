/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a fuzz target over files (its seeds, and every input that once broke it) and prints TAP:
 * `make check` does so under the sanitizers, without clang's fuzzer. usage: replay_NAME FILE|DIR...
 */
#include "base/base.h"

#include <dirent.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count;

static void replay_file(const char *path)
{
	FILE *f = fopen(path, "rbe");
	struct stat st;
	/* Exactly as large as the input, so that a read beyond it is seen. */
	uint8_t *data = NULL;

	if (!f || fstat(fileno(f), &st) < 0) {
		printf("not ok %u - %s cannot be read\n", ++count, path);
		exit(1);
	}
	data = malloc(st.st_size ? (size_t)st.st_size : 1);
	if (!data || fread(data, 1, (size_t)st.st_size, f) != (size_t)st.st_size)
		abort();
	fclose(f);
	LLVMFuzzerTestOneInput(data, (size_t)st.st_size);
	free(data);
	printf("ok %u - %s\n", ++count, path);
	fflush(stdout);
}

static void replay(const char *path)
{
	struct dirent **names;
	char below[4096];
	int n = scandir(path, &names, NULL, alphasort);

	if (n < 0) {
		replay_file(path);
		return;
	}
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
			replay(below);
		}
		free(names[i]);
	}
	free(names);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("1..%u\n", count);
	return 0;
}
