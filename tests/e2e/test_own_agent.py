#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""`iscsi-agentx -M`: an SNMP agent without snmpd. What it shows is what the walk and the subagent show;
a view hides what it excludes, whatever is asked and by whom; the engine survives restarts; its
process has no privilege; notifications arrive; what is sent to it does it no harm."""

import os
import random
import re
import signal
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from initiator import session
from own_agent import ACCESS, AUTH, ENGINE_BOOTS, ENGINE_ID, HIDDEN, PRIV, OwnAgent
from process import Process, children, wait_for
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
AS_NET_SNMP = ['-m', '', '-On', '-Oe', '-CI']
COLD_START = (1, 3, 6, 1, 6, 3, 1, 1, 5, 1)
SESSION_LIMIT = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 0, 9)
GENERATION, NOTIFY_SENT, NOTIFY_DROPPED = (snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1, 2, n, 0)
                                           for n in (3, 21, 24))
EVENT_TYPE, LIMIT_EVENT = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1, 8, 1, 2), 12
SYSTEM = (1, 3, 6, 1, 2, 1, 1)


def lines_of(manager, start='.1.3.6.1.2.1.142'):
    lines = manager.text('snmpwalk', [start], AS_NET_SNMP).splitlines()
    return [line for line in lines if 'No more variables left' not in line]


def without_times(lines):
    """TimeStamps are of the agent's own sysUpTime: snmpd's has another zero."""
    return [line for line in lines if 'Timeticks' not in line]


def test_walk(t, own, through_snmpd):
    """`through_snmpd`: the walk of before, by AgentX."""
    lab = own.lab

    def walk():
        return lab.run_agent('--walk=.1.3.6.1.2.1.142').stdout.splitlines()

    missing = [snmp.ISCSI_MIB + name for name in ((99, 0), (1, 1, 1, 1, 2, 99), (1, 1, 1, 1, 99, 1))]
    t.equal([v.kind for v in lab.manager().get(*missing)],
            [snmp.NO_OBJECT, snmp.NO_INSTANCE, snmp.NO_OBJECT], 'what is not there is missed right')

    try:  # the file with the zero of sysUpTime is saved some time later
        wait_for(lambda: walk() == lines_of(lab.manager()), 10, 'the same', interval=0.3)
    except TimeoutError:
        pass
    ours = lines_of(lab.manager())
    t.ok(len(ours) > 300, f'{len(ours)} lines are shown')
    t.equal(ours, walk(), 'they are those of --walk')
    t.equal(without_times(ours), without_times(through_snmpd), 'and those of snmpd over AgentX')
    for name, manager in (('v3', own.manager('all')), ('v3 over tcp', own.manager('all', 'tcp'))):
        t.equal(lines_of(manager), ours, f'the same by {name}')
    if laboratory.IPV6:
        t.equal(lines_of(lab.manager6()), ours, 'the same by udp6')
    else:
        t.skip('the same by udp6', laboratory.NO_IPV6)
    values = lab.manager().walk()
    t.equal(lab.manager().bulkwalk(repetitions=50), values, 'and by GETBULK')
    t.equal(lab.manager().get(*[v.oid for v in values[:100]]), values[:100], 'and by GET')


def test_system(t, own):
    manager = own.lab.manager()
    system = {v.oid: v.value for v in manager.walk(SYSTEM)}
    t.equal(system[SYSTEM + (6, 0)], b'rack 7, row 2', 'sysLocation is that of the file')
    t.ok(system[SYSTEM + (1, 0)].startswith(b'iscsi-agentx '), 'sysDescr names the program')
    resources = [v for name, v in system.items() if name[:9] == SYSTEM + (9, 1) and name[9] == 2]
    t.ok(snmp.oid(laboratory.PRIVATE_ROOT) + (2, 1) in resources,
         'sysORTable has the capabilities')
    whole = [v.oid for v in manager.walk((1,))]
    t.ok(whole == sorted(set(whole)) and len(whole) > 400, f'all {len(whole)} are in order')
    t.equal([kind for name in whole for kind in [manager.get(name)[0].kind]
             if name[:7] != snmp.ISCSI_MIB and name[:4] == SYSTEM[:4] and kind in snmp.EXCEPTIONS],
            [], 'each of the agent itself is there for GET')
    t.equal([v.kind for v in manager.get(SYSTEM + (1, 1), SYSTEM + (99, 0))],
            [snmp.NO_INSTANCE, snmp.NO_OBJECT], 'and others are not')
    done = manager.run('snmpset', [snmp.dotted(SYSTEM + (6, 0)), 's', 'x'])
    t.ok(done.returncode != 0 and 'noAccess' in done.stderr, 'nothing can be set', done.stderr)


def is_hidden(name):
    return name[:len(HIDDEN)] == HIDDEN


def test_view(t, own):
    whole = [v for v in own.lab.manager().walk() if not is_hidden(v.oid)]
    hidden = [v.oid for v in own.lab.manager().walk(HIDDEN)]
    t.ok(len(hidden) >= 8, f'there are {len(hidden)} cells to hide')
    before, last = HIDDEN[:-1] + (HIDDEN[-1] - 1,), HIDDEN[:-1] + (HIDDEN[-1] + 1,)
    for name, m in (('v2c', own.lab.manager(community='part')), ('v3', own.manager('some'))):
        t.equal([v.kind for v in m.get(*hidden)], [snmp.NO_OBJECT] * len(hidden),
                f'{name}: GET of what is hidden')
        found = [v.oid for v in m.next(*hidden, HIDDEN)]
        t.equal([v for v in found if is_hidden(v) or v < HIDDEN], [],
                f'{name}: GETNEXT steps over it')
        t.equal(m.walk(), whole, f'{name}: a walk has all others')
        for repetitions in (2, 7, 20, 100):
            t.equal(m.bulkwalk(repetitions=repetitions), whole,
                    f'{name}: and so has one by GETBULK {repetitions}')
        bulk = m.run('snmpbulkget', ['-Cr20', *map(snmp.dotted, (before, HIDDEN, last))],
                     snmp.PLAIN)
        got = [v.oid for v in snmp.parse(bulk.stdout)]
        t.ok(len(got) == 60 and not [v for v in got if is_hidden(v)],
             f'{name}: GETBULK of three columns, one of them hidden', bulk.stdout[:500])


def gets_nothing(manager):
    done = manager.run('snmpget', [snmp.dotted(SYSTEM + (1, 0))])
    return done.returncode != 0 and 'iscsi-agentx' not in done.stdout


def test_strangers(t, own):
    once = {'timeout': 0.5, 'retries': 0}
    t.ok(gets_nothing(own.lab.manager(community='wrong', **once)), 'a wrong community: nothing')
    t.ok(gets_nothing(own.manager('nobody', **once)), 'a user that is not known: nothing')
    wrong = own.manager('all', **once)
    wrong.options[wrong.options.index('-A') + 1] = 'another password'
    t.ok(gets_nothing(wrong), 'a wrong password: nothing')
    plain = own.manager('all', **once)
    plain.options[plain.options.index('authPriv')] = 'authNoPriv'
    t.ok(gets_nothing(plain), 'without encryption: nothing')


def socket_of(port):
    """The inode of the UDP socket at 127.0.0.1:port."""
    with open('/proc/net/udp', encoding='ascii') as file:
        for line in file:
            fields = line.split()
            if fields[1] == f'0100007F:{port:04X}':
                return fields[9]
    return None


def holders(pids, inode):
    """Those that have the socket open."""
    found = set()
    for pid, name in pids.items():
        for fd in os.listdir(f'/proc/{pid}/fd'):
            try:
                if os.readlink(f'/proc/{pid}/fd/{fd}') == f'socket:[{inode}]':
                    found.add(name)
            except FileNotFoundError:
                continue
    return found


def test_privileges(t, own):
    agent = own.lab.agent
    with open(f'/proc/{agent.agent_pid()}/status', encoding='ascii') as file:
        status = dict(re.findall(r'^(\w+):[ \t]*(.*?)[ \t]*$', file.read(), re.MULTILINE))
    t.equal({status[name] for name in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb')},
            {'0' * 16}, 'the agent process has no capability')
    t.ok('0' not in status['Uid'].split() + status['Gid'].split() and not status['Groups'],
         'and is not root', status['Uid'], status['Gid'])
    t.equal(status['NoNewPrivs'], '1', 'and cannot become it')
    everybody = {**children(agent.pid), agent.pid: 'parent'}
    t.equal(holders(everybody, socket_of(own.port)), {'parent', 'iscsi-agentx-a'},
            f'it alone has the socket, of {len(everybody)} processes; the parent keeps it')


def engine(own):
    return own.lab.manager().value(ENGINE_ID), own.lab.manager().value(ENGINE_BOOTS)


def test_engine(t, own):
    first, boots = engine(own)
    t.ok(len(first) >= 5 and boots == 1, f'the engine is {first.hex()}, started once', boots)
    path = own.lab.path('state', 'engine')
    t.equal(os.stat(path).st_mode & 0o7777, 0o600, 'its file is of its user alone')
    own.stop()
    own.start()
    t.equal(engine(own), (first, 2), 'after a restart it is the same, started twice')
    pid = own.lab.agent.agent_pid()
    os.kill(pid, signal.SIGKILL)
    # The socket is the parent's: a request that comes meanwhile waits in it.
    t.equal(own.lab.manager(timeout=10, retries=0).value(ENGINE_BOOTS), 3,
            'a request sent while the agent process was dead is answered, by the next one')
    t.ok(own.wait_for_agent(pid) != pid, 'which is another process')
    own.stop()
    with open(path, 'w', encoding='ascii') as file:
        file.write('iscsi-agentx-engine 1\nboots 7\n')
    own.start()
    second, boots = engine(own)
    t.ok(second != first and boots == 1, 'after its file was damaged it is another one')
    t.ok(os.path.exists(path + '.bad') and 'engine.bad' in own.lab.agent.text(),
         'the damaged file is set aside, and that is said')
    values = own.lab.manager().walk(HIDDEN)
    t.equal(own.manager('all').walk(HIDDEN), values, 'users work with it')
    named = bytes.fromhex('80001f8804') + b'of the file'
    own.write_access(ACCESS + f'exactEngineID 0x{named.hex()}\n')
    for boots in (1, 2):
        own.stop()
        own.start()
        t.equal(engine(own), (named, boots), f'one that the access file names, started {boots} times')
    t.equal(own.manager('all').walk(HIDDEN), values, 'users work with that one, too')
    t.ok('counting from 1' not in own.lab.agent.text(), 'its starts are known')
    own.stop()
    with open(path, 'w', encoding='ascii') as file:
        file.write('iscsi-agentx-engine 1\nboots 7\n')
    own.start()
    t.equal(engine(own), (named, 1), 'it stays when the file is damaged, with the first start')
    t.ok('counting from 1' in own.lab.agent.text(), 'and that is said')
    own.write_access(ACCESS)


def test_no_sink(t, own, tgtd):
    """An event without anybody to be told is nothing that was sent, or lost."""
    manager = own.lab.manager()
    own.stop()
    own.start(notifications='all', targetSessionLimit=1)
    tgtd.add_target(NAME + 'unheard')
    wait_for(lambda: any(v.value == (NAME + 'unheard').encode() for v in manager.walk()), 10,
             'the target is shown')
    one = own.lab.start_initiator(session(tgtd.portals()[0], NAME + 'unheard', NAME + 'host'))
    wait_for(lambda: any(v.value == LIMIT_EVENT for v in manager.walk(EVENT_TYPE)), 10, 'the event')
    made = manager.value(GENERATION)
    wait_for(lambda: manager.value(GENERATION) > made + 1, 10, 'what was counted is shown')
    t.equal((manager.value(NOTIFY_SENT), manager.value(NOTIFY_DROPPED)), (0, 0),
            'without a sink nothing is sent, and nothing dropped')
    own.lab.stop_initiator(one)


def test_notifications(t, own, tgtd):
    sink, informed = own.lab.start_trap_sink(), own.lab.start_trap_sink()
    old = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    old.bind(('127.0.0.1', 0))
    old.settimeout(15)
    own.stop()
    own.write_access(ACCESS + sink.lines() + f'informsink udp:127.0.0.1:{informed.port} public\n'
                     f'trapsink udp:127.0.0.1:{old.getsockname()[1]} public\n'
                     'v1trapaddress 192.0.2.77\n')
    own.start(notifications='all', targetSessionLimit=1, notifyLimit=0, notifyLimitAll=0)
    wait_for(lambda: len(sink.all(COLD_START)) >= 2 and informed.all(COLD_START), 15,
             'coldStart at all three')
    t.ok(True, 'the start is told, by v2c, v3 and inform')
    t.ok(bytes((0x40, 4, 192, 0, 2, 77)) in old.recv(1500), 'and by v1, with the address of the file')
    old.close()
    # What a row has at its first appearance is not told.
    tgtd.add_target(NAME + 'limit')
    wait_for(lambda: any(v.value == (NAME + 'limit').encode() for v in own.lab.manager().walk()),
             10, 'the target is shown')
    one = own.lab.start_initiator(session(tgtd.portals()[0], NAME + 'limit', NAME + 'host'))
    wait_for(lambda: len(sink.all(SESSION_LIMIT)) >= 2 and informed.all(SESSION_LIMIT), 15,
             'the notification at all three')
    trap = sink.all(SESSION_LIMIT)[0]
    now = {v.oid: v.value for v in own.lab.manager().get(*[v.oid for v in trap.objects])}
    t.equal({v.oid: v.value for v in trap.objects}, now, 'a notification has the values of a GET')
    t.equal(informed.all(SESSION_LIMIT)[0].objects, trap.objects, 'so has the inform')
    t.ok(0 < trap.uptime <= own.lab.manager().value(SYSTEM + (3, 0)), 'its sysUpTime is ours')
    own.lab.stop_initiator(one)


def test_v3_informs(t, own):
    """A receiver is asked for its engine, once: one that answers, and one that never does."""
    port, log = laboratory.free_port(), own.lab.path('informed.traps')
    with open(own.lab.path('informed.conf'), 'w', encoding='utf-8') as file:
        file.write(f'createUser informed SHA "{AUTH}" AES "{PRIV}"\nauthUser log informed priv\n')
    own.lab.add(Process('informed', [
        laboratory.find_program('snmptrapd'), '-f', '-C', '-c', own.lab.path('informed.conf'), '-Lf',
        log, '-n', '-On', '-m', '', f'udp:127.0.0.1:{port}'], own.lab.directory,
        {'SNMP_PERSISTENT_DIR': own.lab.path('informed.persistent'),
         'SNMPCONFPATH': own.lab.path('none')}))
    wait_for(lambda: os.path.exists(log) and os.path.getsize(log), 10, 'snmptrapd')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(('127.0.0.1', 0))
        own.stop()
        own.write_access(ACCESS + ''.join(
            f'trapsess -Ci -v 3 -u informed -l authPriv -a SHA -A {AUTH} -x AES -X {PRIV} '
            f'udp:127.0.0.1:{number}\n' for number in (port, silent.getsockname()[1])))
        own.start()
        text = own.lab.agent.text()
        t.ok(text.count('does not say which SNMP engine it is') == 1, 'a receiver is silent', text)

    def received():
        with open(log, encoding='utf-8', errors='replace') as file:
            return snmp.dotted(COLD_START) in file.read()
    wait_for(received, 15, 'coldStart by an inform of SNMPv3')
    t.ok(True, 'the other one gets an inform of SNMPv3')


def test_reload(t, own):
    manager = own.lab.manager(community='later', timeout=0.5, retries=0)
    t.ok(gets_nothing(manager), 'a community that is not in the file: nothing')
    pid = own.lab.agent.agent_pid()
    own.write_access(ACCESS + 'rocommunity later\n')
    own.lab.agent.send(signal.SIGHUP)
    wait_for(lambda: not gets_nothing(manager), 15, 'SIGHUP: the new community is answered')
    pid = own.wait_for_agent(pid)
    t.ok(True, 'after SIGHUP it is answered')
    own.write_access(ACCESS + 'rocommunity latest\nexec evil /bin/true\n')
    own.lab.agent.send(signal.SIGHUP)
    wait_for(lambda: 'what is in force stays' in own.lab.agent.text(), 10, 'the message')
    t.ok('exec is no token of this file' in own.lab.agent.text(), 'a bad line is named')
    t.ok(own.lab.agent.agent_pid() == pid and not gets_nothing(manager), 'and nothing changes')


def test_hostile(t, own, count=10000):
    """Datagrams made from good ones by chance, always the same ones."""
    good = bytes.fromhex('3029020101040670 75626c6963a51c02046d2f3b1b02010002011430 0e300c0608'
                         '2b060102018e0e010500'.replace(' ', ''))
    v3 = bytes.fromhex('303e020103301102042b0d4ab1020300ffe30401040201030410300e0400020100020100'
                       '040004000400301404000400a00e02041f3c1a8b0201000201003000')
    dice = random.Random(7147)
    pid = own.lab.agent.agent_pid()
    to = ('127.0.0.1', own.port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        for number in range(count):
            data = bytearray(good if number % 2 else v3)
            for _ in range(dice.randrange(1, 5)):
                data[dice.randrange(len(data))] = dice.randrange(256)
            if number % 3 == 0:
                del data[dice.randrange(len(data)):]
            if number % 7 == 0:
                data += dice.randbytes(dice.randrange(1400))
            try:
                sender.sendto(bytes(data), to)
            except BlockingIOError:
                pass
            if number % 100 == 99:  # not faster than it reads: all are to arrive
                own.lab.manager(timeout=5).value(SYSTEM + (3, 0))
    t.ok(own.lab.agent.agent_pid() == pid, f'{count} malformed datagrams: the process lives on')
    received = own.lab.manager().value((1, 3, 6, 1, 2, 1, 11, 1, 0))
    t.ok(received > count * 0.9, f'and has read {received} of them')
    t.ok(lines_of(own.lab.manager()), 'and answers')


def test_connections(t, own):
    """Many idle connections keep nobody out, and one that does not read stops nobody."""
    idle = [socket.create_connection(('127.0.0.1', own.port)) for _ in range(100)]
    pid = own.lab.agent.agent_pid()
    over_tcp = snmp.Manager(f'tcp:127.0.0.1:{own.port}', timeout=5)
    t.ok(over_tcp.value(SYSTEM + (1, 0)), 'beside 100 idle connections another one is served')
    open_fds = len(os.listdir(f'/proc/{pid}/fd'))
    t.ok(open_fds < 80, f'the process has {open_fds} descriptors')
    t.ok(own.lab.manager().uptime() is not None, 'and so are datagrams')
    for one in idle:
        one.close()
    t.ok(own.lab.agent.agent_pid() == pid, 'it is the same process')


def refused(t, what, done, *words, status=1):
    text = done.stdout + done.stderr
    t.ok(done.returncode == status and all(word in text for word in words), what,
         f'exit {done.returncode}: {text}')


def test_faults(t, own):
    """While the agent of before runs: its port is in use."""
    refused(t, 'a port in use', own.run('-f'), 'cannot listen at udp:127.0.0.1', 'another agent')
    free = f'udp:127.0.0.1:{laboratory.free_port()}'
    refused(t, 'no address', own.run('-f', addresses='udp:127.0.0.1:http:x'), 'is no address')
    refused(t, 'another protocol', own.run('-f', addresses='unix:/tmp/nowhere'), 'unix')
    refused(t, 'an address of another host', own.run('-f', addresses='udp:192.0.2.1:1161'),
            'no address of this host')
    refused(t, '-M and -x', own.run('-x', '/tmp/master'), 'exclude each other', status=2)
    refused(t, 'no access file', own.run('-f', addresses=free, accessFile='/nonexistent'),
            '/nonexistent', 'needs this file')
    own.write_access(ACCESS, mode=0o644)
    refused(t, 'one that all may read', own.run('-f', addresses=free), 'chmod 0600')
    own.write_access(ACCESS)
    link = own.lab.path('link')
    os.symlink(own.path, link)
    refused(t, 'a symbolic link', own.run('-f', addresses=free, accessFile=link), 'symbolic link')
    t.ok(own.lab.manager().uptime() is not None, 'the one that runs goes on')
    done = own.run('--check')
    t.ok(re.search(r'^ok +accessFile .*6 lines give access', done.stdout, re.MULTILINE) and
         'in use, by this agent' in done.stdout, '--check looks at the file and the addresses',
         done.stdout)
    t.ok(re.search(r'^ok +daemon +runs$', done.stdout, re.MULTILINE), 'and whether the daemon runs',
         done.stdout)
    done = own.run(f'--check=udp:127.0.0.1:{own.port}')
    t.ok('the agent shows ISCSI-MIB' in done.stdout, 'and at what the agent shows', done.stdout)


def test_no_access(t, own):
    own.stop()
    own.write_access('sysLocation here\nview v broken\nrwcommunity private\n')
    own.start(wait=0)
    wait_for(lambda: 'no line gives anybody access' in own.lab.agent.text(), 15, 'the message')
    text = own.lab.agent.text()
    t.ok('line 2: view:' in text, 'a line that net-snmp refuses is named', text)
    t.ok('line 3: rwcommunity is no token' in text, 'and one that is not for this file')
    t.equal(own.stop(), 0, 'without anybody who may ask it says so, and stops in order')
    done = own.run('--check')
    t.ok(re.search(r'^WRONG +daemon +does not run: nobody is answered$', done.stdout, re.MULTILINE),
         '--check says that it does not run', done.stdout)


def main():
    with Tap() as t:
        why = laboratory.missing()
        if not why and not laboratory.find_program('snmptrapd'):
            why = 'snmptrapd is not installed (package snmptrapd)'
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            tgtd = lab.start_tgtd()
            for target in ('a', 'b'):
                tgtd.add_target(f'{NAME}disk-{target}')
            lab.start_initiator(*[session(tgtd.both_portals()[n % 2], f'{NAME}disk-{"ab"[n % 2]}',
                                          f'{NAME}host-{n}') for n in range(8)])
            lab.start_agent()
            wait_for(lambda: len(lab.manager().walk(HIDDEN)) == 8, 15, 'all sessions are shown')
            through_snmpd = lines_of(lab.manager())
            lab.stop_agent()
            lab.stop_snmpd()
            own = OwnAgent(lab)
            own.start()
            wait_for(lambda: len(lab.manager().walk(HIDDEN)) == 8, 15, 'all sessions are shown')
            test_walk(t, own, through_snmpd)
            test_system(t, own)
            test_view(t, own)
            test_strangers(t, own)
            test_privileges(t, own)
            test_engine(t, own)
            test_hostile(t, own)
            test_connections(t, own)
            test_no_sink(t, own, tgtd)
            test_notifications(t, own, tgtd)
            test_v3_informs(t, own)
            test_reload(t, own)
            test_faults(t, own)
            test_no_access(t, own)
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
