#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""make bench: what the agent costs, as ratios and counts; no figure of it is a time.

    bench.py [--save] [SECTION...]

Sections: instructions calls others own walks polls crowd memory; all when none is named (15 minutes,
2 GB of temporary files, root). Each result is printed beside the one in docs/performance.json. --save
writes that file, and the tables of docs/PERFORMANCE.md, with what was measured now; of sections
that were not run the old figures stay. Exit status 1: an instruction count is more than 10 % above
the one before. Nothing else fails: other figures depend on what the machine does besides.
"""
import argparse
import shutil
import sys

import measures
import results
from subject import Trees, laboratory

SECTIONS = {
    'instructions': lambda lab, trees: measures.instructions(lab, trees, [100, 10000]),
    'calls': measures.system_calls,
    'others': measures.beside_others,
    'own': measures.own_agent,
    'walks': lambda lab, trees: measures.walks(lab, trees, [1000, 10000, 50000]),
    'polls': lambda lab, trees: measures.polls(lab, trees, [1, 100, 1000]),
    'crowd': lambda lab, trees: measures.polls(lab, trees, [10000]),
    'memory': lambda lab, trees: measures.memory(lab, trees, 10000),
}


def missing():
    for name, package in (('valgrind', 'valgrind'), ('strace', 'strace'), ('taskset', 'util-linux')):
        if not shutil.which(name):
            return f'{name} is not installed (package {package})'
    return laboratory.missing()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--save', action='store_true')
    parser.add_argument('section', nargs='*')
    options = parser.parse_args()
    for name in options.section:
        if name not in SECTIONS:
            parser.error(f'{name}: the sections are {", ".join(SECTIONS)}')
    why = missing()
    if why:
        sys.exit(f'bench: {why}')
    before = results.load()
    found, worse = {}, []
    for name in options.section or SECTIONS:
        with laboratory.Lab() as lab:
            part = SECTIONS[name](lab, Trees(lab.directory))
        worse += results.report(part, before)
        found.update(part)
    if options.save:
        results.save({name: found.get(name, before.get(name))
                      for name in {**before, **found}})
    if worse:
        sys.exit('bench: more instructions than before:\n' + '\n'.join(worse))


if __name__ == '__main__':
    main()
