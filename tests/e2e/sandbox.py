# SPDX-License-Identifier: Apache-2.0
"""Runs a command under the restrictions of a systemd drop-in, without systemd. Needs root.

    sandbox.py DROP-IN WRITABLE[:WRITABLE...] READABLE[:READABLE...] -- COMMAND ARGUMENT...

Reads the drop-in and applies what it says of: ProtectSystem=strict, ProtectHome, PrivateTmp,
ProtectKernelTunables (a mount namespace), CapabilityBoundingSet, NoNewPrivileges, LimitNOFILE,
SystemCallFilter (the sets are those of `systemd-analyze syscall-filter`), RestrictAddressFamilies,
MemoryDenyWriteExecute, RestrictNamespaces (seccomp, by libseccomp). The WRITABLE directories stand for
ReadWritePaths= and RuntimeDirectory=; READABLE ones stay visible wherever they are. Other lines are
not applied: ProtectClock, ProtectKernelModules and the like are in effect already by the missing capabilities and calls.
"""
import ctypes
import os
import re
import resource
import subprocess
import sys

CLONE_NEWNS = 0x20000
CLONE_NEW = 0x7E020080  # every CLONE_NEW* flag of clone(2)
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
MOUNT_SETATTR, AT_RECURSIVE, AT_FDCWD, RDONLY = 442, 0x8000, -100, 1
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
EPERM, ENOSYS = 1, 38
EQ, MASKED_EQ = 4, 7
WRITE, EXEC, SHM_EXEC = 2, 4, 0o100000
CAPABILITIES = {"CAP_CHOWN": 0, "CAP_DAC_OVERRIDE": 1, "CAP_FOWNER": 3, "CAP_SETGID": 6, "CAP_SETUID": 7,
                "CAP_NET_BIND_SERVICE": 10, "CAP_SYSLOG": 34}
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}

libc = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{name}{arguments}: {os.strerror(error)}")
    return result


def mount(source, target, kind, flags, data=None):
    call("mount", source and source.encode(), target.encode(), kind and kind.encode(),
         ctypes.c_ulong(flags), data and data.encode())


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64) for name in ("set", "clear", "propagation", "userns")]


def read_only(path, on, recursive=True):
    change = Attributes(RDONLY if on else 0, 0 if on else RDONLY, 0, 0)
    call("syscall", MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE if recursive else 0,
         ctypes.byref(change), ctypes.c_size_t(ctypes.sizeof(change)))


def settings(path):
    """Key to value of the [Service] section; values of a key that comes again are joined."""
    found = {}
    with open(path) as file:
        for line in file:
            match = re.match(r"([A-Za-z]+)=(.*)", line)
            if match:
                found[match[1]] = (found.get(match[1], "") + " " + match[2]).strip()
    return found


def confine_files(how, writable, readable):
    hidden = []
    call("unshare", CLONE_NEWNS)
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    keep = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in writable + readable}
    if how.get("PrivateTmp") == "yes":
        hidden += ["/tmp", "/var/tmp"]
    if how.get("ProtectHome") == "yes":
        hidden += [path for path in ("/home", "/root", "/run/user") if os.path.isdir(path)]
    for path in hidden:
        mount("tmpfs", path, "tmpfs", 0, "mode=1777" if "tmp" in path else "mode=0755")
    for path, descriptor in sorted(keep.items()):
        os.makedirs(path, exist_ok=True)
        mount(f"/proc/self/fd/{descriptor}", path, None, MS_BIND | MS_REC)
        os.close(descriptor)
    if how.get("ProtectKernelTunables") == "yes":
        mount("/proc/sys", "/proc/sys", None, MS_BIND)
    if how.get("ProtectSystem") == "strict":
        read_only("/", True)
        for path in ["/dev", "/proc"] + [p for p in hidden if "tmp" in p] + writable:
            read_only(path, False, recursive=path == "/dev")


def confine_capabilities(how):
    kept = {CAPABILITIES[name] for name in how["CapabilityBoundingSet"].split()}
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for number in range(last + 1):
        if number not in kept:
            call("prctl", PR_CAPBSET_DROP, number, 0, 0, 0)


def calls_of(words):
    """The system calls behind "@system-service syslog", sets within sets resolved."""
    sets, name = {}, None
    listing = subprocess.run(["systemd-analyze", "--no-pager", "syscall-filter"], capture_output=True, text=True,
                             check=False).stdout
    for line in listing.splitlines():
        if line.startswith("@"):
            name = line.strip()
            sets[name] = []
        elif name and line.startswith("    ") and not line.strip().startswith("#"):
            sets[name].append(line.strip())

    def expand(word):
        return {word} if not word.startswith("@") else \
            {one for inner in sets[word] for one in expand(inner)}
    return {one for word in words for one in expand(word)}


class Comparison(ctypes.Structure):
    _fields_ = [("argument", ctypes.c_uint), ("operator", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]


def clear(argument, mask):
    return Comparison(argument, MASKED_EQ, mask, 0)


def confine_calls(how):
    """Everything that is not allowed is EPERM."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    # The alternatives under which a call passes; a call that is not here passes always.
    conditions = {"socket": [Comparison(0, EQ, FAMILIES[name], 0) for name in how["RestrictAddressFamilies"].split()],
                  "mmap": [clear(2, WRITE), clear(2, EXEC)], "mprotect": [clear(2, EXEC)],
                  "pkey_mprotect": [clear(2, EXEC)], "shmat": [clear(2, SHM_EXEC)], "clone": [clear(0, CLONE_NEW)]}
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(ERRNO | EPERM)))

    def rule(action, name, *comparisons):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            array = (Comparison * len(comparisons))(*comparisons)
            result = library.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(comparisons), array)
            assert result == 0, (name, result)
    for name in sorted(calls_of(how["SystemCallFilter"].split()) - {"clone3", "unshare", "setns"}):
        for alternative in conditions.get(name, [None]):
            rule(ALLOW, name, *([alternative] if alternative else []))
    rule(ERRNO | ENOSYS, "clone3")  # its flags cannot be seen; the C library goes back to clone
    assert library.seccomp_load(context) == 0


def main():
    end = sys.argv.index("--")
    how = settings(sys.argv[1])
    writable, readable = ([p for p in text.split(":") if p] for text in sys.argv[2:4])
    confine_files(how, writable, readable)
    os.chdir(writable[0])
    limit = int(how["LimitNOFILE"])
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    confine_capabilities(how)
    if how["NoNewPrivileges"] == "yes":
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    confine_calls(how)
    os.execvp(sys.argv[end + 1], sys.argv[end + 1:])


if __name__ == "__main__":
    main()
