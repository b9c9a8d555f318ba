# SPDX-License-Identifier: Apache-2.0
"""A real rsyslogd in a private directory, and conditions to wait for.

Environment: abs_top_builddir, abs_top_srcdir (from make); RSYSLOGD the daemon; E2E_PRELOAD a
library to preload, as libasan.so. Nothing here waits for time to pass:
every wait is for a condition, with a deadline.
"""
import collections
import functools
import glob
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import threading
import time

import fstrm
import tap

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("abs_top_srcdir") or os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("abs_top_builddir") or os.path.join(SOURCE, "build")
CORPUS_DIR = os.path.join(SOURCE, "tests", "corpus")
CORPUS = sorted(glob.glob(os.path.join(CORPUS_DIR, "*.fstrm")))

# Worker threads of the ruleset's queue where a test does not say, loop threads of the input, and a program in front
# of rsyslogd.
WORKERS = int(os.environ.get("E2E_WORKERS", "1"))
THREADS = int(os.environ.get("E2E_THREADS", "1"))
WRAPPER = shlex.split(os.environ.get("E2E_WRAPPER", ""))
ASAN_OPTIONS = "detect_leaks=0:abort_on_error=0:exitcode=99"
# Sanitised and loaded machines are slow; a deadline only bounds a failure.
DEADLINE = 20.0
WAKE_AFTER = 2  # seconds that a line of rsyslogd's may take before its main loop is woken
TICK = threading.Event()  # never set: its wait() is the poll interval


def wait_for(what, predicate, deadline=DEADLINE):
    """Polls until predicate() is true and returns its value. what: for the failure's text."""
    end = time.monotonic() + deadline * tap.PATIENCE
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not reached within {deadline:.0f} s: {what}")
        TICK.wait(0.01)


def corpus(name):
    return os.path.join(CORPUS_DIR, name + ".fstrm")


def find_rsyslogd():
    return os.environ.get("RSYSLOGD") or shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"


@functools.lru_cache(None)
def daemon_version():
    """As rsyslogd -v says it, such as b"8.2302.0"."""
    return subprocess.run([find_rsyslogd(), "-v"], capture_output=True, check=True,
                          timeout=20).stdout.split()[1].rstrip(b",")


@functools.lru_cache(None)
def unwrapped():
    """The daemon's program, and the directories of libraries that it needs: setup.sh puts a script that names them in
    front of one that it unpacked. A tool is for the daemon: valgrind would watch the shell, libtsan makes it crash."""
    path = find_rsyslogd()
    if not os.path.exists(path + ".bin"):
        return path, []
    with open(path) as script:
        return path + ".bin", re.search("^LD_LIBRARY_PATH='([^']*)'", script.read(), re.M)[1].strip(":").split(":")


def watched():
    """A sanitizer or valgrind is in the daemon: its memory and its time are not ours."""
    return bool(WRAPPER or sanitizer_library())


def races_watched():
    """ThreadSanitizer is in the daemon."""
    return "thread" in os.environ.get("SANITIZERS", "").split(",")


def may_cancel():
    """rsyslogd cancels workers that a stop finds at work. ThreadSanitizer ends a process at that, and valgrind finds
    what rsyslogd then forgets, and what it uses that was freed (seen with omfwd)."""
    return not WRAPPER and not races_watched()


def rsyslogd_command(*options):
    """Nothing but the daemon itself gets a preloaded library."""
    preload = os.environ.get("E2E_PRELOAD") or sanitizer_library()
    return [*WRAPPER, *(["env", "LD_PRELOAD=" + preload] if preload else []), unwrapped()[0], "-iNONE", *options]


# Packages that programs.py unpacked privately.
CACHE = os.environ.get("E2E_CACHE") or os.path.join(BUILD, "e2e-packages")


def plugin_libraries():
    """Library directories of rsyslog's output plugins that are not installed but unpacked."""
    return glob.glob(os.path.join(CACHE, "rsyslog-*", "usr", "lib", "*-linux-gnu*"))


def module_path():
    """Ours first, then the daemon's own directory, then the private plugins."""
    ours = [os.path.join(BUILD, m, ".libs") for m in ("imdnstap", "mmdnstapparse")]
    system = [os.environ.get("RSYSLOG_MODDIR") or "/nonexistent"]
    system += glob.glob("/usr/lib/*/rsyslog") + ["/usr/lib64/rsyslog", "/usr/lib/rsyslog"]
    system += [os.path.join(d, "rsyslog") for d in plugin_libraries()]
    return ":".join(ours + [d for d in system if os.path.isdir(d)])


@functools.lru_cache(None)
def sanitizer_library():
    """The daemon is not built with a sanitizer, so the modules' one must be there first."""
    kinds = os.environ.get("SANITIZERS", "").split(",")
    for kind, name in (("address", "libasan.so"), ("thread", "libtsan.so"),
                       ("undefined", "libubsan.so")):
        if kind in kinds:
            return subprocess.run([os.environ.get("CC", "gcc").split()[0],
                                   "-print-file-name=" + name],
                                  capture_output=True, text=True, check=True).stdout.strip()
    return ""


def environment(dir=None):
    """For rsyslogd. dir: where a sanitizer's list of what is rsyslog's own may be put."""
    env = dict(os.environ, LC_ALL="C", TZ="UTC")
    libraries = unwrapped()[1] + [p for p in [env.get("LD_LIBRARY_PATH")] if p] + plugin_libraries()
    if libraries:
        env["LD_LIBRARY_PATH"] = ":".join(libraries)
    if os.environ.get("E2E_PRELOAD") or sanitizer_library():
        if dir:  # impstats takes strlen() of a string without a NUL, log.file being set
            with open(os.path.join(dir, "asan.suppressions"), "w") as file:
                file.write("interceptor_via_lib:impstats.so\n")
            env.setdefault("ASAN_OPTIONS", ASAN_OPTIONS + f":suppressions={dir}/asan.suppressions")
        env.setdefault("ASAN_OPTIONS", ASAN_OPTIONS)
        env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:exitcode=99")
        # rsyslogd is not instrumented: its locks are seen, its own accesses are not its to report
        env.setdefault("TSAN_OPTIONS", "exitcode=0:ignore_noninstrumented_modules=1:second_deadlock_stack=1")
    return env


QUEUES = {
    "memory": 'queue.type="LinkedList" queue.size="20000"',
    "disk": 'queue.type="Disk" queue.filename="q" queue.maxdiskspace="1g"',
    # Overflows, and so slowly that it stays so: most frames go over the disk. It takes an input
    # with flowcontrol="light": rsyslog never sends fully delayable messages to the disk.
    "assisted": 'queue.type="LinkedList" queue.filename="q" queue.size="3000" '
                'queue.highwatermark="300" queue.lowwatermark="100" queue.lightdelaymark="0" '
                'queue.dequeuebatchsize="16" queue.dequeueslowdown="1000" queue.maxdiskspace="1g"',
}

CONF = """\
global(processInternalMessages="on" workDirectory="{dir}/spool" maxMessageSize="{maxmessage}"
       internalmsg.ratelimit.interval="1" internalmsg.ratelimit.burst="100000" {globals})
module(load="impstats" interval="1" format="json" resetCounters="{reset}" log.syslog="off"
       log.file="{dir}/stats")
module(load="imdnstap"{threads})
module(load="mmdnstapparse")
template(name="line" type="string" string="{template}")
template(name="log" type="string" string="%syslogseverity-text% %msg%\\n")
{extra}
ruleset(name="dnstap" {queue} queue.timeoutshutdown="{shutdown}" queue.workerthreads="{workers}") {{
  {action}
  {output}
}}
{input}
*.* action(type="omfile" file="{dir}/log" template="log")
"""
HANDSHAKE_S = 10  # what handshaketimeout is where an input does not say


def patient(inputs):
    """A slow daemon's handshakes take longer than the default allows; a followed file has none."""
    if tap.PATIENCE <= 1:
        return inputs
    return re.sub(r'type="imdnstap"(?![^)]*\s(handshaketimeout|file)=)',
                  f'type="imdnstap" handshaketimeout="{HANDSHAKE_S * tap.PATIENCE:.0f}"', inputs)


ENDED = re.compile(r"imdnstap: input (.*): ended, frames: (\d+) received = (.*); \d+ sessions")


def check_ended(line):
    """Closed books: (name of the input, frames received) of its last line, whose parts must add up."""
    name, received, parts = ENDED.search(line).groups()
    assert int(received) == sum(int(part.split()[0]) for part in parts.split(" + ")), f"books are open: {line}"
    return name, int(received)


OUTPUT = 'action(type="omfile" name="out" file="{dir}/events" template="line")'


def by_id(lines):
    """Several workers keep no order: JSON lines by the id of their DNS message, others as they are."""
    try:
        return sorted(lines, key=lambda line: json.loads(line)["dns"]["id"])
    except (ValueError, KeyError, TypeError):
        return lines


def complaint(output):
    """What a sanitizer, or valgrind, found in the daemon: the first line of it."""
    return re.search(rb"^.*(Sanitizer|runtime error:|^==\d+== +\S).*$", output, re.M)


class Rsyslogd:
    """rsyslogd -n in its own directory.

    input: input(...) statements, {dir} and {socket} are replaced. action: what the ruleset does
    before it writes %msg% to the events file.
    """

    def __init__(self, dir, input='input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap")',
                 action='action(type="mmdnstapparse" output="json" replacemsg="json")',
                 queue=QUEUES["memory"], extra="", template="%msg%\\n", output=OUTPUT, workers=None, threads=None,
                 maxmessage="256k", globals="", modules=None, files=None, shutdown=20000, reset="off"):
        if workers is None and WORKERS > 1:
            queue += ' queue.workerThreadMinimumMessages="1"'  # else few messages wake one worker only
        self.sorted = workers is None and WORKERS > 1
        workers = workers or WORKERS
        self.dir = dir
        self.socket = os.path.join(dir, "sock")
        self.conf = os.path.join(dir, "rsyslog.conf")
        self.modules = modules  # None: module_path() at each start, as plugins may come later
        self.files = files
        self.pass_fds = ()
        self.process = None
        self.status = None
        self.reset = reset
        self.expects = 0  # inputs that must tell their books, also when impstats had no time to name them
        self.lives = 0  # books that former lives have told
        os.makedirs(os.path.join(dir, "spool"), exist_ok=True)
        threads = f' threads="{threads or THREADS}"' if (threads or THREADS) > 1 else ""
        values = dict(dir=dir, threads=threads, socket=self.socket, queue=queue, workers=workers,
                      maxmessage=maxmessage, globals=globals, shutdown=shutdown, reset=reset,
                      template=template.replace('"', '\\"'))
        for name, text in (("input", patient(input)), ("action", action), ("extra", extra),
                           ("output", output)):
            values[name] = text.replace("{dir}", dir).replace("{socket}", self.socket)
        with open(self.conf, "w") as file:
            file.write(CONF.format(**values))

    def command(self):
        return rsyslogd_command("-n", "-f", self.conf, "-M", self.modules or module_path())

    def environment(self):
        return environment(self.dir)

    def start(self):
        assert self.process is None
        if self.files:
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(self.files, limit[1]), limit[1]))
        if os.path.exists(os.path.join(self.dir, "stats")):
            os.unlink(os.path.join(self.dir, "stats"))  # counters of a former life
        with open(os.path.join(self.dir, "stderr"), "ab") as stderr:
            self.process = subprocess.Popen(self.command(), env=self.environment(), stderr=stderr,
                                            stdout=stderr, stdin=subprocess.DEVNULL, cwd=self.dir,
                                            pass_fds=self.pass_fds)
        self.status = None
        self.lives = len(self.log(ENDED))
        return self

    def wait_socket(self, path=None):
        """Until somebody listens (or, with datagrams, reads) there; without a connect, which would
        be a session. unix(7): /proc/net/unix has the flag 0x10000 of what listens."""
        path = path or self.socket

        def listening():
            self.check_alive()
            with open("/proc/net/unix") as table:
                for line in table:
                    part = line.split()
                    if part[-1] == path and (part[3] == "00010000" or part[4] == "0002"):
                        return True
            return False
        wait_for(f"a socket at {path}", listening)
        return path

    def check_alive(self):
        status = self.process.poll()
        if status is not None:
            raise AssertionError(f"rsyslogd ended with {status}")
        for fault in (b"could not load module", b"typo in config file"):
            if fault in self.read("stderr"):
                raise AssertionError(fault.decode())
        return True

    def read(self, name):
        try:
            with open(os.path.join(self.dir, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def lines(self, name="events"):
        """Whole lines; JSON lines hold no line break, so splitting is by LF alone."""
        text = self.read(name)
        lines = text[:text.rfind(b"\n") + 1].split(b"\n")[:-1]
        return by_id(lines) if self.sorted and name == "events" else lines

    def log(self, pattern=""):
        return [line for line in self.read("log").decode("utf-8", "replace").splitlines()
                if re.search(pattern, line)]

    def wait_lines(self, count, name="events", deadline=DEADLINE):
        """Waits for exactly count lines."""
        seen = [0, 0]

        def enough():
            self.check_alive()
            size = os.path.getsize(os.path.join(self.dir, name)) \
                if os.path.exists(os.path.join(self.dir, name)) else 0
            if size != seen[0]:
                seen[0] = size
                seen[1] = self.read(name).count(b"\n")
            return seen[1] >= count
        try:
            wait_for("", enough, deadline)
        except AssertionError:
            raise AssertionError(f"{seen[1]} lines of {count} in {name} after "
                                 f"{deadline:.0f} s") from None
        lines = self.lines(name)
        assert len(lines) == count, f"{len(lines)} lines instead of {count}"
        return lines

    def wait_own_lines(self, what, predicate, deadline=DEADLINE):
        """wait_for something that rsyslogd logs itself. Such a line waits for rsyslogd's main loop, which can miss that
        it is there and then sleeps on; what takes long is helped by a signal that wakes it and means no more: that a
        child has ended, which is none."""
        wake_at = time.monotonic() + WAKE_AFTER

        def seen():
            nonlocal wake_at
            self.check_alive()
            value = predicate()
            if not value and time.monotonic() > wake_at:
                wake_at += WAKE_AFTER
                self.process.send_signal(signal.SIGCHLD)
            return value
        return wait_for(what, seen, deadline)

    def wait_log(self, pattern, count=1, deadline=DEADLINE):
        self.wait_own_lines(f"{count} log line(s) /{pattern}/", lambda: len(self.log(pattern)) >= count, deadline)
        return self.log(pattern)

    def stats(self):
        """The newest snapshot of every counter object, by name."""
        out = {}
        for line in self.lines("stats"):
            at = line.find(b"{")
            if at >= 0:
                record = json.loads(line[at:])
                out[record["name"]] = record
        return out

    def counters(self, name="t"):
        return self.stats().get(f"imdnstap({name})", {})

    def wait_counters(self, name="t", deadline=DEADLINE, **expected):
        """Waits until the counters have these values ('_' stands for '.') and returns all."""
        want = {key.replace("_", "."): value for key, value in expected.items()}

        def reached():
            self.check_alive()
            now = self.counters(name)
            return all(now.get(key) == value for key, value in want.items())
        try:
            wait_for("", reached, deadline)
        except AssertionError:
            raise AssertionError(f"counters of {name}: {self.counters(name)}, "
                                 f"expected {want}") from None
        return self.counters(name)

    def check_books(self, received, written=None, name="t", deadline=DEADLINE):
        """Closed books: every frame is in exactly one counter, every submitted one was written."""
        now = self.wait_counters(name, deadline, frames_received=received)
        parts = ("submitted", "frames.filtered", "frames.sampledout", "frames.ratelimited",
                 "frames.invalid", "discarded")
        total = sum(now[key] for key in parts)
        assert total == received, f"books are open: {now}"
        if written is not None:
            assert now["submitted"] == written, f"{written} lines written: {now}"
        return now

    def check_ended(self):
        """At the end of a life each input that ran (a refused one has no counters) has told its books, once, closed."""
        told = [check_ended(line) for line in self.log(ENDED)[self.lives:]]
        names, received = sorted(name for name, _ in told), dict(told)
        ran = {key[len("imdnstap("):-1]: record for key, record in self.stats().items()
               if key.startswith("imdnstap(") and key.endswith(")")}
        assert ran.keys() <= set(names) and len(names) >= self.expects, f"books of {sorted(ran)}, told are {names}"
        assert len(set(names)) == len(names), f"books told twice: {names}"
        for name, record in ran.items():
            assert record["frames.received"] <= received[name], f"{record}, and at the end {received[name]}"

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, deadline=40):
        """Ends the daemon and checks that it ended well and with closed books. Idempotent."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(number)
        try:
            self.status = process.wait(deadline * tap.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError("rsyslogd did not stop") from None
        if number != signal.SIGKILL:
            assert self.status == 0, f"rsyslogd ended with {self.status}"
        assert not complaint(self.read("stderr")), "a tool complained"
        if number != signal.SIGKILL:
            self.check_ended()

    def diagnosis(self):
        yield f"--- {self.dir}: configuration"
        yield self.read("rsyslog.conf").decode()
        for name in ("stderr", "log"):
            yield f"--- {name}, its end"
            yield self.read(name)[-6000:].decode("utf-8", "replace")
        yield f"--- counters: { {k: v for k, v in self.stats().items() if 'dnstap' in k} }"


def rsyslogd(case, **options):
    """A started rsyslogd in the test's directory whose socket, if it has one, is there."""
    daemon = case.start(Rsyslogd(case.dir, **options))
    with open(daemon.conf) as file:
        text = file.read()
    if f'path="{daemon.socket}"' in text:
        daemon.wait_socket()
        daemon.expects = len(re.findall(rf'input\(type="imdnstap"[^)]* path="{re.escape(daemon.socket)}"', text))
    return daemon


def check_config(dir, text, modules=None):
    """rsyslogd -N1 over a configuration: (exit status, lines)."""
    path = os.path.join(dir, "check.conf")
    with open(path, "w") as file:
        file.write(text)
    run = subprocess.run(rsyslogd_command("-N1", "-f", path, "-M", modules or module_path()),
                         env=environment(), timeout=30 * tap.PATIENCE, check=False,
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, cwd=dir)
    found = complaint(run.stdout)
    assert not found, "a tool complained:\n" + run.stdout.decode("utf-8", "replace")
    return run.returncode, run.stdout.decode("utf-8", "replace").splitlines()


def check_json(lines):
    """Every line is one JSON object. Returns them."""
    out = []
    for number, line in enumerate(lines, 1):
        try:
            event = json.loads(line.decode("utf-8"))
        except ValueError as error:
            raise AssertionError(f"line {number} is no JSON ({error}): {line[:300]!r}") from None
        assert isinstance(event, dict), f"line {number} is no object"
        out.append(event)
    return out


def keys_of(events, frames):
    """What tells events and frames apart: type, port and id, by our own reading of the frames."""
    def key(frame):
        message = fstrm.message_of(frame)
        wire = message.get(14) or message.get(10) or b""
        return message[1], message.get(6), int.from_bytes(wire[:2], "big") if len(wire) >= 12 else None
    return (collections.Counter((e["type_id"], e.get("query_port"), e.get("dns", {}).get("id")) for e in events),
            collections.Counter(map(key, frames)))


def check_matches(events, frames):
    """Events belong to these frames, in this order where there is one worker: type, port, id."""
    assert len(events) == len(frames), f"{len(events)} events of {len(frames)} frames"
    if WORKERS > 1:
        got, expected = keys_of(events, frames)
        assert got == expected, f"{list((got - expected).items())[:5]}, {list((expected - got).items())[:5]}"
        return
    for number, (event, frame) in enumerate(zip(events, frames), 1):
        message = fstrm.message_of(frame)
        assert event["type_id"] == message[1], f"event {number}: {event} of {message}"
        if 6 in message:
            assert event.get("query_port") == message[6], f"event {number}: {event}"
        wire = message.get(14) or message.get(10)
        if wire and len(wire) >= 12:
            assert event["dns"]["id"] == int.from_bytes(wire[:2], "big"), f"event {number}"
