# SPDX-License-Identifier: BSD-2-Clause
"""The lab tested without the agent: its witnesses say what is true, and nothing is left running
whichever way it ends."""

import os
import re
import signal
import subprocess
import sys
import time

import lab as laboratory
import sockets
from initiator import session
from process import alive, wait_for
from raw_initiator import RawSession
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
SECRET = 'laboratory-secret'


def test_parts(t, lab):
    lab.start_snmpd()
    t.ok(lab.manager().uptime() is not None, 'snmpd answers on 127.0.0.1')
    if laboratory.IPV6:
        t.ok(lab.manager6().uptime() is not None, 'and on ::1')
    else:
        t.skip('and on ::1', laboratory.NO_IPV6)
    t.equal(lab.manager().bulkwalk(), [], 'without the agent there is no ISCSI-MIB')
    t.ok(not lab.serving(), 'and the lab knows it')
    tgtd = lab.start_tgtd()
    other = lab.start_tgtd(control_port=1)
    t.ok(set(tgtd.portals()).isdisjoint(other.portals()), 'two tgtd side by side')
    tgtd.add_target(NAME + 'open')
    tgtd.add_target(NAME + 'closed', acl=(), names=[NAME + 'host-2'],
                    accounts=[('demo', SECRET)], parameters=[('HeaderDigest', 'CRC32C')])
    return tgtd


def test_initiator(t, lab, tgtd):
    v4, v6 = tgtd.both_portals()
    one = lab.start_initiator(
        session(v4, NAME + 'open', NAME + 'host-1', rate=200, count=2),
        session(v6, NAME + 'closed', NAME + 'host-2', alias='two words', user='demo',
                secret=SECRET, header_digest='crc32c', rate=50))
    time.sleep(0.5)
    counts = one.pause()
    t.ok(all(c.reads > 3 and c.writes > 3 for c in counts), 'sessions read and write')
    for tid in (1, 2):
        for (nexus, _), stat in tgtd.stat(tid).items():
            t.ok(stat['commands'] in [c.commands for c in counts],
                 f'nexus {nexus}: tgtd counts the commands that the initiator counts')
    t.equal(one.keys(2).get('HeaderDigest'), 'CRC32C', 'the login keys are written down')
    t.ok('CHAP_' not in one.text() and SECRET not in one.text(), 'those of CHAP are not')
    address, port = one.local(2)
    t.ok(any(s.local_port == port for s in sockets.established()) and address in v6,
         'its own address and port are what the kernel has')
    raw = RawSession(v4, NAME + 'open', NAME + 'by-hand', cid=9)
    seen = [s for target in tgtd.show() for s in target.sessions if s.initiator == raw.initiator]
    t.equal([(s.nexus, s.connections[0].cid) for s in seen],
            [(int.from_bytes(raw.tsih.to_bytes(2, 'big'), sys.byteorder), 9)],
            'a login by hand has its CID, and the TSIH is the nexus in the order of the wire')
    raw.close()
    one.resume()
    t.equal(lab.stop_initiator(one), 0, 'SIGTERM logs out: exit status 0')
    t.equal(len(re.findall(r'^\d+ logged-out$', one.text(), re.M)), 3, 'all three sessions')
    wait_for(lambda: not any(target.sessions for target in tgtd.show()), 3, 'tgtd knows')

    for what, name, secret in (('a wrong secret', 'host-2', 'not-the-secret-at-all'),
                               ('a wrong name', 'host-3', SECRET)):
        wrong = lab.start_initiator(session(v4, NAME + 'closed', NAME + name, user='demo',
                                            secret=secret), wait=0)
        t.equal((wrong.wait(5), wrong.ready()), (1, 0), f'{what} is refused')


def test_options(t):
    def run(*arguments):
        return subprocess.run([laboratory.INITIATOR, *arguments], capture_output=True, text=True,
                              check=False, timeout=10, stdin=subprocess.DEVNULL)

    t.equal(run('--help').returncode, 0, '--help succeeds')
    whole = ['--portal', '127.0.0.1:1', '--target', NAME + 'x', '--initiator', NAME + 'y']
    for wrong in (['--nix'], [], ['--rate', '-1'], ['--rate', '1x'], ['--blocks', '0'],
                  ['--blocks', '65'], ['--header-digest', 'md5'], ['--count', '0'],
                  [*whole, '--user', 'u'], [*whole, 'word']):
        arguments = wrong if wrong[:1] == ['--portal'] or not wrong else [*wrong, *whole]
        done = run(*arguments)
        t.ok(done.returncode == 2 and 'iscsi-demo-initiator: ' in done.stderr,
             f'wrong options: {" ".join(wrong)[-40:] or "none"}', done.stderr)
    t.equal(run(*whole).returncode, 1, 'a portal without a target is a failure')


VICTIM = """
import sys, time
sys.path.insert(0, {support!r})
from lab import Lab
from initiator import session
with Lab() as lab:
    snmpd, tgtd = lab.start_snmpd(), lab.start_tgtd()
    tgtd.add_target('iqn.2004-10.org.example:one')
    one = lab.start_initiator(session(tgtd.portals()[0], 'iqn.2004-10.org.example:one',
                                      'iqn.2004-10.org.example:host', rate=10))
    print(lab.directory, snmpd.pid, tgtd.pid, one.pid, flush=True)
    {end}
"""


def test_ends(t):
    """A lab in a program of its own, ended in each way."""
    ends = {'the end of the block': ('pass', None), 'an exception': ('raise OSError(5)', None),
            'an exit': ('raise SystemExit(3)', None),
            'SIGTERM': ('time.sleep(60)', signal.SIGTERM),
            'SIGINT': ('time.sleep(60)', signal.SIGINT),
            'SIGKILL': ('time.sleep(60)', signal.SIGKILL)}
    for what, (end, number) in ends.items():
        code = VICTIM.format(support=os.path.dirname(os.path.abspath(__file__)), end=end)
        with subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.DEVNULL) as victim:
            line = victim.stdout.readline().split()
            if number:
                victim.send_signal(number)
            victim.wait(20)
        directory, pids = line[0], [int(word) for word in line[1:]]
        try:
            wait_for(lambda p=pids: len(p) == 3 and not any(map(alive, p)), 3, 'all ended')
            t.ok(True, f'{what}: nothing is left running')
        except TimeoutError:
            t.ok(False, f'{what}: nothing is left running', [p for p in pids if alive(p)])
        if number == signal.SIGKILL:
            subprocess.run(['rm', '-r', directory], check=True)
        else:
            t.ok(not os.path.exists(directory), f'{what}: the directory is gone')


def test_orphans(t):
    with laboratory.Lab() as lab:
        # A daemon that the lab did not start itself.
        subprocess.run(['sh', '-c', 'sleep 1000 >/dev/null 2>&1 & sleep 1001 >/dev/null 2>&1 &'],
                       check=True)
        note = lab.path('note')
        with open(note, 'w', encoding='ascii'):
            pass
    # A shell that has not got as far as to become its sleep is an orphan as well.
    names = [name.split()[0] for name in lab.leftovers]
    t.ok(len(names) == 2 and set(names) <= {'sleep', 'sh'},
         'orphans are found, ended and reported', names)
    t.ok(not os.path.exists(note), 'and the directory goes')


def main():
    with Tap() as t:
        why = laboratory.missing(agent=False)
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            tgtd = test_parts(t, lab)
            test_initiator(t, lab, tgtd)
        t.equal(lab.leftovers, [], 'nothing is left running')
        test_options(t)
        test_ends(t)
        test_orphans(t)


if __name__ == '__main__':
    main()
