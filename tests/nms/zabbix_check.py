# SPDX-License-Identifier: BSD-2-Clause
"""What both tests of the Zabbix templates do: import, a host with everything, values of every item,
problems as paths are cut and their ends, notifications by snmptrapd and snmptt as the README has it, a
picture of the dashboard."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import zabbix as zabbix_lab
from process import wait_for
from initiator_host import INITIATOR, TARGET
from zabbix_host import NAME, ZabbixHost

PORTAL = '192.0.2.1:3260'
DISK = NAME + 'disk-a'
TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}'
FAST = {'ISCSI_INTERVAL': '1s', 'ISCSI_DISCOVERY_INTERVAL': '3s', 'ISCSI_PATH_DOWN_TIME': '3s',
        'ISCSI_STATUS_TIME': '3s', 'ISCSI_MAP_TIME': '3s', 'ISCSI_SOURCE_TIME': '3s',
        'ISCSI_NODATA_TIME': '5m', 'ISCSI_NOTICE_TIME': '10m', 'SNMP_TIMEOUT': '5s'}


def template(version):
    return os.path.join(ROOT, 'conf', 'zabbix', version, 'template_app_iscsi_snmp.yaml')


def recipe():
    """Lines of conf/zabbix/README.md for snmptt.ini: {key: line}."""
    with open(os.path.join(ROOT, 'conf', 'zabbix', 'README.md'), encoding='utf-8') as file:
        return {m[1]: m[0].strip() for m in re.finditer(r'^ +(\w+_format) = .+$', file.read(), re.M)}


def within(seconds, what, condition):
    """(whether it came to be, after how many seconds)"""
    started = time.monotonic()
    try:
        wait_for(condition, seconds, what, 0.3)
    except TimeoutError:
        return False, seconds
    return True, time.monotonic() - started


class Check:
    """One server with one host."""

    def __init__(self, t, lab, zabbix, version):
        self.t, self.lab, self.zabbix, self.version = t, lab, zabbix, version
        self.hostid = self.host = self.snmptt = None

    # -- what the server has -----------------------------------------------------------------------

    def items(self, **more):
        return self.zabbix.call('item.get', hostids=self.hostid, output=[
            'key_', 'name', 'state', 'error', 'lastclock', 'lastvalue', 'snmp_oid', 'type',
            'preprocessing'], selectPreprocessing=['type', 'params'],
            filter={'flags': [0, 4], **more})

    def rules(self):
        return self.zabbix.call('discoveryrule.get', hostids=self.hostid,
                                output=['key_', 'state', 'error'])

    def problems(self):
        return {p['name']: p for p in self.zabbix.call('problem.get', hostids=self.hostid)}

    # -- values ------------------------------------------------------------------------------------

    def instances(self):
        """All that the agent has, as OIDs in text, as a manager walks it."""
        manager = self.lab.manager()
        return {'.'.join(map(str, v.oid)) for root in ('1.3.6.1.2.1.142', laboratory.PRIVATE_ROOT)
                for v in manager.walk(tuple(map(int, root.split('.'))))}

    @staticmethod
    def oid_of(item):
        """The instance that an item is of: 7.0 has it in the first step of its preprocessing."""
        if item['snmp_oid'] and not item['snmp_oid'].startswith('walk['):
            return item['snmp_oid'].lstrip('.')
        for step in item['preprocessing']:
            if step['type'] == '28':  # SNMP walk value
                return step['params'].split('\n')[0].lstrip('.')
        return None

    def waiting(self):
        """Items of objects that the agent has, but without a value as yet."""
        there = self.instances()
        return [i['key_'] for i in self.items()
                if self.oid_of(i) in there and i['lastclock'] == '0']

    def check_values(self):
        wanted = {f'iscsi.{name}.discovery' for name in (
            'sources', 'paths', 'inbound', 'maps', 'targets', 'initiators', 'instances')}

        # Roles 0x40 and 0x80, which net-snmp prints differently.
        nodes = [f'{role} {name}: Logins failed' for role, name in (
            ('Initiator', INITIATOR), ('Target', DISK), ('Initiator', DISK), ('Target', INITIATOR))]

        def discovered():
            found = self.items()
            keys = {i['key_'].partition('[')[0] for i in found}
            return {'iscsi.source.state', 'iscsi.path.status', 'iscsi.inbound.status',
                    'iscsi.map.status', 'iscsi.tgt.login.failures', 'iscsi.intr.login.failures',
                    'iscsi.inst.session.number', 'iscsi.ssn.prop.health.state',
                    'iscsi.inbound.ssn.tx.data.octets'} <= keys and \
                set(nodes[:2]) <= {i['name'] for i in found}
        good, seconds = within(180, 'discovery', discovered)
        self.t.ok(good, f'everything is discovered, after {seconds:.1f} s', self.rules(),
                  self.zabbix.errors())
        # A rate needs two values.
        good, seconds = within(120, 'values', lambda: not self.waiting())
        items = self.items()
        there = self.instances()
        have = [i for i in items if i['lastclock'] != '0']
        self.t.ok(good, f'{len(have)} of {len(items)} items have values after {seconds:.1f} s: those '
                  'of all objects that the agent has', self.waiting())
        bad = [(i['key_'], i['error']) for i in items if i['state'] == '1']
        self.t.equal(bad, [], 'no item is not supported')
        bad = [(r['key_'], r['error']) for r in self.rules() if r['error']]
        self.t.ok(not bad and wanted <= {r['key_'] for r in self.rules()},
                  'no discovery rule has an error', bad)
        lie = [i['key_'] for i in items
               if self.oid_of(i) and self.oid_of(i) not in there and i['lastclock'] != '0']
        self.t.equal(lie, [], 'what the agent does not know has no value')
        values = {i['key_']: i['lastvalue'] for i in items}
        self.t.ok('2 of 2 paths connected' in values['iscsi.sum.text'],
                  f'the host in words: {values["iscsi.sum.text"]}')

        def traffic():
            return sum(float(i['lastvalue']) for i in self.items()
                       if i['key_'].startswith('iscsi.inbound.ssn.tx.data.octets'))
        # What a session sends between two polls may be nothing.
        good, seconds = within(90, 'traffic', lambda: traffic() > 1000)
        self.t.ok(good, f'sessions have traffic after {seconds:.1f} s: {traffic():.0f} octets/s')
        names = [i['name'] for i in items]
        self.t.equal([name for name in nodes if name in names], nodes[:2],
                     'an initiator is no target, and a target no initiator')
        self.t.equal(len(names), len(set(names)), 'no two items have the same name')

    # -- problems ----------------------------------------------------------------------------------

    def expect(self, what, *wanted, seconds=120):
        """Waits until there is a problem with each of these texts in its name, and none else."""
        def fits():
            names = list(self.problems())
            return (all(any(w in n for n in names) for w in wanted)
                    and len(names) == len(wanted))
        good, seconds = within(seconds, what, fits)
        self.t.ok(good, f'{what}, after {seconds:.1f} s: '
                  + ('; '.join(sorted(self.problems())) or 'no problem'),
                  [(i['name'], i['lastvalue']) for i in self.items()
                   if 'status' in i['key_'] or 'state' in i['key_']])

    def check_problems(self, host):
        self.expect('a whole host')
        lost, missing = (f'at {PORTAL} (default): connection lost',
                         f'at {PORTAL} (default): missing')
        other = lost.replace('192.0.2.1', '192.0.2.2')
        short = 'Map mpatha (3600140500000001): fewer paths take I/O'
        host.lose(1)
        self.expect('one path is cut', lost, short)
        way = f'path from {INITIATOR} to {TARGET} at '
        self.expect_told('snmptrapd has been told', f'iscsiPathDown: {way}{PORTAL}: connection lost',
                         'iscsiMapDegraded: map mpatha, ')
        host.lose(2)
        self.expect('and the other', lost, other, 'iSCSI: CRITICAL',
                    'Map mpatha (3600140500000001): no path takes I/O')
        host.find(1)
        host.find(2)
        self.expect('both are mended')
        # More than some in ten seconds are held back, until nothing is new: before that is, wait.
        self.expect_told('and told', *(f'iscsiPathUp: {way}192.0.2.{n}:3260: connected' for n in (1, 2)),
                         'iscsiMapRestored: map mpatha, ')
        host.logout(1)
        self.expect('one is logged out', missing, short)
        host.login(1)
        self.expect('and logged in again')
        good, seconds = within(90, 'items', lambda: not self.waiting() and not [
            i for i in self.items(state='1')])
        self.t.ok(good, f'the items of its new session have values, after {seconds:.1f} s',
                  self.waiting(), self.items(state='1'))

    def check_agent_gone(self):
        """Without the agent, and without snmpd, there is one problem, and it is not the paths'."""
        # Zabbix 6.0 halves a question of many objects until it takes silence for one: a minute.
        self.zabbix.ask_one_by_one(self.hostid)
        self.set_macro('{$ISCSI.NODATA.TIME}', '30s')
        self.lab.stop_agent()
        self.expect('the agent has gone', 'snmpd answers, but iscsi-agentx does not')
        self.lab.start_agent(**self.host.agent)
        self.expect('and is there again', 'iscsi-agentx has been restarted')
        self.set_macro('{$ISCSI.NOTICE.TIME}', '1s')
        self.expect('which is no news for long')
        self.set_macro('{$ISCSI.NODATA.TIME}', '5m')
        self.lab.stop_snmpd()
        self.expect('snmpd has gone', 'iSCSI: No SNMP data collection', seconds=180)
        self.lab.start_snmpd()
        self.expect('and is there again')

    # -- notifications -----------------------------------------------------------------------------

    def told(self):
        """The values of the item for notifications."""
        item = self.zabbix.call('item.get', hostids=self.hostid, output=['itemid'],
                                search={'key_': 'snmptrap['})
        return [v['value'] for v in self.zabbix.call(
            'history.get', history=2, itemids=item[0]['itemid'], output='extend')]

    def expect_told(self, what, *wanted):
        """Waits until there is a value that begins with each of these, after its time and its OID."""
        def missing():
            values = self.told()
            return [w for w in wanted if not any(
                re.match(rf'{TIME} \.[\d.]+ \w+ {re.escape(w)}', v) for v in values)]
        good, seconds = within(120, what, lambda: not missing())
        self.t.ok(good, f'{what}, after {seconds:.1f} s: {"; ".join(wanted)}', missing(), self.told(),
                  self.snmptt.text(), self.snmptt.errors())

    def check_limit(self):
        """What is a problem by a notification, and what has become of all of them."""
        self.host.start_another()
        self.expect('a target has all sessions that it may have', 'a target has reached its limit')
        closed = self.zabbix.call(
            'event.acknowledge', eventids=[p['eventid'] for p in self.problems().values()],
            action=1)
        self.t.ok(closed, 'that is closed by hand')
        self.expect('and is over')
        good, seconds = within(
            60, 'all', lambda: len(self.told()) == self.snmptt.text().count(' ZBXTRAP '))
        self.t.ok(good, f'each of {len(self.told())} that snmptt wrote is one value, after '
                  f'{seconds:.1f} s', self.told(), self.snmptt.text())
        self.t.ok('unmatched trap' not in self.zabbix.server.text(), 'none was without a host')

    def set_macro(self, name, value):
        macro = self.zabbix.call('usermacro.get', hostids=self.hostid, output=['macro'],
                                 filter={'macro': name})
        self.zabbix.call('usermacro.update', hostmacroid=macro[0]['hostmacroid'], value=value)

    # -- the dashboard -----------------------------------------------------------------------------

    def check_dashboard(self):
        """Every widget of the first page shows something; a picture of it is in build/zabbix."""
        if not shutil.which('chromium'):
            self.t.skip('the dashboard', 'chromium is not installed (package chromium)')
            return
        page = (f'zabbix.php?action=host.dashboard.view&hostid={self.hostid}&from=now-3m&to=now'
                '&kiosk=1')
        url = (f'{self.zabbix.url}/index.php?name=Admin&password=zabbix&enter=Sign+in&request='
               + urllib.parse.quote(page, safe=''))
        picture = os.path.join(ROOT, 'build', 'zabbix', f'dashboard-{self.version}.png')
        os.makedirs(os.path.dirname(picture), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(picture)  # of an earlier run
        browser = ['chromium', '--headless=new', '--no-sandbox', '--disable-gpu',
                   f'--user-data-dir={self.lab.path("chromium")}', '--hide-scrollbars',
                   '--window-size=1600,1260', '--virtual-time-budget=20000']
        done = subprocess.run([*browser, '--dump-dom', url], capture_output=True, text=True,
                              timeout=300, check=False)
        shown = re.sub(r'<script.*?</script>', '', done.stdout, flags=re.S)
        widgets = len(re.findall(r'class="dashboard-grid-widget[ "]', shown))
        empty = re.findall(r'No data|No graphs|No permissions|nothing-to-show|no-data-message|msg-bad',
                           shown)
        self.t.ok(done.returncode == 0 and widgets >= 9 and not empty,
                  f'the dashboard has {widgets} widgets, none is empty', empty,
                  f'exit status {done.returncode}', shown[-3000:])
        drawn = subprocess.run([*browser, f'--screenshot={picture}', url], capture_output=True, text=True,
                               timeout=300, check=False)
        size = os.path.getsize(picture) if os.path.exists(picture) else 0
        self.t.ok(drawn.returncode == 0 and size > 20000,
                  f'its picture: {os.path.relpath(picture, ROOT)}, {size} octets',
                  f'exit status {drawn.returncode}', drawn.stderr[-2000:])


def run(t, version, root='/'):
    """All of it, in a lab; `version` as in 6.0, `root` where it is installed."""
    numbers = tuple(int(n) for n in version.split('.'))
    with laboratory.Lab() as lab:
        started = time.monotonic()
        zabbix = zabbix_lab.Zabbix(lab, numbers, root)
        try:
            t.note(f'Zabbix {version} runs after {time.monotonic() - started:.1f} s')
            check = Check(t, lab, zabbix, version)
            started = time.monotonic()
            number = zabbix.import_template(template(version))
            t.ok(number, f'the template is imported in {time.monotonic() - started:.1f} s')
            lines = recipe()
            snmptt = check.snmptt = lab.start_snmptt(log=zabbix.trap_file, user='Debian-snmp',
                                                     general=lines['date_time_format'],
                                                     logging=lines['log_format'])
            host = check.host = ZabbixHost(lab, snmptt.port)
            check.hostid = zabbix.add_host('db1', lab.snmpd_port, number, **FAST)
            check.check_values()
            check.check_problems(host)
            check.check_limit()
            check.check_dashboard()
            check.check_agent_gone()
            host.close()
        finally:
            zabbix.close()
