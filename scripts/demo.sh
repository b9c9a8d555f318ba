#!/bin/sh
# demo.sh - see DNS events come out of a stock rsyslogd.
#
# Installs what a build needs and is missing, builds both modules into ./build, starts a private
# rsyslogd (its own directory and socket; nothing of the system's logging is touched), plays a
# capture of a real DNS server into its unix socket, as the server would, and prints the events that
# rsyslogd wrote, one JSON object per line.
#
# Usage: scripts/demo.sh [CAPTURE.fstrm]
# Environment: BUILD, the build directory (default: build below the source).
#
# SPDX-License-Identifier: Apache-2.0
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
build=${BUILD:-$top/build}
capture=${1:-$top/tests/corpus/unbound-unix-bidi.fstrm}

say() {
    echo "demo: $*" >&2
}

[ -r "$capture" ] || { say "cannot read $capture"; exit 1; }

"$here/setup.sh" "$build"
build=$(cd "$build" && pwd)
. "$build/setup.env"
"$here/build.sh" "$build" >"$build/demo-build.log" 2>&1 || {
    tail -n 60 "$build/demo-build.log" >&2
    say "the build failed: $build/demo-build.log"
    exit 1
}
python=$(sed -n 's/^PYTHON3 = //p' "$build/Makefile")

work=$(mktemp -d "${TMPDIR:-/tmp}/dnstap-demo.XXXXXX")
daemon=
finish() {
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || :
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

cat >"$work/rsyslog.conf" <<END
global(workDirectory="$work" maxMessageSize="256k" processInternalMessages="on")
module(load="$build/imdnstap/.libs/imdnstap.so")
module(load="$build/mmdnstapparse/.libs/mmdnstapparse.so")
template(name="events" type="string" string="%msg%\n")
input(type="imdnstap" path="$work/dnstap.sock" ruleset="dnstap")
ruleset(name="dnstap" queue.type="LinkedList" queue.size="20000" queue.dequeueBatchSize="128") {
    action(type="mmdnstapparse" output="json" replacemsg="json")
    action(type="omfile" file="$work/events" template="events")
}
*.* action(type="omfile" file="$work/log")
END

# Until a condition holds; 30 s at most, and only as long as the daemon lives.
await() {
    tries=300
    until "$@"; do
        tries=$((tries - 1))
        if [ $tries -eq 0 ] || ! kill -0 "$daemon" 2>/dev/null; then
            cat "$work/stderr" "$work/log" >&2 2>/dev/null || :
            say "did not happen: $*"
            exit 1
        fi
        sleep 0.1
    done
}

has_lines() {
    [ -f "$work/events" ] && [ "$(wc -l <"$work/events")" -ge "$1" ]
}

"$RSYSLOGD" -n -iNONE -f "$work/rsyslog.conf" </dev/null >"$work/stderr" 2>&1 &
daemon=$!
await test -S "$work/dnstap.sock"
frames=$("$python" "$top/tests/tools/dnstap_send.py" "$work/dnstap.sock" "$capture")
await has_lines "$frames"
kill "$daemon"
wait "$daemon" || { cat "$work/stderr" "$work/log" >&2; say "rsyslogd ended with an error"; exit 1; }
daemon=

cat "$work/events"
events=$(wc -l <"$work/events")
say "$frames frames of $(basename "$capture") sent to the unix socket, $events events written by $("$RSYSLOGD" -v | sed -n '1s/ (.*//p')"
[ "$events" -eq "$frames" ]
