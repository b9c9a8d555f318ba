# SPDX-License-Identifier: Apache-2.0
"""What gets in and as what: filters, sampling, rate limit, names, properties, files.

Covers each parameter of input(type="imdnstap") that changes what is submitted, in both
directions, and its counter.
"""
import lzma
import os
import socket
import time

import fstrm
import tap
from certificates import authority, context, tls_options
from fstrm import Client
from harness import BUILD, check_config, check_json, check_matches, corpus, rsyslogd, wait_for
from test_transport import tcp_daemon

UNIX = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" %s)'
META = "%hostname%|%fromhost-ip%|%fromhost%|%programname%|%syslogtag%|%inputname%|%syslogfacility-text%|" \
       "%syslogseverity-text%|%timereported:::date-rfc3339%|%msg%\\n"


def meta(daemon, count=1):
    names = ("hostname", "ip", "fromhost", "program", "tag", "input", "facility", "severity",
             "time", "msg")
    return [dict(zip(names, line.decode().split("|", 9))) for line in daemon.wait_lines(count)]


def test_messagetypes(case):
    """Only the wanted types are submitted; the others are counted as filtered."""
    frames = fstrm.read_frames(corpus("bind-res-unix"))
    wanted = ("CLIENT_RESPONSE", "RESOLVER_RESPONSE")
    kept = [frame for frame in frames if fstrm.type_of(frame) in wanted]
    assert 0 < len(kept) < len(frames)
    daemon = rsyslogd(case, input=UNIX % 'messagetypes=["CLIENT_RESPONSE","RESOLVER_RESPONSE"]')
    fstrm.deliver(daemon.socket, frames)
    check_matches(check_json(daemon.wait_lines(len(kept))), kept)
    now = daemon.check_books(len(frames), len(kept))
    assert now["frames.filtered"] == len(frames) - len(kept), now


def test_messagetypes_of_every_type(case):
    """Each known type passes when it is named, and a frame of an unknown type does not."""
    frames = [fstrm.payload(kind, qid=n) for n, kind in enumerate(fstrm.TYPES[1:], 1)]
    listed = ",".join(f'"{kind}"' for kind in fstrm.TYPES[1:])
    daemon = rsyslogd(case, input=UNIX % f"messagetypes=[{listed}]")
    unknown = fstrm.field(14, fstrm.field(1, 99)) + fstrm.field(15, 1)
    fstrm.deliver(daemon.socket, frames + [unknown])
    events = check_json(daemon.wait_lines(len(frames)))
    assert [e["type"] for e in events] == fstrm.TYPES[1:]
    now = daemon.check_books(len(frames) + 1, len(frames))
    assert now["frames.filtered"] + now["frames.invalid"] == 1, now


def test_sample(case):
    """About one in N is kept, query and response of a transaction together; N is on the event."""
    frames = []
    for n in range(2000):
        name = f"h{n}.example.com"
        frames.append(fstrm.payload("CLIENT_QUERY", qid=n, port=1024 + n, name=name))
        frames.append(fstrm.payload("CLIENT_RESPONSE", qid=n, port=1024 + n, name=name))
    daemon = rsyslogd(case, input=UNIX % 'sample="10"')
    fstrm.deliver(daemon.socket, frames)
    now = daemon.check_books(len(frames)) if daemon.wait_counters(
        frames_received=len(frames)) else None
    kept = now["submitted"]
    assert 200 < kept < 800, f"kept {kept} of {len(frames)}"
    assert now["frames.sampledout"] == len(frames) - kept
    events = check_json(daemon.wait_lines(kept))
    sides = {}
    for event in events:
        sides.setdefault(event["dns"]["id"], set()).add(event["type"])
        assert event.get("sample") == 10, event
    assert all(len(side) == 2 for side in sides.values()), "half a transaction was kept"


def test_ratelimit(case):
    """A burst passes, the rest of the interval is counted."""
    daemon = rsyslogd(case, input=UNIX % 'ratelimit.interval="600" ratelimit.burst="100"')
    fstrm.deliver(daemon.socket, [fstrm.payload(qid=n) for n in range(500)])
    daemon.wait_lines(100)
    now = daemon.check_books(500, 100)
    assert now["frames.ratelimited"] == 400, now


def has_ratelimit_objects():
    with open(os.path.join(BUILD, "config.h")) as file:
        return "#define HAVE_RATELIMIT_OBJECTS 1" in file.read()


def test_ratelimit_name(case):
    """Two inputs share the settings of a ratelimit() object, each with a burst of its own. A daemon
    without such objects refuses the parameter."""
    text = 'input(type="imdnstap" name="%s" path="{dir}/%s" ratelimit.name="few" ruleset="dnstap")'
    if not has_ratelimit_objects():
        status, lines = check_config(case.dir, 'module(load="imdnstap")\n' + text.replace("{dir}", case.dir) % ("t", "sock"))
        assert status != 0 and [line for line in lines if "came with 8.2602" in line], lines
        return
    daemon = rsyslogd(case, extra='ratelimit(name="few" interval="600" burst="100")',
                      input=text % ("t", "sock") + "\n" + text % ("u", "other"))
    daemon.wait_socket(os.path.join(case.dir, "other"))
    for name in ("sock", "other"):
        fstrm.deliver(daemon.wait_socket(os.path.join(case.dir, name)), [fstrm.payload(qid=n) for n in range(500)])
    daemon.wait_lines(200)
    for name in ("t", "u"):
        now = daemon.check_books(500, 100, name)
        assert now["frames.ratelimited"] == 400, now


@tap.cases("identity", "peer", "local")
def test_hostname(case, mode):
    daemon = rsyslogd(case, input=UNIX % f'hostname="{mode}"', template=META,
                      globals='localHostname="collector"')
    fstrm.deliver(daemon.socket, [fstrm.payload(identity=b"ns7.example")])
    record, = meta(daemon)
    if mode == "identity":
        assert record["hostname"] == "ns7.example", record
    elif mode == "local":
        assert record["hostname"] == "collector", record
    else:
        assert record["hostname"] == record["fromhost"] or record["hostname"] == record["ip"], record


def test_odd_identities(case):
    """What is no hostname becomes one; identity itself keeps what was sent."""
    odd = [b"with space", "n\u00e4me".encode(), b"x" * 400, b"", b"a\nb\0c", None, b"ok-1.example"]
    daemon = rsyslogd(case, template=META, globals='localHostname="collector"')
    fstrm.deliver(daemon.socket, [fstrm.payload(identity=value) for value in odd])
    records = meta(daemon, len(odd))
    for value, record in zip(odd, records):
        host = record["hostname"]
        assert 0 < len(host) <= 255 and all(c.isalnum() or c in "-._:" for c in host), record
        assert host.isascii()
        event, = check_json([record["msg"].encode()])
        if value:
            assert event["identity"] == value.decode()
    assert records[0]["hostname"] == "with_space"
    assert records[6]["hostname"] == "ok-1.example"


def test_properties(case):
    """tag, facility, severity, name, and the frame's own time."""
    daemon = rsyslogd(case, input='input(type="imdnstap" name="edge" path="{socket}" tag="dnsedge" '
                      'facility="local3" severity="notice" ruleset="dnstap")', template=META)
    fstrm.deliver(daemon.socket, [fstrm.payload(seconds=1700000000)])
    record, = meta(daemon)
    assert record["program"] == "dnsedge", record
    assert record["input"] == "edge" and record["facility"] == "local3", record
    assert record["severity"] == "notice", record
    assert record["time"].startswith("2023-11-14T22:13:20"), record
    daemon.wait_counters("edge", submitted=1)


def test_defaults(case):
    daemon = rsyslogd(case, template=META)
    fstrm.deliver(daemon.socket, [fstrm.payload()])
    record, = meta(daemon)
    assert record["program"] == "dnstap" and record["facility"] == "daemon", record
    assert record["severity"] == "info" and record["hostname"] == "ns1", record


def test_two_listeners(case):
    """Each listener has its own parameters and counters."""
    daemon = rsyslogd(case, input="""
      input(type="imdnstap" name="a" path="{dir}/a" ruleset="dnstap" messagetypes="CLIENT_QUERY")
      input(type="imdnstap" name="b" path="{dir}/b" ruleset="dnstap")""")
    frames = [fstrm.payload("CLIENT_QUERY", 1), fstrm.payload("CLIENT_RESPONSE", 2)]
    for name in "ab":
        fstrm.deliver(daemon.wait_socket(os.path.join(case.dir, name)), frames)
    daemon.wait_lines(3)
    assert daemon.check_books(2, 1, "a")["frames.filtered"] == 1
    daemon.check_books(2, 2, "b")


def test_two_inputs_of_one_name(case):
    """Each has counters and books of its own: the second gets a number behind its name, and a line says so."""
    daemon = rsyslogd(case, template="%inputname%\\n", input="".join(
        f'input(type="imdnstap" name="t" path="{{dir}}/{name}" ruleset="dnstap")\n' for name in "abc"))
    for count, name in enumerate("abc", 1):
        fstrm.deliver(daemon.wait_socket(os.path.join(case.dir, name)), [fstrm.payload()] * count)
    assert sorted(daemon.wait_lines(6)) == [b"t", b"t#2", b"t#2", b"t#3", b"t#3", b"t#3"]
    for count, name in enumerate(("t", "t#2", "t#3"), 1):
        daemon.wait_counters(name, frames_received=count)
    assert len(daemon.wait_log("warning .*another input has this name", 2)) == 2
    daemon.stop()
    assert len(daemon.log("input t: ended, frames: 1 received")) == 1
    assert len(daemon.log("input t#3: ended, frames: 3 received")) == 1


def peer_counters(daemon):
    """{peer: {counter: value}} of the input's peers."""
    out = {}
    for key, value in daemon.stats().get("imdnstap(t)/peers", {}).items():
        if "/" in key:
            peer, counter = key.split("/")
            out.setdefault(peer, {})[counter] = value
    return out


def wait_peers(daemon, counters, expected):
    """Until the peers' counters, in that order, have these values."""
    def reached():
        now = peer_counters(daemon)
        return {peer: tuple(c[name] for name in counters) for peer, c in now.items()} == expected and now
    try:
        return wait_for("", reached)
    except AssertionError:
        raise AssertionError(f"{peer_counters(daemon)}, expected {expected} of {counters}") from None


def test_peer_counters(case):
    """The first peers have counters of their own, further ones share some; one that is gone makes room,
    and the sum never loses anything."""
    file = os.path.join(case.dir, "port")
    daemon = rsyslogd(case, input=f'input(type="imdnstap" name="t" address="127.0.0.1" port="0" peercounters="2" '
                                  f'listenportfilename="{file}" maxframesize="1k" ruleset="dnstap")')
    port = int(wait_for("a port", lambda: os.path.exists(file) and open(file).read()))
    start = fstrm.control(fstrm.START, fstrm.CONTENT_TYPE)
    peers, sent = {}, 0

    def send(number, frames, more=b""):
        nonlocal sent
        address = f"127.0.0.{number}"
        if address not in peers:
            peers[address] = socket.create_connection(("127.0.0.1", port), source_address=(address, 0))
            peers[address].sendall(start)
        peers[address].sendall(b"".join(fstrm.data(fstrm.payload(qid=n)) for n in range(frames)) + more)
        sent += frames + bool(more)
        daemon.wait_counters(frames_received=sent)

    send(2, 3)
    send(3, 2)
    send(4, 4)  # no place is left
    send(2, 1)
    wait_peers(daemon, ("sessions", "frames.received"),
               {"127.0.0.2": (1, 4), "127.0.0.3": (1, 2), "other": (1, 4)})
    peers.pop("127.0.0.3").close()
    daemon.wait_counters(sessions_closed=1)
    send(5, 1, more=b"\x7f\xff\xff\xff")  # takes the place, and breaks the limit
    daemon.wait_counters(sessions_closed=2)
    now = wait_peers(daemon, ("sessions", "frames.received", "frames.invalid"),
                     {"127.0.0.2": (1, 4, 0), "127.0.0.5": (0, 2, 1), "other": (1, 6, 0)})
    all_of = daemon.check_books(sent)
    for counter in ("frames.received", "frames.invalid", "bytes.received", "sessions.opened"):
        assert sum(c[counter] for c in now.values()) == all_of[counter], (counter, now, all_of)
    for peer in peers.values():
        peer.close()


def test_peer_counters_of_a_unix_socket(case):
    """A peer there is a user."""
    daemon = rsyslogd(case, input=UNIX % "")
    fstrm.deliver(daemon.socket, [fstrm.payload()] * 3)
    daemon.check_books(3)
    wait_peers(daemon, ("frames.received",), {f"uid:{os.getuid()}": (3,), "other": (0,)})


def test_bytes_received(case):
    """bytes.received counts what came over the wire."""
    octets = fstrm.stream([fstrm.payload(qid=n) for n in range(50)])
    daemon = rsyslogd(case)
    Client(daemon.socket).send(octets).close()
    daemon.wait_lines(50)
    daemon.wait_counters(bytes_received=len(octets))


@tap.cases("memory only", "with disk")
def test_frames_beyond_64k(case, _how):
    """A frame of 100 KiB passes whole where maxMessageSize allows it."""
    from harness import QUEUES
    big = fstrm.payload(qid=7, extra=b"e" * 100_000)
    daemon = rsyslogd(case, queue=QUEUES["disk" if _how == "with disk" else "memory"])
    fstrm.deliver(daemon.socket, [big, fstrm.payload(qid=8)])
    events = check_json(daemon.wait_lines(2))
    assert [e["dns"]["id"] for e in events] == [7, 8]
    assert events[0]["extra"] == "e" * 100_000


@tap.cases(("plain", False), ("tls", True))
def test_frames_longer_than_a_read(case, over_tls):
    """256 KiB are a turn: frames just below and above that, and of several times as much, come as they were sent."""
    made = authority(case)
    daemon, address = tcp_daemon(case, 'maxframesize="2m" ' + (tls_options(made) if over_tls else ""),
                                 maxmessage="4m")
    sizes = [1 << 18, 5, 250000, 262000, 262100, 700000, 1, 1 << 20, 262144 - 16384]
    extra = [(b"%07d" % number * (size // 7 + 1))[:size] for number, size in enumerate(sizes)]
    client = Client(address, deadline=60, tls=context(made) if over_tls else None, server_name="localhost")
    client.ready().frames([fstrm.payload(qid=number, extra=text) for number, text in enumerate(extra)]).finish()
    events = check_json(daemon.wait_lines(len(sizes)))
    assert [event["extra"].encode() for event in events] == extra, [len(event["extra"]) for event in events]


def test_frame_over_maxmessagesize(case):
    """With a small maxMessageSize a frame is whole or in a counter, and the log says what to set."""
    daemon = rsyslogd(case, maxmessage="8k")
    logged = daemon.log("(?i)maxmessagesize")
    fstrm.deliver(daemon.socket, [fstrm.payload(qid=1), fstrm.payload(qid=2, extra=b"e" * 50_000),
                                  fstrm.payload(qid=3)])
    now = daemon.wait_counters(frames_received=3)
    events = check_json(daemon.wait_lines(now["submitted"]))
    assert {1, 3} <= {e["dns"]["id"] for e in events}
    for event in events:
        if event["dns"]["id"] == 2:
            assert event["extra"] == "e" * 50_000, "a cut frame was submitted"
    assert logged or daemon.log("(?i)maxmessagesize"), daemon.log()


def test_file_glob_and_faults(case):
    """A glob; a cut file gives its whole frames; a file of something else and none: one line."""
    directory = os.path.join(case.dir, "in")
    os.mkdir(directory)
    frames = [fstrm.payload(qid=n) for n in range(30)]
    octets = fstrm.stream(frames)
    cut = octets[:-20]  # STOP and the end of the last frame
    whole = len(fstrm.parse_stream(cut))
    for name, value in (("a.fstrm", octets), ("b.fstrm", cut), ("c.fstrm", b"no stream at all")):
        with open(os.path.join(directory, name), "wb") as file:
            file.write(value)
    daemon = rsyslogd(case, input="""
       input(type="imdnstap" name="t" file="{dir}/in/*.fstrm" ruleset="dnstap")
       input(type="imdnstap" name="u" file="{dir}/in/nothing-*" ruleset="dnstap")""")
    daemon.wait_lines(30 + whole)
    daemon.wait_log(r"c\.fstrm")
    daemon.wait_log(r"nothing-")
    daemon.check_books(30 + whole, 30 + whole)


def test_compressed_file(case):
    """An .xz file replays like the file itself, where that is built in."""
    path = os.path.join(case.dir, "x.fstrm.xz")
    frames = fstrm.read_frames(corpus("knot-unix"))
    with lzma.open(path, "wb") as file:
        file.write(fstrm.stream(frames))
    daemon = rsyslogd(case, input='input(type="imdnstap" name="t" file="%s" ruleset="dnstap")' % path)
    wait_for("the file to be replayed or refused",
             lambda: daemon.lines() or daemon.log(r"x\.fstrm\.xz"))
    if not daemon.lines() and daemon.log("(?i)xz.*(support|built)"):
        raise tap.Skip("built without liblzma")
    check_matches(check_json(daemon.wait_lines(len(frames))), frames)


def test_idletimeout(case):
    """An idle session is closed; one that sends is not."""
    daemon = rsyslogd(case, input=UNIX % 'idletimeout="1"')
    began = time.monotonic()
    client = Client(daemon.socket).ready().frames([fstrm.payload(qid=1)])
    client.wait_closed()
    assert time.monotonic() - began >= 0.9
    daemon.wait_lines(1)
    daemon.wait_counters(sessions_opened=1, sessions_closed=1)


def test_all_outputs_at_once(case):
    """properties, json and text from one decode; json equals the properties' tree."""
    import json
    frames = fstrm.read_frames(corpus("unbound-unix-bidi"))
    daemon = rsyslogd(case, action='action(type="mmdnstapparse" output=["properties","json","text"])',
                      template="%$!dnstap_json%\\t%$!dnstap%\\t%msg%\\n")
    fstrm.deliver(daemon.socket, frames)
    for line in daemon.wait_lines(len(frames)):
        ours, tree, text = line.split(b"\t", 2)
        assert json.loads(ours) == json.loads(tree), line
        assert text, line


if __name__ == "__main__":
    tap.main()
