# tap.sh - TAP for the shell tests of the tree: plan N, then check NAME RESULT per test.
# SPDX-License-Identifier: Apache-2.0
LC_ALL=C
export LC_ALL
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$srcdir/build}
tap_count=0
tap_failed=0

plan() {
    echo "1..$1"
}

# Passes when COMPLAINTS is empty; else they are shown.
check() {
    tap_count=$((tap_count + 1))
    if [ -z "$2" ]; then
        echo "ok $tap_count - $1"
    else
        echo "not ok $tap_count - $1"
        echo "$2" | sed 's/^/# /'
        tap_failed=1
    fi
}

skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}
