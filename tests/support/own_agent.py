# SPDX-License-Identifier: BSD-2-Clause
"""iscsi-agentx -M in the lab: its access file, its addresses, and managers of SNMPv3."""

import os
import signal

import lab as laboratory
import snmp
from process import wait_for

AUTH, PRIV = 'authentication-pass', 'encryption-pass'
# A view of all but one column, which is in the middle of a table: sessions' target names.
HIDDEN = snmp.ISCSI_OBJECTS + (10, 1, 1, 10)
ACCESS = f'''# who may ask
rocommunity public
rocommunity iscsi
rocommunity6 public
view part included .1
view part excluded {snmp.dotted(HIDDEN)}
rocommunity part default -V part
createUser all SHA "{AUTH}" AES "{PRIV}"
rouser all priv
createUser some SHA "{AUTH}" AES "{PRIV}"
rouser some priv -V part
sysLocation rack 7, row 2
'''

ENGINE_ID = (1, 3, 6, 1, 6, 3, 10, 2, 1, 1, 0)
ENGINE_BOOTS = (1, 3, 6, 1, 6, 3, 10, 2, 1, 2, 0)


class OwnAgent:
    """The agent of a lab, at one port by udp, tcp and, where there is ::1, udp6."""

    def __init__(self, lab, access=ACCESS):
        self.lab = lab
        lab.snmpd_port = lab.snmpd_port or laboratory.free_port()
        self.port = lab.snmpd_port
        self.addresses = ','.join([f'udp:127.0.0.1:{self.port}'] +
                                  [f'udp6:[::1]:{self.port}'] * laboratory.IPV6 +
                                  [f'tcp:127.0.0.1:{self.port}'])
        self.path = lab.path('access.conf')
        self.write_access(access)

    def write_access(self, text, mode=0o600):
        with open(self.path, 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.path, mode)

    def start(self, wait=15, arguments=(), prefix=(), **settings):
        return self.lab.start_agent(
            wait=wait, arguments=('-M', self.addresses, *arguments), prefix=prefix,
            **{'accessFile': self.path, **settings})

    def stop(self, number=signal.SIGTERM):
        return self.lab.stop_agent(number)

    def run(self, *arguments, addresses=None, **settings):
        """A start that fails, or a command: the CompletedProcess."""
        self.lab.write_agent_config(**{'accessFile': self.path, **settings})
        return self.lab.run_agent('-M', addresses or self.addresses, *arguments)

    def manager(self, user, protocol='udp', **more):
        """SNMPv3 with authentication and encryption."""
        manager = snmp.Manager(f'{protocol}:127.0.0.1:{self.port}', **more)
        manager.options = ['-v', '3', '-u', user, '-l', 'authPriv', '-a', 'SHA', '-A', AUTH,
                           '-x', 'AES', '-X', PRIV, *manager.options[4:]]
        return manager

    def wait_for_agent(self, other_than=None):
        """The agent process that serves now, not that of before."""
        wait_for(lambda: self.lab.agent.agent_pid() not in (None, other_than), 15,
                 'an agent process')
        wait_for(self.lab.serving, 15, 'it serves')
        return self.lab.agent.agent_pid()
