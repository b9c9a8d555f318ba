#!/usr/bin/python3
# bench.py - what collecting costs: the library, the input, end to end, a floor and peers, in one table.
#
#   make bench                          everything, on the cut of `big` in tests/bench
#   tests/bench/bench.py --big FILE     another capture (.fstrm or .fstrm.xz), --help for the rest
#
# Variants of a section run interleaved, round by round; figures are medians over the rounds, and
# ratios are between variants of the same run. Every variant is checked: the number of lines that
# came out must be the number of events that went in.
#
# SPDX-License-Identifier: Apache-2.0
import argparse
import atexit
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

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TICK = os.sysconf("SC_CLK_TCK")
DEADLINE = 120  # seconds that any one thing may take

GLOBALS = 'global(workDirectory="@dir@" maxMessageSize="128k")\n'
QUEUE = 'queue.type="@qtype@" queue.size="100000" queue.dequeueBatchSize="@batch@" queue.workerThreads="@workers@"'
OMFILE = 'action(type="omfile" file="@out@" template="t" ioBufferSize="256k" flushOnTXEnd="off")'
DNSTAP = '''module(load="@modules@/imdnstap/.libs/imdnstap.so")
module(load="@modules@/mmdnstapparse/.libs/mmdnstapparse.so")
input(type="imdnstap" @listen@ ruleset="r" name="bench" maxsessions="2000" @input@)
'''
FIELDS8 = ("%$!dnstap!time% %$!dnstap!type% %$!dnstap!query_address% %$!dnstap!query_port% "
           "%$!dnstap!dns!rcode% %$!dnstap!dns!id% %$!dnstap!protocol% %$!dnstap!response_address%")


class Daemon:
    """A private rsyslogd: started with a configuration, measured, stopped."""

    def __init__(self, directory, config):
        self.directory = directory
        path = os.path.join(directory, "rsyslog.conf")
        with open(path, "w") as f:
            f.write(config)
        self.log = open(os.path.join(directory, "log"), "w+")
        self.process = subprocess.Popen(
            ["rsyslogd", "-n", "-iNONE", "-f", path], stdout=self.log, stderr=self.log)
        atexit.register(self.process.kill)

    def wait_for(self, condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                sys.exit("bench: %s: %s" % (what, self.log.read()))
            time.sleep(0.02)

    def cpu(self):
        with open("/proc/%d/stat" % self.process.pid) as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def peak_mb(self):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(DEADLINE)
        self.log.close()


class Bench:
    def __init__(self, args, directory):
        self.args = args
        self.directory = directory
        self.big = self.unpack(args.big)
        self.mixed = sorted(
            os.path.join(args.corpus, f) for f in os.listdir(args.corpus) if f.endswith(".fstrm"))
        self.lines = None

    def unpack(self, path):
        if not path.endswith(".xz"):
            return path
        target = os.path.join(self.directory, "big.fstrm")
        with lzma.open(path) as source, open(target, "wb") as f:
            shutil.copyfileobj(source, f)
        return target

    def tool(self, name):
        return os.path.join(self.args.builddir, "tests", "bench", name)

    # ---- the library

    def instructions(self, stage, files):
        out = subprocess.run(
            ["valgrind", "--tool=callgrind", "--toggle-collect=bench_pass",
             "--callgrind-out-file=/dev/null", self.tool("bench_lib"), "--pass", stage] + files,
            capture_output=True, text=True, check=True)
        total = [line.split()[-1] for line in out.stderr.splitlines() if "Collected" in line][0]
        return int(total) / int(out.stdout.split()[0])

    def library(self):
        print("\n## Library, per frame\n")
        print("| stage | mixed: ns | instructions | octets out | big: ns | octets out |")
        print("|---|---|---|---|---|---|")
        timed = {}
        for name, files in (("mixed", self.mixed), ("big", [self.big])):
            out = subprocess.run([self.tool("bench_lib")] + files, capture_output=True, text=True,
                                 check=True).stdout
            for line in out.splitlines():
                stage, ns, octets = line.split()
                timed.setdefault(stage, {})[name] = (float(ns), float(octets))
        for stage, by in timed.items():
            count = "%.0f" % self.instructions(stage, self.mixed) if shutil.which("valgrind") else "-"
            print("| %s | %.0f | %s | %.0f | %.0f | %.0f |" % (
                stage, by["mixed"][0], count, by["mixed"][1], by["big"][0], by["big"][1]))
        sys.stdout.flush()

    # ---- one measured run of a variant

    def send(self, target, path, lines=False, connections=1, repeat=1):
        command = [self.tool("bench_send")] + (["--lines"] if lines else []) + [
            "--connections", str(connections), "--repeat", str(repeat), target, path]
        out = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE)
        if out.returncode:
            sys.exit("bench: %s" % out.stderr)
        count, seconds, start = out.stdout.split()
        return int(count), float(seconds), float(start)

    def run(self, variant):
        """One run: (events per second, CPU microseconds per event, peak MB)."""
        directory = tempfile.mkdtemp(dir=self.directory)
        out = os.path.join(directory, "out")
        sock = os.path.join(directory, "sock")
        values = dict(dir=directory, out=out, sock=sock, modules=self.args.builddir,
                      listen='path="%s"' % sock, input="", qtype="FixedArray", batch=128, workers=1)
        values.update(variant.get("values", {}))
        port_file = os.path.join(directory, "port")
        if variant.get("tcp"):
            values["listen"] = 'port="0" address="127.0.0.1" listenportfilename="%s"' % port_file
        config = GLOBALS + variant["config"]
        for key, value in values.items():
            config = config.replace("@%s@" % key, str(value))
        daemon = Daemon(directory, config)
        ready = port_file if variant.get("tcp") else sock
        daemon.wait_for(lambda: os.path.exists(ready) and (ready == sock or os.path.getsize(ready)),
                        "no listener")
        target = "unix:" + sock
        if variant.get("tcp"):
            target = "tcp:" + open(port_file).read().strip()
        before = daemon.cpu()
        count, seconds, start = self.send(
            target, self.lines if variant.get("floor") else self.big, variant.get("floor", False),
            variant.get("connections", 1), variant.get("repeat", self.args.repeat))
        if variant.get("output", True):
            seconds = self.wait_output(daemon, out, variant, count) - start
        spent = daemon.cpu() - before
        peak = daemon.peak_mb()
        daemon.stop()
        if variant.get("output", True):
            self.check(out, variant, count)
            if variant.get("keep"):
                shutil.move(out, self.kept(variant["keep"]))
        shutil.rmtree(directory)
        return count / seconds, spent * 1e6 / count, peak

    def kept(self, name):
        return os.path.join(self.directory, name)

    def wait_output(self, daemon, out, variant, count):
        """The time of the last write, once nothing has been written for a while and CPU is idle."""
        state = {"size": -1, "cpu": -1.0, "quiet": 0}

        def quiet():
            size = os.path.getsize(out) if os.path.exists(out) else 0
            cpu = daemon.cpu()
            same = size == state["size"] and size > 0 and cpu == state["cpu"]
            state.update(size=size, cpu=cpu, quiet=state["quiet"] + 1 if same else 0)
            return state["quiet"] >= 25

        daemon.wait_for(quiet, "output does not end")
        return os.stat(out).st_mtime

    def check(self, out, variant, count):
        if variant.get("any_lines"):
            return
        with open(out, "rb") as f:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 20), b""))
        if lines != count:
            sys.exit("bench: %s: %d lines of %d events" % (variant["name"], lines, count))

    def section(self, title, variants, base):
        variants = [v for v in variants if v["name"] == base or re.search(self.args.only, v["name"])]
        print("\n## %s\n" % title)
        print("| variant | events/s | CPU us/event | peak RSS MB | rate / %s | CPU / %s |" % (base, base))
        print("|---|---|---|---|---|---|")
        runs = {v["name"]: [] for v in variants}
        for _ in range(self.args.rounds):
            for variant in variants:
                runs[variant["name"]].append((variant.get("run") or self.run)(variant))
        medians = {name: [statistics.median(column) for column in zip(*rows)]
                   for name, rows in runs.items()}
        for name, (rate, cpu, peak) in medians.items():
            print("| %s | %.0f | %.2f | %.0f | %.2f | %.2f |" % (
                name, rate, cpu, peak, rate / medians[base][0], cpu / max(medians[base][1], 0.01)))
        sys.stdout.flush()

    # ---- sections

    def input_alone(self):
        stop = DNSTAP + 'ruleset(name="r" ' + QUEUE + ') { stop }\naction(type="omfile" file="@dir@/internal")\n'
        none = 'messagetypes="AUTH_QUERY"'
        variants = [dict(name="unix, 1 connection", config=stop, output=False)]
        for connections in (10, 100):
            variants.append(dict(name="unix, %d connections" % connections, config=stop, output=False,
                                 connections=connections, repeat=max(1, self.args.repeat * 2 // connections)))
        variants += [
            dict(name="tcp, 1 connection", config=stop, output=False, tcp=True),
            dict(name="unix, all filtered", config=stop, output=False, values=dict(input=none),
                 repeat=self.args.repeat * 4),
            dict(name="tcp, all filtered", config=stop, output=False, tcp=True,
                 values=dict(input=none), repeat=self.args.repeat * 4)]
        variants.append(dict(name="unix, bundle 64", config=stop, output=False,
                             values=dict(input='bundle="64"'), repeat=self.args.repeat * 2))
        self.section("Input alone, to `stop`", variants, "unix, 1 connection")

    def parse(self, fmt, template="%msg%\\n", **more):
        """A variant whose file gets the template, of text in the message or of the tree."""
        tree = fmt == "properties"
        config = DNSTAP + 'template(name="t" type="string" string="%s")\n' % template
        config += 'ruleset(name="r" ' + QUEUE + ') {\n action(type="mmdnstapparse" '
        config += 'replacemsg="%s" output="%s")\n ' % (("off", fmt) if tree else (fmt, "off"))
        return dict(config=config + OMFILE + "\n}\n", **more)

    def floor(self, workers):
        config = ('module(load="imptcp")\ninput(type="imptcp" path="@sock@" ruleset="r")\n'
                  'template(name="t" type="string" string="%rawmsg%\\n")\n'
                  'ruleset(name="r" ' + QUEUE + ') { ' + OMFILE + ' }\n')
        return dict(name="floor: imptcp, JSON lines" + (", 2 workers" if workers == 2 else ""),
                    config=config, floor=True, values=dict(workers=workers))

    def end_to_end(self):
        first = self.parse("json", name="json", keep="json.lines", repeat=1)
        self.run(first)
        self.lines = self.kept("json.lines")
        floor = self.floor(1)
        variants = [floor, self.parse("json", name="json"),
                    self.parse("json", name="json, 2 workers", values=dict(workers=2)),
                    self.floor(2)]
        for fmt in self.formats():
            if fmt != "json":
                variants.append(self.parse(fmt, name=fmt, any_lines=True))
        variants += [
            self.parse("properties", name="properties, 8 fields", template=FIELDS8 + "\\n"),
            self.parse("properties", name="properties, 8 fields, 2 workers", template=FIELDS8 + "\\n",
                       values=dict(workers=2)),
            self.parse("properties", name="properties, whole tree", template="%$!dnstap%\\n")]
        bundle = dict(input='bundle="64"')
        variants += [self.parse("json", name="json, bundle 64", values=bundle),
                     self.parse("json", name="json, bundle 64, 2 workers",
                                values=dict(bundle, workers=2))]
        variants += self.peers()
        self.section("End to end: unix socket, queue, mmdnstapparse, omfile", variants, floor["name"])

    def formats(self):
        out = subprocess.run([self.tool("bench_lib"), "--list"], capture_output=True, text=True, check=True)
        stages = out.stdout.split()
        return stages[stages.index("cobs-in-out") + 1:]

    def peers(self):
        found = []
        for name, command in (("dnstap -j", ["dnstap", "-j"]), ("dnstap -y", ["dnstap", "-y"])):
            if shutil.which("dnstap"):
                found.append(dict(name="peer: " + name, command=command, run=self.run_peer))
        if shutil.which("dnstap-ldns"):
            found.append(dict(name="peer: dnstap-ldns -y (from a file)", run=self.run_ldns))
        return found

    def run_peer(self, variant):
        directory = tempfile.mkdtemp(dir=self.directory)
        sock, out = os.path.join(directory, "sock"), os.path.join(directory, "out")
        peer = subprocess.Popen(variant["command"] + ["-u", sock, "-w", out],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + DEADLINE
        while not os.path.exists(sock) and time.monotonic() < end:
            time.sleep(0.02)
        count, seconds, _ = self.send("unix:" + sock, self.big, repeat=1)
        peer.send_signal(signal.SIGINT)
        _, _, usage = os.wait4(peer.pid, 0)
        peer.returncode = 0
        shutil.rmtree(directory)
        return count / seconds, (usage.ru_utime + usage.ru_stime) * 1e6 / count, usage.ru_maxrss / 1024

    def run_ldns(self, variant):
        start = time.monotonic()
        with open(os.devnull, "w") as nowhere:
            peer = subprocess.Popen(["dnstap-ldns", "-y", "-r", self.big], stdout=nowhere)
            _, _, usage = os.wait4(peer.pid, 0)
            peer.returncode = 0
        seconds = time.monotonic() - start
        count = self.frame_count()
        return count / seconds, (usage.ru_utime + usage.ru_stime) * 1e6 / count, usage.ru_maxrss / 1024

    def frame_count(self):
        with open(self.kept("json.lines"), "rb") as f:
            return f.read().count(b"\n")


def main():
    parser = argparse.ArgumentParser(description="Measures the modules; see the head of this file.")
    parser.add_argument("--builddir", default=os.path.join(TOP, "build"))
    parser.add_argument("--corpus", default=os.path.join(TOP, "tests", "corpus"))
    parser.add_argument("--big", default=os.path.join(HERE, "..", "corpus", "big-cut.fstrm.xz"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeat", type=int, default=10, help="times that `big` is sent per run")
    parser.add_argument("--sections", default="lib,input,e2e")
    parser.add_argument("--only", default=".*", help="variants to run, a regular expression")
    args = parser.parse_args()
    args.builddir = os.path.abspath(args.builddir)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("bench: ended by a signal"))
    directory = tempfile.mkdtemp(prefix="bench-")
    try:
        bench = Bench(args, directory)
        for name, run in (("lib", bench.library), ("input", bench.input_alone),
                          ("e2e", bench.end_to_end)):
            if name in args.sections.split(","):
                run()
    finally:
        shutil.rmtree(directory)


if __name__ == "__main__":
    main()
