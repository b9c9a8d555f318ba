#!/usr/bin/python3
"""Every frame of every capture, and what no capture has: our JSON against three independent decoders.

The dnstap fields against a protobuf reader in oracle.py and against the Go `dnstap -j`; header, counts, flags,
question, RRs and EDNS against the header's octets and dnspython. One test per capture and decoder. Messages made here
have every EDNS option that has a readable form, and UPDATEs with every kind of prerequisite and update.

Differences that remain are in KNOWN, with their reasons; one that no frame shows any more fails the last test.

SPDX-License-Identifier: Apache-2.0
"""
import datetime
import ipaddress
import json
import os
import re
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import oracle
from oracle import fstrm, tap

oracle.require_dnspython()

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig

import parsers

KNOWN = {
    "opcode": oracle.Listed("dnspython refuses opcodes that it does not know: the header's octets only"),
    "short": oracle.Listed("dnspython refuses messages under 12 octets: so do we, and nothing is compared"),
    "broken": oracle.Listed("a second OPT, broken options or broken rdata cost dnspython other RRs than us: header "
                            "only, and we must say that it is malformed"),
    "tsig": oracle.Listed("dnspython judges TSIG (BADKEY, times in the past), which is no fault of the form: header only "
                          "(knot.py has the rest)"),
    "port 0": oracle.Listed("the Go tool leaves out a port of 0 (BIND's query_port on TCP upstream)"),
    "nil": oracle.Listed("the Go tool prints an absent protocol as <nil> (Unbound with DoH)"),
}
# dnstap.proto
TYPES = "AUTH RESOLVER CLIENT FORWARDER STUB TOOL UPDATE".split()
FAMILIES = {1: "INET", 2: "INET6"}
PROTOCOLS = {1: "UDP", 2: "TCP", 3: "DOT", 4: "DOH", 5: "DNSCryptUDP", 6: "DNSCryptTCP", 7: "DOQ"}
TRANSPORTS = {1: "udp", 2: "tcp", 3: "tcp", 4: "tcp", 5: "udp", 6: "tcp", 7: "udp"}
# RFC 1035 4.1.1, RFC 4035 3
FLAGS = [(0x8000, "QR"), (0x0400, "AA"), (0x0200, "TC"), (0x0100, "RD"), (0x0080, "RA"), (0x0040, "Z"),
         (0x0020, "AD"), (0x0010, "CD")]
OPCODES = {0: "QUERY", 1: "IQUERY", 2: "STATUS", 4: "NOTIFY", 5: "UPDATE", 6: "DSO"}
EDNS_NAMES = {1: "LLQ", 2: "UL", 3: "NSID", 5: "DAU", 6: "DHU", 7: "N3U", 8: "ECS", 9: "EXPIRE", 10: "COOKIE",
              11: "KEEPALIVE", 12: "PADDING", 13: "CHAIN", 14: "KEY-TAG", 15: "EDE", 18: "REPORT-CHANNEL",
              19: "ZONEVERSION"}


# ---- dnstap -----------------------------------------------------------------------------------------


def free(octets):
    return octets.decode("utf-8", "replace")


def stamp(sec, nsec):
    whole = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=sec)
    return f"{whole.isoformat()}.{nsec % 10**9:09d}Z"


def want_event(tap):
    """All keys of the event but those of the DNS messages and of faults."""
    kind = tap["type"]
    base, response = TYPES[(kind - 1) // 2], kind % 2 == 0
    want = {"type": base + ("_RESPONSE" if response else "_QUERY"), "type_id": kind,
            "direction": base[0] + "QR"[response]}
    for key in ("identity", "version", "extra"):
        if key in tap:
            want[key] = free(tap[key])
    if "family" in tap:
        want["family"] = FAMILIES[tap["family"]]
    if "protocol" in tap:
        want["protocol"] = PROTOCOLS[tap["protocol"]]
        want["transport"] = TRANSPORTS[tap["protocol"]]
    for side in ("query", "response"):
        if tap.get(side + "_address"):
            want[side + "_address"] = str(ipaddress.ip_address(tap[side + "_address"]))
        for key in ("_port", "_time_sec", "_time_nsec"):
            if side + key in tap:
                want[side + key] = tap[side + key]
        if side + "_message" in tap:
            want[side + "_len"] = len(tap[side + "_message"])
    add_times(tap, response, want)
    if "query_zone" in tap:
        want["query_zone"] = dns.name.from_wire(tap["query_zone"], 0)[0].to_text(True) or "."
    return want


def add_times(tap, response, want):
    order = ("response", "query") if response else ("query", "response")
    for side in order:
        if side + "_time_sec" in tap:
            want["time"] = stamp(tap[side + "_time_sec"], tap.get(side + "_time_nsec", 0))
            break
    if "query_time_sec" in tap and "response_time_sec" in tap:
        latency = ((tap["response_time_sec"] - tap["query_time_sec"]) * 10**9
                   + tap.get("response_time_nsec", 0) - tap.get("query_time_nsec", 0))
        if latency >= 0:
            want["latency_ns"] = latency


def dnstap_differs(event, tap):
    got = {k: v for k, v in event.items() if k not in ("dns", "query", "malformed", "error", "frame")}
    want = want_event(tap)
    return [] if got == want else [f"{k}: got {got.get(k)!r}, want {want.get(k)!r}"
                                   for k in sorted(set(got) | set(want)) if got.get(k) != want.get(k)]


# ---- DNS --------------------------------------------------------------------------------------------


def header_differs(got, wire):
    if len(wire) < 12:
        return [f"header of {len(wire)} octets"] if "id" in got else []
    ident, bits, *counts = struct.unpack(">6H", wire[:12])
    opcode = bits >> 11 & 15
    want = {"id": ident, "opcode_id": opcode, "opcode": OPCODES.get(opcode, f"OPCODE{opcode}"),
            "flags": [text for bit, text in FLAGS if bits & bit]}
    want.update(zip(("qdcount", "ancount", "nscount", "arcount"), counts))
    return [f"{k}: got {got.get(k)!r}, want {v!r}" for k, v in want.items() if got.get(k) != v]


def same_name(text, name):
    return dns.name.from_text(text if text == "." else text + ".").labels == name.labels


def same_type(row, rdtype, rdclass):
    return (row["type_id"], row["class_id"]) == (int(rdtype), int(rdclass)) and (
        row["type"] == dns.rdatatype.to_text(rdtype) or dns.rdatatype.to_text(rdtype).startswith("TYPE"))


def question_differs(got, message):
    if len(got) != len(message.question):
        return [f"{len(got)} questions, want {len(message.question)}"]
    return [f"question: {row}, want {q}" for row, q in zip(got, message.question)
            if not (same_name(row["name"], q.name) and same_type(row, q.rdtype, q.rdclass))]


CONFIRMED = {}
DELETING_SEEN = set()  # (class, with rdata) of an UPDATE's RRs of class ANY and NONE


def rdata_differs(rdtype, text, wire, rdclass):
    key = (rdtype, text, wire, rdclass)
    if key not in CONFIRMED:
        verdicts = parsers.verdicts(rdtype, wire, text) if rdclass == 1 else \
            [("dnspython", dns.rdata.from_text(rdclass, rdtype, text).to_wire())]
        CONFIRMED[key] = [f"{parser}: {text}: {back!r}, want {wire.hex()}"
                          for parser, back in verdicts if back != wire]
    return CONFIRMED[key]


def rr_differs(row, rrset):
    # RFC 2136 2.4, 2.5: class ANY or NONE on the wire, where dnspython has the zone's
    rdclass = rrset.rdclass if rrset.deleting is None else rrset.deleting
    if not same_name(row["name"], rrset.name) or row["ttl"] != rrset.ttl or not same_type(row, rrset.rdtype, rdclass):
        return [f"{row}, want {rrset}"]
    if rrset.deleting is not None:
        DELETING_SEEN.add((int(rdclass), len(rrset) > 0))
        if not rrset and row["data"]:
            return [f"{row}, want no rdata"]
    if rrset.rdtype == dns.rdatatype.TSIG:
        return []  # its text in dnspython 2.4 and later is no other parser's; knot.py compares it
    return [why for one in rrset
            for why in rdata_differs(int(rrset.rdtype), row["data"], one.to_wire(), int(rrset.rdclass))]


def sections_differ(got, message, answers):
    out = []
    for key, rrsets in zip(("answers", "authorities", "additionals"), message.sections[1:]):
        rows = got[key]
        if key == "additionals" and message.tsig:
            rrsets = [*rrsets, message.tsig]  # by dnspython 2.4 and later, which does not judge it
        if len(rows) != len(rrsets):
            out.append(f"{key}: {len(rows)} RRs, want {len(rrsets)}")
        for row, rrset in zip(rows, rrsets):
            out += rr_differs(row, rrset)
    addresses = [str(one.address) for rrset in message.sections[1] for one in rrset
                 if answers and rrset.rdtype in (1, 28) and rrset.rdclass == 1]
    if [ipaddress.ip_address(a) for a in got["resolved_ip"]] != [ipaddress.ip_address(a) for a in addresses]:
        out.append(f"resolved_ip: {got['resolved_ip']}, want {addresses}")
    return out


OPTIONS_SEEN = set()  # codes whose text was compared, for an option that is not empty


def option_text(code, data):
    """The readable form of an option, written again from its RFC; None: not checked."""
    if code == 8 and len(data) >= 4:  # RFC 7871 6
        family, source, scope = struct.unpack(">HBB", data[:4])
        size = 4 if family == 1 else 16
        return f"{ipaddress.ip_address(data[4:].ljust(size, bytes(1)))}/{source}/{scope}"
    if code == 10:  # RFC 7873 4
        return data[:8].hex() + ("/" + data[8:].hex() if data[8:] else "")
    if code == 15 and len(data) >= 2:  # RFC 8914 2
        return re.compile(rf"{struct.unpack('>H', data[:2])[0]} \(.*\)" +
                          (": " + re.escape(data[2:].rstrip(b'\0').decode()) if data[2:] else ""))
    if code == 12:  # RFC 7830 3
        return str(len(data))
    if code == 3:  # RFC 5001 2.3
        is_text = all(32 <= o < 127 for o in data) and not data.startswith(b"hex:")
        return data.decode() if is_text else "hex:" + data.hex()
    if code in (5, 6, 7):  # RFC 6975 3
        return " ".join(map(str, data))
    if code == 9:  # RFC 7314 2
        return f"{int.from_bytes(data, 'big')} s" if data else ""
    if code == 11:  # RFC 7828 3.1
        return f"{int.from_bytes(data, 'big') / 10:.1f} s" if data else ""
    if code in (13, 18):  # RFC 7901 4, RFC 9567 5
        return dns.name.from_wire(data, 0)[0].to_text() if data else ""
    if code == 14:  # RFC 8145 4.1
        return " ".join(str(tag) for tag, in struct.iter_unpack(">H", data))
    if code == 19 and not data:  # RFC 9660 2
        return ""
    if code == 19 and len(data) > 2:
        version = f"SOA-SERIAL {int.from_bytes(data[2:], 'big')}" if data[1] == 0 else f"{data[1]} {data[2:].hex()}"
        return f"{data[0]} {version}"
    return data.hex() if code not in EDNS_NAMES else None


def edns_differs(got, message):
    if message.edns < 0:
        return [f"edns: {got}"] if got else []
    if not got:
        return ["no edns"]
    out = []
    want = {"udp_size": message.payload, "version": message.edns,
            "do": bool(message.ednsflags & dns.flags.DO), "z": message.ednsflags & 0x7fff}
    if {k: got.get(k, 0) for k in want} != want:
        out.append(f"edns: {got}, want {want}")
    if [o["code"] for o in got["options"]] != [int(o.otype) for o in message.options]:
        return out + [f"options: {got['options']}"]
    for row, option in zip(got["options"], message.options):
        code = int(option.otype)
        text = option_text(code, option.to_wire())
        if text is not None and option.to_wire():
            OPTIONS_SEEN.add(code)
        same = text is None or (text.fullmatch(row["data"]) if isinstance(text, re.Pattern)
                                else row["data"] == text)
        if not same or row["name"] != EDNS_NAMES.get(code, f"OPT{code}"):
            out.append(f"option {row}, want {text}")
    return out


def message_differs(got, wire, malformed, is_response):
    """What differs between our object and dnspython's message."""
    out = header_differs(got, wire)
    try:
        message = dns.message.from_wire(wire, keyring=False, ignore_trailing=True, one_rr_per_rrset=True,
                                        continue_on_error=True)
    except (dns.exception.DNSException, ValueError) as error:
        known = "short" if len(wire) < 12 and malformed else "broken" if malformed else "opcode"
        if known != "opcode" or "Opcode" in str(error):
            KNOWN[known].seen = True
            return out
        return out + [f"dnspython refuses: {error!r}"]
    if any(isinstance(e.exception, (dns.tsig.PeerError, dns.tsig.BadTime)) for e in message.errors):
        KNOWN["tsig"].seen = True
        return out
    if message.errors:
        KNOWN["broken"].seen = True
        return out + ([] if malformed else [f"dnspython says {message.errors[0].exception!r}"])
    if malformed:
        return out + ["dnspython finds nothing wrong"]
    if got["rcode_id"] != int(message.rcode()) or not same_rcode(got["rcode"], message.rcode()):
        out.append(f"rcode {got['rcode']}, want {message.rcode()}")
    answers = is_response and message.flags & dns.flags.QR and message.opcode() == dns.opcode.QUERY
    return (out + question_differs(got["question"], message) + sections_differ(got, message, answers)
            + edns_differs(got.get("edns"), message))


def same_rcode(text, rcode):
    want = dns.rcode.to_text(rcode)
    return text == want or not want.isalpha()


# ---- the captures -----------------------------------------------------------------------------------


def check_capture(path):
    payloads = oracle.frames(path)
    lines = oracle.render("json", path)
    short = os.path.basename(path)
    tap.ok(len(lines) == len(payloads), f"{short}: one line per frame", len(lines), len(payloads))
    events = [json.loads(line.decode("utf-8")) for line in lines]
    fields, messages = [], []
    for n, (payload, event) in enumerate(zip(payloads, events), 1):
        ours = oracle.dnstap(payload)
        fields += [f"frame {n}: {why}" for why in dnstap_differs(event, ours)]
        messages += [f"frame {n}: {why}: {event.get('error', '')}" for why in frame_differs(event, ours)]
    tap.ok(not fields, f"{short}: dnstap fields equal the schema's", *fields)
    tap.ok(not messages, f"{short}: messages equal dnspython's", *messages)
    check_go(path, events)


def frame_differs(event, tap):
    keys = [key for key in ("response_message", "query_message") if key in tap]
    shown = [event[key] for key in ("dns", "query") if key in event]
    if len(keys) != len(shown):
        return [f"{len(shown)} messages, want {len(keys)}"]
    return [why for got, key in zip(shown, keys)
            for why in message_differs(got, tap[key], event.get("malformed", False), key == "response_message")]


# ---- messages made here -----------------------------------------------------------------------------


def u16(*values):
    return struct.pack(f">{len(values)}H", *values)


NAME = b"\5agent\7example\0"
# Values from the RFCs that option_text names, and edges.
OPTIONS = {
    3: [b"", b"ns1.example", b"hex:00ff", b"hex", b"\0\xff", "münchen".encode()],
    5: [b"\x08\x0d\xff"], 6: [b"\1\2\4"], 7: [b"\1", b""],
    8: [u16(1) + b"\x18\0\xc0\0\2", u16(1) + b"\0\0", u16(2) + b"\x38\x30\x20\1\x0d\xb8\0\1\2"],
    9: [b"", b"\0\x12\x75\0", b"\xff" * 4], 10: [bytes(range(8)), bytes(range(24)), bytes(range(40))],
    11: [b"", u16(0), u16(301), u16(65535)], 12: [b"", bytes(1), bytes(400)],
    13: [b"", NAME, b"\0"], 14: [u16(20326, 38696), u16(0)],
    15: [u16(18), u16(6) + b"no key", u16(22) + "délai".encode(), u16(0) + b"nul\0"],
    18: [NAME, b"\0"], 19: [b"", b"\2\0\x78\xa4\x5f\x67", b"\0\1\xab\xcd"],
    65001: [b"", b"\0\xff"],
}
ZONE = b"\7example\0" + u16(6, 1)


def record(rdtype, rdclass, rdata=b"", ttl=0):
    return b"\xc0\x0c" + u16(rdtype, rdclass) + struct.pack(">IH", ttl, len(rdata)) + rdata


def with_option(code, data):
    option = u16(code, len(data)) + data
    return u16(1, 0x8180, 1, 1, 0, 1) + ZONE + record(1, 1, b"\xc0\0\2\1", 60) + b"\0" + u16(41, 1232) + bytes(4) + u16(
        len(option)) + option


def update(flags):
    """Every prerequisite of RFC 2136 2.4 and update of 2.5, with rdata of many shapes to add and to delete."""
    address, soa = b"\xc0\0\2\1", NAME + NAME + struct.pack(">5I", 1, 2, 3, 4, 5)
    rdata = [(1, address), (2, NAME), (6, soa), (15, u16(10) + NAME), (16, b"\3a b\0"), (28, bytes(range(16))),
             (33, u16(1, 2, 3) + NAME), (43, u16(1) + b"\x08\2" + bytes(32)), (65, u16(1) + NAME), (65280, b"\0\xff")]
    wants = [record(255, 255), record(1, 255), record(255, 254), record(15, 254), record(1, 1, address)]
    changes = ([record(t, 1, data, 300) for t, data in rdata] + [record(255, 255), record(16, 255)]
               + [record(t, 254, data) for t, data in rdata])
    return u16(2, flags, 1, len(wants), len(changes), 0) + ZONE + b"".join(wants + changes)


def check_made():
    made = [(6, with_option(code, data)) for code, values in OPTIONS.items() for data in values]
    made += [(13, update(0x2800)), (14, update(0xa800)), (14, update(0xa805))]
    made += [(6, with_option(12, b"")[:2] + u16(flags) + with_option(12, b"")[4:])  # NOTIFY, a query: nothing resolved
             for flags in (0xa400, 0x0100)]
    payloads = [fstrm.field(14, fstrm.field(1, kind) + fstrm.field(14 if kind % 2 == 0 else 10, wire))
                + fstrm.field(15, 1) for kind, wire in made]
    events = [json.loads(line.decode("utf-8")) for line in oracle.render("json", payloads=payloads)]
    tap.ok(len(events) == len(made), "made here: one line per frame", len(events), len(made))
    for what, kinds in (("options", (6,)), ("UPDATEs", (13, 14))):
        wrong = [f"frame {n}: {why}: {event.get('error', '')}"
                 for n, (event, payload) in enumerate(zip(events, payloads), 1) if made[n - 1][0] in kinds
                 for why in frame_differs(event, oracle.dnstap(payload))]
        tap.ok(not wrong, f"made here: {what} equal dnspython's", *wrong)
    broken = [event["error"] for event in events if "error" in event]
    tap.ok(not broken, "made here: nothing is malformed", *broken)


def go_view(event):
    """Our event in the names of the Go tool."""
    out = {"type": event["type"]}
    for side in ("query", "response"):
        if side + "_time_sec" in event:
            nsec = f".{event.get(side + '_time_nsec', 0):09d}".rstrip("0").rstrip(".")
            out[side + "_time"] = stamp(event[side + "_time_sec"], 0)[:19] + nsec + "Z"
        for key in (side + "_address", side + "_port"):
            if event.get(key) or key in event and not KNOWN["port 0"].here():
                out[key] = event[key]
    for ours, theirs in (("family", "socket_family"), ("protocol", "socket_protocol")):
        if ours in event:
            out[theirs] = event[ours]
    if "query_zone" in event:
        out["query_zone"] = event["query_zone"].rstrip(".") + "."
    return out


def check_go(path, events):
    what = f"{os.path.basename(path)}: dnstap fields equal the Go tool's"
    if not shutil.which("dnstap"):
        return tap.lacks(what, "dnstap (package golang-github-dnstap-golang-dnstap-cli)")
    run = subprocess.run(["dnstap", "-j", "-r", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         check=True)
    theirs = [json.loads(line) for line in run.stdout.splitlines()]
    wrong = [] if len(theirs) == len(events) else [f"{len(theirs)} frames, we have {len(events)}"]
    for n, (event, their) in enumerate(zip(events, theirs), 1):
        want = {k: v for k, v in their["message"].items()
                if not k.endswith("_message") and not (v == "<nil>" and KNOWN["nil"].here())}
        got = go_view(event)
        if got != want:
            wrong.append(f"frame {n}: got {got}, want {want}")
        for key in ("identity", "version"):
            if event.get(key) != their.get(key):
                wrong.append(f"frame {n}: {key} {event.get(key)!r}, want {their.get(key)!r}")
    return tap.ok(not wrong, what, *wrong)


def main():
    for path in oracle.captures():
        check_capture(path)
    check_made()
    known = [entry.why for key, entry in KNOWN.items()
             if not entry.seen and (shutil.which("dnstap") or key not in ("port 0", "nil"))]
    unseen = set(EDNS_NAMES) - {1, 2} - OPTIONS_SEEN  # LLQ, UL: no text of these is written again here
    tap.ok(not unseen, "every option that has a readable form was compared", *unseen)
    tap.ok(DELETING_SEEN == {(255, False), (254, False), (254, True)},
           "RRs to delete, with rdata and without, were there", DELETING_SEEN)
    tap.ok(not known or not oracle.as_listed(), "KNOWN: everything listed there is still so", *known)
    tap.done()


if __name__ == "__main__":
    main()
