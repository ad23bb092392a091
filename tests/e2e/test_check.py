#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""--check: each thing that can be wrong at home is a line that names it, with what to do. Needs
neither snmpd nor targets; what a user without rights sees needs root to play one. TAP."""

import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
sys.path.insert(0, os.path.join(TOP, 'tests', 'support'))
# pylint: disable=wrong-import-position
from false_agent import AUTHORIZATION_ERROR, FalseAgent, integer
from tap import Tap

AGENT = os.path.join(TOP, 'build', 'iscsi-agentx')
ISCSI_NODE = (1, 3, 6, 1, 2, 1, 142, 1, 5, 1, 1, 3, 1, 1)
USER = ('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups')


class Place:
    """A directory with a configuration; nothing of this machine is looked at."""

    def __init__(self, directory):
        self.directory = directory
        self.settings = {'agentXSocket': self.path('master'), 'stateDir': self.path('state'),
                         'runDir': self.path('run'), 'accessFile': self.path('access')}
        os.makedirs(self.path('root'))
        self.agent = shutil.copy(AGENT, self.path('agent'))

    def path(self, *parts):
        return os.path.join(self.directory, *parts)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), 'w', encoding='utf-8') as file:
            file.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def check(self, *arguments, prefix=(), peer=None, **settings):
        """(exit status, {topic: (state, text)}, all that was printed)"""
        lines = [f'{k} {v}\n' for k, v in {**self.settings, **settings}.items()]
        config = self.write('conf', ''.join(lines), 0o644)
        done = subprocess.run(
            [*prefix, self.agent, '-C', '-c', config, '--root', self.path('root'), *arguments,
             f'--check={peer}' if peer else '--check'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
            check=False, stdin=subprocess.DEVNULL, cwd='/',
            env={'PATH': os.environ['PATH'], 'SNMP_PERSISTENT_DIR': self.path('persistent'),
                 'SNMPCONFPATH': self.path('none'), 'LC_ALL': 'C'})
        found = {m.group(2): (m.group(1), m.group(3)) for m in re.finditer(
            r'^(ok|WRONG) +(AgentX socket|[\w-]+) +(.*)$', done.stdout, re.M)}
        return done.returncode, found, done.stdout


def directories(t, place):
    _, found, text = place.check()
    t.ok(found['stateDir'] == ('ok', place.path('state') + ' will be made at the first start'),
         'a directory that is not there will be made', text)
    place.write('file', '')
    os.mkdir(place.path('open'))
    os.chmod(place.path('open'), 0o777)
    os.mkdir(place.path('mine'), 0o700)
    _, found, text = place.check(stateDir=place.path('file'), runDir=place.path('open'))
    t.ok(found['stateDir'][0] == 'WRONG' and 'is no directory' in found['stateDir'][1],
         'a file is no directory', text)
    t.ok(found['runDir'][0] == 'WRONG' and 'may be written by others' in found['runDir'][1],
         'one that others may write to is named', text)
    _, found, text = place.check(stateDir=place.path('mine'), runDir=place.path('file', 'below'))
    t.equal(found['stateDir'], ('ok', place.path('mine')), 'one that is as it should be')
    t.ok(found['runDir'] == ('WRONG', place.path('file', 'below') + ': Not a directory'),
         'one that cannot be looked at has its errno', text)
    place.write(os.path.join('mine', 'index'), '')
    place.write(os.path.join('open', 'other'), '')
    _, found, text = place.check(stateDir=place.path('mine'), runDir=place.path('open'))
    t.equal(found['stateDir'], ('ok', place.path('mine')), 'one with files of ours')
    if os.geteuid() == 0:
        t.ok(found['runDir'][0] == 'WRONG' and 'has files of others' in found['runDir'][1],
             'one of root with files of others is named', text)
        os.chown(place.path('open'), 12345, 12345)
        _, found, text = place.check(stateDir=place.path('mine'), runDir=place.path('open'))
        t.ok('has files of others' in found['runDir'][1], 'and one of somebody else', text)


def user(t, place):
    if os.geteuid() != 0:
        t.skip('what a user sees', 'needs root')
        return
    os.chmod(place.directory, 0o755)
    os.makedirs(place.path('closed', 'state'), 0o700)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place.path('master'))
    listener.listen(1)
    os.chmod(place.path('master'), stat.S_IRUSR | stat.S_IWUSR)
    os.chmod(place.path('closed'), 0o700)
    status, found, text = place.check(prefix=USER, stateDir=place.path('closed', 'state'))
    t.equal(status, 1, 'a user who may look at nothing: exit status 1')
    t.ok(found['stateDir'] == ('WRONG', place.path('closed', 'state') + ': Permission denied'),
         'a directory behind a closed one is not judged, its errno is told', text)
    t.ok(found['AgentX socket'][0] == 'WRONG' and 'Permission denied' in found['AgentX socket'][1]
         and 'agentXPerms' in text, 'a socket that may not be used: agentXPerms', text)
    listener.close()
    os.unlink(place.path('master'))


def foreign(t, place):
    """-M with a file of somebody else, and as a user with a port that is not for users."""
    if os.geteuid() != 0:
        t.skip('a file of somebody else', 'needs root')
        return
    os.chown(place.write('access', 'rocommunity iscsi\n'), 54321, 54321)
    _, found, text = place.check('-M', 'udp:127.0.0.1:0')
    t.ok(found['accessFile'][0] == 'WRONG' and 'it must belong to root' in text,
         'an access file of another user', text)
    os.chown(place.path('access'), 0, 0)
    os.chmod(place.path('access'), 0o644)
    _, found, text = place.check('-M', 'udp:127.0.0.1:0')
    t.ok(found['accessFile'][0] == 'WRONG' and 'chmod 0600' in text, 'one that others may read', text)
    with open('/proc/sys/net/ipv4/ip_unprivileged_port_start', encoding='ascii') as file:
        first = int(file.read())
    if first <= 161:
        t.skip('a port of the system', f'ports from {first} on are for everybody here')
        return
    _, found, text = place.check('-M', 'udp:127.0.0.1:161', prefix=USER)
    t.ok(found['address'][0] == 'WRONG' and 'Permission denied' in found['address'][1],
         'a port that needs root', text)


def answers(t, place):
    """What an agent answers that shows nothing, or refuses; the AgentX socket is one of ours."""
    _, found, text = place.check()
    t.ok(found['AgentX socket'] == ('WRONG', place.path('master') + ': No such file or directory')
         and 'master agentx' in text, 'no socket: what to write in snmpd.conf', text)
    with socket.socket(socket.AF_UNIX) as listener, FalseAgent() as agent:
        listener.bind(place.path('master'))
        listener.listen(8)
        peer = f'127.0.0.1:{agent.port}'
        os.makedirs(place.path('none'))
        for version, asked in (('2c', 1), ('1', 0)):
            place.write(os.path.join('none', 'snmp.conf'), f'defVersion {version}\n')
            _, _, text = place.check(peer=peer)
            t.equal(agent.version, asked, f'v{version} of snmp.conf is asked with')
            t.ok(text.count('WRONG  view ') == 2 and 'WRONG  SNMP ' not in text and
                 'view iscsi included .1.3.6.1.2.1.142 ' in text,
                 f'v{version}: an agent that shows nothing: the view, and its line', text)
        agent.error = AUTHORIZATION_ERROR
        _, found, text = place.check(peer=peer)
        t.ok(found['SNMP'] == ('WRONG', 'snmpd answers: authorizationError (access denied to that '
                               'object)') and 'view iscsi' not in text,
             'one that refuses: its error', text)
        agent.error = 0
        agent.shown = {ISCSI_NODE: integer(1)}
        _, found, text = place.check(peer=peer)
        t.ok('ok     view           snmpd shows ISCSI-MIB\n' in text and found['view'][0] == 'WRONG',
             'one module is shown, the other is not', text)
        os.unlink(place.path('none', 'snmp.conf'))
        place.check(peer=peer)
        t.equal((agent.version, agent.community), (1, b'iscsi'),
                'without a version there v2c is, as the community that is installed')
    _, found, text = place.check()
    t.ok('Connection refused' in found['AgentX socket'][1] and 'master agentx' in text,
         'a socket that nobody listens at: the same', text)
    os.unlink(place.path('master'))


def own_agent(t, place):
    """-M: the access file and the addresses."""
    own = ('-M', 'udp:127.0.0.1:0')
    status, found, text = place.check(*own)
    t.ok(status == 1 and found['accessFile'][0] == 'WRONG' and 'rocommunity NAME' in text,
         'no access file: what to write in it', text)
    place.write('access', '# nobody\n')
    _, found, text = place.check(*own)
    t.ok('no line gives anybody access' in found['accessFile'][1], 'one that says nothing', text)
    place.write('access', 'rocommunity\nrocommunity iscsi 127.0.0.1\n')
    _, found, text = place.check(*own)
    t.ok('1 bad lines' in found['accessFile'][1], 'one with a bad line', text)
    place.write('access', 'rocommunity iscsi 127.0.0.1\n')
    status, found, text = place.check(*own)
    t.ok(found['accessFile'] ==
         ('ok', place.path('access') + ': 1 lines give access, 0 trap sinks'), 'one that is good', text)
    wrong = [topic for topic, (state, _) in found.items() if state == 'WRONG']
    t.ok(status == 1 and wrong == ['daemon'], 'and nothing is wrong but that it does not run', text)
    t.ok(found['address'][0] == 'ok' and 'can be listened at' in found['address'][1],
         'an address that is free', text)
    _, found, text = place.check('-M', 'udp:192.0.2.1:1161')
    t.ok(found['address'][0] == 'WRONG' and '192.0.2.1' in found['address'][1],
         'an address of another host', text)


def main():
    with Tap() as t, tempfile.TemporaryDirectory(prefix='check.') as directory:
        place = Place(directory)
        directories(t, place)
        user(t, place)
        answers(t, place)
        own_agent(t, place)
        foreign(t, place)


if __name__ == '__main__':
    main()
