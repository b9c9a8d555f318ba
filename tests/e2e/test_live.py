# SPDX-License-Identifier: Apache-2.0
"""Real DNS servers over every transport each of them has, queried with dig: one event for each
frame that a query must give, with its names, types, addresses and answers, and no other event.

Covers: BIND, Unbound (both handshakes), Knot, NSD, Knot Resolver, dnsdist, the Recursor and kdig;
unix sockets, TCP over IPv4 and IPv6, TLS with client certificates, files, PowerDNS's two-byte
lengths. doc/servers.md has the table. Rolled files are in test_files.py, a receiver that goes and
comes in test_restart.py.
"""
import concurrent.futures
import os
import subprocess

import fstrm
import producers
import programs
import tap
from certificates import authority, tls_options
from harness import check_json, check_matches, rsyslogd, wait_for
from test_transport import address_of

# What is asked: name, type, options of dig, expected rcode, expected rdata of that type.
QUESTIONS = (
    ("www.example.test", "A", (), "NOERROR", {"192.0.2.1", "192.0.2.2"}),
    ("www.example.test", "AAAA", (), "NOERROR", {"2001:db8::1"}),
    ("example.test", "MX", (), "NOERROR", {"10 mail.example.test."}),
    ("example.test", "TXT", ("+tcp",), "NOERROR", {'"text with spaces"'}),
    ("nosuchname.example.test", "A", (), "NXDOMAIN", set()),
) + ((
    ("www.example.test", "TXT", ("-6",), "NOERROR", set()),
) if programs.IPV6 else ())


def question(event):
    return (event["dns"]["question"] or [{"name": "", "type": ""}])[0]


def events_by_identity(daemon, name="events"):
    """All events but those of the probes for readiness."""
    out = {}
    for event in check_json(daemon.lines(name)):
        if not question(event)["name"].endswith("ready.example.test"):
            out.setdefault(event["identity"], []).append(event)
    return out


def wait_flow(daemon, servers):
    """Until frames of each server come: what is asked from now on must be complete."""
    for server in servers:
        wait_for(f"frames of {server.name}", lambda: daemon.check_alive() and server.answers() and
                 b'"%s"' % server.identity.encode() in daemon.read("events"), 40)


def ask(server, dig):
    """Asks every question. Returns the client's ports, in the order of QUESTIONS."""
    return [dig.ask(server, name, kind, *options) for name, kind, options, _, _ in QUESTIONS]


def check_event(server, event, asked, port):
    """One event of one question. What the server asks others it asks from a port of its own."""
    name, kind, options, rcode, data = asked
    assert event["type"] in server.kinds, event
    resolver = event["type"].startswith("RESOLVER")
    six = "-6" in options and not resolver
    host = "::1" if six else "127.0.0.1"
    assert event["query_address"] == host and event["family"] == ("INET6" if six else "INET"), event
    assert event.get("response_address", host) == host, event
    if resolver:
        assert event["response_port"] == server.options["backend"], event
    else:
        assert event["query_port"] == port, event
        assert event["transport"] == ("tcp" if "+tcp" in options else "udp"), event
        assert event.get("response_port", server.port) == server.port, event
    assert question(event) == {"name": name, "type": kind, "type_id": question(event)["type_id"],
                               "class": "IN", "class_id": 1}, event
    if event["type"].endswith("RESPONSE"):
        assert "QR" in event["dns"]["flags"] and event["dns"]["rcode"] == rcode, event
        got = {a["data"] for a in event["dns"]["answers"] if a["type"] == kind}
        assert got == data, event
    else:
        assert "QR" not in event["dns"]["flags"], event


def check_server(server, events, ports):
    """Exactly one event of each kind for each question, and nothing else."""
    rest = list(events)
    for asked, port in zip(QUESTIONS, ports):
        for kind in server.kinds:
            found = [e for e in rest if e["type"] == kind and question(e)["name"] == asked[0] and
                     question(e)["type"] == asked[1]]
            assert len(found) == 1, f"{len(found)} {kind} of {server.name} for {asked}: {found}"
            check_event(server, found[0], asked, port)
            rest.remove(found[0])
    assert not rest, f"more events of {server.name}: {rest}"


def check_servers(daemon, servers):
    """Asks all servers, then stops them, so that nothing more can come."""
    wait_flow(daemon, servers)
    dig = producers.Dig()
    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        ports = list(pool.map(lambda server: ask(server, dig), servers))
    expected = len(QUESTIONS) * 2

    def complete():
        daemon.check_alive()
        events = events_by_identity(daemon)
        return all(len(events.get(s.identity, [])) >= expected for s in servers)
    try:
        wait_for("", complete)
    except AssertionError:
        pass  # check_server says which
    for server in servers:
        server.stop()
    inputs = [name for name in daemon.stats() if name.startswith("imdnstap(") and name.endswith(")")]

    def closed():
        daemon.check_alive()
        counters = [daemon.stats()[name] for name in inputs]
        return all(c["sessions.opened"] == c["sessions.closed"] for c in counters)
    wait_for("all sessions to be closed", closed)
    events = events_by_identity(daemon)
    for server, used in zip(servers, ports):
        check_server(server, events.get(server.identity, []), used)
    assert set(events) == {server.identity for server in servers}, events.keys()


def start_all(case, servers):
    """Starts servers side by side."""
    for server in servers:
        case.things.append(server)
    with concurrent.futures.ThreadPoolExecutor(len(servers)) as pool:
        for _ in pool.map(lambda server: server.start(), servers):
            pass
    return servers


def backend(case):
    """Who answers what dnsdist and the resolvers ask. It sends no frames."""
    return case.start(producers.Unbound(case.dir, name="backend",
                                        socket=os.path.join(case.dir, "unused"))).port


@tap.timeout(500)  # it fetches what is not there yet
def test_unix(case):
    """Every server has a unix socket. The Recursor's for new domains is connected, and no more: the
    detection is not built into Debian's."""
    daemon = rsyslogd(case, input="""
        input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap")
        input(type="imdnstap" name="nod" path="{dir}/nod" ruleset="dnstap")""")
    socket = daemon.socket
    answering = backend(case)
    check_servers(daemon, start_all(case, [
        producers.Bind(case.dir, socket=socket),
        producers.Unbound(case.dir, socket=socket),
        producers.Unbound(case.dir, name="unbound-uni", socket=socket, bidirectional="no"),
        producers.Knot(case.dir, socket=socket),
        producers.Nsd(case.dir, socket=socket),
        producers.Kresd(case.dir, socket=socket, backend=answering),
        producers.Dnsdist(case.dir, socket=socket, backend=answering),
        producers.Recursor(case.dir, socket=socket, backend=answering,
                           nod=os.path.join(case.dir, "nod")),
    ]))
    books = daemon.counters("nod")
    assert books["sessions.opened"] >= 1 and books["frames.received"] == 0, books


TCP = """input(type="imdnstap" name="t" address="%s" port="0"
         listenportfilename="{dir}/port" ruleset="dnstap" %s)"""


@tap.timeout(150)
@tap.cases(("ipv4", "127.0.0.1"), ("ipv6", "::1"))
def test_tcp(case, host):
    """Unbound, dnsdist, and over IPv4 the Recursor, which refuses an IPv6 address."""
    daemon = rsyslogd(case, input=TCP % (host, ""))
    where = {"host": host, "target": address_of(daemon)[1]}
    answering = backend(case)
    check_servers(daemon, start_all(case, [
        producers.Unbound(case.dir, **where),
        producers.Unbound(case.dir, name="unbound-uni", bidirectional="no", **where),
        producers.Dnsdist(case.dir, backend=answering, **where),
    ] + ([producers.Recursor(case.dir, backend=answering, **where)] if host != "::1" else [])))
    assert all(event["peer"] == host for event in check_json(daemon.lines()))


@tap.timeout(150)
@tap.cases(("ipv4", "127.0.0.1"), ("ipv6", "::1"))
def test_tls(case, host):
    """Unbound alone speaks TLS: both sides show certificates, and both check the other's name."""
    made = authority(case)
    made.issue("unbound", "ca", "unbound.example.net")
    daemon = rsyslogd(case, input=TCP % (host, tls_options(made, "name", ["*.example.net"])))
    where = {"host": host, "target": address_of(daemon)[1], "tls": "yes",
             "server-name": "localhost", "cert-bundle": made.path("ca.pem"),
             "client-key-file": made.path("unbound.key"),
             "client-cert-file": made.path("unbound.pem")}
    check_servers(daemon, start_all(case, [
        producers.Unbound(case.dir, **where),
        producers.Unbound(case.dir, name="unbound-uni", bidirectional="no", **where),
    ]))
    assert daemon.log("certificate of unbound.example.net")


FILES = """
input(type="imdnstap" name="t" file="{dir}/tap.*" file.mode="follow" ruleset="dnstap")"""


@tap.timeout(150)
def test_file(case):
    """The files of BIND and Knot, followed as they grow: blocks end within frames, the rest comes
    when the server stops. Every frame of them is an event, in the file's order."""
    daemon = rsyslogd(case, input=FILES)
    servers = start_all(case, [producers.Bind(case.dir, file=os.path.join(case.dir, "tap.bind")),
                               producers.Knot(case.dir, file=os.path.join(case.dir, "tap.knot"))])
    dig = producers.Dig()
    for server in servers:
        ports = ask(server, dig)
        wait_for(f"a first block of {server.name}", lambda: server.answers() and
                 b'"%s"' % server.identity.encode() in daemon.read("events"))
        server.stop()
        frames = fstrm.read_frames(server.options["file"])
        wait_for(f"{len(frames)} events", lambda: daemon.read("events").count(
            b'"%s"' % server.identity.encode()) >= len(frames))
        events = [e for e in check_json(daemon.lines()) if e["identity"] == server.identity]
        check_matches(events, frames)
        check_server(server, events_by_identity(daemon)[server.identity], ports)
    daemon.check_books(len(daemon.lines()), len(daemon.lines()))


@tap.timeout(100)
def test_kdig(case):
    """kdig writes what it asked into a file that is replayed."""
    server = case.start(producers.Unbound(case.dir, socket=os.path.join(case.dir, "unused")))
    path = os.path.join(case.dir, "kdig.fstrm")
    program = programs.Program("kdig", "knot-dnsutils")
    subprocess.run([program.path, "@127.0.0.1", "-p", str(server.port), "-E", path] +
                   [part for name, kind, _, _, _ in QUESTIONS for part in ("-q", name, "-t", kind)],
                   env=program.environment(), check=True, capture_output=True, timeout=30)
    daemon = rsyslogd(case, workers=1, input='input(type="imdnstap" name="t" file="%s" ruleset="dnstap")' % path)
    events = check_json(daemon.wait_lines(2 * len(QUESTIONS)))
    assert [(e["type"], question(e)["name"], question(e)["type"]) for e in events] == \
        [(kind, asked[0], asked[1]) for asked in QUESTIONS
         for kind in ("TOOL_QUERY", "TOOL_RESPONSE")]
    assert all(e["response_port"] == server.port for e in events)
    daemon.check_books(len(events), len(events))


@tap.timeout(100)
@tap.cases(("ipv4", "127.0.0.1"), ("ipv6", "::1"))
def test_powerdns_framing(case, host):
    """dnsdist's newRemoteLogger with dnstap actions: dnstap behind two-byte lengths."""
    daemon = rsyslogd(case, input=TCP % (host, 'framing="powerdns"'))
    check_servers(daemon, start_all(case, [producers.Dnsdist(
        case.dir, backend=backend(case), logger="remote", host=host,
        target=address_of(daemon)[1])]))


@tap.timeout(100)
def test_powerdns_message(case):
    """RemoteLogAction sends PowerDNS's own message, which is no dnstap: events that say so."""
    daemon = rsyslogd(case, input=TCP % ("127.0.0.1", 'framing="powerdns"'))
    server = case.start(producers.Dnsdist(case.dir, backend=backend(case), logger="remote",
                                          action="remote", host="127.0.0.1",
                                          target=address_of(daemon)[1]))
    wait_for("a message", lambda: server.answers() and len(daemon.lines()) >= 2)
    server.stop()
    wait_for("the end", lambda: daemon.counters().get("sessions.closed") == 1)
    events = check_json(daemon.wait_lines(daemon.counters()["frames.received"]))
    assert all(e["malformed"] and e["error"] and e["frame"] for e in events), events[0]
    daemon.check_books(len(events), len(events))


if __name__ == "__main__":
    tap.main()
