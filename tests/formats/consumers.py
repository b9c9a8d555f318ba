# SPDX-License-Identifier: Apache-2.0
"""The parsers of the formats' consumers, written again from their published rules, as strict as the strictest.

Each check_FORMAT(line) takes one line as octets and returns a list of problems; empty: accepted.
"""
import ipaddress
import json
import re

# --- passivedns: SOF-ELK's grok (configfiles/6014-passivedns.conf, grok-patterns), Logstash's WORD, INT, IP ---
_IP = r"(?P<%s>[0-9A-Fa-f:.]+)"
_UNIX_MSEC = r"(?<![0-9.+-])(?:[+-]?(?:(?:[0-9]+(?:\.[0-9]{3})?)|(?:\.[0-9]+)))"
_HOSTNAME = (r"\b(?:[0-9A-Za-z_][0-9A-Za-z\-_]{0,62})(?:\.(?:[0-9A-Za-z_][0-9A-Za-z\-_]{0,62}))*"
             r"(?:\.?|\b)")
_PDNS_HOSTNAME = r"(?:%s|\.\/)" % _HOSTNAME
_WORD, _INT = r"\b\w+\b", r"[+-]?[0-9]+"
SOF_ELK = re.compile(
    "(?P<ts>" + _UNIX_MSEC + r")[0-9]*\|\|" + _IP % "client" + r"\|\|" + _IP % "server" + r"\|\|(?P<class>" +
    _WORD + r")\|\|(?P<query>" + _PDNS_HOSTNAME + r")\|\|(?P<type>" + _WORD + r")\|\|(?P<answer>" +
    _PDNS_HOSTNAME + r"|[^|]+)\|\|(?P<ttl>" + _INT + r")\|\|(?P<count>" + _INT + ")", re.ASCII)


def check_passivedns(line):
    text = line.decode("ascii", "replace")
    problems = []
    m = SOF_ELK.search(text)
    if not m or m.group(0) != text:
        return ["no match for SOF-ELK: %r" % text]
    for key in ("client", "server"):
        try:
            ipaddress.ip_address(m.group(key))
        except ValueError:
            problems.append("%s is no address: %r" % (key, m.group(key)))
    fields = re.split(r"\|\|", text)  # pdns2db.pl
    if len(fields) != 9:
        problems.append("%d fields, pdns2db wants 9: %r" % (len(fields), text))
    if not re.fullmatch(r"[0-9]+\.[0-9]{6,}", fields[0]):
        problems.append("time is not sec.usec: %r" % fields[0])
    if fields[-1] != "1":
        problems.append("count %r" % fields[-1])
    if not re.fullmatch(r"[ -~]+", text):
        problems.append("not printable: %r" % line)
    return problems


# --- CEF: the standard's lengths, and the grammar of Beats' decode_cef ---
CEF_INT = {"spt", "dpt", "in", "out", "cn1", "cn2", "cn3", "rt", "start", "end", "RsyslogDnstapTimeNsec",
           "RsyslogDnstapTruncated", "RsyslogDnstapMalformed"}
CEF_LEN = {"src": 45, "dst": 45, "proto": 31, "app": 31, "act": 63, "destinationDnsDomain": 255,
           "outcome": 63, "reason": 1023, "msg": 1023, "dvchost": 100, "deviceProcessName": 1023,
           "RsyslogDnstapSocketProtocol": 1023, "RsyslogDnstapPolicyRule": 1023}
for _n in range(1, 7):
    CEF_LEN["cs%d" % _n] = 4000
    CEF_LEN["cs%dLabel" % _n] = CEF_LEN["cn%dLabel" % _n] = 1023
_CEF_HEAD = re.compile(r"CEF:[0-9]+((?:\|(?:[^|\\]|\\[|\\])*){5})\|([A-Za-z0-9-]+)\|", re.S)
_CEF_KEY = re.compile(r"(?:^| )([A-Za-z0-9_.,\[\]]+)=")


def parse_cef(line):
    """(header fields, severity, {key: value}) or ValueError."""
    text = line.decode("utf-8")
    if re.search(r"[\x00-\x1f\x7f]", text):
        raise ValueError("control octet")
    m = _CEF_HEAD.match(text)
    if not m:
        raise ValueError("header")
    head = [re.sub(r"\\(.)", r"\1", f) for f in re.findall(r"\|((?:[^|\\]|\\[|\\])*)", m.group(1))]
    rest, pairs, pos = text[m.end():], {}, 0
    while pos < len(rest):
        k = _CEF_KEY.match(rest, pos) if pos else _CEF_KEY.match(rest)
        if not k:
            raise ValueError("no key at %r" % rest[pos:pos + 40])
        pos = k.end()
        value = ""
        while pos < len(rest):
            c = rest[pos]
            if c == "\\":
                if rest[pos + 1:pos + 2] not in ("\\", "=", "n", "r"):
                    raise ValueError("escape %r" % rest[pos:pos + 2])
                value += {"n": "\n", "r": "\r"}.get(rest[pos + 1], rest[pos + 1])
                pos += 2
                continue
            if c == "=":
                raise ValueError("bare = at %r" % rest[max(0, pos - 20):pos + 20])
            if c == " " and _CEF_KEY.match(rest, pos):
                break
            value += c
            pos += 1
        if k.group(1) in pairs:
            raise ValueError("twice: " + k.group(1))
        pairs[k.group(1)] = value
    return head, m.group(2), pairs


def check_cef(line):
    try:
        head, severity, pairs = parse_cef(line)
    except (ValueError, UnicodeDecodeError) as e:
        return ["%s: %r" % (e, line)]
    problems = []
    for value, most in zip(head, (63, 63, 31, 1023, 512)):
        if not value or len(value) > most:
            problems.append("header field %r" % value)
    if not re.fullmatch(r"[0-9]|10", severity):
        problems.append("severity %r" % severity)
    for key, value in pairs.items():
        if not value or value != value.strip(" "):
            problems.append("%s is empty or has outer spaces: %r" % (key, value))
        if key in CEF_INT:
            if not re.fullmatch(r"0|[1-9][0-9]{0,18}", value) or int(value) >= 2 ** 63:
                problems.append("%s is no integer: %r" % (key, value))
        elif key not in CEF_LEN:
            problems.append("unknown key %r in %r" % (key, line))
        elif len(value.encode()) > CEF_LEN[key]:
            problems.append("%s is %d long" % (key, len(value)))
        if key in ("src", "dst"):
            ipaddress.ip_address(value)
        if key in ("spt", "dpt") and int(value) > 65535:
            problems.append("port %s" % value)
        if key.startswith("RsyslogDnstap") and re.search("[;=]", value):
            problems.append("%s: Sentinel would split %r" % (key, value))
        if re.fullmatch("c[sn][0-9]", key) and key + "Label" not in pairs:
            problems.append(key + " without label")
        if key.endswith("Label") and key[:-5] not in pairs:
            problems.append(key + " without value")
    return problems


# --- JSON ---
def parse_json(line):
    """One object per line, valid UTF-8, no key twice."""
    def unique(pairs):
        keys = [k for k, _ in pairs]
        if len(keys) != len(set(keys)):
            raise ValueError("key twice in %r" % keys)
        return dict(pairs)
    text = line.decode("utf-8")
    if "\n" in text:
        raise ValueError("newline")
    value = json.loads(text, object_pairs_hook=unique,
                       parse_constant=lambda c: (_ for _ in ()).throw(ValueError(c)))
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


LOGSTASH_KEYS = ["timestamp", "identity", "version", "query_direction", "query_address", "query_port",
                 "response_address", "response_port", "response_len", "query_id", "rcode_string", "rcode",
                 "flags", "question", "answers", "authorities"]
DIRECTIONS = set("AQ AR RQ RR CQ CR FQ FR SQ SR TQ TR UQ UR unknown".split())


def _strings_of_strings(value):
    return isinstance(value, list) and all(
        isinstance(x, list) and x and all(isinstance(s, str) for s in x) for x in value)


def check_logstash(line, cut=False):
    try:
        d = parse_json(line)
    except ValueError as e:
        return ["%s: %r" % (e, line[:300])]
    problems = []
    if list(d)[:len(LOGSTASH_KEYS)] != LOGSTASH_KEYS:
        problems.append("keys %r" % list(d))
    if set(d) - set(LOGSTASH_KEYS) - {"truncated", "malformed", "error"}:
        problems.append("more keys %r" % list(d))
    for key in ("timestamp", "query_port", "response_port", "response_len"):
        if type(d[key]) is not int:
            problems.append("%s: %r" % (key, d[key]))
    for key in ("query_id", "rcode"):
        if type(d[key]) is not int and not ("malformed" in d and d[key] is None):
            problems.append("%s: %r" % (key, d[key]))
    for key in ("identity", "version", "flags"):
        if not isinstance(d[key], str):
            problems.append("%s: %r" % (key, d[key]))
    for key in ("query_address", "response_address"):
        if d[key] is not None:
            ipaddress.ip_address(d[key])
    if d["query_direction"] not in DIRECTIONS:
        problems.append("direction %r" % d["query_direction"])
    if not re.fullmatch("((QR|AA|TC|RD|RA|AD|CD)( |$))*", d["flags"]) or d["flags"].endswith(" "):
        problems.append("flags %r" % d["flags"])
    for key in ("question", "authorities") + (() if cut else ("answers",)):
        if not _strings_of_strings(d[key]):
            problems.append("%s: %r" % (key, d[key]))
    if cut and not isinstance(d["answers"], str):
        problems.append("answers: %r" % d["answers"])
    rrs = [s for k in ("authorities",) for x in d[k] for s in x]
    rrs += ([d["answers"]] if d["answers"] else []) if cut else [s for x in d["answers"] for s in x]
    for s in rrs:  # "name. ttl class type rdata"
        if not re.match(r"[!-~]*\. [0-9]+ [A-Z0-9]+ [A-Z0-9-]+( |$)", s):
            problems.append("RR text %r" % s)
    return problems


def check_logstash_cut(line):
    return check_logstash(line, cut=True)


# --- ECS: types of the fields that may occur (schemas/*.yml of elastic/ecs) ---
ECS = {
    "@timestamp": "date", "tags": "keyword[]", "ecs.version": "keyword", "error.message": "text",
    "event.kind": "keyword", "event.category": "keyword[]", "event.type": "keyword[]",
    "event.action": "keyword", "event.module": "keyword", "event.dataset": "keyword",
    "event.outcome": "keyword", "event.start": "date", "event.end": "date", "event.duration": "long",
    "event.original": "keyword", "dns.type": "keyword", "dns.id": "keyword", "dns.op_code": "keyword",
    "dns.header_flags": "keyword[]", "dns.response_code": "keyword", "dns.question.name": "keyword",
    "dns.question.type": "keyword", "dns.question.class": "keyword", "dns.answers": "object[]",
    "dns.answers.name": "keyword", "dns.answers.type": "keyword", "dns.answers.class": "keyword",
    "dns.answers.ttl": "long", "dns.answers.data": "keyword", "dns.resolved_ip": "ip[]",
    "network.protocol": "keyword", "network.transport": "keyword", "network.type": "keyword",
    "network.bytes": "long", "related.ip": "ip[]", "related.hosts": "keyword[]",
    "observer.name": "keyword", "observer.version": "keyword", "rule.name": "keyword",
    "rule.ruleset": "keyword", "rule.category": "keyword",
}
for _side in ("source", "destination", "client", "server"):
    ECS.update({_side + ".address": "keyword", _side + ".ip": "ip", _side + ".port": "long",
                _side + ".bytes": "long"})
ECS_ALLOWED = {
    "event.kind": {"event", "pipeline_error"}, "event.category": {"network"},
    "event.type": {"connection", "protocol"}, "event.outcome": {"success", "failure", "unknown"},
    "dns.type": {"query", "answer"}, "dns.header_flags": {"AA", "TC", "RD", "RA", "AD", "CD", "DO"},
    "network.protocol": {"dns"}, "network.transport": {"udp", "tcp"}, "network.type": {"ipv4", "ipv6"},
}
_DATE = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]\.[0-9]{1,9}Z")


def _ecs_value(path, kind, value):
    if kind == "date":
        return isinstance(value, str) and _DATE.fullmatch(value)
    if kind == "long":
        return type(value) is int and 0 <= value < 2 ** 63
    if kind == "ip":
        ipaddress.ip_address(value)
        return True
    return isinstance(value, str) and (path not in ECS_ALLOWED or value in ECS_ALLOWED[path])


def _ecs_walk(prefix, obj, problems):
    for key, value in obj.items():
        path = prefix + key
        kind = ECS.get(path)
        if kind is None and isinstance(value, dict):
            if not value:
                problems.append("empty object " + path)
            _ecs_walk(path + ".", value, problems)
        elif kind is None:
            problems.append("no ECS field: " + path)
        elif kind == "object[]":
            for item in value:
                if set(item) != {"name", "type", "class", "ttl", "data"}:
                    problems.append("%s: %r" % (path, item))
                _ecs_walk(path + ".", item, problems)
        elif kind.endswith("[]"):
            if not isinstance(value, list):
                problems.append("%s is no array: %r" % (path, value))
            elif not all(_ecs_value(path, kind[:-2], v) for v in value):
                problems.append("%s is no %s: %r" % (path, kind, value))
        elif not _ecs_value(path, kind, value):
            problems.append("%s is no %s: %r" % (path, kind, value))


def check_ecs(line):
    try:
        d = parse_json(line)
    except ValueError as e:
        return ["%s: %r" % (e, line[:300])]
    problems = []
    for path in ("@timestamp", "ecs", "event"):
        if path not in d:
            problems.append("no " + path)
    _ecs_walk("", d, problems)
    if d["event"]["kind"] == "pipeline_error" and "error" not in d:
        problems.append("pipeline_error without error")
    if re.search(r"[^ -~]", d.get("dns", {}).get("question", {}).get("name", "")):
        problems.append("question name has raw octets")
    return problems


# --- OCSF DNS Activity 4003 (events/network/dns_activity.json, 1.9) ---
OCSF_REQUIRED = {"activity_id": int, "category_uid": int, "class_uid": int, "type_uid": int,
                 "severity_id": int, "time": int, "metadata": dict}
OCSF_OPTIONAL = {
    "status_id": int, "status": str, "status_detail": str, "raw_data": str, "src_endpoint": dict,
    "dst_endpoint": dict, "connection_info": dict, "traffic": dict, "query_time": int,
    "response_time": int, "transaction_id": int, "opcode": str, "opcode_id": int, "flag_ids": list,
    "query": dict, "rcode": str, "rcode_id": int, "answers": list, "authority": list, "unmapped": dict}


def check_ocsf(line):
    try:
        d = parse_json(line)
    except ValueError as e:
        return ["%s: %r" % (e, line[:300])]
    problems = ["no " + k for k in OCSF_REQUIRED if k not in d]
    for key, value in d.items():
        kind = OCSF_REQUIRED.get(key) or OCSF_OPTIONAL.get(key)
        if kind is None or type(value) is not kind:
            problems.append("%s: %r" % (key, value))
    if problems:
        return problems
    if (d["class_uid"], d["category_uid"]) != (4003, 4) or d["activity_id"] not in (0, 1, 2, 6) or \
            d["type_uid"] != 400300 + d["activity_id"] or d["severity_id"] not in range(7):
        problems.append("classification: %r" % line[:200])
    meta = d["metadata"]
    if not isinstance(meta.get("version"), str) or not meta.get("product", {}).get("name"):
        problems.append("metadata %r" % meta)
    if not 0 <= d["time"] < 2 ** 53:
        problems.append("time %r" % d["time"])
    if "src_endpoint" not in d and "dst_endpoint" not in d:
        problems.append("no endpoint")
    for key in ("src_endpoint", "dst_endpoint"):
        end = d.get(key)
        if end is not None and not ({"ip", "svc_name"} & set(end)):
            problems.append("%s: %r" % (key, end))
        if end and "ip" in end:
            ipaddress.ip_address(end["ip"])
    if "connection_info" in d and "direction_id" not in d["connection_info"]:
        problems.append("connection_info without direction_id")
    if "query" in d and not isinstance(d["query"].get("hostname"), str):
        problems.append("query without hostname")
    for key in ("answers", "authority"):
        for item in d.get(key, []):
            if not isinstance(item.get("rdata"), str) or type(item["ttl"]) is not int:
                problems.append("%s: %r" % (key, item))
    if set(d.get("flag_ids", [])) - set(range(1, 7)):
        problems.append("flag_ids %r" % d["flag_ids"])
    if "rcode_id" in d and d["rcode_id"] not in list(range(12)) + list(range(16, 26)) + [99]:
        problems.append("rcode_id %r" % d["rcode_id"])
    if d.get("status_id") == 99 and not d.get("status"):
        problems.append("status_id Other without status")
    return problems


# --- Passive DNS COF (draft-dulaunoy-dnsop-passive-dns-cof) ---
def check_cof(line):
    try:
        d = parse_json(line)
    except ValueError as e:
        return ["%s: %r" % (e, line[:300])]
    problems = []
    if set(d) - {"rrname", "rrtype", "rdata", "time_first", "time_last", "count", "bailiwick"}:
        problems.append("keys %r" % list(d))
    if not isinstance(d.get("rrname"), str) or not d["rrname"].endswith("."):
        problems.append("rrname %r" % d.get("rrname"))
    if not isinstance(d.get("rrtype"), str) and type(d.get("rrtype")) is not int:
        problems.append("rrtype %r" % d.get("rrtype"))
    rdata = d.get("rdata")
    if not isinstance(rdata, list) or not rdata or not all(isinstance(x, str) for x in rdata) or \
            len(set(rdata)) != len(rdata):
        problems.append("rdata %r" % rdata)
    for key in ("time_first", "time_last", "count"):
        if type(d.get(key)) is not int:
            problems.append("%s %r" % (key, d.get(key)))
    if d.get("time_first", 0) > d.get("time_last", 0):
        problems.append("times")
    if "bailiwick" in d and not d["bailiwick"].endswith("."):
        problems.append("bailiwick %r" % d["bailiwick"])
    return problems


SINGLE = ["logstash", "ecs", "ocsf", "cef"]
MULTI = ["logstash_cut", "passivedns", "cof"]
CHECKS = {f: globals()["check_" + f] for f in SINGLE + MULTI}


def check(form, line):
    try:
        return CHECKS[form](line)
    except (ValueError, KeyError, TypeError) as e:
        return ["%s %s: %r" % (type(e).__name__, e, line[:300])]
