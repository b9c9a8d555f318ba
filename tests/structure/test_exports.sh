#!/bin/sh
# Both modules live in one process with the daemon: each exports modInit and nothing else, and
# leaves no symbol undefined that neither the daemon nor a library of its own provides.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 4

for module in imdnstap mmdnstapparse; do
    file=$builddir/$module/.libs/$module.so
    if [ ! -f "$file" ]; then
        check "$module exports modInit alone" "$file is missing"
        check "$module is linked as a hardened module" "$file is missing"
        continue
    fi
    # Instrumented builds add symbols of their runtime's.
    exported=$(nm -D --defined-only "$file" | awk '{print $3}' |
        grep -vE '^(modInit|_init|_fini|__(asan|ubsan|tsan|odr|gcov|sanitizer|start|stop|llvm)_?.*|mangle_path|_edata|_end|__bss_start)$')
    nm -D --defined-only "$file" | grep -qw modInit || exported="modInit is missing $exported"
    check "$module exports modInit alone" "$exported"
    if ! grep -q -- '-z,now' "$builddir/Makefile"; then
        skip "$module is linked as a hardened module" "built with --disable-hardening"
        continue
    fi
    complaints=
    readelf -lW "$file" | grep -q GNU_RELRO || complaints="no RELRO"
    readelf -dW "$file" | grep -qE 'BIND_NOW|FLAGS.*NOW' || complaints="$complaints, no immediate binding"
    readelf -lW "$file" | grep GNU_STACK | grep -q 'RWE' && complaints="$complaints, executable stack"
    check "$module is linked as a hardened module" "$complaints"
done
exit $tap_failed
