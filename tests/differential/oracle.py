"""Independent decoders for the differential tests: no line of lib/ is behind any of them.

Frame Streams and the dnstap protobuf are taken apart by tests/e2e/fstrm.py, from their specifications; DNS messages
and rdata by dnspython, ldns (libldns.so.3 through ctypes) and Knot DNS (knot_oracle.c).

SPDX-License-Identifier: Apache-2.0
"""
import ctypes
import functools
import os
import subprocess
import sys

SRC = os.environ.get("abs_top_srcdir", os.getcwd())
BUILD = os.environ.get("abs_top_builddir", os.path.join(SRC, "build"))
CORPUS = os.path.join(SRC, "tests", "corpus")
sys.path[1:1] = [os.path.join(SRC, "tests"), os.path.join(SRC, "tests", "e2e")]

import fstrm  # noqa: E402
import tapwriter as tap  # noqa: E402

frames = fstrm.read_frames


def require_dnspython():
    """To be called before any import of dns.*: skips the whole test where there is none."""
    try:
        import dns.message  # noqa: F401
    except ImportError:
        tap.skip_all("dnspython (package python3-dnspython) is not installed")


def tool(name):
    """Path of a program of tests/tools in the build tree."""
    return os.path.join(BUILD, "tests", "tools", name)


def captures():
    return sorted(
        os.path.join(CORPUS, f) for f in os.listdir(CORPUS) if f.endswith(".fstrm"))


class Listed:
    """A difference from an oracle that is known, with its reason; `seen` once something needed it. `since`: it is one
    of newer oracles than those of Debian 12, which the lists are complete for."""

    def __init__(self, why, since=None):
        self.why, self.seen, self.since = why, False, since

    def here(self):
        self.seen = True
        return True


def as_listed():
    """Are the oracles those of Debian 12? Then every listed difference must still be one; newer ones have learnt."""
    return dnspython_version() < (2, 4)


def dnspython_version():
    import dns.version
    return dns.version.MAJOR, dns.version.MINOR


# ---- dnstap.proto ---------------------------------------------------------------------------------


# Field numbers of dnstap.proto.
TOP = {1: "identity", 2: "version", 3: "extra", 14: "message"}
MESSAGE = {1: "type", 2: "family", 3: "protocol", 4: "query_address", 5: "response_address",
           6: "query_port", 7: "response_port", 8: "query_time_sec", 9: "query_time_nsec",
           10: "query_message", 11: "query_zone", 12: "response_time_sec",
           13: "response_time_nsec", 14: "response_message", 15: "policy", 16: "http_protocol"}


def dnstap(payload):
    """A payload as a flat dict of the schema's names."""
    out = {TOP[k]: v for k, v in fstrm.fields(payload) if k in TOP}
    out.update({MESSAGE[k]: v for k, v in fstrm.fields(out.pop("message", b"")) if k in MESSAGE})
    return out


# ---- our side ----------------------------------------------------------------------------------------


def render(fmt, path=None, payloads=None):
    """Lines that dnstap_render prints for a file, or for payloads."""
    run = subprocess.run([tool("dnstap_render"), fmt, path or "-"],
                         input=None if path else fstrm.stream(payloads),
                         stdout=subprocess.PIPE, check=True)
    return run.stdout.split(b"\n")[:-1]


def rdata_text(rows):
    """Text of each (type, wire) by dns_rdata_text; None where it has none."""
    text = "".join(f"{t} {w.hex()}\n" for t, w in rows)
    run = subprocess.run([tool("rdata_text")], input=text.encode(), stdout=subprocess.PIPE, check=True)
    lines = run.stdout.decode("ascii").split("\n")[:-1]
    assert len(lines) == len(rows), (len(lines), len(rows))
    return [None if line == "!" else line for line in lines]


# ---- ldns and libknot ----------------------------------------------------------------------------


class Refused(Exception):
    """A parser did not take a text."""


class Ldns:
    """ldns_rr_new_frm_str and ldns_rr2wire: text to wire."""

    def __init__(self):
        self.lib = lib = ctypes.CDLL("libldns.so.3")
        self.libc = ctypes.CDLL(None)
        self.libc.free.argtypes = [ctypes.c_void_p]
        lib.ldns_rr_new_frm_str.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_char_p,
                                            ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p]
        lib.ldns_rr2wire.argtypes = [ctypes.POINTER(ctypes.c_void_p), ctypes.c_void_p,
                                     ctypes.c_int, ctypes.POINTER(ctypes.c_size_t)]
        lib.ldns_rr_free.argtypes = [ctypes.c_void_p]

    def rdata(self, type_text, text):
        """Wire rdata of `text` as that type, a name."""
        rr, wire, size = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_size_t()
        line = f". 0 IN {type_text} {text}".encode()
        if self.lib.ldns_rr_new_frm_str(ctypes.byref(rr), line, 0, None, None) != 0:
            raise Refused("ldns_rr_new_frm_str")
        status = self.lib.ldns_rr2wire(ctypes.byref(wire), rr, 1, ctypes.byref(size))
        out = ctypes.string_at(wire, size.value) if status == 0 else None
        if wire:
            self.libc.free(wire)
        self.lib.ldns_rr_free(rr)
        if not out:
            raise Refused("ldns_rr2wire")
        return out[11:]  # root owner, type, class, TTL, rdlength


@functools.cache
def ldns():
    try:
        return Ldns()
    except OSError:
        return None


class Knot:
    """knot_oracle: libzscanner for text, libknot for octets."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, *words):
        self.process.stdin.write((" ".join(words) + "\n").encode())
        self.process.stdin.flush()
        answer = self.process.stdout.readline().decode("latin-1").rstrip("\n")
        if answer.startswith("refused "):
            raise Refused(answer)
        return answer

    def rdata(self, type_text, text):
        """Wire rdata of `text` as that type, a name."""
        return bytes.fromhex(self.ask("W", type_text, text))

    def text(self, rdtype, wire):
        """Rdata as text."""
        return self.ask("T", str(rdtype), wire.hex())

    def message(self, wire):
        """{word: [value, ...]} of knot_oracle.c; values are lists where they have commas."""
        out = {}
        for word in self.ask("M", wire.hex()).split(" "):
            key, value = word.split("=", 1)
            out.setdefault(key, []).append(value.split(","))
        return out


class Bind:
    """named-rrchecker -u: text to wire, by a process for each."""

    def __init__(self, program):
        self.program = program

    def rdata(self, type_text, text):
        run = subprocess.run([self.program.path, "-u"], input=f"IN {type_text} {text}\n".encode(), check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.program.environment())
        words = run.stdout.decode().split()  # CLASS1 TYPE66 \\# 8 003B0114EF016100
        if run.returncode or len(words) < 4:
            raise Refused(run.stderr.decode())
        return bytes.fromhex("".join(words[4:]))


@functools.cache
def bind():
    """Installed or privately unpacked, as the end-to-end tests have their servers; None if it is older than what it is
    wanted for."""
    import programs
    from tap import Skip
    try:
        found = Bind(programs.Program("named-rrchecker", "bind9"))
        found.rdata("DSYNC", "CDS NOTIFY 5359 .")
        return found
    except (Skip, Refused):
        return None


@functools.cache
def knot():
    program = os.path.join(BUILD, "tests", "differential", "knot_oracle")
    return Knot(program) if os.path.exists(program) else None
