#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What each format says about given frames: expected values typed from the formats' descriptions
(dnstap2logstash.py's keys, gamelinux's fields, the CEF severity table, ECS, OCSF, COF), not from output.
"""
import json
import os
import re
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import consumers
import frames
from frames import *

tap_frame = frames.tap
import tapwriter as tap  # not frames.tap

WWW = "www.example.com"
TWO = dns(answers=[rr(WWW, A, a("192.0.2.1")), rr(WWW, A, a("192.0.2.2"))],
          authorities=[rr("example.com", NS, name("ns.example.com"), ttl=900)])
NODATA = dns(authorities=[rr("example.com", SOA, soa(), ttl=900)])
CHAIN = dns(answers=[rr(WWW, CNAME, name("a.example.net")), rr("a.example.net", A, a("192.0.2.1"))])


def one(form, frame):
    lines = render_one(form, frame)
    if len(lines) != 1:
        raise AssertionError("%d lines of %s" % (len(lines), form))
    return lines[0].decode()


def obj(form, frame):
    return json.loads(one(form, frame))


def texts(form, frame):
    return [x.decode() for x in render_one(form, frame)]


def logstash():
    want = ('{"timestamp":1700000000,"identity":"ns1","version":"BIND 9.18","query_direction":"CR",'
            '"query_address":"192.0.2.10","query_port":53124,"response_address":"192.0.2.53",'
            '"response_port":53,"response_len":%d,"query_id":4660,"rcode_string":"NOERROR","rcode":0,'
            '"flags":"QR RD RA","question":[["www.example.com. IN A"]],'
            '"answers":[["www.example.com. 300 IN A 192.0.2.1","www.example.com. 300 IN A 192.0.2.2"]],'
            '"authorities":[["example.com. 900 IN NS ns.example.com."]]}' % len(TWO))
    tap.equal(one("logstash", tap_frame(response=TWO)), want, "logstash: the whole line")
    for mtype in range(1, 15):
        d = obj("logstash", tap_frame(mtype, query_time=(1600000000, 1)))
        tap.equal((d["query_direction"], d["timestamp"], d["response_len"] == 0),
                  (DIRECTIONS[mtype - 1], 1600000000 if mtype % 2 else SEC, mtype % 2 == 1),
                  "logstash: direction, time and length of %s" % TYPES[mtype])
    tap.equal(obj("logstash", tap_frame(99))["query_direction"], "unknown", "logstash: unknown type")
    d = obj("logstash", tap_frame(response=dns([("", NS)], rcode=3, flags=0x87B0)))
    tap.equal((d["question"], d["rcode_string"], d["rcode"], d["flags"]),
              ([[". IN NS"]], "NXDOMAIN", 3, "QR AA TC RD RA AD CD"), "logstash: root, rcode, all flags")
    d = obj("logstash", tap_frame(response=dns(rcode=16)))
    tap.equal((d["rcode_string"], d["rcode"]), ("BADVERS", 16), "logstash: EDNS-extended rcode")
    d = obj("logstash", tap_frame(response=dns(answers=[
        rr(WWW, A, a("192.0.2.1")), rr(WWW, TXT, txt(b"x")), rr("WWW.example.COM", A, a("192.0.2.2"))])))
    tap.equal(d["answers"], [["www.example.com. 300 IN A 192.0.2.1", "WWW.example.COM. 300 IN A 192.0.2.2"],
                             ['www.example.com. 300 IN TXT "x"']], "logstash: RRsets in order of appearance")
    d = obj("logstash", tap_frame(client=None, server=None))
    tap.equal((d["query_address"], d["response_address"]), (None, None), "logstash: absent addresses")
    d = obj("logstash", tap_frame(response=TWO[:30]))
    tap.ok(d["malformed"] is True and d["error"] and d["query_id"] == 4660, "logstash: cut message", d)
    d = obj("logstash", b"\xff")
    tap.ok(d["malformed"] is True and d["error"] and d["query_id"] is None, "logstash: no protobuf", d)


def logstash_cut():
    lines = [json.loads(x) for x in texts("logstash_cut", tap_frame(response=TWO))]
    tap.equal([d["answers"] for d in lines],
              ["www.example.com. 300 IN A 192.0.2.1", "www.example.com. 300 IN A 192.0.2.2"],
              "logstash_cut: one object per answer")
    tap.equal([(d["question"], d["authorities"]) for d in lines],
              [([["www.example.com. IN A"]], [["example.com. 900 IN NS ns.example.com."]])] * 2,
              "logstash_cut: question and authorities stay nested in each")
    for label, message in (("NODATA", NODATA), ("NXDOMAIN", dns(rcode=3))):
        lines = [json.loads(x) for x in texts("logstash_cut", tap_frame(response=message))]
        tap.equal([d["answers"] for d in lines], [""], "logstash_cut: %s is kept" % label)
    many = dns(answers=[rr("x", A, struct.pack("!I", i)) for i in range(1500)],
               authorities=[rr("x", TXT, txt(b"y" * 250, b"z" * 250, b"w" * 250))])
    lines = [json.loads(x) for x in texts("logstash_cut", tap_frame(response=many))]
    tap.equal((len(lines), len(lines[0]["authorities"]), lines[9]["authorities"], lines[9]["truncated"]),
              (1500, 1, [], True), "logstash_cut: repeated authorities are bounded")


def unreadable(message):
    """The name LOOP becomes a pointer to nowhere."""
    return message.replace(name("LOOP"), b"\xff\xff")


def passivedns():
    head = "1700000000.123456||192.0.2.10||192.0.2.53||IN||"
    cases = [
        ("two answers", TWO, ["www.example.com.||A||192.0.2.1||300||1", "www.example.com.||A||192.0.2.2||300||1"]),
        ("behind a CNAME", CHAIN, ["www.example.com.||CNAME||a.example.net.||300||1",
                                   "a.example.net.||A||192.0.2.1||300||1"]),
        ("NODATA", NODATA, []),
        ("NXDOMAIN", dns([("nx.example", A)], rcode=3), ["nx.example.||A||NXDOMAIN||0||1"]),
        ("NOTIMP", dns([("nx.example", A)], rcode=4), ["nx.example.||A||NOTIMPL||0||1"]),
        ("rcode 23", dns([("nx.example", A)], rcode=23), ["nx.example.||A||UNKNOWN-ERROR-23||0||1"]),
        ("error with an answer", dns(answers=[rr(WWW, CNAME, name("gone"))], rcode=3),
         ["www.example.com.||CNAME||gone.||300||1"]),
        ("MX", dns(answers=[rr("x", MX, b"\0\5" + name("mx.example"))]), ["x.||MX||mx.example.||300||1"]),
        ("SRV", dns(answers=[rr("x", SRV, b"\0\1\0\2\0\3" + name("t.example"))]), ["x.||SRV||t.example.||300||1"]),
        ("SOA", dns(answers=[rr("x", SOA, soa(), ttl=77)]), ["x.||SOA||ns.example.com.||77||1"]),
        ("TXT", dns(answers=[rr("x", TXT, txt(b"a b|c", b"d"))]), ['x.||TXT||"a b\\124c"||300||1']),
        ("unknown type", dns(answers=[rr("x", 65280, b"\xab\xcd")]), ["x.||65280||\\# 2 ABCD||300||1"]),
        ("NSAP-PTR", dns(answers=[rr("x", NSAP_PTR, name("y"))]), ["x.||23||y.||300||1"]),
        ("root", dns([("", NS)], rcode=5), ["./||NS||REFUSED||0||1"]),
        ("wildcard", dns(answers=[rr("*.example", A, a("192.0.2.1"))]), ["_x2A.example.||A||192.0.2.1||300||1"]),
        ("classless reverse", dns([([b"0/25", b"-a-"], PTR)], rcode=2), ["0_x2F25._x2Da-.||PTR||SERVFAIL||0||1"]),
        ("octets", dns([([b"\xff\x00.", b"a"], A)], rcode=3), ["_xFF_x00_x2E.a.||A||NXDOMAIN||0||1"]),
        ("63 letters", dns([([b"a" * 63], A)], rcode=3), ["a" * 63 + ".||A||NXDOMAIN||0||1"]),
        ("62 letters and one octet", dns([([b"a" * 62 + b"|"], A)], rcode=3),
         ["a" * 61 + "_x.||A||NXDOMAIN||0||1"]),
        ("owner that cannot be read", unreadable(dns(answers=[
            rr("LOOP", A, a("192.0.2.1")), rr("x", A, a("192.0.2.2")), rr("LOOP", A, a("192.0.2.3"))])),
         ["x.||A||192.0.2.2||300||1"]),
        ("question that cannot be read", unreadable(dns([("LOOP", A), ("x", A), ("y", A)], rcode=1)),
         ["x.||A||FORMERR||0||1", "y.||A||FORMERR||0||1"]),
    ]
    for label, message, want in cases:
        tap.equal(texts("passivedns", tap_frame(response=message)), [head + w for w in want],
                  "passivedns: " + label)
    tap.equal(texts("passivedns", tap_frame(CQ)), [], "passivedns: nothing of a query")
    tap.equal(texts("passivedns", tap_frame(response_time=None, query_time=None)), [],
              "passivedns: nothing without a time")
    tap.equal([x.split("||")[1:3] for x in texts("passivedns", tap_frame(
        response=TWO, client="2001:db8::1", server=None, family=2))], [["2001:db8::1", "::"]] * 2,
        "passivedns: absent IPv6 address")


def cof():
    soa_text = "ns.example.com. host.example.com. 1 7200 900 1209600 86400"
    got = [json.loads(x) for x in texts("cof", tap_frame(RR, response=TWO, zone=name("example.com")))]
    base = {"time_first": SEC, "time_last": SEC, "count": 1, "bailiwick": "example.com."}
    tap.equal(got, [
        dict(base, rrname="www.example.com.", rrtype="A", rdata=["192.0.2.1", "192.0.2.2"]),
        dict(base, rrname="example.com.", rrtype="NS", rdata=["ns.example.com."])], "cof: RRsets, bailiwick")
    got = [json.loads(x) for x in texts("cof", tap_frame(response=NODATA))]
    tap.equal([(d["rrtype"], d["rdata"], "bailiwick" in d) for d in got], [("SOA", [soa_text], False)],
              "cof: authority of NODATA")
    message = dns(answers=[rr("x", 65280, b"\1"), rr("x", A, a("192.0.2.1")), rr("x", A, a("192.0.2.1")),
                           rr("x", TXT, txt(b"v"), rclass=3)])
    got = [json.loads(x) for x in texts("cof", tap_frame(response=message))]
    tap.equal([(d["rrtype"], d["rdata"]) for d in got], [(65280, ["\\# 1 01"]), ("A", ["192.0.2.1"])],
              "cof: number of an unknown type, no duplicates, class IN only")
    message = unreadable(dns(answers=[rr("LOOP", A, a("192.0.2.1")), rr("x", A, a("192.0.2.2"))]))
    tap.equal([json.loads(x)["rrname"] for x in texts("cof", tap_frame(response=message))], ["x."],
              "cof: no rrname that is none")
    tap.equal(texts("cof", tap_frame(CQ)), [], "cof: nothing of a query")
    text = "\n".join(texts("cof", tap_frame(response=TWO)))
    tap.ok("192.0.2.10" not in text and "192.0.2.53" not in text, "cof: no client, no server", text)


def cef():
    head, severity, pairs = consumers.parse_cef(one("cef", tap_frame(response=TWO)).encode())
    tap.equal((head[:2], head[3:], severity),
              (["rsyslog", "mmdnstapparse"], ["CLIENT_RESPONSE", "DNS Response"], "1"), "cef: header")
    want = [("rt", "1700000000123"), ("start", "1700000000120"), ("end", "1700000000123"),
            ("src", "192.0.2.10"), ("spt", "53124"), ("dst", "192.0.2.53"), ("dpt", "53"),
            ("proto", "UDP"), ("app", "DNS"), ("destinationDnsDomain", WWW), ("outcome", "success"),
            ("reason", "NOERROR"), ("out", str(len(TWO))), ("dvchost", "ns1"),
            ("deviceProcessName", "BIND 9.18"), ("cn1", "0"), ("cn1Label", "dnsRcode"), ("cn2", "4660"),
            ("cn2Label", "dnsTransactionId"), ("cn3", "2"), ("cn3Label", "dnsAnswerCount"), ("cs1", "A"),
            ("cs1Label", "dnsQueryType"), ("cs2", "IN"), ("cs2Label", "dnsQueryClass"),
            ("cs3", "QR RD RA"), ("cs3Label", "dnsFlags"),
            ("cs4", "www.example.com 300 IN A 192.0.2.1, www.example.com 300 IN A 192.0.2.2"),
            ("cs4Label", "dnsAnswers"), ("cs5", "example.com 900 IN NS ns.example.com."),
            ("cs5Label", "dnsAuthority"), ("cs6", "QUERY"), ("cs6Label", "dnsOpcode"),
            ("RsyslogDnstapTimeNsec", "123456789"), ("RsyslogDnstapSocketProtocol", "UDP")]
    tap.equal(list(pairs.items()), want, "cef: the pairs and their order")
    _, severity, pairs = consumers.parse_cef(one("cef", tap_frame(CQ)).encode())
    tap.ok(severity == "1" and "outcome" not in pairs and "cn1" not in pairs and "in" in pairs, "cef: query", pairs)
    for rcode, want in ((0, 1), (1, 4), (2, 5), (3, 2), (4, 3), (5, 4), (6, 2), (7, 2), (8, 2), (9, 3),
                        (10, 3), (11, 5), (16, 5), (23, 5)):
        _, severity, pairs = consumers.parse_cef(one("cef", tap_frame(response=dns(rcode=rcode))).encode())
        tap.equal((int(severity), pairs["outcome"]), (want, "failure" if rcode else "success"),
                  "cef: severity of rcode %d" % rcode)
    _, severity, pairs = consumers.parse_cef(one("cef", tap_frame(policy=policy(
        action=4, rule=name([b"a=b;c", b"rpz"])))).encode())
    tap.ok(severity == "6" and pairs["act"] == "DROP" and
           re.fullmatch(r"a\\061b\\*\\059c\.rpz", pairs["RsyslogDnstapPolicyRule"]),
           "cef: a policy hit, no = and ; in keys of our own", pairs)
    _, severity, pairs = consumers.parse_cef(one("cef", b"\xff").encode())
    tap.ok(severity == "6" and pairs["msg"] and pairs["RsyslogDnstapMalformed"] == "1", "cef: no protobuf", pairs)
    raw = one("cef", tap_frame(identity=b"a=b|c\\d\ne\tf", response=dns(answers=[
        rr("x", TXT, txt(b"k=v|\\"))])))
    tap.ok(" dvchost=a\\=b|c\\\\d\\ne\\\\009f deviceProcessName=" in raw, "cef: escapes of a value", raw)
    tap.ok(' cs4=x 300 IN TXT "k\\=v|\\\\\\\\" cs4Label=' in raw, "cef: escapes of rdata", raw)
    long = dns(answers=[rr("x", TXT, txt(b"y" * 200)) for _ in range(40)])
    _, _, pairs = consumers.parse_cef(one("cef", tap_frame(response=long)).encode())
    whole = 'x 300 IN TXT "%s"' % ("y" * 200)
    tap.equal((pairs["cs4"], pairs["RsyslogDnstapTruncated"]), (", ".join([whole] * 18), "1"),
              "cef: answers end at a record")
    _, _, pairs = consumers.parse_cef(one("cef", tap_frame(identity=b"\xc3\xa9" * 60)).encode())
    tap.equal(pairs["dvchost"], "\u00e9" * 50, "cef: values end at a character")


def ecs():
    d = obj("ecs", tap_frame(response=TWO, query_time=(SEC, 100000000)))
    tap.equal(d["@timestamp"], "2023-11-14T22:13:20.123456789Z", "ecs: @timestamp")
    tap.equal(d["event"], {
        "kind": "event", "category": ["network"], "type": ["connection", "protocol"],
        "action": "CLIENT_RESPONSE", "module": "dnstap", "dataset": "dnstap.message", "outcome": "success",
        "start": "2023-11-14T22:13:20.100000000Z", "end": "2023-11-14T22:13:20.123456789Z",
        "duration": 23456789}, "ecs: event")
    tap.equal(d["dns"], {
        "type": "answer", "id": "4660", "op_code": "QUERY", "header_flags": ["RD", "RA"],
        "response_code": "NOERROR", "question": {"name": WWW, "type": "A", "class": "IN"},
        "answers": [{"name": WWW, "type": "A", "class": "IN", "ttl": 300, "data": "192.0.2.%d" % i}
                    for i in (1, 2)], "resolved_ip": ["192.0.2.1", "192.0.2.2"]}, "ecs: dns")
    client = {"address": "192.0.2.10", "ip": "192.0.2.10", "port": 53124}
    server = {"address": "192.0.2.53", "ip": "192.0.2.53", "port": 53, "bytes": len(TWO)}
    tap.equal([d[k] for k in ("source", "client", "destination", "server")], [client, client, server, server],
              "ecs: endpoints")
    tap.equal(d["network"], {"protocol": "dns", "transport": "udp", "type": "ipv4", "bytes": len(TWO)}, "ecs: network")
    tap.equal(d["related"], {"ip": ["192.0.2.10", "192.0.2.53", "192.0.2.1", "192.0.2.2"], "hosts": [WWW]},
              "ecs: related")
    tap.equal((d["observer"], d["tags"], d["ecs"]),
              ({"name": "ns1", "version": "BIND 9.18"}, [], {"version": "8.11.0"}), "ecs: observer, tags, version")
    tap.equal(obj("ecs", tap_frame(response=dns(rcode=3)))["event"]["outcome"], "failure", "ecs: NXDOMAIN fails")
    d = obj("ecs", tap_frame(CQ))
    tap.ok(d["event"]["outcome"] == "unknown" and d["dns"]["type"] == "query" and
           "answers" not in d["dns"] and "response_code" not in d["dns"], "ecs: query", d)
    d = obj("ecs", b"\xff")
    tap.ok(d["event"]["kind"] == "pipeline_error" and d["event"]["original"] == "/w==" and
           d["error"]["message"] and d["tags"] == ["no_time", "malformed"], "ecs: no protobuf", d)


def ocsf():
    d = obj("ocsf", tap_frame(response=TWO))
    tap.equal([d[k] for k in ("activity_id", "category_uid", "class_uid", "type_uid", "severity_id", "time",
                              "query_time", "response_time", "status_id")],
              [2, 4, 4003, 400302, 1, 1700000000123, 1700000000120, 1700000000123, 1],
              "ocsf: classification and times")
    tap.equal([d[k] for k in ("query", "rcode", "rcode_id", "flag_ids", "opcode_id", "transaction_id")],
              [{"hostname": WWW, "type": "A", "class": "IN"}, "NoError", 0, [3, 4], 0, 4660], "ocsf: dns")
    tap.equal(d["answers"][1], {"hostname": WWW, "type": "A", "class": "IN", "ttl": 300, "rdata": "192.0.2.2"},
              "ocsf: answer")
    tap.equal(d["authority"][0]["rdata"], "ns.example.com.", "ocsf: authority")
    tap.equal((d["src_endpoint"], d["dst_endpoint"], d["connection_info"]),
              ({"ip": "192.0.2.10", "port": 53124}, {"ip": "192.0.2.53", "port": 53, "svc_name": "dns"},
               {"direction_id": 0, "protocol_name": "udp", "protocol_num": 17, "protocol_ver_id": 4}),
              "ocsf: endpoints and connection")
    for mtype, both, want in ((CQ, False, 1), (CR, False, 2), (CR, True, 6)):
        frame = tap_frame(mtype, response=dns(), query=query_message()) if both else tap_frame(mtype)
        d = obj("ocsf", frame)
        tap.equal((d["activity_id"], d["type_uid"]), (want, 400300 + want), "ocsf: activity %d" % want)
    for rcode, want in ((3, ("NXDomain", 3)), (12, ("Unassigned", 24)), (16, ("BADVERS", 16)),
                        (3841, ("Reserved", 25))):
        d = obj("ocsf", tap_frame(response=dns(rcode=rcode)))
        tap.equal((d["rcode"], d["rcode_id"], d["status_id"]), want + (2,), "ocsf: rcode %d" % rcode)
    for opcode, want in ((0, ("Query", 0)), (5, ("Update", 5)), (6, ("DSO Message", 6)), (9, ("OPCODE9", 99))):
        d = obj("ocsf", tap_frame(response=dns(opcode=opcode)))
        tap.equal((d["opcode"], d["opcode_id"]), want, "ocsf: opcode %d" % opcode)
    d = obj("ocsf", b"\xff")
    tap.equal((d["activity_id"], d["status_id"], d["raw_data"], d["time"]), (0, 99, "/w==", 0), "ocsf: no protobuf")


def unresolving():
    """Sections that answer nothing, with everything else as in an answer: no format may say that they do."""
    sections = dict(answers=[rr("claim.example", A, a("198.51.100.1"))],
                    authorities=[rr("claim.example", A, a("198.51.100.2"))])
    zone = [("example", SOA)]
    cases = [("UPDATE request", tap_frame(13, query=dns(zone, flags=0, opcode=5, **sections))),
             ("query with answers", tap_frame(CQ, query=query_message(zone, **sections))),
             ("response where the query belongs", tap_frame(CQ, query=dns(zone, **sections))),
             ("query where the response belongs", tap_frame(CR, response=dns(zone, flags=0, **sections)))]
    cases += [("UPDATE response of rcode %d" % rcode, tap_frame(14, response=dns(
        zone, flags=0x8000, opcode=5, rcode=rcode, **sections))) for rcode in (0, 5, 9)]
    cases += [("response of opcode %d" % opcode, tap_frame(CR, response=dns(
        zone, flags=0x8400, opcode=opcode, rcode=rcode, **sections)))
        for opcode in (1, 2, 4, 5, 6, 15) for rcode in (0, 3)]
    for label, frame in cases:
        update = "UPDATE" in label or label.endswith("opcode 5")
        tap.equal(texts("passivedns", frame) + texts("cof", frame), [], "%s: no passivedns, no cof" % label)
        d = obj("json", frame)["dns"]
        tap.equal((d["resolved_ip"], [d[k][0]["data"] for k in ("answers", "authorities")], "section_names" in d),
                  ([], ["198.51.100.1", "198.51.100.2"], update), "%s: json shows it and resolves nothing" % label)
        d = obj("ecs", frame)
        tap.equal((d["dns"].get("answers", []), d["dns"].get("resolved_ip", []), d["related"]["ip"]),
                  ([], [], ["192.0.2.10", "192.0.2.53"]), "%s: ecs" % label)
        d = obj("ocsf", frame)
        tap.ok(d.get("answers", []) == [] and not (update and d.get("authority")), "%s: ocsf" % label, d)
        tap.ok("198.51.100" not in one("text", frame), "%s: text" % label, one("text", frame))
        d, cut = obj("logstash", frame), obj("logstash_cut", frame)
        want = [] if update else [["claim.example. 300 IN A 198.51.100.2"]]
        tap.equal((d["answers"], cut["answers"], d["authorities"], cut["authorities"]), ([], "", want, want),
                  "%s: logstash" % label)
        _, _, pairs = consumers.parse_cef(one("cef", frame).encode())
        want = (("claim.example 300 IN A 198.51.100.1", "dnsPrerequisites", "dnsUpdates", "dnsPrerequisiteCount")
                if update else (None, None, "dnsAuthority", "dnsAnswerCount"))
        tap.equal(tuple(pairs.get(k) for k in ("cs4", "cs4Label", "cs5Label", "cn3Label")), want, "%s: cef" % label)
    tap.equal(texts("passivedns", tap_frame(14, response=dns(zone, flags=0x8000, opcode=5, rcode=5))), [],
              "passivedns: a refused UPDATE is no error of a name's")


def cut_record():
    """What the message's end cuts is not all that the server said: passive DNS has the records before it."""
    message = dns(answers=[rr(WWW, A, a("192.0.2.1")), rr(WWW, A, a("192.0.2.2"))])
    whole, frame = tap_frame(response=message), tap_frame(response=message[:-2])
    tap.equal(obj("json", frame)["dns"]["answers"][1]["data"], "\\# 2 C000", "json: a record that is cut")
    tap.equal((texts("passivedns", frame), len(texts("passivedns", whole))),
              (["1700000000.123456||192.0.2.10||192.0.2.53||IN||www.example.com.||A||192.0.2.1||300||1"], 2),
              "passivedns: without a record that is cut")
    tap.equal([json.loads(line)["rdata"] for line in texts("cof", frame)], [["192.0.2.1"]],
              "cof: without a record that is cut")
    tap.equal(texts("cof", tap_frame(response=dns(answers=[rr(WWW, A, a("192.0.2.1"))])[:-2])), [],
              "cof: nothing but a record that is cut")


for part in (cut_record, unresolving, logstash, logstash_cut, passivedns, cof, cef, ecs, ocsf):
    try:
        part()
    except (AssertionError, KeyError, ValueError, IndexError) as e:
        tap.ok(False, part.__name__, repr(e))
tap.done()
