#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mmdnstapparse's ways of handing events on.

Covers: $!dnstap equals the json format over the whole corpus and for hostile fields; containers and
their siblings; replacemsg and output "off"; $parsesuccess; foreign messages and broken envelopes;
several frames in one envelope, and bundle; split.ruleset; foreach; maxrecords; counters.
"""
import base64
import json
import socket
import struct

import fstrm
import tap
from harness import CORPUS, QUEUES, corpus, rsyslogd, wait_for

HEADER = b"<29>Nov 26 12:00:00 host dnstap: "
IMPTCP = 'input(type="imptcp" path="{socket}" ruleset="dnstap")'
BOTH = 'action(type="mmdnstapparse" output=["properties","json"] replacemsg="text")'
STATUS = " set $.ps = $parsesuccess;"
# A tab is escaped in JSON, so it separates.
TREE_AND_JSON = "%$!dnstap%\\t%$!dnstap_json%\\n"


def envelope(*frames, head="dnstap1 b|"):
    """A base64 envelope, as a relay sends it (lib/envelope.h)."""
    return head.encode() + base64.b64encode(b"".join(map(fstrm.data, frames)))


def send_lines(daemon, *lines):
    """As a relay would: behind an RFC 3164 header."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(daemon.socket)
        s.sendall(b"".join(HEADER + line + b"\n" for line in lines))


def listen(case, **options):
    """rsyslogd that takes envelopes as lines, so that a test can send any."""
    return rsyslogd(case, input=IMPTCP, extra='module(load="imptcp")\n' + options.pop("extra", ""),
                    **options)


def counters(daemon):
    return daemon.stats().get("mmdnstapparse", {})


def wait_counters(daemon, **want):
    want = {key.replace("_", "."): value for key, value in want.items()}
    wait_for(f"counters {want}", lambda: all(counters(daemon).get(k) == v for k, v in want.items()))


def without_nul(value):
    """rsyslog cannot hold U+0000 in a property: the tree has U+FFFD there, the text an escape."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [without_nul(v) for v in value]
    if isinstance(value, dict):
        return {k: without_nul(v) for k, v in value.items()}
    return value


def check_same(lines):
    for number, line in enumerate(lines, 1):
        tree, text = line.decode("utf-8").split("\t")
        assert json.loads(tree) == without_nul(json.loads(text)), f"line {number}: {tree}\n{text}"


@tap.timeout(120)
def test_tree_is_json_over_corpus(case):
    frames = [frame for path in CORPUS for frame in fstrm.read_frames(path)]
    daemon = rsyslogd(case, action=BOTH, template=TREE_AND_JSON)
    fstrm.deliver(daemon.socket, frames)
    lines = daemon.wait_lines(len(frames))
    check_same(lines)
    assert all(json.loads(line.split(b"\t")[0])["type_id"] for line in lines)


def hostile_frames():
    for octets in (b"a\0b", b"\xff\xfe\xc3", b'"\\\x01\x7f', "\u00fc\U0001f600".encode(), b"\0" * 3, b""):
        yield fstrm.payload(identity=octets, version=octets, extra=octets)
    yield fstrm.payload("CLIENT_RESPONSE", seconds=2 ** 64 - 1)
    yield fstrm.payload("CLIENT_RESPONSE", seconds=2 ** 63)
    yield fstrm.payload("UPDATE_QUERY", address=b"\x20\x01" + b"\0" * 14)
    yield fstrm.payload(address=b"\1\2\3")
    yield b"\xff\xff\xff"  # no protobuf
    yield fstrm.field(1, b"only an identity") + fstrm.field(15, 1)
    yield fstrm.field(14, fstrm.field(1, 6) + fstrm.field(14, b"short")) + fstrm.field(15, 1)
    yield fstrm.field(14, fstrm.field(1, 13) + fstrm.field(10, fstrm.dns_query(1, flags=5 << 11))) \
        + fstrm.field(15, 1)
    yield fstrm.field(14, fstrm.field(1, 13) + fstrm.field(10, fstrm.dns_query(1) + b"\0behind")) + fstrm.field(15, 1)
    # Answers of type A: of class CH, without octets, and a good one.
    answers = b"".join(b"\xc0\x0c" + struct.pack(">HHIH", 1, rr_class, 60, len(data)) + data
                       for rr_class, data in ((3, b"\1\2\3\4"), (1, b""), (1, b"\xc0\0\2\1")))
    wire = fstrm.dns_query(1, flags=0x8180)
    yield fstrm.field(14, fstrm.field(1, 6) + fstrm.field(14, wire[:6] + b"\0\3" + wire[8:] + answers)) \
        + fstrm.field(15, 1)


def test_tree_is_json_for_hostile_frames(case):
    frames = list(hostile_frames())
    daemon = listen(case, action=BOTH, template=TREE_AND_JSON)
    send_lines(daemon, *map(envelope, frames))
    check_same(daemon.wait_lines(len(frames)))


def test_parsesuccess_and_malformed(case):
    """A frame that cannot be decoded is an event with the reason and the frame."""
    good, bad = fstrm.payload(), b"\xff\xff\xff"
    daemon = listen(case, action=BOTH + STATUS, template="%$.ps%\\t%$!dnstap_json%\\n")
    send_lines(daemon, envelope(good), envelope(bad))
    lines = [line.decode().split("\t") for line in daemon.wait_lines(2)]
    assert [line[0] for line in lines] == ["OK", "FAIL"], lines
    event = json.loads(lines[1][1])
    assert event["malformed"] is True and event["error"], event
    assert base64.b64decode(event["frame"]) == bad
    assert "malformed" not in json.loads(lines[0][1])
    wait_counters(daemon, frames_parsed=1, frames_malformed=1, messages_foreign=0)


def test_foreign_message_is_unchanged(case):
    daemon = listen(case, action=BOTH + STATUS, template="%$.ps%\\t%msg%\\t%$!%\\n")
    texts = [b"hello", b"dnstap2 b|AAAA", b"dnstap", b"x dnstap1 b|AAAA", b"dnstap1"]
    send_lines(daemon, *texts)
    lines = [line.split(b"\t") for line in daemon.wait_lines(len(texts))]
    assert [line[1][1:] for line in lines] == texts, lines
    assert all(line[0] == b"FAIL" and line[2] == b"" for line in lines), lines
    wait_counters(daemon, frames_parsed=0, frames_malformed=0, messages_foreign=len(texts))


def test_broken_envelopes_are_events(case):
    """Marker, and then something else: never dropped, never foreign."""
    cut = fstrm.data(b"x" * 300)[:20]
    broken = [b"dnstap1 q|x", b"dnstap1 b|!!!", b"dnstap1 b|", b"dnstap1 b",
              b"dnstap1 b|" + base64.b64encode(cut)]
    daemon = listen(case, action=BOTH + STATUS, template="%$.ps%\\t%$!dnstap_json%\\n")
    send_lines(daemon, *broken)
    for line in daemon.wait_lines(len(broken)):
        status, event = line.decode().split("\t")
        assert status == "FAIL" and json.loads(event)["malformed"] is True, line
    assert "16 of 300" in json.loads(daemon.lines()[4].split(b"\t")[1])["error"]


def test_attributes_of_the_envelope(case):
    head = "dnstap1 b sample=10 peer=2001:db8::1 later=x tls=ns1.example|"
    daemon = listen(case, action=BOTH, template="%$!dnstap%\\n")
    send_lines(daemon, envelope(fstrm.payload(), head=head))
    event = json.loads(daemon.wait_lines(1)[0])
    assert (event["sample"], event["peer"], event["tls_peer"]) == (10, "2001:db8::1", "ns1.example")


def test_peer_is_the_sender_of_the_message(case):
    daemon = rsyslogd(case, action=BOTH, template="%fromhost-ip%\\t%$!dnstap!peer%\\n")
    fstrm.deliver(daemon.socket, [fstrm.payload()])
    address, peer = daemon.wait_lines(1)[0].split(b"\t")
    assert address == peer and address, (address, peer)


@tap.cases(("deep", ("$!a!b", "$!a!b", "$!a!b_json")), ("root", ("$!", "$!", "$!dnstap_json")),
           ("local", ("$.x", "$.x", "$.x_json")), ("default", ("$!dnstap", "$!dnstap", "$!dnstap_json")))
def test_container(case, names):
    container, tree, text = names
    daemon = listen(case, template=f"%{tree}%\\t%{text}%\\n",
                    action=f'action(type="mmdnstapparse" container="{container}" '
                           'output=["properties","json"])')
    send_lines(daemon, envelope(fstrm.payload()))
    found, line = daemon.wait_lines(1)[0].decode().split("\t")
    found = json.loads(found)
    found.pop("dnstap_json", None)  # the sibling is within the root
    assert found == json.loads(line)


def test_container_is_replaced(case):
    """What was in the container before does not mix with the event."""
    daemon = listen(case, action='set $!dnstap!type = "mine"; set $!dnstap!old = "x"; ' + BOTH,
                    template=TREE_AND_JSON)
    send_lines(daemon, envelope(fstrm.payload()))
    check_same(daemon.wait_lines(1))


def test_off(case):
    """replacemsg off keeps the frame; output off builds nothing; the defaults are text and tree."""
    off = 'action(type="mmdnstapparse" output="off" replacemsg="off")'
    daemon = listen(case, action=off + STATUS, template="%$.ps%\\t%msg%\\t%$!%\\n")
    sent = envelope(fstrm.payload())
    send_lines(daemon, sent)
    status, msg, tree = daemon.wait_lines(1)[0].split(b"\t")
    assert (status, msg.strip(), tree) == (b"OK", sent, b"")


def test_defaults(case):
    daemon = listen(case, action='action(type="mmdnstapparse")',
                    template="%msg%\\t%$!dnstap!type%\\t%$!dnstap_text%\\n")
    send_lines(daemon, envelope(fstrm.payload()))
    msg, kind, text = daemon.wait_lines(1)[0].split(b"\t")
    assert b" CQ 127.0.0.1:5353 " in msg and kind == b"CLIENT_QUERY" and text == b"", msg


SPLIT = '''template(name="one" type="string" string="%programname% %msg%\\n")
ruleset(name="lines" queue.type="LinkedList") {
  action(type="omfile" file="{dir}/lines" template="one")
}'''


def test_split(case):
    """Each line a message of its own, with the tag, and the event itself still there."""
    frames = fstrm.read_frames(corpus("bind-res-unix"))
    daemon = rsyslogd(case, extra=SPLIT, template="%$!dnstap_passivedns%\\n", workers=1,
                      action='action(type="mmdnstapparse" output="passivedns" replacemsg="text" '
                             'split.ruleset="lines" split.format="passivedns")')
    fstrm.deliver(daemon.socket, frames)
    daemon.wait_counters(submitted=len(frames))
    wait_counters(daemon, frames_parsed=len(frames))
    daemon.stop()
    want = [line for line in daemon.lines() if line]
    assert len(want) > 20
    assert daemon.lines("lines") == [b"dnstap " + line for line in want]


def test_split_of_a_bundle(case):
    frames = [fstrm.payload(qid=n, name=f"n{n}.example") for n in range(200)]
    daemon = listen(case, extra=SPLIT, template="%$!dnstap!dns!id%\\n",
                    action='action(type="mmdnstapparse" split.ruleset="lines" split.format="json")')
    send_lines(daemon, envelope(*frames))
    lines = daemon.wait_lines(len(frames), "lines")
    ids = [json.loads(line[line.index(b"{"):])["dns"]["id"] for line in lines]
    assert ids == list(range(200)), ids
    assert daemon.wait_lines(1) == [b"0"]


def test_split_over_maxmessagesize(case):
    """A long line is passed on whole, and said once."""
    frames = [fstrm.payload(qid=n) for n in range(3)]
    daemon = listen(case, extra=SPLIT, maxmessage="500", template="%msg%\\n",
                    action='action(type="mmdnstapparse" split.ruleset="lines" split.format="json")')
    send_lines(daemon, *map(envelope, frames))
    for line in daemon.wait_lines(len(frames), "lines"):
        assert len(line[line.index(b"{"):]) > 500 and json.loads(line[line.index(b"{"):])
    assert len(daemon.wait_log("maxMessageSize")) == 1


def test_bundle(case):
    """Several frames: a line each in texts, the tree of the first."""
    frames = [fstrm.payload(qid=n) for n in (7, 8, 9)]
    daemon = listen(case, action=BOTH + STATUS,
                    template="%$.ps% %$!dnstap!dns!id%\\n%msg%\\n%$!dnstap_json%\\n")
    send_lines(daemon, envelope(*frames))
    lines = daemon.wait_lines(7)
    assert lines[0] == b"OK 7"
    assert all(b" CQ " in line for line in lines[1:4]), lines
    assert [json.loads(line)["dns"]["id"] for line in lines[4:]] == [7, 8, 9]
    wait_counters(daemon, frames_parsed=3)


def test_bundle_with_a_broken_frame(case):
    daemon = listen(case, action=BOTH + STATUS, template="%$.ps%\\n%$!dnstap_json%\\n")
    send_lines(daemon, envelope(fstrm.payload(), b"\xff", fstrm.payload()))
    lines = daemon.wait_lines(4)
    assert lines[0] == b"FAIL"
    assert [bool(json.loads(line).get("malformed")) for line in lines[1:]] == [False, True, False]
    wait_counters(daemon, frames_parsed=2, frames_malformed=1)


@tap.timeout(120)
@tap.cases("memory", "disk", "assisted")
def test_bundling_input(case, queue):
    """bundle= changes how many messages carry the frames, and nothing in the lines or the books."""
    frames = [frame for path in CORPUS for frame in fstrm.read_frames(path)]
    text = 'action(type="mmdnstapparse" output="off" replacemsg="json")'
    plain = {}
    for bundle in (1, 64):
        other = tap.Case()
        case.things.append(Closer(other))
        daemon = rsyslogd(other, action=text, workers=1, queue=QUEUES[queue if bundle > 1 else "memory"],
                          input='input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" '
                                f'bundle="{bundle}")')
        fstrm.deliver(daemon.socket, frames)
        plain[bundle] = daemon.wait_lines(len(frames), deadline=60)
        daemon.check_books(len(frames), len(frames))
        if bundle == 1:  # the queue's counter is written before the input's, and so may be of an earlier moment
            wait_for("a message for each frame", lambda: daemon.stats().get("dnstap", {}).get("enqueued") == len(frames))
        else:
            queued = wait_for("a count", lambda: daemon.stats().get("dnstap", {}).get("enqueued"))
            assert queued < len(frames) / 4, queued
    assert plain[64] == plain[1]


@tap.timeout(120)
@tap.cases("memory", "disk")
def test_bundle_for_another_ruleset(case, queue):
    """Long text is the renderer's own buffer: whole in the message, in a copy of it, and after a disk."""
    frames = [frame for path in CORPUS for frame in fstrm.read_frames(path)]
    daemon = rsyslogd(case, workers=1,
                      action='action(type="mmdnstapparse" output="off" replacemsg="json")\n  call later',
                      extra='ruleset(name="later" ' + QUEUES[queue] + ') {\n'
                            '  action(type="omfile" file="{dir}/later" template="line")\n}',
                      input='input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" bundle="64")')
    fstrm.deliver(daemon.socket, frames)
    lines = daemon.wait_lines(len(frames), deadline=60)
    assert daemon.wait_lines(len(frames), name="later", deadline=60) == lines
    wait_for("later's count", lambda: daemon.stats().get("later", {}).get("enqueued"))
    queued = daemon.stats()["later"]["enqueued"]
    assert sum(len(line) for line in lines) / queued > 20000, queued


class Closer:
    """Stops and removes a case of its own within another."""

    def __init__(self, other):
        self.other = other

    def stop(self):
        self.other.close()
        self.other.remove()

    def diagnosis(self):
        return self.other.diagnosis()


def test_foreach(case):
    """The scripted way: one line per answer."""
    frames = fstrm.read_frames(corpus("bind-res-unix"))
    each = ''' foreach ($.rr in $!dnstap!dns!answers) do {
      action(type="omfile" file="{dir}/answers" template="rr") }'''
    daemon = rsyslogd(case, action=BOTH + each, workers=1, template="%$!dnstap_json%\\n",
                      extra='template(name="rr" type="string" string="%$.rr!name% %$.rr!data%\\n")')
    fstrm.deliver(daemon.socket, frames)
    daemon.wait_lines(len(frames))
    daemon.stop()
    events = map(json.loads, daemon.lines())
    want = [f'{rr["name"]} {rr["data"]}'.encode() for event in events
            for rr in event.get("dns", {}).get("answers", [])]
    assert want and daemon.lines("answers") == want


def test_maxrecords(case):
    frames = fstrm.read_frames(corpus("kdig-axfr"))
    daemon = rsyslogd(case, template=TREE_AND_JSON, maxmessage="1m",
                      action=BOTH[:-1] + ' maxrecords="3")')
    fstrm.deliver(daemon.socket, frames)
    lines = daemon.wait_lines(len(frames))
    check_same(lines)
    events = [json.loads(line.split(b"\t")[0]) for line in lines]
    cut = [event for event in events if event["dns"]["ancount"] > 3]
    assert cut and all(len(event["dns"]["answers"]) == 3 for event in cut)
    assert all(event["dns"].get("truncated") is True for event in cut)
    assert not any("truncated" in event["dns"] for event in events if event not in cut)


@tap.timeout(90)
def test_four_workers(case):
    """Worker instances share nothing: the same events, in any order."""
    frames = [frame for path in CORPUS for frame in fstrm.read_frames(path)] * 2
    daemon = rsyslogd(case, action=BOTH, template=TREE_AND_JSON, workers=4,
                      queue=QUEUES["memory"] + ' queue.workerthreadminimummessages="1" '
                            'queue.dequeuebatchsize="16"')
    fstrm.deliver(daemon.socket, frames)
    check_same(daemon.wait_lines(len(frames)))
    wait_counters(daemon, messages_foreign=0)


if __name__ == "__main__":
    tap.main()
