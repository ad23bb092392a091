/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where messages go: net-snmp's logging, so that -L means what snmpcmd(1) says. The messages of
 * base/log.h pass as they are; the library's own are filtered, for it repeats itself with each
 * try. Used by main.c in all processes of the program (fork keeps what is installed).
 */
#ifndef AGENT_LOG_SINK_H
#define AGENT_LOG_SINK_H

/*
 * The argument of one -L option. Returns 0, or a negative errno after telling standard error what
 * is wrong with it. As snmp_log_options, may take the next word of argv (getopt's optind moves).
 */
int log_sink_options(char *argument, int argc, char **argv);

/*
 * Makes log_message of base/log.h go through snmp_log with the same priority; once, after the
 * last log_sink_options. Without any -L they go to standard error; when that is the journal
 * (JOURNAL_STREAM, systemd.exec(5)), each line begins with <priority> so that it keeps it.
 *
 * From then on the library's own messages below LOG_ERR are shown only with -D, and one that says
 * the same as one of the last few is not shown again for an hour.
 */
void log_sink_install(void);

#endif
