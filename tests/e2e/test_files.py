# SPDX-License-Identifier: Apache-2.0
"""file.mode="follow" under a real daemon: growth, rolling, truncation, restarts and crashes.

Every frame has its own DNS id, so that a lost or repeated one shows by its number. Replaying
(file.mode="once") is in test_corpus.py and test_input.py.
"""
import gzip
import os
import signal
import threading

import fstrm
import producers
import tap
from harness import check_json, check_matches, rsyslogd, wait_for

FOLLOW = 'input(type="imdnstap" name="t" file="%s" file.mode="follow" ruleset="dnstap" %s)'
START = fstrm.control(fstrm.START, fstrm.CONTENT_TYPE)


def frame(number):
    return fstrm.data(fstrm.payload(qid=number))


def write(path, octets, mode="ab"):
    with open(path, mode) as file:
        file.write(octets)


def ids(daemon, count):
    return [event["dns"]["id"] for event in check_json(daemon.wait_lines(count))]


def started(case, name="f", more=""):
    path = os.path.join(case.dir, name)
    return rsyslogd(case, input=FOLLOW % (path, more)), path


def test_growth_octet_by_octet(case):
    """A frame is an event as soon as it is whole, and not before."""
    daemon, path = started(case)
    write(path, START)
    octets = frame(1) + frame(2)
    for at in range(len(octets)):
        write(path, octets[at:at + 1])
        if at == len(frame(1)) - 1:
            daemon.wait_lines(1)
    assert ids(daemon, 2) == [1, 2]
    daemon.check_books(2, 2)


def test_roll(case):
    """Renamed and made anew five times while being written: nothing lost, nothing twice."""
    daemon, path = started(case)
    number = 0
    for turn in range(5):
        write(path, START)
        for _ in range(100):
            number += 1
            write(path, frame(number))
        # What is rolled twice before anybody looks cannot be found by its first name.
        wait_for("an event of this file",
                 lambda: len(daemon.lines()) > number - 100)
        os.rename(path, f"{path}.{turn}")
    write(f"{path}.4", frame(501))  # the writer still has the old one
    write(path, START + frame(502))
    assert sorted(ids(daemon, 502)) == list(range(1, 503))
    daemon.check_books(502, 502)


def test_truncation(case):
    """Cut short, it is read from its beginning, with one line that says so."""
    daemon, path = started(case)
    write(path, START + frame(1) + frame(2) + b"\0\0")
    daemon.wait_lines(2)
    write(path, START, "wb")
    daemon.wait_log("cut short")
    write(path, frame(3))
    assert ids(daemon, 3) == [1, 2, 3]
    assert len(daemon.log("cut short")) == 1


def test_restart(case):
    """Stopped and started ten times while a writer goes on, in the middle of frames and across a roll."""
    daemon, path = started(case)
    write(path, START)
    done = threading.Event()

    def writer():
        for number in range(1, 2001):
            octets = frame(number)
            write(path, octets[:20])
            write(path, octets[20:])
            if number == 1000:
                os.rename(path, path + ".0")
                write(path, START)
        done.set()

    thread = threading.Thread(target=writer)
    thread.start()
    for turn in range(10):
        daemon.wait_log(r"\] start$", turn + 1)
        wait_for("more events", lambda: len(daemon.lines()) >= 150 * (turn + 1))
        daemon.stop()
        daemon.start()
    thread.join()
    assert done.is_set()
    assert sorted(ids(daemon, 2000)) == list(range(1, 2001))
    daemon.wait_log(r"\] start$", 11)
    daemon.stop()
    daemon.start()
    write(path, frame(2001))
    assert ids(daemon, 2001)[-1] == 2001


def test_roll_while_away(case):
    """What was written behind the saved position, then renamed, is read after the restart."""
    daemon, path = started(case)
    write(path, START + frame(1))
    daemon.wait_lines(1)
    daemon.stop()
    write(path, frame(2))
    os.rename(path, path + ".0")
    write(path, START + frame(3))
    daemon.start()
    assert ids(daemon, 3) == [1, 2, 3]


def test_crash(case):
    """Killed, it goes on at the last saved position: nothing saved comes twice."""
    daemon, path = started(case)
    write(path, START + frame(1) + frame(2))
    daemon.wait_lines(2)
    spool = os.path.join(case.dir, "spool")

    def saved():
        """Offset in the one state file: imdnstap/files_state.h."""
        states = [name for name in os.listdir(spool) if "imdnstap" in name and ".new" not in name]
        if len(states) != 1:
            return 0
        with open(os.path.join(spool, states[0])) as file:
            lines = file.read().splitlines()
        return int(lines[1].split()[2]) if len(lines) == 2 else 0

    wait_for("the position behind both", lambda: saved() == os.path.getsize(path))
    daemon.stop(signal.SIGKILL)
    daemon.start()
    write(path, frame(3))
    assert ids(daemon, 3) == [1, 2, 3]


def test_glob(case):
    """New files that match are found; compressed ones are left alone, with one line."""
    daemon, path = started(case, "f-*")
    directory = os.path.dirname(path)
    for number in range(1, 4):
        write(os.path.join(directory, f"f-{number}"), START + frame(number))
        daemon.wait_lines(number)
    with gzip.open(os.path.join(directory, "f-4.gz"), "wb") as file:
        file.write(START + frame(4))
    daemon.wait_log("compressed")
    write(os.path.join(directory, "f-1"), frame(5))
    assert ids(daemon, 4) == [1, 2, 3, 5]


def test_broken_file(case):
    """What is no Frame Streams costs one line, and not one for every change."""
    daemon, path = started(case)
    for _ in range(20):
        write(path, b"hello world, this is a log file\n")
    daemon.wait_log("no Frame Streams")
    os.rename(path, path + ".txt")
    write(path, START + frame(1))
    daemon.wait_lines(1)
    assert len(daemon.log("no Frame Streams")) == 1, daemon.log()


@tap.timeout(100)
def test_bind_file(case):
    """BIND's own file, written in blocks that end within frames; BIND begins it anew at its restart."""
    daemon, path = started(case, "bind.fstrm")
    frames = []
    dig = producers.Dig()
    server = case.start(producers.Bind(case.dir, file=path))
    for turn in range(2):
        if turn:
            server.start()
        for _ in range(30):
            dig.ask(server, "www.example.test", "A")
        wait_for("a first block", lambda: len(daemon.lines()) > len(frames))
        server.stop()
        frames += fstrm.read_frames(path)
        check_matches(check_json(daemon.wait_lines(len(frames))), frames)
    daemon.check_books(len(frames), len(frames))


if __name__ == "__main__":
    tap.main()
