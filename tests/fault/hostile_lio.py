# SPDX-License-Identifier: BSD-2-Clause
"""Hostile changes to a host with four targets of LIO, most of them to t2 and its session."""
from hostile import (changes, fails, is_directory, leads, lists, put, removed, vanishes)

BASE = 'lio/sessions'
ROOT = '/sys/kernel/config/target/iscsi'
N = 'iqn.2026-11.lab.example:'
T1, T2, T4 = f'{ROOT}/{N}t1', f'{ROOT}/{N}t2', f'{ROOT}/{N}t4'
TPG = f'{T2}/tpgt_1'
ACL = f'{TPG}/acls/{N}init1'
INFO = f'{ACL}/info'
STATS = f'{T2}/fabric_statistics'
SESSION2 = (f'session {N}t2/', f'connection {N}t2/', f'path in {N}init1 to {N}t2')
TARGET2 = (f'{N}t2',)
ALIAS = ('session.initiator_alias',)
# Another name is another target.
OTHER = {'gone': TARGET2, 'quiet': True, 'gives': tuple(f'new {kind}' for kind in (
    'portal', 'node', 'auth', 'session', 'connection', 'path'))}

SWEEP = [f'{T2}/*', f'{ROOT}/lio_version', '/proc/net/tcp*', '/proc/sys/kernel/*']
IDENTITY = ('info',)
SWEEP_GIVES = (
    # Texts are shown as they are, made harmless; a digest that nobody knows is other(2).
    'instance.node_architecture', 'instance.vendor_version', 'instance.vendor', 'node.alias',
    'node.target_last_failure_name', 'session.target_alias', 'portal.primary_header_digest',
    'portal.secondary_header_digest', 'portal.primary_data_digest', 'portal.secondary_data_digest',
    'connection.header_digest', 'connection.data_digest',
    # Counters have 64 bits.
    'instance.session_failures', 'instance.connection_timeouts', 'instance.digest_errors',
    'instance.format_errors', 'session.command_pdus', 'session.response_pdus', 'session.tx_octets',
    'session.rx_octets', 'session.connection_digest_errors', 'session.connection_timeouts')
# Without the table of sockets it is not known which portal a connection came by.
SWEEP_GONE = ('path ',)

# The remark that there are sessions without a row is there already.
GUESTS = {'gone': (f'session {N}t1/tpgt_1/dynamic',), 'gives': ('new session', 'new path'),
          'quiet': True}


def info(old, new, **more):
    """Other words in the report of the session."""
    def edit(tree):
        tree.file(INFO, tree.text(INFO).replace(old, new))
    return dict(more, edit=edit)


def moved(old, new, **more):
    """A directory with another name."""
    def edit(tree):
        parent = old.rpartition('/')[0]
        for (path, kind), value in list(tree.nodes.items()):
            if path == old or path.startswith(old + '/'):
                tree.nodes[f'{parent}/{new}{path[len(old):]}', kind] = value
        tree.remove(old)
        tree.mention(f'{parent}/{new}')
    return dict(more, edit=edit)


def names(format, count):
    return [format.format(i) for i in range(count)]


CONNECTION = ('CID: 0  Connection State: TARG_CONN_STATE_LOGGED_IN\n'
              '   Address 10.10.1.1 TCP  StatSN: 0xb0d231c2\n')

CHANGES = changes({
    # ---- the report of a session, into which an initiator writes its alias ----
    'info empty': put(INFO, '', gone=SESSION2),
    'info of one word': put(INFO, 'x', gone=SESSION2),
    'info of 64 KiB': put(INFO, 'InitiatorName: ' + 'x' * 65600, gone=SESSION2),
    'info of NULs': put(INFO, b'\0' * 4096, gone=SESSION2),
    'info cut': {'edit': lambda tree: tree.file(INFO, tree.text(INFO)[:200]), 'gone': SESSION2},
    'info of another initiator': info(f'InitiatorName: {N}init1', f'InitiatorName: {N}other',
                                      gone=SESSION2),
    'info without an initiator': info(f'InitiatorName: {N}init1\n', '', gone=SESSION2),
    'alias with the lines of a session': info(
        'InitiatorAlias: lab-initiator', 'InitiatorAlias: x\nLIO Session ID: 99   ISID: 0x00 00 00 00 '
        '00 00  TSIH: 99  SessionType: Normal\nSession State: TARG_SESS_STATE_LOGGED_IN', gives=ALIAS),
    'alias with the lines of a connection': info(
        'InitiatorAlias: lab-initiator', 'InitiatorAlias: x\n' + CONNECTION.replace('10.10', '6.6'),
        gives=ALIAS),
    'alias not UTF-8': {'edit': lambda tree: tree.file(INFO, tree.text(INFO).encode().replace(
        b'lab-initiator', b'\xff\x1b[0m')), 'gives': ALIAS},
    'alias of 4 KiB': info('lab-initiator', 'a' * 4000, gone=SESSION2),
    'session number beyond': info('Session ID: 3 ', 'Session ID: 4294967296 ', gone=SESSION2),
    'session number negative': info('Session ID: 3 ', 'Session ID: -3 ', gone=SESSION2),
    'ISID short': info('0x00 02 3d 00 00 05', '0x00 02 3d 00 00', gone=SESSION2),
    'ISID of words': info('0x00 02 3d 00 00 05', '0xno ne of th es e!', gone=SESSION2),
    'TSIH beyond': info('TSIH: 3 ', 'TSIH: 65536 ', gone=SESSION2),
    'session type of nothing': info('SessionType: Normal', 'SessionType: Sideways', gone=SESSION2),
    'session state of nothing': info('TARG_SESS_STATE_LOGGED_IN', 'TARG_SESS_STATE_DREAMING', gone=SESSION2),
    'connection state of nothing': info('TARG_CONN_STATE_LOGGED_IN', 'TARG_CONN_STATE_DREAMING', gone=SESSION2),
    'CID beyond': info('CID: 0 ', 'CID: 65536 ', gone=SESSION2),
    'CID twice': info(CONNECTION, CONNECTION * 2),
    'connections by the thousand': info(CONNECTION, ''.join(
        CONNECTION.replace('CID: 0', f'CID: {i}') for i in range(600)),
                                     gives=('new connection', 'new path')),
    'no connection': info(CONNECTION, '', gone=SESSION2[1:], quiet=True),
    'address of a word': info('Address 10.10.1.1', 'Address localhost'),
    'address of five parts': info('Address 10.10.1.1', 'Address 10.10.1.1.1'),
    'transport of nothing': info('TCP ', 'PIGEON ', gone=SESSION2),
    # ---- numbers ----
    'version negative': put(f'{STATS}/iscsi_instance/max_ver', '-1\n'),
    'failures of 2 to the 64th': put(f'{STATS}/iscsi_instance/fail_sess', '18446744073709551616\n'),
    'failure type 99': put(f'{STATS}/iscsi_instance/fail_type', '99\n'),
    'login failure type 7': put(f'{STATS}/iscsi_tgt_attr/last_fail_type', '7\n'),
    'login failure in the future': put(f'{STATS}/iscsi_tgt_attr/last_fail_time',
                                       '18446744073709551615\n'),
    'login failure at no address': put(f'{STATS}/iscsi_tgt_attr/fail_intr_addr', '(nowhere)\n'),
    'more failures by kind than in all': put(f'{STATS}/iscsi_login_stats/authorize_fails', '4000000000\n',
                                             gives=('node.target_login_authorize_fails',
                                                    'node.target_login_failures',
                                                    'node.target_last_failure_type')),
    'commands negative': put(f'{ACL}/fabric_statistics/iscsi_sess_stats/cmd_pdus', '-1\n'),
    'octets beyond': put(f'{ACL}/fabric_statistics/iscsi_sess_stats/rxdata_octs', '1' * 30 + '\n'),
    'sessions fewer than shown': put(f'{STATS}/iscsi_instance/sessions', '0\n'),
    'burst length of words': put(f'{ACL}/param/FirstBurstLength', 'plenty\n'),
    'burst length beyond': put(f'{ACL}/param/MaxBurstLength', '16777216\n'),
    'truth value Perhaps': put(f'{TPG}/param/InitialR2T', 'Perhaps\n'),
    'digests of nothing': put(f'{TPG}/param/HeaderDigest', 'CRC64,ROT13\n',
                              gives=('portal.primary_header_digest',
                                     'portal.secondary_header_digest')),
    'digests by the hundred': put(f'{TPG}/param/DataDigest', ','.join(['CRC32C', 'None'] * 500)),
    'alias of the target too long': put(f'{TPG}/param/TargetAlias', 'x' * 300 + '\n',
                                        gives=('node.alias', 'session.target_alias')),
    # ---- names of directories ----
    'target of a word': moved(T2, 'short', **OTHER),
    'target not UTF-8': moved(T2, 'iqn.2026-11.lab:\udcff\udcfe', **OTHER),
    'target with an escape': moved(T2, 'iqn.2026-11.lab:\x1b[31m', **OTHER),
    'target longer than any': moved(T2, 'iqn.' + 'x' * 240, **OTHER),
    'portal group 0': moved(TPG, 'tpgt_0', **OTHER),
    'portal group beyond': moved(TPG, 'tpgt_65536', gone=TARGET2, quiet=True),
    'portal group of words': moved(TPG, 'tpgt_one', gone=TARGET2, quiet=True),
    'portal groups by the thousand': lists(T2, *names('tpgt_{}', 3000), quiet=True),
    'portals of nothing': lists(f'{TPG}/np', '10.10.1.2', ':3260', '10.10.1.2:0', '10.10.1.2:65536',
                                '[fd00::1:3260', '[]:3260', '999.1.1.1:3260', 'x:y', quiet=True,
                                gives=('new portal',)),
    'ACLs of nothing': lists(f'{TPG}/acls', 'x', 'iqn.' + 'x' * 250, '\udcff', 'iqn.\x07', quiet=True,
                              gives=('new auth',)),
    'ACLs by the thousand': lists(f'{TPG}/acls', *names('iqn.2026-11.lab:a{}', 3000), quiet=True,
                                gives=('new auth',)),
    'targets by the thousand': lists(ROOT, *names('iqn.2026-11.lab:t{}', 3000), quiet=True,
                                   gives=('new node',)),
    'names of demo mode of controls': put(f'{T1}/tpgt_1/dynamic_sessions', bytes(range(1, 32)) * 100,
                                         **GUESTS),
    'names of demo mode without an end': put(f'{T1}/tpgt_1/dynamic_sessions', 'iqn.' + 'x' * 5000,
                                             **GUESTS),
    'names of demo mode of 64 KiB': put(f'{T1}/tpgt_1/dynamic_sessions', 'iqn.a\n\0' * 9000,
                                       **GUESTS),
    # ---- errors, and what is something else ----
    'EIO on info': fails(INFO, 'EIO', gone=SESSION2),
    'ENODEV on info': fails(INFO, 'ENODEV', gone=SESSION2, quiet=True),
    'EACCES on the ACLs': fails(f'{TPG}/acls', 'EACCES', 'dir', gone=(*SESSION2, f'auth {N}t2/')),
    'EIO on the portals': fails(f'{TPG}/np', 'EIO', 'dir', gone=('',)),
    'EIO on a target': fails(T2, 'EIO', 'dir', gone=('',)),
    'EACCES on all targets': fails(ROOT, 'EACCES', 'dir', gone=('',)),
    'EAGAIN on enable': fails(f'{TPG}/enable', 'EAGAIN'),
    'statistics are a file': {'edit': lambda tree: (tree.forget(STATS), tree.file(STATS, 'x'))},
    'enable is a directory': is_directory(f'{TPG}/enable', 'x'),
    'info is a directory': is_directory(INFO, 'x', gone=SESSION2),
    'a target is a link to itself': leads(T2, f'{N}t2', gone=TARGET2),
    'a portal group leads to the other target': leads(TPG, f'../{N}t1/tpgt_1',
                                                     **{**OTHER, 'gives': (*OTHER['gives'], 'node.alias')}),
    'ACLs lead out': leads(f'{TPG}/acls', '../../../../../../../../../etc',
                           gone=(*SESSION2, f'auth {N}t2/'), quiet=True),
    # ---- what goes away ----
    'target vanishes': vanishes(T2, gone=TARGET2),
    'target is removed': removed(T2, gone=TARGET2),
    'portal group vanishes': vanishes(TPG, gone=TARGET2),
    'ACL vanishes': vanishes(ACL, gone=SESSION2),
    'parameters vanish': vanishes(f'{ACL}/param'),
    'statistics of the session vanish': vanishes(f'{ACL}/fabric_statistics'),
    'all of the target unreadable': {'edit': lambda tree: [
        tree.error(p, 'EIO') for p in tree.files(f'{T2}/*')], 'gone': SESSION2},
    'all of the target empty': {'edit': lambda tree: [
        tree.file(p, '') for p in tree.files(f'{T2}/*')], 'gone': SESSION2},
    'secrets everywhere': {'edit': lambda tree: [
        tree.file(p, 'CANARY-7147\n') for p in (
            f'{TPG}/auth/password', f'{TPG}/auth/password_mutual', f'{ACL}/auth/password',
            f'{ACL}/auth/password_mutual', f'{ROOT}/discovery_auth/password')], 'quiet': True},
})
