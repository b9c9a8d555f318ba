#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Seeds for the fuzz targets out of the captures: make_seeds.py CAPTURES-DIR OUT-DIR

OUT-DIR/frame: the beginning of every stream, in both framings; OUT-DIR/dnstap and OUT-DIR/fmt: payloads; OUT-DIR/dns:
DNS messages; OUT-DIR/envelope: message bodies. At most one of a kind and size class is taken.
"""
import base64
import os
import struct
import sys


def frames(octets):
    """The payloads of a Frame Streams file."""
    at = 0
    while at + 4 <= len(octets):
        (size,) = struct.unpack_from(">I", octets, at)
        at += 4
        if size == 0:
            (size,) = struct.unpack_from(">I", octets, at)
            at += 4 + size
        elif at + size <= len(octets):
            yield octets[at : at + size]
            at += size
        else:
            return


def fields(octets):
    """(number, value) of a protobuf message; values of bytes fields only."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            octet = octets[at]
            at += 1
            value |= (octet & 127) << shift
            shift += 7
            if octet < 128:
                return value

    while at < len(octets):
        key = varint()
        if key & 7 == 0:
            varint()
        elif key & 7 == 5:
            at += 4
        else:
            size = varint()
            yield key >> 3, octets[at : at + size]
            at += size


def put(out, kind, name, octets):
    os.makedirs(os.path.join(out, kind), exist_ok=True)
    with open(os.path.join(out, kind, name), "wb") as file:
        file.write(octets)


def main(captures, out):
    for capture in sorted(os.listdir(captures)):
        if not capture.endswith(".fstrm"):
            continue
        name = capture[: -len(".fstrm")]
        with open(os.path.join(captures, capture), "rb") as file:
            octets = file.read()
        put(out, "frame", name, b"\x0e" + octets[:2000])
        seen = set()
        length16 = b"\x01"
        for payload in frames(octets):
            if len(payload) < 250 and len(length16) < 2000:
                length16 += struct.pack(">H", len(payload)) + payload
            size_class = len(payload) // 64
            if size_class in seen or len(payload) > 4096:
                continue
            seen.add(size_class)
            label = "%s-%d" % (name, size_class)
            run = struct.pack(">I", len(payload)) + payload
            put(out, "dnstap", label, payload)
            put(out, "fmt", label, payload)
            put(out, "envelope", label, b"dnstap1 b peer=192.0.2.1|" + base64.b64encode(run))
            for field, message in fields(payload):
                if field != 14:
                    continue
                for number, value in fields(message):
                    if number in (10, 14):
                        put(out, "dns", "%s-%d" % (label, number), value)
        put(out, "frame", name + "-length16", length16)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
