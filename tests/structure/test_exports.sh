#!/bin/sh
# Both modules live in one process with the daemon: each exports modInit and nothing else, and
# leaves no symbol undefined that neither the daemon nor a library of its own provides.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 2

for module in imdnstap mmdnstapparse; do
    file=$builddir/$module/.libs/$module.so
    if [ ! -f "$file" ]; then
        check "$module exports modInit alone" "$file is missing"
        continue
    fi
    # Instrumented builds add symbols of their runtime's.
    exported=$(nm -D --defined-only "$file" | awk '{print $3}' |
        grep -vE '^(modInit|_init|_fini|__(asan|ubsan|tsan|odr|gcov|sanitizer|start|stop|llvm)_?.*|mangle_path|_edata|_end|__bss_start)$')
    nm -D --defined-only "$file" | grep -qw modInit || exported="modInit is missing $exported"
    check "$module exports modInit alone" "$exported"
done
exit $tap_failed
