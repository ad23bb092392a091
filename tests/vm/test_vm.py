#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the jobs of tests/vm/jobs in a virtual machine with a real kernel; prints TAP.

    test_vm.py [JOB...]       all jobs, "boot" first; $VM_KERNEL is cloud (default) or full

Each test of a job becomes one line "ok N - JOB: what", and one more line per job says that its
machine ran to the end. What a job left (console.log, tap, dmesg, logs) stays in
build/vm/results/JOB. Called by `make check-vm`; needs build/iscsi-agentx, QEMU and a package index.
"""

import os
import re
import shutil
import sys

import debs
import run_vm

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = os.path.join(HERE, "jobs")
RESULTS = os.path.join(run_vm.TOP, "build", "vm", "results")
TAP_LINE = re.compile(r"(ok|not ok)\b *\d* *-? *(.*)")


class Tap:
    """Numbers the tests of all jobs as one sequence."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def test(self, passed, what):
        self.count += 1
        self.failed += not passed
        print("%s %d - %s" % ("ok" if passed else "not ok", self.count, what), flush=True)

    @staticmethod
    def note(text):
        for line in text.splitlines():
            print("# " + line, flush=True)


def last_lines(path, count):
    """The end of a file that a job may or may not have left."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return "".join(lines.readlines()[-count:]).replace("\r", "")
    except OSError as error:
        return str(error)


def copy_tap(tap, job, path):
    """Repeats the job's TAP; returns "" or what is wrong with its number of tests."""
    planned, seen = None, 0
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            test = TAP_LINE.match(line)
            plan = re.match(r"1\.\.(\d+)$", line)
            if test:
                seen += 1
                tap.test(test.group(1) == "ok", "%s: %s" % (job, test.group(2)))
            elif plan:
                planned = int(plan.group(1))
            else:
                tap.note(line.lstrip("# ") if line.startswith("#") else line)
    if planned is None:
        return "no plan after %d tests" % seen
    return "" if planned == seen else "%d tests planned, %d seen" % (planned, seen)


def run_one(tap, job, kernel):
    out = os.path.join(RESULTS, job)
    shutil.rmtree(out, ignore_errors=True)
    result = run_vm.run_job(os.path.join(JOBS, job), out, kernel)
    why = result.why
    if result.rc != run_vm.GUEST_DIED:
        why = copy_tap(tap, job, os.path.join(out, "tap")) or why
    tap.test(not why, "%s: the guest ran to the end" % job)
    if why:
        tap.note("%s; the end of %s/console.log:" % (why, out))
        tap.note(last_lines(os.path.join(out, "console.log"), 40))
    tap.note("%s: %.0f s" % (job, result.seconds))


def main():
    run_vm.end_by_exception()
    known = sorted(os.listdir(JOBS), key=lambda name: (name != "boot", name))
    jobs = sys.argv[1:] or known
    for job in jobs:
        if job not in known:
            print("Bail out! no job %s in %s" % (job, JOBS))
            return 1
    tap = Tap()
    for job in jobs:
        try:
            run_one(tap, job, os.environ.get("VM_KERNEL") or "cloud")
        except (run_vm.JobError, debs.ImageError, OSError) as error:
            tap.test(False, "%s: the guest can be started" % job)
            tap.note(str(error))
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
