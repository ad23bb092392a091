# SPDX-License-Identifier: BSD-2-Clause
"""Secrets where each stack has them, planted below a root that the agent reads, each with a text of its
own, and looked for in what the agent says and in the memory of its processes."""

import re

PREFIX = 'CANARY-7147-'

# Lines of node, discovery and interface records and of iscsid.conf, all in clear.
RECORD_KEYS = ('node.session.auth.username', 'node.session.auth.password',
               'node.session.auth.username_in', 'node.session.auth.password_in',
               'discovery.sendtargets.auth.password', 'discovery.sendtargets.auth.password_in')
CONFIGFS = 'sys/kernel/config/target/iscsi'
SCST = 'sys/kernel/scst_tgt/targets/iscsi'
# Files that the fixtures do not have, with a line around the secret.
FILES = {
    'etc/iscsi/send_targets/10.1.0.2,3260/st_config':
        'discovery.sendtargets.auth.password = {}\n',
    'etc/iscsi/isns/10.1.0.3,3205/isns_config': 'discovery.isns.auth.password = {}\n',
    'var/lib/iscsi/send_targets/10.1.0.2,3260/st_config':
        'discovery.sendtargets.auth.password_in = {}\n',
    'etc/tgt/targets.conf': '<target iqn.x:y>\n  incominguser alice {}\n</target>\n',
    'etc/tgt/conf.d/lab.conf': '<target iqn.x:z>\n  outgoinguser bob {}\n</target>\n',
    'etc/rtslib-fb-target/saveconfig.json': '{{"chap_password": "{}"}}\n',
    'etc/target/saveconfig.json': '{{"chap_mutual_password": "{}"}}\n',
    'etc/scst.conf': 'IncomingUser "joe {}"\n',
    'etc/iscsi-scstd.conf': 'IncomingUser joe {}\n',
    'etc/shadow': 'root:{}:1:0:99999:7:::\n',
    'sys/firmware/ibft/target0/chap-secret': '{}\n',
    'sys/firmware/ibft/target0/rev-chap-name-secret': '{}\n',
    'sys/bus/iscsi_flashnode/devices/flashnode_sess-1:0/password': '{}\n',
    'sys/bus/iscsi_flashnode/devices/flashnode_sess-1:0/chap_out_idx': '{}\n',
}
# Below each directory that fits: names of secrets, and what is around them.
BESIDE = (
    ('sys/devices/**/iscsi_session/session*',
     {'username': '{}\n', 'username_in': '{}\n', 'password': '{}\n', 'password_in': '{}\n'}),
    (f'{CONFIGFS}/discovery_auth', {'password': '{}\n', 'password_mutual': '{}\n'}),
    (f'{CONFIGFS}/*/tpgt_*/auth', {'password': '{}\n', 'password_mutual': '{}\n'}),
    (f'{CONFIGFS}/*/tpgt_*/acls/*/auth', {'password': '{}\n', 'password_mutual': '{}\n'}),
    (SCST, {'IncomingUser': 'disco {}\n', 'OutgoingUser': 'us {}\n'}),
    (f'{SCST}/iqn.*', {'IncomingUser': 'joe {}\n[key]\n', 'IncomingUser1': 'ann {}\n[key]\n',
                       'OutgoingUser': 'us {}\n[key]\n'}),
)


def plant(top):
    """Plants all of them below a directory; {text: the file that has it}."""
    planted = {}

    def write(path, around, add=False):
        word = f'{PREFIX}{len(planted):03d}'
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, 'a' if add else 'w', encoding='utf-8') as file:
            file.write(around.format(word))
        planted[word] = f'{path.relative_to(top)}: {around.strip()}'

    for name, around in FILES.items():
        write(top / name, around)
    for pattern, names in BESIDE:
        places = [place for place in top.glob(pattern) if place.is_dir()]
        if not places:
            raise ValueError(f'nothing below {top} fits {pattern}')
        for place in places:
            for name, around in names.items():
                write(place / name, around)
    records = [path for path in top.glob('etc/iscsi/nodes/**/*') if path.is_file()]
    for path in [*records, top / 'etc/iscsi/iscsid.conf']:
        for key in RECORD_KEYS:
            write(path, f'{key} = {{}}\n', add=True)
    return planted


def found(planted, octets):
    """The secrets in these octets, by where they were planted."""
    words = set(re.findall((PREFIX + r'\d{3}').encode(), octets))
    return sorted(planted.get(word.decode(), word.decode()) for word in words)


def memory(pid):
    """All that a process has in its memory and may read: what a core of it would hold, and more."""
    with open(f'/proc/{pid}/maps', encoding='utf-8') as file:
        maps = [line.split(None, 5) for line in file]
    octets = []
    with open(f'/proc/{pid}/mem', 'rb', buffering=0) as file:
        for area, mode, *rest in maps:
            # The kernel's own pages have nothing of the process.
            if 'r' not in mode or rest[-1].startswith('[v'):
                continue
            start, end = (int(word, 16) for word in area.split('-'))
            while start < end:
                file.seek(start)
                try:
                    part = file.read(min(end - start, 1 << 20))
                except OSError:  # of a mapped file what is beyond its end
                    break
                if not part:
                    break
                octets.append(part)
                start += len(part)
    return b''.join(octets)
