/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PDUs that the kernel hands to iscsid and to everybody who listens: answers to logins and
 * logouts (RFC 7143 11.13, 11.15), and the text keys of a login that are worth keeping. Pure
 * functions over octets of any origin: what a target sends. Used by open_iscsi_events.c in the
 * reader process.
 *
 * A login also has what proves identities (CHAP_…). Only the keys named here are ever copied, also
 * when a pair is spread over several PDUs; the caller wipes the PDU.
 */
#ifndef SOURCE_OPEN_ISCSI_PDU_H
#define SOURCE_OPEN_ISCSI_PDU_H

#include "base/text.h"
#include "model/opt.h"

enum oiscsi_opcode { OISCSI_LOGIN_RESPONSE = 0x23, OISCSI_LOGOUT_RESPONSE = 0x26 };

/* Status-Class of a login response. */
enum { OISCSI_SUCCESS = 0, OISCSI_REDIRECTION = 1, OISCSI_INITIATOR_ERROR = 2 };

/* Stages of a login. */
enum { OISCSI_SECURITY = 0, OISCSI_OPERATIONAL = 1, OISCSI_FULL_FEATURE = 3 };

struct oiscsi_login_response {
	bool transit, more; /* the bits T and C */
	uint8_t current_stage, next_stage;
	uint8_t status_class, status_detail;
	uint8_t isid[6];
	uint16_t tsih;
	uint32_t stat_sn;
	const char *text; /* in the PDU */
	size_t text_length;
};

/* The last one of a login: it stands. */
static inline bool oiscsi_login_is_final(const struct oiscsi_login_response *response)
{
	return response->status_class == OISCSI_SUCCESS && response->transit &&
	       response->next_stage == OISCSI_FULL_FEATURE;
}

/* The opcode of a PDU; -EBADMSG when it has not even a header. */
int oiscsi_pdu_opcode(const uint8_t *pdu, size_t length);

/* Parses a login response. 0, or -EBADMSG when its data are not all there. */
int oiscsi_login_response_parse(
	const uint8_t *pdu, size_t length, struct oiscsi_login_response *ret);

/* What a login told of the target, from its text keys. */
struct oiscsi_login_keys {
	char target_alias[256];	  /* "" none; made safe to show */
	char target_address[288]; /* "" none; of a redirection, without the portal group tag */
	bool portal_group_told;	  /* as it is in the first answer of a login, RFC 7143 13.9 */
	struct opt_u32 time2wait, time2retain; /* seconds */
	struct opt_u32 max_connections;
	/* A pair of which the end is in the next PDU. */
	char begun[320];
	size_t begun_length;
	bool passing; /* it is none to be kept */
};

/* Forgets all of it, for a new login. */
void oiscsi_login_keys_reset(struct oiscsi_login_keys *keys);

/* Takes the text of the next response; with `more` its last pair may go on in the one after it. */
void oiscsi_login_keys_add(
	struct oiscsi_login_keys *keys, const char *text, size_t length, bool more);

#endif
