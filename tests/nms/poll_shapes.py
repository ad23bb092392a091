#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a scrape of one host costs by how it asks: single columns (conf/prometheus/snmp-0.22.yml) or
whole tables, with several max_repetitions. Prints the table of docs/FLEET.md; no test. Root, and
Debian's packages of section [nms].

    tests/nms/poll_shapes.py [SCRAPES]      the best time and the mean CPU of so many (20)"""

import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

sys.path.insert(0, str(ROOT / 'tests' / 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from open_iscsi_host import OpenIscsiHost
from process import cpu_seconds
from prometheus import CONF, Exporter, missing_tool, samples
from snmp_host import SnmpHost

WALK = re.compile(r'  walk:\n((?:  - .*\n)+)')


def table_of(oid):
    """The table of a column, by the length of its OID; another OID as it is."""
    parts = oid.split('.')
    size = 10 if oid.startswith('1.3.6.1.2.1.') else 14
    return '.'.join(parts[:size])


def shapes():
    """(name, text of snmp.yml) of each way to ask."""
    text = (CONF / 'snmp-0.22.yml').read_text()
    walk = WALK.search(text)[1]
    tables = sorted({table_of(line.strip('- \n')) for line in walk.splitlines()})
    for name, asked, counts in (('columns', walk, (5, 10, 25, 50)),
                                ('tables', ''.join(f'  - {t}\n' for t in tables), (10, 25, 50))):
        for count in counts:
            yield f'{name}, {count}', re.sub(r'max_repetitions: \d+', f'max_repetitions: {count}',
                                             text.replace(walk, asked))


def measure(exporter, host, scrapes):
    """One line's numbers."""
    pids = [host.snmpd.pid, host.agent.agent_pid(), exporter.process.pid]
    before, times, text = [cpu_seconds(pid) for pid in pids], [], ''
    for _ in range(scrapes):
        began = time.monotonic()
        text = exporter.scrape(host.address)
        times.append(time.monotonic() - began)
    used = [(cpu_seconds(pid) - old) / scrapes * 1000 for pid, old in zip(pids, before)]
    packets = next(value for name, _, value in samples(text) if name == 'snmp_scrape_packets_sent')
    return [f'{packets:.0f}', f'{min(times) * 1000:.0f}'] + [f'{ms:.1f}' for ms in used]


def main():
    scrapes = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    why = laboratory.missing() or missing_tool()
    if why:
        raise SystemExit(f'poll_shapes.py: {why}')
    with laboratory.Lab() as lab:
        hosts = []
        for paths in (4, 16, 64):
            root = OpenIscsiHost(lab.path(f'root-{paths}'))
            for number in range(paths):
                root.add_path(f'iqn.2004-10.org.example:disk-{number // 2}',
                              f'192.0.2.{number % 2 + 1}')
            host = SnmpHost(lab, f'host-{paths}')
            host.start_snmpd()
            # Hardly any poll of the source among the scrapes.
            host.start_agent(arguments=('--root', str(root.top)), sources='open-iscsi',
                             pollInterval=300)
            hosts.append((paths, host))
        print('| asked for, max_repetitions | paths | packets | best, ms | snmpd, ms of CPU '
              '| agent | snmp_exporter |\n|---|---|---|---|---|---|---|')
        for name, text in shapes():
            config = Path(lab.path('shape.yml'))
            config.write_text(text)
            exporter = Exporter(lab, config=config)
            for paths, host in hosts:
                exporter.scrape(host.address)
                print(f'| {name} | {paths} | {" | ".join(measure(exporter, host, scrapes))} |',
                      flush=True)
            lab.remove(exporter.process)
            exporter.process.stop()


if __name__ == '__main__':
    main()
