/* SPDX-License-Identifier: BSD-2-Clause */
/* The file with the process id of the daemon (-p): one daemon at a time has it. Parent process. */
#ifndef AGENT_PID_FILE_H
#define AGENT_PID_FILE_H

/*
 * Writes the process id of the caller to the file, which is made or is an own one of an earlier
 * run, and locks it until the process ends; for this the descriptor is kept open, and it is the
 * only one of the file. A daemon that is just ending is waited for, 1 s. Returns the descriptor or,
 * after a message to the log, a negative errno: -EBUSY (another process has it), -EPERM (a link, or
 * somebody else's file), or another one; the file is as it was then.
 */
int pid_file_write(const char *path);

/* Removes the file that pid_file_write gave `fd` for, and closes it. */
void pid_file_remove(const char *path, int fd);

#endif
