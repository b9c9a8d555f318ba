#!/bin/bash
# check.sh - builds rsyslog-dnstap and runs every test of it.
#
# Usage: scripts/check.sh [--sanitizers] [--threads] [--valgrind] [--clang] [--analyze] [--distcheck] [--all] [--only]
#
#   (nothing)      the whole suite with gcc: unit, golden, fuzz replay, structure, and end-to-end
#                  with the stock rsyslogd and real DNS servers
#   --sanitizers   the suite again, instrumented with ASan and UBSan, in BUILD/sanitizers
#   --threads      the end-to-end tests under ThreadSanitizer, in BUILD/threads; four workers per queue
#   --valgrind     the end-to-end tests under valgrind (memcheck), in BUILD/valgrind; four workers
#   --clang        compile everything with clang as well; a warning is an error
#   --analyze      static analysis: gcc -fanalyzer, clang-tidy, cppcheck (analyze.sh)
#   --distcheck    make distcheck: the distribution archive builds, tests, installs and cleans up
#   --all          all of these but --threads and --valgrind
#   --only         not the suite with gcc, but what the other options say
#
# The set-up is that of demo.sh (setup.sh): missing build packages are installed, nothing of the
# system is reconfigured or started. The last line is "tests: N passed, N failed, N skipped". A test
# whose counterpart (a DNS server) cannot be had is skipped and says so; with CI=true it fails.
# Environment: BUILD, the build directory (default: build below the source); JOBS, make's -j.
#
# SPDX-License-Identifier: Apache-2.0
set -u
exec </dev/null
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
mkdir -p "${BUILD:=$top/build}"
build=$(cd "$BUILD" && pwd)
jobs=${JOBS:-$(nproc 2>/dev/null || echo 2)}
export SETUP_ENV=$build/setup.env JOBS=$jobs

sanitizers=no threads=no valgrind=no clang=no analyze=no distcheck=no only=no
for option; do
    case $option in
    --sanitizers) sanitizers=yes ;;
    --threads) threads=yes ;;
    --valgrind) valgrind=yes ;;
    --clang) clang=yes ;;
    --analyze) analyze=yes ;;
    --distcheck) distcheck=yes ;;
    --all) sanitizers=yes clang=yes analyze=yes distcheck=yes ;;
    --only) only=yes ;;
    -h|--help) sed -n '2,/^# SPDX/{/^# SPDX/d;s/^# \{0,1\}//;p;}' "$0"; exit 0 ;;
    *) echo "check: unknown option $option (--help)" >&2; exit 2 ;;
    esac
done

passed=0 failed=0 skipped=0

say() {
    echo "check: $* ($((SECONDS / 60)):$(printf %02d $((SECONDS % 60))))"
}

finish() {
    echo "tests: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
    exit
}

# A step that is no test: it shows the end of its log and counts as one failure when it fails.
# step NAME SECONDS LOG COMMAND...
step() {
    local name=$1 limit=$2 log=$3
    shift 3
    say "$name"
    if timeout -k 30 "$limit" "$@" >"$log" 2>&1; then
        return 0
    fi
    local status=$?
    [ $status -ne 124 ] || echo "check: $name took longer than $limit s"
    grep -nE 'warning:|error:|Error [0-9]' "$log" | head -n 40
    tail -n 100 "$log"
    echo "check: $name FAILED ($log)"
    failed=$((failed + 1))
    return 1
}

# How many cases ended so, by the result files that automake keeps of every program. The names are
# those of automake: PASS, FAIL, SKIP, XFAIL, XPASS, ERROR.
count() {
    find "$dir" -mindepth 1 -name sanitizers -prune -o -name threads -prune -o -name valgrind -prune -o \
        -name clang -prune -o -name 'rsyslog-dnstap-*' -prune -o \
        -name '*.trs' -print0 |
        xargs -0 -r grep -h "^:test-result: $1" | wc -l
}

failures() {
    echo $(($(count FAIL) + $(count XPASS) + $(count ERROR)))
}

# The logs of programs in which a sanitizer or valgrind complained.
complaints() {
    grep -rlE --include='test_*.log' 'a tool complained|ended with 99$|(ERROR|WARNING): [A-Za-z]+Sanitizer' "$dir/tests"
}

make_check() {
    (cd "$dir" && E2E_CACHE=$build/servers timeout -k 30 "$1" make -k "-j$2" "$3") >"$log" 2>&1
}

# Runs the suite in a build directory and adds up its cases. Programs that failed are run once more,
# alone: on a crowded machine a deadline of real processes can pass. It says so when that helped;
# what fails twice has failed, and what a sanitizer or valgrind finds has failed at once: a race may
# well not come again. A third argument is another target, a fourth its limit in seconds.
suite() {
    local name=$1 dir=$2 log=$2/check.log target=${3:-check} limit=${4:-1500} status=0 bad found
    say "$name: make $target"
    # More than there are processors: most programs wait most of the time.
    make_check "$limit" $((2 * jobs)) "$target" || status=$?
    bad=$(failures)
    if [ "$bad" -ne 0 ]; then
        grep -E '^(FAIL|ERROR|XPASS)' "$log" | head -n 100
        tail -n 150 "$dir/test-suite.log" 2>/dev/null
        if found=$(complaints); then
            echo "check: $name: a sanitizer or valgrind found something:" $found
        else
            say "$name: $bad failed, running those programs again, alone"
            log=$dir/recheck.log status=0
            make_check "$limit" 1 recheck || status=$?
            bad=$(failures)
            [ "$bad" -ne 0 ] || echo "check: $name: all of them passed when run alone"
        fi
    fi
    passed=$((passed + $(count PASS) + $(count XFAIL)))
    skipped=$((skipped + $(count SKIP)))
    grep '^SKIP' "$dir/check.log" | sort -u | head -n 40
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then
        # No test failed, and yet make did: it did not compile, or did not end in time.
        bad=1
        [ $status -ne 124 ] || echo "check: $name took too long"
        grep -nE 'warning:|error:|Error [0-9]' "$log" | head -n 40
        tail -n 60 "$log"
    fi
    if [ "$bad" -ne 0 ]; then
        grep -E '^(FAIL|ERROR|XPASS)' "$log" | head -n 100
        tail -n 300 "$dir/test-suite.log" 2>/dev/null
        echo "check: $name: $bad FAILED ($log, $dir/test-suite.log)"
    fi
    failed=$((failed + bad))
    say "$name: $(count PASS) passed, $bad failed, $(count SKIP) skipped"
}

say "setting up"
if ! timeout -k 30 2400 "$here/setup.sh" --check "$build"; then
    failed=1
    finish
fi

if [ $only = no ] || [ $analyze = yes ] || [ $distcheck = yes ]; then
    step "gcc: build" 900 "$build/build.log" env CC=gcc "$here/build.sh" "$build" --enable-werror || finish
fi
[ $only = yes ] || suite gcc "$build"

if [ $clang = yes ]; then
    if command -v clang >/dev/null; then
        step "clang: build without a warning" 900 "$build/clang.log" \
            env CC=clang "$here/build.sh" "$build/clang" --enable-werror &&
            step "clang: build of the tests" 900 "$build/clang-check.log" \
                make -C "$build/clang" -j"$jobs" check TESTS=
    elif [ "${CI:-}" = true ]; then
        echo "check: clang is missing"
        failed=$((failed + 1))
    else
        say "clang: not installed, left out"
    fi
fi

if [ $analyze = yes ]; then
    if [ "${CI:-}" = true ] || { command -v clang-tidy && command -v cppcheck; } >/dev/null; then
        step "static analysis" 900 "$build/analyze.log" "$here/analyze.sh" "$build" &&
            grep '^analyze: .* files,' "$build/analyze.log"
    else
        say "static analysis: clang-tidy or cppcheck is not installed, left out"
    fi
fi

if [ $sanitizers = yes ]; then
    # The stock daemon is not instrumented, so the runtime is loaded before it; what the daemon
    # leaks is not ours to report.
    E2E_PRELOAD=$(readlink -f "$(gcc -print-file-name=libasan.so)")
    export E2E_PRELOAD
    if step "sanitizers: build" 900 "$build/sanitizers.log" \
        env CC=gcc "$here/build.sh" "$build/sanitizers" --enable-werror --enable-sanitizers=address,undefined; then
        suite sanitizers "$build/sanitizers"
    fi
    unset E2E_PRELOAD
fi

# Several workers for a few messages already, several threads of the input, and deadlines for a daemon
# that is ten times slower.
slowly() {
    E2E_WORKERS=4 E2E_THREADS=4 E2E_PATIENCE=6 suite "$1" "$build/$1" e2e 7200
}

if [ $threads = yes ] && step "threads: build" 900 "$build/threads.log" \
    env CC=gcc "$here/build.sh" "$build/threads" --enable-werror --enable-sanitizers=thread; then
    slowly threads
fi

if [ $valgrind = yes ] && step "valgrind: build" 900 "$build/valgrind.log" \
    env CC=gcc "$here/build.sh" "$build/valgrind" --enable-werror; then
    E2E_WRAPPER="valgrind -q --error-exitcode=99 --leak-check=full
        --errors-for-leak-kinds=definite --show-leak-kinds=definite --suppressions=$top/tests/e2e/valgrind.supp
        --num-callers=20 --vgdb=no --keep-debuginfo=yes" slowly valgrind
fi

if [ $distcheck = yes ]; then
    # The end-to-end tests have run above; here it is about the archive.
    step "distcheck" 1200 "$build/distcheck.log" \
        env E2E_ONLY=none make -C "$build" -j"$jobs" distcheck
fi
finish
