#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every line of every format, over the whole corpus and a hostile set, is accepted by the format's consumers,
and every frame gives exactly one line in the single-line formats. jq reads all JSON.
"""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
import consumers
import frames
import hostile
import tapwriter as tap

JSON = [f for f in consumers.CHECKS if f not in ("cef", "passivedns")]


def problems_of(form, lines):
    for line in lines:
        yield from consumers.check(form, line)


def jq_count(lines):
    run = subprocess.run(["jq", "-c", "type"], input=b"\n".join(lines) + b"\n",
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return run.stdout.count(b'"object"') if run.returncode == 0 else run.stderr


def corpus():
    for path in frames.CORPUS:
        base = os.path.basename(path)
        count = len(frames.frames_of(path))
        for form in consumers.CHECKS:
            lines = frames.render_file(form, path)
            tap.none(problems_of(form, lines), "%s over %s" % (form, base))
            if form in consumers.SINGLE:
                tap.equal(len(lines), count, "%s: one line per frame of %s" % (form, base))
            if form in JSON and lines and have_jq:
                tap.equal(jq_count(lines), len(lines), "%s: jq reads %s" % (form, base))


def hostile_set():
    cases = list(hostile.all_frames())
    payloads = [f for _, f in cases]
    for form in consumers.CHECKS:
        lines = frames.render(form, payloads)
        if form in consumers.SINGLE:
            tap.equal(len(lines), len(payloads), "%s: one line per hostile frame" % form)
            for (label, _), line in zip(cases, lines):
                found = consumers.check(form, line)
                if found:
                    tap.none(found, "%s: %s" % (form, label))
        tap.none(problems_of(form, lines), "%s over %d hostile frames" % (form, len(payloads)))
        if form in JSON and have_jq:
            tap.equal(jq_count(lines), len(lines), "%s: jq reads the hostile set" % form)


def selftest():
    """The parsers themselves refuse what the consumers refuse (formats.md's list of failures)."""
    head = b"1587000000.123456||192.0.2.1||192.0.2.2||IN||"
    bad = {
        "passivedns": [
            b"1587000000||10.1.1.1||8.8.8.8||IN||nx.example.||A||||||3", head + b".||NS||x.||1||1",
            head + b"*.x.||A||192.0.2.1||1||1", head + b"128/27.x.||A||192.0.2.1||1||1",
            head + b"a\\032b.x.||A||192.0.2.1||1||1", head + b"a.||TXT||\"a|b\"||1||1"],
        "cef": [b"CEF:0|a|b|c|d|e|1|msg=a\\|b", b"CEF:0|a|b|c|d|e|1|msg=a=b", b"CEF:0|a|b|c|d|1|msg=a",
                b"CEF:0|a|b|c|d|e|1|msg=a\tspt=1", b"CEF:0|a|b|c|d|e|1|spt=010",
                b"CEF:0|a|b|c|d|e|1|msg=\xff", b"CEF:0|a|b|c|d|e|1|cs1=x"],
        "cof": [b'{"rrname":"a.","rrtype":"A","rdata":[]}'],
        "ecs": [b'{"@timestamp":"2023","ecs":{"version":"8"},"event":{"kind":"event"}}'],
    }
    for form, lines in bad.items():
        for line in lines:
            tap.ok(consumers.check(form, line), "%s check refuses %r" % (form, line))
    good = [b"1322849924.408856||10.1.1.1||8.8.8.8||IN||upload.youtube.com.||A||74.125.43.117||46587||1",
            b"1587000000.123456||10.1.1.1||8.8.8.8||IN||nx.example.||A||NXDOMAIN||0||1"]
    for line in good:
        tap.none(consumers.check("passivedns", line), "passivedns check takes %r" % line)


have_jq = subprocess.run(["sh", "-c", "command -v jq"], stdout=subprocess.DEVNULL).returncode == 0
selftest()
corpus()
hostile_set()
tap.done()
