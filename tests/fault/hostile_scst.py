# SPDX-License-Identifier: BSD-2-Clause
"""Hostile changes to a host with two targets of SCST, most of them to the first and its sessions."""
from hostile import (changes, fails, is_directory, leads, lists, put, removed, vanishes)

BASE = 'scst/two-targets'
ROOT = '/sys/kernel/scst_tgt/targets/iscsi'
DISKS, TAPES = 'iqn.2006-10.net.vlnb:disks', 'iqn.2006-10.net.vlnb:tapes'
TARGET = f'{ROOT}/{DISKS}'
NAME = 'iqn.2005-03.org.open-iscsi:cacdcd2520'
SESSION = f'{TARGET}/sessions/{NAME}'
CONNECTION = f'{SESSION}/10.0.0.1'
ROWS = (f'session 731:4711 target {DISKS} session {NAME} ',
        f'connection 731:4711 target {DISKS} session {NAME} ', f'path in {NAME} to {DISKS}')
# Without its sid it is a session of an unknown one.
NO_SID = {'gone': ROWS[:2], 'gives': ('new session', 'new connection', 'path.session'), 'quiet': True}
# A path has a row when both ends and the portal are known.
NO_PATH = {'gone': ROWS[2:], 'quiet': True}
# Of another target, and what the portals have in common is that of the other targets.
OTHER = {'quiet': True, 'gives': (
    'portal.primary_header_digest', 'portal.secondary_header_digest', 'portal.primary_data_digest',
    'portal.secondary_data_digest', 'portal.max_recv_data_segment_length')}
ALL = (DISKS,)
ALIAS = ('node.alias', 'session.target_alias')

SWEEP = [f'{TARGET}/*', f'{ROOT}/version', f'{ROOT}/iSNSServer', f'{ROOT}/enabled', '/proc/net/tcp*',
         '/proc/731/*', '/proc/sys/kernel/*', '/run/*']
IDENTITY = ('sid', 'initiator_name', 'cid', 'iscsi-scstd.pid', 'stat')
SWEEP_GIVES = (
    # Texts are shown as they are, made harmless.
    'instance.vendor_version', 'instance.node_architecture', 'node.alias', 'session.target_alias',
    # Counters have 64 bits.
    'session.command_pdus', 'session.tx_octets', 'session.rx_octets',
    'portal.primary_header_digest', 'portal.secondary_header_digest', 'portal.primary_data_digest',
    'portal.secondary_data_digest', 'portal.max_recv_data_segment_length',
    'new session', 'new connection', 'new portal')
SWEEP_GONE = ('portal ', 'session 731', 'connection 731', 'path ')

# Sessions belong to a life of the daemon, and what it listens on is in its arguments.
NO_DAEMON = {'gone': ('portal ', 'session 731', 'connection 731', 'path '), 'quiet': True,
             'gives': ('new session', 'new connection', 'instance.incarnation')}


def names(format, count):
    return [format.format(i) for i in range(count)]


CHANGES = changes({
    # ---- names and numbers of sessions ----
    'sid of words': put(f'{SESSION}/sid', 'none\n', **NO_SID),
    'sid beyond': put(f'{SESSION}/sid', '1' * 17 + '\n', **NO_SID),
    'sid negative': put(f'{SESSION}/sid', '-1\n', **NO_SID),
    'sid empty': put(f'{SESSION}/sid', '', **NO_SID),
    'initiator name empty': put(f'{SESSION}/initiator_name', '\n', **NO_PATH),
    'initiator name of another': put(f'{SESSION}/initiator_name', 'iqn.2026-11.lab:other\n', gone=ROWS[2:],
                                     gives=('session.initiator_name', 'new path'), quiet=True),
    'initiator name not UTF-8': put(f'{SESSION}/initiator_name', b'iqn.\xff\xfe\n', gone=ROWS[2:],
                                    gives=('session.initiator_name', 'new path'), quiet=True),
    'initiator name of two lines': put(f'{SESSION}/initiator_name', f'{NAME}\nx\n', **NO_PATH),
    'initiator name of 64 KiB': put(f'{SESSION}/initiator_name', 'n' * 65600, **NO_PATH),
    'cid beyond': put(f'{CONNECTION}/cid', '65536'),
    'cid negative': put(f'{CONNECTION}/cid', '-1'),
    'cid of words': put(f'{CONNECTION}/cid', 'one'),
    'address of words': put(f'{CONNECTION}/ip', 'localhost', **NO_PATH),
    'address of five parts': put(f'{CONNECTION}/ip', '10.0.0.1.1', **NO_PATH),
    'own address of all': put(f'{CONNECTION}/target_ip', '0.0.0.0', **NO_PATH),
    'state of words': put(f'{CONNECTION}/state', 'somewhere else'),
    'state of 64 KiB': put(f'{CONNECTION}/state', 'established ' * 5600),
    'transport of nothing': put(f'{CONNECTION}/transport', 'iSCSI-PIGEON\n', **NO_PATH),
    # ---- parameters ----
    'digest of nothing': put(f'{SESSION}/HeaderDigest', 'CRC64\n'),
    'digests by the hundred': put(f'{TARGET}/DataDigest', ','.join(['None', 'CRC32C'] * 300)),
    'truth value Perhaps': put(f'{SESSION}/InitialR2T', 'Perhaps\n'),
    'burst length 511': put(f'{SESSION}/FirstBurstLength', '511\n'),
    'burst length beyond': put(f'{SESSION}/MaxBurstLength', '16777216\n'),
    'segment length negative': put(f'{SESSION}/MaxRecvDataSegmentLength', '-8192\n'),
    'R2T 0': put(f'{SESSION}/MaxOutstandingR2T', '0\n'),
    'counts beyond': put(f'{SESSION}/read_cmd_count', '18446744073709551616\n'),
    'a sum of counts beyond': {'edit': lambda tree: [
        tree.file(f'{SESSION}/{kind}_cmd_count', '18446744073709551615\n')
        for kind in ('read', 'write', 'bidi', 'none')]},
    'octets beyond': put(f'{SESSION}/write_io_count_kb', '18014398509481984\n'),
    'alias with the mark of a key': put(f'{TARGET}/alias', '[key]\n[key]\n', gives=ALIAS),
    'alias not UTF-8': put(f'{TARGET}/alias', b'\xff\x1b[0m\n[key]\n', gives=ALIAS),
    'tid of words': put(f'{TARGET}/tid', 'x\n'),
    'per_portal_acl 2': put(f'{TARGET}/per_portal_acl', '2\n'),
    'enabled 2': put(f'{TARGET}/enabled', '2\n'),
    'version of controls': put(f'{ROOT}/version', bytes(range(1, 32)) + b'\n',
                               gives=('instance.vendor_version',)),
    'version of 64 KiB': put(f'{ROOT}/version', 'v' * 65600),
    # ---- names in directories ----
    'targets of nothing': lists(ROOT, 'x', 'iqn.\x1b[31m', 'iqn.\udcff', 'iqn.' + 'x' * 250, '..x',
                                quiet=True),
    'targets by the thousand': lists(ROOT, *names('iqn.2026-11.lab:t{}', 3000), quiet=True),
    'sessions by the thousand': lists(f'{TARGET}/sessions', *names('iqn.2026-11.lab:s{}', 3000),
                                      quiet=True),
    'sessions of nothing': lists(f'{TARGET}/sessions', 'x', 'iqn.\x07', '\udcff', NAME + '_0', quiet=True),
    'connections by the thousand': lists(SESSION, *names('10.0.1.{}', 3000), quiet=True),
    'connections of nothing': lists(SESSION, '1.2.3', '[x]', '[::1', '...', '\udcfe', quiet=True),
    'groups of nothing': lists(f'{TARGET}/ini_groups', '\x1b', '\udcff', 'g' * 255, quiet=True),
    'a portal of nothing': put(f'{TARGET}/allowed_portal', '999.0.0.1\n[key]\n', quiet=True),
    'an account of secrets': put(f'{TARGET}/IncomingUser', 'joe CANARY-7147\n[key]\n',
                                 quiet=True, gives=('new auth',)),
    # ---- errors, and what is something else ----
    'EIO on sid': fails(f'{SESSION}/sid', 'EIO', **NO_SID),
    'EACCES on the name': fails(f'{SESSION}/initiator_name', 'EACCES', **NO_PATH),
    'EIO on a parameter': fails(f'{SESSION}/HeaderDigest', 'EIO'),
    'ENODEV on a count': fails(f'{SESSION}/read_cmd_count', 'ENODEV'),
    'EACCES on the sessions': fails(f'{TARGET}/sessions', 'EACCES', 'dir',
                                    gone=(f'session 731:4711 target {DISKS}', f'connection 731:4711 target {DISKS}',
                                          'path ')),
    'EIO on a session': fails(SESSION, 'EIO', 'dir', gone=('',)),
    'EIO on a target': fails(TARGET, 'EIO', 'dir', gone=('',)),
    'EACCES on all targets': fails(ROOT, 'EACCES', 'dir', gone=('',)),
    'sid is a directory': is_directory(f'{SESSION}/sid', 'x', **NO_SID),
    'sessions are a file': {'edit': lambda tree: (
        tree.forget(f'{TARGET}/sessions'), tree.file(f'{TARGET}/sessions', 'x')), 'gone': (DISKS,), 'quiet': True},
    'a target is a link to itself': leads(TARGET, DISKS, gone=('',)),
    'a target is a link to the other': leads(
        TARGET, TAPES, gone=ALL, quiet=True, gives=(
            *OTHER['gives'], *ALIAS, 'new auth', 'new session', 'new connection', 'node.initial_r2t',
            'node.immediate_data', 'node.max_outstanding_r2t', 'node.first_burst_length',
            'node.max_burst_length')),
    'a session leads out': leads(SESSION, '../../../../../../../../etc', gone=ROWS, quiet=True),
    # ---- what goes away ----
    'session vanishes': vanishes(SESSION, gone=ROWS),
    'session is removed': removed(SESSION, gone=ROWS),
    'connection vanishes': vanishes(CONNECTION, gone=ROWS[1:]),
    'target vanishes': vanishes(TARGET, gone=ALL, gives=OTHER['gives']),
    'target is removed': removed(TARGET, gone=ALL, gives=OTHER['gives']),
    'all of a session unreadable': {'edit': lambda tree: [
        tree.error(p, 'EIO') for p in tree.files(f'{SESSION}/*')], **{**NO_SID, 'gone': ROWS}},
    'all of a session empty': {'edit': lambda tree: [
        tree.file(p, '') for p in tree.files(f'{SESSION}/*')], **{**NO_SID, 'gone': ROWS}},
    'the daemon is another process': put('/proc/731/cmdline', '/bin/sh\0', **NO_DAEMON),
    'the pid file is of words': put('/run/iscsi-scstd.pid', 'me\n', **NO_DAEMON),
    'the pid is beyond': put('/run/iscsi-scstd.pid', '4294967297\n', **NO_DAEMON),
    'the process is of words': put('/proc/731/stat', 'iscsi-scstd S\n', **NO_DAEMON),
    'EACCES on the pid file': fails('/run/iscsi-scstd.pid', 'EACCES', **NO_DAEMON),
    'EACCES on the process': fails('/proc/731/stat', 'EACCES', **NO_DAEMON),
    # Sessions are named after the daemon: better no row than one of nobody's.
    'EIO on the pid file': fails('/run/iscsi-scstd.pid', 'EIO', gone=('',)),
    'EIO on the process': fails('/proc/731/stat', 'EIO', gone=('',)),
})
