# SPDX-License-Identifier: Apache-2.0
"""Real DNS servers, queried with dig: the events are those of the queries.

Covers: BIND, Unbound (both handshakes), Knot, NSD, Knot Resolver, dnsdist and the Recursor
over the unix socket; over TCP who can; reconnects after a restart of rsyslogd.
"""
import os

import fstrm
import producers
import tap
from harness import check_json, check_matches, rsyslogd, wait_for

# What is asked: name, type, options of dig, expected rcode, expected rdata of that type.
QUESTIONS = (
    ("www.example.test", "A", (), "NOERROR", {"192.0.2.1", "192.0.2.2"}),
    ("www.example.test", "AAAA", (), "NOERROR", {"2001:db8::1"}),
    ("example.test", "MX", (), "NOERROR", {"10 mail.example.test."}),
    ("example.test", "TXT", ("+tcp",), "NOERROR", {'"text with spaces"'}),
    ("nosuchname.example.test", "A", (), "NXDOMAIN", set()),
)


def events_of(daemon, port, name, kinds):
    """Events of the client that used this port, once each of the kinds is among them."""
    def found():
        daemon.check_alive()
        events = [e for e in check_json(daemon.lines()) if e.get("query_port") == port and
                  e.get("dns") and e["dns"]["question"] and
                  e["dns"]["question"][0]["name"].lower() == name]
        return events if kinds <= {e["type"] for e in events} else None
    return wait_for(f"{kinds} of port {port} for {name}", found, 25)


def check_events(daemon, server, identity, kinds, dig=None):
    """Asks every question and finds its events. kinds: the type of queries, that of responses."""
    dig = dig or producers.Dig()
    asked = [(dig.ask(server, name, kind, *options), name, kind, options, rcode, data)
             for name, kind, options, rcode, data in QUESTIONS]
    for port, name, kind, options, rcode, data in asked:
        events = events_of(daemon, port, name, set(kinds))
        by_type = {e["type"]: e for e in events}
        response = by_type[kinds[-1]]
        for event in events:
            assert event["identity"] == identity, event
            assert event["dns"]["question"][0]["type"] == kind, event
            assert event["query_address"] == "127.0.0.1", event
            assert event["transport"] == ("tcp" if "+tcp" in options else "udp"), event
        assert "QR" in response["dns"]["flags"] and response["dns"]["rcode"] == rcode, response
        got = {a["data"] for a in response["dns"]["answers"] if a["type"] == kind}
        assert got == data, response["dns"]["answers"]


def restart(daemon, server):
    """Stops and starts the receiver; the server has to come back by itself. It notices by
    traffic alone that its connection is gone, so it gets some."""
    daemon.stop()
    daemon.start()
    daemon.wait_socket()
    wait_for("the server to reconnect", lambda: daemon.check_alive() and server.answers() and
             daemon.counters().get("sessions.opened", 0) >= 1, 30)


@tap.timeout(100)
def test_bind(case):
    """BIND calls the response to a query with RD a CLIENT_RESPONSE; +norec keeps both AUTH."""
    daemon = rsyslogd(case)
    server = case.start(producers.Bind(case.dir, socket=daemon.socket))
    dig = producers.Dig()
    port = dig.ask(server, "www.example.test", "A", "+norec")
    events = events_of(daemon, port, "www.example.test", {"AUTH_QUERY", "AUTH_RESPONSE"})
    assert {e["dns"]["rcode"] for e in events} == {"NOERROR"}
    check_events(daemon, server, "ns-bind", ("AUTH_QUERY", "CLIENT_RESPONSE"), dig)
    restart(daemon, server)
    check_events(daemon, server, "ns-bind", ("AUTH_QUERY", "CLIENT_RESPONSE"), dig)


@tap.timeout(100)
@tap.cases(("bidirectional", "yes"), ("unidirectional", "no"))
def test_unbound(case, bidirectional):
    daemon = rsyslogd(case)
    server = case.start(producers.Unbound(case.dir, socket=daemon.socket,
                                          bidirectional=bidirectional))
    kinds = ("CLIENT_QUERY", "CLIENT_RESPONSE")
    check_events(daemon, server, "ns-unbound", kinds)
    restart(daemon, server)
    check_events(daemon, server, "ns-unbound", kinds)


TCP = """input(type="imdnstap" name="t" address="127.0.0.1" port="0"
         listenportfilename="{dir}/port" ruleset="dnstap")"""


@tap.timeout(100)
def test_unbound_tcp(case):
    daemon = rsyslogd(case, input=TCP)
    server = case.start(producers.Unbound(case.dir, address=f"127.0.0.1@{tcp_port(daemon)}"))
    check_events(daemon, server, "ns-unbound", ("CLIENT_QUERY", "CLIENT_RESPONSE"))
    assert all(e["peer"] == "127.0.0.1" for e in check_json(daemon.lines()))


def tcp_port(daemon):
    path = os.path.join(daemon.dir, "port")
    return int(wait_for("the port file", lambda: os.path.exists(path) and open(path).read().strip()))


@tap.timeout(100)
def test_knot(case):
    daemon = rsyslogd(case)
    server = case.start(producers.Knot(case.dir, socket=daemon.socket))
    check_events(daemon, server, "ns-knot", ("AUTH_QUERY", "AUTH_RESPONSE"))


@tap.timeout(100)
def test_nsd(case):
    daemon = rsyslogd(case)
    server = case.start(producers.Nsd(case.dir, socket=daemon.socket))
    check_events(daemon, server, "ns-nsd", ("AUTH_QUERY", "AUTH_RESPONSE"))


def backend(case):
    return case.start(producers.Unbound(case.dir, socket=os.path.join(case.dir, "unused"))).port


def by_way(case, way):
    """A daemon that listens on unix or TCP, and where: an option of the producer."""
    if way == "unix":
        daemon = rsyslogd(case)
        return daemon, {"socket": daemon.socket}
    daemon = rsyslogd(case, input=TCP)
    return daemon, {"address": f"127.0.0.1:{tcp_port(daemon)}"}


@tap.timeout(100)
@tap.cases("unix", "tcp")
def test_dnsdist(case, way):
    daemon, where = by_way(case, way)
    server = case.start(producers.Dnsdist(case.dir, backend=backend(case), **where))
    check_events(daemon, server, "ns-dnsdist", ("CLIENT_QUERY", "CLIENT_RESPONSE"))


@tap.timeout(100)
def test_knot_resolver(case):
    daemon = rsyslogd(case)
    server = case.start(producers.Kresd(case.dir, socket=daemon.socket, backend=backend(case)))
    check_events(daemon, server, "ns-kresd", ("CLIENT_QUERY", "CLIENT_RESPONSE"))


@tap.timeout(100)
@tap.cases("unix", "tcp")
def test_recursor(case, way):
    """The Recursor reports only what it asks others: names and types, not the client's port."""
    daemon, where = by_way(case, way)
    server = case.start(producers.Recursor(case.dir, backend=backend(case), **where))
    dig = producers.Dig()
    dig.ask(server, "www.example.test", "A")

    def found():
        return [e for e in check_json(daemon.lines()) if e["type"] == "RESOLVER_RESPONSE" and
                e["dns"]["question"][0]["name"] == "www.example.test"]
    event = wait_for("the resolver's response", found, 25)[0]
    assert event["identity"] == "ns-recursor" and event["dns"]["rcode"] == "NOERROR", event
    assert {a["data"] for a in event["dns"]["answers"]} == {"192.0.2.1", "192.0.2.2"}


@tap.timeout(100)
def test_bind_file(case):
    """BIND's growing file, followed: every frame of it is an event once it is complete."""
    path = os.path.join(case.dir, "bind.fstrm")
    daemon = rsyslogd(case, input="""input(type="imdnstap" name="t" file="{dir}/bind.fstrm"
        file.mode="follow" ruleset="dnstap")""")
    server = case.start(producers.Bind(case.dir, file=path))
    dig = producers.Dig()
    ports = [dig.ask(server, name, kind, *options) for name, kind, options, _, _ in QUESTIONS]
    server.stop()  # what it holds back goes out with the end of the file
    frames = fstrm.read_frames(path)
    events = check_json(daemon.wait_lines(len(frames)))
    check_matches(events, frames)
    assert set(ports) <= {e.get("query_port") for e in events}


if __name__ == "__main__":
    tap.main()
