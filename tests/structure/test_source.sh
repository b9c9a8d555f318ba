#!/bin/sh
# Source files: formatted as .clang-format says, a licence line each, nothing unfinished.
# SPDX-License-Identifier: Apache-2.0
. "$(dirname "$0")/tap.sh"
plan 3

files=$(find "$srcdir/lib" "$srcdir/glue" "$srcdir/imdnstap" "$srcdir/mmdnstapparse" "$srcdir/tests" \
    -name '*.[ch]' ! -name '*.pb-c.*')
scripts=$(find "$srcdir/tests" "$srcdir/scripts" -name '*.py' -o -name '*.sh')
# Other versions of it lay out some lines in another way.
if clang-format --version 2>/dev/null | grep -q 'version 14\.' && [ -f "$srcdir/.clang-format" ]; then
    check "clang-format would change nothing" \
        "$(clang-format --style=file --dry-run $files 2>&1 | grep 'warning:' | cut -d: -f1 | sort | uniq -c)"
else
    skip "clang-format would change nothing" "no clang-format 14 here"
fi
check "every source file has its SPDX line" \
    "$(grep -L 'SPDX-License-Identifier: Apache-2.0' $files $scripts)"
check "nothing is left for later" \
    "$(grep -nE 'TO''DO|FIX''ME|X''XX:' $files $scripts)"
exit $tap_failed
