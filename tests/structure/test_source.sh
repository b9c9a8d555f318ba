#!/bin/sh
# Source files: formatted as .clang-format says, a licence line each, nothing unfinished.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 3

files=$(find "$srcdir/lib" "$srcdir/glue" "$srcdir/imdnstap" "$srcdir/mmdnstapparse" "$srcdir/tests" \
    -name '*.[ch]' ! -name '*.pb-c.*')
scripts=$(find "$srcdir/tests" "$srcdir/scripts" -name '*.py' -o -name '*.sh')
# One version decides, that of Debian 12: others lay out some lines in another way. Where it is not,
# this is not checked (doc/compatibility.md).
format=
for program in clang-format-14 clang-format; do
    if [ -z "$format" ] && $program --version 2>/dev/null | grep -q 'version 14\.'; then
        format=$program
    fi
done
if [ -n "$format" ]; then
    check "clang-format would change nothing" \
        "$($format --style=file --dry-run $files 2>&1 | grep 'warning:' | cut -d: -f1 | sort | uniq -c)"
elif [ "${CI:-}" = true ] && grep -qs '^VERSION_CODENAME=bookworm' /etc/os-release; then
    check "clang-format would change nothing" "clang-format 14 is missing in CI"
else
    skip "clang-format would change nothing" "no clang-format 14 here"
fi
check "every source file has its SPDX line" \
    "$(grep -L 'SPDX-License-Identifier: Apache-2.0' $files $scripts)"
check "nothing is left for later" \
    "$(grep -nE 'TO''DO|FIX''ME|X''XX:' $files $scripts)"
exit $tap_failed
