# SPDX-License-Identifier: Apache-2.0
"""rsyslogd that gives up root: global(privdrop.user.name=... privdrop.group.name=...).

Covers: what is bound before the drop (a socket in a directory of root's, a privileged port), what is
done after it (sessions, state files, keys at HUP, removal of the socket), and the line that says
what to do where the user lacks a right. All of it needs root; without root the cases are skipped.
"""
import contextlib
import grp
import os
import pwd
import random
import signal
import socket
import stat

import fstrm
import tap
from harness import rsyslogd, wait_for
from test_life import UNIX
from test_stream import complaints_of, ids, numbered
from test_transport import TCP, address_of, authority, context, deliver_tls, tls_options

USER, GROUP = "nobody", "nogroup" if os.path.exists("/etc/debian_version") else "nobody"
DROP = f'privdrop.user.name="{USER}" privdrop.group.name="{GROUP}"'


def uid():
    return pwd.getpwnam(USER).pw_uid


def gid():
    return grp.getgrnam(GROUP).gr_gid


def dropping(case, input, **options):
    """A daemon that drops to USER, in a directory of that user's; {dir}/owned stays root's."""
    if os.geteuid() != 0:
        raise tap.NotRoot("needs root: only root can give up root")
    os.makedirs(os.path.join(case.dir, "owned"))
    os.makedirs(os.path.join(case.dir, "spool"), exist_ok=True)
    for name in ("", "spool"):
        os.chown(os.path.join(case.dir, name), uid(), gid())
    daemon = rsyslogd(case, input=input, **{"globals": DROP, **options})
    wait_for("the user to be dropped to", lambda: daemon.check_alive() and ids_of(daemon) ==
             ({uid()}, {gid()}))
    return daemon


def ids_of(daemon):
    """Every uid and gid (real, effective, saved, of the file system) of the process."""
    found = {}
    with open(f"/proc/{daemon.process.pid}/status") as status:
        for line in status:
            name, _, rest = line.partition(":")
            found[name] = rest.split()
    return {int(n) for n in found["Uid"]}, {int(n) for n in found["Gid"]}


@contextlib.contextmanager
def acting_as(user, group):
    """This process with another user's rights, for connect() and the like."""
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def connects_as(path, user, group):
    with acting_as(user, group), socket.socket(socket.AF_UNIX) as peer:
        try:
            peer.connect(path)
            return True
        except PermissionError:
            return False


PROTECTED = 'input(type="imdnstap" name="t" path="{dir}/owned/sock" ruleset="dnstap" %s)'


LEGACY = {"globals": "", "extra": f"$PrivDropToUser {USER}\n$PrivDropToGroup {GROUP}"}


@tap.cases(("global()", {}), ("$PrivDropToUser", LEGACY))
def test_socket_in_a_protected_directory(case, words):
    """Bound as root where the user may not write: mode and owner are right, and it works."""
    daemon = dropping(case, PROTECTED % f'filegroup="{GROUP}" filecreatemode="0660"', **words)
    path = daemon.wait_socket(os.path.join(case.dir, "owned", "sock"))
    made = os.stat(path)
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (0, gid(), 0o660), made
    assert connects_as(path, 12345, gid()), "the group is kept out"
    assert not connects_as(path, 12345, 12345), "the world is let in"
    fstrm.deliver(path, numbered(1, 5))
    daemon.wait_lines(5)
    daemon.check_books(5, 5)
    assert os.stat(os.path.join(case.dir, "events")).st_uid == uid()


def test_socket_of_a_protected_directory_stays(case):
    """The user cannot remove it: one line says so, and the next start takes its place."""
    daemon = dropping(case, PROTECTED % "")
    path = daemon.wait_socket(os.path.join(case.dir, "owned", "sock"))
    daemon.stop()
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    errors = daemon.read("stderr").decode()  # the log is closed when inputs end
    assert errors.count("cannot be removed") == 1 and path in errors, errors
    daemon.start().wait_socket(path)
    fstrm.deliver(path, numbered(1, 2))
    assert ids(daemon.wait_lines(2)) == [1, 2]


def test_socket_in_a_directory_of_the_user(case):
    """Where the user may write the socket goes at the stop, and no line complains."""
    daemon = dropping(case, UNIX % "")
    fstrm.deliver(daemon.socket, numbered(1, 2))
    daemon.wait_lines(2)
    daemon.stop()
    assert not os.path.exists(daemon.socket)
    assert not complaints_of(daemon), complaints_of(daemon)


def free_privileged_port():
    for port in random.sample(range(600, 1024), 400):  # other tests look for one at the same time
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise tap.Skip("no free port below 1024")


def test_privileged_port(case):
    port = free_privileged_port() if os.geteuid() == 0 else 1023
    daemon = dropping(case, f"""input(type="imdnstap" name="t" address="127.0.0.1" port="{port}"
                      listenportfilename="{{dir}}/owned/port" ruleset="dnstap")""")
    fstrm.deliver(address_of(daemon, name="owned/port"), numbered(1, 3))
    daemon.wait_lines(3)
    with acting_as(uid(), gid()), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port - 1))
            tap.comment("here every user may bind this port: it proves little")
        except OSError:
            pass


def test_keys_at_hup(case):
    """A key that is root's alone is read at start. At HUP the user cannot read it: one line, and the
    former one serves on. With the group's right the new one is read."""
    if os.geteuid() != 0:
        raise tap.NotRoot("needs root: only root can give up root")
    made = authority(case)
    key = made.path("server.key")
    os.chmod(key, 0o600)
    daemon = dropping(case, TCP % tls_options(made))
    address = address_of(daemon)
    deliver_tls(address, context(made), numbered(1, 2))
    daemon.wait_lines(2)
    made.issue("server", "ca", "localhost", san="DNS:localhost,DNS:second.example")
    os.chmod(key, 0o600)
    daemon.send_signal(signal.SIGHUP)
    line, = daemon.wait_log("former certificates stay")
    assert "tls.myprivkey" in line and "ermission denied" in line and key in line, line
    deliver_tls(address, context(made), numbered(3, 2))
    daemon.wait_lines(4)
    assert not names_second(made, address)
    os.chown(key, 0, gid())
    os.chmod(key, 0o640)

    def renewed():
        daemon.send_signal(signal.SIGHUP)
        return names_second(made, address)
    wait_for("the new certificate", renewed)


def names_second(made, address):
    client = fstrm.Client(address, tls=context(made), server_name="localhost")
    names = client.socket.getpeercert()["subjectAltName"]
    client.close()
    return ("DNS", "second.example") in names


FOLLOWED = """input(type="imdnstap" name="t" file="{dir}/owned/tap.fstrm" file.mode="follow"
              ruleset="dnstap")"""


def followed_file(case, frames):
    with open(os.path.join(case.dir, "owned", "tap.fstrm"), "ab") as file:
        if file.tell() == 0:
            file.write(fstrm.control(fstrm.START, fstrm.CONTENT_TYPE))
        file.write(b"".join(map(fstrm.data, frames)))
        os.fchmod(file.fileno(), 0o644)


def test_state_of_followed_files(case):
    """Positions are kept by the user, and a restart goes on where it was."""
    daemon = dropping(case, FOLLOWED)
    followed_file(case, numbered(1, 3))
    daemon.wait_lines(3)
    daemon.stop()
    states = [n for n in os.listdir(os.path.join(case.dir, "spool")) if "imdnstap" in n]
    assert len(states) == 1, states
    assert os.stat(os.path.join(case.dir, "spool", states[0])).st_uid == uid()
    followed_file(case, numbered(4, 3))
    daemon.start()
    assert ids(daemon.wait_lines(6)) == [1, 2, 3, 4, 5, 6]
    assert not complaints_of(daemon), complaints_of(daemon)


def test_state_that_cannot_be_kept(case):
    """workDirectory is not the user's: one line names the file and the directory."""
    daemon = dropping(case, FOLLOWED)
    spool = os.path.join(case.dir, "spool")
    os.chown(spool, 0, 0)
    followed_file(case, numbered(1, 3))
    daemon.wait_lines(3)
    line, = daemon.wait_log("state file")
    assert spool in line and "ermission denied" in line, line


def test_file_that_cannot_be_read(case):
    """A followed file that the user may not read is named, and read once it may."""
    if os.geteuid() != 0:
        raise tap.NotRoot("needs root: only root can give up root")
    os.makedirs(os.path.join(case.dir, "closed"))
    path = os.path.join(case.dir, "closed", "tap.fstrm")
    with open(path, "wb") as file:
        file.write(fstrm.stream(numbered(1, 3)))
        os.fchmod(file.fileno(), 0o600)
    daemon = dropping(case, FOLLOWED.replace("owned", "closed"))
    line = daemon.wait_log("tap.fstrm")[0]
    assert path in line and "ermission denied" in line, line
    os.chmod(path, 0o644)
    assert ids(daemon.wait_lines(3)) == [1, 2, 3]


if __name__ == "__main__":
    tap.main()
