#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Hosts as a directory (--root DIR), with things in it that no recording can have. TAP.

The recordings of test_hostile_trees.py are unpacked: what is shown of the directory must be what is
shown of the recording. Then one file or directory is replaced by a FIFO, a socket, a device, a link
that leads out or round, a file of a GiB, or one that the user may not read; the rules are those of
test_hostile_trees.py. Nothing may hang, and nothing of this machine may show.
"""
import os
import pathlib
import shutil
import socket
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
for directory in ('support', 'mib', 'fault'):
    sys.path.insert(0, str(TOP / 'tests' / directory))
# pylint: disable=wrong-import-position
import hostile_lio
import hostile_open_iscsi
import hostile_scst
import mib_values
import smi
import test_hostile_trees as trees
import unpack_tree
from hostile import Change
from tap import Tap

NOBODY = 65534


def replaced(path):
    """The path, with nothing there."""
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
    return path


def bound_socket(path):
    there = os.getcwd()
    os.chdir(os.path.dirname(path))  # its path is longer than a socket's may be
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(os.path.basename(path))
    finally:
        os.chdir(there)


def huge(path):
    with open(path, 'wb') as file:
        file.truncate(1 << 30)


def crowd(path):
    os.mkdir(path)
    for i in range(300):
        os.mkdir(os.path.join(path, f'x{i}'))


def deep(path):
    for _ in range(30):
        os.mkdir(path)
        path = os.path.join(path, 'd')


WAYS = {
    'a FIFO': os.mkfifo,
    'a socket': bound_socket,
    'a device': lambda path: os.mknod(path, 0o20666, os.makedev(1, 5)),  # /dev/zero
    'a link to a file of this machine': lambda path: os.symlink('/etc/hostname', path),
    'a link that climbs out': lambda path: os.symlink('../' * 30 + 'etc/hostname', path),
    'a link to itself': lambda path: os.symlink(os.path.basename(path), path),
    'a link to the root': lambda path: os.symlink('/', path),
    'a file of a GiB': huge,
    'a directory of 300': crowd,
    'a deep directory': deep,
    'nothing': lambda path: None,
}

# What is replaced, and what may be lost by it; nothing need be said of what is no more.
PLACES = {
    'open-iscsi': (hostile_open_iscsi, {
        hostile_open_iscsi.S4 + '/state': (),
        hostile_open_iscsi.C4 + '/persistent_address': (hostile_open_iscsi.PATH4,),
        hostile_open_iscsi.RECORD: (),
    }),
    'lio': (hostile_lio, {
        hostile_lio.INFO: hostile_lio.SESSION2,
        hostile_lio.ACL + '/param': (),
        hostile_lio.TPG + '/acls': (*hostile_lio.SESSION2, f'auth {hostile_lio.N}t2/'),
    }),
    'scst': (hostile_scst, {
        hostile_scst.SESSION + '/read_cmd_count': (),
        hostile_scst.CONNECTION: hostile_scst.ROWS[1:],
    }),
}
GIVES = ('session.enabled_default',  # without its record
         'session.iface', 'session.login',
         'new auth')  # each directory in acls/ is one


def check_stack(t, name, rules):
    stack, places = PLACES[name]
    recording = TOP / 'tests' / 'fixtures' / f'{stack.BASE}.tree'
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        root = os.path.join(top, 'host')
        unpack_tree.unpack(recording, root)
        if name == 'open-iscsi':  # only its name was recorded
            os.mkdir(root + '/sys/class/iscsi_transport/tcp')
        base = trees.Shown(recording)
        same = trees.Shown(root)
        t.ok(not same.faults and same.objects == base.objects,
             f'{name}: of the directory the same is shown as of the recording',
             *same.faults, *map(str, trees.difference(base, same)))
        for path, gone in places.items():
            saved = os.path.join(top, 'saved')
            os.rename(root + path, saved)
            for way, make in WAYS.items():
                change = Change(f'{way} for {path.rsplit("/", 1)[1]}', None, gives=GIVES, gone=gone,
                                quiet=True)
                try:
                    make(root + path)
                except PermissionError as why:
                    t.skip(f'{name}: {change.name}', str(why))
                    continue
                faults = trees.judge(base, trees.Shown(root), change, rules)
                t.ok(not faults, f'{name}: {change.name}', *map(trees.shorten, faults[:20]))
                if os.path.lexists(root + path):
                    replaced(root + path)
            os.rename(saved, root + path)
        again = trees.Shown(root)
        t.ok(again.objects == base.objects, f'{name}: all is back')
        check_refused(t, name, root, places, rules)


def check_refused(t, name, root, places, rules):
    """As a user who may not read all of it."""
    if os.geteuid() != 0:
        t.skip(f'{name}: files of another user', 'not root')
        return
    # The tree of sources may be below root's own directory.
    program = shutil.copy(trees.AGENT, os.path.join(os.path.dirname(root), 'program'))
    base = trees.Shown(root, NOBODY, program)
    if not base.objects:
        t.skip(f'{name}: files of another user', f'nobody cannot run it: {base.faults}')
        return
    for path, gone in places.items():
        os.chmod(root + path, 0)
        change = Change('', None, gives=GIVES, gone=gone, quiet=True)
        faults = trees.judge(base, trees.Shown(root, NOBODY, program), change, rules)
        t.ok(not faults, f'{name}: {path.rsplit("/", 1)[1]} may not be read',
             *map(trees.shorten, faults[:20]))
        os.chmod(root + path, 0o755)


def main():
    with Tap() as t:
        try:
            rules = mib_values.Judge()
        except smi.Tap.Skip as why:
            t.skip_all(str(why))
        for name in sys.argv[1:] or PLACES:
            check_stack(t, name, rules)


if __name__ == '__main__':
    main()
