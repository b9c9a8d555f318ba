# SPDX-License-Identifier: Apache-2.0
"""The life of a daemon: sockets, HUP, stop, restart, kill, back-pressure, hostile soak.

Covers: stale sockets, modes, unlink; HUP and SIGTERM during traffic with closed books;
restarts over a disk queue; a sink that does not take anything; what at most a kill costs.
"""
import json
import os
import random
import select
import signal
import socket
import stat
import threading
import time

import fstrm
import tap
from fstrm import Client, CONTENT_TYPE, control
from harness import OUTPUT, QUEUES, TICK, check_json, rsyslogd, wait_for
from test_stream import BAD_PEERS, complaints_of, ids, numbered

UNIX = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" %s)'


class Traffic:
    """A producer in a thread that sends numbered frames until it is told to end.

    sent counts frames that were handed to the socket whole.
    """

    def __init__(self, path, identity=b"ns1", reconnect=False, deadline=5):
        self.path, self.identity, self.reconnect = path, identity, reconnect
        self.deadline = deadline
        self.sent = self.sessions = 0
        self.over = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run)

    def start(self):
        self.thread.start()

    def _session(self):
        client = Client(self.path, self.deadline)
        client.ready()
        self.sessions += 1
        try:
            while not self.over.is_set():
                client.frames(numbered(self.sent % 60000, 10, self.identity))
                self.sent += 10
            client.finish()
        finally:
            client.close()

    def _run(self):
        while not self.over.is_set():
            try:
                self._session()
            except (OSError, EOFError, AssertionError) as error:
                self.failure = error
                if not self.reconnect:
                    return
                self.over.wait(0.05)

    def stop(self):
        self.over.set()
        self.thread.join(20 * tap.PATIENCE)


def test_stale_socket_is_replaced(case):
    path = os.path.join(case.dir, "sock")
    left = socket.socket(socket.AF_UNIX)
    left.bind(path)
    left.close()
    daemon = rsyslogd(case)
    wait_for("the new socket", lambda: connects(path))
    fstrm.deliver(path, numbered(1, 2))
    assert ids(daemon.wait_lines(2)) == [1, 2]


def connects(path):
    try:
        Client(path).close()
        return True
    except OSError:
        return False


@tap.cases(("default", ("", 0o600)), ("0666", ('filecreatemode="0666"', 0o666)),
           ("0640", ('filecreatemode="0640"', 0o640)))
def test_socket_mode(case, value):
    daemon = rsyslogd(case, input=UNIX % value[0])
    wait_for("the mode", lambda: stat.S_IMODE(os.stat(daemon.socket).st_mode) == value[1])


def test_socket_owner(case):
    if os.geteuid() != 0:
        raise tap.Skip("needs root to change an owner")
    daemon = rsyslogd(case, input=UNIX % 'fileowner="nobody" filegroup="nogroup"')
    import pwd
    wanted = pwd.getpwnam("nobody").pw_uid
    wait_for("the owner", lambda: os.stat(daemon.socket).st_uid == wanted)


@tap.cases(("on", ("", False)), ("off", ('unlink="off"', True)))
def test_unlink(case, value):
    """The socket is gone after a stop, unless unlink is off."""
    daemon = rsyslogd(case, input=UNIX % value[0])
    fstrm.deliver(daemon.socket, numbered(1, 1))
    daemon.wait_lines(1)
    daemon.stop()
    assert os.path.lexists(daemon.socket) == value[1]


def test_hup_during_traffic(case):
    """HUP after HUP: no frame is lost, the session stays."""
    daemon = rsyslogd(case)
    traffic = case.start(Traffic(daemon.socket))
    for step in range(1, 11):
        wait_for("traffic", lambda: traffic.sent >= step * 500)
        daemon.send_signal(signal.SIGHUP)
    traffic.stop()
    assert traffic.failure is None, traffic.failure
    daemon.wait_lines(traffic.sent)
    daemon.check_books(traffic.sent, traffic.sent)
    daemon.wait_counters(sessions_opened=1)


@tap.cases("memory", "disk")
def test_stop_during_traffic(case, queue):
    """SIGTERM while producers send: the socket goes, what was accepted is written, none twice."""
    daemon = rsyslogd(case, queue=QUEUES[queue] + ' queue.saveonshutdown="on"')
    producers = [case.start(Traffic(daemon.socket, b"p%d" % n)) for n in range(2)]
    wait_for("traffic", lambda: all(p.sent >= 2000 for p in producers))
    daemon.stop()
    for producer in producers:
        producer.stop()
    assert not os.path.exists(daemon.socket)
    written = len(daemon.lines())
    if queue == "disk":
        daemon.start()  # what the disk still holds
        daemon.wait_socket()
        fstrm.deliver(daemon.socket, numbered(60001, 1, b"end"))
        wait_for("the last frame", lambda: b'"end"' in daemon.read("events"))
    per = {}
    for event in check_json(daemon.lines()):
        per.setdefault(event["identity"], []).append(event["dns"]["id"])
    for number in range(2):
        got = per[f"p{number}"]
        assert got == [n % 60000 for n in range(len(got))], "a hole, or a frame twice"
    assert written


def test_books_at_exit(case):
    """The last line about an input has its books to the frame: impstats says nothing at exit."""
    daemon = rsyslogd(case, input=UNIX % 'messagetypes=["CLIENT_QUERY"]')
    fstrm.deliver(daemon.socket, numbered(1, 30) + numbered(31, 12, kind="CLIENT_RESPONSE"))
    daemon.wait_lines(30)
    daemon.stop()
    line, = daemon.log("input t: ended")
    assert "42 received = 30 submitted + 12 filtered + 0 sampled out + 0 rate-limited + " \
        "0 invalid + 0 discarded; 1 sessions" in line, line


def test_books_over_resets(case):
    """impstats with resetCounters="on" takes nothing from the books of the daemon's life, and what it shows adds up."""
    daemon = rsyslogd(case, input=UNIX % 'messagetypes=["CLIENT_QUERY"]', reset="on")

    def shown(counter):
        return sum(json.loads(line[line.find(b"{"):])[counter] for line in daemon.lines("stats")
                   if b'"imdnstap(t)"' in line)
    for turn in range(1, 4):
        fstrm.deliver(daemon.socket, numbered(1, 30) + numbered(31, 12, kind="CLIENT_RESPONSE"))
        wait_for("a snapshot", lambda: daemon.check_alive() and shown("frames.received") >= 42 * turn)
    assert [shown(counter) for counter in ("frames.received", "submitted", "frames.filtered")] == [126, 90, 36]
    daemon.wait_lines(90)
    daemon.stop()
    line, = daemon.log("input t: ended")
    assert "126 received = 90 submitted + 36 filtered + 0 sampled out + 0 rate-limited + " \
        "0 invalid + 0 discarded; 3 sessions" in line, line


def test_producers_reconnect(case):
    """Producers come back after a restart; nothing of the second life is lost."""
    daemon = rsyslogd(case)
    traffic = case.start(Traffic(daemon.socket, reconnect=True))
    wait_for("traffic", lambda: traffic.sent >= 500)
    daemon.stop()
    daemon.start()
    wait_for("a second session", lambda: traffic.sessions >= 2, 20)
    reached = traffic.sent
    wait_for("more traffic", lambda: traffic.sent >= reached + 500)
    traffic.stop()
    daemon.wait_counters(sessions_opened=1, sessions_closed=1)
    now = daemon.counters()
    daemon.check_books(now["frames.received"])


def test_stalled_sink(case):
    """A sink that takes nothing: reading stops, and nothing is lost once it goes on."""
    sink = socket.create_server(("127.0.0.1", 0))
    sink.settimeout(20 * tap.PATIENCE)
    # Blocked senders fill the buffers of two sockets before the queue.
    sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    daemon = rsyslogd(case, queue='queue.type="LinkedList" queue.size="500"', template="%msg%", workers=1,
                      output=f"""action(type="omfwd" target="127.0.0.1" protocol="tcp"
                      port="{sink.getsockname()[1]}" template="line")""")
    traffic = case.start(Traffic(daemon.socket, deadline=60))
    receiver, _ = sink.accept()
    receiver.setblocking(False)
    seen = [(0, 0), 0]

    def stalled():
        """No progress over two snapshots of impstats."""
        now = daemon.counters().get("submitted", 0)
        snapshots = daemon.read("stats").count(b'"imdnstap(t)"')
        if seen[0] != (now, traffic.sent):
            seen[:] = [(now, traffic.sent), snapshots]
        return now > 0 and snapshots >= seen[1] + 2
    wait_for("the reader to stop", stalled, 30)
    assert traffic.thread.is_alive() and traffic.failure is None, traffic.failure
    traffic.over.set()
    got = bytearray()

    def drained():
        try:
            got.extend(receiver.recv(1 << 20))
        except BlockingIOError:
            pass
        return not traffic.thread.is_alive() and got.count(b"\n") >= traffic.sent
    wait_for("the rest", drained, 30)
    traffic.stop()
    assert traffic.failure is None, traffic.failure
    assert ids(bytes(got).split(b"\n")[:-1]) == [n % 60000 for n in range(traffic.sent)]
    daemon.check_books(traffic.sent, traffic.sent)
    receiver.close()
    sink.close()


@tap.timeout(120)
def test_sink_away_spills_to_disk(case):
    """An action's disk-assisted queue, as in the shipped files: the sink is away, reading goes on while the
    surplus lies on disk, and all of it arrives when the sink is back. Order is not kept, and plain TCP knows
    no acknowledgement: omfwd sends the message twice during which it noticed."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    daemon = rsyslogd(case, queue='queue.type="LinkedList" queue.size="2000" '
                                  'queue.dequeueBatchSize="128"',
                      output=OUTPUT + f"""action(type="omfwd" target="127.0.0.1" port="{port}"
                      protocol="tcp" template="line" action.resumeRetryCount="-1"
                      action.resumeInterval="1" queue.type="LinkedList" queue.size="5000"
                      queue.filename="away" queue.maxDiskSpace="1g")""")
    frames = numbered(0, 20000)
    fstrm.deliver(daemon.socket, frames)
    lines = daemon.wait_lines(len(frames), deadline=40)
    # A file per piece, or from rsyslog 8.2608 on a directory of them.
    assert any(name.startswith(("away.0", "away.segq")) for name in os.listdir(daemon.dir + "/spool"))
    got = {}  # octets by connection: the memory's and the disk's worker have one each

    def received():
        return [line for octets in got.values() for line in bytes(octets).split(b"\n")[:-1]]
    with socket.create_server(("127.0.0.1", port)) as sink:
        sink.setblocking(False)

        def drained():
            for peer in select.select([sink, *got], [], [], 0)[0]:
                if peer is sink:
                    got[sink.accept()[0]] = bytearray()
                else:
                    got[peer].extend(peer.recv(1 << 20))
            return sum(octets.count(b"\n") for octets in got.values()) >= len(frames) and \
                set(received()) == set(lines)
        wait_for("everything at the sink", drained, 60)
    assert len(set(lines)) == len(frames), "the frames cannot be told apart"
    assert len(received()) <= len(frames) + 2 * len(got), len(received())
    daemon.check_books(len(frames), len(frames))
    for peer in got:
        peer.close()


def wait_for_newest(what, daemon, frame, condition, deadline=60):
    """wait_for, after a kill: rsyslog's disk queue can keep its newest message back until another one comes, so
    `frame`, which the caller has sent already, is sent again while the queue has next to nothing and it is not there."""
    def seen():
        if condition():
            return True
        if daemon.check_alive() and daemon.stats().get("dnstap", {"size": 99})["size"] < 3:
            fstrm.deliver(daemon.socket, frame)
            TICK.wait(0.5)
        return False
    wait_for(what, seen, deadline)


@tap.timeout(90)
def test_kill_with_disk_queue(case):
    """kill -9: what lies in the disk queue (synced per message) comes after the restart.

    What the queue was last seen to have taken comes, and no hole is in it: at most what was between socket and disk is
    lost. One worker: rsyslog's disk queue loses the batches of several at a kill (reliability.md).
    """
    fifo = os.path.join(case.dir, "fifo")
    os.mkfifo(fifo)
    queue = QUEUES["disk"] + ' queue.checkpointinterval="1" queue.syncqueuefiles="off"'
    daemon = rsyslogd(case, queue=queue, workers=1, action='action(type="mmdnstapparse" output="json" '
                      'replacemsg="json")')
    traffic = case.start(Traffic(daemon.socket))
    wait_for("traffic", lambda: traffic.sent >= 1000 and len(daemon.lines()) > 100 and
             daemon.stats().get("dnstap", {}).get("enqueued", 0) > 100)
    daemon.stop(signal.SIGKILL)
    enqueued = daemon.stats()["dnstap"]["enqueued"]
    traffic.stop()
    before = len(daemon.lines())
    daemon.start()
    wait_for("the socket", lambda: connects(daemon.socket))
    end = numbered(60001, 1, b"end")
    fstrm.deliver(daemon.socket, end)
    wait_for_newest("the last frame", daemon, end, lambda: b'"end"' in daemon.read("events"))
    numbers = [e["dns"]["id"] for e in check_json(daemon.lines()) if e.get("identity") == "ns1"]
    assert len(numbers) >= before and len(numbers) >= enqueued - 1, (len(numbers), before, enqueued)
    missing = set(range(min(60000, max(numbers) + 1))) - set(numbers)
    assert not missing, f"holes: {sorted(missing)[:20]}"


def ended(counters):
    """Whether all sessions that were opened are closed; False before the first snapshot."""
    opened = counters.get("sessions.opened", 0)
    return opened > 0 and opened == counters["sessions.closed"]


@tap.timeout(90)
def test_hostile_soak(case):
    """Chaos for some seconds' worth of sessions beside two good producers that lose nothing; the log is bounded."""
    began = time.monotonic()
    daemon = rsyslogd(case, input=UNIX % 'handshaketimeout="2" maxsessions="50"')
    good = [case.start(Traffic(daemon.socket, b"p%d" % n)) for n in range(2)]
    chaos = random.Random(7)
    octets_of = [octets for octets, _ in BAD_PEERS.values()]
    descriptors = f"/proc/{daemon.process.pid}/fd"
    wait_for("traffic", lambda: all(p.sent for p in good))

    def one():
        try:
            client = Client(daemon.socket, 5)
            kind = chaos.randrange(5)
            if kind == 0:
                client.send(chaos.choice(octets_of))
            elif kind == 1:
                client.send(chaos.randbytes(chaos.randrange(1, 400)))
            elif kind == 2:
                client.send(control(fstrm.START, CONTENT_TYPE) + chaos.randbytes(300))
            elif kind == 3:
                client.ready().send(control(chaos.randrange(9)))
            if chaos.randrange(2):
                client.wait_closed() if kind == 0 else None
            client.close()
        except (OSError, EOFError, AssertionError):
            pass
    for _ in range(int(1000 / tap.PATIENCE)):
        one()
    for producer in good:
        producer.stop()
        assert producer.failure is None, producer.failure
    wait_for("all sessions to end", lambda: ended(daemon.counters()))
    wait_for("their descriptors to go", lambda: len(os.listdir(descriptors)) < 40)
    counts = daemon.counters()
    wait_for("the events", lambda: daemon.read("events").count(b"\n") >= counts["submitted"])
    per = {}
    for event in check_json(daemon.lines()):
        if event.get("identity") in ("p0", "p1") and "dns" in event:
            per.setdefault(event["identity"], []).append(event["dns"]["id"])
    for number, producer in enumerate(good):
        assert per[f"p{number}"] == [n % 60000 for n in range(producer.sent)]
    daemon.check_books(daemon.counters()["frames.received"], len(daemon.lines()))
    assert counts["handshakes.failed"] > 0, counts
    # 60 of each level in a minute, and one that says how many there were not
    minutes = 1 + (time.monotonic() - began) // 60
    for level in ("warning", "err"):
        said = [line for line in complaints_of(daemon) if line.startswith(level)]
        assert len(said) <= 61 * minutes, f"{len(said)} lines ({level}) in {minutes:.0f} minutes"


if __name__ == "__main__":
    tap.main()
