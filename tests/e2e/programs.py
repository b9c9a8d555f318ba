# SPDX-License-Identifier: Apache-2.0
"""Programs and rsyslog's plugins from Debian packages, and ports for servers of a test's own.

A program is used where it is installed; else its Debian package, and what that depends on and is
not there, is fetched and unpacked below the build directory (nothing is installed, no service is
touched). E2E_DOWNLOAD=0 forbids fetching. A program that cannot be had skips its test.
"""
import fcntl
import glob
import os
import random
import re
import shutil
import socket
import subprocess

from harness import CACHE, module_path, sanitizer_library
from tap import OtherBuild, Skip


def unpacked(package):
    """The root of a privately unpacked package with its dependencies."""
    root = os.path.join(CACHE, package)
    done = os.path.join(root, ".done")
    if os.path.exists(done):
        return root
    if os.environ.get("E2E_DOWNLOAD") == "0" or not shutil.which("apt-get"):
        raise Skip(f"{package} is not installed, and nothing may be fetched")
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(CACHE, package + ".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(done):
            fetch(package, root)
            open(done, "w").close()
    return root


def fetch(package, root):
    plan = subprocess.run(["apt-get", "-qq", "--print-uris", "--no-install-recommends", "-y",
                           "install", package], capture_output=True, text=True, check=False)
    names = sorted({re.sub(r"_.*", "", line.split()[1]) for line in plan.stdout.splitlines()
                    if line.startswith("'")})
    if plan.returncode != 0 or not names:
        raise Skip(f"apt-get knows no way to {package}: {plan.stderr.strip()[:200]}")
    run = subprocess.run(["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"] + names,
                         cwd=root, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise Skip(f"{package} could not be fetched: {run.stderr.strip()[:200]}")
    for deb in glob.glob(os.path.join(root, "*.deb")):
        subprocess.run(["dpkg", "-x", deb, root], check=True)
        os.unlink(deb)


def known(*packages):
    """The first of these names that apt has a package of, else the last: names change."""
    for package in packages[:-1]:
        if shutil.which("apt-cache") and subprocess.run(
                ["apt-cache", "show", package], capture_output=True, check=False).returncode == 0:
            return package
    return packages[-1]


# Output plugins of rsyslog that have Debian packages of their own.
PLUGINS = {"omelasticsearch": "rsyslog-elasticsearch", "omkafka": "rsyslog-kafka",
           "omrelp": "rsyslog-relp",
           "imrelp": "rsyslog-relp", "lmnsd_ossl": "rsyslog-openssl", "lmnsd_gtls": "rsyslog-gnutls"}


def refuse_hanging(configuration):
    """Stock plugins that bring libgnutls hang in dlopen, in its constructor's bindtextdomain, when
    a sanitizer's runtime is preloaded: without any module of ours as well."""
    settings = "".join(line.split("#")[0] for line in configuration.splitlines(True))
    if sanitizer_library() and any(name in settings for name in ("omelasticsearch", "omrelp", "imrelp",
                                                                  "gtls")):
        raise OtherBuild("libgnutls hangs with a preloaded sanitizer")


def need_plugins(configuration):
    """Sees to it that the plugins a configuration names are in harness.module_path(): those that
    are not installed are unpacked privately."""
    refuse_hanging(configuration)
    for name, package in PLUGINS.items():
        if name.replace("lmnsd_", "") in configuration and not any(
                os.path.exists(os.path.join(d, name + ".so")) for d in module_path().split(":")):
            unpacked(package)


class Program:
    """Where a program is, and the environment that it needs."""

    def __init__(self, name, package, overlay=False):
        self.overlay = overlay
        path = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin"
        self.root = ""
        self.path = shutil.which(name, path=path)
        if self.path is None:
            self.root = unpacked(package)
            found = [p for d in ("usr/sbin", "usr/bin")
                     for p in [os.path.join(self.root, d, name)] if os.path.exists(p)]
            if not found:
                raise Skip(f"{package} holds no {name}")
            self.path = found[0]

    def environment(self):
        env = dict(os.environ, LC_ALL="C")
        env.pop("LD_PRELOAD", None)
        if self.root:
            libraries = glob.glob(os.path.join(self.root, "usr/lib/*-linux-gnu*")) + \
                glob.glob(os.path.join(self.root, "lib/*-linux-gnu*"))
            env["LD_LIBRARY_PATH"] = ":".join(
                libraries + [d for p in libraries for d in glob.glob(p + "/*/") if
                             glob.glob(d + "*.so*")])
        return env

    def version(self, option):
        """The numbers of the first version in what the program says with that option."""
        run = subprocess.run([self.path, option], env=self.environment(), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        found = re.search(r"\d+(\.\d+)+", run.stdout)
        assert found, f"{self.path} {option} tells no version: {run.stdout[:200]}"
        return tuple(int(number) for number in found.group().split("."))

    def file(self, pattern, package):
        """A file by a pattern from the root; from package, if it is not there."""
        found = glob.glob(os.path.join(self.root or "/", pattern)) or \
            glob.glob(os.path.join(unpacked(package), pattern))
        if not found:
            raise Skip(f"no {pattern}")
        return found[0]

    def command(self):
        """How to run it: what looks for its files below /usr gets an overlay of its own there."""
        if not self.root or not self.overlay:
            return [self.path]
        script = 'mount -t overlay -o lowerdir="$0":/usr overlay /usr && exec "$@"'
        inside = [os.path.join(self.root, "usr"), self.path]
        if subprocess.run(["unshare", "-Urm", "sh", "-c", script, inside[0], "true"],
                          capture_output=True, check=False).returncode != 0:
            raise Skip(f"{self.path} is not installed and namespaces are not allowed")
        return ["unshare", "-Urm", "sh", "-c", script] + inside


def binds(family, kind, address):
    with socket.socket(family, kind) as probe:
        try:
            probe.bind(address)
            return True
        except OSError:
            return False


IPV6 = binds(socket.AF_INET6, socket.SOCK_DGRAM, ("::1", 0))


def free_port():
    """A port that is free for UDP and for TCP on loopback now. It is none of those that the system
    gives to clients, so that nobody takes it before the server does."""
    families = [(socket.AF_INET, "127.0.0.1")] + ([(socket.AF_INET6, "::1")] if IPV6 else [])
    for _ in range(50):
        port = random.randrange(10000, 32000)
        if all(binds(family, kind, (host, port)) for family, host in families
               for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return port
    raise AssertionError("no free port")
