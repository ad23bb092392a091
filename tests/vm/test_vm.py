#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs the jobs of tests/vm/jobs in a virtual machine with a real kernel; prints TAP.

    test_vm.py [--all] [JOB...]   these jobs; without a name all, and those that take long with --all
                                  only. $VM_KERNEL: head of debs.py;
                                  $VM_AT_ONCE: so many machines at a time, 1 when not said
    test_vm.py --limit ...        the seconds that this may take when each job takes all of its own

Each test of a job becomes one line "ok N - JOB: what", and one more line per job says that its
machine ran to the end. Where a job left readings of witnesses (witness.sh), compare.py holds what was
served against them: a line for each scenario; these lines, what jobs measured (/out/report) and the
sum are in build/vm/results/compared, too. What a job left (console.log, tap, dmesg, logs) stays in
build/vm/results/JOB. Called by `make check-vm`; needs build/iscsi-agentx, QEMU and a package index.
"""

import os
import re
import shutil
import subprocess
import sys
import time

import build_image
import compare
import debs
import run_vm

HERE = os.path.dirname(os.path.abspath(__file__))
JOBS = os.path.join(HERE, "jobs")
RESULTS = os.path.join(run_vm.TOP, "build", "vm", "results")
IMAGE_SECONDS = 900  # for two images on a slow network and disk, and for what is done between the jobs
REFUSED = re.compile(r'type=1326 .* comm="iscsi-')
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


def refusals(path):
    """Lines of the kernel about calls that a process of the agent may not make (base/sandbox.h)."""
    try:
        with open(path, encoding="utf-8", errors="replace") as lines:
            return [line.rstrip() for line in lines if REFUSED.search(line)]
    except OSError:
        return []  # the guest has died, which is told


class Compared:
    """The lines and the sum of all comparisons, for people who do not read TAP."""

    def __init__(self, kernel):
        os.makedirs(RESULTS, exist_ok=True)
        self._out = open(os.path.join(RESULTS, "compared"), "w", encoding="utf-8")
        self._kernel = kernel
        self._compared = self._wrong = 0
        self._columns = set()

    def job(self, tap, job, folder):
        try:
            self._compare(tap, job, folder)
        except (OSError, LookupError, ValueError) as error:
            tap.test(False, "%s: the readings can be compared" % job)
            tap.note("%s: %s" % (type(error).__name__, error))

    def _compare(self, tap, job, folder):
        for scenario in compare.compare(folder):
            self._compared += scenario.compared
            self._wrong += len(scenario.wrong)
            self._columns |= scenario.columns
            line = "%s: %s" % (job, compare.line_of(scenario))
            tap.test(not scenario.wrong, line)
            print(line, file=self._out)
            for text in compare.wrong_of(scenario):
                tap.note("  " + text)
                print("    " + text, file=self._out)

    def report(self, job, path):
        """What a job measured."""
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                print("%s: %s" % (job, line.rstrip()), file=self._out)

    def close(self, tap):
        if self._compared:
            text = "kernel %s: %s" % (self._kernel, compare.sum_of(self._columns, self._compared,
                                                                   self._wrong))
            tap.note(text)
            print(text, file=self._out)
        self._out.close()


def start(job, kernel):
    """A machine with this job, as a process of its own."""
    out = os.path.join(RESULTS, job)
    shutil.rmtree(out, ignore_errors=True)
    return subprocess.Popen([sys.executable, os.path.join(HERE, "run_vm.py"),
                             os.path.join(JOBS, job), out, kernel], stdin=subprocess.DEVNULL)


def tell(tap, compared, job):
    """What came of a job whose machine has ended."""
    out = os.path.join(RESULTS, job)
    result = run_vm.read_result(out)
    if result is None:
        tap.test(False, "%s: the guest can be started" % job)
        return
    why = result.why
    if result.rc != run_vm.GUEST_DIED:
        why = copy_tap(tap, job, os.path.join(out, "tap")) or why
    readings = os.path.join(out, "stacks")
    if os.path.isdir(readings):
        compared.job(tap, job, readings)
    if os.path.exists(os.path.join(out, "report")):
        compared.report(job, os.path.join(out, "report"))
    refused = refusals(os.path.join(out, "dmesg"))
    tap.test(not refused, "%s: no system call of the agent was refused" % job)
    tap.note("\n".join(refused))
    tap.test(not why, "%s: the guest ran to the end" % job)
    if why:
        tap.note("%s; the end of %s/console.log:" % (why, out))
        tap.note(last_lines(os.path.join(out, "console.log"), 40))
    tap.note("%s: %.0f s" % (job, result.seconds))


def run_all(tap, compared, jobs, kernel, at_once):
    """Runs the jobs, so many at a time; none is left when this ends, whichever way."""
    waiting, running = list(jobs), {}
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running[waiting[0]] = start(waiting[0], kernel)
                waiting.pop(0)
            for job, process in list(running.items()):
                if process.poll() is not None:
                    del running[job]
                    tell(tap, compared, job)
            time.sleep(0.1)
    finally:
        for process in running.values():
            process.terminate()
        for process in running.values():
            process.wait()


def limit(jobs, at_once):
    """Seconds after which a job must have missed its own limit. The last one begins before the
    others have taken their part of all machines, and may be the longest."""
    each = [run_vm.limit_of(os.path.join(JOBS, job)) + run_vm.BOOT_SECONDS for job in jobs]
    return IMAGE_SECONDS + (sum(each) + (at_once - 1) * max(each)) // at_once


def main():
    run_vm.end_by_exception()
    # The lab's own first; of the others those that may take long, so that none is the last alone.
    known = sorted(os.listdir(JOBS), key=lambda name: (name != "boot", -run_vm.limit_of(
        os.path.join(JOBS, name)), name))
    names = [name for name in sys.argv[1:] if name not in ("--all", "--limit")]
    for job in names:
        if job not in known:
            print("Bail out! no job %s in %s" % (job, JOBS))
            return 1
    jobs = names or [job for job in known if "--all" in sys.argv or
                     not run_vm.is_long(os.path.join(JOBS, job))]
    at_once = int(os.environ.get("VM_AT_ONCE") or 1)
    if "--limit" in sys.argv:
        print(limit(jobs, at_once))
        return 0
    kernel = os.environ.get("VM_KERNEL") or "cloud"
    try:
        build_image.ensure_image(kernel)
    except (debs.ImageError, OSError) as error:
        print("Bail out! %s" % error)
        return 1
    tap, compared = Tap(), Compared(kernel)
    run_all(tap, compared, jobs, kernel, at_once)
    compared.close(tap)
    print("1..%d" % tap.count)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
