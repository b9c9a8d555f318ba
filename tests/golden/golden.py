#!/usr/bin/python3
"""Golden tests: annotated frames in, exact text of each format out.

    golden.py                           compare (what make check runs); TAP
    golden.py --regenerate              write the expected files again; review the diff
    golden.py --import FILE N NAME      make NAME.in of frame N (from 1) of a Frame Streams file

NAME.in: a dnstap payload in hexadecimal, `#` begins a comment; NAME.FORMAT: the lines of that format
(VERSION stands for the package's). Both directions of
what the event promises are here: a frame that has a field and one that does not.

SPDX-License-Identifier: Apache-2.0
"""
import os
import re
import sys

SRC = os.environ.setdefault("abs_top_srcdir", os.path.dirname(os.path.dirname(
    os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(SRC, "tests", "differential"))

import oracle
from oracle import fstrm, tap

HERE = os.path.join(SRC, "tests", "golden")
FORMATS = ("json", "text", "logstash", "logstash_cut", "ecs", "ocsf", "cef", "passivedns", "cof")
# The package's version in the formats that name it.
VERSIONS = {"cef": rb"(?<=\|mmdnstapparse\|)[^|]*",
            "ocsf": rb'(?<="vendor_name":"rsyslog","version":")[^"]*'}


def cases():
    return sorted(f[:-3] for f in os.listdir(HERE) if f.endswith(".in"))


def payload(case):
    with open(os.path.join(HERE, case + ".in"), encoding="utf-8") as lines:
        return bytes.fromhex("".join(line.split("#")[0] for line in lines))


def rendered(case, fmt):
    text = b"".join(line + b"\n" for line in oracle.render(fmt, payloads=[payload(case)]))
    return re.sub(VERSIONS[fmt], b"VERSION", text) if fmt in VERSIONS else text


def expected(case, fmt):
    with open(os.path.join(HERE, f"{case}.{fmt}"), "rb") as file:
        return file.read()


def compare():
    for case in cases():
        for fmt in FORMATS:
            got, want = rendered(case, fmt), expected(case, fmt)
            tap.ok(got == want, f"{case}: {fmt}", f"got  {got.decode()}", f"want {want.decode()}")
    tap.done()


def regenerate():
    for case in cases():
        for fmt in FORMATS:
            with open(os.path.join(HERE, f"{case}.{fmt}"), "wb") as file:
                file.write(rendered(case, fmt))


# ---- --import ---------------------------------------------------------------------------------------


def annotated(data, names, depth):
    pad = "  " * depth
    for head, field, value, _ in fstrm.items(data):
        name = names.get(field, {15: "dnstap type"}.get(field, f"field {field}"))
        yield f"{pad}{head.hex()}  # {name}"
        if name == "message":
            yield from annotated(value, oracle.MESSAGE, depth + 1)
        else:
            for at in range(0, len(value), 32):
                yield f"{pad}  {value[at:at + 32].hex()}"


def import_frame(path, number, case):
    frame = oracle.frames(path)[int(number) - 1]
    with open(os.path.join(HERE, case + ".in"), "w", encoding="utf-8") as file:
        file.write(f"# Frame {number} of {os.path.basename(path)}.\n")
        file.writelines(line + "\n" for line in annotated(frame, oracle.TOP, 0))


if __name__ == "__main__":
    if sys.argv[1:] == ["--regenerate"]:
        regenerate()
    elif len(sys.argv) == 5 and sys.argv[1] == "--import":
        import_frame(*sys.argv[2:])
    else:
        compare()
