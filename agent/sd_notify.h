/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef AGENT_SD_NOTIFY_H
#define AGENT_SD_NOTIFY_H

#include "base/base.h"

/*
 * Tells the service manager (sd_notify(3): datagram to $NOTIFY_SOCKET) one assignment, as
 * "READY=1", and what `systemctl status` shall show; either may be NULL. Control characters of
 * `status` become '?': it comes from the agent process, and a line of its own could be "MAINPID="
 * of any process.
 * Without a service manager, or when it does not listen, nothing happens. Parent process.
 */
void sd_notify_send(const char *state, const char *status);

/* Half of WatchdogSec= in ns, how often "WATCHDOG=1" is to be sent; 0 when there is no watchdog. */
uint64_t sd_notify_watchdog_ns(void);

#endif
