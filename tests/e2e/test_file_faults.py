# SPDX-License-Identifier: Apache-2.0
"""Files that are not what they should be, and state files that cannot be used.

Covers: none, a directory, a FIFO, no right to read; cut, broken and foreign streams; gzip, xz and zstd
that are damaged or end early; state files that are damaged, cannot be read or written, or have no
directory. What was whole before the fault is always an event, and one line says where the fault is.
"""
import gzip
import lzma
import os
import re
import struct

import fstrm
import tap
from fstrm import control
from harness import Rsyslogd, rsyslogd, wait_for
from test_files import START, frame, started, write
from test_start import WithoutRights
from test_stream import complaints_of, ids, numbered

ONCE = 'input(type="imdnstap" name="t" file="%s" ruleset="dnstap" %s)'
STREAM = fstrm.stream(numbered(1, 400))


def one_line(daemon, pattern):
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert re.search(r"imdnstap: input t: " + pattern, line), f"{line!r} does not say {pattern!r}"
    return line


def replay(case, name, octets, pattern, whole, more=""):
    """The whole frames before the fault are events, and the line counts them."""
    path = os.path.join(case.dir, name)
    write(path, octets)
    daemon = rsyslogd(case, input=ONCE % (path, more))
    line = one_line(daemon, rf"file {re.escape(path)}: \d+ frames, then: {pattern}")
    count = int(re.search(r": (\d+) frames, then", line).group(1))
    if whole is not None:
        assert count == whole, line
    assert ids(daemon.wait_lines(count)) == list(range(1, count + 1))
    invalid = int("over the size limit" in line)
    now = daemon.check_books(count + invalid, count)
    assert (now["frames.invalid"], now["handshakes.failed"]) == (invalid, int(whole == 0)), now
    assert (now["sessions.opened"], now["sessions.closed"], now["sessions.openfailed"]) == (1, 1, 0), now
    return count


def test_no_such_file(case):
    daemon = rsyslogd(case, input=ONCE % (os.path.join(case.dir, "none-*"), ""))
    one_line(daemon, r"file .*/none-\*: no such file")
    daemon.wait_counters(sessions_opened=0, sessions_openfailed=0)


def test_directory(case):
    daemon = rsyslogd(case, input=ONCE % (case.dir, ""))
    one_line(daemon, r"file .*: this is a directory: name the files in it")
    daemon.wait_counters(sessions_opened=0, sessions_openfailed=0)


@tap.cases("once", "follow")
def test_fifo(case, mode):
    """Neither read nor waited for."""
    path = os.path.join(case.dir, "fifo")
    os.mkfifo(path)
    daemon = rsyslogd(case, input=ONCE % (path, f'file.mode="{mode}"'))
    one_line(daemon, r"file .*/fifo: (0 frames, then: )?this is no regular file")
    daemon.wait_counters(sessions_opened=0, sessions_openfailed=1)


@tap.cases("once", "follow")
def test_file_that_may_not_be_read(case, mode):
    path = os.path.join(case.dir, "f")
    write(path, STREAM)
    os.chmod(path, 0)
    daemon = case.start(WithoutRights(case.dir, input=ONCE % (path, f'file.mode="{mode}"')))
    one_line(daemon, r"file .*/f: (0 frames, then: it cannot be opened: )?Permission denied")
    wait_for("its count", lambda: daemon.counters().get("sessions.openfailed", 0) >= 1)
    assert daemon.counters()["sessions.opened"] == 0, daemon.counters()
    if mode == "follow":  # tried again with every look, said once
        os.chmod(path, 0o600)
        daemon.wait_lines(400)
        assert len(complaints_of(daemon)) == 1, complaints_of(daemon)


def test_followed_file_replaced(case):
    """By what is no file, by what is none of ours, by frames of impossible sizes: one line each, nobody is
    waited for, and a good file is followed again."""
    daemon, path = started(case)
    write(path, START + frame(1))
    daemon.wait_lines(1)
    for make, pattern in (
            (lambda: os.mkfifo(path), "this is no regular file"),
            (lambda: os.mkdir(path), "this is a directory"),
            (lambda: os.symlink("/etc/passwd", path), r"no Frame Streams \(it looks like: text\)"),
            (lambda: os.symlink(path, path), None),
            (lambda: os.symlink("/dev/zero", path), "this is no regular file"),
            (lambda: write(path, START + struct.pack(">I", 0x7fffffff)), r"over the size limit \(2147483647 octets\)"),
            (lambda: write(path, bytes(300000)), "a control frame of impossible size")):
        if os.path.isdir(path) and not os.path.islink(path):
            os.rmdir(path)
        else:
            os.unlink(path)
        before = len(complaints_of(daemon))
        make()
        if pattern:
            daemon.wait_own_lines(pattern, lambda: len(complaints_of(daemon)) > before)
            line, = complaints_of(daemon)[before:]
            assert re.search(pattern, line), line
    os.unlink(path)
    write(path, START + frame(2))
    assert ids(daemon.wait_lines(2)) == [1, 2]
    assert len(complaints_of(daemon)) == 6, complaints_of(daemon)


BAD = {
    "cut within a frame": (STREAM[:-30], r"it ends within a frame: \d+ octets are left over", 399),
    "text": (b"hello world, this is a log file\n", r"this is no Frame Streams \(it looks like: text\) at octet 0", 0),
    "other content type": (control(fstrm.START, b"text/plain"),
                           r"the content type is not protobuf:dnstap\.Dnstap \(but text/plain\)", 0),
    "frame over the limit": (START + frame(1) + struct.pack(">I", 131073) + bytes(100),
                             r"a data frame over the size limit \(131073 octets\) at octet \d+", 1),
    "broken control frame": (START + frame(1) + struct.pack(">II", 0, 3) + bytes(100),
                             r"a control frame of impossible size at octet \d+", 1),
}


@tap.cases(*BAD.items())
def test_broken_stream(case, value):
    octets, pattern, whole = value
    replay(case, "x.fstrm", octets, pattern, whole)


def zstd(octets):
    """One frame of raw blocks (RFC 8878 3.1.1): single segment, four octets of content size."""
    blocks = [octets[at:at + 8192] for at in range(0, len(octets), 8192)]
    out = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(octets))
    for number, block in enumerate(blocks, 1):
        out += struct.pack("<I", len(block) << 3 | (number == len(blocks)))[:3] + block
    return out


def damaged(octets):
    """In the middle, where it is data or, of zstd's raw blocks, a block header of the reserved type 3."""
    if octets[:4] == b"\x28\xb5\x2f\xfd":
        at = 9 + 2 * (3 + 8192)
        return octets[:at] + bytes([octets[at] | 6]) + octets[at + 1:]
    middle = len(octets) // 2
    return octets[:middle] + bytes(b ^ 0xFF for b in octets[middle:middle + 16]) + octets[middle + 16:]


PACKERS = {"gz": gzip.compress, "xz": lzma.compress, "zst": zstd}


@tap.cases(*PACKERS)
def test_compressed(case, kind):
    """What is whole is replayed, and nothing complains."""
    path = os.path.join(case.dir, "x." + kind)
    write(path, PACKERS[kind](STREAM))
    daemon = rsyslogd(case, input=ONCE % (path, ""))
    assert ids(daemon.wait_lines(400)) == list(range(1, 401))
    daemon.wait_log(r"x\.%s: 400 frames, replayed to its end" % kind)
    assert not complaints_of(daemon), complaints_of(daemon)


@tap.cases(*PACKERS)
def test_compressed_and_damaged(case, kind):
    replay(case, "x." + kind, damaged(PACKERS[kind](STREAM)), r"the compressed data is damaged", None)


@tap.cases(*PACKERS)
def test_compressed_and_cut(case, kind):
    octets = PACKERS[kind](STREAM)
    count = replay(case, "x." + kind, octets[:len(octets) * 2 // 3], r"the compressed data ends early", None)
    assert kind != "zst" or count > 100, count


def state_file(daemon):
    """The one state file in workDirectory, once it is there."""
    spool = os.path.join(daemon.dir, "spool")

    def found():
        return [n for n in os.listdir(spool) if n.startswith("imdnstap-") and not n.endswith(".new")]
    name, = wait_for("a state file", found)
    return os.path.join(spool, name)


def fifo_instead(path):
    os.unlink(path)
    os.mkfifo(path)


DAMAGES = {
    "cut": lambda path: write(path, b"imdnstap-files 1\nhalf a li", "wb"),
    "empty": lambda path: write(path, b"", "wb"),
    "zeros": lambda path: write(path, bytes(4096), "wb"),
    "other version": lambda path: write(path, b"imdnstap-files 2\n1 2 3 4 5 6 /x\n", "wb"),
    "FIFO": fifo_instead,
}


@tap.cases(*DAMAGES.items())
def test_state_file_damaged(case, damage):
    """Read from the beginning, with a line: a frame may come twice, none is lost."""
    daemon, path = started(case)
    write(path, START + frame(1))
    daemon.wait_lines(1)
    state = state_file(daemon)
    daemon.stop()
    damage(state)
    daemon.start()
    write(path, frame(2))
    assert ids(daemon.wait_lines(3)) == [1, 1, 2]
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert re.search(r"file .*/spool/imdnstap-.*: this state file is damaged: files that it does not tell of "
                     r"are read anew", line), line


def test_state_file_cannot_be_written(case):
    """Said once; following goes on."""
    daemon, path = started(case)
    write(path, START + frame(1))
    daemon.wait_lines(1)
    os.mkdir(state_file(daemon) + ".new")
    for number in range(2, 6):
        write(path, frame(number))
        daemon.wait_lines(number)
        if number == 2:
            daemon.wait_log("cannot be written")
    line, = complaints_of(daemon)
    assert re.search(r'err .*input t: the state file imdnstap-t-\S+ cannot be written in workDirectory '
                     r'".*/spool": Is a directory', line), line


def test_state_directory_without_rights(case):
    """Without positions every start would repeat: the input does not run."""
    path = os.path.join(case.dir, "f")
    write(path, START + frame(1))
    daemon = WithoutRights(case.dir, input=ONCE % (path, 'file.mode="follow"'))
    os.chmod(os.path.join(case.dir, "spool"), 0o500)
    case.start(daemon)
    try:
        daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
        line, = complaints_of(daemon)
        assert re.search(r'input t: file=".*/f": state directory .*/spool: Permission denied', line), line
        assert not daemon.counters(), "it runs"
    finally:
        os.chmod(os.path.join(case.dir, "spool"), 0o700)


def test_no_work_directory(case):
    """Followed all the same, from the beginning at each start; a warning says so."""
    path = os.path.join(case.dir, "f")
    write(path, START + frame(1))
    daemon = Rsyslogd(case.dir, input=ONCE % (path, 'file.mode="follow"'))
    with open(daemon.conf) as file:
        text = file.read()
    with open(daemon.conf, "w") as file:
        file.write(text.replace(f'workDirectory="{case.dir}/spool"', ""))
    case.start(daemon)
    daemon.wait_lines(1)
    daemon.wait_own_lines("a line about it", lambda: complaints_of(daemon))
    line, = complaints_of(daemon)
    assert re.search(r'file\.mode="follow" without global\(workDirectory\): positions are not kept', line), line
    daemon.stop()
    daemon.start()
    assert ids(daemon.wait_lines(2)) == [1, 1]


if __name__ == "__main__":
    tap.main()
