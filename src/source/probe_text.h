/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What libiscsi says in words only: the keys of a target's login responses come as log messages,
 * the status of a login in its error text. Both hold octets of the target. Pure; in the process of
 * one probe (probe_child.h).
 */
#ifndef SOURCE_PROBE_TEXT_H
#define SOURCE_PROBE_TEXT_H

#include "base/text.h"
#include "model/opt.h"

#define PROBE_TEXT_MAX 256u /* octets with NUL */

/* What a target declared; texts are clean, "" and not known: not told. */
struct probe_keys {
	struct opt_u32 tag;	 /* TargetPortalGroupTag */
	struct opt_u32 max_recv; /* MaxRecvDataSegmentLength, octets */
	char alias[PROBE_TEXT_MAX];
	char redirect[PROBE_TEXT_MAX]; /* TargetAddress */
	char other[PROBE_TEXT_MAX]; /* the other allowed ones: "HeaderDigest=None InitialR2T=No" */
};

/*
 * Takes what a log message of libiscsi tells, if it tells a key that is allowed. `target`: the name
 * that the context has, "" none; libiscsi puts it behind each message.
 */
void probe_keys_take(struct probe_keys *keys, const char *message, const char *target);

/*
 * Status-Class and Status-Detail in an error text of libiscsi: "… Status: Target not found(515)".
 * False when it has none.
 */
bool probe_status_parse(const char *text, uint32_t *ret_class, uint32_t *ret_detail);

#endif
