"""Rdata text back to octets by independent parsers: dnspython, ldns, libzscanner (the one of Knot DNS), BIND's.

What a parser does not know is in UNKNOWN, what it gets wrong in GAPS with the reason. Nothing else is forgiven,
and stale() names what is listed there and no longer so.

SPDX-License-Identifier: Apache-2.0
"""
import re

import oracle

oracle.require_dnspython()

import dns.rdata
import dns.rdataclass
import dns.rdatatype

IN = dns.rdataclass.IN
HIGH = re.compile(r"\\(1[3-9]\d|12[89]|2\d\d)")
SPELT = {32768: "TA", 57: "RKEY", 58: "TALINK"}  # dnspython 2.3 has no name for these

# Types without a text form in that parser ...
UNKNOWN = {
    "dnspython": {3, 4, 7, 8, 9, 14, 24, 25, 57, 58, 67, 68, 261, 262, 263, 32768},
    "ldns": {56, 57, 67, 68, 250, 258, 260, 261, 262, 263, 32768},
    "libzscanner": {3, 4, 7, 8, 9, 11, 19, 20, 22, 23, 24, 26, 27, 55, 56, 57, 58, 67, 68, 250, 258, 260, 261, 262,
                    263, 32768, 32769},
    "BIND": set(),
}
# BIND's is a process for every text: it is asked for what no other one knows.
ASK_BIND = {30, 31, 32, 34, 38, 40, 66, 67, 259}
UNKNOWN["dnspython"] |= {30, 31, 32, 34, 38, 40, 66, 259}
UNKNOWN["ldns"] |= {30, 38, 40, 66, 259}
UNKNOWN["libzscanner"] |= {30, 31, 32, 34, 38, 40, 66, 259}
# ... and the type whose rdata has the same shape, which is parsed in its place if the parser knows that one.
SAME_SHAPE = {3: "NS", 4: "NS", 7: "NS", 8: "NS", 9: "NS", 14: "RP", 19: "TXT", 20: "TXT", 23: "NS", 24: "RRSIG",
              25: "DNSKEY", 27: "TXT", 56: "TXT", 57: "DNSKEY", 58: "RP", 67: "OPENPGPKEY", 68: "OPENPGPKEY",
              258: "TXT", 261: "TXT", 262: "TXT", 263: "TXT", 32768: "DS", 32769: "DS"}


class Gap(oracle.Listed):
    """Texts (all of these types, or those that match) that a parser may get wrong."""

    def __init__(self, parser, types, match, why, since=None):
        super().__init__(why, since)
        self.parser, self.types, self.match = parser, types, match

    def covers(self, parser, rdtype, text):
        return parser == self.parser and rdtype in self.types and (not self.match or self.match.search(text))


GAPS = [
    Gap("dnspython", {13, 35, 256, 257}, HIGH, "2.3 re-encodes octets above 127 in these types' strings as UTF-8"),
    Gap("dnspython", {64, 65}, re.compile("dohpath=|ohttp"), "2.3 does not know keys 7 and 8 (RFC 9461 5, RFC 9540 4)"),
    Gap("dnspython", {20}, re.compile(' ""$'), "2.3 drops an empty subaddress"),
    Gap("dnspython", {250}, re.compile(r"^\S+ \d+ \d+ 0 "), "2.3 wants octets of a MAC of length 0"),
    Gap("ldns", {64, 65}, re.compile(r"\\\\"),
        "1.8.3 does not undo the second level of escapes in alpn (RFC 9460 A.1, last vector of appendix D)"),
    Gap("ldns", {23}, None, "1.8.3 takes NSAP-PTR (RFC 1706 6: a name) for a character string"),
    Gap("ldns", {34}, None, "1.8.3 takes ATMA for octets in hex, without its format"),
    Gap("ldns", {37}, re.compile("^0 "), "1.8.3 refuses certificate type 0 (reserved in RFC 4398 2.1, still a number)"),
    Gap("ldns", {27}, None, "takes the quotes of GPOS for part of it", since="1.9"),
    Gap("ldns", {62}, re.compile(r"^\d+ \d+$"), "1.8.3 refuses an empty type bit map"),
    Gap("libzscanner", {47, 50}, re.compile(r"\b(MD|DLV)\b"), "3.2.6 has no name for some types in bit maps"),
    Gap("libzscanner", {64, 65}, re.compile("dohpath=|ohttp"), "3.2.6 does not know keys 7 and 8"),
]


def by_dnspython(name, text):
    return dns.rdata.from_text(IN, dns.rdatatype.from_text(name), text).to_wire()


PARSERS = {"dnspython": by_dnspython}
if oracle.ldns():
    PARSERS["ldns"] = oracle.ldns().rdata
if oracle.knot():
    PARSERS["libzscanner"] = oracle.knot().rdata
if oracle.bind():
    PARSERS["BIND"] = oracle.bind().rdata


def missing():
    return sorted(set(UNKNOWN) - set(PARSERS))


def type_name(rdtype):
    return SPELT.get(rdtype) or dns.rdatatype.to_text(rdtype)


def parse(parser, rdtype, text):
    """The octets, the parser's complaint, or None if it has no opinion."""
    name = type_name(rdtype)
    if parser == "BIND" and rdtype not in ASK_BIND:
        return None
    if rdtype in UNKNOWN[parser] and not text.startswith("\\#"):
        name = SAME_SHAPE.get(rdtype)
        if not name or dns.rdatatype.from_text(name) in UNKNOWN[parser]:
            return None
    try:
        return PARSERS[parser](name, text)
    except Exception as error:  # any refusal is a verdict
        return error


def verdicts(rdtype, wire, text, without=()):
    """[(parser, octets or complaint)] of those that have an opinion on a text that should stand for `wire`."""
    out = []
    for parser in PARSERS:
        if parser in without:
            continue
        back = parse(parser, rdtype, text)
        if back is None:
            continue
        gap = next((g for g in GAPS if back != wire and g.covers(parser, rdtype, text)), None)
        if gap:
            gap.seen = True
        else:
            out.append((parser, back))
    return out


def knows(parser, rdtype, text):
    """Does it parse this text as the type that it is?"""
    try:
        return PARSERS[parser](type_name(rdtype), text) is not None
    except Exception:  # any refusal
        return False


def stale(texts):
    """Entries of GAPS and UNKNOWN that no longer hold, after all verdicts; texts: {type: [text, ...]}."""
    out = [f"no difference seen: {g.parser}, types {sorted(g.types)}: {g.why}"
           for g in GAPS if g.parser in PARSERS and not g.seen and not g.since]
    for parser in PARSERS:
        out += [f"{parser} knows {type_name(t)}: {text}" for t in sorted(UNKNOWN[parser])
                for text in texts[t] if knows(parser, t, text)]
    return out
