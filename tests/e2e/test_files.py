# SPDX-License-Identifier: Apache-2.0
"""file.mode="follow" under a real daemon: growth, rolling, truncation, restarts and crashes.

Every frame has its own DNS id, so that a lost or repeated one shows by its number. Replaying
(file.mode="once") is in test_corpus.py and test_input.py.
"""
import collections
import gzip
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading

import fstrm
import producers
import programs
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
    daemon.wait_log("followed from now on")  # what is rolled before the first look is not looked for
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


def test_rolls_between_two_looks(case):
    """The daemon is stopped in its tracks while the file is rolled three times: the files between were
    never seen under their first name. Each file is a session in the counters."""
    daemon, path = started(case)
    write(path, START + frame(1))
    daemon.wait_lines(1)
    daemon.send_signal(signal.SIGSTOP)
    for turn in range(3):
        write(path, frame(10 * turn + 2))
        for copy in range(turn, 0, -1):
            os.rename(f"{path}.{copy - 1}", f"{path}.{copy}")
        os.rename(path, path + ".0")
        write(path, START + frame(10 * turn + 3))
    daemon.send_signal(signal.SIGCONT)
    assert ids(daemon, 7) == [1, 2, 3, 12, 13, 22, 23]
    now = daemon.check_books(7, 7)
    assert (now["sessions.opened"], now["sessions.closed"]) == (4, 0), now
    daemon.wait_log("followed from now on", 4)


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


def test_more_files_than_descriptors(case):
    """Half of the descriptors stay for the rest of the daemon, which goes on; lines are bounded. What is
    deleted makes room, and no frame comes twice."""
    path = os.path.join(case.dir, "f-%03d")
    for number in range(300):
        write(path % number, START + frame(number))
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        daemon = rsyslogd(case, input=FOLLOW % (os.path.join(case.dir, "f-*"), ""), files=128)
        daemon.wait_log(r"file .*/f-\d+: Too many open files")
        wait_for("frames of some", lambda: len(daemon.lines()) > 32)
        assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) < 100
        wait_for("their count", lambda: daemon.check_alive() and
                 daemon.counters().get("sessions.openfailed", 0) >= 300 - 64)
        assert daemon.counters()["sessions.opened"] <= 64, daemon.counters()
        daemon.stop()
        assert len(daemon.lines()) < 64 and len(daemon.log("Too many open files")) <= 60
        for number in range(len(daemon.lines())):
            os.unlink(path % number)
        daemon.start()
        wait_for("frames of others", lambda: len(daemon.lines()) > 80)
        numbers = [event["dns"]["id"] for event in check_json(daemon.lines())]
        assert len(set(numbers)) == len(numbers), "a frame came twice"
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_sessions_of_files(case):
    """What is in the counters: files that are read, that cannot be, that are no Frame Streams, that
    hold a frame over the limit."""
    good = fstrm.stream([fstrm.payload(qid=1)])
    for name, octets in (("a1", good), ("a2", b"no frames here"), ("a3", START + frame(2) + b"\x7f\0\0\0")):
        write(os.path.join(case.dir, name), octets)
    os.mkfifo(os.path.join(case.dir, "a4"))
    daemon = rsyslogd(case, input=f'input(type="imdnstap" name="t" file="{case.dir}/a?" ruleset="dnstap")')
    daemon.wait_lines(2)
    now = daemon.check_books(3, 2)
    assert now["frames.invalid"] == 1, now
    assert (now["sessions.opened"], now["sessions.closed"], now["sessions.openfailed"],
            now["sessions.refused"], now["handshakes.failed"]) == (3, 3, 1, 0, 1), now


def test_broken_file(case):
    """What is no Frame Streams costs one line, and not one for every change."""
    daemon, path = started(case)
    for _ in range(20):
        write(path, b"hello world, this is a log file\n")
    daemon.wait_log("no Frame Streams")
    daemon.wait_counters(handshakes_failed=1, frames_received=0)
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


class Load:
    """Asks one server up to 3,000 questions a second, fewer for a slow daemon, each with a name of its own; answers
    may be lost."""

    def __init__(self, server):
        self.server = server
        self.asked = 0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def start(self):
        self.thread.start()

    def _run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(0.5)
            asker.connect(("127.0.0.1", self.server.port))
            while not self.over.wait(0.01 * tap.PATIENCE):  # what follows has to be compared, too
                try:
                    for _ in range(30):
                        asker.send(fstrm.dns_query(self.asked % 65536,
                                                   f"n{self.asked}.load.example.test"))
                        self.asked += 1
                    for _ in range(30):
                        asker.recv(1500)
                except OSError:
                    continue

    def stop(self):
        self.over.set()
        self.thread.join(25)


def wait_more(daemon, load, count=3000):
    """Until that many more events are there, with traffic all the while."""
    path = os.path.join(daemon.dir, "events")

    def size():
        return os.path.getsize(path) if os.path.exists(path) else 0
    goal = size() + count * 700  # an event takes some 700 octets

    def reached():
        assert load.thread.is_alive()
        return daemon.check_alive() and size() >= goal
    wait_for(f"{count} more events", reached, 40)


def go_frames(path):
    """How many frames the Go dnstap tool finds in a file."""
    program = programs.Program("dnstap", "golang-github-dnstap-golang-dnstap-cli")
    run = subprocess.run([program.path, "-r", path, "-q"], env=program.environment(), check=True,
                         capture_output=True, timeout=60)
    return run.stdout.count(b"\n")


def key_of_frame(frame):
    """What tells it from all others; the name is that of the first question."""
    message = fstrm.message_of(frame)
    wire, labels, at = message.get(14) or message[10], [], 12
    while wire[at]:
        labels.append(wire[at + 1:at + 1 + wire[at]].decode())
        at += 1 + wire[at]
    return message[1], message[6], int.from_bytes(wire[:2], "big"), ".".join(labels)


def check_files(daemon, paths):
    """Every frame of these whole files is one event, and there is no other event; what the lives of
    rsyslogd say they submitted adds up to the same."""
    frames = collections.Counter()
    for path in paths:
        found = fstrm.read_frames(path)
        assert go_frames(path) == len(found), path
        frames.update(map(key_of_frame, found))
    total = sum(frames.values())
    wait_for(f"{total} events", lambda: daemon.read("events").count(b"\n") >= total, 60)
    events = collections.Counter(
        (e["type_id"], e["query_port"], e["dns"]["id"], e["dns"]["question"][0]["name"])
        for e in check_json(daemon.lines()))
    lost, more = frames - events, events - frames
    assert not lost and not more, f"of {total}: {len(lost)} lost {list(lost)[:5]}, " \
        f"{len(more)} too many {list(more)[:5]}"
    daemon.stop()
    lives = daemon.log("input t: ended, frames: ")
    assert sum(int(re.search(r"= (\d+) submitted", line)[1]) for line in lives) == total, lives
    return total


def another_file(path, old, size):
    """The path has another file than `old`, an inode, and that is larger. For a moment of a roll it has none."""
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return False
    return now.st_ino != old and now.st_size > size


@tap.timeout(150)
@tap.cases(("path", "bind.fstrm"), ("glob", "bind.fstrm*"))
def test_bind_rolls_under_load(case, pattern):
    """Four rolls, three by rndc dnstap -roll (two of them while rsyslogd is away: one file comes and
    goes unseen), one by hand and -reopen, and two restarts of rsyslogd: frames written = events."""
    daemon, _ = started(case, pattern)
    path = os.path.join(case.dir, "bind.fstrm")
    server = case.start(producers.Bind(case.dir, file=path))
    load = case.start(Load(server))
    wait_more(daemon, load)
    server.rndc("dnstap", "-roll", "9")
    wait_more(daemon, load)
    daemon.stop()
    for _ in range(2):
        old = os.stat(path).st_ino
        server.rndc("dnstap", "-roll", "9")
        wait_for("a block of the new file", lambda: another_file(path, old, 20000))
    daemon.start()
    wait_more(daemon, load)
    os.rename(path, path + ".old")
    server.rndc("dnstap", "-reopen")
    wait_more(daemon, load)
    daemon.stop()
    daemon.start()
    wait_more(daemon, load)
    load.stop()
    server.stop()
    files = [os.path.join(case.dir, name) for name in os.listdir(case.dir)
             if name.startswith("bind.fstrm")]
    assert len(files) == 5, files
    tap.comment(f"{check_files(daemon, files)} frames in {len(files)} files")


@tap.timeout(150)
def test_knot_file_under_load(case):
    """Knot's growing file with a restart of rsyslogd in between; at its own restart, Knot begins the
    file anew."""
    daemon, path = started(case, "knot.fstrm")
    server = case.start(producers.Knot(case.dir, file=path))
    load = case.start(Load(server))
    wait_more(daemon, load)
    daemon.stop()
    daemon.start()
    wait_more(daemon, load)
    load.stop()
    server.stop()
    kept = shutil.copy(path, path + ".kept")
    total = len(fstrm.read_frames(kept))
    wait_for("all of the first file", lambda: daemon.read("events").count(b"\n") == total, 60)
    server.start()
    again = case.start(Load(server))
    wait_more(daemon, again)
    again.stop()
    server.stop()
    tap.comment(f"{check_files(daemon, [kept, path])} frames in two files")
    assert len(daemon.log("cut short or written anew")) == 1, daemon.log()


if __name__ == "__main__":
    tap.main()
