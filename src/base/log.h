/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages to the operator. src/ does not know where they go: the program installs a sink (the
 * agent's is net-snmp's logging, agent/log_sink.c). Without a sink they go to standard error.
 *
 * Rules: a message says what was tried, on which object, and the consequence. It is logged where
 * the error stops travelling, once per change of state and never per poll.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

#include <syslog.h> /* LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG */

typedef void log_sink_fn(int priority, const char *message);

/* Installs the sink of this process; NULL restores standard error. */
void log_set_sink(log_sink_fn *sink);

/* Messages of a priority above `priority` (less important) are dropped. Default LOG_INFO. */
void log_set_level(int priority);

/*
 * One message without a final newline, at most 1,023 octets. Control characters in it are
 * replaced by `?`: texts of peers end up here and must not forge lines or terminal sequences.
 */
void log_message(int priority, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...)	 log_message(LOG_ERR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)	 log_message(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)	 log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 log_message(LOG_DEBUG, __VA_ARGS__)

#endif
