#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The three saved files are never torn: each system call of a save is once the moment of a kill, and
once the one that fails with ENOSPC, EIO or EROFS. Afterwards the file must be the complete old or
the complete new one, and no temporary file may stay (after a kill: not beyond the next save or
load). Needs build/tests/store_save (STORE_SAVE names another one) and strace with ptrace."""

import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = os.environ.get("STORE_SAVE", "build/tests/store_save")
# Calls of the C library for memory are left out: how many there are is not the save's business.
FALLIBLE = ("openat", "newfstatat", "fstat", "unlinkat", "write", "fsync", "renameat", "rename")
ERRORS = ("ENOSPC", "EIO", "EROFS")


FILES = {"index": 3, "index.run": 3, "events": 1}  # with the number of writes that a save has at least


def run(file, what, *arguments, inject=(), trace=None):
    """Runs the program, under strace when something is to be injected or traced."""
    command = [PROGRAM, what, file, *arguments]
    if inject or trace:
        strace = ["strace", "-f", "-qq", "-o", trace or "/dev/null"]
        for what in inject:
            strace += ["-e", "inject=" + what]
        command = strace + command
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False, text=True)
    return done.returncode, done.stdout.strip()


def calls_of_a_save(file, directory, scratch):
    """Each system call for files from the open of the directory on: (name, which call of that name)."""
    trace = os.path.join(scratch, "trace")
    run(file, "save", directory, "odd", trace=trace)  # as long as "new": as many writes
    seen, calls, begun = {}, [], False
    with open(trace, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            match = re.match(r"(?:\d+ +)?([a-z0-9_]+)\((.*)", line)
            if not match:
                continue
            name = match.group(1)
            seen[name] = seen.get(name, 0) + 1
            begun = begun or (name == "openat" and '"' + directory + '"' in match.group(2))
            if begun and name in FALLIBLE + ("close", "geteuid"):
                calls.append((name, seen[name]))
    return calls


class Taps:
    """Counts and prints the results."""

    def __init__(self):
        self.count = self.failed = 0

    def check(self, good, what, why=""):
        """One line of TAP, with the reason when it is not ok."""
        self.count += 1
        self.failed += not good
        print(("ok" if good else "not ok") + f" {self.count} - {what}")
        if not good and why:
            print("# " + why)


def after_fault(file, directory, failed, killed, may_be_new):
    """What is wrong after a save of "new" over "old" that was hurt, or an empty text."""
    left = sorted(os.listdir(directory))
    if not killed and file + ".tmp" in left:
        return "the temporary file stayed"
    code, generation = run(file, "load", directory)
    if code != 0 or generation not in ("old", "new"):
        return f"load says {generation}, exit code {code}"
    if not failed and generation != "new":
        return "no error was reported, but the file is the old one"
    if generation == "new" and failed and not may_be_new:
        return "an error was reported, but the file is the new one"
    if sorted(os.listdir(directory)) != [file]:
        return "after the load there are " + " ".join(sorted(os.listdir(directory)))
    return ""


def hurt(file, scratch, inject, killed, may_be_new):
    """One save of "new" over "old" with this injection; returns what is wrong."""
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        code, output = run(file, "save", directory, "old")
        if code != 0:
            return "the save of the old file failed: " + output
        code, output = run(file, "save", directory, "new", inject=inject)
        if killed and code not in (-9, 137):
            return f"was not killed: exit code {code} {output}"
        if not killed and code not in (0, 1):
            return f"exit code {code} {output}"
        wrong = after_fault(file, directory, code != 0, killed, may_be_new)
        if wrong:
            return wrong
        code, output = run(file, "save", directory, "third")
        if code != 0 or run(file, "load", directory) != (0, "third"):
            return "the next save does not work: " + output
        return ""


def test_all(taps, file, scratch):
    """All injections."""
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        run(file, "save", directory, "old")
        calls = calls_of_a_save(file, directory, scratch)
    names = [name for name, _ in calls]
    steps = [n for n in names if n in ("write", "fsync", "renameat", "rename", "unlinkat")]
    wanted = ["unlinkat"] + ["write"] * steps.count("write") + ["fsync", "renameat", "fsync"]
    taps.check(steps == wanted and steps.count("write") >= FILES[file],
               f"{file}: a save writes, then fsync, rename, fsync", " ".join(steps))
    renamed = names.index("renameat") if "renameat" in names else len(names)
    for at, (name, number) in enumerate(calls):
        wrong = hurt(file, scratch, [f"{name}:signal=KILL:when={number}"], True, True)
        taps.check(not wrong, f"{file}: killed at call {at + 1}, {name}", wrong)
    for error in ERRORS:
        for at, (name, number) in enumerate(calls):
            if name in FALLIBLE:
                wrong = hurt(file, scratch, [f"{name}:error={error}:when={number}"], False,
                             at > renamed)
                taps.check(not wrong, f"{file}: {error} from call {at + 1}, {name}", wrong)
    wrong = clean_up_fails(file, scratch, calls)
    taps.check(not wrong, f"{file}: what could not be removed is removed by the next load", wrong)


def clean_up_fails(file, scratch, calls):
    """fsync fails, and then the temporary file cannot even be removed."""
    fsync = next(number for name, number in calls if name == "fsync")
    unlink = next(number for name, number in calls if name == "unlinkat") + 1
    with tempfile.TemporaryDirectory(dir=scratch) as directory:
        run(file, "save", directory, "old")
        result = run(file, "save", directory, "new", inject=[f"fsync:error=EIO:when={fsync}",
                                                       f"unlinkat:error=EPERM:when={unlink}"])
        if result != (1, "EIO"):
            return f"exit code {result[0]}, {result[1]}"
        if sorted(os.listdir(directory)) != [file, file + ".tmp"]:
            return "the injection did not work"
        return after_fault(file, directory, True, True, False)


def main():
    """SKIP where strace cannot inject; otherwise all tests."""
    if not os.access(PROGRAM, os.X_OK):
        print("1..1\nnot ok 1 - " + PROGRAM + " is there")
        return 1
    if not shutil.which("strace"):
        print("1..0 # SKIP strace is not installed")
        return 0
    probe = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "inject=getppid:error=EIO",
                            PROGRAM, "load", "index", "/nonexistent"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60, check=False)
    if probe.returncode != 0:
        print("1..0 # SKIP strace may not trace here (ptrace)")
        return 0
    taps = Taps()
    with tempfile.TemporaryDirectory(prefix="store_torn.") as scratch:
        for file in FILES:
            test_all(taps, file, scratch)
    print(f"1..{taps.count}")
    return 1 if taps.failed else 0


if __name__ == "__main__":
    sys.exit(main())
