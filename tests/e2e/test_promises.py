# SPDX-License-Identifier: Apache-2.0
"""What doc/reliability.md promises of stops, kills, reloads and upgrades, to the frame.

Covers: SIGTERM under load with memory, disk and disk-assisted queues: what the last line about the input
says was submitted is what is written, in this life or the next; SIGTERM while the destination is away;
kill -9 with each kind of checkpoint; HUP after HUP; another configuration, and queue files that another
version left.
"""
import collections
import os
import re
import shutil
import signal
import time

import fstrm
import tap
from harness import HERE, QUEUES, WORKERS, Rsyslogd, check_json, daemon_version, may_cancel, rsyslogd, wait_for
from test_life import Traffic, wait_for_newest
from test_pressure import ASSISTED, LIGHT, Sink
from test_stream import ids, numbered

AWAY = """action(type="omfwd" target="127.0.0.1" port="1" protocol="tcp" template="line"
          action.resumeRetryCount="-1" action.resumeInterval="1")"""
DISK = 'queue.type="Disk" queue.filename="q" queue.maxdiskspace="1g" '
# Long enough for a slow machine: a worker that is cancelled inside omfile leaves its lock behind.
PATIENT = ' queue.timeoutactioncompletion="30000" '


BATCH = 16


def arrived(daemon, last):
    """Numbers of all events once frame `last` has come and the queue is empty, without it, sorted."""
    def over():
        daemon.check_alive()
        queues = [c for name, c in daemon.stats().items() if name.startswith("dnstap")]
        return b'"id":%d' % last in daemon.read("events") and queues and not any(q["size"] for q in queues)
    wait_for_newest(f"frame {last}, and an empty queue", daemon, numbered(last, 1), over, 40)
    return sorted(n for n in ids(daemon.lines()) if n != last)


def submitted(daemon):
    """By the last lines of each life."""
    return sum(int(re.search(r"= (\d+) submitted", line).group(1))
               for line in daemon.log("input t: ended, frames"))


def by_producer(lines):
    """Numbers of each identity, sorted."""
    out = {}
    for event in check_json(lines):
        out.setdefault(event["identity"], []).append(event["dns"]["id"])
    return {identity: sorted(numbers) for identity, numbers in out.items()}


@tap.cases(("memory", (QUEUES["memory"], 20000)), ("disk", (DISK, 300)),
           ("disk-assisted", (ASSISTED + 'queue.maxdiskspace="1g" queue.saveonshutdown="on"' + PATIENT, 20000)))
def test_stop_under_load(case, value):
    """SIGTERM while two producers send as fast as they can: every frame that was taken is written once,
    by this life or, of what a queue has on disk, by the next. What is missing at the end of a producer's
    run was never read from its socket."""
    queue, shutdown = value
    on_disk = "queue.filename" in queue
    daemon = rsyslogd(case, input=LIGHT if on_disk else LIGHT.replace("light", "full"), queue=queue, shutdown=shutdown)
    producers = [case.start(Traffic(daemon.socket, b"p%d" % n)) for n in range(2)]
    wait_for("traffic", lambda: all(p.sent >= 3000 for p in producers), 40)
    daemon.stop()
    for producer in producers:
        producer.stop()
    expected = submitted(daemon)
    assert expected >= 5000
    if on_disk:
        daemon.start()
        daemon.wait_socket()
        wait_for("the rest", lambda: daemon.check_alive() and len(daemon.lines()) >= expected, 40)
        daemon.stop()
    got = by_producer(daemon.lines())
    assert sum(map(len, got.values())) == expected
    for number, producer in enumerate(producers):
        numbers = got[f"p{number}"]
        assert numbers == list(range(len(numbers))), "a hole, or a frame twice"
        assert len(numbers) <= producer.sent + 10


@tap.cases(("long enough", 40000), ("too short", 100))
def test_stop_with_a_backlog_on_disk_alone(case, shutdown):
    """SIGTERM while the memory part of a disk-assisted queue is empty and its disk part is not. If queue.timeoutShutdown
    is long enough, all is written. If not, rsyslog before 8.2608 cancels the worker of the disk part, whatever
    queue.timeoutActionCompletion says, and tells so: the batch in its hand may be lost. Later versions let it end."""
    need_cancelling()
    long_enough = shutdown > 1000
    queue = 'queue.type="LinkedList" queue.filename="q" queue.size="3000" queue.highwatermark="60" ' \
        f'queue.lowwatermark="{BATCH}" queue.lightdelaymark="0" queue.maxdiskspace="1g" ' \
        f'queue.saveonshutdown="on" queue.dequeuebatchsize="{BATCH}"' + PATIENT
    # A worker that sleeps most of the time is cancelled in its sleep: not inside omfile, whose lock it would keep.
    pause = f'queue.dequeueslowdown="{100000 if long_enough else 2000000}"'
    daemon = rsyslogd(case, input=LIGHT, queue=queue + pause, shutdown=shutdown, workers=1)
    fstrm.deliver(daemon.socket, numbered(0, 1000))
    daemon.wait_counters(submitted=1000)

    def on_disk_alone():
        daemon.check_alive()
        stats = daemon.stats()
        return stats.get("dnstap", {}).get("size") == 0 and stats["dnstap[DA]"]["size"] > 10 * BATCH
    wait_for("a backlog on the disk alone", on_disk_alone, 40)
    daemon.stop()
    cancelled = bool(daemon.log("need to do hard cancellation")) or b"hard cancellation" in daemon.read("stderr")
    if long_enough:
        assert len(daemon.lines()) == 1000 and not cancelled
        return
    assert cancelled == (tuple(map(int, daemon_version().split(b".")[:2])) < (8, 2608)), daemon.read("log")[-3000:]
    assert len(daemon.lines()) < 1000 - BATCH
    after = case.start(Rsyslogd(case.dir, input=LIGHT, queue=queue, workers=1))
    after.wait_socket()
    fstrm.deliver(after.socket, numbered(60000, 1))
    times = collections.Counter(arrived(after, 60000))
    assert len(set(range(1000)) - set(times)) <= BATCH and sum(times.values()) - len(times) <= BATCH, times


@tap.cases("light", "full")
def test_stop_with_a_full_queue(case, flow):
    """SIGTERM while the queue is full and producers wait: what counts as submitted is written."""
    daemon = rsyslogd(case, input=LIGHT.replace("light", flow), workers=1,
                      queue='queue.type="LinkedList" queue.size="1000" queue.lightdelaymark="0" '
                      'queue.timeoutenqueue="60000" queue.dequeuebatchsize="16" queue.dequeueslowdown="5000"')
    producers = [case.start(Traffic(daemon.socket, b"p%d" % n)) for n in range(2)]
    wait_for("a full queue", lambda: daemon.check_alive() and
             daemon.stats().get("dnstap", {}).get("maxqsize", 0) >= 960, 40)
    daemon.stop()
    for producer in producers:
        producer.stop()
    assert submitted(daemon) == len(daemon.lines()), (submitted(daemon), len(daemon.lines()))
    for numbers in by_producer(daemon.lines()).values():
        assert numbers == list(range(len(numbers))), "a hole, or a frame twice"


@tap.cases("light", "full")
def test_stop_without_room(case, flow):
    """SIGTERM while a memory queue is full, its destination is away and a producer waits: what was read
    and found no room is counted as discarded, and one line says so. rsyslog would lose it uncounted."""
    need_cancelling()
    size, batch = 400, 64 # of imdnstap: it waits until a whole one has room
    daemon = rsyslogd(case, input=LIGHT.replace("light", flow), workers=1, output=AWAY, shutdown=100,
                      queue=f'queue.type="LinkedList" queue.size="{size}" queue.lightdelaymark="0" '
                      f'queue.timeoutenqueue="60000" queue.dequeuebatchsize="{BATCH}" ')
    producer = case.start(Traffic(daemon.socket))
    wait_for("a full queue", lambda: daemon.check_alive() and
             daemon.stats().get("dnstap", {}).get("size", 0) > size - batch, 40)
    seen = [0, time.monotonic()]

    def waits():
        if producer.sent != seen[0]:
            seen[:] = producer.sent, time.monotonic()
        return time.monotonic() - seen[1] > 1
    wait_for("a producer that waits", waits, 40)
    daemon.stop()
    producer.stop()
    received, taken, discarded = books(daemon)
    assert received == taken + discarded and size - batch < taken <= size + BATCH, (received, taken, discarded)
    assert len(daemon.log("the inputs end, and the queue has no room")) == (discarded > 0)
    assert discarded > 0 or flow == "full", "reading stops below the queue's size"


@tap.cases(("no room", AWAY), ("room by and by", None))
def test_stop_counts_what_was_read(case, output):
    """SIGTERM with a thousand frames in one read, and a queue for two hundred of them: each of them is counted, and they
    are waited for together, not each batch for itself."""
    need_cancelling()
    frames, size = numbered(0, 1000), 200
    octets = fstrm.control(fstrm.START, fstrm.CONTENT_TYPE) + b"".join(map(fstrm.data, frames))
    slow = "" if output else 'queue.dequeueslowdown="200000"'
    daemon = rsyslogd(case, workers=1, shutdown=100, **({"output": output} if output else {}),
                      queue=f'queue.type="LinkedList" queue.size="{size}" queue.dequeuebatchsize="8" {slow}')
    daemon.send_signal(signal.SIGSTOP)
    client = fstrm.Client(daemon.socket).send(octets + fstrm.data(b"cut")[:-1])
    daemon.send_signal(signal.SIGCONT)
    daemon.wait_counters(bytes_received=len(octets) + 6)
    daemon.stop()
    client.close()
    received, taken, discarded = books(daemon)
    assert received == 1000 == taken + discarded, (received, taken, discarded)
    assert size - 64 <= taken < 1000, taken
    assert len(daemon.log("the inputs end, and the queue has no room")) == 1


def books(daemon):
    """Frames received, submitted and discarded, by the last line of the only life."""
    return [int(n) for n in re.findall(r"(\d+) (?:received|submitted|discarded)",
                                       daemon.log("input t: ended, frames")[0])]


def need_cancelling():
    if not may_cancel():
        raise tap.OtherBuild("no worker may be cancelled under ThreadSanitizer or valgrind")


@tap.cases(("saved", "on"), ("not saved", "off"))
def test_stop_while_destination_is_away(case, save):
    """What waits in a disk-assisted queue comes over a stop unless queue.saveOnShutdown is off. Not so the batch with which the action was waiting: rsyslog has it for done."""
    need_cancelling()
    queue = ASSISTED.replace("3000", "20000").replace("600", "10000") + \
        f'queue.maxdiskspace="1g" queue.dequeuebatchsize="{BATCH}" queue.saveonshutdown="{save}"'
    daemon = rsyslogd(case, input=LIGHT, queue=queue, output=AWAY, shutdown=100)
    fstrm.deliver(daemon.socket, numbered(0, 3000))
    daemon.wait_counters(submitted=3000)
    daemon.stop()
    assert submitted(daemon) == 3000
    after = case.start(Rsyslogd(case.dir, input=LIGHT, queue=queue))
    after.wait_socket()
    fstrm.deliver(after.socket, numbered(60000, 1))
    numbers = arrived(after, 60000)
    if save == "on":
        missing = set(range(3000)) - set(numbers)
        assert len(set(numbers)) == len(numbers) and len(missing) <= BATCH * WORKERS, sorted(missing)
    else:
        assert not numbers, (len(numbers), numbers[:5], numbers[-5:])


@tap.cases(("1", 1), ("100", 100), ("0", 0))
def test_kill_loses_no_more_than_a_checkpoint(case, interval):
    """kill -9 over a disk queue: what was queued since the last queue.checkpointInterval messages is not
    found again; with rsyslog's default, 0, nothing is, since the queue's index is written at its end only."""
    queue = DISK + f'queue.checkpointinterval="{interval}"'
    daemon = rsyslogd(case, queue=queue, output=AWAY, workers=1)
    fstrm.deliver(daemon.socket, numbered(0, 3050))
    wait_for("all in the queue", lambda: daemon.check_alive() and
             daemon.stats().get("dnstap", {}).get("enqueued", 0) == 3050)
    daemon.stop(signal.SIGKILL)
    after = case.start(Rsyslogd(case.dir, queue=queue, workers=1))
    after.wait_socket()
    fstrm.deliver(after.socket, numbered(60000, 1))
    numbers = arrived(after, 60000)
    assert numbers == list(range(len(numbers))), "a hole, or a frame twice"
    if interval:
        assert 3050 - interval <= len(numbers) <= 3050, len(numbers)
    else:
        assert not numbers, "rsyslog found a queue without its index: tell doc/reliability.md"


@tap.cases(("one worker", 1), ("four workers", 4))
def test_kill_while_the_queue_drains(case, workers):
    """kill -9 in the middle: what was written since the last checkpoint is written again, at most the interval
    and the batches that were on their way. Nothing is missing with one worker (but the line that was
    being written, of which a piece may come); with several, rsyslog takes the batches of the others for done."""
    sink = case.start(Sink(case.dir, most=4096))
    queue = DISK + f'queue.checkpointinterval="10" queue.dequeuebatchsize="{BATCH}" ' \
        'queue.workerthreadminimummessages="1"'
    daemon = rsyslogd(case, queue=queue, output=sink.output, workers=workers)
    fstrm.deliver(daemon.socket, [fstrm.payload(qid=n, extra=b"%d" % n) for n in range(3000)])
    wait_for("all in the queue", lambda: daemon.check_alive() and
             daemon.stats().get("dnstap", {}).get("enqueued", 0) == 3000)
    sink.open.set()
    wait_for("some of it", lambda: daemon.check_alive() and len(sink.numbers) >= 500, 40)
    daemon.stop(signal.SIGKILL)
    sink.drained()
    before = len(sink.numbers)
    after = case.start(Rsyslogd(case.dir, queue=queue, output=sink.output, workers=workers))
    after.wait_socket()
    sink.most = 1 << 20
    wait_for("the rest", lambda: after.check_alive() and 2999 in sink.numbers, 40)
    assert 500 <= before < 3000
    assert len(sink.broken) <= 1, sink.broken
    times = collections.Counter(sink.numbers)
    missing = sorted(set(range(3000)) - set(times))
    assert len(missing) <= 1 + 2 * BATCH * (workers - 1), f"missing: {missing}"
    twice = [n for n, count in times.items() if count > 1]
    assert len(twice) <= 10 + 2 * BATCH * workers, f"{len(twice)} frames twice"


@tap.timeout(90)
def test_hup_storm(case):
    """Five hundred HUPs, one upon the other, and the file renamed between them: no frame is lost."""
    daemon = rsyslogd(case)
    traffic = case.start(Traffic(daemon.socket))
    events = os.path.join(case.dir, "events")
    wait_for("the file", lambda: daemon.check_alive() and os.path.exists(events))
    for number in range(500):
        if number % 50 == 0 and os.path.exists(events):
            os.rename(events, f"{events}.{number:03d}")
        daemon.send_signal(signal.SIGHUP)
    reached = traffic.sent
    wait_for("traffic after it", lambda: daemon.check_alive() and traffic.sent > reached + 500)
    traffic.stop()
    assert traffic.failure is None, traffic.failure
    daemon.check_books(traffic.sent, traffic.sent)
    daemon.wait_counters(sessions_opened=1)
    daemon.stop()
    lines = [line for name in sorted(os.listdir(case.dir)) if name.startswith("events")
             for line in daemon.lines(name)]
    assert sorted(ids(lines)) == sorted(n % 60000 for n in range(traffic.sent))


def test_another_configuration(case):
    """Frames are queued undecoded: what waited on disk is written as the new configuration says."""
    need_cancelling()
    queue = DISK + f'queue.dequeuebatchsize="{BATCH}"'
    daemon = rsyslogd(case, queue=queue, output=AWAY, shutdown=100)
    fstrm.deliver(daemon.socket, numbered(0, 500))
    daemon.wait_counters(submitted=500)
    daemon.stop()
    after = case.start(Rsyslogd(case.dir, queue=DISK, workers=2,
                                action='action(type="mmdnstapparse" output="text" replacemsg="text")'))
    wait_for("the rest", lambda: after.check_alive() and len(after.lines()) >= 500 - BATCH * WORKERS)
    lines = after.lines()
    assert len(lines) <= 500
    assert all(b"www.example.com" in line and not line.startswith(b"{") for line in lines), lines[0]


def test_queue_of_another_version(case):
    """An upgrade: the files in tests/e2e/queue are a disk queue that rsyslog 8.2302 and version 0.1.0 of the
    modules left, frames 0 to 19 in it. They must stay readable."""
    os.makedirs(os.path.join(case.dir, "spool"))
    for name in ("q.00000001", "q.qi"):
        shutil.copyfile(os.path.join(HERE, "queue", name), os.path.join(case.dir, "spool", name))
    daemon = rsyslogd(case, queue=DISK)
    assert ids(daemon.wait_lines(20)) == list(range(20))
    fstrm.deliver(daemon.socket, numbered(20, 5))
    assert ids(daemon.wait_lines(25)) == list(range(25))


if __name__ == "__main__":
    tap.main()
