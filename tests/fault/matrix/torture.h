/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the torture library (torture.c) shares with the test that drives it (torture.py): one page
 * of memory, in the file that TORTURE_FILE names. The layout is written down twice, here and there.
 */
#ifndef TORTURE_H
#define TORTURE_H

#include <stdint.h>

#define TORTURE_SLOTS 16
#define TORTURE_TEXT  480

enum torture_kind {
	TORTURE_MEMORY = 1,   /* malloc, calloc, realloc and what is made of them */
	TORTURE_CALL = 2,     /* functions of libc that are a system call, or make some */
	TORTURE_NUMBERED = 4, /* of these: syscall(2), by which directories are read */
};

/* For error: the calls do not fail, the process crashes in them. */
#define TORTURE_CRASH (-1)

/* The calls of one process, by the name that ps shows; "main" is the first one, "child" one that
 * has not given itself a name. */
struct torture_slot {
	char role[16];
	uint32_t kind;		/* which calls are counted */
	uint32_t first, length; /* these fail: first..first+length-1, from 1; length 0: none */
	int32_t error;	 /* errno of those that can be interrupted (EINTR); 0: what is usual */
	uint32_t calls;	 /* counted since the test set it to 0 */
	uint32_t failed; /* of these */
	char what[24];	 /* the function that failed last */
};

struct torture {
	uint32_t speed;	  /* CLOCK_MONOTONIC runs so many times as fast */
	uint32_t crashes; /* processes that have ended by SIGSEGV and the like */
	uint32_t mine;	  /* of these: in the program itself, not in a library */
	uint32_t reserved;
	uint64_t base_ns; /* when the clock began to run faster */
	struct torture_slot slots[TORTURE_SLOTS];
	char crash[TORTURE_TEXT]; /* of the last one: role, signal, and who called whom */
};

#endif
