# SPDX-License-Identifier: Apache-2.0
"""rsyslog.service under a real systemd, with systemd/rsyslog-dnstap.conf: what systemd itself makes of it.

    booted.py --root DIR                                     (make booted BOOTED_ROOT=DIR)

Needs root, debootstrap and systemd-nspawn (Debian: systemd-container). DIR becomes a root directory of the Debian
release that runs here, with its rsyslog, if it is none yet; it is booted in a container, over an overlay, so
that it stays as it is. Covers: the restrictions hold, events arrive, HUP, restart, stop, socket activation.

No part of `make check`, which starts no service; test_sandbox.py applies the same restrictions without systemd.
"""
import argparse
import contextlib
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import fstrm
from harness import BUILD, SOURCE, wait_for
from tap import tapwriter as tap

PACKAGES = "systemd,systemd-sysv,dbus,rsyslog,libprotobuf-c1,libfstrm0,libssl3,zlib1g,liblzma5,libzstd1"
SOCKET, ACTIVATED, PORT = "/run/dnstap/dnstap.sock", "/run/activated.sock", 853
EVENTS, FORBIDDEN = "/var/log/dnstap.json", "/etc/dnstap-probe"
CONFIGURATION = f"""
global(maxMessageSize="256k")
module(load="imdnstap")
module(load="mmdnstapparse")
template(name="line" type="string" string="%msg%\\n")
ruleset(name="dnstap" queue.type="LinkedList") {{
    action(type="mmdnstapparse" replacemsg="json")
    action(type="omfile" file="{EVENTS}" template="line")
    action(type="omfile" file="{FORBIDDEN}" template="line")
}}
input(type="imdnstap" name="u" path="{SOCKET}" filegroup="adm" filecreatemode="0660" ruleset="dnstap")
input(type="imdnstap" name="a" path="{ACTIVATED}" ruleset="dnstap")
input(type="imdnstap" name="t" address="127.0.0.1" port="{PORT}" ruleset="dnstap")
"""
SOCKET_UNIT = f"[Socket]\nListenStream={ACTIVATED}\nService=rsyslog.service\n[Install]\nWantedBy=sockets.target\n"


def make_root(root):
    """A Debian root with systemd and rsyslog."""
    if os.path.exists(os.path.join(root, "usr/sbin/rsyslogd")):
        return
    with open("/etc/os-release") as file:
        release = re.search(r"^VERSION_CODENAME=(\S+)", file.read(), re.M)[1]
    subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, root], check=True,
                   stdout=sys.stderr)


class Container:
    """The booted root. Commands run in it; its files are below `self.files`."""

    def __init__(self, root, directory):
        modules, = (os.path.dirname(p) for p in glob.glob(root + "/usr/lib/*/rsyslog/lmnet.so"))
        places = {os.path.join(BUILD, name, ".libs", name + ".so"): f"{modules[len(root):]}/{name}.so"
                  for name in ("imdnstap", "mmdnstapparse")}
        places[os.path.join(SOURCE, "systemd", "rsyslog-dnstap.conf")] = \
            "/etc/systemd/system/rsyslog.service.d/dnstap.conf"
        for place, text in (("/etc/rsyslog.d/dnstap.conf", CONFIGURATION),
                            ("/etc/systemd/system/dnstap.socket", SOCKET_UNIT)):
            path = os.path.join(directory, os.path.basename(place))
            with open(path, "w") as file:
                file.write(text)
            places[path] = place
        self.console = open(os.path.join(directory, "console"), "w+b")
        self.process = subprocess.Popen(
            ["systemd-nspawn", "-q", "-D", root, "--boot", "--register=no", "--keep-unit", "--console=pipe",
             "--volatile=overlay", "--private-network", "--capability=CAP_SYSLOG"] + [f"--bind-ro={here}:{there}" for here, there in places.items()],
            stdin=subprocess.DEVNULL, stdout=self.console, stderr=subprocess.STDOUT)
        self.leader = wait_for("the container's first process", self.find_leader, 60)
        self.files = f"/proc/{self.leader}/root"
        try:
            wait_for("rsyslog.service", lambda: self.run("systemctl", "is-active", "rsyslog") == "active", 60)
        except AssertionError:
            tap.comment(self.run("systemctl", "status", "rsyslog", "--no-pager"))
            self.stop()
            raise

    def find_leader(self):
        """The child that has become systemd: others make the container first, and go."""
        assert self.process.poll() is None, self.said()
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as file:
            children = file.read().split()
        for pid in children:
            with contextlib.suppress(OSError):
                if os.readlink(f"/proc/{pid}/exe").endswith("/systemd"):
                    return pid
        return None

    def said(self):
        self.console.seek(0)
        return self.console.read().decode("utf-8", "replace")

    def run(self, *command, of=None):
        """What it prints. `of`: in the mounts of that process."""
        names = ["nsenter", "-t", self.leader, "-m", "-u", "-i", "-n", "-p"]
        if of:
            command = ("nsenter", "-t", of, "-m", "--") + command
        run = subprocess.run(names + ["--"] + list(command), capture_output=True, text=True, timeout=60, check=False)
        return (run.stdout + run.stderr).strip()

    def pid(self):
        return self.run("systemctl", "show", "-p", "MainPID", "--value", "rsyslog")

    def deliver(self, path, first, count=10):
        wait_for(path, lambda: os.path.exists(self.files + path))
        fstrm.deliver(self.files + path, [fstrm.payload(qid=i) for i in range(first, first + count)])

    def ids(self, count, path=EVENTS):
        """The ids of the events in a file, once there are so many."""
        def lines():
            try:
                with open(self.files + path) as file:
                    found = file.read().splitlines()
            except FileNotFoundError:
                found = []
            return found if len(found) >= count else None
        return [json.loads(line)["dns"]["id"] for line in wait_for(f"{count} events", lines)]

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.console.close()


def check_restrictions(box):
    pid = box.pid()
    said = dict(line.split("=", 1) for line in box.run(
        "systemctl", "show", "rsyslog", "-p", "ProtectSystem,ProtectHome,PrivateTmp,MemoryDenyWriteExecute,"
        "RestrictRealtime,RestrictSUIDSGID,LockPersonality,ProtectClock,ProtectHostname,ProtectKernelModules,"
        "ProtectControlGroups,ProtectKernelTunables,RestrictNamespaces,NoNewPrivileges").splitlines())
    tap.ok(said.pop("ProtectSystem") == "strict" and set(said.values()) == {"yes"} and len(said) == 13,
           "systemd took every line of the drop-in", said)
    status = box.run("cat", f"/proc/{pid}/status")
    bits = sum(1 << n for n in (0, 1, 3, 6, 7, 10, 34))
    want = [r"NoNewPrivs:\t1", r"Seccomp:\t2", rf"CapBnd:\t{bits:016x}"]
    tap.none([w for w in want if not re.search(w, status)], "no new privileges, a filter of calls, seven capabilities")
    tap.ok("Read-only file system" in box.run("touch", "/etc/probe", of=pid), "its system is read-only")
    tap.equal(box.run("touch", "/tmp/probe", of=pid), "", "its /tmp can be written")
    tap.ok(not os.path.exists(box.files + "/tmp/probe"), "and is its own")
    rating = box.run("systemd-analyze", "security", "--no-pager", "rsyslog").splitlines()[-1]
    tap.comment(rating)


def check_events(box):
    box.deliver(SOCKET, 1)
    tap.equal(box.ids(10), list(range(1, 11)), "events of the socket in /run/dnstap")
    state = os.stat(box.files + SOCKET)
    adm = next(int(line.split(":")[2]) for line in open(box.files + "/etc/group") if line.startswith("adm:"))
    tap.equal((state.st_mode & 0o777, state.st_gid), (0o660, adm), "the socket has its group and mode")
    tap.ok(f"127.0.0.1:{PORT}" in box.run("ss", "-ltn") or f"{PORT:04X}" in box.run("cat", "/proc/net/tcp"),
           "a port below 1024 is listened on")
    tap.ok(not os.path.exists(box.files + FORBIDDEN), "a file outside of the writable directories is not made")


def check_life(box):
    os.rename(box.files + EVENTS, box.files + EVENTS + ".1")
    box.run("systemctl", "kill", "-s", "HUP", "rsyslog")
    wait_for("HUP", lambda: "rsyslogd was HUPed" in box.run("journalctl", "-u", "rsyslog", "--no-pager"))
    box.deliver(SOCKET, 11)
    tap.equal(box.ids(10), list(range(11, 21)), "HUP: a new file")
    box.run("systemctl", "restart", "rsyslog")
    box.deliver(SOCKET, 21)
    tap.equal(box.ids(20), list(range(11, 31)), "restart: the socket is there again")


def check_activation(box):
    """The socket is systemd's: who connects while rsyslogd is stopped is served when it runs."""
    for unit in ("syslog.socket", "dnstap.socket", "rsyslog.service"):
        box.run("systemctl", "stop", unit)
    wait_for("the stop", lambda: box.run("systemctl", "is-active", "rsyslog") == "inactive")
    tap.ok(not os.path.exists(box.files + os.path.dirname(SOCKET)), "stop: the socket and its directory are gone")
    books = box.run("journalctl", "-u", "rsyslog", "--no-pager")
    tap.ok("input u: ended, frames: 10 received = 10 submitted" in books, "stop: the books are in the journal",
           books[-2000:])
    box.run("systemctl", "start", "dnstap.socket")
    box.deliver(ACTIVATED, 31)
    tap.equal(box.ids(30), list(range(11, 41)), "a frame starts rsyslogd by systemd's socket")
    box.run("systemctl", "restart", "rsyslog")
    box.deliver(ACTIVATED, 41)
    tap.equal(box.ids(40), list(range(11, 51)), "the socket outlives a restart")


def main():
    parser = argparse.ArgumentParser(description="rsyslog.service with the drop-in, under systemd in a container.")
    parser.add_argument("--root", required=True, help="a Debian root; made by debootstrap when it is none yet")
    root = os.path.abspath(parser.parse_args().root)
    missing = [name for name in ("systemd-nspawn", "nsenter", "debootstrap") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        sys.exit(f"booted.py: needs root, and {', '.join(missing) or 'has the programs'}")
    make_root(root)
    with tempfile.TemporaryDirectory(prefix="booted-") as directory:
        box = Container(root, directory)
        try:
            for check in (check_restrictions, check_events, check_life, check_activation):
                check(box)
        finally:
            box.stop()
    tap.done()


if __name__ == "__main__":
    main()
