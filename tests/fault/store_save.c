/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Saves and loads index files for test_store_torn.py, which makes its system calls fail.
 *   store_save save DIR GENERATION   saves a registry whose keys all carry the generation
 *   store_save load DIR              prints the generation of what it loads, "none" or "mixed"
 * Prints the error of store_save or store_load and exits with 1 when there is one.
 */
#include "index/store.h"

#include <inttypes.h>

#define BOOT	"01234567-89ab-cdef-0123-456789abcdef"
#define ENTRIES 3000u /* enough for several writes */

static int report(int rc)
{
	if (rc == 0)
		return 0;
	printf("%s\n", strerrorname_np(-rc));
	return 1;
}

static int save(const char *directory, const char *generation)
{
	struct registry *r = registry_new();
	int rc = r ? 0 : -ENOMEM;

	for (uint32_t i = 0; rc == 0 && i < ENTRIES; i++) {
		struct registry_entry *e;
		char key[128];

		snprintf(key, sizeof(key), "%s:iqn.2001-05.com.example:disk.%" PRIu32, generation,
			i);
		rc = registry_number(r, INDEX_NODE, 1, key, strlen(key), 1, &e, NULL);
	}
	if (rc == 0)
		rc = store_save(r, directory, true, BOOT, NULL);
	registry_free(r);
	return report(rc);
}

/* The part of the key before the colon, when all entries have the same one and none is missing. */
static void print_generation(const struct registry *r)
{
	const struct registry_entry *first = registry_entries(r, NULL), *e = NULL;
	const char *colon = first ? strchr(first->key, ':') : NULL;
	bool mixed = registry_count(r, INDEX_NODE) != ENTRIES || !colon;

	while (!mixed && (e = registry_entries(r, e)))
		mixed = strncmp(e->key, first->key, (size_t)(colon - first->key) + 1) != 0;
	if (mixed)
		puts("mixed");
	else
		printf("%.*s\n", (int)(colon - first->key), first->key);
}

static int load(const char *directory)
{
	struct registry *r = registry_new();
	bool loaded = false;
	int rc = r ? store_load(r, directory, true, BOOT, NULL, &loaded) : -ENOMEM;

	if (rc == 0 && !loaded)
		puts("none");
	else if (rc == 0)
		print_generation(r);
	registry_free(r);
	return report(rc);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "save"))
		return save(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "load"))
		return load(argv[2]);
	fprintf(stderr, "usage: %s save DIR GENERATION | load DIR\n", argv[0]);
	return 2;
}
