#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the torture tests can let fail: each function of libc that the program calls is one of those that
torture.c has, or stands here with the reason why it is none. So a call that the program begins to make
cannot stay out of torture unseen, and neither can a number of syscall(2). TAP."""

import os
import re
import subprocess
import sys

sys.path[:0] = [os.path.dirname(os.path.abspath(__file__)),
                os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../support')]
# pylint: disable=wrong-import-position
import lab as laboratory
from tap import Tap
from torture import LIBRARY

HERE = os.path.dirname(os.path.abspath(__file__))
# Why not: the functions, without what the compiler adds to a name (__X_chk, __isoc99_X).
EXCEPTIONS = {
    'asks the kernel for nothing, and allocates nothing': '''
        ctype_b_loc ctype_toupper_loc ctype_tolower_loc cxa_finalize errno_location stack_chk_fail
        explicit_bzero memchr memcmp memcpy memmem memmove memrchr memset mallopt free qsort
        strcasecmp strcasestr strchr strchrnul strcmp strcpy stpcpy strcspn strerror strlen strncasecmp
        strncmp strncpy strnlen strpbrk strrchr strsep strspn strstr strtok_r strtok strtol strtoul
        strtoull strtod snprintf vsnprintf sscanf inet_ntop inet_pton getopt_long dirname
        getenv secure_getenv sigaddset sigemptyset sigfillset ferror fileno setvbuf''',
    'allocates by malloc, calloc or realloc, which fail': 'asprintf vasprintf reallocarray strdup strndup',
    'allocates at the start only, before anything else': 'setenv',
    'begins or ends a process, and does not return a failure': 'libc_start_main exit _exit',
    'has no failure': 'alarm getegid geteuid getpid getppid uname tzset localtime_r sysconf',
    'fails of a wrong argument only': 'getrlimit kill munmap shutdown sigprocmask',
    'writes by what stdio has buffered: its end is judged by ferror, with /dev/full in test_cli':
        'printf fprintf vfprintf fflush fputc fputs putc fwrite',
    'closes by close(2), within libc, and its result is of no use': 'closedir',
    'is told apart by who calls it, which a function before it would change': 'dlopen dlsym dlclose',
}


def symbols(path, which):
    """Names in the dynamic symbol table; of those that are wanted, the ones of libc."""
    out = subprocess.run(['nm', '-D', which, path], capture_output=True, text=True, check=True).stdout
    names = [line.split()[-1] for line in out.splitlines()]
    if which == '--undefined-only':
        names = [name for name in names if '@GLIBC' in name]
    return {name.partition('@')[0] for name in names}


def plain(name):
    """The function, of the name that the compiler makes of it."""
    return re.sub(r'^__(isoc\d+_)?|_chk$', '', name)


def numbers(path):
    """The numbers that a C file gives to syscall(2)."""
    with open(path, encoding='utf-8') as file:
        return set(re.findall(r'\bsyscall\(\s*(\w+)', file.read()))


def main():
    with Tap() as t:
        missing = [path for path in (LIBRARY, laboratory.AGENT) if not os.path.exists(path)]
        if missing:
            t.skip_all(f'{missing[0]} is not built')
        wanted, failing = symbols(laboratory.AGENT, '--undefined-only'), symbols(LIBRARY, '--defined-only')
        excepted = {name for names in EXCEPTIONS.values() for name in names.split()}
        t.ok({'malloc', 'syscall', 'open'} <= wanted, f'{len(wanted)} functions of libc are called')
        t.equal(sorted(name for name in wanted - failing if plain(name) not in excepted), [],
                f'torture.c lets {len(wanted & failing)} of them fail, of the others a reason is known')
        t.equal(sorted(excepted & failing), [], 'none has a reason and fails all the same')
        used = set()
        for top in ('src', 'agent'):
            for directory, _, files in os.walk(os.path.join(laboratory.TOP, top)):
                for name in files:
                    if name.endswith(('.c', '.h')):
                        used |= numbers(os.path.join(directory, name))
        with open(os.path.join(HERE, 'torture.c'), encoding='utf-8') as file:
            known = set(re.findall(r'\{ (SYS_\w+),', file.read()))
        t.ok('SYS_openat2' in used, f'{len(used)} calls are made by their number')
        t.equal(sorted(used - known), [], 'each of them has a failure of its own')


if __name__ == '__main__':
    main()
