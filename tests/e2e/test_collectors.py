#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Shipped configurations into other collectors: a relay of ours over RELP, a stock rsyslogd, syslog-ng.

Covers: RELP through edge and centre, the centre away and restarted; UDP, TCP and TLS as a stock rsyslogd reads
them; octet-counted CEF into Debian's syslog-ng. Exactly the events that dnstap_render prints arrive.
"""
import json
import os
import subprocess

import tap
from harness import Rsyslogd, wait_for
from programs import Program, free_port, need_plugins
from shipped import PROLOGUE, RETRY, SAMPLE, certificates, check_same, made, play, rendered, start


def test_relay(case):
    """Frames go undecoded from the edge to the centre, which is away at first."""
    port = free_port()
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
    port = free_port()
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
    port = free_port()
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
    port = free_port()
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
