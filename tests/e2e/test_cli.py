#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The command line: what each command prints, what a wrong one says, and its exit status."""

import json
import os
import re
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from initiator import session
from process import alive, wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
SECRET = 'planted-secret-4711'


def read(*parts):
    with open(os.path.join(laboratory.TOP, *parts), encoding='utf-8') as file:
        return file.read()


def tokens():
    """The directives, from their definitions."""
    text = read('agent', 'options.def') + read('src', 'source', 'settings.def')
    return re.findall(r'^[A-Z]+_[A-Z]+\((\w+), \w+, "?[\w/ .-]+"?,', text, re.M)


def test_texts(t, lab):
    helped = lab.run_agent('--help', config=False)
    t.equal((helped.returncode, helped.stderr), (0, ''), '--help succeeds')
    t.equal(lab.run_agent('-h', config=False).stdout, helped.stdout, '-h is the same')
    t.ok(all(len(line) <= 100 for line in helped.stdout.splitlines()), 'and fits 100 columns')
    version = re.search(r'^VERSION := (\S+)', read('Makefile'), re.M).group(1)
    for option in ('-v', '--version'):
        t.ok(lab.run_agent(option, config=False).stdout.startswith(f'iscsi-agentx {version}'),
             f'{option} prints the version of the Makefile')

    listed = lab.run_agent('-H', config=False)
    text = listed.stdout + listed.stderr
    t.equal([w for w in re.findall(r'^ +(\w+) ', text, re.M) if w in tokens()], tokens(),
            '-H lists each directive once, in order')
    sample = lab.run_agent('--sample-config', config=False).stdout
    t.equal(re.findall(r'^#(\w+) ', sample, re.M), tokens(), '--sample-config has them all')
    path = lab.path('sample.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(re.sub(r'^#(?=\w)', '', sample, flags=re.M))
    done = lab.run_agent('-C', '-c', path, '--check=127.0.0.1:1', config=False)
    t.ok(re.search(r'^ok +configuration', done.stdout, re.M),
         'its values are accepted as they stand', done.stdout + done.stderr)


def test_usage(t, lab):
    wrong = {
        'an unknown option': ['--nix'], 'an unknown letter': ['-Z'], 'an argument': ['foo'],
        'an unknown format': ['--dump=xml'], 'a missing argument': ['-c'],
        'a file that is not there': ['-C', '-c', lab.path('absent'), '--once'],
        'an unknown kind of log': ['-Lq'], 'a record without a file': ['--record'],
    }
    for what, arguments in wrong.items():
        done = lab.run_agent(*arguments, config=False)
        t.equal((done.returncode, done.stdout), (2, ''), f'{what} is wrong usage: exit status 2')
        t.ok(done.stderr.strip() and len(done.stderr) < 500, 'and is said on standard error',
             done.stderr)
    for what, arguments in {'an OID that is none': ['--walk=1.x'],
                            'a table that is none': ['--walk=iscsiNixTable'],
                            'a root that is not there': ['--root', lab.path('absent'), '--once'],
                            'a record that cannot be written': ['--record', lab.path('a', 'b')],
                            }.items():
        done = lab.run_agent(*arguments)
        t.ok(done.returncode in (1, 2) and done.stderr.strip() and not done.stdout,
             f'{what} fails with a message', done.stdout, done.stderr)


def test_logs(t, lab):
    """-L: the same message at each place."""
    absent, log = ('--root', lab.path('absent'), '--once'), lab.path('message')
    said = lab.run_agent(*absent).stderr
    t.ok(said.count('\n') == 1 and lab.path('absent') in said, 'a message', said)
    done = lab.run_agent('-Lo', *absent)
    t.equal((done.stdout, done.stderr), (said, ''), '-Lo: on standard output')
    done = lab.run_agent(f'-Lf{log}', *absent)
    with open(log, encoding='utf-8') as file:
        t.equal((done.stdout, done.stderr, file.read()), ('', '', said), '-Lf: in the file')


def of_iscsi_mib(lines):
    """Without ISCSI-PATH-MIB, which has ages, dates and durations of each run."""
    return [line for line in lines if not line.startswith('.1.3.6.1.4.1.')]


def test_lists(t, lab, walk):
    sources = lab.run_agent('--list-sources', config=False).stdout
    t.ok(re.search(r'^tgt\b', sources, re.M), '--list-sources has tgt')
    table = 'iscsiNodeAttributesTable'
    t.equal(lab.run_agent('--walk', table).stdout, lab.run_agent(f'--walk={table}').stdout,
            'the table of --walk may be a word of its own')
    listed = {}
    for line in lab.run_agent('--list-columns', config=False).stdout.splitlines():
        fields = line.split('\t')
        if fields[0] == 'column' and fields[1] == 'ISCSI-MIB':
            listed[fields[4]] = fields
    t.equal(len(listed), 135, '--list-columns has the 135 columns of ISCSI-MIB')
    access = [fields[7] for fields in listed.values()]
    t.equal({word: access.count(word) for word in access},
            {'read-only': 103, 'read-create': 18, 'read-write': 14},
            'with the MAX-ACCESS that they have there')
    walked = [line[1:].partition(' ')[0] for line in of_iscsi_mib(walk)]
    t.equal([name for name in walked
             if not any(name.startswith(column + '.') for column in listed)], [],
            'what --walk prints belongs to a column of the list')


def test_once(t, lab, tgtd):
    done = lab.run_agent('--once')
    counts = dict(re.findall(r'^(\w+): (\d+)$', done.stdout, re.M))
    targets = tgtd.show()
    wanted = {'portals': len(tgtd.show_portals()), 'nodes': len(targets),
              'sessions': sum(len(target.sessions) for target in targets),
              'auths': sum(len(target.acl) + len(target.accounts) for target in targets)}
    t.equal({name: int(counts.get(name, -1)) for name in wanted}, wanted,
            '--once counts what tgtadm shows')
    t.equal(done.returncode, 0, 'and succeeds')
    t.ok(tgtd.socket in done.stdout, 'and names the source')


def test_dump(t, lab):
    text = lab.run_agent('--dump')
    t.equal((text.returncode, text.stderr), (0, ''), '--dump succeeds')
    t.equal(strip_ages(lab.run_agent('--dump=text').stdout), strip_ages(text.stdout),
            'and is --dump=text')
    done = lab.run_agent('--dump=json')
    data = json.loads(done.stdout)
    flat = json.dumps(data, ensure_ascii=False)
    for name in ('disk-a', 'disk-b', 'host-1', 'host-2'):
        t.ok(NAME + name in text.stdout and NAME + name in flat,
             f'{name} is in the text and in the JSON')


def strip_ages(text):
    """Without `read 3 ms ago`."""
    return re.sub(r'\d+ ms', 'N ms', text)


def test_record(t, lab, tgtd, walk):
    path = lab.path('recording')
    done = lab.run_agent('--record', path)
    t.equal((done.returncode, done.stdout), (0, ''), f'--record writes a file {done.stderr}')
    for option in ('--walk', '--dump', '--once'):
        live = strip_ages(lab.run_agent(option).stdout)
        replayed = lab.run_agent('--root', path, option)
        t.equal(of_iscsi_mib(strip_ages(replayed.stdout).splitlines()),
                of_iscsi_mib(live.splitlines()), f'{option} of the recording is {option} of the machine')
    before = of_iscsi_mib(lab.run_agent('--root', path, '--walk').stdout.splitlines())
    tgtd.send(signal.SIGSTOP)
    try:
        after = lab.run_agent('--root', path, '--walk')
        t.ok(of_iscsi_mib(after.stdout.splitlines()) == before == of_iscsi_mib(walk),
             'and does not need the machine any more', after.stderr)
    finally:
        tgtd.send(signal.SIGCONT)
    return path


def test_secrets(t, lab, recording):
    with open(recording, 'rb') as file:
        outputs = {'the recording': file.read().decode('utf-8', 'replace')}
    for command in ('--once', '--dump', '--dump=json', '--walk'):
        done = lab.run_agent('-Dall', command)
        outputs[f'{command} with all debug output'] = done.stdout + done.stderr
    for what, text in outputs.items():
        t.ok(text and SECRET not in text, f'no secret in {what}')


def test_output_errors(t, lab):
    for command in ('--walk', '--dump', '--list-columns', '--once'):
        with open('/dev/full', 'wb') as full:
            done = subprocess.run(lab.agent_command(command), stdout=full, check=False, text=True,
                                  stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, timeout=20)
        t.ok(done.returncode == 1 and done.stderr.strip(),
             f'{command} > /dev/full fails with a message',
             f'exit {done.returncode}: {done.stderr}')


def check(lab, *arguments):
    """(exit status, {topic: state}, text) of --check against the lab's snmpd."""
    done = lab.run_agent(*arguments, f'--check=127.0.0.1:{lab.snmpd_port}')
    states = {m.group(2).strip(): m.group(1) for m in
              re.finditer(r'^(ok|WRONG|note)\s+(.*?)(?:  |$)', done.stdout, re.M)}
    return done.returncode, states, done.stdout + done.stderr


def test_check(t, lab):
    status, states, text = check(lab)
    t.ok(status == 1 and states.get('daemon') == states.get('view') == 'WRONG'
         and 'systemctl enable --now iscsi-agentx' in text,
         '--check without a running agent fails and says what to do', text)
    lab.start_agent()
    status, states, text = check(lab)
    t.ok(status == 0 and set(states.values()) == {'ok'}, '--check with all in place succeeds',
         text)
    os.mkdir(lab.path('none'))
    with open(lab.path('none', 'snmp.conf'), 'w', encoding='utf-8') as file:
        file.write('defVersion 3\ndefSecurityName ops\ndefSecurityLevel authPriv\ndefAuthType SHA\n'
                   'defAuthPassphrase authentication\ndefPrivType AES\n'
                   'defPrivPassphrase privatissimum\n')
    status, states, text = check(lab)
    t.ok(status == 1 and 'no answer from 127.0.0.1' in text,
         'and with a user of SNMPv3 in snmp.conf whom snmpd does not know it does not', text)
    lab.stop_snmpd()
    lab.start_snmpd('createUser ops SHA "authentication" AES "privatissimum"\n'
                    'rouser ops authpriv -V lab\n')
    status, states, text = check(lab)
    t.ok(status == 0 and states.get('view') == 'ok', 'with one whom it knows it does', text)
    os.unlink(lab.path('none', 'snmp.conf'))
    done = lab.run_agent('--check', f'127.0.0.1:{lab.snmpd_port}')
    t.ok(done.returncode == 0 and re.search('^ok +view +', done.stdout, re.M),
         'the peer of --check may be a word of its own', done.stdout + done.stderr)
    done = lab.run_agent('--check', '127.0.0.1:1')
    t.ok(done.returncode == 1 and 'no answer from 127.0.0.1:1 ' in done.stdout,
         'it is that one that is asked', done.stdout + done.stderr)
    path = lab.write_agent_config(extra='pollIntervall 3\n')
    status, _, text = check(lab)
    t.ok(status == 1 and re.search(r'^WRONG +configuration', text, re.M)
         and 'pollIntervall' in text, '--check names a bad line of the configuration', text)
    lab.write_agent_config()
    t.ok(os.path.exists(path), 'the file is mended')
    lab.stop_snmpd()
    lab.start_snmpd()
    status, states, text = check(lab)
    t.ok(status == 0 and states.get('daemon') == 'ok',
         '--check right after a restart of snmpd waits for the agent', text)
    lab.stop_snmpd()
    lab.start_snmpd(show=False)
    wait_for(lambda: 'connected' in lab.agent.text().rpartition('lost')[2], 10, 'reconnected')
    status, states, text = check(lab)
    t.ok(status == 1 and states.get('daemon') == 'ok' and 'view' in text
         and '1.3.6.1.2.1.142' in text,
         '--check prints the view line that is missing', text)
    lab.stop_snmpd()
    status, _, text = check(lab)
    t.ok(status == 1 and 'snmpd' in text, '--check without snmpd says so', text)
    lab.stop_agent()


def test_daemon(t, lab):
    """Without -f, with -p and -x; in the lab all daemons are children of this program."""
    lab.start_snmpd()
    lab.write_agent_config(agentXSocket=lab.path('wrong'))
    pid_file, log = lab.path('pid'), lab.path('daemon.log')
    done = lab.run_agent('-x', lab.master_socket, '-p', pid_file, f'-Lf{log}')
    t.equal((done.returncode, done.stdout, done.stderr), (0, '', ''),
            'without -f it goes to the background')
    wait_for(lab.serving, 10, 'the daemon serves')
    t.ok(True, '-x goes before agentXSocket')
    with open(pid_file, encoding='ascii') as file:
        pid = int(file.read())
    t.ok(alive(pid), '-p has written its number')
    os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not alive(pid), 3, 'the daemon ends')
    t.ok(not os.path.exists(pid_file), 'and removed the file at its end')
    with open(log, encoding='utf-8') as file:
        t.ok('connected' in file.read(), '-Lf has the messages')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.write_agent_config()
            test_texts(t, lab)
            test_usage(t, lab)
            test_logs(t, lab)
            lab.start_snmpd()
            tgtd = lab.start_tgtd()
            tgtd.add_target(NAME + 'disk-a')
            tgtd.add_target(NAME + 'disk-b', acl=(), names=[NAME + 'host-2'],
                            accounts=[('demo', SECRET)])
            lab.start_initiator(
                session(tgtd.portals()[0], NAME + 'disk-a', NAME + 'host-1', count=2),
                session(tgtd.both_portals()[1], NAME + 'disk-b', NAME + 'host-2', user='demo',
                        secret=SECRET))
            walk = lab.run_agent('--walk').stdout.splitlines()
            test_lists(t, lab, walk)
            test_once(t, lab, tgtd)
            test_dump(t, lab)
            recording = test_record(t, lab, tgtd, walk)
            test_secrets(t, lab, recording)
            test_output_errors(t, lab)
            test_check(t, lab)
            test_daemon(t, lab)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
