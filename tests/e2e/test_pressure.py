# SPDX-License-Identifier: Apache-2.0
"""Back-pressure: sinks that are slow or stand still, queues and disks that are full.

Covers: a memory queue in front of a slow sink and of one that stops and goes on, again and again; a
disk-assisted queue that overflows (OVERFLOW_MB megabytes of it), that reaches queue.maxDiskSpace, and
whose file system is full; a full file system below omfile. The producer waits or the queue grows as
documented (doc/reliability.md), and afterwards every frame is accounted for.
"""
import json
import os
import pathlib
import re
import select
import subprocess
import threading
import time

import fstrm
import tap
from fstrm import Client
from harness import WORKERS, WRAPPER, Rsyslogd, check_json, rsyslogd, wait_for
from test_life import Traffic
from test_stream import numbered

OVERFLOW_MB = int(os.environ.get("OVERFLOW_MB", "24"))
LIGHT = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" flowcontrol="light")'
ASSISTED = 'queue.type="LinkedList" queue.filename="q" queue.size="3000" queue.highwatermark="600" ' \
    'queue.lowwatermark="200" queue.lightdelaymark="0" queue.timeoutenqueue="120000" '


class Sink:
    """The other end of a FIFO that omfile writes to, 64 KB: read while it is open, `most` octets per turn
    at most. Keeps the numbers of the events, and the lines that are none."""

    def __init__(self, dir, most=1 << 20):
        path = os.path.join(dir, "fifo")
        os.mkfifo(path)
        self.output = f'action(type="omfile" file="{path}" template="line")'
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self.most, self.numbers, self.broken = most, [], []
        self.open, self.over = threading.Event(), threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run)

    def start(self):
        self.thread.start()

    def diagnosis(self):
        yield f"--- sink: {len(self.numbers)} events, no JSON: {self.broken[:3]!r}, failure {self.failure!r}"

    def _run(self):
        try:
            self._read()
        except Exception as error:  # told by diagnosis(); the test misses the events
            self.failure = error

    def _read(self):
        rest = b""
        while not self.over.is_set():
            if not self.open.wait(0.02) or not select.select([self.fd], [], [], 0.02)[0]:
                continue
            *lines, rest = (rest + os.read(self.fd, self.most)).split(b"\n")
            for line in lines:
                self.take(line)
            if self.most < 1 << 20:
                self.over.wait(0.005)

    def take(self, line):
        try:
            self.numbers.append(int(json.loads(line)["extra"].split(" ")[0]))
        except ValueError:
            self.broken.append(line)

    def drained(self):
        """Until nothing is left in the FIFO. A line that was cut makes one with the next: neither is an event."""
        wait_for("an empty FIFO", lambda: not select.select([self.fd], [], [], 0.05)[0])

    def stop(self):
        self.over.set()
        self.thread.join(20 * tap.PATIENCE)
        os.close(self.fd)


class Sender(Traffic):
    """Traffic whose frames bear their number, padded to a size; up to a count."""

    def __init__(self, path, count, size=0):
        super().__init__(path, deadline=120)
        self.count, self.padding = count, b" " + b"x" * size

    def _session(self):
        client = Client(self.path, self.deadline)
        client.ready()
        while self.sent < self.count and not self.over.is_set():
            client.frames([fstrm.payload(extra=b"%d" % n + self.padding)
                           for n in range(self.sent, self.sent + 10)])
            self.sent += 10
        client.finish()
        client.close()
        self.over.set()


def stands_still(daemon, sender):
    """Nothing is taken over two snapshots of impstats, and the sender waits."""
    seen = [None, 0]

    def still():
        daemon.check_alive()
        now = daemon.counters().get("frames.received", 0), sender.sent
        snapshots = daemon.read("stats").count(b'"imdnstap(t)"')
        if now != seen[0]:
            seen[:] = [now, snapshots]
        return now[0] > 0 and snapshots >= seen[1] + 3
    wait_for("the reader to stop", still, 60)
    assert sender.thread.is_alive() and sender.failure is None, sender.failure


def check_all(daemon, sender, sink, ordered=WORKERS == 1, deadline=120):
    """Everything that was sent has arrived once; the books are closed, and no queue discarded."""
    wait_for("the end of the traffic", lambda: daemon.check_alive() and not sender.thread.is_alive(), deadline)
    assert sender.failure is None, sender.failure
    wait_for("the rest", lambda: daemon.check_alive() and len(sink.numbers) >= sender.sent, deadline)
    numbers = sink.numbers if ordered else sorted(sink.numbers)
    assert numbers == list(range(sender.sent)), "a hole, or a frame twice"
    daemon.check_books(sender.sent, sender.sent)
    for name, queue in daemon.stats().items():
        if queue.get("origin") == "core.queue":
            assert queue["discarded.full"] == queue["discarded.nf"] == 0, (name, queue)


def test_slow_sink(case):
    """A sink that takes less than comes: the queue stays below its size, the producer waits."""
    sink = case.start(Sink(case.dir, most=8192))
    sink.open.set()
    daemon = rsyslogd(case, queue='queue.type="LinkedList" queue.size="500"', output=sink.output)
    sender = case.start(Sender(daemon.socket, 6000))
    wait_for("a full queue", lambda: daemon.check_alive() and
             daemon.stats().get("dnstap", {}).get("maxqsize", 0) >= 480, 40)
    assert sender.thread.is_alive(), "the producer did not have to wait"
    sink.most = 1 << 20
    check_all(daemon, sender, sink)
    assert daemon.stats()["dnstap"]["maxqsize"] <= 500


@tap.timeout(150)
def test_sink_stops_and_goes_on(case):
    """Three times: reading stops with the sink and goes on with it."""
    sink = case.start(Sink(case.dir))
    daemon = rsyslogd(case, queue='queue.type="LinkedList" queue.size="500"', output=sink.output)
    sender = case.start(Sender(daemon.socket, 1 << 30, 400))
    for _ in range(3):
        stands_still(daemon, sender)
        before = sender.sent
        sink.open.set()
        wait_for("the reader to go on", lambda: sender.sent > before + 2000, 40)
        sink.open.clear()
    sender.count = sender.sent
    sink.open.set()
    check_all(daemon, sender, sink)


def switches(daemon):
    """How often threads of the daemon have gone to sleep by themselves (proc(5), voluntary_ctxt_switches)."""
    return sum(int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status, re.M)[1]) for status in
               map(pathlib.Path.read_text, pathlib.Path(f"/proc/{daemon.process.pid}/task").glob("*/status")))


@tap.cases("light", "full")
def test_standing_still_costs_little(case, flow):
    """While nothing moves, the input looks for room some 50 times a second at most, not as often as it can."""
    sink = case.start(Sink(case.dir))
    daemon = rsyslogd(case, input=LIGHT.replace("light", flow), output=sink.output,
                      queue='queue.type="LinkedList" queue.size="500" queue.lightdelaymark="0" queue.timeoutenqueue="120000"')
    sender = case.start(Sender(daemon.socket, 1 << 30, 400))
    stands_still(daemon, sender)
    begin, before, snapshots = time.monotonic(), switches(daemon), daemon.read("stats").count(b'"imdnstap(t)"')
    wait_for("three snapshots", lambda: daemon.check_alive() and
             daemon.read("stats").count(b'"imdnstap(t)"') >= snapshots + 3)
    often = (switches(daemon) - before) / (time.monotonic() - begin)
    sender.count = sender.sent
    sink.open.set()
    check_all(daemon, sender, sink)
    assert often < 200, f"{often:.0f} times a second"


def spool_size(daemon):
    return sum(os.path.getsize(os.path.join(at, name))
               for at, _, names in os.walk(os.path.join(daemon.dir, "spool")) for name in names)


@tap.timeout(90)
def test_queue_that_discards(case):
    """flowcontrol="no" and queue.timeoutEnqueue="0": the producer never waits, what the full queue does not take
    is rsyslog's loss, and the queue's discarded.full has it to the frame."""
    sink = case.start(Sink(case.dir))
    daemon = rsyslogd(case, input=LIGHT.replace('"light"', '"no"'), output=sink.output,
                      queue='queue.type="LinkedList" queue.size="500" queue.timeoutenqueue="0"')
    sender = case.start(Sender(daemon.socket, 5000, 500))
    wait_for("everything sent", lambda: daemon.check_alive() and not sender.thread.is_alive(), 40)
    assert sender.failure is None and not sink.numbers, sender.failure
    daemon.wait_counters(submitted=5000)
    sink.open.set()
    wait_for("an empty queue", lambda: daemon.check_alive() and daemon.stats()["dnstap"]["size"] == 0, 40)
    lost = daemon.stats()["dnstap"]["discarded.full"]
    wait_for("the rest", lambda: len(sink.numbers) >= 5000 - lost)
    assert lost > 3000 and len(sink.numbers) == len(set(sink.numbers)) == 5000 - lost, (lost, len(sink.numbers))
    daemon.check_books(5000, 5000)


def memory_peak(daemon):
    """In MB, as the kernel knows it (proc(5), VmHWM)."""
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(re.search(r"^VmHWM:\s+(\d+) kB", status, re.M)[1]) / 1000


@tap.timeout(100 + 2 * OVERFLOW_MB)
def test_overflow_to_disk(case):
    """The sink stands still and megabytes go to the disk while the producer never waits; then all of it
    arrives. The figures are in comment lines; those of a gigabyte and a half are in doc/reliability.md."""
    began = time.monotonic()
    sink = case.start(Sink(case.dir))
    daemon = rsyslogd(case, input=LIGHT, queue=ASSISTED + 'queue.maxdiskspace="8g"',
                      output=sink.output)
    sender = case.start(Sender(daemon.socket, OVERFLOW_MB * 500, 2000))
    wait_for("everything sent", lambda: daemon.check_alive() and not sender.thread.is_alive(),
             40 + OVERFLOW_MB)
    assert not sink.numbers
    wait_for("the overflow on disk", lambda: spool_size(daemon) >= 0.8 * OVERFLOW_MB * 1000000, 40)
    spilt, size, filled = time.monotonic(), spool_size(daemon), memory_peak(daemon)
    sink.open.set()
    check_all(daemon, sender, sink, ordered=False, deadline=120 + OVERFLOW_MB)
    tap.comment(f"{sender.sent} frames, {size / 1e6:.0f} MB on disk after {spilt - began:.0f} s, all written after "
                f"{time.monotonic() - spilt:.0f} s more; memory {filled:.0f} MB at most by then, "
                f"{memory_peak(daemon):.0f} MB in the end")


@tap.timeout(150)
def test_queue_at_its_disk_limit(case):
    """queue.maxDiskSpace: the disk takes no more than that, then the producer waits, nothing is lost."""
    sink = case.start(Sink(case.dir))
    daemon = rsyslogd(case, input=LIGHT, queue=ASSISTED + 'queue.maxdiskspace="4m" queue.maxfilesize="1m"',
                      output=sink.output)
    sender = case.start(Sender(daemon.socket, 12000, 1000))
    stands_still(daemon, sender)
    assert 3000000 < spool_size(daemon) < 6000000, spool_size(daemon)
    sink.open.set()
    check_all(daemon, sender, sink, ordered=False)


class SmallDisk:
    """A file system of its own that only rsyslogd sees, 2 MB of it; fill() leaves `left` octets."""

    def __init__(self, dir):
        self.dir = dir
        os.makedirs(dir)
        self.root = [] if os.geteuid() == 0 else ["-U"]
        self.process = None

    def start(self):
        script = 'mount -t tmpfs -o size=2m none "$0" && echo made && exec cat'
        self.process = subprocess.Popen(["unshare", "-m", *(["-Ur"] if self.root else []), "sh", "-c", script,
                                         self.dir], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        answer = self.process.stdout.readline()
        if answer != b"made\n":
            self.stop()
            raise tap.Skip(f"no mount namespace to be had: {answer.decode()}")

    def path(self, name):
        return f"/proc/{self.process.pid}/root{self.dir}/{name}"

    def enter(self):
        return ["nsenter", "-t", str(self.process.pid), "-m", *self.root]

    def fill(self, left):
        with open(self.path("filler"), "wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4096)
            except OSError:
                file.truncate(file.tell() - left)

    def clear(self):
        os.unlink(self.path("filler"))

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


class Inside(Rsyslogd):
    """rsyslogd that sees the small disk."""
    disk = None

    def command(self):
        return self.disk.enter() + super().command()


def inside(case, disk, **options):
    daemon = Inside(case.dir, **options)
    daemon.disk = disk
    case.start(daemon)
    daemon.wait_socket()
    return daemon


def test_full_disk_below_omfile(case):
    """omfile gives up what it cannot write, says so, and goes on once there is room. What it gave up is
    in action.errorFile, but for batches that rsyslog's omfile loses at the end of the disk now and then."""
    disk = case.start(SmallDisk(os.path.join(case.dir, "small")))
    daemon = inside(case, disk, workers=1, output='action(type="omfile" name="out" file="{dir}/small/events" '
                    'template="line" action.errorFile="{dir}/failed")')
    disk.fill(300000)
    fstrm.deliver(daemon.socket, numbered(0, 2000))
    daemon.wait_log("write error.*No space left on device")
    daemon.wait_counters(frames_received=2000, submitted=2000)

    def failed():
        records = check_json(daemon.lines("failed"))
        return [json.loads(r["template0"])["dns"]["id"] for r in records]
    with open(disk.path("events"), "rb") as file:
        def written():
            file.seek(0)
            lines = file.read().split(b"\n")[:-1]
            begin = lines[0][:8]  # the line at which it was full is cut, and the next one follows at once
            return [json.loads(line[line.rindex(begin):])["dns"]["id"] for line in lines]
        wait_for("an action that has seen all", lambda: daemon.check_alive() and
                 daemon.stats()["out"]["processed"] == 2000, 30)
        wait_for("frames in both files", lambda: written() and failed(), 30)
        before = written()
        assert before == list(range(len(before))) and len(before) < 2000
        assert set(failed()) <= set(range(2000))
        assert daemon.stats()["out"]["failed"] > 0, daemon.stats()["out"]
        disk.clear()
        fstrm.deliver(daemon.socket, numbered(5000, 100))
        wait_for("the new ones", lambda: daemon.check_alive() and set(range(5000, 5100)) <= set(written()), 30)
    daemon.check_books(2100, 2100)


@tap.timeout(120)
@tap.cases(("below what is free", ("1m", False)), ("above it", ("1g", True)))
def test_full_disk_below_queue(case, value):
    """queue.maxDiskSpace below what its file system has: the producer waits, nothing is lost. Above it:
    a warning at start, and rsyslog loses what it cannot write, with a line for each message, and now and
    then does not get past the record that was cut; from 8.2608
    on, with queue files of another kind (NAME.segq), it waits then, and loses the records that were cut."""
    limit, loses = value
    if loses and WRAPPER:
        raise tap.OtherBuild("rsyslog forgets the memory of each message that it cannot write, as valgrind finds")
    disk = case.start(SmallDisk(os.path.join(case.dir, "small")))
    sink = case.start(Sink(case.dir))
    daemon = inside(case, disk, workers=1, input=LIGHT, output=sink.output, queue=ASSISTED +
                    f'queue.maxdiskspace="{limit}" queue.maxfilesize="200k" '
                    f'queue.spooldirectory="{case.dir}/small"')
    sender = case.start(Sender(daemon.socket, 12000, 1000))
    if loses:
        daemon.wait_log("queue.maxDiskSpace of its queue is 1073741824")
        files = wait_for("files of the queue", lambda: daemon.check_alive() and
                         [name for name in os.listdir(disk.path("")) if re.search(r"\.0000|\.segq$", name)])
        if files[0].endswith(".segq"):
            stands_still(daemon, sender)
            sink.open.set()
            wait_for("nearly everything", lambda: daemon.check_alive() and not sender.thread.is_alive() and
                     len(sink.numbers) >= 0.95 * sender.sent, 60)
            assert len(set(sink.numbers)) == len(sink.numbers)
            daemon.check_books(sender.sent, sender.sent)
            return
    else:
        assert not daemon.log("queue.maxDiskSpace of its queue")
    if not loses:
        stands_still(daemon, sender)
        sink.open.set()
        check_all(daemon, sender, sink, ordered=False)
        return
    wait_for("everything sent", lambda: daemon.check_alive() and not sender.thread.is_alive(), 40)
    sink.open.set()
    wait_for("an empty queue, or one that stands at a record that was cut", lambda: daemon.check_alive() and (
        daemon.log("qDeqDisk error") or all(daemon.stats().get(queue, {}).get("size") == 0
                                            for queue in ("dnstap", "dnstap[DA]", "main Q"))), 40)
    lines = len(daemon.log("write error.*No space left on device"))
    assert lines > 0
    if not daemon.log("qDeqDisk error"):
        wait_for("what was not lost", lambda: len(sink.numbers) + lines >= sender.sent)
    assert len(set(sink.numbers)) == len(sink.numbers) < sender.sent, (len(sink.numbers), lines)
    daemon.check_books(sender.sent, sender.sent)


if __name__ == "__main__":
    tap.main()
