#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The template for Zabbix 6.0 in a real Zabbix server of Debian 12: zabbix_check.py.

Needs root and Debian's packages of section [zabbix]."""

import zabbix_check
from zabbix_check import laboratory, zabbix_lab
from tap import Tap


def main():
    with Tap() as t:
        why = laboratory.missing() or zabbix_lab.missing('6.0')
        if why:
            t.skip_all(why)
        zabbix_check.run(t, '6.0')


if __name__ == '__main__':
    main()
