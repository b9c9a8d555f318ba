# SPDX-License-Identifier: Apache-2.0
"""The soak: chaos beside well-behaved servers, HUPs and restarts, and the books at the end.

    soak.py [--seconds N] [--figures FILE] [--dir DIR]      (make soak SOAK_SECONDS=1800)

One rsyslogd with three listeners: unix and TCP before a disk-assisted queue with four workers, TLS that wants
certificates of one authority and name before a disk queue. On them: BIND and Unbound under queries, three producers with
back-pressure, and chaos.py. In the first half the daemon is restarted over and over, in the second
it lives through, so that memory and descriptors can be watched; HUPs rotate the output all the time.

Lost is what the daemon took and did not write. What dies in a socket that the daemon never read
again is the producer's loss, and counted apart: producers number their frames per session, and each
session's events must be 1 … k without a hole and without one twice; k is the whole session where it
ended with STOP and FINISH. The two servers are silent while the daemon restarts, hence theirs is exact:
each query that was answered has its two events.
"""
import argparse
import json
import os
import re
import signal
import socket
import statistics
import sys
import time

import fstrm
import producers
import programs
import tap
from certificates import EXPIRED, NOT_YET, Authority, tls_options
from harness import Rsyslogd, TICK, wait_for, watched
from soak_load import Worker, ask, be_chaos, produce

INPUTS = """
input(type="imdnstap" name="unix" tag="unix" path="{socket}" ruleset="dnstap" flowcontrol="light"
      maxsessions="150" handshaketimeout="3")
input(type="imdnstap" name="tcp" tag="tcp" address="127.0.0.1" port="%d" ruleset="dnstap"
      flowcontrol="light" maxsessions="150" handshaketimeout="3")
input(type="imdnstap" name="tls" tag="tls" address="127.0.0.1" port="%d" ruleset="disk"
      flowcontrol="light" maxsessions="150" handshaketimeout="3" %s)"""
# Nothing is discarded before a minute, and no worker is cancelled at a stop, which may lose what it has in hand.
COMMON = 'queue.dequeuebatchsize="64" queue.maxdiskspace="2g" queue.timeoutenqueue="60000" ' \
    'queue.timeoutactioncompletion="60000" '
# Small in memory and slow, so that bursts go over the disk. A stop waits for all of it (Rsyslogd's shutdown=): before
# 8.2608 rsyslog cancels the workers of the disk's part as soon as the part in memory is empty.
ASSISTED = COMMON + """queue.type="LinkedList" queue.filename="q" queue.size="3000" queue.highwatermark="500"
  queue.lowwatermark="100" queue.lightdelaymark="0" queue.dequeueslowdown="50000" queue.saveonshutdown="on" """
DRAIN_MS = 60000
# Nothing but disk, and a stop leaves on it what it can not write at once.
DISK = COMMON + """queue.type="Disk" queue.filename="d" queue.size="2000" queue.workerthreads="1"
  queue.lightdelaymark="0" queue.dequeueslowdown="10000" queue.timeoutshutdown="1" """
# One action, hence one writer of the file, for both rulesets.
RULESETS = """
ruleset(name="write") {
  action(type="mmdnstapparse" output="json" replacemsg="json")
  action(type="omfile" name="out" file="{dir}/events" template="line")
}
ruleset(name="disk" %s) { call write }
""" % DISK
LISTENERS = ("unix", "tcp", "tls")
PARTS = ("submitted", "filtered", "sampled out", "rate-limited", "invalid", "discarded")
# Lines about peers: 60 a minute, listener and severity (LOG_WINDOW_LINES), and as many at once.
LINES_PER_MINUTE = 60 * len(LISTENERS) * 3
GROWTH_MAX_KB = 8 * 1024


def certificates_of(made):
    """One of each kind, by the names that chaos.py has for them."""
    made.authority("ca")
    made.authority("other")
    made.authority("self")
    made.issue("server", "ca", "localhost", san="DNS:localhost,IP:127.0.0.1")
    made.issue("good", "ca", "ns1.good.example")
    made.issue("wrong", "ca", "ns1.bad.example")
    made.issue("stranger", "other", "ns1.good.example")
    made.issue("old", "ca", "ns1.good.example", EXPIRED)
    made.issue("young", "ca", "ns1.good.example", NOT_YET)
    return {"none": None, "good": made.path("good"), "expired": made.path("old"),
            "not yet valid": made.path("young"), "unknown authority": made.path("stranger"),
            "self-signed": made.path("self"), "wrong name": made.path("wrong")}


class Events:
    """Reads the output as it grows and is rotated, and counts."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.path = os.path.join(daemon.dir, "events")
        self.file, self.rest, self.old = None, b"", []
        self.lines = dict.fromkeys(LISTENERS, 0)
        self.sessions = {}  # (identity, session) -> bytearray: how often each number came
        self.names = {}     # identity -> {name: events}
        self.malformed = 0

    def rotate(self):
        """As logrotate does: rename, then HUP."""
        if os.path.exists(self.path):
            os.rename(self.path, f"{self.path}.{time.monotonic_ns()}")
        self.daemon.send_signal(signal.SIGHUP)

    def written_to(self, path):
        """Whether the daemon still has it open."""
        if self.daemon.process is None:
            return False
        base = f"/proc/{self.daemon.process.pid}/fd"
        for number in os.listdir(base):
            try:
                if os.readlink(f"{base}/{number}") == path:
                    return True
            except OSError:
                pass  # closed meanwhile
        return False

    def poll(self):
        """Takes what is new. Rotated files first, the eldest first, each until nobody writes to it."""
        for name in sorted(n for n in os.listdir(self.daemon.dir) if n.startswith("events.")):
            path = os.path.join(self.daemon.dir, name)
            over = not self.written_to(path)
            self.take(path)
            if not over:
                return
            assert not self.rest, f"half a line at the end of {name}: {self.rest[-200:]!r}"
            os.unlink(path)
            self.file.close()
            self.file = None
        self.take(self.path)

    def take(self, path):
        if self.file is None:
            if not os.path.exists(path):
                return
            self.file = open(path, "rb")
        octets = self.rest + self.file.read()
        *lines, self.rest = octets.split(b"\n")
        for line in lines:
            self.count(line)

    def count(self, line):
        tag, _, text = line.partition(b" ")
        event = json.loads(text)
        self.lines[tag.decode()] += 1
        self.malformed += "malformed" in event
        identity = event.get("identity", "")
        if identity in ("p0", "p1", "p2"):
            session, _, number = event["extra"].partition(".")
            seen = self.sessions.setdefault((identity, int(session)), bytearray())
            number = int(number)
            if number >= len(seen):
                seen.extend(bytes(number + 1 - len(seen)))
            seen[number] += 1
        elif identity.startswith("ns-"):
            name = event["dns"]["question"][0]["name"].split(".")[0].lower()
            names = self.names.setdefault(identity, {})
            names[name] = names.get(name, 0) + 1

    def missing(self, identity, asked, unanswered, each=2):
        """Names of answered queries that have not each of their events."""
        names, without = self.names.get(identity, {}), set(unanswered)
        return [n for n in range(asked) if n not in without and names.get(f"q{n}", 0) != each]


class Soak:
    """One run. say: gets lines of text."""

    def __init__(self, case, seconds, say=tap.comment):
        self.case, self.seconds, self.say = case, seconds, say
        self.lives, self.hups, self.probes = 0, 0, 0
        self.samples = []  # of the second half: (time, RSS in KB, descriptors)
        self.peak = {"rss": 0, "fds": 0}
        self.left, self.spilled = [], 0
        made = Authority(case.dir)
        self.certificates = certificates_of(made)
        made.issue("unbound", "ca", "unbound.good.example")
        self.ca = made.path("ca.pem")
        ports = (programs.free_port(), programs.free_port())
        self.daemon = Rsyslogd(case.dir, input=INPUTS % (*ports, tls_options(made, "name", ["*.good.example"])),
                               extra=RULESETS, action="", output="call write", queue=ASSISTED, workers=4,
                               template="%programname% %msg%\\n", shutdown=DRAIN_MS)
        case.start(self.daemon)
        self.daemon.wait_socket()
        self.events = Events(self.daemon)
        self.tcp, self.tls = (("127.0.0.1", port) for port in ports)
        self.servers = {
            "ns-bind": producers.Bind(case.dir, socket=self.daemon.socket, more="fstrm-set-reopen-interval 1;"),
            "ns-unbound": producers.Unbound(case.dir, **{
                "host": "127.0.0.1", "target": ports[1], "tls": "yes", "server-name": "localhost",
                "cert-bundle": self.ca, "client-key-file": made.path("unbound.key"),
                "client-cert-file": made.path("unbound.pem")})}
        for server in self.servers.values():
            case.start(server)

    def start_load(self):
        good = (self.ca, self.certificates["good"])
        addresses = ((self.daemon.socket, None), (self.tcp, None), (self.tls, good))
        self.producers = {f"p{n}": Worker(produce, address, b"p%d" % n, 400, certificate)
                          for n, (address, certificate) in enumerate(addresses)}
        self.asking = {identity: Worker(ask, server.port, 100)
                       for identity, server in self.servers.items()}
        self.chaos = Worker(be_chaos, (self.daemon.socket, self.tcp), self.tls, self.ca, self.certificates, 0.1)
        for worker in (*self.producers.values(), *self.asking.values(), self.chaos):
            self.case.start(worker)

    def look(self):
        """Between two events: what was written, and how the daemon is."""
        self.daemon.check_alive()
        self.events.poll()
        base = f"/proc/{self.daemon.process.pid}"
        with open(base + "/status") as file:
            rss = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
        fds = len(os.listdir(base + "/fd"))
        self.peak = {"rss": max(self.peak["rss"], rss), "fds": max(self.peak["fds"], fds)}
        return rss, fds

    def until(self, what, condition, deadline=180):
        def reached():
            self.look()
            return condition()
        wait_for(what, reached, deadline)

    def silence(self):
        """The servers get no queries, and what they were asked has been written."""
        for identity, worker in self.asking.items():
            state = worker.pause()
            self.until(f"all events of {identity}: {state[0]} queries",
                       lambda i=identity, s=state: not self.events.missing(i, *s))

    def probe(self, server):
        """A query that is not counted; its name."""
        self.probes += 1
        name = f"probe{self.probes}"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(1)
            probe.sendto(fstrm.dns_query(1, name + ".example.test"), ("127.0.0.1", server.port))
            try:
                probe.recv(512)
            except OSError:
                pass
        return name

    def connected(self):
        """Both servers have a session: an event of a probe comes through."""
        for identity, server in self.servers.items():
            sent = set()

            def came(identity=identity, server=server, sent=sent):
                if self.events.names.get(identity, {}).keys() & sent:
                    return True
                sent.add(self.probe(server))
                TICK.wait(0.1)
                return False
            self.until(f"a session of {identity}", came)

    def restart(self):
        self.silence()
        for worker in self.producers.values():
            worker.hurry.set()
        self.until("a backlog on disk in both queues", lambda: self.on_disk() > 500 and
                   self.daemon.stats()["disk"]["size"] > 500)
        begin = time.monotonic()
        self.daemon.stop(deadline=120)
        for worker in self.producers.values():
            worker.hurry.clear()
        self.events.poll()
        left = sum(b["submitted"] for b in self.books().values()) - sum(self.events.lines.values())
        self.left.append(left)
        self.lives += 1
        stopped = time.monotonic()
        self.daemon.start()
        self.daemon.wait_socket()
        self.connected()
        for worker in self.asking.values():
            worker.paused.clear()
        self.say(f"restart {self.lives}: {stopped - begin:.1f} s to stop, {left} messages left in the queue's "
                 f"files, {time.monotonic() - stopped:.1f} s until both servers were back")

    def on_disk(self):
        """How many messages the queue has on disk; keeps the most that it ever had."""
        counters = self.daemon.stats().get("dnstap[DA]", {"size": 0, "maxqsize": 0})
        self.spilled = max(self.spilled, counters["maxqsize"])
        return counters["size"]

    def run(self):
        """Restarts in the first half, HUPs all the time."""
        self.connected()
        self.start_load()
        begin = time.monotonic()
        end, half = begin + self.seconds, begin + self.seconds / 2
        restart_every, hup_every = max(5, self.seconds / 40), max(1, self.seconds / 120)
        next_restart, next_hup, next_sample = begin + restart_every, begin + hup_every, 0
        while (now := time.monotonic()) < end:
            rss, fds = self.look()
            if now >= next_hup:
                self.events.rotate()
                self.hups += 1
                next_hup = now + hup_every
            if next_restart <= now < half:
                self.restart()
                next_restart = time.monotonic() + restart_every
            if now >= half and now >= next_sample:
                self.samples.append((now - begin, rss, fds))
                next_sample = now + 1
            TICK.wait(0.1)

    def finish(self):
        """Ends everything in order. Returns the figures."""
        faults, self.let_in = self.chaos.result()
        self.silence()
        asked = {identity: worker.result() for identity, worker in self.asking.items()}
        sent = {identity: worker.result() for identity, worker in self.producers.items()}
        for server in self.servers.values():
            server.stop()
        self.until("all sessions to end", lambda: all(
            0 < c.get("sessions.opened", 0) == c["sessions.closed"]
            for c in map(self.daemon.counters, LISTENERS)))
        self.until("the queues to be empty", lambda: all(
            self.daemon.stats().get(queue, {}).get("size") == 0 for queue in ("dnstap", "disk")))
        self.last = self.look()
        self.on_disk()
        self.daemon.stop(deadline=120)
        self.events.poll()
        self.asked, self.sent = asked, sent
        return self.figures(faults)

    def books(self):
        """What each listener's last lines say, all lives together."""
        total = {name: dict.fromkeys(("received", *PARTS, "sessions"), 0) for name in LISTENERS}
        ends = 0
        for line in self.daemon.log("input .*: ended, frames"):
            name = re.search(r"input (\S+): ended", line).group(1)
            for number, part in re.findall(r"(\d+) ([a-z][a-z -]*?)(?= [=+]|;|$)", line):
                total[name][part] += int(number)
            ends += 1
        assert ends == len(LISTENERS) * (self.lives + 1), f"{ends} ends of {self.lives + 1} lives"
        return total

    def producers_loss(self):
        """Frames that died unread in a socket, by producer; checks that there is no hole."""
        unread = {}
        for identity, sessions in self.sent.items():
            unread[identity] = 0
            for number, (sent, perhaps, whole) in enumerate(sessions):
                seen = self.events.sessions.get((identity, number), bytearray())
                assert all(n == 1 for n in seen), \
                    f"{identity}, session {number}: missing {[i for i, n in enumerate(seen) if n == 0][:9]}, " \
                    f"twice {[i for i, n in enumerate(seen) if n > 1][:9]} of {len(seen)}, {sent} sent"
                assert len(seen) <= perhaps and (len(seen) == sent or not whole), \
                    f"{identity}, session {number}: {len(seen)} events of {sent} frames"
                unread[identity] += max(0, sent - len(seen))
        return unread

    def figures(self, faults):
        books = self.books()
        log = self.daemon.log("imdnstap")
        out = {
            "seconds": self.seconds, "lives": self.lives + 1, "restarts": self.lives, "HUPs": self.hups,
            "frames in": sum(b["received"] for b in books.values()),
            "events out": sum(self.events.lines.values()), "malformed events": self.events.malformed,
            "lost": sum(b["submitted"] for b in books.values()) - sum(self.events.lines.values()),
            "messages on disk at most": self.spilled, "messages left in files at restarts": self.left,
            "sessions": sum(b["sessions"] for b in books.values()),
            "faults": sum(faults.values()), "faults by kind": faults,
            "queries": {i: n for i, (n, _) in self.asked.items()},
            "queries unanswered": {i: len(u) for i, (_, u) in self.asked.items()},
            "events of servers missing": {i: len(self.events.missing(i, *a)) for i, a in self.asked.items()},
            "frames of producers": {i: sum(s[0] for s in x) for i, x in self.sent.items()},
            "of these unread in sockets at restarts": self.producers_loss(),
            "peak memory, KB": self.peak["rss"], "peak descriptors": self.peak["fds"],
            "descriptors at the end": self.last[1], "log lines of imdnstap": len(log),
            "log lines per second": round(len(log) / self.seconds, 2), "books": books,
            "lines written": self.events.lines,
        }
        out.update(self.growth())
        return out

    def growth(self):
        """Memory over the second half, one life: medians and minima of its thirds, and the slope of the last two."""
        third = len(self.samples) // 3
        if third < 2:
            return {}
        memory, lowest = ([f(s[1] for s in self.samples[n * third:(n + 1) * third]) for n in range(3)]
                          for f in (statistics.median, min))
        tail = self.samples[third:]
        at = statistics.mean(s[0] for s in tail)
        level = statistics.mean(s[1] for s in tail)
        slope = sum((s[0] - at) * (s[1] - level) for s in tail) / sum((s[0] - at) ** 2 for s in tail)
        return {"memory of the last life by thirds, KB": memory,
                "lowest memory of the last life by thirds, KB": lowest, "slope, KB per minute": round(slope * 60, 1),
                "descriptors of the last life by thirds": [
                    statistics.median(s[2] for s in self.samples[n * third:(n + 1) * third]) for n in range(3)]}

    def judge(self, figures):
        """Whatever must hold, or AssertionError."""
        assert not self.let_in, f"certificates that got in: {self.let_in[:5]}"
        for name, books in figures["books"].items():
            assert books["received"] == sum(books[part] for part in PARTS), f"open books of {name}: {books}"
            assert books["submitted"] == self.events.lines[name], f"{name}: {books}, {self.events.lines}"
        assert not self.daemon.log("need to do hard cancellation"), "rsyslogd cancelled workers, which may lose messages"
        assert figures["lost"] == 0
        assert not any(figures["events of servers missing"].values()), figures["events of servers missing"]
        assert all(figures["queries"].values()) and all(figures["frames of producers"].values())
        assert all(figures["faults by kind"].values()), "a kind of fault was not injected"
        assert figures["descriptors at the end"] < 60, "descriptors leak"
        minutes = self.seconds / 60 + self.lives + 2  # windows of a minute begin with each life
        assert figures["log lines of imdnstap"] < LINES_PER_MINUTE * minutes, "the log is not bounded"
        # What queues and sessions hold comes and goes by megabytes; what leaks is there at the quietest moment, too.
        lowest = figures.get("lowest memory of the last life by thirds, KB")
        if lowest and not watched():
            assert lowest[2] - lowest[1] < GROWTH_MAX_KB, f"memory grows: {lowest}"


def soak(case, seconds, say=tap.comment):
    """A whole run; its figures."""
    run = Soak(case, seconds, say)
    run.run()
    figures = run.finish()
    for name, value in figures.items():
        say(f"{name}: {json.dumps(value) if isinstance(value, (dict, list)) else value}")
    run.judge(figures)
    return figures


def main():
    parser = argparse.ArgumentParser(description="Chaos beside well-behaved servers.")
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--figures", help="a file for the figures, as JSON")
    arguments = parser.parse_args()
    case = tap.Case()
    try:
        figures = soak(case, arguments.seconds, lambda line: print(line, flush=True))
        if arguments.figures:
            with open(arguments.figures, "w") as file:
                json.dump(figures, file, indent=1)
        print("soak: passed")
    except BaseException as error:
        for line in case.diagnosis():
            print(line[-3000:])
        print(f"soak: FAILED: {error!r}")
        raise
    finally:
        case.close()
        case.remove()


if __name__ == "__main__":
    sys.exit(main())
