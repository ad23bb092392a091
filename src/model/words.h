/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of open-iscsi and of RFC 7143 in words. Pure. */
#ifndef MODEL_WORDS_H
#define MODEL_WORDS_H

#include "base/base.h"

/*
 * An error of a connection, a number of enum iscsi_err (Linux, include/scsi/iscsi_if.h): "NOP-Out
 * not answered in time". "" for 0, "unknown error" for a number that is none of them.
 */
const char *words_of_error(uint32_t number);

/* The status of a login response, RFC 7143 section 11.13.5: "target not found". */
const char *words_of_login(uint32_t class, uint32_t detail);

#endif
