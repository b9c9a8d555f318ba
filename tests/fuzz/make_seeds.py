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

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import fstrm  # noqa: E402


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
        for payload in fstrm.parse_stream(octets):
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
            for field, message in fstrm.fields(payload):
                if field != 14:
                    continue
                for number, value in fstrm.fields(message):
                    if number in (10, 14):
                        put(out, "dns", "%s-%d" % (label, number), value)
        put(out, "frame", name + "-length16", length16)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
