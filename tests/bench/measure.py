# measure.py - one measured run: a private rsyslogd (or a peer), a sender, and what the kernel counted of them.
#
# CPU and the end of a run come from wait4() and the output file's last write, not from polling: a
# daemon is told to stop once the sender is done, drains its queue, and is waited for.
#
# SPDX-License-Identifier: Apache-2.0
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

DEADLINE = 120  # seconds that any one thing may take

GLOBALS = 'global(workDirectory="@dir@" maxMessageSize="128k")\n'
DEFAULTS = dict(input="", modparams="", qtype="FixedArray", qsize=100000, batch=128, workers=1,
                omfile='ioBufferSize="256k" flushOnTXEnd="off"')


def reached(process, condition):
    """Waits until the condition holds. False: the process has ended, or DEADLINE is over."""
    end = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > end:
            return False
        try:
            process.wait(0.02)
            return False
        except subprocess.TimeoutExpired:
            continue
    return True


class Daemon:
    """A private rsyslogd: started with a configuration, measured, stopped."""

    def __init__(self, directory, config, preload=None):
        path = os.path.join(directory, "rsyslog.conf")
        with open(path, "w") as f:
            f.write(config)
        self.log = open(os.path.join(directory, "log"), "w+")
        env = dict(os.environ, LD_PRELOAD=preload) if preload else None
        program = os.environ.get("RSYSLOGD") or "rsyslogd"
        self.process = subprocess.Popen([program, "-n", "-iNONE", "-f", path],
                                        stdout=self.log, stderr=self.log, env=env)
        self.usage = None

    def fail(self, what):
        self.log.seek(0)
        sys.exit("bench: %s: %s" % (what, self.log.read()))

    def wait_for(self, condition, what):
        """Before a measurement begins, never during one."""
        if not reached(self.process, condition):
            self.fail(what)

    def cpu(self):
        """Seconds of all threads so far: the process's CPU clock (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.process.pid << 3 | 2)

    def status_mb(self, key):
        with open("/proc/%d/status" % self.process.pid) as f:
            for line in f:
                if line.startswith(key):
                    return int(line.split()[1]) / 1024
        return 0.0

    def stop(self):
        """Drains the queue and ends; returns the CPU seconds of its life."""
        self.process.send_signal(signal.SIGTERM)
        signal.signal(signal.SIGALRM, lambda *_: self.fail("does not stop"))
        signal.alarm(DEADLINE)
        _, self.process.returncode, usage = os.wait4(self.process.pid, 0)
        signal.alarm(0)
        self.log.close()
        return usage.ru_utime + usage.ru_stime

    def kill(self):
        if self.process.returncode is None:
            self.process.kill()
            self.process.wait()


class Runner:
    """Runs variants: dicts with a configuration and what is sent to it."""

    def __init__(self, builddir, directory, big, repeat):
        self.builddir, self.directory, self.big, self.repeat = builddir, directory, big, repeat
        self.lines = None  # the finished lines of `big`, for the floor

    def tool(self, name):
        return os.path.join(self.builddir, "tests", "bench", name)

    def send(self, target, path, variant):
        """(events, seconds, time of day of the first connect)"""
        command = [self.tool("bench_send"), "--connections", str(variant.get("connections", 1))]
        if variant.get("floor"):
            command.append("--lines")
        if variant.get("seconds"):
            command += ["--seconds", str(variant["seconds"])]
        else:
            command += ["--repeat", str(max(1, round(variant.get("times", 1) * self.repeat)))]
        out = subprocess.run(command + [target, path], capture_output=True, text=True,
                             timeout=DEADLINE + variant.get("seconds", 0))
        if out.returncode:
            sys.exit("bench: %s" % out.stderr)
        count, seconds, start = out.stdout.split()
        return int(count), float(seconds), float(start)

    def start(self, variant, directory):
        """A daemon that listens, and the sender's name for where."""
        sock, port = os.path.join(directory, "sock"), os.path.join(directory, "port")
        values = dict(DEFAULTS, dir=directory, out=os.path.join(directory, "out"), sock=sock,
                      modules=self.builddir, listen='path="%s"' % sock)
        values.update(variant.get("values", {}))
        if variant.get("tcp"):
            values["listen"] = 'port="0" address="127.0.0.1" listenportfilename="%s"' % port
        config = GLOBALS + variant["config"]
        for _ in range(2):  # values may name values
            for key, value in values.items():
                config = config.replace("@%s@" % key, str(value))
        daemon = Daemon(directory, config, variant.get("preload"))
        if variant.get("tcp"):
            daemon.wait_for(lambda: os.path.exists(port) and os.path.getsize(port), "no listener")
            with open(port) as f:
                return daemon, "tcp:" + f.read().strip()
        daemon.wait_for(lambda: os.path.exists(sock), "no listener")
        return daemon, "unix:" + sock

    def run(self, variant):
        """One run: (events per second, CPU microseconds per event, peak MB)."""
        directory = tempfile.mkdtemp(dir=self.directory)
        out = os.path.join(directory, "out")
        daemon, target = self.start(variant, directory)
        try:
            before = daemon.cpu()
            count, seconds, start = self.send(
                target, self.lines if variant.get("floor") else self.big, variant)
            peak = daemon.status_mb("VmHWM")
            spent = daemon.stop() - before
        finally:
            daemon.kill()
        end = variant.get("end", "output")
        if end == "output":
            seconds = os.stat(out).st_mtime - start
            self.check(out, variant, count)
        elif end == "drained":
            seconds = time.time() - start
        if variant.get("keep"):
            self.lines = os.path.join(self.directory, "lines")
            shutil.move(out, self.lines)
        shutil.rmtree(directory)
        return count / seconds, spent * 1e6 / count, peak

    def run_backlog(self, variant):
        """Workers alone: from the sender's end, when all is in the queue, to the last line. CPU of that time."""
        directory = tempfile.mkdtemp(dir=self.directory)
        out = os.path.join(directory, "out")
        daemon, target = self.start(variant, directory)
        try:
            count, _, _ = self.send(target, self.big, variant)
            start, before, done = time.time(), daemon.cpu(), os.stat(out).st_size
            peak = daemon.status_mb("VmHWM")
            spent = daemon.stop() - before
        finally:
            daemon.kill()
        seconds = os.stat(out).st_mtime - start
        self.check(out, variant, count)
        with open(out, "rb") as f:
            left = count - f.read(done).count(b"\n")
        shutil.rmtree(directory)
        if left < count / 10:
            sys.exit("bench: %s: only %d of %d events were left" % (variant["name"], left, count))
        return left / seconds, spent * 1e6 / left, peak

    def check(self, out, variant, count):
        if variant.get("any_lines"):
            return
        with open(out, "rb") as f:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 20), b""))
        if lines != count:
            sys.exit("bench: %s: %d lines of %d events" % (variant["name"], lines, count))

    # ---- peers

    def run_peer(self, variant):
        """A peer that listens on a unix socket and writes a file."""
        directory = tempfile.mkdtemp(dir=self.directory)
        sock, out = os.path.join(directory, "sock"), os.path.join(directory, "out")
        peer = subprocess.Popen(variant["command"] + ["-u", sock, "-w", out],
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            reached(peer, lambda: os.path.exists(sock))
            count, seconds, _ = self.send("unix:" + sock, self.big, dict(times=1 / self.repeat))
            peer.send_signal(signal.SIGINT)
            _, peer.returncode, usage = os.wait4(peer.pid, 0)
        finally:
            if peer.returncode is None:
                peer.kill()
        shutil.rmtree(directory)
        return count / seconds, (usage.ru_utime + usage.ru_stime) * 1e6 / count, usage.ru_maxrss / 1024

    def run_reader(self, variant):
        """A peer that reads a file and writes to standard output."""
        start = time.monotonic()
        with open(os.path.join(self.directory, "reader"), "w") as out:
            peer = subprocess.Popen(variant["command"] + [self.big], stdout=out)
            _, peer.returncode, usage = os.wait4(peer.pid, 0)
        seconds = time.monotonic() - start
        with open(self.lines, "rb") as f:
            count = sum(1 for _ in f)
        os.unlink(out.name)
        return count / seconds, (usage.ru_utime + usage.ru_stime) * 1e6 / count, usage.ru_maxrss / 1024

    # ---- memory over time

    def resident(self, variant, seconds):
        """[(second, RSS in MB)] of a daemon under full load for so long; what it took in."""
        directory = tempfile.mkdtemp(dir=self.directory)
        daemon, target = self.start(variant, directory)
        sender = None
        samples = []
        try:
            command = [self.tool("bench_send"), "--connections", "2", "--seconds", str(seconds),
                       target, self.big]
            sender = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            start = time.monotonic()
            while sender.poll() is None and time.monotonic() < start + seconds + DEADLINE:
                samples.append((time.monotonic() - start, daemon.status_mb("VmRSS")))
                time.sleep(min(1, seconds / 100))
            count = int(sender.communicate(timeout=DEADLINE)[0].split()[0])
            daemon.stop()
        finally:
            daemon.kill()
            if sender and sender.poll() is None:
                sender.kill()
        shutil.rmtree(directory)
        return samples, count

    def idle_mb(self):
        """RSS of an rsyslogd that has nothing but an output."""
        directory = tempfile.mkdtemp(dir=self.directory)
        out = os.path.join(directory, "out")
        daemon = Daemon(directory, 'global(processInternalMessages="on")\naction(type="omfile" file="%s")\n' % out)
        try:
            daemon.wait_for(lambda: os.path.exists(out), "does not start")
            idle = daemon.status_mb("VmRSS")
            daemon.stop()
        finally:
            daemon.kill()
        shutil.rmtree(directory)
        return idle
