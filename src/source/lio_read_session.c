/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The session of an ACL. Called by lio_read.c in the reader process of the source.
 *
 * Another session may take its place while its files are read: the file `info` is read before and
 * after the others, which are of that session only when both tell of the same.
 */
#include "source/lio_read_private.h"

#define ATTEMPTS 3

static const char *const counter_files[LIO_SESSION_COUNTERS] = {
	[LIO_COMMAND_PDUS] = "cmd_pdus",
	[LIO_RESPONSE_PDUS] = "rsp_pdus",
	[LIO_TX_OCTETS] = "txdata_octs",
	[LIO_RX_OCTETS] = "rxdata_octs",
	[LIO_DIGEST_ERRORS] = "conn_digest_errors",
	[LIO_TIMEOUT_ERRORS] = "conn_timeout_errors",
};

/* Returns 1 and *ret, 0 for no session, -EBADMSG when it cannot be believed, a negative errno. */
static int read_info(struct lio_reader *r, const char *base, const char *acl, struct lio_info *ret)
{
	ssize_t length = lio_reader_file(r, "%s/info", base);

	if (length < 0)
		return (int)length;
	return lio_info_parse(r->text, (size_t)length, acl, ret);
}

static void read_counters(
	struct lio_reader *r, const char *base, struct opt_counter counters[LIO_SESSION_COUNTERS])
{
	for (int i = 0; i < LIO_SESSION_COUNTERS; i++) {
		ssize_t length = lio_reader_file(
			r, "%s/fabric_statistics/iscsi_sess_stats/%s", base, counter_files[i]);

		counters[i] = lio_reader_counter(r, length, UINT64_MAX);
	}
}

/* Returns whether all of it could be read. */
static bool read_negotiated(struct lio_reader *r, const char *base, struct lio_parameters *p)
{
	bool all = true;

	*p = (struct lio_parameters){ .alias_known = false };
	for (size_t i = 0; i < lio_parameter_file_count; i++) {
		ssize_t length;

		if (!lio_parameter_files[i].negotiated)
			continue;
		length = lio_reader_file(r, "%s/param/%s", base, lio_parameter_files[i].name);
		if (length >= 0)
			lio_parameter_parse(p, i, r->text, (size_t)length);
		else
			all = false;
	}
	return all;
}

/*
 * One attempt. Returns 0 with the session of the ACL as it is, -EAGAIN when it was replaced
 * meanwhile, or a negative errno when it cannot be told.
 */
static int try_session(
	struct lio_reader *r, const char *base, struct lio_group *group, struct lio_acl *acl)
{
	struct lio_info first = { .sid = 0 }, second = { .sid = 0 };
	struct opt_counter counters[LIO_SESSION_COUNTERS];
	struct lio_parameters negotiated;
	bool known, all_read = true;
	int rc;

	rc = read_info(r, base, acl->name, &first);
	if (rc == 0)
		lio_acl_drop_session(acl);
	if (rc <= 0)
		return rc;
	/* What was negotiated does not change: it is read once, or until all of it can be. */
	known = acl->session && acl->session->negotiated_read &&
		lio_info_same(&acl->session->info, &first);
	if (!known)
		all_read = read_negotiated(r, base, &negotiated);
	read_counters(r, base, counters);
	rc = read_info(r, base, acl->name, &second);
	if (rc >= 0 && (rc == 0 || !lio_info_same(&first, &second)))
		rc = -EAGAIN;
	if (rc > 0)
		rc = lio_acl_take_session(group, acl, &second, counters);
	if (rc == -ENOMEM)
		lio_reader_fail(r, rc, "keeping the session of");
	/* Another session with the same numbers: what is known is not of that one. */
	if (rc >= 0 && !known) {
		acl->session->negotiated = negotiated;
		acl->session->negotiated_read = all_read;
	}
	lio_info_free(&first);
	lio_info_free(&second);
	return rc < 0 ? rc : 0;
}

void lio_read_session(
	struct lio_reader *r, const char *target, struct lio_group *group, struct lio_acl *acl)
{
	char base[768];
	int rc = -EAGAIN;

	/* Names of directories have at most 255 octets: it fits. */
	snprintf(base, sizeof(base), "%s/%s/tpgt_%u/acls/%s", LIO_DIRECTORY, target, group->tag,
		acl->name);
	for (int i = 0; i < ATTEMPTS && rc == -EAGAIN && !r->error; i++)
		rc = try_session(r, base, group, acl);
	if (rc < 0)
		lio_acl_drop_session(acl);
	acl->told = rc == 0;
	lio_reader_miss(r, rc);
}
