# SPDX-License-Identifier: BSD-2-Clause
"""A private snmptrapd that hands everything to snmptt, with conf/snmptt/iscsi-agentx.conf: what snmptt
makes of it is in its log."""

import os
import pwd
import shutil

from process import Process, wait_for

CONF = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'conf', 'snmptt',
                    'iscsi-agentx.conf')
INI = '''[General]
mode = standalone
multiple_event = 1
dns_enable = 0
net_snmp_perl_enable = 0
translate_log_trap_oid = 0
translate_value_oids = 0
{general}
[Logging]
log_enable = 1
log_file = {log}
log_system_enable = 1
log_system_file = {top}/snmptt.system
unknown_trap_log_enable = 1
unknown_trap_log_file = {top}/snmptt.unknown
syslog_enable = 0
syslog_system_enable = 0
{logging}
[TrapFiles]
snmptt_conf_files = <<END
{top}/iscsi-agentx.conf
END
'''


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except FileNotFoundError:
        return ''


def bound(port):
    """Whether a socket of UDP has this port of 127.0.0.1."""
    return f' 0100007F:{port:04X} ' in read('/proc/net/udp')


class Snmptt:
    """Receives v2c notifications (community public) at `port` of 127.0.0.1. `log` is the file that it
    writes, in a directory of its own; `user` whose it is and as whom both run; `general` and `logging`
    are more lines of these sections of snmptt.ini."""

    def __init__(self, lab, snmptrapd, snmptt, port, log=None, user='root', general='', logging=''):
        self.port = port
        self.top = lab.path(lab.unique('snmptt'))
        self.log = log or os.path.join(self.top, 'snmptt.log')
        os.makedirs(self.top)
        os.makedirs(os.path.dirname(self.log), exist_ok=True)
        shutil.copy(CONF, self.top)
        with open(os.path.join(self.top, 'snmptt.ini'), 'w', encoding='utf-8') as file:
            file.write(INI.format(top=self.top, log=self.log, general=general, logging=logging))
        with open(os.path.join(self.top, 'snmptrapd.conf'), 'w', encoding='utf-8') as file:
            file.write('authCommunity log,execute public\n'
                       f'traphandle default {snmptt} --ini={self.top}/snmptt.ini\n')
        account = pwd.getpwnam(user)
        for path in (self.top, os.path.dirname(self.log)):
            os.chown(path, account.pw_uid, account.pw_gid)
        self.process = lab.add(Process(
            lab.unique('snmptrapd'),
            [snmptrapd, '-f', '-C', '-c', f'{self.top}/snmptrapd.conf', '-u', user, '-Lo', '-n', '-On',
             '-m', '', f'udp:127.0.0.1:{port}'], lab.directory,
            {'SNMPCONFPATH': self.top, 'SNMP_PERSISTENT_DIR': self.top}))
        wait_for(lambda: bound(port) or not self.process.running(), 20, 'snmptrapd listens')

    def text(self):
        """What snmptt has logged of notifications that it knows."""
        return read(self.log)

    def unknown(self):
        """What it has logged of others."""
        return read(os.path.join(self.top, 'snmptt.unknown'))

    def errors(self):
        """What snmptrapd and snmptt say of themselves, for a failed test."""
        return self.process.text()[-500:] + read(os.path.join(self.top, 'snmptt.system'))[-500:]
