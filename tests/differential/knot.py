#!/usr/bin/python3
"""Our messages and rdata text against Knot DNS: libknot (the lists below are for 3.2) and libzscanner.

Every message of every capture: header, question, RRs and EDNS as libknot reads them; the text of every RR, read back
by those of parsers.py that know the type, gives the octets that libknot took out of the message. Every RR, and every
value of rdata_cases.py: our text is the text that libknot writes, but for TEXTS below. Messages of 64 KiB are whole.
What differs is listed here with its reason; an entry that nothing needs any more fails the last test.

SPDX-License-Identifier: Apache-2.0
"""
import base64
import itertools
import json
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
from oracle import fstrm, tap
import parsers
import rdata_cases

import dns.name


class Text(oracle.Listed):
    """How our text becomes theirs: change(text), None where there is nothing to compare with."""

    def __init__(self, why, types, change):
        super().__init__(why)
        self.types, self.change = types, change


def sub(pattern, replacement):
    return lambda text: re.sub(pattern, replacement, text)


CERTIFICATES = {"PKIX": "1", "PGP": "3", "IPGP": "6", "URI": "253", "OID": "254"}

# Types that libknot 3.2 writes as RFC 3597 octets.
GENERIC = {3, 4, 7, 8, 9, 11, 19, 20, 22, 23, 24, 26, 27, 30, 31, 32, 34, 38, 40, 55, 56, 57, 58, 66,
           67, 68, 258, 259, 260, 261, 262, 263, 32768, 32769}
# Types that have no name in its bit maps.
NAMELESS = {"MD": 3, "MF": 4, "MB": 7, "MG": 8, "MR": 9, "WKS": 11, "X25": 19, "ISDN": 20, "NSAP": 22, "PX": 26,
            "GPOS": 27, "NXT": 30, "EID": 31, "NIMLOC": 32, "ATMA": 34, "A6": 38, "SINK": 40, "HIP": 55, "DLV": 32769}


def loc(text):
    """Seconds without zeros at their end, two blanks between the parts."""
    text = re.sub(r"(\d+)\.(\d*?)0*(?= [NSEW])", lambda m: m[1] + ("." + m[2] if m[2] else ""), text)
    return re.sub(r"^(.*[NS]) (.*[EW]) (\S+) ", r"\1  \2  \3  ", text)


def not_late(text):
    return None if re.search(r" (20(3[89]|[4-9]\d)|2[1-9]\d\d)\d{10} ", text) else text


def bad_time(match):
    return "BADTIME 6 " + str(int.from_bytes(base64.b64decode(match[1]), "big"))


def old_keys(text):
    return re.sub(r"\bohttp\b", "key8", text.replace(" dohpath=", " key7="))


# Our text to libknot's, where its text is another one for the same octets. None: nothing to compare with.
TEXTS = [
    Text("LOC: blanks, and zeros of seconds (free in RFC 1876 3)", {29}, loc),
    Text("CERT: the type as a number (both in RFC 4398 2.2)", {37},
         sub(r"^[A-Z]+", lambda m: CERTIFICATES[m[0]])),
    Text("RRSIG: times of 2^31 and more are taken as before 1970 (RFC 4034 3.1.5: relative to now)", {46}, not_late),
    Text("NSEC, NSEC3: types without a name there", {47, 50},
         sub(rf" ({'|'.join(NAMELESS)})\b", lambda m: f" TYPE{NAMELESS[m[1]]}")),
    Text("NSEC3: base32hex in lower case (free in RFC 4648 7)", {50},
         sub(r"^(\d+ \d+ \d+ \S+ )(\S+)", lambda m: m[1] + m[2].lower())),
    Text("NSEC, NSEC3, CSYNC: a blank before an empty bit map", {47, 50, 62},
         sub(r"^(\S+|\d+ \d+ \d+ \S+ \S+|\d+ \d+)$", r"\1 ")),
    Text("SVCB: alpn without quotes (both in RFC 9460 2.1)", {64, 65}, sub(r'alpn="(\S*?)"', r"alpn=\1")),
    Text("SVCB: 3.2 does not know keys 7 and 8", {64, 65}, old_keys),
    Text("NID, L64, EUI48, EUI64: upper case (free in RFC 6742 2.1.2, RFC 7043 3.2)", {104, 106, 108, 109}, str.upper),
    Text("TSIG: the clock of BADTIME in decimal (no text form in RFC 8945)", {250}, sub(r"BADTIME 6 (\S+)", bad_time)),
    Text("URI, CAA: a blank at the end", {256, 257}, lambda text: text + " "),
]


def text_differs(rdtype, wire, text):
    """[what is wrong] with our text, compared with libknot's."""
    theirs = oracle.knot().text(rdtype, wire)
    if rdtype in GENERIC and theirs.startswith("\\#"):
        return []
    if rdtype in GENERIC and oracle.as_listed():
        return [f"libknot has a format for TYPE{rdtype}: {theirs}"]
    entries = [entry for entry in TEXTS if rdtype in entry.types]
    want = as_libknot(entries, text, theirs)
    if want in (None, theirs):
        return []
    # A newer one may need only some of the changes.
    some = [s for n in range(len(entries)) for s in itertools.combinations(entries, n) if not oracle.as_listed()]
    if any(as_libknot(s, text, theirs) == theirs for s in some):
        return []
    return [f"TYPE{rdtype} {wire.hex()}: {want}, libknot {theirs}"]


def as_libknot(entries, text, theirs):
    for entry in entries:
        if text is None:
            break
        changed = entry.change(text)
        # Needed: without the change the texts would differ.
        entry.seen = entry.seen or (changed != text and text != theirs)
        text = changed
    return text


def check_cases():
    for rdtype, wires in sorted(rdata_cases.CASES.items()):
        texts = oracle.rdata_text([(rdtype, wire) for wire in wires])
        wrong = [why for wire, text in zip(wires, texts) for why in text_differs(rdtype, wire, text)]
        tap.ok(not wrong, f"generated: {parsers.type_name(rdtype)} as libknot writes it, {len(wires)} values", *wrong)


# ---- messages ---------------------------------------------------------------------------------------

MESSAGES = {
    "questions": oracle.Listed("libknot refuses more than one question; we show as many as there are"),
    "option": oracle.Listed("libknot leaves the data of EDNS options to its caller; a broken option is a fault to us"),
    "tsig": oracle.Listed("libknot takes the error of TSIG for the rcode (RFC 8945 5.3.2: the header has NOTAUTH)"),
    "broken": oracle.Listed("both refuse, not at the same octet: what both could read before is compared"),
}


def status_differs(got, theirs, error):
    """Is the message whole for one and broken for the other?"""
    if theirs == "malformed" and not error and got["qdcount"] > 1:
        MESSAGES["questions"].seen = True
    elif theirs == "ok" and "bad EDNS option" in error:
        MESSAGES["option"].seen = True
    else:
        return [] if (theirs == "malformed") == bool(error) else [f"libknot: {theirs}"]
    return []


def wire_of(name):
    return dns.name.from_text(name if name == "." else name + ".").to_wire()


def words_of(got):
    """Our object in the words of knot_oracle.c."""
    edns = got.get("edns")
    return {
        "head": [str(got[key]) for key in ("id", "opcode_id", "rcode_id", "qdcount", "ancount", "nscount", "arcount")],
        "q": [[wire_of(q["name"]).hex(), str(q["type_id"]), str(q["class_id"])] for q in got["question"]],
        "edns": [[str(edns["udp_size"]), str(edns["version"]), str(int(edns["do"]))]] if edns else [],
        "opt": [str(o["code"]) for o in edns["options"]] if edns else [],
        "rr": [(str(section), row) for section, key in enumerate(("answers", "authorities", "additionals"))
               for row in got[key]],
    }


def rr_differs(section, row, theirs):
    want = [section, wire_of(row["name"]).hex(), str(row["type_id"]), str(row["class_id"]), str(row["ttl"])]
    if want != theirs[:5]:
        return [f"{row}, libknot {theirs}"]
    rdtype, wire = row["type_id"], bytes.fromhex(theirs[5])
    if not wire and not row["data"]:
        return []  # RFC 2136: RRs without rdata
    wrong = [f"{row}: {parser} {back!r}, libknot {wire.hex()}"
             for parser, back in parsers.verdicts(rdtype, wire, row["data"]) if back != wire]
    return wrong + text_differs(rdtype, wire, row["data"])


def message_differs(got, wire, error):
    try:
        theirs = oracle.knot().message(wire)
    except oracle.Refused:
        return [] if error and "id" not in got else ["libknot sees no header"]
    ours = words_of(got)
    if got["rcode"] == "NOTAUTH" and any(row["type"] == "TSIG" for row in got["additionals"]) \
            and theirs["head"][0][2] != ours["head"][2]:
        MESSAGES["tsig"].seen = True
        theirs["head"][0][2] = ours["head"][2]
    status = theirs["status"][0][0]
    out = status_differs(got, status, error)
    their_words = {"head": theirs["head"][0], "q": theirs.get("q", []), "edns": theirs.get("edns", []),
                   "opt": [code for code, _ in theirs.get("opt", [])], "rr": theirs.get("rr", [])}
    # The header's rcode alone where EDNS comes after what broke the message.
    if status == "malformed":
        MESSAGES["broken"].seen = True
        keys = ["head"] if "edns" in theirs or not ours["edns"] else []
    else:
        keys = ["head", "q", "edns", "opt"]
        if (status == "trailing") != ("trailing" in got):
            out.append(f"trailing: {got.get('trailing')}, libknot {status}")
        if len(ours["rr"]) != len(their_words["rr"]):
            out.append(f"{len(ours['rr'])} RRs, libknot {len(their_words['rr'])}")
    out += [f"{key}: {ours[key]}, libknot {their_words[key]}" for key in keys if ours[key] != their_words[key]]
    for (section, row), rr in zip(ours["rr"], their_words["rr"]):
        out += rr_differs(section, row, rr)
    return out


def check_capture(path):
    wrong, rrs = [], 0
    for n, (payload, line) in enumerate(zip(oracle.frames(path), oracle.render("json", path)), 1):
        event, fields = json.loads(line), oracle.dnstap(payload)
        wires = [fields[key] for key in ("response_message", "query_message") if key in fields]
        errors = event.get("error", "").partition("query: ")
        for key, wire, error in zip(("dns", "query"), wires, (errors[0], errors[2])):
            rrs += sum(len(event[key][s]) for s in ("answers", "authorities", "additionals"))
            wrong += [f"frame {n}: {why}: {error}" for why in message_differs(event[key], wire, error)]
    tap.ok(not wrong, f"{os.path.basename(path)}: messages and {rrs} RRs equal libknot's", *wrong)


def dnstap_of(wire):
    """A CLIENT_RESPONSE that holds this message."""
    return fstrm.field(14, fstrm.field(1, 6) + fstrm.field(14, wire)) + fstrm.field(15, 1)


def check_largest():
    """Messages as large as they can be, of thousands of RRs (RFC 5936): whole, in one event."""
    question = b"\7example\0\0\xfc\0\1"
    minimal = b"\0" + struct.pack(">HHIH", 65280, 1, 0, 0)
    soa = b"\xc0\x0c" + struct.pack(">HHIH", 6, 1, 3600, 24) + b"\xc0\x0c" * 2 + struct.pack(">5I", 1, 2, 3, 4, 5)

    def host(n):
        return b"\5h%04x\xc0\x0c" % n + struct.pack(">HHIHI", 1, 1, 60, 4, n)

    for what, begin, make in (("records of 11 octets", b"", lambda n: minimal),
                              ("a zone transfer", question, lambda n: host(n) if n else soa)):
        body, count = begin, 0
        while 12 + len(body) + len(make(count)) <= 65535:
            body, count = body + make(count), count + 1
        wire = struct.pack(">6H", 1, 0x8400, bool(begin), count, 0, 0) + body
        (line,) = oracle.render("json", payloads=[dnstap_of(wire)])
        event = json.loads(line)
        wrong = message_differs(event["dns"], wire, event.get("error", ""))
        rows = len(event["dns"]["answers"])
        tap.ok(not wrong and rows == count and "truncated" not in event["dns"],
               f"{len(wire)} octets, {count} records, {what}: whole", f"{rows} of {count}", *wrong)


def main():
    if not oracle.knot():
        tap.skip_all("libknot and libzscanner (package libknot-dev) were not there for configure")
    check_cases()
    for path in oracle.captures():
        check_capture(path)
    check_largest()
    stale = [entry.why for entry in TEXTS + list(MESSAGES.values()) if not entry.seen]
    tap.ok(not stale or not oracle.as_listed(), "everything listed as a difference is still one", *stale)
    tap.done()


if __name__ == "__main__":
    main()
