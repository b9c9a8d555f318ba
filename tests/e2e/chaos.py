# SPDX-License-Identifier: Apache-2.0
"""The chaos client of the soak: every kind of fault that a peer can make, over and over.

FAULTS names each kind; a function of a kind gets a Target and does its worst for one connection
or a few. What a peer sees of the receiver's answer does not matter here: the judge is soak.py.
"""
import random
import socket
import ssl
import struct
import threading

import fstrm
from fstrm import CONTENT_TYPE, START, STOP, Client, control, data

HELD_MAX = 60  # half-open connections at once, per thread
HELLO = bytes.fromhex("16030100c8010000c40303") + bytes(range(194))


class Target:
    """Where to go, and what one thread of chaos remembers: connections that it leaves open."""

    def __init__(self, plain, tls, contexts, seed):
        self.plain, self.tls, self.contexts = plain, tls, contexts
        self.random = random.Random(seed)
        self.held = []

    def connect(self):
        return Client(self.random.choice(self.plain), 5)

    def connect_tls(self):
        return Client(self.tls, 5)

    def secure(self, name):
        return Client(self.tls, 5, tls=self.contexts[name], server_name="localhost")

    def hold(self, client):
        """Leaves it open; the oldest one goes when there are too many."""
        self.held.append(client)
        if len(self.held) > HELD_MAX:
            self.held.pop(0).close()

    def release(self):
        while self.held:
            self.held.pop().close()


def frame(chaos):
    """A payload: noise, a good frame, or a good one with some octets changed."""
    if chaos.random() < 0.3:
        return chaos.randbytes(chaos.randrange(1, 300))
    octets = bytearray(fstrm.payload(chaos.choice(fstrm.TYPES[1:]), qid=chaos.randrange(65536),
                                     identity=b"chaos", extra=b"c" * chaos.randrange(40)))
    for _ in range(chaos.randrange(4)):
        octets[chaos.randrange(len(octets))] = chaos.randrange(256)
    return bytes(octets)


def some_control(chaos):
    """A control frame whose parts need not fit each other."""
    fields = b"".join(struct.pack(">II", chaos.randrange(3), size) + chaos.randbytes(chaos.randrange(40))
                      for size in [chaos.choice((0, 1, 22, 255, 65536, 0xFFFFFFFF))
                                   for _ in range(chaos.randrange(4))])
    body = struct.pack(">I", chaos.randrange(8)) + fields
    size = chaos.choice((len(body), len(body), 0, 3, chaos.randrange(600)))
    return struct.pack(">II", 0, size) + body


def noise(target):
    target.connect().send(target.random.randbytes(target.random.randrange(1, 3000))).close()


def http(target):
    target.connect().send(b"GET / HTTP/1.1\r\nHost: dnstap\r\n\r\n").close()


def tls_on_plain(target):
    target.connect().send(HELLO).close()


def control_frames(target):
    client = target.connect()
    for _ in range(target.random.randrange(1, 6)):
        client.send(some_control(target.random))
    client.close()


def wrong_type(target):
    target.connect().send(control(fstrm.READY, b"protobuf:other.Type")).close()


def giant_control(target):
    size = target.random.choice((513, 65536, 0x7FFFFFFF, 0xFFFFFFFF))
    target.connect().send(struct.pack(">II", 0, size) + b"x" * 64).close()


def giant_frame(target):
    size = target.random.choice((131073, 0x01000000, 0x7FFFFFFF, 0xFFFFFFFF))
    target.connect().start().send(struct.pack(">I", size) + b"x" * 64).close()


def many_types(target):
    """A READY with as many content types as a control frame takes."""
    client = target.connect()
    client.send(control(fstrm.READY, *[b"t%d" % n for n in range(40)], CONTENT_TYPE)).close()


def slow_octets(target):
    """A whole session, one octet per write."""
    client = target.connect()
    for octet in fstrm.stream([frame(target.random) for _ in range(2)]):
        client.send(bytes([octet]))
    client.close()


def half_open(target):
    """Connected, a part of something, and then silence until handshaketimeout or for good."""
    whole = control(START, CONTENT_TYPE) + data(frame(target.random))
    client = target.connect()
    target.hold(client)
    client.send(whole[:target.random.randrange(len(whole))])


def flood(target):
    """More connects at once than the listener takes sessions."""
    clients = []
    try:
        for _ in range(target.random.randrange(50, 250)):
            clients.append(target.connect())
    finally:
        for client in clients:
            client.close()


def fuzz_after_handshake(target):
    client = target.connect().ready()
    client.frames([frame(target.random) for _ in range(target.random.randrange(1, 40))])
    if target.random.random() < 0.5:
        client.send(target.random.randbytes(target.random.randrange(1, 500)))
    client.close()


def cut_frame(target):
    """Gone in the middle of a frame, on TCP by a reset."""
    client = target.connect().start()
    client.send(data(frame(target.random))[:-1])
    if client.socket.family != socket.AF_UNIX:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def short_sessions(target):
    """Twenty good sessions in a row, most of them empty."""
    for _ in range(20):
        client = target.connect().ready()
        if target.random.random() < 0.2:
            client.frames([frame(target.random)])
        client.finish()


def deaf(target):
    """Asks for answers and reads none of them."""
    client = target.connect()
    client.send(control(fstrm.READY, CONTENT_TYPE) * 50)
    target.hold(client)


def stop_and_go(target):
    client = target.connect()
    for _ in range(3):
        client.send(control(START, CONTENT_TYPE) + data(frame(target.random)) + control(STOP))
    client.close()


def tls_noise(target):
    target.connect_tls().send(target.random.randbytes(target.random.randrange(1, 600))).close()


def plain_on_tls(target):
    target.connect_tls().send(control(fstrm.READY, CONTENT_TYPE)).close()


def tls_cut_hello(target):
    client = target.connect_tls()
    target.hold(client)
    client.send(HELLO[:target.random.randrange(len(HELLO))])


def tls_records(target):
    """Records of every type and length after a good ClientHello's head."""
    chaos = target.random
    records = b"".join(bytes([chaos.randrange(20, 26), 3, chaos.randrange(5)]) +
                       struct.pack(">H", chaos.randrange(0x5000)) + chaos.randbytes(chaos.randrange(80))
                       for _ in range(5))
    target.connect_tls().send(HELLO + records).close()


def tls_fuzz_inside(target):
    """A good certificate, and fuzz behind it."""
    client = target.secure("good").ready()
    client.frames([frame(target.random) for _ in range(5)])
    client.send(some_control(target.random)).close()


def certificate(name):
    """A peer with this certificate: it must not get in."""
    def fault(target):
        client = target.secure(name)  # in TLS 1.3 the refusal comes after the handshake
        client.ready().close()
        raise LetIn(name)
    return fault


class LetIn(Exception):
    """A certificate that must be refused was accepted."""


# The certificates that must not get in; soak.py makes them.
WRONG_CERTIFICATES = ("none", "expired", "not yet valid", "unknown authority", "self-signed",
                      "wrong name")

FAULTS = {
    "noise": noise, "HTTP": http, "TLS on a plain port": tls_on_plain,
    "random control frames": control_frames, "wrong content type": wrong_type,
    "giant control frame": giant_control, "giant data frame": giant_frame,
    "forty content types": many_types, "octet by octet": slow_octets, "half open": half_open,
    "flood of connects": flood, "handshake, then fuzz": fuzz_after_handshake,
    "cut within a frame": cut_frame, "twenty short sessions": short_sessions,
    "deaf to answers": deaf, "stop and start again": stop_and_go, "TLS noise": tls_noise,
    "no TLS on a TLS port": plain_on_tls, "cut ClientHello": tls_cut_hello,
    "random TLS records": tls_records, "TLS, then fuzz": tls_fuzz_inside,
}
FAULTS.update({f"certificate: {name}": certificate(name) for name in WRONG_CERTIFICATES})


class Chaos:
    """Threads that make faults until they are told to end. counts: by kind; let_in: certificates
    that were accepted and must not be."""

    def __init__(self, plain, tls, contexts, seed, pause, threads=4):
        self.over = threading.Event()
        self.pause = pause
        self.counts = dict.fromkeys(FAULTS, 0)
        self.let_in = []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(
            Target(plain, tls, contexts, seed + n),)) for n in range(threads)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def _one(self, target, kind):
        try:
            FAULTS[kind](target)
        except LetIn as error:
            self.let_in.append(str(error))
        except (OSError, EOFError, AssertionError, ssl.SSLError):
            pass  # the receiver's answer to a fault, or its absence while it restarts
        with self.lock:
            self.counts[kind] += 1

    def _run(self, target):
        kinds = list(FAULTS)
        while not self.over.is_set():
            target.random.shuffle(kinds)
            for kind in kinds:
                if self.over.wait(self.pause * target.random.random()):
                    break
                self._one(target, kind)
        target.release()

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join(30)
