# SPDX-License-Identifier: Apache-2.0
"""bundle and bundle.latency: when a bundle goes on, and what becomes of it when there is no memory for it.

What bundles do to events and queues is in test_tree.py. Whether a bundle waited shows in the
ruleset's queue: impstats counts the messages that were put into it.
"""
import os
import socket

import fstrm
import tap
from harness import BUILD, Rsyslogd, check_json, environment, rsyslogd, wait_for, watched

INPUT = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" bundle="%d" bundle.latency="%d")'
LONG = 60000  # ms: longer than the test


def messages(daemon):
    return daemon.stats()["dnstap"]["enqueued"]


def begun(daemon):
    """A unidirectional session. Its frames go out one write each, read one by one."""
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(daemon.socket)
    peer.sendall(fstrm.control(fstrm.START, fstrm.CONTENT_TYPE))
    return peer


def send_apart(daemon, peer, numbers, before=0):
    """Each frame is read before the next one is sent."""
    for count, number in enumerate(numbers, before + 1):
        peer.sendall(fstrm.data(fstrm.payload(qid=number)))
        daemon.wait_counters(frames_received=count)


def ids(lines):
    return [event["dns"]["id"] for event in check_json(lines)]


def test_waits_and_goes_when_full(case):
    """Frames of three reads make one message when the bundle is full, and nothing goes on before."""
    daemon = rsyslogd(case, input=INPUT % (3, LONG))
    with begun(daemon) as peer:
        send_apart(daemon, peer, (1, 2))
        assert messages(daemon) == 0 and not daemon.lines()
        daemon.check_books(2)
        send_apart(daemon, peer, (3,), before=2)
        assert ids(daemon.wait_lines(3)) == [1, 2, 3]
    wait_for("one message", lambda: messages(daemon) == 1)
    daemon.check_books(3, 3)


def test_goes_when_its_session_ends(case):
    daemon = rsyslogd(case, input=INPUT % (100, LONG))
    with begun(daemon) as peer:
        send_apart(daemon, peer, (1, 2))
        assert messages(daemon) == 0
    assert ids(daemon.wait_lines(2)) == [1, 2]
    wait_for("one message", lambda: messages(daemon) == 1)
    daemon.check_books(2, 2)


def test_goes_when_another_peer_speaks(case):
    """A message never holds frames of two peers. On one thread: each has a message of its own."""
    daemon = rsyslogd(case, input=INPUT % (100, LONG), threads=1)
    with begun(daemon) as one, begun(daemon) as two:
        send_apart(daemon, one, (1, 2))
        send_apart(daemon, two, (3,), before=2)
        assert ids(daemon.wait_lines(2)) == [1, 2]
    assert ids(daemon.wait_lines(3)) == [1, 2, 3]
    wait_for("two messages", lambda: messages(daemon) == 2)
    daemon.check_books(3, 3)


def test_goes_when_its_time_is_over(case):
    """With nothing more to read, and the session open."""
    daemon = rsyslogd(case, input=INPUT % (100, 300))
    with begun(daemon) as peer:
        peer.sendall(fstrm.data(fstrm.payload(qid=1)))
        assert ids(daemon.wait_lines(1)) == [1]
        daemon.check_books(1, 1)


def test_goes_at_a_stop(case):
    daemon = rsyslogd(case, input=INPUT % (100, LONG))
    with begun(daemon) as peer:
        send_apart(daemon, peer, (1, 2))
        daemon.stop()
    assert ids(daemon.lines()) == [1, 2]


class ShortOfMemory(Rsyslogd):
    """rsyslogd in which malloc and realloc fail for sizes of this range, as a message's text asks for them."""

    def __init__(self, dir, sizes, **options):
        super().__init__(dir, **options)
        self.sizes = sizes

    def environment(self):
        library = os.path.join(BUILD, "tests", "tools", ".libs", "fail_malloc.so")
        assert os.path.exists(library), f"{library} was not built"
        return dict(environment(self.dir), LD_PRELOAD=library, FAIL_MALLOC_FROM=str(self.sizes[0]),
                    FAIL_MALLOC_TO=str(self.sizes[1]))


@tap.cases(("bundle of 10", 10), ("single frames", 1))
def test_no_memory_for_a_message(case, bundle):
    """Frames that could not be handed on are discarded, not submitted; one line says so, once."""
    if watched():
        raise tap.OtherBuild("sanitizers and valgrind have a malloc of their own")
    text = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" ' f'bundle="{bundle}")'
    big = fstrm.payload(identity=b"x" * 50000)
    octets = 4 + len(big)  # the message has a mark and COBS's overhead, a frame's buffer has not
    daemon = case.start(ShortOfMemory(case.dir, (octets + 8, octets + 1000), input=text))
    daemon.wait_socket()
    frames = [big] * 20 + [fstrm.payload(qid=2)]
    fstrm.deliver(daemon.socket, frames)
    now = daemon.wait_counters(frames_received=len(frames))
    now = daemon.check_books(len(frames))
    assert now["discarded"] == 20 and now["submitted"] == 1, now
    daemon.wait_lines(now["submitted"])
    daemon.check_books(len(frames), len(daemon.lines()))
    assert len(daemon.wait_log("frames are lost: no memory for messages")) == 1


def test_no_memory_to_grow(case):
    """A bundle for which there is no more memory goes on as it is: no frame is lost."""
    if watched():
        raise tap.OtherBuild("sanitizers and valgrind have a malloc of their own")
    frames = [fstrm.payload(qid=n, identity=b"x" * 5000) for n in range(20)]
    # The buffer is for one frame at first, and grows by doubling: it cannot to eight.
    eight = 8 * len(frames[0])
    sizes = (eight, eight + 1000)
    daemon = case.start(ShortOfMemory(case.dir, sizes, input=INPUT % (10, LONG)))
    daemon.wait_socket()
    fstrm.deliver(daemon.socket, frames)
    assert ids(daemon.wait_lines(20)) == list(range(20))
    daemon.check_books(20, 20)
    # Of ten frames each they would be two.
    wait_for("messages", lambda: messages(daemon) == 3)
    assert not daemon.log("no memory")


def test_text_over_the_limit(case):
    """A message whose text would be over 16 MiB shows the frames that fit; the others are counted, said once."""
    daemon = rsyslogd(case, input=INPUT % (1000, LONG), maxmessage="48m")
    frames = [fstrm.payload(qid=n, extra=b"x" * 100_000) for n in range(200)]
    fstrm.deliver(daemon.socket, frames)
    wait_for("the counters", lambda: daemon.stats().get("mmdnstapparse", {}).get("frames.parsed") == 200)
    unshown = daemon.stats()["mmdnstapparse"]["frames.unshown"]
    # A line is a little longer than its extra.
    assert 160 <= 200 - unshown <= (16 << 20) // 100_000, unshown
    assert ids(daemon.wait_lines(200 - unshown)) == list(range(200 - unshown))
    line, = daemon.wait_log("mmdnstapparse: the text of one message is over 16777216 octets")
    assert "frames.unshown" in line and line.startswith("err "), line
    daemon.check_books(200)


if __name__ == "__main__":
    tap.main()
