#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The packages of the monitors are installed. Without them the tests of the monitors are skipped, which is
right for one's own machine; where CI runs them ($CI) nobody would see that no monitor has run."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, 'tests', 'support'))
# pylint: disable=wrong-import-position
from tap import Tap

INSTALL = os.path.join(ROOT, 'tests', 'support', 'install_packages.sh')


def main():
    with Tap() as t:
        for section in ('nms', 'zabbix'):
            done = subprocess.run([INSTALL, '-n', section], stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=120, check=False)
            what, said = f'the packages of [{section}] are installed', done.stderr.strip()
            if done.returncode == 1 and not os.environ.get('CI'):
                t.skip(what, said)
            elif done.returncode == 0 and said:
                t.skip(what, said)  # no Debian: their names there
            else:
                t.ok(done.returncode == 0, what, said)


if __name__ == '__main__':
    main()
