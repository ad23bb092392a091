# SPDX-License-Identifier: BSD-2-Clause
"""Debian's snmp_exporter and Prometheus in a laboratory, with the files of conf/prometheus."""

import json
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import lab as laboratory
from process import Process, wait_for

CONF = Path(laboratory.TOP) / 'conf' / 'prometheus'
TOOLS = {'prometheus': 'prometheus', 'promtool': 'prometheus',
         'prometheus-snmp-exporter': 'prometheus-snmp-exporter',
         'prometheus-snmp-generator': 'prometheus-snmp-exporter'}
SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$', re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def missing_tool():
    """What is not installed, as a sentence, or None."""
    return next((f'{tool} is not installed (package {package})'
                 for tool, package in TOOLS.items() if not shutil.which(tool)), None)


def samples(text):
    """[(name, labels, value)] of the exposition format."""
    return [(name, {k: re.sub(r'\\(.)', lambda m: {'n': '\n'}.get(m[1], m[1]), v)
                    for k, v in LABEL.findall(labels or '')}, float(value))
            for name, labels, value in SAMPLE.findall(text)]


def fetch(url, timeout=10):
    with urllib.request.urlopen(url, timeout=timeout) as answer:
        return answer.read().decode()


def answers(url):
    try:
        return fetch(url, 2)
    except (OSError, urllib.error.URLError):
        return None


class Exporter:
    """snmp_exporter: that of Debian 12, with the older snmp.yml, or another one."""

    def __init__(self, lab, program='prometheus-snmp-exporter', config=CONF / 'snmp-0.22.yml'):
        self.port = laboratory.free_port()
        self.process = lab.add(Process(
            lab.unique('snmp_exporter'),
            [program, f'--config.file={config}',
             f'--web.listen-address=127.0.0.1:{self.port}'], lab.directory))
        wait_for(lambda: answers(f'http://127.0.0.1:{self.port}/'), 20, 'snmp_exporter answers')

    def scrape(self, address, auth='iscsi_v2'):
        """What it says of the agent at ADDRESS:PORT."""
        query = urllib.parse.urlencode({'target': address, 'module': 'iscsi', 'auth': auth})
        return fetch(f'http://127.0.0.1:{self.port}/snmp?{query}', 60)


class Prometheus:
    """A Prometheus with conf/prometheus/prometheus.yml and rules.yml: other addresses and, so that a
    test need not take long, an interval of `interval` seconds; an alert fires after `hold` seconds."""

    def __init__(self, lab, exporter, targets, interval=2, hold=2):
        self.lab = lab
        self.top = Path(lab.path(lab.unique('prometheus-data')))
        self.top.mkdir()
        config = (CONF / 'prometheus.yml').read_text()
        config = re.sub(r'(scrape_interval|evaluation_interval|scrape_timeout): \S+',
                        rf'\1: {interval}s', config)
        config = config.replace('127.0.0.1:9116', f'127.0.0.1:{exporter.port}')
        config = re.sub(r'( +- targets:\n)(?: +- .*\n)+', lambda m: m[1] + ''.join(
            f'          - {target}\n' for target in targets), config)
        (self.top / 'prometheus.yml').write_text(config)
        rules = re.sub(r'^( +for): \S+', rf'\1: {hold}s', (CONF / 'rules.yml').read_text(),
                       flags=re.MULTILINE)
        (self.top / 'rules.yml').write_text(rules)
        self.port = laboratory.free_port()
        self.process = lab.add(Process(
            lab.unique('prometheus'),
            ['prometheus', f'--config.file={self.top}/prometheus.yml',
             f'--storage.tsdb.path={self.top}/tsdb', '--log.level=warn',
             f'--web.listen-address=127.0.0.1:{self.port}'], lab.directory,
            dict(os.environ, GOMAXPROCS='2')))
        wait_for(lambda: answers(self.url('/-/ready')), 30, 'Prometheus is ready')

    def url(self, path, **query):
        return f'http://127.0.0.1:{self.port}{path}?{urllib.parse.urlencode(query)}'

    def ask(self, path, **query):
        """The data of an answer of its API; an error of a query is raised."""
        try:
            return json.loads(fetch(self.url(f'/api/v1/{path}', **query)))['data']
        except urllib.error.HTTPError as error:
            raise ValueError(f'{query}: {error.read().decode()}') from None

    def query(self, expression, when=None):
        """[(labels, value)] at that moment (seconds since 1970), or now."""
        at = {} if when is None else {'time': when}
        return [(one['metric'], float(one['value'][1]))
                for one in self.ask('query', query=expression, **at)['result']]

    def value(self, expression, when=None):
        """The only value, or None."""
        found = self.query(expression, when)
        return found[0][1] if len(found) == 1 else None

    def alerts(self, state='firing'):
        """{name: [alert]} of those in this state."""
        found = {}
        for alert in self.ask('alerts')['alerts']:
            if alert['state'] == state:
                found.setdefault(alert['labels']['alertname'], []).append(alert)
        return found
