# SPDX-License-Identifier: Apache-2.0
"""Dnstap frames made by hand: protobuf, DNS and Frame Streams octets, with nothing of the code under test.

dnstap.proto's field numbers; RFC 1035 4 for DNS; the Frame Streams file format for files.
"""
import ipaddress
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(1, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
from fstrm import TYPES, read_frames as frames_of, stream, varint  # noqa: E402

DIRECTIONS = "AQ AR RQ RR CQ CR FQ FR SQ SR TQ TR UQ UR".split()
CR, RR, CQ = 6, 4, 5
A, NS, CNAME, SOA, NULL, PTR, HINFO, MX, TXT, NSAP_PTR, AAAA, SRV, DNAME, OPT, APL, DS, RRSIG = (
    1, 2, 5, 6, 10, 12, 13, 15, 16, 23, 28, 33, 39, 41, 42, 43, 46)
SEC, NSEC = 1700000000, 123456789  # 2023-11-14T22:13:20.123456789Z


def number(field, value):
    return b"" if value is None else varint(field << 3) + varint(value)


def octets(field, value):
    return b"" if value is None else varint(field << 3 | 2) + varint(len(value)) + value


def fixed32(field, value):
    return b"" if value is None else varint(field << 3 | 5) + struct.pack("<I", value)


def address(text):
    return None if text is None else ipaddress.ip_address(text).packed


def name(text):
    """Labels from plain text, or from a list of octet strings."""
    labels = text if isinstance(text, list) else [p.encode() for p in text.split(".") if p]
    return b"".join(bytes([len(x)]) + x for x in labels) + b"\0"


def rr(owner, rtype, rdata, ttl=300, rclass=1):
    return name(owner) + struct.pack("!HHIH", rtype, rclass, ttl, len(rdata)) + rdata


def txt(*strings):
    return b"".join(bytes([len(s)]) + s for s in strings)


def a(text):
    return ipaddress.ip_address(text).packed


def soa(mname="ns.example.com", rname="host.example.com"):
    return name(mname) + name(rname) + struct.pack("!IIIII", 1, 7200, 900, 1209600, 86400)


def dns(question=(("www.example.com", A),), answers=(), authorities=(), additionals=(),
        flags=0x8180, ident=4660, rcode=0, opcode=0):
    if rcode > 15:  # RFC 6891 6.1.3
        additionals = list(additionals) + [rr("", OPT, b"", ttl=(rcode >> 4) << 24, rclass=1232)]
    flags = flags & 0x87F0 | opcode << 11 | rcode & 15
    out = struct.pack("!HHHHHH", ident, flags, len(question), len(answers), len(authorities),
                      len(additionals))
    for q in question:
        out += name(q[0]) + struct.pack("!HH", q[1], q[2] if len(q) > 2 else 1)
    return out + b"".join(answers) + b"".join(authorities) + b"".join(additionals)


def query_message(question=(("www.example.com", A),), flags=0x0100, **more):
    return dns(question, flags=flags, **more)


def tap(mtype=CR, response=None, query=None, client="192.0.2.10", server="192.0.2.53",
        identity=b"ns1", version=b"BIND 9.18", family=1, protocol=1, query_port=53124,
        response_port=53, query_time=(SEC, NSEC - 3456789), response_time=(SEC, NSEC), zone=None,
        policy=None, extra=None, raw_client=None, raw_server=None):
    is_response = mtype % 2 == 0
    if response is None and query is None:
        response, query = (dns(), None) if is_response else (None, query_message())
    if not is_response:
        response_time = None
    query_time = query_time or (None, None)
    response_time = response_time or (None, None)
    body = number(1, mtype) + number(2, family) + number(3, protocol)
    body += octets(4, raw_client if raw_client is not None else address(client))
    body += octets(5, raw_server if raw_server is not None else address(server))
    body += number(6, query_port) + number(7, response_port)
    body += number(8, query_time[0]) + fixed32(9, query_time[1]) + octets(10, query)
    body += octets(11, zone)
    body += number(12, response_time[0]) + fixed32(13, response_time[1]) + octets(14, response)
    body += octets(15, policy)
    return (octets(1, identity) + octets(2, version) + octets(3, extra) + octets(14, body) +
            number(15, 1))


def policy(ptype=b"RPZ", rule=None, action=2, match=1, value=b"192.0.2.66"):
    return (octets(1, ptype) + octets(2, rule) + number(3, action) + number(4, match) +
            octets(5, value))


SRCDIR = os.environ.get("abs_top_srcdir") or os.path.abspath(
    os.path.join(os.path.dirname(__file__), "../.."))
BUILDDIR = os.environ.get("abs_top_builddir") or os.path.join(SRCDIR, "build")
CORPUS = sorted(os.path.join(SRCDIR, "tests/corpus", f)
                for f in os.listdir(os.path.join(SRCDIR, "tests/corpus")) if f.endswith(".fstrm"))


def render_file(form, path):
    """What tests/tools/dnstap_render prints, as a list of lines (octets)."""
    tool = os.path.join(BUILDDIR, "tests/tools/dnstap_render")
    run = subprocess.run([tool, form, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=120)
    if run.returncode:
        raise RuntimeError("dnstap_render %s: %d %s" % (form, run.returncode, run.stderr[:500]))
    out = run.stdout
    return out.split(b"\n")[:-1] if out.endswith(b"\n") else out.split(b"\n") if out else []


def render(form, frames):
    with tempfile.NamedTemporaryFile(suffix=".fstrm") as f:
        f.write(stream(frames))
        f.flush()
        return render_file(form, f.name)


def render_one(form, frame):
    return render(form, [frame])
