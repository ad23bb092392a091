#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the compiler and the linker put into the programs against their misuse: the flags of every
command that `make` would run, and what readelf finds in what was built. TAP. Needs readelf, nm."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / 'build'
PROGRAMS = [BUILD / 'iscsi-agentx', BUILD / 'check_iscsi_snmp']

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
from tap import Tap

COMPILE = ['-fstack-protector-strong', '-fstack-clash-protection', '-fPIE', '-D_FORTIFY_SOURCE=2',
           '-O2', '-Wformat=2']
LINK = ['-pie', '-Wl,-z,relro,-z,now,-z,noexecstack']
CONTROL_FLOW = '-fcf-protection=full'  # x86 only
# Of the C library: the form of a function that looks at the size of what it writes to.
FORTIFIED = re.compile(r'__(\w+)_chk$')


def output(*argv):
    return subprocess.run(argv, cwd=ROOT, check=True, capture_output=True, text=True,
                          timeout=60).stdout


def commands(*variables):
    """Those that make would run, and of these the ones that compile."""
    environment = {k: v for k, v in os.environ.items()
                   if k not in ('MAKEFLAGS', 'MFLAGS', 'CFLAGS', 'CPPFLAGS', 'LDFLAGS')}
    text = subprocess.run(['make', '--no-print-directory', '-n', '-B', 'V=1', 'all', *variables],
                          cwd=ROOT, check=True, capture_output=True, text=True, timeout=60,
                          env=environment).stdout
    return text, [line for line in text.splitlines()
                  if re.search(r' -c -o \S+\.o \S+\.c$', line)]


def check_commands(t, x86):
    """As blhc(1) does with the log of a build: no command without the flags."""
    text, compiled = commands()
    linked = [line for line in text.splitlines() if re.search(r' -o build/\w+[\w-]* build/', line)]
    wanted = COMPILE + [CONTROL_FLOW] * x86
    lacking = {f'{line.split()[-1]}: {flag}' for line in compiled for flag in wanted
               if flag not in line.split()}
    t.ok(len(compiled) > 150, f'{len(compiled)} files are compiled')
    t.equal(sorted(lacking), [], f'each with {" ".join(wanted)}')
    t.equal(len(linked), len(PROGRAMS), 'and two programs linked')
    t.equal([line for line in linked if any(flag not in line.split() for flag in LINK)], [],
            f'with {" ".join(LINK)}')


def check_program(t, path):
    name = path.name
    head, segments = output('readelf', '-hW', path), output('readelf', '-lW', path)
    dynamic = output('readelf', '-dW', path)
    t.ok(re.search(r'Type: +DYN', head) and 'PIE' in dynamic,
         f'{name}: position-independent, so that its addresses are another each time')
    t.ok('GNU_RELRO' in segments and 'BIND_NOW' in dynamic,
         f'{name}: what the linker fills in is read-only when it runs')
    stack = re.search(r'GNU_STACK.*?(R\S*) +0x', segments)
    writable_code = re.findall(r'^ +\w+ .*RWE.*$', segments, re.M)
    t.equal((stack and stack[1], writable_code), ('RW', []),
            f'{name}: no stack and no segment that can be written and executed')
    t.equal(re.findall(r'\((RPATH|RUNPATH|TEXTREL)\)', dynamic), [],
            f'{name}: no search path of its own, and no code that is changed')
    names = {line.split()[-1].split('@')[0]
             for line in output('nm', '-D', '--undefined-only', path).splitlines()}
    checked = {m[1] for m in map(FORTIFIED.match, names) if m}
    t.ok('__stack_chk_fail' in names, f'{name}: stack protector')
    t.ok({'snprintf', 'memcpy'} & checked,
         f'{name}: checked functions: {", ".join(sorted(checked))}')


def check_control_flow(t):
    """IBT and SHSTK in each object of ours; a program has them only if the start files of its C library
    do, too, which Debian's do not."""
    objects = [p for top in ('agent', 'src', 'plugin') for p in (BUILD / top).rglob('*.o')]
    without = [p.name for p in objects if 'IBT, SHSTK' not in output('readelf', '-nW', p)]
    t.equal(without, [], f'indirect branches and the shadow stack: in {len(objects)} objects')



def check_bits32(t):
    """What is nearest to the kernel, compiled for an architecture that the table of system calls does not
    know. Of the C library for it only a list of missing functions is not there; it may be empty."""
    with tempfile.TemporaryDirectory() as scratch:
        stubs = Path(scratch, 'gnu', 'stubs-32.h')
        stubs.parent.mkdir()
        stubs.touch()
        place = '/usr/include/' + output('gcc', '-print-multiarch').strip()
        command = ['gcc', '-m32', '-c', '-o', '/dev/null', f'-I{scratch}', '-isystem', place,
                   '-D_GNU_SOURCE', '-D_FILE_OFFSET_BITS=64', '-Isrc', '-std=gnu11', '-Wall',
                   '-Wextra', '-Werror']
        if not Path(place, 'asm', 'unistd_32.h').exists():
            t.skip('compiled for 32 bits', 'the headers of the kernel have no such calls')
            return
        large = [line for line in commands('CC=gcc -m32')[1] if '-D_FILE_OFFSET_BITS=64' in line]
        t.ok(len(large) > 150, f'with numbers of 64 bits for files: {len(large)} files')
        files = [p.relative_to(ROOT) for p in sorted((ROOT / 'src/base').glob('*.c'))]
        for path in files:
            done = subprocess.run([*command, path], cwd=ROOT, capture_output=True, text=True,
                                  timeout=60, check=False)
            if done.returncode:
                t.ok(False, f'{path} for 32 bits', done.stderr[-2000:])
                return
        t.ok(len(files) > 20, f'{len(files)} files of src/base compile for 32 bits, without a warning')


def main():
    with Tap() as t:
        for path in PROGRAMS:
            if not path.exists():
                t.skip_all(f'{path} is not built')
        x86 = os.uname().machine == 'x86_64'
        check_commands(t, x86)
        for path in PROGRAMS:
            check_program(t, path)
        if x86:
            check_control_flow(t)
            check_bits32(t)


if __name__ == '__main__':
    main()
