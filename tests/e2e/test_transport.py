# SPDX-License-Identifier: Apache-2.0
"""TCP, TLS, dial-out and growing files: every way in besides the unix socket.

Covers: port 0 and the port file, IPv6; TLS of both versions, its end, a busy peer, reload on HUP (refusals are in
test_refusals.py); dial-out to TCP and unix with reconnects; following
a file that grows, is renamed, is cut short, across restarts; a thousand sessions.
"""
import os
import signal
import socket
import ssl
import threading

import fstrm
import tap
from certificates import authority, context, tls_options
from fstrm import CONTENT_TYPE, Client, control
from harness import check_json, rsyslogd, wait_for
from test_stream import complaints_of, ids, numbered

TCP = """input(type="imdnstap" name="t" address="127.0.0.1" port="0"
         listenportfilename="{dir}/port" ruleset="dnstap" %s)"""
VERSIONS = tap.cases(("1.2", ssl.TLSVersion.TLSv1_2), ("1.3", ssl.TLSVersion.TLSv1_3))


def address_of(daemon, host="127.0.0.1", name="port"):
    """Where a listener with port 0 is."""
    path = os.path.join(daemon.dir, name)

    def number():
        daemon.check_alive()
        text = open(path).read().strip() if os.path.exists(path) else ""
        return int(text) if text else None
    return host, wait_for("the port file", number)


def tcp_daemon(case, options="", **more):
    daemon = rsyslogd(case, input=TCP % options, **more)
    return daemon, address_of(daemon)


@tap.cases(("bidirectional", True), ("unidirectional", False))
def test_tcp(case, bidirectional):
    daemon, address = tcp_daemon(case, template="%fromhost-ip%|%fromhost%|%msg%\\n")
    fstrm.deliver(address, numbered(1, 50), bidirectional)
    lines = daemon.wait_lines(50)
    assert all(line.startswith(b"127.0.0.1|127.0.0.1|") for line in lines), "a name was looked up"
    events = check_json([line.split(b"|", 2)[2] for line in lines])
    assert [e["dns"]["id"] for e in events] == list(range(1, 51))
    assert events[0]["peer"] == "127.0.0.1"
    daemon.check_books(50, 50)


def test_tcp_over_ipv6(case):
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError:
        raise tap.Skip("no IPv6 on loopback") from None
    daemon = rsyslogd(case, input=(TCP % "").replace("127.0.0.1", "::1"),
                      template="%fromhost-ip%|%msg%\\n")
    fstrm.deliver(address_of(daemon, "::1"), numbered(1, 3))
    assert all(line.startswith(b"::1|") for line in daemon.wait_lines(3))


def keepalive_timer(local, remote):
    """Seconds until the kernel's next keepalive probe on a connection, or None; proc_net_tcp: timer 2."""
    with open("/proc/net/tcp") as table:
        for line in table:
            part = line.split()
            if part[1].endswith(f":{local:04X}") and part[2].endswith(f":{remote:04X}"):
                kind, ticks = part[5].split(":")
                return int(ticks, 16) / os.sysconf("SC_CLK_TCK") if kind == "02" else None
    return None


@tap.cases(("off", ("", None)), ("on", ('keepalive="on" keepalive.time="1234" keepalive.probes="3" '
                                        'keepalive.interval="7"', 1234)))
def test_keepalive(case, value):
    """As the kernel sees it: the next probe comes after keepalive.time, or never."""
    more, seconds = value
    daemon, address = tcp_daemon(case, more)
    client = Client(address).start().frames([fstrm.payload()])
    daemon.wait_lines(1)
    timer = keepalive_timer(address[1], client.socket.getsockname()[1])
    if seconds is None:
        assert timer is None, timer
    else:
        assert timer is not None and seconds - 60 < timer <= seconds, timer
    client.close()


def test_reset_after_stop(case):
    """A peer that resets right after STOP loses nothing of what it sent."""
    import struct
    daemon, address = tcp_daemon(case)
    for number in range(20):
        client = Client(address).ready().frames(numbered(10 * number, 10)).send(control(fstrm.STOP))
        assert client.receive_control()[0] == fstrm.FINISH
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    assert sorted(ids(daemon.wait_lines(200))) == list(range(200))
    assert not complaints_of(daemon), complaints_of(daemon)


@tap.timeout(90)
def test_thousand_sessions(case):
    """1,000 sessions at once, most of them silent or slow: the fast ones lose nothing."""
    import resource
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit[0] < 3000:
        if limit[1] < 3000:
            raise tap.Skip("too few file descriptors allowed")
        resource.setrlimit(resource.RLIMIT_NOFILE, (3000, limit[1]))
    daemon, address = tcp_daemon(case, 'maxsessions="1200" handshaketimeout="50"')
    slow = [Client(address).ready() for _ in range(900)]
    for client in slow:
        client.send(fstrm.data(fstrm.payload(qid=60000))[:20])
    fast = [Client(address).ready() for _ in range(100)]
    for number, client in enumerate(fast):
        client.frames(numbered(number * 100, 100))
    for client in fast:
        client.finish()
    assert sorted(ids(daemon.wait_lines(10000))) == list(range(10000))
    for client in slow:
        client.close()
    daemon.wait_counters(sessions_opened=1000, sessions_closed=1000)


def deliver_tls(address, tls, frames, bidirectional=True):
    client = Client(address, tls=tls, server_name="localhost")
    if bidirectional:
        client.ready().frames(frames).finish()
    else:
        client.start().frames(frames).stop_uni()


@VERSIONS
def test_tls(case, version):
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    deliver_tls(address, context(made, version=version), numbered(1, 200))
    deliver_tls(address, context(made, version=version), numbered(201, 200), False)
    assert ids(daemon.wait_lines(400)) == list(range(1, 401))
    daemon.check_books(400, 400)
    assert not complaints_of(daemon), complaints_of(daemon)


def refused_by_tls(daemon, address, tls, pattern, before=0):
    """A handshake (or the read after it, in TLS 1.3) fails, with one line."""
    try:
        client = Client(address, tls=tls, server_name="localhost")
        client.ready()
    except (OSError, EOFError):
        pass
    else:
        raise AssertionError("the peer was let in")
    daemon.wait_own_lines("a line about it", lambda: len(complaints_of(daemon)) > before)
    import re
    lines = complaints_of(daemon)[before:]
    assert len(lines) == 1 and re.search(pattern, lines[0], re.I), lines


def test_tls_stalls(case):
    """A peer that never ends its TLS handshake is closed in time."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made, extra='handshaketimeout="1"'))
    Client(address).wait_closed()
    Client(address).send(bytes.fromhex("160301")).wait_closed()
    daemon.wait_counters(handshakes_failed=2)


class Records:
    """A TLS client whose records are in our hands: what it would send can be sent in parts."""

    def __init__(self, address, tls):
        self.into, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = tls.wrap_bio(self.into, self.out, server_hostname="localhost")
        self.socket = socket.create_connection(address, timeout=10 * tap.PATIENCE)
        self.call(self.tls.do_handshake)

    def call(self, function, *arguments):
        """Until OpenSSL needs no more of the other side."""
        while True:
            try:
                result = function(*arguments)
                self.socket.sendall(self.out.read())
                return result
            except ssl.SSLWantReadError:
                self.socket.sendall(self.out.read())
                self.into.write(self.socket.recv(65536))

    def record(self, octets):
        self.tls.write(octets)
        return self.out.read()


@VERSIONS
def test_tls_record_in_parts(case, version):
    """A record that stays unfinished keeps nobody else waiting, and is taken once it is whole."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    slow = Records(address, context(made, version=version))
    slow.call(slow.tls.write, control(fstrm.START, CONTENT_TYPE))
    record = slow.record(fstrm.data(fstrm.payload(qid=1)))
    slow.socket.sendall(record[:7])
    daemon.wait_log("session with .* opened")
    deliver_tls(address, context(made, version=version), numbered(2, 10))
    assert ids(daemon.wait_lines(10)) == list(range(2, 12))
    slow.socket.sendall(record[7:])
    slow.socket.sendall(slow.record(control(fstrm.STOP)))
    assert sorted(ids(daemon.wait_lines(11))) == list(range(1, 12))
    slow.socket.close()
    daemon.check_books(11, 11)


@VERSIONS
def test_tls_end_behind_data(case, version):
    """close_notify right behind the last frame: answered, and the session ends, though the connection stays."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    peer = Records(address, context(made, version=version))
    peer.call(peer.tls.write, control(fstrm.START, CONTENT_TYPE) + fstrm.data(fstrm.payload(qid=1)))
    daemon.wait_lines(1)
    last = peer.record(fstrm.data(fstrm.payload(qid=2)))
    try:
        peer.tls.unwrap()
    except ssl.SSLWantReadError:
        pass
    peer.socket.sendall(last + peer.out.read())
    peer.call(peer.tls.unwrap)
    daemon.wait_counters(sessions_opened=1, sessions_closed=1)
    assert ids(daemon.wait_lines(2)) == [1, 2]
    peer.socket.close()
    assert not complaints_of(daemon), complaints_of(daemon)


@VERSIONS
def test_tls_fault_behind_data(case, version):
    """A record that is none, right behind a good one: that one is taken, and the session ends with a line."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    peer = Records(address, context(made, version=version))
    peer.call(peer.tls.write, control(fstrm.START, CONTENT_TYPE))
    peer.socket.sendall(peer.record(fstrm.data(fstrm.payload(qid=1))) + b"\x17\x03\x03\x00\x20" + bytes(32))
    Client(peer.socket).wait_closed()
    assert ids(daemon.wait_lines(1)) == [1]
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert "TLS failed" in line, line


class Busy:
    """A peer that sends as fast as it is read, one TLS record per `octets`."""

    def __init__(self, address, tls, octets):
        self.client = Client(address, deadline=60, tls=tls, server_name="localhost")
        self.octets, self.over, self.failure = octets, threading.Event(), None
        self.thread = threading.Thread(target=self._run)

    def start(self):
        self.client.start()
        self.thread.start()

    def _run(self):
        try:
            while not self.over.is_set():
                self.client.send(self.octets)
        except OSError as error:
            self.failure = error

    def stop(self):
        self.over.set()
        self.thread.join(20 * tap.PATIENCE)
        self.client.close()


@tap.cases(("whole records", 16384), ("records that do not divide a read", 10000))
def test_busy_tls_peer(case, size):
    """A peer whose octets never end takes its turn, no more: others are served, and those who say nothing closed."""
    made = authority(case)
    text = (TCP % tls_options(made)).replace('"dnstap"', '"busy"') + (TCP % 'handshaketimeout="1"').replace(
        '"t"', '"u"').replace("/port", "/port2")
    daemon = rsyslogd(case, input=text, threads=1, extra='ruleset(name="busy" queue.type="Direct") { stop }')
    busy = case.start(Busy(address_of(daemon), context(made), fstrm.data(b"x" * 12) * (size // 16)))
    other = address_of(daemon, name="port2")

    def octets():
        return daemon.counters()["bytes.received"]
    wait_for("the busy peer", lambda: daemon.check_alive() and daemon.counters() and octets() > 1 << 22)
    before = octets()
    for number in range(20):
        Client(other).ready().frames(numbered(100 * number, 100)).finish()
    Client(other).wait_closed()
    assert ids(daemon.wait_lines(2000)) == list(range(2000))
    wait_for("more of the busy peer", lambda: daemon.check_alive() and octets() > before + (1 << 22))
    assert busy.failure is None, busy.failure
    daemon.wait_counters(name="u", sessions_closed=21, handshakes_failed=1)


def test_files_that_are_not_there(case):
    """One line names the parameter, the file and the system's reason; the others go on."""
    made = authority(case)
    daemon = rsyslogd(case, input=TCP % tls_options(made) + """
        input(type="imdnstap" name="u" port="0" ruleset="dnstap" tls="on"
              tls.mycert="{dir}/server.pem" tls.myprivkey="{dir}/nothing.key")""")
    line, = daemon.wait_log("nothing.key")
    assert "tls.myprivkey" in line and "No such file" in line, line
    deliver_tls(address_of(daemon), context(made), numbered(1, 2))
    daemon.wait_lines(2)


def test_certificates_reload_on_hup(case):
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    deliver_tls(address, context(made), numbered(1, 1))
    made.issue("server", "ca", "localhost", san="DNS:localhost,DNS:second.example")

    def renewed():
        daemon.send_signal(signal.SIGHUP)
        client = Client(address, tls=context(made), server_name="localhost")
        names = client.socket.getpeercert()["subjectAltName"]
        client.close()
        return ("DNS", "second.example") in names
    wait_for("the new certificate", renewed)


class Listening:
    """A producer that listens, as CoreDNS can: it still sends READY."""

    def __init__(self, address):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
        else:
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(address)
        self.socket.listen(8)
        self.socket.settimeout(25 * tap.PATIENCE)
        self.address = self.socket.getsockname()

    def accept(self):
        return Client(self.socket.accept()[0])

    def stop(self):
        self.socket.close()


@tap.cases("tcp", "unix")
def test_dial_out(case, kind):
    """The receiver connects, comes back after each loss, and while nobody listens keeps trying."""
    path = os.path.join(case.dir, "producer")
    listening = case.start(Listening(path if kind == "unix" else ("127.0.0.1", 0)))
    target = path if kind == "unix" else "127.0.0.1:%d" % listening.address[1]
    daemon = rsyslogd(case, input=f"""input(type="imdnstap" name="t" connect="{target}"
                      ruleset="dnstap")""")
    for number in range(3):
        listening.accept().ready().frames(numbered(10 * number, 10)).finish()
        daemon.wait_lines(10 * (number + 1))
    address = listening.address
    listening.stop()
    if kind == "unix":
        os.unlink(path)
    wait_for("a failed attempt", lambda: daemon.counters().get("sessions.openfailed", 0) >= 1)
    again = case.start(Listening(address))
    again.accept().ready().frames(numbered(30, 10)).finish()
    assert ids(daemon.wait_lines(40)) == list(range(40))
    daemon.check_books(40, 40)


FOLLOW = """input(type="imdnstap" name="t" file="{dir}/in/tap.fstrm*" file.mode="follow"
            ruleset="dnstap")"""


class Growing:
    """A file as named writes it: flushed anywhere, also within a frame."""

    def __init__(self, case):
        self.dir = os.path.join(case.dir, "in")
        os.makedirs(self.dir, exist_ok=True)
        self.path = os.path.join(self.dir, "tap.fstrm")
        self.next = 0
        self.rest = b""
        self.begin("ab")

    def begin(self, mode):
        self.file = open(self.path, mode, buffering=0)
        self.file.write(control(fstrm.START, CONTENT_TYPE))
        self.rest = b""

    def write(self, count):
        """count frames, the last of them cut; its rest comes with the next write."""
        octets = self.rest + b"".join(map(fstrm.data, numbered(self.next, count)))
        self.next += count
        self.file.write(octets[:-25])
        self.rest = octets[-25:]

    def flush(self):
        self.file.write(self.rest)
        self.rest = b""

    def roll(self, number):
        """Renamed, finished under the new name, made anew."""
        os.rename(self.path, f"{self.path}.{number}")
        self.flush()
        self.file.write(control(fstrm.STOP))
        self.file.close()
        self.begin("wb")


@tap.timeout(90)
def test_follow(case):
    """Frames written = events, exactly: growth, three rolls, two restarts."""
    growing = Growing(case)
    growing.write(10)
    daemon = rsyslogd(case, input=FOLLOW)
    daemon.wait_lines(9)
    growing.write(10)
    daemon.wait_lines(19)
    for roll in range(3):
        growing.roll(roll)
        daemon.wait_lines(growing.next)
        growing.write(10)
        daemon.wait_lines(growing.next - 1)
        if roll < 2:
            daemon.stop()
            growing.write(7)
            daemon.start()
            daemon.wait_lines(growing.next - 1)
    growing.flush()
    assert ids(daemon.wait_lines(growing.next)) == list(range(growing.next))
    daemon.stop()
    assert len(daemon.lines()) == growing.next


def test_follow_roll_while_stopped(case):
    """A roll that nobody watched: the end of the old file and the new one, nothing twice."""
    growing = Growing(case)
    growing.write(10)
    daemon = rsyslogd(case, input=FOLLOW)
    daemon.wait_lines(9)
    daemon.stop()
    growing.write(10)
    growing.roll(0)
    growing.write(10)
    growing.flush()
    daemon.start()
    assert sorted(ids(daemon.wait_lines(30))) == list(range(30))


def test_follow_truncated(case):
    """rndc dnstap -reopen without a rename cuts the file: it is begun anew."""
    growing = Growing(case)
    growing.write(10)
    growing.flush()
    daemon = rsyslogd(case, input=FOLLOW)
    daemon.wait_lines(10)
    growing.begin("wb")
    growing.write(5)
    growing.flush()
    assert ids(daemon.wait_lines(15)) == list(range(15))


def test_length16_framing(case):
    """PowerDNS's two-byte lengths, where they are asked for."""
    import struct
    daemon, address = tcp_daemon(case, 'framing="powerdns"')
    frames = numbered(1, 20)
    Client(address).send(b"".join(struct.pack(">H", len(f)) + f for f in frames)).close()
    assert ids(daemon.wait_lines(20)) == list(range(1, 21))


@tap.cases(("plain", False), ("tls", True))
def test_length16_silence(case, over_tls):
    """There is no handshake to time out: a peer with nothing to say stays. One of Frame Streams that
    came later is closed meanwhile."""
    made = authority(case)
    options = tls_options(made) if over_tls else ""
    text = (TCP % ('framing="powerdns" handshaketimeout="1" ' + options)) + \
        'input(type="imdnstap" name="u" path="{socket}" handshaketimeout="1" ruleset="dnstap")'
    daemon = rsyslogd(case, input=text)
    tls = context(made) if over_tls else None
    client = Client(address_of(daemon), tls=tls, server_name="localhost")
    for _ in range(2):
        Client(daemon.socket).wait_closed()
    payload, = numbered(1, 1)
    client.send(len(payload).to_bytes(2, "big") + payload)
    assert ids(daemon.wait_lines(1)) == [1]
    client.close()
    daemon.wait_counters(sessions_opened=1, sessions_closed=1, handshakes_failed=0)


if __name__ == "__main__":
    tap.main()
