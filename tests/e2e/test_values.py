#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every value of ISCSI-MIB for tgtd, against witnesses that are not the agent.

Witnesses: tgtadm's output, what the initiators wrote down (login keys, command counts, own ports),
a login made by hand (TSIH, CID), /proc/net/tcp, and what the lab set up. tgt's rules for what can
be known at all are written out below, once more and independently of the agent's source.
"""

import os
import socket
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
import snmp
import sockets
from initiator import session
from process import wait_for
from raw_initiator import RawSession
from tap import Tap

NAME = 'iqn.2004-10.org.example:'
DISK_A, DISK_B, DISK_C = NAME + 'disk-a', NAME + 'disk-b', NAME + 'disk-c'
SECRET = 'not-to-be-seen-17'
INSTANCE = (3,)  # tgtd at control port 0

ENTRY = {name: snmp.ISCSI_OBJECTS + tail for name, tail in {
    'instance': (1, 1, 1), 'instance errors': (1, 2, 1), 'portal': (2, 1, 1),
    'target portal': (3, 1, 1), 'initiator portal': (4, 1, 1), 'node': (5, 1, 1),
    'target': (6, 1, 1), 'target login': (6, 2, 1), 'target logout': (6, 3, 1),
    'target auth': (7, 1, 1), 'initiator': (8, 1, 1), 'initiator login': (8, 2, 1),
    'initiator logout': (8, 3, 1), 'initiator auth': (9, 1, 1), 'session': (10, 1, 1),
    'session counters': (10, 2, 1), 'session errors': (10, 3, 1), 'connection': (11, 1, 1),
}.items()}

# All accessible columns of RFC 7147, for the holes: every other column of a row is one.
COLUMNS = {
    'instance': range(2, 15), 'instance errors': range(1, 5), 'portal': range(2, 15),
    'target portal': range(2, 4), 'initiator portal': range(2, 3), 'node': range(2, 19),
    'target': range(1, 8), 'target login': range(1, 7), 'target logout': range(1, 5),
    'target auth': range(2, 5), 'initiator': range(1, 8), 'initiator login': range(1, 8),
    'initiator logout': range(1, 3), 'initiator auth': range(2, 5), 'session': range(3, 24),
    'session counters': range(1, 9), 'session errors': range(1, 3), 'connection': range(2, 17),
}

TRUE, FALSE = 1, 2
NONE, NO_DIGEST, CRC32C = 1, 3, 4
READ_ONLY, ACTIVE = 5, 1
TRUTH = {'Yes': TRUE, 'No': FALSE}


def octets(address):
    """(InetAddressType, InetAddress) of an address as text."""
    family = socket.AF_INET6 if ':' in address else socket.AF_INET
    return (2 if family == socket.AF_INET6 else 1), socket.inet_pton(family, address)


def endpoint(text):
    address, _, port = text.rpartition(':')
    return address.strip('[]'), int(port)


def values(varbinds, name):
    """{index: {column: value}} of a table."""
    return {index: {column: varbind.value for column, varbind in row.items()}
            for index, row in snmp.table(varbinds, ENTRY[name]).items()}


class Scene:
    """The lab's targets and sessions, and what is known of each session from its own side."""

    def __init__(self, lab):
        self.lab = lab
        lab.start_snmpd()
        self.tgtd = lab.start_tgtd()
        self.tgtd.add_target(DISK_A)
        self.tgtd.add_target(
            DISK_B, acl=('127.0.0.0/8', '::1'), names=[NAME + 'host-2'],
            accounts=[('demo', SECRET), ('other', SECRET + 'x')],
            parameters=[('InitialR2T', 'No'), ('ImmediateData', 'No'), ('MaxOutstandingR2T', '4'),
                        ('FirstBurstLength', '32768'), ('MaxBurstLength', '131072'),
                        ('DefaultTime2Wait', '5'), ('DefaultTime2Retain', '33'),
                        ('MaxConnections', '2'), ('MaxRecvDataSegmentLength', '16384'),
                        ('HeaderDigest', 'CRC32C'), ('DataDigest', 'None')])
        self.tgtd.add_target(DISK_C, luns=0)
        v4, v6 = self.tgtd.portals()
        self.initiator = lab.start_initiator(
            session(v4, DISK_A, NAME + 'host-1', alias='host one', rate=40),
            session(v4, DISK_A, NAME + 'host-1', alias='host one', rate=20),
            session(v4, DISK_B, NAME + 'host-2', alias='Größe', rate=30, user='demo',
                    secret=SECRET, header_digest='crc32c'),
            session(v4, DISK_A, NAME + 'host-3', header_digest='crc32c-none'))
        self.raw = None

    def log_in_by_hand(self):
        self.raw = RawSession(self.tgtd.portals()[1], DISK_C, NAME + 'by-hand',
                              alias='none of them', cid=7)

    def sides(self):
        """{(initiator, own address, own port): login keys and more} from the initiators' side."""
        found = []
        for number in range(self.initiator.count):
            sent = self.initiator.sent(number)
            found.append({'name': sent['initiator'], 'alias': sent['alias'], 'cid': 0,
                          'target': sent['target'], 'portal': endpoint(sent['portal']),
                          'local': self.initiator.local(number),
                          'keys': self.initiator.keys(number), 'number': number})
        if self.raw:
            found.append({'name': self.raw.initiator, 'alias': self.raw.alias, 'cid': 7,
                          'target': DISK_C, 'portal': endpoint(self.raw.portal),
                          'local': self.raw.local(), 'keys': self.raw.answer_keys,
                          'number': None})
        return found


def test_instance(t, walk, targets, session_count, portals):
    rows = values(walk, 'instance')
    t.equal(list(rows), [INSTANCE], 'one instance: tgtd at control port 0 is number 3')
    row = rows[INSTANCE]
    system = os.uname()
    wanted = {2: b'tgt target, control port 0', 3: 0, 4: 0,
              5: b'Linux SCSI target framework (tgt)', 6: b'', 7: len(portals), 8: len(targets),
              9: session_count, 11: (0, 0), 12: b'', 13: 0,
              14: f'{system.sysname} {system.release} {system.machine}'.encode()}
    t.equal(row, wanted, 'iscsiInstanceAttributesTable')


def target_digest(tgtd, targets, key, primary, secondary):
    """The portals are shared: their digests, by column, are those of all targets, if they agree."""
    texts = {tgtd.parameters(target.tid)[key] for target in targets}
    if len(texts) > 1:
        return {}
    return {'None': {primary: NO_DIGEST, secondary: NONE},
            'CRC32C': {primary: CRC32C, secondary: NO_DIGEST}}[texts.pop()]


def test_portals(t, walk, tgtd, targets):
    rows = values(walk, 'portal')
    ports = values(walk, 'target portal')
    smallest = min(int(tgtd.parameters(target.tid)['MaxRecvDataSegmentLength'])
                   for target in targets)
    wanted = []
    for text, tag in tgtd.show_portals():
        address, port = endpoint(text)
        family, packed = octets(address)
        wanted.append(({2: ACTIVE, 3: b'\x80', 4: family, 5: packed, 6: 6, 7: smallest,
                        **target_digest(tgtd, targets, 'HeaderDigest', 8, 10),
                        **target_digest(tgtd, targets, 'DataDigest', 9, 11),
                        12: FALSE, 13: READ_ONLY, 14: b''}, {2: port, 3: tag}))
    got = [(row, ports.get((*index, 0))) for index, row in rows.items()]
    t.equal(sorted(got, key=str), sorted(wanted, key=str),
            'iscsiPortalAttributesTable and iscsiTgtPortalAttributesTable')
    t.equal(len(ports), len(rows), 'each portal has one tag, the same for all nodes')


def test_nodes(t, walk, tgtd, targets):
    rows = values(walk, 'node')
    wanted = {}
    for target in targets:
        key = tgtd.parameters(target.tid)
        wanted[target.name.encode()] = {
            2: target.name.encode(), 3: b'', 4: b'\x80', 5: (0, 0), 6: TRUTH[key['InitialR2T']],
            7: TRUTH[key['ImmediateData']], 8: int(key['MaxOutstandingR2T']),
            9: int(key['FirstBurstLength']), 10: int(key['MaxBurstLength']),
            11: int(key['MaxConnections']), 12: TRUTH[key['DataSequenceInOrder']],
            13: TRUTH[key['DataPDUInOrder']], 14: int(key['DefaultTime2Wait']),
            15: int(key['DefaultTime2Retain']), 16: int(key['ErrorRecoveryLevel']), 17: 0,
            18: READ_ONLY}
    for row in rows.values():
        t.equal(row, wanted.pop(row[2], None), f'iscsiNodeAttributesTable: {row[2].decode()}')
    t.equal(wanted, {}, 'each target is a node')
    set_up = rows[node_index(walk, DISK_B)]
    t.equal([set_up[c] for c in (6, 7, 8, 9, 10, 11, 14, 15)],
            [FALSE, FALSE, 4, 32768, 131072, 2, 5, 33], 'the node shows what the lab set')
    nothing = {2: 0, 3: (0, 0), 4: b'', 5: 0, 6: b'', 7: 0}
    t.equal(values(walk, 'target'), {index: nothing for index in rows},
            'iscsiTargetAttributesTable: no failure, and none is claimed to be counted')


def node_index(walk, name):
    return next(index for index, row in values(walk, 'node').items() if row[2] == name.encode())


def test_access(t, walk, targets):
    rows = values(walk, 'target auth')
    for target in targets:
        index = node_index(walk, target.name)
        mine = [row for key, row in rows.items() if key[:2] == index]
        t.equal(mine, [{2: ACTIVE, 3: (0, 0), 4: READ_ONLY}]
                * (len(target.acl) + len(target.accounts)),
                f'iscsiTgtAuthAttributesTable: {len(mine)} identities may use {target.name}')
    t.equal(len(next(x for x in targets if x.name == DISK_B).acl), 3, 'the lab made three rules')


def expected_session(tgtd, target, nexus, keys):
    """The row of tgtadm's session, and whether the initiator's login says the same."""
    configured = tgtd.parameters(target.tid)
    row = {3: 1, 4: nexus.initiator.encode(), 5: b'', 6: socket.htons(nexus.nexus),
           8: b'' if nexus.alias == 'none' else nexus.alias.encode(), 9: b'', 12: 1,
           16: len(nexus.connections), 17: (0, 0), 20: 0, 22: 1, 23: b'\x80'}
    # A result is certain only where the target's value decides it alone: OR, AND, minimum of 1.
    if configured['InitialR2T'] == 'Yes':
        row[10] = TRUE
    if configured['ImmediateData'] == 'No':
        row[11] = FALSE
    if configured['MaxOutstandingR2T'] == '1':
        row[13] = 1
    for column, key in ((18, 'DataSequenceInOrder'), (19, 'DataPDUInOrder')):
        if configured[key] == 'Yes':
            row[column] = TRUE
    negotiated = {10: ('InitialR2T', TRUTH.get), 11: ('ImmediateData', TRUTH.get),
                  13: ('MaxOutstandingR2T', int), 18: ('DataSequenceInOrder', TRUTH.get),
                  19: ('DataPDUInOrder', TRUTH.get), 20: ('ErrorRecoveryLevel', int)}
    differing = [key for column, (key, convert) in negotiated.items()
                 if column in row and key in keys and convert(keys[key]) != row[column]]
    return row, differing


def expected_connection(tgtd, target, side, candidates):
    """The row of the session's one connection."""
    configured = tgtd.parameters(target.tid)
    family, remote = octets(side['local'][0])
    _, local = octets(side['portal'][0])
    row = {2: side['cid'], 3: 2, 4: family, 5: local, 6: 6, 7: side['portal'][1], 8: remote,
           10: int(configured['MaxRecvDataSegmentLength']), 14: FALSE, 15: FALSE, 16: 0}
    if len(candidates) == 1:
        row[9] = side['local'][1]
    for column, key in ((12, 'HeaderDigest'), (13, 'DataDigest')):
        if configured[key] == 'None':  # else an initiator may have refused: not known
            row[column] = NO_DIGEST
    return row


def test_sessions(t, scene, walk, targets):
    sessions, connections = values(walk, 'session'), values(walk, 'connection')
    by_tsih = {row.get(6): index for index, row in sessions.items()}
    table = sockets.established()
    sides = scene.sides()
    expected = 0
    for target in targets:
        mine = [side for side in sides if side['target'] == target.name]
        for nexus in target.sessions:
            expected += 1
            what = f'{nexus.initiator} at {target.name.rpartition(":")[2]}, nexus {nexus.nexus}'
            # Two sessions of one name have the same keys; each side is used once.
            side = next(s for s in mine if s['name'] == nexus.initiator)
            mine.remove(side)
            row, differing = expected_session(scene.tgtd, target, nexus, side['keys'])
            index = by_tsih.get(row[6])
            if not t.ok(index is not None, f'a row for {what}'):
                continue
            got = dict(sessions[index])
            got.pop(21)
            t.equal(got, row, f'iscsiSessionAttributesTable: {what}')
            t.equal(differing, [], 'and the initiator negotiated the same')
            t.equal(nexus.alias, side['alias'] or 'none', 'tgtd knows the alias that was sent')
            t.equal(index[:2], node_index(walk, target.name), 'the row is below its node')

            local, port = octets(side['portal'][0])[1], side['portal'][1]
            remote = octets(side['local'][0])[1]
            same = {s for s in table if s.remote == remote and s.local == local
                    and s.local_port == port}
            t.ok(sockets.Socket(local, port, remote, side['local'][1]) in same,
                 'the kernel has the connection')
            t.equal({i: r for i, r in connections.items() if i[:3] == index},
                    {(*index, 1): expected_connection(scene.tgtd, target, side, same)},
                    f'iscsiConnectionAttributesTable: {what}')
    t.equal((len(sessions), len(connections)), (expected, expected), 'no other rows')
    t.equal(expected, len(sides), 'tgtd has the sessions that the initiators have')


def test_wire(t, scene, walk):
    tsih = scene.raw.tsih
    rows = [row for row in values(walk, 'session').values() if row.get(6) == tsih]
    t.ok(len(rows) == 1 and rows[0][4] == (NAME + 'by-hand').encode(),
         f'iscsiSsnTSIH is what was on the wire: {tsih}', rows)
    ports = [row.get(9) for row in values(walk, 'connection').values() if row[2] == 7]
    t.equal(ports, [scene.raw.local()[1]], 'the only IPv6 connection has its remote port, CID 7')


def test_counters(t, scene, walk, targets, counts):
    rows = values(walk, 'session counters')
    by_tsih = {row.get(6): index for index, row in values(walk, 'session').items()}
    seen = []
    for target in targets:
        stat = scene.tgtd.stat(target.tid)
        for nexus in target.sessions:
            mine = [stat[key] for key in stat if key[0] == nexus.nexus]
            row = rows[by_tsih[socket.htons(nexus.nexus)]]
            received = sum(s['rx_octets'] for s in mine)
            sent = sum(s['tx_octets'] for s in mine)
            t.equal(row, {1: sum(s['commands'] for s in mine), 3: sent, 4: received,
                          5: sent % 2 ** 32, 6: received % 2 ** 32},
                    f'iscsiSessionStatsTable: {nexus.initiator}, nexus {nexus.nexus}')
            seen.append((row[1], nexus.initiator))
    own = [(c.commands, scene.initiator.sent(n)['initiator']) for n, c in enumerate(counts)]
    t.equal(sorted(seen), sorted([*own, (0, NAME + 'by-hand')]),
            'iscsiSsnCmdPDUs is what the initiators counted themselves')


def test_access_paths(t, lab, walk):
    manager = lab.manager()
    t.equal(manager.bulkwalk(), walk, 'snmpbulkwalk gives what snmpwalk gives')
    t.equal(manager.bulkwalk(repetitions=7), walk, 'with another number of repetitions too')
    t.equal(manager.get(*[v.oid for v in walk]), walk, 'and so does a GET of each name')
    t.equal(lab.manager6().bulkwalk(), walk, 'and the agent on ::1')
    t.equal(lab.manager(version='1').walk(), [v for v in walk if v.kind != 'Counter64'],
            'SNMPv1 has everything but Counter64')
    t.ok([v.oid for v in walk] == sorted({v.oid for v in walk}), 'names rise, none is there twice')
    after = manager.next(walk[-1].oid)[0]
    t.ok(after.oid > walk[-1].oid and after.oid[:len(snmp.ISCSI_OBJECTS)] != snmp.ISCSI_OBJECTS,
         'after the last comes another module', str(after))


def test_holes(t, lab, walk):
    have = {v.oid for v in walk}
    holes, strangers = [], []
    for name, entry in ENTRY.items():
        # Tables that augment others have the rows of those, also if all columns are holes.
        base = {'instance errors': 'instance', 'target login': 'target',
                'target logout': 'target', 'session counters': 'session',
                'session errors': 'session'}.get(name, name)
        indexes = list(values(walk, base))
        holes += [(*entry, column, *index) for column in COLUMNS[name] for index in indexes
                  if (*entry, column, *index) not in have]
        strangers += [(*entry, COLUMNS[name][0], *index[:-1], 4000000000) for index in indexes[:1]]
        outside = {column for row in values(walk, name).values() for column in row}
        t.ok(outside <= set(COLUMNS[name]), f'the table "{name}" has columns of the MIB only')
    got = lab.manager().get(*holes)
    t.equal([v.oid for v in got if v.kind != snmp.NO_INSTANCE], [],
            f'{len(holes)} values that are not known are noSuchInstance')
    t.ok(len(holes) > 50, 'and there are such')
    t.equal({v.kind for v in lab.manager().get(*strangers)}, {snmp.NO_INSTANCE},
            'so are rows that do not exist')


def test_moving(t, scene):
    manager = scene.lab.manager()
    scene.initiator.resume()
    samples = []
    for _ in range(6):
        samples.append({v.oid: v.value for v in manager.bulkwalk(ENTRY['session counters'])})
        time.sleep(0.6)
    back = [oid for a, b in zip(samples, samples[1:]) for oid in a if b.get(oid, -1) < a[oid]]
    t.equal(back, [], 'no counter went back while there was I/O')
    moved = {oid[-1] for oid in samples[0] if samples[-1][oid] > samples[0][oid]}
    t.equal(len(moved), 3, 'the counters of the three sessions with I/O have moved')


def test_times(t, scene):
    manager = scene.lab.manager()
    known = set(values(manager.walk(ENTRY['session']), 'session'))
    before = manager.value(snmp.SYS_UPTIME)
    extra = RawSession(scene.tgtd.portals()[0], DISK_A, NAME + 'latecomer')

    def new_row():
        rows = values(manager.walk(ENTRY['session']), 'session')
        return [row for index, row in rows.items() if index not in known]

    row = wait_for(new_row, 5, 'the new session is shown')[0]
    after = manager.value(snmp.SYS_UPTIME)
    t.ok(before <= row[21] <= after,
         'iscsiSsnDiscontinuityTime is the time at which the session came',
         f'{before} <= {row[21]} <= {after}')
    extra.close()
    wait_for(lambda: set(values(manager.walk(ENTRY['session']), 'session')) == known, 5,
             'the session that ended is gone')
    t.ok(True, 'a session that ended has no row')


def main():
    with Tap() as t:
        why = laboratory.missing(ipv6=True)
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            scene = Scene(lab)
            scene.log_in_by_hand()
            lab.start_agent()
            counts = scene.initiator.pause()
            time.sleep(2.2)  # two polls: what is shown now is from after the pause
            targets = scene.tgtd.show()
            walk = lab.manager().walk()
            t.equal(len(targets), 3, 'tgtadm shows the targets of the lab')
            test_instance(t, walk, targets, 5, scene.tgtd.show_portals())
            test_portals(t, walk, scene.tgtd, targets)
            test_nodes(t, walk, scene.tgtd, targets)
            test_access(t, walk, targets)
            test_sessions(t, scene, walk, targets)
            test_wire(t, scene, walk)
            test_counters(t, scene, walk, targets, counts)
            test_access_paths(t, lab, walk)
            test_holes(t, lab, walk)
            test_moving(t, scene)
            test_times(t, scene)
            t.ok(SECRET not in lab.agent.text(), 'no secret in the log')
        t.equal(lab.leftovers, [], 'nothing is left running')


if __name__ == '__main__':
    main()
