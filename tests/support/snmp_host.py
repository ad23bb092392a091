# SPDX-License-Identifier: BSD-2-Clause
"""More than one host in a laboratory: each has a snmpd and an agent of its own, and a directory
below the lab's. They end with the lab.

    with Lab() as lab:
        host = SnmpHost(lab, 'db1')
        host.start_snmpd()
        host.start_agent(arguments=('--root', recording), sources='open-iscsi')
        host.address                     # 127.0.0.1:PORT
"""

import os

import lab as laboratory


class SnmpHost(laboratory.Lab):
    """Used like the lab itself, but not as a context: it is a part of one."""

    def __init__(self, lab, name):
        super().__init__()
        self.name = name
        self.directory = lab.path(name)
        os.mkdir(self.directory)
        os.chmod(self.directory, 0o755)  # the agent's user passes through
        self.processes = lab.processes   # one list: it ends them in the reverse order of all

    @property
    def address(self):
        return f'127.0.0.1:{self.snmpd_port}'
