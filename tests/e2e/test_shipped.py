#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The files of rsyslog.conf.d and the examples of doc/, as shipped.

Covers: every file loads (rsyslogd -N1), the documents' examples do what they say; each destination's receiver gets exactly the events that
dnstap_render prints for the same frames, and the consumers' parsers take them: UDP, TCP, TLS, file, bulk,
RELP through edge and centre; a receiver that is away at first; an event larger than a datagram.
"""
import glob
import http.server
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../formats"))
import consumers
import frames as made
import fstrm
import tap
from producers import Program, need_plugins
from harness import BUILD, SOURCE, Rsyslogd, check_config, corpus, environment, wait_for

CONF_DIR = os.path.join(SOURCE, "rsyslog.conf.d")
FILES = sorted(os.path.basename(f) for f in glob.glob(os.path.join(CONF_DIR, "*.conf")))
SAMPLE = corpus("knot-unix-with-queries")
PROLOGUE = """\
global(workDirectory="{dir}/spool" processInternalMessages="on")
template(name="e2e_log" type="string" string="%syslogseverity-text% %msg%\\n")
if $syslogtag startswith "rsyslogd" then action(type="omfile" file="{dir}/log" template="e2e_log")
"""
RETRY = ('action.resumeRetryCount="-1"', 'action.resumeRetryCount="-1" action.resumeInterval="1"')


class Shipped(Rsyslogd):
    """rsyslogd with a shipped file, in which (old, new) texts are replaced; every old one must be there."""

    def __init__(self, dir, name, *changes):
        super().__init__(dir)
        with open(os.path.join(CONF_DIR, name)) as file:
            text = file.read()
        if "/run/dnstap.sock" in text:
            changes = (("/run/dnstap.sock", self.socket),) + changes
        for old, new in changes:
            assert old in text, f"{name} does not hold {old}"
            text = text.replace(old, new)
        need_plugins(text)
        with open(self.conf, "w") as file:
            file.write(PROLOGUE.replace("{dir}", dir) + text)


class Receiver(threading.Thread):
    """Takes everything that arrives on a loopback TCP or UDP port, until stop()."""

    def __init__(self, kind=socket.SOCK_STREAM, tls=None, port=0):
        super().__init__(daemon=True)
        self.tls = tls
        self.kind = kind
        self.pieces = []  # datagrams, or octets in order of arrival
        self.listener = socket.socket(socket.AF_INET, kind)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in (socket.SO_RCVBUF, 33):  # 33: SO_RCVBUFFORCE, for root past the system's limit
            try:
                self.listener.setsockopt(socket.SOL_SOCKET, option, 1 << 23)
            except PermissionError:
                pass
        self.listener.bind(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            self.listener.listen()
        self.listener.settimeout(0.2)
        self.over = False

    def run(self):
        while not self.over:
            try:
                if self.kind == socket.SOCK_DGRAM:
                    self.pieces.append(self.listener.recv(65536))
                else:
                    self.take(self.listener.accept()[0])
            except (socket.timeout, ConnectionError, ssl.SSLError):
                continue
            except OSError:
                return

    def take(self, peer):
        peer.settimeout(0.2)
        if self.tls:
            peer.settimeout(10)
            peer = self.tls.wrap_socket(peer, server_side=True)
            peer.settimeout(0.2)
        while not self.over:
            try:
                piece = peer.recv(65536)
            except socket.timeout:
                continue
            if not piece:
                break
            self.pieces.append(piece)
        peer.close()

    def octets(self):
        return b"".join(list(self.pieces))

    def lines(self):
        text = self.octets()
        return text[:text.rfind(b"\n") + 1].split(b"\n")[:-1]

    def stop(self):
        self.over = True
        self.join(5)
        self.listener.close()


def rendered(form, path=SAMPLE):
    return made.render_file(form, path)


def check_same(got, want):
    assert sorted(got) == sorted(want), (
        f"{len(got)} of {len(want)}; only got {sorted(set(got) - set(want))[:2]}, "
        f"only wanted {sorted(set(want) - set(got))[:2]}")


def check_accepted(form, lines):
    problems = [p for line in lines for p in consumers.check(form, line)]
    assert not problems, problems[:5]


def start(case, name, *changes, dir=None):
    daemon = case.start(Shipped(dir or case.dir, name, *changes))
    if daemon.socket in open(daemon.conf).read():
        daemon.wait_socket()
    return daemon


def receive(case, **options):
    return case.start(Receiver(**options))


def play(daemon, payloads=None):
    fstrm.deliver(daemon.socket, payloads or made.frames_of(SAMPLE))


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


def certificates(dir, name):
    """A CA and a server certificate of that name, made by openssl."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=dir, check=True, capture_output=True)
    key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")
    openssl("req", *key, "-keyout", "s.key", "-out", "s.csr", "-subj", f"/CN={name}")
    with open(os.path.join(dir, "ext"), "w") as file:
        file.write(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "s.pem", "-days", "2", "-extfile", "ext")


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


def test_relay(case):
    """Frames go undecoded from the edge to the centre, which is away at first."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    edge_dir, centre_dir = case.dir + "/edge", case.dir + "/centre"
    os.makedirs(edge_dir)
    os.makedirs(centre_dir)
    edge = start(case, "relay-edge.conf", ('port="2514"', f'port="{port}"'), RETRY, dir=edge_dir)
    play(edge)
    edge.wait_log("suspended")
    centre = start(case, "relay-centre.conf", ('port="2514"', f'port="{port}"'),
                   ("/var/log/dnstap/%hostname:::secpath-replace%.json", centre_dir + "/events"),
                   dir=centre_dir)
    want = [json.loads(line) for line in rendered("json")]
    got = [json.loads(line) for line in centre.wait_lines(len(want), deadline=40)]
    for event in got + want:
        event.pop("peer", None)
    check_same([json.dumps(e, sort_keys=True) for e in got], [json.dumps(e, sort_keys=True) for e in want])


def test_relay_centre_restarts(case):
    """The centre goes down between two deliveries and comes back: every frame arrives, none is lost. RELP repeats
    what was not acknowledged, so a frame may come twice."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    edge_dir, centre_dir = case.dir + "/edge", case.dir + "/centre"
    os.makedirs(edge_dir)
    os.makedirs(centre_dir)
    changes = (('port="2514"', f'port="{port}"'),
               ("/var/log/dnstap/%hostname:::secpath-replace%.json", centre_dir + "/events"))
    payloads = made.frames_of(SAMPLE)
    half = len(payloads) // 2
    centre = start(case, "relay-centre.conf", *changes, dir=centre_dir)
    edge = start(case, "relay-edge.conf", changes[0], RETRY, dir=edge_dir)
    play(edge, payloads[:half])
    centre.wait_lines(half)
    centre.stop()
    play(edge, payloads[half:])
    edge.wait_log("suspended")
    centre.start()

    def seen():
        out = set()
        for line in centre.lines():
            event = json.loads(line)
            event.pop("peer", None)
            out.add(json.dumps(event, sort_keys=True))
        return out
    want = {json.dumps(json.loads(line), sort_keys=True) for line in rendered("json")}
    wait_for(f"{len(want)} events", lambda: seen() >= want, 40)
    assert seen() == want


RECEIVER = """\
global(maxMessageSize="64k" {files})
module(load="{input}" {options})
input(type="{input}" address="127.0.0.1" port="{port}" ruleset="in")
template(name="in" type="string" string="{line}\\n")
ruleset(name="in") {{ action(type="omfile" file="{dir}/events" template="in") }}
"""
TLS_FILES = "".join(f' defaultNetstreamDriver{kind}File="{{dir}}/{name}"'
                    for kind, name in (("CA", "ca.pem"), ("Cert", "s.pem"), ("Key", "s.key")))


def second_rsyslogd(case, input, line, files="", options=""):
    """Another stock rsyslogd that writes what it gets to events; and its port."""
    kind = socket.SOCK_DGRAM if input == "imudp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    os.makedirs(case.dir + "/second")
    second = Rsyslogd(case.dir + "/second")
    text = RECEIVER.format(input=input, port=port, dir=second.dir, line=line, options=options,
                           files=files.replace("{dir}", case.dir))
    need_plugins(text)
    with open(second.conf, "w") as file:
        file.write(PROLOGUE.replace("{dir}", second.dir) + text)
    case.start(second)
    # Bound: /proc/net has the port in hexadecimal, for TCP in state 0A, listening.
    table, state = ("udp", " ") if input == "imudp" else ("tcp", " 0A ")
    wait_for("the second rsyslogd", lambda: second.check_alive() and any(
        f":{port:04X} 00000000:0000{state}" in line for line in open("/proc/net/" + table)))
    return second, port


def check_second(second, want):
    wait_for(f"{len(want)} lines", lambda: set(second.lines()) >= set(want), 40)
    assert set(second.lines()) == set(want)


def test_udp_into_another_rsyslogd(case):
    """One datagram an event: the JSON is the whole message, without a syslog header. As many as the smallest
    receive buffer holds for a receiver that gets no turn: UDP promises nothing beyond."""
    some = 60
    second, port = second_rsyslogd(case, "imudp", "%rawmsg%")
    play(start(case, "logstash-udp.conf", ('port="6052"', f'port="{port}"'),
               ("/var/log/", case.dir + "/")), made.frames_of(SAMPLE)[:some])
    check_second(second, rendered("logstash")[:some])


def test_tcp_into_another_rsyslogd(case):
    """A stock rsyslogd reads the lines as RFC 5424, the CEF as their message."""
    second, port = second_rsyslogd(case, "imtcp", "%app-name% %msg%")
    play(start(case, "cef-tcp.conf", ('port="514"', f'port="{port}"'), RETRY))
    check_second(second, [b"dnstap " + line for line in rendered("cef")])


def test_tls_into_another_rsyslogd(case):
    """The same over TLS, RFC 5425 octet counting, the receiver's name checked."""
    certificates(case.dir, "siem.example.com")
    second, port = second_rsyslogd(case, "imtcp", "%app-name% %msg:::drop-last-lf%", TLS_FILES,
                                   'streamDriver.name="ossl" streamDriver.mode="1" '
                                   'streamDriver.authMode="anon"')
    play(start(case, "cef-tls.conf", ('port="6514"', f'port="{port}"'), RETRY,
               ("/etc/ssl/certs/ca-certificates.crt", case.dir + "/ca.pem")))
    check_second(second, [b"dnstap " + line for line in rendered("cef")])


SYSLOG_NG = """\
@version: 3.38
source s {{ syslog(ip("127.0.0.1") port({port}) transport("tcp")); }};
destination d {{ file("{dir}/events" template("${{PROGRAM}} ${{MSG}}\\n")); }};
log {{ source(s); destination(d); }};
"""


class SyslogNg:
    """Debian's syslog-ng in the foreground."""

    def __init__(self, dir, port):
        self.dir = dir
        self.program = Program("syslog-ng", "syslog-ng-core", overlay=True)
        with open(os.path.join(dir, "conf"), "w") as file:
            file.write(SYSLOG_NG.format(dir=dir, port=port))

    def start(self):
        self.process = subprocess.Popen(
            self.program.command() + ["-F", "--no-caps", "-f", self.dir + "/conf", "-R", self.dir + "/persist",
             "-p", self.dir + "/pid", "-c", self.dir + "/ctl"], env=self.program.environment(),
            stdin=subprocess.DEVNULL, stdout=open(self.dir + "/out", "wb"), stderr=subprocess.STDOUT)

    def lines(self):
        path = self.dir + "/events"
        return open(path, "rb").read().split(b"\n")[:-1] if os.path.exists(path) else []

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    def diagnosis(self):
        yield open(self.dir + "/out").read()[-3000:]


def test_cef_into_syslog_ng(case):
    """Octet-counted, as the file's comment says is possible."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    siem_dir, our_dir = case.dir + "/siem", case.dir + "/ours"
    os.makedirs(siem_dir)
    os.makedirs(our_dir)
    siem = case.start(SyslogNg(siem_dir, port))
    play(start(case, "cef-tcp.conf", ('port="514"', f'port="{port}"'), RETRY,
               ('tcp_framing="traditional"', 'tcp_framing="octet-counted"'), dir=our_dir))
    want = [b"dnstap " + line for line in rendered("cef")]
    wait_for(f"{len(want)} lines", lambda: set(siem.lines()) >= set(want), 40)
    assert set(siem.lines()) == set(want)


if __name__ == "__main__":
    tap.main()
