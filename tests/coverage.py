#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What of the agent is executed by its tests, and by the seeds of its fuzz targets.

usage: coverage.py [--corpus] [--report-only | --add] PROGRAM...

Copies the tree to build/coverage/tree, builds it there with counters (clang's), runs PROGRAMs by
tests/run.py, and prints for each file how many of its lines and branches were executed, then those
lines that were not, and those conditions in executed lines that went one way only, with the reason
that WHY and REASONS have for them. The counters are in a mapped file, so that a process counts
which has no privileges, may open nothing, is killed, or was started without an environment.

--corpus holds the parsers (PARSERS) against what the programs, replays of seeds, have executed: one
that is below its goal is a failure. Without it the modules of src/, agent/ and plugin/ are.
Lines of a function that needs what no test can give are left out neither here nor there.
"""
import argparse
import collections
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
WORK = os.path.join(TOP, "build", "coverage")
TREE = os.path.join(WORK, "tree")
# Where a program counts that was started without LLVM_PROFILE_FILE, as the plug-in is by its test.
PROFILES = os.path.join(WORK, "profiles")

GOAL_LINES, GOAL_BRANCHES, GOAL_PARSER = 95.0, 90.0, 95.0

# The modules. No .def: those are tables of data, and what is compiled where a program includes one
# are lines of that program; as it is, only a test puts conditions there.
OWN = re.compile(r"(src|agent|plugin)/.*\.[ch]$")

# What reads octets that a stack, a peer or a disk has written.
PARSERS = """
agent/agentx_answer.c agent/agentx_wire.c agent/agentx_wire.h agent/config.c agent/mib_engine.c
agent/snmp_access.c
src/base/json.c src/base/netlink_table.c src/base/root_filter.c src/base/root_secret.c
src/base/tcp_diag.c src/base/tcp_text.c src/base/text.c src/base/text_address.c src/base/tree_load.c
src/index/engine_store.c src/index/event_store.c src/index/store_kept.c src/index/store_parse.c
src/index/store_words.c
src/model/fragment.c
src/source/lio_parameters.c src/source/lio_parse.c
src/source/multipath_groups.c src/source/multipath_parse.c src/source/multipath_wire.c
src/source/open_iscsi_events.c src/source/open_iscsi_lines.c src/source/open_iscsi_pdu.c
src/source/open_iscsi_portal_name.c src/source/open_iscsi_records.c src/source/open_iscsi_text.c
src/source/open_iscsi_wire.c src/source/probe_config.c src/source/probe_text.c
src/source/scst_parse.c src/source/scst_parse_daemon.c
src/source/tgt_parse.c src/source/tgt_records.c src/source/tgt_text.c src/source/tgt_wire.c
""".split()

# Functions in those files that parse nothing, and what does execute them.
ASIDE = {
    "agent/config.c": ("config_print_directives config_print_sample", "prints: test_config"),
    "agent/snmp_access.c": ("read_all find_fault read_file explain access_load",
                            "opens the file: test_snmp_access"),
    "src/base/tcp_diag.c": ("request_dump receive dump_family tcp_diag_dump",
                            "speaks to the kernel: test_root_tcp"),
    "src/index/engine_store.c": ("take engine_store_load", "opens the file: test_engine_store"),
    "src/index/event_store.c": ("take event_store_load event_store_peek",
                                "opens the file: test_event_store"),
    "src/source/open_iscsi_wire.c": ("oiscsi_statistics_request", "writes: test_open_iscsi_wire"),
    "src/source/tgt_wire.c": ("tgt_question_text tgt_request", "writes: test_tgt_wire"),
}

NO_MEMORY, NO_REASON = "an allocation fails", "NO REASON GIVEN"

SYSTEM, PASSED_ON = "a system call fails", "an error of what was called is passed on"
NO_VALUE, ENDS = "no value that exists gets there", "a process that ends"

# Why a line is not executed by any test, or a condition went one way only: by what stands in it,
# just before it (a line), or just behind it (a condition).
REASONS = [
    (r"-ENOMEM|ENOMEM|!\w*(copy|new|memory)\b.*\)$|no memory|out of memory", NO_MEMORY),
    (r"abort\(\)|unreachable|must not happen", "cannot be reached; ends the program if it is"),
    (r"\bdefault:|return \"(unknown|other)\"", NO_VALUE),
    (r"_exit\(|\bexit\(|EXIT_FAILURE", ENDS),
    (r"-errno|errno\b|log_(warning|error|info|notice)|snmp_log|perror|strerror", SYSTEM),
]
# Where none of those fits.
MORE_REASONS = [
    (r"alloc\w*\(|strn?dup\(|_new\(", "there is no memory for something new"),
    (r"E2BIG|ENOSPC|ENAMETOOLONG|_MAX\b|sizeof\(", "a bound that nothing of a test is as large as"),
    (r"^\s*if \(!\w+(\(.*\))?\)( \{)?$", "what is looked for, or freed, has always been there"),
    (r"return (rc|result|error|-E\w+|NULL|false|fd);|\brc\b|< 0|error", PASSED_ON),
]
# What those patterns do not tell, by function.
WHY = {
    ("agent/agentx.c", "turn_library"): "the library has no descriptor but the master's",
    ("agent/agentx_library.c", "no_request"): "wanted by the library, which asks it nothing",
    ("agent/agentx_transport.c", "library_accept"): "wanted by the library, which only connects",
    ("agent/agentx_transport.c", "library_connect_octets"): "wanted by the library, never called",
    ("agent/agentx_transport.c", "transport_register"): "refuses what it has, and is told once",
    ("agent/agentx_write.c", "value_type"): NO_VALUE,
    ("agent/check.c", "check_agentx"): "said to a user, as whom it does not count: test_check",
    ("agent/daemon.c", "handle_message"): "a message that the parent does not send then",
    ("agent/daemon.c", "say_alive"): "the parent has stopped reading, and has ended before",
    ("agent/log_sink.c", "write_filtered"): "set only in handlers of the list: it finds each",
    ("agent/main.c", "main"): "syslog: only a daemon without -f and -L, and tests want to see its messages",
    ("agent/mib_encode.c", "mib_value_nothing"): "no column of BITS shows nothing as a value now",
    ("agent/notify_detect.c", "find_columns"): "holds a table of ours that is wrong",
    ("agent/parent.c", "child_ended"): "a process that dies again and again, for longer than a test waits",
    ("agent/parent.c", "describe_end"): "the agent process ends by a signal, or because it is told to",
    ("agent/parent.c", "agent_ended"): "two daemons with one directory: make check-fault",
    ("agent/parent.c", "handle_control"): "the agent process hands nothing over",
    ("agent/parent.c", "stop"): "asked twice to stop",
    ("agent/path_mib_session.c", "encode_condition_date"): "a session changes between polls: check-vm",
    ("agent/setup.c", "setup_user"): "not root: make check runs as root",
    ("agent/snmp_configure.c", "take_log"): "net-snmp says that only when it is asked for",
    ("agent/snmp_front.c", "set_notify_queue"): "wanted by front.h; -M has no queue of its own",
    ("agent/state.c", "take_reply"): "a saver that answers what it was not asked",
    ("agent/check.c", "check_sources"): "a source of the machine itself that cannot be read",
    ("agent/snmp_listen.c", "explain"): "a child says it that does not count (as a user): test_check",
    ("plugin/client.c", "set_keys"): "libsnmp makes a key of each passphrase that is long enough",
    ("plugin/client.c", "value_of"): "net-snmp's counters of 64 bits: no check asks for one",
    ("src/index/store_parse.c", "restore_entry"): "arguments behind PRIu64, which clang-14 counts as 0: "
    "test_store_parse",
    ("src/model/fragment.c", "check_field"): NO_VALUE,
    ("src/source/open_iscsi_pdu.c", "find_key"): "only what begins a key is kept of a pair",
    ("src/source/open_iscsi_extra.c", "read_tcp"): "a kernel session whose socket is here: check-vm",
}
# Of a condition that nothing above explains.
ONE_WAY = [
    (r"&&|\|\|", "an operand that never decided alone"),
    (r"^\s*(for|while)\b", "a loop that never ended by this"),
    (r"\?", "a value that has always been there, or never"),
    (r"", "the other way was never taken"),
]


def tree():
    """The names of the project's files."""
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=TOP, check=True,
                           stdout=subprocess.PIPE).stdout.decode().split("\0")
    return [name for name in names if name and os.path.lexists(os.path.join(TOP, name))]


def copy_tree():
    for name in tree():
        old, new = os.path.join(TOP, name), os.path.join(TREE, name)
        os.makedirs(os.path.dirname(new), exist_ok=True)
        if os.path.islink(old):
            if not os.path.lexists(new):
                os.symlink(os.readlink(old), new)
            continue
        if os.path.exists(new) and os.path.getmtime(new) == os.path.getmtime(old) \
                and os.path.getsize(new) == os.path.getsize(old):
            continue
        shutil.copy2(old, new)
    smi = os.path.join(TOP, "build", "smi")
    if os.path.isdir(smi) and not os.path.isdir(os.path.join(TREE, "build", "smi")):
        shutil.copytree(smi, os.path.join(TREE, "build", "smi"))
    # Tests ask git what belongs to the project.
    if not os.path.isdir(os.path.join(TREE, ".git")):
        subprocess.run("git init -q && git add -A && git -c user.name=coverage -c user.email=c@localhost "
                       "commit -qm tree", shell=True, cwd=TREE, check=True)


def build(programs):
    compiled = sorted({p.split()[0] for p in programs if p.startswith("build/")})
    subprocess.run(
        ["make", "-s", "-j2", "CC=" + os.environ.get("COVERAGE_CC", "clang-14"), "WERROR=-w",
         "CFLAGS=-O1 -gdwarf-4 -U_FORTIFY_SOURCE -fprofile-instr-generate=" + PROFILES + "/%m%c.profraw "
         "-fcoverage-mapping -mllvm -runtime-counter-relocation",
         "LDFLAGS=-fprofile-instr-generate", "all", "faults", "benchmarks",
         "build/iscsi-demo-initiator"] + compiled,
        cwd=TREE, check=True, stdout=subprocess.DEVNULL)


def run(programs, profiles, keep):
    if not keep:
        shutil.rmtree(profiles, ignore_errors=True)
    os.makedirs(profiles, exist_ok=True)
    environment = dict(os.environ, LLVM_PROFILE_FILE=profiles + "/%m%c.profraw")
    return subprocess.run(["tests/run.py", "--timeout", "900"] + programs, cwd=TREE, env=environment,
                          check=False).returncode


def counted(profiles):
    """{file: ({line: count}, {(line, branch): count})} of all programs that left counts."""
    data = os.path.join(profiles, "all.profdata")
    raw = [os.path.join(profiles, f) for f in os.listdir(profiles) if f.endswith(".profraw")]
    subprocess.run(["llvm-profdata-14", "merge", "-sparse", "-o", data] + raw, check=True)
    objects = []
    for place, _, names in os.walk(os.path.join(TREE, "build")):
        for name in names:
            path = os.path.join(place, name)
            if os.access(path, os.X_OK) and open(path, "rb").read(4) == b"\x7fELF":
                objects += ["-object", path]
    text = subprocess.run(["llvm-cov-14", "export", "-format=lcov", "-instr-profile", data]
                          + objects[1:], check=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL).stdout.decode()
    files, files_text = collections.OrderedDict(), {}
    for line in text.splitlines():
        kind, _, rest = line.partition(":")
        if kind == "SF":
            name = os.path.relpath(rest, TREE)
            lines, branches = files.setdefault(name, ({}, {}))
        elif kind == "DA":
            number, count = (int(n) for n in rest.split(",")[:2])
            if not is_define(files_text, name, number):
                lines[number] = max(lines.get(number, 0), count)
        elif kind == "BRDA":
            number, block, branch, count = rest.split(",")
            key = (int(number), block, branch)
            branches[key] = max(branches.get(key, 0), 0 if count == "-" else int(count))
    return files


def is_define(files_text, name, number):
    """A constant counts where it is used, not once more where it is defined."""
    if name not in files_text:
        with open(os.path.join(TREE, name), encoding="utf-8", errors="replace") as f:
            files_text[name] = f.read().splitlines()
    # With --add a program may be there that was built of longer files.
    return "".join(files_text[name][number - 1:number]).lstrip().startswith("#define")


def set_aside(files):
    """Takes out of what is counted what no input can reach: the functions of ASIDE, and where an
    allocation has failed."""
    for name in PARSERS:
        lines = files.get(name, ({}, {}))[0]
        with open(os.path.join(TREE, name), encoding="utf-8") as f:
            text = f.read().splitlines()
        for number in [n for n, c in lines.items() if not c and reason_of(text, n) == NO_MEMORY]:
            del lines[number]
    for name, (functions, _) in ASIDE.items():
        lines, branches = files.get(name, ({}, {}))
        with open(os.path.join(TREE, name), encoding="utf-8") as f:
            text = f.read().splitlines()
        for function in functions.split():
            heads = [n for n, line in enumerate(text, 1) if re.match(r"\w.*\b" + function + r"\(", line)]
            if not heads:
                raise SystemExit(f"coverage.py: {name} has no function {function}")
            end = next(n for n, line in enumerate(text, 1) if n > heads[-1] and line == "}")
            for counts in (lines, branches):
                for key in [k for k in counts
                            if heads[-1] <= (k if isinstance(k, int) else k[0]) <= end]:
                    del counts[key]


def share(counts):
    return 100.0 * sum(1 for c in counts.values() if c) / len(counts) if counts else 100.0


def reason_of(text, number):
    """Of a line: by itself, then by the condition that leads to it."""
    lines = [text[number - 1]] + text[max(0, number - 4):number - 1][::-1]
    return reason_by(lines, REASONS) or reason_by(lines, MORE_REASONS)


def reason_by(lines, patterns):
    for line in lines:
        for pattern, reason in patterns:
            if re.search(pattern, line):
                return reason
    return None


def function_of(text, number):
    """The name of the function that a line is in, "" outside of all."""
    for line in text[number - 1::-1]:
        if line.startswith("}"):
            break
        found = re.match(r"[a-z].*?\b(\w+)\(", line)
        if found:
            return found.group(1)
    return ""


def report(files, names, parsers):
    all_lines, all_branches, low = {}, {}, []
    print(f"{'':44} {'lines':>6} {'':>7} {'branches':>9}")
    for name in names:
        lines, branches = files.get(name, ({}, {}))
        all_lines.update({(name, k): v for k, v in lines.items()})
        all_branches.update({(name, k): v for k, v in branches.items()})
        print(f"{name:44} {len(lines):6} {share(lines):6.1f}% {len(branches):6} {share(branches):6.1f}%")
        if name not in files or parsers and share(lines) < GOAL_PARSER:
            low.append(name)
    if not parsers:
        for place in sorted({os.path.dirname(name) for name in names}):
            lines, branches = ({k: v for k, v in counts.items() if os.path.dirname(k[0]) == place}
                               for counts in (all_lines, all_branches))
            print(f"{place + '/':44} {len(lines):6} {share(lines):6.1f}% {len(branches):6} "
                  f"{share(branches):6.1f}%")
    print(f"{'sum':44} {len(all_lines):6} {share(all_lines):6.1f}% {len(all_branches):6} "
          f"{share(all_branches):6.1f}%")
    return low, share(all_lines), share(all_branches)


def as_ranges(numbers, gap):
    ranges = []
    for number in numbers:
        if ranges and ranges[-1][1] >= number - gap:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return [f"{first}-{last}" if last != first else str(first) for first, last in ranges]


def list_missed(files, names):
    """By file and reason: the lines that no test executed, and the conditions in those executed that
    went one way only. Then how many of them have which reason. Returns how many lines have none."""
    sums = {"lines": collections.Counter(), "branches": collections.Counter()}
    stale = {(name, function) for name, function in WHY if name in names}
    for name in names:
        lines, branches = files.get(name, ({}, {}))
        with open(os.path.join(TREE, name), encoding="utf-8") as f:
            text = f.read().splitlines()
        stale -= {(name, function_of(text, n)) for n in lines}
        missed = {"lines": collections.defaultdict(list), "branches": collections.defaultdict(list)}
        for number in sorted(n for n, c in lines.items()
                             if not c and "".join(text[n - 1:n]).strip(" \t{}")):
            reason = WHY.get((name, function_of(text, number))) or reason_of(text, number)
            missed["lines"][reason or NO_REASON].append(number)
        for number in sorted(key[0] for key, c in branches.items() if not c and lines.get(key[0], 1)):
            behind = text[number - 1:number + 2]
            reason = WHY.get((name, function_of(text, number))) or reason_by(behind, REASONS) \
                or reason_by(behind, MORE_REASONS)
            if not reason:
                reason = next(r for pattern, r in ONE_WAY if re.search(pattern, "".join(behind[:1])))
            missed["branches"][reason].append(number)
        for kind, title in (("lines", "not executed"), ("branches", "went one way")):
            for reason, numbers in sorted(missed[kind].items()):
                sums[kind][reason] += len(numbers)
                gap = 2 if kind == "lines" else 0
                print(f"{name}: {title}: {reason}: {' '.join(as_ranges(sorted(set(numbers)), gap))}")
        for number in missed["lines"].get(NO_REASON, ()):
            print(f"    {number}: {text[number - 1].strip()}")
    if stale:
        raise SystemExit(f"coverage.py: WHY names functions that are not there: {sorted(stale)}")
    for kind, counter in sums.items():
        for reason, count in counter.most_common():
            print(f"# {count} {kind}: {reason}")
    return sums["lines"][NO_REASON]


def modules(files):
    """Those of the tree with code, whether any program has them or not."""
    for name in sorted(set(tree()) | set(files)):
        if not OWN.match(name):
            continue
        with open(os.path.join(TREE, name), encoding="utf-8") as f:
            if name in files or name.endswith(".c") and re.search(r"^\{", f.read(), re.M):
                yield name


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--corpus", action="store_true")
    parser.add_argument("--report-only", action="store_true", help="of the run before")
    parser.add_argument("--add", action="store_true", help="to what the run before has counted")
    parser.add_argument("programs", nargs="*")
    options = parser.parse_args()
    profiles = os.path.join(WORK, "corpus") if options.corpus else PROFILES
    status = 0
    if not options.report_only:
        copy_tree()
        build(options.programs)
        status = run(options.programs, profiles, options.add)
    files = counted(profiles)
    if options.corpus:
        names = PARSERS
        set_aside(files)
    else:
        names = list(modules(files))
    without = list_missed(files, names)
    low, lines, branches = report(files, names, options.corpus)
    for name in low:
        print(f"below {GOAL_PARSER:.0f}%: {name}" if name in files else f"in no program: {name}")
    if without:
        print(f"{without} lines that are not executed have no reason: WHY of tests/coverage.py")
        status = 1
    if not options.corpus:
        print(f"lines {lines:.1f}% (goal {GOAL_LINES:.0f}), branches {branches:.1f}% "
              f"(goal {GOAL_BRANCHES:.0f})")
        return 1 if status or low or lines < GOAL_LINES or branches < GOAL_BRANCHES else 0
    return 1 if status or low else 0


if __name__ == "__main__":
    sys.exit(main())
