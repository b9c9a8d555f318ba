#!/bin/sh
# lib/ is pure: no rsyslog header, no I/O, no logging, so that it can be tested and fuzzed alone.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 3

# A quoted include must be a file of lib/ itself, or made by the build.
complaints=$(cd "$srcdir/lib" && grep -n '^ *# *include *"' *.c *.h |
    while IFS= read -r line; do
        name=$(echo "$line" | sed 's/.*"\(.*\)".*/\1/')
        case $name in
        config.h | dnstap.pb-c.h) ;;
        *) [ -f "$name" ] || echo "$line" ;;
        esac
    done)
check "lib includes only its own headers" "$complaints"

complaints=$(cd "$srcdir/lib" && grep -nE '^ *# *include *<(sys/socket|syslog|fcntl|unistd|openssl|libestr|json|libfastjson)' *.c *.h)
check "lib includes no header of I/O or logging" "$complaints"

# What the compiled library asks of the system.
objects=$(find "$builddir/lib" -name '*.o' ! -name '*pb-c*')
complaints=$(nm -u $objects 2>/dev/null |
    grep -wE 'f?printf|v?fprintf|__f?printf_chk|puts|fputs|fwrite|perror|syslog|__syslog_chk|open|open64|fopen|read|write|send|recv|socket|LogError|LogMsg|dbgprintf|abort|exit')
[ -n "$objects" ] || complaints="no object files of lib/ in $builddir"
check "lib calls nothing that reads, writes, logs or exits" "$complaints"
exit $tap_failed
