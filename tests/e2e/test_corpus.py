# SPDX-License-Identifier: Apache-2.0
"""Real captures through the unix socket, the queues and the envelope's encodings.

Covers: one JSON line per data frame, valid, in order and of that frame; the same bytes whatever
handshake, queue, encoding or number of workers; every corpus file; replay by file=.
"""
import os

import fstrm
import tap
from harness import CORPUS, CORPUS_DIR, QUEUES, WORKERS, check_json, check_matches, corpus, rsyslogd

NAMES = [os.path.basename(path)[:-len(".fstrm")] for path in CORPUS]
# One of each way of writing dnstap; long enough for every queue to work.
MIXED = ("bind-res-unix", "dnsdist-tcp", "kdig-axfr", "knot-unix-with-queries")


def mixed_frames():
    return [frame for name in MIXED for frame in fstrm.read_frames(corpus(name))]


def through(case, frames, sort=WORKERS > 1, **options):
    """The lines that these frames become. sort: where several workers write them."""
    daemon = rsyslogd(case, **options)
    fstrm.deliver(daemon.socket, frames)
    lines = daemon.wait_lines(len(frames))
    daemon.check_books(len(frames), len(frames))
    daemon.stop()
    return daemon, sorted(lines) if sort else lines


def in_memory(case):
    """The reference: the same frames through a memory queue, in a directory of its own."""
    other = tap.Case()
    case.things.append(SecondCase(other))
    return through(other, mixed_frames())[1]


class SecondCase:
    """Ends another case with this one."""

    def __init__(self, other):
        self.other = other

    def stop(self):
        self.other.close()
        self.other.remove()

    def diagnosis(self):
        return self.other.diagnosis()


@tap.timeout(120)
def test_every_corpus_file(case):
    """All files, one after the other, through one daemon: each as bidi and as uni stream."""
    assert len(CORPUS) >= 13, f"only {len(CORPUS)} corpus files"
    daemon = rsyslogd(case, workers=1)
    total = 0
    for path in CORPUS:
        frames = fstrm.read_frames(path)
        assert frames, f"{path} holds no frame"
        for bidirectional in (True, False):
            fstrm.deliver(daemon.socket, frames, bidirectional)
            lines = daemon.wait_lines(total + len(frames))[total:]
            total += len(frames)
            check_matches(check_json(lines), frames)
    daemon.check_books(total, total)
    assert daemon.counters()["sessions.opened"] == 2 * len(CORPUS)


@tap.timeout(150)
def test_big_cut(case):
    """50,000 frames of a busy Unbound: as many lines as frames, in order."""
    frames = fstrm.read_frames(os.path.join(CORPUS_DIR, "big-cut.fstrm.xz"))
    assert len(frames) == 50000, len(frames)
    daemon = rsyslogd(case)
    fstrm.deliver(daemon.socket, frames)
    check_matches(check_json(daemon.wait_lines(len(frames), deadline=90)), frames)
    daemon.check_books(len(frames), len(frames))


@tap.cases(*NAMES)
def test_file_replay(case, name):
    """file= replays a whole file and says how many frames it held."""
    frames = fstrm.read_frames(corpus(name))
    daemon = rsyslogd(case, input='input(type="imdnstap" name="t" file="%s" ruleset="dnstap")'
                      % corpus(name))
    check_matches(check_json(daemon.wait_lines(len(frames))), frames)
    logged = daemon.wait_log(rf"imdnstap.*{name}\.fstrm.*\b{len(frames)}\b")
    assert len(logged) == 1, logged


@tap.timeout(90)
def test_disk_queue_is_identical(case):
    reference = in_memory(case)
    daemon, lines = through(case, mixed_frames(), queue=QUEUES["disk"])
    assert lines == reference


@tap.timeout(90)
def test_assisted_queue_is_identical(case):
    """Order is not kept by a disk-assisted queue; every line must be there all the same."""
    reference = in_memory(case)
    daemon, lines = through(case, mixed_frames(), sort=True, queue=QUEUES["assisted"], input="""
        input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" flowcontrol="light")""")
    spilled = [v["enqueued"] for k, v in daemon.stats().items() if k == "dnstap[DA]"]
    assert spilled and spilled[0] > 100, f"the disk was not used: {daemon.stats().keys()}"
    assert lines == sorted(reference)


@tap.cases("cobs", "base64", "raw")
def test_encodings_are_identical(case, encoding):
    reference = in_memory(case)
    lines = through(case, mixed_frames(), input=f"""input(type="imdnstap" name="t" path="{{socket}}"
        ruleset="dnstap" encoding="{encoding}")""")[1]
    assert lines == reference


def test_base64_through_disk_queue(case):
    reference = in_memory(case)
    lines = through(case, mixed_frames(), queue=QUEUES["disk"], input="""input(type="imdnstap"
        name="t" path="{socket}" ruleset="dnstap" encoding="base64")""")[1]
    assert lines == reference


def test_four_workers_lose_nothing(case):
    reference = in_memory(case)
    lines = through(case, mixed_frames() * 5, sort=True, workers=4, queue=QUEUES["memory"] +
                    ' queue.workerthreadminimummessages="100" queue.dequeuebatchsize="32"')[1]
    assert lines == sorted(reference * 5)


if __name__ == "__main__":
    tap.main()
