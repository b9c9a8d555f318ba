#!/usr/bin/python3
"""The class: rdata of every type in classes other than IN, and of UPDATE, as dnspython reads it in a message.

Every value of rdata_cases.py, each also without its last octet, goes through dnstap_render as an answer of each of
CLASSES. A type that dnspython has for class IN alone must be shown as RFC 3597 octets without a fault (RFC 3597 2);
every other one as in class IN. Where dnspython has a format, it must read our text back to the same octets.
UPDATE: RRs of class ANY and NONE in each section, for zones of two classes (RFC 2136 2.4, 2.5).

SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
from oracle import fstrm, tap

oracle.require_dnspython()

import dns.exception
import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype

import rdata_cases

IN, CH, NONE, ANY = 1, 3, 254, 255
CLASSES = (2, CH, 4, 5, 1232, NONE, ANY, 65280)
KNOWN = {
    35: oracle.Listed("NAPTR: dnspython has it for class IN alone, BIND for every class"),
    45: oracle.Listed("IPSECKEY: dnspython has it for class IN alone; it is class independent (RFC 4025 2)"),
}
SECTIONS = ("answers", "authorities", "additionals")


def event_of(wire):
    payload = fstrm.field(14, fstrm.field(1, 6) + fstrm.field(14, wire)) + fstrm.field(15, 1)
    (line,) = oracle.render("json", payloads=[payload])
    return json.loads(line)


def rr(rdtype, rdclass, rdata):
    return b"\0" + struct.pack(">HHIH", rdtype, rdclass, 0, len(rdata)) + rdata


def answers_of(rdtype, rdclass, values):
    """The rows of a response with these values, and its event."""
    wire = struct.pack(">6H", 1, 0x8000, 0, len(values), 0, 0)
    event = event_of(wire + b"".join(rr(rdtype, rdclass, value) for value in values))
    rows = event["dns"]["answers"]
    assert len(rows) == len(values), event
    return rows, event


def has_format(rdclass, rdtype):
    return dns.rdata.get_rdata_class(rdclass, rdtype) is not dns.rdata.GenericRdata


def octets(value):
    return f"\\# {len(value)} {value.hex().upper()}".rstrip()


def read_back(rdclass, rdtype, text):
    try:
        return dns.rdata.from_text(rdclass, rdtype, text).to_wire()
    except (dns.exception.DNSException, ValueError) as error:
        return repr(error)


def check_type(rdtype, values):
    """One type in all classes."""
    values = values + [value[:-1] for value in values if value]
    in_rows, in_event = answers_of(rdtype, IN, values)
    wrong = []
    for rdclass in CLASSES:
        rows, event = answers_of(rdtype, rdclass, values)
        own = rdclass == CH and rdtype == 1  # Chaosnet's A, which the next function has
        in_only = has_format(IN, rdtype) and not has_format(rdclass, rdtype)
        if in_only and rdtype in KNOWN and KNOWN[rdtype].here():
            in_only = False
        if in_only:
            got, want = [row["data"] for row in rows], [octets(value) for value in values]
            if "error" in event:
                wrong.append(f"class {rdclass}: {event['error']}")
            wrong += [f"class {rdclass}: got {g}, want {w}" for g, w in zip(got, want) if g != w]
            wrong += [f"class {rdclass}: {g}" for g, value in zip(got, values)
                      if read_back(rdclass, rdtype, g) != value]
        elif not own:
            wrong += [f"class {rdclass}: got {row['data']}, IN {in_row['data']}"
                      for row, in_row in zip(rows, in_rows) if row["data"] != in_row["data"]]
            if event.get("error") != in_event.get("error"):
                wrong.append(f"class {rdclass}: {event.get('error')}, IN {in_event.get('error')}")
    tap.ok(not wrong, f"TYPE{rdtype} in {len(CLASSES)} classes, {len(values)} values", *wrong[:20])


def check_chaosnet():
    values = [b"\0\0\0", b"\1a\0\1\x7f", b"\3abc\2de\0\xff\xff"]
    rows, event = answers_of(1, CH, values)
    wrong = [f"{row['data']}: {back!r}, want {value!r}" for row, value in zip(rows, values)
             for back in [read_back(CH, 1, row["data"])] if back != value]
    tap.ok(not wrong and "error" not in event, "A of Chaosnet, back by dnspython", *wrong, event.get("error"))


# ---- UPDATE -----------------------------------------------------------------------------------------


def update_of(zone_class, section, rdtype, rdclass, value):
    counts = [0, 0, 0]
    counts[section] = 1
    return (struct.pack(">6H", 1, 0x2800, 1, *counts) + b"\1z\0" + struct.pack(">HH", 6, zone_class)
            + rr(rdtype, rdclass, value))


def update_differs(zone_class, section, rdtype, rdclass, value):
    what = f"zone of class {zone_class}, {SECTIONS[section]}, TYPE{rdtype}, class {rdclass}, {value.hex()}"
    wire = update_of(zone_class, section, rdtype, rdclass, value)
    event = event_of(wire)
    (row,) = event["dns"][SECTIONS[section]]
    try:
        (rrset,) = dns.message.from_wire(wire, one_rr_per_rrset=True).sections[section + 1]
    except (dns.exception.DNSException, ValueError) as error:
        return [] if "error" in event and row["data"] == octets(value) else [f"{what}: {row}, dnspython {error!r}"]
    if "error" in event:
        return [f"{what}: {event['error']}"]
    if not rrset:
        return [] if row["data"] == "" else [f"{what}: {row}, want no rdata"]
    back = read_back(rrset.rdclass, rrset.rdtype, row["data"])
    return [] if back == value else [f"{what}: {row}, back {back!r}"]


def check_update():
    # TXT without a string, which RFC 1035 3.3.14 does not allow, is none to dnspython: not among them.
    values = [(1, b"\1\2\3\4"), (1, b"\1\2\3"), (1, b""), (1, b"\1a\0\0\7"), (28, bytes(16)), (16, b"\1a"),
              (33, b"\0\1\0\2\0\3\0"), (42, b""), (6, b"")]
    for zone_class in (IN, CH):
        for rdclass in (zone_class, ANY, NONE):
            wrong = [why for section in (0, 1) for rdtype, value in values
                     for why in update_differs(zone_class, section, rdtype, rdclass, value)]
            tap.ok(not wrong, f"UPDATE of a zone of class {zone_class}: RRs of class {rdclass}", *wrong)


def main():
    for rdtype, values in sorted(rdata_cases.CASES.items()):
        check_type(rdtype, [value for value in values if len(value) < 8000])
    check_chaosnet()
    check_update()
    stale = [entry.why for entry in KNOWN.values() if not entry.seen]
    tap.ok(not stale or not oracle.as_listed(), "everything listed as a difference is still one", *stale)
    tap.done()


if __name__ == "__main__":
    main()
