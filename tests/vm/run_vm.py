#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Boots the image of build_image.py, runs one job in it, and brings back what the job left.

    run_vm.py JOB OUT [KERNEL]     JOB: folder with run.sh and job.conf; OUT: for the results; KERNEL:
                                   cloud when not said, head of debs.py

Exit code: that of the job's run.sh; 124 when it ran into its time limit; 97 when the guest died; the
same, the seconds it took and what ended it before its end are in OUT/result, three lines.
The lines of job.conf:
    seconds N            limit for run.sh (the boot of about 4 s is not part of it)
    memory MIB           of the guest, 1024 when not said
    copy PATH GUEST      file or folder of the source tree -> path in the guest
    full                 needs the kernel of real machines (device handlers, ALUA): when a cloud kernel
                         is asked for, the full one of the same version
    long                 only run when asked for (test_vm.py --all, or by its name)

The guest is emulated (QEMU TCG), also where /dev/kvm exists: a CI machine is often a guest itself
with a KVM that cannot run this kernel. It has no network and sees nothing of the host; a kernel oops
ends the run at once. Needs qemu-system-x86_64, no root rights. Called by test_vm.py; by hand to
work on a job: OUT/console.log shows all, OUT/tap what run.sh printed.
"""

import collections
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time

import build_image
import cpio
import debs

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
QEMU = "qemu-system-x86_64"
BOOT_SECONDS = 60  # boot, results and power-off on a busy host; 4 s on an idle one
RESULT_OCTETS = 256 << 20
GUEST_DIED = 97

# rc: exit code as above; seconds: the whole run; why: "" or what ended it before run.sh was done.
Result = collections.namedtuple("Result", "rc seconds why")
Job = collections.namedtuple("Job", "folder seconds memory full copies")


class JobError(Exception):
    """The job cannot be started."""


def read_job(folder):
    """The job in this folder; JobError if a file is not there that it needs."""
    memory, full, copies = 1024, False, []
    for words in lines_of(folder):
        if words[0] == "memory" and len(words) == 2:
            memory = int(words[1])
        elif words == ["full"]:
            full = True
        elif words[0] == "copy" and len(words) == 3:
            source = os.path.join(TOP, words[1])
            if not os.path.exists(source):
                raise JobError("%s needs %s, which is not there: make" % (folder, words[1]))
            copies.append((source, words[2]))
        elif words != ["long"] and (words[0] != "seconds" or len(words) != 2):
            raise JobError("%s/job.conf: %s" % (folder, " ".join(words)))
    return Job(folder, limit_of(folder), memory, full, copies)


def lines_of(folder):
    """The words of each line of a job.conf."""
    with open(os.path.join(folder, "job.conf"), encoding="ascii") as lines:
        return [words for words in (line.split("#")[0].split() for line in lines) if words]


def is_long(folder):
    """Whether its job.conf says that the job takes long."""
    return ["long"] in lines_of(folder)


def limit_of(folder):
    """The seconds that the job may take."""
    return next((int(words[1]) for words in lines_of(folder) if words[0] == "seconds"), 60)


def write_initrd(image, job, path):
    """The image, followed by an archive with the job: /job and what job.conf copies."""
    with open(path, "wb") as out:
        with open(os.path.join(image, "initrd.cpio"), "rb") as base:
            while True:
                chunk = base.read(1 << 20)
                if not chunk:
                    break
                out.write(chunk)
        extra = cpio.Archive(out)
        extra.tree(job.folder, "job")
        for name in ("lib.sh", "agent.sh", "witness.sh"):
            extra.file("job/" + name, os.path.join(HERE, name))
        for source, name in job.copies:
            if os.path.isdir(source):
                extra.tree(source, name)
            else:
                extra.file(name, source)
        extra.close()


def qemu_command(image, job, initrd, disk):
    kernel_arguments = ("console=ttyS0 quiet panic=-1 oops=panic mitigations=off "
                        "random.trust_cpu=on job_seconds=%d" % job.seconds)
    return [QEMU, "-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max",
            "-m", str(job.memory), "-smp", "2", "-nodefaults", "-display", "none", "-no-reboot",
            "-kernel", os.path.join(image, "vmlinuz"), "-initrd", initrd,
            "-append", kernel_arguments, "-serial", "stdio",
            "-drive", "file=%s,if=virtio,format=raw,cache=unsafe" % disk]


def boot(argv, seconds, console):
    """Runs QEMU until the guest turns itself off; "" or why it had to be ended."""
    try:
        with open(console, "wb") as log:
            done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT, timeout=seconds)
    except FileNotFoundError:
        raise JobError(QEMU + " is not installed") from None
    except subprocess.TimeoutExpired:
        return "the guest did not end within %d s" % seconds
    with open(console, "rb") as log:
        panic = re.search(rb"Kernel panic[^\r\n]*|Oops: [^\r\n]*|BUG: [^\r\n]*", log.read())
    if panic:
        return panic.group().decode(errors="replace")
    return "" if done.returncode == 0 else "%s ended with %d" % (QEMU, done.returncode)


def unpack_results(disk, out):
    """The files that the guest's init wrote onto the disk; False if it never came that far."""
    try:
        with tarfile.open(disk, "r:") as archive:
            for member in archive:
                # The guest runs our own job, but a folder of ours is all that it may write.
                name = os.path.normpath(member.name)
                if name.startswith(("/", "..")):
                    continue
                if member.isdir():
                    os.makedirs(os.path.join(out, name), exist_ok=True)
                elif member.isfile():
                    with open(os.path.join(out, name), "wb") as target:
                        target.write(archive.extractfile(member).read())
    except tarfile.TarError:
        return False
    return os.path.exists(os.path.join(out, "rc"))


def run_job(folder, out, kernel="cloud"):
    """Runs the job in `folder` and leaves its results, and console.log, in the folder `out`."""
    job = read_job(folder)
    image = build_image.ensure_image(debs.FULL.get(kernel, kernel) if job.full else kernel)
    os.makedirs(out, exist_ok=True)
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="iscsi-agentx-vm-") as scratch:
        initrd = os.path.join(scratch, "initrd")
        disk = os.path.join(scratch, "results")
        write_initrd(image, job, initrd)
        with open(disk, "wb") as sparse:
            sparse.truncate(RESULT_OCTETS)
        why = boot(qemu_command(image, job, initrd, disk), job.seconds + BOOT_SECONDS,
                   os.path.join(out, "console.log"))
        arrived = unpack_results(disk, out)
    seconds = time.monotonic() - started
    if not arrived or why:
        return Result(GUEST_DIED, seconds, why or "the guest left no results")
    with open(os.path.join(out, "rc"), encoding="ascii") as text:
        rc = int(text.read())
    why = "run.sh was ended after %d s" % job.seconds if rc == 124 else ""
    return Result(rc, seconds, why)


def write_result(out, result):
    with open(os.path.join(out, "result"), "w", encoding="utf-8") as text:
        text.write("%d\n%.1f\n%s\n" % result)


def read_result(out):
    """What a run_vm.py has left; None if it could not start the guest."""
    try:
        with open(os.path.join(out, "result"), encoding="utf-8") as text:
            rc, seconds, why = text.read().split("\n")[:3]
    except OSError:
        return None
    return Result(int(rc), float(seconds), why)


def end_by_exception():
    """SIGTERM then takes QEMU and the scratch files away, as Ctrl-C does."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def main():
    end_by_exception()
    if len(sys.argv) not in (3, 4):
        print(__doc__, file=sys.stderr)
        return 2
    try:
        result = run_job(*sys.argv[1:])
        write_result(sys.argv[2], result)
    except (JobError, debs.ImageError, OSError) as error:
        print("run_vm: %s" % error, file=sys.stderr)
        return 2
    print("run_vm: exit code %d after %.1f s %s" % result, file=sys.stderr)
    return result.rc


if __name__ == "__main__":
    sys.exit(main())
