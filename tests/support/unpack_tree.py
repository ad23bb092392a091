#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Unpacks a recording (src/base/root_tree.c) into a directory that --root takes: a host that a test
can change while the agent looks at it.

    unpack_tree.py scenario.tree DIRECTORY

What could not be read when it was recorded (`error`) is left out. What was read through a link is put
where the link leads to. tests/support/pack_tree.py is the other way.
"""
import os
import re
import sys

_ESCAPE = re.compile(rb'\\(\\|t|r|[0-7]{3})')
_PLAIN = {b'\\': b'\\', b't': b'\t', b'r': b'\r'}


def unescape(text):
    """The octets that a word or a line stands for."""
    return _ESCAPE.sub(lambda m: _PLAIN.get(m[1]) or bytes([int(m[1], 8)]), text)


def content(lines):
    """The octets of a file: each line has a newline, unless it ends with a single backslash."""
    octets = b''
    for line in lines:
        cut = len(re.search(rb'\\*$', line)[0]) % 2
        octets += unescape(line[:-1]) if cut else unescape(line) + b'\n'
    return octets


def records(path):
    """(kind, path, rest of the head, lines of content) of each record."""
    with open(path, 'rb') as file:
        lines = file.read().split(b'\n')
    head, body = None, []
    for line in [*lines[1:], None]:
        if line is not None and line.startswith(b'|'):
            body.append(line[1:])
            continue
        if head:
            words = head.split(b' ')
            yield words[0].decode(), unescape(words[1]), words[2:], body
        head, body = line, []


def _make_link(base, path, text, leads):
    """The link; and, when it leads to something that is in the recording, the directory there."""
    parent = os.path.dirname(base + path)
    os.makedirs(parent, exist_ok=True)
    os.symlink(text, base + path)
    if not leads:
        return
    to = base + text if text.startswith(b'/') else os.path.join(os.path.realpath(parent), text)
    to = os.path.normpath(to)
    if not to.startswith(os.path.realpath(base) + b'/'):
        raise ValueError(f'{path!r} leads out of the directory')
    os.makedirs(to, exist_ok=True)


def unpack(recording, directory):
    base = os.fsencode(directory)
    found = list(records(recording))
    paths = [path for _, path, _, _ in found]
    # Links first, the outer ones before those behind them.
    for kind, path, rest, body in sorted(found, key=lambda record: record[1]):
        if kind == 'link':
            text = unescape(rest[0]) if rest else content(body).rstrip(b'\n')
            _make_link(base, path, text, any(p.startswith(path + b'/') for p in paths))
    for kind, path, _, body in found:
        target = base + path
        if kind == 'dir':
            os.makedirs(target, exist_ok=True)
        elif kind == 'file':
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, 'wb') as file:
                file.write(content(body))


if __name__ == '__main__':
    unpack(*sys.argv[1:])
