#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Many hosts under one Prometheus and one snmp_exporter: none is missed, the rules see each of them,
and what it costs. docs/FLEET.md has the numbers of `FLEET=200 tests/nms/test_fleet.py`.

A few snmpd with an agent each, which sees a recorded or a made host (--root), listen on many ports:
for Prometheus each port is a host, and each scrape is a real one, answered by a real agent. FLEET is
how many hosts (40), FLEET_INTERVAL how many seconds between two scrapes of one (5).

Needs root and Debian's packages of section [nms]."""

import os
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from open_iscsi_host import OpenIscsiHost
from process import cpu_seconds, memory_kib, wait_for
from prometheus import Exporter, Prometheus, fetch, missing_tool
from snmp_host import SnmpHost
from tap import Tap

FIXTURES = ROOT / 'tests' / 'fixtures'
COUNT = int(os.environ.get('FLEET', '40'))
INTERVAL = int(os.environ.get('FLEET_INTERVAL', '5'))
PERIODS = 4  # scrapes of each host that are measured
UDP_MAX = 20  # ports of one agentAddress line


class Kind:
    """Hosts that are alike: one snmpd on `count` ports, one agent."""

    def __init__(self, lab, name, root, sources, count):
        self.host = SnmpHost(lab, name)
        self.ports = [laboratory.free_port() for _ in range(count - 1)]
        lines = ''.join('agentAddress ' + ','.join(f'udp:127.0.0.1:{port}' for port in part) + '\n'
                        for part in (self.ports[at:at + UDP_MAX]
                                     for at in range(0, count - 1, UDP_MAX)))
        self.host.start_snmpd(extra=lines)
        # As often as by default: what reading costs is not what is measured here.
        self.host.start_agent(arguments=('--root', root), sources=sources, pollInterval=5)
        self.ports.insert(0, self.host.snmpd_port)
        self.name = name

    def addresses(self):
        return [f'127.0.0.1:{port}' for port in self.ports]

    def cpu(self):
        return (cpu_seconds(self.host.snmpd.pid), cpu_seconds(self.host.agent.agent_pid()))


def made_host(lab, name, paths):
    root = lab.path(name + '-root')
    host = OpenIscsiHost(root)
    for number in range(paths):
        host.add_path(f'iqn.2004-10.org.example:disk-{number // 2}', f'192.0.2.{number % 2 + 1}')
    return root


def start_kinds(lab):
    quarter = COUNT // 4
    return [Kind(lab, 'two-disks-multipath', str(FIXTURES / 'open-iscsi/multipath.tree'),
                 'open-iscsi multipath', COUNT - 3 * quarter),
            Kind(lab, 'lio-target', str(FIXTURES / 'lio/sessions.tree'), 'lio', quarter),
            Kind(lab, '4-paths', made_host(lab, '4-paths', 4), 'open-iscsi', quarter),
            Kind(lab, '64-paths', made_host(lab, '64-paths', 64), 'open-iscsi', quarter)]


def regex(kind):
    """All addresses of a kind, for a selector."""
    return '127.0.0.1:(' + '|'.join(map(str, kind.ports)) + ')'


def own_metric(prometheus, name):
    """A number that Prometheus tells of itself; the sum over its labels."""
    return sum(float(line.split()[-1]) for line in fetch(prometheus.url('/metrics')).splitlines()
               if line.startswith((name + ' ', name + '{')))


def measure(t, prometheus, exporter, kinds):
    """Processor time over some intervals, printed for a scrape of each kind."""
    processes = {'Prometheus': prometheus.process.pid, 'snmp_exporter': exporter.process.pid}
    before = {name: cpu_seconds(pid) for name, pid in processes.items()}
    kinds_before = [kind.cpu() for kind in kinds]
    began = time.time()

    def scrapes():
        return prometheus.value(f'sum(count_over_time(up[{max(1, int(time.time() - began))}s]))') or 0
    wait_for(lambda: scrapes() >= PERIODS * COUNT, 60 * PERIODS + PERIODS * INTERVAL * 4, 'scrapes', 0.5)
    seconds, done = time.time() - began, scrapes()
    each = f'{PERIODS * INTERVAL}s'
    for kind, (snmpd, agent) in zip(kinds, kinds_before):
        count = prometheus.value(f'sum(count_over_time(up{{instance=~"{regex(kind)}"}}'
                                 f'[{int(seconds)}s]))')
        now = kind.cpu()
        where = f'{{instance=~"{regex(kind)}"}}'
        slowest = prometheus.value(f'max(max_over_time(scrape_duration_seconds{where}[{each}]))')
        average = prometheus.value(f'avg(avg_over_time(scrape_duration_seconds{where}[{each}]))')
        t.note(f'{kind.name}: {len(kind.ports)} hosts; a scrape: {average * 1000:.0f} ms, at most '
               f'{slowest * 1000:.0f} ms; '
               f'{prometheus.value(f"avg(scrape_samples_scraped{where})"):.0f} samples in '
               f'{prometheus.value(f"avg(snmp_scrape_packets_sent{where})"):.0f} packets; on the host '
               f'{(now[0] - snmpd) / count * 1000:.1f} ms of CPU in snmpd, '
               f'{(now[1] - agent) / count * 1000:.1f} ms in the agent')
    for name, pid in processes.items():
        used = cpu_seconds(pid) - before[name]
        t.note(f'{name}: {used / done * 1000:.1f} ms of CPU for a scrape, {used / seconds * 100:.1f} % '
               f'of a processor; {memory_kib(pid) / 1024:.0f} MiB, at most '
               f'{memory_kib(pid, "VmHWM") / 1024:.0f} MiB')
    return seconds


def main():
    with Tap() as t:
        why = laboratory.missing() or missing_tool()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            kinds = start_kinds(lab)
            exporter = Exporter(lab)
            addresses = [address for kind in kinds for address in kind.addresses()]
            prometheus = Prometheus(lab, exporter, addresses, interval=INTERVAL)
            wait_for(lambda: (prometheus.value('count(count_over_time(up[10m]) >= 2)') or 0) == COUNT,
                     120 + 4 * INTERVAL, f'two scrapes of {COUNT} hosts', 0.5)
            seconds = measure(t, prometheus, exporter, kinds)
            t.equal(prometheus.value('count(iscsiSumStatus)'), float(COUNT), f'{COUNT} hosts tell how '
                    'they are')
            t.equal(prometheus.value('count(min_over_time(up[10m]) == 1)'), float(COUNT),
                    'none was missed in any scrape')
            slowest = prometheus.value('max(max_over_time(scrape_duration_seconds[10m]))')
            t.below(slowest, INTERVAL, 'the longest scrape')
            series = prometheus.value('count({job="iscsi"})')
            t.note(f'{series:.0f} series, {series / COUNT:.0f} of a host; '
                   f'{own_metric(prometheus, "prometheus_tsdb_head_samples_appended_total"):.0f} samples; '
                   f'rules: {own_metric(prometheus, "prometheus_rule_group_last_duration_seconds") * 1000:.0f}'
                   f' ms for all groups; measured over {seconds:.0f} s')
            degraded = prometheus.value('job:iscsi_hosts:count_by_status{status="2"}')
            t.equal(degraded, float(len(kinds[0].ports)), 'the rules have counted those with lost paths')
            lost = len(prometheus.alerts().get('IscsiPathReconnecting', []))
            wait_for(lambda: len(prometheus.alerts().get('IscsiPathReconnecting', [])) ==
                     2 * len(kinds[0].ports), 120, 'alerts')
            t.ok(True, f'an alert for each of two lost paths of each ({lost} at first)')
            sums = fetch(prometheus.url('/federate', **{'match[]': '{__name__=~"(instance|job):.*"}'}))
            lines = [line for line in sums.splitlines() if line and line[0] != '#']
            t.ok(0 < len(lines) < series / 10, f'a federating Prometheus takes {len(lines)} series of '
                 f'{series:.0f}')


if __name__ == '__main__':
    main()
