# SPDX-License-Identifier: BSD-2-Clause
"""What the tables of hostile changes are made of (hostile_open_iscsi.py and others), and the octets
that no attribute may have. For test_hostile_trees.py."""
import dataclasses
import typing


@dataclasses.dataclass
class Change:
    """One thing that is not as it should be.

    edit(tree) makes it. `gives`: fields that get another value by it, as KIND.FIELD, and "new KIND"
    where objects come. `gone`: the objects that have no row any more, as "KIND part-of-its-key".
    `quiet`: nothing is refused, so nothing need be said (things that went away, other names)."""
    name: str
    edit: typing.Callable
    gives: tuple = ()
    gone: tuple = ()
    quiet: bool = False


def put(path, content, **more):
    return dict(more, edit=lambda tree: tree.file(path, content))


def fails(path, name, kind='file', **more):
    return dict(more, edit=lambda tree: tree.error(path, name, kind))


def lists(path, *names, **more):
    """The directory has these names too."""
    def edit(tree):
        for name in names:
            tree.mention(f'{path}/{name}')
    return dict(more, edit=edit)


def leads(path, target, **more):
    """A link in the place of what was there."""
    def edit(tree):
        tree.forget(path)
        tree.link(path, target)
    return dict(more, edit=edit)


def vanishes(path, **more):
    """Still listed, and not there when it is read."""
    return dict(more, edit=lambda tree: tree.forget(path), quiet=True)


def removed(path, **more):
    return dict(more, edit=lambda tree: tree.remove(path), quiet=True)


def is_directory(path, *names, **more):
    return dict(more, edit=lambda tree: tree.directory(path, names))


def changes(table):
    """Change objects from {name: what the functions above make}."""
    return [Change(name, **facts) for name, facts in table.items()]


# No attribute with a number, a truth value, a state, an address or a digest has these.
CONTENTS = {
    'empty': b'',
    'a newline': b'\n',
    'newlines': b'\n' * 3000,
    'blanks': b' \t \n',
    'a word': b'maybe\n',
    'null': b'(null)\n',
    'old null': b'<NULL>\n',
    'negative': b'-2\n',
    'very negative': b'-9223372036854775809\n',
    '2 to the 32nd': b'4294967296\n',
    '2 to the 64th': b'18446744073709551616\n',
    'a hundred nines': b'9' * 100 + b'\n',
    'a fraction': b'1.5\n',
    'an exponent': b'1e5\n',
    'two numbers': b'1 1\n',
    'two lines': b'1\n2\n',
    'signed': b'+ 1\n',
    'hexadecimal of nothing': b'0x\n',
    'a NUL': b'\0',
    'a number and a NUL': b'1\0002\n',
    'not UTF-8': b'\xff\xfe\xc3\x28\n',
    'an escape': b'\x1b[31m1\x1b[0m\n',
    'a format': b'%s%n%999999d\n',
    'too long': b'a' * 70000,
    'long and without an end': b'1' * 4095,
    'other digits': '\u0661\u0662\n'.encode(),
}
# Not ENOMEM: a poll that has no memory fails, whoever says so.
ERRORS = ('EIO', 'EACCES', 'EPERM', 'ENODEV', 'ENOENT', 'EINVAL', 'ENOTCONN', 'ELOOP', 'EISDIR', 'ENXIO',
          'EAGAIN', 'EINTR', 'E2BIG', '4095')
