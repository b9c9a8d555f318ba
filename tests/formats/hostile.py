# SPDX-License-Identifier: Apache-2.0
"""A set of frames that tries every delimiter, escape and odd octet of every format. (label, frame) pairs."""
import struct

from frames import *

ODD = [b"a|b", b"a||b", b"a=b", b"k=v k2=v", b"a\\b", b"a\\|b", b"a\\=b", b'a"b', b"a'b", b"a\nb",
       b"a\r\nb", b"a\tb", b"\xff\xfe", b"\x00", b"a b", b" a ", b"caf\xc3\xa9", b"\xf0\x9f\x92\xa9",
       b"\xed\xa0\x80", b"*", b"-lead", b"128/27", b"a.b", b";", b",", b"{}", b"[1]", b"%s%n", b"\x7f",
       b"\\032", b"$!x", b"x" * 63, b"\x80" * 63, b"a" + b"|" * 62]


def names():
    for odd in ODD:
        owner = [odd, b"example", b"com"]
        yield "name %r" % odd, tap(response=dns([(owner, A)], [rr(owner, A, a("192.0.2.1"))]))
        yield "nxdomain %r" % odd, tap(response=dns([(owner, A)], rcode=3))
        yield "cname %r" % odd, tap(response=dns(
            [("w.example", A)], [rr("w.example", CNAME, name(owner)), rr(owner, A, a("192.0.2.1"))],
            [rr("example.com", SOA, soa())]))
        yield "query %r" % odd, tap(CQ, query=query_message([(owner, A)]))
        yield "zone %r" % odd, tap(RR, zone=name(owner))
        yield "rule %r" % odd, tap(policy=policy(rule=name(owner)))
    yield "longest name", tap(response=dns([([b"\xff" * 63] * 3 + [b"\xff" * 61], A)], rcode=3))
    yield "root", tap(response=dns([("", NS)], [rr("", NS, name("a.root.example"))]))
    yield "root nxdomain", tap(response=dns([("", NS)], rcode=3))
    yield "zone that is no name", tap(RR, zone=b"\x05ab")


def free_text():
    for odd in ODD:
        yield "txt %r" % odd, tap(response=dns([("t.example", TXT)],
                                               [rr("t.example", TXT, txt(odd, odd))],
                                               [rr("t.example", TXT, txt(odd))]))
        yield "identity %r" % odd, tap(identity=odd, version=odd, extra=odd)
        yield "policy %r" % odd, tap(policy=policy(ptype=odd, value=odd))
    yield "long txt", tap(response=dns([("t.example", TXT)],
                                       [rr("t.example", TXT, txt(*[b"=|\\" * 85] * 40))]))
    yield "long identity", tap(identity=b"\xc3\xa9=" * 3000, version=b"\\" * 5000)
    yield "empty txt", tap(response=dns([("t.example", TXT)], [rr("t.example", TXT, txt(b""))]))
    yield "no identity", tap(identity=None, version=None)
    yield "empty identity", tap(identity=b"", version=b"")


def sections():
    www = "www.example.com"
    for rcode in list(range(0, 24)) + [3841, 4095]:
        yield "rcode %d" % rcode, tap(response=dns(rcode=rcode))
        yield "rcode %d with cname" % rcode, tap(response=dns(
            answers=[rr(www, CNAME, name("gone.example"))], rcode=rcode))
    for opcode in range(16):
        yield "opcode %d" % opcode, tap(response=dns(opcode=opcode, flags=0xFFF0))
    yield "nodata", tap(response=dns(authorities=[rr("example.com", SOA, soa())]))
    yield "no question", tap(response=dns([], rcode=5))
    yield "two questions", tap(response=dns([("a.example", A), ("b.example", AAAA)], rcode=3))
    yield "mixed RRsets", tap(response=dns(answers=[
        rr(www, A, a("192.0.2.1")), rr(www, AAAA, a("2001:db8::1")), rr("WWW.example.com", A, a("192.0.2.2")),
        rr(www, A, a("192.0.2.1")), rr(www, TXT, txt(b"x"), rclass=3)]))
    yield "odd types", tap(response=dns(answers=[
        rr(www, 65280, b"\xab\xcd"), rr(www, NULL, b""), rr(www, APL, b""), rr(www, 65281, b""),
        rr(www, NSAP_PTR, name("x.example")), rr(www, A, b"\1\2\3"), rr(www, MX, b"\0\5" + name("mx.example")),
        rr(www, SRV, b"\0\1\0\2\0\3" + name("srv.example")), rr(www, MX, b"\0"), rr(www, SOA, soa()),
        rr(www, HINFO, txt(b"a|b", b"c d")), rr(www, A, a("192.0.2.1"), rclass=4242),
        rr(www, A, a("192.0.2.1"), ttl=0xFFFFFFFF), rr(www, 99, txt(b"v=spf1 |")), rr(www, 255, b"x")]))
    yield "many", tap(response=dns(answers=[rr("x", A, struct.pack("!I", i)) for i in range(3000)]))
    yield "many alike", tap(response=dns(answers=[rr("", A, a("192.0.2.1"))] * 4000))


def frames_and_times():
    for mtype in list(range(0, 16)) + [99, 100]:
        yield "type %d" % mtype, tap(mtype)
        yield "type %d both" % mtype, tap(mtype, response=dns(), query=query_message())
        yield "type %d neither" % mtype, tap(mtype, response=b"", query=b"")
    for protocol in range(0, 9):
        yield "protocol %d" % protocol, tap(protocol=protocol)
    for action in range(0, 8):
        yield "action %d" % action, tap(policy=policy(action=action, match=action))
    yield "ipv6", tap(client="2001:db8::1", server="::1", family=2)
    yield "mapped", tap(client="::ffff:192.0.2.1", server="::", family=2)
    yield "no addresses", tap(client=None, server=None, query_port=None, response_port=None)
    yield "no server", tap(server=None, response_port=None)
    yield "no server 6", tap(client="2001:db8::1", server=None, family=2)
    yield "bad addresses", tap(raw_client=b"\1\2\3\4\5", raw_server=b"")
    yield "big ports", tap(query_port=70000, response_port=0xFFFFFFFF)
    yield "no times", tap(query_time=None, response_time=None)
    yield "epoch", tap(query_time=(0, 0), response_time=(0, 0))
    yield "far future", tap(query_time=(2 ** 64 - 1, 5), response_time=(2 ** 64 - 1, 6))
    yield "big nsec", tap(query_time=(SEC, 0xFFFFFFFF), response_time=(SEC, 0xFFFFFFFF))
    yield "backwards", tap(query_time=(SEC + 9, 0), response_time=(SEC, 0))


def broken():
    whole = dns(answers=[rr("www.example.com", A, a("192.0.2.1"))] * 3)
    for cut in (1, 11, 12, 20, len(whole) - 20, len(whole) - 1):
        yield "dns cut at %d" % cut, tap(response=whole[:cut])
    yield "pointer loop", tap(response=whole[:12] + b"\xc0\x0c\0\1\0\1")
    yield "names that loop", tap(response=dns([("LOOP", A)], [
        rr("LOOP", A, a("192.0.2.1")), rr("www.example.com", A, a("192.0.2.1"))]).replace(name("LOOP"), b"\xff\xff"))
    yield "a hundred faults", tap(response=dns(answers=[rr("x", A, b"\1")] * 100))
    yield "garbage dns", tap(response=b"\xff" * 100)
    yield "trailing", tap(response=whole + b"junk")
    yield "no message", octets(1, b"a|b=c") + number(15, 1)
    yield "garbage", b"\xff\xff\xff\xff"
    yield "text", b"GET / HTTP/1.1\r\n\r\n"
    yield "cut protobuf", tap()[:-10]


def all_frames():
    for part in (names, free_text, sections, frames_and_times, broken):
        yield from part()
