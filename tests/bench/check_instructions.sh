#!/bin/sh
# check_instructions.sh - fails when a stage's instruction count per frame has grown by more than 10 %.
#
# Covers the hot path of mmdnstapparse on the fixed mixed captures, against the figures recorded in
# instructions.txt. A count that has fallen by more than 10 % fails too: record it, or later
# growth hides in the gap. Without valgrind, with a sanitizer, without optimisation or with a
# compiler that has no figures the cases are skipped; in CI a missing valgrind is a failure.
#
#   tests/bench/check_instructions.sh --record     (from the build directory)
#
# SPDX-License-Identifier: Apache-2.0
srcdir=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
builddir=${abs_top_builddir:-$(pwd)}
bench=$builddir/tests/bench/bench_lib
figures=$srcdir/tests/bench/instructions.txt
stages="event json text tree"

skip_all() {
    echo "1..0 # SKIP $1"
    exit 0
}

# Instructions per frame of stage $1.
measure() {
    frames=$("$bench" --pass "$1" "$srcdir"/tests/corpus/*.fstrm) || return 1
    total=$(valgrind --tool=callgrind --toggle-collect=bench_pass --callgrind-out-file=/dev/null \
        "$bench" --pass "$1" "$srcdir"/tests/corpus/*.fstrm 2>&1 | sed -n 's/.*Collected : //p')
    [ -n "$total" ] && echo $((total / frames))
}

if ! command -v valgrind >/dev/null; then
    [ -z "$CI" ] || { echo "1..1"; echo "not ok 1 - valgrind is missing in CI"; exit 1; }
    skip_all "valgrind is not installed"
fi
compiler=$("$bench" --compiler) || exit 1
case $compiler in
*-sanitized) skip_all "built with a sanitizer" ;;
*-plain) skip_all "built without optimisation" ;;
esac

if [ "$1" = --record ]; then
    rows=$(grep -v "^$compiler " "$figures")
    echo "$rows" >"$figures"
    for stage in $stages; do
        echo "$compiler $stage $(measure "$stage")" >>"$figures"
    done
    exit 0
fi

grep -q "^$compiler " "$figures" || skip_all "no figures for $compiler in instructions.txt"
n=0
status=0
echo "1..$(echo "$stages" | wc -w)"
for stage in $stages; do
    n=$((n + 1))
    want=$(sed -n "s/^$compiler $stage //p" "$figures")
    got=$(measure "$stage")
    if [ -n "$got" ] && [ -n "$want" ] && [ $((got * 10)) -le $((want * 11)) ] &&
        [ $((got * 10)) -ge $((want * 9)) ]; then
        echo "ok $n - $stage: $got instructions per frame, recorded $want"
    else
        echo "not ok $n - $stage: ${got:-no} instructions per frame, recorded ${want:-nothing}"
        status=1
    fi
done
exit $status
