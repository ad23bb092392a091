#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A short run of `make soak` (tests/soak/soak.py): its judges, and what happens in the first minute."""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../soak'))
# pylint: disable=wrong-import-position
import soak

if __name__ == '__main__':
    os.environ.setdefault('SOAK', '40')
    soak.main()
