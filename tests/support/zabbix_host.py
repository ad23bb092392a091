# SPDX-License-Identifier: BSD-2-Clause
"""A host that has everything that the Zabbix template monitors: targets of tgtd with sessions of
libiscsi and real traffic, an initiator with two paths and a multipath map, targets of LIO with
their counts of logins; behind one snmpd with one agent. The initiator and LIO are a directory that
the test changes (initiator_host.py)."""

import os

from initiator import session
from initiator_host import InitiatorHost

NAME = 'iqn.2004-10.org.example:'
LIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'fixtures', 'lio',
                   'login-failures.tree')


class ZabbixHost(InitiatorHost):
    """Started in the lab; its notifications go to the port `receiver` of 127.0.0.1."""

    def __init__(self, lab, receiver):
        super().__init__(lab.path('host'), LIO)
        self.lab = lab
        lab.start_snmpd(extra=f'trapsess -v 2c -c public udp:127.0.0.1:{receiver}\n')
        tgtd = lab.start_tgtd()
        for disk in ('disk-a', 'disk-b'):
            tgtd.add_target(NAME + disk)
        v4, v6 = tgtd.both_portals()
        lab.start_initiator(session(v4, NAME + 'disk-a', NAME + 'host-1', rate=40),
                            session(v6, NAME + 'disk-a', NAME + 'host-2', rate=20),
                            session(v4, NAME + 'disk-b', NAME + 'host-2', rate=30))
        self.portal = v4
        # The agent reads below the directory: tgtd's socket gets a second name there, and the
        # kernel's table of connections, which tells the portals of its sessions, is copied.
        os.makedirs(self.path('run/tgtd'))
        os.link(tgtd.socket, self.path('run/tgtd/socket.0'))
        for name in set(os.listdir('/proc/net')) & {'tcp', 'tcp6'}:
            with open(f'/proc/net/{name}', encoding='utf-8') as file:
                self.write(f'proc/net/{name}', file.read().rstrip('\n'))
        self.agent = {'arguments': ('--root', self.root), 'tgtSocket': '/run/tgtd/socket',
                      'sources': 'open-iscsi multipath lio tgt', 'targetSessionLimit': 3}
        lab.start_agent(**self.agent)

    def start_another(self):
        """One more session, with which a target has as many as targetSessionLimit says."""
        self.lab.start_initiator(session(self.portal, NAME + 'disk-a', NAME + 'host-3', rate=10))
