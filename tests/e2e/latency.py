# SPDX-License-Identifier: Apache-2.0
"""What dnstap costs a DNS server's clients: dnsperf against Unbound, with and without it.

    latency.py [--rounds N] [--seconds N] [--rate N]          (make latency)

Three Unbounds: one without dnstap, one whose frames are written, one whose receiver stands still: rsyslogd
with a full queue before an omfile that nobody reads. Each round asks all of them, one after the other;
the figures are medians of the rounds: of the median, the 99th percentile and the maximum of a round.
"""
import argparse
import os
import re
import statistics
import subprocess

import producers
import programs
import tap
from harness import Rsyslogd, wait_for

NAMES = ("www.example.test A", "www.example.test AAAA", "example.test MX", "example.test TXT",
         "nosuchname.example.test A")
SINK = 'action(type="omfile" file="{dir}/fifo" template="line")'
VARIANTS = ("no dnstap", "dnstap", "dnstap, sink stalled")


class Bench:
    """The servers, and dnsperf."""

    def __init__(self, case, seconds, rate):
        self.dnsperf = programs.Program("dnsperf", "dnsperf")
        self.seconds, self.rate = seconds, rate
        self.queries = os.path.join(case.dir, "queries")
        with open(self.queries, "w") as file:
            file.write("\n".join(NAMES * 100) + "\n")
        self.daemons, self.servers = {}, {}
        for name, variant in zip(("none", "healthy", "stalled"), VARIANTS):
            directory = os.path.join(case.dir, name)
            os.makedirs(directory)
            options = {"enable": "no", "socket": "/nonexistent"}
            if name != "none":
                options = {"socket": self.receiver(case, directory, name == "stalled").socket}
            self.servers[variant] = case.start(producers.Unbound(directory, **options))

    def receiver(self, case, directory, stalled):
        more = {}
        if stalled:
            os.mkfifo(os.path.join(directory, "fifo"))
            # A FIFO that is open and not read.
            self.fd = os.open(os.path.join(directory, "fifo"), os.O_RDWR)
            more = {"output": SINK, "queue": 'queue.type="LinkedList" queue.size="500"', "shutdown": 200}
        daemon = case.start(Killed(directory, **more) if stalled else Rsyslogd(directory, **more))
        daemon.wait_socket()
        self.daemons["stalled" if stalled else "healthy"] = daemon
        return daemon

    def ask(self, variant, seconds=None):
        """(sent, answered, [latencies in ms])"""
        run = subprocess.run(
            [self.dnsperf.path, "-s", "127.0.0.1", "-p", str(self.servers[variant].port), "-d",
             self.queries, "-l", str(seconds or self.seconds), "-c", "1", "-Q", str(self.rate), "-q",
             "50", "-t", "5", "-v"], env=self.dnsperf.environment(), capture_output=True, text=True,
            check=True, timeout=60 + 2 * self.seconds)
        sent = int(re.search(r"Queries sent:\s+(\d+)", run.stdout).group(1))
        answered = int(re.search(r"Queries completed:\s+(\d+)", run.stdout).group(1))
        times = [1000 * float(line.split()[-1]) for line in run.stdout.splitlines() if line.startswith("> ")]
        assert len(times) == answered, "dnsperf's output is not understood"
        return sent, answered, times

    def stall(self):
        """Queries until the receiver takes nothing any more; that it stays so is checked at the end."""
        daemon = self.daemons["stalled"]
        seen = []

        def still():
            self.ask(VARIANTS[2], 1)
            seen.append(daemon.counters().get("frames.received", 0))
            return len(seen) > 3 and seen[-1] == seen[-3] > 0
        wait_for("the receiver to stand still", still, 90)
        return seen[-1]


class Killed(Rsyslogd):
    """It cannot end in order: its sink takes nothing."""

    def stop(self, number=9, deadline=10):
        super().stop(9, deadline)


def measure(case, rounds, seconds, rate):
    """Per variant: sent, answered, and lists of the rounds' median, 99th percentile and maximum."""
    bench = Bench(case, seconds, rate)
    results = {variant: {"sent": 0, "answered": 0, "p50": [], "p99": [], "max": []} for variant in VARIANTS}
    stalled_at = bench.stall()
    for _ in range(rounds):
        for variant in VARIANTS:
            sent, answered, times = bench.ask(variant)
            row = results[variant]
            row["sent"] += sent
            row["answered"] += answered
            times.sort()
            row["p50"].append(statistics.median(times))
            row["p99"].append(times[len(times) * 99 // 100])
            row["max"].append(times[-1])
    now = bench.daemons["stalled"].counters()["frames.received"]
    assert now == stalled_at, f"the stalled receiver went on: {stalled_at}, {now}"
    healthy = bench.daemons["healthy"]
    expected = 2 * results[VARIANTS[1]]["answered"]
    wait_for("the frames of the healthy one", lambda: healthy.check_alive() and
             healthy.counters().get("frames.received", 0) > 0.5 * expected)
    os.close(bench.fd)
    return results


def main():
    parser = argparse.ArgumentParser(description="Latency of Unbound with and without dnstap.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=2000)
    arguments = parser.parse_args()
    case = tap.Case()
    try:
        results = measure(case, arguments.rounds, arguments.seconds, arguments.rate)
    finally:
        case.close()
        case.remove()
    print(f"{arguments.rounds} rounds of {arguments.seconds} s, {arguments.rate} queries per second; ms")
    print("| variant | sent | answered | median | 99 % | maximum |\n|---|---|---|---|---|---|")
    for variant, row in results.items():
        print(f"| {variant} | {row['sent']} | {row['answered']} | " + " | ".join(
            f"{statistics.median(row[key]):.3f}" for key in ("p50", "p99", "max")) + " |")


if __name__ == "__main__":
    main()
