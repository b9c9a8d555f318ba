# SPDX-License-Identifier: Apache-2.0
"""doc/limits.md: what a session, a partial frame, a thread, a frame cost in memory, descriptors and time, at most.

The bounds are read from that document. What is measured is the anonymous memory of the whole daemon
(RssAnon of /proc), before and with many sessions of a kind, and again without them.
"""
import lzma
import os
import re
import socket
import struct
import zlib

import fstrm
import tap
from fstrm import Client
from harness import SOURCE, Rsyslogd, rsyslogd, wait_for, watched
from test_life import UNIX
from test_stream import complaints_of, ids, numbered
from test_transport import authority, context, tcp_daemon, tls_options

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}


def stated(what):
    """The bound in octets of the row that begins so in doc/limits.md."""
    with open(os.path.join(SOURCE, "doc", "limits.md"), encoding="utf-8") as file:
        for line in file:
            match = re.match(rf"\| {re.escape(what)} *\| ([0-9]+) (KiB|MiB)\b", line)
            if match:
                return int(match[1]) * UNITS[match[2]]
    raise AssertionError(f"doc/limits.md states nothing about: {what}")


def stated_time(what, unit):
    with open(os.path.join(SOURCE, "doc", "limits.md"), encoding="utf-8") as file:
        return int(re.search(rf"^\| processor time of an? {what} \| (\d+) {unit} ", file.read(), re.M)[1])


def memory(daemon):
    with open(f"/proc/{daemon.process.pid}/status") as status:
        return int(re.search(r"RssAnon:\s+(\d+) kB", status.read())[1]) * 1024


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def opened(daemon, count):
    daemon.wait_counters(deadline=40, sessions_opened=count)


def nothing_else_inside():
    if watched():
        raise tap.OtherBuild("a sanitizer's and valgrind's memory and time are not ours")


def check(what, daemon, before, count, each):
    """`count` sessions cost at most `each` octets."""
    cost = memory(daemon) - before
    tap.comment(f"{what}: {cost / count:.0f} octets of at most {each}")
    assert cost <= count * each, f"{what}: {cost / count:.0f} octets each, {each} are stated"


@tap.timeout(90)
def test_idle_sessions(case):
    """1,000 sessions behind their handshake, one descriptor each; all of it comes back."""
    nothing_else_inside()
    daemon = rsyslogd(case, input=UNIX % 'maxsessions="1100"', files=2000)
    fstrm.deliver(daemon.socket, numbered(1, 50))
    daemon.wait_lines(50)
    daemon.wait_counters(sessions_closed=1)
    before, files = memory(daemon), descriptors(daemon)
    clients = [Client(daemon.socket).ready() for _ in range(1000)]
    opened(daemon, 1001)
    check("an idle session", daemon, before, 1000, stated("idle session"))
    assert descriptors(daemon) == files + 1000
    for client in clients:
        client.close()
    daemon.wait_counters(deadline=40, sessions_closed=1001)
    assert descriptors(daemon) == files


@tap.timeout(90)
def test_idle_sessions_over_tls(case):
    nothing_else_inside()
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    tls = context(made)
    first = Client(address, tls=tls, server_name="localhost").ready()
    opened(daemon, 1)
    before, files = memory(daemon), descriptors(daemon)
    clients = [Client(address, tls=tls, server_name="localhost").ready() for _ in range(200)]
    opened(daemon, 201)
    check("an idle session over TLS", daemon, before, 200, stated("idle session over TLS"))
    assert descriptors(daemon) == files + 200
    for client in clients + [first]:
        client.close()
    daemon.wait_counters(deadline=40, sessions_closed=201)


@tap.timeout(90)
def test_partial_frames(case):
    """Frames of the greatest size that lack their last octet are held, no more; and let go at the end."""
    nothing_else_inside()
    size, count = 128 * 1024, 100
    daemon = rsyslogd(case, input=UNIX % "")
    fstrm.deliver(daemon.socket, numbered(1, 50))
    daemon.wait_lines(50)
    before = memory(daemon)
    frame = fstrm.data(b"x" * size)
    clients = [Client(daemon.socket, deadline=40).ready().send(frame[:-1]) for _ in range(count)]
    sent = count * (len(frame) - 1)
    wait_for("all octets to be read",
             lambda: daemon.counters().get("bytes.received", 0) >= sent, 40)
    check("a session within a frame", daemon, before, count,
          size + stated("session within a frame, beyond `maxframesize`"))
    for client in clients:
        client.close()
    daemon.wait_counters(deadline=40, sessions_closed=1 + count)
    check("a session that has left", daemon, before, count,
          stated("session within a frame, beyond `maxframesize`"))
    assert len(complaints_of(daemon)) <= 60


def threaded(case, count):
    daemon = Rsyslogd(case.dir, input=UNIX % "")
    with open(daemon.conf) as file:
        text = file.read()
    with open(daemon.conf, "w") as file:
        file.write(text.replace('module(load="imdnstap")', f'module(load="imdnstap" threads="{count}")'))
    case.start(daemon).wait_socket()
    fstrm.deliver(daemon.socket, numbered(1, 50))
    daemon.wait_lines(50)
    daemon.wait_counters(sessions_closed=1)
    return daemon


def test_threads(case):
    """Two descriptors a thread; and its buffers, which grow with the greatest frame, and a worker's."""
    nothing_else_inside()
    daemon = threaded(case, 1)
    files = descriptors(daemon)
    daemon.stop()
    os.unlink(os.path.join(case.dir, "events"))
    daemon = threaded(case, 5)
    assert descriptors(daemon) - files == 4 * 2
    before = memory(daemon)
    frames = [fstrm.payload(qid=60000 + n, extra=b"x" * 120000) for n in range(10)]
    clients = [Client(daemon.socket).ready().frames([frame]) for frame in frames]
    assert sorted(ids(daemon.wait_lines(60)))[-10:] == list(range(60000, 60010))
    check("five threads and a worker", daemon, before, 1,
          5 * stated("thread") + stated("decoding worker"))
    for client in clients:
        client.finish()


def stated_files(kind):
    """The descriptors of the row that begins so in doc/limits.md, and those of each file."""
    with open(os.path.join(SOURCE, "doc", "limits.md"), encoding="utf-8") as file:
        match = re.search(rf"^\| {re.escape(kind)} *\| (\d+)(?:, and (\d+) a file)?", file.read(), re.M)
    return int(match[1]), int(match[2] or 0)


SECOND = {
    "listener": 'address="127.0.0.1" port="0"',
    "`connect`": 'connect="127.0.0.1:%d"',
    "`file`": 'file="{dir}/f*" file.mode="follow"',
}


@tap.cases(*SECOND.items())
def test_descriptors(case, second):
    """What another input takes: a listener; a producer that is dialled, with its session; files that are followed."""
    kind = next(kind for kind, text in SECOND.items() if text == second)
    for number in range(5):
        with open(os.path.join(case.dir, f"f{number}"), "wb") as file:
            file.write(fstrm.stream(numbered(number, 1)))
    counts = []
    with socket.create_server(("127.0.0.1", 0)) as producer:
        producer.settimeout(20 * tap.PATIENCE)
        more = (second % producer.getsockname()[1] if "%d" in second else second).replace("{dir}", case.dir)
        for text in ("", f'input(type="imdnstap" name="u" {more} ruleset="dnstap")'):
            daemon = rsyslogd(case, input=UNIX % "" + text)
            fstrm.deliver(daemon.socket, numbered(100, 1))
            peer = Client(producer.accept()[0]).ready() if "connect" in kind and text else None
            files = 5 if "file" in kind and text else 0
            wait_for("its events", lambda: daemon.check_alive() and len(daemon.lines()) >= len(counts) + 1 + files)
            daemon.wait_counters(sessions_closed=1)
            if text:
                daemon.wait_counters("u", sessions_opened=1 if peer else files)
            counts.append(descriptors(daemon))
            daemon.stop()
            if peer:
                peer.close()
    each, a_file = stated_files(kind)
    assert counts[1] - counts[0] == each + 5 * a_file, (kind, counts)


def test_length_of_a_line(case):
    """It is cut, whatever it is about; a path as long as they may be is."""
    with open(os.path.join(SOURCE, "imdnstap", "source.c"), encoding="utf-8") as file:
        most = int(re.search(r"^#define LOG_LINE_MAX +(\d+)", file.read(), re.M)[1])
    path = os.path.join(case.dir, *["x" * 200] * 15)
    daemon = rsyslogd(case, input=f'input(type="imdnstap" name="t" file="{path}" ruleset="dnstap")')
    line, = daemon.wait_log(r"imdnstap: input t: file ")
    said = line.split(" ", 1)[1].split(" [v")[0]
    assert len(said.encode()) == most - 1 < len(path), len(said.encode())


def pointers():
    """A response of nearly 64 KiB whose 4,600 NS records all point to a name of 255 octets, as owner and as data."""
    name = b"".join(bytes([63]) + b"x" * 63 for _ in range(3)) + bytes([61]) + b"y" * 61 + b"\0"
    count = (65535 - 12 - len(name) - 4) // 14
    dns = struct.pack(">HHHHHH", 1, 0x8180, 1, count, 0, 0) + name + struct.pack(">HH", 2, 1)
    dns += (struct.pack(">HHHLH", 0xC00C, 2, 1, 60, 2) + b"\xc0\x0c") * count
    message = fstrm.field(1, 6) + fstrm.field(14, dns)
    return fstrm.field(14, message) + fstrm.field(15, 1)


# What costs most in one way or another, and how many of them.
COSTLY = {"one octet": (b"\x08", 20000), "ordinary": (fstrm.payload(), 20000), "large": (fstrm.payload(extra=b"x" * 120000), 200),
          "to be escaped": (fstrm.payload(extra=b"\x80" * 120000), 200), "garbage": (b"\xff" * 1000, 5000),
          "compression pointers": (pointers(), 50)}


def processor_seconds(daemon):
    with open(f"/proc/{daemon.process.pid}/stat") as file:
        part = file.read().rsplit(")", 1)[1].split()
    return (int(part[11]) + int(part[12])) / os.sysconf("SC_CLK_TCK")


@tap.timeout(120)
@tap.cases(*COSTLY.items())
def test_processor_time(case, value):
    """From the socket to JSON in a file: so much a frame and so much an octet, whatever is in it."""
    nothing_else_inside()
    frame, count = value
    daemon = rsyslogd(case, input=UNIX % "", maxmessage="8m")
    before = processor_seconds(daemon)
    fstrm.deliver(daemon.socket, [frame] * count)
    daemon.wait_lines(count, deadline=100)
    each = (processor_seconds(daemon) - before) / count
    most = stated_time("frame", "µs") * 1e-6 + len(frame) * stated_time("octet", "ns") * 1e-9
    tap.comment(f"{each * 1e6:.1f} us a frame, {each * 1e9 / len(frame):.0f} ns an octet; {most * 1e6:.0f} us are stated")
    assert each <= most, f"{each * 1e6:.0f} us a frame of {len(frame)} octets, {most * 1e6:.0f} are stated"


def greedy(octets):
    """The same .xz, but its block header asks for a dictionary of 384 MiB (.xz format 3.1, 5.3.1)."""
    size = (octets[12] + 1) * 4  # of the block header, behind the stream header's 12 octets
    header = bytearray(octets[12:12 + size])
    assert header[2:4] == bytes([0x21, 1]), "no LZMA2 filter"
    header[4] = 33  # 3 << 27
    header[-4:] = zlib.crc32(bytes(header[:-4])).to_bytes(4, "little")
    return octets[:12] + bytes(header) + octets[12 + size:]


def test_compressed_file_that_needs_too_much(case):
    """It is refused with a line, and no memory is taken for it."""
    path = os.path.join(case.dir, "tap.xz")
    with open(path, "wb") as file:
        file.write(greedy(lzma.compress(fstrm.stream(numbered(1, 10)))))
    daemon = rsyslogd(case, input=f"""input(type="imdnstap" name="t" file="{path}" ruleset="dnstap")""")
    daemon.wait_log(r"tap\.xz: 0 frames, then: .* needs over 128 MiB of memory")
    if not watched():
        with open(f"/proc/{daemon.process.pid}/status") as status:
            peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read())[1]) * 1024
        assert peak < 128 << 20, peak


if __name__ == "__main__":
    tap.main()
