# SPDX-License-Identifier: BSD-2-Clause
"""A recording (src/base/root_tree.c) that a test changes: files, directories, links and errors by
their paths. Paths are texts (octets that are no UTF-8 as Python has them: os.fsdecode).

    tree = Recording('tests/fixtures/open-iscsi/many.tree')
    tree.file('/sys/class/iscsi_session/session4/state', 'FREE\\n')
    tree.save('changed.tree')
"""
import fnmatch
import functools
import os

import pack_tree
import unpack_tree

OPERATIONS = {'dir': 'list', 'file': 'read', 'link': 'readlink'}
KINDS = {operation: kind for kind, operation in OPERATIONS.items()}


class Recording:
    """`nodes`: (path, kind) -> names of a directory, octets of a file or link, or an error's name
    in a tuple. Sockets are not kept."""

    def __init__(self, path):
        self.nodes = {}
        for kind, name, rest, body in unpack_tree.records(path):
            name = os.fsdecode(name)
            if kind == 'error':
                self.nodes[name, KINDS[rest[0].decode()]] = (rest[1].decode(),)
            elif kind == 'dir':
                self.nodes[name, 'dir'] = [os.fsdecode(unpack_tree.unescape(n)) for n in body]
            elif kind == 'file':
                self.nodes[name, 'file'] = unpack_tree.content(body)
            elif kind == 'link':
                self.nodes[name, 'link'] = unpack_tree.unescape(body[0])

    def copy(self):
        other = Recording.__new__(Recording)
        other.nodes = {key: list(value) if isinstance(value, list) else value
                       for key, value in self.nodes.items()}
        return other

    def files(self, *globs):
        """The paths of files that can be read, sorted."""
        return sorted(path for (path, kind), value in self.nodes.items()
                      if kind == 'file' and isinstance(value, bytes)
                      and any(fnmatch.fnmatchcase(path, glob) for glob in globs))

    def text(self, path):
        return self.nodes[path, 'file'].decode()

    def names(self, path):
        return self.nodes[path, 'dir']

    # ---- changes ----

    def forget(self, path):
        """What is at the path cannot be found any more; its directory lists it as before."""
        for key in [k for k in self.nodes if k[0] == path or k[0].startswith(path + '/')]:
            del self.nodes[key]

    def remove(self, path):
        """Gone, from its directory too."""
        self.forget(path)
        parent, _, name = path.rpartition('/')
        if name in (self.nodes.get((parent, 'dir')) or ()):
            self.nodes[parent, 'dir'].remove(name)

    def mention(self, path):
        """The directory of the path, if it was recorded, lists it."""
        parent, _, name = path.rpartition('/')
        names = self.nodes.get((parent, 'dir'))
        if isinstance(names, list) and name not in names:
            names.append(name)

    def file(self, path, content):
        self.mention(path)
        self.nodes.pop((path, 'dir'), None)
        self.nodes[path, 'file'] = content.encode() if isinstance(content, str) else content

    def link(self, path, target):
        self.mention(path)
        self.nodes[path, 'link'] = os.fsencode(target)

    def directory(self, path, names=()):
        """A directory; to read it as a file is EISDIR."""
        self.mention(path)
        self.nodes[path, 'dir'] = list(names)
        self.nodes[path, 'file'] = ('EISDIR',)

    def error(self, path, name, kind='file'):
        self.mention(path)
        self.nodes[path, kind] = (name,)

    # ---- and as a file ----

    def save(self, path):
        with open(path, 'w', encoding='ascii') as file:
            file.write('iscsi-agentx tree 1\n')
            for (name, kind), value in self.nodes.items():
                names = isinstance(value, list)
                file.write(_record(name, kind, names, tuple(value) if names else value))


@functools.lru_cache(20000)
def _record(name, kind, names, value):
    """A record as text. Most are the same in each of many changed recordings."""
    word = pack_tree.escape(os.fsencode(name), 'all')
    if names:
        lines = [pack_tree.escape(n, 'last') for n in sorted(map(os.fsencode, value))]
        return f'dir {word}\n' + ''.join(f'|{line}\n' for line in lines)
    if isinstance(value, tuple):
        return f'error {word} {OPERATIONS[kind]} {value[0]}\n'
    if kind == 'file':
        return f'file {word}\n{pack_tree.content(value)}'
    return f'link {word}\n|{pack_tree.escape(value, "last")}\n'
