#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Where messages go: -L as in snmpcmd(1), the journal's priorities, and how few there are."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'support'))

from agentx_lab import PLAIN, Harness, Lab, Scenarios, skip_all  # noqa: E402
from false_master import REGISTER, FalseMaster  # noqa: E402

CANNOT = 'cannot connect to the master agent'


def one_line(text, begins):
    lines = text.splitlines()
    assert len(lines) == 1 and lines[0].startswith(begins) and text.endswith('\n'), text


def run(lab, *arguments, environment=None, errors=None):
    """A harness without master for 0.3 s; what it wrote to standard output and error."""
    path = errors or lab.path('errors')
    with open(path, 'wb') as err:
        variables = {k: v for k, v in os.environ.items() if k != 'JOURNAL_STREAM'}
        process = subprocess.Popen([PLAIN, *arguments, lab.path('none')], stdout=subprocess.PIPE,
                                   stderr=err, text=True, env={**variables, **(environment or {})})
        try:
            first = process.stdout.readline()
            time.sleep(0.3)
        finally:
            process.terminate()
        out = first + process.communicate()[0]
    with open(path) as f:
        return out, f.read()


def standard_error():
    """without -L: standard error, one line, no prefix"""
    with Lab(PLAIN) as lab:
        one_line(run(lab)[1], CANNOT)


def file():
    """-Lf FILE: the file and nothing else"""
    with Lab(PLAIN) as lab:
        path = lab.path('file')
        out, err = run(lab, '-Lf', path)
        assert err == '' and CANNOT not in out
        with open(path) as f:
            one_line(f.read(), CANNOT)


def standard_output():
    """-Lo: standard output"""
    with Lab(PLAIN) as lab:
        out, err = run(lab, '-Lo')
        assert err == '' and out.count(CANNOT) == 1, (out, err)


def priorities():
    """-LE PRIORITY: a warning is shown from w on, not with e"""
    with Lab(PLAIN) as lab:
        one_line(run(lab, '-LE', 'w')[1], CANNOT)
        assert run(lab, '-LE', 'e')[1] == ''


def no_logging():
    """-Ln: nowhere"""
    with Lab(PLAIN) as lab:
        assert run(lab, '-Ln')[1] == ''


def wrong_option():
    """-L with an unknown place is wrong usage"""
    done = subprocess.run([PLAIN, '-LQ', 'nowhere'], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and 'Q' in done.stderr, done


def journal():
    """JOURNAL_STREAM of standard error: lines begin with <priority>; of another file they do not"""
    with Lab(PLAIN) as lab:
        path = lab.path('journal')
        open(path, 'w').close()
        st = os.stat(path)
        right = {'JOURNAL_STREAM': f'{st.st_dev}:{st.st_ino}'}
        one_line(run(lab, environment=right, errors=path)[1], '<4>' + CANNOT)
        assert run(lab, '-Le', environment=right, errors=path)[1].startswith(CANNOT)
        for wrong in (f'{st.st_dev}:{st.st_ino + 1}', f'{st.st_dev}', 'x:y', ':', '1' * 99 + ':1'):
            one_line(run(lab, environment={'JOURNAL_STREAM': wrong}, errors=path)[1], CANNOT)


def library_messages():
    """the library's own messages: none below error, an error that repeats itself once"""
    with Lab(PLAIN) as lab:
        master = FalseMaster(lab.path('master'))
        harness = Harness(lab, master.path)
        c = master.accept(5)
        c.answer[REGISTER] = lambda c, p: c.respond(p, 263)
        c.handshake()
        harness.ready()
        c.run(3.5)
        lines = harness.messages().splitlines()
        assert sum('registering pdu failed' in line for line in lines) == 1, lines
        assert not any('NET-SNMP version' in line for line in lines), lines
        c.close()
        master.accept(3).handshake()
        assert not any('disconnected us' in line for line in harness.messages().splitlines())


def unread_pipe():
    """a pipe that nobody reads: nothing waits for it, and later it says how many messages are lost"""
    with Lab(PLAIN) as lab:
        reading, writing = os.pipe()
        socket_path = lab.path('master')
        os.set_blocking(writing, False)
        try:
            while True:
                os.write(writing, b'x' * 512)
        except BlockingIOError:
            os.set_blocking(writing, True)
        process = subprocess.Popen([PLAIN, socket_path], stdout=subprocess.PIPE, stderr=writing)
        os.close(writing)
        try:
            assert process.stdout.readline(), 'it waits for the pipe'
            # The first connection is made and lost while nobody reads: three messages at least.
            master = FalseMaster(socket_path)
            c = master.accept(10).handshake(10)
            c.close()
            again = master.accept(10)
            with os.fdopen(reading, encoding='ascii') as log:
                begun = log.read(1)
                again.handshake(10)
                lines = [log.readline() for _ in range(2)]
        finally:
            process.kill()
            process.wait()
        assert begun == 'x' and lines[0].lstrip('x').endswith(
            'messages were dropped: nobody read them\n'), lines
        assert int(lines[0].lstrip('x').split()[0]) >= 2, lines
        assert lines[1].startswith('connected to the master agent'), lines


def main():
    if not os.access(PLAIN, os.X_OK):
        return skip_all(PLAIN + ' is not built')
    tests = Scenarios(os.environ.get('TESTS'))
    for test in (standard_error, file, standard_output, priorities, no_logging, wrong_option,
                 journal, library_messages, unread_pipe):
        tests.add(test)
    return tests.run()


if __name__ == '__main__':
    sys.exit(main())
