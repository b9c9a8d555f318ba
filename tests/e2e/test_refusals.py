# SPDX-License-Identifier: Apache-2.0
"""Peers that are not let in: each costs one line that says why, and one count.

Covers: TLS certificates of every wrong kind, old versions of TLS, renegotiation, plain text on a TLS port and TLS
on a plain one; noise and other protocols where PowerDNS's framing is expected; address prefixes, limits on sessions; peers that never read or never leave; that
many of them write no more lines than a few. A good peer beside them is served all the same.
"""
import base64
import random
import re
import socket
import ssl
import struct
import subprocess

import fstrm
import tap
from certificates import EXPIRED, NOT_YET, authority, context, fingerprint, tls_options
from fstrm import CONTENT_TYPE, Client, control
from harness import check_json, rsyslogd, wait_for
from test_stream import complaints_of, ids, numbered
from test_transport import TCP, address_of, deliver_tls, refused_by_tls, tcp_daemon

UNIX = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" %s)'


def one_complaint(daemon, pattern):
    """Exactly one line at warning or worse, and what it says."""
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert re.search(pattern, line), f"{line!r} does not say {pattern!r}"
    assert "input t:" in line, line
    return line


# Each: tls.authmode, the certificate that the peer shows and how it is made, what the line says.
def expired(made):
    made.issue("bad", "ca", dates=EXPIRED)


def not_yet(made):
    made.issue("bad", "ca", dates=NOT_YET)


def unknown_issuer(made):
    made.authority("other")
    made.issue("bad", "other")


def self_signed(made):
    made.authority("bad")


def for_servers(made):
    made.issue("bad", "ca", extensions="extendedKeyUsage=serverAuth")


def other_name(made):
    made.issue("bad", "ca", "ns2.example.org")


def good(made):
    made.issue("bad", "ca")


CERTIFICATES = {
    "expired": ("certvalid", expired, r"certificate has expired \(it needs a new one"),
    "not yet valid": ("certvalid", not_yet, r"certificate is not yet valid.* \(look at the clocks"),
    "unknown issuer": ("certvalid", unknown_issuer, r"issuer.*\(its issuer must be in tls\.cacert"),
    "self-signed": ("certvalid", self_signed, r"self.signed.*\(its issuer must be in tls\.cacert"),
    "wrong purpose": ("certvalid", for_servers, r"purpose \(its extended key usage"),
    "expired, by name": ("name", expired, r"certificate has expired"),
    "wrong name": ("name", other_name, r'name "ns2\.example\.org" in its certificate is not in tls\.permittedpeer'),
    "wrong fingerprint": ("fingerprint", good, r"fingerprint of its certificate .* not in tls\.permittedpeer"),
    "none": ("certvalid", None, r"shows no certificate \(tls\.authmode"),
    "none, by name": ("name", None, r"shows no certificate \(tls\.authmode"),
    "none, by fingerprint": ("fingerprint", None, r"shows no certificate \(tls\.authmode"),
}


@tap.cases(*CERTIFICATES.items())
def test_certificate(case, value):
    """A client's certificate that does not do; the one that does is let in after it."""
    mode, make, pattern = value
    made = authority(case)
    made.issue("right", "ca", "ns1.example.net")
    peers = {"name": ["*.example.net"], "fingerprint": [fingerprint(made, "right")]}.get(mode)
    if make:
        make(made)
    daemon, address = tcp_daemon(case, tls_options(made, mode, peers))
    refused_by_tls(daemon, address, context(made, "bad" if make else None), pattern)
    one_complaint(daemon, r"127\.0\.0\.1 port \d+ refused: ")
    daemon.wait_counters(sessions_opened=1, sessions_closed=1, handshakes_failed=1)
    deliver_tls(address, context(made, "right"), numbered(1, 3))
    events = check_json(daemon.wait_lines(3))
    assert [event["dns"]["id"] for event in events] == [1, 2, 3]
    assert {event["tls_peer"] for event in events} == {"ns1.example.net"}
    daemon.wait_log("session with .* opened, certificate of ns1.example.net")
    daemon.check_books(3, 3)


FORGED = 'a" in its certificate is\nimdnstap: input t: forged \x1b[2J\u202e'


@tap.cases(("refused", "server"), ("let in", "bad"))
def test_name_that_is_no_text(case, permitted):
    """A certificate's name may hold anything: in our lines it is printable ASCII, without the mark that ends it."""
    made = authority(case)
    made.run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8",
             "-keyout", "bad.key", "-out", "bad.pem", "-days", "5", "-subj", "/CN=" + FORGED)
    shown = 'a? in its certificate is?imdnstap: input t: forged ?[2J???'
    daemon, address = tcp_daemon(case, tls_options(made, "fingerprint", [fingerprint(made, permitted)]))
    if permitted == "server":
        refused_by_tls(daemon, address, context(made, "bad"), "fingerprint")
        line, = complaints_of(daemon)
        assert f'the fingerprint of its certificate ("{shown}") is not in tls.permittedpeer' in line, line
    else:
        deliver_tls(address, context(made, "bad"), numbered(1, 1))
        event, = check_json(daemon.wait_lines(1))
        assert event["tls_peer"] == FORGED, event
        line, = daemon.wait_log("session with .* opened")
        assert "opened, certificate of " + shown in line, line
    assert not daemon.log("^[^ ]+ imdnstap: input t: forged")


def test_certificates_without_end(case):
    """A chain of some 300 kB is refused before it is looked at; OpenSSL takes 100 KiB."""
    made = authority(case)
    made.issue("long", "ca")
    with open(made.path("ca.pem")) as file, open(made.path("long.pem"), "a") as chain:
        chain.write(file.read() * 600)
    daemon, address = tcp_daemon(case, tls_options(made, "certvalid"))
    refused_by_tls(daemon, address, context(made, "long"), r"TLS failed: excessive message size")
    daemon.wait_counters(sessions_opened=1, sessions_closed=1, handshakes_failed=1)


def test_optional_certificate(case):
    """tls.authmode="anon" with tls.cacert: none is needed, and one that is shown must be good."""
    made = authority(case)
    made.issue("right", "ca", "ns1.example.net")
    expired(made)
    daemon, address = tcp_daemon(case, tls_options(made, "anon"))
    deliver_tls(address, context(made), numbered(1, 2))
    daemon.wait_lines(2)
    deliver_tls(address, context(made, "right"), numbered(3, 2))
    daemon.wait_lines(4)
    refused_by_tls(daemon, address, context(made, "bad"), "certificate has expired")
    names = [event.get("tls_peer") for event in check_json(daemon.lines())]
    assert names == [None, None, "ns1.example.net", "ns1.example.net"], names


@tap.cases("sha1", "sha256")
def test_fingerprint(case, digest):
    """tls.authmode="fingerprint" looks at the certificate alone: it may be anybody's, and of any age."""
    made = authority(case)
    made.authority("other")
    made.issue("own", "other", dates=EXPIRED)
    daemon, address = tcp_daemon(case, tls_options(made, "fingerprint", [fingerprint(made, "own", digest)]))
    deliver_tls(address, context(made, "own"), numbered(1, 3))
    assert ids(daemon.wait_lines(3)) == [1, 2, 3]
    assert not complaints_of(daemon), complaints_of(daemon)


def test_tls_1_1(case):
    """A ClientHello of TLS 1.1 (RFC 4346 7.4.1.2) is answered with the alert protocol_version."""
    hello = b"\x03\x02" + bytes(32) + b"\0" + b"\0\x04\xc0\x13\0\x2f" + b"\x01\0"
    handshake = b"\x01" + len(hello).to_bytes(3, "big") + hello
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    client = Client(address).send(b"\x16\x03\x01" + len(handshake).to_bytes(2, "big") + handshake)
    alert = client._exactly(7)
    assert alert[0] == 21 and alert[3:] == b"\0\x02\x02\x46", alert  # fatal, 70
    client.wait_closed()
    one_complaint(daemon, r"refused: it does not speak TLS 1\.2 or later")
    daemon.wait_counters(handshakes_failed=1, sessions_closed=1)
    deliver_tls(address, context(made, version=ssl.TLSVersion.TLSv1_2), numbered(1, 1))
    daemon.wait_lines(1)


PLAIN = {
    "Frame Streams": (control(fstrm.READY, CONTENT_TYPE), r"it speaks Frame Streams without TLS on a TLS port"),
    "HTTP": (b"GET / HTTP/1.1\r\n\r\n", r"no TLS on a TLS port, but HTTP"),
    "text": (b"hello, is this syslog?\n", r"no TLS on a TLS port, but text"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n", r"no TLS on a TLS port, but SSH"),
}


@tap.cases(*PLAIN.items())
def test_plain_on_tls(case, value):
    octets, pattern = value
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    Client(address).send(octets).wait_closed()
    one_complaint(daemon, r"refused: " + r".*" + pattern)
    daemon.wait_counters(handshakes_failed=1, sessions_closed=1)
    deliver_tls(address, context(made), numbered(1, 1))
    daemon.wait_lines(1)


def test_tls_on_plain(case):
    """A TLS client on a port without: told as what it is, and closed at once."""
    made = authority(case)
    daemon, address = tcp_daemon(case)
    try:
        Client(address, tls=context(made), server_name="localhost")
    except OSError:
        pass
    else:
        raise AssertionError("a TLS handshake on a plain port")
    one_complaint(daemon, r"refused: this is no Frame Streams; it speaks TLS")
    daemon.wait_counters(handshakes_failed=1, sessions_closed=1)
    fstrm.deliver(address, numbered(1, 1))
    daemon.wait_lines(1)


ADDRESSES = {
    "v4": ("127.0.0.1", "127.0.0.0/9", "192.0.2.0/24"),
    "v4, one host": ("127.0.0.1", "127.0.0.1", "127.0.0.2"),
    "v6": ("::1", "::/64", "2001:db8::/32"),
    "v6, one host": ("::1", "::1", "::2"),
}


@tap.cases(*ADDRESSES.items())
def test_permittedpeer(case, value):
    host, inside, outside = value
    if ":" in host:
        try:
            socket.socket(socket.AF_INET6).bind((host, 0))
        except OSError:
            raise tap.Skip("no IPv6 on loopback") from None
    both = TCP.replace("127.0.0.1", host)
    daemon = rsyslogd(case, input=both % f'permittedpeer="{outside}"' +
                      (both % f'permittedpeer=["192.0.2.1","{inside}"]').replace('"t"', '"u"')
                      .replace("/port", "/port2"))
    Client(address_of(daemon, host)).wait_closed()
    line = one_complaint(daemon, r"refused: it is in no permittedpeer prefix")
    assert f"{host} port " in line, line
    daemon.wait_counters(sessions_refused=1, sessions_opened=0)
    fstrm.deliver(address_of(daemon, host, "port2"), numbered(1, 2))
    daemon.wait_lines(2)
    daemon.wait_counters("u", sessions_refused=0, sessions_opened=1)


def test_maxsessionsperpeer(case):
    """One address has its share; another one, and a place that becomes free, are served."""
    daemon, address = tcp_daemon(case, 'maxsessionsperpeer="2"')
    first, second = Client(address).ready(), Client(address).ready()
    Client(address).wait_closed()
    one_complaint(daemon, r"127\.0\.0\.1 port \d+ refused: maxsessionsperpeer is reached")
    daemon.wait_counters(sessions_refused=1, sessions_opened=2)
    other = socket.create_connection(address, 10, ("127.0.0.2", 0))
    Client(other).ready().frames(numbered(1, 1)).finish()
    first.finish()
    daemon.wait_counters(sessions_closed=2)
    Client(address).ready().frames(numbered(2, 1)).finish()
    second.frames(numbered(3, 1)).finish()
    assert sorted(ids(daemon.wait_lines(3))) == [1, 2, 3]


BROKEN = {
    "control frame of 513 octets": (struct.pack(">II", 0, 513) + bytes(513), "control frame of impossible size"),
    "control frame of 3 octets": (struct.pack(">II", 0, 3) + bytes(3), "control frame of impossible size"),
    "control frame of 2 GB": (struct.pack(">II", 0, 0x80000000), "control frame of impossible size"),
    "unknown control frame": (control(77), "control frame that cannot be decoded"),
    "field beyond its frame": (struct.pack(">IIIII", 0, 12, fstrm.READY, 1, 9),
                               "control frame that cannot be decoded"),
    "STOP first": (control(fstrm.STOP), "control frame out of order"),
    "START twice": (control(fstrm.START, CONTENT_TYPE) * 2, "control frame out of order"),
    "data before START": (control(fstrm.READY, CONTENT_TYPE) + fstrm.data(b"x" * 9), "data frame before START"),
    "other content type": (control(fstrm.READY, b"protobuf:other.Type"), r'content type is not '
                           r'protobuf:dnstap\.Dnstap but "protobuf:other\.Type"'),
    "content type that is no text": (control(fstrm.START, b"\x1b[31m\n"), r'but "\?\[31m\?"'),
    "PowerDNS framing": (struct.pack(">H", 600) + b"\x08\x01\x12\x10" + bytes(596),
                         "it speaks PowerDNS protobuf"),
}


@tap.cases(*BROKEN.items())
def test_broken_handshake(case, value):
    octets, pattern = value
    daemon = rsyslogd(case)
    Client(daemon.socket).send(octets).wait_closed()
    one_complaint(daemon, r"pid \d+ uid \d+ on .*(refused|closed): .*" + pattern)
    started = octets.startswith(control(fstrm.START, CONTENT_TYPE))
    daemon.wait_counters(sessions_opened=1, sessions_closed=1, handshakes_failed=0 if started else 1)
    fstrm.deliver(daemon.socket, numbered(1, 1))
    daemon.wait_lines(1)


@tap.cases(("Frame Streams", ("Frame Streams", control(fstrm.READY, CONTENT_TYPE))),
           ("TLS", ("TLS", bytes.fromhex("16030100c8010000c40303") + bytes(194))),
           ("HTTP", ("HTTP", b"GET / HTTP/1.1\r\n\r\n")))
def test_other_protocol_for_powerdns(case, value):
    """As lengths their first octets would be frames without end, or none at all."""
    name, octets = value
    daemon, address = tcp_daemon(case, 'framing="powerdns"')
    Client(address).send(octets).wait_closed()
    one_complaint(daemon, r"refused: this is no framing by two-byte lengths; it speaks " + name)
    daemon.wait_counters(sessions_opened=1, sessions_closed=1, handshakes_failed=1, frames_received=0)


def test_junk_for_powerdns(case):
    """Noise has lengths, too: every whole frame is an event that says what it is, the last one is cut."""
    chaos = random.Random(16)
    frames = [chaos.randbytes(chaos.randrange(2000)) for _ in range(200)]
    frames.insert(0, b"\xff\xff")
    octets = b"".join(struct.pack(">H", len(frame)) + frame for frame in frames)
    daemon, address = tcp_daemon(case, 'framing="powerdns"')
    Client(address).send(octets + b"\xff\xfe" + bytes(7)).close()
    events = check_json(daemon.wait_lines(201))
    assert all(event["malformed"] for event in events)
    assert sorted(base64.b64decode(event["frame"]) for event in events) == sorted(frames)
    one_complaint(daemon, r"closed its connection within a frame: 9 octets of it came")
    daemon.check_books(201, 201)
    malformed(daemon, 201)


def test_tls_handshake_that_is_never_ended(case):
    """No octet of it, or a part of its first record: closed in time, with one line each."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made, extra='handshaketimeout="1"'))
    for number, octets in enumerate((b"", bytes.fromhex("160301")), 1):
        Client(address).send(octets).wait_closed()
        daemon.wait_counters(handshakes_failed=number)
        daemon.wait_own_lines("a line about it", lambda: len(complaints_of(daemon)) >= number)
        assert re.search(r"127\.0\.0\.1 port \d+ closed: no handshake within handshaketimeout",
                         complaints_of(daemon)[-1]), complaints_of(daemon)
    assert len(complaints_of(daemon)) == 2, complaints_of(daemon)


def malformed(daemon, count):
    wait_for("their count", lambda: daemon.check_alive() and
             daemon.stats().get("mmdnstapparse", {}).get("frames.malformed") == count)


def test_flood_for_powerdns(case):
    """Connections that come and go with a frame or none, beside a peer that stays."""
    daemon, address = tcp_daemon(case, 'framing="powerdns"')
    good = Client(address)
    first, second = ([struct.pack(">H", len(f)) + f for f in numbered(start, 10)] for start in (1, 11))
    good.send(b"".join(first))
    daemon.wait_lines(10)
    for number in range(500):
        client = Client(address)
        if number % 2:
            client.send(b"\0\3xyz")
        client.close()
    good.send(b"".join(second)).close()
    daemon.wait_lines(270)
    events = check_json(daemon.lines())
    assert [e["dns"]["id"] for e in events if "dns" in e] == list(range(1, 21))
    assert sum(e.get("malformed", False) for e in events) == 250
    daemon.wait_counters(sessions_opened=501, sessions_closed=501)
    daemon.check_books(270, 270)
    malformed(daemon, 250)


def test_renegotiation(case):
    """A peer of TLS 1.2 that asks for a handshake within the session is told that there is none."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    peer = subprocess.run(["openssl", "s_client", "-connect", f"{address[0]}:{address[1]}", "-tls1_2", "-CAfile",
                           made.path("ca.pem")], input=b"R\n", capture_output=True, timeout=30, check=False)
    assert b"no renegotiation" in peer.stderr, peer.stderr
    deliver_tls(address, context(made), numbered(1, 1))
    assert ids(daemon.wait_lines(1)) == [1]


def test_frame_over_the_limit(case):
    """What is announced as longer is one invalid frame; the books stay closed."""
    daemon = rsyslogd(case, input=UNIX % 'maxframesize="1024"')
    client = Client(daemon.socket).ready().frames(numbered(1, 2))
    client.send(struct.pack(">I", 1025)).wait_closed()
    one_complaint(daemon, r"closed: a data frame over the size limit: 1025 octets, maxframesize is 1024")
    assert daemon.check_books(3, 2)["frames.invalid"] == 1


def test_peer_that_never_reads(case):
    """Handshake after handshake without reading an answer: closed when no more answers fit."""
    daemon = rsyslogd(case)
    client = Client(daemon.socket)
    turn = control(fstrm.READY, CONTENT_TYPE) + control(fstrm.START, CONTENT_TYPE) + control(fstrm.STOP)
    try:
        for _ in range(20000):
            client.send(turn)
        raise AssertionError("20,000 answers were kept")
    except (BrokenPipeError, ConnectionResetError):
        pass
    one_complaint(daemon, r"closed: it reads none of our answers")
    daemon.wait_counters(sessions_opened=1, sessions_closed=1)


def test_peer_that_stays_after_stop(case):
    """Its stream is over, and so is its time."""
    daemon = rsyslogd(case, input=UNIX % 'handshaketimeout="1"')
    client = Client(daemon.socket).start().frames(numbered(1, 1)).send(control(fstrm.STOP))
    client.wait_closed()
    daemon.wait_log(r"closed: stayed after STOP, 1 frames")
    assert not complaints_of(daemon), complaints_of(daemon)
    daemon.wait_counters(sessions_closed=1, handshakes_failed=0)


@tap.cases(("in a handshake", control(fstrm.READY, CONTENT_TYPE)[:9]),
           ("in a frame", control(fstrm.START, CONTENT_TYPE) + struct.pack(">I", 100) + bytes(10)))
def test_peer_that_leaves(case, octets):
    """Gone in the middle: one line that says where."""
    daemon = rsyslogd(case)
    Client(daemon.socket).send(octets).close()
    if len(octets) > 9:
        one_complaint(daemon, r"closed its connection within a frame: 14 octets of it came")
        daemon.wait_counters(handshakes_failed=0, sessions_closed=1, frames_received=0)
    else:
        one_complaint(daemon, r"closed its connection within the handshake, after 9 octets")
        daemon.wait_counters(handshakes_failed=1, sessions_closed=1)


def test_lines_are_bounded(case):
    """200 bad peers within a minute: 60 lines of theirs, all of them counted, and how many lines were kept
    back is said at the end at the latest."""
    daemon = rsyslogd(case)
    for _ in range(200):
        Client(daemon.socket).send(b"GET / HTTP/1.1\r\n\r\n").wait_closed()
    daemon.wait_counters(handshakes_failed=200, sessions_closed=200)
    fstrm.deliver(daemon.socket, numbered(1, 1))
    daemon.wait_log("session with .* closed, 1 frames")
    assert len(complaints_of(daemon)) == 60, len(complaints_of(daemon))
    daemon.stop()
    assert len(daemon.log("140 more lines about its peers were not written")) == 1


if __name__ == "__main__":
    tap.main()
