#!/usr/bin/python3
# bench.py - what collecting costs: the library, the input, end to end, a floor and peers, in one table.
#
#   make bench                          everything, on the cut of `big` in tests/corpus
#   tests/bench/bench.py --big FILE     another capture (.fstrm or .fstrm.xz), --help for the rest
#   tests/bench/bench.py --sections tuning          what rsyslog's own parameters do
#   tests/bench/bench.py --soak 600     RSS over ten minutes at full load, nothing else
#   ... --update doc/performance.md     puts the tables in the place of those under the same headings
#
# Variants of a section run interleaved, round by round, each round beginning with another one; figures
# are medians over the rounds, and ratios are between variants of the same run. Where it is ratios that
# matter, what they relate to runs again and again within a round. Every variant is checked: the number of lines that
# came out must be the number of events that went in. Peers run where they are installed
# (apt-get install dnstap dnstap-ldns), instructions are counted where valgrind is.
#
# SPDX-License-Identifier: Apache-2.0
import argparse
import lzma
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
from measure import Runner  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
LATER = dict(input=240, e2e=0)  # seconds that the sections behind this one should find left

QUEUE = ('queue.type="@qtype@" queue.size="@qsize@" queue.dequeueBatchSize="@batch@" '
         'queue.workerThreads="@workers@" queue.workerThreadMinimumMessages="1" '
         'queue.timeoutShutdown="100000"')
OMFILE = 'action(type="omfile" file="@out@" template="t" @omfile@)'
DNSTAP = '''module(load="@modules@/imdnstap/.libs/imdnstap.so" @modparams@)
module(load="@modules@/mmdnstapparse/.libs/mmdnstapparse.so")
input(type="imdnstap" @listen@ ruleset="r" name="bench" maxsessions="2000" @input@)
'''
# A queue that is not left to fill: what is in work stays in the processor's caches. The floor, whose input is
# slower than its output, never fills its own.
SMALL = dict(qsize=4000, batch=64)
FIELDS8 = ("time", "type", "query_address", "query_port", "dns!rcode", "dns!id", "protocol",
           "response_address")
TEMPLATE8 = " ".join("%%$!dnstap!%s%%" % field for field in FIELDS8) + "\\n"
HEADS = {"rate": "events/s", "cpu": "CPU us/event", "rss": "peak RSS MB"}


def mmdnstapparse(fmt):
    tree = fmt == "properties"
    return 'action(type="mmdnstapparse" replacemsg="%s" output="%s")' % (
        ("off", fmt) if tree else (fmt, "off"))


def to_file(name, action, template="%msg%\\n", values=None, **more):
    """A variant: imdnstap, an action, and a file that gets the template."""
    config = DNSTAP + 'template(name="t" type="string" string="%s")\n' % template
    config += 'ruleset(name="r" ' + QUEUE + ") {\n " + action + "\n " + OMFILE + "\n}\n"
    return dict(name=name, config=config, values=values or {}, **more)


def to_nothing(name, action="", **more):
    """A variant that ends at `stop`. Without an action only the input is measured."""
    config = DNSTAP + 'ruleset(name="r" ' + QUEUE + ") { " + action + " stop }\n"
    config += 'action(type="omfile" file="@dir@/internal")\n'
    return dict(dict(name=name, config=config, end="drained" if action else "sent"), **more)


class Bench:
    def __init__(self, args, directory):
        self.args = args
        self.directory = directory
        self.started = time.monotonic()
        self.big = self.unpack(args.big)
        self.mixed = sorted(
            os.path.join(args.corpus, f) for f in os.listdir(args.corpus) if f.endswith(".fstrm"))
        self.runner = Runner(args.builddir, directory, self.big, args.repeat)
        self.tables = {}  # title -> lines
        self.medians = {}  # of all sections: name -> (rate, cpu, rss)
        self.json_instructions = None

    def unpack(self, path):
        if not path.endswith(".xz"):
            return path
        target = os.path.join(self.directory, "big.fstrm")
        with lzma.open(path) as source, open(target, "wb") as f:
            shutil.copyfileobj(source, f)
        return target

    # ---- tables

    def table(self, title, *cells):
        """Prints a row, below its heading if it is the first one of the table."""
        row = "| %s |" % " | ".join(cells)
        if title not in self.tables:
            self.tables[title] = []
            print("\n## %s\n" % title)
        self.tables[title].append(row)
        print(row)
        if len(self.tables[title]) == 1:
            self.tables[title].append("|---" * len(cells) + "|")
            print(self.tables[title][-1])
        sys.stdout.flush()

    def update(self, path):
        """Each table goes to where the document has one below a heading of the same title."""
        with open(path) as f:
            lines = f.read().split("\n")
        for title, rows in self.tables.items():
            heads = [i for i, line in enumerate(lines) if line.strip("# ") == title and line[:1] == "#"]
            if not heads:
                print("%s: no heading \"%s\"" % (path, title))
                continue
            first = next(i for i in range(heads[0], len(lines)) if lines[i].startswith("|"))
            last = next(i for i in range(first, len(lines)) if not lines[i].startswith("|"))
            lines[first:last] = rows
        with open(path, "w") as f:
            f.write("\n".join(lines))

    # ---- the library

    def bench_lib(self, *arguments):
        return subprocess.run([self.runner.tool("bench_lib")] + list(arguments),
                              capture_output=True, text=True, check=True).stdout

    def instructions(self, stage):
        out = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=bench_pass",
             "--callgrind-out-file=/dev/null", self.runner.tool("bench_lib"), "--pass", stage]
            + self.mixed, capture_output=True, text=True, check=True)
        total = [line.split()[-1] for line in out.stderr.splitlines() if "Collected" in line][0]
        return int(total) / int(out.stdout.split()[0])

    def library(self):
        title = "Library, per frame"
        self.table(title, "stage", "mixed: ns", "instructions", "octets out", "big: ns", "octets out")
        timed = {}
        for name, files in (("mixed", self.mixed), ("big", [self.big])):
            for line in self.bench_lib(*files).splitlines():
                stage, ns, octets = line.split()
                timed.setdefault(stage, {})[name] = (float(ns), float(octets))
        for stage, by in timed.items():
            count = self.instructions(stage) if shutil.which("valgrind") else None
            if stage == "json":
                self.json_instructions = count
            self.table(title, stage, "%.0f" % by["mixed"][0], "%.0f" % count if count else "-",
                       *("%.0f" % n for n in (by["mixed"][1], *by["big"])))

    # ---- sections of runs

    def order(self, variants, base, number, base_every):
        """Of a round: begins elsewhere each time; `base` again before each so many of the others."""
        first = number * len(variants) // max(self.args.rounds, 1) % len(variants)
        order = variants[first:] + variants[:first]
        if not base_every:
            return order
        others = [v for v in order if v["name"] != base]
        again = [v for v in order if v["name"] == base]
        return [v for i in range(0, len(others), base_every)
                for v in again + others[i:i + base_every]] + again

    def section(self, key, title, variants, base, base_every=0):
        variants = [v for v in variants if v["name"] == base or re.search(self.args.only, v["name"])]
        runs = {v["name"]: [] for v in variants}
        rounds, took = 0, 0.0
        while rounds < self.args.rounds:
            begin = time.monotonic()
            left = self.started + self.args.limit - LATER[key] - begin
            if rounds and left < took:
                break
            for variant in self.order(variants, base, rounds, base_every):
                run = getattr(self.runner, variant.get("run", "run"))
                runs[variant["name"]].append(run(variant))
            rounds, took = rounds + 1, time.monotonic() - begin
        medians = {name: [statistics.median(column) for column in zip(*rows)]
                   for name, rows in runs.items()}
        self.medians.update(medians)
        self.table(title, "variant", *HEADS.values(), "rate / " + base, "CPU / " + base)
        for name, (rate, cpu, peak) in medians.items():
            self.table(title, name, "%.0f" % rate, "%.2f" % cpu, "%.0f" % peak,
                       "%.2f" % (rate / medians[base][0]), "%.2f" % (cpu / max(medians[base][1], 0.01)))
        print("\n%d rounds of %.0f s, load %.1f" % (rounds, took, os.getloadavg()[0]))
        sys.stdout.flush()

    def input_alone(self):
        none = dict(input='messagetypes="AUTH_QUERY"')
        two = dict(modparams='threads="2"')
        variants = [to_nothing("unix, 1 connection")]
        for tcp in (False, True):
            for connections in (1, 10, 100):
                if tcp or connections > 1:
                    variants.append(to_nothing(
                        "%s, %d connection%s" % ("TCP" if tcp else "unix", connections,
                                                 "s" if connections > 1 else ""),
                        tcp=tcp, connections=connections, times=2 / connections))
        variants += [
            to_nothing("unix, 10 connections, 2 threads", connections=10, times=0.2, values=two),
            to_nothing("unix, 100 connections, 2 threads", connections=100, times=0.02, values=two),
            to_nothing("unix, all filtered", values=none, times=6),
            to_nothing("TCP, all filtered", values=none, times=6, tcp=True),
            to_nothing("unix, 10 connections, 2 threads, all filtered", values=dict(none, **two),
                       connections=10, times=0.6),
            to_nothing("unix, bundle 64", values=dict(input='bundle="64"'), times=2)]
        self.section("input", "Input alone, to `stop`", variants, "unix, 1 connection")

    def floor(self, workers, name="", values=None):
        config = ('module(load="imptcp")\ninput(type="imptcp" path="@sock@" ruleset="r")\n'
                  'template(name="t" type="string" string="%rawmsg%\\n")\n'
                  'ruleset(name="r" ' + QUEUE + ') { ' + OMFILE + ' }\n')
        return dict(name="floor: imptcp, JSON lines" + name + (", 2 workers" if workers == 2 else ""),
                    config=config, floor=True, values=dict(values or {}, workers=workers))

    def formats(self):
        stages = self.bench_lib("--list").split()
        return stages[stages.index("cobs-in-out") + 1:]

    def variants_of_trees(self):
        ready = 'action(type="ready_tree")'
        load = 'module(load="@modules@/tests/bench/.libs/ready_tree.so")\n'
        variants = []
        for workers in (1, 2):
            suffix = ", 2 workers" if workers == 2 else ""
            values = dict(workers=workers)
            if os.path.exists(os.path.join(self.args.builddir, "tests/bench/.libs/ready_tree.so")):
                variant = to_file("ready tree of 35 fields, 8 in the template" + suffix, ready,
                                  TEMPLATE8, values)
                variant["config"] = load + variant["config"]
                variants.append(variant)
            variants.append(to_file("properties, 8 fields" + suffix, mmdnstapparse("properties"),
                                    TEMPLATE8, values))
        variants += [dict(v, name=v["name"] + ", small queue", values=dict(v["values"], **SMALL))
                     for v in variants if v["values"]["workers"] == 1]
        variants.append(to_file("properties, whole tree", mmdnstapparse("properties"),
                                "%$!dnstap%\\n"))
        return variants

    def variants_of_bundles(self):
        json, bundle = mmdnstapparse("json"), 'bundle="64"'
        fast = dict(input=bundle + ' encoding="raw"',
                    omfile='ioBufferSize="1m" flushOnTXEnd="off" asyncWriting="on"')
        small = dict(fast, qsize=400, batch=8)  # what is in work stays in the processor's caches
        return [to_file("json, bundle 64", json, values=dict(input=bundle), times=2),
                to_file("json, bundle 64, 2 workers", json, values=dict(input=bundle, workers=2),
                        times=2),
                to_file("json, bundle 64, raw, asynchronous file", json, values=fast, times=2),
                to_file("json, bundle 64, raw, asynchronous file, 2 workers", json,
                        values=dict(fast, workers=2), times=2),
                to_file("json, bundle 64, raw, asynchronous file, small queue", json, values=small,
                        times=2),
                to_file("json, bundle 64, raw, asynchronous file, small queue, 2 workers", json,
                        values=dict(small, workers=2), times=2)]

    def variants_of_workers(self):
        """Decoding and nothing else, with the sender; and, once it is done, what one and two workers do alone."""
        heavy = 'action(type="mmdnstapparse" replacemsg="off" output=["json","ecs","ocsf","cef"])'
        variants = []
        for name, action, template in (("decode-bound", heavy, "-\\n"),
                                       ("properties, 8 fields", mmdnstapparse("properties"), TEMPLATE8)):
            for workers in (1, 2):
                suffix = ", %d worker%s" % (workers, "s" if workers > 1 else "")
                values = dict(workers=workers)
                if action == heavy:
                    variants.append(to_nothing(name + suffix, heavy, values=values, times=0.5))
                variants.append(to_file(name + ", backlog" + suffix, action, template,
                                        dict(values, qsize=1000000, omfile='ioBufferSize="4k"'),
                                        run="run_backlog"))
        return variants

    def peers(self):
        found = []
        if shutil.which("dnstap"):
            found += [dict(name="peer: dnstap " + o, command=["dnstap", o], run="run_peer")
                      for o in ("-j", "-y")]
        if shutil.which("dnstap-ldns"):
            found.append(dict(name="peer: dnstap-ldns -y (from a file)", run="run_reader",
                              command=["dnstap-ldns", "-y", "-r"]))
        return found

    def end_to_end(self):
        json = mmdnstapparse("json")
        self.runner.run(to_file("json", json, keep=True, times=1 / self.args.repeat))
        floor = self.floor(1)
        variants = [floor, to_file("json", json), self.floor(1, ", small queue", SMALL),
                    to_file("json, small queue", json, values=SMALL),
                    to_file("json, 2 workers", json, values=dict(workers=2)), self.floor(2)]
        variants += [to_file(f, mmdnstapparse(f), any_lines=True) for f in self.formats() if f != "json"]
        variants += self.variants_of_trees() + self.variants_of_bundles()
        variants += self.variants_of_workers()
        self.section("e2e", "End to end: unix socket, queue, mmdnstapparse, omfile",
                     variants + self.peers(), floor["name"])

    # ---- what rsyslog's own parameters do

    def tuning(self):
        json, bundle = mmdnstapparse("json"), 'bundle="64"'
        variants = [to_file("json", json)]
        for name, values in (
                ("queue LinkedList", dict(qtype="LinkedList")), ("queue Direct", dict(qtype="Direct")),
                ("batch 16", dict(batch=16)), ("batch 1024", dict(batch=1024)),
                ("2 workers", dict(workers=2)),
                ("file: 4k buffer", dict(omfile='ioBufferSize="4k" flushOnTXEnd="off"')),
                ("file: 1m buffer", dict(omfile='ioBufferSize="1m" flushOnTXEnd="off"')),
                ("file: 256k, flushOnTXEnd", dict(omfile='ioBufferSize="256k" flushOnTXEnd="on"')),
                ("file: 256k, asyncWriting",
                 dict(omfile='ioBufferSize="256k" flushOnTXEnd="off" asyncWriting="on"')),
                ("encoding raw", dict(input='encoding="raw"')),
                ("bundle 8", dict(input='bundle="8"')), ("bundle 64", dict(input=bundle)),
                ("bundle 256", dict(input='bundle="256"')),
                ("bundle 64, batch 8", dict(input=bundle, batch=8)),
                ("bundle 64, queue of 400", dict(input=bundle, qsize=400)),
                ("bundle 64, batch 8, queue of 400", dict(input=bundle, batch=8, qsize=400))):
            variants.append(to_file("json, " + name, json, values=values))
        tree = mmdnstapparse("properties")
        for batch in (16, 128, 1024):
            variants.append(to_file("properties, batch %d, 2 workers" % batch, tree, TEMPLATE8,
                                    dict(batch=batch, workers=2)))
        for library in ("jemalloc", "tcmalloc_minimal"):
            found = self.library_path(library)
            if found:
                variants.append(to_file("json, " + library, json, preload=found))
                variants.append(to_file("properties, 2 workers, " + library, tree, TEMPLATE8,
                                        dict(workers=2), preload=found))
        self.section("e2e", "Queue parameters", variants, "json", base_every=4)

    @staticmethod
    def library_path(name):
        out = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True).stdout
        found = re.search(r"\blib%s\.so\S* .*=> (\S+)" % name, out)
        return found and found.group(1)

    # ---- against the targets

    def targets(self):
        m = self.medians
        rows = []

        def row(target, value, met, unit="%.2f"):
            rows.append((target, unit % value, "met" if met else "missed"))

        def ratio(column, above, below, target, at_least=None, at_most=None):
            if above in m and below in m:
                value = m[above][column] / max(m[below][column], 0.001)
                row(target, value, value >= at_least if at_least else value <= at_most)

        if self.json_instructions:
            row("frame to JSON, instructions: at most 8,000", self.json_instructions,
                self.json_instructions <= 8000, "%.0f")
        floor = "floor: imptcp, JSON lines"
        for queue in ("", ", small queue"):
            ratio(0, "json" + queue, floor + queue, f"json{queue}, rate / floor: at least 1.5", at_least=1.5)
            ratio(1, "json" + queue, floor + queue, f"json{queue}, CPU / floor: at most 0.6", at_most=0.6)
        ratio(1, "json", "peer: dnstap -j", "json, CPU / `dnstap -j`: at most 0.25", at_most=0.25)
        for name in [n for n in m if n.startswith("json, bundle 64") and floor in m]:
            ratio(0, name, "json", name + ", rate / json: at least 2", at_least=2)
            row(name + ": at least 1,000,000/s", m[name][0], m[name][0] >= 1e6, "%.0f")
        if "unix, all filtered" in m:
            rate = 1e6 / m["unix, all filtered"][1]
            row("all filtered, per second of CPU: at least 3,000,000", rate, rate >= 3e6, "%.0f")
        for queue in ("", ", small queue"):
            ratio(0, "properties, 8 fields" + queue, "ready tree of 35 fields, 8 in the template" + queue,
                  f"properties{queue}, rate / ready tree: at least 0.9", at_least=0.9)
        for name in ("decode-bound", "decode-bound, backlog"):
            ratio(0, name + ", 2 workers", name + ", 1 worker",
                  name + ", 2 workers / 1: at least 1.6", at_least=1.6)
        for cells in [("target", "measured", "")] + rows if rows else []:
            self.table("Against the targets", *cells)

    # ---- memory

    def soak(self, seconds):
        variant = to_file("soak", mmdnstapparse("json"), values=dict(out="/dev/null", qsize=2000))
        idle = self.runner.idle_mb()
        samples, count = self.runner.resident(variant, seconds)
        settled = [s for s in samples if s[0] >= seconds / 10]
        first = [mb for at, mb in settled if at < seconds / 5]
        last = [mb for at, mb in settled if at >= seconds * 0.9]
        if not first or not last:
            sys.exit("bench: too short to say anything")
        slope = statistics.linear_regression(*zip(*settled)).slope * 600
        above = statistics.mean(last) - idle
        print("\n## RSS at full load for %d s, `json` to /dev/null, a queue of 2,000 messages\n" % seconds)
        print("| events | events/s | idle rsyslogd, MB | first, MB | last, MB | slope, MB per 10 min "
              "| above idle, MB |\n|---|---|---|---|---|---|---|")
        print("| %d | %.0f | %.1f | %.1f | %.1f | %.2f | %.1f |" % (
            count, count / seconds, idle, statistics.mean(first), statistics.mean(last), slope, above))
        print("\nflat (at most 1 MB from first to last): %s; at most 40 MB above idle: %s" % (
            "met" if statistics.mean(last) - statistics.mean(first) <= 1 else "missed",
            "met" if above <= 40 else "missed"))


def memory_directory():
    """A file system in memory, so that no disk is measured; None: there is not enough of it."""
    if os.path.isdir("/dev/shm") and shutil.disk_usage("/dev/shm").free > 4 << 30:
        return "/dev/shm"
    return None


def main():
    parser = argparse.ArgumentParser(description="Measures the modules; see the head of this file.")
    parser.add_argument("--builddir", default=os.path.join(TOP, "build"))
    parser.add_argument("--corpus", default=os.path.join(TOP, "tests", "corpus"))
    parser.add_argument("--big", default=os.path.join(HERE, "..", "corpus", "big-cut.fstrm.xz"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=10, help="times that `big` is sent per run")
    parser.add_argument("--limit", type=float, default=720,
                        help="seconds; no round begins that would end later (the first one always does)")
    parser.add_argument("--sections", default="lib,input,e2e", help="of lib, input, e2e, tuning")
    parser.add_argument("--only", default=".*", help="variants to run, a regular expression")
    parser.add_argument("--soak", type=int, metavar="SECONDS", help="RSS over time, and nothing else")
    parser.add_argument("--update", metavar="FILE",
                        help="puts the tables into this document, below headings of the same titles")
    parser.add_argument("--directory", default=memory_directory(),
                        help="where output files go: /dev/shm if it has room, else TMPDIR")
    args = parser.parse_args()
    args.builddir = os.path.abspath(args.builddir)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by a signal"))
    directory = tempfile.mkdtemp(prefix="bench-", dir=args.directory)
    try:
        bench = Bench(args, directory)
        print("%d processors, load %.1f at the start" % (os.cpu_count(), os.getloadavg()[0]))
        if args.soak:
            bench.soak(args.soak)
            return
        for name, run in (("lib", bench.library), ("input", bench.input_alone),
                          ("e2e", bench.end_to_end), ("tuning", bench.tuning)):
            if name in args.sections.split(","):
                run()
        bench.targets()
        if args.update:
            bench.update(args.update)
        print("\n%.0f s" % (time.monotonic() - bench.started))
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
