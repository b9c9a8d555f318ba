# SPDX-License-Identifier: Apache-2.0
"""rsyslogd with both modules under the restrictions of systemd/rsyslog-dnstap.conf.

Covers: that these hold (sandbox.py applies them as systemd would), and that nothing of ours needs more: a socket with
a group, a privileged port with TLS, keys read again at HUP, a followed file with its state, a queue on disk, privileges
dropped inside, the socket removed at the stop.
"""
import os
import shutil
import signal
import subprocess
import sys

import fstrm
import tap
from harness import BUILD, CACHE, HERE, QUEUES, SOURCE, Rsyslogd, environment, wait_for, watched
from test_life import UNIX
from test_privdrop import DROP, GROUP, FOLLOWED, followed_file, free_privileged_port, gid, ids_of, uid
from test_stream import complaints_of, ids, numbered
from test_transport import authority, context, deliver_tls, tls_options

DROP_IN = os.path.join(SOURCE, "systemd", "rsyslog-dnstap.conf")


def confined(dir, command):
    if os.geteuid() != 0:
        raise tap.NotRoot("needs root: it makes a mount namespace and drops capabilities")
    if watched():
        raise tap.OtherBuild("a sanitizer needs memory and calls of its own, valgrind writes code")
    if not shutil.which("systemd-analyze"):
        raise tap.Skip("no systemd-analyze, which knows the sets of system calls")
    readable = {os.path.realpath(d) for d in (BUILD, SOURCE, CACHE) if os.path.isdir(d)}
    return [sys.executable, os.path.join(HERE, "sandbox.py"), DROP_IN, dir, ":".join(sorted(readable)), "--"] + command


class Confined(Rsyslogd):
    def command(self):
        return confined(self.dir, super().command())


PROBE = """
import ctypes, os, socket
def attempt(what, action):
    try:
        action()
        print(what + "|done")
    except OSError as error:
        print(what + "|" + {1: "EPERM", 30: "EROFS"}.get(error.errno, str(error)))
libc = ctypes.CDLL(None, use_errno=True)
def libc_call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def protect():
    libc.mmap.restype = ctypes.c_void_p
    if libc.mmap(None, ctypes.c_size_t(4096), 6, 0x22, -1, ctypes.c_long(0)) == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
attempt("etc", lambda: open("/etc/sandbox-probe", "w"))
attempt("run", lambda: open("/run/sandbox-probe", "w"))
attempt("sysctl", lambda: open("/proc/sys/vm/swappiness", "w"))
attempt("own", lambda: open("probe", "w"))
attempt("tmp", lambda: open("/tmp/sandbox-probe", "w"))
attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt("unix", lambda: socket.socket(socket.AF_UNIX))
attempt("writable code", protect)
attempt("namespace", lambda: libc_call("unshare", 0x10000000))
attempt("mount", lambda: libc_call("mount", b"none", b"/tmp", b"tmpfs", 0, None))
attempt("trace", lambda: libc_call("ptrace", 0, 0, 0, 0))
for line in open("/proc/self/status"):
    if line.startswith(("CapBnd", "NoNewPrivs", "Seccomp:")):
        print("|".join(line.split()))
"""


def test_the_restrictions_hold(case):
    """What the drop-in forbids is refused to a process in the sandbox, and what it needs is not."""
    run = subprocess.run(confined(case.dir, [sys.executable, "-c", PROBE]), capture_output=True, text=True, timeout=30,
                         check=False, env=environment())
    assert run.returncode == 0, run.stderr
    said = dict(line.split("|", 1) for line in run.stdout.splitlines())
    want = {"etc": "EROFS", "run": "EROFS", "sysctl": "EROFS", "own": "done", "tmp": "done", "packet": "EPERM", "unix": "done",
            "writable code": "EPERM", "namespace": "EPERM", "mount": "EPERM", "trace": "EPERM", "NoNewPrivs:": "1",
            "Seccomp:": "2", "CapBnd:": "%016x" % (1 << 0 | 1 << 1 | 1 << 3 | 1 << 6 | 1 << 7 | 1 << 10 | 1 << 34)}
    assert said == want, (said, run.stderr)
    assert not os.path.exists("/tmp/sandbox-probe"), "its /tmp is not private"


def test_everything_works_inside(case):
    os.makedirs(os.path.join(case.dir, "owned"))
    made = authority(case) if os.geteuid() == 0 else None
    port = free_privileged_port() if made else 0
    inputs = UNIX % f'filegroup="{GROUP}" filecreatemode="0660"' + FOLLOWED.replace('"t"', '"f"') + f"""
        input(type="imdnstap" name="s" address="127.0.0.1" port="{port}" ruleset="dnstap"
              {tls_options(made) if made else ""})"""
    daemon = case.start(Confined(case.dir, input=inputs, queue=QUEUES["disk"]))
    daemon.wait_socket()
    with open(f"/proc/{daemon.process.pid}/status") as status:
        assert "Seccomp:\t2" in status.read(), "it is not confined"
    fstrm.deliver(daemon.socket, numbered(1, 10))
    deliver_tls(("127.0.0.1", port), context(made), numbered(11, 10))
    followed_file(case, numbered(21, 10))
    assert sorted(ids(daemon.wait_lines(30))) == list(range(1, 31))
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_log("certificates read again")
    deliver_tls(("127.0.0.1", port), context(made), numbered(31, 10))
    daemon.wait_lines(40)
    assert os.stat(daemon.socket).st_gid == gid()
    daemon.stop()
    assert not os.path.exists(daemon.socket)
    assert not complaints_of(daemon), complaints_of(daemon)
    assert any("imdnstap" in name for name in os.listdir(os.path.join(case.dir, "spool"))), "no state was kept"


def test_privileges_dropped_inside(case):
    if os.geteuid() != 0:
        raise tap.NotRoot("needs root: only root can give up root")
    os.makedirs(os.path.join(case.dir, "spool"))
    for name in ("", "spool"):
        os.chown(os.path.join(case.dir, name), uid(), gid())
    daemon = case.start(Confined(case.dir, input=UNIX % f'fileowner="root" filegroup="{GROUP}" filecreatemode="0660"',
                                 globals=DROP))
    daemon.wait_socket()
    wait_for("the user to be dropped to", lambda: daemon.check_alive() and ids_of(daemon) == ({uid()}, {gid()}))
    fstrm.deliver(daemon.socket, numbered(1, 10))
    daemon.wait_lines(10)
    daemon.check_books(10, 10)
    daemon.stop()
    assert not os.path.exists(daemon.socket)
    assert not complaints_of(daemon), complaints_of(daemon)


if __name__ == "__main__":
    tap.main()
