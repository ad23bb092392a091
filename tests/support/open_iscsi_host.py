# SPDX-License-Identifier: BSD-2-Clause
"""A host with open-iscsi sessions as a directory for --root, which a test changes while the agent
looks at it. What is in it of sysfs is what the source needs to know of a path."""

import os
import shutil
from pathlib import Path

INITIATOR = 'iqn.2004-10.org.example:host'


class OpenIscsiHost:
    """Paths are numbered from 1 in the order of add_path; each has a SCSI host of that number, a session
    (of that number, too, unless log_in says another one) and a node record."""

    def __init__(self, directory):
        self.top = Path(directory)
        self.write('etc/iscsi/initiatorname.iscsi', f'InitiatorName={INITIATOR}\n')
        self.write('proc/sys/kernel/ostype', 'Linux\n')
        self.write('proc/sys/kernel/osrelease', '6.1.0\n')
        self.write('proc/sys/kernel/arch', 'x86_64\n')
        self.write('sys/module/scsi_transport_iscsi/version', '2.0-870\n')
        (self.top / 'sys/class/iscsi_transport/tcp').mkdir(parents=True)
        for name in ('connection', 'host', 'session', 'iface'):
            (self.top / f'sys/class/iscsi_{name}').mkdir()
        (self.top / 'sys/class/scsi_host').mkdir()
        self.paths = []
        self.sids = {}  # number of the path -> kernel's number of its session

    def write(self, name, text):
        """Whole or not at all, as sysfs gives an attribute."""
        path = self.top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.top / 'aside'
        aside.write_text(text)
        os.rename(aside, path)

    def add_path(self, target, address):
        self.paths.append((target, address))
        number = len(self.paths)
        self.write_record(target, address)
        self.log_in(number)
        return number

    def write_record(self, target, address):
        self.write(f'etc/iscsi/nodes/{target}/{address},3260,1/default',
                   f'node.name = {target}\nnode.tpgt = 1\nnode.startup = automatic\n'
                   f'iface.iscsi_ifacename = default\nnode.conn[0].address = {address}\n'
                   'node.conn[0].port = 3260\n')

    def log_in_elsewhere(self, number, sid, target, address, local):
        """The number is that of another path from now on, and its SCSI host is used again, as the
        kernel does it: the next session, which was never there, from the address `local`."""
        shutil.rmtree(self.top / f'etc/iscsi/nodes/{self.paths[number - 1][0]}')
        self.paths[number - 1] = (target, address)
        self.write_record(target, address)
        host = f'devices/platform/host{number}/iscsi_host/host{number}'
        self.write(f'sys/{host}/ipaddress', local + '\n')
        link = self.top / f'sys/class/iscsi_host/host{number}'
        if not link.is_symlink():
            link.symlink_to(f'../../{host}')
        self.log_in(number, sid)

    def log_in(self, number, sid=None):
        """The session as it is after a login."""
        target, address = self.paths[number - 1]
        sid = self.sids[number] = sid or number
        device = f'devices/platform/host{number}/session{sid}'
        session = f'{device}/iscsi_session/session{sid}'
        connection = f'{device}/connection{sid}:0/iscsi_connection/connection{sid}:0'
        for name, value in (('creator', '812'), ('ifacename', 'default'),
                            ('initiatorname', INITIATOR), ('targetname', target),
                            ('target_state', 'SCANNED'), ('state', 'LOGGED_IN')):
            self.write(f'sys/{session}/{name}', value + '\n')
        for name, value in (('persistent_address', address), ('persistent_port', '3260'),
                            ('address', address), ('port', '3260'), ('state', 'up')):
            self.write(f'sys/{connection}/{name}', value + '\n')
        self.write(f'sys/devices/platform/host{number}/scsi_host/host{number}/proc_name',
                   'iscsi_tcp\n')
        for kind, place in (('iscsi_session', session), ('iscsi_connection', connection),
                            ('scsi_host', f'devices/platform/host{number}/scsi_host/host{number}')):
            link = self.top / 'sys/class' / kind / Path(place).name
            if not link.is_symlink():
                link.symlink_to(f'../../{place}')

    def set_state(self, number, session, connection):
        """(LOGGED_IN, up), or (FAILED, failed) while iscsid tries to connect again."""
        sid = self.sids[number]
        base = f'sys/devices/platform/host{number}/session{sid}'
        self.write(f'{base}/connection{sid}:0/iscsi_connection/connection{sid}:0/state',
                   connection + '\n')
        self.write(f'{base}/iscsi_session/session{sid}/state', session + '\n')

    def log_out(self, number):
        """The session goes, its record stays: the path is missing."""
        sid = self.sids.pop(number)
        (self.top / f'sys/class/iscsi_session/session{sid}').unlink()
        (self.top / f'sys/class/iscsi_connection/connection{sid}:0').unlink()
        (self.top / f'sys/class/scsi_host/host{number}').unlink()
        (self.top / f'sys/class/iscsi_host/host{number}').unlink(missing_ok=True)
        shutil.rmtree(self.top / f'sys/devices/platform/host{number}')
