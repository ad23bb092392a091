/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The file of a sample: a line for the check, one for each counter with how many rows follow, a
 * line for each row, and one that says that it is all there.
 *
 *	check_iscsi_snmp 3 TIME UPTIME CHECK WHOLE
 *	counter NUMBER MOST ROWS
 *	3.1.2 VALUE SEEN
 *	end
 */
#include "plugin/sample.h"

#include <fcntl.h>
#include <sys/stat.h>

#define MAGIC "check_iscsi_snmp 3"
#define LINE  256 /* octets with NUL; ours are shorter */

/* `mark`, and a number in base 10 that is at most `high`; *at moves behind it. */
static bool take_number(const char **at, char mark, uint64_t high, uint64_t *ret)
{
	const char *text = *at;
	char *end;
	unsigned long long value;

	if (text[0] != mark || text[1] < '0' || text[1] > '9')
		return false;
	errno = 0;
	value = strtoull(text + 1, &end, 10);
	if (errno || value > high)
		return false;
	*at = end;
	*ret = value;
	return true;
}

static bool take_word(const char **at, const char *word)
{
	size_t length = strlen(word);

	if (strncmp(*at, word, length) != 0)
		return false;
	*at += length;
	return true;
}

static bool ends(const char *at)
{
	return strcmp(at, "\n") == 0;
}

static bool read_head(FILE *in, struct sample *s)
{
	char line[LINE];
	const char *at = fgets(line, sizeof(line), in);
	uint64_t whole = 0;

	if (!at || !take_word(&at, MAGIC) || !take_number(&at, ' ', UINT64_MAX, &s->time_s) ||
		!take_number(&at, ' ', UINT32_MAX, &s->uptime) ||
		!take_number(&at, ' ', UINT64_MAX - 1, &s->check) ||
		!take_number(&at, ' ', 1, &whole))
		return false;
	s->whole = whole;
	return ends(at);
}

static bool read_counter_head(FILE *in, uint64_t counter, uint64_t *ret_most, uint64_t *ret_rows)
{
	char line[LINE];
	const char *at = fgets(line, sizeof(line), in);
	uint64_t number = 0;

	return at && take_word(&at, "counter") && take_number(&at, ' ', UINT32_MAX, &number) &&
	       number == counter && take_number(&at, ' ', SAMPLE_ROWS, ret_most) &&
	       take_number(&at, ' ', UINT64_MAX, ret_rows) && ends(at);
}

/* Above the row before it, so that each is there once. */
static bool is_above(const uint32_t *index, size_t length, const struct sample_row *before)
{
	for (size_t i = 0; i < length && i < before->length; i++) {
		if (index[i] != before->index[i])
			return index[i] > before->index[i];
	}
	return length > before->length;
}

static int read_row(FILE *in, struct sample *s, int counter)
{
	struct sample_rows *rows = &s->counters[counter];
	uint32_t index[SAMPLE_INDEX];
	uint64_t value = 0, seen = 0, part = 0;
	char line[LINE], mark = ' ';
	size_t length = 0;
	const char *at;
	int rc;

	/* A blank before it makes all of its numbers alike. */
	line[0] = ' ';
	if (!fgets(line + 1, sizeof(line) - 1, in))
		return -EINVAL;
	for (at = line; length < SAMPLE_INDEX && *at == mark; mark = '.') {
		if (!take_number(&at, mark, UINT32_MAX, &part))
			return -EINVAL;
		index[length++] = (uint32_t)part;
	}
	if (!take_number(&at, ' ', UINT64_MAX, &value) || !take_number(&at, ' ', s->check, &seen) ||
		!ends(at) ||
		(rows->count && !is_above(index, length, &rows->list[rows->count - 1])))
		return -EINVAL;
	rc = sample_add(s, counter, index, length, value);
	if (rc == 0)
		rows->list[rows->count - 1].seen = seen;
	return rc;
}

static int read_all(FILE *in, struct sample *s)
{
	char line[LINE];
	int rc = read_head(in, s) ? 0 : -EINVAL;

	for (int i = 0; rc == 0 && i < SAMPLE_COUNTERS; i++) {
		uint64_t count = 0;

		if (!read_counter_head(in, (uint64_t)i, &s->counters[i].most, &count))
			return -EINVAL;
		for (uint64_t n = 0; rc == 0 && n < count; n++)
			rc = read_row(in, s, i);
	}
	if (rc == 0 &&
		(!fgets(line, sizeof(line), in) || strcmp(line, "end\n") != 0 || fgetc(in) != EOF))
		rc = -EINVAL;
	return rc;
}

int sample_load(const char *path, struct sample *ret)
{
	struct sample s = { .time_s = 0 };
	/* Not to wait for the writer of a FIFO. */
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	FILE *in;
	int rc;

	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EINVAL;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EINVAL;
	in = fdopen(fd, "r");
	if (!in)
		return -ENOMEM;
	steal_fd(&fd);
	rc = read_all(in, &s);
	fclose(in);
	if (rc < 0)
		sample_free(&s);
	else
		*ret = s;
	return rc;
}

static void write_rows(FILE *out, const struct sample_rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct sample_row *row = &rows->list[i];

		for (uint32_t n = 0; n < row->length; n++)
			fprintf(out, "%s%u", n ? "." : "", row->index[n]);
		fprintf(out, " %llu %llu\n", (unsigned long long)row->value,
			(unsigned long long)row->seen);
	}
}

/* Returns 0, or a negative errno when not all of it could be written. */
static int write_all(FILE *out, const struct sample *s)
{
	errno = 0;
	fprintf(out, MAGIC " %llu %llu %llu %d\n", (unsigned long long)s->time_s,
		(unsigned long long)s->uptime, (unsigned long long)s->check, s->whole);
	for (int i = 0; i < SAMPLE_COUNTERS; i++) {
		fprintf(out, "counter %d %llu %zu\n", i, (unsigned long long)s->counters[i].most,
			s->counters[i].count);
		write_rows(out, &s->counters[i]);
	}
	fputs("end\n", out);
	if (fflush(out) != 0 || ferror(out))
		return errno ? -errno : -EIO;
	return 0;
}

int sample_save(const char *path, const struct sample *sample)
{
	CLEANUP_FREE char *aside = NULL;
	CLEANUP_FD int fd = -1;
	FILE *out;
	int rc;

	if (asprintf(&aside, "%s.XXXXXX", path) < 0) {
		aside = NULL;
		return -ENOMEM;
	}
	fd = mkostemp(aside, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	out = fdopen(fd, "w");
	rc = out ? 0 : -ENOMEM;
	if (out) {
		steal_fd(&fd);
		rc = write_all(out, sample);
		if (fclose(out) != 0 && rc == 0)
			rc = -errno;
	}
	if (rc == 0 && rename(aside, path) < 0)
		rc = -errno;
	if (rc < 0)
		unlink(aside);
	return rc;
}
