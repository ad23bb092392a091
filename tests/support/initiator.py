# SPDX-License-Identifier: BSD-2-Clause
"""iscsi-demo-initiator in the lab, and what it wrote down: a witness for the tests."""

import collections
import os
import re
import signal

from process import Process, wait_for

Counts = collections.namedtuple(
    'Counts', 'commands reads writes read_octets written_octets logins')


def session(portal, target, initiator, secret=None, **options):
    """The options of one session (or of `count` like it), as the initiator's --help names them."""
    return {'portal': portal, 'target': target, 'initiator': initiator, 'secret': secret,
            'alias': '', 'user': '', 'header-digest': 'none', 'immediate-data': 'yes',
            'initial-r2t': 'no', 'rate': 0, 'blocks': 8, 'retry': 0, 'lun': 1, 'count': 1,
            **{name.replace('_', '-'): value for name, value in options.items()}}


class Initiator(Process):
    """One initiator process with one or many sessions."""

    def __init__(self, name, directory, program, sessions):
        self.count = sum(s['count'] for s in sessions)
        argv, readers, writers = [program], [], []
        for number, options in enumerate(sessions):
            argv += ['--next'] if number else []
            for option, value in options.items():
                if option == 'secret' and value:
                    reader, writer = os.pipe()
                    os.write(writer, value.encode() + b'\n')
                    readers.append(reader)
                    writers.append(writer)
                    argv += ['--password-fd', str(reader)]
                elif option != 'secret':
                    argv += [f'--{option}', str(value)]
        try:
            super().__init__(name, argv, directory, death=signal.SIGTERM, pass_fds=readers)
        finally:
            for descriptor in readers + writers:
                os.close(descriptor)

    def events(self, number):
        """The events of a session, in order, without the number."""
        prefix = f'{number} '
        return [line[len(prefix):] for line in self.text().splitlines()
                if line.startswith(prefix)]

    def ready(self):
        """The number of sessions that are logged in, or were."""
        return len(re.findall(r'^\d+ logged-in$', self.text(), re.M))

    def wait_ready(self, seconds):
        wait_for(lambda: self.ready() >= self.count or not self.running(), seconds,
                 f'{self.count} sessions of {self.name} are logged in')
        if self.ready() < self.count:
            raise OSError(f'{self.name} ended: {self.text()[-1000:]}')

    def keys(self, number):
        """The keys of the target's last login answers: {key: text}."""
        found = {}
        for event in self.events(number):
            if event.startswith('connected '):
                found = {}
            elif match := re.match(r'login ([^=]+)=(.*)$', event):
                found[match.group(1)] = match.group(2)
        return found

    def local(self, number):
        """(address, port) of our end of the last connection."""
        for event in reversed(self.events(number)):
            if match := re.match(r'connected local=\[?([^\]]+)\]?:(\d+)$', event):
                return match.group(1), int(match.group(2))
        return None

    def sent(self, number):
        """What we called ourselves and asked for: portal, target, initiator, alias."""
        for event in reversed(self.events(number)):
            if event.startswith('session '):
                return dict(re.findall(r'(\w+)=(.*?)(?= \w+=|$)', event))
        return {}

    def pause(self):
        """Stops the commands and waits until none is open. Returns the Counts by number."""
        before = self.text().count('paused\n')
        self.send(signal.SIGUSR1)
        wait_for(lambda: self.text().count('paused\n') > before, 10, f'{self.name} pauses')
        return [self.counts(number) for number in range(self.count)]

    def resume(self):
        self.send(signal.SIGUSR2)

    def counts(self, number):
        """The last counts that it printed."""
        for event in reversed(self.events(number)):
            if event.startswith('counts '):
                return Counts(*(int(n) for n in re.findall(r'=(\d+)', event)))
        return None
