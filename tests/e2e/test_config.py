# SPDX-License-Identifier: Apache-2.0
"""Configuration mistakes: rsyslogd -N1 names the parameter, in one line; good ones are silent.

Covers: every parameter that has a range, a list or a dependency, for both modules; parameters
and modules of another version.
"""
import os

import fstrm
import tap
from harness import SOURCE, check_config, check_json, daemon_version, module_path, rsyslogd

INPUT = """module(load="imdnstap")
ruleset(name="r" queue.type="LinkedList") {{ stop }}
input(type="imdnstap" {})
*.* action(type="omfile" file="/dev/null")
"""
ACTION = """module(load="mmdnstapparse")
ruleset(name="lines" queue.type="LinkedList") {{ stop }}
ruleset(name="decode") {{ action(type="mmdnstapparse" {}) stop }}
*.* action(type="omfile" file="/dev/null")
"""

GOOD_INPUTS = (
    'path="/nowhere/s" ruleset="r"',
    'path="/nowhere/s"',
    'path="/nowhere/s" ruleset="r" name="n" tag="t" facility="local3" severity="debug"',
    'path="/nowhere/s" unlink="off" filecreatemode="0660" failonchownfailure="off"',
    'path="/nowhere/s" hostname="peer" encoding="base64" sample="10"',
    'path="/nowhere/s" messagetypes=["CLIENT_RESPONSE","RESOLVER_RESPONSE"]',
    'path="/nowhere/s" messagetypes="CLIENT_QUERY"',
    'path="/nowhere/s" maxframesize="4096" maxsessions="5" handshaketimeout="5" idletimeout="60"',
    'path="/nowhere/s" ratelimit.interval="1" ratelimit.burst="10" flowcontrol="full"',
    'file="/nowhere/x.fstrm" file.mode="once" ruleset="r"',
    'port="0" address="127.0.0.1" ruleset="r"',
    'port="0" keepalive="on" keepalive.time="5" keepalive.interval="5" keepalive.probes="3"',
    'connect="localhost:6000" tls="on" tls.authmode="anon"',
    'path="/nowhere/s" bundle="8" bundle.latency="60000"',
    'path="/nowhere/s" createpath="on" dircreatemode="0770" dirowner="root" dirgroup="root"',
    'path="/nowhere/s" createpath="on" dirownernum="0" dirgroupnum="0"',
    'path="/nowhere/s" name="' + "n" * 200 + '"',
    'file="/nowhere/' + "n" * 240 + '"',
)
# Each: the parameter that the line must name, and the input's parameters.
BAD_INPUTS = (
    ("path", ''),
    ("nosuchparameter", 'path="/nowhere/s" nosuchparameter="1"'),
    ("hostname", 'path="/nowhere/s" hostname="elsewhere"'),
    ("encoding", 'path="/nowhere/s" encoding="rot13"'),
    ("messagetypes", 'path="/nowhere/s" messagetypes=["CLIENT_RESPONSE","NO_SUCH_TYPE"]'),
    ("sample", 'path="/nowhere/s" sample="0"'),
    ("flowcontrol", 'path="/nowhere/s" flowcontrol="sometimes"'),
    ("file.mode", 'file="/nowhere/x" file.mode="twice"'),
    ("maxframesize", 'path="/nowhere/s" maxframesize="0"'),
    ("maxsessions", 'path="/nowhere/s" maxsessions="many"'),
    ("connect", 'connect="2001:db8::1:6000"'),
    ("unlink", 'path="/nowhere/s" unlink="maybe"'),
    ("filecreatemode", 'path="/nowhere/s" filecreatemode="worldwide"'),
    ("fileowner", 'path="/nowhere/s" fileowner="nosuchuser"'),
    ("fileownernum", 'path="/nowhere/s" fileownernum="many"'),
    ("filegroup", 'path="/nowhere/s" filegroup="nosuchgroup"'),
    ("filegroupnum", 'path="/nowhere/s" filegroupnum="many"'),
    ("failonchownfailure", 'path="/nowhere/s" failonchownfailure="2"'),
    ("dirowner", 'path="/nowhere/s" createpath="on" dirowner="nosuchuser"'),
    ("dirownernum", 'path="/nowhere/s" createpath="on" dirownernum="many"'),
    ("dirgroup", 'path="/nowhere/s" createpath="on" dirgroup="nosuchgroup"'),
    ("dirgroupnum", 'path="/nowhere/s" createpath="on" dirgroupnum="many"'),
    ("address", 'path="/nowhere/s" address="127.0.0.1"'),
    ("listenportfilename", 'port="0" listenportfilename=""'),
    ("keepalive", 'path="/nowhere/s" keepalive="on"'),
    ("keepalive.time", 'port="0" keepalive.time="0"'),
    ("keepalive.time", 'port="0" keepalive.time="5"'),
    ("keepalive.interval", 'port="0" keepalive.interval="often"'),
    ("keepalive.probes", 'port="0" keepalive.probes="1000"'),
    ("tls", 'port="0" tls="maybe"'),
    ("tls", 'path="/nowhere/s" tls="on"'),
    ("tls.mycert", 'port="0" tls.mycert="/x"'),
    ("tls.myprivkey", 'port="0" tls="on" tls.mycert="/x"'),
    ("tls.cacert", 'port="0" tls="on" tls.mycert="/x" tls.myprivkey="/x" tls.authmode="certvalid"'),
    ("tls.permittedpeer", 'connect="h:1" tls="on" tls.cacert="/x" tls.authmode="name"'),
    ("tls.permittedpeer", 'connect="h:1" tls="on" tls.permittedpeer="a.example"'),
    ("tls.permittedpeer", 'connect="h:1" tls="on" tls.authmode="fingerprint" tls.permittedpeer="SHA1:12"'),
    ("file", 'file=""'),
    ("framing", 'path="/nowhere/s" framing="raw"'),
    ("name", 'path="/nowhere/s" name=""'),
    ("tag", 'path="/nowhere/s" tag=""'),
    ("facility", 'path="/nowhere/s" facility="local9"'),
    ("severity", 'path="/nowhere/s" severity="loud"'),
    ("bundle", 'path="/nowhere/s" bundle="1001"'),
    ("maxframesize", 'path="/nowhere/s" maxframesize="65m"'),
    ("maxsessions", 'file="/nowhere/x" maxsessions="5"'),
    ("maxsessionsperpeer", 'path="/nowhere/s" maxsessionsperpeer="5"'),
    ("handshaketimeout", 'path="/nowhere/s" handshaketimeout="-1"'),
    ("idletimeout", 'path="/nowhere/s" idletimeout="1d"'),
    ("ratelimit.interval", 'path="/nowhere/s" ratelimit.interval="86401"'),
    ("ratelimit.burst", 'path="/nowhere/s" ratelimit.burst="0"'),
    ("ratelimit.burst", 'path="/nowhere/s" ratelimit.burst="10"'),
    ("tls.mycert", 'connect="localhost:6000" tls="on" tls.myprivkey="/nowhere/k"'),
    ("path and port", 'path="/nowhere/s" port="0"'),
    ("none of path, port, connect, file", 'name="n"'),
    ("path", 'path="/' + "x" * 120 + '" ruleset="r"'),
    ("path", 'path="dnstap.sock"'),
    ("file", 'file="taps/*.fstrm"'),
    ("listenportfilename", 'port="0" listenportfilename="port"'),
    ("tls.cacert", 'connect="h:1" tls="on" tls.cacert="ca.pem"'),
    ("name", 'path="/nowhere/s" name="' + "n" * 201 + '"'),
    ("permittedpeer", 'port="0" permittedpeer=["192.0.2.0/24","192.0.2.0/99"]'),
    ("port", 'port="99999"'),
    ("ruleset", 'path="/nowhere/s" ruleset="nosuchruleset"'),
    ("tls.authmode", 'port="0" tls="on" tls.authmode="x509/whatever"'),
    ("tls.mycert", 'port="0" tls="on"'),
    ("connect", 'connect="nohostport"'),
    ("ratelimit.name", 'path="/nowhere/s" ratelimit.name="nosuchlimit"'),
    ("peercounters", 'path="/nowhere/s" peercounters="1001"'),
    ("peercounters", 'file="/nowhere/x" peercounters="2"'),
    ("dircreatemode", 'path="/nowhere/s" createpath="on" dircreatemode="0777"'),
    ("dircreatemode", 'path="/nowhere/s" createpath="on" dircreatemode="0600"'),
    ("dircreatemode", 'path="/nowhere/s" dircreatemode="0755"'),
    ("createpath", 'path="/nowhere/s" createpath="yes please"'),
    ("createpath", 'port="0" createpath="on"'),
    ("bundle.latency", 'path="/nowhere/s" bundle.latency="10"'),
    ("bundle.latency", 'path="/nowhere/s" bundle="8" bundle.latency="60001"'),
    ("bundle.latency", 'file="/nowhere/x" bundle="8" bundle.latency="10"'),
)
GOOD_ACTIONS = (
    '',
    'output="json"',
    'output=["properties","json","text"] container="$!dns" replacemsg="json"',
    'output="json" replacemsg="off"',
)
BAD_ACTIONS = (
    ("nosuchparameter", 'nosuchparameter="1"'),
    ("output", 'output=["json","yaml"]'),
    ("replacemsg", 'output="json" replacemsg="yaml"'),
    ("container", 'output="json" container="dnstap"'),
    ("container", 'output="json" container="$msg"'),
    ("split.ruleset", 'output="json" split.ruleset="nosuchruleset" split.format="json"'),
    ("split.format", 'output="json" split.ruleset="lines" split.format="yaml"'),
    ("split.ruleset", 'split.format="cof"'),
    ("split.format", 'split.ruleset="lines"'),
    ("split.ruleset", 'split.ruleset="decode" split.format="cof"'),
    ("cef.vendor", 'cef.vendor=""'),
    ("cef.product", 'cef.product="' + "x" * 64 + '"'),
    ("cef.version", 'cef.version="a\\nb"'),
    ("maxrecords", 'maxrecords="65536"'),
    ("queue.type", 'queue.type="LinkedList"'),
)



def naming(lines, parameter):
    """Lines that name the parameter as a word: quoted, or followed by = or a blank."""
    import re
    word = re.compile(rf"(?<![\w.]){re.escape(parameter)}(?![\w.])")
    # The files that rsyslogd names are of no interest, nor is what it says about itself.
    return [line for line in lines if "config validation run" not in line and
            word.search(re.sub(r"/\S+/(check\.conf|\w+\.so)", "", line))]


def refused(case, text, parameter):
    status, lines = check_config(case.dir, text)
    named = naming(lines, parameter)
    assert named, f"no line names {parameter}:\n" + "\n".join(lines)
    assert len(named) == 1, f"several lines name {parameter}:\n" + "\n".join(lines)
    assert status != 0, "accepted:\n" + "\n".join(lines)


def accepted(case, text):
    status, lines = check_config(case.dir, text)
    bad = [line for line in lines if "error" in line.lower() or "warn" in line.lower()
           or "dnstap" in line.lower().replace(case.dir.lower(), "")]
    assert status == 0 and not bad, f"status {status}:\n" + "\n".join(lines)


def label(text):
    return text[:60] or "nothing"


@tap.cases(*[(f"{label(text)}", text) for text in GOOD_INPUTS])
def test_good_input(case, text):
    accepted(case, INPUT.format(text))


@tap.cases(*[(f"{name}: {label(text)}", (name, text)) for name, text in BAD_INPUTS])
def test_bad_input(case, value):
    refused(case, INPUT.format(value[1]), value[0])


@tap.cases(*[(label(text), text) for text in GOOD_ACTIONS])
def test_good_action(case, text):
    accepted(case, ACTION.format(text))


@tap.cases(*[(f"{name}: {label(text)}", (name, text)) for name, text in BAD_ACTIONS])
def test_bad_action(case, value):
    refused(case, ACTION.format(value[1]), value[0])


@tap.cases("0", "65", "some")
def test_bad_threads(case, value):
    refused(case, INPUT.format('path="/nowhere/s"').replace('"imdnstap")', f'"imdnstap" threads="{value}")', 1),
            "threads")


def test_every_parameter_can_be_refused(_case):
    """Each parameter of the modules' tables is among the bad ones above."""
    import re
    for source, bad in (("imdnstap/params.c", BAD_INPUTS), ("mmdnstapparse/settings.c", BAD_ACTIONS)):
        with open(os.path.join(SOURCE, source)) as file:
            known = set(re.findall(r'\{"([a-z.]+)", eCmdHdlr', file.read()))
        assert len(known) >= 9, known
        missing = known - {name for name, _ in bad}
        assert not missing, f"no refusal of {sorted(missing)} is tested"


def test_no_input(case):
    """The module alone does nothing, and says so."""
    status, lines = check_config(case.dir, 'module(load="imdnstap")\n*.* action(type="omfile" file="/dev/null")\n')
    said = [line for line in lines if "that can run: the module does nothing" in line]
    assert len(said) == 1 and status != 0, "\n".join(lines)


@tap.cases("imdnstap", "mmdnstapparse")
def test_other_daemon(case, module):
    """A module built for another version of rsyslog refuses to load, in one line."""
    build = next(d for d in module_path().split(":") if d.endswith(f"/{module}/.libs"))
    with open(os.path.join(build, module + ".so"), "rb") as file:
        octets = file.read()
    version = daemon_version()
    assert version in octets, f"{module} does not know its daemon's version"
    other = version[:-1] + (b"7" if version[-1:] != b"7" else b"8")
    directory = os.path.join(case.dir, "other")
    os.mkdir(directory)
    with open(os.path.join(directory, module + ".so"), "wb") as file:
        file.write(octets.replace(version, other))
    status, lines = check_config(case.dir, f'module(load="{module}")\n*.* action(type="omfile" file="/dev/null")\n',
                                 directory + ":" + module_path())
    said = [line for line in lines if version.decode() in line and other.decode() in line]
    assert len(said) == 1, "\n".join(lines)
    assert status != 0, lines


def test_ready_configurations(case):
    """Every file of rsyslog.conf.d passes -N1, so far as its output modules are installed."""
    import glob
    from programs import refuse_hanging
    files = sorted(glob.glob(os.path.join(SOURCE, "rsyslog.conf.d", "*.conf")))
    if not files:
        raise tap.Skip("rsyslog.conf.d holds no file")
    wrong = []
    for path in files:
        with open(path) as file:
            try:
                refuse_hanging(file.read())
            except tap.OtherBuild:
                continue
        status, lines = check_config(case.dir, f'$IncludeConfig {path}\n*.* action(type="omfile" file="/dev/null")\n')
        missing = [line for line in lines if "could not load module" in line]
        if status != 0 and not missing:
            wrong.append(path + ":\n" + "\n".join(lines))
    assert not wrong, "\n".join(wrong)


def test_foreign_messages_pass(case):
    """A message that is not from imdnstap passes the action unchanged."""
    daemon = rsyslogd(case, extra="""module(load="imuxsock" SysSock.Use="off")
        input(type="imuxsock" Socket="{dir}/logsock" CreatePath="on" ruleset="dnstap")""",
                      template="%msg%|%$.ok%\\n",
                      action='action(type="mmdnstapparse" output="json" replacemsg="json") '
                      'set $.ok = $parsesuccess;')
    import socket
    daemon.wait_socket(os.path.join(case.dir, "logsock"))
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.connect(os.path.join(case.dir, "logsock"))
    sender.send(b"<13>Jan  1 00:00:00 prog: dnstap is only a word here")
    sender.close()
    line, = daemon.wait_lines(1)
    assert line.split(b"|")[0].strip() == b"dnstap is only a word here", line
    fstrm.deliver(daemon.socket, [fstrm.payload()])
    line = daemon.wait_lines(2)[1]
    text, success = line.rsplit(b"|", 1)
    check_json([text])
    assert success == b"OK", line


if __name__ == "__main__":
    tap.main()
