#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What can be said of the source text without running it, as TAP. usage: lint.py [BUILD_DIR]

The wall between the halves, format, banned functions, sizes of files, cppcheck, clang-tidy, manual
pages, marks of unfinished work. clang-tidy results are kept in BUILD_DIR/tidy by content.
"""
import concurrent.futures
import hashlib
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
TIDY_CHECKS = ",".join([
    "-*", "bugprone-*", "cert-*", "clang-analyzer-*", "misc-redundant-expression",
    # Two parameters of one type next to each other are no fault.
    "-bugprone-easily-swappable-parameters",
    # Short names of loops and callbacks, `__real_` and `__wrap_` of the linker.
    "-bugprone-reserved-identifier", "-cert-dcl37-c", "-cert-dcl51-cpp",
    # Macros whose argument is a type, a field or a list.
    "-bugprone-macro-parentheses",
    # All output functions would have to be wrapped; what matters is checked by ferror and fflush.
    "-cert-err33-c",
    # Wants Annex K functions, which no C library of Linux has.
    "-clang-analyzer-security.insecureAPI.DeprecatedOrUnsafeBufferHandling",
    # `exit` of a forked child runs what the parent registered: there is nothing.
    "-cert-env32-c",
    # Conversions are checked where they narrow a peer's value.
    "-bugprone-narrowing-conversions", "-bugprone-implicit-widening-of-multiplication-result",
    # clang 14 does not know the cleanup attribute; leaks are looked for by ASan and valgrind.
    "-clang-analyzer-unix.Malloc",
    # `memcmp(…) && …` reads well.
    "-bugprone-suspicious-string-compare",
    # Arrays of pointers and of octets that are no strings are meant here.
    "-bugprone-sizeof-expression", "-bugprone-not-null-terminated-result",
    # Assignments in conditions of do/while around system calls
    "-bugprone-assignment-in-if-condition",
    # `memcmp(...) && ...` reads well.
    "-bugprone-suspicious-string-compare",
])
SIZE_LIMIT = 500
# Pure tables may be longer.
SIZE_FREE = {"src/model/model.def"}


def files(*patterns):
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "--",
                             *patterns], cwd=ROOT, check=True, capture_output=True, text=True)
    return sorted(f for f in listed.stdout.split() if (ROOT / f).exists())


def grep(pattern, names, allow=None):
    found = []
    for name in names:
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1):
            if re.search(pattern, line) and not (allow and re.search(allow, line)):
                found.append(f"{name}:{number}: {line.strip()}")
    return found


def run(command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return [] if done.returncode == 0 else (done.stdout + done.stderr).splitlines()


def check_sizes(names):
    return [f"{n}: {c} lines" for n in names if n not in SIZE_FREE
            for c in [len((ROOT / n).read_text().splitlines())] if c > SIZE_LIMIT]


def tidy_one(name):
    text = subprocess.run(["gcc", "-E", "-D_GNU_SOURCE", "-Isrc", "-Iagent", "-I.",
                           '-DISCSI_AGENTX_VERSION="x"', name],
                          cwd=ROOT, capture_output=True).stdout
    key = hashlib.sha256(text + TIDY_CHECKS.encode()).hexdigest()
    stamp = BUILD / "tidy" / key
    if stamp.exists():
        return []
    done = subprocess.run(["clang-tidy-14", "--quiet", "--checks=" + TIDY_CHECKS,
                           "--warnings-as-errors=*", name, "--", "-std=gnu11", "-D_GNU_SOURCE",
                           "-Isrc", "-Iagent", "-I.", '-DISCSI_AGENTX_VERSION="x"'],
                          cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.parent.mkdir(parents=True, exist_ok=True)
        stamp.touch()
        return []
    return done.stdout.splitlines()


def check_tidy(names):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        return [line for lines in pool.map(tidy_one, names) for line in lines]


def check_cppcheck():
    return run(["cppcheck", "--quiet", "--enable=warning,portability,performance", "--std=c11",
                "--language=c", "--inline-suppr", "--error-exitcode=1", "-j2",
                "--suppress=missingIncludeSystem", "--suppress=nullPointerOutOfMemory",
                "-D_GNU_SOURCE", "-Isrc", "-Iagent", "-I.", "src", "agent", "plugin"])


def check_manuals():
    pages = files("docs/man/*")
    # The base of manuals on a machine does not matter here.
    return [line for line in run(["mandoc", "-Tlint", "-Wwarning", *pages])
            if "mandoc.db" not in line] if pages else []


def main():
    code = files("*.c", "*.h", "*.def")
    ours = [f for f in code if f.startswith(("src/", "agent/", "plugin/"))]
    c_and_h = [f for f in code if not f.endswith(".def")]
    everything = files("*")
    checks = [
        ("src/ includes nothing of net-snmp",
         grep(r'#\s*include\s*[<"]net-snmp', [f for f in ours if f.startswith("src/")])),
        ("agent/ names no path of the kernel",
         grep(r"/sys/|/proc/|configfs", [f for f in ours if f.startswith("agent/")])),
        ("no banned function", grep(r"\b(atoi|atol|atoll|gets|alloca|tmpnam|mktemp)\s*\(", ours)),
        ("nothing executes a program", grep(r"\bexec(l|v|le|ve|lp|vp|vpe)\s*\(|\bposix_spawn", ours)),
        ("no file above %d lines" % SIZE_LIMIT, check_sizes(code)),
        ("formatted with clang-format 14",
         run(["clang-format-14", "--dry-run", "-Werror", *c_and_h])),
        ("no mark of unfinished work",
         grep(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HACK)\b",
              [f for f in everything if not f.startswith("tests/fixtures/") and f != "tests/lint.py"
               and not f.startswith("tests/fuzz/seeds/")])),
        ("every source file says its licence",
         [f for f in c_and_h + files("*.py", "*.sh")
          if "SPDX-License-Identifier" not in (ROOT / f).read_text()[:300]]),
        ("manual pages", check_manuals()),
        ("cppcheck", check_cppcheck()),
        ("clang-tidy", check_tidy([f for f in ours if f.endswith(".c")])),
    ]
    print(f"1..{len(checks)}")
    failed = 0
    for number, (what, faults) in enumerate(checks, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {what}")
        for fault in faults[:60]:
            print("# " + fault)
        failed += bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
