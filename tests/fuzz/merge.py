#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Adds to the seeds of fuzz targets the fewest inputs that execute what the seeds do not.

usage: merge.py [--from DIRECTORY] NAME...    (after `make coverage-corpus`, which builds the replays)
DIRECTORY has one of each name below it; default build/fuzz, where `make fuzz` leaves what it finds.
What counts is a counter of clang's coverage, a place in the code and not a value or a loop's length:
so a few dozen inputs do for a target, where libFuzzer keeps thousands.
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
REPLAYS = os.path.join(TOP, "build", "coverage", "tree", "build", "fuzz")
LARGEST = 16384  # octets of an input that is taken


def executed(name, paths):
    """The set of counters that an input or a directory of them moves."""
    with tempfile.TemporaryDirectory() as place:
        raw = os.path.join(place, "raw")
        if subprocess.run([os.path.join(REPLAYS, "replay_" + name)] + paths, cwd=TOP,
                          env=dict(os.environ, LLVM_PROFILE_FILE=raw + "%c"), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False).returncode:
            raise SystemExit(f"{name}: {paths[0]} breaks it")
        data = os.path.join(place, "data")
        subprocess.run(["llvm-profdata-14", "merge", "-sparse", "-o", data, raw], check=True)
        text = subprocess.run(["llvm-profdata-14", "show", "--counts", "--all-functions", data],
                              check=True, stdout=subprocess.PIPE).stdout.decode()
    counters, function = set(), ""
    for line in text.splitlines():
        if match := re.match(r"  (\S.*):$", line):
            function = match.group(1)
        elif match := re.match(r"    Function count: (\d+)", line):
            if int(match.group(1)):
                counters.add((function, -1))
        elif match := re.match(r"    Block counts: \[(.*)\]", line):
            for at, count in enumerate(match.group(1).split(",")):
                if count.strip() not in ("", "0"):
                    counters.add((function, at))
    return counters


def merge(name, candidates):
    seeds = os.path.join(TOP, "tests", "fuzz", "seeds", name)
    have = executed(name, [seeds])
    new = {}
    for entry in os.scandir(candidates):
        if entry.is_file() and entry.stat().st_size <= LARGEST:
            if more := executed(name, [entry.path]) - have:
                new[entry.path] = more
    taken = 0
    while new:
        path = max(new, key=lambda p: (len(new[p]), -os.path.getsize(p), p))
        with open(path, "rb") as f:
            digest = hashlib.sha1(f.read()).hexdigest()
        shutil.copyfile(path, os.path.join(seeds, "found-" + digest[:12]))
        have |= new.pop(path)
        taken += 1
        new = {p: more - have for p, more in new.items() if more - have}
    print(f"{name}: {taken} more, {len(os.listdir(seeds))} seeds", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="source", default=os.path.join(TOP, "build", "fuzz"))
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    for name in options.names:
        merge(name, os.path.join(options.source, name))


if __name__ == "__main__":
    sys.exit(main())
