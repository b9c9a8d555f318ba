# SPDX-License-Identifier: Apache-2.0
"""What an input finds when it starts, and what it may lack while it runs.

Covers: sockets that are taken, in the way or cannot be made; ports and addresses; certificates and keys
that cannot be used, at start and at HUP; sockets that systemd passes; file descriptors and memory that
run out. A faulty input costs one line that says what to do, and the input beside it works.
"""
import fcntl
import grp
import os
import re
import resource
import shutil
import signal
import socket
import stat
import struct

import fstrm
import tap
from certificates import authority, context, tls_options
from fstrm import Client
from harness import Rsyslogd, rsyslogd, wait_for, watched
from test_stream import complaints_of, ids, numbered
from test_transport import TCP, address_of, deliver_tls, tcp_daemon

GOOD = 'input(type="imdnstap" name="good" path="{dir}/good" ruleset="dnstap")\n'
UNIX = 'input(type="imdnstap" name="t" path="{socket}" ruleset="dnstap" %s)'


class WithoutRights(Rsyslogd):
    """Root that may neither change owners nor read what file modes forbid; else as it is."""

    def command(self):
        rights = ["setpriv", "--bounding-set", "-chown,-dac_override,-dac_read_search"]
        return (rights if os.geteuid() == 0 else []) + super().command()


def faulty(case, input, pattern, kind=Rsyslogd):
    """One line says what is wrong with input t; the good one works, and t has no counters."""
    daemon = case.start(kind(case.dir, input=GOOD + input))
    fstrm.deliver(daemon.wait_socket(os.path.join(case.dir, "good")), numbered(1, 3))
    assert ids(daemon.wait_lines(3)) == [1, 2, 3]
    daemon.wait_counters("good", submitted=3)
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert re.search(r"imdnstap: input t: .*" + pattern, line), f"{line!r} does not say {pattern!r}"
    assert not daemon.counters("t"), "the faulty input runs"
    return daemon


def test_live_socket(case):
    """A socket that another process listens on is refused, and stays that process's."""
    path = os.path.join(case.dir, "sock")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(path)
        other.listen(8)
        inode = os.stat(path).st_ino
        daemon = faulty(case, UNIX % "", r"another process listens on this socket; stop it or take another")
        daemon.stop()
        assert os.stat(path).st_ino == inode, "the other's socket was removed"


def leave_stale(path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(path)


def test_stale_socket_and_unlink_off(case):
    """Nobody listens there, but imdnstap was told to remove nothing."""
    path = os.path.join(case.dir, "sock")
    leave_stale(path)
    faulty(case, UNIX % 'unlink="off"', r'nobody listens on is there; remove it or set unlink="on"')
    assert stat.S_ISSOCK(os.stat(path).st_mode)


def test_socket_that_may_not_be_connected_to(case):
    """It may be another's that listens: it stays, and the line says what is known."""
    path = os.path.join(case.dir, "sock")
    leave_stale(path)
    os.chmod(path, 0o400)
    faulty(case, UNIX % "", r"may not connect to, so it cannot tell whether anybody listens; remove it if nobody does, "
           r"or take another path: Permission denied", WithoutRights)
    assert stat.S_ISSOCK(os.stat(path).st_mode)


def test_no_socket_in_the_way(case):
    path = os.path.join(case.dir, "sock")
    with open(path, "w") as file:
        file.write("precious")
    faulty(case, UNIX % "", r"something that is no socket; remove it or take another path").stop()
    with open(path) as file:
        assert file.read() == "precious"


def test_createpath(case):
    """Missing directories are made with their mode and group, at the next start as well."""
    path = os.path.join(case.dir, "a", "b", "sock")
    daemon = Rsyslogd(case.dir, input=f'input(type="imdnstap" name="t" path="{path}" ruleset="dnstap" '
                                      'createpath="on" dircreatemode="0710" dirgroup="nogroup")')
    case.start(daemon)
    for start in (0, 1):
        fstrm.deliver(daemon.wait_socket(path), numbered(1 + start, 1))
        daemon.wait_lines(1 + start)
        for directory in (os.path.dirname(path), os.path.join(case.dir, "a")):
            made = os.stat(directory)
            assert (stat.S_IMODE(made.st_mode), made.st_gid) == (0o710, grp.getgrnam("nogroup").gr_gid), made
        if not start:
            daemon.stop()
            shutil.rmtree(os.path.join(case.dir, "a"))
            daemon.start()
    assert not complaints_of(daemon), complaints_of(daemon)


def test_createpath_over_a_link(case):
    """A link that leads nowhere, where a directory is to be made: nothing is made behind it."""
    path = os.path.join(case.dir, "link", "sock")
    os.symlink(os.path.join(case.dir, "elsewhere"), os.path.dirname(path))
    daemon = Rsyslogd(case.dir, input=f'input(type="imdnstap" name="t" path="{path}" ruleset="dnstap" '
                                      'createpath="on")')
    case.start(daemon)
    line, = daemon.wait_log("createpath: ")
    assert "link: the symbolic link leads to no directory" in line, line
    assert not os.path.exists(os.path.join(case.dir, "elsewhere"))


def test_no_directory(case):
    faulty(case, UNIX.replace("{socket}", "{dir}/none/sock") % "",
           r"cannot be bound; its directory must be there .*, and writable: No such file or directory")


@tap.cases(("on", ""), ("off", 'failonchownfailure="off"'))
def test_owner_that_cannot_be_set(case, more):
    """No socket with a wrong owner, unless that was asked for; then it is a warning."""
    user = "nobody" if os.geteuid() == 0 else "root"
    pattern = r"owner or group \(fileowner, filegroup\) cannot be set: Operation not permitted"
    if not more:
        faulty(case, UNIX % f'fileowner="{user}"', pattern, WithoutRights)
        assert not os.path.exists(os.path.join(case.dir, "sock"))
        return
    daemon = case.start(WithoutRights(case.dir, input=UNIX % f'fileowner="{user}" {more}'))
    fstrm.deliver(daemon.wait_socket(), numbered(1, 1))
    daemon.wait_lines(1)
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert line.startswith("warning") and re.search(pattern, line), line


def test_port_taken(case):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        faulty(case, f'input(type="imdnstap" name="t" address="127.0.0.1" port="{port}" ruleset="dnstap")',
               rf'address="127.0.0.1" port="{port}": cannot listen: Address already in use')


def test_port_taken_in_one_family(case):
    """Without an address: the other family is served, and a line says that it is one only."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        daemon = rsyslogd(case, input=f'input(type="imdnstap" name="t" port="{port}" ruleset="dnstap")')
        daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
        line, = complaints_of(daemon)
        assert line.startswith("warning") and "one address family only" in line, line
        wait_for("the other family", lambda: daemon.check_alive() and reaches(("::1", port)))
        fstrm.deliver(("::1", port), numbered(1, 1))
        daemon.wait_lines(1)


def reaches(address):
    try:
        socket.create_connection(address).close()
        return True
    except OSError:
        return False


@tap.cases(("of another host", ("192.0.2.1", "Cannot assign requested address")),
           ("that is none", ("1.2.3.4.5.6:x", "not known|not supported|[Nn]ame")))
def test_address(case, value):
    address, reason = value
    faulty(case, f'input(type="imdnstap" name="t" address="{address}" port="0" ruleset="dnstap")',
           rf'address="{re.escape(address)}" port="0": .*({reason})')


def test_port_file_that_cannot_be_written(case):
    daemon = rsyslogd(case, input=TCP.replace("{dir}/port", "{dir}/none/port") % "")
    line, = daemon.wait_log(r"imdnstap")[:1]
    assert re.search(r'listenportfilename=".*/none/port": cannot be written: No such file', line), line


class Generous(Rsyslogd):
    """Started with an umask that takes no right away."""

    def command(self):
        return ["sh", "-c", 'umask 0; exec "$@"', "sh"] + super().command()


def test_port_file_mode(case):
    """Nobody else may write to it, whatever the umask."""
    daemon = case.start(Generous(case.dir, input=TCP % ""))
    address_of(daemon)
    assert stat.S_IMODE(os.stat(os.path.join(case.dir, "port")).st_mode) == 0o644


def write(path, text=""):
    with open(path, "w") as file:
        file.write(text)


def with_passphrase(made):
    made.run("ec", "-in", "server.key", "-aes128", "-passout", "pass:secret", "-out", "locked.key")
    os.replace(made.path("locked.key"), made.path("server.key"))


def foreign_key(made):
    made.authority("other")
    os.replace(made.path("other.key"), made.path("server.key"))


def key_of_other_algorithm(made):
    made.run("genrsa", "-out", "server.key", "2048")


# Each: what is done to the files, the line.
TLS_FILES = {
    "no certificate": (lambda made: os.unlink(made.path("server.pem")),
                       r'tls\.mycert=".*/server\.pem": No such file or directory'),
    "certificate that is none": (lambda made: write(made.path("server.pem"), "hello\n"),
                                 r'tls\.mycert=".*/server\.pem": no start line'),
    "no key": (lambda made: os.unlink(made.path("server.key")),
               r'tls\.myprivkey=".*/server\.key": No such file or directory'),
    "unreadable key": (lambda made: os.chmod(made.path("server.key"), 0),
                       r'tls\.myprivkey=".*/server\.key": Permission denied'),
    "key with a passphrase": (with_passphrase,
                              r'tls\.myprivkey=".*/server\.key": has a passphrase; give a key without'),
    "key of another certificate": (foreign_key, r'tls\.myprivkey=".*/server\.key": is not the key of tls\.mycert'),
    "key of another algorithm": (key_of_other_algorithm, r'server\.key": is not the key of tls\.mycert'),
    "no authorities": (lambda made: os.unlink(made.path("ca.pem")),
                       r'tls\.cacert=".*/ca\.pem": No such file or directory'),
    "authorities that are none": (lambda made: write(made.path("ca.pem")), r'tls\.cacert=".*/ca\.pem": no '),
}


@tap.cases(*TLS_FILES.items())
def test_tls_file(case, value):
    spoil, pattern = value
    made = authority(case)
    spoil(made)
    faulty(case, TCP % tls_options(made, "certvalid"), pattern, WithoutRights)


def test_tls_files_spoilt_at_hup(case):
    """The former certificates stay in use, and one line says why; once mended they are read again."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    deliver_tls(address, context(made), numbered(1, 1))
    with open(made.path("server.pem")) as file:
        good = file.read()
    write(made.path("server.pem"), "half of a certi")
    daemon.send_signal(signal.SIGHUP)
    line, = daemon.wait_log(r"the former certificates stay")
    assert re.search(r'err.* tls\.mycert=".*/server\.pem": no start line', line), line
    deliver_tls(address, context(made), numbered(2, 1))
    write(made.path("server.pem"), good)
    daemon.send_signal(signal.SIGHUP)
    daemon.wait_log(r"certificates read again")
    deliver_tls(address, context(made), numbered(3, 1))
    assert ids(daemon.wait_lines(3)) == [1, 2, 3]


def pieces_of(text):
    """What gives a key away: every run of 12 characters of its lines, but for those of PEM itself."""
    for line in text.splitlines():
        if not line.startswith(("-----", "Proc-Type", "DEK-Info")):
            yield from (line[n:n + 12] for n in range(len(line) - 11))


def test_no_key_in_the_log(case):
    """Whatever is wrong with a key: its file is named, and nothing of what is in it."""
    made = authority(case)
    daemon, address = tcp_daemon(case, tls_options(made))
    path = made.path("server.key")
    with open(path) as file:
        good = file.read()
    secrets = [good]
    head, body = good.split("\n", 1)
    for spoilt in (good[:len(good) // 2], f"{head}\n{body[:40]}!{body[41:]}", body, "correct horse battery staple\n",
                   good.replace(body[:20], body[:20][::-1])):
        secrets.append(spoilt)
        write(path, spoilt)
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_log(r"the former certificates stay: .*server\.key", len(secrets) - 1)
    for change in (foreign_key, lambda made: (write(path, good), with_passphrase(made))):
        change(made)
        with open(path) as file:
            secrets.append(file.read())
        daemon.send_signal(signal.SIGHUP)
        daemon.wait_log(r"the former certificates stay: .*server\.key", len(secrets) - 1)
    deliver_tls(address, context(made), numbered(1, 1))
    daemon.wait_lines(1)
    daemon.stop()
    said = "".join(daemon.read(name).decode("utf-8", "replace") for name in ("log", "stderr", "stats", "events"))
    assert "server.key" in said
    found = [piece for secret in secrets for piece in pieces_of(secret) if piece in said]
    assert not found, found


class Activated(Rsyslogd):
    """Started as a unit of systemd's with sockets of its own: sd_listen_fds(3)."""

    def command(self):
        moves = " ".join(f"{3 + n}<&{fd}" for n, fd in enumerate(self.pass_fds))
        return ["bash", "-c", f'LISTEN_PID=$$ LISTEN_FDS={len(self.pass_fds)}; export LISTEN_PID LISTEN_FDS; '
                f'exec "$@" {moves}', "bash"] + super().command()


def test_socket_of_systemd(case):
    """The second of two passed sockets is the input's: nothing is bound or removed, and what came while
    the daemon was away is served by its next start."""
    path = os.path.join(case.dir, "sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as syslog, socket.socket(socket.AF_UNIX) as ours:
        syslog.bind(os.path.join(case.dir, "syslog"))
        ours.bind(path)
        ours.listen(8)
        os.chmod(path, 0o660)
        inode = os.stat(path).st_ino
        daemon = Activated(case.dir, input=UNIX % "")
        # Copies above those that the shell gives to the daemon.
        daemon.pass_fds = tuple(fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in (syslog, ours))
        case.start(daemon)
        fstrm.deliver(path, numbered(1, 3))
        daemon.wait_lines(3)
        daemon.wait_log(r'info .*path=".*/sock": socket taken over from systemd')
        daemon.stop()
        assert os.stat(path).st_ino == inode and stat.S_IMODE(os.stat(path).st_mode) == 0o660
        waiting = Client(path).start().frames(numbered(4, 3))
        daemon.start()
        assert ids(daemon.wait_lines(6)) == [1, 2, 3, 4, 5, 6]
        waiting.stop_uni()
        for fd in daemon.pass_fds:
            os.close(fd)
    assert not complaints_of(daemon), complaints_of(daemon)


def test_datagram_socket_of_systemd(case):
    """A passed socket of that path that does not listen for streams is not taken."""
    path = os.path.join(case.dir, "sock")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind(path)
        daemon = Activated(case.dir, input=UNIX % "")
        daemon.pass_fds = (fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD, 100),)
        case.start(daemon)
        daemon.wait_log(r'path=".*/sock": systemd passes a socket that does not listen .* ListenStream=')
        assert not daemon.log("taken over")
        os.close(daemon.pass_fds[0])


def test_sockets_passed_to_another_process(case):
    """LISTEN_PID names somebody else: the variables are not for us, and the socket is another's."""
    path = os.path.join(case.dir, "sock")
    with socket.socket(socket.AF_UNIX) as ours:
        ours.bind(path)
        ours.listen(8)
        daemon = Activated(case.dir, input=UNIX % "")
        daemon.pass_fds = (fcntl.fcntl(ours.fileno(), fcntl.F_DUPFD, 100),)
        command = daemon.command()
        daemon.command = lambda: [part.replace("LISTEN_PID=$$", "LISTEN_PID=1") for part in command]
        case.start(daemon)
        daemon.wait_log("another process listens on this socket")
        assert not daemon.log("taken over")
        os.close(daemon.pass_fds[0])


def limit(daemon, what, soft):
    """Sets a limit of the running daemon; returns the former one."""
    former = resource.prlimit(daemon.process.pid, what)
    resource.prlimit(daemon.process.pid, what, (soft, former[1]))
    return former[0]


def number_of_descriptors(daemon):
    """As a limit that leaves none free; valgrind keeps some of its own far above."""
    return max(n for n in map(int, os.listdir(f"/proc/{daemon.process.pid}/fd")) if n < 500) + 1


def test_no_descriptors_left(case):
    """Connections wait in the kernel, the daemon tries now and then, with one line in all, and goes on when
    there are some again."""
    daemon, address = tcp_daemon(case)
    fstrm.deliver(address, numbered(1, 1))
    daemon.wait_lines(1)
    daemon.wait_counters(sessions_closed=1)
    count = number_of_descriptors(daemon)
    former = limit(daemon, resource.RLIMIT_NOFILE, count)
    clients = [Client(address) for _ in range(count + 2)]
    daemon.wait_log(r"err .*input t: cannot accept a connection \(file descriptors: LimitNOFILE of the unit\)"
                    r".*Too many open files")
    wait_for("further attempts", lambda: daemon.counters()["sessions.openfailed"] >= 4)
    assert len(daemon.log("cannot accept")) == 1, daemon.log("cannot accept")
    failed = daemon.counters()["sessions.openfailed"]
    limit(daemon, resource.RLIMIT_NOFILE, former)
    for number, client in enumerate(clients):
        client.ready().frames(numbered(2 + number, 1)).finish()
    assert sorted(ids(daemon.wait_lines(1 + len(clients)))) == list(range(1, 2 + len(clients)))
    assert failed < 100, "it asked again and again"
    assert len(daemon.wait_log("accepts connections again")) == 1
    assert len(daemon.log("cannot accept")) == 1, daemon.log("cannot accept")


def test_stop_without_descriptors(case):
    """The daemon ends well: glibc needs one to end the first thread, and aborts without."""
    daemon, address = tcp_daemon(case)
    fstrm.deliver(address, numbered(1, 1))
    daemon.wait_lines(1)
    daemon.wait_counters(sessions_closed=1)
    count = number_of_descriptors(daemon)
    limit(daemon, resource.RLIMIT_NOFILE, count)
    clients = [Client(address) for _ in range(count + 2)]
    daemon.wait_log("cannot accept a connection")
    daemon.stop()
    for client in clients:
        client.close()
    assert len(daemon.log("ended, frames: 1 received")) == 1


def test_no_memory_for_a_frame(case):
    """A frame for which there is no memory costs its session, not the daemon."""
    if watched():
        raise tap.OtherBuild("sanitizers and valgrind end a process that has no memory")
    daemon = rsyslogd(case, input=UNIX % 'maxframesize="64m"', maxmessage="96m")
    good = Client(daemon.socket).ready().frames(numbered(1, 1))
    daemon.wait_lines(1)
    with open(f"/proc/{daemon.process.pid}/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    former = limit(daemon, resource.RLIMIT_AS, size + (1 << 20))
    client = Client(daemon.socket).ready().send(struct.pack(">I", 64 << 20) + b"x" * 100)
    client.wait_closed()
    limit(daemon, resource.RLIMIT_AS, former)
    line, = daemon.wait_log(r"closed: no memory for a frame")
    assert re.search(r"err .*input t: pid \d+ uid \d+ on .*Cannot allocate memory", line), line
    good.frames(numbered(2, 1)).finish()
    assert ids(daemon.wait_lines(2)) == [1, 2]
    daemon.wait_counters(sessions_opened=2, sessions_closed=2)


if __name__ == "__main__":
    tap.main()
