#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The source probe against a real tgtd and against targets that do wrong (false_target.py): what
each of them gives, that one of them costs no other anything, that the numbers are those of the
network, that there is no process left, and that the daemon serves the rows. TAP. Needs libiscsi,
tgt, snmpd."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import false_target as false
import lab as laboratory
from false_target import FalseTarget
from process import alive, children, wait_for
from snmp import oid
from tap import Tap

(OK, REFUSED, TARGET_ERROR, REDIRECTED, TIMEOUT, CONNECTION_REFUSED, UNREACHABLE, CLOSED,
 PROTOCOL_ERROR, LOCAL_ERROR) = range(1, 11)
PRIVATE = oid(laboratory.PRIVATE_ROOT)
ENTRY = (*PRIVATE, 1, 1, 7, 1)
NAME = 'iqn.2004-10.org.example:'
HOSTILE = 'caf\udcff\x1b[31m\nLIO Session ID: 1'


def has_library():
    for number in range(7, 12):
        try:
            ctypes.CDLL(f'libiscsi.so.{number}')
            return True
        except OSError:
            pass
    return False


def write_config(lab, lines):
    path = lab.path('probe.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(['sources probe', 'pollTimeout 30', f'openIscsiConfig {lab.directory}',
                              f'openIscsiRecords {lab.directory}', *lines]) + '\n')
    return path


def dump(lab, lines, environment=None):
    """One run of the program: {key of the probe: {field: text}}, and all of its output."""
    done = subprocess.run(
        [laboratory.AGENT, '-C', '-c', write_config(lab, lines), '--dump=text'], text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
        check=False, env=dict(os.environ, **(environment or {})))
    found = {}
    for block in done.stdout.split('\n\n'):
        if block.startswith('probe '):
            fields = dict(re.findall(r'^  (\w+) +(.*)$', block, re.MULTILINE))
            fields = {name: text.strip('"') for name, text in fields.items()}
            found[fields['key']] = fields
    return found, done.stdout


def own_measurement(port):
    """The shortest of ten connections, µs, by this program."""
    times = []
    for _ in range(10):
        began = time.monotonic()
        socket.create_connection(('127.0.0.1', port), timeout=5).close()
        times.append((time.monotonic() - began) * 1e6)
    return min(times)


def try_tgtd(t, lab):
    tgtd = lab.start_tgtd()
    for name, options in (('open', {}), ('chap', {'accounts': [('user', 'verysecretword1')]}),
                          ('closed', {'acl': ('10.255.255.1',)})):
        tgtd.add_target(NAME + name, **options)
    four, six = (tgtd.portals() + [None])[:2]
    rows, text = dump(lab, [f'probe {four} {NAME}{name}' for name in ('open', 'chap', 'closed',
                                                                     'unknown')] +
                      [f'probe {four}'] + ([f'probe {six} {NAME}open'] if six else []))
    row = rows[f'{four} {NAME}open']
    t.equal(int(row['result']), OK, 'tgtd: a target that lets everybody in: ok')
    t.equal((row['login_class'], row['login_detail'], row['tag']), ('0', '0', '1'),
            'with the status of the login, and its portal group tag')
    said = dict(key.split('=') for key in row['keys'].split())
    wanted = tgtd.parameters(1)
    t.equal({key: said.get(key) for key in ('MaxBurstLength', 'FirstBurstLength', 'InitialR2T')},
            {key: wanted[key] for key in ('MaxBurstLength', 'FirstBurstLength', 'InitialR2T')},
            'its other keys are what tgtadm says')
    row = rows[f'{four} {NAME}chap']
    t.equal((int(row['result']), row['login_class'], row['login_detail']), (REFUSED, '2', '1'),
            'a target that wants CHAP: refused, 02/01')
    t.ok('failures' in row and row['failures'] == '0' and row['answered'] != '0',
         'which is an answer', row)
    row = rows[f'{four} {NAME}unknown']
    t.equal((int(row['result']), row['login_class'], row['login_detail']), (REFUSED, '2', '3'),
            'an unknown target: refused, 02/03')
    row = rows[f'{four} {NAME}closed']
    t.equal((int(row['result']), row['login_class']), (REFUSED, '2'),
            'a target whose access list has not this host: refused')
    row = rows[f'{four} ']
    # tgtd tells each target once, those that the access list forbids left out.
    t.equal((int(row['result']), row.get('target_count')), (OK, '2'),
            'without a target: as many targets as tgtd shows this host')
    t.ok('ping_us' not in row and 'connect_us' in row and 'login_us' in row,
         'a discovery has no NOP-Out', row)
    if six:
        t.equal(int(rows[f'{six} {NAME}open']['result']), OK, 'over IPv6')
    else:
        t.skip('over IPv6', 'not on this machine')
    t.ok('CHAP' not in text and 'verysecretword1' not in text, 'nothing of CHAP is printed')
    wait_for(lambda: not any(target.sessions for target in tgtd.show()), 5, 'no session is left')
    t.ok(True, 'and tgtd has no session any more')
    return tgtd


def try_numbers(t, lab, tgtd):
    """Ratios of the shortest times: those that a loaded machine did not make longer."""
    four = tgtd.portals()[0]
    rows = [dump(lab, [f'probe {four} {NAME}open'])[0][f'{four} {NAME}open'] for _ in range(5)]
    connect, ping, login = (min(int(row[name]) for row in rows)
                            for name in ('connect_us', 'ping_us', 'login_us'))
    mine = own_measurement(int(four.rpartition(':')[2]))
    t.note(f'connect {connect} µs (here {mine:.0f}), login {login} µs, NOP {ping} µs')
    t.ok(0 < connect < 20 * mine + 2000, 'the time to connect is of the size that is measured here')
    t.ok(0 < ping <= login + 2000, 'a NOP-Out takes no longer than a login')
    with FalseTarget(false.working([], 0.2)) as slow:
        row = dump(lab, [f'probe {slow.portal} {NAME}slow'])[0][f'{slow.portal} {NAME}slow']
    t.ok(200000 <= int(row['ping_us']) < 2000000 and int(row['connect_us']) < 200000,
         'a target that takes 200 ms for an answer is seen to', row)


# what the target does, result, words in the text
WRONG = [
    ('silent', false.silent, TIMEOUT, 'no answer to the login'),
    ('garbage', false.garbage, PROTOCOL_ERROR, 'no valid iSCSI'),
    ('noise', false.noise, PROTOCOL_ERROR, ''),
    ('closing', false.closing, CLOSED, 'closed'),
    ('mute', false.mute_after_login, TIMEOUT, 'NOP-Out'),
    ('closing-late', false.closing_after_login, CLOSED, ''),
    ('pinging', false.pinging_for_ever, None, ''),
    ('promising', false.promising, TIMEOUT, 'login'),
    ('moved', false.redirecting('127.0.0.9:3261,2', 1), REDIRECTED, 'for now'),
    ('moved-for-good', false.redirecting('[::1]:3261,2', 2), REDIRECTED, 'for good'),
    ('busy', false.refusing(0x0301), TARGET_ERROR, ''),
    ('strange', false.refusing(0x0999), PROTOCOL_ERROR, ''),
    ('hostile', false.working([f'TargetAlias={HOSTILE}', 'TargetPortalGroupTag=70000',
                               'MaxRecvDataSegmentLength=1',
                               'MaxBurstLength=1 FirstBurstLength=2']), OK, ''),
    ('unasked', false.working(['CHAP_N=verysecretword3']), PROTOCOL_ERROR, 'authentication'),
    ('good', false.working(['TargetAlias=disk [one]', 'TargetPortalGroupTag=7',
                            'MaxRecvDataSegmentLength=65536']), OK, ''),
]


def try_wrong(t, lab):
    targets = {name: FalseTarget(serve) for name, serve, _, _ in WRONG}
    with socket.socket() as reserved:
        reserved.bind(('127.0.0.1', 0))  # bound, and nobody listens
        nobody = f'127.0.0.1:{reserved.getsockname()[1]}'
        began = time.monotonic()
        rows, text = dump(lab, ['probeTimeout 2', f'probe {nobody}'] + [
            f'probe {target.portal} {NAME}{name}' for name, target in targets.items()])
        took = time.monotonic() - began
    t.equal(int(rows[f'{nobody} ']['result']), CONNECTION_REFUSED, 'a closed port: refused')
    for name, _, result, words in WRONG:
        row = rows.get(f'{targets[name].portal} {NAME}{name}', {})
        good = row.get('result') and (result is None or int(row['result']) == result)
        t.ok(good and words in row['text'],
             f'{name}: {row.get("result")}, {row.get("text")}', f'wanted {result}: {row}')
    row = rows[f'{targets["pinging"].portal} {NAME}pinging']
    t.ok(int(row['result']) != OK or 'ping_us' in row, 'pinging: ok only with an answer', row)
    row = rows[f'{targets["good"].portal} {NAME}good']
    t.equal((row['alias'], row['tag'], row['max_recv_data_segment_length']),
            ('disk [one]', '7', '65536'), 'good: alias, tag and MaxRecvDataSegmentLength')
    row = rows[f'{targets["moved"].portal} {NAME}moved']
    t.equal((row['redirect'], row['login_class'], row['login_detail']),
            ('127.0.0.9:3261,2', '1', '1'), 'moved: where to')
    t.equal(rows[f'{targets["moved-for-good"].portal} {NAME}moved-for-good']['redirect'],
            '[::1]:3261,2', 'moved for good: where to')
    row = rows[f'{targets["hostile"].portal} {NAME}hostile']
    t.ok('tag' not in row and 'max_recv_data_segment_length' not in row and
         row['keys'] == 'HeaderDigest=None', 'hostile: numbers out of range are unknown', row)
    t.ok('\x1b' not in text and '\nLIO Session' not in text and 'CHAP' not in text and
         'verysecretword3' not in text,
         'hostile: no control character, no line, no key of CHAP gets through')
    t.ok(took < 20, f'all at once, {took:.1f} s: none waits for another')
    keys = targets['good'].keys()
    t.ok(keys['InitiatorName'].startswith('iqn.2026-11.org.iscsi-agentx:probe') and
         keys['SessionType'] == 'Normal', 'the login has a name of its own', keys)
    t.ok(targets['good'].isid()[0] == 0x80, 'and a random ISID', targets['good'].isid().hex())
    dump(lab, [f'probe {targets["good"].portal} {NAME}good'])
    t.ok(targets['good'].isid(0) != targets['good'].isid(1), 'another one the next time')
    for target in targets.values():
        target.close()


def try_redirection(t, lab):
    """A target could send the agent to any host: it does not go."""
    with FalseTarget(false.working([])) as elsewhere:
        for detail in (1, 2):
            with FalseTarget(false.redirecting(f'{elsewhere.portal},1', detail)) as target:
                rows, _ = dump(lab, [f'probe {target.portal} {NAME}moved'])
            row = rows[f'{target.portal} {NAME}moved']
            t.equal((int(row['result']), row['redirect'], elsewhere.connections),
                    (REDIRECTED, f'{elsewhere.portal},1', 0),
                    f'a redirection with detail {detail} is told and not followed')


def try_many(t, lab):
    """16 at a time, and each in its turn: 40 need three rounds of a second. (The target notices an
    end a little late.)"""
    with FalseTarget(false.silent) as target:
        began = time.monotonic()
        rows, _ = dump(lab, ['probeTimeout 1'] + [f'probe {target.portal} {NAME}{number}'
                                                  for number in range(40)])
        t.equal([int(row['result']) for row in rows.values()], [TIMEOUT] * 40,
                '40 targets that hang: each is tried')
        took = time.monotonic() - began
        t.ok(took >= 2.9 and target.peak < 32,
             f'a few at a time: {took:.1f} s, at most {target.peak} connections')
        t.equal(target.connections, 40, 'and each of them once')


def try_names(t, lab):
    """The name of the host's own sessions is refused; records are tried when that is asked for."""
    with open(lab.path('initiatorname.iscsi'), 'w', encoding='utf-8') as file:
        file.write(f'InitiatorName={NAME}host\n')
    with FalseTarget(false.working([])) as target:
        for name in (NAME + 'host', NAME.upper().replace('IQN', 'iqn') + 'HOST'):
            rows, text = dump(lab, [f'probe {target.portal} {NAME}a', f'probeInitiatorName {name}'])
            t.ok(not rows and target.connections == 0 and 'own sessions' in text,
                 f'probeInitiatorName {name}, the own one: nothing is tried', text[:600])
        record = f'nodes/{NAME}recorded/127.0.0.1,{target.port},1/default'
        os.makedirs(os.path.dirname(lab.path(record)))
        with open(lab.path(record), 'w', encoding='utf-8') as file:
            file.write('\n'.join([
                f'node.name = {NAME}recorded', 'node.tpgt = 1', 'node.startup = manual',
                'iface.iscsi_ifacename = default', 'node.conn[0].address = 127.0.0.1',
                f'node.conn[0].port = {target.port}',
                'node.session.auth.password = verysecretword2']) + '\n')
        rows, _ = dump(lab, ['probeKnownPaths no', 'probe 127.0.0.1:9'])
        t.equal(len(rows), 1, 'node records are not tried unless that is asked for')
        rows, _ = dump(lab, ['probeKnownPaths yes', f'probeInitiatorName {NAME}other'])
        row = rows.get(f'{target.portal} {NAME}recorded', {})
        t.equal((row.get('origin'), row.get('result'), row.get('initiator_name')),
                ('2', str(OK), NAME + 'other'), 'probeKnownPaths: the portal of a record is tried')
        t.equal(target.keys()['InitiatorName'], NAME + 'other', 'with the configured name')
        rows, _ = dump(lab, ['probeKnownPaths yes', f'probe {target.portal} {NAME}recorded'])
        t.equal([r['origin'] for r in rows.values()], ['1'], 'what is in both is one row')
    os.remove(lab.path('initiatorname.iscsi'))


def try_library(t, lab):
    """The library cannot be loaded, or is another one."""
    os.mkdir(lab.path('lib'))
    with FalseTarget(false.working([])) as target:
        line = f'probe {target.portal} {NAME}a'
        for number in range(7, 12):
            with open(lab.path('lib', f'libiscsi.so.{number}'), 'w', encoding='utf-8') as file:
                file.write('no library\n')
        rows, text = dump(lab, [line], {'LD_LIBRARY_PATH': lab.path('lib')})
        t.ok(not rows and 'libiscsi is not installed, or cannot be loaded' in text,
             'without libiscsi the source says so', text[:600])
        with open('/proc/self/maps', encoding='utf-8') as file:
            other = re.search(r' (/\S+/libc\.so\.6|/\S+/libc-\S+)$', file.read(), re.MULTILINE)
        shutil.copy(other.group(1), lab.path('lib', 'libiscsi.so.11'))
        rows, text = dump(lab, [line], {'LD_LIBRARY_PATH': lab.path('lib')})
        t.ok(not rows and 'lacks a function' in text, 'nor with one that lacks a function',
             text[:600])
        t.equal(target.connections, 0, 'nothing is tried then')


def try_daemon(t, lab, tgtd):
    """Rows by SNMP while a target hangs; all processes end with the agent."""
    four = tgtd.portals()[0]
    with FalseTarget(false.silent) as hanging, \
            FalseTarget(false.pinging_for_ever) as flooding:
        lab.start_snmpd()
        agent = lab.start_agent(extra='\n'.join([
            'sources tgt probe', f'probe {hanging.portal} {NAME}hangs', f'probe {four} {NAME}open',
            f'probe {flooding.portal} {NAME}floods', 'probeTimeout 3']))
        manager = lab.manager()

        def column(number):
            return {v.oid[-1]: v.value for v in manager.walk((*ENTRY, number))}

        wait_for(lambda: len(column(2)) == 1, 15, 'one probe is over while others hang')
        t.ok(True, 'a try that is over shows while others hang')
        reader = agent.reader_pid('probe')
        busy = list(children(reader))
        t.ok(len(busy) == 2, 'which are processes of their own', busy)
        if busy:
            with open(f'/proc/{busy[0]}/status', encoding='utf-8') as file:
                status = file.read()
            uid = re.search(r'^Uid:\s+(.*)$', status, re.MULTILINE).group(1).split()
            caps = re.search(r'^CapPrm:\s+(\w+)$', status, re.MULTILINE).group(1)
            t.ok((os.geteuid() != 0 or set(uid) == {'65534'}) and int(caps, 16) == 0,
                 f'as nobody, without capabilities: {uid[0]}, {caps}')
            files = {os.readlink(f'/proc/{busy[0]}/fd/{fd}') for fd in
                     os.listdir(f'/proc/{busy[0]}/fd') if int(fd) > 2}
            t.ok(len(files) == 2 and all(f.startswith(('pipe:', 'socket:')) for f in files),
                 'with a pipe and its connection, and nothing else open', files)
        with open(f'/proc/{agent.agent_pid()}/maps', encoding='utf-8') as file:
            t.ok('libiscsi' not in file.read(), 'the agent process has no libiscsi')
        wait_for(lambda: len(column(2)) == 3, 15, 'the others are over')
        t.equal(sorted(int(v) for v in column(2).values()), [OK, TIMEOUT, TIMEOUT],
                'all of them by SNMP, also the one that cannot be stopped but by force')
        portals = {value.decode() for value in column(4).values()}
        t.equal(portals, {hanging.portal, four, flooding.portal}, 'with their portals in words')
        t.equal(list(column(16).values()), [b'success'] * 2,
                'and the status of each login that was answered')
        state = [v.value for v in manager.walk((*PRIVATE, 1, 1, 6, 1, 4))]
        t.ok(state.count(1) == 2, 'both sources are well all the time', state)
        lab.stop_agent()
        t.ok(not any(alive(pid) for pid in busy), 'no try is left')


def try_killed_reader(t, lab):
    """A reader that is killed leaves no process behind."""
    with FalseTarget(false.silent) as hanging, \
            FalseTarget(false.pinging_for_ever) as flooding:
        agent = lab.start_agent(extra='\n'.join([
            'sources probe', f'probe {hanging.portal} {NAME}hangs', 'probeTimeout 60',
            f'probe {flooding.portal} {NAME}floods']), wait=0)
        wait_for(lambda: agent.reader_pid('probe') and len(children(agent.reader_pid('probe'))) == 2,
                 15, 'two tries')
        busy = list(children(agent.reader_pid('probe')))
        os.kill(agent.reader_pid('probe'), signal.SIGKILL)
        wait_for(lambda: not any(alive(pid) for pid in busy), 5, 'they end with their reader')
        t.ok(True, 'tries end with their reader, also one that is kept busy')
        lab.stop_agent()


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why or not has_library():
            t.skip_all(why or 'libiscsi is not installed')
        with laboratory.Lab() as lab:
            tgtd = try_tgtd(t, lab)
            try_numbers(t, lab, tgtd)
            try_wrong(t, lab)
            try_redirection(t, lab)
            try_many(t, lab)
            try_names(t, lab)
            try_library(t, lab)
            try_daemon(t, lab, tgtd)
            try_killed_reader(t, lab)


main()
