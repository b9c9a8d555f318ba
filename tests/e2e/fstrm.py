# SPDX-License-Identifier: Apache-2.0
"""Frame Streams and as much of dnstap as the tests need, independent of the code under test.

Protocol: fstrm/control.h of farsightsec/fstrm; schema: dnstap.proto.
"""
import lzma
import os
import socket
import struct
import time

CONTENT_TYPE = b"protobuf:dnstap.Dnstap"
# What makes a daemon slow (valgrind, a sanitizer) makes every deadline this much longer.
PATIENCE = float(os.environ.get("E2E_PATIENCE", "1"))

ACCEPT, START, STOP, READY, FINISH = 1, 2, 3, 4, 5

TYPES = ["", "AUTH_QUERY", "AUTH_RESPONSE", "RESOLVER_QUERY", "RESOLVER_RESPONSE", "CLIENT_QUERY",
         "CLIENT_RESPONSE", "FORWARDER_QUERY", "FORWARDER_RESPONSE", "STUB_QUERY", "STUB_RESPONSE",
         "TOOL_QUERY", "TOOL_RESPONSE", "UPDATE_QUERY", "UPDATE_RESPONSE"]


def control(kind, *content_types):
    """A control frame with its escape and length."""
    body = struct.pack(">I", kind)
    for value in content_types:
        body += struct.pack(">II", 1, len(value)) + value
    return struct.pack(">II", 0, len(body)) + body


def data(payload):
    return struct.pack(">I", len(payload)) + payload


def stream(frames):
    """A whole unidirectional stream, which is also what a file holds."""
    return control(START, CONTENT_TYPE) + b"".join(map(data, frames)) + control(STOP)


def parse_stream(octets):
    """Data frames of a stream. A cut last frame is left out, as a live file may end so."""
    frames, at = [], 0
    while at + 4 <= len(octets):
        size, = struct.unpack_from(">I", octets, at)
        at += 4
        if size == 0:
            if at + 4 > len(octets):
                break
            size, = struct.unpack_from(">I", octets, at)
            at += 4 + size
            continue
        if at + size > len(octets):
            break
        frames.append(octets[at:at + size])
        at += size
    return frames


def read_frames(path):
    with (lzma.open if path.endswith(".xz") else open)(path, "rb") as file:
        return parse_stream(file.read())


def varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """One protobuf field: bytes are length-delimited, numbers are varints."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def take_varint(octets, at):
    """(value, where it ends)"""
    value = shift = 0
    while True:
        octet = octets[at]
        at += 1
        value |= (octet & 0x7F) << shift
        shift += 7
        if octet < 0x80:
            return value, at


def items(octets):
    """Yields (octets of key and length, field number, octets of the value, value) of a protobuf message."""
    at = 0
    while at < len(octets):
        start = at
        key, at = take_varint(octets, at)
        wire = key & 7
        if wire == 0:
            value, end = take_varint(octets, at)
        elif wire == 2:
            size, at = take_varint(octets, at)
            end = at + size
            value = octets[at:end]
        elif wire in (1, 5):
            end = at + (4 if wire == 5 else 8)
            value = int.from_bytes(octets[at:end], "little")
        else:
            raise ValueError(f"wire type {wire}")
        yield octets[start:at], key >> 3, octets[at:end], value
        at = end


def fields(octets):
    """Yields (number, value) of a protobuf message."""
    return ((number, value) for _, number, _, value in items(octets))


def message_of(payload):
    return dict(fields(dict(fields(payload))[14]))


def type_of(payload):
    return TYPES[message_of(payload)[1]]


def dns_query(qid, name="www.example.com", qtype=1, flags=0x0100):
    """A DNS message with one question (RFC 1035 4.1)."""
    wire = b"".join(bytes([len(p)]) + p for p in name.encode().split(b".")) + b"\0"
    return struct.pack(">HHHHHH", qid, flags, 1, 0, 0, 0) + wire + struct.pack(">HH", qtype, 1)


def payload(kind="CLIENT_QUERY", qid=1, identity=b"ns1", port=5353, address=b"\x7f\0\0\1",
            seconds=1700000000, name="www.example.com", extra=None, version=b"e2e 1"):
    """A dnstap payload of our own making."""
    number = TYPES.index(kind)
    response = number % 2 == 0
    message = field(1, number) + field(2, 1) + field(3, 1) + field(4, address)
    message += field(6, port) + field(7, 53)
    if response:
        message += field(12, seconds) + varint(13 << 3 | 5) + struct.pack("<I", 5)
        message += field(14, dns_query(qid, name, flags=0x8180))
    else:
        message += field(8, seconds) + varint(9 << 3 | 5) + struct.pack("<I", 5)
        message += field(10, dns_query(qid, name))
    out = b""
    if identity is not None:
        out += field(1, identity)
    if version is not None:
        out += field(2, version)
    if extra is not None:
        out += field(3, extra)
    return out + field(14, message) + field(15, 1)


class Client:
    """A producer's side of one connection.

    address: a unix path, or (host, port); or an accepted socket for dial-out tests.
    """

    def __init__(self, address, deadline=10, tls=None, server_name=None):
        self.deadline = deadline = deadline * PATIENCE
        if isinstance(address, socket.socket):
            self.socket = address
        elif isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(deadline)
            self.socket.connect(address)
        else:
            self.socket = socket.create_connection(address, timeout=deadline)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(deadline)
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_hostname=server_name)
        self.buffer = b""

    def send(self, octets):
        self.socket.sendall(octets)
        return self

    def receive_control(self):
        """Returns (type, [content types]) of the next control frame."""
        head = self._exactly(8)
        escape, size = struct.unpack(">II", head)
        assert escape == 0 and 4 <= size <= 512, f"no control frame: {head!r}"
        body = self._exactly(size)
        kind, = struct.unpack_from(">I", body)
        types, at = [], 4
        while at < size:
            _, length = struct.unpack_from(">II", body, at)
            types.append(body[at + 8:at + 8 + length])
            at += 8 + length
        return kind, types

    def _exactly(self, count):
        while len(self.buffer) < count:
            got = self.socket.recv(65536)
            if not got:
                raise EOFError(f"connection closed after {self.buffer!r}")
            self.buffer += got
        out, self.buffer = self.buffer[:count], self.buffer[count:]
        return out

    def ready(self, *types):
        """READY, ACCEPT, START: the whole handshake."""
        self.send(control(READY, *(types or (CONTENT_TYPE,))))
        kind, accepted = self.receive_control()
        assert kind == ACCEPT and CONTENT_TYPE in accepted, (kind, accepted)
        return self.send(control(START, CONTENT_TYPE))

    def start(self):
        """The unidirectional beginning."""
        return self.send(control(START, CONTENT_TYPE))

    def frames(self, frames):
        return self.send(b"".join(map(data, frames)))

    def finish(self):
        """STOP, and FINISH from the other side."""
        self.send(control(STOP))
        kind, _ = self.receive_control()
        assert kind == FINISH, kind
        self.close()

    def stop_uni(self):
        self.send(control(STOP))
        self.close()

    def wait_closed(self):
        """Reads until the other side has closed; how long is bounded by the deadline."""
        end = time.monotonic() + self.deadline
        try:
            while time.monotonic() < end:
                if not self.socket.recv(65536):
                    return
        except (ConnectionError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            return
        raise TimeoutError("the connection stayed open")

    def close(self):
        self.socket.close()

    stop = close


def deliver(address, frames, bidirectional=True):
    """One whole session. The deadline is that of a crowded, sanitised machine."""
    client = Client(address, deadline=60)
    if bidirectional:
        client.ready().frames(frames).finish()
    else:
        client.start().frames(frames).stop_uni()
