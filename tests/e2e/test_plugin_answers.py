#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""check_iscsi_snmp against agents that answer what snmpd would not: an end of everything, errors, and
names that lead nowhere. It must end, and call nothing well that it does not know. TAP."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
from false_agent import AUTHORIZATION_ERROR, GEN_ERR, NO_SUCH_NAME, FalseAgent, integer
from snmp_raw import tlv
from tap import Tap

PLUGIN = os.path.join(laboratory.BUILD, 'check_iscsi_snmp')
OBJECTS = snmp.oid(laboratory.PRIVATE_ROOT) + (1, 1)
UPTIME = (1, 3, 6, 1, 2, 1, 25, 1, 1, 0)
OK, WARNING, CRITICAL, UNKNOWN = range(4)
DROP_IN_COMMUNITY = re.search(r'^rocommunity (\S+) 127', (
    Path(laboratory.TOP) / 'conf/snmpd.conf.d/iscsi-agentx.conf').read_text(), re.M)[1].encode()


def summary(status):
    return {OBJECTS + (1, 1, 0): integer(status),
            OBJECTS + (1, 2, 0): tlv(4, b'status: all that there is')}


def run(agent, *arguments):
    done = subprocess.run([PLUGIN, '-H', '127.0.0.1', '-p', str(agent.port), '-t', '20', *arguments],
                          capture_output=True, text=True, timeout=60, check=False,
                          env={'PATH': os.environ['PATH']})
    return done.returncode, done.stdout, done.stderr


def test_end(t, agent):
    """What the modules show is the last that the agent has."""
    for version in ('1', '2c'):
        t.equal(run(agent, '-P', version), (OK, 'ISCSI OK - all that there is\n', ''),
                f'v{version}: a walk ends where the agent has no more')
        status, text, _ = run(agent, '-P', version, '-m', 'paths')
        t.ok(status == OK and text.startswith('ISCSI OK - 0 of 0 paths connected | '),
             f'v{version}: so does that of an empty table', text)
    t.equal(agent.community, DROP_IN_COMMUNITY, 'the community is that of the file for snmpd.conf.d')


def test_errors(t, agent):
    for version in ('1', '2c'):
        agent.error = GEN_ERR
        status, text, _ = run(agent, '-P', version)
        t.ok(status == UNKNOWN and text.count('\n') == 1 and text.startswith(
            'ISCSI UNKNOWN - 127.0.0.1: the host answers: (genError)'),
             f'v{version}: genErr is told: UNKNOWN', text)
    agent.error = AUTHORIZATION_ERROR
    status, text, _ = run(agent)
    t.ok(status == UNKNOWN and 'the host answers: authorizationError' in text,
         'authorizationError is, too', text)
    agent.error = NO_SUCH_NAME
    status, text, _ = run(agent, '-P', '1')
    t.ok(status == UNKNOWN and 'has no answer to this' in text,
         'v1: an agent that has nothing at all: UNKNOWN', text)
    agent.error = 0


def test_names(t, agent):
    name, value = OBJECTS + (1, 1, 0), integer(1)
    asked = agent.asked
    agent.said = [(name, value)]
    status, text, _ = run(agent)
    t.ok(status == UNKNOWN and 'names that do not increase' in text,
         'the same row for ever: UNKNOWN', text)
    t.ok(agent.asked - asked == 2, 'and asked no third time', agent.asked - asked)
    agent.said = [(name[:-3], value)]
    status, text, _ = run(agent)
    t.ok(status == UNKNOWN and 'has no answer to this' in text, 'a name before all: nothing', text)
    agent.said = None


def test_values(t, agent):
    agent.shown = summary(9)
    status, text, _ = run(agent)
    t.equal((status, text), (UNKNOWN, 'ISCSI UNKNOWN - all that there is\n'),
            'a status that is none: UNKNOWN')
    agent.shown = {**summary(1), OBJECTS + (1, 1, 0): tlv(0x40, bytes(4))}
    status, text, _ = run(agent)
    t.ok(status == UNKNOWN and 'has no answer to this' in text,
         'a status that is an address: none is known', text)
    agent.shown = {**summary(1), OBJECTS + (1, 2, 0): tlv(4, b'status: two\nlines | and \x1b[2J')}
    status, text, _ = run(agent)
    t.equal((status, text), (OK, 'ISCSI OK - two?lines ? and ?[2J\n'),
            'a text cannot break the line')


def test_stale(t, agent):
    """As an agent whose reader of open-iscsi hangs: its rows are gone, the summary counts 0 of all."""
    counts = {OBJECTS + (1, n, 0): integer(0) for n in range(3, 17)}
    agent.shown = {**summary(4), **counts, OBJECTS + (1, 17, 0): integer(1),
                   OBJECTS + (6, 1, 4, 1): integer(2), OBJECTS + (6, 1, 4, 2): integer(4)}
    for version in ('1', '2c'):
        for mode, start in (('paths', '0 of 0 paths connected'),
                            ('expected', '0 of 0 expected paths missing'),
                            ('sessions', '0 of 0 sessions connected, 0 failed'),
                            ('targets', '0 targets')):
            t.equal(run(agent, '-P', version, '-m', mode),
                    (UNKNOWN, f'ISCSI UNKNOWN - {start}, a source cannot be read\n', ''),
                    f'v{version}: {mode} of a stale source: UNKNOWN, and no value')
    t.equal(run(agent), (UNKNOWN, 'ISCSI UNKNOWN - all that there is | sources_failing=1;;;0\n', ''),
            'health: none but that of the sources')
    agent.shown[OBJECTS + (6, 1, 2, 1)] = tlv(4, b'multipath')
    for version in ('1', '2c'):
        t.equal(run(agent, '-P', version, '-m', 'targets'),
                (UNKNOWN, 'ISCSI UNKNOWN - 0 targets, a source cannot be read | targets=0;;;0\n', ''),
                f'v{version}: one that has no targets hides none')


def test_no_agent(t, agent):
    """snmpd answers, and iscsi-agentx does not; then it is back."""
    with tempfile.TemporaryDirectory() as state:
        arguments = ['-m', 'errors', '--state', state]
        rows = {OBJECTS + (3, 1, 31, n): integer(250) for n in (1, 2)}
        agent.shown = {**summary(1), **rows}
        status, text, _ = run(agent, *arguments)
        t.ok(status == OK and text.startswith('ISCSI OK - first look'), 'errors: the first look', text)
        path, = Path(state).iterdir()
        kept = path.read_bytes()
        agent.shown = {(1, 3, 6, 1, 2, 1, 1, 3, 0): integer(5)}
        for mode in (arguments, ['-m', 'targets']):
            status, text, _ = run(agent, *mode)
            t.ok(status == UNKNOWN and 'is iscsi-agentx running there' in text,
                 f'{mode[1]} without the agent: UNKNOWN', text)
        t.ok(path.read_bytes() == kept and len(list(Path(state).iterdir())) == 1,
             'and what was kept stays as it is')
        agent.shown = {**summary(1), **rows}
        status, text, _ = run(agent, *arguments)
        t.ok(status == OK and text.startswith('ISCSI OK - 0 errors in '),
             'with the agent back: no error of before is told', text)
        t.ok(text.endswith(' s | errors=0;0;;0 path_failures=500c;;;0\n'),
             'and a counter that no row has is no value', text)


def test_boot(t, agent):
    """The uptime of the host goes back: its session 1 is another one. v1 and v2c say differently that
    there is no uptime."""
    def errors():
        agent.shown = {**summary(1), OBJECTS + (5, 1, 14, 1, 2, 1, 0): integer(count)}
        if uptime:
            agent.shown[UPTIME] = tlv(0x43, uptime.to_bytes(4, 'big'))
        return run(agent, '-P', version, '-m', 'errors', '--state', state)[:2]

    for version in ('1', '2c'):
        with tempfile.TemporaryDirectory() as state:
            count, uptime = 1, 90000
            status, text = errors()
            t.ok(status == OK and text.startswith('ISCSI OK - first look'), f'v{version}: errors', text)
            count, uptime = 4, 3000
            status, text = errors()
            t.ok(status == OK and text.startswith('ISCSI OK - 0 errors in '),
                 f'v{version}: after a boot devices count from now on', text)
            count, uptime = 5, None
            status, text = errors()
            t.ok(status == WARNING and ' 1 errors of devices in ' in text,
                 f'v{version}: without an uptime from what the row had', text)


def test_requests(t, agent):
    """What docs/FLEET.md tells of the cost of a check, by SNMPv2c."""
    paths = {OBJECTS + (3, 1, column, row): value for row in range(1, 25) for column, value in
             ((2, integer(1)), (3, integer(1)), (4, integer(2)), (6, tlv(4, b'iqn.a')), (7, tlv(4, b'default')),
              (8, tlv(4, b'192.0.2.1:3260')), (31, integer(0)), (33, tlv(4, b'')), (39, integer(9)))}
    sources = {OBJECTS + (6, 1, column, row): integer(1) for row in range(1, 7) for column in (1, 4, 14)}
    counts = {OBJECTS + (1, n, 0): integer(0) for n in range(3, 18)}
    agent.shown = {**counts, **summary(1), **paths, **sources, OBJECTS + (7, 1, 2, 1): integer(1)}
    text = (Path(laboratory.TOP) / 'docs' / 'FLEET.md').read_text().replace('\n', ' ')
    t.ok('all, 2 or 4 requests; `paths` has 8 more for up to 24 paths, `errors` 11 where no' in text,
         'docs/FLEET.md tells how many requests a check makes')
    with tempfile.TemporaryDirectory() as state:
        for state_of, more in ((1, 0), (3, 2)):
            agent.shown[OBJECTS + (6, 1, 4, 2)] = integer(state_of)
            for mode, wanted in (('health', 2 + more), ('paths', 10 + more), ('errors', 13 + 2 * more)):
                asked = agent.asked
                status, said, _ = run(agent, '-m', mode, *(['--state', state] if mode == 'errors' else []))
                t.ok(status == OK and agent.asked - asked == wanted,
                     f'{mode}{", while a source fails" if more else ""}: {wanted} requests', agent.asked - asked, said)


def main():
    with Tap() as t:
        if not os.access(PLUGIN, os.X_OK):
            t.skip_all(f'{PLUGIN} is not built')
        with FalseAgent(summary(1)) as agent:
            test_end(t, agent)
            test_errors(t, agent)
            test_names(t, agent)
            test_values(t, agent)
            test_stale(t, agent)
            test_no_agent(t, agent)
            test_boot(t, agent)
            test_requests(t, agent)


if __name__ == '__main__':
    main()
