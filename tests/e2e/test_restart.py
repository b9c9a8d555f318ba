# SPDX-License-Identifier: Apache-2.0
"""Real DNS servers under load while rsyslogd goes and comes, is reloaded, and is stopped.

Covers: every server of test_live.py comes back by itself, over each kind of transport, and from its
first frame on nothing is lost or comes twice; how long that took and what was lost meanwhile is in
comment lines. HUP, as a systemd reload sends it, and SIGTERM during traffic: the books are closed to
the frame, sockets are gone, files go on where they were.
"""
import os
import re
import signal
import socket
import struct
import threading
import time

import fstrm
import producers
import programs
import tap
from certificates import authority, tls_options
from harness import Rsyslogd, wait_for
from test_files import key_of_frame
from test_live import backend, start_all


class Asker:
    """Asks one server numbered questions, one after the other; each has a name of its own."""

    def __init__(self, server, pause=0.02):
        self.server, self.pause = server, pause * tap.PATIENCE ** 2  # a slow daemon gets less to do
        self.asked = 0
        self.over = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run)

    def start(self):
        self.thread.start()

    def _run(self):
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
                asker.settimeout(20)
                asker.connect(("127.0.0.1", self.server.port))
                while not self.over.wait(self.pause):
                    asker.send(fstrm.dns_query(self.asked % 65536, f"n{self.asked}.load.example.test"))
                    while struct.unpack(">H", asker.recv(1500)[:2])[0] != self.asked % 65536:
                        pass
                    self.asked += 1
        except OSError as error:
            self.failure = error

    def check(self):
        assert self.failure is None, f"{self.server.name}: {self.failure}"
        return self.thread.is_alive()

    def stop(self):
        self.over.set()
        self.thread.join(25)


class Seen:
    """What has been written so far: numbers by identity and message type."""

    def __init__(self, daemon):
        self.path = os.path.join(daemon.dir, "events")
        self.at, self.rest = 0, b""
        self.numbers = {}

    def read(self):
        if not os.path.exists(self.path):
            return self
        with open(self.path, "rb") as file:
            file.seek(self.at)
            octets = self.rest + file.read()
            self.at = file.tell()
        lines = octets.split(b"\n")
        self.rest = lines.pop()
        for line in lines:
            number = re.search(rb'"name":"n(\d+)\.load\.example\.test"', line)
            if number:
                identity = re.search(rb'"identity":"([^"]*)"', line)[1].decode()
                kind = re.search(rb'"type":"([^"]*)"', line)[1].decode()
                self.numbers.setdefault((identity, kind), []).append(int(number[1]))
        return self

    def of(self, server, kind):
        return self.numbers.get((server.identity, kind), [])

    def last(self, server):
        """The highest number of which all kinds are there."""
        return min(max(self.of(server, kind), default=-1) for kind in server.kinds)


# A server's way, and its input in rsyslog.
UNIX = 'input(type="imdnstap" name="%s" path="%s" ruleset="dnstap")\n'
TCP = 'input(type="imdnstap" name="%s" address="127.0.0.1" port="%d" ruleset="dnstap" %s)\n'


def every_server(case):
    """Each server over each kind of transport that it has, and the inputs for them."""
    made = authority(case)
    made.issue("unbound", "ca")
    answering = backend(case)
    servers, inputs = [], ""

    def over_unix(kind, name, **options):
        nonlocal inputs
        path = os.path.join(case.dir, name + ".sock")
        servers.append(kind(case.dir, name=name, socket=path, **options))
        inputs += UNIX % (name, path)

    def over_tcp(kind, name, more="", **options):
        nonlocal inputs
        port = programs.free_port()
        servers.append(kind(case.dir, name=name, host="127.0.0.1", target=port, **options))
        inputs += TCP % (name, port, more)

    over_unix(producers.Bind, "bind")
    over_unix(producers.Unbound, "unbound")
    over_unix(producers.Unbound, "unbound-uni", bidirectional="no")
    over_unix(producers.Knot, "knot")
    over_unix(producers.Nsd, "nsd")
    over_unix(producers.Kresd, "kresd", backend=answering)
    over_unix(producers.Dnsdist, "dnsdist", backend=answering)
    over_unix(producers.Recursor, "recursor", backend=answering)
    over_tcp(producers.Unbound, "unbound-tcp")
    over_tcp(producers.Unbound, "unbound-tls", tls_options(made, "certvalid"), **{
        "tls": "yes", "server-name": "localhost", "cert-bundle": made.path("ca.pem"),
        "client-key-file": made.path("unbound.key"), "client-cert-file": made.path("unbound.pem")})
    over_tcp(producers.Dnsdist, "dnsdist-tcp", backend=answering)
    over_tcp(producers.Dnsdist, "dnsdist-remote", 'framing="powerdns"', logger="remote",
             backend=answering)
    over_tcp(producers.Recursor, "recursor-tcp", backend=answering)
    return servers, inputs


def wait_listening(daemon, servers):
    for server in servers:
        if "socket" in server.options:
            daemon.wait_socket(server.options["socket"])
    wait_for("the inputs to count", lambda: daemon.check_alive() and all(
        daemon.counters(server.name) for server in servers))


def check_numbers(seen, before, asker, back):
    """Nothing came twice; from the first frame of the second life on, all came. dnsdist's remote
    logger first sends what it kept, the oldest: there, from number `back` on."""
    server, lost = asker.server, 0
    for kind in server.kinds:
        numbers = seen.of(server, kind)
        assert len(set(numbers)) == len(numbers), f"{server.name}: {kind} twice"
        second = sorted(numbers[before[kind]:])
        if server.options.get("logger") == "remote":
            second = [number for number in second if number >= back]
        assert second == list(range(second[0], asker.asked)), f"{server.name}: {kind}: a hole"
        lost += asker.asked - len(numbers)
    return lost


@tap.timeout(500)  # it may have to wait for what is being fetched
def test_receiver_restarts(case):
    """Stopped and started while all servers are busy."""
    servers, inputs = every_server(case)
    daemon = case.start(Rsyslogd(case.dir, input=inputs))
    wait_listening(daemon, servers)
    start_all(case, servers)
    askers = [case.start(Asker(server)) for server in servers]
    seen = Seen(daemon)
    for asker in askers:
        wait_for(f"frames of {asker.server.name}", lambda: daemon.check_alive() and asker.check() and
                 seen.read().last(asker.server) >= 10, 40)
    daemon.stop()
    stopped = time.monotonic()
    before = {asker: {kind: len(seen.read().of(asker.server, kind)) for kind in asker.server.kinds}
              for asker in askers}
    away = [asker.asked for asker in askers]
    for asker, number in zip(askers, away):
        wait_for(f"questions to {asker.server.name}",
                 lambda: asker.check() and asker.asked >= number + 20)
    daemon.start()
    wait_listening(daemon, servers)
    listening = time.monotonic()
    goals = {asker: asker.asked for asker in askers}
    took, back = {}, {}

    def all_back():
        daemon.check_alive()
        seen.read()
        for asker in askers:
            if asker not in took and asker.check() and seen.last(asker.server) >= goals[asker]:
                took[asker] = time.monotonic() - listening
                back[asker] = seen.last(asker.server)
        return len(took) == len(askers)
    try:
        wait_for("", all_back, 60)
    except AssertionError:
        missing = [asker.server.name for asker in askers if asker not in took]
        raise AssertionError(f"not back: {missing}") from None
    for asker in askers:
        asker.stop()
    for asker in askers:
        wait_for(f"the last frames of {asker.server.name}",
                 lambda: seen.read().last(asker.server) >= asker.asked - 1)
    for asker in askers:
        lost = check_numbers(seen, before[asker], asker, back[asker])
        tap.comment(f"{asker.server.name}: stopped for {listening - stopped:.1f} s, frames again "
                    f"after {took[asker]:.1f} s, {lost} of {2 * asker.asked} frames lost")
        counters = daemon.counters(asker.server.name)
        assert counters["handshakes.failed"] == 0, counters
        assert counters["sessions.opened"] == 1 or counters["sessions.opened"] > 1 and \
            asker.server.name.startswith(("recursor", "unbound-tls")), counters


FILE = 'input(type="imdnstap" name="%s" file="%s" file.mode="follow" ruleset="dnstap")\n'


def some_servers(case):
    """One for each kind of transport: unix, TCP, TLS, and both files; and the inputs for them."""
    made = authority(case)
    made.issue("unbound", "ca")
    port, tls_port = programs.free_port(), programs.free_port()
    servers = [
        producers.Bind(case.dir, name="unix", socket=os.path.join(case.dir, "unix.sock")),
        producers.Unbound(case.dir, name="tcp", host="127.0.0.1", target=port),
        producers.Unbound(case.dir, name="tls", host="127.0.0.1", target=tls_port, **{
            "tls": "yes", "server-name": "localhost", "cert-bundle": made.path("ca.pem"),
            "client-key-file": made.path("unbound.key"),
            "client-cert-file": made.path("unbound.pem")}),
        producers.Bind(case.dir, name="bind-file", file=os.path.join(case.dir, "bind.fstrm")),
        producers.Knot(case.dir, name="knot-file", file=os.path.join(case.dir, "knot.fstrm")),
    ]
    inputs = UNIX % ("unix", servers[0].options["socket"]) + TCP % ("tcp", port, "") + \
        TCP % ("tls", tls_port, tls_options(made, "certvalid")) + \
        FILE % ("bind-file", servers[3].options["file"]) + \
        FILE % ("knot-file", servers[4].options["file"])
    return servers, inputs


def check_closed_books(daemon, server):
    """The last line about an input adds up, and what it submitted was written. Returns that."""
    line, = daemon.log(f"input {server.name}: ended, frames: ")
    received, *parts = [int(n) for n in re.findall(r"(\d+) (?:received|submitted|filtered|sampled out|"
                                                   r"rate-limited|invalid|discarded)", line)]
    assert len(parts) == 6 and received == sum(parts) and received == parts[0], line
    written = daemon.read("events").count(b'"identity":"%s"' % server.identity.encode())
    assert written == received, f"{written} lines of {server.name}: {line}"
    return received


def check_position(daemon, server, taken):
    """The saved position is behind just so many frames of the file."""
    spool = os.path.join(daemon.dir, "spool")
    name, = [name for name in os.listdir(spool) if server.name.replace("-", "_") in name]
    with open(os.path.join(spool, name)) as file:
        lines = file.read().splitlines()
    assert len(lines) == 2, lines
    offset = int(lines[1].split()[2])  # imdnstap/files_state.h
    with open(server.options["file"], "rb") as file:
        assert len(fstrm.parse_stream(file.read(offset))) == taken, server.name


def numbers_of_file(path):
    """The numbers asked for that a file has: those of queries, those of responses."""
    numbers = [], []
    for frame in fstrm.read_frames(path):
        kind, _, _, name = key_of_frame(frame)
        if name.endswith(".load.example.test"):
            numbers[kind % 2 == 0].append(int(name[1:].split(".")[0]))
    return [sorted(part) for part in numbers]


@tap.timeout(150)
def test_reload_and_stop(case):
    """HUP six times, then SIGTERM, all the while with traffic; then on with the files."""
    servers, inputs = some_servers(case)
    daemon = case.start(Rsyslogd(case.dir, input=inputs))
    wait_listening(daemon, servers)
    start_all(case, servers)
    askers = [case.start(Asker(server, 0.001)) for server in servers]
    seen = Seen(daemon)
    for turn in range(7):
        goals = [asker.asked for asker in askers]
        for asker, goal in zip(askers, goals):
            wait_for(f"frames of {asker.server.name}", lambda: daemon.check_alive() and
                     asker.check() and seen.read().last(asker.server) >= goal, 40)
        if turn < 6:
            daemon.send_signal(signal.SIGHUP)  # what reloads a daemon under systemd, too
            daemon.wait_log("input tls: certificates read again", turn + 1)
    for server in servers[:3]:
        daemon.wait_counters(server.name, sessions_opened=1, sessions_closed=0)
    daemon.stop()
    assert all(asker.check() for asker in askers), "the traffic was over before the stop"
    assert not os.path.lexists(servers[0].options["socket"])
    for server in servers[1:3]:
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", server.options["target"])) != 0, server.name
    taken = [check_closed_books(daemon, server) for server in servers]
    for server, count in zip(servers[3:], taken[3:]):
        check_position(daemon, server, count)
    daemon.start()
    wait_listening(daemon, servers)
    for asker in askers:
        asker.stop()
    for server in servers[3:]:
        server.stop()
        # What the server drops under load is in no file.
        written = numbers_of_file(server.options["file"])
        for number, kind in enumerate(server.kinds):
            wait_for(f"all {kind} of {server.name}",
                     lambda: len(seen.read().of(server, kind)) >= len(written[number]))
            assert sorted(seen.of(server, kind)) == written[number], f"{server.name}: {kind}"


if __name__ == "__main__":
    tap.main()
