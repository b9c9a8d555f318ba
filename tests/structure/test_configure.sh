#!/bin/sh
# configure refuses what would make a module that the daemon cannot run, in one line that says what
# to do. The daemons and source trees here are made for the purpose: scripts, and what they say.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 7

if [ ! -x "$srcdir/configure" ] || [ -f "$srcdir/config.status" ]; then
    for n in 1 2 3 4 5 6 7; do
        skip "configure" "no configure here, or the source tree itself is configured"
    done
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# rsyslogd FILE VERSION: a script that says that it is one.
make_daemon() {
    printf '#!/bin/sh\necho "rsyslogd  %s (aka 2023.02) compiled with:"\n' "$2" >"$1"
    chmod +x "$1"
}

# source_tree DIRECTORY VERSION: as much of one as configure looks at.
make_tree() {
    mkdir -p "$1/runtime"
    : >"$1/runtime/module-template.h"
    echo "AC_INIT([rsyslog],[$2],[rsyslog@lists.adiscon.com])" >"$1/configure.ac"
}

# refuses NAME PATTERN ARGUMENT...: it fails, and its error says PATTERN.
refuses() {
    name=$1 pattern=$2
    shift 2
    rm -rf build
    mkdir build
    complaint=
    if (cd build && "$srcdir/configure" "$@" >output 2>&1 </dev/null); then
        complaint="configure accepted: $*"
    elif ! tr '\n' ' ' <build/output | grep -qE "error: .*$pattern"; then
        complaint=$(tail -n 5 build/output)
    fi
    check "$name" "$complaint"
}

make_daemon good 8.2302.0
make_tree tree 8.2302.0
make_tree other 8.2504.0
cache=--cache-file=$work/cache

refuses "no source tree" \
    'no rsyslog source tree in /nowhere\. Run .*fetch-rsyslog-sdk\.sh .*--with-rsyslog-src=DIR' \
    "$cache" --with-rsyslogd="$work/good" --with-rsyslog-src=/nowhere
refuses "source tree of another version" \
    "version mismatch: the source tree $work/other is rsyslog 8\.2504\.0, but $work/good is rsyslog 8\.2302\.0\..*fetch-rsyslog-sdk\.sh" \
    "$cache" --with-rsyslogd="$work/good" --with-rsyslog-src="$work/other"
refuses "no daemon" \
    'no rsyslogd found at /nowhere/rsyslogd: .*Install rsyslog, or name the daemon with --with-rsyslogd=PATH' \
    "$cache" --with-rsyslogd=/nowhere/rsyslogd --with-rsyslog-src="$work/tree"
printf '#!/bin/sh\necho hello\n' >silent
chmod +x silent
refuses "daemon that names no version" "silent -v names no version: is it rsyslogd\?" \
    "$cache" --with-rsyslogd="$work/silent" --with-rsyslog-src="$work/tree"

# An ELF header of a machine that this compiler does not make objects for (ELF: e_machine, octet 18).
make_daemon foreign 8.2302.0
{ printf '\177ELF\002\002\001\000\000\000\000\000\000\000\000\000\000\002\000\052'; cat good; } >foreign.bin
refuses "daemon of another platform" 'ABI mismatch: .*use CC or CFLAGS' \
    "$cache" --with-rsyslogd="$work/foreign" --with-rsyslog-src="$work/tree"

refuses "library that is missing" 'Package requirements \(libprotobuf-c >= 1\.3\) were not met' \
    --without-rsyslog PKG_CONFIG_LIBDIR=/nowhere PKG_CONFIG_PATH=/nowhere

# And what is right is taken.
rm -rf build
mkdir build
(cd build && "$srcdir/configure" "$cache" --with-rsyslogd="$work/good" --with-rsyslog-src="$work/tree" \
    >output 2>&1 </dev/null) || complaint=$(tail -n 5 build/output)
[ -f build/Makefile ] || complaint="no Makefile ${complaint:-}"
check "daemon and source tree of one version" "${complaint:-}"
exit $tap_failed
