/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts of LIO's configfs files, as pure functions over (text, length).
 *
 * What an initiator writes into them: the file acls/NAME/info has InitiatorAlias as it came, up to
 * 255 octets of anything but NUL, lines of its own included. lio_info_parse believes a file only
 * as a whole: the two lines with names, which must name the ACL, then from the last line that
 * begins a session to the end exactly what the kernel prints. A forged line is before that, and so
 * part of the alias; the kernel's own lines come after it whatever it says.
 */
#ifndef SOURCE_LIO_PARSE_H
#define SOURCE_LIO_PARSE_H

#include "base/text.h"
#include "model/opt.h"

#define LIO_NAME_MAX  255u /* octets of a directory's name */
#define LIO_IQN_MAX   223u /* octets of an iSCSI name that the kernel keeps */
#define LIO_ALIAS_MAX 255u

enum lio_connection_state {
	LIO_CONNECTION_UNKNOWN,
	LIO_CONNECTION_FREE,
	LIO_CONNECTION_LOGIN,
	LIO_CONNECTION_FULL,
	LIO_CONNECTION_LOGOUT,
};

struct lio_info_connection {
	uint32_t cid;
	enum lio_connection_state state;
	bool is_tcp; /* the kernel prints SCTP for all other transports */
	bool address_known;
	struct text_address address; /* of the initiator, without zone */
};

struct lio_info {
	char name[LIO_NAME_MAX +
		  1]; /* InitiatorName as it came: the ACL's in any case of letters */
	char alias[LIO_ALIAS_MAX + 1];
	uint32_t sid;  /* counted in the target portal group, from 1 */
	uint32_t tsih; /* 0..65535 */
	uint8_t isid[6];
	bool is_discovery;
	bool is_failed; /* its last connection is lost: it waits for Time2Retain, or is being closed
			 */
	struct lio_info_connection *connections; /* as the kernel lists them */
	size_t connection_count;
	bool is_cut; /* the file ends inside of the connections: there are more */
};

/*
 * acls/NAME/info of the ACL `acl`. Returns 1 and *ret (freed with lio_info_free), 0 when there is
 * no session, -EBADMSG when it is not what the kernel prints, -ENOMEM.
 */
int lio_info_parse(const char *text, size_t length, const char *acl, struct lio_info *ret);
void lio_info_free(struct lio_info *info);

/* The same session, and not only the same initiator. */
bool lio_info_same(const struct lio_info *a, const struct lio_info *b);

/*
 * The records `name\n\0` of dynamic_sessions, one at a time from *at on: true with the name, which
 * may have newlines in it and no NUL, false at the end. One that is cut, or of no name, is left
 * out.
 */
bool lio_dynamic_next(const char **at, const char *end, const char **ret_name, size_t *ret_length);

/* "tpgt_7" is 7. Returns 0 or -EINVAL. */
int lio_tpg_parse(const char *name, uint32_t *ret_tag);

/* The parameters of a target portal group, or those that a session has negotiated. */
struct lio_parameters {
	struct opt_bool initial_r2t, immediate_data, data_sequence_in_order, data_pdu_in_order;
	struct opt_u32 max_outstanding_r2t, first_burst_length, max_burst_length, max_connections,
		default_time2wait, default_time2retain, error_recovery_level;
	/* Of the group only: */
	struct opt_u32 declared_receive; /* MaxRecvDataSegmentLength that LIO declares */
	struct opt_u32 header_digest, data_digest, second_header_digest, second_data_digest;
	bool alias_known;
	char alias[LIO_ALIAS_MAX + 1]; /* TargetAlias */
};

/* One file param/NAME: which, and what it sets. */
struct lio_parameter_file {
	const char *name;
	bool negotiated;       /* acls/…/param has it too */
	const char *elsewhere; /* where the group has it, NULL: in param/ */
};

extern const struct lio_parameter_file lio_parameter_files[];
extern const size_t lio_parameter_file_count;

/*
 * Sets what the file at `position` says. A value that is none, such as the text for no session,
 * or one that RFC 7143 does not allow leaves it unknown.
 */
void lio_parameter_parse(
	struct lio_parameters *p, size_t position, const char *text, size_t length);

/* Makes unknown in `p` what of the group only is not the same in `other`. */
void lio_parameters_intersect(struct lio_parameters *p, const struct lio_parameters *other);

#endif
