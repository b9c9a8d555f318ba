#!/usr/bin/python3
"""Rdata text, parsed back by dnspython and by ldns, gives the same wire octets.

For every RR of every capture and for rdata_cases.py: each type is one test. A parser that does not
know a type has no verdict; what one gets wrong is in GAPS, with the reason. Every other
disagreement fails, and so does a value that no parser confirmed. Cut rdata: every prefix of every
case must be either refused or come back as the same octets.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
import rdata_cases

oracle.require_dnspython()

import dns.message
import dns.rdata
import dns.rdataclass
import dns.rdatatype

IN = dns.rdataclass.IN

HIGH = re.compile(r"\\(1[3-9]\d|12[89]|2\d\d)")

# What a parser gets wrong, so that its verdict on it is not counted: (parser, types, is it one of those texts, why).
GAPS = [
    ("dnspython", {13, 35, 256, 257}, HIGH.search,
     "2.3 re-encodes octets above 127 in these types' strings as UTF-8"),
    ("dnspython", {64, 65}, re.compile("dohpath=|ohttp").search,
     "2.3 does not know keys 7 and 8 (RFC 9461 5, RFC 9540 4)"),
    ("ldns", {64, 65}, re.compile(r"\\\\").search,
     "1.8.3 does not undo the second level of escapes in alpn (RFC 9460 A.1, last vector of appendix D)"),
    ("ldns", {23}, None, "1.8.3 takes NSAP-PTR (RFC 1706 6: a name) for a character string"),
    ("dnspython", {20}, re.compile(' ""$').search, "2.3 drops an empty subaddress"),
]


def is_gap(parser, rdtype, text):
    return any(p == parser and rdtype in types and (not match or match(text))
               for p, types, match, _ in GAPS)


def known_to_dnspython(rdtype):
    cls = dns.rdata.get_rdata_class(IN, rdtype)
    return cls is not dns.rdata.GenericRdata


def by_dnspython(rdtype, text):
    shape = rdata_cases.SAME_SHAPE.get(rdtype)
    rdtype = dns.rdatatype.from_text(shape) if shape else rdtype
    if not known_to_dnspython(rdtype) and not text.startswith("\\#"):
        return None
    return dns.rdata.from_text(IN, rdtype, text).to_wire()


def by_ldns(ldns, rdtype, text):
    return ldns.rdata(type_name(rdtype), text) if ldns else None


def type_name(rdtype):
    return {32768: "TA", 57: "RKEY", 58: "TALINK"}.get(rdtype) or dns.rdatatype.to_text(rdtype)


def from_captures():
    """{type: set of uncompressed wire rdata} of what dnspython can read."""
    out = collections.defaultdict(set)
    for path in oracle.captures():
        for payload in oracle.frames(path):
            tap = oracle.dnstap(payload)
            for key in ("query_message", "response_message"):
                collect(tap.get(key, b""), out)
    return out


def collect(wire, out):
    try:
        message = dns.message.from_wire(wire, ignore_trailing=True, one_rr_per_rrset=True,
                                        continue_on_error=True)
    except (dns.exception.DNSException, ValueError):
        return
    for section in message.sections[1:]:
        for rrset in section:
            for rdata in rrset:
                out[int(rrset.rdtype)].add(rdata.to_wire())


def verdicts(ldns, rdtype, wire, text):
    """[(parser, wire or exception)] of those that have an opinion."""
    out = []
    for parser, call in (("dnspython", lambda: by_dnspython(rdtype, text)),
                         ("ldns", lambda: by_ldns(ldns, rdtype, text))):
        if is_gap(parser, rdtype, text):
            continue
        try:
            back = call()
        except Exception as error:  # any refusal of a parser is a verdict
            out.append((parser, error))
            continue
        if back is not None:
            out.append((parser, back))
    return out


def judge(ldns, rdtype, wire, text, wants_format):
    """None, or what is wrong with this text."""
    if text is None:
        return f"{wire.hex()}: no text"
    if wants_format and text.startswith("\\#"):
        return f"{wire.hex()}: generic: {text}"
    if not all(32 <= ord(c) < 127 for c in text):
        return f"{wire.hex()}: unprintable: {text!r}"
    found = verdicts(ldns, rdtype, wire, text)
    for parser, back in found:
        if back != wire:
            return f"{parser}: {wire.hex()}: {text}: {back.hex() if isinstance(back, bytes) else repr(back)}"
    return None if found else f"{wire.hex()}: {text}: confirmed by no parser"


def check_set(tap, ldns, what, cases, wants_format):
    rows = [(t, w) for t in sorted(cases) for w in sorted(cases[t])]
    texts = oracle.rdata_text(rows)
    wrong = collections.defaultdict(list)
    for (t, wire), text in zip(rows, texts):
        problem = judge(ldns, t, wire, text, wants_format)
        if problem:
            wrong[t].append(problem)
    for t in sorted(cases):
        tap.ok(not wrong[t], f"{what}: {type_name(t)}, {len(cases[t])} values", *wrong[t])


def check_cut(tap, ldns, cases):
    """Every proper prefix of the first cases of each type, and one octet more than there should be."""
    for t in sorted(cases):
        rows = [(t, w[:n]) for w in cases[t][:6] for n in range(min(len(w), 80))]
        rows += [(t, w + b"\0") for w in cases[t][:6]]
        wrong = []
        for (_, wire), text in zip(rows, oracle.rdata_text(rows)):
            if text is None or text.startswith("\\#"):
                continue
            wrong += [p for p in [judge_cut(ldns, t, wire, text)] if p]
        tap.ok(not wrong, f"cut: {type_name(t)}, {len(rows)} values", *wrong)


def judge_cut(ldns, rdtype, wire, text):
    """A text that stands for octets that a parser brings back differently is wrong; no verdict is none."""
    if rdtype == 11:  # the text of WKS (RFC 1035 3.4.2) cannot tell how many zero octets end its map
        wire = wire[:5] + wire[5:].rstrip(b"\0")
    for parser, back in verdicts(ldns, rdtype, wire, text):
        if isinstance(back, bytes) and back != wire:
            return f"{parser}: {wire.hex()}: {text}: {back.hex()}"
    return None


def main():
    tap = oracle.Tap()
    ldns = oracle.ldns()
    if not ldns:
        tap.skip_all("libldns.so.3 (package libldns3) is not installed")
    check_set(tap, ldns, "capture", from_captures(), False)
    check_set(tap, ldns, "generated", rdata_cases.CASES, True)
    check_cut(tap, ldns, rdata_cases.CASES)
    for t, wire, want, reference in rdata_cases.HAND:
        (text,) = oracle.rdata_text([(t, wire)])
        tap.ok(text == want, f"by hand: TYPE{t}, {reference}", f"got  {text}", f"want {want}")
    tap.done()


if __name__ == "__main__":
    main()
