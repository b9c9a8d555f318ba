# SPDX-License-Identifier: Apache-2.0
"""What the tests of the shipped configurations share: rsyslogd with such a file, receivers, what must arrive."""
import glob
import os
import socket
import ssl
import subprocess
import sys
import threading

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../formats"))
import consumers
import frames as made
import fstrm
from programs import need_plugins
from harness import SOURCE, Rsyslogd, corpus

CONF_DIR = os.path.join(SOURCE, "rsyslog.conf.d")
FILES = sorted(os.path.basename(f) for f in glob.glob(os.path.join(CONF_DIR, "*.conf")))
SAMPLE = corpus("knot-unix-with-queries")
PROLOGUE = """\
global(workDirectory="{dir}/spool" processInternalMessages="on")
template(name="e2e_log" type="string" string="%syslogseverity-text% %msg%\\n")
if $syslogtag startswith "rsyslogd" then action(type="omfile" file="{dir}/log" template="e2e_log")
"""
RETRY = ('action.resumeRetryCount="-1"', 'action.resumeRetryCount="-1" action.resumeInterval="1"')


class Shipped(Rsyslogd):
    """rsyslogd with a shipped file, in which (old, new) texts are replaced; every old one must be there."""

    def __init__(self, dir, name, *changes):
        super().__init__(dir)
        with open(os.path.join(CONF_DIR, name)) as file:
            text = file.read()
        if "/run/dnstap.sock" in text:
            changes = (("/run/dnstap.sock", self.socket),) + changes
        for old, new in changes:
            assert old in text, f"{name} does not hold {old}"
            text = text.replace(old, new)
        need_plugins(text)
        with open(self.conf, "w") as file:
            file.write(PROLOGUE.replace("{dir}", dir) + text)


class Receiver(threading.Thread):
    """Takes everything that arrives on a loopback TCP or UDP port, until stop()."""

    def __init__(self, kind=socket.SOCK_STREAM, tls=None, port=0):
        super().__init__(daemon=True)
        self.tls = tls
        self.kind = kind
        self.pieces = []  # datagrams, or octets in order of arrival
        self.listener = socket.socket(socket.AF_INET, kind)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        for option in (socket.SO_RCVBUF, 33):  # 33: SO_RCVBUFFORCE, for root past the system's limit
            try:
                self.listener.setsockopt(socket.SOL_SOCKET, option, 1 << 23)
            except PermissionError:
                pass
        self.listener.bind(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        if kind == socket.SOCK_STREAM:
            self.listener.listen()
        self.listener.settimeout(0.2)
        self.over = False

    def run(self):
        while not self.over:
            try:
                if self.kind == socket.SOCK_DGRAM:
                    self.pieces.append(self.listener.recv(65536))
                else:
                    self.take(self.listener.accept()[0])
            except (socket.timeout, ConnectionError, ssl.SSLError):
                continue
            except OSError:
                return

    def take(self, peer):
        peer.settimeout(0.2)
        if self.tls:
            peer.settimeout(10)
            peer = self.tls.wrap_socket(peer, server_side=True)
            peer.settimeout(0.2)
        while not self.over:
            try:
                piece = peer.recv(65536)
            except socket.timeout:
                continue
            if not piece:
                break
            self.pieces.append(piece)
        peer.close()

    def octets(self):
        return b"".join(list(self.pieces))

    def lines(self):
        text = self.octets()
        return text[:text.rfind(b"\n") + 1].split(b"\n")[:-1]

    def stop(self):
        self.over = True
        self.join(5)
        self.listener.close()


def rendered(form, path=SAMPLE):
    return made.render_file(form, path)


def check_same(got, want):
    assert sorted(got) == sorted(want), (
        f"{len(got)} of {len(want)}; only got {sorted(set(got) - set(want))[:2]}, "
        f"only wanted {sorted(set(want) - set(got))[:2]}")


def check_accepted(form, lines):
    problems = [p for line in lines for p in consumers.check(form, line)]
    assert not problems, problems[:5]


def start(case, name, *changes, dir=None):
    daemon = case.start(Shipped(dir or case.dir, name, *changes))
    if daemon.socket in open(daemon.conf).read():
        daemon.wait_socket()
        daemon.expects = 1
    return daemon


def receive(case, **options):
    return case.start(Receiver(**options))


def play(daemon, payloads=None):
    fstrm.deliver(daemon.socket, payloads or made.frames_of(SAMPLE))


def certificates(dir, name):
    """A CA and a server certificate of that name, made by openssl."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=dir, check=True, capture_output=True)
    key = ["-newkey", "rsa:2048", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=ca")
    openssl("req", *key, "-keyout", "s.key", "-out", "s.csr", "-subj", f"/CN={name}")
    with open(os.path.join(dir, "ext"), "w") as file:
        file.write(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", "s.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
            "-out", "s.pem", "-days", "2", "-extfile", "ext")
