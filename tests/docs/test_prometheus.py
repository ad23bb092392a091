#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""conf/prometheus and conf/grafana without their programs: both snmp.yml are the same module and know
nothing that the agent does not have; the rules and the dashboard use no metric and no label that
snmp.yml does not make; each alert has a test. AGENT_BINARY names the program (build/iscsi-agentx).

What the programs themselves say of these files: tests/nms/test_prometheus.py."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BINARY = os.environ.get('AGENT_BINARY', str(ROOT / 'build' / 'iscsi-agentx'))
CONF = ROOT / 'conf' / 'prometheus'
DASHBOARD = ROOT / 'conf' / 'grafana' / 'iscsi.json'

sys.path[:0] = [str(ROOT / 'tests' / 'support'), str(CONF)]
# pylint: disable=wrong-import-position
import make_snmp_yml
from tap import Tap

# The agent's types as snmp_exporter has them; a text is one of two, by its textual convention.
TYPES = {'Counter32': {'counter'}, 'Counter64': {'counter'}, 'INTEGER': {'gauge'},
         'Gauge32': {'gauge'}, 'Unsigned32': {'gauge'}, 'TimeTicks': {'gauge'},
         'OCTET-STRING': {'DisplayString', 'DateAndTime'}}
METRIC = re.compile(r'^  - name: (\w+)\n    oid: ([\d.]+)\n    type: (\w+)\n(.*?)(?=^  - name|^  \w)',
                    re.MULTILINE | re.DOTALL)
LOOKUP = re.compile(r'labelname: (\w+)\n      oid: ([\d.]+)\n      type: (\w+)')
NAME = re.compile(r'\biscsi[A-Z]\w*')


def objects():
    """{name: (OID, type)} of what the agent can serve."""
    text = subprocess.run([BINARY, '--list-columns'], check=True, capture_output=True, text=True).stdout
    rows = [line.split('\t') for line in text.splitlines()]
    return {row[5]: (row[4], row[6]) for row in rows if row[0] == 'column'}


def descriptions():
    """{name: DESCRIPTION as one line} of both MIB modules."""
    texts = ((ROOT / 'mibs' / module).read_text() for module in ('ISCSI-MIB', 'ISCSI-PATH-MIB'))
    return {m[1]: ' '.join(m[2].split()) for text in texts for m in re.finditer(
        r'^(\w+)\s+OBJECT-TYPE.*?DESCRIPTION\s+"([^"]*)"', text, re.MULTILINE | re.DOTALL)}


def help_of(rest):
    """The help of a metric: YAML's one or more lines, with quotes or without."""
    text = ' '.join(re.search(r'^    help: (.*(?:\n      .*)*)', rest, re.MULTILINE)[1].split())
    return text[1:-1].replace("''", "'") if text[0] == "'" else text


def check_snmp_yml(t, known):
    """Returns {metric: its labels}."""
    old, new = ((CONF / name).read_text() for name in (make_snmp_yml.OLD, make_snmp_yml.NEW))
    generator = (CONF / 'generator.yml').read_text()
    body = re.sub('^#.*\n', '', old, flags=re.MULTILINE)
    t.ok(re.sub('^#.*\n', '', new, flags=re.MULTILINE) == make_snmp_yml.to_new(body, generator),
         'snmp.yml is snmp-0.22.yml with its community beside the module')
    metrics = METRIC.findall(body)
    t.equal(len(metrics), len(re.findall('^  - name:', body, re.MULTILINE)), 'all metrics are read')
    lookups = set(LOOKUP.findall(body))
    wrong = [(name, oid, kind) for name, oid, kind in [m[:3] for m in metrics] + sorted(lookups)
             if name not in known or re.sub(r'\.0$', '', known[name][0]) != oid
             or kind not in TYPES[known[name][1]]]
    t.equal(wrong, [], f'each of {len(metrics)} metrics and {len(lookups)} labels is an object of the '
            'agent, with its OID and type')
    described = descriptions()
    # The generator takes the first sentence.
    t.equal([(name, help_of(rest)) for name, oid, _, rest in metrics
             if help_of(rest) != f'{described[name].split(". ")[0]} - {oid}'], [],
            'and says of it what the MIB module says')
    oids = {re.sub(r'\.0$', '', oid) for oid, _ in known.values()}
    asked = re.findall(r'^  - ([\d.]+)$', body, re.MULTILINE)
    t.equal([oid for oid in asked
             if not any((has + '.').startswith(re.sub(r'\.0$', '', oid) + '.') for has in oids)], [],
            f'each of {len(asked)} OIDs that are asked for has objects of the agent')
    named = re.findall(r'^      (?:- |  lookup: )(iscsi\w+)$', generator, re.MULTILINE)
    made = {m[0] for m in metrics} | {lookup[0] for lookup in lookups}
    t.equal([name for name in named if name not in made and not name.endswith('Table')], [],
            f'each of {len(named)} names of generator.yml came into it')
    return {name: set(re.findall(r'labelname: (\w+)', rest)) | ({name} if 'String' in kind else set())
            for name, _, kind, rest in metrics}


def strange(text, metrics):
    """Names in an expression or a text that neither a metric nor a label has."""
    labels = {label for found in metrics.values() for label in found}
    return sorted(set(NAME.findall(text)) - set(metrics) - labels)


def check_rules(t, metrics):
    rules, tests = ((CONF / name).read_text() for name in ('rules.yml', 'rules_test.yml'))
    told = {'iscsiEventTable', 'iscsiIntrLastTgtFailureName', 'iscsiTgtLastIntrFailureName'}
    t.equal(sorted(set(strange(rules, metrics)) - told), [],
            'the rules name metrics and labels of snmp.yml, and objects to look at')
    alerts = re.findall(r'^      - alert: (\w+)$', rules, re.MULTILINE)
    t.ok(len(alerts) > 15, f'{len(alerts)} alerts')
    raised = re.findall(r'alertname: (\w+)\n        exp_alerts:\n', tests)
    quiet = re.findall(r'alertname: (\w+)\n        exp_alerts: \[\]\n', tests)
    t.equal(sorted(set(alerts) - set(raised)), [], 'a test raises each of them')
    t.equal(sorted(set(alerts) - set(quiet)), [],
            'and has a moment when it is not raised')
    t.equal(sorted(set(raised + quiet) - set(alerts)), [], 'no test is about another alert')


def check_sessions(t, metrics):
    """ISCSI-MIB names one end of a session: of an inbound one iscsiSsnTargetName is empty (RFC 7147). What
    has a device is outbound."""
    texts = (CONF / 'rules.yml').read_text().splitlines()
    board = json.loads(DASHBOARD.read_text())
    texts += [target[key] for panel in board['panels'] for target in panel.get('targets', [])
              for key in ('expr', 'legendFormat')]
    sessions = [text for text in texts if 'iscsiSsn' in text and 'iscsiDev' not in text]
    t.ok(len(sessions) > 10, f'{len(sessions)} lines of rules and dashboard are about sessions')
    t.equal([text for text in sessions if 'iscsiSsnTargetName' in text
             and 'iscsiSsnInitiatorName' not in text], [], 'none knows an end of outbound ones only')
    t.equal(sorted(name for name, labels in metrics.items() if 'iscsiSsnTargetName' in labels
                   and not {'iscsiNodeName', 'iscsiSsnInitiatorName'} <= labels), [],
            'each metric of sessions has the names of both ends')
    series = [line for line in (CONF / 'rules_test.yml').read_text().splitlines() if ' series: ' in line]
    t.equal([line for line in series if 'iscsiSsnTargetName=' in line
             and 'iscsiSsnInitiatorName=' in line], [], 'and no test has a session as there is none')


def check_fleet(t, metrics):
    """What docs/FLEET.md reckons with: sums of each host that the rules record, samples of each session.
    The kernel counts no NOPs (docs/COVERAGE.md)."""
    text = ' '.join((ROOT / 'docs' / 'FLEET.md').read_text().split())
    sums = re.findall(r'^      - record: instance:', (CONF / 'rules.yml').read_text(), re.MULTILINE)
    t.equal(re.findall(r'records \((\d+) series a host', text), [str(len(sums))],
            'docs/FLEET.md: series of a host for a federating Prometheus')
    statistics = [name for name in metrics
                  if re.search(r'^iscsiSsn(\w+PDUs|\w+Octets|Cxn\w+Errors)$', name) and 'Nop' not in name]
    recorded = (ROOT / 'tests/vm/recorded/01-input-output/walk').read_text()
    sessions = len(re.findall(r'^\.1\.3\.6\.1\.2\.1\.142\.1\.10\.1\.1\.3\.', recorded, re.MULTILINE))
    values = len(re.findall(r'^\.1\.3\.6\.1\.2\.1\.142\.1\.10\.(?:2\.1\.[1-4]|3\.1\.[12])\.', recorded,
                            re.MULTILINE))
    t.equal((re.findall(r'for each session (\d+) samples', text), values / sessions),
            ([str(len(statistics))], len(statistics)), 'and samples of the statistics of a session')


def check_dashboard(t, metrics):
    board = json.loads(DASHBOARD.read_text())
    expressions = [target['expr'] for panel in board['panels'] for target in panel.get('targets', [])]
    t.ok(len(expressions) > 15, f'the dashboard has {len(expressions)} expressions')
    t.equal({e: strange(e, metrics) for e in expressions if strange(e, metrics)}, {},
            'of metrics and labels of snmp.yml')
    boxes = [tuple(panel['gridPos'][key] for key in 'xywh') for panel in board['panels']]
    t.equal([box for box in boxes if box[0] + box[2] > 24], [], 'no panel is wider than the screen')
    t.equal([(a, b) for n, a in enumerate(boxes) for b in boxes[:n]
             if a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3]
             and b[1] < a[1] + a[3]], [], 'and no two lie on each other')
    numbers = [panel['id'] for panel in board['panels']]
    t.equal(len(set(numbers)), len(numbers), 'each has a number of its own')


def main():
    with Tap() as t:
        metrics = check_snmp_yml(t, objects())
        check_rules(t, metrics)
        check_sessions(t, metrics)
        check_fleet(t, metrics)
        check_dashboard(t, metrics)


if __name__ == '__main__':
    main()
