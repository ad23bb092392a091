# SPDX-License-Identifier: BSD-2-Clause
"""A private Zabbix in the lab: PostgreSQL on a socket, zabbix_server and the web pages by PHP's own
server, all of Debian's packages, as user zabbix and below one directory. Nothing of /etc is read or
written. With `root` all three are those of a root directory of another Debian."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from ports import free_port
from process import Process, alive, children, wait_for

USER = 'zabbix'
TOOLS = {'usr/sbin/zabbix_server': 'zabbix-server-pgsql', 'usr/bin/php': 'php-cli',
         'usr/share/zabbix/index.php': 'zabbix-frontend-php', 'usr/bin/psql': 'postgresql',
         'usr/share/i18n/locales/en_US': 'locales'}

FONT = 'usr/share/fonts/truetype/dejavu/DejaVuSans.ttf'
TOOLS[FONT] = 'fonts-dejavu-core'

SERVER = '''
DBHost={top}/db
DBName=zabbix
DBUser=zabbix
ListenIP=127.0.0.1
ListenPort={port}
LogType=console
Timeout=1
PidFile={top}/zabbix.pid
SocketDir={top}
CacheUpdateFrequency=1
HousekeepingFrequency=0
StartPollers=2
StartPollersUnreachable=1
UnreachablePeriod=3
UnreachableDelay=2
UnavailableDelay=2
StartPreprocessors=1
StartTrappers=1
StartPingers=0
StartHTTPPollers=0
StartSNMPTrapper=1
SNMPTrapperFile={top}/traps/traps.log
'''

FRONT_END = '''<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '{top}/db';
$DB['PORT'] = '0';
$DB['DATABASE'] = 'zabbix';
$DB['USER'] = 'zabbix';
$DB['PASSWORD'] = '';
$DB['SCHEMA'] = '';
$DB['ENCRYPTION'] = false;
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '{port}';
$ZBX_SERVER_NAME = 'lab';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
'''


def missing(version, root='/'):
    """What is not installed, as a sentence, or None; `version` as in 6.0."""
    why = next((f'{path} is not there (package {package})' for path, package in TOOLS.items()
                if not os.path.exists(os.path.join(root, path))), None)
    if not why:
        said = subprocess.run(['chroot', root, '/usr/sbin/zabbix_server', '-V'], capture_output=True,
                              text=True, timeout=60, check=False).stdout.partition('\n')[0]
        why = None if f' {version}.' in said else f'Zabbix {version} is not there, but {said or "none"}'
    return why


class Server(Process):
    """A process with children, which are ended with it, each by its number."""

    def stop(self, number=signal.SIGTERM, grace=10):
        family = self._family(self.pid)
        status = super().stop(number, grace)
        for pid in family:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        for pid in family:  # orphans are the lab's
            try:
                os.waitpid(pid, 0)
            except ChildProcessError:
                pass
        return status

    def _family(self, pid):
        found = []
        for child in children(pid):
            found += [child, *self._family(child)]
        return found


class Zabbix:
    """Starts all of it. `version` is (6, 0) or (7, 0); `url` leads to the web pages."""

    def __init__(self, lab, version, root='/'):
        self.lab = lab
        self.version = version
        self.root = root
        self.port, web = free_port(), free_port()  # zabbix_server wants no number above 32767
        self.top = tempfile.mkdtemp(prefix='zabbix.', dir=os.path.join(root, 'tmp'))
        self.inside = os.path.join('/', os.path.relpath(self.top, root))
        self.url = f'http://127.0.0.1:{web}'
        self.token = None
        self.server = self.trap_file = None
        try:
            self._begin(web)
        except BaseException:  # SystemExit when the test is ended: this takes minutes
            self.close()
            raise

    def _begin(self, web):
        """All that is in the directory, and the processes; `web` is the port of the pages."""
        self._write('server.conf', SERVER)
        self._write('zabbix.conf.php', FRONT_END)
        # Where another user than zabbix puts notifications, for zabbix to read.
        self.trap_file = os.path.join(self.top, 'traps', 'traps.log')
        os.mkdir(os.path.dirname(self.trap_file))
        os.chmod(self.top, 0o711)
        self._copy_pages()
        self._run('chown', '-R', f'{USER}:', self.inside, user='root')
        # Of the languages of the web pages one must be there, and be no part of the system for it.
        self._run('mkdir', f'{self.inside}/locale')
        self._run('localedef', '-i', 'en_US', '-f', 'UTF-8', f'{self.inside}/locale/en_US.UTF-8')
        self._start_database()
        self.server = self._start('zabbix_server', '/usr/sbin/zabbix_server', '-f', '-c',
                                  f'{self.inside}/server.conf')
        self.server.stop_signal = signal.SIGKILL  # it would write all that it has into the database
        self._start('php', '/usr/bin/php', '-d', 'post_max_size=32M', '-d', 'memory_limit=256M',
                    '-d', 'max_execution_time=300', '-d', 'max_input_time=300',
                    '-d', f'session.save_path={self.inside}', '-d', 'date.timezone=UTC',
                    '-S', f'127.0.0.1:{web}', '-t', f'{self.inside}/www',
                    PHP_CLI_SERVER_WORKERS='4', LOCPATH=f'{self.inside}/locale')
        wait_for(self._answers, 180, 'the web pages answer', 0.2)

    def close(self):
        """Ends its processes, those that were started last first, and removes its directory, in which
        they would still make files."""
        for one in [one for one in reversed(self.lab.processes) if isinstance(one, Server)]:
            one.stop(one.stop_signal)
        shutil.rmtree(self.top, ignore_errors=True)

    def _write(self, name, template):
        with open(os.path.join(self.top, name), 'w', encoding='utf-8') as file:
            file.write(template.format(top=self.inside, port=self.port))

    def _copy_pages(self):
        """Debian's copy has the place of its configuration written into it."""
        shutil.copytree(os.path.join(self.root, 'usr/share/zabbix'),
                        os.path.join(self.top, 'www'), symlinks=True)
        # The letters of the graphs are a link out of the directory, and a relative one.
        letters = os.path.join(self.top, 'www/assets/fonts/DejaVuSans.ttf')
        os.unlink(letters)
        shutil.copy(os.path.join(self.root, FONT), letters)
        path = os.path.join(self.top, 'www/include/classes/core/CConfigFile.php')
        with open(path, encoding='utf-8') as file:
            text = file.read()
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text.replace('/etc/zabbix/zabbix.conf.php',
                                    f'{self.inside}/zabbix.conf.php'))

    def _command(self, *argv, user=USER):
        return ['chroot', f'--userspec={user}:{user}', self.root, *argv]

    def _run(self, *argv, user=USER, text=None):
        done = subprocess.run(self._command(*argv, user=user), input=text, capture_output=True,
                              timeout=300, check=False, cwd=self.top)
        if done.returncode != 0:
            raise OSError(f'{argv[0]}: {done.stderr[-1000:]!r}')

    def _start(self, name, *argv, **environment):
        return self.lab.add(Server(self.lab.unique(name), self._command(*argv),
                                   self.lab.directory, environment))

    def _start_database(self):
        base = os.path.join(self.root, 'usr/lib/postgresql')
        programs = f'/usr/lib/postgresql/{max(os.listdir(base), key=int)}/bin'
        data = f'{self.inside}/db'
        self._run(f'{programs}/initdb', '-D', data, '-A', 'trust', '-U', USER, '-E', 'UTF8',
                  '--locale=C', '--no-sync')
        postgres = self._start(
            'postgres', f'{programs}/postgres', '-D', data, '-k', data, '-c', 'listen_addresses=',
            '-c', 'fsync=off', '-c', 'synchronous_commit=off', '-c', 'full_page_writes=off',
            '-c', 'dynamic_shared_memory_type=mmap', '-c', 'max_wal_size=1GB')
        # An immediate end, without waiting for clients: the database is thrown away.
        postgres.stop_signal = signal.SIGQUIT
        wait_for(lambda: os.path.exists(os.path.join(self.top, 'db/.s.PGSQL.5432')), 180,
                 'PostgreSQL listens', 0.1)
        psql = ('/usr/bin/psql', '-q', '-h', data, '-U', USER, '-v', 'ON_ERROR_STOP=1')
        self._run(*psql, 'postgres', '-c', 'CREATE DATABASE zabbix')
        for name in ('schema', 'images', 'data'):
            path = os.path.join(self.root, f'usr/share/zabbix-server-pgsql/{name}.sql.gz')
            text = subprocess.run(['zcat', path], capture_output=True, check=True).stdout
            self._run(*psql, '-1', 'zabbix', text=text)
        self._run(*psql, 'zabbix', '-c', 'ANALYZE')

    # -- the API ---------------------------------------------------------------------------------

    def _answers(self):
        try:
            self.token = self.call('user.login', username='Admin', password='zabbix')
        except (OSError, ValueError, RuntimeError):
            return False
        return True

    def call(self, method, *many, **parameters):
        """The result of an API method; what it refuses is a RuntimeError."""
        question = {'jsonrpc': '2.0', 'id': 1, 'method': method,
                    'params': list(many) if many else parameters}
        headers = {'Content-Type': 'application/json-rpc'}
        if self.token and self.version < (6, 4):
            question['auth'] = self.token
        elif self.token:
            headers['Authorization'] = f'Bearer {self.token}'
        request = urllib.request.Request(f'{self.url}/api_jsonrpc.php',
                                         json.dumps(question).encode(), headers)
        with urllib.request.urlopen(request, timeout=120) as answer:
            found = json.load(answer)
        if 'error' in found:
            raise RuntimeError(f'{method}: {found["error"]["data"]}')
        return found['result']

    def import_template(self, path):
        """Imports a file as the web pages do; returns the template's number."""
        with open(path, encoding='utf-8') as file:
            text = file.read()
        both = {'createMissing': True, 'updateExisting': True}
        groups = ({'groups': both} if self.version < (6, 2) else
                  {'template_groups': both, 'host_groups': both})
        rules = {**groups, 'templates': both, 'templateDashboards': {**both, 'deleteMissing': True}}
        for name in ('items', 'triggers', 'graphs', 'discoveryRules', 'valueMaps'):
            rules[name] = {**both, 'deleteMissing': True}
        self.call('configuration.import', format='yaml', rules=rules, source=text)
        return self.call('template.get', filter={'host': 'iSCSI by SNMP'})[0]['templateid']

    def add_host(self, name, port, template, **macros):
        """A host behind SNMP on 127.0.0.1; returns its number."""
        group = self.call('hostgroup.get', filter={'name': 'Linux servers'})[0]['groupid']
        return self.call(
            'host.create', host=name, groups=[{'groupid': group}],
            templates=[{'templateid': template}],
            macros=[{'macro': '{$' + key.replace('_', '.') + '}', 'value': value}
                    for key, value in macros.items()],
            interfaces=[{'type': 2, 'main': 1, 'useip': 1, 'ip': '127.0.0.1', 'dns': '',
                         'port': str(port), 'details': {
                             'version': 2, 'community': 'public', 'bulk': 1}}])['hostids'][0]

    def ask_one_by_one(self, host):
        """From now on, one question for each object of the host."""
        for one in self.call('hostinterface.get', hostids=host):
            self.call('hostinterface.update', interfaceid=one['interfaceid'],
                      details={**one['details'], 'bulk': 0})

    def errors(self):
        """What the processes said last, for a failed test."""
        return '\n'.join(line for one in self.lab.processes if isinstance(one, Server)
                         for line in one.text().splitlines()[-30:])
