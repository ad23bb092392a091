/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A snapshot in the text exposition format of Prometheus, version 0.0.4: --dump=prom, for the
 * textfile collector of node_exporter or a script behind a web server.
 *
 * What can be graphed or alarmed on is there; names begin with iscsi_, units are those of
 * Prometheus (seconds, bytes), states have the numbers of the MIBs. An object is named by labels
 * that stay: stack (open-iscsi, tgt:0), its index number as SNMP shows it, and the names of
 * RFC 7143. What is not known is left out, never 0; a family without a sample as well.
 */
#ifndef MODEL_PROM_H
#define MODEL_PROM_H

#include "model/snapshot.h"

/* Returns 0, or -EIO when `out` could not be written. `now_ns` is for the ages of the sources. */
int prom_dump(const struct snapshot *s, uint64_t now_ns, FILE *out);

#endif
