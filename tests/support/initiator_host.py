# SPDX-License-Identifier: BSD-2-Clause
"""A host with open-iscsi, LIO and multipathd as a directory for --root, which a test changes while the
agent looks at it: two portals of one target, a session and a disk on each, a map over both disks.
LIO's part is a recording.

    host = InitiatorHost(directory)
    host.lose(1); host.logout(2); host.multipathd.set(1, False)
"""
import os
import shutil
import socket
import threading

import fake_multipathd
import unpack_tree

TARGET = 'iqn.2026-11.org.example:array'
INITIATOR = 'iqn.2026-11.org.example:host'
WWID, MAP = '3600140500000001', 'mpatha'
RECORD = '''# BEGIN RECORD 2.1
node.name = {target}
node.tpgt = 1
node.startup = automatic
iface.iscsi_ifacename = default
node.conn[0].address = 192.0.2.{number}
node.conn[0].port = 3260
# END RECORD
'''


class Multipathd(fake_multipathd.Daemon):
    """Answers for one map, whose first path takes the I/O as long as it can."""

    def __init__(self, root):
        super().__init__(1, 2)
        self.maps[0].update({'n': MAP, 'w': WWID})
        for number, path in enumerate(self.maps[0]['paths'], 1):
            path.update({'i': f'{number}:0:0:1', 'm': MAP, 'w': WWID, 'group': number})
        self.listener = fake_multipathd.announce(root, 'serve')
        threading.Thread(target=self._serve, daemon=True).start()

    def set(self, number, good):
        self.maps[0]['paths'][number - 1].update(
            {'t': 'active' if good else 'failed', 'T': 'ready' if good else 'faulty'})

    def json(self):
        paths = self.maps[0]['paths']
        active = next((p['group'] for p in paths if p['t'] == 'active'), 0)
        groups = ','.join(
            f'{{"selector":"service-time 0","pri":{p["p"]},'
            f'"dm_st":"{"active" if p["group"] == active else "enabled"}",'
            f'"marginal_st":"normal","group":{p["group"]},"paths":[{{"dev":"{p["d"]}",'
            f'"dev_t":"{p["D"]}","dm_st":"{p["t"]}","dev_st":"running","chk_st":"{p["T"]}",'
            f'"pri":{p["p"]},"host_wwnn":"[undef]","target_wwnn":"{TARGET}",'
            '"host_adapter":"[undef]"}]}' for p in paths)
        return ('{"major_version":0,"minor_version":1,"maps":[{'
                f'"name":"{MAP}","uuid":"{WWID}","sysfs":"dm-0","paths":2,"dm_st":"active",'
                f'"vend":"LAB","prod":"DISK","path_groups":[{groups}]}}]}}\n')

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                try:
                    command = fake_multipathd.receive(connection)
                    if command is not None:
                        connection.sendall(fake_multipathd.frame(self.answer(command)))
                except OSError:
                    pass  # the reader has gone

    def close(self):
        # An accept that waits is not ended by a close.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class InitiatorHost:
    """See the head of this file; `lio` is the recording of the target's side."""

    def __init__(self, root, lio):
        self.root = root
        os.makedirs(root)
        unpack_tree.unpack(lio, root)
        for path, text in {'proc/sys/kernel/osrelease': '6.1.0', 'proc/sys/kernel/ostype': 'Linux',
                           'sys/module/scsi_transport_iscsi/version': '2.0-870',
                           'etc/iscsi/initiatorname.iscsi': f'InitiatorName={INITIATOR}'}.items():
            self.write(path, text)
        os.makedirs(self.path('sys/class/iscsi_transport'), exist_ok=True)
        os.makedirs(self.path('sys/class/iscsi_iface'), exist_ok=True)
        for number in (1, 2):
            self.write(f'etc/iscsi/nodes/{TARGET}/192.0.2.{number},3260,1/default',
                       RECORD.format(target=TARGET, number=number))
            self.login(number)
        self.multipathd = Multipathd(root)

    def close(self):
        self.multipathd.close()

    def path(self, name):
        return os.path.join(self.root, name)

    def write(self, name, text):
        """Replaces a file at once: no reader sees half of it."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + '.new', 'w', encoding='utf-8') as file:
            file.write(text + '\n')
        os.rename(path + '.new', path)

    def rewrite(self, name, text):
        """Changes a file that the agent may have open."""
        with open(self.path(name), 'r+', encoding='utf-8') as file:
            file.truncate(0)
            file.write(text + '\n')

    def _files(self, directory, values):
        for name, value in values.items():
            self.write(f'{directory}/{name}', value)

    def _class_link(self, name, entry, text):
        os.makedirs(self.path(f'sys/class/{name}'), exist_ok=True)
        link = self.path(f'sys/class/{name}/{entry}')
        if os.path.islink(link):
            os.unlink(link)
        os.symlink(text, link)

    # -- the initiator ---------------------------------------------------------------------------

    def login(self, number):
        """Session `number` at portal 192.0.2.`number`, with host, disk and block device."""
        self._session(number, 'LOGGED_IN', 'up')
        self._disk(number)

    def _session(self, number, state, link, **values):
        host = f'sys/devices/platform/host{number}'
        self._files(f'sys/class/iscsi_host/host{number}', {'netdev': '(null)'})
        self._files(f'sys/class/scsi_host/host{number}', {'proc_name': 'iscsi_tcp'})
        session = f'{host}/session{number}/iscsi_session/session{number}'
        self._files(session, {
            'creator': '812', 'ifacename': 'default', 'initiatorname': INITIATOR,
            'targetname': TARGET, 'state': state, 'target_state': 'SCANNED',
            'recovery_tmo': '120', **values})
        self._files(f'sys/class/iscsi_connection/connection{number}:0', {
            'state': link, 'address': f'192.0.2.{number}', 'port': '3260',
            'persistent_address': f'192.0.2.{number}', 'persistent_port': '3260'})
        self._class_link('iscsi_session', f'session{number}', '../../' + session[4:])

    def _disk(self, number):
        disk = (f'sys/devices/platform/host{number}/session{number}/target{number}:0:0/'
                f'{number}:0:0:1')
        self._files(disk, {'state': 'running', 'vendor': 'LAB', 'model': 'DISK'})
        block = f'{disk}/block/{"sda" if number == 1 else "sdb"}'
        self._files(block, {'size': '2048', 'holders/dm-0/dm/uuid': f'mpath-{WWID}',
                            'holders/dm-0/dm/name': MAP})
        os.makedirs(self.path(f'{disk}/scsi_device/{number}:0:0:1'), exist_ok=True)
        device = self.path(f'{disk}/scsi_device/{number}:0:0:1/device')
        if not os.path.islink(device):
            os.symlink('../..', device)
        self._class_link('scsi_device', f'{number}:0:0:1',
                         f'../../{disk[4:]}/scsi_device/{number}:0:0:1')

    def set_state(self, number, session, connection):
        self.rewrite(f'sys/class/iscsi_connection/connection{number}:0/state', connection)
        self.rewrite(f'sys/class/iscsi_session/session{number}/state', session)

    def lose(self, number):
        self.set_state(number, 'FAILED', 'failed')

    def find(self, number):
        self.set_state(number, 'LOGGED_IN', 'up')

    def refuse(self, number):
        """A first login that the target refuses for now: iscsid will try again."""
        self._session(number, 'FAILED', 'failed', max_burst_len='0')

    def stop_waiting(self, number):
        """The session's recovery timeout is over."""
        self.set_state(number, 'FREE', 'failed')

    def accept(self, number):
        """The first login that was refused before is through."""
        self.set_state(number, 'FREE', 'bound')
        self._disk(number)
        self.rewrite(f'sys/class/iscsi_session/session{number}/max_burst_len', '262144')
        self.find(number)

    def logout(self, number):
        for name in (f'scsi_device/{number}:0:0:1', f'iscsi_session/session{number}'):
            os.unlink(self.path(f'sys/class/{name}'))
        shutil.rmtree(self.path(f'sys/class/iscsi_connection/connection{number}:0'))
        shutil.rmtree(self.path(f'sys/devices/platform/host{number}'))

    # -- the target ------------------------------------------------------------------------------

    def _target(self, target):
        return f'sys/kernel/config/target/iscsi/{target}/fabric_statistics'

    def _increment(self, path):
        with open(self.path(path), encoding='utf-8') as file:
            number = int(file.read()) + 1
        self.rewrite(path, str(number))

    def count_login(self, target, counter, initiator):
        """One more failed login of this sort, by this initiator. As in the kernel: each of them is
        counted as a failed negotiation, too."""
        attributes = self._target(target) + '/iscsi_tgt_attr'
        self.rewrite(f'{attributes}/fail_intr_name', initiator)
        for name in sorted({counter, 'negotiate_fails'}):
            self._increment(f'{self._target(target)}/iscsi_login_stats/{name}')

    def count_session(self, target):
        """One more failed session."""
        self._increment(self._target(target) + '/iscsi_instance/fail_sess')
