#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A host with N initiator sessions, for the benchmark: what Linux 6.1 with open-iscsi shows of one
session (tests/fixtures/open-iscsi), N times with numbers, names and addresses of its own.

    replicate.py [--lean] N FILE.tree           as a recording (src/base/root_tree.c), for --root
    replicate.py [--lean] --directory N PATH    as a directory
    replicate.py --iscsiadm --directory N PATH  with all that iscsiadm reads of it

Each target has two portals and so two sessions, each session one connection, one SCSI host, one
disk and one node record; --lean leaves out disks and node records. In a directory, files of one
content are one file with many names: a tree of 10,000 sessions has half a million files.
"""
import argparse
import itertools
import os

INITIATOR = 'iqn.2026-11.lab.example:init1'
DISK = {'vendor': 'LIO-ORG ', 'model': 'bench           ', 'state': 'running',
        'access_state': 'active/optimized', 'preferred_path': '0', 'ioerr_cnt': '0x0',
        'iotmo_cnt': '0x0', 'block/NAME/size': '2097152'}
SESSION = {'creator': '259', 'first_burst_len': '65536', 'ifacename': 'default',
           'immediate_data': '1', 'initial_r2t': '1', 'initiatorname': INITIATOR,
           'max_burst_len': '262144', 'max_outstanding_r2t': '1', 'recovery_tmo': '120',
           'state': 'LOGGED_IN', 'target_state': 'SCANNED', 'tpgt': '1'}
CONNECTION = {'data_digest': '0', 'header_digest': '0', 'max_recv_dlength': '262144',
              'max_xmit_dlength': '262144', 'persistent_port': '3260', 'port': '3260',
              'state': 'up', 'ping_tmo': '5', 'recv_tmo': '5'}
HOST = {'netdev': '(null)'}
# What iscsiadm reads and the agent does not, for iscsiadm_mock.
OTHER = {
    'session': {'abort_tmo': '15', 'data_pdu_in_order': '1', 'data_seq_in_order': '1', 'erl': '0',
                'lu_reset_tmo': '30', 'password': '(null)', 'password_in': '(null)',
                'tgt_reset_tmo': '30', 'username': '(null)', 'username_in': '(null)'},
    'host': {'hwaddress': '(null)', 'port_state': 'Unknown!', 'port_speed': 'Unknown!'},
    'scsi_host': {'state': 'running'},
}
FIXED = {
    '/etc/iscsi/initiatorname.iscsi': f'InitiatorName={INITIATOR}\nInitiatorAlias=lab-initiator',
    '/etc/iscsi/iscsid.conf': 'node.session.iscsi.InitialR2T = No',
    '/proc/sys/kernel/arch': 'x86_64',
    '/proc/sys/kernel/osrelease': '6.1.0-56-amd64',
    '/proc/sys/kernel/ostype': 'Linux',
    '/sys/module/scsi_transport_iscsi/version': '2.0-870',
}
TRANSPORT = '/sys/class/iscsi_transport'


def one_session(sid, lean):
    """The (kind, path, content) of session number `sid`, from 1."""
    target = f'iqn.2026-11.lab.example:st{(sid - 1) // 2 % 100:03}.disk{(sid - 1) // 2 + 1:06}'
    subnet = (sid - 1) % 2 + 1
    portal, local = f'10.{subnet}.{(sid >> 9) & 255}.2', f'10.{subnet}.0.1'
    session = f'/sys/class/iscsi_session/session{sid}'
    connection = f'/sys/class/iscsi_connection/connection{sid}:0'
    disk = f'/sys/class/scsi_device/{sid}:0:0:1'
    device = f'devices/platform/host{sid}/session{sid}'
    yield 'link', session, f'../../{device}/iscsi_session/session{sid}'
    for name, value in {**SESSION, 'targetname': target}.items():
        yield 'file', f'{session}/{name}', value
    own = {'address': portal, 'persistent_address': portal, 'exp_statsn': f'{sid * 7919}',
           'local_port': f'{32768 + sid % 28000}'}
    for name, value in {**CONNECTION, **own}.items():
        yield 'file', f'{connection}/{name}', value
    for name, value in {**HOST, 'ipaddress': local}.items():
        yield 'file', f'/sys/class/iscsi_host/host{sid}/{name}', value
    yield 'file', f'/sys/class/scsi_host/host{sid}/proc_name', 'iscsi_tcp'
    if lean:
        return
    yield 'link', disk, f'../../{device}/target{sid}:0:0/{sid}:0:0:1/scsi_device/{sid}:0:0:1'
    counts = {'iorequest_cnt': hex(sid * 31), 'iodone_cnt': hex(sid * 31)}
    for name, value in {**DISK, **counts}.items():
        yield 'file', f'{disk}/device/' + name.replace('NAME', f'sd{sid}'), value
    yield 'dir', f'{disk}/device/block/sd{sid}/holders', None
    yield 'file', f'/etc/iscsi/nodes/{target}/{portal},3260,1/default', ''


def beside_one_session(sid):
    """What only iscsiadm reads of it: values, and the ways from one device to another."""
    host_device = f'/sys/devices/platform/host{sid}'
    places = {'session': f'/sys/class/iscsi_session/session{sid}',
              'host': f'/sys/class/iscsi_host/host{sid}',
              'scsi_host': f'/sys/class/scsi_host/host{sid}'}
    for kind, values in OTHER.items():
        for name, value in values.items():
            yield 'file', f'{places[kind]}/{name}', value
    yield 'dir', f'{host_device}/iscsi_host/host{sid}', None
    yield 'link', f'{host_device}/subsystem', '../../../bus/scsi'
    yield 'link', f'/sys/class/iscsi_session/session{sid}/device', f'../../../session{sid}'
    disk = f'{sid}:0:0:1'
    yield ('link', f'/sys/bus/scsi/devices/{disk}',
           f'../../../class/scsi_device/{disk}/device')


def host(count, lean=False):
    """Everything of a host with `count` sessions."""
    for path, content in FIXED.items():
        yield 'file', path, content
    for path in ('/etc/iscsi/ifaces', '/sys/class/iscsi_iface', TRANSPORT + '/tcp'):
        yield 'dir', path, None
    for sid in range(1, count + 1):
        yield from one_session(sid, lean)


def is_attribute(directory):
    """Directories that are never listed: a recording does without them."""
    return directory.startswith('/sys/') and directory.count('/') > 4 and 'block' not in directory


def write_recording(entries_of_host, file):
    entries = {}
    file.write('iscsi-agentx tree 1\n')
    for kind, path, content in entries_of_host:
        if kind == 'dir':
            entries.setdefault(path, {})
        else:
            file.write(f'{kind} {path}\n' +
                       ''.join('|' + (line[:-1] + '\\040' if line.endswith(' ') else line) + '\n'
                               for line in content.splitlines()))
        while path != '/':
            directory, name = os.path.split(path)
            entries.setdefault(directory, {})[name] = None
            path = directory
    for directory, names in entries.items():
        if not is_attribute(directory):
            names = sorted(names, key=os.fsencode)
            file.write(f'dir {directory}\n' + ''.join(f'|{name}\n' for name in names))


def write_directory(entries_of_host, base):
    contents, made = {}, set()

    def make(path):
        if path not in made:
            os.makedirs(path, exist_ok=True)
            made.add(path)

    for kind, path, content in entries_of_host:
        if kind == 'dir':
            make(base + path)
            continue
        parent = os.path.dirname(base + path)
        make(parent)
        if kind == 'link':
            make(os.path.normpath(os.path.join(os.path.realpath(parent), content)))
            os.symlink(content, base + path)
        elif content in contents and os.stat(contents[content]).st_nlink < 30000:
            os.link(contents[content], base + path)
        else:
            with open(base + path, 'w', encoding='ascii') as file:
                file.write(content + '\n' if content else '')
            contents[content] = base + path


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n', 1)[0])
    parser.add_argument('--lean', action='store_true')
    parser.add_argument('--directory', action='store_true')
    parser.add_argument('--iscsiadm', action='store_true')
    parser.add_argument('count', type=int)
    parser.add_argument('path')
    options = parser.parse_args()
    entries = host(options.count, options.lean)
    if options.directory:
        beside = itertools.chain.from_iterable(
            beside_one_session(sid) for sid in range(1, options.count + 1))
        write_directory(itertools.chain(entries, beside if options.iscsiadm else []), options.path)
        return
    with open(options.path, 'w', encoding='ascii') as file:
        write_recording(entries, file)


if __name__ == '__main__':
    main()
