#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Gives each fuzz target of build/fuzzing its share of processor time, with libFuzzer.

usage: fuzz.py [--seconds S] [--at-once N] [--idle] [NAME...]
S counts processor time of a target, over all runs so far: build/fuzz/tally.json keeps the sum, so
that an hour can be made of many short runs. What a target finds stays in build/fuzz/NAME (new
inputs) and build/fuzz/found (inputs that break it); the exit status is 1 if one of NAME is there, or
if a target could not be run.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import threading
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
WORK = os.path.join(TOP, "build", "fuzz")
FOUND = os.path.join(WORK, "found")
TALLY = os.path.join(WORK, "tally.json")
SLICE = 120  # seconds of one run at most: what a run has found is of use to the next
LOCK = threading.Lock()


def load():
    try:
        with open(TALLY, encoding="ascii") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def add(name, cpu, runs):
    """Adds a run to the tally. Process: any thread."""
    with LOCK:
        tally = load()
        old = tally.get(name, {"cpu_seconds": 0, "runs": 0})
        tally[name] = {"cpu_seconds": round(old["cpu_seconds"] + cpu, 1), "runs": old["runs"] + runs}
        with open(TALLY + ".new", "w", encoding="ascii") as f:
            json.dump(tally, f, indent=1, sort_keys=True)
            f.write("\n")
        os.rename(TALLY + ".new", TALLY)
        return tally[name]


def run(name, seconds, idle):
    """One run of a target. Returns False if it found an input that breaks it."""
    corpus = os.path.join(WORK, name)
    os.makedirs(corpus, exist_ok=True)
    log = os.path.join(WORK, name + ".log")
    command = [os.path.join(TOP, "build/fuzzing/fuzz/fuzz_" + name), f"-max_total_time={seconds}",
               "-print_final_stats=1", "-timeout=20", "-rss_limit_mb=2048", "-reload=0",
               f"-artifact_prefix={FOUND}/{name}-", corpus,
               os.path.join(TOP, "tests/fuzz/seeds", name)]
    with open(log, "wb") as out:
        child = subprocess.Popen((["chrt", "-i", "0"] if idle else []) + command, stdout=out, stderr=out,
                                 stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    with open(log, encoding="utf-8", errors="replace") as f:
        text = f.read()
    units = re.search(r"stat::number_of_executed_units: *(\d+)", text)
    sums = add(name, usage.ru_utime + usage.ru_stime, int(units.group(1)) if units else 0)
    print(f"{name}: {sums['cpu_seconds']:.0f} s of processor time, {sums['runs']} runs"
          + ("" if child.returncode == 0 else f"; ended with {child.returncode}, see {log}"), flush=True)
    return child.returncode == 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--idle", action="store_true", help="only when nothing else wants the processor")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    names = options.names or sorted(
        f[5:] for f in os.listdir(os.path.join(TOP, "build/fuzzing/fuzz")) if f.startswith("fuzz_"))
    os.makedirs(FOUND, exist_ok=True)
    load()  # one that cannot be read ends all here, not a thread
    bad, busy = set(), set()

    def work():
        while True:
            with LOCK:
                tally = load()
                due = sorted((tally.get(n, {}).get("cpu_seconds", 0), n) for n in names
                             if n not in bad and n not in busy)
                due = [n for cpu, n in due if cpu < options.seconds]
                if not due:
                    return
                name = due[0]
                busy.add(name)
                left = options.seconds - tally.get(name, {}).get("cpu_seconds", 0)
            began = time.monotonic()
            try:
                good = run(name, max(1, min(SLICE, int(left) + 1)), options.idle)
            except (OSError, ValueError) as e:
                print(f"{name}: {e}", flush=True)
                good = False
            if not good or time.monotonic() - began < 0.2:
                bad.add(name)
            busy.discard(name)

    workers = [threading.Thread(target=work) for _ in range(options.at_once)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    left = sorted(f for f in os.listdir(FOUND) if f.startswith(tuple(name + "-" for name in names)))
    for name in left:
        print(f"breaks its target: {os.path.relpath(os.path.join(FOUND, name), TOP)}")
    return 1 if bad or left else 0


if __name__ == "__main__":
    sys.exit(main())
