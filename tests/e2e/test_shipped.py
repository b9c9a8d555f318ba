#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The files of rsyslog.conf.d and the examples of doc/, as shipped.

Covers: every file loads (rsyslogd -N1), the documents' examples do what they say; each destination's receiver gets exactly the events that
dnstap_render prints for the same frames, and the consumers' parsers take them: UDP, TCP, TLS, file, bulk;
a receiver that is away at first; an event larger than a datagram. Other collectors are in test_collectors.py.
"""
import http.server
import json
import os
import re
import socket
import ssl
import threading

import fstrm
import tap
from harness import SOURCE, Rsyslogd, check_config, corpus, wait_for
from programs import need_plugins
from shipped import CONF_DIR, FILES, PROLOGUE, RETRY, certificates, check_accepted, check_same, consumers, made, \
    play, receive, rendered, start

# What 8.2608 says of these files and older ones do not (doc/compatibility.md): defaults that
# compatibility.defaults.secure changes, a parameter that older Elasticsearch needs, and a server that it asks for its kind.
NEWER = ("^rsyslogd: (warning during parsing file .*: backward-compatible insecure default in use: |"
         "omelasticsearch: (parameter 'searchType' is deprecated |platform detection request to |"
         "unable to detect target platform ))")


@tap.cases(*FILES)
def test_file_loads(case, name):
    with open(os.path.join(CONF_DIR, name)) as file:
        text = file.read()
    need_plugins(text)
    status, lines = check_config(case.dir, text)
    bad = [line for line in lines if not re.search("^rsyslogd: (version|End of config)|" + NEWER, line)]
    assert status == 0 and not bad, bad


def example(document, word):
    """The indented block of a document that holds the word."""
    with open(os.path.join(SOURCE, "doc", document)) as file:
        blocks = re.findall(r"\n\n((?:    .*\n|\n(?=    ))+)", file.read())
    (block,) = [b for b in blocks if word in b]
    return "".join(line[4:] if line.startswith("    ") else line for line in block.splitlines(True))


def test_foreach_example(case):
    """The scripted way of formats.md: one line per answer."""
    daemon = Rsyslogd(case.dir)
    body = example("formats.md", "foreach").replace("/var/log/answers.log", case.dir + "/answers")
    with open(daemon.conf, "w") as file:
        file.write(PROLOGUE.replace("{dir}", case.dir) + f"""
module(load="imdnstap")
module(load="mmdnstapparse")
template(name="line" type="string" string="%$.line%\\n")
input(type="imdnstap" path="{daemon.socket}" ruleset="dnstap")
ruleset(name="dnstap" queue.type="LinkedList") {{
    action(type="mmdnstapparse")
    {body}
}}
""")
    case.start(daemon)
    daemon.wait_socket()
    play(daemon)
    want = [f"{e['dns']['id']} {rr['name']} {rr['type']} {rr['data']}".encode()
            for e in map(json.loads, rendered("json")) if "dns" in e for rr in e["dns"]["answers"]]
    check_same(daemon.wait_lines(len(want), "answers"), want)


def test_migration_example(case):
    """dnstap2logstash.py -c -l as migration.md writes it: a datagram per answer, and a copy to the syslog."""
    receiver = receive(case, kind=socket.SOCK_DGRAM)
    daemon = Rsyslogd(case.dir)
    text = example("migration.md", "module(load")
    for old, new in (("/run/dnstap.sock", daemon.socket), ('target="logstash.example" port="6052"',
                     f'target="127.0.0.1" port="{receiver.port}"')):
        assert old in text
        text = text.replace(old, new)
    with open(daemon.conf, "w") as file:
        file.write(PROLOGUE.replace("{dir}", case.dir) + text + f"""
template(name="copy" type="string" string="%msg%\\n")
if $programname == "dnstap" then action(type="omfile" file="{case.dir}/syslog" template="copy")
""")
    case.start(daemon)
    daemon.wait_socket()
    path = corpus("unbound-unix-bidi")
    fstrm.deliver(daemon.socket, made.frames_of(path))
    want = [line for line in rendered("logstash_cut", path) if b'"query_direction":"CR"' in line]
    assert len(want) > 100
    wait_for(f"{len(want)} datagrams", lambda: len(receiver.pieces) >= len(want))
    check_same(receiver.pieces, want)
    check_same(daemon.wait_lines(len(want), "syslog"), want)
    check_accepted("logstash_cut", want)


def test_logstash_udp(case):
    receiver = receive(case, kind=socket.SOCK_DGRAM)
    play(start(case, "logstash-udp.conf", ('port="6052"', f'port="{receiver.port}"'),
               ("/var/log/", case.dir + "/")))
    want = rendered("logstash")
    wait_for(f"{len(want)} datagrams", lambda: len(receiver.pieces) >= len(want))
    check_same(receiver.pieces, want)


def test_logstash_udp_larger_than_a_datagram(case):
    """What no datagram can carry is in the file, whole, and marked; the small one after it was sent."""
    receiver = receive(case, kind=socket.SOCK_DGRAM)
    daemon = start(case, "logstash-udp.conf", ('port="6052"', f'port="{receiver.port}"'),
                   ("/var/log/", case.dir + "/"))
    rdata = made.txt(*[b"x" * 250] * 4)
    large = made.tap(response=made.dns([("t", 16)], [made.rr("t", 16, rdata) for _ in range(64)]))
    many = made.tap(response=made.dns(answers=[made.rr("www", 1, bytes([192, 0, 2, i % 256]))
                                               for i in range(3000)]))
    play(daemon, [large, many])
    wait_for("one datagram", lambda: receiver.pieces)
    event = json.loads(receiver.pieces[0])
    assert event["truncated"] is True and len(event["answers"][0]) == 100, event
    if len(made.render("logstash", [large])[0]) > 65000:
        lines = daemon.wait_lines(1, "dnstap-oversize.json")
        assert lines == made.render("logstash", [large])
    else:
        raise AssertionError("the event is too small for this test")


def test_logstash_tcp_receiver_away(case):
    """Nobody listens at first; everything arrives once somebody does. Plain TCP knows no acknowledgement, so
    rsyslog may send the message during which it noticed twice."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    daemon = start(case, "logstash-tcp.conf", ('port="6053"', f'port="{port}"'), RETRY)
    play(daemon)
    daemon.wait_log("suspended")
    receiver = receive(case, port=port)
    want = rendered("logstash")
    wait_for(f"{len(want)} lines", lambda: set(want) <= set(receiver.lines()), 40)
    assert set(receiver.lines()) == set(want)


def test_cef_tcp(case):
    receiver = receive(case)
    daemon = start(case, "cef-tcp.conf", ('port="514"', f'port="{receiver.port}"'), RETRY)
    play(daemon)
    want = rendered("cef")
    wait_for(f"{len(want)} lines", lambda: len(receiver.lines()) >= len(want))
    matches = [re.fullmatch(rb"<30>1 \S+T\S+ \S+ dnstap - - - (CEF:0\|.*)", line)
               for line in receiver.lines()]
    assert all(matches), receiver.lines()[:2]
    check_same([m.group(1) for m in matches], want)


def octet_counted(octets):
    """Frames of RFC 5425 4.3; a partial one at the end is left out."""
    out = []
    while True:
        m = re.match(rb"([1-9][0-9]*) ", octets)
        if not m or len(octets) - m.end() < int(m.group(1)):
            assert m or not octets or octets.isdigit(), octets[:80]
            return out
        out.append(octets[m.end():m.end() + int(m.group(1))])
        octets = octets[m.end() + int(m.group(1)):]


def test_cef_tls(case):
    certificates(case.dir, "siem.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(case.dir + "/s.pem", case.dir + "/s.key")
    receiver = receive(case, tls=context)
    daemon = start(case, "cef-tls.conf", ('port="6514"', f'port="{receiver.port}"'), RETRY,
                   ("/etc/ssl/certs/ca-certificates.crt", case.dir + "/ca.pem"))
    play(daemon)
    want = rendered("cef")
    wait_for(f"{len(want)} messages", lambda: len(octet_counted(receiver.octets())) >= len(want), 40)
    got = [m[m.index(b"CEF:0|"):].rstrip(b"\n") for m in octet_counted(receiver.octets())]
    check_same(got, want)


def test_passivedns(case):
    receiver = receive(case)
    daemon = start(case, "passivedns.conf", ('port="5514"', f'port="{receiver.port}"'), RETRY,
                   ("/var/log/", case.dir + "/"))
    play(daemon)
    want = rendered("passivedns")
    check_same(daemon.wait_lines(len(want), "passivedns.log"), want)
    check_accepted("passivedns", want)
    wait_for(f"{len(want)} lines", lambda: len(receiver.lines()) >= len(want))
    check_same([line[line.index(b" passivedns: ") + 13:] for line in receiver.lines()], want)


class Bulk(http.server.BaseHTTPRequestHandler):
    """As much of Elasticsearch as omelasticsearch asks for; keeps the documents."""
    protocol_version = "HTTP/1.1"

    def reply(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply({"status": "green"})

    do_HEAD = do_GET

    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).split(b"\n")[:-1]
        for action, document in zip(lines[::2], lines[1::2]):
            self.server.documents.append((json.loads(action), document))
        self.reply({"errors": False, "items": [
            {"index": {"status": 201}} for _ in lines[::2]]})

    def log_message(self, *arguments):
        pass


class BulkServer:
    def start(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bulk)
        self.server.documents = self.documents = []
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def test_elasticsearch_bulk(case):
    server = case.start(BulkServer())
    daemon = start(case, "elasticsearch.conf", ('server="localhost"', 'server="127.0.0.1"'),
                   ('serverport="9200"', f'serverport="{server.port}"'), RETRY, ("/var/log/", case.dir + "/"))
    play(daemon)
    want = rendered("ecs")
    wait_for(f"{len(want)} documents", lambda: len(server.documents) >= len(want))
    check_same([document for _, document in server.documents], want)
    check_accepted("ecs", want)
    for action, _ in server.documents:
        (head,) = action.values()
        assert re.fullmatch(r"dnstap-ecs-\d{4}-\d\d-\d\d", head["_index"]) and "_type" not in head, action


def test_index_template(case):
    """The mappings shipped for ECS are the fields that the format writes, with their types."""
    with open(os.path.join(CONF_DIR, "elasticsearch/dnstap-ecs.template.json")) as file:
        template = json.load(file)
    mapped = {}

    def walk(prefix, properties):
        for key, value in properties.items():
            if "properties" in value:
                walk(prefix + key + ".", value["properties"])
            else:
                mapped[prefix + key] = value["type"]
    walk("", template["template"]["mappings"]["properties"])
    want = {k: v.rstrip("[]") for k, v in consumers.ECS.items() if not v.startswith("object")}
    assert mapped == want, set(mapped.items()) ^ set(want.items())


if __name__ == "__main__":
    tap.main()
