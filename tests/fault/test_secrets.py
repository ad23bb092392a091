#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Passwords and CHAP secrets, planted wherever a stack keeps them (tests/support/secrets.py), are
nowhere: not in what the commands print, not in a recording, not in walks, not in the log of all debug
output, not in the files that are kept, and not in the memory of any process, which is what a core would
hold. Of kernels: tests/vm/jobs. TAP. Needs root, snmpd, tgt."""

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import secrets
from initiator import session
from own_agent import OwnAgent
from process import children, wait_for
from tap import Tap

RECORDINGS = ('lio/digests', 'scst/two-targets', 'open-iscsi/two-targets')
ROOTS = ('.1.3.6.1.2.1.142', '.' + laboratory.PRIVATE_ROOT)
NAME = 'iqn.2004-10.org.example:'
COMMANDS = (['--once'], ['--dump=text'], ['--dump=json'], ['--dump=prom'], ['--walk'], ['--check'])
# Shown by each scene, or its walk shows that nothing was read.
SEEN = (b'iqn.2026-11.org.example:crc', b'iqn.2006-10.net.vlnb:', b'iqn.2026-11.lab.example:')


def clean(t, planted, octets, what):
    t.equal(secrets.found(planted, octets), [], f'{what}: {len(octets)} octets, none of a secret')


def contents(*directories):
    return b''.join(path.read_bytes() for directory in directories
                    for path in Path(directory).iterdir() if path.is_file())


def check_processes(t, lab, planted, seen):
    """Of the parent and its children, while they run."""
    t.ok(any(word in secrets.memory(lab.agent.agent_pid()) for word in seen),
         'memory can be looked into: the names of targets are in that of the agent process')
    for pid, name in [(lab.agent.pid, 'parent'), *sorted(children(lab.agent.pid).items())]:
        clean(t, planted, secrets.memory(pid), f'memory of {name}')


def check_daemon(t, lab, planted, seen, **start):
    lab.start_agent(arguments=['-D', 'ALL', *start.pop('arguments', [])], **start)
    manager = lab.manager(timeout=10)

    def walked():
        text = ''.join(manager.text('snmpbulkwalk', [root]) for root in ROOTS)
        return text.encode()
    wait_for(lambda: all(word in walked() for word in seen), 20, 'rows of each stack')
    clean(t, planted, walked(), 'walks')
    wait_for(lambda: os.path.exists(lab.path('state', 'index')) and
             os.path.exists(lab.path('run', 'index.run')), 20, 'the files are saved')
    check_processes(t, lab, planted, seen)
    lab.stop_agent()
    clean(t, planted, contents(lab.path('state'), lab.path('run')), 'the files that are kept')
    clean(t, planted, Path(lab.agent.log).read_bytes(), 'the log, with all debug output')


def check_commands(t, lab, planted, *options):
    lab.write_agent_config(sources='all')
    for command in COMMANDS:
        done = lab.run_agent(*options, *command, '-D', 'ALL')
        t.ok(done.returncode in (0, 1), f'{command[0]}: exit status {done.returncode}', done.stderr)
        clean(t, planted, (done.stdout + done.stderr).encode(), ' '.join(command))
    record = lab.path('recording')
    done = lab.run_agent(*options, '--record', record)
    t.equal(done.returncode, 0, '--record')
    clean(t, planted, Path(record).read_bytes(), 'the recording')


def scene_recorded(t, lab):
    """LIO, SCST, open-iscsi below a root."""
    top = Path(lab.path('host'))
    for name in RECORDINGS:
        subprocess.run([sys.executable, ROOT / 'tests/support/unpack_tree.py',
                        ROOT / 'tests/fixtures' / (name + '.tree'), top], check=True)
    planted = secrets.plant(top)
    t.ok(len(planted) > 50, f'{len(planted)} secrets below a root')
    check_commands(t, lab, planted, '--root', top)
    check_daemon(t, lab, planted, SEEN, sources='all', arguments=['--root', str(top)])


def scene_tgt(t, lab):
    """Accounts of a tgtd, and a session of an initiator that logs in with one."""
    accounts = [('alice', secrets.PREFIX + '900'), ('bob', secrets.PREFIX + '901')]
    planted = {word: f"tgtd's account of {user}" for user, word in accounts}
    tgtd = lab.start_tgtd(ipv6=False)
    tid = tgtd.add_target(NAME + 'chap', accounts=accounts[:1])
    user, word = accounts[1]
    tgtd.admin('account', 'new', '--user', user, '--password', word)
    tgtd.admin('account', 'bind', '--tid', str(tid), '--user', user, '--outgoing')
    tgtd.add_target(NAME + 'open')
    lab.start_initiator(session(tgtd.portals()[0], NAME + 'open', NAME + 'host'))
    t.ok(secrets.found(planted, secrets.memory(tgtd.pid)), "tgtd has them in its memory")
    check_commands(t, lab, planted)
    check_daemon(t, lab, planted, [(NAME + 'chap').encode()], sources='all')


NAMES = {'iscsi-agentx-a', 'iscsi-agentx-s', 'iscsi-r-tgt'}


def check_others(t, lab, planted, when):
    """Of what may ask, the agent process alone has a copy."""
    found = sorted(children(lab.agent.pid).items())
    for pid, name in found:
        if name != 'iscsi-agentx-a':
            # It has its name a moment before it wipes its copy; what is left then is left for ever.
            try:
                wait_for(lambda: not secrets.found(planted, secrets.memory(pid)), 5, 'wiped')
            except TimeoutError:
                pass
            clean(t, planted, secrets.memory(pid), f'{when}: memory of {name}')
    return dict(found)


def scene_access(t, lab):
    """With -M: the file that says who may ask, read, read again, and changed."""
    planted = {f'{secrets.PREFIX}{n}': f'community {n}' for n in range(500, 900)}
    words = sorted(planted)
    own = OwnAgent(lab)

    def write(chosen):  # more than fits into one read
        own.write_access(''.join(f'rocommunity {word}\n' for word in ['public', *chosen]))

    write(words[:200])
    own.start(sources='tgt')
    t.ok(secrets.found(planted, secrets.memory(lab.agent.agent_pid())),
         'the agent process has communities in its memory')
    check_others(t, lab, planted, 'at the start')
    lab.agent.send(signal.SIGHUP)
    wait_for(lambda: 'nothing has changed' in lab.agent.text(), 15, 'it is read again')
    others = {pid for pid, name in children(lab.agent.pid).items() if name != 'iscsi-agentx-a'}
    for pid in others:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(found := set(children(lab.agent.pid))) == 3 and not found & others, 15,
             'two processes in their place')
    wait_for(lambda: set(children(lab.agent.pid).values()) == NAMES, 15, 'they have their names')
    check_others(t, lab, planted, 'started again after SIGHUP')
    write(words[200:])
    before = lab.agent.agent_pid()
    lab.agent.send(signal.SIGHUP)
    own.wait_for_agent(before)
    wait_for(lambda: set(children(lab.agent.pid).values()) == NAMES and lab.serving(), 15,
             'all are started anew')
    names = check_others(t, lab, planted, 'after a change')
    t.equal(set(names.values()), NAMES, 'the processes')
    lab.stop_agent()


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            scene_recorded(t, lab)
            scene_tgt(t, lab)
            lab.stop_snmpd()
            scene_access(t, lab)


if __name__ == '__main__':
    main()
