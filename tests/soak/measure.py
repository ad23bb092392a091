# SPDX-License-Identifier: BSD-2-Clause
"""What the soak run measures of processes: memory over time, descriptors, zombies; percentiles."""

import collections
import os
import statistics
import time

from process import children, memory_kib, stat_fields

Sample = collections.namedtuple('Sample', 'at pid memory descriptors')


def percentile(values, percent):
    """The value that `percent` of them do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else None


def slope(samples, settle):
    """Growth of memory in KiB an hour, over all lives of a process: a straight line through the
    samples of each life, but for its first `settle` seconds, with one common gradient. None when
    that is less than two samples of one life."""
    lives = collections.defaultdict(list)
    for sample in samples:
        lives[sample.pid].append(sample)
    above = below = 0.0
    for life in lives.values():
        used = [s for s in life if s.at >= life[0].at + settle]
        if len(used) < 2:
            continue
        at = statistics.fmean(s.at for s in used)
        memory = statistics.fmean(s.memory for s in used)
        above += sum((s.at - at) * (s.memory - memory) for s in used)
        below += sum((s.at - at) ** 2 for s in used)
    return above / below * 3600 if below else None


class Processes:
    """Samples of a family: the agent's parent and its children, each by the name that ps shows."""

    def __init__(self, others=()):
        self.others = dict(others)  # {name: function that returns a Process or None}
        self.samples = collections.defaultdict(list)
        self.dead = {}  # pid of a zombie: when it was seen first
        self.zombies = 0

    def take(self, parent):
        """One sample of all; `parent` is a pid, or None when no agent is there."""
        family = {'parent': parent} if parent else {}
        now, dead = time.monotonic(), {}
        for pid, name in (children(parent) if parent else {}).items():
            fields = stat_fields(pid)
            if fields and fields[1] == 'Z':
                dead[pid] = self.dead.get(pid, now)
            elif fields:
                family[name] = pid
        # A child that ended just now is a zombie until its parent's next turn.
        self.zombies += sum(1 for pid, since in dead.items() if now - since > 2)
        self.dead = dead
        for name, find in self.others.items():
            process = find()
            if process:
                family[name] = process.pid
        for name, pid in family.items():
            try:
                descriptors = len(os.listdir(f'/proc/{pid}/fd'))
            except OSError:
                continue
            memory = memory_kib(pid)
            if memory:
                self.samples[name].append(Sample(now, pid, memory, descriptors))

    def slope(self, name, settle):
        return slope(self.samples[name], settle)

    def descriptors(self, name):
        """(the first quarter's median, the last one's): sockets and memory come and go between."""
        counts = [s.descriptors for s in self.samples[name]]
        part = max(len(counts) // 4, 1)
        return statistics.median(counts[:part]), statistics.median(counts[-part:])

    def memory(self, name):
        """(the first, the largest, the last), KiB."""
        values = [s.memory for s in self.samples[name]]
        return values[0], max(values), values[-1]
