#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/OPERATIONS.md against the modules and the sources: each state that can need a person, and
each notification, has a line; what the document names exists."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / 'docs' / 'OPERATIONS.md'

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
from tap import Tap

# Whose every label has a row of a table; what the document calls the table.
CONVENTIONS = ['IscsiOverallStatus', 'IscsiConnectionStatus', 'IscsiSourceHealth',
               'IscsiProbeResult']


def module(name):
    return (ROOT / 'mibs' / name).read_text()


def labels(text, convention):
    """The words of an enumeration: {"ok", "degraded", …}."""
    body = re.search(convention + r' ::= TEXTUAL-CONVENTION.*?INTEGER \{(.*?)\}', text, re.S).group(1)
    return set(re.findall(r'([a-zA-Z]+)\(', body))


def first_cells(document):
    """The first cell of each row, and each part of it before a comma."""
    cells = set()
    for line in document.splitlines():
        if match := re.match(r'\| ([^|]*?) \|', line):
            cells |= {match.group(1)} | {part.strip() for part in match.group(1).split(',')}
    return cells


def words_of_errors():
    """What iscsiPathLastErrorText can say."""
    text = (ROOT / 'src' / 'model' / 'words.c').read_text()
    return set(re.findall(r'"([^"]+)"', text))


def options_of_configuration():
    text = ''.join((ROOT / name).read_text() for name in ('agent/options.def', 'src/source/settings.def'))
    return set(re.findall(r'^[A-Z_]+\((\w+),', text, re.M))


def main():
    document = DOCUMENT.read_text()
    path_mib = module('ISCSI-PATH-MIB')
    both = path_mib + module('ISCSI-MIB')
    cells = first_cells(document)
    with Tap() as t:
        for convention in CONVENTIONS:
            t.equal(sorted(labels(path_mib, convention) - cells), [],
                    f'each label of {convention} has a row')
        sent = set(re.findall(r'^ *(\w+) NOTIFICATION-TYPE$', both, re.M))
        t.ok(len(sent) == 15, f'{len(sent)} notifications in the modules')
        t.equal(sorted(sent - cells), [], 'each has a row')
        defined = set(re.findall(r'^ *(iscsi\w+) +(?:OBJECT|NOTIFICATION)-TYPE', both, re.M))
        named = set(re.findall(r'\biscsi[A-Z]\w+', document))
        t.equal(sorted(named - defined), [], f'the {len(named)} objects that it names exist')
        private = set(re.findall(r'^ *(iscsi\w+) +(?:OBJECT|NOTIFICATION)-TYPE', path_mib, re.M))
        lines = [line for line in document.splitlines() if '(ISCSI-MIB)' not in line]
        t.equal(sorted(set(re.findall(r'\biscsi[A-Z]\w+', '\n'.join(lines))) - private), [],
                'those of ISCSI-MIB are marked')
        octets = set(re.findall(r'^ *(iscsi\w+) +OBJECT-TYPE\s+SYNTAX +InetAddress\b', both, re.M))
        t.equal(sorted(octets & set(re.findall(r'\biscsi\w+', ' '.join(
            re.findall(r'`([^`]*<[^`]*)`', document))))), [],
                'no command has an address that a manager prints as octets')
        section = re.search(r'\| text \| behind it \|\n\|.*?\n(.*?)\n\n', document, re.S).group(1)
        quoted = {text.strip() for line in section.splitlines()
                  for text in line.split('|')[1].split(',')}
        t.equal(sorted(quoted - words_of_errors()), [], 'the errors that it explains are ours')
        options = set(re.findall(r'`([a-z]+[A-Z]\w*)`', document))
        options -= {name for name in options if name.startswith('iscsi')}
        t.equal(sorted(options - options_of_configuration() - {'agentStarted'}), [],
                'the options that it names exist')


if __name__ == '__main__':
    sys.exit(main())
