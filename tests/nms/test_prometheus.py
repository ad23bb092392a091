#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A real snmp_exporter and a real Prometheus, with the files of conf/prometheus and conf/grafana: what
they scrape is what snmpwalk shows, rates are right, alerts fire when paths are cut and end when they
are back, no expression of the dashboard is empty, and promtool accepts all of it and --dump=prom.

The hosts: a tgtd with sessions that do I/O; an initiator whose paths are cut; a recorded one with
multipath maps; a recorded LIO; and one by snmpsim with what only the events of a kernel count.

Needs root and Debian's packages of section [nms]. SNMP_EXPORTER may name an snmp_exporter of 0.23 or
newer, which then scrapes the same with snmp.yml."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(ROOT / 'conf' / 'prometheus')]
# pylint: disable=wrong-import-position
import lab as laboratory
import make_snmp_yml
from initiator import session
from open_iscsi_host import OpenIscsiHost
from process import wait_for
from prometheus import CONF, Exporter, Prometheus, missing_tool, samples
from snmp import oid
from snmp_host import SnmpHost
from snmpsim import Snmpsim, to_snmprec
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
FIXTURES = ROOT / 'tests' / 'fixtures'
PRIVATE = oid(laboratory.PRIVATE_ROOT)
ISCSI = oid('1.3.6.1.2.1.142')
PATH = (*PRIVATE, 1, 1, 3, 1)
RATE = 1000  # of the counters that snmpsim counts up, a second


def check_files(t):
    """promtool's and the generator's opinion."""
    for what, argv in (('check rules', ['rules.yml']), ('test rules', ['rules_test.yml']),
                       ('check config', ['--syntax-only', 'prometheus.yml'])):
        done = subprocess.run(['promtool', *what.split(), *argv], cwd=CONF, capture_output=True,
                              text=True, timeout=120, check=False)
        t.ok(done.returncode == 0 and 'FAILED' not in done.stdout,
             f'promtool {what} {argv[-1]}', done.stdout, done.stderr)
    with tempfile.TemporaryDirectory() as directory:
        # As README.md has it: rules and job in the file that Debian installs.
        text = Path('/etc/prometheus/prometheus.yml').read_text()
        job = (CONF / 'prometheus.yml').read_text().partition('scrape_configs:\n')[2]
        merged = Path(directory) / 'prometheus.yml'
        merged.write_text(text.rstrip() + '\n' + job)
        done = subprocess.run(['promtool', 'check', 'config', merged], capture_output=True, text=True,
                              timeout=60, check=False)
        t.ok(done.returncode == 0, "the job fits into Debian's own prometheus.yml", done.stdout,
             done.stderr)
        subprocess.run([CONF / 'make_snmp_yml.py', directory], check=True, timeout=60)
        for name in (make_snmp_yml.OLD, make_snmp_yml.NEW):
            t.ok((Path(directory) / name).read_text() == (CONF / name).read_text(),
                 f'{name} is what the generator makes of generator.yml')


def check_textfile(t):
    """--dump=prom as the textfile collector of node_exporter would read it."""
    for tree in ('open-iscsi/multipath', 'lio/sessions'):
        dump = subprocess.run([laboratory.AGENT, '-C', '--root', str(FIXTURES / f'{tree}.tree'),
                               '--dump=prom'], capture_output=True, text=True, timeout=60, check=True)
        done = subprocess.run(['promtool', 'check', 'metrics'], input=dump.stdout, text=True,
                              capture_output=True, timeout=60, check=False)
        t.ok(done.returncode == 0 and not done.stderr.strip() and 'iscsi_session' in dump.stdout,
             f'promtool check metrics has nothing to say of --dump=prom ({tree})', done.stderr)


def kernel_host(lab, like):
    """By snmpsim: the walk of a host, and beside it what its recording has not: counters of a
    kernel's events and times of its sockets, on path and session 1."""
    found = like.manager().walk(ISCSI) + like.manager().walk(PRIVATE)
    uptime = like.manager().get((1, 3, 6, 1, 2, 1, 1, 3, 0))
    growing = ('65:numeric', f'rate={RATE}')
    row = {(*PATH, 31, 1): ('65', '3'), (*PATH, 30, 1): ('65', '3'), (*PATH, 46, 1): ('66', '480'),
           (*PATH, 47, 1): growing, (*ISCSI, 1, 8, 1, 1, 1, 1, 1): ('65', '2')}
    for column, value in ((1, growing), (2, growing), (3, ('70:numeric', f'rate={RATE}')),
                          (4, ('70:numeric', f'rate={RATE}'))):
        row[(*ISCSI, 1, 10, 2, 1, column, 1, 1, 1)] = value
    for column in (1, 2):
        row[(*ISCSI, 1, 10, 3, 1, column, 1, 1, 1)] = ('65', '5')
    return Snmpsim(lab, to_snmprec(uptime + found, row), laboratory.free_port())


class Hosts:
    """The five; `cut` is the one whose paths a test cuts."""

    def __init__(self, lab):
        self.tgtd = lab.start_tgtd()
        self.tgtd.add_target(NAME + 'disk-a')
        portals = self.tgtd.both_portals()
        lab.start_initiator(*(session(portal, NAME + 'disk-a', f'{NAME}host-{number}', rate=40)
                              for number, portal in enumerate(portals, 1)))
        self.target = self.start(lab, 'target', sources='tgt probe', tgtSocket=lab.path('tgt'),
                                 probe=f'{portals[0]} {NAME}disk-a', probeInterval=10)
        self.cut = OpenIscsiHost(lab.path('cut-root'))
        for disk in 'ab':
            for address in ('192.0.2.1', '192.0.2.2'):
                self.cut.add_path(NAME + 'disk-' + disk, address)
        self.initiator = self.start(lab, 'initiator', lab.path('cut-root'), sources='open-iscsi')
        self.multipath = self.start(lab, 'multipath', str(FIXTURES / 'open-iscsi/multipath.tree'),
                                    sources='open-iscsi multipath')
        self.lio = self.start(lab, 'lio', str(FIXTURES / 'lio/login-failures.tree'), sources='lio')
        self.kernel = kernel_host(lab, self.multipath)
        self.agents = [self.target, self.initiator, self.multipath, self.lio]
        self.addresses = ([host.address for host in self.agents]
                          + [f'127.0.0.1:{self.kernel.port}'])

    @staticmethod
    def start(lab, name, root=None, **settings):
        host = SnmpHost(lab, name)
        host.start_snmpd()
        host.start_agent(arguments=('--root', root) if root else (), **settings)
        return host


def objects():
    """{name: OID tuple} of the agent."""
    text = subprocess.run([laboratory.AGENT, '--list-columns'], check=True, capture_output=True,
                          text=True).stdout
    rows = [line.split('\t') for line in text.splitlines()]
    return {row[5]: (oid(row[4]), [i for i in row[8].split(',') if i]) for row in rows
            if row[0] == 'column'}


def compare(scraped, manager, known):
    """How many values of a scrape are those of a walk, and those that are not; numbers only, and
    of counters what they had before and after."""
    walked = {v.oid: v for v in manager.walk(ISCSI) + manager.walk(PRIVATE)}
    equal, wrong = 0, []
    for name, labels, value in scraped:
        if name not in known or name in labels:
            continue
        base, indexes = known[name]
        names = (*base, *(int(labels[index]) for index in indexes))
        has = walked.get(names) or walked.get((*base, 0)) or walked.get(base)
        if has is not None and isinstance(has.value, int) and has.value == value:
            equal += 1
        else:
            wrong.append((name, labels, value, has))
    return equal, wrong


def check_scrape(t, exporter, hosts):
    """Recorded hosts, whose values stand still; but for what is about the agent itself."""
    known = objects()
    moving = re.compile('iscsi(Source(Age|Polls|Duration)|Agent)')
    for host in (hosts.multipath, hosts.lio, hosts.initiator):
        scraped = [s for s in samples(exporter.scrape(host.address)) if not moving.match(s[0])]
        equal, wrong = compare(scraped, host.manager(), known)
        t.ok(equal > 40 and not wrong, f'{host.name}: {equal} scraped values are what snmpwalk shows',
             *wrong[:10])
    texts = {name: labels[name] for name, labels, _ in samples(exporter.scrape(
        hosts.multipath.address)) if name in labels and 'Index' not in ''.join(labels)}
    wanted = hosts.multipath.manager().value((*PRIVATE, 1, 1, 1, 2, 0)).decode()
    t.equal(texts.get('iscsiSumText'), wanted, 'and a text is its label')
    paths = [labels for name, labels, _ in samples(exporter.scrape(hosts.initiator.address))
             if name == 'iscsiPathStatus']
    t.equal(sorted((p['iscsiPathTargetName'], p['iscsiPathPortal']) for p in paths),
            sorted((target, f'{address}:3260') for target, address in hosts.cut.paths),
            'a path is labelled with its target and portal')


def window(prometheus, where, samples_wanted=9, seconds=20):
    """(instant, series) of iscsiSsnTxDataOctets, once that many samples are in the last `seconds`."""
    selector = f'iscsiSsnTxDataOctets{{{where}}}[{seconds}s]'

    def full():
        now = time.time()
        series = prometheus.ask('query', query=selector, time=now)['result']
        if series and all(len(one['values']) >= samples_wanted for one in series):
            return now, series
        return None
    return wait_for(full, 120, f'{samples_wanted} samples of {where}', 0.5)


def check_rates(t, prometheus, hosts):
    """rate() against the samples themselves, and against a counter of known speed. It extrapolates
    to the ends of its window: a tenth of it at either end, at most."""
    where = f'instance="{hosts.target.address}"'
    now, series = window(prometheus, where)
    t.equal(len(series), 2, 'two sessions of tgtd')
    for one in series:
        (first, low), (last, high) = one['values'][0], one['values'][-1]
        measured = (int(high) - int(low)) / (last - first)
        index = one['metric']['iscsiSsnIndex']
        found = prometheus.value(f'rate(iscsiSsnTxDataOctets{{{where},iscsiSsnIndex="{index}"}}[20s])',
                                 now)
        t.ok(measured > 0 and found and abs(found - measured) < 0.2 * measured,
             f'{one["metric"]["iscsiSsnInitiatorName"]} reads {measured:.0f} octets a second; rate(): '
             f'{found}')
    where = f'instance="127.0.0.1:{hosts.kernel.port}",iscsiSsnIndex="1"'
    now, _ = window(prometheus, where)
    found = prometheus.value(f'rate(iscsiSsnTxDataOctets{{{where}}}[20s])', now)
    t.ok(found and abs(found - RATE) < RATE * 0.2,
         f'rate() of a counter that grows by {RATE} a second: {found}')


def check_alerts(t, prometheus, hosts):
    """Alerts about the host whose paths are cut."""
    mine = ('IscsiPathReconnecting', 'IscsiPathMissing', 'IscsiTargetUnreachable',
            'IscsiHostCritical')

    def firing(name):
        return [alert for alert in prometheus.alerts().get(name, [])
                if alert['labels']['instance'] == hosts.initiator.address]

    def expect(what, names, quiet):
        """Waits until these are raised and those are not."""
        try:
            wait_for(lambda: all(map(firing, names)) and not any(map(firing, quiet)), 90, what, 0.5)
        except TimeoutError:
            pass
        t.equal([name for name in (*names, *quiet) if firing(name)], list(names),
                f'{what}: {", ".join(names) or "no alert"}')

    def summary(name, wanted):
        found = [alert['annotations']['summary'] for alert in firing(name)]
        t.equal(found, [wanted], f'{name} says: {wanted}')

    expect('a whole host', (), mine)
    hosts.cut.set_state(1, 'FAILED', 'failed')
    expect('one path is cut', mine[:1], mine[1:])
    summary(mine[0], f'path to {NAME}disk-a by 192.0.2.1:3260 on {hosts.initiator.address} is lost')
    hosts.cut.log_out(2)
    expect('and the other one logged out', mine, ())
    summary(mine[1], f'path to {NAME}disk-a by 192.0.2.2:3260 on {hosts.initiator.address} is missing')
    summary(mine[2], f'{hosts.initiator.address} has no path to {NAME}disk-a')
    hosts.cut.log_in(2)
    hosts.cut.set_state(1, 'LOGGED_IN', 'up')
    expect('both are back', (), mine)
    hosts.initiator.stop_agent()
    expect('the agent is stopped', ('IscsiAgentNotAnswering',), mine)
    hosts.initiator.start_agent(arguments=('--root', str(hosts.cut.top)), sources='open-iscsi')
    expect('and started', (), ('IscsiAgentNotAnswering', *mine))


def check_dashboard(t, prometheus, hosts):
    board = json.loads((ROOT / 'conf/grafana/iscsi.json').read_text())
    variable = board['templating']['list'][0]
    found = re.fullmatch(r'label_values\((.*), (\w+)\)', variable['query']['query'])
    t.ok(prometheus.query(found[1]) and variable['name'] == found[2] == 'instance',
         f'the variable {variable["name"]} has values')
    wanted = [(panel['title'], target['expr']) for panel in board['panels']
              for target in panel.get('targets', [])]

    def ask(expr, instance='.*'):
        return prometheus.query(expr.replace('$instance', instance).replace('$__rate_interval', '20s'))

    def empty():
        return [(title, expr) for title, expr in wanted if not ask(expr)]
    try:
        wait_for(lambda: not empty(), 60, 'all expressions', 1)
    except TimeoutError:
        pass
    t.equal(empty(), [], f'none of the {len(wanted)} expressions of the dashboard is empty')
    sessions = dict(wanted)['Sessions of the targets']
    t.equal([labels.get('iscsiNodeName') for labels, _ in ask(sessions, hosts.target.address)],
            [NAME + 'disk-a'], 'inbound sessions are counted by target')


def check_v3(t, lab, newer):
    """Step 5 of README.md: its auth with the user of SECURITY.md."""
    user = re.search(r'createUser (\w+) .*', (ROOT / 'SECURITY.md').read_text())
    block = re.search(r'^    auths:\n((?: {6,}.*\n)+)', (CONF / 'README.md').read_text(), re.M)[1]
    host = SnmpHost(lab, 'v3')
    host.start_snmpd(extra=f'{user[0]}\nrouser {user[1]} priv -V lab\n')
    host.start_agent(arguments=('--root', str(FIXTURES / 'open-iscsi/multipath.tree')),
                     sources='open-iscsi')
    # Up to 0.22 the version and the rest of it are in the module.
    old = (CONF / make_snmp_yml.OLD).read_text().replace('  version: 2\n', '  version: 3\n')
    rest = ''.join(line[4:] + '\n' for line in block.splitlines()[2:])
    old = old.replace('    community: iscsi\n', rest)
    new = (CONF / make_snmp_yml.NEW).read_text().replace(
        'auths:\n', 'auths:\n' + ''.join(line[4:] + '\n' for line in block.splitlines()))
    for program, text in ((None, old), (newer, new)):
        if text is new and not newer:
            continue
        config = Path(lab.path('v3.yml'))
        config.write_text(text)
        exporter = Exporter(lab, program or 'prometheus-snmp-exporter', config)
        found = [s for s in samples(exporter.scrape(host.address, 'iscsi_v3')) if 'SumStatus' in s[0]]
        t.equal(found, [('iscsiSumStatus', {}, 2.0)], 'SNMPv3, as README.md has it')


def main():
    with Tap() as t:
        why = laboratory.missing() or missing_tool()
        if why:
            t.skip_all(why)
        check_files(t)
        check_textfile(t)
        with laboratory.Lab() as lab:
            hosts = Hosts(lab)
            exporter = Exporter(lab)
            check_scrape(t, exporter, hosts)
            newer = os.environ.get('SNMP_EXPORTER')
            if newer:
                check_scrape(t, Exporter(lab, newer, CONF / make_snmp_yml.NEW), hosts)
            else:
                t.note('no snmp_exporter of 0.23 or newer: SNMP_EXPORTER names none')
            check_v3(t, lab, newer)
            prometheus = Prometheus(lab, exporter, hosts.addresses)
            check_rates(t, prometheus, hosts)
            check_dashboard(t, prometheus, hosts)
            check_alerts(t, prometheus, hosts)


if __name__ == '__main__':
    main()
