#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What somebody else may have put where the daemon keeps its files: links, files and directories of
another user, directories that all may write to. It says so, goes on, and writes through none of them.
TAP. Needs root, snmpd, tgt."""

import os
import pwd
import stat
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / 'support'))
# pylint: disable=wrong-import-position
import lab as laboratory
from process import children, wait_for
from tap import Tap

STRANGER = 12345
VICTIM = 'a line that must stay as it is\n'
NOBODY = pwd.getpwnam('nobody')
NAME = 'iqn.2004-10.org.example:'


class Scene:
    """The daemon with directories of its own, prepared by a test before it starts."""

    number = 0

    def __init__(self, lab):
        Scene.number += 1
        self.lab = lab
        self.top = Path(lab.path(f'files-{Scene.number}'))
        self.top.mkdir(mode=0o755)
        self.state, self.run = self.top / 'state', self.top / 'run'
        self.victim = self.top / 'victim'
        self.victim.write_text(VICTIM)
        self.victim.chmod(0o666)

    def directories(self):
        for path in (self.state, self.run):
            path.mkdir(mode=0o700)
            os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)

    def serve(self, until, **environment):
        """Starts it, waits for what is expected of it, ends it; its messages."""
        agent = self.lab.start_agent(
            environment=environment, stateDir=self.state, runDir=self.run)
        wait_for(lambda: until(agent.text()), 20, 'what is expected of it')
        assert self.lab.serving()
        self.lab.stop_agent()
        return agent.text()

    def untouched(self, t, what):
        t.equal(self.victim.read_text(), VICTIM, f'{what}: what it leads to is as it was')


def is_own_file(path):
    try:
        st = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(st.st_mode) and st.st_uid == NOBODY.pw_uid and \
        stat.S_IMODE(st.st_mode) == 0o600 and st.st_size > 0


def refused_file(t, lab, what, plant):
    """Files that are not to be trusted: a message each, and files of our own in their place."""
    scene = Scene(lab)
    scene.directories()
    paths = [scene.state / 'index', scene.state / 'events', scene.run / 'index.run']
    for path in paths:
        plant(scene, path)
    said = scene.serve(lambda text: all(map(is_own_file, paths)))
    t.equal(said.count('cannot be used (Operation not permitted)'), len(paths),
            f'{what} in place of each file: told')
    scene.untouched(t, what)


def plant_link(scene, path):
    path.symlink_to(scene.victim)


def plant_dangling(scene, path):
    path.symlink_to(scene.top / 'nothing')


def plant_foreign(_scene, path):
    path.write_text(VICTIM)
    os.chown(path, STRANGER, STRANGER)


def plant_writable(_scene, path):
    path.write_text(VICTIM)
    path.chmod(0o666)
    os.chown(path, NOBODY.pw_uid, NOBODY.pw_gid)


def left_over(t, lab):
    """A link with the name of the file that is written aside."""
    scene = Scene(lab)
    scene.directories()
    for name in ('index.tmp', 'events.tmp'):
        (scene.state / name).symlink_to(scene.victim)
    scene.serve(lambda text: is_own_file(scene.state / 'index') and
                is_own_file(scene.state / 'events'))
    t.equal(sorted(p.name for p in scene.state.iterdir()), ['events', 'index'],
            'links with the names of the files that are written aside: gone')
    scene.untouched(t, 'such a link')


def refused_directory(t, lab, what, plant, told):
    scene = Scene(lab)
    elsewhere = scene.top / 'elsewhere'
    elsewhere.mkdir(mode=0o777)
    elsewhere.chmod(0o777)
    plant(scene, elsewhere)
    said = scene.serve(lambda text: text.count('cannot be used') >= 2)
    for path in (scene.state, scene.run):
        t.ok(f'{path}: cannot be used ({told})' in said, f'{what} as {path.name}Dir: told', said)
    t.equal(list(elsewhere.iterdir()) + [p for d in (scene.state, scene.run) if not d.is_symlink()
                                         for p in d.iterdir()], [], f'{what}: nothing is written')


def link_directories(scene, elsewhere):
    for path in (scene.state, scene.run):
        path.symlink_to(elsewhere)


def foreign_directories(scene, _elsewhere):
    for path in (scene.state, scene.run):
        path.mkdir(mode=0o777)
        path.chmod(0o777)
        os.chown(path, STRANGER, STRANGER)


def open_directory(t, lab):
    """Root's own directory that all may write to, with what a stranger left there: put in order."""
    scene = Scene(lab)
    for path in (scene.state, scene.run):
        path.mkdir()
        path.chmod(0o777)
    plant_foreign(scene, scene.state / 'index')
    plant_link(scene, scene.run / 'index.run')
    said = scene.serve(lambda text: is_own_file(scene.state / 'index') and
                       is_own_file(scene.run / 'index.run'))
    modes = [oct(stat.S_IMODE(os.stat(path).st_mode)) for path in (scene.state, scene.run)]
    t.equal(modes, ['0o700'] * 2, 'a directory of root that all may write to: put in order')
    t.equal(said.count('cannot be used (Operation not permitted)'), 2,
            'and what a stranger left in it is told')
    scene.untouched(t, 'a link left there')


def system_directory(t, lab, what, owner):
    """Somebody's directory with files that are not the agent's, as /run is: left as it is."""
    scene = Scene(lab)
    for path in (scene.state, scene.run):
        path.mkdir(mode=0o755)
        (path / 'other').write_text(VICTIM)
        for name in (path, path / 'other'):
            os.chown(name, owner, owner)
    said = scene.serve(lambda text: text.count('cannot save the') >= 2)
    t.equal(said.count('cannot be used (it has files of others'), 2,
            f'a directory of {what} with files of others: told')
    t.equal([(st.st_uid, oct(stat.S_IMODE(st.st_mode))) for d in (scene.state, scene.run)
             for st in (d.stat(), (d / 'other').stat())], [(owner, '0o755'), (owner, '0o644')] * 2,
            'it and the files are as they were')
    t.equal([p.name for d in (scene.state, scene.run) for p in d.iterdir()], ['other'] * 2,
            'nothing is written')


def service_directory(t, lab):
    """What systemd has made for the service and gave to root again, with a copy kept in it."""
    scene = Scene(lab)
    scene.serve(lambda text: is_own_file(scene.state / 'index') and
                is_own_file(scene.run / 'index.run'))
    for path in (scene.state, scene.run):
        (path / 'index.save').write_text(VICTIM)
        for name in (path, *path.iterdir()):
            os.chown(name, 0, 0)
    said = scene.serve(lambda text: is_own_file(scene.state / 'index') and
                       is_own_file(scene.run / 'index.run'),
                       STATE_DIRECTORY=f'{scene.top}:{scene.state}',
                       RUNTIME_DIRECTORY=str(scene.run))
    t.ok('cannot be used' not in said, 'a directory of the service with a copy in it: used', said)
    t.equal([(d.stat().st_uid, (d / 'index.save').stat().st_uid) for d in (scene.state, scene.run)],
            [(NOBODY.pw_uid, 0)] * 2, 'it is the agent process\'s, and the copy stays root\'s')


def pid_file(t, lab):
    scene = Scene(lab)
    scene.directories()
    link, foreign, good = (scene.top / name for name in ('link.pid', 'foreign.pid', 'good.pid'))
    link.symlink_to(scene.victim)
    foreign.write_text(VICTIM)
    os.chown(foreign, STRANGER, STRANGER)
    lab.write_agent_config(stateDir=scene.state, runDir=scene.run)
    for path in (link, foreign):
        done = lab.run_agent('-f', '-Lo', '-p', str(path), timeout=20)
        t.equal((done.returncode, 'not starting' in done.stdout), (1, True),
                f'-p {path.name}: it says why it does not start')
        t.equal(path.read_text(), VICTIM, f'-p {path.name}: untouched')
    good.write_text('99999999\n')
    agent = lab.start_agent(arguments=['-p', str(good)], stateDir=scene.state, runDir=scene.run)
    t.equal(good.read_text(), f'{agent.pid}\n', '-p with a file of an earlier run: its own number')
    second = lab.run_agent('-f', '-Lo', '-p', str(good), timeout=20)
    t.equal((second.returncode, 'of a process that runs: not starting' in second.stdout), (1, True),
            'a second daemon with the same file: it says why it does not start')
    t.equal(good.read_text(), f'{agent.pid}\n', 'and the file is still that of the first')
    shared = {name for pid, name in children(agent.pid).items()
              for fd in Path(f'/proc/{pid}/fd').iterdir() if os.path.realpath(fd) == str(good)}
    t.equal(shared, set(), 'none of its other processes has the file open')
    lab.stop_agent()
    t.ok(not good.exists(), 'and it is removed at the end')


def main():
    with Tap() as t:
        why = laboratory.missing()
        if why:
            t.skip_all(why)
        with laboratory.Lab() as lab:
            lab.start_snmpd()
            lab.start_tgtd(ipv6=False).add_target(NAME + 'one')
            refused_file(t, lab, 'a link', plant_link)
            refused_file(t, lab, 'a link to nothing', plant_dangling)
            refused_file(t, lab, 'a file of another user', plant_foreign)
            refused_file(t, lab, 'a file that all may write to', plant_writable)
            left_over(t, lab)
            refused_directory(t, lab, 'a link', link_directories, 'Not a directory')
            refused_directory(t, lab, 'a directory of another user', foreign_directories,
                              'Operation not permitted')
            open_directory(t, lab)
            system_directory(t, lab, 'root', 0)
            system_directory(t, lab, "the agent process's user", NOBODY.pw_uid)
            service_directory(t, lab)
            pid_file(t, lab)


if __name__ == '__main__':
    main()
