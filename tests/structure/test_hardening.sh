#!/bin/sh
# What is built is hardened, and nothing that is shipped opens a socket to everybody.
# The modules: relocations read-only before they run, no text relocation, no executable or writable
# code, no library path of their own, stack protector and checked string functions in use.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 4

# Says what the module FILE lacks.
faults() {
    segments=$(readelf -lW "$1") dynamic=$(readelf -dW "$1") symbols=$(nm -D "$1")
    echo "$segments" | grep -q GNU_RELRO || echo "no RELRO"
    echo "$dynamic" | grep -qE 'BIND_NOW|Flags:.*NOW' || echo "no immediate binding: RELRO is partial"
    echo "$segments" | grep -q GNU_STACK || echo "no GNU_STACK: the stack is executable"
    echo "$segments" | grep -E 'GNU_STACK|LOAD' | grep -q 'RWE' && echo "executable and writable memory"
    echo "$dynamic" | grep -q TEXTREL && echo "text relocations"
    echo "$dynamic" | grep -qE 'RPATH|RUNPATH' && echo "a library path of its own"
    echo "$symbols" | grep -q __stack_chk_fail || echo "no stack protector"
    echo "$symbols" | grep -q __snprintf_chk || echo "no FORTIFY_SOURCE"
}

for module in imdnstap mmdnstapparse; do
    file=$builddir/$module/.libs/$module.so
    if [ ! -f "$file" ]; then
        check "$module is hardened" "$file is missing"
    elif ! grep -q -- '-z,now' "$builddir/Makefile"; then
        skip "$module is hardened" "built with --disable-hardening"
    else
        check "$module is hardened" "$(faults "$file")"
    fi
done

# The last octal digit is the world's; 2 is the right to connect.
check "no shipped configuration or document opens a socket to everybody" \
    "$(cd "$srcdir" && grep -niE 'filecreatemode="?0?[0-7]{2}[2367]"' \
        rsyslog.conf.d/*.conf README.md doc/*.md scripts/*.sh)"
check "the default mode of the socket is its owner's alone" \
    "$(grep -q '\.mode = 0600,' "$srcdir/imdnstap/inputs.c" &&
        grep -q '^| `filecreatemode` | `0600` |' "$srcdir/doc/configuration.md" ||
        echo 'imdnstap/inputs.c or doc/configuration.md has another one')"
exit $tap_failed
