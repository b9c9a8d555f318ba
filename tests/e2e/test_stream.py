# SPDX-License-Identifier: Apache-2.0
"""Frame Streams over sockets: splits, many peers, and peers that speak something else.

Covers: a session split at every octet, in both handshakes; concurrent producers; each kind of
broken peer costs one connection and one log line and nobody else notices; limits on frame size
and sessions; counters and closed books after each of them.
"""
import struct
import threading

import fstrm
import tap
from fstrm import CONTENT_TYPE, READY, START, STOP, Client, control, data
from harness import check_json, rsyslogd, wait_for

UNIX = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" %s)'


def numbered(first, count, identity=b"ns1", **more):
    """Frames that can be told apart by their dns.id."""
    return [fstrm.payload(qid=n, identity=identity, **more) for n in range(first, first + count)]


def ids(lines, identity=None):
    return [event["dns"]["id"] for event in check_json(lines)
            if identity is None or event["identity"] == identity]


@tap.timeout(120)
@tap.cases("uni", "bidi")
def test_split_at_every_octet(case, mode):
    """One session per octet of a session: sent in two halves, the events are those of one."""
    frames = numbered(1, 2)
    whole = b"".join(map(data, frames)) + control(STOP)
    head = control(START, CONTENT_TYPE)
    if mode == "bidi":
        head = control(READY, CONTENT_TYPE)
    daemon = rsyslogd(case)
    octets = head + whole if mode == "uni" else head
    sessions = 0

    def session(pieces):
        client = Client(daemon.socket)
        client.send(pieces[0])
        # The second half leaves only when the first was read: nothing is left to send.
        wait_drained(client)
        client.send(pieces[1])
        return client

    for cut in range(1, len(octets)):
        client = session((octets[:cut], octets[cut:]))
        if mode == "bidi":
            assert client.receive_control()[0] == fstrm.ACCEPT
            client.send(control(START, CONTENT_TYPE) + whole)
            assert client.receive_control()[0] == fstrm.FINISH
        client.close()
        sessions += 1
    if mode == "bidi":
        octets = control(START, CONTENT_TYPE) + whole
        for cut in range(1, len(octets)):
            client = Client(daemon.socket).send(head)
            assert client.receive_control()[0] == fstrm.ACCEPT
            client.send(octets[:cut])
            wait_drained(client)
            client.send(octets[cut:])
            assert client.receive_control()[0] == fstrm.FINISH
            client.close()
            sessions += 1
    lines = daemon.wait_lines(2 * sessions)
    assert len(set(lines)) == 2, "the events differ"
    daemon.check_books(2 * sessions, 2 * sessions)
    daemon.wait_counters(sessions_opened=sessions, sessions_closed=sessions, handshakes_failed=0)


def wait_drained(client):
    """Until the receiver has read all that was sent (SIOCOUTQ)."""
    import fcntl
    buffer = bytearray(4)

    def drained():
        fcntl.ioctl(client.socket, 0x5411, buffer)
        return buffer == b"\0\0\0\0"
    wait_for("the peer to read", drained)


def test_byte_by_byte(case):
    daemon = rsyslogd(case)
    client = Client(daemon.socket)
    for octet in fstrm.stream(numbered(1, 20)):
        client.send(bytes([octet]))
    client.close()
    assert ids(daemon.wait_lines(20)) == list(range(1, 21))


@tap.cases(("2", 2), ("50", 50))
def test_producers_at_once(case, count):
    """Nothing is lost and each producer's order is kept."""
    daemon = rsyslogd(case)
    each = 4000 // count
    gate = threading.Barrier(count)
    failures = []

    def produce(number):
        try:
            client = Client(daemon.socket)
            client.ready()
            gate.wait(20)
            for start in range(0, each, 20):
                client.frames(numbered(start, 20, b"p%d" % number))
            client.finish()
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=produce, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(40 * tap.PATIENCE)
    assert not failures, failures[0]
    events = check_json(daemon.wait_lines(count * each))
    seen = {}
    for event in events:
        seen.setdefault(event["identity"], []).append(event["dns"]["id"])
    assert seen == {"p%d" % n: list(range(each)) for n in range(count)}
    daemon.check_books(count * each, count * each)
    daemon.wait_counters(sessions_opened=count, sessions_closed=count)


TLS_HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(194))
# Each: what it sends, and what the log line must say.
BAD_PEERS = {
    "garbage": (b"\xde\xad\xbe\xef" * 64, r""),
    "http": (b"GET /metrics HTTP/1.1\r\nHost: dnstap\r\n\r\n", r"HTTP"),
    "tls hello": (TLS_HELLO, r"TLS"),
    "wrong content type": (control(READY, b"protobuf:other.Type"), r"protobuf:other\.Type"),
    "wrong content type, uni": (control(START, b"text/plain"), r"text/plain"),
    "huge control frame": (struct.pack(">II", 0, 0x7FFFFFFF) + b"x" * 64, r""),
    "unknown control frame": (control(77), r""),
    "accept out of order": (control(fstrm.ACCEPT, CONTENT_TYPE), r""),
    "stop first": (control(STOP), r""),
    "2 GB frame": (control(START, CONTENT_TYPE) + struct.pack(">I", 0x80000000) + b"x" * 64,
                   r"2147483648"),
    "frame one over the limit": (control(START, CONTENT_TYPE) + struct.pack(">I", 131073), r"131073"),
    "second start": (control(START, CONTENT_TYPE) * 2, r""),
}


@tap.cases(*[(name, value) for name, value in BAD_PEERS.items()])
def test_bad_peer(case, value):
    """One log line, one connection; the well-behaved producer beside it loses nothing."""
    octets, pattern = value
    daemon = rsyslogd(case)
    good = Client(daemon.socket).ready().frames(numbered(1, 10))
    daemon.wait_lines(10)
    before = len(daemon.log("imdnstap"))
    bad = Client(daemon.socket).send(octets)
    bad.wait_closed()
    good.frames(numbered(11, 10)).finish()
    assert ids(daemon.wait_lines(20)) == list(range(1, 21))
    daemon.wait_counters(sessions_opened=2, sessions_closed=2, handshakes_failed=
                         0 if "frame" in pattern_name(octets) else 1)
    import re
    assert re.search(pattern, complaint(daemon)), complaints_of(daemon)
    assert before <= len(daemon.log("imdnstap"))
    daemon.check_books(daemon.counters()["frames.received"], 20)


def pattern_name(octets):
    """Peers whose handshake was good fail later."""
    return "frame" if octets.startswith(control(START, CONTENT_TYPE)) else ""


def complaints_of(daemon):
    """What the input said at warning or worse."""
    return [line for line in daemon.log("imdnstap") if line.split()[0] in
            ("warning", "err", "error", "crit", "alert", "emerg")]


def complaint(daemon, number=1):
    """The newest line of complaints_of(), once there are so many; the counters may be ahead of the log."""
    daemon.wait_own_lines("a line about it", lambda: len(complaints_of(daemon)) >= number)
    assert len(complaints_of(daemon)) == number, complaints_of(daemon)
    return complaints_of(daemon)[-1]


def test_half_a_handshake(case):
    """A peer that stops in the middle is closed after handshaketimeout, with one line."""
    daemon = rsyslogd(case, input=UNIX % 'handshaketimeout="1"')
    ready = control(READY, CONTENT_TYPE)
    for number, octets in enumerate((b"", ready[:13], ready), 1):
        Client(daemon.socket).send(octets).wait_closed()
        daemon.wait_counters(handshakes_failed=number)
        assert "no handshake within handshaketimeout" in complaint(daemon, number), daemon.log()
    fstrm.deliver(daemon.socket, numbered(1, 3))
    assert ids(daemon.wait_lines(3)) == [1, 2, 3]
    complaint(daemon, 3)


def test_peer_leaves_in_the_middle(case):
    """EOF in a handshake, in a frame, between frames, without STOP: what was whole is kept."""
    daemon = rsyslogd(case)
    ready = control(READY, CONTENT_TYPE)
    for octets in (ready[:9], ready):
        Client(daemon.socket).send(octets).close()
    start = control(START, CONTENT_TYPE)
    whole = [data(frame) for frame in numbered(1, 3)]
    Client(daemon.socket).send(start + whole[0] + whole[1][:-1]).close()
    Client(daemon.socket).send(start + whole[2]).close()
    assert sorted(ids(daemon.wait_lines(2))) == [1, 3]
    daemon.wait_counters(sessions_opened=4, sessions_closed=4)
    now = daemon.check_books(daemon.counters()["frames.received"], 2)
    assert now["frames.received"] in (2, 3), now


def test_several_streams_and_types(case):
    """Several content types offered, unknown fields in control frames, a second stream after STOP."""
    daemon = rsyslogd(case)
    client = Client(daemon.socket).ready(b"protobuf:other.Type", CONTENT_TYPE)
    client.frames(numbered(1, 2)).finish()
    assert ids(daemon.wait_lines(2)) == [1, 2]


def test_largest_frame(case):
    """maxframesize octets pass, one more costs the connection."""
    base = len(fstrm.payload(extra=b""))
    daemon = rsyslogd(case, input=UNIX % 'maxframesize="4096"')

    def sized(size):
        for pad in range(size - base - 8, size - base + 8):
            out = fstrm.payload(extra=b"x" * pad)
            if len(out) == size:
                return out
        raise AssertionError("no such size")
    fstrm.deliver(daemon.socket, [sized(4096)])
    daemon.wait_lines(1)
    client = Client(daemon.socket).ready()
    client.frames([fstrm.payload(qid=2), sized(4097)]).wait_closed()
    assert ids(daemon.wait_lines(2)) == [1, 2]
    daemon.wait_log("4097")
    assert len(complaints_of(daemon)) == 1


def test_empty_and_one_octet_frames(case):
    """Payloads that are no dnstap leave as malformed events, each with its octets."""
    frames = [b"\xff", b"\x08", b"\x72\x00", fstrm.payload(qid=9), b"\0" * 50]
    daemon = rsyslogd(case)
    fstrm.deliver(daemon.socket, frames)
    events = check_json(daemon.wait_lines(5))
    for number in (0, 1, 4):
        import base64
        assert events[number]["malformed"] is True and events[number]["error"], events[number]
        assert base64.b64decode(events[number]["frame"]) == frames[number]
    assert "malformed" not in events[3] or events[3]["malformed"] is False
    now = daemon.check_books(5)
    assert now["submitted"] + now["frames.invalid"] == 5


def test_maxsessions(case):
    """The one too many is refused and counted; a place that becomes free is used again."""
    daemon = rsyslogd(case, input=UNIX % 'maxsessions="2"')
    first, second = Client(daemon.socket).ready(), Client(daemon.socket).ready()
    Client(daemon.socket).wait_closed()
    daemon.wait_counters(sessions_refused=1)
    complaint(daemon)
    first.finish()
    daemon.wait_counters(sessions_closed=1)
    third = Client(daemon.socket).ready()
    second.frames(numbered(1, 1)).finish()
    third.frames(numbered(2, 1)).finish()
    assert sorted(ids(daemon.wait_lines(2))) == [1, 2]


@tap.timeout(90)
def test_flood_of_bad_peers(case):
    """Hundreds of bad peers beside a good one: the log is bounded, no descriptor leaks."""
    import os
    daemon = rsyslogd(case)
    good = Client(daemon.socket).ready().frames(numbered(1000, 1))
    daemon.wait_lines(1)  # all files are open
    descriptors = f"/proc/{daemon.process.pid}/fd"
    before = len(os.listdir(descriptors))
    for round_number in range(20):
        clients = []
        for octets, _ in BAD_PEERS.values():
            clients.append(Client(daemon.socket))
            try:
                clients[-1].send(octets)
            except OSError:
                pass
        good.frames(numbered(round_number * 10, 10))
        for client in clients:
            client.wait_closed()
            client.close()
    good.finish()
    bad = 20 * len(BAD_PEERS)
    assert sorted(ids(daemon.wait_lines(201))) == [*range(200), 1000]
    daemon.wait_counters(sessions_opened=bad + 1, sessions_closed=bad + 1)
    wait_for("the descriptors to go", lambda: len(os.listdir(descriptors)) <= before + 1)  # the log
    assert len(complaints_of(daemon)) <= bad, "more than one line per peer"


if __name__ == "__main__":
    tap.main()
