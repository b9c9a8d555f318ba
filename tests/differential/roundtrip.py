#!/usr/bin/python3
"""Whatever arrives, what leaves is valid: JSON parses with Python and jq, is UTF-8, and is one line.

Frames: every capture; texts of every octet in identity, names, TXT and EDE; captured frames with octets changed,
cut and doubled by a fixed random sequence. Formats: all that are JSON; text, cef and passivedns must
be UTF-8 without control characters.

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import random
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
from oracle import fstrm, tap

JSON = ("json", "logstash", "logstash_cut", "ecs", "ocsf", "cof")
ONE_PER_FRAME = ("json", "logstash", "ecs", "ocsf", "cef", "text")
PLAIN = ("text", "cef", "passivedns")


def refuse(constant):
    raise ValueError(constant)


def pairs(rows):
    """No key twice in one object."""
    keys = [k for k, _ in rows]
    if len(keys) != len(set(keys)):
        raise ValueError(f"a key twice: {keys}")
    return dict(rows)


def json_faults(lines):
    out = []
    for n, line in enumerate(lines, 1):
        try:
            value = json.loads(line.decode("utf-8"), parse_constant=refuse, object_pairs_hook=pairs)
            if not isinstance(value, dict):
                raise ValueError("no object")
        except ValueError as error:
            out.append(f"line {n}: {error}: {line[:200]!r}")
    return out


def plain_faults(lines):
    out = []
    for n, line in enumerate(lines, 1):
        try:
            if any(ord(c) < 32 or ord(c) == 127 for c in line.decode("utf-8")):
                raise ValueError("control character")
        except ValueError as error:
            out.append(f"line {n}: {error}: {line[:200]!r}")
    return out


def jq_faults(lines):
    """jq reads as many values, and reads the same ones. Its numbers are doubles: objects without larger ones."""
    run = subprocess.run(["jq", "-c", "."], input=b"\n".join(lines), stdout=subprocess.PIPE)
    theirs = run.stdout.splitlines()
    if run.returncode or len(theirs) != len(lines):
        return [f"jq: exit {run.returncode}, {len(theirs)} values of {len(lines)}"]
    return [f"{a[:200]!r} is not {b[:200]!r}" for a, b in zip(lines, theirs)
            if not same(json.loads(a), json.loads(b))]


def same(ours, theirs):
    if isinstance(ours, dict):
        return list(ours) == list(theirs) and all(same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, int) and abs(ours) > 2**53:
        return float(ours) == float(theirs)
    return ours == theirs


# ---- frames -----------------------------------------------------------------------------------------


def frame(identity, message):
    body = fstrm.field(1, 6) + fstrm.field(4, b"\xc0\0\2\1") + fstrm.field(14, message)
    return fstrm.field(1, identity) + fstrm.field(3, identity[::-1]) + fstrm.field(14, body) + fstrm.field(15, 1)


def message(label, text):
    """Question, a TXT answer, an OPT with EDE: RFC 1035 4, RFC 8914 2."""
    name = bytes([len(label)]) + label + b"\0"
    answer = b"\xc0\x0c\0\x10\0\1\0\0\0\1" + struct.pack(">H", len(text) + 1) + bytes([len(text)]) + text
    ede = b"\0\x0f" + struct.pack(">H", len(text) + 2) + b"\0\0" + text
    opt = b"\0\0\x29\4\xd0\0\0\0\0" + struct.pack(">H", len(ede)) + ede
    return struct.pack(">6H", 1, 0x8180, 1, 1, 0, 1) + name + b"\0\x10\0\1" + answer + opt


def every_octet():
    out = []
    for octet in range(256):
        for around in (b"", b"a", b"\xe2\x82", b"\xf0\x9f\x98", b"\xc3"):
            text = around + bytes([octet]) + around[::-1]
            out.append(frame(text, message(text, text)))
    everything = bytes(range(256))
    out.append(frame(everything, message(everything[:63], everything[:255])))
    out.append(frame(everything[::-1], message(everything[-63:], everything[1:])))
    return out


def mutants(count):
    rng = random.Random(2302)
    sources = [p for path in oracle.captures() for p in oracle.frames(path)]
    out = []
    for _ in range(count):
        octet_list = bytearray(rng.choice(sources))
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            at = rng.randrange(len(octet_list))
            how = rng.random()
            if how < 0.7:
                octet_list[at] = rng.choice((0, 0xc0, 0xff, 34, 92, rng.randrange(256)))
            elif how < 0.85 and at:
                del octet_list[at:]
            else:
                octet_list[at:at] = octet_list[at:at + rng.randrange(64)]
        out.append(bytes(octet_list))
    return out


def check(what, count, render):
    for fmt in JSON + PLAIN:
        lines = render(fmt)
        faults = json_faults(lines) if fmt in JSON else plain_faults(lines)
        if fmt in ONE_PER_FRAME and len(lines) != count:
            faults.append(f"{len(lines)} lines of {count} frames")
        tap.ok(not faults, f"{what}: {fmt} is valid, {len(lines)} lines", *faults)
    if not shutil.which("jq"):
        tap.lacks(f"{what}: jq reads the same", "jq")
        return
    faults = jq_faults(render("json"))
    tap.ok(not faults, f"{what}: jq reads the same", *faults)


def main():
    for path in oracle.captures():
        check(os.path.basename(path), len(oracle.frames(path)), lambda fmt: oracle.render(fmt, path))
    for what, made in (("every octet", every_octet()), ("mutants", mutants(4000))):
        check(what, len(made), lambda fmt: oracle.render(fmt, payloads=made))
    tap.done()


if __name__ == "__main__":
    main()
