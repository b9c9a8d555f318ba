#!/bin/bash
# analyze.sh - static analysis of lib/, glue/, imdnstap/ and mmdnstapparse/: gcc -fanalyzer, clang-tidy (with
# clang's analyzer; checks and reasons in .clang-tidy) and cppcheck.
#
# Usage: scripts/analyze.sh [--deep] BUILD_DIR
#
# BUILD_DIR is a configured and built tree; how each file is compiled is taken from its Makefile. A finding is an
# error unless scripts/analyze.accepted has a line with the reason. --deep lets clang's analyzer walk
# as many paths as it likes, which takes some minutes.
# SPDX-License-Identifier: Apache-2.0
set -u
LC_ALL=C
export LC_ALL
top=$(cd "$(dirname "$0")/.." && pwd)
accepted=$top/scripts/analyze.accepted
nodes=30000
[ "${1:-}" != --deep ] || { nodes=225000; shift; }
[ $# -eq 1 ] && [ -f "$1/config.h" ] || { echo "usage: analyze.sh [--deep] BUILD_DIR (configured)" >&2; exit 2; }
build=$(cd "$1" && pwd)
work=$build/analyze
jobs=${JOBS:-$(nproc)}
rm -rf "$work"
mkdir -p "$work"
cd "$build" || exit 2

for tool in gcc clang-tidy cppcheck; do
    command -v $tool >/dev/null || { echo "analyze: $tool is missing (scripts/setup.sh --check installs it)"; exit 2; }
done

# How the sources are compiled: "COMMAND|FILE" lines from what make would do if all had changed.
from=$(sed -n 's/^srcdir = //p' Makefile)
sources=$(cd "$from" && ls lib/*.c glue/*.c imdnstap/*.c mmdnstapparse/*.c) || exit 2
make -n V=1 $(printf -- "-W $from/%s " $sources) lib/libdnstap.la imdnstap/imdnstap.la mmdnstapparse/mmdnstapparse.la |
    sed -n "s/^.*--mode=compile [^ ]* \(.*\) -MT .* -c -o [^ ]* \`test -f '\([^']*\)'.*/\1|\2/p" |
    sort -u -t'|' -k2,2 >"$work/commands"
files=$(wc -l <"$work/commands")
[ "$files" -ge 50 ] || { echo "analyze: only $files commands found in $build/Makefile"; exit 2; }
{
    echo '['
    # cppcheck knows no -isystem.
    sed 's/-isystem /-I/g' "$work/commands" | while IFS='|' read -r flags file; do
        printf '%s{"directory": "%s", "file": "%s", "command": "cc %s -c %s"}\n' "${comma:-}" \
            "$build" "$from/$file" "$flags" "$from/$file"
        comma=,
    done
    echo ']'
} >"$work/compile_commands.json"

# Each writes "FILE:LINE:COLUMN: SEVERITY: TEXT [CHECK]" lines.
run_gcc() {
    while IFS='|' read -r flags file; do
        echo "gcc $flags -fanalyzer -c -o /dev/null $from/$file"
    done <"$work/commands" | xargs -d '\n' -P"$jobs" -n1 sh -c '$0 2>&1'
}

run_clang_tidy() {
    cut -d'|' -f2 "$work/commands" | sed "s|^|$from/|" |
        xargs -P"$jobs" -n3 clang-tidy -p "$work" --quiet --config-file="$top/.clang-tidy" \
            --extra-arg=-Wno-unknown-warning-option --extra-arg=-Xclang --extra-arg=-analyzer-config \
            --extra-arg=-Xclang --extra-arg=max-nodes=$nodes 2>/dev/null
}

run_cppcheck() {
    cppcheck --project="$work/compile_commands.json" -j"$jobs" --std=c11 --quiet --inconclusive \
        --enable=warning,performance,portability -DRSYSLOG_SDK_VERSION='"0"' -DPROTOBUF_C_VERSION_NUMBER=1005000 \
        --suppress="*:$(sed -n 's/^RSYSLOG_SRC = //p' Makefile)/*" \
        --template='{file}:{line}:{column}: {severity}: {message} [{id}]' 2>&1
}

# A file is analysed in pieces that may overlap (headers): each finding once, with the path in the tree.
findings() {
    sed -nE "s,^.*/?\<((lib|glue|imdnstap|mmdnstapparse)/[a-z0-9_.-]+:[0-9]+:[0-9]+: (warning|error|performance|portability|style): .*)\$,\1,p" |
        sed -E 's/ error: (.*\[-W)error=/ warning: \1/; s/\[-W([^]=]*)=*\]$/[\1]/' | sort -u
}

bad=0
: >"$work/used"
for tool in gcc clang-tidy cppcheck; do
    started=$SECONDS
    run_"${tool//-/_}" >"$work/$tool.out" 2>"$work/$tool.err"
    findings <"$work/$tool.out" >"$work/$tool.findings"
    count=0 open=0
    while IFS= read -r line; do
        check=${line##*[} check=${check%]} file=${line%%:*}
        count=$((count + 1))
        if grep -qE "^$tool +$check +$file +[^ ]" "$accepted"; then
            echo "$tool $check $file" >>"$work/used"
            continue
        fi
        open=$((open + 1))
        echo "analyze: $tool: $line"
    done <"$work/$tool.findings"
    bad=$((bad + open))
    echo "analyze: $tool: $files files, $((count - open)) findings accepted, $open open ($((SECONDS - started)) s)"
done
while read -r tool check file reason; do
    case $tool in '#'* | '') continue ;; esac
    if ! grep -qxF "$tool $check $file" "$work/used"; then
        echo "analyze: note: scripts/analyze.accepted: nothing is found any more of: $tool $check $file"
    fi
done <"$accepted"
[ $bad -eq 0 ]
