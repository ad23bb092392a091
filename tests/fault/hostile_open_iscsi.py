# SPDX-License-Identifier: BSD-2-Clause
"""Hostile changes to a host with ten sessions of open-iscsi, most of them to session 4."""
from hostile import (changes, fails, is_directory, leads, lists, put, removed, vanishes)

BASE = 'open-iscsi/many'
SESSIONS, CONNECTIONS = '/sys/class/iscsi_session', '/sys/class/iscsi_connection'
HOSTS, DEVICES, NODES = '/sys/class/iscsi_host', '/sys/class/scsi_device', '/etc/iscsi/nodes'
S4, C4, H3, D3 = (f'{SESSIONS}/session4', f'{CONNECTIONS}/connection4:0', f'{HOSTS}/host3',
                  f'{DEVICES}/3:0:0:0')
T = 'iqn.2026-11.lab.example:'
RECORD = f'{NODES}/{T}t2/10.10.2.2,3260,1/default'
LONG = 'iqn.' + 'n' * 219  # as long as a name may be
PATH4 = f'path out {T}init1 by default to {T}t2 at 10.10.2.2'
# What is lost with session 4, and with its name.
SESSION4 = ('session sid 4 ', 'connection sid 4 ', 'device sid 4 ', PATH4)
# Another name is another path, whose record there is none of.
OTHER_PATH = {'gone': (PATH4,), 'gives': ('new path', 'session.enabled_default'), 'quiet': True}
OTHER_TARGET = {**OTHER_PATH, 'gives': (*OTHER_PATH['gives'], 'session.target_name')}
NO_MAP = ('path.map_name',)  # its session has no device, so that there is no map

# Every attribute of session 4, its connection, host and device, but for those that name it.
SWEEP = [f'{S4}/*', f'{C4}/*', f'{H3}/*', f'{D3}/*', '/sys/class/scsi_host/host3/*',
         '/sys/class/net/ini2/*', '/proc/net/route', '/proc/net/if_inet6', '/proc/net/tcp*',
         '/proc/sys/kernel/*', '/sys/module/*']
IDENTITY = ('targetname', 'initiatorname', 'creator')
SWEEP_GIVES = (
    # Texts are shown as they are, made harmless.
    'session.key', 'session.iface', 'session.netdev', 'session.transport', 'path.iface',
    'path.netdev', 'path.transport', 'path.portal_name', 'device.name', 'device.vendor',
    'device.model', 'device.map_name', 'device.map_wwid', 'path.map_name', 'path.map_wwid',
    'device.size', 'device.requests', 'device.completions', 'device.errors', 'device.timeouts',
    'instance.vendor_version', 'instance.node_architecture', 'instance.description',
    'session.enabled_default', 'path.expected',  # of another record, of another interface
    'session.login',                             # without a port
    'path.recovery_timeout',                     # negative is for ever
    'session.condition', 'path.status',          # state and link are told apart by what is known
    'portal.description', 'new path', 'new portal')
SWEEP_GONE = (PATH4, 'portal initiator 10.10.')


def many_names(format, count):
    return [format.format(i) for i in range(count)]


def every(paths, content):
    def edit(tree):
        for path in paths(tree):
            tree.file(path, content)
    return edit


def thousands(tree):
    """3,000 sessions that are listed and not there."""
    for name in many_names('session{}', 3000):
        tree.mention(f'{SESSIONS}/{name}')
    for name in many_names('connection{}:0', 3000):
        tree.mention(f'{CONNECTIONS}/{name}')


def two_of_one_number(tree):
    tree.mention(f'{SESSIONS}/session04')
    for path in tree.files(f'{S4}/*'):
        tree.file(path.replace('session4', 'session04'), tree.text(path))


def around(tree):
    """Links in a circle where the session's folder should be."""
    tree.forget(S4)
    tree.link(S4, '../iscsi_host/round')
    tree.link(f'{HOSTS}/round', '../iscsi_session/session4')


CHANGES = changes({
    # ---- names ----
    'target name empty': put(f'{S4}/targetname', '\n', gone=SESSION4),
    'target name (null)': put(f'{S4}/targetname', '(null)\n', gone=SESSION4),
    'target name longer than any': put(f'{S4}/targetname', LONG + 'nnnnnn' * 20 + '\n',
                                       **OTHER_TARGET),
    'target name of 64 KiB': put(f'{S4}/targetname', 'n' * 65536 + '\n', gone=SESSION4),
    'target name not UTF-8': put(f'{S4}/targetname', b'iqn.2026-11.lab:\xff\xfe\n',
                                 **OTHER_TARGET),
    'target name with escapes': put(f'{S4}/targetname', 'iqn.2026-11.lab:\x1b[2J\x07\n',
                                    **OTHER_TARGET),
    'target name of two lines': put(f'{S4}/targetname', f'{T}t2\n{T}t1\n',
                                    **OTHER_TARGET),
    'target name that goes up': put(f'{S4}/targetname', '../../../etc/passwd\n',
                                    **OTHER_TARGET),
    'target name with a NUL': put(f'{S4}/targetname', f'{T}t2\0x\n', gone=SESSION4),
    'target name that cannot be read': fails(f'{S4}/targetname', 'EIO', gone=SESSION4),
    'initiator name (null)': put(f'{S4}/initiatorname', '(null)\n', gone=SESSION4),
    'initiator name of 64 KiB': put(f'{S4}/initiatorname', 'n' * 65536 + '\n', gone=SESSION4),
    'initiator name forged': put(f'{S4}/initiatorname', f'{T}init1 by default to {T}t2\n',
                                 gives=('new node', 'new path', 'session.node',
                                        'session.enabled_default'),
                                 gone=(PATH4,), quiet=True),
    'interface name that goes up': put(f'{S4}/ifacename', '../../../etc/shadow\n',
                                       gives=(*OTHER_PATH['gives'], 'session.iface'),
                                       gone=(PATH4,), quiet=True),
    'creator forged': put(f'{S4}/creator', '259 epoch 7\n', gives=('new session', 'new connection', 'new device', 'path.session'),
                         gone=SESSION4[:3], quiet=True),
    # ---- states and addresses ----
    'state unknown to all': put(f'{S4}/state', 'LOGGED_OUT\n'),
    'state of two lines': put(f'{S4}/state', 'LOGGED_IN\nFAILED\n'),
    'state without newline': put(f'{S4}/state', 'LOGGED_IN'),
    'state in small letters': put(f'{S4}/state', 'logged_in\n'),
    'link state of 4 KiB': put(f'{C4}/state', 'up' * 2048),
    'port 0': put(f'{C4}/port', '0\n'),
    'port 65536': put(f'{C4}/port', '65536\n'),
    'port negative': put(f'{C4}/local_port', '-1\n', gives=('session.login',)),
    'configured port 0': put(f'{C4}/persistent_port', '0\n', gone=(PATH4,)),
    'address of five parts': put(f'{C4}/address', '10.10.2.2.2\n'),
    'address with zeros in front': put(f'{C4}/address', '010.010.002.002\n'),
    'address of all': put(f'{C4}/address', '0.0.0.0\n'),
    'address with a zone of nothing': put(f'{C4}/address', 'fe80::1%nosuch\n'),
    'address with a path as its zone': put(f'{C4}/address', 'fe80::1%../../etc\n'),
    'configured address is a command': put(f'{C4}/persistent_address', '$(reboot)\n',
                                           **OTHER_PATH),
    'configured address not UTF-8': put(f'{C4}/persistent_address', b'\xff\xff\n', **OTHER_PATH),
    'host address is a name': put(f'{H3}/ipaddress', 'localhost\n'),
    'netdev that goes up': put(f'{H3}/netdev', '../../../../etc\n'),
    'netdev longer than any': put(f'{H3}/netdev', 'n' * 200 + '\n',
                                  gives=('session.netdev', 'path.netdev')),
    # ---- numbers ----
    'burst length 0': put(f'{S4}/first_burst_len', '0\n'),
    'burst length 511': put(f'{S4}/first_burst_len', '511\n'),
    'burst length 2 to the 24th': put(f'{S4}/max_burst_len', '16777216\n'),
    'R2T 65536': put(f'{S4}/max_outstanding_r2t', '65536\n'),
    'truth value 2': put(f'{S4}/immediate_data', '2\n'),
    'digest 2': put(f'{C4}/data_digest', '2\n'),
    'segment length of 2 to the 31st': put(f'{C4}/max_recv_dlength', '2147483648\n'),
    'portal group tag 65536': put(f'{S4}/tpgt', '65536\n'),
    'recovery never': put(f'{S4}/recovery_tmo', 'off\n', gives=('path.recovery_timeout',)),
    'device counts that go beyond': put(f'{D3}/device/iorequest_cnt', '0x1ffffffffffffffff\n'),
    'device size beyond': put(f'{D3}/device/block/sdf/size', '36028797018963968\n'),
    # ---- errors of the kernel ----
    **{f'{what} {path.rsplit("/", 1)[1]}': fails(path, what) for what, path in (
        ('EIO', f'{S4}/state'), ('EACCES', f'{S4}/first_burst_len'), ('ENODEV', f'{C4}/state'),
        ('ENOTCONN', f'{C4}/address'), ('EINVAL', f'{D3}/device/access_state'),
        ('ELOOP', f'{H3}/ipaddress'), ('E2BIG', f'{C4}/exp_statsn'), ('EINTR', f'{S4}/tpgt'),
        ('EAGAIN', f'{D3}/device/state'), ('ENOMEM', f'{C4}/header_digest'))},
    'EACCES on the records': fails(NODES, 'EACCES', 'dir', gone=('auth ',)),
    'EIO on the list of hosts': fails(HOSTS, 'EIO', 'dir'),
    'EIO on the list of devices': fails(DEVICES, 'EIO', 'dir', gone=('device ',)),
    'EIO on the list of sessions': fails(SESSIONS, 'EIO', 'dir', gone=('',)),
    'EACCES on the list of connections': fails(CONNECTIONS, 'EACCES', 'dir', gone=('',)),
    'EISDIR on the interfaces': is_directory('/etc/iscsi/ifaces/ini1if'),
    # ---- what is something else ----
    'session is a file': put(S4, 'x\n', gone=SESSION4),
    'session is a link to nothing': leads(S4, '../../devices/nothing', gone=SESSION4),
    'session leads out': leads(S4, '../../../../../../etc', gone=SESSION4),
    'session in a circle': {'edit': around, 'gone': SESSION4},
    'state is a directory': is_directory(f'{S4}/state', 'x'),
    'connection is a link to itself': leads(C4, 'connection4:0', gone=(PATH4,)),
    'device leads to another session': leads(
        D3, '../../devices/platform/host4/session5/target4:0:0/3:0:0:0/scsi_device/3:0:0:0',
        gone=('device sid 4 ',), gives=('new device', *NO_MAP), quiet=True),
    'device leads to no session': leads(D3, '../../devices/pci0000:00/ata1/3:0:0:0',
                                     gone=('device sid 4 ',), gives=NO_MAP, quiet=True),
    'record is a directory': is_directory(RECORD, 'default'),
    'classes are files': {'edit': lambda tree: (tree.forget(SESSIONS), tree.file(SESSIONS, 'x')),
                          'gone': ('',), 'quiet': True},
    # ---- names in directories ----
    'sessions with odd numbers': lists(
        SESSIONS, 'session', 'session-1', 'session4294967296', 'session99999999999999999999',
        'session4x', 'Session4', 'session 4', 'session\n4', 'session\udcff', '.session4', 's' * 255,
        quiet=True),
    'a session number twice': {'edit': two_of_one_number, 'quiet': True},
    'connections with odd numbers': lists(
        CONNECTIONS, 'connection', 'connection4', 'connection4:', 'connection:0', 'connection4:-1',
        'connection4:65536', 'connection4:0:0', 'connection04:00', 'connection4:0 ', quiet=True),
    'a connection of no session': lists(CONNECTIONS, 'connection77:0', quiet=True),
    'devices with odd names': lists(
        DEVICES, '3:0:0', '3:0:0:', ':::', '3:0:0:-1', '3:0:0:18446744073709551616', '3:0:0:0:0',
        '4294967296:0:0:0', 'x', '03:0:0:0', quiet=True),
    'hosts with odd names': lists(HOSTS, 'host', 'host-1', 'host4294967296', 'hostx', quiet=True),
    'records with odd names': lists(
        NODES, 'iqn.\x1b[31m', 'iqn.' + 'x' * 250, '..iqn', 'iqn.\udcff\udcfe', 'iqn. \t', quiet=True),
    'thousands of sessions that are not there': {'edit': thousands, 'quiet': True},
    'thousands of records that are not there': lists(
        NODES, *many_names('iqn.2026-11.lab.example:r{}', 5000), quiet=True),
    # ---- what goes away ----
    'session vanishes': vanishes(S4, gone=SESSION4),
    'session is removed': removed(S4, gone=SESSION4),
    'its connection vanishes': vanishes(C4, gone=(PATH4,)),
    'its connection is removed': removed(C4, gone=('connection sid 4 ', PATH4)),
    'its host vanishes': vanishes(H3),
    'its device vanishes': vanishes(D3, gone=('device sid 4 ',), gives=NO_MAP),
    'states vanish': {'edit': lambda tree: [tree.forget(p) for p in tree.files(
        f'{SESSIONS}/*/state')], 'gone': ('portal ',), 'quiet': True},
    'all of one connection unreadable': {'edit': lambda tree: [
        tree.error(p, 'EACCES') for p in tree.files(f'{C4}/*')], 'gone': (PATH4,)},
    'all of one session unreadable': {'edit': lambda tree: [
        tree.error(p, 'EIO') for p in tree.files(f'{S4}/*')], 'gone': SESSION4},
    'all of one session empty': {'edit': every(lambda tree: tree.files(f'{S4}/*'), ''),
                                 'gone': SESSION4},
    'all attributes of all empty': {'edit': every(
        lambda tree: tree.files(f'{SESSIONS}/*', f'{CONNECTIONS}/*'), ''), 'gone': ('',)},
    # ---- configuration ----
    'secrets everywhere': {'edit': lambda tree: (
        tree.file(RECORD, tree.text(RECORD) + 'node.session.auth.password = CANARY-7147\n'),
        tree.file('/etc/iscsi/iscsid.conf', tree.text('/etc/iscsi/iscsid.conf') +
                  'node.session.auth.password = CANARY-7147\n'),
        tree.file(f'{S4}/password', 'CANARY-7147\n'), tree.file(f'{S4}/password_in', 'CANARY-7147\n'),
        tree.file(f'{S4}/username', 'CANARY-7147\n')), 'quiet': True},
    'record of another portal': put(RECORD, 'node.conn[0].address = 999.9.9.9\n'
                                    'node.conn[0].port = 99999\nnode.tpgt = -1\n',
                                    gives=('session.enabled_default',), quiet=True),
    'record of one long line': put(RECORD, 'node.startup = ' + 'automatic' * 7000 + '\n', quiet=True,
                                gives=('session.enabled_default',)),
    'record of NULs': put(RECORD, b'\0' * 4096, quiet=True, gives=('session.enabled_default',)),
    'iscsid.conf of controls': put('/etc/iscsi/iscsid.conf', bytes(range(32)) * 100, quiet=True,
                                   gives=('node.first_burst_length',)),
    'initiator name file is binary': put('/etc/iscsi/initiatorname.iscsi',
                                         b'\xff\x00InitiatorName=\xfe\n', gone=('auth ',),
                                         gives=('new node', 'new auth'), quiet=True),
    'alias not UTF-8': put('/etc/iscsi/initiatorname.iscsi',
                           b'InitiatorName=' + T.encode() + b'init1\nInitiatorAlias=\xff\x1b[0m\n',
                           gives=('node.alias', 'session.initiator_alias',
                                  'instance.login_alias'), quiet=True),
})
