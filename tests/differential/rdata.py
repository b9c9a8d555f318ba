#!/usr/bin/python3
"""Rdata text, parsed back by dnspython, ldns, libzscanner and BIND, gives the same wire octets.

For every RR of every capture and for rdata_cases.py: each type is one test. A parser that does not
know a type has no verdict; what one gets wrong is in parsers.py, with the reason. Every other
disagreement fails, and so does a value that no parser confirmed. Cut rdata: every prefix of every
case must be either refused or come back as the same octets.

SPDX-License-Identifier: Apache-2.0
"""
import collections
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
from oracle import tap
import parsers
import rdata_cases

import dns.exception
import dns.message


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


def judge(rdtype, wire, text, wants_format):
    """None, or what is wrong with this text."""
    if text is None:
        return f"{wire.hex()}: no text"
    if wants_format and text.startswith("\\#"):
        return f"{wire.hex()}: generic: {text}"
    if not all(32 <= ord(c) < 127 for c in text):
        return f"{wire.hex()}: unprintable: {text!r}"
    found = parsers.verdicts(rdtype, wire, text)
    for parser, back in found:
        if back != wire:
            return f"{parser}: {wire.hex()}: {text}: {back.hex() if isinstance(back, bytes) else repr(back)}"
    if found or parsers.missing() or oracle.knot().text(rdtype, wire) == text:
        return None
    return f"{wire.hex()}: {text}: confirmed by no parser, and not as libknot writes it"


def check_set(what, cases, wants_format):
    rows = [(t, w) for t in sorted(cases) for w in sorted(cases[t])]
    texts = oracle.rdata_text(rows)
    wrong = collections.defaultdict(list)
    for (t, wire), text in zip(rows, texts):
        problem = judge(t, wire, text, wants_format)
        if problem:
            wrong[t].append(problem)
    for t in sorted(cases):
        tap.ok(not wrong[t], f"{what}: {parsers.type_name(t)}, {len(cases[t])} values", *wrong[t])


def check_cut(cases):
    """Every proper prefix of the first cases of each type, and one octet more than there should be."""
    for t in sorted(cases):
        rows = [(t, w[:n]) for w in cases[t][:6] for n in range(min(len(w), 80))]
        rows += [(t, w + b"\0") for w in cases[t][:6]]
        wrong = []
        for (_, wire), text in zip(rows, oracle.rdata_text(rows)):
            if text is None or text.startswith("\\#"):
                continue
            wrong += [p for p in [judge_cut(t, wire, text)] if p]
        tap.ok(not wrong, f"cut: {parsers.type_name(t)}, {len(rows)} values", *wrong)


def judge_cut(rdtype, wire, text):
    """A text that stands for octets that a parser brings back differently is wrong; no verdict is none."""
    if rdtype == 11:  # the text of WKS (RFC 1035 3.4.2) cannot tell how many zero octets end its map
        wire = wire[:5] + wire[5:].rstrip(b"\0")
    for parser, back in parsers.verdicts(rdtype, wire, text, without=("BIND",)):  # thousands of processes
        if isinstance(back, bytes) and back != wire:
            return f"{parser}: {wire.hex()}: {text}: {back.hex()}"
    return None


def main():
    for parser in parsers.missing():
        tap.lacks(f"verdicts of {parser}", parser)
    check_set("capture", from_captures(), False)
    check_set("generated", rdata_cases.CASES, True)
    check_cut(rdata_cases.CASES)
    listed = parsers.stale({t: oracle.rdata_text([(t, w) for w in cases]) for t, cases in rdata_cases.CASES.items()})
    tap.ok(not listed or not oracle.as_listed(), "parsers.py: everything listed there is still so", *listed)
    for t, wire, want, reference in rdata_cases.HAND:
        (text,) = oracle.rdata_text([(t, wire)])
        tap.ok(text == want, f"by hand: TYPE{t}, {reference}", f"got  {text}", f"want {want}")
    tap.done()


if __name__ == "__main__":
    main()
