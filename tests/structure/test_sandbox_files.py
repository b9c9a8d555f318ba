# SPDX-License-Identifier: Apache-2.0
"""systemd/rsyslog-dnstap.conf and apparmor/rsyslog-dnstap: understood by their tools, and sufficient.

The drop-in is checked with the distribution's unit by systemd-analyze, which says what it does not know and
scores the result. The snippet is compiled by apparmor_parser in a profile that is like Ubuntu's; and each path that a
shipped configuration or the documentation names must be allowed by its rules. That the kernel enforces them is not
tested: it takes a kernel with AppArmor.
"""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = os.environ.get("abs_top_srcdir") or \
    os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(SOURCE, "tests"))
import tapwriter

DROP_IN = os.path.join(SOURCE, "systemd", "rsyslog-dnstap.conf")
SNIPPET = os.path.join(SOURCE, "apparmor", "rsyslog-dnstap")
EXPOSURE_MAX = 40  # of 100: "OK"; Debian's unit alone has 96
# As Debian's package has it, for machines where it is unpacked or not there at all.
UNIT = """[Unit]
Description=System Logging Service
[Service]
Type=notify
ExecStart=/bin/true -n -iNONE
StandardOutput=null
Restart=on-failure
LimitNOFILE=16384
"""
PROFILE = """abi <abi/3.0>,
include <tunables/global>
profile rsyslogd /usr/sbin/rsyslogd {
  include <abstractions/base>
  include <abstractions/nameservice>
  capability setuid,
  capability setgid,
  capability syslog,
  /etc/rsyslog.conf r,
  /etc/rsyslog.d/** r,
  include "%s"
}
"""


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, **more)


def check_unit(work):
    if not shutil.which("systemd-analyze"):
        tapwriter.lacks("systemd knows every line of the drop-in", "systemd-analyze")
        tapwriter.lacks("the sandbox is one", "systemd-analyze")
        return
    unit = os.path.join(work, "rsyslog.service")
    os.makedirs(unit + ".d")
    shutil.copy(DROP_IN, unit + ".d/dnstap.conf")
    with open(unit, "w") as file:
        file.write(UNIT)
    verified = run("systemd-analyze", "verify", "--man=no", unit)
    tapwriter.ok(verified.returncode == 0 and "dnstap.conf" not in verified.stderr,
                 "systemd knows every line of the drop-in", verified.stderr)
    scored = run("systemd-analyze", "security", "--offline=true", f"--threshold={EXPOSURE_MAX}", unit)
    tapwriter.ok(scored.returncode == 0, "the sandbox is one", *scored.stdout.splitlines()[-3:])


def check_profile(work):
    if not shutil.which("apparmor_parser"):
        tapwriter.lacks("apparmor_parser compiles the snippet", "apparmor_parser")
        return
    profile = os.path.join(work, "usr.sbin.rsyslogd")
    with open(profile, "w") as file:
        file.write(PROFILE % SNIPPET)
    compiled = run("apparmor_parser", "--skip-kernel-load", "--skip-cache", profile)
    tapwriter.ok(compiled.returncode == 0, "apparmor_parser compiles the snippet", compiled.stderr)


def expression(rule):
    """The regular expression of a path rule (apparmor.d(5), globbing), for the forms used here."""
    rule = re.escape(rule).replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
    return re.sub(r"\\\{([^{}]*)\\\}", lambda m: "(?:" + m[1].replace(",", "|") + ")", rule)


def rules(path):
    """(expression, permissions) of each path rule, those of included abstractions as well."""
    with open(path) as file:
        for line in file:
            rule = re.match(r"\s*(?:owner )?(/\S+)\s+([rwaklmxi]+),", line)
            included = re.match(r"\s*#?include <(abstractions/\S+)>", line)
            if rule:
                yield re.compile(expression(rule[1]) + r"\Z"), set(rule[2])
            elif included and os.path.exists("/etc/apparmor.d/" + included[1]):
                yield from rules("/etc/apparmor.d/" + included[1])


def used():
    """(where, path, permissions) of what the shipped configurations name."""
    for name in glob.glob(os.path.join(SOURCE, "rsyslog.conf.d", "*.conf")) + [os.path.join(SOURCE, "README.md")]:
        with open(name) as file:
            text = re.sub(r"^\s*#.*", "", file.read(), flags=re.M)
        where = os.path.basename(name)
        for key, path in re.findall(r'(\w+)="(/[^"]+)"', text):
            if key.lower() == "path":
                yield where, path, "rw"
            elif not key.lower().startswith("tls"):
                reads = key.lower().endswith("cafile")
                yield where, re.sub(r"%[^%]*%", "x", path), "r" if reads else "w"
        for queue in re.findall(r'queue\.filename="([^"]+)"', text):
            yield where, f"/var/spool/rsyslog/{queue}.00000001", "rw"
    with open(DROP_IN) as file:
        for path in re.findall(r'path="([^"]+)"', file.read()):
            yield "the drop-in", path, "rw"


def main():
    with tempfile.TemporaryDirectory() as work:
        check_unit(work)
        check_profile(work)
    allowed, paths = list(rules(SNIPPET)), list(used())
    tapwriter.ok(len(paths) >= 20, "the paths are found", f"{len(paths)} of them")
    if not os.path.exists("/etc/apparmor.d/abstractions/ssl_certs"):
        paths = [item for item in paths if not item[1].startswith("/etc/ssl/")]
    tapwriter.none((f"{where}: {path} {need}" for where, path, need in paths if not
                    any(rule.match(path) and set(need) <= permissions for rule, permissions in allowed)),
                   "the snippet allows every path of the shipped configurations")
    tapwriter.done()


main()
