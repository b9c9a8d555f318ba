# SPDX-License-Identifier: Apache-2.0
"""Dial-out: the receiver connects to producers that listen, and comes back for ever.

Covers: TLS with a client certificate, each certificate of the producer's that does not do, plain text
where TLS is expected; nobody there, no such host, no such socket, a server of something else; growing
pauses, one line per outage, and what is sent after it. test_transport.py has TCP and unix sockets.
"""
import os
import re
import socket
import ssl
import time

import fstrm
import tap
from certificates import EXPIRED, NOT_YET, authority, fingerprint
from fstrm import Client
from harness import rsyslogd, wait_for
from test_stream import complaints_of, ids, numbered
from test_transport import Listening

DIAL = 'input(type="imdnstap" name="t" connect="%s" ruleset="dnstap" %s)'


def dialling(case, target, options=""):
    if not isinstance(target, str):
        target = "127.0.0.1:%d" % target[1]
    return rsyslogd(case, input=DIAL % (target, options))


def first_complaint(daemon, pattern):
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line = complaints_of(daemon)[0]
    assert re.search(pattern, line), f"{line!r} does not say {pattern!r}"
    return line


def server_context(made, certificate="server", ca="ca", wants_certificate=True):
    out = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    out.load_cert_chain(made.path(certificate + ".pem"), made.path(certificate + ".key"))
    out.load_verify_locations(made.path(ca + ".pem"))
    out.verify_mode = ssl.CERT_REQUIRED if wants_certificate else ssl.CERT_NONE
    return out


def accept_tls(listening, tls):
    plain = listening.socket.accept()[0]
    plain.settimeout(25 * tap.PATIENCE)
    return Client(tls.wrap_socket(plain, server_side=True))


def accept_refused(listening, tls):
    """A handshake that fails on either side; in TLS 1.3 one of them may learn it when it reads."""
    try:
        client = accept_tls(listening, tls)
        client.ready()
    except (OSError, EOFError):
        return
    raise AssertionError("a session came about")


def own_certificate(made):
    made.issue("own", "ca", "collector.example")
    return f'tls.mycert="{made.path("own.pem")}" tls.myprivkey="{made.path("own.key")}"'


def tls_dial(made, mode, peers=None, own=""):
    listed = f'tls.permittedpeer="{peers}"' if peers else ""
    return f'tls="on" tls.cacert="{made.path("ca.pem")}" tls.authmode="{mode}" {listed} {own}'


@tap.cases("certvalid", "name", "fingerprint")
def test_tls(case, mode):
    """With a client certificate; while the producer is away it is tried again, and found again."""
    made = authority(case)
    peers = {"name": "localhost", "fingerprint": fingerprint(made, "server", "sha256")}.get(mode)
    listening = case.start(Listening(("127.0.0.1", 0)))
    address = listening.address
    daemon = dialling(case, address, tls_dial(made, mode, peers, own_certificate(made)))
    client = accept_tls(listening, server_context(made))
    assert ("commonName", "collector.example") in client.socket.getpeercert()["subject"][0]
    client.ready().frames(numbered(0, 10))
    listening.stop()  # before the session ends: else the next attempt may wait here, and be reset
    client.finish()
    daemon.wait_lines(10)
    wait_for("failed attempts", lambda: daemon.counters().get("sessions.openfailed", 0) >= 2)
    assert len(daemon.wait_log(r"no connection.*tried again")) == 1, daemon.log()
    again = case.start(Listening(address))
    accept_tls(again, server_context(made)).ready().frames(numbered(10, 10)).finish()
    assert ids(daemon.wait_lines(20)) == list(range(20))
    daemon.check_books(20, 20)


def other_issuer(made):
    made.authority("other")
    made.issue("bad", "other", "localhost")


SERVERS = {
    "wrong name": ("name", lambda made: made.issue("bad", "ca", "ns.example.org"),
                   r'name "ns\.example\.org" in its certificate is not in tls\.permittedpeer'),
    "expired": ("certvalid", lambda made: made.issue("bad", "ca", "localhost", EXPIRED),
                r"certificate has expired \(it needs a new one"),
    "not yet valid": ("certvalid", lambda made: made.issue("bad", "ca", "localhost", NOT_YET),
                      r"not yet valid.* \(look at the clocks"),
    "unknown issuer": ("certvalid", other_issuer, r"\(its issuer must be in tls\.cacert"),
    "wrong fingerprint": ("fingerprint", lambda made: made.issue("bad", "ca", "localhost"),
                          r"fingerprint of its certificate .* not in tls\.permittedpeer"),
}


@tap.cases(*SERVERS.items())
def test_certificate(case, value):
    """The producer's certificate does not do: nothing is taken; with another one it is."""
    mode, make, pattern = value
    made = authority(case)
    make(made)
    peers = {"name": "localhost", "fingerprint": fingerprint(made, "server")}.get(mode)
    listening = case.start(Listening(("127.0.0.1", 0)))
    daemon = dialling(case, listening.address, tls_dial(made, mode, peers))
    accept_refused(listening, server_context(made, "bad", wants_certificate=False))
    first_complaint(daemon, r"127\.0\.0\.1 port \d+ refused: .*" + pattern)
    wait_for("its count", lambda: daemon.counters().get("handshakes.failed", 0) >= 1)
    accept_tls(listening, server_context(made, wants_certificate=False)).ready() \
        .frames(numbered(1, 1)).finish()
    daemon.wait_lines(1)


def test_producer_wants_a_certificate(case):
    """We show none: the line says that it is the other side that refuses, and not for its own certificate."""
    made = authority(case)
    listening = case.start(Listening(("127.0.0.1", 0)))
    daemon = dialling(case, listening.address, 'tls="on"')
    accept_refused(listening, server_context(made))
    first_complaint(daemon, r"refused: it refuses our side of TLS: .*certificate")
    wait_for("its count", lambda: daemon.counters().get("handshakes.failed", 0) >= 1)


def test_producer_speaks_no_tls(case):
    listening = case.start(Listening(("127.0.0.1", 0)))
    daemon = dialling(case, listening.address, 'tls="on"')
    client = listening.accept()
    client.send(fstrm.control(fstrm.READY, fstrm.CONTENT_TYPE))
    client.wait_closed()
    first_complaint(daemon, r'refused: it speaks no TLS \(tls="off" is for those')
    wait_for("its count", lambda: daemon.counters().get("handshakes.failed", 0) >= 1)


def test_producer_speaks_http(case):
    listening = case.start(Listening(("127.0.0.1", 0)))
    daemon = dialling(case, listening.address)
    listening.accept().send(b"HTTP/1.1 400 Bad Request\r\n\r\n").wait_closed()
    first_complaint(daemon, r"refused: this is no Frame Streams; it speaks HTTP")
    wait_for("its count", lambda: daemon.counters().get("handshakes.failed", 0) >= 1)
    listening.accept().ready().frames(numbered(1, 1)).finish()
    daemon.wait_lines(1)


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


ABSENT = {
    "nobody listens": (lambda case: f"127.0.0.1:{closed_port()}", r"Connection refused"),
    "no such socket": (lambda case: os.path.join(case.dir, "none"), r"No such file or directory"),
    # A label of 64 octets is refused by the resolver itself, without a question to anybody.
    "no such host": (lambda case: "x" * 64 + ".invalid:6000", r"not known|No address|[Nn]ame"),
}


@tap.cases(*ABSENT.items())
def test_absent(case, value):
    """One line per outage, however often it is tried; each attempt is counted."""
    where, reason = value
    target = where(case)
    daemon = dialling(case, target)
    wait_for("attempts", lambda: daemon.counters().get("sessions.openfailed", 0) >= 3)
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert f'connect="{target}": ' in line and "it is tried again for ever" in line, line
    assert re.search(reason, line), line


@tap.cases("before the handshake", "behind the handshake")
def test_pauses_grow(case, when):
    """A producer that hangs up at once is asked less and less often; after a good session soon again.

    Each pause is between half of 250, 500, 1000 … ms and all of it (imdnstap/dial.c): only the lower
    bound holds on a loaded machine."""
    listening = case.start(Listening(("127.0.0.1", 0)))
    daemon = dialling(case, listening.address)
    times = []
    for _ in range(5):
        client = listening.accept()
        times.append(time.monotonic())
        if when == "behind the handshake":
            client.ready()
        client.close()
    assert times[-1] - times[0] >= 0.9 * (0.125 + 0.25 + 0.5 + 1), times
    listening.accept().ready().frames(numbered(1, 1)).finish()
    daemon.wait_lines(1)
    began = time.monotonic()
    listening.accept().ready().finish()
    assert time.monotonic() - began < 2, "the pause did not begin anew"
    if when == "behind the handshake":
        assert not complaints_of(daemon), complaints_of(daemon)
        return
    daemon.wait_own_lines("their lines", lambda: len(complaints_of(daemon)) >= 5)
    lines = complaints_of(daemon)
    assert len(lines) == 5 and all("closed its connection within the handshake, after 0 octets" in line
                                   for line in lines), lines
    wait_for("their count", lambda: daemon.counters().get("handshakes.failed", 0) >= 5)


if __name__ == "__main__":
    tap.main()
